"""The cells of an ``.xls`` that hold an error, which the library that reads workbooks gives as nothing.

Sources: Microsoft, [MS-CFB] for the file within the file, [MS-XLS] for its records BoundSheet8, BoolErr, Formula and FilePass.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

_BOUND_SHEET, _BOF, _EOF, _FILE_PASS = 0x85, 0x809, 0x0A, 0x2F
_BOOL_ERR, _FORMULA = 0x205, 0x06
_END = 0xFFFFFFFA
"""Numbers of sectors from here on are none."""

_ENTRY = 128
_IN_HEADER = 109

Cells = list[tuple[int, int]]


class ProtectedError(ValueError):
    """The workbook needs a password."""


def errors_in(data: bytes) -> dict[str, Cells]:
    """Row and column, both from 0, of the cells with an error, by the name of their sheet.

    Raises ProtectedError, and ValueError, IndexError or struct.error for a file that is damaged.
    """
    book = _workbook(data)
    found: dict[str, Cells] = {}
    for kind, start, length in _records(book, 0):
        if kind == _FILE_PASS:
            raise ProtectedError
        if kind == _BOUND_SHEET:
            (place,) = struct.unpack_from("<I", book, start)
            found[_name(book[start + 6 : start + length])] = list(_errors(book, place))
    return found


def _errors(book: bytes, place: int) -> Iterator[tuple[int, int]]:
    for kind, start, _ in _records(book, place):
        value = book[start + 6 : start + 14]
        failed = value[1:2] == b"\x01" if kind == _BOOL_ERR else kind == _FORMULA and value[0] == 2 and value[6:] == b"\xff\xff"
        if failed:
            yield struct.unpack_from("<HH", book, start)


def _records(book: bytes, place: int) -> Iterator[tuple[int, int, int]]:
    """Type, start and length of the records of one part, up to its end; parts within, such as charts, are passed over."""
    depth = 0
    while place + 4 <= len(book):
        kind, length = struct.unpack_from("<HH", book, place)
        depth += (kind == _BOF) - (kind == _EOF)
        if depth <= 1:
            yield kind, place + 4, length
        if depth <= 0:
            return
        place += 4 + length
    raise ValueError("a part without an end")


def _name(written: bytes) -> str:
    length, wide = written[0], written[1] & 1
    return written[2 : 2 + length * 2].decode("utf-16-le") if wide else written[2 : 2 + length].decode("latin-1")


def _workbook(data: bytes) -> bytes:
    """The stream of the workbook, out of the file system within the file."""
    shift, small_shift = struct.unpack_from("<HH", data, 30)
    if not 7 <= shift <= 16 or not 4 <= small_shift < shift:
        raise ValueError("sectors of no size")
    size = 1 << shift
    tables, first_entry, cutoff, first_small, next_list = struct.unpack_from("<II4xII4xI", data, 44)
    lists = list(struct.unpack_from(f"<{_IN_HEADER}I", data, 76))
    for _ in range(len(data) // size):
        if next_list >= _END or len(lists) >= tables:
            break
        more = struct.unpack(f"<{size // 4}I", _sector(data, next_list, size))
        lists, next_list = lists + list(more[:-1]), more[-1]
    table = [number for each in lists if each < _END for number in struct.unpack(f"<{size // 4}I", _sector(data, each, size))]

    def chained(first: int) -> bytes:
        return b"".join(_sector(data, each, size) for each in _chain(table, first))

    entries = chained(first_entry)
    named = {name: (first, length) for name, first, length in map(_entry, _split(entries, _ENTRY))}
    first, length = named.get("Workbook") or named["Book"]
    if length >= cutoff:
        return chained(first)[:length]
    small = 1 << small_shift
    small_table = [number for (number,) in struct.iter_unpack("<I", chained(first_small))]
    within = chained(named["Root Entry"][0])
    return b"".join(within[each * small : (each + 1) * small] for each in _chain(small_table, first))[:length]


def _chain(table: list[int], first: int) -> Iterator[int]:
    for _ in range(len(table) + 1):
        if first >= _END:
            return
        yield first
        first = table[first]
    raise ValueError("sectors that go round in circles")


def _sector(data: bytes, number: int, size: int) -> bytes:
    start = (number + 1) * size  # the header takes one
    if start >= len(data):
        raise ValueError("a sector behind the end of the file")
    return data[start : start + size].ljust(size, b"\x00")


def _split(data: bytes, size: int) -> Iterator[bytes]:
    return (data[place : place + size] for place in range(0, len(data), size))


def _entry(entry: bytes) -> tuple[str, int, int]:
    (length,) = struct.unpack_from("<H", entry, 64)
    first, size = struct.unpack_from("<II", entry, 116)
    return entry[: max(0, length - 2)].decode("utf-16-le", "replace"), first, size
