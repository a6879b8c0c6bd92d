"""Where the files of a watched folder go: ``done/<day>/`` and ``rejected/<day>/`` inside it, for this program's user alone.

Nothing there is ever overwritten. The reject report arrives before its file: whoever sees the file finds the report.
"""

from __future__ import annotations

import csv
import filecmp
import os
import re
import stat
from collections.abc import Iterable
from contextlib import suppress
from datetime import date, timedelta
from itertools import count
from pathlib import Path

from monitor.crash_points import reached
from monitor.importers.imported import Rejected
from monitor.service.drop_seen import Verdict
from monitor.service.rejected_file import rejected_path

_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_HEADER = ("record", "line", "column", "problem")


def file_away(file: Path, verdict: Verdict, on: date, refused: Iterable[Rejected] = ()) -> Path:
    """Move an imported file, and the report that the import left beside it; where it is now.

    ``refused`` is what the report says where the import left none. Raises OSError.
    """
    folder, report = _day_folder(file.parent / verdict, on), rejected_path(file)
    if verdict == "rejected" and not report.exists():
        _write_report(report, refused)
    target = _free(folder, file.name, report)
    if report.exists():
        _own(report)
        report.rename(rejected_path(target))
    reached("after moving the report")
    file.rename(target)
    _own(target)
    reached("after moving the file")
    return target


def remove_old(folder: Path, keep: timedelta, today: date) -> int:
    """Delete what was done more than ``keep`` ago; how many files that were. What cannot be deleted stays."""
    removed = 0
    done = folder / "done"
    if not _is_folder(done):
        return 0
    with suppress(OSError):
        for day in list(done.iterdir()):
            if not _DAY.fullmatch(day.name) or not _is_folder(day) or not _is_before(day.name, today - keep):
                continue
            for file in list(day.iterdir()):
                with suppress(OSError):
                    file.unlink()
                    removed += 1
            with suppress(OSError):
                day.rmdir()
    return removed


def _is_before(name: str, day: date) -> bool:
    try:
        return date.fromisoformat(name) < day
    except ValueError:
        return False


def _day_folder(folder: Path, on: date) -> Path:
    """Raises OSError; also where somebody put a link in its place, which would lead elsewhere."""
    day = folder / on.isoformat()
    for each in (folder, day):
        if not _is_folder(each):
            each.mkdir(mode=0o700)
    return day


def _is_folder(path: Path) -> bool:
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except FileNotFoundError:
        return False


def _free(folder: Path, name: str, report: Path) -> Path:
    """``name``, or the first of ``name-2``, ``name-3``. A report left there alone by a move that a crash cut short is ours."""
    stem, suffix = os.path.splitext(name)  # noqa: PTH122  # a name may be any bytes, and begin with anything
    for number in count(1):
        target = folder / (name if number == 1 else f"{stem}-{number}{suffix}")
        other = rejected_path(target)
        ours = not os.path.lexists(other) or (report.exists() and filecmp.cmp(report, other, shallow=False))
        if ours and not os.path.lexists(target):
            return target
    raise AssertionError("a count does not end")


def _write_report(report: Path, refused: Iterable[Rejected]) -> None:
    """For what is not refused row by row: a file of an unknown kind, a record of a feed without lines."""
    unfinished = report.with_name(f".{report.name}")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(_HEADER)
        writer.writerows((each.record, each.line, each.column, each.problem) for each in refused)
    unfinished.replace(report)


def _own(path: Path) -> None:
    """For this user alone, where the file is this user's; the folder is in any case."""
    with suppress(PermissionError):
        path.chmod(0o600)
