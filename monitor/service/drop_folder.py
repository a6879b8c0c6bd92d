"""A watched folder: what is put there is imported once and moved away, and whoever owns the data hears what was refused.

In this order, so that a crash loses nothing: a file is imported (one transaction), then the mail about all of a sweep is
queued, then the files are moved. Whatever a crash cut short the next sweep does again: an import brings nothing twice.
"""

from __future__ import annotations

import hashlib
import logging
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from monitor.config.feed_folder import FolderFeed
from monitor.errors import ConfigError, MonitorError, UsageError
from monitor.importers.imported import Clinic, ImportedFile, Reader, Rejected
from monitor.service import alarms, drop_filing, drop_seen
from monitor.service.drop_seen import Look, Seen, Verdict
from monitor.service.file_parts import storable
from monitor.service.ingest import FileReport, import_paths, rank, refuse_whole
from monitor.service.opening import Site
from monitor.service.pulled import Pulled
from monitor.service.readers import readers_of
from monitor.store import feeds, rejects
from monitor.store.troubles import all_troubles, clear_trouble, set_trouble

AT_ONCE = 200
"""Files of one sweep: the next one, a moment later, takes the rest."""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Taken:
    """One file that was imported just now."""

    look: Look
    verdict: Verdict
    received: bool
    refused: list[Rejected]
    rows_refused: int
    unread_columns: bool


@dataclass(slots=True)
class _Sweep:
    """One look into the folder, while it goes on."""

    site: Site
    name: str
    folder: Path
    now: datetime
    seen: dict[str, Seen]
    taken: dict[str, _Taken] = field(default_factory=dict)
    problems: Counter[str] = field(default_factory=Counter)
    queued: int = 0


class _ChangedError(Exception):
    """The file is another one than the one that was whole, or is still being written."""


def pull_folder(site: Site, name: str, feed: FolderFeed, now: datetime, stopping: Callable[[], bool]) -> Pulled:
    """Take what is whole, tell, and move it away. One at a time for each folder. Raises DatabaseError.

    ``stopping`` is asked before each file. A folder that cannot be read is the feed's problem; a file that cannot, or cannot
    be moved, holds up no other: that is a trouble, told once.
    """
    folder = Path(feed.path)
    with site.database.read() as connection:
        known = feeds.load(connection, name)
        told = {each.name: each.words for each in all_troubles(connection)}.get(_trouble(name))
    before = drop_seen.from_text(known.cursor if known else None)
    try:
        found = drop_seen.files_in(folder)
    except OSError as error:
        words = "create it, or let this program's user read and write it"
        return Pulled(problem=f"the folder {folder} cannot be read: {error.strerror}; {words}")
    work = _Sweep(site, name, folder, now, drop_seen.seen_now(before, found, now))
    for each in _in_order(work, feed):
        if stopping():
            break
        _take(work, each)
    _tell(work)
    _move(work)
    _note(work, told)
    if feed.keep is not None:
        drop_filing.remove_old(folder, feed.keep, now.astimezone(site.settings.time_zone).date())
    return Pulled(
        received=any(each.received for each in work.taken.values()),
        cursor=drop_seen.as_text(work.seen),
        rejected=sum(each.rows_refused for each in work.taken.values()),
        queued=work.queued,
    )


def _in_order(work: _Sweep, feed: FolderFeed) -> list[str]:
    """What is whole and not imported yet: patients first, what hangs on them after, of one kind what came first."""
    names = [name for name in drop_seen.stable(work.seen, work.now, feed.stable_for) if work.seen[name].verdict is None]
    return sorted(names, key=lambda name: (rank(Path(name)), work.seen[name].look.modified_ns, name))[:AT_ONCE]


