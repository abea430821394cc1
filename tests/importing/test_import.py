"""`xiaoer import`: what an office's table becomes, and what is said when it is wrong."""

from __future__ import annotations

import shutil
import tempfile
from datetime import date, datetime, time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.app import kinds, routes
from bot.importing import bringing
from bot.sop.library import load
from tests.harness import SHIPPED
from tests.importing.sheets import PNG, bring, files, sheet

KINDS = kinds(routes())
BOTH = ("日期", "星期", "时间", "类型", "内容")


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command looks for config.yaml where it is started."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A library with nothing in it."""
    (tmp_path / "lib/activities").mkdir(parents=True)
    return tmp_path / "lib"


def test_a_table_of_an_office_becomes_a_calendar(tmp_path: Path) -> None:
    """With a title above, columns in their own order and by other names, merged days, times of all kinds."""
    root = tmp_path / "lib"
    shutil.copytree(SHIPPED, root)
    (tmp_path / "图").mkdir()
    (tmp_path / "图/海报.png").write_bytes(PNG)
    plan = sheet(
        tmp_path / "plan.xlsx",
        ["理财群一周排期"],
        [],
        ["序号", "周几", "发布时间", "活动类型", "文案", "配图", "网址", "目的", "备注"],
        [1, "周一至周五", time(8), "签到", "早上好，新的一天。\n\n回复「签到」。", "", "", "打个照面", ""],
        [
            2,
            "周一",
            "12:10",
            "知识",
            "先把应急金放好",
            "图/海报.png",
            "https://example.com/a",
            "科普",
            "小王",
        ],
        [3, "周三", "晚8点", "红包", "200 分 20 份", "", "", "", ""],
        [4, "", "早8点30", "提醒", "先到先得", "", "", "", ""],
        [5, "周二、四", 20.5 / 24, "问答", "理财小问答", "", "", "", ""],
        [6, "周六", "15:30", "答题", "节气知识", "", "", "", ""],
        head=(),
        merged=["A1:I1", "B6:B7"],
    )
    result = bring(plan, root)
    assert result.exit_code == 0, result.stderr
    assert (
        (root / "calendars/plan.yaml").read_text()
        == """\
# yaml-language-server: $schema=../schema/calendar.schema.json
# 从 plan.xlsx 导入。改了表，加 --force 再导入一遍；改了这里，就别再导入。
title: "plan"
audience: {tags: [理财]}
slots:
  # 签到 · 目的：打个照面
  - {id: mon-fri-0800, at: "08:00", on: mon-fri, do: plan-mon-fri-0800}
  # 知识 · 目的：科普 · 备注：小王
  - {id: mon-1210, at: "12:10", on: mon, post: plan-mon-1210}
  # 红包
  - {id: wed-2000, at: "20:00", on: wed, do: plan-wed-2000}
  # 提醒
  - {id: wed-0830, at: "08:30", on: wed, post: plan-wed-0830}
  # 问答
  - {id: tue-thu-2030, at: "20:30", on: [tue, thu], do: money-quiz}
  # 答题
  # 先写好题库和活动，再去掉下一行的 #：
  # - {id: sat-1530, at: "15:30", on: sat, do: 活动的编号}
"""
    )
    assert (
        (root / "texts/plan.yaml").read_text()
        == """\
# yaml-language-server: $schema=../schema/texts.schema.json
# 从 plan.xlsx 导入。名字（冒号前面）改了，日历里也要跟着改。
plan-mon-1210:
  text: |
    先把应急金放好
    https://example.com/a
  picture: pictures/海报.png
plan-wed-0830: 先到先得
"""
    )
    assert (
        (root / "activities/plan-mon-fri-0800.yaml").read_text()
        == """\
# yaml-language-server: $schema=../schema/activity.schema.json
# 从 plan.xlsx 导入。{points} 这样的会换成数字，照抄。
title: 签到
goal: 打个照面
kind: sign_in
posts:
  opening: |
    早上好，新的一天。

    回复「签到」。
"""
    )
    assert "points: 200\nshares: 20\n" in (root / "activities/plan-wed-2000.yaml").read_text()
    assert (root / "pictures/海报.png").read_bytes() == PNG
    assert load(root, KINDS).faults == ()
    assert result.stdout.splitlines()[0] == (
        "从 plan.xlsx 读了 6 行：2 条帖子，1 次签到，1 个红包，1 场库里的活动，1 场问答还没有题。"
    )
    assert "提醒：「Sheet1」里没有用到的列：序号" in result.stdout
    assert "提醒：'Sheet1'!E9 是问答，题目要自己写" in result.stdout


