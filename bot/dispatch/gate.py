"""Who may ask for what: the sentences for those who may not, or not yet, or not twice."""

from __future__ import annotations

from bot.dispatch.router import Command
from bot.model import Role

TEXTS = {
    "gate.not_open": "我还没在这个群开张，请群主说一声「开张」。",
    "gate.newcomer": "请先说出入群暗号，再来一起玩。",
    "gate.newcomer.many": "{names}请先说出入群暗号，再来一起玩。",
    "gate.owner_only": "这件事要群主来说。",
    "gate.again": "刚才那条已办。",
    "gate.in_group": "这件事请到群里说。",
    "gate.hint": "我是小二，在群里当差。回复「帮助」看我会做什么。",
    "gate.sorry": "刚才出了点岔子，这条没办成，请稍后再试。",
    "gate.parked": "这件事办得太慢，先停十分钟。",
}


def refusal(command: Command, role: Role, *, opened: bool, to_bot: bool) -> str | None:
    """The text that turns somebody away, '' to say nothing at all, or None to let them through."""
    allowed = role >= command.role
    if command.talk and not to_bot and not allowed:
        return ""
    if not opened and not command.early:
        return "" if command.talk and not to_bot else "gate.not_open"
    if allowed:
        return None
    return "gate.newcomer" if command.role == Role.MEMBER else "gate.owner_only"
