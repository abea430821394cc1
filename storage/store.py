"""All repositories over one connection: what a turn reads and writes through."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager

from bot.model import Spoken
from storage.census import Census
from storage.db import Db
from storage.groups import Groups
from storage.hooks import Hooks
from storage.ledger import Ledger
from storage.marks import Marks
from storage.moves import Moves
from storage.notices import Notices
from storage.occurrences import Occurrences
from storage.outbox import Outbox
from storage.posts import Posts
from storage.quizzes import Quizzes
from storage.reckoning import Reckoning
from storage.red_packets import RedPackets
from storage.reports import Reports
from storage.sandbox import SandboxWorld
from storage.settling import Settling
from storage.sign_ins import SignIns
from storage.some import Some
from storage.timers import Listening, Timers
from storage.written import Written


class Store:
    def __init__(self, db: Db) -> None:
        self.census = Census(db)
        self.groups = Groups(db)
        self.hooks = Hooks(db)
        self.ledger = Ledger(db)
        self.listening = Listening(db)
        self.marks = Marks(db)
        self.moves = Moves(db)
        self.notices = Notices(db)
        self.occurrences = Occurrences(db)
        self.outbox = Outbox(db)
        self.posts = Posts(db)
        self.quizzes = Quizzes(db)
        self.reckoning = Reckoning(db)
        self.red_packets = RedPackets(db)
        self.reports = Reports(db)
        self.sandbox = SandboxWorld(db)
        self.settling = Settling(db)
        self.sign_ins = SignIns(db)
        self.some = Some(db)
        self.timers = Timers(db)
        self.written = Written(db)
        self._db = db

    def read_ahead(self, spoken: Sequence[Spoken]) -> None:
        """Ask at once for what the handling of these messages will ask for one by one."""
        members = {one.member: one.group for one in spoken}
        self.marks.read_ahead([(one.account, one.chat, one.message) for one in spoken])
        self.sign_ins.read_ahead(members)
        self.ledger.read_ahead(members)

    def savepoint(self) -> AbstractContextManager[None]:
        """All that is written inside is undone when it raises."""
        return self._db.savepoint()

    def refuses(self, error: BaseException) -> bool:
        """Whether an error says that the database takes nothing now."""
        return self._db.refuses(error)
