"""What is said of each bad file, to the letter."""

import json
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.errors import Faults
from bot.sop.checking import validate
from bot.sop.posts import FIRST, NOTHING
from bot.sop.reading import read
from bot.sop.values import LARGEST_FILE, LARGEST_PICTURE
from tests.sop.fakes import GOOD, KINDS, library, write

HEAD = "title: 甲\naudience: {tags: [a]}\nslots:\n"
CAL, ACT, BANK, TEXT = "calendars/c.yaml", "activities/a.yaml", "questions/q.yaml", "texts/t.yaml"
KNOWN = "可以用 {group}、{date}、{weekday}、{names}"
QUIZ = GOOD["activities/quiz-night.yaml"]
QUESTIONS = GOOD["questions/general.yaml"]

Case = tuple[str, str | bytes, *tuple[str, ...]]


def calendars(line: str, rows: list[tuple[str, ...]]) -> list[Case]:
    """Calendars with what stands first in each row put into a line, and their faults."""
    return [(CAL, HEAD + line.replace("…", row[0]), *row[1:]) for row in rows]


BAD: list[Case] = [
    # The file itself.
    (ACT, "", "1:1: 文件是空的"),
    (ACT, "# 只有注释\n", "1:1: 文件是空的"),
    (ACT, b"title: \x00\x01", "1:8: 这里有看不见的控制字符，不像是文本文件：删掉它，或者换成文本文件"),
    (ACT, "title: 早\nkind: 早安".encode("gbk"), "1:8: 文件不是 UTF-8 编码：用编辑器打开，另存为 UTF-8"),
    (ACT, "title: 早\nposts:\n\topening: a\n", "3:1: 这里是 Tab，缩进要用空格"),
    (ACT, "title：早\nkind：sign_in\n", '1:6: 键后面要用半角冒号加空格 ": "，不是全角的 "："'),
    (ACT, "title：早\nkind: sign_in\n", '1:6: 键后面要用半角冒号加空格 ": "，不是全角的 "："'),
    (ACT, "title: 早: 安\n", "1:9: 这里不该有冒号：键要和上一行对齐；文字里有冒号加空格时，整段文字要加引号"),
    (ACT, "title: '早\nkind: sign_in\n", r"1:8: 引号没有合上，或者引号里的 \ 后面写得不对"),
    (ACT, "title: [早\nkind: sign_in\n", "1:8: 方括号 [] 没有合上，或者少了逗号"),
    (ACT, "title: @早\n", "1:8: 文字不能用这个字符开头，整段文字要加引号"),
    (
        ACT,
        "title: 早\n kind: sign_in\n",
        "2:6: 这里不该有冒号：键要和上一行对齐；文字里有冒号加空格时，整段文字要加引号",
    ),
    (ACT, "title: 早\n---\ntitle: 晚\n", '2:1: 一个文件只能有一份内容，去掉这里的 "---"'),
    (ACT, "{a: b}: c\n", "1:1: 冒号前面只能是一个词；以 { 或 [ 开头的文字要加引号"),
    (ACT, "- title\n", '1:1: 整个文件要写成 "键: 值" 的样子'),
    (ACT, "a" * (1024 * 1024 + 1), "1:1: 文件超过 1 MB，请拆成几个文件"),
    (ACT, "[" * 100_000, "1:33: 嵌套太深，最多 32 层"),
    (ACT, "title: &a 早\nkind: sign_in\n", '1:8: 不能用 "&a" 起名，请去掉它；文字以 & 开头时要加引号'),
    (ACT, "title: 早\nkind: sign_in\ngoal: *a\n", '3:7: 不能用 "*a" 引用别处，请把内容写出来'),
    (
        ACT,
        "title: !!python/object:os.system 早\nkind: sign_in\n",
        "1:8: 不能用 ! 开头的类型标记，请去掉它；文字以 ! 开头时要加引号",
    ),
    (ACT, 'title: "早\\0"\nkind: sign_in\n', "1:8: 文字里有看不见的控制字符，请去掉它"),
    (ACT, "title: 早\nkind: sign_in\ntitle: 晚\n", '3:1: 键 "title" 写了两次，第一次在第 1 行'),
    ("activities/a.yml", "title: 早\nkind: sign_in\n", '1:1: 请把文件改名为 "a.yaml"'),
    ("activities/a b.yaml", "title: 早\nkind: sign_in\n", '1:1: 文件名只能用字母、数字、汉字、"-" 和 "_"'),
    (
        "activities/sub/a.yaml",
        "title: 早\nkind: sign_in\n",
        "1:1: 文件要直接放在 activities 里，不能再套文件夹",
    ),
    ("a.yaml", "title: 早\n", "1:1: 文件要放进文件夹：activities、calendars、questions、texts"),
    # Keys and values.
    (ACT, "titel: 早\nkind: sign_in\n", '1:1: 不认识的键 "titel"，是不是 "title"？'),
    (
        ACT,
        "title: 早\nkind: sign_in\nzzz: 1\n",
        '3:1: 不认识的键 "zzz"，这里可以写 title、goal、kind、length、materials、hook、points',
    ),
    (ACT, "title: 早\nkind: sign-in\n", '2:7: 不认识的活动种类 "sign-in"，是不是 "sign_in"？'),
    (ACT, "title: 早\nkind: [sign_in]\n", '2:7: "kind" 要写一段文字；以 { 或 [ 开头的文字要加引号'),
    (ACT, "title: 早\n", '1:1: 缺 "kind"，请补上'),
    (ACT, "title:\nkind: sign_in\n", '1:7: "title" 不能空着'),
    (ACT, "title: {早}\nkind: sign_in\n", '1:8: "title" 要写一段文字；以 { 或 [ 开头的文字要加引号'),
    (ACT, "title: 早\nkind: sign_in\npoints: many\n", '3:9: "points" 要写整数，不能写 "many"'),
    (ACT, QUIZ.replace("pick: 2", "pick: 0"), '5:34: "pick" 不能小于 1'),
    (ACT, QUIZ.replace("pick: 2", "pik: 2"), '5:28: 不认识的键 "pik"，是不是 "pick"？'),
    (
        ACT,
        QUIZ.replace("open: 3m", "open: 3分钟"),
        '6:15: "3分钟" 不是时长，要写成 90s、3m、1h30m 或 2d 这样',
    ),
    (ACT, QUIZ.replace("open: 3m", "open: 999d"), '6:15: 时长 "999d" 太长，最多 366d'),
    (ACT, QUIZ.replace("gap: 10s", "gap: 0s"), '6:24: "gap" 要大于 0'),
    (ACT, QUIZ.replace("{open: 3m, gap: 10s}", "3m"), '6:8: "round" 要写成 "键: 值" 的样子，不能写 "3m"'),
    (ACT, QUIZ.replace("first: 3", "first: 30"), '7:18: "first" 不能大于 10'),
    (ACT, QUIZ.replace("first: 3", "fist: 3"), '7:11: 不认识的键 "fist"，是不是 "first"？'),
    (
        ACT,
        QUIZ.replace("{first: 3}", "al"),
        '7:10: "winners" 要写成 "键: 值" 的样子，不能写 "al"；或者 "winners" 只能写 all，不能写 "al"，是不是 "all"？',
    ),
    (ACT, QUIZ + "mode: fats\n", '9:7: "mode" 只能写 fast、slow，不能写 "fats"，是不是 "fast"？'),
    (ACT, QUIZ + "again: maybe\n", '9:8: "again" 要写 true 或 false，不能写 "maybe"'),
    (ACT, QUIZ.replace("{rounds}", "{round}"), "8:18: 没有 {round} 这个变量，是不是 {rounds}？"),
    (ACT, QUIZ.replace("{rounds}", "{x}"), "8:18: 没有 {x} 这个变量，可以用 {rounds}、{minutes}"),
    (
        ACT,
        QUIZ.replace("{rounds}", "{rounds"),
        '8:18: 单独的 "{" 不能用：变量写成 {名字}，括号请改用全角的（）',
    ),
    # Hooks.
    *[
        (ACT, f"title: 早\nkind: sign_in\n{lines}\n", fault)
        for lines, fault in (
            (
                "hook: {post: brief}",
                "3:7: 这种活动自己不会结束：请加上 length，比如 1h，或者给 latest 写一个时长，比如 20m",
            ),
            ("hook: {at: closing, post: brief}", "3:7: 这种活动自己不会结束：请加上 length，比如 1h"),
            ("hook: {post: breif, latest: 20m}", '3:14: 不认识的帖子 "breif"，是不是 "brief"？'),
            ("hook: {latest: 20m}", '3:7: 缺 "post"，请补上'),
            (
                "hook: {post: brief, earliest: 9m, latest: 8m}",
                "3:7: latest 比 earliest 还早，请把 latest 改晚，或者把 earliest 改早",
            ),
            (
                "hook: {post: brief, latest: closed}",
                '3:29: "closed" 不是时长，要写成 90s、3m、1h30m 或 2d 这样；到活动结束写 closing',
            ),
            ("hook: {post: brief, latest: 5s}", "3:29: 时长太短，至少 1m"),
            (
                "length: 3m\nhook: {post: brief}",
                "4:7: length 比 earliest 还短，活动结束了也发不了，请把 earliest 改早",
            ),
            (
                "length: 1h\nhook: {at: closing, post: brief, earliest: 2m}",
                "4:7: at: closing 是结束时就发，earliest 和 latest 就不用写了",
            ),
            ("hook: {at: top, post: brief}", '3:12: "at" 只能写 peak、closing，不能写 "top"'),
            (
                "hook: {post: '{names} 你好', latest: 20m}",
                "3:14: 没有 {names} 这个变量，可以用 {group}、{date}、{weekday}",
            ),
        )
    ],
    # Calendars.
    (
        CAL,
        HEAD + "  - {at: 25:00, do: morning}\n",
        '4:10: "25:00" 不是一天里的时刻，要写成 00:00 到 23:59，比如 08:00',
    ),
    (
        CAL,
        HEAD + "  - {at: 8:00, do: morning}\n",
        '4:10: "8:00" 不是一天里的时刻，要写成 00:00 到 23:59，比如 08:00',
    ),
    (
        CAL,
        HEAD + "  - {at: 08:00, on: funday, do: morning}\n",
        '4:21: 不认识的日子 "funday"，要写 mon 到 sun、mon-fri、[mon, wed]、daily、周一到周日、workdays 或 holidays',
    ),
    (
        CAL,
        HEAD + "  - {at: 08:00, on: monn-fri, do: morning}\n",
        '4:21: 不认识的日子 "monn-fri"，是不是 "mon"？',
    ),
    (
        CAL,
        HEAD + "  - {at: 08:00, on: [], do: morning}\n",
        "4:21: on 不能空着，要写星期几，比如 mon-fri、[mon, wed] 或 daily",
    ),
    (CAL, HEAD + "  - {at: 08:00, on: {mon}, do: morning}\n", "4:21: 要写星期几，比如 mon-fri 或 daily"),
    (
        CAL,
        HEAD + "  - {at: 08:00, do: morning, post: brief}\n",
        "4:5: do、post 和 rotate 只能写一个，要办两样就写成两条",
    ),
    (
        CAL,
        HEAD + "  - {at: 08:00}\n",
        "4:5: do、post 和 rotate 要写一个：do 是办活动，post 是发一段文字，rotate 是几样轮着来",
    ),
    (CAL, HEAD + "  - {do: morning}\n", '4:5: 缺 "at"，请补上'),
    (CAL, HEAD + "  - {at: 08:00, do: mornin}\n", '4:21: 不认识的活动 "mornin"，是不是 "morning"？'),
    (CAL, HEAD + "  - {at: 08:00, do: xyz}\n", '4:21: 不认识的活动 "xyz"'),
    (CAL, HEAD + "  - {at: 08:00, post: breif}\n", '4:23: 不认识的帖子 "breif"，是不是 "brief"？'),
    (
        CAL,
        HEAD + "  - {at: 08:00, post: '共 {n} 题'}\n",
        "4:23: 没有 {n} 这个变量，可以用 {group}、{date}、{weekday}",
    ),
    (
        CAL,
        HEAD + "  - {id: a/b, at: 08:00, do: morning}\n",
        '4:10: id "a/b" 只能用字母、数字、汉字、"-" 和 "_"',
    ),
    (
        CAL,
        HEAD + "  - {id: a, at: 08:00, do: morning}\n  - {id: a, at: 09:00, do: morning}\n",
        '5:10: id "a" 和第 1 条的一样，请换一个',
    ),
    (
        CAL,
        HEAD + "  - {at: 08:00, do: morning}\n  - {at: 08:00, do: morning}\n",
        "5:5: 和第 1 条一模一样，请删掉一条",
    ),
    (CAL, "title: 甲\naudience: {tags: []}\nslots: []\n", '2:18: "tags" 不能空着', '3:8: "slots" 不能空着'),
    (
        CAL,
        "title: 甲\naudience: {tags: 理财}\nslots:\n  - 早\n",
        '2:18: "tags" 要写成列表，比如 [a, b]，不能写 "理财"',
        '4:5: "slots" 第 1 项 要写成 "键: 值" 的样子，不能写 "早"',
    ),
    # Days, audiences and the rest of a slot.
    *calendars(
        "  - {at: 08:00, …, do: morning}\n",
        [
            ("date: 2-30", "4:23: 没有 2 月 30 日这一天"),
            ("date: 13-1", "4:23: 没有 13 月 1 日这一天"),
            (
                "date: 2026-12-24",
                '4:23: "2026-12-24" 不是每年的日期，要写成 月-日，比如 12-24；只办一年的写 once',
            ),
            ("date: [12-24, 2-30]", "4:23: 没有 2 月 30 日这一天"),
            ("date: []", "4:23: 不能空着，要写每年的日期，比如 12-24"),
            ("date: {12-24}", "4:23: 要写每年的日期，比如 12-24"),
            ("once: 2026-2-29", "4:23: 没有 2026 年 2 月 29 日这一天"),
            ("once: 12-24", '4:23: "12-24" 不是日期，要写成 年-月-日，比如 2026-12-24'),
            ("monthly: 32", '4:26: "32" 不是几号，要写 1 到 31，或者 last（最后一天）'),
            ("monthly: 0", '4:26: "0" 不是几号，要写 1 到 31，或者 last（最后一天）'),
            ("lunar: 八月十五", '4:24: "八月十五" 不是农历日期，要写成 月-日，比如 8-15'),
            ("lunar: 13-1", '4:24: 农历没有 "13-1"，月写 1 到 12，日写 1 到 30'),
            ("lunar: 8-31", '4:24: 农历没有 "8-31"，月写 1 到 12，日写 1 到 30'),
            ("festival: 元霄节", '4:27: 不认识的节日 "元霄节"，是不是 "元宵节"？'),
            ("on: [workdays, sat]", '4:21: "workdays" 要单独写，不能和别的日子放在一个列表里'),
            ("on: workday", '4:21: 不认识的日子 "workday"，是不是 "workdays"？'),
            (
                "day: 0",
                "4:5: 有 day 的时段是写给几个人的，只能发文字：do 换成 post",
                '4:22: "day" 不能小于 1',
            ),
            ("on: mon, date: 12-24", "4:5: on 和 date 只能写一个：一条时段只按一种日子来"),
            (
                "lunar: 1-1, festival: 春节, once: 2027-02-06",
                "4:5: once 和 lunar 和 festival 只能写一个：一条时段只按一种日子来",
            ),
            (
                "segment: silent",
                "4:5: 有 segment 的时段是写给几个人的，只能发文字：do 换成 post",
                '4:26: "segment" 只能写 active、silent-7d、silent-30d，不能写 "silent"，是不是 "silent-7d"？',
            ),
            ("to: private", "4:5: to 要和 day 或 segment 一起写"),
            ("most: 3", "4:5: most 要和 segment 一起写"),
            ("warm_up: []", "4:26: warm_up 不能空着，要写提前的时刻，比如 [-30m]"),
            ("warm_up: [30m]", '4:27: "30m" 不是提前的时刻，要写成 -30m、-2h 或 -1d 18:00'),
            ("warm_up: [-8d]", '4:27: "-8d" 太早或太晚，提前 1s 到 7d'),
            ("warm_up: [-9d 18:00]", '4:27: "-9d 18:00" 太早或太晚，提前 1 到 7 天'),
            ("warm_up: [-30m, {at: -30m, post: brief}]", '4:26: warm_up 里 "-30m" 写了两遍'),
            ("warm_up: [{at: -30m, post: breif}]", '4:44: 不认识的帖子 "breif"，是不是 "brief"？'),
            ("warm_up: [{post: brief}]", '4:27: 缺 "at"，请补上'),
            ("priority: 101", '4:27: "priority" 不能大于 100'),
            ("rotate: [morning, brief]", "4:5: do、post 和 rotate 只能写一个，要办两样就写成两条"),
        ],
    ),
    *calendars(
        "  - {at: 08:00, …}\n",
        [
            ("rotate: []", "4:25: rotate 不能空着：至少写两样，比如 [guess-pinyin, guess-dice]"),
            (
                "rotate: [morning]",
                "4:25: rotate 只有一样，轮不起来：至少写两样，比如 [guess-pinyin, guess-dice]",
            ),
            ("rotate: [morning, brief, morning]", '4:25: rotate 里 "morning" 写了两遍'),
            ("rotate: morning", '4:25: "rotate" 要写成列表，比如 [a, b]，不能写 "morning"'),
            (
                "rotate: [mornin, xyz]",
                '4:26: 不认识的活动或帖子 "mornin"，是不是 "morning"？',
                '4:34: 不认识的活动或帖子 "xyz"',
            ),
            (
                "day: 1, rotate: [morning, brief]",
                '4:34: "morning" 是活动；有 day 或 segment 的时段只能轮着发帖子',
            ),
            ("day: 1, segment: active, post: brief", "4:5: day 和 segment 只能写一个"),
            ("day: 1, warm_up: [-30m], post: brief", "4:5: 有 day 的时段不能预告，请去掉 warm_up"),
            ("day: 1, post: '{name} 你好'", "4:31: 没有 {name} 这个变量，是不是 {names}？"),
            ("post: '{names} 你好'", "4:23: 没有 {names} 这个变量，可以用 {group}、{date}、{weekday}"),
        ],
    ),
    (
        CAL,
        HEAD.replace("{tags: [a]}", "{}") + "  - {at: 08:00, do: morning}\n",
        "2:11: 要写 tags（标签）或 groups（群名），不然一个群也没有",
    ),
    (
        CAL,
        HEAD.replace("{tags: [a]}", "{groups: [甲], except: {}}") + "  - {at: 08:00, do: morning}\n",
        "2:33: 要写 tags（标签）或 groups（群名），不然一个群也没有",
    ),
    (
        CAL,
        "days: workday\nquiet: '22:00'\nposts_a_day: 0\n" + HEAD + "  - {at: 08:00, do: morning}\n",
        '1:7: "days" 只能写 workdays、holidays，不能写 "workday"，是不是 "workdays"？',
        '2:8: "22:00" 不是一段时间，要写成 "22:00-07:00"',
        '3:14: "posts_a_day" 不能小于 1',
    ),
    *calendars(
        "  - {id: m, at: 08:00, do: morning}\noverrides:\n  - {…}\n",
        [
            ("slot: n, tags: [b], skip: true", '6:12: 这本日历没有时段 "n"，要写时段的 id'),
            ("slot: m, tags: [b]", "6:5: 要写改成什么：at、do、post，或者 skip: true"),
            ("slot: m, skip: true", "6:5: 要写 tags（标签）或 groups（群名），不然一个群也没有"),
            ("slot: m, tags: [b], skip: true, at: 09:00", "6:5: skip 是不办，别的就不用写了"),
            ("slot: m, tags: [b], do: mornin", '6:30: 不认识的活动 "mornin"，是不是 "morning"？'),
            ("slot: m, tags: [b], post: breif", '6:32: 不认识的帖子 "breif"，是不是 "brief"？'),
            ("slot: m, tags: [b], do: morning, post: brief", "6:5: do 和 post 只能写一个"),
            ("tags: [b], at: 09:00", '6:5: 缺 "slot"，请补上'),
        ],
    ),
    # Days off.
    ("holidays.yaml", "holidays: {2027-2-30: 春节}\n", "1:12: 没有 2027 年 2 月 30 日这一天"),
    (
        "holidays.yaml",
        "holidays: {2027-02-06: ''}\nworkdays: [二月]\nweekends: []\n",
        '1:24: "2027-02-06" 不能空着',
        '2:12: "二月" 不是日期，要写成 年-月-日，比如 2026-12-24',
        '3:1: 不认识的键 "weekends"，这里可以写 holidays、workdays',
    ),
    (
        "holidays.yaml",
        "holidays: {2027-2-6: 春节}\nworkdays: [2027-02-06]\n",
        '2:12: "2027-02-06" 在 holidays 里也有，只能写在一边',
    ),
    ("holidays.yaml", "", "1:1: 文件是空的"),
    # Banks.
    (BANK, QUESTIONS.replace("answer: A", "answer: C"), '5:5: 答案 "C" 不在选项里'),
    (BANK, QUESTIONS.replace("answer: A", "anwser: A"), '5:33: 不认识的键 "anwser"，是不是 "answer"？'),
    (BANK, QUESTIONS.replace("choice", "chioce"), '2:7: 不认识的玩法 "chioce"，是不是 "choice"？'),
    (BANK, "title: 空\ngame: choice\nquestions: []\n", '3:12: "questions" 不能空着'),
    (
        BANK,
        QUESTIONS + "  - {ask: 二加二, answer: A, options: [四, 五]}\n",
        "6:5: 和第 2 题一模一样，请删掉一道",
    ),
    (ACT, QUIZ.replace("from: general", "from: genral"), '5:19: 不认识的题库 "genral"，是不是 "general"？'),
    (
        ACT,
        QUIZ.replace("from: general", "from: [general, genral]"),
        '5:29: 不认识的题库 "genral"，是不是 "general"？',
    ),
    (
        ACT,
        QUIZ.replace("game: choice", "game: pinyin"),
        '5:19: 题库 "general" 是 choice 的题，这个活动玩的是 pinyin',
    ),
    (ACT, QUIZ.replace("pick: 2", "pick: 3"), "5:34: 要抽 3 题，题库里只有 2 题"),
    # One fault hides no other.
    (
        CAL,
        HEAD + "  - {id: a, at: '20:00', do: mornin}\n  - {id: a, at: '21:00', post: breif}\n"
        "  - {id: b, at: '22:00', do: quiz-nigth, late: 5x}\n",
        '4:30: 不认识的活动 "mornin"，是不是 "morning"？',
        '5:10: id "a" 和第 1 条的一样，请换一个',
        '5:32: 不认识的帖子 "breif"，是不是 "brief"？',
        '6:30: 不认识的活动 "quiz-nigth"，是不是 "quiz-night"？',
        '6:48: "5x" 不是时长，要写成 90s、3m、1h30m 或 2d 这样',
    ),
    (
        CAL,
        (
            "titel: 甲\nslots:\n  - {at: 08:00, do: mornin, late: 0s}\n  - {at: 08:00, do: ' mornin'}\n"
            "  - {at: 8:00}\n  - {at: 08:00, on: x, do: mornin, post: breif}\n  - 早\n  - [早]\n"
        ),
        '1:1: 不认识的键 "titel"，是不是 "title"？',
        '1:1: 缺 "audience"，请补上',
        '3:21: 不认识的活动 "mornin"，是不是 "morning"？',
        "3:35: 时长太短，至少 1m",
        "4:5: 和第 1 条一模一样，请删掉一条",
        '4:21: 不认识的活动 "mornin"，是不是 "morning"？',
        "5:5: do、post 和 rotate 要写一个：do 是办活动，post 是发一段文字，rotate 是几样轮着来",
        '5:10: "8:00" 不是一天里的时刻，要写成 00:00 到 23:59，比如 08:00',
        "6:5: do、post 和 rotate 只能写一个，要办两样就写成两条",
        '6:21: 不认识的日子 "x"，要写 mon 到 sun、mon-fri、[mon, wed]、daily、周一到周日、workdays 或 holidays',
        '6:28: 不认识的活动 "mornin"，是不是 "morning"？',
        '6:42: 不认识的帖子 "breif"，是不是 "brief"？',
        '7:5: "slots" 第 5 项 要写成 "键: 值" 的样子，不能写 "早"',
        '8:5: "slots" 第 6 项 要写成 "键: 值" 的样子',
    ),
    (
        CAL,
        HEAD + "  - {at: 08:00, pots: brief}\n  - {at: 08:00, do: '', post: brief}\n",
        '4:17: 不认识的键 "pots"，是不是 "post"？',
        '5:21: "do" 不能空着',
    ),
    (
        ACT,
        QUIZ.replace("general, pick: 2", "genral, pick: 5").replace("open: 3m", "open: 3x"),
        '5:19: 不认识的题库 "genral"，是不是 "general"？',
        '6:15: "3x" 不是时长，要写成 90s、3m、1h30m 或 2d 这样',
    ),
    (
        ACT,
        QUIZ.replace("pick: 2", "pick: 3").replace("open: 3m", "open: 3x"),
        "5:34: 要抽 3 题，题库里只有 2 题",
        '6:15: "3x" 不是时长，要写成 90s、3m、1h30m 或 2d 这样',
    ),
    (
        ACT,
        QUIZ.replace("game: choice", "game: pinyin").replace("pick: 2", "pick: x"),
        '5:19: 题库 "general" 是 choice 的题，这个活动玩的是 pinyin',
        '5:34: "pick" 要写整数，不能写 "x"',
    ),
    (
        ACT,
        QUIZ.replace("general, pick: 2", "[general, [a], general], pick: 3.0"),
        '5:29: "from" 第 2 项 要写一段文字；以 { 或 [ 开头的文字要加引号',
    ),
    (
        ACT,
        QUIZ.replace("general, pick: 2", "[general, general], pick: 3.0"),
        "5:45: 要抽 3 题，题库里只有 2 题",
    ),
    (
        ACT,
        QUIZ.replace("kind: quiz", "kind: quizz").replace("title: 问答夜", "title:"),
        '1:7: "title" 不能空着',
        '3:7: 不认识的活动种类 "quizz"，是不是 "quiz"？',
    ),
    (
        ACT,
        "goal: [a]\nkind: quizz\ngame: chioce\nquestions: {from: genral, pick: 9}\n",
        '1:1: 缺 "title"，请补上',
        '1:7: "goal" 要写一段文字；以 { 或 [ 开头的文字要加引号',
        '2:7: 不认识的活动种类 "quizz"，是不是 "quiz"？',
        '3:7: 不认识的玩法 "chioce"，是不是 "choice"？',
        '4:19: 不认识的题库 "genral"，是不是 "general"？',
    ),
    (
        ACT,
        "title: 夜\nkind: quizz\ngame: chioce\nquestions: {from: general, pick: 9}\n",
        '2:7: 不认识的活动种类 "quizz"，是不是 "quiz"？',
        '3:7: 不认识的玩法 "chioce"，是不是 "choice"？',
        "4:34: 要抽 9 题，题库里只有 2 题",
    ),
    (
        BANK,
        "titel: 常识\ngame: chioce\nquestions: [早]\n",
        '1:1: 不认识的键 "titel"，是不是 "title"？',
        '2:7: 不认识的玩法 "chioce"，是不是 "choice"？',
        '3:13: "questions" 第 1 项 要写成 "键: 值" 的样子，不能写 "早"',
    ),
    (
        BANK,
        "gaem: choice\n",
        '1:1: 不认识的键 "gaem"，是不是 "game"？',
        '1:1: 缺 "questions"，请补上',
        '1:1: 缺 "title"，请补上',
    ),
    (
        BANK,
        QUESTIONS + QUESTIONS.partition("questions:\n")[2] + "  - {ask: 三, options: [四], answer: B}\n",
        "6:5: 和第 1 题一模一样，请删掉一道",
        "7:5: 和第 2 题一模一样，请删掉一道",
        '8:5: 答案 "B" 不在选项里',
    ),
    (
        TEXT,
        (
            "evening: [a]\nEvening: '{x} {'\nbrief: 又来 {n} {m}\nsign_in.dnoe: '}'\n"
            "sign_in.again: {text: '{x}', picture: a.exe}\n"
        ),
        '1:10: "evening" 要写成 "键: 值" 的样子',
        '2:1: 名字 "Evening" 只能用小写字母、数字和 "-"',
        f'2:10: 单独的 "{{" 不能用：变量写成 {{名字}}，括号请改用全角的（）；没有 {{x}} 这个变量，{KNOWN}',
        '3:1: "brief" 在前面的文件里已经有了，请删掉一个',
        f"3:8: 没有 {{n}} 这个变量，{KNOWN}；没有 {{m}} 这个变量，{KNOWN}",
        '4:1: 不认识的文字 "sign_in.dnoe"，是不是 "sign_in.done"？',
        '4:15: 单独的 "}" 不能用：变量写成 {名字}，括号请改用全角的（）',
        '5:16: 文字 "sign_in.again" 不能带图片，只写一段文字',
        "5:23: 没有 {x} 这个变量，这里不能用变量",
        '5:39: 图片 "a.exe" 要以 .png、.jpg、.jpeg 或 .gif 结尾',
    ),
    # Texts.
    (TEXT, "Evening: 晚上好\n", '1:1: 名字 "Evening" 只能用小写字母、数字和 "-"'),
    (TEXT, "evening: 晚上好 {name}\n", "1:10: 没有 {name} 这个变量，是不是 {names}？"),
    (TEXT, "evening: [a]\n", '1:10: "evening" 要写成 "键: 值" 的样子'),
    (TEXT, "sign_in.dnoe: 好\n", '1:1: 不认识的文字 "sign_in.dnoe"，是不是 "sign_in.done"？'),
    (TEXT, "sign_in.again: 第 {place} 次\n", "1:16: 没有 {place} 这个变量，这里不能用变量"),
    (
        TEXT,
        "sign_in.again: {text: 好, picture: a.png}\n",
        '1:16: 文字 "sign_in.again" 不能带图片，只写一段文字',
    ),
    (TEXT, "brief: 又来\n", '1:1: "brief" 在前面的文件里已经有了，请删掉一个'),
    (
        TEXT,
        "evening: {text: 好, picture: ../secret.png}\n",
        '1:29: 图片 "../secret.png" 不在 sop_library 里面，请把它放进来',
    ),
    (TEXT, "evening: {text: 好, picture: b.png}\n", '1:29: 找不到图片 "b.png"，路径从 sop_library 算起'),
    (TEXT, "evening: {text: 好, picture: a.exe}\n", '1:29: 图片 "a.exe" 要以 .png、.jpg、.jpeg 或 .gif 结尾'),
    (TEXT, "evening: {picture: ''}\n", '1:20: 图片 "" 要以 .png、.jpg、.jpeg 或 .gif 结尾'),
    (
        TEXT,
        "evening: {file: ../secret.png}\n",
        '1:17: 文件 "../secret.png" 不在 sop_library 里面，请把它放进来',
    ),
    (TEXT, "evening: {file: menu.pdf}\n", '1:17: 找不到文件 "menu.pdf"，路径从 sop_library 算起'),
    (TEXT, "evening: {file: ''}\n", '1:17: "file" 不能空着'),
    (TEXT, "evening: {}\n", f"1:10: {NOTHING}"),
    (TEXT, "evening: {everyone: true}\n", f"1:10: {NOTHING}"),
    (TEXT, "evening: {text: 好, everyone: 大家}\n", '1:30: "everyone" 要写 true 或 false，不能写 "大家"'),
    (TEXT, "evening: {text: 好, card: {title: 看}}\n", '1:26: 缺 "url"，请补上'),
    (
        TEXT,
        "evening: {card: https://example.com}\n",
        '1:17: "card" 要写成 "键: 值" 的样子，不能写 "https://example.com"',
    ),
    (
        TEXT,
        "evening: {card: {title: '{x}', url: 'javascript:alert(1)', thumbnail: a.png, pic: b}}\n",
        "1:25: 没有 {x} 这个变量，可以用 {group}、{date}、{weekday}、{names}",
        '1:37: "javascript:alert(1)" 不是网址，要以 http:// 或 https:// 开头，中间没有空格',
        '1:71: "a.png" 不是网址，要以 http:// 或 https:// 开头，中间没有空格',
        '1:78: 不认识的键 "pic"，这里可以写 title、url、description、thumbnail',
    ),
    (TEXT, "evening: {several: []}\n", '1:20: "several" 不能空着'),
    (TEXT, "evening: {several: 好}\n", '1:20: "several" 要写成列表，比如 [a, b]，不能写 "好"'),
    (TEXT, "evening: {several: [{pause: 5s, text: 好}]}\n", f"1:10: {FIRST}"),
    (TEXT, "evening: {text: 好, several: [再]}\n", "1:10: several 里是一条一条的消息，外面的 text 请挪进去"),
    (
        TEXT,
        "evening: {text: 好, pause: 5s}\n",
        '1:20: 不认识的键 "pause"，这里可以写 text、picture、file、card、everyone、several',
    ),
    (
        TEXT,
        "evening: {several: ['好 {name}', {pause: 5s}, {text: 好, pause: 2h}, {text: 好, pause: 久}]}\n",
        "1:21: 没有 {name} 这个变量，是不是 {names}？",
        f"1:33: {NOTHING}",
        "1:63: 时长太长，最多 1h",
        '1:85: "久" 不是时长，要写成 90s、3m、1h30m 或 2d 这样',
    ),
    (
        TEXT,
        "sign_in.again: {several: [好]}\n",
        '1:16: 文字 "sign_in.again" 不能分几条，只写一段文字',
    ),
]


