"""What a workbook holds, before it is opened: how large it would grow, and the cells whose error a reader takes for nothing.

The library that reads workbooks lays each sheet out in full, from its first cell to its last, and ends its process where
memory does not suffice; and it gives "" for an error and for a formula that was never computed.
"""

from __future__ import annotations

import re
import struct
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from posixpath import normpath
from typing import BinaryIO
from xml.parsers import expat

from monitor.importers.sheet_cells import ERROR, MERGED, NOT_COMPUTED
from monitor.importers.sheet_scan_xls import ProtectedError, errors_in

MOST_UNPACKED = 512 << 20
"""Bytes of a whole workbook once it is unpacked (J)."""

MOST_CELLS = 3_000_000
"""From the first to the last of a sheet, the empty ones between included (J)."""

MOST_UNREADABLE = 100_000
MOST_PARTS = 10_000
LARGEST_SHEET = 1_048_576, 16_384
_NO_WORKBOOK = "the file is no workbook that we read; save it as .xlsx"
_DAMAGED = "the file is damaged; open it in a spreadsheet program and save it again"
_PROTECTED = "the file is protected by a password; save it without one"
_CHUNK = 1 << 20
_PLACE = re.compile(r"([A-Z]{1,3})([0-9]{1,7})", re.ASCII)


class WorkbookError(ValueError):
    """A file of which nothing can be taken. The words say why and what to do."""


@dataclass(slots=True)
class Scan:
    """One sheet. ``unreadable`` is row, column (both from 0) -> what is wrong; the last row and column are -1 where none is."""

    last_row: int = -1
    last_column: int = -1
    unreadable: dict[tuple[int, int], str] = field(default_factory=dict)

    def hold(self, row: int, column: int) -> None:
        """The cell holds something."""
        if row >= LARGEST_SHEET[0] or column >= LARGEST_SHEET[1]:
            raise WorkbookError("a cell lies outside of every sheet; the file is damaged, save it again")
        self.last_row, self.last_column = max(self.last_row, row), max(self.last_column, column)
        if (self.last_row + 1) * (self.last_column + 1) > MOST_CELLS:
            raise WorkbookError(
                f"a sheet reaches over more than {MOST_CELLS:,} cells; delete what stands far from its table, or split the file"
            )

    def refuse(self, row: int, column: int, why: str) -> None:
        """The cell holds something that is no value."""
        self.hold(row, column)
        self.unreadable[row, column] = why
        if len(self.unreadable) > MOST_UNREADABLE:
            raise WorkbookError("a sheet has too many cells with errors; correct its formulas")


def scan(stream: BinaryIO) -> dict[str, Scan]:
    """Each sheet of a workbook by its name; of an ``.xls``, whose sheets are small, only the errors.

    Raises WorkbookError for everything else, and for what is damaged, too large or protected.
    """
    begins = stream.read(8)
    if begins == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        stream.seek(0)
        return _xls(stream.read())
    if not begins.startswith(b"PK"):
        raise WorkbookError(_NO_WORKBOOK)
    try:
        with zipfile.ZipFile(stream) as archive:
            parts = archive.infolist()
            if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > MOST_UNPACKED:
                raise WorkbookError(f"the file unpacks to more than {MOST_UNPACKED >> 20} MiB; split it")
            names = set(archive.namelist())
            if "xl/workbook.xml" in names:
                return {sheet: _Xlsx(archive, part).scan for sheet, part in _sheets_of(archive) if part in names}
            if "content.xml" in names:
                _refuse_encrypted(archive, names)
                return _Ods(archive).sheets
    except (zipfile.BadZipFile, expat.ExpatError, KeyError, ValueError, EOFError, NotImplementedError, RuntimeError) as error:
        if isinstance(error, WorkbookError):
            raise
        raise WorkbookError(_DAMAGED) from None
    except OSError:
        raise WorkbookError("the file is damaged; export it again") from None
    raise WorkbookError(_NO_WORKBOOK)


def _xls(data: bytes) -> dict[str, Scan]:
    try:
        found = errors_in(data)
    except ProtectedError:
        raise WorkbookError(_PROTECTED) from None
    except (ValueError, IndexError, KeyError, struct.error):
        raise WorkbookError(_DAMAGED) from None
    return {name: Scan(unreadable=dict.fromkeys(cells, ERROR)) for name, cells in found.items()}


def _refuse_encrypted(archive: zipfile.ZipFile, names: set[str]) -> None:
    if "META-INF/manifest.xml" in names and b"encryption-data" in archive.read("META-INF/manifest.xml"):
        raise WorkbookError(_PROTECTED)


Attributes = dict[str, str]


def _local(name: str) -> str:
    return name.rpartition(":")[2]


class _Parts:
    """Reads one XML part; names are taken without their prefix. An XML that declares a document type is refused."""

    def __init__(self, archive: zipfile.ZipFile, part: str) -> None:
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = self.end
        self.parser.StartDoctypeDeclHandler = self._doctype
        with archive.open(part) as stream:
            while chunk := stream.read(_CHUNK):
                self.parser.Parse(chunk)
        self.parser.Parse(b"", True)

    def start(self, name: str, attributes: Attributes) -> None:
        """An element begins."""

    def end(self, name: str) -> None:
        """An element ends."""

    def _doctype(self, *_declared: object) -> None:
        raise WorkbookError("the file declares a document type, which no spreadsheet program writes; save it again")


