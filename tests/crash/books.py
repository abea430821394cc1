"""What must hold after every restart: the database against what people outside were told."""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from bot.model import fill
from storage.audit import audit
from storage.place import Place
from tests import databases
from tests.crash.crowd import OWNER, PASSWORD, Line, Memory

SHANGHAI = ZoneInfo("Asia/Shanghai")
SETTLE = 30

# What is chatter unless a round happens to be open leaves no mark.
_MARKED = re.compile(r"签到|抢|发红包 .*|撤回红包|@小二 .*|暗号 .*|群规.*")
_SIGNED = re.compile(r"@\S+ 签到成功，今天第 (\d+) 个，连续 (\d+) 天，得 (\d+) 分，共 (-?\d+) 分。")
_GOT = re.compile(r"@\S+ 抢到 (\d+) 分.*", re.DOTALL)
_OPENED = re.compile(r"(\S+) 发了一个 (\d+) 分的红包，共 (\d+) 份。.*")
_WITHDRAWN = re.compile(r"@\S+ 撤回了 (\d+) 份，共 (\d+) 分退回(?:国库|你的钱包)。.*", re.DOTALL)
_CLOSED = re.compile(r"第 (\d+) 题答案：.*?(?:\n(\d+) 人作答，.*|\n这一题没有人作答。)", re.DOTALL)
# Whether a calendar was paused before it was said, and after.
_PAUSES = {
    "calendar.paused": (False, True),
    "calendar.is_paused": (True, True),
    "calendar.resumed": (True, False),
    "calendar.not_paused": (False, False),
}


