"""The page of the report in a real browser: what an operator sees of a week."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from openpyxl import load_workbook
from PIL import Image
from playwright.async_api import Locator, async_playwright, expect

from bot.console.report.reading import week_name
from handlers.report import in_words
from tests.page import stage

FOUND = stage.browser()
pytestmark = pytest.mark.skipif(FOUND is None, reason="要有浏览器：apt install chromium（Debian 的包名）")
BOUND = 15_000  # milliseconds


async def test_a_week_is_on_the_page_and_in_its_files(tmp_path: Path) -> None:
    """All groups in a list, one group thing by thing, other weeks; mistakes are told in words, markup is text."""
    with stage.bot(tmp_path / "data") as bot:
        monday = await play(bot)
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=FOUND, args=list(stage.QUIET))
            page = await browser.new_page()
            page.set_default_timeout(BOUND)
            expect.set_options(timeout=BOUND)
            await page.goto(f"{bot.url}/report")
            await expect(page.locator(".which")).to_have_text(in_words(monday))
            await expect(page.locator("tbody tr")).to_have_count(2)
            await expect(page.locator("tr", has_text="<b>理财群</b>")).to_contain_text("1/3")

            await page.get_by_role("link", name="<b>理财群</b>").click()
            await expect(page.locator(".told").nth(1)).to_have_text("参加 1 人，群里 3 人。")
            call = page.locator("tr.sent", has_text="周一 08:00")
            assert (await texts(call.locator("td")))[2:5] == ["08:00", "按时", "1/3 33%"]
            await expect(page.locator("tr", has_text="名次")).to_have_count(1)
            async with page.expect_download() as workbook:
                await page.get_by_text("下载表格").click()
            async with page.expect_download() as picture:
                await page.get_by_text("下载图片").click()
            sheets, drawn = await workbook.value, await picture.value
            assert sheets.suggested_filename == f"{week_name(monday)}.xlsx"
            await sheets.save_as(tmp_path / "week.xlsx")
            assert load_workbook(tmp_path / "week.xlsx")["群"]["A2"].value == "<b>理财群</b>"
            with Image.open(await drawn.path()) as image:
                assert image.format == "PNG"

            await page.get_by_text("上一周").click()
            await page.get_by_text("上一周").click()
            await expect(page.locator(".which")).to_have_text(in_words(monday - timedelta(days=14)))
            await expect(page.locator(".quiet")).to_have_text("这一周还没有什么可说的。")
            await expect(page.get_by_text("下载图片")).to_have_count(0)

            week = page.get_by_label("哪一周")
            await week.fill("2026-60")
            await week.press("Enter")
            await expect(page.locator(".fault")).to_contain_text('看不懂 "2026-60"，是不是 2026-W60？')
            await page.goto(f"{bot.url}/report?group=99")
            await expect(page.locator(".fault")).to_have_text('没有叫 "99" 的群。')
            await page.get_by_role("link", name="活动库").click()
            await expect(page.locator(".library")).to_contain_text("文件里的错")
            await expect(page.locator("b")).to_have_count(0)
            expect.set_options(timeout=5000)
            await browser.close()
        assert bot.troubles() == []


async def play(bot: stage.Bot) -> date:
    """A group of three has a Monday morning on which one signs in; which Monday."""
    async with httpx.AsyncClient(base_url=f"{bot.url}/api/sandbox", timeout=60) as api:
        new = {"title": "<b>理财群</b>", "owner": "经理", "members": ["阿强", "小美"], "tags": ["理财"]}
        group = (await api.post("/groups", json=new)).json()["id"]
        today = datetime.fromisoformat((await api.get("/clock")).json()["now"])
        monday = today.date() + timedelta(days=7 - today.weekday())
        for at, who, text in (("T08:00", "阿强", "签到"), ("T08:10", "小美", "早")):
            (await api.post("/clock", json={"to": f"{monday}{at}"})).raise_for_status()
            said = {"from": who, "text": text}
            (await api.post(f"/groups/{group}/messages", json=said)).raise_for_status()
        (await api.post("/clock", json={"to": f"{monday}T12:15"})).raise_for_status()
    return monday


async def texts(cells: Locator) -> list[str]:
    return [text.strip() for text in await cells.all_inner_texts()]
