"""Writing facts: what is new, what corrects a record, what is known already. Nothing is ever edited or deleted.

A record is named by its ``source_id`` (a patient by ``patient_id``), even if it moves to another patient. Without one,
courses and treatments are named by patient, drug and start; the others by all they say: a row that differs is another fact.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from itertools import islice
from typing import Any

from sqlalchemy import Connection

from monitor.clinical.history import ALWAYS
from monitor.store import dialect, joined, merges
from monitor.store.fact_statements import VERSION_COLUMNS, Statements, statements_of
from monitor.store.fingerprints import fingerprint
from monitor.store.times import instant_or, written_instant
from monitor.store.versions import Arrival, Fate, Timeline, Value, Version, first_version

FactRow = Mapping[str, Value]
"""Columns of an import file by name, as the database holds them; None or absent is "not recorded"."""

_CHUNK = 1000
_KEYS = len(VERSION_COLUMNS)  # in a row of versions the naming columns come after these


@dataclass(slots=True)
class Counts:
    """What became of the rows of one feed."""

    inserted: int = 0
    corrected: int = 0
    unchanged: int = 0


def write(connection: Connection, kind: str, rows: Iterable[FactRow], *, now: datetime, feed: str, zone: tzinfo = UTC) -> Counts:
    """Store ``rows`` of one kind in the caller's transaction. ``feed`` names their file by its content.

    ``zone`` is the clinic's, for a ``recorded_at`` without offset. Raises ValueError for an unknown column, and the
    database's error where a check refuses a value.
    """
    statements = statements_of(kind, connection.dialect)
    counts = Counts()
    dialect.prepare_import(connection)
    chunks = _chunks(statements, iter(rows))
    merged = merges.any_yet(connection)
    for arrivals in dialect.read_ahead(connection, chunks):
        if merged:
            arrivals, passed_over = joined.under_one_id(connection, statements, arrivals)
            counts.unchanged += passed_over
        _Chunk(connection, statements, now=now, feed=feed, zone=zone).write(arrivals, counts)
    return counts


def _chunks(statements: Statements, rows: Iterator[FactRow]) -> Iterator[list[Arrival]]:
    while chunk := list(islice(rows, _CHUNK)):
        yield list(_arrivals(statements, chunk))


def _arrivals(statements: Statements, rows: Sequence[FactRow]) -> Iterator[Arrival]:
    columns, reals, defaults, natural = statements.columns, statements.reals, statements.defaults, statements.natural
    by_patient = statements.key == "patient_id"
    known = {*columns, "source_id", "recorded_at"}
    naming = tuple(columns.index(name) for name in natural)
    for row in rows:
        if not known.issuperset(row):
            raise ValueError(f"{statements.kind} have no column {sorted(set(row) - known)[0]!r}")
        values = list(map(row.get, columns))
        for place in reals:
            number = values[place]
            if number is not None:
                values[place] = float(number)  # 1 and 1.0 are the same fact
        for place, default in defaults:
            if values[place] is None:
                values[place] = default
        source_id, recorded_at = row.get("source_id"), row.get("recorded_at")
        name = fingerprint(columns, values, recorded_at)
        if by_patient:
            identity: object = values[0]
        elif source_id is not None:
            identity = source_id
        elif naming:
            identity = tuple(values[place] for place in naming)
        else:
            identity = (name,)
        yield Arrival(
            identity,
            None if source_id is None else str(source_id),
            None if recorded_at is None else str(recorded_at),
            tuple(values),
            name,
        )


class _Chunk:
    """Some hundred rows: what is known of their records is read at once, and what they change is written at once."""

    def __init__(self, connection: Connection, statements: Statements, *, now: datetime, feed: str, zone: tzinfo) -> None:
        self._connection = connection
        self._statements = statements
        self._now = now
        self._now_written = written_instant(now)
        self._feed = feed
        self._zone = zone
        self._plain: dict[object, Arrival] = {}  # records not known before, met once
        self._timelines: dict[object, Timeline] = {}

    def write(self, arrivals: Sequence[Arrival], counts: Counts) -> None:
        for identity, versions in self._known(arrivals).items():
            self._timelines[identity] = self._timeline(versions)
        for arrival in arrivals:
            timeline = self._timelines.get(arrival.identity)
            if timeline is None and arrival.identity in self._plain:
                timeline = self._again(arrival.identity)
            if timeline is None:
                self._plain[arrival.identity] = arrival
                counts.inserted += 1
                continue
            fate = timeline.take(arrival)
            if fate is Fate.INSERTED:
                counts.inserted += 1
            elif fate is Fate.CORRECTED:
                counts.corrected += 1
            else:
                counts.unchanged += 1
        self._store()

    def _timeline(self, versions: list[Version]) -> Timeline:
        return Timeline(versions, now=self._now, feed=self._feed, zone=self._zone)

    def _again(self, identity: object) -> Timeline:
        """A record that this chunk brought, and now brings once more."""
        arrival = self._plain.pop(identity)
        first = first_version(arrival, now=self._now, feed=self._feed, zone=self._zone)
        self._timelines[identity] = self._timeline([first])
        return self._timelines[identity]

    def _known(self, arrivals: Sequence[Arrival]) -> dict[object, list[Version]]:
        statements = self._statements
        known: dict[object, list[Version]] = {}
        named = statements.key == "patient_id"
        keys = {str(a.identity) for a in arrivals if named or a.source_id is not None}
        now_called = {old: a.values[0] for a in arrivals for old in a.also_called}
        now_named = {old: a.fingerprint for a in arrivals for old in a.also_named}
        for statement in (statements.current, statements.superseded):
            for row in self._select(statement, keys):
                known.setdefault(row[_KEYS], []).append(self._version(row))
        nameless = [] if named else [a for a in arrivals if a.source_id is None]
        if statements.natural:
            patients = {str(a.values[0]) for a in nameless} | {old for a in nameless for old in a.also_called}
            for row in self._select(statements.by_patient, patients):
                identity = (now_called.get(row[_KEYS], row[_KEYS]), *row[_KEYS + 1 :])
                known.setdefault(identity, []).append(self._version(row))
        else:
            for row in self._select(statements.by_fingerprint, {a.fingerprint for a in nameless} | now_named.keys()):
                known.setdefault((now_named.get(row[_KEYS], row[_KEYS]),), []).append(self._version(row))
        self._read_foreign([version for versions in known.values() for version in versions])
        if nameless and not statements.natural:
            self._add_foreign(known, {str(a.values[0]) for a in nameless})
        return known

    def _add_foreign(self, known: dict[object, list[Version]], patients: set[str]) -> None:
        """Facts that another program wrote without a name: told apart by their values, as those of a feed."""
        versions = [self._version(row) for row in self._select(self._statements.foreign, patients)]
        self._read_foreign(versions)
        for version in versions:
            name = fingerprint(self._statements.columns, version.values, version.recorded_at)
            known.setdefault((name,), []).append(version)

    def _read_foreign(self, versions: Iterable[Version]) -> None:
        """Fill in the values of the versions without a fingerprint: another program wrote them."""
        foreign = {version.id: version for version in versions if version.fingerprint is None}
        for row in self._select(self._statements.values, foreign):
            foreign[row[0]].values = tuple(row[1:])

    def _select(self, statement: Callable[[int], str], keys: Iterable[object]) -> Iterator[Sequence[Any]]:
        listed = list(keys)
        for start in range(0, len(listed), _CHUNK):
            part = listed[start : start + _CHUNK]
            values = dialect.amongst(self._connection.dialect, part)
            yield from self._connection.exec_driver_sql(statement(len(part)), values)

    def _version(self, row: Sequence[Any]) -> Version:
        id_, recorded_at, stored_at, end, named, feed, record, patient_id = row[:_KEYS]
        start = ALWAYS
        if recorded_at is not None:
            stored = instant_or(stored_at, self._zone, otherwise=self._now)
            start = min(stored, instant_or(recorded_at, self._zone, otherwise=stored))
        return Version(id_, start, end, named, feed, recorded_at, record, patient_id, stored_at)

    def _store(self) -> None:
        moved, added = [], []
        for timeline in self._timelines.values():
            moved += [(v.end, v.id) for v in timeline.versions if v.moved and v.id is not None]
            added += self._added(timeline.versions)
        now, feed = self._now_written, self._feed
        added += [(*a.values, a.source_id, a.recorded_at, now, None, a.fingerprint, feed, None) for a in self._plain.values()]
        if moved:  # before the insertions: a record has one current version at any time
            self._connection.exec_driver_sql(self._statements.supersede, moved)
        if added:
            dialect.insert_all(self._connection, self._statements.insert, self._statements.kind, self._statements.inserted, added)

    def _added(self, versions: Sequence[Version]) -> list[tuple[Value, ...]]:
        """The rows of the versions that are new; all but the first name the row that stands for their record."""
        nameless = bool(self._statements.natural) and not any(v.arrival and v.arrival.source_id for v in versions)
        record = next((v.record or v.id for v in versions if v.id is not None), None) if nameless else None
        rows = []
        for version in versions:
            if version.arrival is None:
                continue
            arrival = version.arrival
            row = (version.patient_id, *arrival.values[1:], arrival.source_id, version.recorded_at, self._now_written)
            row = (*row, version.end, version.fingerprint, version.feed, record)
            if nameless and record is None:
                record = self._connection.exec_driver_sql(self._statements.insert_returning, row).scalar_one()
            else:
                rows.append(row)
        return rows
