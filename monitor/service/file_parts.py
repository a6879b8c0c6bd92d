"""One import file, read and written in the caller's transaction: a part for each sheet or kind, all of them or none."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from monitor.importers.columns import COLUMNS
from monitor.importers.imported import Clinic, ImportedFile, Reader, Rejected
from monitor.importers.items import Item, Merge
from monitor.importers.names import kind_of
from monitor.service import settling
from monitor.store import facts
from monitor.store.problems import problem, refuses_a_value


@dataclass(frozen=True, slots=True)
class Part:
    """One sheet, or all of a file that has none."""

    imported: ImportedFile
    counts: facts.Counts
    entry: bool = True  # else it only says what was passed over beside the parts that have one


def parts_of(connection: Connection, path: Path, readers: Mapping[str, Reader], clinic: Clinic, feed: str) -> list[Part]:
    """All of one file, or none: what the database itself refuses, though its reader took it, is refused as a whole."""
    try:
        with connection.begin_nested():
            return list(_import_file(connection, path, readers, clinic, feed))
    except DBAPIError as error:
        if not refuses_a_value(error):
            raise
        return [refused(path, problem(error))]


def _import_file(connection: Connection, path: Path, readers: Mapping[str, Reader], clinic: Clinic, feed: str) -> Iterator[Part]:
    """Read one file and write its good rows. A file that cannot be read is refused, and the others go on."""
    reader = readers.get(path.suffix.lower())
    if reader is None:
        yield refused(path, f"there is no reader for this kind of file; import {', '.join(readers)}")
        return
    try:
        with path.open("rb") as stream:
            content = _feed_of(path, stream)
            for imported in reader(path.name, stream, clinic):
                if imported.items is None:
                    yield Part(imported, _written(connection, imported, content, clinic))
                else:
                    yield from _settled(connection, imported, imported.items, feed, clinic)
    except OSError as error:
        yield refused(path, f"the file cannot be read: {error.strerror}")


def _written(connection: Connection, imported: ImportedFile, feed: str, clinic: Clinic) -> facts.Counts:
    if imported.kind is None or imported.rejected:
        return facts.Counts()
    return facts.write(connection, imported.kind, imported.rows, now=clinic.now, feed=feed, zone=clinic.zone)


def _settled(
    connection: Connection, imported: ImportedFile, said: Iterator[Item | Merge], feed: str, clinic: Clinic
) -> Iterator[Part]:
    """A feed of records: first what was not taken of it, then a part for each kind of row that it made."""
    taken = settling.take(connection, feed, said, clinic)
    imported.rejected += taken.rejected
    imported.passed_over += taken.passed_over
    yield Part(imported, facts.Counts(), entry=bool(imported.rejected) or not taken.counts)
    for kind in COLUMNS:
        if kind in taken.counts:
            yield Part(ImportedFile(kind=kind), taken.counts[kind])


def _feed_of(path: Path, stream: BufferedReader) -> str:
    """Names a file by its contents: the same file again brings nothing new, the next export of the same name may.

    Without this, a record without ``recorded_at`` that is corrected and then set right again would look like an old file.
    """
    digest = hashlib.file_digest(stream, "sha256").hexdigest()
    stream.seek(0)
    return f"{storable(path.name)} sha256:{digest[:16]}"


def refused(path: Path, words: str) -> Part:
    """Nothing of a file was taken."""
    whole = ImportedFile(kind=kind_of(path.stem), rejected=[Rejected(line=None, column=None, problem=words)])
    return Part(whole, facts.Counts())


def storable(name: str) -> str:
    r"""A file's name as a database takes it: bytes that are not UTF-8 are written as ``\udcff``."""
    return name.encode("utf-8", "backslashreplace").decode("utf-8")
