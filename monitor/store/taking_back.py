"""Facts that a feed takes back: the record ends, as if another program had deleted it; what was known stays known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo

from sqlalchemy import Connection

from monitor.store import dialect
from monitor.store.fact_statements import statements_of
from monitor.store.facts import FactRow
from monitor.store.times import instant_or, written_instant
from monitor.store.versions import Value

_CHUNK = 500


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
