"""Patients whose records became one: which id somebody's facts stand under now, and their move to it.

A hospital merges two records of one person; the one that lives on is the surviving one. Every current fact of the other
is said of the surviving one from then on, as a new version of the same record, and what was known before stays what it was.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any

from sqlalchemy import Connection

from monitor.store.dialect import among, amongst, placeholders
from monitor.store.fact_statements import Statements, statements_of
from monitor.store.fact_tables import KINDS
from monitor.store.feed_tables import MERGES
from monitor.store.fingerprints import fingerprint
from monitor.store.times import instant_or, written_instant
from monitor.store.versions import Value, is_moved, moved_feed, recorded_before

_CHUNK = 500
_UNKNOWN = datetime.min.replace(tzinfo=UTC)


def any_yet(connection: Connection) -> bool:
    """Whether anybody's record ever became part of another: without, nothing here need be asked."""
    return bool(connection.exec_driver_sql("SELECT EXISTS (SELECT 1 FROM merges)").scalar())


def resolve(connection: Connection, patient_ids: Iterable[str]) -> dict[str, str]:
    """The id under which the record of each lives now, itself where it was never merged."""
    wanted = list(dict.fromkeys(patient_ids))
    into = _steps(connection, "patient_id", wanted, forwards=True)
    return {patient_id: _last(into, patient_id) for patient_id in wanted}


