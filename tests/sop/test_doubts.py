"""What `xiaoer check` warns of, though it is written as it should be."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from bot.sop.doubts import doubtful
from tests.sop.fakes import library

TODAY = date(2026, 11, 25)
BANK = "calendars/bank.yaml"


def calendar(*slots: str, audience: str = "tags: [理财]", more: str = "") -> str:
    lines = "".join(f"  - {{{slot}}}\n" for slot in slots)
    return f"title: 甲\naudience: {{{audience}}}\n{more}slots:\n{lines}"


def told(tmp_path: Path, *calendars: str, today: date = TODAY, groups: tuple[str, ...] = ()) -> list[str]:
    files: dict[str, str | bytes] = {
        f"calendars/{name}.yaml": text for name, text in zip("xyz", calendars, strict=False)
    }
    loaded = library(tmp_path, {BANK: calendar('at: "03:00", do: morning', audience="tags: [别的]"), **files})
    assert loaded.faults == ()
    known = [((tag,), (f"{tag}群", "a/1")) for tag in groups]
    found = [str(one).partition("calendars/")[2] for one in doubtful(loaded, today, known)]
    return [one for one in found if not one.startswith("bank")]


def test_two_slots_at_one_moment_are_told_once(tmp_path: Path) -> None:
    """With the first day on which they meet, and who goes first; at other times or on other days they do not."""
    slots = [
        'id: a, at: "08:00", on: mon-fri, do: morning',
        'id: b, at: "08:00", on: sat, do: morning',
        'id: c, at: "08:00", festival: 春节, post: 新年好, priority: 1',
        'id: d, at: "08:30", post: 早',
    ]
    assert told(tmp_path, calendar(*slots)) == [
        'x.yaml:6:5: 2027-02-06 08:00 和时段 "b" 撞在同一时刻，先发的是时段 "c"；要错开就改 at，要换先后就写 priority'
    ]


def test_two_slots_that_take_the_same_turns_are_told(tmp_path: Path) -> None:
    """Each by itself has no thing twice in a row, but both together do; in another order they do not."""
    files: dict[str, str | bytes] = {"texts/t.yaml": "p-a: 一\np-b: 二\np-c: 三\n"}
    slot = 'id: {}, at: "08:00", on: {}, rotate: [{}]'
    one = slot.format("a", "tue", "p-a, p-b, p-c")
    for turns, twice in (("p-a, p-b, p-c", True), ("p-c, p-a, p-b", False)):
        files[BANK] = calendar(one, slot.format("b", "thu", turns))
        found = doubtful(library(tmp_path, files), TODAY)
        assert [fault.line for fault in found] == ([5] if twice else [])
        assert all(fault.message.startswith('和时段 "a" 轮的是同样几样，2026-') for fault in found)


def test_calendars_meet_where_a_group_can_have_both(tmp_path: Path) -> None:
    """By a tag or a name that both have, and neither excludes."""
    one = calendar('id: a, at: "08:00", do: morning', audience="tags: [一], groups: [甲群]")
    for audience, meets in [
        ("tags: [一, 二]", True),
        ("groups: [甲群]", True),
        ("tags: [二]", False),
        ("tags: [一], except: {tags: [一]}", False),
    ]:
        other = calendar('id: b, at: "08:00", on: sun, post: 早', audience=audience)
        found = [line for line in told(tmp_path, one, other) if "撞在" in line]
        assert len(found) == meets
        assert all(
            line.startswith('y.yaml:4:5: 2026-11-29 08:00 和日历 "x" 的时段 "a" 撞在同一时刻')
            for line in found
        )


def test_a_calendar_that_rests_does_not_meet_one_that_works(tmp_path: Path) -> None:
    """Days that a whole calendar leaves out do not count; private slots are no group's."""
    one = calendar('id: a, at: "08:00", do: morning', more="days: workdays\n")
    other = calendar('id: b, at: "08:00", post: 早', more="days: holidays\n")
    private = calendar('id: c, at: "08:00", day: 1, post: 早, to: private')
    assert not [line for line in told(tmp_path, one, other, private) if "同一时刻" in line]


