"""Write a plan as files of the library, as a person would: comments, and long texts as they read."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from bot.importing.plan import Entry, Plan, spell
from bot.importing.table import Row
from bot.importing.words import When

MARK = "从 {file} 导入"
_PLAIN = re.compile(r"[\w\u3400-\u9fff][\w\u3400-\u9fff·，。！？、./-]*")
_TYPED = re.compile(r"[\d_.:/-]+|\w{1,5}", re.ASCII)  # a number, or yes, no, null: an editor may think so
_BREAK = re.compile("_x000D_\n?|\r\n?|[\x85\u2028\u2029\x0b\x0c]")
_UNSEEN = re.compile("[\x00-\x08\x0e-\x1f\x7f\ufeff\ufffe\uffff\ud800-\udfff]")


@dataclass(slots=True)
class Draft:
    """One file as it will be, and the row and column that each line comes from."""

    lines: list[str] = field(default_factory=list)
    sources: dict[int, tuple[Row, str]] = field(default_factory=dict)

    def add(self, *lines: str, source: tuple[Row, str] | None = None) -> None:
        for line in lines:
            self.lines.append(line)
            if source:
                self.sources[len(self.lines)] = source

    def source(self, line: int) -> tuple[Row, str] | None:
        """Return what the line was made from, or else the nearest line above it."""
        return next((self.sources[each] for each in range(line, 0, -1) if each in self.sources), None)

    @property
    def text(self) -> str:
        return "\n".join(self.lines) + "\n"


@dataclass(frozen=True, slots=True)
class Name:
    """How the calendar is called: in files and ids, by people, whose it is, and where it comes from."""

    slug: str
    title: str
    tag: str
    file: str


def drafts(plan: Plan, name: Name, pictures: Mapping[str, str]) -> dict[str, Draft]:
    """Return the files by their path in the library. `pictures` are paths there, by what the table says."""
    made: dict[str, Draft] = {}
    posts: dict[tuple[str, ...], str] = {}
    started: dict[tuple[str, ...], str] = {}
    texts = _begin(name, "texts", "名字（冒号前面）改了，日历里也要跟着改。")
    calendar = _begin(name, "calendar", "改了表，加 --force 再导入一遍；改了这里，就别再导入。")
    calendar.add(f"title: {scalar(name.title)}", f"audience: {{tags: [{scalar(name.tag)}]}}", "slots:")
    titles = _titles(plan.entries)
    for entry in plan.entries:
        if entry.about:
            calendar.add(f"  # {entry.about}")
        if entry.kind == "quiz":
            calendar.add(
                f"  # 先写好题库和活动，再去掉下一行的 #：\n  # - {{{_rule(entry)}, do: 活动的编号}}"
            )
            continue
        if entry.kind == "post":
            held = (entry.text, *(pictures[each] for each in entry.pictures))
            what = f"post: {posts.setdefault(held, f'{name.slug}-{entry.id}')}"
            if posts[held] == f"{name.slug}-{entry.id}":
                _post(texts, entry, posts[held], held[1:])
        else:
            held = (entry.kind, entry.text, str(entry.points), str(entry.shares))
            key = entry.known or started.setdefault(held, f"{name.slug}-{entry.id}")
            what = f"do: {key}"
            if key == f"{name.slug}-{entry.id}":
                made[f"activities/{key}.yaml"] = _activity(entry, name, titles)
        calendar.add(f"  - {{{_rule(entry)}, {what}}}", source=(entry.row, "time"))
    if texts.sources:
        made[f"texts/{name.slug}.yaml"] = texts
    return {**made, f"calendars/{name.slug}.yaml": calendar}


def _begin(name: Name, schema: str, about: str) -> Draft:
    draft = Draft()
    draft.add(f"# yaml-language-server: $schema=../schema/{schema}.schema.json")
    draft.add(f"# {MARK.format(file=' '.join(name.file.split()))}。{about}")
    return draft


def _rule(entry: Entry) -> str:
    return f'id: {entry.id}, at: "{entry.at:%H:%M}", {_days(entry.when)}'


def _days(days: When) -> str:
    if days.dates:
        return "once: " + _one_or_list([f"{day:%Y-%m-%d}" for day in days.dates])
    if days.monthly:
        return "monthly: " + _one_or_list(days.monthly)
    spelt = spell(days.on, ", ")
    return f"on: [{spelt}]" if "," in spelt else f"on: {spelt}"


def _one_or_list(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"[{', '.join(words)}]"


def _post(texts: Draft, entry: Entry, key: str, pictures: Sequence[str]) -> None:
    source = (entry.row, "text")
    if not pictures:
        texts.add(*_text(key, entry.text, ""), source=source)
        return
    texts.add(f"{key}:", source=source)
    if len(pictures) == 1 and entry.text:
        texts.add(*_text("text", entry.text, "  "), source=source)
        texts.add(f"  picture: {scalar(pictures[0])}", source=(entry.row, "picture"))
        return
    texts.add("  several:", source=source)
    if entry.text:
        first, *rest = _text("text", entry.text, "      ")
        texts.add(f"    - {first.strip()}", *rest, source=source)
    texts.add(*(f"    - picture: {scalar(each)}" for each in pictures), source=(entry.row, "picture"))


def _titles(entries: Sequence[Entry]) -> dict[str, str]:
    """Name what a kind is called when there is but one of it: the rest have their day and time beside."""
    contents: dict[str, set[tuple[str, int, int]]] = {}
    for entry in entries:
        contents.setdefault(_called(entry), set()).add((entry.text, entry.points, entry.shares))
    return {title: title for title, held in contents.items() if len(held) == 1}


def _called(entry: Entry) -> str:
    return " ".join((entry.row.text("title") or entry.row.text("kind")).split())


def _activity(entry: Entry, name: Name, titles: Mapping[str, str]) -> Draft:
    draft = _begin(name, "activity", "{points} 这样的会换成数字，照抄。")
    source = (entry.row, "kind")
    if remark := " ".join(entry.row.text("remark").split()):
        draft.add(f"# 备注：{remark}")
    called = _called(entry)
    draft.add(f"title: {scalar(titles.get(called, f'{called} {entry.id}'))}", source=source)
    if goal := " ".join(entry.row.text("goal").split()):
        draft.add(f"goal: {scalar(goal)}", source=(entry.row, "goal"))
    draft.add(f"kind: {entry.kind}", source=source)
    if entry.points:
        draft.add(f"points: {entry.points}", f"shares: {entry.shares}", source=(entry.row, "text"))
    draft.add("posts:", *_text("opening", entry.text, "  "), source=(entry.row, "text"))
    return draft


def _text(key: str, text: str, indent: str) -> Iterator[str]:
    """Write a key with a text: in its line when it is short and plain, or else as a block."""
    lines = [line.rstrip() for line in _UNSEEN.sub("", _BREAK.sub("\n", text)).strip().split("\n")]
    if len(lines) == 1 and len(lines[0]) <= 60:
        yield f"{indent}{key}: {scalar(lines[0])}"
        return
    yield f"{indent}{key}: |"
    yield from (f"{indent}  {line}" if line else "" for line in lines)


def scalar(text: str) -> str:
    """Write a text that stands in one line, quoted unless it is plain."""
    shown = _UNSEEN.sub("", " ".join(_BREAK.sub("\n", text).split("\n")))
    plain = _PLAIN.fullmatch(shown) and not _TYPED.fullmatch(shown)
    return shown if plain else json.dumps(shown, ensure_ascii=False)
