"""What a table holds, in words that do not depend on the database that holds it: so two databases can be compared.

An instant is text in UTC with six digits of a second, yes and no are 1 and 0, everything else is itself. A table's hash
is the sum of the SHA-256 of its rows, each as one line of JSON: the order in which a database gives them does not matter.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Boolean, Connection, Table
from sqlmodel import UTCDateTime

from monitor.store.bulk import pieces_of

Row = tuple[Any, ...]
NO_TEXT = "\ufffd"
_MODULUS = 1 << 256
_encode = json.JSONEncoder(separators=(",", ":")).encode


@dataclass(slots=True)
class Content:
    """How many rows a table holds, and the hash of all of them. ``mended``: rows with bytes that are no text."""

    table: str
    rows: int = 0
    mended: int = 0
    _sum: int = 0

    def add(self, rows: Sequence[Row]) -> None:
        """Take some more rows in."""
        self.rows += len(rows)
        for row in rows:
            self._sum += int.from_bytes(sha256(_encode(row).encode()).digest(), "big")

    @property
    def sha256(self) -> str:
        return f"{self._sum % _MODULUS:064x}"

    def agrees(self, other: Content) -> bool:
        """Whether both hold the same."""
        return (self.table, self.rows, self.sha256) == (other.table, other.rows, other.sha256)


def rows(connection: Connection, table: Table, content: Content) -> Iterator[list[Row]]:
    """All rows of a table piece by piece, counted and hashed into ``content``; bounded memory whatever there is.

    Another program may have put bytes that are no text into SQLite, or a NUL, which PostgreSQL does not take: both
    come as U+FFFD, as the program has always read the first.
    """
    names = [column.name for column in table.columns]
    made = [(place, maker) for place, column in enumerate(table.columns) if (maker := _maker(column.type)) is not None]
    for piece in pieces_of(connection, table.name, names):
        found = []
        for row in piece:
            values = list(row)
            for place, maker in made:
                values[place] = maker(values[place])
            if any(type(value) is str and ("\0" in value or NO_TEXT in value) for value in values):
                values = [value.replace("\0", NO_TEXT) if isinstance(value, str) else value for value in values]
                content.mended += 1
            found.append(tuple(values))
        content.add(found)
        yield found


def content_of(connection: Connection, table: Table) -> Content:
    """The count and the hash of a table."""
    content = Content(table.name)
    for _ in rows(connection, table, content):
        pass
    return content


def _maker(type_: object) -> Callable[[Any], Any] | None:
    if isinstance(type_, UTCDateTime):
        return _instant
    return _bit if isinstance(type_, Boolean) else None


def _instant(at: datetime | str | None) -> str | None:
    """As SQLite holds it."""
    if at is None:
        return None
    try:
        aware = at.astimezone(UTC) if isinstance(at, datetime) else datetime.fromisoformat(at).replace(tzinfo=UTC)
    except ValueError:
        return str(at)
    return f"{aware:%Y-%m-%d %H:%M:%S.%f}"


def _bit(value: bool | int | None) -> int | None:
    return None if value is None else int(value)