@pytest.mark.parametrize(
    ("name", "content", "faults"), [(name, content, rest) for name, content, *rest in BAD]
)
def test_every_fault_has_its_place_and_its_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, content: str | bytes, faults: list[str]
) -> None:
    """Each bad file gives exactly these lines, under the root as it was given, and the good files still run."""
    monkeypatch.chdir(tmp_path)
    write(tmp_path, {"secret.png": "x", "sop_library/a.png": b"\x89PNG"})
    loaded = library(Path("sop_library"), {name: content})
    assert [str(fault) for fault in loaded.faults] == [f"sop_library/{name}:{fault}" for fault in faults]
    assert {"morning", "quiz-night"} <= set(loaded.activities)
    assert len(loaded.calendars["bank"].slots) == 4


def test_what_is_an_activity_and_a_post_cannot_take_turns(tmp_path: Path) -> None:
    """Nobody could say which of the two is meant."""
    files: dict[str, str | bytes] = {
        CAL: HEAD + "  - {at: 08:00, rotate: [morning, both]}\n",
        "activities/both.yaml": GOOD["activities/morning.yaml"],
        TEXT: "both: 好\n",
    }
    loaded = library(tmp_path, files)
    assert [fault.message for fault in loaded.faults] == [
        '"both" 既是活动又是帖子，分不清轮到哪个，请把一个改名'
    ]


