"""xiaoer outbox: what was not sent, and what may or may not have been."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from bot.cli.common import Config, Data, Json, agreed, explained, settings_of

outbox = typer.Typer(help="发件箱：没发出去的，和不知道发出去没有的。", no_args_is_help=True)

Number = Annotated[str, typer.Argument(help="消息的编号，xiaoer outbox list 里有")]


class State(StrEnum):
    """What a message that was not sent may be."""

    PLANNED = "planned"
    SENDING = "sending"
    FAILED = "failed"
    STALE = "stale"
    UNKNOWN = "unknown"


@outbox.command("list")
def list_outbox(
    data: Data = None,
    config_file: Config = None,
    *,
    state: Annotated[State | None, typer.Option("--state", help="只看这一种；不写，看不知道的")] = None,
    as_json: Json = False,
) -> None:
    """列出不知道发出去没有的消息，或者别的没发出去的。小二开着工也能看。"""
    with explained():
        from bot.console.outbox import look, shown  # noqa: PLC0415 - with what needs it

        settings = settings_of(config_file, data)
        lines = look(agreed(settings, data), [state] if state else [], settings.timezone)
        if as_json:
            print(json.dumps([line.as_json() for line in lines], ensure_ascii=False, indent=1))
        else:
            for line in shown(lines):
                print(line)


@outbox.command("resend")
def resend(number: Number, data: Data = None, config_file: Config = None) -> None:
    """没到：再发一遍，十分钟以内。"""
    _tell("resend", number, data, config_file)
    print(f"消息 {number} 会再发一遍。")


@outbox.command("settle")
def settle(number: Number, data: Data = None, config_file: Config = None) -> None:
    """到了：记作已发。"""
    _tell("settle", number, data, config_file)
    print(f"消息 {number} 记作已发。")


def _tell(word: str, number: str, data: Path | None, config_file: Path | None) -> None:
    with explained():
        from bot.console.outbox import Word, tell  # noqa: PLC0415 - with what needs it

        settings = settings_of(config_file, data)
        agreed(settings, data)
        tell(data or Path(settings.data), settings, Word(word), number)
