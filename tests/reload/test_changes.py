"""What two states of the library differ in, and which version of a faulty file is taken."""

from __future__ import annotations

from pathlib import Path

from bot.sop.changes import compare
from bot.sop.library import Library, load, reload
from tests.sop.fakes import GOOD, KINDS, write

CALENDAR = GOOD["calendars/bank.yaml"]


def first(root: Path) -> Library:
    write(root, {**GOOD})
    return load(root, KINDS)


def edit(root: Path, before: Library, name: str, old: str, new: str) -> Library:
    """Replace something in a file, and read the library again."""
    text = (root / name).read_text()
    assert old in text
    (root / name).write_text(text.replace(old, new))
    return reload(root, KINDS, before)


def test_what_was_added_changed_and_removed_is_told_by_kind_and_id(tmp_path: Path) -> None:
    """A slot is told by itself, not with its calendar; a text's override that goes is a change."""
    before = first(tmp_path)
    (tmp_path / "activities/quiz-night.yaml").rename(tmp_path / "activities/quiz-late.yaml")
    text = CALENDAR.replace("quiz-night", "quiz-late").replace("post: brief", "post: brief, late: 20m")
    write(tmp_path, {"calendars/bank.yaml": text, "texts/posts.yaml": "brief: 今天的行情\n"})
    changes = compare(before, reload(tmp_path, KINDS, before))
    assert list(map(str, changes.added)) == ["activity quiz-late"]
    assert list(map(str, changes.removed)) == ["activity quiz-night"]
    kinds = [str(item).partition("#")[0] for item in changes.changed]
    assert kinds == ["slot bank/game", "slot bank/", "text sign_in.done"]
    assert list(changes.lines()) == [
        "新增 活动 quiz-late",
        f"改了 时段 bank/game、时段 {changes.changed[1].id}、小二的话 sign_in.done",
        "去掉 活动 quiz-night",
    ]


def test_a_comment_changes_nothing(tmp_path: Path) -> None:
    """What is not said differently is not different."""
    before = first(tmp_path)
    assert not compare(before, edit(tmp_path, before, "calendars/bank.yaml", "title:", "# 早\ntitle:"))


def test_many_changes_are_counted(tmp_path: Path) -> None:
    """The first few are named."""
    before = first(tmp_path)
    write(tmp_path, {f"activities/a{n}.yaml": "title: 早\nkind: sign_in\n" for n in range(20)})
    (line,) = compare(before, reload(tmp_path, KINDS, before)).lines()
    assert line.startswith("新增 活动 a0、活动 a1、活动 a10、")
    assert line.endswith("……一共 20 样")


def test_a_file_with_a_fault_keeps_its_last_good_version(tmp_path: Path) -> None:
    """And its fault is told, with its place in the file as it is now."""
    before = first(tmp_path)
    after = edit(tmp_path, before, "calendars/bank.yaml", "do: morning", "do: mornin")
    assert [str(fault).rpartition("/")[2] for fault in after.faults] == [
        'bank.yaml:4:47: 不认识的活动 "mornin"，是不是 "morning"？'
    ]
    assert not compare(before, after)
    assert {Path(name).name for name in after.kept} == {"bank.yaml"}
    again = edit(tmp_path, after, "calendars/bank.yaml", "title", "titel")
    assert len(again.faults) == 2
    assert not compare(before, again)
    write(tmp_path, {**GOOD})
    assert reload(tmp_path, KINDS, again) == before


def test_what_refers_to_a_faulty_file_stays_too(tmp_path: Path) -> None:
    """A bank that is broken takes neither its activity nor the slot with it; the rest is new."""
    before = first(tmp_path)
    write(tmp_path, {"activities/morning.yaml": "title: 早早\nkind: sign_in\n"})
    after = edit(tmp_path, before, "questions/general.yaml", "answer: B", "answer: Z")
    assert [fault.file.rpartition("/")[2] for fault in after.faults] == [
        "quiz-night.yaml",
        "bank.yaml",
        "general.yaml",
    ]
    assert [str(item) for item in compare(before, after).changed] == ["activity morning"]


