"""The process that opens a workbook: the file on standard input, its rows as lines of JSON on standard output.

A damaged workbook may end the process that reads it, or take its memory: so this one reads, and may take no more than it is
given. Each line is a list: ``["note", words]``, ``["sheet", name or null, kind]``, its ``["row", number, cells, unreadable]``,
``["refused", name or null, words]``; and ``["done"]``, without which the file was not read to its end.
"""

from __future__ import annotations

import os
import resource
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
from python_calamine import CalamineSheet, CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum, load_workbook

from monitor.importers.names import kind_of, rank_of
from monitor.importers.sheet_cells import MERGED, Cell, NoTextError, text_of_cell
from monitor.importers.sheet_scan import MOST_CELLS, Scan, WorkbookError, scan

MOST_MEMORY = 384 << 20
"""Bytes of addresses (J): beside the daemon within what its unit may take."""

MOST_SECONDS = 600  # of the processor (J)
DAMAGED = "cannot be read; open the file in a spreadsheet program and save it as .xlsx"

Line = list[Any]


def main() -> None:
    """Read one workbook. The argument is the kind that the file's name says, or nothing."""
    for what, most in ((resource.RLIMIT_AS, MOST_MEMORY), (resource.RLIMIT_CPU, MOST_SECONDS), (resource.RLIMIT_CORE, 0)):
        _, hard = resource.getrlimit(what)
        least = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (least, least))
    with suppress(OSError):  # where memory runs out, this process ends, and not the daemon
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no answer
    encode = msgspec.json.Encoder().encode
    with os.fdopen(0, "rb") as stream, answers:
        for line in lines_of(stream, sys.argv[1] if len(sys.argv) > 1 else None):
            answers.write(encode(line) + b"\n")


def lines_of(stream: BinaryIO, kind_of_file: str | None) -> Iterator[Line]:
    """Everything that is said of a workbook, ``["done"]`` last."""
    try:
        stream.seek(0)
        scans = scan(stream)
        stream.seek(0)
        with load_workbook(stream) as workbook:
            yield from _sheets(workbook, scans, kind_of_file or None)
    except WorkbookError as why:
        yield ["refused", None, str(why)]
    except PasswordError:
        yield ["refused", None, "the file is protected by a password; save it without one"]
    except MemoryError:
        yield ["refused", None, "the file takes more memory than an import may; split it"]
    except BaseException as error:
        _only_damage(error)
        yield ["refused", None, f"the file {DAMAGED}"]
    yield ["done"]


def _sheets(workbook: CalamineWorkbook, scans: Mapping[str, Scan], kind_of_file: str | None) -> Iterator[Line]:
    tables = [(place, each) for place, each in enumerate(workbook.sheets_metadata) if each.typ is SheetTypeEnum.WorkSheet]
    hidden = [each.name for _, each in tables if each.visible is not SheetVisibleEnum.Visible]
    shown = [(place, each.name) for place, each in tables if each.name not in hidden]
    kinds = {place: kind_of(name) for place, name in shown}
    if len(shown) == 1 and kinds[shown[0][0]] is None:
        kinds[shown[0][0]] = kind_of_file
    yield from [["note", "hidden sheet"]] * len(hidden)
    read = [(kind, place, name) for place, name in shown if (kind := kinds[place]) is not None]
    if not read:
        yield ["refused", None, "no sheet's name says a kind; name the sheets patients, doses, assessments and so on"]
        return
    yield from [["note", "sheet whose name says no kind"]] * (len(shown) - len(read))
    for kind, place, name in sorted(read, key=lambda each: (rank_of(each[0]), each[1])):
        told = name if kind_of(name) else None  # a name of another kind may be a patient's
        yield ["sheet", told, kind]
        try:
            yield from _rows(workbook.get_sheet_by_index(place), scans.get(name, Scan()))
        except WorkbookError as why:
            yield ["refused", told, str(why)]
        except BaseException as error:
            _only_damage(error)
            yield ["refused", told, f"the sheet {DAMAGED}"]


def _rows(sheet: CalamineSheet, scanned: Scan) -> Iterator[Line]:
    """Every row that holds anything, with its number as the spreadsheet shows it."""
    if sheet.start is None:
        return
    left = sheet.start[1]
    unreadable: dict[int, dict[int, str]] = {}
    for (row, column), why in scanned.unreadable.items():
        unreadable.setdefault(row, {})[column - left] = why
    merged = _merged(sheet)
    header = None
    for number, values in enumerate(sheet.iter_rows()):
        wrong = unreadable.get(number, {})
        cells = [text if type(text) is str else _text(text, place, wrong) for place, text in enumerate(values)]
        if not wrong and not any(map(str.strip, cells)):
            continue
        if header is not None and number in merged:
            wrong = {place - left: MERGED for place in merged[number]} | wrong
        header = number if header is None else header
        yield ["row", number + 1, cells, list(wrong.items())]


def _text(value: Cell, place: int, wrong: dict[int, str]) -> str:
    try:
        return text_of_cell(value)
    except NoTextError as why:
        wrong[place] = str(why)
        return ""


def _merged(sheet: CalamineSheet) -> dict[int, list[int]]:
    """Row -> columns of the cells that are one with others. What lies outside of the sheet's cells is of no interest."""
    found: dict[int, list[int]] = {}
    if sheet.end is None:
        return found
    cells = 0
    for (top, left), (bottom, right) in sheet.merged_cell_ranges or ():
        rows, columns = range(top, min(bottom, sheet.end[0]) + 1), range(left, min(right, sheet.end[1]) + 1)
        cells += len(rows) * len(columns)
        if cells > MOST_CELLS // 10:
            raise WorkbookError("the sheet has too many merged cells; split them")
        for row in rows:
            found.setdefault(row, []).extend(columns)
    return found


def _only_damage(error: BaseException) -> None:
    """Raises what is no fault of the file. A panic of the library is no Exception."""
    if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
        raise error


if __name__ == "__main__":
    main()
