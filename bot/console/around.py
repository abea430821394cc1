"""The links from one of the operator's pages to the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nicegui import ui

if TYPE_CHECKING:
    from bot.app import App

PAGES = {"/": "沙箱", "/preview": "安排", "/report": "周报", "/library": "活动库"}


def links(app: App, here: str) -> None:
    """Put them at the top of the page that is open now."""
    ui.add_css(_CSS)
    with ui.element("nav").classes("around"):
        for path, words in PAGES.items():
            if path == here:
                ui.label(words).classes("here")
            elif path != "/" or app.sandbox is not None:
                ui.link(words, path)


_CSS = """
.around { display: flex; gap: 1.1rem; margin-bottom: .6rem; font-size: 14px; }
.around a { color: #07734a; text-decoration: none; }
.around .here { font-weight: 600; }
"""
