"""Between moments and what clocks on a wall show, in any time zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def wall_of(moment: int, zone: ZoneInfo) -> datetime:
    """Return what clocks in a zone show at a moment, without the zone."""
    return (_EPOCH + moment * _MICROSECOND).astimezone(zone).replace(tzinfo=None, fold=0)


def moment_of(wall: datetime, zone: ZoneInfo) -> int:
    """Return the first moment at which clocks in a zone show this time, or have just passed it.

    Of a time that a clock change repeats it is the first; for one that it leaves out, the moment of the change.
    """
    moment = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None, fold=0) != wall:
        moment = _after_gap(wall, zone)
    return (moment - _EPOCH) // _MICROSECOND


def _after_gap(wall: datetime, zone: ZoneInfo) -> datetime:
    """Return the moment at which clocks jumped over a time, found by halving."""
    before = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    after = wall.replace(tzinfo=zone).astimezone(UTC)
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) // 2
        if middle.astimezone(zone).replace(tzinfo=None) < wall:
            before = middle
        else:
            after = middle
    return after.replace(microsecond=0)
