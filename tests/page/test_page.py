"""The chat page in a real browser, before a bot that runs."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Locator, Page, async_playwright, expect

from tests.page import stage

FOUND = stage.browser()
HOSTILE = '<img src=x onerror="document.title=1">'

pytestmark = [
    pytest.mark.skipif(FOUND is None, reason="要有浏览器：apt install chromium（Debian 的包名）"),
    pytest.mark.asyncio(loop_scope="module"),
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=FOUND, args=list(stage.QUIET))
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="module")
async def tabs(chromium: Browser) -> AsyncIterator[BrowserContext]:
    context = await chromium.new_context()
    yield context
    await context.close()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[stage.Bot]:
    """A bot for tests that need not end it; each plays in a group of its own."""
    with stage.bot(tmp_path_factory.mktemp("page") / "data") as bot:
        yield bot


class Tab:
    """A page and what its console and network said."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.faults: list[str] = []
        self.abroad: list[str] = []
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("console", lambda line: self.faults.append(line.text) if line.type == "error" else None)
        page.on("request", lambda request: self._check(request.url, url))

    def _check(self, asked: str, home: str) -> None:
        if not asked.startswith((home, home.replace("http:", "ws:"), "data:")):
            self.abroad.append(asked)

    async def say(self, text: str) -> None:
        await self.page.get_by_label("消息", exact=True).fill(text)
        await self.page.keyboard.press("Enter")

    async def play(self, name: str) -> None:
        await self.page.locator(".person", has_text=name).click()
        await expect(self.page.get_by_placeholder(f"以 {name} 的身份说话")).to_be_enabled()

    def bubble(self, text: str) -> Locator:
        return self.page.locator(".bubble", has_text=text)

    def clean(self) -> bool:
        return not self.faults and not self.abroad


async def open_tab(tabs: BrowserContext, url: str) -> Tab:
    page = await tabs.new_page()
    await page.set_viewport_size({"width": 1200, "height": 800})
    tab = Tab(page, url.partition("?")[0])
    await page.goto(url)
    return tab


async def test_a_member_signs_in_and_plays_the_quiz_of_next_tuesday(
    tabs: BrowserContext, tmp_path: Path
) -> None:
    """What a newcomer does first: 签到, move the clock, answer. Ends with SIGTERM while the page is open."""
    with stage.bot(tmp_path / "data") as bot:
        tab = await open_tab(tabs, bot.url)
        await tab.play("小美")
        await tab.say("签到")
        await expect(tab.bubble("@小美 签到成功")).to_be_visible()
        await expect(tab.page.locator(".line.mine")).to_have_text(["小签到"])

        async with httpx.AsyncClient(base_url=bot.url) as http:
            today = datetime.fromisoformat((await http.get("/api/sandbox/clock")).json()["now"])
        tuesday = today + timedelta(days=(0 - today.weekday()) % 7 + 1)
        await tab.page.get_by_label("拨到什么时候").fill(f"{tuesday:%Y-%m-%d}T20:00")
        await tab.page.get_by_role("button", name="拨到").click()
        await expect(tab.bubble("第 1 题，共")).to_be_visible()
        await expect(tab.bubble("第 1 题，共")).to_be_in_viewport()
        await expect(tab.page.locator(".clock-date")).to_contain_text("周二")
        await expect(tab.page.get_by_role("button", name="拨到")).to_be_enabled()
        await expect(tab.page.locator(".stamp").last).to_have_text(
            f"{tuesday.month} 月 {tuesday.day} 日 周二 20:00"
        )

        await tab.page.get_by_label("拨到什么时候").fill("2020-01-01T08:00")
        await tab.page.get_by_role("button", name="拨到").click()
        await expect(tab.page.get_by_text("时间只能往前拨，现在是 周二 20:0")).to_be_visible()
        assert tab.clean(), (tab.faults, tab.abroad)

        code, seconds = bot.end(signal.SIGTERM)
        assert (code, bot.troubles()) == (0, [])
        assert seconds < 3


async def new_group(bot: stage.Bot, title: str) -> str:
    """A group of three and 小二 that is 开张; where its page is, played as 阿强."""
    async with httpx.AsyncClient(base_url=f"{bot.url}/api/sandbox") as http:
        new = {"title": title, "owner": "陈经理", "members": ["阿强", "小美"], "tags": ["理财"]}
        group = (await http.post("/groups", json=new)).json()["id"]
        found = next(one for one in (await http.get("/groups")).json() if one["id"] == group)
    return f"{bot.url}/?group={group}&me={found['members'][1]['id']}"


