"""What a reader gives back: rows fit for the store, and every row that is not, with its place and a remedy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, tzinfo

Value = str | int | float | None
Row = dict[str, Value]
"""Column -> validated value; None or absent is "not recorded". Times are ISO 8601: a bare day as written, an instant in UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clinic:
    """What a cell's meaning depends on: the zone of times without an offset, and the present."""

    zone: tzinfo
    now: datetime


class CellError(ValueError):
    """A cell that cannot be taken. The text says what kind of thing was found and what to write, never the value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """One thing wrong. ``line`` is the physical line on which the record starts, the header being 1.

    ``line`` is None where the whole file is refused, ``column`` where the whole line is.
    """

    line: int | None
    column: str | None
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedRow:
    """A row that stays outside, cell by cell as it was written."""

    line: int
    cells: tuple[str, ...]


@dataclass(slots=True, kw_only=True)
class ImportedFile:
    """One file of one kind. ``rows`` is read once; ``rejected`` and ``rejected_rows`` fill while it is read.

    A file refused as a whole has no rows, and one entry or more in ``rejected`` from the start.
    """

    kind: str | None
    header: tuple[str, ...] = ()
    unknown_columns: tuple[str, ...] = ()
    rows: Iterator[Row] = field(default_factory=lambda: iter(()))
    rejected: list[Rejected] = field(default_factory=list)
    rejected_rows: list[RejectedRow] = field(default_factory=list)
