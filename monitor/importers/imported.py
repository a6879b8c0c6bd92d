"""What a reader gives back: rows fit for the store, and every row that is not, with its place and a remedy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import BinaryIO

from monitor.importers.items import Item, Merge

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

    ``line`` is None where the whole file is refused, ``column`` where the whole line is. ``record`` names the record in a
    feed of records that are no lines, such as "Observation/17".
    """

    line: int | None
    column: str | None
    problem: str
    record: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedRow:
    """A row that stays outside, cell by cell as it was written."""

    line: int
    cells: tuple[str, ...]


@dataclass(slots=True, kw_only=True)
class ImportedFile:
    """One file of one kind, or one sheet of a file. ``rows`` is read once; the lists below fill while it is read.

    A file refused as a whole has no rows, and one entry or more in ``rejected`` from the start. A feed of many kinds has
    ``kind`` None and ``items`` in place of rows. ``passed_over`` counts by reason what is no matter of this program.
    ``records`` is how many records such a feed held, ``refused_untold`` how many of the refused are not in ``rejected``
    one by one. ``warnings`` counts what was taken although somebody should look at it.
    """

    kind: str | None
    sheet: str | None = None
    header: tuple[str, ...] = ()
    unknown_columns: tuple[str, ...] = ()
    rows: Iterator[Row] = field(default_factory=lambda: iter(()))
    rejected: list[Rejected] = field(default_factory=list)
    items: Iterator[Item | Merge] | None = None
    rejected_rows: list[RejectedRow] = field(default_factory=list)
    passed_over: Counter[str] = field(default_factory=Counter)
    warnings: Counter[str] = field(default_factory=Counter)
    records: int = 0
    refused_untold: int = 0


Reader = Callable[[str, BinaryIO, Clinic], Iterator[ImportedFile]]
"""A file by its name, open and seekable: its sheets or parts, each to be read to its end before the next is asked for.

Never raises for what a feed may contain: what cannot be taken is in ``rejected``.
"""
