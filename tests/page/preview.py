"""Take the handbook's pictures of /preview and /library anew: `.venv/bin/python -m tests.page.preview`."""

from __future__ import annotations

import shutil
import tempfile
from datetime import datetime, timedelta
from pathlib import Path

import httpx
from playwright.sync_api import Page, expect, sync_playwright

from tests.harness import SHIPPED
from tests.page import stage
from tests.page.screenshots import IMAGES

WORDS = ("改期 20:00 20:30", "跳过 17:30")


def main() -> None:
    """A shop's group in the week before a holiday, whose owner has moved and left out something."""
    with tempfile.TemporaryDirectory() as folder:
        root = shutil.copytree(SHIPPED, Path(folder) / "sop_library")

        with (
            stage.bot(Path(folder) / "data", home=Path(folder), PYTHONPATH=str(stage.ROOT)) as bot,
            sync_playwright() as playwright,
        ):
            browser = playwright.chromium.launch(executable_path=stage.browser(), args=list(stage.QUIET))
            page = browser.new_page(viewport={"width": 1200, "height": 530}, locale="zh-CN")
            plan(bot)
            page.goto(f"{bot.url}/preview?group=2")
            expect(page.locator(".today .slot", has_text="原定 20:00")).to_be_visible(timeout=30_000)
            page.screenshot(path=IMAGES / "preview.png")
            page.goto(f"{bot.url}/library")
            edit(root, page)
            page.screenshot(path=IMAGES / "library.png", full_page=True)
            browser.close()


def plan(bot: stage.Bot) -> None:
    with httpx.Client(base_url=f"{bot.url}/api/sandbox", timeout=120) as http:
        new = {"title": "好走福利群", "owner": "老板娘", "members": ["大刘"], "tags": ["福利"]}
        group = http.post("/groups", json=new).json()["id"]
        today = datetime.fromisoformat(http.get("/clock").json()["now"])
        wednesday = today + timedelta(days=(1 - today.weekday()) % 7 + 1)
        http.post("/clock", json={"to": f"{wednesday:%Y-%m-%d}T13:00"}).raise_for_status()
        for words in WORDS:
            said = {"from": "老板娘", "text": words}
            http.post(f"/groups/{group}/messages", json=said).raise_for_status()


def edit(root: Path, page: Page) -> None:
    """A post that is changed, then an activity that is broken."""
    body = page.locator(".library")
    texts = root / "texts/shop-week.yaml"
    texts.write_text("！".join(texts.read_text().rsplit("。", 1)))
    expect(body).to_contain_text("改了", timeout=30_000)
    quiz = root / "activities/shoe-quiz.yaml"
    quiz.write_text(quiz.read_text().replace("kind: quiz", "kind: quizz"))
    expect(body).to_contain_text("用着上一个好的版本", timeout=30_000)


if __name__ == "__main__":
    main()
