"""Import files into the database: each file one transaction, every good row in, every bad one in ``<file>.rejected.csv``.

What was refused is on record too, until the same file comes in whole: see ``store/rejects.py``.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from monitor.errors import DONE, SOME_REJECTED, UsageError
from monitor.importers.columns import COLUMNS
from monitor.importers.imported import Clinic, ImportedFile, Reader, Rejected
from monitor.importers.names import REJECTED, kind_of, rank_of
from monitor.service.file_parts import Part, parts_of, refused, storable
from monitor.service.readers import READERS
from monitor.service.rejected_file import write_rejected
from monitor.store import feeds, rejects
from monitor.store.database import Database

FILES = "files"
"""The feed of whatever is imported by hand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileReport:
    """What became of one file, or of one sheet of it, in rows. ``kind`` is None for a name that says none.

    Of a feed of records ``rejected`` counts records.
    """

    file: str
    kind: str | None
    inserted: int = 0
    corrected: int = 0
    unchanged: int = 0
    rejected: int = 0


@dataclass(slots=True, kw_only=True)
class ImportReport:
    """What became of all files; ``notes`` are for people, on stderr.

    ``passed_over`` counts by file and reason the records of a feed that are no matter of this program.
    """

    files: list[FileReport] = field(default_factory=list)
    rejected: list[tuple[str, Rejected]] = field(default_factory=list)
    passed_over: Counter[tuple[str, str]] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    unread_columns: dict[str, tuple[str, ...]] = field(default_factory=dict)  # by file

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
    readers: Mapping[str, Reader] = READERS,
    feed: str = FILES,
) -> ImportReport:
    """Import files, and the known files of folders, kind by kind: patients first, what hangs on them after.

    ``dry_run`` counts what would happen and writes nothing, neither rows nor files. ``feed`` is who brought them.
    Raises UsageError for a path that is not there, DatabaseError for a database that cannot be written; the files before
    it are in.
    """
    refuse_missing(paths)
    report = ImportReport()
    clinic = Clinic(zone=zone, now=now)
    files = _files_of(paths, report, readers)
    if dry_run:
        # All in one transaction, so that a file sees the rows of those before it, as it would in earnest.
        with database.write_facts() as connection:
            for path in files:
                for part in parts_of(connection, path, readers, clinic, feed):
                    progress(_add(report, path, part))
            connection.rollback()
        return report
    for path in files:
        with database.write_facts("import") as connection:
            parts = parts_of(connection, path, readers, clinic, feed)
            _record(connection, feed, path, parts, now)
        failed = write_rejected(path, [part.imported for part in parts])
        if failed is not None:
            report.notes.append(failed)
        for part in parts:
            progress(_add(report, path, part))
    return report


def refuse_whole(database: Database, path: Path, words: str, *, feed: str, now: datetime) -> ImportReport:
    """Put on record that nothing of a file was taken."""
    report, part = ImportReport(), refused(path, words)
    with database.write_facts("import") as connection:
        _record(connection, feed, path, [part], now)
    _add(report, path, part)
    return report


def _record(connection: Connection, feed: str, path: Path, parts: Sequence[Part], now: datetime) -> None:
    """What of the file was refused, and that the feed came."""
    origin = storable(str(path))
    refused = [
        rejects.Reject(at=now, feed=feed, origin=origin, line=each.line, column=each.column, problem=_in_full(each))
        for part in parts
        for each in part.imported.rejected
    ]
    rejects.replace(connection, refused, feed=feed, origin=origin, now=now)
    if feed == FILES:  # a configured feed's state is its job's
        news = any(part.counts.inserted or part.counts.corrected for part in parts)
        feeds.record(connection, feed, "files", now=now, received=news)


def _in_full(rejected: Rejected) -> str:
    return rejected.problem if rejected.record is None else f"{rejected.record}: {rejected.problem}"


def refuse_missing(paths: Sequence[Path]) -> None:
    """Raises UsageError for a path that is not there."""
    for path in paths:
        if not path.exists():
            raise UsageError(f"{path} is not there; name a file or a folder to import")