def test_names_are_for_posts_to_some(tmp_path: Path) -> None:
    """A post that calls people by name goes where it is known who is meant. A slot that is wrong is put aside
    alone; with what some groups are to have instead of it, the calendar is.
    """
    slots = (
        "  - {id: a, at: 08:00, day: 1, post: hello}\n"
        "  - {at: 09:00, post: hello}\n"
        "  - {id: b, at: 10:00, rotate: [brief, hello]}\n"
    )
    overrides = (
        "overrides:\n  - {slot: a, groups: [甲], post: hello}\n  - {slot: b, groups: [甲], post: hello}\n"
    )
    files: dict[str, str | bytes] = {
        CAL: HEAD + slots + overrides,
        "calendars/d.yaml": HEAD.replace("甲", "丁") + slots,
        TEXT: "hello: {several: [早, {card: {title: '你好，{names}', url: 'https://example.com'}}]}\n",
    }
    loaded = library(tmp_path, files)
    said = '帖子 "hello" 里有 {names}，只能发在有 day 或 segment 的时段'
    assert [str(fault).partition("calendars/")[2] for fault in loaded.faults] == [
        f"{place}: {said}"
        for place in ("c.yaml:5:23", "c.yaml:6:40", "c.yaml:9:34", "d.yaml:5:23", "d.yaml:6:40")
    ]
    assert "c" not in loaded.calendars
    assert [slot.post for slot in loaded.calendars["d"].slots] == ["hello"]


