"""The page of the library in a real browser: what an operator sees of an edit."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from playwright.async_api import async_playwright, expect

from tests.harness import SHIPPED
from tests.page import stage

FOUND = stage.browser()
pytestmark = pytest.mark.skipif(FOUND is None, reason="要有浏览器：apt install chromium（Debian 的包名）")


async def test_an_edit_and_a_fault_are_on_the_page_as_soon_as_they_are_saved(tmp_path: Path) -> None:
    """What changed and from when, the fault with its place and what runs instead; markup is text."""
    root = shutil.copytree(SHIPPED, tmp_path / "lib")
    config = tmp_path / "config.yaml"
    config.write_text(f"library: {root}\n")
    with stage.bot(tmp_path / "data", "--config", str(config)) as bot:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=FOUND, args=list(stage.QUIET))
            page = await browser.new_page()
            await page.goto(f"{bot.url}/library")
            body = page.locator(".library")
            await expect(body).to_contain_text("开工以后还没有改过。")
            quiz = root / "activities/money-quiz.yaml"
            quiz.write_text(quiz.read_text().replace("title: ", "title: <b>新</b>", 1))
            await expect(body).to_contain_text("改了 活动 money-quiz", timeout=10_000)
            quiz.write_text(quiz.read_text().replace("kind: quiz", "kind: quizz"))
            await expect(body).to_contain_text(
                '不认识的活动种类 "quizz"，是不是 "quiz"？（用着上一个好的版本）'
            )
            await expect(page.locator("b")).to_have_count(0)
            await browser.close()
        assert len([line for line in bot.troubles() if "the last good version is kept" in line]) == 2