def test_a_new_file_that_needs_what_a_faulty_one_would_bring_waits_for_it(tmp_path: Path) -> None:
    """Neither runs half; both are told."""
    before = first(tmp_path)
    write(
        tmp_path,
        {
            "texts/posts.yaml": "brief: 今天的行情\nnews: 新的\nsign_in.done: 第 {plaec} 位\n",
            "calendars/bank.yaml": CALENDAR + '  - {id: n, at: "09:00", post: news}\n',
        },
    )
    after = reload(tmp_path, KINDS, before)
    assert not compare(before, after)
    assert [(fault.file.rpartition("/")[2], fault.line) for fault in after.faults] == [
        ("bank.yaml", 8),
        ("posts.yaml", 3),
    ]


def test_what_was_faulty_from_the_start_is_put_aside(tmp_path: Path) -> None:
    """There is no good version to keep; once it is right it is there."""
    write(tmp_path, {**GOOD, "activities/morning.yaml": "title: 早\nkind: sign_im\n"})
    before = load(tmp_path, KINDS)
    same = reload(tmp_path, KINDS, before)
    assert (set(same.activities), len(same.faults)) == ({"quiz-night"}, 2)
    after = edit(tmp_path, same, "activities/morning.yaml", "sign_im", "sign_in")
    assert [str(item) for item in compare(before, after).added] == ["activity morning", "slot bank/morning"]


def test_a_folder_that_is_not_there_takes_nothing_with_it(tmp_path: Path) -> None:
    """It is told, and all stays as it was until the folder comes back."""
    root = tmp_path / "lib"
    before = first(root)
    root.rename(tmp_path / "away")
    gone = reload(root, KINDS, before)
    assert [fault.message for fault in gone.faults] == ["找不到这个文件夹"]
    assert not compare(before, gone)
    root.mkdir()
    assert "这里没有活动库" in reload(root, KINDS, gone).faults[0].message
    root.rmdir()
    (tmp_path / "away").rename(root)
    assert reload(root, KINDS, gone) == before


def test_a_picture_that_goes_takes_no_text_with_it(tmp_path: Path) -> None:
    """It is told; the texts beside it stay."""
    write(tmp_path, {"a.png": b"x", "texts/more.yaml": "pic: {text: 看图, picture: a.png}\nword: 好\n"})
    before = first(tmp_path)
    (tmp_path / "a.png").unlink()
    after = reload(tmp_path, KINDS, before)
    assert "找不到图片" in after.faults[0].message
    assert not compare(before, after)


def test_what_is_deleted_is_gone_though_something_refers_to_it(tmp_path: Path) -> None:
    """The slot that is left without its activity is told and does not run; the others do."""
    before = first(tmp_path)
    (tmp_path / "activities/morning.yaml").unlink()
    after = reload(tmp_path, KINDS, before)
    changes = compare(before, after)
    assert list(map(str, changes.removed)) == ["activity morning", "slot bank/morning"]
    assert not changes.added
    assert "不认识的活动" in after.faults[0].message


def test_what_may_fall_otherwise_than_it_did_is_known_by_its_key(tmp_path: Path) -> None:
    """A slot with what comes before it; all of a calendar whose audience changed; all, where a holiday did."""
    before = first(tmp_path)
    keys = ["bank/morning", "bank/game", "bank/game~-30m", "other/game"]
    slot = edit(tmp_path, before, "calendars/bank.yaml", 'at: "20:00"', 'at: "20:30"')
    assert compare(before, slot).touched(keys) == ["bank/game", "bank/game~-30m"]
    audience = edit(tmp_path, slot, "calendars/bank.yaml", "[理财]", "[理财, 福利]")
    assert compare(slot, audience).touched(keys) == keys[:3]
    write(tmp_path, {"holidays.yaml": "holidays: {2027-02-06: 春节}\nworkdays: [2027-02-14]\n"})
    holidays = compare(audience, reload(tmp_path, KINDS, audience))
    assert list(holidays.lines()) == ["新增 假日 2027-02-14、假日 2027-02-06"]
    assert holidays.touched(keys) == keys
