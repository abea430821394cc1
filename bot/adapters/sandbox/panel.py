"""The panel beside the phone: which group, who is played, and the clock."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from nicegui import ui

from bot.adapters.sandbox.http import Move
from bot.adapters.sandbox.seat import LOGO, color, date, letter, local
from bot.ports import SandboxMember

if TYPE_CHECKING:
    from bot.adapters.sandbox.page import Page

# More faces than these are found by name.
FACES = 18
SEPARATORS = re.compile(r"[\s、，,;；]+")
CLOSE = "() => document.body.classList.remove('panel-open')"


class Panel:
    """It shows the page's seat and hands what is clicked to the page."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._filling = False
        self._dialogs()
        ui.element("div").classes("backdrop").on("click", js_handler=CLOSE)
        with ui.element("aside").classes("panel"):
            with ui.element("header").classes("panel-head"):
                ui.element("img").classes("face").props["src"] = LOGO
                with ui.element("div").classes("grow"):
                    ui.label("小二的沙箱").classes("panel-title")
                    ui.label("一个人演一群人，时间随你拨").classes("quiet")
                _button("完成", None).classes("panel-close").on("click", js_handler=CLOSE)
            self._groups()
            self._people()
            self._clock()

    # Putting it together. ----------------------------------------------------------------------------

    def _groups(self) -> None:
        with _section("群"), ui.element("div").classes("row-of-two"):
            self._group = (
                ui.select({}, on_change=self._choose_group)
                .props("outlined dense options-dense aria-label=选择群")
                .classes("grow")
            )
            _button("新建群", self._new_group.open)

    def _people(self) -> None:
        with _section("你扮演谁"):
            self._find = (
                ui.input(placeholder="按名字找人", on_change=self._show_faces)
                .props("outlined dense clearable")
                .classes("find")
            )
            self._faces = ui.element("div").classes("faces")
            self._more = ui.label().classes("quiet")
            self._alone = _button("和小二私聊", self._talk).classes("wide")

    def _clock(self) -> None:
        page = self._page
        with _section("时间"):
            with ui.element("div").classes("clock"):
                self._hours = ui.label().classes("clock-time")
                self._date = ui.label().classes("clock-date")
                self._spinner = ui.spinner(size="20px").classes("clock-spinner")
            with ui.element("div").classes("row-of-three"):
                steps = [
                    _button("+10 分钟", lambda: page.move(Move(advance="10m"))),
                    _button("+1 小时", lambda: page.move(Move(advance="1h"))),
                    _button("明天", lambda: page.move(Move(to=self._tomorrow()))),
                ]
            with ui.element("div").classes("row-of-two"):
                with ui.element("div").classes("when"):
                    self._to = (
                        ui.input(value=self._evening(), on_change=self._name_day)
                        .props("type=datetime-local outlined dense")
                        .props("aria-label=拨到什么时候")
                    )
                    # A browser writes dates in its own language; this covers it until it is edited.
                    self._day = ui.label().classes("when-words")
                go = _button("拨到", self._go).classes("main")
            ui.label(
                "时间只往前走，路上到点的活动会照样发出来。"
                if page.desk.move
                else "接了真的账号，时间不能拨。"
            ).classes("quiet")
        self._controls = [*steps, self._to, go]
        self._name_day()
        self.busy(False)

    def _dialogs(self) -> None:
        with ui.dialog() as self._new_group, ui.card().classes("dialog"):
            ui.label("新建群").classes("dialog-title")
            title = ui.input("群名").props("outlined dense autofocus")
            owner = ui.input("群主").props("outlined dense")
            members = ui.input("成员", placeholder="阿强 小美 王姐").props("outlined dense")
            ui.label("用空格或顿号隔开。").classes("quiet")
            tags = ui.input("标签（可以不填）", placeholder="理财").props("outlined dense")
            ui.label("标签决定用哪本日历。填了就开张；不填，等群主说「开张」。").classes("quiet")

            async def make() -> None:
                if await self._page.open_group(
                    title.value, owner.value, _words(members.value), _words(tags.value)
                ):
                    self._new_group.close()
                    for one in (title, owner, members, tags):
                        one.set_value("")

            _ending(self._new_group, "建群", make)
        with ui.dialog() as self._newcomer, ui.card().classes("dialog"):
            ui.label("让人进群").classes("dialog-title")
            name = ui.input("名字").props("outlined dense autofocus")

            async def enter() -> None:
                if await self._page.join(name.value):
                    self._newcomer.close()
                    name.set_value("")

            name.on("keydown.enter", enter)
            _ending(self._newcomer, "进群", enter)
        with ui.dialog() as self._goodbye, ui.card().classes("dialog"):
            self._who_goes = ui.label().classes("dialog-title")

            async def go() -> None:
                self._goodbye.close()
                await self._page.leave()

            _ending(self._goodbye, "离开", go)

    # Showing. ----------------------------------------------------------------------------------------

    def show(self) -> None:
        """Show where the page's seat is now."""
        seat = self._page.seat
        self._filling = True
        self._group.set_options(
            {group.id: group.title for group in self._page.sandbox.groups},
            value=seat.group.id if seat.group else None,
        )
        self._filling = False
        self._find.set_visibility(len(seat.people()) > FACES)
        self._alone.set_text("回到群里" if seat.private else "和小二私聊")
        self._alone.set_enabled(seat.me is not None)
        self._show_faces()
        self.tick()

    def tick(self) -> None:
        now = self._now()
        self._hours.set_text(f"{now:%H:%M:%S}")
        self._date.set_text(date(now))

    def busy(self, moving: bool) -> None:
        """While the clock moves, it cannot be moved."""
        self._spinner.set_visibility(moving)
        for control in self._controls:
            control.set_enabled(not moving and self._page.desk.move is not None)
        if not moving and self._to.value and self._to.value <= _field(self._now()):
            self._to.set_value(self._evening())

    def _show_faces(self) -> None:
        seat, wanted = self._page.seat, (self._find.value or "").strip()
        found = [one for one in seat.people() if wanted in one.name]
        # Whoever is played is always seen.
        shown = sorted(found, key=lambda one: one != seat.me)[:FACES] if len(found) > FACES else found
        self._faces.clear()
        with self._faces:
            for one in shown:
                self._face(one)
            if seat.group is not None:
                _tile("＋", "进群", self._newcomer.open)
            if seat.me is not None:
                _tile("－", "离开", self._say_goodbye)
        self._more.set_text(f"还有 {len(found) - len(shown)} 人，按名字找。")
        self._more.set_visibility(len(found) > len(shown))

    def _face(self, one: SandboxMember) -> None:
        played = one == self._page.seat.me
        button = ui.element("button").classes("person played" if played else "person")
        button.props["type"] = "button"
        button.props["title"] = one.name
        button.on("click", lambda: self._play(one))
        with button:
            ui.label(letter(one.name)).classes("face").style(f"background:{color(one.id)}")
            ui.label(one.name).classes("person-name")
            if one.role == "owner":
                ui.label("群主").classes("badge")

    # What is clicked. --------------------------------------------------------------------------------

    def _choose_group(self) -> None:
        if not self._filling and self._group.value:
            self._find.set_value("")
            self._page.go(self._group.value)

    def _play(self, one: SandboxMember) -> None:
        self._find.set_value("")
        self._page.play(one.id)

    def _talk(self) -> None:
        if self._page.seat.private:
            self._page.talk_in_group()
        else:
            self._page.talk_alone()

    def _say_goodbye(self) -> None:
        me = self._page.seat.me
        if me is not None:
            self._who_goes.set_text(f"{me.name} 要离开这个群吗？")
            self._goodbye.open()

    async def _go(self) -> None:
        if self._to.value:
            await self._page.move(Move(to=self._to.value))
        else:
            self._page.tell("先选好拨到什么时候。")

    def _name_day(self) -> None:
        try:
            when = datetime.fromisoformat(self._to.value or "")
        except ValueError:
            self._day.set_text("选个时间")
        else:
            year = "" if when.year == self._now().year else f"{when.year}年"
            self._day.set_text(f"{year}{date(when)} {when:%H:%M}")

    def _now(self) -> datetime:
        return local(self._page.desk.clock.now(), self._page.zone)

    def _tomorrow(self) -> str:
        """The same time on the next day."""
        return (self._now().replace(tzinfo=None) + timedelta(days=1)).isoformat()

    def _evening(self) -> str:
        """The next eight in the evening, when most happens."""
        now = self._now().replace(tzinfo=None)
        evening = now.replace(hour=20, minute=0)
        return _field(evening if evening > now else evening + timedelta(days=1))


def _section(title: str) -> ui.element:
    section = ui.element("section").classes("section")
    with section:
        ui.label(title).classes("section-title")
    return section


def _button(text: str, on_click: Callable[..., Any] | None) -> ui.button:
    return ui.button(text, on_click=on_click, color=None).props("unelevated no-caps dense").classes("button")


def _tile(sign: str, words: str, on_click: Callable[..., Any]) -> None:
    with ui.element("button").props("type=button").classes("person tile").on("click", on_click):
        ui.label(sign).classes("face")
        ui.label(words).classes("person-name")


def _ending(dialog: ui.dialog, words: str, do: Callable[..., Any]) -> None:
    with ui.element("div").classes("dialog-end"):
        _button("取消", dialog.close)
        _button(words, do).classes("main")


def _words(text: str | None) -> list[str]:
    return [word for word in SEPARATORS.split(text or "") if word]


def _field(when: datetime) -> str:
    """As a datetime input writes it."""
    return when.strftime("%Y-%m-%dT%H:%M")