def test_all_that_is_wrong_is_told_at_once_by_cell(tmp_path: Path, root: Path) -> None:
    """And nothing is written: not even what was right."""
    plan = sheet(
        tmp_path / "plan.xlsx",
        ["周一", "8:00", "签到", "早上好", "", "", "", ""],
        ["周八", "8:00", "通知", "好", "", "", "", ""],
        ["周一", "25:00", "通知", "好", "", "", "", ""],
        ["周一", "", "通知", "好", "", "", "", ""],
        ["周一", "8:00", "红包", "100 元红包", "", "", "", ""],
        ["周一", "8:00", "红包", "5 分 20 份", "", "", "", ""],
        ["周一", "8:00", "通知", "", "", "", "", "缺内容"],
        ["周一", "8:00", "通知", "好", "没有.png", "", "", ""],
        ["周一", "8:00", "通知", "好", "../secret.png", "", "", ""],
        ["周一", "8:00", "通知", "好", "", "点这里", "", ""],
        ["周一", "8:00", "通知", "=A1&B1", "", "", "", ""],
        ["周一", "8:00", "通知", "{nmae} 好", "", "", "", ""],
    )
    (tmp_path.parent / "secret.png").write_bytes(PNG)
    before = files(root)
    result = bring(plan, root)
    assert (result.exit_code, files(root)) == (2, before)
    told = [line.removeprefix("plan.xlsx ") for line in result.stderr.splitlines()]
    assert told == [
        "'Sheet1'!A3: \"周八\" 看不出是哪一天，要写成 2026-12-24、12月24日、周一、周二、周四、每天 或 工作日 这样",
        "'Sheet1'!B4: \"25:00\" 不是一天里的时刻，要在 00:00 到 23:59 之间",
        "'Sheet1'!B5: 没有写几点，每一行都要写时间，比如 20:00",
        "'Sheet1'!D6: 红包要写一共多少积分、分成几份，比如：200 分 20 份",
        "'Sheet1'!D7: 每份至少 1 分，5 分不够分成 20 份",
        "'Sheet1'!D8: 内容空着，请写要发的话",
        "'Sheet1'!F11: \"点这里\" 不是网址，要以 http:// 或 https:// 开头",
        "'Sheet1'!D12: 这是公式，文件里没有算好的值：请复制这一格，再「粘贴为数值」",
        "'Sheet1'!E9: 找不到图片 \"没有.png\"，要放在表格旁边，或者活动库的 pictures 里",
        "'Sheet1'!E10: 找不到图片 \"../secret.png\"，要放在表格旁边，或者活动库的 pictures 里",
    ]


def test_what_only_the_library_can_tell_is_told_by_cell_too(tmp_path: Path, root: Path) -> None:
    """The loader tries a copy, and its faults are brought back to the cells; faults of old are not told."""
    (root / "activities/old.yaml").write_text("titel: 旧的\n")
    plan = sheet(
        tmp_path / "plan.xlsx",
        ["周一", "8:00", "通知", "好", "", "", "", ""],
        ["", "9:00", "通知", "第一行\n{nmae} 好", "", "", "", ""],
    )
    before = files(root)
    result = bring(plan, root)
    assert (result.exit_code, files(root)) == (2, before)
    (line,) = result.stderr.splitlines()
    assert line.startswith("plan.xlsx 'Sheet1'!D3: 没有 {nmae} 这个变量")