async def test_names_and_texts_are_shown_as_they_were_typed(tabs: BrowserContext, shared: stage.Bot) -> None:
    """Fast typing loses nothing, a line break stays one, and markup in a name is a name."""
    tab = await open_tab(tabs, await new_group(shared, "快嘴群"))
    typed = [f"第{number}句，说得很快" for number in range(1, 16)]
    await tab.page.get_by_label("消息", exact=True).focus()
    for text in typed:
        await tab.page.keyboard.type(text)
        await tab.page.keyboard.press("Enter")
    await tab.page.keyboard.press("Enter")
    await expect(tab.page.locator(".mine .bubble")).to_have_text(typed)
    await tab.say("上一行\n下一行")
    assert await tab.bubble("下一行").inner_text() == "上一行\n下一行"

    await tab.page.get_by_role("button", name="＋ 进群").click()
    await tab.page.get_by_label("名字", exact=True).fill(HOSTILE)
    await tab.page.get_by_role("button", name="进群", exact=True).click()
    await expect(tab.page.locator(".person-name", has_text="<img")).to_have_text(HOSTILE)
    await tab.say(f"我是 {HOSTILE}")
    await expect(tab.page.locator(".mine .bubble").last).to_have_text(f"我是 {HOSTILE}")
    await tab.play("阿强")
    await expect(tab.page.locator(".who").last).to_have_text(HOSTILE)
    await expect(tab.page.locator(".stream img:not(.face)")).to_have_count(0)
    await expect(tab.page).to_have_title("小二")
    assert tab.clean(), (tab.faults, tab.abroad)


async def test_tabs_are_different_people_in_different_chats(tabs: BrowserContext, shared: stage.Bot) -> None:
    """Two tabs see each other's lines at once; a private chat stays private; a new group has its own talk."""
    here = await new_group(shared, "街坊群")
    one, two = await open_tab(tabs, here), await open_tab(tabs, here)
    await one.play("小美")
    await two.play("陈经理")
    await two.page.get_by_role("button", name="发红包 100 10").click()
    await expect(one.bubble("回复「抢」来拿")).to_be_visible()
    await one.page.bring_to_front()
    await one.page.get_by_role("button", name="抢", exact=True).click()
    await expect(two.bubble("@小美 抢到")).to_be_visible()

    await one.page.get_by_role("button", name="和小二私聊").click()
    await one.say("我的积分")
    await expect(one.bubble("你的积分")).to_be_visible()
    await expect(one.page.locator(".phone h1")).to_have_text("小二")
    await expect(two.bubble("你的积分")).to_have_count(0)
    await one.page.reload()
    await expect(one.page.get_by_placeholder("以 小美 的身份说话")).to_be_enabled()

    await two.page.bring_to_front()
    await two.page.get_by_role("button", name="新建群").click()
    await two.page.get_by_role("button", name="建群", exact=True).click()
    await expect(two.page.get_by_text("群名不能空着")).to_be_visible()
    await two.page.get_by_label("群名").fill("鞋店福利群")
    await two.page.get_by_label("群主").fill("老板娘")
    await two.page.get_by_label("成员").fill("大刘、小何，阿芳 阿芳")
    await two.page.get_by_label("标签").fill("福利")
    await two.page.get_by_role("button", name="建群", exact=True).click()
    await expect(two.page.locator(".phone h1")).to_have_text("鞋店福利群（5）")
    await expect(two.bubble("@老板娘 开张大吉")).to_be_visible()
    await expect(one.page.locator(".phone h1")).to_have_text("街坊群（4）")

    await two.play("大刘")
    await two.page.get_by_role("button", name="－ 离开").click()
    await two.page.get_by_role("button", name="离开", exact=True).click()
    await expect(two.page.locator(".phone h1")).to_have_text("鞋店福利群（4）")
    assert one.clean(), (one.faults, one.abroad)
    assert two.clean(), (two.faults, two.abroad)


async def test_behind_a_password_the_websocket_asks_for_it_too(
    chromium: Browser, tabs: BrowserContext, tmp_path: Path
) -> None:
    """Without it everything is 401. Safari sends a websocket nothing but the cookie, and that is enough.

    Ends with Ctrl-C while pages are open.
    """
    config = tmp_path / "config.yaml"
    config.write_text("page: {host: 0.0.0.0}\n")
    with stage.bot(tmp_path / "data", "--config", str(config), XIAOER_PAGE_PASSWORD="芝麻") as bot:
        url = bot.url.replace("0.0.0.0", "127.0.0.1")
        upgrade = {
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
        }
        socket = f"{url}/_nicegui_ws/socket.io/?EIO=4&transport=websocket"
        async with httpx.AsyncClient() as http:
            for headers in ({}, {"Authorization": "Basic OndvcmQ="}, {"Cookie": "xiaoer=0"}):
                assert (await http.get(url, headers=headers)).status_code == 401
                assert (await http.get(socket, headers=upgrade | headers)).status_code == 401

        knows = await chromium.new_context(http_credentials={"username": "", "password": "芝麻"})
        tab = await open_tab(knows, url)
        await tab.say("签到")
        await expect(tab.bubble("签到成功")).to_be_visible()
        (cookie,) = [one for one in await knows.cookies() if one.get("name") == "xiaoer"]
        assert (cookie.get("httpOnly"), cookie.get("sameSite")) == (True, "Strict")

        await tabs.add_cookies([{"name": "xiaoer", "value": cookie["value"], "url": url}])
        other = await open_tab(tabs, url)
        await expect(other.bubble("签到成功")).to_be_visible()
        await tab.say("今天天气不错")
        await expect(other.bubble("今天天气不错")).to_be_visible()

        code, seconds = bot.end(signal.SIGINT)
        assert (code, bot.troubles()) == (0, [])
        assert seconds < 3
        await knows.close()
