"""How an account stands: its state for the operator, and a line in the log where that changes."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import structlog

from bot.adapters.wechaty.reading import text_of
from bot.ports import Clock, State

SCAN = 22
LOGIN = 25
LOGOUT = 26

# Of a scan's states: the code was scanned, or the phone has confirmed it. Nothing is left to do.
_BEING_SCANNED = {3, 4}
# It shows a code as a picture. What stands in a code is a link that only the phone understands.
_SHOWS_CODES = "https://wechaty.js.org/qrcode/"

log = structlog.get_logger()


class Standing:
    """Hears each event of a gateway, and of its going. `me` is who was last logged in."""

    def __init__(self, account: str, endpoint: str, clock: Clock) -> None:
        self.state = State.GONE
        self.since = clock.now()
        self.note = ""
        self.me = ""
        self.attached = False
        self._clock = clock
        self._log = log.bind(account=account, endpoint=endpoint)
        self._gone_was_told = self._scan_was_told = False

    def begins(self) -> None:
        """The adapter starts."""
        self.attached = self._gone_was_told = self._scan_was_told = False
        self._to(State.CONNECTING)

    def ends(self) -> None:
        """The adapter stops."""
        self.attached = False
        self._to(State.GONE, "小二停了")

    def hears(self, kind: int, payload: dict[str, Any]) -> None:
        """Any event says that the gateway is there, and some who is logged in."""
        if not self.attached:
            self.attached = True
            self._gone_was_told = False
            self._to(State.CONNECTING)
            self._log.info("wechaty_gateway_reached")
        if kind == LOGIN and (contact := text_of(payload, "contactId")):
            self._login(contact)
        elif kind == LOGOUT and self.state is not State.LOGGED_OUT:
            why = text_of(payload, "data")
            self._to(State.LOGGED_OUT, why)
            self._log.warning("wechaty_logged_out", reason=why)
        elif kind == SCAN and payload.get("status") not in _BEING_SCANNED:
            self._scan(text_of(payload, "qrcode"))

    def lost(self, reason: str) -> None:
        """The gateway is gone, or was not there. It is told once until it was back."""
        self.attached = False
        self._to(State.GONE, reason)
        if not self._gone_was_told:
            self._gone_was_told = True
            self._log.warning("wechaty_gateway_gone", reason=reason)

    def _login(self, contact: str) -> None:
        # A gateway that is back tells again who is logged in: that is no news.
        news = contact != self.me or self.state in {State.SCAN, State.LOGGED_OUT}
        self._scan_was_told = False
        self.me = contact
        self._to(State.ONLINE)
        if news:
            self._log.info("wechaty_logged_in", contact=contact)

    def _scan(self, code: str) -> None:
        """Codes are renewed every minute or so; the note has the newest."""
        if not code:
            return
        link = _SHOWS_CODES + quote(code, safe="")
        self._to(State.SCAN, link)
        if not self._scan_was_told:
            self._scan_was_told = True
            self._log.warning("wechaty_scan", please="用手机微信扫这个链接里的码，登录这个账号", link=link)

    def _to(self, state: State, note: str = "") -> None:
        if state is not self.state:
            self.state, self.since = state, self._clock.now()
        self.note = note
