"""Import files into the database: each file one transaction, every good row in, every bad one in ``<file>.rejected.csv``."""

from __future__ import annotations

import csv
import hashlib
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, tzinfo
from io import BufferedReader
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from monitor.errors import DONE, SOME_REJECTED, UsageError
from monitor.importers import IMPORTERS
from monitor.importers.columns import COLUMNS
from monitor.importers.imported import ImportedFile, Rejected
from monitor.importers.names import REJECTED, kind_of, rank_of
from monitor.store import facts
from monitor.store.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class FileReport:
    """What became of one file, in rows. ``kind`` is None for a name that says none."""

    file: str
    kind: str | None
    inserted: int = 0
    corrected: int = 0
    unchanged: int = 0
    rejected: int = 0


@dataclass(slots=True, kw_only=True)
class ImportReport:
    """What became of all files; ``notes`` are for people, on stderr."""

    files: list[FileReport] = field(default_factory=list)
    rejected: list[tuple[str, Rejected]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """3 when anything was rejected, else 0."""
        return SOME_REJECTED if self.rejected else DONE


def _silent(_done: FileReport) -> None:
    """Tells nobody."""


def import_paths(
    database: Database,
    paths: Sequence[Path],
    *,
    zone: tzinfo,
    now: datetime,
    dry_run: bool = False,
    progress: Callable[[FileReport], None] = _silent,
) -> ImportReport:
    """Import files, and the known files of folders, kind by kind: patients first, what hangs on them after.

    ``dry_run`` counts what would happen and writes nothing, neither rows nor files. Raises UsageError for a path
    that is not there, DatabaseError for a database that cannot be written; the files before it are in.
    """
    refuse_missing(paths)
    report = ImportReport()
    files = _files_of(paths, report)
    if dry_run:
        # All in one transaction, so that a file sees the rows of those before it, as it would in earnest.
        with database.write() as connection:
            for path in files:
                imported, counts = _import_file(connection, path, zone=zone, now=now)
                progress(_add(report, path, imported, counts))
            connection.rollback()
        return report
    for path in files:
        with database.write() as connection:
            imported, counts = _import_file(connection, path, zone=zone, now=now)
        _write_rejected(path, imported, report)
        progress(_add(report, path, imported, counts))
    return report


def refuse_missing(paths: Sequence[Path]) -> None:
    """Raises UsageError for a path that is not there."""
    for path in paths:
        if not path.exists():
            raise UsageError(f"{path} is not there; name a file or a folder to import")


def as_json(report: ImportReport) -> dict[str, Any]:
    """The documented shape of ``import --format json``."""
    return {
        "files": [asdict(each) for each in report.files],
        "rejected": [{"file": file, **asdict(each)} for file, each in report.rejected],
    }


def _files_of(paths: Sequence[Path], report: ImportReport) -> list[Path]:
    """Every file to import, once, in the order of import. What a folder holds besides goes into the notes."""
    found: dict[Path, None] = {}
    for path in paths:
        if path.is_dir():
            for inside in sorted(path.iterdir()):
                if inside.name.lower().endswith(REJECTED) or inside.suffix.lower() not in IMPORTERS or not inside.is_file():
                    continue
                if kind_of(inside.stem) is None:
                    report.notes.append(f"{inside}: not imported, its name says no kind ({', '.join(COLUMNS)})")
                    continue
                found[inside] = None
        else:
            found[path] = None
    if not found:
        report.notes.append(f"nothing to import; files are called {', '.join(f'{kind}.csv' for kind in COLUMNS)}")
    return sorted(found, key=lambda path: (_rank(path), path.name, str(path)))


def _rank(path: Path) -> int:
    kind = kind_of(path.stem)
    return len(COLUMNS) if kind is None else rank_of(kind)


def _import_file(connection: Connection, path: Path, *, zone: tzinfo, now: datetime) -> tuple[ImportedFile, facts.Counts]:
    """Read one file and write its good rows. A file that cannot be read is refused, and the others go on."""
    nothing = facts.Counts()
    importer = IMPORTERS.get(path.suffix.lower())
    if importer is None:
        return _refused(path, f"there is no reader for this kind of file; import {', '.join(IMPORTERS)}"), nothing
    try:
        with path.open("rb") as stream:
            feed = _feed_of(path, stream)
            imported = importer(path.name, stream, zone=zone, now=now)
            if imported.kind is None or imported.rejected:
                return imported, nothing
            return imported, facts.write(connection, imported.kind, imported.rows, now=now, feed=feed, zone=zone)
    except OSError as error:
        return _refused(path, f"the file cannot be read: {error.strerror}"), nothing


def _feed_of(path: Path, stream: BufferedReader) -> str:
    """Names a file by its contents: the same file again brings nothing new, the next export of the same name may.

    Without this, a record without ``recorded_at`` that is corrected and then set right again would look like an old file.
    """
    digest = hashlib.file_digest(stream, "sha256").hexdigest()
    stream.seek(0)
    return f"{path.name} sha256:{digest[:16]}"


def _refused(path: Path, problem: str) -> ImportedFile:
    return ImportedFile(kind=kind_of(path.stem), rejected=[Rejected(line=None, column=None, problem=problem)])


def _add(report: ImportReport, path: Path, imported: ImportedFile, counts: facts.Counts) -> FileReport:
    """One file's part of the report. A file refused as a whole counts as one rejection, whatever rows it holds."""
    done = FileReport(
        file=str(path),
        kind=imported.kind,
        inserted=counts.inserted,
        corrected=counts.corrected,
        unchanged=counts.unchanged,
        rejected=len(imported.rejected_rows) or int(bool(imported.rejected)),
    )
    report.files.append(done)
    report.rejected += [(str(path), each) for each in imported.rejected]
    if imported.unknown_columns:
        report.notes.append(f"{path}: columns that are not read: {', '.join(imported.unknown_columns)}")
    return done


def rejected_path(path: Path) -> Path:
    """Where the rejected rows of a file are written: beside it."""
    return path.with_name(path.name + REJECTED)


def _write_rejected(path: Path, imported: ImportedFile, report: ImportReport) -> None:
    """Write the rejected rows beside the file, for its owner alone; remove what an earlier import left there."""
    target = rejected_path(path)
    try:
        if not imported.rejected_rows:
            target.unlink(missing_ok=True)
            return
        # A new file in place of the old: nobody reads half of it, and no link in a shared folder is followed.
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", newline="", dir=path.parent, prefix=f".{path.name}.", delete=False
        ) as file:
            unfinished = Path(file.name)
            try:
                csv.writer(file, lineterminator="\n").writerows(_rejected_lines(imported))
                file.flush()
                unfinished.replace(target)
            except BaseException:
                unfinished.unlink(missing_ok=True)
                raise
    except OSError as error:
        report.notes.append(f"{target}: the rejected rows could not be written there: {error.strerror}")


def _rejected_lines(imported: ImportedFile) -> Iterator[list[str]]:
    """The header and every rejected row as it was, with line, columns and problems; surplus cells come last."""
    width = len(imported.header)
    yield [*imported.header, "line", "column", "problem"]
    problems: dict[int, list[Rejected]] = {}
    for each in imported.rejected:
        problems.setdefault(each.line or 0, []).append(each)
    for row in imported.rejected_rows:
        found = problems[row.line]
        yield [
            *(*row.cells, *[""] * width)[:width],
            str(row.line),
            "; ".join(each.column for each in found if each.column),
            "; ".join(f"{each.column}: {each.problem}" if len(found) > 1 else each.problem for each in found),
            *row.cells[width:],
        ]