def test_what_was_imported_once_is_not_overwritten_unasked(tmp_path: Path, root: Path) -> None:
    """The same table again changes nothing, and keeps its ids; another one needs --force."""
    rows = [
        ["周一", "8:00", "签到", "早上好", "", "", "", ""],
        ["周二", "8:00", "通知", "好", "", "", "", ""],
    ]
    plan = sheet(tmp_path / "plan.xlsx", *rows)
    assert bring(plan, root).exit_code == 0
    first = files(root)
    again = bring(plan, root)
    assert (again.exit_code, files(root)) == (0, first)
    assert "什么也没有改" in again.stdout
    sheet(plan, ["周日", "8:00", "通知", "新的", "", "", "", ""], *rows)
    refused = bring(plan, root)
    assert (refused.exit_code, files(root)) == (2, first)
    assert refused.stderr.count("--force") == 2
    assert bring(plan, root, "--force").exit_code == 0
    now = load(root, KINDS)
    assert [slot.id for slot in now.calendars["plan"].slots] == ["sun-0800", "mon-0800", "tue-0800"]
    assert first["activities/plan-mon-0800.yaml"] == files(root)["activities/plan-mon-0800.yaml"]


def test_a_library_is_made_where_there_is_none(tmp_path: Path) -> None:
    """From an empty folder to a calendar; its name is in pinyin, or as it is told."""
    plan = sheet(tmp_path / "理财群.xlsx", ["每天", "8:00", "通知", "好", "", "", "", ""])
    assert bring(plan, tmp_path / "new").exit_code == 0
    assert bring(plan, tmp_path / "new", "--calendar", "夜").exit_code == 0
    calendars = load(tmp_path / "new", KINDS).calendars
    assert {name: calendar.title for name, calendar in calendars.items()} == {
        "li-cai-qun": "理财群",
        "ye": "夜",
    }
    refused = bring(plan, tmp_path / "new", "--calendar", "！！")
    assert (refused.exit_code, "--calendar" in refused.stderr) == (2, True)


def test_rows_of_one_content_are_one_post(tmp_path: Path, root: Path) -> None:
    """Of the first of them; two slots of one moment have two ids."""
    plan = sheet(
        tmp_path / "plan.xlsx",
        ["周一", "8:00", "通知", "好", "", "", "", ""],
        ["周一", "8:00", "签到", "", "", "", "", ""],
        ["周二", "8:00", "签到", "", "", "", "", ""],
        ["周三", "8:00", "通知", "好", "", "", "", ""],
    )
    assert bring(plan, root).exit_code == 0
    library = load(root, KINDS)
    assert [(slot.id, slot.post, slot.do) for slot in library.calendars["plan"].slots] == [
        ("mon-0800", "plan-mon-0800", None),
        ("mon-0800-2", None, "plan-mon-0800-2"),
        ("tue-0800", None, "plan-mon-0800-2"),
        ("wed-0800", "plan-mon-0800", None),
    ]
    assert (list(library.posts), list(library.activities)) == (["plan-mon-0800"], ["plan-mon-0800-2"])


def test_rows_that_are_no_slots_are_left_out(tmp_path: Path, root: Path) -> None:
    """The head once more, a day alone for those below it, and a remark at the end."""
    plan = sheet(
        tmp_path / "plan.xlsx",
        ["周一", "", "", "", "", "", "", ""],
        ["", "8:00", "通知", "好", "", "", "", ""],
        ["日期", "时间", "类型", "内容", "图片", "链接", "目的", "备注"],
        ["周二", "8:00", "通知", "也好", "", "", "", ""],
        ["注：以经理的通知为准", "", "", "", "", "", "", ""],
    )
    result = bring(plan, root)
    assert "跳过了 'Sheet1'!A6 这一行：没有时间，也没有内容" in result.stdout
    assert [slot.id for slot in load(root, KINDS).calendars["plan"].slots] == ["mon-0800", "tue-0800"]


@pytest.mark.parametrize(
    ("head", "said"),
    [
        (("日期", "时间", "类型"), "'Sheet1'!A1: 这一行是表头，缺这几列：「内容」"),
        (("时间", "内容"), "'Sheet1'!A1: 这一行是表头，缺这几列：「日期」或「星期」"),
        (("日期", "时间", "内容", "文案"), "'Sheet1'!D1: 有两列都当作「内容」，请给一列改个名字"),
        (("甲", "乙"), "找不到表头"),
    ],
)
def test_a_head_that_will_not_do_is_told(
    tmp_path: Path, root: Path, head: tuple[str, ...], said: str
) -> None:
    """Which columns are missing, or are there twice."""
    result = bring(sheet(tmp_path / "plan.xlsx", ["周一", "8:00", "好", "好"], head=head), root)
    assert (result.exit_code, said in result.stderr) == (2, True), result.stderr


