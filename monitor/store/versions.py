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
_MOVED = "(merged)"


def moved_feed(recorded_at: str | None) -> str:
    """The feed of a version that says of one patient what the version before it said of another, whose record it became.

    Its own ``recorded_at`` is the time of the merge, so it holds the one that was said.

    >>> recorded_before(moved_feed("2026-01-05")), recorded_before(moved_feed(None)), is_moved("doses.csv")
    ('2026-01-05', None, False)
    """
    return _MOVED if recorded_at is None else f"{_MOVED} {recorded_at}"


def is_moved(feed: str | None) -> bool:
    """Whether a merge made the version."""
    return feed is not None and feed.startswith(_MOVED)


def recorded_before(feed: str) -> str | None:
    """The ``recorded_at`` of what a merge moved, as its feed said it."""
    return feed.removeprefix(_MOVED).strip() or None


class Fate(Enum):
    """What becomes of an arriving row."""

    INSERTED = "inserted"
    CORRECTED = "corrected"
    UNCHANGED = "unchanged"


@dataclass(slots=True)
class Arrival:
    """A row as a feed delivered it. ``recorded_at`` is None where the feed does not say.

    ``also_called`` and ``also_named``: the ids of the patient's records that became this one, and the fingerprints that
    the row has under those.
    """

    identity: object
    source_id: str | None
    recorded_at: str | None
    values: tuple[Value, ...]  # the patient's id first
    fingerprint: str
    also_called: frozenset[str] = frozenset()
    also_named: frozenset[str] = frozenset()


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
    patient_id: Value = None
    stored_at: str = ""
    values: tuple[Value, ...] = ()  # only where the fingerprint is None
    arrival: Arrival | None = None
    moved: bool = False  # its end is other than in the database

    def says(self, arrival: Arrival) -> bool:
        """Whether the row brings nothing that this version does not hold."""
        if self.fingerprint is not None:
            return self.fingerprint == arrival.fingerprint or self.fingerprint in arrival.also_named
        return self.values == arrival.values and arrival.recorded_at in (None, self.recorded_at)


class Timeline:
    """All versions of one record, oldest first."""

    def __init__(self, versions: list[Version], *, now: datetime, feed: str, zone: tzinfo) -> None:
        self._zone = zone
        self._now = now
        self._feed = feed
        if len({version.patient_id for version in versions}) > 1:  # of records that became one: what came later corrected it
            for version in sorted(versions, key=self._stored)[1:]:
                version.start = self._stored(version) if version.start == ALWAYS else version.start
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
        version = _said(arrival, known, recorded_at, self._feed)
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
        if after is not None and is_moved(after.feed) and version.end == after.recorded_at:
            version.patient_id = version.patient_id if before is None else before.patient_id
            self._move_along(arrival, place + 1)

    def _move_along(self, late: Arrival, place: int) -> None:
        """A merge moved what the record said before it; what came in late was said before it too, so it moves in its place."""
        start = self.versions[place].start
        copy = max((v for v in self.versions[place:] if v.start == start and is_moved(v.feed)), key=self._end)
        instead = _said(late, copy.start, copy.recorded_at, moved_feed(late.recorded_at))
        instead.patient_id, instead.end = copy.patient_id, copy.end
        copy.end, copy.moved = copy.recorded_at, True  # never in force
        following = self.versions.index(copy) + 2
        self.versions.insert(following - 1, instead)
        if following < len(self.versions):
            moved_on = self.versions[following]
            if is_moved(moved_on.feed) and instead.end == moved_on.recorded_at:
                self._move_along(late, following)

    def _stored(self, version: Version) -> datetime:
        return instant_or(version.stored_at, self._zone, otherwise=self._now)

    def _end(self, version: Version) -> datetime:
        return _NEVER if version.end is None else instant_or(version.end, self._zone, otherwise=_NEVER)


def first_version(arrival: Arrival, *, now: datetime, feed: str, zone: tzinfo) -> Version:
    """The only version of a record that was not known before."""
    start = ALWAYS if arrival.recorded_at is None else min(now, instant(arrival.recorded_at, zone))
    return _said(arrival, start, arrival.recorded_at, feed)


def _said(arrival: Arrival, start: datetime, recorded_at: str | None, feed: str) -> Version:
    version = Version(None, start, None, arrival.fingerprint, feed, recorded_at, arrival=arrival)
    version.patient_id = arrival.values[0]
    return version
