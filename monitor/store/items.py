"""The pieces that feeds say, each as it was said last, and which of them no row was made of yet.

Driver SQL that SQLite and PostgreSQL share, for the same reason as in ``fact_statements``: a feed has millions of pieces.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from sqlalchemy import Connection

from monitor.store.dialect import among, amongst, placeholders

Value = str | int | float | None
Name = tuple[str, str]
"""Type and id of a piece within its feed."""

Group = tuple[str, str]
"""Kind of a row, and the name of the row among those of its kind."""

SETTLED, UNSETTLED, FAILED = 0, 1, 2
"""A row was made of it; not yet; it could not be."""

_AT_ONCE = 500
_COLUMNS = ("type", "id", "version", "patient_id", "kind", "grouped", "cells", "uses", "voided", "recorded_at", "unsettled")
_SELECT = f"SELECT {', '.join(_COLUMNS)} FROM items WHERE"
_encode = json.JSONEncoder(separators=(",", ":")).encode


@dataclass(slots=True, kw_only=True)
class Piece:
    """One piece as it is kept. ``uses`` names another piece, without which it says nothing."""

    type: str
    id: str
    version: str
    patient_id: str
    kind: str
    group: str
    cells: dict[str, Value] = field(default_factory=dict)
    uses: str | None = None
    voided: bool = False
    recorded_at: str | None = None
    state: int = UNSETTLED

    @property
    def name(self) -> Name:
        """What tells it from the others of its feed."""
        return self.type, self.id


def known(connection: Connection, feed: str, names: Iterable[Name]) -> dict[Name, Piece]:
    """Those of ``names`` that were said before."""
    by_type: dict[str, list[str]] = {}
    for type_, id_ in names:
        by_type.setdefault(type_, []).append(id_)
    found = {}
    for type_, ids in by_type.items():
        for piece in _among(connection, feed, ("type", type_), "id", ids):
            found[piece.name] = piece
    return found


def keep(connection: Connection, feed: str, pieces: Sequence[Piece]) -> None:
    """Each piece takes the place of what was said under its name before."""
    if not pieces:
        return
    names = ("feed", *_COLUMNS)
    changes = ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS[2:])
    statement = (
        f"INSERT INTO items ({', '.join(names)}) VALUES ({placeholders(connection.dialect, len(names))})"
        f" ON CONFLICT (feed, type, id) DO UPDATE SET {changes}"
    )
    rows = [
        (
            feed,
            p.type,
            p.id,
            p.version,
            p.patient_id,
            p.kind,
            p.group,
            _encode(p.cells),
            p.uses,
            int(p.voided),
            p.recorded_at,
            p.state,
        )
        for p in pieces
    ]
    connection.exec_driver_sql(statement, rows)


def unsettled(connection: Connection, feed: str, *, after: Group, at_most: int) -> list[Group]:
    """Groups of which something changed since their row was made, in order, from behind ``after`` on.

    From behind the last one: PostgreSQL steps over all that this transaction settled before, however often it is asked.
    """
    mark = placeholders(connection.dialect, 1)
    query = (
        f"SELECT DISTINCT kind, grouped FROM items WHERE feed = {mark} AND unsettled = 1"
        f" AND (kind, grouped) > ({mark}, {mark}) ORDER BY kind, grouped LIMIT {at_most:d}"
    )
    return [(row[0], row[1]) for row in connection.exec_driver_sql(query, (feed, *after))]


def too_large(connection: Connection, feed: str, groups: Iterable[Group], *, more_than: int) -> set[Group]:
    """Those of ``groups`` that hold more than so many pieces: to read them would take too much memory."""
    mark = placeholders(connection.dialect, 1)
    found = set()
    for kind, names in _by_first(groups).items():
        for part in _parts(names):
            query = (
                f"SELECT grouped FROM items WHERE {among(connection.dialect, 'grouped', len(part))}"
                f" AND {_is('kind', mark)} AND {_is('feed', mark)} GROUP BY grouped HAVING COUNT(*) > {more_than:d}"
            )
            values = (*amongst(connection.dialect, part), kind, feed)
            found |= {(kind, row[0]) for row in connection.exec_driver_sql(query, values)}
    return found


def members(connection: Connection, feed: str, groups: Iterable[Group]) -> dict[Group, list[Piece]]:
    """All pieces of ``groups``, the voided ones too."""
    found: dict[Group, list[Piece]] = {}
    for kind, names in _by_first(groups).items():
        for piece in _among(connection, feed, ("kind", kind), "grouped", names):
            found.setdefault((kind, piece.group), []).append(piece)
    return found


def of_patients(connection: Connection, feed: str, kind: str, patients: Iterable[str]) -> dict[str, list[Piece]]:
    """The pieces of one kind that are not voided, by patient as the feed names them."""
    found: dict[str, list[Piece]] = {}
    for piece in _among(connection, feed, ("kind", kind), "patient_id", list(patients)):
        if not piece.voided:
            found.setdefault(piece.patient_id, []).append(piece)
    return found


def settle(connection: Connection, feed: str, groups: Mapping[Group, int]) -> None:
    """What became of each group: SETTLED, or FAILED."""
    if groups:
        mark = placeholders(connection.dialect, 1)
        where = f"grouped = {mark} AND {_is('kind', mark)} AND {_is('feed', mark)}"
        statement = f"UPDATE items SET unsettled = {mark} WHERE {where}"
        rows = [(state, name, kind, feed) for (kind, name), state in groups.items()]
        connection.exec_driver_sql(statement, rows)


def unsettle_users(connection: Connection, feed: str, used: Iterable[str]) -> None:
    """Whatever uses one of the pieces that ``used`` names may say something else now."""
    _unsettle(connection, feed, "uses", used)


def unsettle_patients(connection: Connection, feed: str, patients: Iterable[str], *, kind: str | None = None) -> None:
    """Whatever is said of these patients, as the feed names them, may mean something else now."""
    _unsettle(connection, feed, "patient_id", patients, kind=kind)


def _unsettle(connection: Connection, feed: str, column: str, values: Iterable[str], *, kind: str | None = None) -> None:
    mark = placeholders(connection.dialect, 1)
    of_kind = "" if kind is None else f" AND {_is('kind', mark)}"
    statement = f"UPDATE items SET unsettled = 1 WHERE {column} = {mark} AND {_is('feed', mark)}{of_kind}"
    rows = [(value, feed) if kind is None else (value, feed, kind) for value in values]
    if rows:
        connection.exec_driver_sql(statement, rows)


def _among(connection: Connection, feed: str, same: tuple[str, str], column: str, values: Sequence[str]) -> Iterator[Piece]:
    spoken = connection.dialect
    mark = placeholders(spoken, 1)
    for part in _parts(values):
        query = f"{_SELECT} {among(spoken, column, len(part))} AND {_is(same[0], mark)} AND {_is('feed', mark)}"
        for row in connection.exec_driver_sql(query, (*amongst(spoken, part), same[1], feed)):
            yield _piece(row)


def _is(column: str, mark: str) -> str:
    """A condition that no index is chosen for: of a table that grows, PostgreSQL takes all of a feed for a few rows."""
    return f"{column} || '' = {mark}"


def _piece(row: Sequence[Any]) -> Piece:
    type_, id_, version, patient_id, kind, group, cells, uses, voided, recorded_at, state = row
    return Piece(
        type=type_,
        id=id_,
        version=version,
        patient_id=patient_id,
        kind=kind,
        group=group,
        cells=json.loads(cells),
        uses=uses,
        voided=bool(voided),
        recorded_at=recorded_at,
        state=state,
    )


def _by_first(groups: Iterable[Group]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for kind, name in groups:
        found.setdefault(kind, []).append(name)
    return found


def _parts(values: Iterable[str]) -> Iterator[list[str]]:
    remaining = iter(dict.fromkeys(values))
    while part := list(islice(remaining, _AT_ONCE)):
        yield part
