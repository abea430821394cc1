"""Take the README's pictures anew: `.venv/bin/python -m tests.page.screenshots` (docs/images/sandbox*.png)."""

from __future__ import annotations

import tempfile
from datetime import datetime, timedelta
from pathlib import Path

import httpx
from playwright.sync_api import expect, sync_playwright

from tests.page import stage

IMAGES = stage.ROOT / "docs" / "images"
ANSWERS = (("阿强", "C"), ("王姐", "D"), ("豆豆", "B"))
BETWEEN = (("王姐", "签到"), ("小美", "签到"), ("陈经理", "发红包 100 10"), ("小美", "抢"))

# No half a message at the upper edge.
WHOLE = """() => {
  const top = document.querySelector('.stream').getBoundingClientRect().top;
  for (const line of document.querySelectorAll('.line'))
    if (line.getBoundingClientRect().top < top) line.style.visibility = 'hidden';
}"""


def main() -> None:
    """Play an evening in a bot of its own, and look at it on a phone and on a desk."""
    with tempfile.TemporaryDirectory() as folder, stage.bot(Path(folder) / "data") as bot:
        with httpx.Client(base_url=f"{bot.url}/api/sandbox", timeout=60) as http:
            names = play(http)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=stage.browser(),
                args=[*stage.QUIET, "--lang=zh-CN"],
                env={"LANGUAGE": "zh_CN", "LANG": "zh_CN.UTF-8"},
            )
            for name, width, height, scale in (("sandbox", 430, 860, 2), ("sandbox-wide", 1200, 800, 1)):
                page = browser.new_page(
                    viewport={"width": width, "height": height}, device_scale_factor=scale, locale="zh-CN"
                )
                page.goto(f"{bot.url}/?group=g1&me={names['小美']}")
                expect(page.locator(".bubble", has_text="第 2 题")).to_be_in_viewport()
                expect(page.locator(".mine .bubble").last).to_have_text("抢")
                page.evaluate(WHOLE)
                page.screenshot(path=IMAGES / f"{name}.png")
            browser.close()


def play(http: httpx.Client) -> dict[str, str]:
    """The quiz of the next Tuesday, with sign-ins and a red packet between its questions; who plays."""
    group = http.get("/groups").json()[0]
    names = {member["name"]: member["id"] for member in group["members"]}

    def say(name: str, text: str) -> None:
        seen = http.get(f"/groups/{group['id']}/messages").json()[-1]["seq"]
        http.post(
            f"/groups/{group['id']}/messages", json={"from": names[name], "text": text}
        ).raise_for_status()
        http.get(f"/groups/{group['id']}/messages", params={"after": seen + 1, "wait": 1})

    def move(to: datetime) -> None:
        http.post("/clock", json={"to": to.isoformat()}).raise_for_status()

    today = datetime.fromisoformat(http.get("/clock").json()["now"])
    evening = (today + timedelta(days=(0 - today.weekday()) % 7 + 1)).replace(hour=20, minute=0, second=0)
    move(evening)
    for name, text in ANSWERS:
        say(name, text)
    move(evening + timedelta(minutes=3))
    for name, text in BETWEEN:
        say(name, text)
    move(evening + timedelta(minutes=3, seconds=20))
    return names


if __name__ == "__main__":
    main()