def _take(work: _Sweep, name: str) -> None:
    """Import one file. What cannot be read stays where it is, and is told of."""
    path, look = work.folder / name, work.seen[name].look
    try:
        with path.open("rb"):
            pass
    except FileNotFoundError:
        del work.seen[name]
        return
    except OSError as error:
        work.problems[f"cannot be read: {error.strerror}; let this program's user read what is put there"] += 1
        return
    try:
        report = import_paths(
            work.site.database,
            [path],
            zone=work.site.settings.time_zone,
            now=work.now,
            readers=_of_this_file(look, readers_of(work.site.settings)),
            feed=work.name,
        )
    except (_ChangedError, UsageError):  # another one took its place, or it is gone: it is looked at anew
        del work.seen[name]
        return
    except ConfigError as error:  # of the file that says how such files are read
        work.problems[f"cannot be read: {str(error).splitlines()[0]}"] += 1
        return
    except MonitorError:
        raise
    except Exception as error:  # a file that brings out a defect must not hold up the others for ever
        log.exception("a defect of ours with a file of a watched folder; it was not imported, please report the lines below")
        words = f"a defect of this program, {type(error).__name__}; please report it"
        report = refuse_whole(work.site.database, path, words, feed=work.name, now=work.now)
    refused = [each for _, each in report.rejected]
    work.taken[name] = _Taken(
        look=look,
        verdict="rejected" if refused else "done",
        received=any(_news(part) for part in report.files),
        refused=refused,
        rows_refused=sum(part.rejected for part in report.files),
        unread_columns=bool(report.unread_columns),
    )
    work.seen[name] = replace(work.seen[name], verdict=work.taken[name].verdict)


def _news(part: FileReport) -> bool:
    return bool(part.inserted or part.corrected)


def _of_this_file(look: Look, readers: Mapping[str, Reader]) -> Mapping[str, Reader]:
    """The readers, which take a file back, all of it, where it is not, or at its end no longer, the one that was whole."""

    def only(reader: Reader) -> Reader:
        def read(name: str, stream: BinaryIO, clinic: Clinic) -> Iterator[ImportedFile]:
            for imported in reader(name, stream, clinic):
                yield imported
                del imported  # a part is read to its end by now; the next may need its room
            if drop_seen.look_at(Path(stream.name)) != look or drop_seen.look_inside(stream) != look:
                raise _ChangedError

        return read

    return {suffix: only(reader) for suffix, reader in readers.items()}


def _tell(work: _Sweep) -> None:
    """One mail about all that was refused in this sweep, to the owner of the data or else to operations."""
    told = {name: each for name, each in work.taken.items() if each.verdict == "rejected" or each.unread_columns}
    if not told:
        return
    day = work.now.astimezone(work.site.settings.time_zone).date().isoformat()
    which = hashlib.sha256(repr(sorted((name, each.look) for name, each in told.items())).encode()).hexdigest()
    alarm = alarms.refused_files(
        work.name,
        {storable(name): each.rows_refused for name, each in told.items() if each.verdict == "rejected"},
        [storable(name) for name, each in told.items() if each.unread_columns],
        place=str(work.folder / "rejected" / day),
        occasion=f"drop folder {work.name} {which[:16]}",
    )
    with work.site.database.write("refused files") as connection:
        work.queued += alarms.raise_alarm(work.site, connection, alarm, work.now, to=alarms.data_owner(work.site))


def _move(work: _Sweep) -> None:
    """Move what is imported, also by an earlier sweep that could not. Only the file that was imported: never a newer one."""
    day = work.now.astimezone(work.site.settings.time_zone).date()
    for name, seen in list(work.seen.items()):
        if seen.verdict is None:
            continue
        path, taken = work.folder / name, work.taken.get(name)
        if drop_seen.look_at(path) != seen.look:
            del work.seen[name]
            continue
        try:
            drop_filing.file_away(path, seen.verdict, day, taken.refused if taken else _on_record(work, path))
        except FileNotFoundError:
            pass
        except OSError as error:
            words = "imported, and cannot be moved to done/ or rejected/"
            work.problems[f"{words}: {error.strerror}; make room, or let this program's user write there"] += 1
            continue
        del work.seen[name]


def _on_record(work: _Sweep, path: Path) -> list[Rejected]:
    """What an earlier sweep, which could not move the file, saw refused."""
    with work.site.database.read() as connection:
        found = rejects.of_origin(connection, work.name, storable(str(path)))
    return [Rejected(line=each.line, column=each.column, problem=each.problem) for each in found]


def _note(work: _Sweep, told: str | None) -> None:
    """What is wrong with single files: kept as a trouble while it lasts, and told to operations when it begins."""
    counts = [f"{number} {'file' if number == 1 else 'files'} {words}" for words, number in sorted(work.problems.items())]
    words = f"the watched folder of the feed {work.name}: {'; '.join(counts)}" if counts else None
    if words == told:
        return
    with work.site.database.write("a watched folder's trouble") as connection:
        if words is None:
            clear_trouble(connection, _trouble(work.name))
        elif set_trouble(connection, _trouble(work.name), words, work.now):
            work.queued += alarms.raise_alarm(work.site, connection, alarms.stuck_files(work.name, words), work.now)


def _trouble(name: str) -> str:
    return f"folder-{name}"
