"""The page of the week in a real browser: what an operator sees of a group's plan."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest
from playwright.async_api import async_playwright, expect

from handlers.report import in_words
from tests.page import stage

FOUND = stage.browser()
pytestmark = pytest.mark.skipif(FOUND is None, reason="要有浏览器：apt install chromium（Debian 的包名）")
BOUND = 15_000  # milliseconds


async def test_the_week_is_on_the_page_and_follows_what_the_owner_says(tmp_path: Path) -> None:
    """Seven days from Monday, another week by its link, another group by the list; a move shows at once."""
    with stage.bot(tmp_path / "data") as bot:
        api = httpx.AsyncClient(base_url=f"{bot.url}/api/sandbox", timeout=30)
        new = {"title": "<b>福利群</b>", "owner": "老板", "members": ["大刘"], "tags": ["福利"]}
        other = (await api.post("/groups", json=new)).json()["id"]
        today = datetime.fromisoformat((await api.get("/clock")).json()["now"])
        monday = today + timedelta(days=7 - today.weekday())
        (await api.post("/clock", json={"to": f"{monday:%Y-%m-%d}T09:00"})).raise_for_status()
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=FOUND, args=list(stage.QUIET))
            page = await browser.new_page()
            page.set_default_timeout(BOUND)
            expect.set_options(timeout=BOUND)
            await page.goto(f"{bot.url}/preview")
            await expect(page.locator(".day")).to_have_count(7)
            await expect(page.locator(".today .date")).to_contain_text(f"周一 {monday.month}-{monday.day:02}")
            await expect(page.locator(".today .slot").first).to_contain_text("08:00")

            await page.get_by_text("下一周").click()
            after = monday.date() + timedelta(days=7)
            await expect(page.locator(".which")).to_have_text(in_words(after))
            await expect(page.locator(".today")).to_have_count(0)

            await page.get_by_label("群").click()
            await page.get_by_role("option", name="<b>福利群</b>").click()
            await expect(page.locator(".preview .quiet").first).to_contain_text("标签 福利")
            await page.get_by_text("这一周").click()
            evening = page.locator(".today .slot", has_text="17:30")
            await expect(evening).to_have_count(1)
            said = {"from": "老板", "text": "改期 17:30 18:15"}
            (await api.post(f"/groups/{other}/messages", json=said)).raise_for_status()
            moved = page.locator(".today .slot", has_text="18:15")
            await expect(moved).to_contain_text("原定 17:30")
            await expect(evening.locator(".at", has_text="17:30")).to_have_count(0)
            await expect(page.locator("b")).to_have_count(0)
            await page.goto(f"{bot.url}/preview?group=99&from=nonsense")
            await expect(page.locator(".day")).to_have_count(7)
            expect.set_options(timeout=5000)
            await browser.close()
        await api.aclose()
        assert bot.troubles() == []
