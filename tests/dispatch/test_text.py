"""What members type, in one form; and texts with values in them."""

from __future__ import annotations

import unicodedata

import opencc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.app import routes
from bot.dispatch.lanes import Lane
from bot.dispatch.text import LONGEST, display, plain
from bot.model import Group, Message, Person, fill

ROUTES = routes()
TRADITIONAL = opencc.OpenCC("s2t")


def wide(text: str) -> str:
    """The text in full width."""
    return "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in text)


ENDS = ["", " ", "。", "。。", "！", "~", "\u3000", " 。 ", "\u200b", "\n"]
HOW = [str, wide, str.upper, TRADITIONAL.convert, lambda text: wide(TRADITIONAL.convert(text.upper()))]


@settings(deadline=None)
@given(st.text())
def test_the_plain_form_of_a_plain_form_is_itself(text: str) -> None:
    """Whatever was typed."""
    assert plain(plain(text)) == plain(text)


@settings(deadline=None)
@given(
    st.text(st.sampled_from("签到我选abcABC09 积分榜红包帮助"), max_size=12),
    st.sampled_from(HOW),
    st.sampled_from(ENDS),
    st.sampled_from(ENDS),
)
def test_width_case_script_and_ends_do_not_matter(text: str, how: object, start: str, end: str) -> None:
    """Simplified and traditional, half and full width, large and small, spaces and full stops at the end."""
    start = start if not start.strip("\u200b") or start.isspace() else ""
    assert callable(how)
    assert plain(start + how(text) + end) == plain(text)


@pytest.mark.parametrize(
    ("typed", "form"),
    [
        ("簽到 ", "签到"),
        ("Ｂ", "b"),
        ("Ⓑ", "b"),
        ("𝐁", "b"),
        ("\u202e签\u200d到\ufeff", "签到"),
        ("发红包　１００\u00a0 10。", "发红包 100 10"),
        ("搶紅包！！", "抢红包"),
        ("ＨＥＬＰ", "help"),
        ("乾杯", "干杯"),
        ("a\tb\nc", "a b c"),
        ("a\u2028b", "a b"),
        ("\ud800签到\0", "签到"),
        ("", ""),
        ("。。", ""),
        ("😀", "😀"),
    ],
)
def test_the_plain_form(typed: str, form: str) -> None:
    """Some that people type."""
    assert plain(typed) == form


def typed(text: str, *, to_bot: bool = False) -> Message:
    return Message("sandbox", "g", "1", Person("a", "甲"), text, 0, to_bot=to_bot)


@settings(deadline=None, max_examples=300)
@given(
    st.sampled_from(sorted(ROUTES.commands)),
    st.sampled_from(HOW),
    st.sampled_from([start for start in ENDS if not start.strip()]),
    st.sampled_from(ENDS),
)
def test_every_command_is_found_however_it_is_typed(name: str, how: object, start: str, end: str) -> None:
    """The quick look at the first character lets none of them slip."""
    assert callable(how)
    found = ROUTES.match(Lane(Group(1, "sandbox", "g")), typed(start + how(name) + end))
    assert found == (ROUTES.commands[name], "")


@settings(deadline=None, max_examples=300)
@given(st.text(max_size=LONGEST), st.sampled_from(["", *sorted(ROUTES.commands)]))
def test_the_quick_look_changes_no_answer(text: str, head: str) -> None:
    """A message is matched just as if every command were compared with its plain form."""
    text = head + text
    found = ROUTES.match(Lane(Group(1, "sandbox", "g")), typed(text))
    exact = ROUTES.commands.get(plain(text)) if len(text) <= LONGEST else None
    assert found == ((exact, "") if exact else ROUTES.with_rest(text))


@settings(deadline=None)
@given(st.text())
def test_a_name_is_fit_to_stand_in_a_sentence(name: str) -> None:
    """One line, not empty, not long, nothing that is not seen."""
    shown = display(name)
    assert 1 <= len(shown) <= 24
    assert shown.splitlines() == [shown]
    assert not any(unicodedata.category(char)[0] == "C" for char in shown)
    assert display(shown) == shown


VALUE = st.one_of(
    st.integers(),
    st.text(),
    st.sampled_from(["{name}", "{points}", "{0.__class__}", "{{", "%s", "{a}{name}"]),
)


@settings(deadline=None)
@given(VALUE, VALUE)
def test_a_value_is_never_expanded(name: str | int, points: str | int) -> None:
    """Whatever stands in it comes out as it is."""
    assert fill("{name}：{points} 分", {"name": name, "points": points}) == f"{name}：{points} 分"


@pytest.mark.parametrize(
    "text",
    [
        "{0}",
        "{name.__class__}",
        "{name!r}",
        "{name[0]}",
        "{name:>9}",
        "{unknown}",
        "{}",
        "{{",
        "}{",
        "{NAME}",
    ],
)
def test_a_text_reaches_nothing_but_names(text: str) -> None:
    """No attribute, no index, no format; what is not a name that is known stays."""
    assert fill(text, {"name": "甲"}) == text