def test_a_hook_calls_nobody_by_name(tmp_path: Path) -> None:
    """Its post is for everybody; an activity with another one is put aside."""
    text = "title: 早\nkind: sign_in\nhook: {post: hello, latest: 20m}\n"
    loaded = library(tmp_path, {ACT: text, TEXT: "hello: 你好，{names}\n"})
    assert [str(fault).partition("a.yaml:")[2] for fault in loaded.faults] == [
        '3:14: 帖子 "hello" 里有 {names}，钩子不是写给哪几个人的，不能用它'
    ]
    assert "a" not in loaded.activities


def test_a_misspelt_folder_is_told(tmp_path: Path) -> None:
    """A folder with YAML that nobody reads is a fault, but pictures, README.md and schema/ are not."""
    files: dict[str, str | bytes] = {
        "activites/a.yaml": "title: a\n",
        "old/a.yaml": "title: a\n",
        "schema/a.yaml": "x",
        "pictures/a.png": "x",
        "activities/README.md": "x",
    }
    loaded = library(tmp_path, files)
    assert [str(fault).removeprefix(f"{tmp_path}/") for fault in loaded.faults] == [
        'activites:1:1: 不认识的文件夹 "activites"，是不是 "activities"？',
        'old:1:1: 不认识的文件夹 "old"，YAML 文件要放在 activities、calendars、questions、texts 里',
    ]


