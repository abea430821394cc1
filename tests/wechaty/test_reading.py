"""What gateways say, read: texts, moments, mentions."""

from __future__ import annotations

import pytest

from bot.adapters.wechaty.reading import (
    after_any_mention,
    after_mention,
    ids_of,
    moment,
    payload_of,
)
from bot.model import clean

NOW = 1_770_000_000_000_000


def test_nul_and_lone_surrogates_are_replaced() -> None:
    assert clean("签\x00到\ud800😀") == "签\ufffd到\ufffd😀"


@pytest.mark.parametrize(
    ("stamp", "at"),
    [
        (1_769_999_999, 1_769_999_999_000_000),
        (1_769_999_999_123, 1_769_999_999_123_000),
        (2_145_888_000, 2_145_888_000_000_000),
        (2_145_888_001, 2_145_888_001_000),
        (1_769_999_999.5, 1_769_999_999_500_000),
    ],
)
def test_a_moment_is_in_seconds_or_else_in_milliseconds(stamp: float, at: int) -> None:
    assert moment(stamp, NOW) == at


@pytest.mark.parametrize("stamp", [None, 0, -1, "1769999999", float("nan"), float("inf"), 10**18])
def test_a_moment_that_makes_no_sense_is_now(stamp: object) -> None:
    assert moment(stamp, NOW) == NOW


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("@小二\u2005签到", "签到"),
        ("@小二 签到 ", "签到"),
        ("@小二\u2005\u2005  签到\u2005", "签到"),
        ("@小二", ""),
        ("@小二\u2005@小二\u2005 帮助", "帮助"),
        ("@小二\u2005@Mary\u2005转分 5", "@Mary\u2005转分 5"),
        ("@小二黑\u2005签到", None),
        ("签到 @小二 ", None),
        ("小二 签到", None),
    ],
)
def test_a_mention_at_the_head_is_taken_off(text: str, rest: str | None) -> None:
    assert after_mention(text, ["小二", ""]) == rest


def test_a_mention_ended_by_the_client_is_taken_off_whoever_it_calls() -> None:
    assert after_any_mention("@群里 的小二\u2005 签到") == "签到"
    assert after_any_mention("@小二 签到") is None
    assert after_any_mention("签到\u2005@小二") is None


def test_payloads_that_are_no_objects_and_ids_that_are_no_lists_are_empty() -> None:
    assert payload_of('{"messageId": "m1"}') == {"messageId": "m1"}
    assert [payload_of(raw) for raw in ("", "[1]", "{", "null")] == [{}, {}, {}, {}]
    assert ids_of(["a", "b", "a", "", 3]) == ("a", "b")
    assert ids_of(None) == ids_of("ab") == ()
