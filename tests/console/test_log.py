"""The log: one line for each event that was handled where it is wanted, and none for talk."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import structlog
from structlog.testing import capture_logs

from bot import logs
from bot.dispatch.turn import Turn
from bot.model import Message, Reply
from tests.harness import World, library


def quick(lines: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What was logged, except that this machine is slow, and that nobody arranged the days off of 2030 yet."""
    return [dict(line) for line in lines if line["event"] not in {"slow turn", "days off are not known"}]


@pytest.fixture
def _debug() -> Iterator[None]:
    """The log as `level: debug` has it."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG))
    yield
    structlog.configure(**before)


@pytest.mark.usefixtures("_debug")
async def test_a_handled_event_is_one_line_with_group_member_kind_and_milliseconds(tmp_path: Path) -> None:
    """For a message who handled it; for a timer which; talk and duplicates have none."""
    slots = ['id: a, at: "08:00", post: 早']
    async with World(tmp_path / "data", library=library(tmp_path / "sop", slots=slots)) as world:
        group = await world.group()
        (group_id,) = world.sql("SELECT id FROM groups WHERE chat = ?", group.id)[0]
        (member,) = world.sql("SELECT id FROM members WHERE name = '小美' AND group_id = ?", group_id)[0]
        with capture_logs() as lines:
            await group.say("小美", "今天天气不错")
            assert quick(lines) == []
            await group.say("小美", "签到", id="same")
            await group.post("小美", "签到", id="same")
        (line,) = quick(lines)
        assert line.pop("ms") >= 0
        assert line == {
            "event": "handled",
            "log_level": "debug",
            "kind": "message",
            "group": group_id,
            "member": member,
            "handler": "sign_in",
        }
        with capture_logs() as lines:
            newcomer = await world.http.post(
                f"/api/sandbox/groups/{group.id}/members", json={"name": "新来的"}
            )
            await world.settle()
        (line,) = quick(lines)
        assert (line["kind"], line["member"]) == ("joined", [newcomer.json()["id"]])
        with capture_logs() as lines:
            await world.advance("1h")
        rang = [line for line in quick(lines) if line["kind"] == "timer"]
        assert [(line["timer"], line["group"], line["ms"] >= 0) for line in rang] == [
            ("slot", group_id, True)
        ]
        assert "occurrence" in {line["kind"] for line in lines}


async def test_by_default_what_went_well_is_not_logged(tmp_path: Path) -> None:
    """Twenty sign-ins are not twenty lines."""
    with capture_logs() as lines:
        async with World(tmp_path) as world:
            group = await world.first()
            await group.say("小美", "签到")
            await group.say("小美", "早")
    assert quick(lines) == []


async def test_what_failed_is_told_with_whom_it_was_about(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once, with group, member, kind and handler."""

    def broken(_message: Message, _turn: Turn) -> Reply:
        raise RuntimeError

    async with World(tmp_path) as world:
        commands, group = world.app.dispatcher._routes.commands, await world.first()
        monkeypatch.setitem(commands, "积分榜", type(commands["积分榜"])("points", broken))
        with capture_logs() as lines:
            await group.say("小美", "积分榜")
        (line,) = quick(lines)
        told = [line[key] for key in ("event", "kind", "group", "member", "handler")]
        assert told == ["a handler failed", "message", 1, 3, "points"]
        assert line["exc_info"]


@pytest.fixture
def _as_it_was() -> Iterator[None]:
    """The log is put back after the test."""
    before, root = structlog.get_config(), logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.configure(**before)
    root.handlers[:] = handlers
    root.setLevel(level)


def fail() -> None:
    raise ValueError("坏\n了")


@pytest.mark.usefixtures("_as_it_was")
def test_for_machines_every_line_is_one_json_object(capsys: pytest.CaptureFixture[str]) -> None:
    """Ours, those of libraries, and tracebacks, which stay in their line; Chinese stays readable."""
    logs.configure("json", "info")
    log = structlog.get_logger()
    log.debug("not wanted")
    log.info("a group", title="理财群", member=3)
    try:
        fail()
    except ValueError:
        log.exception("a handler failed", group=1)
        logging.getLogger("uvicorn.error").exception("from a library")
    logging.getLogger("uvicorn.error").info("not wanted")
    written = capsys.readouterr().err
    lines = [json.loads(line) for line in written.splitlines()]
    assert [(line["event"], line["level"]) for line in lines] == [
        ("a group", "info"),
        ("a handler failed", "error"),
        ("from a library", "error"),
    ]
    assert lines[0]["title"] == "理财群"
    assert "理财群" in written
    assert all(line["timestamp"].endswith("Z") for line in lines)
    assert all("ValueError: 坏\n了" in line["exception"] for line in lines[1:])


@pytest.mark.usefixtures("_as_it_was")
def test_for_people_a_line_is_text(capsys: pytest.CaptureFixture[str]) -> None:
    """Also that of a library; `debug` shows what `info` leaves out."""
    logs.configure("text", "debug")
    structlog.get_logger().debug("handled", group=1)
    logging.getLogger("uvicorn.error").warning("from a library")
    ours, theirs = capsys.readouterr().err.splitlines()
    assert ("handled" in ours, "group=1" in ours, "{" in ours) == (True, True, False)
    assert ("warning" in theirs, "from a library" in theirs) == (True, True)