def test_all_faults_come_at_once_and_sorted(tmp_path: Path) -> None:
    """One load tells all that is wrong in all files, in the order of the files."""
    loaded = library(
        tmp_path,
        {
            "activities/z.yaml": "titel: 早\nkind: sign_in\nkind: quiz\npoints: x\n",
            "questions/b.yaml": "title: b\n",
        },
    )
    assert [str(fault).removeprefix(f"{tmp_path}/") for fault in loaded.faults] == [
        'activities/z.yaml:1:1: 不认识的键 "titel"，是不是 "title"？',
        'activities/z.yaml:3:1: 键 "kind" 写了两次，第一次在第 2 行',
        'activities/z.yaml:4:9: "points" 要写整数，不能写 "x"',
        'questions/b.yaml:1:1: 缺 "game"，请补上',
        'questions/b.yaml:1:1: 缺 "questions"，请补上',
    ]


def test_an_alias_bomb_is_refused_at_once(tmp_path: Path) -> None:
    """Anchors and aliases are refused where they stand, so nothing grows."""
    bomb = "a: &a [x]\n" + "".join(f"b{n}: &b{n} [{', '.join(['*a'] * 9)}]\n" for n in range(9))
    loaded = library(tmp_path, {"activities/a.yaml": bomb})
    messages = {fault.message for fault in loaded.faults}
    assert '不能用 "*a" 引用别处，请把内容写出来' in messages
    assert '不能用 "&a" 起名，请去掉它；文字以 & 开头时要加引号' in messages


