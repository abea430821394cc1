"""Where one browser tab sits: in which group, as whom, and what a chat looks like from there. No page here."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from bot.adapters.sandbox.adapter import BOT, Sandbox
from bot.adapters.sandbox.attached import attachments
from bot.clock import as_datetime
from bot.model import SECOND
from bot.ports import SandboxGroup, SandboxMember, SandboxMessage

EVERYBODY = ("签到", "抢", "我的积分", "积分榜", "帮助")
OWNERS = ("今日安排", "发红包 100 10")
ALONE = ("我的积分", "帮助")
LOGO = "data:image/svg+xml;base64," + b64encode((Path(__file__).parent / "logo.svg").read_bytes()).decode()
COLORS = ("#5b8ff9", "#f08c5a", "#7c6bd6", "#3fa89b", "#e07a9b", "#c99a2e", "#5a9fc4", "#8aa04b", "#b5739d")


class Seat:
    """The group that is looked at, who is played there, and whether it is their private chat with 小二."""

    def __init__(self, sandbox: Sandbox, group: str = "", me: str = "") -> None:
        self._sandbox = sandbox
        self._group = group
        self._me = me
        self.private = False
        self.look()

    def look(self) -> None:
        """Look who is there now; whoever is gone is played no longer."""
        groups = {group.id: group for group in self._sandbox.groups}
        self.group: SandboxGroup | None = groups.get(self._group) or next(iter(groups.values()), None)
        members = {member.id: member for member in self.group.members} if self.group else {}
        # A plain member shows more of what 小二 does than the owner.
        usual = next((member for member in members.values() if member.role != "owner"), None)
        self.me: SandboxMember | None = members.get(self._me) or usual or next(iter(members.values()), None)
        self._group = self.group.id if self.group else ""
        self._me = self.me.id if self.me else ""
        self.private = self.private and self.me is not None

    def sit(self, group: str, me: str = "") -> None:
        """Go to a group, as one of its members."""
        self._group, self._me, self.private = group, me, False
        self.look()

    def play(self, me: str) -> None:
        """Be somebody else in this group; in private, in their private chat."""
        self._me = me
        self.look()

    def people(self) -> Sequence[SandboxMember]:
        return self.group.members if self.group else ()

    @property
    def chat(self) -> str:
        """The chat that is seen; empty when there is none."""
        return self._me if self.private else self._group

    @property
    def address(self) -> str:
        """What a reload or a bookmark comes back to."""
        return f"/?group={self._group}&me={self._me}"

    @property
    def title(self) -> str:
        if self.group is None:
            return "还没有群"
        return BOT.name if self.private else self.group.title

    @property
    def count(self) -> int:
        """How many are in the group, with 小二; 0 where nobody counts."""
        return 0 if self.private or self.group is None else len(self.group.members) + 1

    @property
    def chips(self) -> list[str]:
        if self.private:
            return list(ALONE)
        owner = self.me is not None and self.me.role == "owner"
        return [*EVERYBODY, *OWNERS] if owner else list(EVERYBODY)


def letter(name: str) -> str:
    """The character that stands for somebody."""
    return name.strip()[:1] or "?"


def color(member: str) -> str:
    """The colour that stands for somebody, by id; those who came one after the other differ."""
    return COLORS[sum(member.encode("utf-8", "replace")) % len(COLORS)]


def line(message: SandboxMessage, zone: ZoneInfo) -> dict[str, Any]:
    """A message as chat.js shows it."""
    beside = {each["kind"]: each for each in attachments(message)}
    return {
        "seq": message.seq,
        "sender": message.sender,
        "name": message.name,
        "letter": letter(message.name),
        "color": color(message.sender),
        "text": message.text,
        "picture": beside["picture"]["url"] if "picture" in beside else "",
        "file": beside.get("file"),
        "card": beside.get("card"),
        "at": message.at // SECOND,
        "time": f"{date(local(message.at, zone))} {local(message.at, zone):%H:%M}",
    }


def local(moment: int, zone: ZoneInfo) -> datetime:
    return as_datetime(moment).astimezone(zone)


def date(when: datetime) -> str:
    """11 月 24 日 周二: unambiguous, however far the clock was moved."""
    return f"{when.month} 月 {when.day} 日 {weekday(when)}"


def weekday(when: datetime) -> str:
    return f"周{'一二三四五六日'[when.weekday()]}"
