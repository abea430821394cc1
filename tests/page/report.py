"""Take the handbook's pictures of a week anew: `.venv/bin/python -m tests.page.report` (docs/images/report*.png)."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from playwright.sync_api import expect, sync_playwright

from bot import logs
from bot.app import kinds, routes
from bot.clock import as_moment
from bot.config import Settings
from bot.console.report.reading import week_name
from bot.rehearsal.cast import Cast, questions
from bot.rehearsal.casting import casting
from bot.rehearsal.stage import Plan, Stage
from bot.sop.library import load
from handlers.quiz_activity import GAMES
from handlers.report import monday_of
from storage.place import FILE
from tests.harness import SHIPPED
from tests.page import stage
from tests.page.screenshots import IMAGES

TITLES = {"理财": "街坊理财群 新区理财群", "福利": "好走福利群 老街福利群", "学习": "早起学习群 晚读学习群"}
GROUPS = 5
ZONE = ZoneInfo(Settings().timezone)
MEMBERS = 200


def main() -> None:
    """Five groups of 200 play last week; then the first of them is drawn, and looked at on the page."""
    monday = monday_of(datetime.now(ZONE).date()) - timedelta(days=7)
    week = week_name(monday)
    logs.configure("console", "error")
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made) / "data"
        folder.mkdir()
        play(folder, monday)
        with stage.bot(folder) as bot, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=stage.browser(), args=list(stage.QUIET))
            page = browser.new_page(viewport={"width": 1200, "height": 900}, locale="zh-CN")
            page.set_default_timeout(60_000)
            page.goto(f"{bot.url}/report?week={week}")
            page.get_by_role("link", name="街坊理财群").click()
            expect(page.get_by_text("前十")).to_be_visible(timeout=60_000)
            page.screenshot(path=IMAGES / "report-page.png", full_page=True)
            with page.expect_download() as drawn:
                page.get_by_text("下载图片").click()
            shutil.copy(drawn.value.path(), IMAGES / "report.png")
            browser.close()


def play(folder: Path, monday: date) -> None:
    """Rehearse the week on a database in this folder, with groups that are called as groups are."""
    library = load(SHIPPED, kinds(routes()))
    start = as_moment(datetime(monday.year, monday.month, monday.day, tzinfo=ZONE).astimezone(UTC))
    groups = casting(library, None, {"sandbox"}, GROUPS, MEMBERS, 7, 1)
    known = questions((GAMES[bank.game], bank.questions.values()) for bank in library.banks.values())
    Stage(
        Settings(), library, SHIPPED, Plan(start, 7, 1, crash=False), groups, Cast(groups, start, 1, known)
    ).run(folder)
    with closing(sqlite3.connect(folder / FILE)) as db, db:
        titles = {tag: iter(names.split()) for tag, names in TITLES.items()}
        for number, group in enumerate(groups, 1):
            title = next(titles[group.tags[0]])
            db.execute("UPDATE groups SET title = ?, account = 'sandbox' WHERE id = ?", (title, number))


if __name__ == "__main__":
    main()