def test_a_reference_to_a_faulty_file_says_so(tmp_path: Path) -> None:
    """What refers to a file that was put aside is told so, not that there is no such thing."""
    files: dict[str, str | bytes] = {
        "questions/general.yaml": "title: 常识\n",
        "activities/morning.yaml": "titel: 早\nkind: sign_in\n",
        "texts/posts.yaml": "brief: '{a'\n",
    }
    loaded = library(tmp_path, files)
    assert [str(fault).removeprefix(f"{tmp_path}/") for fault in loaded.faults] == [
        'activities/morning.yaml:1:1: 不认识的键 "titel"，是不是 "title"？',
        'activities/quiz-night.yaml:5:19: 题库 "general" 的文件有错，先改好它',
        'calendars/bank.yaml:4:47: 活动 "morning" 的文件有错，先改好它',
        'calendars/bank.yaml:5:49: 活动 "quiz-night" 的文件有错，先改好它',
        'calendars/bank.yaml:6:23: 帖子 "brief" 的文件有错，先改好它',
        'questions/general.yaml:1:1: 缺 "game"，请补上',
        'questions/general.yaml:1:1: 缺 "questions"，请补上',
        'texts/posts.yaml:1:8: 单独的 "{" 不能用：变量写成 {名字}，括号请改用全角的（）',
    ]
    assert [slot.post for slot in loaded.calendars["bank"].slots] == ["晚安，明天见。"]


