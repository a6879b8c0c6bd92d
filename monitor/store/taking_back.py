"""Facts that a feed takes back: the record ends, as if another program had deleted it; what was known stays known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, tzinfo

from sqlalchemy import Connection

from monitor.store import dialect
from monitor.store.fact_statements import statements_of
from monitor.store.facts import FactRow
from monitor.store.times import instant_or, written_instant
from monitor.store.versions import Value

_CHUNK = 500
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


def standing(connection: Connection, kind: str, source_ids: Sequence[str]) -> dict[str, int]:
    """Of the records called so, those that have a current version, with the row of it."""
    statements = statements_of(kind, connection.dialect)
    found = {}
    for start in range(0, len(source_ids), _CHUNK):
        part = source_ids[start : start + _CHUNK]
        values = dialect.amongst(connection.dialect, part)
        for row in connection.exec_driver_sql(statements.current(len(part)), values):
            found[row[-1]] = row[0]
    return found


def says_the_same(connection: Connection, kind: str, rows: Sequence[FactRow]) -> list[bool]:
    """Of each row, whether the current version of its record says just that; when it was recorded is not looked at."""
    statements = statements_of(kind, connection.dialect)
    key = statements.key
    current = standing(connection, kind, [str(row[key]) for row in rows])
    said: dict[int, tuple[Value, ...]] = {}
    ids = list(current.values())
    for start in range(0, len(ids), _CHUNK):
        part = ids[start : start + _CHUNK]
        for row in connection.exec_driver_sql(statements.values(len(part)), dialect.amongst(connection.dialect, part)):
            said[row[0]] = tuple(row[1:])
    places = [(current.get(str(row[key])), tuple(map(row.get, statements.columns))) for row in rows]
    return [place is not None and said[place] == values for place, values in places]


def in_force_now(connection: Connection, kind: str, rows: Sequence[FactRow], zone: tzinfo) -> list[FactRow]:
    """The rows, without the time at which one was recorded where its record holds something later: it is known only now.

    What is said last holds. With its own, earlier, time it would stand among what was known before a deletion whose time
    the feed did not give, and count no more.
    """
    statements = statements_of(kind, connection.dialect)
    names = [str(row["source_id"]) for row in rows if row.get("source_id") is not None and row.get("recorded_at") is not None]
    latest: dict[str, datetime] = {}
    for start in range(0, len(names), _CHUNK):
        part = names[start : start + _CHUNK]
        values = dialect.amongst(connection.dialect, part)
        for statement in (statements.current(len(part)), statements.superseded(len(part))):
            for row in connection.exec_driver_sql(statement, values):
                known = [instant_or(each, zone, otherwise=_LONG_AGO) for each in (row[1], row[3]) if each is not None]
                latest[row[-1]] = max([latest.get(row[-1], _LONG_AGO), *known])
    return [_known_now(row, latest.get(str(row.get("source_id")), _LONG_AGO), zone) for row in rows]


def _known_now(row: FactRow, latest: datetime, zone: tzinfo) -> FactRow:
    recorded_at = row.get("recorded_at")
    if recorded_at is None or instant_or(str(recorded_at), zone, otherwise=latest) >= latest:
        return row
    return {**row, "recorded_at": None}


def take_back(connection: Connection, kind: str, records: Mapping[str, str | None], *, now: datetime, zone: tzinfo) -> int:
    """End the records called so, each from the instant given, or from now. How many there were. In a writing transaction."""
    current = standing(connection, kind, list(records))
    ends = []
    for source_id, row_id in current.items():
        known = records[source_id]
        at = now if known is None else min(now, instant_or(known, zone, otherwise=now))
        ends.append((written_instant(at), row_id))
    if ends:
        connection.exec_driver_sql(statements_of(kind, connection.dialect).supersede, ends)
    return len(ends)
