"""What was refused of feeds that name their records: open until the record is taken, or until what it waited for came."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from monitor.importers.imported import Rejected
from monitor.importers.items import OUTDATED
from monitor.store import items, rejects
from monitor.store.items import SETTLED


def record(connection: Connection, feed: str, refused: Iterable[Rejected], *, came: Collection[str], now: datetime) -> int:
    """Put on record what is refused now, and settle what of the older is not any more; how many records are refused now.

    ``came`` are those of the older that came again. In a writing transaction.
    """
    by_record: dict[str, list[rejects.Reject]] = {}
    for each in refused:
        origin = each.record or feed
        row = rejects.Reject(at=now, feed=feed, origin=origin, line=each.line, column=each.column, problem=each.problem)
        by_record.setdefault(origin, []).append(row)
    _mark_outdated(connection, feed, by_record)
    older = rejects.open_origins(connection, feed) - by_record.keys()
    for origin in (older & set(came)) | _taken_meanwhile(connection, feed, older):
        by_record[origin] = []
    if feed in older:  # what named no record is about what came at one time
        by_record[feed] = []
    for origin, rows in by_record.items():
        rejects.replace(connection, rows, feed=feed, origin=origin, now=now)
    return sum(1 for rows in by_record.values() if rows)


def _mark_outdated(connection: Connection, feed: str, origins: Iterable[str]) -> None:
    """What stands of a record whose newest version is refused is not the last that was said of it."""
    standing = [piece for piece in items.known(connection, feed, _names(origins)).values() if piece.state == SETTLED]
    items.keep(connection, feed, [replace(piece, cells=piece.cells | {OUTDATED: "yes"}) for piece in standing])


def _names(origins: Iterable[str]) -> dict[tuple[str, str], str]:
    return {(type_, id_): f"{type_}/{id_}" for type_, mark, id_ in (each.partition("/") for each in origins) if mark}


def _taken_meanwhile(connection: Connection, feed: str, origins: Iterable[str]) -> set[str]:
    """Records that waited for another one, such as that of their patient, and are rows by now."""
    names = _names(origins)
    found = items.known(connection, feed, names)
    return {names[name] for name, piece in found.items() if piece.state == SETTLED and OUTDATED not in piece.cells}
