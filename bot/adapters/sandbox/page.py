"""The chat page."""

from __future__ import annotations

from fastapi import FastAPI

from bot.adapters.sandbox.adapter import Sandbox
from bot.adapters.sandbox.http import Desk


def mount(
    app: FastAPI,
    sandbox: Sandbox,
    desk: Desk,
) -> None:
    """Put the page at / of the app."""
