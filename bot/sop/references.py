"""Whether what files say of one another is so: slots of activities and posts, activities of banks."""

from __future__ import annotations

from bot.errors import Fault
from bot.sop.reading import Document, Loc
from bot.sop.schema import Activity, Bank, Calendar, Picks, Post, Slot, is_post_id
from bot.sop.shelf import Shelf


def check_activity(activity: Activity, document: Document, banks: Shelf[Bank]) -> list[Fault]:
    """Check that an activity's banks are there, are of its game, and hold enough questions."""
    questions = getattr(activity, "questions", None)
    if not isinstance(questions, Picks):
        return []
    game = getattr(activity, "game", "")
    faults: list[Fault] = []
    enough = 0
    for number, name in enumerate(questions.banks()):
        loc: Loc = ("questions", "from", number)
        if missing := banks.missing(name):
            faults.append(document.fault(loc, missing))
        elif (bank := banks.good[name]).game != game:
            message = f'题库 "{name}" 是 {bank.game} 的题，这个活动玩的是 {game}'
            faults.append(document.fault(loc, message))
        else:
            enough += len(bank.questions)
    if not faults and questions.pick > enough:
        message = f"要抽 {questions.pick} 题，题库里只有 {enough} 题"
        faults.append(document.fault(("questions", "pick"), message))
    return faults


def check_calendar(
    calendar: Calendar, document: Document, activities: Shelf[Activity], posts: Shelf[Post]
) -> tuple[Calendar | None, list[Fault]]:
    """Return the calendar without the slots that refer to nothing; None when two slots are one."""
    faults = _twins(calendar, document)
    if faults:
        return None, faults
    kept: list[Slot] = []
    for number, slot in enumerate(calendar.slots):
        missing, key = "", "do"
        if slot.do is not None:
            missing = activities.missing(slot.do)
        elif slot.post is not None and is_post_id(slot.post):
            missing, key = posts.missing(slot.post), "post"
        if missing:
            faults.append(document.fault(("slots", number, key), missing))
        else:
            kept.append(slot)
    return calendar.model_copy(update={"slots": tuple(kept)}), faults


def _twins(calendar: Calendar, document: Document) -> list[Fault]:
    faults: list[Fault] = []
    seen: dict[str, int] = {}
    for number, slot in enumerate(calendar.slots):
        first = seen.setdefault(slot.identity, number)
        if first == number:
            continue
        if slot.id:
            message = f'id "{slot.id}" 和第 {first + 1} 条的一样，请换一个'
            faults.append(document.fault(("slots", number, "id"), message))
        else:
            message = f"和第 {first + 1} 条一模一样，请删掉一条"
            faults.append(document.fault(("slots", number), message))
    return faults
