"""The documents say what the code does: every command, key and text, and examples that run."""

from __future__ import annotations

import dataclasses
import itertools
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, get_args

import pytest
import typer.main
from pydantic import BaseModel
from typer.testing import CliRunner

from bot import config
from bot.app import kinds, routes
from bot.cli import app as cli
from bot.config import Settings
from bot.console.outbox import Line
from bot.errors import Faults
from bot.sop.library import load
from bot.sop.schema import Activity, Calendar, Post, variables
from storage.settling import Listed
from tests.fakes import picture
from tests.importing.sheets import sheet

ROOT = Path(__file__).resolve().parents[2]
CHINESE = (
    "README.md",
    "docs/first-week.md",
    "docs/handbook.md",
    "docs/how-it-works.md",
    "docs/wechat.md",
    "docs/running.md",
    "docs/dependencies.md",
    "docs/performance.md",
)
DOCUMENTS = (*CHINESE, "README.en.md", "sop_library/README.md")

HANDBOOK = (ROOT / "docs/handbook.md").read_text(encoding="utf-8")
ROUTES = routes()
KINDS = kinds(ROUTES)

HAN = r"[\u3400-\u9fff]"
FENCE = re.compile(r"^```(?P<language>[^\n]*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`([^`\n]+)`")

Model = type[BaseModel]


# What a document holds. --------------------------------------------------------------------------


