"""The versions of one record in the order in which the hospital knew them, and where an arriving one belongs.

A version is in force from its start (when it was known) to its end, the start of its successor. A record that another
program deleted has an end after its last version. Where a row arrives does not depend on when: any order of arrival
gives the same intervals, as long as each row says when it was recorded.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from enum import Enum

from monitor.clinical.history import ALWAYS
from monitor.store.times import instant, instant_or, written_instant

_NEVER = datetime.max.replace(tzinfo=UTC)
Value = str | int | float | None


class Fate(Enum):
    """What becomes of an arriving row."""

    INSERTED = "inserted"
    CORRECTED = "corrected"
    UNCHANGED = "unchanged"


@dataclass(slots=True)
class Arrival:
    """A row as a feed delivered it. ``recorded_at`` is None where the feed does not say."""

    identity: object
    source_id: str | None
    recorded_at: str | None
    values: tuple[Value, ...]
    fingerprint: str


@dataclass(slots=True)
class Version:
    """One version of a record. ``id`` is None, and ``arrival`` its content, until it is inserted."""

    id: int | None
    start: datetime  # ALWAYS where the first version does not say when it was recorded
    end: str | None
    fingerprint: str | None  # None where another program wrote the values
    feed: str | None
    recorded_at: str | None
    record: int | None = None
    values: tuple[Value, ...] = ()  # only where the fingerprint is None
    arrival: Arrival | None = None
    moved: bool = False  # its end is other than in the database

    def says(self, arrival: Arrival) -> bool:
        """Whether the row brings nothing that this version does not hold."""
        if self.fingerprint is not None:
            return self.fingerprint == arrival.fingerprint
        return self.values == arrival.values and arrival.recorded_at in (None, self.recorded_at)


class Timeline:
    """All versions of one record, oldest first."""

    def __init__(self, versions: list[Version], *, now: datetime, feed: str, zone: tzinfo) -> None:
        self._zone = zone
        self._now = now
        self._feed = feed
        self.versions = sorted(versions, key=lambda version: (version.start, self._end(version)))

    def take(self, arrival: Arrival) -> Fate:
        """Put the row where it belongs, and shorten the version before it."""
        current = self.versions[-1] if self.versions else None
        if current is not None and current.end is None and current.says(arrival):
            return Fate.UNCHANGED
        for version in self.versions:
            # A file that is imported again must not undo the corrections that came after it.
            if version.says(arrival) and (arrival.recorded_at is not None or version.feed == self._feed):
                return Fate.UNCHANGED
        if not self.versions:
            self.versions.append(first_version(arrival, now=self._now, feed=self._feed, zone=self._zone))
            return Fate.INSERTED
        self._correct(arrival)
        return Fate.CORRECTED

    def _correct(self, arrival: Arrival) -> None:
        known = self._now if arrival.recorded_at is None else min(self._now, instant(arrival.recorded_at, self._zone))
        recorded_at = written_instant(self._now) if arrival.recorded_at is None else arrival.recorded_at
        version = Version(None, known, None, arrival.fingerprint, self._feed, recorded_at, arrival=arrival)
        place = sum(other.start <= known for other in self.versions)
        after = self.versions[place] if place < len(self.versions) else None
        before = self.versions[place - 1] if place else None
        if before is not None and known < self._end(before):
            version.end = before.end
            before.end = recorded_at if known < self._now else written_instant(self._now)
            before.moved = True
        elif after is not None:
            version.end = after.recorded_at
        self.versions.insert(place, version)

    def _end(self, version: Version) -> datetime:
        return _NEVER if version.end is None else instant_or(version.end, self._zone, otherwise=_NEVER)


def first_version(arrival: Arrival, *, now: datetime, feed: str, zone: tzinfo) -> Version:
    """The only version of a record that was not known before."""
    start = ALWAYS if arrival.recorded_at is None else min(now, instant(arrival.recorded_at, zone))
    return Version(None, start, None, arrival.fingerprint, feed, arrival.recorded_at, arrival=arrival)
