"""Workbooks (``.xlsx``, ``.xls``, ``.ods``): each sheet whose name says a kind, read as an import file of that kind is.

The workbook is opened by a process of its own: see ``sheet_worker.py``. So whatever a file holds, this one goes on.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import UnsupportedOperation
from pathlib import PurePath
from typing import IO, Any, BinaryIO

import msgspec

from monitor.importers import table
from monitor.importers.imported import Clinic, ImportedFile, Rejected
from monitor.importers.names import kind_of
from monitor.importers.records import Record
from monitor.shipped import PACKAGE

MOST_BYTES = 32 << 20
"""Of a workbook as it lies there (J)."""

WORKER = (sys.executable, "-P", "-s", "-m", "monitor.importers.sheet_worker")
_UNFINISHED = "the file could not be read to its end: it is damaged or needs too much memory; save it again, or split it"

Line = list[Any]


def read_sheets(name: str, stream: BinaryIO, clinic: Clinic) -> Iterator[ImportedFile]:
    """The sheets of a workbook, patients first. See ``imported.Reader``."""
    if stream.seek(0, 2) > MOST_BYTES:
        yield table.refused(None, f"the file is larger than {MOST_BYTES >> 20} MiB; split it")
        return
    kind = kind_of(PurePath(name).stem)
    with _worker(stream, kind or "") as lines:
        yield from _Workbook(lines, clinic).parts(kind)


@contextmanager
def _worker(stream: BinaryIO, kind: str) -> Iterator[Iterator[Line]]:
    with tempfile.TemporaryFile() as copy:
        process = subprocess.Popen(  # noqa: S603  # our own program
            (*WORKER, kind),
            stdin=_with_number(stream, copy),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={"PYTHONPATH": str(PACKAGE.parent), "PYTHONDONTWRITEBYTECODE": "1", "LANG": "C.UTF-8"},
            start_new_session=True,
        )
        try:
            yield _decoded(process.stdout or ())
        finally:
            process.kill()
            process.communicate()


def _decoded(lines: Iterable[bytes]) -> Iterator[Line]:
    """The lines of a worker, up to one that was cut off by its end."""
    for line in lines:
        if not line.endswith(b"\n"):
            return
        yield msgspec.json.decode(line, type=list[Any])


def _with_number(stream: BinaryIO, copy: IO[bytes]) -> IO[bytes]:
    """The stream itself where another process can read it, else a copy."""
    try:
        stream.fileno()
    except UnsupportedOperation:
        stream.seek(0)
        shutil.copyfileobj(stream, copy)
        copy.flush()
        return copy
    return stream


class _Workbook:
    """The lines of the worker, one sheet after the other."""

    def __init__(self, lines: Iterator[Line], clinic: Clinic) -> None:
        self._lines, self._clinic = lines, clinic
        self._notes: Counter[str] = Counter()
        self._line: Line = []
        self._advance()

    def parts(self, kind_of_file: str | None) -> Iterator[ImportedFile]:
        """Every sheet of a kind. What is said of the workbook as a whole stands with the first."""
        while self._line[0] != "done":
            if self._line[0] == "sheet":
                file = self._sheet(*self._line[1:])
            else:
                file = table.refused(kind_of_file, self._line[2])
                self._advance()
            file.passed_over, self._notes = self._notes, Counter()
            yield file
            for _ in self._records(file):  # of a sheet refused by its header
                pass

    def _sheet(self, name: str | None, kind: str) -> ImportedFile:
        self._advance()
        if self._line[0] == "refused":
            problem = str(self._line[2])
            self._advance()
            return table.refused(kind, problem, sheet=name)
        if self._line[0] != "row":
            self._notes[f"empty sheet of {kind}"] += 1
            return ImportedFile(kind=kind, sheet=name)
        _, number, header, _ = self._line
        file = table.opened(kind, header, line=number, sheet=name)
        self._advance()
        if not file.rejected:
            file.rows = table.rows(file, self._records(file), self._clinic)
        return file

    def _records(self, file: ImportedFile) -> Iterator[Record]:
        while self._line[0] == "row":
            _, number, cells, unreadable = self._line
            yield Record(number, cells, None, dict(unreadable))
            self._advance()
        if self._line[0] == "refused" and self._line[1] == file.sheet:
            file.rejected.append(Rejected(line=None, column=None, problem=self._line[2], record=file.sheet))
            self._advance()

    def _advance(self) -> None:
        for line in self._lines:
            if line[0] != "note":
                self._line = line
                return
            self._notes[line[1]] += 1
        # The worker says when it is done; where it did not, that is told before the end is taken for it.
        unfinished = not self._line or self._line[0] != "refused"
        self._line = ["refused", None, _UNFINISHED] if unfinished else ["done"]
