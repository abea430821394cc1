"""From a spreadsheet to files of the library, in one go."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date
from pathlib import Path

from bot.errors import Faults, Unusable
from bot.importing import placing, plan, table, workbook
from bot.importing.writing import MARK, Name, drafts
from bot.sop.library import load
from bot.sop.schema import Kinds

_LONGEST_TAG = 12  # as for 开张


def bring(
    path: Path,
    root: Path,
    kinds: Kinds,
    today: date,
    *,
    calendar: str = "",
    tag: str = "",
    force: bool = False,
) -> list[str]:
    """Write what the spreadsheet says into the library at `root`; return the lines that tell of it.

    Raises Faults with all that is wrong by cell, or Unusable; nothing is written then.
    """
    title = calendar or path.stem
    name = Name(plan.slug(title), title, tag or title, path.name)
    if not name.slug:
        raise Unusable(f"「{title}」做不成文件名，请用 --calendar 起一个，比如 --calendar 十二月。")
    if len(name.tag) > _LONGEST_TAG:
        raise Unusable(
            f"标签「{name.tag}」超过 {_LONGEST_TAG} 个字，请用 --tag 写一个短的，比如 --tag 理财。"
        )
    book = workbook.read(path)
    tables = [one for sheet in book.sheets if (one := table.find(path, sheet))]
    if not tables:
        raise Unusable(f"{path.name} 里找不到表头：要有一行写着 日期（或星期）、时间、内容。")
    made = plan.make(tables, path, today, _activities(root, kinds, name))
    pictures = placing.pictures(made, path.parent, root)
    if made.faults:
        raise Faults(made.faults)
    slots = Counter(entry.kind for entry in made.entries)
    if slots.total() == slots["quiz"]:
        raise Unusable(f"{path.name} 里没有一行能导入。")
    files = drafts(made, name, {said: each.path for said, each in pictures.items()})
    written = placing.settle(files, pictures, root, kinds, force=force)
    return [
        f"从 {path.name} 读了 {slots.total()} 行：{_counted(slots)}。",
        *(f"写了 {(root / each).as_posix()}" for each in written),
        *([] if written else ["和上次导入的一样，什么也没有改。"]),
        *(f"提醒：{note}" for note in _notes(made, book, {one.name for one in tables})),
        f"群主说「开张 {name.tag}」，群里就照《{name.title}》走。先看一眼：xiaoer preview",
    ]


def _activities(root: Path, kinds: Kinds, name: Name) -> Mapping[str, str]:
    """Return the activities that a row may name, by id and by title; not those of the last import."""
    known: dict[str, str] = {}
    for each, activity in load(root, kinds).activities.items() if root.is_dir() else ():
        text = (root / f"activities/{each}.yaml").read_text(encoding="utf-8")
        if MARK.format(file=name.file) not in text:
            known |= {each: each, activity.title: each}
    return known


def _counted(slots: Counter[str]) -> str:
    called = {
        "post": "条帖子",
        "sign_in": "次签到",
        "red_packet": "个红包",
        "activity": "场库里的活动",
        "quiz": "场问答还没有题",
    }
    return "，".join(f"{slots[kind]} {unit}" for kind, unit in called.items() if slots[kind])


def _notes(made: plan.Plan, book: workbook.Workbook, read: set[str]) -> list[str]:
    notes = list(made.notes)
    notes += [f"「{each.name}」没有读：藏起来了" for each in book.sheets if each.hidden]
    notes += [
        f"「{each.name}」没有读：找不到表头"
        for each in book.sheets
        if not each.hidden and each.name not in read
    ]
    if book.pictures:
        notes.append("表里贴着图片，小二取不出来：把图片另存在表格旁边，在「图片」一列写文件名")
    return notes
