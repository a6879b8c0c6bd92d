"""What the board shows, read so that it costs what is open, and not what is stored.

No query here walks through facts, through closed alerts, or through messages older than the oldest open alert.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, func, literal_column, select

from monitor.clinical.findings import Finding, Urgency
from monitor.store.alert_json import finding_of
from monitor.store.belonging import PATIENTS
from monitor.store.correspondence import OF_SEVERAL
from monitor.store.tables import ALERT_EVENTS, ALERTS, ATTEMPTS, MESSAGES

_CHUNK = 500
_STILL_OPEN = ALERTS.c.state.in_((literal_column("'open'"), literal_column("'acknowledged'")))
"""Literal and in the order of the partial index ``uq_alerts_still_open``, so that it is used."""

_LISTED = [ALERTS.c[name] for name in ("id", "patient_id", "state", "urgency", "opened_at", "raised_at", "holds")]
_LISTED += [ALERTS.c[name] for name in ("acknowledged_at", "acknowledged_by", "snoozed_until")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """An alert that is open, or acknowledged and still holds; what it says is read for those shown alone: ``findings``."""

    alert_id: int
    patient_id: str
    state: str
    urgency: Urgency
    opened_at: datetime
    raised_at: datetime
    holds: bool
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    snoozed_until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One message that names an alert. ``accepted_at`` is None while no relay took it; ``words`` are the relay's last."""

    number: int
    kind: str
    alert_ids: tuple[int, ...]
    name: str
    address: str
    state: str
    created_at: datetime
    due_at: datetime  # when it may go next, where it waits
    attempts: int
    reason: str | None  # why it was given up or cancelled
    accepted_at: datetime | None
    words: str | None


def still_open(connection: Connection) -> tuple[Listed, ...]:
    """Every alert that is not closed, the more urgent first, then the order of their raising."""
    rows = connection.execute(still_open_query()).all()
    found = [
        Listed(
            alert_id=row.id,
            patient_id=row.patient_id,
            state=row.state,
            urgency=Urgency(row.urgency),
            opened_at=row.opened_at,
            raised_at=row.raised_at,
            holds=row.holds,
            acknowledged_at=row.acknowledged_at,
            acknowledged_by=row.acknowledged_by,
            snoozed_until=row.snoozed_until,
        )
        for row in rows
    ]
    return tuple(sorted(found, key=lambda each: (-each.urgency.rank, each.raised_at, each.alert_id)))


def still_open_query() -> Select[Any]:
    """The rows of ``still_open``, in no order."""
    return select(*_LISTED).where(_STILL_OPEN)


def findings(connection: Connection, alert_ids: Iterable[int]) -> dict[int, Finding]:
    """What each of these alerts says."""
    found: dict[int, Finding] = {}
    wanted = sorted(alert_ids)
    for start in range(0, len(wanted), _CHUNK):
        rows = connection.execute(select(ALERTS).where(ALERTS.c.id.in_(wanted[start : start + _CHUNK])))
        found |= {row.id: finding_of(row) for row in rows}
    return found


def names_of(connection: Connection, patient_ids: Iterable[str]) -> dict[str, str]:
    """The display name in the current record of each patient who has one there."""
    found: dict[str, str] = {}
    for part in _parts(patient_ids):
        current = (PATIENTS.c.patient_id.in_(part), PATIENTS.c.superseded_at.is_(None), PATIENTS.c.display_name.is_not(None))
        query = select(PATIENTS.c.patient_id, PATIENTS.c.display_name).where(*current).order_by(PATIENTS.c.version)
        found |= {row.patient_id: row.display_name for row in connection.execute(query)}
    return found


