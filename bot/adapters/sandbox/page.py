"""The chat page: a phone with a group in it, and beside it what decides who plays and what time it is."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import FastAPI, HTTPException
from nicegui import Client, background_tasks, ui
from pydantic import ValidationError

from bot.adapters.sandbox.adapter import Impossible, Missing, Sandbox
from bot.adapters.sandbox.http import LARGEST, Desk, Move, NewGroup, NewMember, open_group
from bot.adapters.sandbox.panel import Panel
from bot.adapters.sandbox.seat import LOGO, Seat, line, local, weekday

SHOWN = 200
# So long a tab may be asleep and still find its page as it was.
ABSENT = 20.0
# So many seconds a browser has to say that it shows what it was sent, before it gets any more.
ANSWER = 5.0
# New lines are carried over together, so that a flood does not drown the browser.
BREATH = 0.05

HERE = Path(__file__).parent
FIELDS = {"title": "群名", "owner": "群主", "members": "成员", "tags": "标签", "name": "名字"}


class Chat(ui.element, component="chat.js"):
    """The phone. `logo title count note me hint chips back open` are props; lines come through show, add and before."""


def mount(app: FastAPI, sandbox: Sandbox, desk: Desk) -> None:
    """Put the page at / of the app. Once in a process: NiceGUI binds to one app."""

    @ui.page("/", title="小二", language="zh-CN", dark=False)
    async def index(group: str = "", me: str = "") -> None:
        await Page(sandbox, desk, Seat(sandbox, group, me)).build()

    bind(app)


def bind(app: FastAPI) -> None:
    """Have an app serve the pages of NiceGUI."""
    ui.run_with(
        app,
        title="小二",
        favicon=LOGO,
        language="zh-CN",
        dark=False,
        tailwind=False,
        reconnect_timeout=ABSENT,
        show_welcome_message=False,
    )


class Page:
    """One browser tab. It ends with its client, and follows one chat at a time."""

    def __init__(self, sandbox: Sandbox, desk: Desk, seat: Seat) -> None:
        self.sandbox = sandbox
        self.desk = desk
        self.seat = seat
        self.zone = ZoneInfo(desk.timezone)
        self._client: Client = ui.context.client
        self._following: asyncio.Task[None] | None = None
        self._known = self._world()
        self._moving = False
        # One line after the other, in the order in which they were typed.
        self._saying = asyncio.Lock()

    async def build(self) -> None:
        ui.add_css(HERE / "page.css")
        ui.colors(primary="#07a854")
        with ui.element("main").classes("desk"):
            self.chat = Chat()
            self.panel = Panel(self)
        self.chat.on("say", lambda event: self.say(event.args))
        self.chat.on("earlier", lambda event: self.earlier(event.args))
        self.chat.on("back", self.talk_in_group)
        self.chat.on("menu", js_handler="() => document.body.classList.toggle('panel-open')")
        self._client.on_exception(lambda: self.tell("出了点差错，详情在小二的日志里。"))
        self._client.on_delete(self._unfollow)
        self._show()
        self._follow()
        ui.timer(0.5, self._tick)

    # What the person at the page does. ---------------------------------------------------------------

    async def say(self, text: object) -> None:
        """Send a line as whoever is played; it comes back to the writer when it cannot be sent."""
        if not isinstance(text, str) or not text.strip() or self.seat.me is None or self.seat.group is None:
            return
        group, me, private = self.seat.group.id, self.seat.me.id, self.seat.private
        sent = False
        with self._explained():
            async with self._saying:
                if private:
                    await self.sandbox.say_privately(me, text)
                else:
                    await self.sandbox.say(group, me, text)
            sent = True
        if not sent:
            self.chat.run_method("giveBack", text)

    async def earlier(self, before: object) -> None:
        """Show the lines before the first that is there."""
        if not isinstance(before, int):
            return
        self.chat.run_method("before", *await self._lines(self.seat.chat, before))

    def go(self, group: str) -> None:
        self.seat.sit(group)
        self._turn()

    def play(self, me: str) -> None:
        self.seat.play(me)
        self._turn()

    def talk_alone(self) -> None:
        """Open the private chat of whoever is played with 小二."""
        self.seat.private = self.seat.me is not None
        self._turn()

    def talk_in_group(self) -> None:
        self.seat.private = False
        self._turn()

    async def open_group(self, title: str, owner: str, members: list[str], tags: list[str]) -> bool:
        """A new group, and there as its owner; whether it came about."""
        with self._explained():
            new = NewGroup(title=title, owner=owner, members=members, tags=tags or None)
            self.go(await open_group(self.sandbox, new.title, new.owner, new.members, new.tags))
            self.play(self.seat.people()[0].id)
            return True
        return False

    async def join(self, name: str) -> bool:
        """Somebody new comes into the group that is seen, and is played; whether it came about."""
        if self.seat.group is None:
            return False
        with self._explained():
            new = await self.sandbox.join(self.seat.group.id, NewMember(name=name).name)
            self.play(new.id)
            return True
        return False

    async def leave(self) -> None:
        """Whoever is played leaves the group."""
        if self.seat.group is None or self.seat.me is None:
            return
        with self._explained():
            await self.sandbox.leave(self.seat.group.id, self.seat.me.id)
        self.seat.look()
        self._turn()

    async def move(self, wanted: Move) -> None:
        """Move the clock, and return when all that fell due by then is said."""
        if self.desk.move is None or self._moving:
            return
        self._moving = True
        self.panel.busy(True)
        try:
            with self._explained():
                target = self.desk.target(wanted)
                try:
                    await self.desk.move(target)
                except ValueError:
                    raise Impossible(f"时间只能往前拨，现在是 {self._time()}。") from None
        finally:
            self._moving = False
            if not self._client.is_deleted:
                self.panel.busy(False)
                self._tick()

    def tell(self, words: str) -> None:
        if not self._client.is_deleted:
            with self._client:
                ui.notify(words, position="top", type="warning", color="grey-9", text_color="white")

    # What is seen. -----------------------------------------------------------------------------------

    def _turn(self) -> None:
        """Somebody else is played, or another chat is seen."""
        if self._client.is_deleted:
            return
        with self._client:
            ui.navigate.history.replace(self.seat.address)
            self._client.run_javascript("document.body.classList.remove('panel-open')")
        self._known = self._world()
        self._show()
        if self._following is None or self._following.get_name() != self.seat.chat:
            self._follow()

    def _show(self) -> None:
        seat = self.seat
        props: dict[str, object] = {
            "logo": LOGO,
            "title": seat.title,
            "count": seat.count,
            "note": self._note(),
            "me": seat.me.id if seat.me else "",
            "hint": f"以 {seat.me.name} 的身份说话" if seat.me else "群里没有人，先让人进群",
            "chips": seat.chips,
            "back": seat.private,
            "open": seat.me is not None,
        }
        self.chat.props.update(props)
        self.chat.update()
        self.panel.show()

    def _tick(self) -> None:
        """The time goes on, and others may have come, gone, or opened groups."""
        if self._known != self._world():
            before = self.seat.chat
            self.seat.look()
            self._known = self._world()
            self._show()
            if self.seat.chat != before:
                self._follow()
        if self.chat.props.get("note") != self._note():
            self.chat.props["note"] = self._note()
            self.chat.update()
        self.panel.tick()

    def _note(self) -> str:
        who = f"你是 {self.seat.me.name}" if self.seat.me else ""
        return "，".join(filter(None, (who, self._time())))

    def _time(self) -> str:
        now = local(self.desk.clock.now(), self.zone)
        return f"{weekday(now)} {now:%H:%M}"

    def _world(self) -> list[object]:
        return list(self.sandbox.groups)

    # Following a chat. -------------------------------------------------------------------------------

    def _follow(self) -> None:
        self._unfollow()
        chat = self.seat.chat
        self._following = background_tasks.create(self._carry(chat), name=chat, context=self._client)

    def _unfollow(self) -> None:
        if self._following is not None:
            self._following.cancel()

    async def _carry(self, chat: str) -> None:
        """Carry the chat to the browser, and what is new as it comes, until the sandbox stops."""
        lines, older = await self._lines(chat)
        self.chat.run_method("show", lines, older)
        seen = lines[-1]["seq"] if lines else 0
        await self._client.connected()
        while chat and not self.sandbox.stopped:
            new = await self.sandbox.messages(chat, seen, wait=30)
            if not new:
                continue
            if len(new) > SHOWN:
                lines, older = await self._lines(chat)
                shown = await self._reached("show", lines, older)
            else:
                lines = [line(one, self.zone) for one in new]
                shown = await self._reached("add", lines)
            seen = lines[-1]["seq"]
            # Whoever reads nothing is sent nothing, or all that is said would wait for them in memory.
            while not (shown or self.sandbox.stopped or self._client.is_deleted):
                shown = await self._reached("look")
            await asyncio.sleep(BREATH)

    async def _lines(self, chat: str, before: int = LARGEST) -> tuple[list[dict[str, Any]], bool]:
        """The last lines of a chat before a `seq`, and whether there are older ones."""
        found = await self.sandbox.messages_before(chat, before, SHOWN + 1) if chat else ()
        return [line(one, self.zone) for one in found[-SHOWN:]], len(found) > SHOWN

    async def _reached(self, method: str, *what: object) -> bool:
        """Have the chat in the browser do something; whether it says that it is done."""
        try:
            await self.chat.run_method(method, *what, timeout=ANSWER)
        except TimeoutError:
            return False
        return True

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Say in words what cannot be done."""
        try:
            yield
        except (Missing, Impossible) as error:
            self.tell(str(error))
        except HTTPException as error:
            self.tell(str(error.detail))
        except ValidationError as error:
            field = FIELDS.get(str(error.errors()[0]["loc"][0]), "")
            self.tell(f"{field}不能空着，也不能太长或太多。")
