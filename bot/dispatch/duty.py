"""Several accounts in one group: one of them is on duty there, and what the others see is dropped.

Groups are told apart by the platform's id of the chat, which is the same for every account in it.
A group's points and calendar hang on one account: on the one that had its 开张 first, or else on
the first in config.yaml of those that are in the group. It keeps the group while it is offline,
since another has none of its points; and loses it when it is put out.
"""

from __future__ import annotations

from collections.abc import Mapping

from bot.dispatch.lanes import Key, Lane
from bot.model import Event, Invited, Message, Roster
from bot.ports import Adapter, State

_NEVER = 2**63


class Duty:
    """`adapters` in the order of config.yaml; `lanes` as the dispatcher keeps them."""

    def __init__(self, adapters: Mapping[str, Adapter], lanes: Mapping[Key, Lane]) -> None:
        self._adapters = adapters
        self._lanes = lanes

    def hears(self, event: Event) -> bool:
        """Whether an event is for the account that brings it. A roster says nothing, so all are kept."""
        if isinstance(event, Roster | Invited) or (isinstance(event, Message) and event.private):
            return True
        return self.of(event.account, event.chat, there=True) == event.account

    def of(self, account: str, chat: str, *, there: bool = False) -> str:
        """Who is on duty in a chat of an account's, which is `there` for sure if it brought an event."""
        holding = [name for name in self._adapters if (there and name == account) or self._holds(name, chat)]
        return min(holding, key=lambda name: self._opened(name, chat), default=account)

    def _holds(self, account: str, chat: str) -> bool:
        """Whether an account is in a chat; while it cannot be asked, whether it had its 开张 there."""
        adapter = self._adapters[account]
        if adapter.state is State.ONLINE:
            return adapter.sees(chat)
        return self._opened(account, chat) < _NEVER

    def _opened(self, account: str, chat: str) -> int:
        lane = self._lanes.get((account, chat))
        return (lane.group.opened_at if lane else 0) or _NEVER
