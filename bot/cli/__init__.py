"""The command line. A person's mistake is one sentence on stderr and exit 2, never a traceback."""

from __future__ import annotations

import sys

import typer

from bot import logs
from bot.cli import library, weeks, work
from bot.cli.db import db
from bot.cli.outbox import outbox

app = typer.Typer(
    help="小二：群里的店小二。", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
)
app.command()(work.run)
app.command()(library.check)
app.command("import")(library.bring)
app.command()(library.schema)
app.command()(work.status)
app.command()(weeks.report)
app.command()(weeks.preview)
app.command()(weeks.rehearse)
app.add_typer(db, name="db")
app.add_typer(outbox, name="outbox")


def main() -> None:
    """The entry of the `xiaoer` command."""
    logs.configure()
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)