class _Named(_Parts):
    """The elements of one name, with their attributes."""

    def __init__(self, archive: zipfile.ZipFile, part: str, wanted: str) -> None:
        self.wanted, self.found = wanted, list[Attributes]()
        super().__init__(archive, part)

    def start(self, name: str, attributes: Attributes) -> None:
        if _local(name) == self.wanted:
            self.found.append({_local(key): value for key, value in attributes.items()})


def _sheets_of(archive: zipfile.ZipFile) -> Iterator[tuple[str, str]]:
    """The name and the part of each sheet of an ``.xlsx``."""
    targets = {each["Id"]: each["Target"] for each in _Named(archive, "xl/_rels/workbook.xml.rels", "Relationship").found}
    for sheet in _Named(archive, "xl/workbook.xml", "sheet").found:
        target = targets[sheet["id"]]
        yield sheet["name"], target.lstrip("/") if target.startswith("/") else normpath(f"xl/{target}")


class _Xlsx(_Parts):
    def __init__(self, archive: zipfile.ZipFile, part: str) -> None:
        self.scan = Scan()
        self._row, self._column = -1, -1
        self._type, self._formula, self._result, self._in_value = "", False, False, False
        super().__init__(archive, part)

    def start(self, name: str, attributes: Attributes) -> None:
        local = _local(name)
        if local == "c":
            self._cell(attributes)
        elif local == "v":
            self._in_value = True
            if self._formula:
                self.parser.CharacterDataHandler = self._text
            else:
                self.scan.hold(self._row, self._column)
        elif local == "is":
            self.scan.hold(self._row, self._column)
        elif local == "f":
            self._formula = True
        elif local == "row":
            self._row = int(attributes["r"]) - 1 if "r" in attributes else self._row + 1
            self._column = -1

    def end(self, name: str) -> None:
        local = _local(name)
        if local == "c":
            if self._type == "e":
                self.scan.refuse(self._row, self._column, ERROR)
            elif self._formula and not self._result and self._type != "str":
                self.scan.refuse(self._row, self._column, NOT_COMPUTED)
            elif self._formula:
                self.scan.hold(self._row, self._column)
        elif local == "v":
            self.parser.CharacterDataHandler = None

    def _cell(self, attributes: Attributes) -> None:
        self._type, self._formula, self._result = attributes.get("t", ""), False, False
        if "r" not in attributes:
            self._column += 1
            return
        place = _PLACE.fullmatch(attributes["r"])
        if place is None:
            raise WorkbookError("a cell has no place; the file is damaged, save it again")
        self._row, self._column = int(place[2]) - 1, _column(place[1])

    def _text(self, text: str) -> None:
        self._result = self._result or bool(text)


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1


class _Ods(_Parts):
    """All sheets of an ``.ods``, which are in one part. Rows and cells say how often they are repeated."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self.sheets: dict[str, Scan] = {}
        self._scan = Scan()
        self._row, self._column, self._rows = 0, 0, 1
        super().__init__(archive, "content.xml")

    def start(self, name: str, attributes: Attributes) -> None:
        if name == "table:table":
            self._scan = self.sheets.setdefault(attributes.get("table:name", ""), Scan())
            self._row = 0
        elif name == "table:table-row":
            self._rows, self._column = int(attributes.get("table:number-rows-repeated", 1)), 0
        elif name in {"table:table-cell", "table:covered-table-cell"}:
            self._cell(attributes, int(attributes.get("table:number-columns-repeated", 1)))

    def end(self, name: str) -> None:
        if name == "table:table-row":
            self._row += self._rows

    def _cell(self, attributes: Attributes, columns: int) -> None:
        kind = attributes.get("office:value-type")
        if kind is not None or "table:formula" in attributes:
            self._scan.hold(self._row + self._rows - 1, self._column + columns - 1)
        why = None
        if attributes.get("calcext:value-type") == "error":
            why = ERROR
        elif "table:formula" in attributes and kind is None:
            why = NOT_COMPUTED
        elif "table:number-rows-spanned" in attributes and kind is not None:
            tall, wide = (int(attributes.get(f"table:number-{way}-spanned", 1)) for way in ("rows", "columns"))
            if tall * wide > MOST_UNREADABLE:
                raise WorkbookError("a sheet has merged cells that reach too far; split them")
            self._refuse(MERGED, tall, wide)
        if why is not None:
            if self._rows * columns > MOST_UNREADABLE:
                raise WorkbookError("a sheet has too many cells with errors; correct its formulas")
            self._refuse(why, self._rows, columns)
        self._column += columns

    def _refuse(self, why: str, rows: int, columns: int) -> None:
        for row in range(self._row, self._row + rows):
            for column in range(self._column, self._column + columns):
                self._scan.refuse(row, column, why)
