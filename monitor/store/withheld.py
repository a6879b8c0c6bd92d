"""What was not said yet, as rows: whose decision, why, until when. Nothing is held back without one."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, or_, select

from monitor.store.tables import ALERTS
from monitor.store.watch_tables import WITHHELD

_CHUNK = 500
_COLUMNS = (WITHHELD.c.alert_id, WITHHELD.c.since, WITHHELD.c.until, WITHHELD.c.owner, WITHHELD.c.reason)


@dataclass(frozen=True, slots=True)
class Withheld:
    """One alert that is not spoken of. ``until`` None: until it is told otherwise."""

    alert_id: int
    since: datetime
    until: datetime | None
    owner: str  # a person, "quiet hours of team north", "daily digest"
    reason: str


def withhold(
    connection: Connection, alert_ids: Collection[int], *, since: datetime, until: datetime | None, owner: str, reason: str
) -> None:
    """Record that these alerts are held back; what is recorded already with the same end and owner is not repeated."""
    ids = sorted(set(alert_ids))
    known: set[int] = set()
    for start in range(0, len(ids), _CHUNK):
        theirs = WITHHELD.c.alert_id.in_(ids[start : start + _CHUNK])
        same = select(WITHHELD.c.alert_id).where(theirs, WITHHELD.c.until == until, WITHHELD.c.owner == owner)
        known |= set(connection.execute(same).scalars())
    row = {"since": since, "until": until, "owner": owner, "reason": reason}
    rows = [{"alert_id": alert_id, **row} for alert_id in ids if alert_id not in known]
    if rows:
        connection.execute(WITHHELD.insert(), rows)


def release(connection: Connection, alert_ids: Collection[int], now: datetime) -> None:
    """What held these alerts back ends now: they are worse, taken on, or closed."""
    ids = sorted(set(alert_ids))
    for start in range(0, len(ids), _CHUNK):
        theirs = WITHHELD.c.alert_id.in_(ids[start : start + _CHUNK])
        still = or_(WITHHELD.c.until.is_(None), WITHHELD.c.until > now)
        connection.execute(WITHHELD.update().where(theirs, still).values(until=now))


def open_now(connection: Connection, now: datetime) -> list[Withheld]:
    """What is held back at ``now`` of alerts that nobody has taken on, the longest held first."""
    still = or_(WITHHELD.c.until.is_(None), WITHHELD.c.until > now)
    query = select(*_COLUMNS).join(ALERTS, ALERTS.c.id == WITHHELD.c.alert_id)
    rows = connection.execute(query.where(still, ALERTS.c.state == "open").order_by(WITHHELD.c.since, WITHHELD.c.id))
    return [Withheld(*row) for row in rows]


def of_alerts(connection: Connection, alert_ids: Collection[int]) -> list[Withheld]:
    """All that was ever held back of these alerts, oldest first."""
    found: list[Withheld] = []
    ids = sorted(set(alert_ids))
    for start in range(0, len(ids), _CHUNK):
        query = select(*_COLUMNS).where(WITHHELD.c.alert_id.in_(ids[start : start + _CHUNK]))
        found += [Withheld(*row) for row in connection.execute(query)]
    return sorted(found, key=lambda row: (row.since, row.alert_id))