def became(connection: Connection, patient_ids: Iterable[str]) -> dict[str, frozenset[str]]:
    """The ids of all records that became part of each of these, at first or second hand. Those without are left out."""
    wanted = set(patient_ids)
    found: dict[str, set[str]] = {}
    into = _steps(connection, "into_id", list(wanted), forwards=False)
    for patient_id in into:
        final = _last(into, patient_id)
        if final in wanted:
            found.setdefault(final, set()).add(patient_id)
    return {final: frozenset(old) for final, old in found.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge:
    """A record that became part of another one. ``into_id`` is the one named then; ``journaled`` once the journal says so."""

    patient_id: str
    into_id: str
    at: datetime
    feed: str
    journaled: bool


def of(connection: Connection, patient_ids: Sequence[str]) -> list[Merge]:
    """The merges that ended records of these ids."""
    found = []
    for part in _parts(patient_ids):
        where = among(connection.dialect, "patient_id", len(part))
        statement = f"SELECT patient_id, into_id, at, feed, journaled FROM merges WHERE {where}"
        for patient_id, into_id, at, feed, journaled in connection.exec_driver_sql(statement, amongst(connection.dialect, part)):
            since = at if isinstance(at, datetime) else datetime.fromisoformat(str(at))
            since = since.astimezone(UTC) if since.tzinfo else since.replace(tzinfo=UTC)
            found.append(Merge(patient_id=patient_id, into_id=into_id, at=since, feed=feed, journaled=bool(journaled)))
    return found


def mark_journaled(connection: Connection, patient_id: str) -> None:
    """The journal has it."""
    connection.execute(MERGES.update().where(MERGES.c.patient_id == patient_id).values(journaled=1))


def has_facts(connection: Connection, patient_id: str) -> bool:
    """Whether anything current is stored under this id."""
    mark = placeholders(connection.dialect, 1)
    asked = (f"SELECT EXISTS (SELECT 1 FROM {kind} WHERE patient_id = {mark} AND superseded_at IS NULL)" for kind in KINDS)
    return any(connection.exec_driver_sql(statement, (patient_id,)).scalar() for statement in asked)


def record(connection: Connection, patient_id: str, into_id: str, *, feed: str, now: datetime) -> None:
    """Keep that the record became part of another one, and let a round look at both."""
    columns = {"patient_id": patient_id, "into_id": into_id, "at": now.astimezone(UTC), "feed": feed, "journaled": 0}
    connection.execute(MERGES.insert(), columns)
    mark = placeholders(connection.dialect, 1)
    for each in (patient_id, into_id):
        connection.exec_driver_sql(f"INSERT INTO changes (patient_id) VALUES ({mark})", (each,))


def move(connection: Connection, patient_id: str, into_id: str, *, now: datetime, zone: tzinfo) -> dict[str, int]:
    """Move every current fact to the surviving patient; how many of each kind. Where both said one thing, one remains."""
    moved = {kind: _Mover(connection, kind, now=now, zone=zone).move(patient_id, into_id) for kind in KINDS}
    return {kind: number for kind, number in moved.items() if number}


class _Mover:
    """The facts of one kind. The triggers that keep what another program replaces keep what is moved here."""

    def __init__(self, connection: Connection, kind: str, *, now: datetime, zone: tzinfo) -> None:
        self._connection, self._kind, self._zone, self._now = connection, kind, zone, now
        self._at = written_instant(now)
        self._statements: Statements = statements_of(kind, connection.dialect)
        self._mark = placeholders(connection.dialect, 1)

    def move(self, patient_id: str, into_id: str) -> int:
        arriving, there = self._current(patient_id), self._current(into_id)
        if self._kind == "patients":
            moving, ending = ([], [*arriving]) if there else (arriving, [])
            there = []
        else:
            moving, ending = self._without_repetition(arriving, there, into_id)
        self._run(
            f"UPDATE {self._kind} SET superseded_at = {self._mark} WHERE id = {self._mark}", [(self._at, r.id) for r in ending]
        )
        self._run(
            f"UPDATE {self._kind} SET patient_id = {self._mark}, recorded_at = {self._mark} WHERE id = {self._mark}",
            [(into_id, self._at, row.id) for row in moving],
        )
        # The trigger dates what it keeps by the server's clock where a fact was recorded at this very instant.
        self._run(
            f"UPDATE {self._kind} SET superseded_at = {self._mark}"
            f" WHERE id = (SELECT version FROM {self._kind} WHERE id = {self._mark})",
            [(self._at, row.id) for row in moving],
        )
        self._run(
            f"UPDATE {self._kind} SET recorded_at = {self._mark}, stored_at = {self._mark}, source_id = {self._mark},"
            f" fingerprint = {self._mark}, feed = {self._mark} WHERE id = {self._mark}",
            [(self._at, self._at, *self._renamed(row, patient_id, into_id), row.id) for row in moving],
        )
        return len(moving)

    def _renamed(self, row: _Row, patient_id: str, into_id: str) -> tuple[Value, Value, Value]:
        """``source_id``, ``fingerprint`` and ``feed`` of a fact under the other id."""
        if self._kind == "patients":  # stands in for the patient's own until that comes, see joined.py
            return row.source_id or patient_id, row.fingerprint, moved_feed(row.said_at)
        named = row.source_id is not None or bool(self._statements.natural)
        unnamed = row.fingerprint is None and named  # another program's
        return row.source_id, None if unnamed else self._name(row, into_id), moved_feed(row.said_at)

    def _without_repetition(self, arriving: Sequence[_Row], there: Sequence[_Row], into_id: str) -> tuple[list[_Row], list[_Row]]:
        """What moves, and what ends, since the other record says it too, or says it as it was later."""
        theirs = {self._identity(row, into_id): row for row in there if row.source_id is None}
        moving, ending = [], []
        for row in arriving:
            other = theirs.get(self._identity(row, into_id)) if row.source_id is None else None
            if other is None:
                moving.append(row)
            elif self._statements.natural and _said_later(row, other):
                moving.append(row)
                ending.append(other)
            else:
                ending.append(row)
        return moving, ending

    def _identity(self, row: _Row, into_id: str) -> tuple[Value, ...]:
        if self._statements.natural:
            places = map(self._statements.columns.index, self._statements.natural[1:])
            return tuple(row.values[place] for place in places)
        return (self._name(row, into_id),)

    def _name(self, row: _Row, into_id: str) -> str:
        return fingerprint(self._statements.columns, (into_id, *row.values[1:]), row.said_at)

    def _current(self, patient_id: str) -> list[_Row]:
        carried = "id, source_id, recorded_at, stored_at, fingerprint, feed"
        columns = ", ".join(self._statements.columns)
        statement = f"SELECT {carried}, {columns} FROM {self._kind} WHERE patient_id = {self._mark} AND superseded_at IS NULL"
        rows = self._connection.exec_driver_sql(f"{statement} ORDER BY id", (patient_id,)).all()
        return [_Row(row, self._zone, self._now) for row in rows]

    def _run(self, statement: str, rows: list[tuple[Any, ...]]) -> None:
        if rows:
            self._connection.exec_driver_sql(statement, rows)


class _Row:
    """One current fact. ``said_at`` is when the hospital said that it recorded it, whatever merges came after."""

    __slots__ = ("fingerprint", "id", "said_at", "said_instant", "source_id", "stored", "values")

    def __init__(self, row: Sequence[Any], zone: tzinfo, now: datetime) -> None:
        self.id, self.source_id, recorded_at, stored_at, self.fingerprint, feed = row[:6]
        self.values: tuple[Value, ...] = tuple(row[6:])
        self.said_at: str | None = recorded_before(feed) if is_moved(feed) else recorded_at
        self.stored = instant_or(stored_at, zone, otherwise=now)
        said = None if self.said_at is None else instant_or(self.said_at, zone, otherwise=self.stored)
        self.said_instant = None if said is None else min(said, self.stored)  # a clock that ran ahead counts for nothing


def _said_later(row: _Row, other: _Row) -> bool:
    """Whether ``row`` is the newer statement of the two, as if both had come under one id."""
    if row.said_instant is not None and other.said_instant is not None and row.said_instant != other.said_instant:
        return row.said_instant > other.said_instant
    return (row.stored, row.id) > (other.stored, other.id)


def _steps(connection: Connection, column: str, wanted: Sequence[str], *, forwards: bool) -> dict[str, str]:
    """Old id -> the id it was merged into, for all that is reached from ``wanted`` in one direction."""
    found: dict[str, str] = {}
    asked: set[str] = set()
    frontier: Collection[str] = wanted
    while frontier:
        asked.update(frontier)
        reached: set[str] = set()
        for part in _parts(list(frontier)):
            statement = f"SELECT patient_id, into_id FROM merges WHERE {among(connection.dialect, column, len(part))}"
            for patient_id, into_id in connection.exec_driver_sql(statement, amongst(connection.dialect, part)):
                found[patient_id] = into_id
                reached.add(into_id if forwards else patient_id)
        frontier = reached - asked
    return found


def _last(into: Mapping[str, str], patient_id: str) -> str:
    seen = {patient_id}
    while (following := into.get(patient_id)) is not None and following not in seen:
        seen.add(following)
        patient_id = following
    return patient_id


def _parts(keys: Sequence[str]) -> Iterable[list[str]]:
    return (list(keys[start : start + _CHUNK]) for start in range(0, len(keys), _CHUNK))
