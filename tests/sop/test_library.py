"""What a good library gives, and how values are read."""

from datetime import time
from pathlib import Path

import pytest

from bot.durations import duration
from bot.model import DAY, HOUR, MINUTE, SECOND
from bot.sop.checking import validate
from bot.sop.library import Library, load
from bot.sop.reading import read
from bot.sop.schema import Audience, Part, Slot, is_post_id, slot_key
from bot.sop.values import days
from tests.sop.fakes import KINDS, Choice, Quiz, library


def test_a_good_library_has_no_faults(tmp_path: Path) -> None:
    """All that was written is there, typed, and nothing is complained of."""
    loaded = library(tmp_path, {})
    assert loaded.faults == ()
    quiz = loaded.activities["quiz-night"]
    assert isinstance(quiz, Quiz)
    assert quiz.questions.banks() == ("general",)
    assert (quiz.round.open, quiz.round.gap) == (3 * MINUTE, 10 * SECOND)
    assert list(loaded.banks["general"].questions.values())[1] == Choice("二加二", ("四", "五"), "A")
    assert loaded.posts["brief"].text == "今天的行情"
    assert loaded.text("sign_in.done") == "第 {place} 位，早"
    assert loaded.text("sign_in.again") == "今天签过了"
    calendar = loaded.calendars["bank"]
    assert calendar.audience == Audience(tags=("理财",))
    assert calendar.slots[0].at == time(8)
    assert calendar.slots[0].on == frozenset(range(5))
    assert [slot.late for slot in calendar.slots] == [10 * MINUTE, 15 * MINUTE, 10 * MINUTE, 10 * MINUTE]


def test_a_missing_library_is_one_fault(tmp_path: Path) -> None:
    """Without the folder there is a sentence, and the default texts still stand."""
    loaded = load(tmp_path / "none", KINDS)
    assert [fault.message for fault in loaded.faults] == ["找不到这个文件夹"]
    assert loaded.text("sign_in.again") == "今天签过了"


def test_a_folder_without_a_library_is_one_fault(tmp_path: Path) -> None:
    """An empty folder, or a wrong one, is told in words; one of the four folders makes it a library."""
    (tmp_path / "other").mkdir()
    (tmp_path / "other/a.yaml").write_text("a: b\n")
    (tmp_path / "config.yaml").write_text("a: b\n")
    loaded = load(tmp_path, KINDS)
    assert [str(fault) for fault in loaded.faults] == [
        f"{tmp_path}:1:1: 这里没有活动库：要有 activities、calendars、questions、texts 这几个文件夹"
    ]
    assert loaded.text("sign_in.again") == "今天签过了"
    (tmp_path / "library/texts").mkdir(parents=True)
    assert load(tmp_path / "library", KINDS) == Library.empty(KINDS)


def test_the_id_of_a_question_is_its_content(tmp_path: Path) -> None:
    """A question keeps its id when others come before it."""
    before = library(tmp_path, {}).banks["general"].questions
    added = (
        "title: 常识\ngame: choice\nquestions:\n"
        "  - {ask: 新, options: [一, 二], answer: A}\n"
        "  - {options: [四, 五], ask: 二加二, answer: A}\n"
    )
    after = library(tmp_path, {"questions/general.yaml": added}).banks["general"].questions
    assert set(before) & set(after) == {list(before)[1]}
    assert all(len(key) == 12 for key in after)


def test_a_slot_keeps_its_identity_wherever_it_stands() -> None:
    """A slot is its id, or else its rule and content, and lateness does not change it."""
    assert slot_key("bank", Slot(id="morning", at="08:00", do="a")) == "bank/morning"
    plain = Slot(at="08:00", on="mon-fri", do="a")
    assert slot_key("bank", plain) == "bank/#5c578c7c26cf"
    assert Slot(at="08:00", on=["mon", "tue-fri"], do="a", late="1h").identity == plain.identity
    assert Slot(at="08:01", on="mon-fri", do="a").identity != plain.identity


def test_scalars_are_the_text_that_was_typed(tmp_path: Path) -> None:
    """YAML 1.1 makes nothing of no, on, 10:30, 007 or ~, and places are kept beside the data."""
    path = tmp_path / "a.yaml"
    path.write_bytes("\ufeffon: no\r\nat: 10:30\r\nlist: [007, ~, 1_0]\r\n空: |\r\n  多行\r\n".encode())
    document = read(path, "a.yaml")
    assert document.data == {"on": "no", "at": "10:30", "list": ["007", "~", "1_0"], "空": "多行\n"}
    assert document.keys[("at",)] == (2, 1)
    assert document.values[("list", 1)] == (3, 13)


def test_a_document_can_be_any_model(tmp_path: Path) -> None:
    """Config files are read by the same means."""

    class Server(Part):
        port: int

    class Config(Part):
        servers: dict[str, Server]

    path = tmp_path / "config.yaml"
    path.write_text("servers:\n  main: {prot: 1}\n", encoding="utf-8")
    made, faults = validate(read(path, "config.yaml"), Config)
    assert made is None
    assert list(map(str, faults)) == ['config.yaml:2:10: 不认识的键 "prot"，是不是 "port"？']
    path.write_text("servers:\n  main: {port: 1}\n", encoding="utf-8")
    assert validate(read(path, "config.yaml"), Config) == (Config(servers={"main": Server(port=1)}), [])


@pytest.mark.parametrize(
    ("text", "value"),
    [("90s", 90 * SECOND), ("3m", 3 * MINUTE), ("1h30m", 90 * MINUTE), ("2d", 2 * DAY), ("1d1h", DAY + HOUR)],
)
def test_durations(text: str, value: int) -> None:
    """A duration is a number and a unit, the large ones first."""
    assert duration(text) == value


@pytest.mark.parametrize("text", ["", "3", "m", "30m1h", "1.5h", "-1m", "３m", "1h 30m", "9999999999s"])
def test_what_is_no_duration(text: str) -> None:
    """Anything else is refused."""
    with pytest.raises(ValueError, match="时长"):
        duration(text)


@pytest.mark.parametrize(
    ("typed", "numbers"),
    [
        ("daily", {0, 1, 2, 3, 4, 5, 6}),
        ("每天", {0, 1, 2, 3, 4, 5, 6}),
        ("wed", {2}),
        ("Mon-Fri", {0, 1, 2, 3, 4}),
        ("fri-mon", {4, 5, 6, 0}),
        (["mon", "wed-thu"], {0, 2, 3}),
        ("周一", {0}),
        ("周日", {6}),
        ("星期天", {6}),
        ("周一-周五", {0, 1, 2, 3, 4}),
        ("周六-周一", {5, 6, 0}),
    ],
)
def test_days(typed: object, numbers: set[int]) -> None:
    """Days are named one by one, as a range that may pass Sunday, or as a list."""
    assert days(typed) == frozenset(numbers)


def test_a_post_is_an_id_or_the_text_itself() -> None:
    """Only what looks like an id is one."""
    assert is_post_id("market-brief")
    assert not any(map(is_post_id, ["晚安", "Good night", "-a", "a.b", ""]))
