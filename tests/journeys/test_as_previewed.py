"""What the preview says of the next days is what the run does, slot by slot, with the reasons."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.clock import as_moment
from bot.config import Settings
from bot.console.preview import reading
from storage.database import look
from tests.harness import World, library

FILES: dict[str, str | bytes] = {
    "calendars/week.yaml": """\
title: 一周
audience: {tags: [试], except: {groups: [别的群]}}
quiet: "22:00-02:00"
posts_a_day: 7
slots:
  - {id: call, at: "08:00", do: call}
  - {id: gap, at: "02:30", post: 夜里}
  - {id: early, at: "06:30", on: mon-fri, post: 早起}
  - {id: turns, at: "20:00", rotate: [quick, gift, call], warm_up: [-1d 18:00, -30m]}
  - {id: both, at: "20:00", on: [tue, sat], post: 一起, priority: 3}
  - {id: late, at: "23:00", post: 晚安}
  - {id: new, at: "09:00", day: 3, post: "{names}，第三天好"}
  - {id: here, at: "12:00", post: 各处}
  - {id: not-here, at: "12:30", post: 不是这里}
  - {id: low, at: "07:00", on: daily, post: 可有可无, priority: -5}
overrides:
  - {slot: here, groups: [试验群], at: "12:15", post: 这里}
  - {slot: not-here, tags: [试], skip: true}
""",
    "calendars/work.yaml": """\
title: 工作日
audience: {groups: [试验群]}
days: workdays
slots:
  - {id: in, at: "08:30", on: daily, rotate: [p-one, p-two]}
  - {id: month, at: "17:00", monthly: [1, last], post: 月初月末}
  - {id: once, at: "17:30", once: 2030-04-01, post: 只这一次}
""",
    "texts/p.yaml": "p-one: 一\np-two: 二\n",
    "holidays.yaml": "holidays: {2030-03-29: 休整, 2030-11-05: 休整}\nworkdays: [2030-03-30]\n",
}
SAID = {"planned": {"sent", "late"}, "skipped": {"skipped"}}


def _told(world: World) -> list[dict[str, Any]]:
    made = look(world.place, reading.reader(world.settings, world.app.librarian.library, None, 8, "试验群"))
    (group,) = made.as_json()["groups"]
    return [slot for day in group["days"] for slot in day["slots"]]


@pytest.mark.parametrize(
    ("zone", "start"),
    [("Asia/Shanghai", "2030-03-28"), ("Europe/Berlin", "2030-03-28"), ("America/New_York", "2030-10-31")],
)
async def test_the_next_week_is_as_the_preview_says(tmp_path: Path, zone: str, start: str) -> None:
    """Over a clock change and what the owner skips and moves, in every slot, time, content and reason."""
    tz = ZoneInfo(zone)
    begin = datetime.fromisoformat(f"{start}T10:00").replace(tzinfo=tz)
    settings = Settings.model_validate({"timezone": zone})
    root = library(tmp_path / "lib", FILES)
    async with World(tmp_path / "data", settings, root, start=as_moment(begin.astimezone(UTC))) as world:
        group = await world.group()
        await group.join("新来的")
        await group.say("掌柜", "跳过 20:00 1")
        await group.say("掌柜", "改期 12:15 13:00")
        before = _told(world)
        end = (begin + timedelta(7)).astimezone(UTC)
        await world.to(end.isoformat())
        await group.lines()
        rows = world.sql("SELECT slot, local, due, what, state, reason FROM occurrences")
    went = {(slot, local): (due, what, state, why) for slot, local, due, what, state, why in rows}
    said = {
        (one["slot"], one["planned"]): (
            as_moment(datetime.fromisoformat(one["at"]).astimezone(UTC)),
            one["what"],
            one["state"],
            one["reason"],
        )
        for one in before
    }
    said = {key: one for key, one in said.items() if one[0] <= as_moment(end)}
    assert went.keys() == said.keys()
    for key, (due, what, state, why) in went.items():
        assert (due, what, why) == (said[key][0], said[key][1], said[key][3]), key
        assert state in SAID[said[key][2]], key
    assert {why for *_, why in went.values()} >= {
        "",
        "一天最多 7 条",
        "日历里写了这个群不办",
        "安静时间 22:00-02:00",
    }
    assert len({state for _, _, state, _ in went.values()}) > 1