class Books:
    """Reads a database, whether somebody writes to it or not."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._handled: set[str] = set()

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return databases.rows(self._place, sql)

    async def settled(self, memory: Memory) -> None:
        """Wait until all that was accepted is handled, and all that was planned is sent."""
        asks = self._asks()
        wanted = {
            key
            for key, said in memory.said.items()
            if _MARKED.fullmatch(said.text) or (said.text == PASSWORD and said.chat in asks)
        }
        try:
            async with asyncio.timeout(SETTLE):
                while self._waiting() or wanted - self._marked():
                    # Nothing tells another process that this one is done.
                    await asyncio.sleep(0.05)
        except TimeoutError:
            left = {key: memory.said[key] for key in wanted - self._marked()}
            raise AssertionError(f"never handled: {left}; never sent: {self._waiting()}") from None

    def sent(self) -> Counter[tuple[str, str]]:
        """How often each text was sent to each group."""
        return self._said("sent")

    def check(
        self, memory: Memory, chats: Mapping[str, Mapping[int, Line]], sent: Counter[tuple[str, str]]
    ) -> None:
        """Everything that people were told, against everything that is kept.

        `sent` was read before `chats`: nobody is talking, but timers go on ringing.
        """
        report = audit(self._place)
        assert report.clean, report.faults
        assert report.parked == []
        self._lines_stay(memory, chats)
        self._lines_are_rows(chats, sent)
        self._slots_come_once(chats)
        seen = [(chat, line) for chat, lines in memory.lines.items() for line in lines.values()]
        bot = [(chat, line) for chat, line in seen if line.sender == "bot"]
        self._sign_ins(memory, bot)
        self._packets(bot)
        self._admissions(memory, bot)
        self._quizzes(bot)
        self._orders(memory)
        self._hooks()

    # Lines. ------------------------------------------------------------------------------------------

    def _lines_stay(self, memory: Memory, chats: Mapping[str, Mapping[int, Line]]) -> None:
        """What was read is there when it is read again, and what was read again stays in the database."""
        for chat, lines in memory.lines.items():
            for seq, line in lines.items():
                assert chats[chat].get(seq) == line, f"{chat} lost {line}, has {chats[chat].get(seq)}"
        kept = {
            seq: (chat, sender, text)
            for seq, chat, sender, text in self.rows("SELECT seq, chat, sender, text FROM sandbox_messages")
        }
        for chat, known in chats.items():
            for seq, line in known.items():
                assert kept.get(seq) == (chat, line.sender, line.text), f"{chat} lost {line}"

    def _lines_are_rows(
        self, chats: Mapping[str, Mapping[int, Line]], sent: Counter[tuple[str, str]]
    ) -> None:
        """A row that was sent before the chats were read is a line; no line is there without a row."""
        lines = Counter(
            (chat, one.text) for chat, all_ in chats.items() for one in all_.values() if one.sender == "bot"
        )
        assert sent <= lines, f"never arrived: {sent - lines}"
        left = self._said("sent", "unknown", "sending")
        assert lines <= left, f"arrived twice: {lines - left}"

    def _slots_come_once(self, chats: Mapping[str, Mapping[int, Line]]) -> None:
        found: Counter[tuple[str, date, str]] = Counter()
        for chat, lines in chats.items():
            for line in lines.values():
                if line.sender == "bot" and line.text.startswith("播报"):
                    found[chat, datetime.fromisoformat(line.at).astimezone(SHANGHAI).date(), line.text] += 1
        twice = [key for key, times in found.items() if times > 1]
        assert not twice, twice
        rows = self.rows(
            "SELECT occurrence, COUNT(*) FROM outbox WHERE occurrence > 0 GROUP BY 1 HAVING COUNT(*) > 1"
        )
        assert rows == []

    # What was confirmed. -------------------------------------------------------------------------------

    def _sign_ins(self, memory: Memory, bot: Iterable[tuple[str, Line]]) -> None:
        """签到成功 is a row with the same numbers and the same balance; what was accepted was done."""
        balances = self._balances()
        kept: dict[tuple[str, str], dict[tuple[int, ...], int]] = defaultdict(dict)
        for chat, person, member, day, place, streak, points in self.rows(
            "SELECT g.chat, m.person, s.member_id, s.day, s.place, s.streak, s.points FROM sign_ins s"
            " JOIN members m ON m.id = s.member_id JOIN groups g ON g.id = s.group_id"
        ):
            balance = balances[f"sign_in:{member}:{day}"]
            kept[chat, person][place, streak, points, balance] = day
        for chat, line in bot:
            if found := _SIGNED.fullmatch(line.text):
                numbers = tuple(map(int, found.groups()))
                assert numbers in kept[chat, line.mentions[0]], f"{line}: {kept[chat, line.mentions[0]]}"
        for key, said in memory.said.items():
            if said.text == "签到":
                days = kept[said.chat, said.person].values()
                assert max(days, default=0) >= _day(said.after), f"{key}: {said} was not done, only {days}"

    def _balances(self) -> dict[str, int]:
        """What an account that was paid held right after the posting, by the posting's key."""
        held: Counter[int] = Counter()
        after: dict[str, int] = {}
        for key, account, amount in self.rows("SELECT key, account_id, amount FROM postings ORDER BY at"):
            held[account] += amount
            if amount > 0:
                after[key] = held[account]
        return after

    def _packets(self, bot: Iterable[tuple[str, Line]]) -> None:
        """抢到 N 分 is a share of that member; a packet that was announced, or taken back, is one."""
        shares = Counter(
            self.rows(
                "SELECT g.chat, m.person, s.points FROM shares s JOIN members m ON m.id = s.member_id"
                " JOIN groups g ON g.id = m.group_id"
            )
        )
        packets = Counter(
            (chat, name or OWNER, points, many)
            for chat, name, points, many in self.rows(
                "SELECT g.chat, k.giver_name, k.points, k.shares FROM packets k JOIN groups g ON g.id = k.group_id"
            )
        )
        withdrawn = Counter(
            self.rows(
                "SELECT g.chat, COALESCE(m.person, g.owner), COUNT(*), SUM(s.points) FROM packets k"
                " JOIN shares s ON s.packet_id = k.id AND s.member_id IS NULL"
                " JOIN groups g ON g.id = k.group_id LEFT JOIN members m ON m.id = k.giver"
                " WHERE k.state = 'withdrawn' GROUP BY k.id, g.chat, m.person, g.owner"
            )
        )
        got, opened, back = (Counter[tuple[Any, ...]]() for _ in range(3))
        for chat, line in bot:
            if found := _GOT.fullmatch(line.text):
                got[chat, line.mentions[0], int(found[1])] += 1
            if found := _OPENED.fullmatch(line.text):
                opened[chat, found[1], int(found[2]), int(found[3])] += 1
            if found := _WITHDRAWN.fullmatch(line.text):
                back[chat, line.mentions[0], int(found[1]), int(found[2])] += 1
        assert got <= shares, f"told of shares that nobody has: {got - shares}"
        assert opened <= packets, f"told of packets that are none: {opened - packets}"
        assert back <= withdrawn, f"told that packets were taken back: {back - withdrawn}"
        twice = self.rows(
            "SELECT packet_id, member_id FROM shares WHERE member_id > 0 GROUP BY 1, 2 HAVING COUNT(*) > 1"
        )
        assert twice == []

    def _admissions(self, memory: Memory, bot: Iterable[tuple[str, Line]]) -> None:
        """暗号正确 is an admission with that password; who said it and was heard is in, once."""
        admitted = Counter(
            self.rows(
                "SELECT g.chat, m.person, a.password FROM admissions a JOIN members m ON m.id = a.member_id"
                " JOIN groups g ON g.id = m.group_id"
            )
        )
        assert all(times == 1 for times in admitted.values()), admitted
        for chat, line in bot:
            if "暗号正确" in line.text:
                assert (chat, line.mentions[0], PASSWORD) in admitted, line
        asks = self._asks()
        for said in memory.said.values():
            if said.text == PASSWORD and said.chat in asks:
                assert (said.chat, said.person, PASSWORD) in admitted, said

    def _quizzes(self, bot: Iterable[tuple[str, Line]]) -> None:
        """A round whose answer was told is closed, and everybody who answered in it was paid once."""
        rounds: dict[int, tuple[str, int, str]] = {
            key: (chat, number, state)
            for key, chat, number, state in self.rows(
                "SELECT r.id, g.chat, r.number, q.state FROM rounds r JOIN quizzes q ON q.id = r.quiz_id"
                " JOIN groups g ON g.id = q.group_id WHERE r.closed_at > 0"
            )
        }
        answered, paid = defaultdict(set), defaultdict(set)
        for key, member in self.rows("SELECT round_id, member_id FROM answers"):
            answered[key].add(member)
        for (key,) in self.rows("SELECT key FROM postings WHERE key LIKE 'quiz:%' AND amount > 0"):
            _, number, member = key.split(":")
            paid[int(number)].add(int(member))
        closed = Counter((chat, number, len(answered[key])) for key, (chat, number, _) in rounds.items())
        told: Counter[tuple[str, int, int]] = Counter()
        for chat, line in bot:
            if found := _CLOSED.fullmatch(line.text):
                told[chat, int(found[1]), int(found[2] or 0)] += 1
        assert told <= closed, f"told of rounds that are not closed so: {told - closed}"
        for key, (_, _, state) in rounds.items():
            if state != "void":
                assert paid[key] == answered[key], (
                    f"round {key}: {answered[key]} answered, {paid[key]} were paid"
                )

    def _orders(self, memory: Memory) -> None:
        """What an owner ordered follows from what they ordered before, and the group is as the last left it."""
        paused, version = dict[str, bool](), Counter[str]()
        for chat, body in self.rows("SELECT chat, body FROM outbox ORDER BY id"):
            said = json.loads(body)
            if change := _PAUSES.get(said.get("key", "")):
                assert change[0] == paused.get(chat, False), f"{chat} was told {said['key']}"
                paused[chat] = change[1]
            elif said.get("key") == "entry.rules_set":
                version[chat] += 1
                assert said["values"]["version"] == version[chat]
        accepted = Counter(one.chat for one in memory.said.values() if one.text.startswith("群规 "))
        assert accepted <= version, f"rules were not kept: {accepted - version}"
        heard = set(self.rows("SELECT chat, text FROM sandbox_messages WHERE text LIKE '群规 %'"))
        for chat, now, number, rules in self.rows("SELECT chat, paused, rules_version, rules FROM groups"):
            assert (bool(now), number) == (paused.get(chat, False), version[chat])
            assert not number or (chat, f"群规 {rules}") in heard

    def _hooks(self) -> None:
        """A hook that went out was said once, and any other never."""
        told = self.rows(
            "SELECT h.id, h.state, COUNT(o.id) FROM hooks h LEFT JOIN outbox o ON o.about = 'hook:' || h.id"
            " GROUP BY h.id, h.state"
        )
        wrong = [row for row in told if row[2] != (row[1] == "posted")]
        assert not wrong, wrong

    def _said(self, *states: str) -> Counter[tuple[str, str]]:
        return Counter(
            (chat, _text(json.loads(body)))
            for chat, state, body in self.rows("SELECT chat, state, body FROM outbox WHERE chat LIKE 'g%'")
            if state in states
        )

    # Inside. -----------------------------------------------------------------------------------------

    def _waiting(self) -> list[tuple[Any, ...]]:
        return self.rows("SELECT id, chat, state FROM outbox WHERE state IN ('planned', 'sending')")

    def _marked(self) -> set[str]:
        """All that was ever seen to be handled: marks are not kept for ever."""
        self._handled |= {message for (message,) in self.rows("SELECT message FROM marks")}
        return self._handled

    def _asks(self) -> set[str]:
        return {chat for (chat,) in self.rows("SELECT chat FROM groups WHERE password <> ''")}


def _text(body: dict[str, Any]) -> str:
    """A row's message as the sandbox writes it."""
    text = fill(body["text"], body["values"])
    return f"@{body['to'][1]} {text}" if "to" in body else text


def _day(now: str) -> int:
    return datetime.fromisoformat(now).astimezone(SHANGHAI).date().toordinal()
