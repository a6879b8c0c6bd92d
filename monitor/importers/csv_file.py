"""One CSV file of one kind: UTF-8, a header, comma (or semicolon or tab, as its header has it).

Each bad row is refused alone. The file is refused as a whole only where no row of it could be trusted.
"""

from __future__ import annotations

import codecs
import csv
from collections import Counter
from collections.abc import Callable, Iterator
from io import TextIOWrapper
from operator import getitem, itemgetter
from pathlib import PurePath
from typing import BinaryIO

from monitor.importers.checks import CHECKS
from monitor.importers.columns import COLUMNS, Column
from monitor.importers.imported import CellError, Clinic, ImportedFile, Rejected, RejectedRow, Row, Value
from monitor.importers.names import kind_of
from monitor.importers.records import Records, delimiter_of

MOST_REMEMBERED = 4096
LONGEST_REMEMBERED = 64
_CHUNK = 1 << 20


def read_csv(name: str, stream: BinaryIO, clinic: Clinic) -> Iterator[ImportedFile]:
    """The one part of a file called ``name``: its rows, read one by one. See ``imported.Reader``."""
    yield _read(name, stream, clinic)


def _read(name: str, stream: BinaryIO, clinic: Clinic) -> ImportedFile:
    kind = kind_of(PurePath(name).stem)
    if kind is None:
        return _refused(None, f"the name says no kind; name it {', '.join(COLUMNS)}, with or without a date such as -2026-11-23")
    if not _is_utf8(stream):
        return _refused(kind, "the file is not UTF-8; save it as 'CSV UTF-8'")
    lines = _lines(stream)
    first_line, header, delimiter = _header(lines)
    if not any(header):
        return _refused(kind, "the file has no header; its first line names the columns")
    columns = {column.name: column for column in COLUMNS[kind]}
    mistakes = _header_mistakes(header, columns)
    if mistakes:
        return ImportedFile(kind=kind, header=header, rejected=mistakes)
    places = {column: header.index(column.name) for column in columns.values() if column.name in header}
    file = ImportedFile(
        kind=kind,
        header=header,
        unknown_columns=tuple(
            each or f"(column {place} has no name)" for place, each in enumerate(header, 1) if each not in columns
        ),
    )
    found = Records(lines, delimiter=delimiter, width=len(header), first_line=first_line + 1)
    file.rows = _rows(kind, file, found, places, clinic)
    return file


def _refused(kind: str | None, problem: str) -> ImportedFile:
    return ImportedFile(kind=kind, rejected=[Rejected(line=None, column=None, problem=problem)])


def _is_utf8(stream: BinaryIO) -> bool:
    """Read once from end to end, so that no row is taken from a file that turns out to be something else."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        while chunk := stream.read(_CHUNK):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    stream.seek(0)
    return True


def _lines(stream: BinaryIO) -> Iterator[str]:
    text = TextIOWrapper(stream, encoding="utf-8-sig", newline="")
    try:
        yield from text
    finally:
        if not stream.closed:
            text.detach()  # the stream is the caller's to close


def _header(lines: Iterator[str]) -> tuple[int, tuple[str, ...], str]:
    """The line of the header, its names in lower case, and its delimiter."""
    for number, line in enumerate(lines, 1):
        if line.strip():
            delimiter = delimiter_of(line)
            try:
                cells = next(csv.reader([line], delimiter=delimiter), [])
            except csv.Error:  # a name longer than the csv module takes
                return number, (), delimiter
            return number, tuple(cell.strip().lower() for cell in cells), delimiter
    return 1, (), ","


def _header_mistakes(header: tuple[str, ...], columns: dict[str, Column]) -> list[Rejected]:
    missing = [column.name for column in columns.values() if column.required and column.name not in header]
    twice = [name for name, times in Counter(header).items() if times > 1 and name in columns]
    return [
        *(Rejected(line=1, column=name, problem="this required column is missing; add it") for name in missing),
        *(Rejected(line=1, column=name, problem="this column is there twice; remove one") for name in twice),
    ]


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


def _rows(kind: str, file: ImportedFile, found: Records, places: dict[Column, int], clinic: Clinic) -> Iterator[Row]:
    names = [column.name for column in places]
    readers = [_Reader(column, clinic) for column in places]
    cells_of = _picker(list(places.values()))
    absent: Row = {column.name: column.default for column in COLUMNS[kind] if column not in places and column.default is not None}
    check = CHECKS.get(kind)
    for record in found:
        problems: list[tuple[str | None, str]] = [(None, record.problem)] if record.problem else []
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
        found.reread()
        file.rejected_rows.append(RejectedRow(line=record.line, cells=tuple(record.cells)))
        file.rejected += [Rejected(line=record.line, column=column, problem=problem) for column, problem in problems]


def _picker(places: list[int]) -> Callable[[list[str]], tuple[str, ...]]:
    """Takes the cells at ``places`` out of a record."""
    if len(places) == 1:
        return lambda cells: (cells[places[0]],)
    return itemgetter(*places)


def _bad_cells(names: list[str], readers: list[_Reader], cells: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for name, reader, cell in zip(names, readers, cells, strict=True):
        try:
            reader[cell]
        except CellError as bad:
            yield name, str(bad)
