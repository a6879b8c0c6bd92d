"""A header and the records below it into rows: what CSV files and the sheets of a workbook have in common.

Each bad row is refused alone. A table is refused as a whole only where no row of it could be trusted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from operator import getitem, itemgetter

from monitor.importers.checks import CHECKS
from monitor.importers.columns import COLUMNS, Column
from monitor.importers.imported import CellError, Clinic, ImportedFile, Rejected, RejectedRow, Row, Value
from monitor.importers.records import Record

MOST_REMEMBERED = 4096
LONGEST_REMEMBERED = 64


def refused(kind: str | None, problem: str, *, sheet: str | None = None) -> ImportedFile:
    """A file or sheet of which nothing is taken."""
    return ImportedFile(kind=kind, sheet=sheet, rejected=[Rejected(line=None, column=None, problem=problem, record=sheet)])


def opened(kind: str, header: Iterable[str], *, line: int = 1, sheet: str | None = None) -> ImportedFile:
    """A file or sheet with the header in ``line``, refused if its columns are not those of the kind, and without its rows."""
    names = tuple(name.strip().lower() for name in header)
    columns = {column.name: column for column in COLUMNS[kind]}
    unknown = tuple(each or f"(column {place} has no name)" for place, each in enumerate(names, 1) if each not in columns)
    mistakes = [
        Rejected(line=line, column=column, problem=problem, record=sheet) for column, problem in _header_mistakes(names, columns)
    ]
    return ImportedFile(kind=kind, sheet=sheet, header=names, rejected=mistakes, unknown_columns=() if mistakes else unknown)


def rows(
    file: ImportedFile, records: Iterable[Record], clinic: Clinic, *, after_refusal: Callable[[], None] = lambda: None
) -> Iterator[Row]:
    """The good rows of records below the header of ``file``, whose lists of what is refused fill meanwhile."""
    kind = str(file.kind)
    places = {column: file.header.index(column.name) for column in COLUMNS[kind] if column.name in file.header}
    names = [column.name for column in places]
    readers = [_Reader(column, clinic) for column in places]
    cells_of = _picker(list(places.values()))
    absent: Row = {column.name: column.default for column in COLUMNS[kind] if column not in places and column.default is not None}
    check = CHECKS.get(kind)
    for record in records:
        problems: list[tuple[str | None, str]] = [(None, record.problem)] if record.problem else []
        if record.unreadable:
            problems += _unreadable(record.unreadable, places)
        if not problems:
            cells = cells_of(record.cells)
            try:
                row = absent | dict(zip(names, map(getitem, readers, cells), strict=True))
                problems += check(row) if check else ()
            except CellError:
                problems += _bad_cells(names, readers, cells)
        if not problems:
            yield row
            continue
        after_refusal()
        file.rejected_rows.append(RejectedRow(line=record.line, cells=tuple(record.cells)))
        file.rejected += [
            Rejected(line=record.line, column=column, problem=problem, record=file.sheet) for column, problem in problems
        ]


def _header_mistakes(header: tuple[str, ...], columns: Mapping[str, Column]) -> Iterator[tuple[str, str]]:
    for column in columns.values():
        if column.required and column.name not in header:
            yield column.name, "this required column is missing; add it"
    for name, times in Counter(header).items():
        if times > 1 and name in columns:
            yield name, "this column is there twice; remove one"


class _Reader(dict[str, Value]):
    """Reads the cells of one column, remembering what a text meant: feeds repeat themselves.

    A dict, because a look-up of a text seen before then costs no call of ours (an import has millions of them).
    """

    def __init__(self, column: Column, clinic: Clinic) -> None:
        super().__init__()
        self._column, self._clinic = column, clinic

    def __missing__(self, text: str) -> Value:
        stripped = text.strip()
        value = self._column.read(stripped, self._clinic) if stripped else self._column.default
        if value is None and self._column.required:
            raise CellError("found nothing; this column is required")
        if len(self) >= MOST_REMEMBERED:
            self.clear()
        if len(text) <= LONGEST_REMEMBERED:
            self[text] = value
        return value


def _picker(places: list[int]) -> Callable[[list[str]], tuple[str, ...]]:
    """Takes the cells at ``places`` out of a record."""
    if len(places) == 1:
        return lambda cells: (cells[places[0]],)
    return itemgetter(*places)


def _unreadable(cells: Mapping[int, str], places: Mapping[Column, int]) -> Iterator[tuple[str, str]]:
    """Of the cells that hold no text, those in a column that is read."""
    return ((column.name, cells[place]) for column, place in places.items() if place in cells)


def _bad_cells(names: list[str], readers: list[_Reader], cells: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for name, reader, cell in zip(names, readers, cells, strict=True):
        try:
            reader[cell]
        except CellError as bad:
            yield name, str(bad)