def as_json(report: ImportReport) -> dict[str, Any]:
    """The documented shape of ``import --format json``; ``passed_over`` is there where anything was."""
    told: dict[str, Any] = {
        "files": [asdict(each) for each in report.files],
        "rejected": [
            {"file": file, "line": each.line, "column": each.column, "problem": _in_full(each)} for file, each in report.rejected
        ],
    }
    if report.passed_over:
        told["passed_over"] = [
            {"file": file, "reason": what, "records": times} for (file, what), times in report.passed_over.items()
        ]
    return told


def _files_of(paths: Sequence[Path], report: ImportReport, readers: Mapping[str, Reader]) -> list[Path]:
    """Every file to import, once, in the order of import. What a folder holds besides goes into the notes."""
    found: dict[Path, None] = {}
    for path in paths:
        if path.is_dir():
            for inside in sorted(path.iterdir()):
                if inside.is_dir() and not inside.name.startswith("."):
                    report.notes.append(f"{inside}: not imported, it is a folder of its own; name it to import what is in it")
                if inside.suffix.lower() in _PACKED:
                    report.notes.append(f"{inside}: not imported, it is packed; unpack it")
                if inside.name.lower().endswith(REJECTED) or inside.suffix.lower() not in readers or not inside.is_file():
                    continue
                if inside.name.startswith("~$"):  # what Excel puts beside a workbook that somebody has open
                    continue
                if inside.suffix.lower() == ".csv" and kind_of(inside.stem) is None:
                    report.notes.append(f"{inside}: not imported, its name says no kind ({', '.join(COLUMNS)})")
                    continue
                found[inside] = None
        else:
            found[path] = None
    if not found:
        report.notes.append(f"nothing to import; files are called {', '.join(f'{kind}.csv' for kind in COLUMNS)}")
    return sorted(found, key=lambda path: (rank(path), path.name, str(path)))


_PACKED = frozenset({".gz", ".zip", ".7z", ".zst", ".bz2", ".xz"})

_REFERRED_TO = ("patient", "medication", "medicationrequest", "observation")
"""Bulk exports of FHIR are named by the type of what is in them, such as ``Patient.000.ndjson``. Doses need a body surface."""


def rank(path: Path) -> int:
    """A file's place in the order of import, by the kind that its name says: patients first, and who others refer to."""
    kind = kind_of(path.stem)
    if kind is not None:
        return rank_of(kind)
    words = re.split(r"[^a-z]+", path.stem.lower())
    return len(COLUMNS) + next((n for n, named in enumerate(_REFERRED_TO) if named in words), len(_REFERRED_TO))


def _add(report: ImportReport, path: Path, part: Part) -> FileReport:
    """One part of the report. A file refused as a whole counts as one rejection, whatever rows it holds."""
    imported, counts = part.imported, part.counts
    done = FileReport(
        file=str(path),
        kind=imported.kind,
        inserted=counts.inserted,
        corrected=counts.corrected,
        unchanged=counts.unchanged,
        rejected=_refused_records(imported),
    )
    report.passed_over += Counter({(str(path), what): times for what, times in imported.passed_over.items()})
    if imported.sheet is not None:
        _count(report, done)
    elif part.entry:
        report.files.append(done)
    report.rejected += [(str(path), each) for each in imported.rejected]
    if imported.unknown_columns:
        report.unread_columns[str(path)] = imported.unknown_columns
        report.notes.append(f"{path}: columns that are not read: {', '.join(imported.unknown_columns)}")
    report.notes += [f"{path}: passed over: {times} {what}" for what, times in imported.passed_over.items()]
    report.notes += [f"{path}: look at this: {times} times, {what}" for what, times in imported.warnings.items()]
    return done


def _refused_records(imported: ImportedFile) -> int:
    if imported.items is not None:
        told = {(None, each.record) if each.record else (each.line, None) for each in imported.rejected}
        return len(told) + max(imported.refused_untold - 1, 0)  # one entry stands for those that are not told
    return len(imported.rejected_rows) or int(bool(imported.rejected))


def _count(report: ImportReport, done: FileReport) -> None:
    """One entry for each file and kind: two sheets of a kind are counted together."""
    same = next((n for n, each in enumerate(report.files) if (each.file, each.kind) == (done.file, done.kind)), None)
    if same is None:
        report.files.append(done)
        return
    earlier = report.files[same]
    counts = {name: getattr(earlier, name) + getattr(done, name) for name in ("inserted", "corrected", "unchanged", "rejected")}
    report.files[same] = replace(earlier, **counts)