def document(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def prose(text: str) -> str:
    """A document as people read it: without code, comments, and where links lead."""
    text = re.sub(r"<!--.*?-->", "", FENCE.sub("", text), flags=re.DOTALL)
    return re.sub(r"\]\([^)]*\)|<img [^>]*>", "]", CODE.sub("`", text))


def section(title: str) -> str:
    """What stands under the heading of the handbook that ends so, up to the next one of any level."""
    parts = re.split(r"^#+ (.+)$", FENCE.sub("", HANDBOOK), flags=re.MULTILINE)
    found = [text for heading, text in zip(parts[1::2], parts[2::2], strict=True) if heading.endswith(title)]
    assert len(found) == 1, f"手册里要有一节叫「{title}」"
    return found[0]


def rows(text: str) -> Iterator[list[str]]:
    """The cells of each line of a text's tables, without their headings."""
    lines = [*text.splitlines(), ""]
    for line, after in itertools.pairwise(lines):
        if line.startswith("| ") and not line.startswith("| ---") and not after.startswith("| ---"):
            yield [cell.strip() for cell in line.strip().strip("|").split(" | ")]


def keys(text: str) -> dict[str, list[str]]:
    """Each line of a section's tables by the key that it begins with."""
    found: dict[str, list[str]] = {}
    for cells in rows(text):
        key = CODE.fullmatch(cells[0])
        assert key, f"这一行要以一个键开头：{cells}"
        assert key[1] not in found, f"{key[1]} 写了两行"
        found[key[1]] = cells
    return found


def spans(text: str) -> set[str]:
    return set(CODE.findall(FENCE.sub("", text)))


# What the code has. ------------------------------------------------------------------------------


def paths(model: Model, prefix: str = "") -> Iterator[tuple[str, bool]]:
    """Every key below a model as `round.open`, and whether it must be given."""
    for name, field in model.model_fields.items():
        path = f"{prefix}{field.alias or name}"
        yield path, field.is_required()
        for inner in models(field.annotation):
            yield from paths(inner, f"{path}.")


def models(annotation: object) -> Iterator[Model]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from models(argument)


def question_paths(question: type[Any]) -> Iterator[tuple[str, bool]]:
    """The keys of a file of questions; those of one question are its dataclass's."""
    yield from (("title", True), ("game", True), ("questions", True))
    for field in dataclasses.fields(question):
        yield f"questions.{field.name}", field.default is dataclasses.MISSING


def commands(command: Any, name: str) -> Iterator[tuple[str, list[str]]]:
    """Every command of the terminal with its options. Typer's own classes have no public names."""
    inner = getattr(command, "commands", {})
    for sub, one in inner.items():
        yield from commands(one, f"{name} {sub}")
    if not inner:
        yield (
            name,
            [each for one in command.params if one.param_type_name == "option" for each in one.opts],
        )


def texts_table(texts: Mapping[str, str]) -> str:
    """The table of the texts that operators may replace, as it must stand in the handbook."""
    lines = ["| 键 | 原来怎么说 | 变量 |", "| --- | --- | --- |"]
    for key, text in texts.items():
        names = " ".join(f"`{{{name}}}`" for name in variables(text))
        lines.append(f"| `{key}` | {text.replace(chr(10), ' ⏎ ').strip()} | {names} |")
    return "\n".join(lines)


def quotations(text: str) -> Iterator[str]:
    """What stands in the outermost 「」."""
    depth, begin = 0, 0
    for number, char in enumerate(text):
        if char == "「":
            depth, begin = depth + 1, begin if depth else number + 1
        elif char == "」":
            depth -= 1
            if not depth:
                yield text[begin:number]


def sentences(text: str) -> list[str]:
    return [one.strip() for one in re.split(r"[。\n]", text) if one.strip("」 \n")]


def pattern(text: str) -> re.Pattern[str]:
    """A text with anything where its variables stand."""
    return re.compile(re.sub(r"\\\{[a-z_]+\\\}", ".*", re.escape(text)))


def agree(documented: Mapping[str, list[str]], real: Mapping[str, bool]) -> None:
    """Table and model name the same keys, and the same ones must be given."""
    assert sorted(documented) == sorted(real), "手册的表和代码的键不一样"
    for key, needed in real.items():
        assert ("必填" in documented[key][2]) == needed, f"{key} 必填不必填，手册说得不对"


CHAT = ("成员", "谁都能说", "新人", "群主", "私聊小二")
TERMINAL = list(commands(typer.main.get_command(cli), "xiaoer"))


# Commands. ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted({*ROUTES.commands, *ROUTES.private}))
@pytest.mark.parametrize("where", ["docs/handbook.md", "README.md", "README.en.md"])
def test_every_command_is_told(name: str, where: str) -> None:
    assert name in spans(document(where))


@pytest.mark.parametrize("name", sorted(ROUTES.private))
def test_every_private_command_is_in_its_section(name: str) -> None:
    assert name in spans(section("私聊小二"))


@pytest.mark.parametrize("name", sorted(ROUTES.commands))
def test_what_the_handbook_calls_the_owners_is_the_owners(name: str) -> None:
    role = ROUTES.commands[name].role.name
    owners, others = spans(section("群主")), spans(section("成员")) | spans(section("谁都能说"))
    assert name in (owners if role == "OWNER" else owners | others)


@pytest.mark.parametrize("where", CHAT)
def test_an_answer_in_the_handbook_is_one_that_the_bot_gives(where: str) -> None:
    """Every sentence quoted in the last column is a sentence of a text, with something in its places."""
    quoted = [answer for cells in rows(section(where)) for answer in quotations(cells[-1])]
    # A sentence that is nothing but a variable would match everything.
    sentence = [
        one for text in ROUTES.texts.values() for one in sentences(text) if re.sub(r"\{\w+\}", "", one)
    ]
    known = list(map(pattern, sentence))
    said = [one for answer in quoted for one in sentences(answer)]
    assert said
    assert [one for one in said if not any(each.fullmatch(one) for each in known)] == []


@pytest.mark.parametrize(("name", "options"), TERMINAL)
def test_every_command_of_the_terminal_is_told_with_its_options(name: str, options: list[str]) -> None:
    line = next((" | ".join(cells) for cells in rows(section("终端命令")) if f"`{name}`" in cells[0]), "")
    assert line, f"手册里没有 {name}"
    assert [option for option in options if f"`{option}`" not in line] == []
    assert name in spans(document("README.md"))
    assert name in spans(document("README.en.md"))


def test_the_terminal_has_the_commands_that_are_looked_for() -> None:
    told = {cells[0].split("`")[1] for cells in rows(section("终端命令"))}
    assert told == {name for name, _ in TERMINAL}
    assert "--port" in dict(TERMINAL)["xiaoer run"]


# Keys. -------------------------------------------------------------------------------------------


def test_every_key_of_a_calendar_is_told() -> None:
    agree(keys(section("日历")), dict(paths(Calendar)))


@pytest.mark.parametrize("kind", sorted(KINDS.activities))
def test_every_key_of_an_activity_is_told(kind: str) -> None:
    common = keys(section("活动"))
    assert sorted(common) == sorted(key for key, _ in paths(Activity))
    agree({**common, **keys(section(f"`{kind}`"))}, dict(paths(KINDS.activities[kind])))


@pytest.mark.parametrize("game", sorted(KINDS.games))
def test_every_key_of_a_question_is_told(game: str) -> None:
    agree(keys(section("题库")), dict(question_paths(KINDS.games[game])))
    assert game in spans(section("`quiz`"))


def test_every_key_of_a_post_is_told() -> None:
    real = dict(paths(Post))
    # One of several has the keys of a post alone, which are told once.
    agree(
        keys(section("帖子")),
        {key: real[key] for key in real if key.removeprefix("several.") in (key, "pause")},
    )


def test_every_key_of_the_configuration_is_told() -> None:
    agree(keys(section("五、配置文件")), dict(paths(Settings)))


def test_every_text_is_told_as_it_is() -> None:
    begin, end = "<!-- texts: begin -->", "<!-- texts: end -->"
    table = HANDBOOK[HANDBOOK.index(begin) + len(begin) : HANDBOOK.index(end)].strip()
    wanted = texts_table(ROUTES.texts)
    assert table == wanted, f"手册里的文字表要改成：\n{wanted}"


# Examples. ---------------------------------------------------------------------------------------


def examples(language: str) -> list[tuple[str, str]]:
    """The handbook's files of one kind: where each stands, and its text."""
    found = []
    for block in FENCE.finditer(HANDBOOK):
        if block["language"] == language:
            head = re.match(r"# (\S+\.yaml)\n", block["body"])
            assert head, f"例子的第一行要写是哪个文件：\n{block['body']}"
            found.append((head[1], block["body"]))
    return found


def faulty_examples() -> list[tuple[str, str, str]]:
    """What is written wrong, and what the handbook says that the check answers."""
    answers = re.findall(
        r"^```yaml 写错\n.*?^```$\n+^```text\n(.*?)^```$", HANDBOOK, re.MULTILINE | re.DOTALL
    )
    wrong = examples("yaml 写错")
    assert len(answers) == len(wrong) > 0
    return [(name, text, answer.strip()) for (name, text), answer in zip(wrong, answers, strict=True)]


@pytest.fixture
def put(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Write a file of the handbook's where it says it stands, from an empty folder on."""
    monkeypatch.chdir(tmp_path)

    def write(name: str, text: str) -> None:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    return write


@pytest.fixture
def good(put: Callable[[str, str], None]) -> list[str]:
    """The handbook's library on disk; the answer is which files it has."""
    found = [(name, text) for name, text in examples("yaml") if name != config.NAME]
    for name, text in found:
        put(name, text)
        for path in re.findall(r"(?:picture|file|materials): \[?([^\s,}\]]+)", text):
            put(f"sop_library/{path}", "x")
            Path(f"sop_library/{path}").write_bytes(picture())
    return [name for name, _ in found]


def test_the_library_of_the_handbook_has_no_fault(good: list[str]) -> None:
    library = load(Path("sop_library"), KINDS)
    assert [str(fault) for fault in library.faults] == []
    assert {activity.kind for activity in library.activities.values()} == set(KINDS.activities)
    assert library.posts
    assert library.banks
    assert sum(len(one.slots) for one in library.calendars.values()) > 3
    assert library.texts != KINDS.texts
    assert len(set(good)) == len(good)


def test_the_plan_of_the_handbook_can_be_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its table, typed into a spreadsheet, gives the files that it names; and its faults are told so."""
    monkeypatch.chdir(tmp_path)
    head = "| 日期 | 时间 | 类型 |"
    lines = HANDBOOK[HANDBOOK.index(head) :].partition("\n\n")[0].splitlines()
    book = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if "---" not in line]
    sheet(Path("十二月.xlsx"), *book[1:], head=book[0])
    result = CliRunner().invoke(cli, ["import", "十二月.xlsx", "--tag", "理财", "--into", "library"])
    assert result.exit_code == 0, result.stderr
    assert [str(fault) for fault in load(Path("library"), KINDS).faults] == []
    for name in ("calendars/shi-er-yue.yaml", "texts/shi-er-yue.yaml"):
        assert Path("library", name).is_file()
        assert name in spans(section("导入排期表"))
    (shown,) = re.findall(r"^```text\n(十二月\.xlsx .*?)\n```$", HANDBOOK, re.MULTILINE | re.DOTALL)
    good, late, packet = (
        ["周一", "8:00", "", "好"],
        ["周二", "25:00", "", "好"],
        ["周三", "20:00", "红包", "快来抢"],
    )
    sheet(Path("十二月.xlsx"), good, good, late, good, packet, head=book[0])
    wrong = CliRunner().invoke(cli, ["import", "十二月.xlsx", "--into", "other"])
    assert wrong.stderr.strip() == shown


def test_the_configuration_of_the_handbook_is_the_default() -> None:
    (text,) = (text for name, text in examples("yaml") if name == config.NAME)
    shipped = config.load(ROOT / config.NAME, required=True)
    assert _configured(text) == Settings() == shipped


@pytest.mark.parametrize(("name", "text", "answer"), faulty_examples())
def test_a_fault_looks_as_the_handbook_shows_it(
    name: str, text: str, answer: str, put: Callable[[str, str], None], good: list[str]
) -> None:
    assert name not in good
    put(name, text)
    if name == config.NAME:
        with pytest.raises(Faults) as faults:
            config.load(Path(name), required=True)
        assert str(faults.value) == answer
    else:
        assert "\n".join(map(str, load(Path("sop_library"), KINDS).faults)) == answer


def test_a_warning_looks_as_the_handbook_shows_it(good: list[str]) -> None:
    """Of slots that cannot go out in time, with the groups that it names."""
    (shown,) = re.findall(r"^```text\n(\S+: 提醒：(\d+) 个群.*)\n```$", HANDBOOK, re.MULTILINE)
    assert shown[0].partition(":")[0] in good
    result = CliRunner().invoke(cli, ["check", "sop_library", "--groups", shown[1]])
    assert shown[0] in result.stdout.splitlines()
    assert result.exit_code == 0


def test_a_message_is_listed_as_the_handbook_shows_it() -> None:
    """With its group, its time, what it says and why nobody knows."""
    said = "红包到时间了，剩下的 4 份共 4 分退回 阿强。手气最佳：小美，1 分。"
    listed = Listed(23, "sandbox", "g1", "街坊理财群", "say", {}, "unknown", "上次停下时正在发送", 0, 0)
    assert f"```text\n{Line(listed, datetime(2026, 11, 24, 20, tzinfo=UTC), said)}\n```" in HANDBOOK


def test_the_accounts_of_the_wechat_page_are_a_configuration() -> None:
    found = [
        block["body"] for block in FENCE.finditer(document("docs/wechat.md")) if block["language"] == "yaml"
    ]
    assert found
    assert all(_configured(text).accounts for text in found)


def _configured(text: str) -> Settings:
    with TemporaryDirectory() as folder:
        path = Path(folder, config.NAME)
        path.write_text(text, encoding="utf-8")
        return config.load(path, required=True)


# How it is written. ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*CHINESE, "README.en.md"])
def test_a_space_stands_between_chinese_and_latin(name: str) -> None:
    close = re.compile(rf".{{0,9}}(?:{HAN}[A-Za-z0-9]|[A-Za-z0-9]{HAN}).{{0,9}}")
    assert close.findall(prose(document(name))) == []


@pytest.mark.parametrize("name", CHINESE)
def test_chinese_has_full_width_punctuation(name: str) -> None:
    half = re.compile(rf".{{0,9}}{HAN}[,;:!?()].{{0,9}}")
    assert half.findall(prose(document(name))) == []


@pytest.mark.parametrize("name", CHINESE)
def test_the_marks_of_the_rules_are_found(name: str) -> None:
    """The two tests above look at something: a document has prose, and bad prose is caught."""
    assert len(re.findall(HAN, prose(document(name)))) > 200
    assert re.search(rf"{HAN}[A-Za-z0-9]", prose("`code` 小二v1"))
    assert not re.search(rf"{HAN}[A-Za-z0-9]", prose("小二`v1`\n```sh\n小二v1\n```\n"))


def links(name: str) -> Iterator[str]:
    text = FENCE.sub("", document(name))
    yield from re.findall(r"\]\(([^)\s]+)\)", text)
    yield from re.findall(r'<img src="([^"]+)"', text)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_file_that_is_linked_is_there(name: str) -> None:
    missing = []
    for link in links(name):
        target, _, anchor = link.partition("#")
        path = (ROOT / name).parent / target if target else ROOT / name
        if re.match(r"\w+:", link) or path.suffix == ".png":
            continue
        if not path.exists() or (anchor and anchor not in anchors(path)):
            missing.append(link)
    assert missing == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_picture_is_there(name: str) -> None:
    pictures = [(ROOT / name).parent / link for link in links(name) if link.endswith(".png")]
    assert [str(picture) for picture in pictures if not picture.is_file()] == []


def anchors(path: Path) -> set[str]:
    """What GitHub makes of a document's headings."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", path.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_no_document_points_at_a_package_registry() -> None:
    packages = re.compile(r"https?://\S*(?:/simple/|\.whl|\.tgz)|registry\.|/root/|/home/")
    assert [name for name in DOCUMENTS if packages.search(document(name))] == []


def test_the_english_readme_has_the_same_parts() -> None:
    chinese, english = (
        re.findall(r"^(#+) ", FENCE.sub("", document(one)), re.MULTILINE)
        for one in ("README.md", "README.en.md")
    )
    assert chinese == english


# Dependencies. -----------------------------------------------------------------------------------


def test_every_dependency_has_its_reason() -> None:
    project = tomllib.loads(document("pyproject.toml"))["project"]
    wanted = [
        *project["dependencies"],
        *(one for group in project["optional-dependencies"].values() for one in group),
    ]
    told = {cells[0].strip("`").lower(): cells for cells in rows(document("docs/dependencies.md"))}
    assert sorted(told) == sorted(_name(one) for one in wanted)
    assert [name for name, cells in told.items() if len(cells[1]) < 4] == []


def _name(requirement: str) -> str:
    found = re.match(r"[\w.-]+", requirement)
    assert found
    return found[0].lower()
