"""Routes: one answer for each word, checked at start."""

from __future__ import annotations

import pytest

from bot.app import HANDLERS, routes
from bot.dispatch.gate import refusal
from bot.dispatch.router import Command, Router, Routes
from bot.dispatch.turn import Turn
from bot.model import Message, Reply, Role


def handler(_message: Message, _turn: Turn) -> Reply:
    return Reply("x")


def test_two_handlers_that_claim_one_word_stop_the_bot() -> None:
    """Also when one writes it in traditional characters, and within one file."""
    one, other = Router("one"), Router("other")
    one.command("签到")(handler)
    other.command("簽到")(handler)
    with pytest.raises(ValueError, match="two handlers claim"):
        Routes([one, other])
    with pytest.raises(ValueError, match="two handlers claim"):
        one.command("签到。")(handler)


def test_two_files_that_claim_one_text_timer_or_listener_stop_the_bot() -> None:
    """Whatever kind of thing it is."""
    with pytest.raises(ValueError, match="two handlers claim"):
        Routes([Router("one", {"a.b": "x"}), Router("other", {"a.b": "y"})])
    one, other = Router("one"), Router("other")
    for router in (one, other):
        router.timer("ring")(lambda _timer, _turn: None)
    with pytest.raises(ValueError, match="two handlers claim"):
        Routes([one, other])


def test_every_handler_says_what_it_owns() -> None:
    """The docstring of a handler file names each of its commands and timers."""
    for module in HANDLERS:
        doc = module.__doc__ or ""
        router: Router = module.router
        for name in (*router.timers,):
            assert name in doc, (module.__name__, name)
        for name, command in router.commands.items():
            named = [other for other, one in router.commands.items() if one.handler is command.handler]
            assert any(one in doc for one in named), (module.__name__, name)


@pytest.mark.parametrize(
    ("talk", "early", "role", "opened", "to_bot", "answer"),
    [
        (False, False, Role.MEMBER, True, False, None),
        (False, False, Role.NEWCOMER, True, False, "gate.newcomer"),
        (False, False, Role.NEWCOMER, False, False, "gate.not_open"),
        (False, True, Role.MEMBER, False, False, None),
        (True, False, Role.NEWCOMER, True, False, ""),
        (True, False, Role.NEWCOMER, True, True, "gate.newcomer"),
        (True, False, Role.OWNER, False, False, ""),
        (True, False, Role.OWNER, False, True, "gate.not_open"),
    ],
)
def test_who_may_ask_for_what(
    talk: bool, early: bool, role: Role, opened: bool, to_bot: bool, answer: str | None
) -> None:
    """Everyday words are talk unless they may be a command; a command says why it is refused."""
    command = Command("x", handler, Role.MEMBER, talk=talk, early=early)
    assert refusal(command, role, opened=opened, to_bot=to_bot) == answer


def test_an_owners_command_is_refused_to_members_and_newcomers_alike() -> None:
    """In the same words."""
    command = Command("x", handler, Role.OWNER)
    for role in (Role.NEWCOMER, Role.MEMBER):
        assert refusal(command, role, opened=True, to_bot=False) == "gate.owner_only"
    assert refusal(command, Role.OWNER, opened=True, to_bot=False) is None


def test_all_routers_go_together() -> None:
    """And each text that a refusal or a handler names is there."""
    table = routes()
    assert {"签到", "打卡", "抢", "发红包", "撤回红包", "我的积分", "积分榜", "帮助", "开张", "暗号"} <= set(
        table.commands
    )
    assert {"gate.sorry", "sign_in.done", "packet.none"} <= set(table.texts)
