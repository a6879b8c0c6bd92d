"""Alerts that wait to be named in the next digest. In the caller's transaction; a crash leaves them waiting."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, delete, select

from monitor.store.tables import DIGEST_ENTRIES

_CHUNK = 500


def add(connection: Connection, alert_ids: Iterable[int], now: datetime) -> None:
    """Let alerts wait for the digest; one that waits already keeps its place."""
    waiting_already = set(waiting(connection))
    rows = [{"alert_id": alert_id, "since": now} for alert_id in dict.fromkeys(alert_ids) if alert_id not in waiting_already]
    if rows:
        connection.execute(DIGEST_ENTRIES.insert(), rows)


def waiting(connection: Connection) -> list[int]:
    """The alerts that wait, those of the longest standing first."""
    entries = DIGEST_ENTRIES.c
    return list(connection.execute(select(entries.alert_id).order_by(entries.since, entries.alert_id)).scalars())


def clear(connection: Connection, alert_ids: Iterable[int]) -> None:
    """These alerts are in a digest now."""
    ids = list(alert_ids)
    for start in range(0, len(ids), _CHUNK):
        connection.execute(delete(DIGEST_ENTRIES).where(DIGEST_ENTRIES.c.alert_id.in_(ids[start : start + _CHUNK])))
