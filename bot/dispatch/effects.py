"""From what a handler returns to rows of the outbox."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from bot.dispatch.lanes import Key
from bot.model import MINUTE, Accept, Announce, Effect, Result, effects_of

if TYPE_CHECKING:
    from bot.sop.library import Library
    from storage.outbox import Row
    from storage.store import Store

REPLY_WITHIN = 10 * MINUTE


def keep(
    library: Library, store: Store, chat: Key, result: Result, now: int, *, post: bool = False
) -> list[Row]:
    """Write what is to be said and done, in order. A reply is stale after 10 minutes, unless it says.

    A `post` is wanted by a timer or a slot, and can wait for those who are answered.
    """
    return [_keep(library, store, chat, effect, now, post) for effect in effects_of(result)]


def _keep(library: Library, store: Store, chat: Key, effect: Effect, now: int, post: bool) -> Row:
    if isinstance(effect, Accept):
        return store.outbox.add(*chat, "accept", {"invitation": effect.invitation}, now)
    if isinstance(effect, Announce):
        announced = {"text": effect.text, **({"post": True} if post else {})}
        return store.outbox.add(*chat, "announce", announced, now, send_before=now + REPLY_WITHIN)
    if effect.private and effect.to is not None:
        # A private chat is named by who is in it, and nobody is called by name there.
        chat, effect = (chat[0], effect.to.id), effect._replace(to=None)
    body: dict[str, Any] = {
        "text": effect.text if effect.verbatim else library.text(effect.text),
        "values": dict(effect.values),
    }
    if effect.to is not None:
        body["to"] = [effect.to.id, effect.to.name]
        if not effect.verbatim:
            body["key"] = effect.text
    if post:
        body["post"] = True
    beside = {
        "picture": effect.picture or effect.drawn,
        "drawn": bool(effect.drawn),
        "file": effect.file,
        "private": effect.private,
        "step": effect.step,
    }
    body |= {name: given for name, given in beside.items() if given}
    if effect.card is not None:
        body["card"] = asdict(effect.card)
    return store.outbox.add(
        *chat,
        "say",
        body,
        now,
        send_before=effect.send_before or now + REPLY_WITHIN,
        occurrence=effect.occurrence,
        about=effect.about,
    )