def test_dates_and_kinds_of_day_become_rules(tmp_path: Path, root: Path) -> None:
    """One day, several, workdays, days of the month; with the weekday in the comment."""
    plan = sheet(
        tmp_path / "plan.xlsx",
        [datetime(2026, 12, 24), "周四", time(20), "通知", "平安夜"],
        ["", "", "20:30", "通知", "早点睡"],
        ["12月25日-26日", "", "8:00", "通知", "圣诞"],
        ["工作日", "", "8:30", "通知", "上班"],
        ["每月15日", "", "9:00", "通知", "月中"],
        ["", "周日", "9:00", "通知", "歇着"],
        head=BOTH,
    )
    result = bring(plan, root)
    assert result.exit_code == 0, result.stderr
    lines = (root / "calendars/plan.yaml").read_text().splitlines()
    assert [line.partition(", post")[0] for line in lines if line.startswith("  - ")] == [
        '  - {id: 20261224-2000, at: "20:00", once: 2026-12-24',
        '  - {id: 20261224-2030, at: "20:30", once: 2026-12-24',
        '  - {id: 20261225-0800, at: "08:00", once: [2026-12-25, 2026-12-26]',
        '  - {id: workdays-0830, at: "08:30", on: workdays',
        '  - {id: m15-0900, at: "09:00", monthly: 15',
        '  - {id: sun-0900, at: "09:00", on: sun',
    ]
    assert lines[5] == "  # 周四 · 通知"
    refused = bring(sheet(plan, ["12月24日", "周三", "8:00", "", "好"], head=BOTH), root, "--force")
    assert "'Sheet1'!B2: 12 月 24 日是星期四，和写的星期对不上" in refused.stderr


TEXTS = st.text(
    st.characters(codec="utf-8", exclude_characters="{}", exclude_categories=["Cs", "Cc"])
    | st.sampled_from("\n\t :#-'\"|>&*![]，。"),
    min_size=1,
    max_size=40,
).filter(lambda text: text.strip() and text[0] != "=")  # what begins so is a formula


@given(st.lists(TEXTS, min_size=1, max_size=4), TEXTS)
@settings(deadline=None, max_examples=50)
def test_any_text_at_all_stands_in_the_library_as_it_was_written(said: list[str], remark: str) -> None:
    """Whatever marks of YAML's are in it; only space at the ends of lines may go."""
    with tempfile.TemporaryDirectory() as folder:
        rows = [
            ["周一", f"{hour}:00", remark, text, "", "", remark, remark] for hour, text in enumerate(said)
        ]
        plan = sheet(Path(folder, "plan.xlsx"), *rows)
        bringing.bring(plan, Path(folder, "lib"), KINDS, date(2026, 11, 20))
        library = load(Path(folder, "lib"), KINDS)
    assert library.faults == ()


def test_two_pictures_of_one_name_are_not_taken_for_each_other(root: Path, tmp_path: Path) -> None:
    """They would be one file in the library; what is the same picture twice is no matter."""
    for folder, content in (("一", b""), ("二", b"2"), ("三", b"")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "room.png").write_bytes(PNG + content)
    rows = [["每天", f"{hour}:00", "", hour, f"{where}/room.png"] for hour, where in ((8, "一"), (9, "二"))]
    told = bring(sheet(tmp_path / "plan.xlsx", *rows), root)
    assert told.exit_code == 2
    said = '图片 "二/room.png" 和 "一/room.png" 在活动库里会是同一个文件，请给一张改个名字'
    assert f"plan.xlsx 'Sheet1'!E3: {said}" in told.output
    assert files(root) == {}
    rows[1][-1] = "三/room.png"
    assert bring(sheet(tmp_path / "plan.xlsx", *rows), root).exit_code == 0
    again = bring(sheet(tmp_path / "plan.xlsx", *rows), root)
    assert "什么也没有改" in again.output
