"""The report as files from the page: /report.xlsx of one group or of all, /report.png of one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse

from bot.aside import aside
from bot.console.report import files
from bot.console.report.reading import reader
from bot.errors import Unusable

if TYPE_CHECKING:
    from bot.app import App
    from bot.console.report.reading import Report

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def router(app: App) -> APIRouter:
    """They stand where the page stands, and behind its password where it has one."""
    api = APIRouter()

    async def read(group: str, week: str) -> Report:
        return await app.database.read(reader(app.settings, app.library, week, group))

    @api.get("/report.xlsx")
    async def workbook(group: str = "", week: str = "") -> Response:
        try:
            found = await read(group, week)
        except Unusable as error:
            return PlainTextResponse(str(error), 404)
        return _file(await aside(files.sheet, found), XLSX, f"{found.name}.xlsx")

    @api.get("/report.png")
    async def picture(group: str, week: str = "") -> Response:
        try:
            found = await read(group, week)
        except Unusable as error:
            return PlainTextResponse(str(error), 404)
        drawn = await aside(files.picture, found)
        if drawn is None:
            return PlainTextResponse(files.NOTHING, 404)
        return _file(drawn, "image/png", f"{found.name}.png")

    return api


def _file(made: bytes, kind: str, name: str) -> Response:
    return Response(made, media_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})
