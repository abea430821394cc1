"""Hooks of activities, from the start of one to its end. When its post goes is decided in handlers/hook.py."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bot.dispatch.turn import Turn

TIMER = "hook"
VOID = "活动没发出去"


def begin(turn: Turn, activity: Any) -> None:  # noqa: ANN401 - an activity, of which we know its hook alone
    """Keep the hook of an activity that was started as it is now, and look at it from now on."""
    running = activity.running_hook(turn.library.posts)
    if running is None:
        return
    definition = running.model_dump_json(exclude_unset=True)
    number = turn.store.hooks.add(
        turn.group.id, turn.run, definition, turn.now, occurrence=turn.occurrence_id
    )
    turn.timer(TIMER, number, turn.now)


def ended(turn: Turn, run: str, state: str) -> None:
    """An activity is over. Of one that nobody ever saw, nothing more is said."""
    hook = turn.store.hooks.waiting(turn.group.id, run)
    if hook is None:
        return
    if state == "void":
        drop(turn, hook.id, VOID)
        return
    turn.store.hooks.ended(hook.id, turn.now)
    turn.timer(TIMER, hook.id, turn.now)


def drop(turn: Turn, number: int, why: str) -> None:
    """A hook does not go out, for a reason."""
    turn.store.hooks.end(number, "dropped", turn.now, why)
    turn.cancel(TIMER, number)
    turn.remark("a hook was left out", hook=number, why=why)
