"""What was written to whom about which alert: for corrections, for threads, for reminders, for explanations."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, func, literal_column, select

from monitor.store.outbox import REMINDERS
from monitor.store.tables import ATTEMPTS, MESSAGES

OF_SEVERAL = ("digest", *REMINDERS, "plain")
"""Kinds that may be about several patients; a plain mail where it stands in for one such."""

UNSAID = ("dead", "cancelled")
_CHUNK = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """One message about a patient. ``accepted_at`` is None while no relay has accepted it."""

    message_id: str
    kind: str
    alert_ids: tuple[int, ...]
    address: str
    name: str
    state: str
    created_at: datetime
    accepted_at: datetime | None
    maybe_repeat: bool  # an attempt ended unknown: the recipient may have it whatever came after


def about(connection: Connection, patient_id: str, alert_ids: Collection[int]) -> list[Written]:
    """Messages about one patient, and digests and reminders that named one of the alerts, oldest first."""
    accepted = (
        select(func.min(ATTEMPTS.c.at))
        .where(ATTEMPTS.c.message == MESSAGES.c.id, ATTEMPTS.c.outcome == "accepted")
        .scalar_subquery()
    )
    columns = MESSAGES.c
    query = select(
        columns.message_id,
        columns.kind,
        columns.alert_ids,
        columns.recipient_address,
        columns.recipient_name,
        columns.state,
        columns.created_at,
        columns.maybe_repeat,
        accepted.label("accepted_at"),
    )
    of_patient = connection.execute(query.where(columns.patient_id == patient_id).order_by(columns.id)).all()
    of_several = columns.kind.in_(OF_SEVERAL) & columns.patient_id.is_(None)
    digests = connection.execute(query.where(of_several).order_by(columns.id)).all()
    wanted = set(alert_ids)
    written = [
        Written(
            message_id=row.message_id,
            kind=row.kind,
            alert_ids=tuple(json.loads(row.alert_ids)),
            address=row.recipient_address,
            name=row.recipient_name,
            state=row.state,
            created_at=row.created_at,
            accepted_at=row.accepted_at,
            maybe_repeat=row.maybe_repeat,
        )
        for row in (*of_patient, *digests)
    ]
    return sorted(
        (each for each in written if each.kind not in OF_SEVERAL or wanted.intersection(each.alert_ids)),
        key=lambda each: each.created_at,
    )


def told_of(written: Sequence[Written], alert_ids: Collection[int]) -> list[Written]:
    """Those that told of one of the alerts, or still will; what was refused for good or cancelled told nobody."""
    wanted = set(alert_ids)
    told = (each for each in written if each.state not in ("dead", "cancelled") or each.maybe_repeat)
    return [each for each in told if wanted.intersection(each.alert_ids)]


@dataclass(frozen=True, slots=True)
class Told:
    """Somebody to whom an alert was written. ``reached``: the message was taken, or still may be; not refused for good."""

    reached: bool
    address: str
    name: str
    kind: str
    patient_id: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Untried:
    """A message that waits, and that nobody tried to send yet."""

    id: int
    kind: str
    alert_ids: tuple[int, ...]
    address: str
    name: str


@dataclass(frozen=True, slots=True)
class Held:
    """A mail about one patient that waits for the end of quiet hours; nobody tried to send it yet."""

    address: str
    name: str
    due_at: datetime


def told_by_alert(
    connection: Connection, patients: Mapping[int, str], *, not_held_at: datetime | None = None
) -> dict[int, list[Told]]:
    """To whom each alert was written, oldest message first; ``patients`` gives the patient of each alert asked for.

    ``not_held_at``: without those whose mail is held for a later time than this; they are not told yet.
    """
    found: dict[int, list[Told]] = {alert_id: [] for alert_id in patients}
    columns = MESSAGES.c
    query = select(
        columns.id,
        columns.alert_ids,
        columns.recipient_address,
        columns.recipient_name,
        columns.kind,
        columns.patient_id,
        columns.created_at,
        columns.state,
        columns.maybe_repeat,
    ).where((columns.state != "cancelled") | columns.maybe_repeat)
    if not_held_at is not None:
        due = columns.next_attempt_at <= not_held_at
        query = query.where((columns.state != "pending") | (columns.fencing_token > 0) | due)
    names = sorted(set(patients.values()))
    rows = list(connection.execute(query.where(columns.kind.in_(OF_SEVERAL), columns.patient_id.is_(None))))
    for start in range(0, len(names), _CHUNK):
        rows += connection.execute(query.where(columns.patient_id.in_(names[start : start + _CHUNK])))
    for row in sorted(rows, key=lambda row: int(row.id)):
        reached = row.state not in UNSAID or row.maybe_repeat
        told = Told(reached, row.recipient_address, row.recipient_name, row.kind, row.patient_id, row.created_at)
        for alert_id in json.loads(row.alert_ids):
            if alert_id in found:
                found[alert_id].append(told)
    return found


def last_alert_mails(connection: Connection, patient_ids: Collection[str]) -> dict[str, dict[str, datetime]]:
    """By patient and address (in lower case), when the last alert mail was decided that was not given up."""
    columns = MESSAGES.c
    query = select(columns.patient_id, columns.recipient_address, func.max(columns.created_at).label("last_at")).where(
        columns.kind == "alert", columns.state.not_in(UNSAID)
    )
    found: dict[str, dict[str, datetime]] = {}
    names = sorted(patient_ids)
    for start in range(0, len(names), _CHUNK):
        part = query.where(columns.patient_id.in_(names[start : start + _CHUNK]))
        for row in connection.execute(part.group_by(columns.patient_id, columns.recipient_address)):
            found.setdefault(row.patient_id, {})[row.recipient_address.lower()] = row.last_at
    return found


def untried(connection: Connection, alert_ids: Collection[int]) -> list[Untried]:
    """The waiting messages about one of the alerts that nobody tried to send yet, oldest first."""
    wanted = set(alert_ids)
    untouched = _waiting(connection, MESSAGES.c.fencing_token == 0) if wanted else []
    return [each for each in untouched if wanted.intersection(each.alert_ids)]


def held(connection: Connection, patient_id: str, now: datetime) -> list[Held]:
    """The alert mails about a patient that are held after ``now``, oldest first."""
    columns = MESSAGES.c
    waits = (columns.state == literal_column("'pending'"), columns.fencing_token == 0, columns.next_attempt_at > now)
    query = select(columns.recipient_address, columns.recipient_name, columns.next_attempt_at)
    theirs = query.where(*waits, columns.patient_id == patient_id, columns.kind == "alert").order_by(columns.id)
    return [Held(*row) for row in connection.execute(theirs)]


def waiting_reminders(connection: Connection, address: str) -> list[Untried]:
    """The reminders and escalations to one recipient that wait, and that he cannot have already, oldest first."""
    unsent = _waiting(connection, MESSAGES.c.maybe_repeat.is_(False), MESSAGES.c.kind.in_(REMINDERS))
    return [each for each in unsent if each.address == address]


def waiting_alerts(connection: Connection, patient_id: str) -> set[int]:
    """The alerts of a patient whose own mails wait to be sent, or are being sent and may have to wait again."""
    columns = MESSAGES.c
    waits = (columns.patient_id == patient_id, columns.state.in_(("pending", "sending")), columns.kind == "alert")
    return {
        alert_id
        for text in connection.execute(select(columns.alert_ids).where(*waits)).scalars()
        for alert_id in json.loads(text)
    }


def _waiting(connection: Connection, *which: ColumnElement[bool]) -> list[Untried]:
    columns = MESSAGES.c
    query = select(columns.id, columns.kind, columns.alert_ids, columns.recipient_address, columns.recipient_name)
    pending = columns.state == literal_column("'pending'")  # literal: so that the partial index is used
    rows = connection.execute(query.where(pending, *which).order_by(columns.id))
    return [
        Untried(row.id, row.kind, tuple(json.loads(row.alert_ids)), row.recipient_address, row.recipient_name) for row in rows
    ]
