"""Days of the clinic and instants of the world."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache

from monitor.said import Said, say_n


@lru_cache(maxsize=512)
def in_days(days: int) -> Said:
    """A number of days in words.

    >>> in_days(1), in_days(28)
    ('1 day', '28 days')
    """
    return say_n("{count} day", "{count} days", count=days)


@lru_cache(maxsize=4096)
def start_of_day(day: date, zone: tzinfo) -> datetime:
    """The instant, in UTC, at which the clinic's ``day`` begins; right on both nights of a clock change."""
    return datetime.combine(day, time(0), zone).astimezone(UTC)


def day_after(day: date, days: int, zone: tzinfo) -> datetime:
    """The instant at which the day ``days`` after ``day`` begins."""
    return start_of_day(day + timedelta(days=days), zone)


def earliest(*instants: datetime | None) -> datetime | None:
    """The first of the instants that is not None, or None."""
    return min((instant for instant in instants if instant is not None), default=None)
