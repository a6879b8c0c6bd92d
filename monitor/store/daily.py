"""What is done once a day of the clinic, whatever its clock does.

A day is done by its date, not by an instant: the hour that a night has twice, or not at all, and a clock that is set back
do not do it twice; a day on which nobody ran is caught up as soon as somebody does.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, delete, select

from monitor.store.watch_tables import DAILY

SET_BACK_AT_MOST = timedelta(days=1)
"""A last day further in the future was written by a clock that was wrong; it must not silence the days until then."""


def is_due(connection: Connection, name: str, *, at: time, now: datetime, zone: ZoneInfo) -> bool:
    """Whether there is a day whose time ``at`` has come on the clinic's clock and on which it was not done."""
    last, day = last_on(connection, name), _day_reached(at, now, zone)
    return last is None or last < day or last > day + SET_BACK_AT_MOST


def done(connection: Connection, name: str, *, at: time, now: datetime, zone: ZoneInfo) -> None:
    """The day that was due is done; in the transaction that did it."""
    connection.execute(delete(DAILY).where(DAILY.c.name == name))
    connection.execute(DAILY.insert(), {"name": name, "last_on": _day_reached(at, now, zone).isoformat()})


def next_at(at: time, now: datetime, zone: ZoneInfo) -> datetime:
    """The next instant, in UTC, at which the clinic's clock reaches ``at``."""
    day = _day_reached(at, now, zone) + timedelta(days=1)
    return datetime.combine(day, at, zone).astimezone(UTC)


def last_on(connection: Connection, name: str) -> date | None:
    """The last day of the clinic on which it was done, or None."""
    found = connection.execute(select(DAILY.c.last_on).where(DAILY.c.name == name)).scalar()
    return None if found is None else date.fromisoformat(found)


def _day_reached(at: time, now: datetime, zone: ZoneInfo) -> date:
    """The latest day of the clinic whose ``at`` has come."""
    local = now.astimezone(zone)
    return local.date() if local.time() >= at else local.date() - timedelta(days=1)
