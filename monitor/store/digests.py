"""Alerts that wait to be told: in the next digest, or, where a round has many, as its end decides.

In the caller's transaction; a crash leaves them waiting."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, delete, select

from monitor.store.tables import DIGEST_ENTRIES

_CHUNK = 500


def add(connection: Connection, alert_ids: Iterable[int], now: datetime) -> None:
    """Let alerts wait to be told; one that waits already keeps its place."""
    ids = list(dict.fromkeys(alert_ids))
    known: set[int] = set()
    for start in range(0, len(ids), _CHUNK):
        theirs = DIGEST_ENTRIES.c.alert_id.in_(ids[start : start + _CHUNK])
        known |= set(connection.execute(select(DIGEST_ENTRIES.c.alert_id).where(theirs)).scalars())
    rows = [{"alert_id": alert_id, "since": now} for alert_id in ids if alert_id not in known]
    if rows:
        connection.execute(DIGEST_ENTRIES.insert(), rows)


def waiting(connection: Connection) -> list[int]:
    """The alerts that wait, those of the longest standing first."""
    entries = DIGEST_ENTRIES.c
    return list(connection.execute(select(entries.alert_id).order_by(entries.since, entries.alert_id)).scalars())


def entries(connection: Connection) -> dict[int, datetime]:
    """The alerts that wait and since when, the longest first."""
    columns = DIGEST_ENTRIES.c
    rows = connection.execute(select(columns.alert_id, columns.since).order_by(columns.since, columns.alert_id))
    return {row.alert_id: row.since for row in rows}


def clear(connection: Connection, alert_ids: Iterable[int]) -> None:
    """These alerts are in a digest now."""
    ids = list(alert_ids)
    for start in range(0, len(ids), _CHUNK):
        connection.execute(delete(DIGEST_ENTRIES).where(DIGEST_ENTRIES.c.alert_id.in_(ids[start : start + _CHUNK])))
