"""入群. Newcomers: the group's password, as it is. Anybody: 群规. Owners: 暗号, 取消暗号, 群规 with words.

Events: somebody joins or leaves, who is in a group, an invitation. Timers: entry.remind. Slots: none.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence

from bot.dispatch.router import Router
from bot.dispatch.text import LONGEST, display, plain
from bot.dispatch.turn import PrivateTurn, Turn
from bot.errors import Refused
from bot.model import Accept, Invited, Joined, Left, Member, Message, Reply, Role, Roster, Timer

router = Router(
    "entry",
    {
        "entry.welcome": "欢迎 {names}。{rules}回复「帮助」看我会做什么。",
        "entry.ask": "欢迎 {names}。{rules}请回复入群暗号，就能签到、答题和抢红包。",
        "entry.rules": "群规：\n{rules}",
        "entry.remind": "还差一步：回复入群暗号，就能签到、答题和抢红包。不知道暗号，请问群主。",
        "entry.admitted": "暗号正确，欢迎入席。回复「签到」开始吧。",
        "entry.admitted.many": "{names}暗号正确，欢迎入席。回复「签到」开始吧。",
        "entry.password_set": "暗号设好了，以后进群的人要先说出来。现在在群里的都算自己人。",
        "entry.password_changed": "暗号换好了，还没说过暗号的人要说新的。",
        "entry.password_kept": "暗号还是这个，没有变。",
        "entry.password_gone": "暗号取消了，群里的都算自己人。",
        "entry.no_password": "现在没有暗号。要设一个，请说：暗号 芝麻开门",
        "entry.has_password": "现在有暗号。要换一个，请说：暗号 新暗号；不要了，请说：取消暗号",
        "entry.bad_password": "暗号要 1 到 {most} 个字，而且不能是我的口令。",
        "entry.rules_set": "群规记下了，这是第 {version} 版。",
        "entry.rules_long": "群规最多 {most} 个字，现在有 {length} 个。",
        "entry.no_rules": "这个群还没有群规。",
    },
)
TOPIC = "password"
RULES = 1000


@router.on(Joined)
def joined(event: Joined, turn: Turn) -> Sequence[Reply]:
    """Take people in. With a password they are newcomers until they say it; before 开张, just noted."""
    fresh = [
        turn.enter(
            person.id,
            display(person.name),
            Role.NEWCOMER if _must_say(turn, person.id) else Role.MEMBER,
        )
        for person in event.people
        if turn.find(person.id) is None
    ]
    greeted = [member for member in fresh if member.role < Role.OWNER]
    if not greeted or not turn.group.opened_at:
        return []
    waiting = [member for member in greeted if member.role == Role.NEWCOMER]
    for member in waiting:
        turn.timer("entry.remind", member.id, turn.now + turn.settings.entry.remind_after)
    rules = turn.words("entry.rules", {"rules": turn.group.rules}) + "\n" if turn.group.rules else ""
    names = "、".join(f"@{member.name}" for member in greeted)
    return [Reply("entry.ask" if waiting else "entry.welcome", {"names": names, "rules": rules})]


@router.on(Left)
def left(event: Left, turn: Turn) -> None:
    for person in event.people:
        member = turn.find(person.id)
        if member is not None:
            turn.leave(member)
            turn.cancel("entry.remind", member.id)


@router.on(Roster)
def roster(event: Roster, turn: Turn) -> None:
    """Bring title, owner and members in line with the platform, without a word.

    In a group with a password somebody new is left for their first message, which counts as a join.
    Nobody is put out for missing here: platforms send lists with holes.
    """
    group = turn.group
    if (event.title, event.owner or group.owner) != (group.title, group.owner):
        turn.set_group(title=event.title, owner=event.owner or group.owner)
    for person in event.members:
        known = turn.find(person.id)
        if known is None and not _must_say(turn, person.id):
            turn.enter(person.id, display(person.name), Role.MEMBER)
        elif known is not None and known.role == Role.NEWCOMER and person.id == turn.group.owner:
            _admit(turn, known, "")
    # Who owned the group until now may be missing in the list.
    for member in turn.members:
        if (member.role == Role.OWNER) != (member.person == turn.group.owner):
            turn.know_role(member)


@router.on(Invited)
def invited(event: Invited, _turn: PrivateTurn) -> Accept:
    """小二 goes wherever it is asked; it stays silent there until its owner says 开张."""
    return Accept(event.id)


@router.listener(TOPIC, operator.eq, only=Role.NEWCOMER)
def password(_message: Message, turn: Turn) -> Reply | None:
    """A newcomer says the password. Who turns out to own the group at their first word needs none."""
    if turn.member.role != Role.NEWCOMER:
        return None
    _admit(turn, turn.member, turn.group.password)
    return Reply("entry.admitted", to=turn.person)


@router.command("暗号", role=Role.NEWCOMER, rest=True)
def set_password(message: Message, turn: Turn) -> Reply | None:
    """`暗号 芝麻开门` by the owner sets it; a newcomer who puts the word before it is let in."""
    wanted = plain(turn.rest) if len(turn.rest) <= LONGEST else ""
    if turn.member.role == Role.NEWCOMER:
        if wanted == turn.group.password:
            return password(message, turn)
        raise Refused("gate.newcomer")
    if turn.member.role < Role.OWNER:
        raise Refused("gate.owner_only")
    if not turn.rest:
        return Reply("entry.has_password" if turn.group.password else "entry.no_password", to=turn.person)
    if not wanted or turn.is_command(wanted):
        raise Refused("entry.bad_password", most=LONGEST)
    before = turn.group.password
    if wanted == before:
        return Reply("entry.password_kept", to=turn.person)
    turn.set_group(password=wanted)
    turn.listen(TOPIC, wanted)
    return Reply("entry.password_changed" if before else "entry.password_set", to=turn.person)


@router.command("取消暗号", role=Role.OWNER)
def drop_password(_message: Message, turn: Turn) -> Reply:
    if not turn.group.password:
        raise Refused("entry.no_password")
    turn.set_group(password="")
    turn.unlisten(TOPIC)
    for member in turn.members:
        if member.role == Role.NEWCOMER:
            _admit(turn, member, "")
    return Reply("entry.password_gone", to=turn.person)


@router.command("群规", role=Role.NEWCOMER, rest=True)
def rules(_message: Message, turn: Turn) -> Reply:
    """With words, the owner sets them; without, anybody reads them."""
    if not turn.rest:
        if not turn.group.rules:
            return Reply("entry.no_rules", to=turn.person)
        return Reply("entry.rules", {"rules": turn.group.rules}, to=turn.person)
    if turn.member.role < Role.OWNER:
        raise Refused("gate.owner_only")
    if len(turn.rest) > RULES:
        raise Refused("entry.rules_long", most=RULES, length=len(turn.rest))
    version = turn.group.rules_version + 1
    turn.set_group(rules=turn.rest, rules_version=version)
    return Reply("entry.rules_set", {"version": version}, to=turn.person)


@router.timer("entry.remind")
def remind(timer: Timer, turn: Turn) -> Reply | None:
    """Once, and only who is still here and still outside."""
    for member in turn.members:
        if member.id == timer.subject and member.role == Role.NEWCOMER:
            return Reply("entry.remind", to=turn.named(member))
    return None


def _must_say(turn: Turn, person: str) -> bool:
    """Whether somebody new has to say the password first; the group's owner never has to."""
    return bool(turn.group.password) and person != turn.group.owner


def _admit(turn: Turn, member: Member, word: str) -> None:
    turn.store.groups.admit(member.id, turn.now, word, turn.group.rules_version)
    turn.know_role(member, admitted=True)
    turn.cancel("entry.remind", member.id)
