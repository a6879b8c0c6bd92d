"""The only module that reads a clock, and the reading of instants that a person types."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from monitor.clinical.days import day_after, start_of_day
from monitor.errors import UsageError


def now() -> datetime:
    """This instant, aware, in UTC."""
    return datetime.now(UTC)


def monotonic_seconds() -> float:
    """Seconds that never step backwards; for deadlines and progress, never for dates."""
    return time.monotonic()


def both() -> tuple[datetime, float]:
    """This instant and the monotonic seconds of the same moment: read again where something came between the two."""
    while True:
        before, wall, after = time.monotonic(), datetime.now(UTC), time.monotonic()
        if after - before < 0.5:
            return wall, after


def parse_instant(text: str, zone: ZoneInfo, *, end_of_day: bool = False) -> datetime:
    """An instant from ISO 8601 text: without an offset it is the clinic's time, a bare date the start of that day.

    With ``end_of_day`` a bare date is its last microsecond, so that "up to 15 March" holds the whole day.
    Raises UsageError for anything else.
    """
    try:
        if len(text) == 10:
            day = date.fromisoformat(text)
            return day_after(day, 1, zone) - timedelta(microseconds=1) if end_of_day else start_of_day(day, zone)
        instant = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise UsageError(
            "a time is written like 2026-11-23T09:00, 2026-11-23T09:00+01:00 or 2026-11-23; this one is not understood"
        ) from None
    return (instant if instant.tzinfo else instant.replace(tzinfo=zone)).astimezone(UTC)
