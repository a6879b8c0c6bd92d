"""Times as they stand in the tables of facts: ISO 8601 text, a bare day or an instant, into days and instants."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, tzinfo
from functools import lru_cache
from typing import NamedTuple

_SHAPE = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?\s?(?:Z|[+-]\d\d(?::?\d\d)?)?)?")
_NOON = time(12)


class Moment(NamedTuple):
    """When something was: the instant in UTC, the clinic's day, and whether only the day was written."""

    at: datetime
    on: date
    day_only: bool


@lru_cache(maxsize=65536)
def moment(text: str, zone: tzinfo) -> Moment:
    """A written time, in the clinic's ``zone`` where it has no offset of its own. A bare day is its noon there.

    Raises ValueError for anything that is not ISO 8601 or that no calendar has.
    """
    match = _SHAPE.fullmatch(text.strip())
    if match is None:
        raise ValueError("not an ISO 8601 time")
    if match.end(1) == match.end():
        on = date.fromisoformat(match[1])
        return Moment(_utc(datetime.combine(on, _NOON, zone)), on, True)
    at = datetime.fromisoformat(match[0].replace(" ", "T", 1).replace(" ", ""))
    if at.tzinfo is None:
        at = at.replace(tzinfo=zone)
    at = _utc(at)
    return Moment(at, at.astimezone(zone).date(), False)


def instant(text: str, zone: tzinfo) -> datetime:
    """The instant of a written time, in UTC. Raises ValueError as ``moment`` does."""
    return moment(text, zone).at


def instant_or(text: str, zone: tzinfo, *, otherwise: datetime) -> datetime:
    """The instant of a written time, or ``otherwise`` where another program wrote something that is none."""
    try:
        return moment(text, zone).at
    except ValueError:
        return otherwise


def day(text: str, zone: tzinfo) -> date:
    """The clinic's day of a written time. Raises ValueError as ``moment`` does."""
    return moment(text, zone).on


def written_instant(at: datetime) -> str:
    """An aware instant as it is stored in the tables of facts: ISO 8601 in UTC."""
    return at.astimezone(UTC).isoformat()


def _utc(at: datetime) -> datetime:
    try:
        return at.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("a time beyond the calendar") from error