def test_a_text_that_is_there_twice_is_told_though_the_first_is_put_aside(tmp_path: Path) -> None:
    """Mending the first file brings no new fault in the second."""
    files: dict[str, str | bytes] = {
        "texts/posts.yaml": "brief: 好\nsign_in.done: 好\nzzz: [a]\n",
        "texts/t.yaml": "brief: 又来\nsign_in.done: 又来\n",
    }
    loaded = library(tmp_path, files)
    assert [str(fault).removeprefix(f"{tmp_path}/") for fault in loaded.faults] == [
        'calendars/bank.yaml:6:23: 帖子 "brief" 的文件有错，先改好它',
        'texts/posts.yaml:3:6: "zzz" 要写成 "键: 值" 的样子',
        'texts/t.yaml:1:1: "brief" 在前面的文件里已经有了，请删掉一个',
        'texts/t.yaml:2:1: "sign_in.done" 在前面的文件里已经有了，请删掉一个',
    ]


def test_a_picture_behind_a_link_out_of_the_library_is_refused(tmp_path: Path) -> None:
    """A link inside the library that leads out of it does not count as inside."""
    root = tmp_path / "lib"
    write(tmp_path, {"secret.png": "x", "lib/b.png": b"\x89PNG"})
    (root / "a.png").symlink_to("../secret.png")
    (root / "c.png").symlink_to("c.png")
    content = "a: {text: 好, picture: a.png}\nb: {text: 好, picture: b.png}\nc: {text: 好, picture: c.png}\n"
    loaded = library(root, {"texts/t.yaml": content})
    assert [fault.message for fault in loaded.faults] == [
        '图片 "a.png" 不在 lib 里面，请把它放进来',
        '找不到图片 "c.png"，路径从 lib 算起',
    ]