def told(connection: Connection, patients: Mapping[int, str], *, since: datetime) -> dict[int, list[Told]]:
    """The messages about each alert, oldest first; every alert asked for has an entry.

    ``patients`` gives the patient of each alert; ``since`` is when the oldest of them was opened.
    """
    found: dict[int, list[Told]] = {alert_id: [] for alert_id in patients}
    if not found:
        return found
    first = first_message_since(connection, since)
    rows = list(connection.execute(of_several_query(first)))
    for part in _parts(patients.values()):
        rows += connection.execute(_messages(first).where(MESSAGES.c.patient_id.in_(part)))
    named = {row.id: tuple(json.loads(row.alert_ids)) for row in rows}
    wanted = sorted((row for row in rows if not found.keys().isdisjoint(named[row.id])), key=lambda row: int(row.id))
    last = _last_attempts(connection, [row.id for row in wanted])
    for row in wanted:
        message = _told(row, named[row.id], last)
        for alert_id in message.alert_ids:
            if alert_id in found:
                found[alert_id].append(message)
    return found


def first_message_since(connection: Connection, at: datetime) -> int:
    """The number of the first message that was decided at ``at`` or later, or one more than the last.

    Messages are numbered in the order of their making; a search by halves reads some twenty rows, an index costs each mail.
    """
    columns = MESSAGES.c
    low, high = connection.execute(select(func.coalesce(func.min(columns.id), 1), func.coalesce(func.max(columns.id), 0))).one()
    end = high + 1
    while low < end:
        middle = (low + end) // 2
        row = connection.execute(
            select(columns.id, columns.created_at).where(columns.id >= middle).order_by(columns.id).limit(1)
        ).one()
        if row.created_at < at:
            low = row.id + 1
        else:
            end = middle
    return int(low)


def of_several_query(first: int) -> Select[Any]:
    """Digests and reminders about several patients, from message ``first`` on."""
    return _messages(first).where(MESSAGES.c.patient_id.is_(None), MESSAGES.c.kind.in_(OF_SEVERAL))


def last_event_at(connection: Connection) -> datetime | None:
    """When something last happened to any alert, or None while there never was one."""
    return connection.execute(select(ALERT_EVENTS.c.at).order_by(ALERT_EVENTS.c.id.desc()).limit(1)).scalar()


def alerts_of(connection: Connection, patient_id: str) -> Sequence[int]:
    """The numbers of all alerts that a patient ever had, the newest first."""
    query = select(ALERTS.c.id).where(ALERTS.c.patient_id == patient_id).order_by(ALERTS.c.id.desc())
    return connection.execute(query).scalars().all()


def _messages(first: int) -> Select[Any]:
    names = ("id", "kind", "alert_ids", "recipient_name", "recipient_address", "state", "created_at", "next_attempt_at")
    return select(*(MESSAGES.c[name] for name in (*names, "attempts", "reason"))).where(MESSAGES.c.id >= first)


def _last_attempts(connection: Connection, numbers: Collection[int]) -> dict[int, Any]:
    """The last attempt of each message that had one."""
    columns = (ATTEMPTS.c.message, ATTEMPTS.c.at, ATTEMPTS.c.outcome, ATTEMPTS.c.reply)
    return {
        row.message: row
        for part in _parts(numbers)
        for row in connection.execute(select(*columns).where(ATTEMPTS.c.message.in_(part)).order_by(ATTEMPTS.c.id))
    }


def _told(row: Any, alert_ids: tuple[int, ...], last: Mapping[int, Any]) -> Told:
    attempt = last.get(row.id)
    return Told(
        number=row.id,
        kind=row.kind,
        alert_ids=alert_ids,
        name=row.recipient_name,
        address=row.recipient_address,
        state=row.state,
        created_at=row.created_at,
        due_at=row.next_attempt_at,
        attempts=row.attempts,
        reason=row.reason,
        accepted_at=attempt.at if attempt is not None and attempt.outcome == "accepted" else None,
        words=None if attempt is None else attempt.reply,
    )


def _parts(keys: Iterable[Any]) -> Iterator[list[Any]]:
    ordered = sorted(set(keys))
    for start in range(0, len(ordered), _CHUNK):
        yield ordered[start : start + _CHUNK]