def test_a_year_that_nobody_arranged_is_told_when_it_comes_near(tmp_path: Path) -> None:
    """By its number, once for each calendar that asks for it."""
    days = calendar(
        'id: a, at: "08:00", on: workdays, do: morning', 'id: b, at: "09:00", on: holidays, do: morning'
    )
    weekly = calendar('id: c, at: "10:00", do: morning')
    assert told(tmp_path, days, weekly, today=date(2025, 11, 1)) == []
    assert told(tmp_path, days, weekly, today=date(2091, 6, 1)) == [
        f"x.yaml:4:5: 还不知道 {year} 年的放假安排，按周一到周五算工作日；公布了可以写进 holidays.yaml"
        for year in (2091, 2092)
    ]


def test_a_day_that_is_over_is_told(tmp_path: Path) -> None:
    """The last of several counts, and today is not over."""
    book = calendar(
        'id: a, at: "08:00", once: [2026-11-24, 2026-11-23], do: morning',
        'id: b, at: "09:00", once: [2026-11-25, 2026-11-23], do: morning',
    )
    assert told(tmp_path, book) == ["x.yaml:4:5: 2026-11-24 已经过去了，这一条不会再发，可以删掉"]


def test_a_bank_that_does_not_last_is_told(tmp_path: Path) -> None:
    """By the days in which it runs out, over all calendars that a group can have; and not where it just lasts."""
    quiz = "title: 问\nkind: quiz\ngame: choice\nround: {open: 3m}\nquestions: {from: general, pick: 1"
    for within, tags, drawn in [
        ("7d", "理财", 0),
        ("14d", "理财", 3),
        ("14d", "别的", 0),
        ("15d", "别的", 3),
    ]:
        files: dict[str, str | bytes] = {
            "activities/one.yaml": f"{quiz}, not_again_within: {within}}}\n",
            "activities/two.yaml": f"{quiz}}}\n",
            "activities/other.yaml": f"{quiz}}}\n".replace("问", "另一个"),
            "calendars/x.yaml": calendar('id: a, at: "08:00", on: mon, do: one'),
            "calendars/y.yaml": calendar(
                'id: b, at: "09:00", on: tue, rotate: [two, morning]', audience=f"tags: [{tags}]"
            ),
            BANK: calendar('at: "03:00", do: morning', audience="tags: [没有]"),
        }
        loaded = library(tmp_path / f"{within}{tags}", files)
        assert loaded.faults == ()
        found = [one for one in doubtful(loaded, TODAY) if one.message.startswith("题库")]
        assert len(found) == bool(drawn)
        for one in found:
            assert one.line == 4
            assert one.message == (
                f'题库 general 一共 2 题，从 2026-11-30 起 {within[:-1]} 天里要抽 {drawn} 题，会重复；活动 "one" '
                "写了 not_again_within：多写几题，少抽几题，或者把它写短"
            )


def test_a_calendar_that_leaves_out_all_it_is_for_is_told(tmp_path: Path) -> None:
    """Whatever groups there are; one that leaves out some is not."""
    nobody = calendar('id: a, at: "08:00", do: morning', audience="tags: [甲], except: {tags: [乙, 甲]}")
    some = calendar('id: b, at: "09:00", do: morning', audience="tags: [甲, 乙], except: {tags: [乙]}")
    said = ["x.yaml:4:5: audience 里要的，except 又都去掉了，谁也收不到"]
    assert told(tmp_path, nobody, some) == told(tmp_path, nobody, some, groups=("甲",)) == said


def test_a_calendar_that_no_group_has_is_told(tmp_path: Path) -> None:
    """Where it is known which groups there are."""
    book = calendar('id: a, at: "08:00", do: morning', audience="tags: [甲], groups: [乙群]")
    assert told(tmp_path, book) == []
    assert told(tmp_path, book, groups=("甲",)) == told(tmp_path, book, groups=("乙", "丙")) == []
    assert told(tmp_path, book, groups=("丙",)) == [
        "x.yaml:4:5: 开张的群里没有一个是这本日历要的（甲、乙群），现在谁也收不到"
    ]