def test_a_zero_byte_in_a_pictures_name_is_told_in_words(tmp_path: Path) -> None:
    """Once, and not in those of the machine."""
    loaded = library(tmp_path, {"texts/t.yaml": 'a: {text: 好, picture: "a\\0.png"}\n'})
    assert [fault.message for fault in loaded.faults] == ["文字里有看不见的控制字符，请去掉它"]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.png", b"\x89PNG", ""),
        ("a.jpg", b"\xff\xd8\xff\xe0", ""),
        ("a.GIF", b"GIF89a", ""),
        ("a.jpg", b"\x89PNG", ""),  # chats go by what is inside
        ("a.png", b"", '图片 "a.png" 是空的'),
        ("a.png", b"<html>", '"a.png" 不是图片：里面不是 PNG、JPEG 或 GIF，请另存成这几种'),
        ("a.jpg", b"RIFF....WEBP", '"a.jpg" 不是图片：里面不是 PNG、JPEG 或 GIF，请另存成这几种'),
        ("a.png", LARGEST_PICTURE, ""),
        ("a.png", LARGEST_PICTURE + 60_000, '图片 "a.png" 太大：10.1 MB，最多 10 MB'),
    ],
)
def test_a_picture_is_one_and_not_too_large(
    tmp_path: Path, name: str, content: bytes | int, said: str
) -> None:
    """What is inside decides, and not what it is called."""
    write(tmp_path, {name: b"\x89PNG" if isinstance(content, int) else content})
    if isinstance(content, int):
        os.truncate(tmp_path / name, content)
    loaded = library(tmp_path, {"texts/t.yaml": f"a: {{picture: {name}}}\n"})
    assert [fault.message for fault in loaded.faults] == ([said] if said else [])


def test_a_file_can_be_larger_and_is_not_empty(tmp_path: Path) -> None:
    """As much as the platform takes, whatever it is."""
    write(tmp_path, {"a.bin": "x", "b.bin": "x", "c.bin": ""})
    os.truncate(tmp_path / "a.bin", LARGEST_FILE)
    os.truncate(tmp_path / "b.bin", LARGEST_FILE + 100_000)
    loaded = library(tmp_path, {"texts/t.yaml": "".join(f"{each}: {{file: {each}.bin}}\n" for each in "abc")})
    assert [fault.message for fault in loaded.faults] == [
        '文件 "b.bin" 太大：100.1 MB，最多 100 MB',
        '文件 "c.bin" 是空的',
    ]


@given(
    st.binary(max_size=200) | st.text(alphabet="a:- \n\t[]{}'\"&*!|>#，：%@?,", max_size=60).map(str.encode)
)
@settings(deadline=None, max_examples=300)
def test_no_file_whatever_is_a_traceback(content: bytes) -> None:
    """Any bytes at all are read, or refused in words with a place."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.yaml")
        path.write_bytes(content)
        try:
            _, faults = validate(read(path, "a.yaml"), KINDS.activities["quiz"])
        except Faults as error:
            faults = list(error.faults)
    assert faults
    assert all(fault.line >= 1 and fault.col >= 1 for fault in faults)


_WORDS = """
title goal kind game questions from pick slots id at on do post late audience tags text picture
groups except days quiet overrides slot skip date once monthly lunar festival day segment rotate warm_up
quiz sign_in choice general q a morning brief 08:00 sign_in.again 3 {x} x 12-24 春节 -30m 22:00-07:00
"""
WORDS = st.sampled_from(_WORDS.split()) | st.just("")
TREES = st.recursive(
    WORDS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=6)
)


@given(st.tuples(TREES, TREES, TREES, TREES, TREES))
@settings(deadline=None, max_examples=200)
def test_no_shape_whatever_is_a_traceback(trees: tuple[object, ...]) -> None:
    """What is read before the schema has had its say may be of any shape."""
    with tempfile.TemporaryDirectory() as folder:
        names = (CAL, ACT, BANK, TEXT, "holidays.yaml")
        files: dict[str, str | bytes] = {
            name: json.dumps(tree, ensure_ascii=False) for name, tree in zip(names, trees, strict=True)
        }
        loaded = library(Path(folder), files)
    assert {"morning", "quiz-night"} <= set(loaded.activities)
    assert all(fault.line >= 1 and fault.col >= 1 and "\n" not in fault.message for fault in loaded.faults)
