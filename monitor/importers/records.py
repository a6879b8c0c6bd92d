"""CSV records with the physical line on which each starts, even where a quote is left open.

An open quote would swallow the rows below it. So a record that cannot be read, or has another width than the header,
costs its first line only: the lines that were read along with it are read again as records of their own.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple

MOST_LINES = 200
"""Physical lines that one record may take; more means a quote that is not closed."""

DELIMITERS = (",", ";", "\t")


class Record(NamedTuple):
    """``problem`` is None for a record that has as many cells as the header.

    ``unreadable`` says by place of cells that hold something other than text what is wrong with them.
    """

    line: int
    cells: list[str]
    problem: str | None
    unreadable: Mapping[int, str] = MappingProxyType({})


def delimiter_of(header: str) -> str:
    """Comma, unless the header line holds more semicolons or more tabs.

    >>> delimiter_of("patient_id;given_at;drug")
    ';'
    """
    return max(DELIMITERS, key=header.count)


class Records:
    """Every record that is not empty, of lines of which the first is physical line ``first_line`` of the file."""

    def __init__(self, lines: Iterable[str], *, delimiter: str, width: int, first_line: int) -> None:
        self._source = _Lines(lines)
        self._delimiter, self._width, self._first_line = delimiter, width, first_line

    def __iter__(self) -> Iterator[Record]:
        source, width = self._source, self._width
        while True:
            try:
                for cells in csv.reader(source, delimiter=self._delimiter, strict=True):
                    if len(cells) == width or not any(cells[width:]):
                        problem = _TOO_FEW if len(cells) < width else None
                    else:
                        problem = _TOO_MANY
                    if any(map(str.strip, cells)):
                        yield Record(self._first_line + source.taken, cells, problem)
                    source.accept()
            except csv.Error:
                start = self._first_line + source.taken
                first = source.keep_first()
                yield Record(start, [first.rstrip("\r\n")], _QUOTE)
            else:
                return

    def reread(self) -> None:
        """Of the record just given, refused, read the further lines again if one of them may be a record of its own."""
        if self._source.may_hold_records(self._delimiter, self._width - 1):
            self._source.keep_first()


_QUOTE = "found a quote that is not closed, or text beside a quoted cell; close it, and double the quotes inside a quoted cell"
_TOO_MANY = "found more cells than the header has; put quotes around a cell that holds a comma"
_TOO_FEW = "found fewer cells than the header has; the line is cut off, export the file again"


class _Lines:
    """Physical lines for a csv.reader, keeping those of the record being read so that they can be read again."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = iter(lines)
        self._again: list[str] = []  # last first
        self._current: list[str] = []
        self.taken = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if len(self._current) >= MOST_LINES:
            raise csv.Error("a record of too many lines")
        line = self._again.pop() if self._again else next(self._lines)
        self._current.append(line)
        return line

    def may_hold_records(self, delimiter: str, times: int) -> bool:
        return any(line.count(delimiter) >= times for line in self._current[1:])

    def accept(self) -> None:
        """The current record was read: its lines are done with."""
        self.taken += len(self._current)
        self._current.clear()

    def keep_first(self) -> str:
        """Give up the first line of the current record, and return it; the others will be read again."""
        first, *others = self._current
        self._again.extend(reversed(others))
        self._current.clear()
        self.taken += 1
        return first
