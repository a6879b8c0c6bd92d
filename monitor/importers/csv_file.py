"""One CSV file of one kind: UTF-8, a header, comma (or semicolon or tab, as its header has it). Its rows: ``table.py``."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator
from io import TextIOWrapper
from pathlib import PurePath
from typing import BinaryIO

from monitor.importers import table
from monitor.importers.columns import COLUMNS
from monitor.importers.imported import Clinic, ImportedFile
from monitor.importers.names import kind_of
from monitor.importers.records import Records, delimiter_of

_CHUNK = 1 << 20


def read_csv(name: str, stream: BinaryIO, clinic: Clinic) -> Iterator[ImportedFile]:
    """The one part of a file called ``name``: its rows, read one by one. See ``imported.Reader``."""
    yield _read(name, stream, clinic)


def _read(name: str, stream: BinaryIO, clinic: Clinic) -> ImportedFile:
    kind = kind_of(PurePath(name).stem)
    if kind is None:
        return table.refused(
            None, f"the name says no kind; name it {', '.join(COLUMNS)}, with or without a date such as -2026-11-23"
        )
    if not _is_utf8(stream):
        return table.refused(kind, "the file is not UTF-8; save it as 'CSV UTF-8'")
    lines = _lines(stream)
    first_line, header, delimiter = _header(lines)
    if not any(header):
        return table.refused(kind, "the file has no header; its first line names the columns")
    file = table.opened(kind, header)
    if not file.rejected:
        found = Records(lines, delimiter=delimiter, width=len(header), first_line=first_line + 1)
        file.rows = table.rows(file, found, clinic, after_refusal=found.reread)
    return file


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
        for line in text:  # noqa: UP028 - `yield from` closes what it reads from when nobody reads on
            yield line
    finally:
        if not stream.closed:
            text.detach()  # the stream is the caller's to close


def _header(lines: Iterator[str]) -> tuple[int, tuple[str, ...], str]:
    """The line of the header, its names, and its delimiter."""
    for number, line in enumerate(lines, 1):
        if line.strip():
            delimiter = delimiter_of(line)
            try:
                cells = next(csv.reader([line], delimiter=delimiter), [])
            except csv.Error:  # a name longer than the csv module takes
                return number, (), delimiter
            return number, tuple(cell.strip() for cell in cells), delimiter
    return 1, (), ","
