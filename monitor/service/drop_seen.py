"""Which files of a watched folder are still being written: what each looked like, and since when it has looked so.

It is kept with the feed, so that a daemon that was started anew goes on where the last one was. Only our own clock counts:
that of a share may be another one.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO, Literal

from monitor.importers.names import REJECTED

Verdict = Literal["done", "rejected"]

UNFINISHED = (".tmp", ".part", ".partial", ".filepart", ".crdownload", "~")
"""Ends of the names under which programs write what they rename when it is whole; so does a name that begins with a dot."""


@dataclass(frozen=True, slots=True)
class Look:
    """What tells a file from another one, or from itself when it has grown."""

    size: int
    modified_ns: int
    inode: int

    @classmethod
    def of(cls, found: os.stat_result) -> Look:
        return cls(found.st_size, found.st_mtime_ns, found.st_ino)


@dataclass(frozen=True, slots=True)
class Seen:
    """A file that waits. ``verdict``: it is imported already, and could not be moved yet."""

    look: Look
    since: datetime
    verdict: Verdict | None = None


def files_in(folder: Path) -> dict[str, Look]:
    """The files that may be meant for us, by name. Links and folders inside are passed over. Raises OSError."""
    with os.scandir(folder) as entries:
        names = {entry.name: entry for entry in entries}
    found = {}
    for name, entry in names.items():
        if name.startswith((".", "~$")) or name.lower().endswith(UNFINISHED):
            continue
        if name.lower().endswith(REJECTED) and name[: -len(REJECTED)] in names:
            continue  # our own report, on its way
        look = look_at(Path(entry.path))
        if look is not None:
            found[name] = look
    return found


def look_at(path: Path) -> Look | None:
    """What a plain file looks like now; None for anything else, and where nothing is."""
    try:
        found = path.lstat()
    except OSError:
        return None
    return Look.of(found) if stat.S_ISREG(found.st_mode) else None


def look_inside(stream: BinaryIO) -> Look:
    """What an open file looks like now, whatever its name has become."""
    return Look.of(os.fstat(stream.fileno()))


def seen_now(before: Mapping[str, Seen], found: Mapping[str, Look], now: datetime) -> dict[str, Seen]:
    """Every file that is there: since when it has looked as it does, by what was seen before."""
    seen = {}
    for name, look in found.items():
        known = before.get(name)
        same = known is not None and known.look == look and known.since <= now  # a clock that was set back begins anew
        seen[name] = known if known is not None and same else Seen(look, now)
    return seen


def stable(seen: Mapping[str, Seen], now: datetime, stable_for: timedelta) -> Iterable[str]:
    """The names of the files that are whole, as far as anybody can tell."""
    return [name for name, each in seen.items() if now - each.since >= stable_for]


def as_text(seen: Mapping[str, Seen]) -> str:
    """For the feed's cursor; names in any bytes."""
    return json.dumps(
        {
            name: [each.look.size, each.look.modified_ns, each.look.inode, each.since.isoformat(), each.verdict]
            for name, each in seen.items()
        }
    )


def from_text(text: str | None) -> dict[str, Seen]:
    """What ``as_text`` wrote; nothing where it is something else: then every file is looked at anew."""
    try:
        return {
            name: Seen(Look(size, modified, inode), datetime.fromisoformat(since), verdict)
            for name, (size, modified, inode, since, verdict) in json.loads(text or "{}").items()
        }
    except (ValueError, TypeError, AttributeError):
        return {}
