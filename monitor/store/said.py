"""What was raised and what was written, of many patients at once: the side of coverage that is compared with the facts."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, func, select

from monitor.clinical.findings import Urgency
from monitor.store.tables import ALERT_EVENTS, ALERTS, ATTEMPTS, DIGEST_ENTRIES, MESSAGES
from monitor.store.watch_tables import ESCALATIONS, JOURNAL, WITHHELD
from monitor.store.withheld import Withheld

_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened to an alert, in the order of the numbers. ``weight`` is the finding's, from the journal."""

    number: int
    at: datetime
    reason: str
    urgency: Urgency
    weight: int | None

    @property
    def heaviness(self) -> tuple[int, int] | None:
        """Rank of the urgency and weight as they became; None for what a person did."""
        return None if self.weight is None else (self.urgency.rank, self.weight)


@dataclass(frozen=True, slots=True, kw_only=True)
class Raised:
    """An alert with its life so far. ``escalated_at`` are the instants at which a further step told somebody."""

    alert_id: int
    patient_id: str
    rule: str
    state: str
    clinical_at: datetime
    opened_at: datetime
    closed_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    events: tuple[Event, ...]
    withheld: tuple[Withheld, ...]
    digest_since: datetime | None  # waits in the list of the next digest
    escalated_at: tuple[datetime, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A message as far as it matters here. ``words`` are the relay's last."""

    number: int
    kind: str
    address: str
    state: str
    created_at: datetime
    next_attempt_at: datetime
    reason: str | None
    accepted_at: datetime | None = None
    words: str | None = None


@dataclass(slots=True)
class Mails:
    """Messages by the alert they name."""

    by_alert: dict[int, list[Mail]] = field(default_factory=dict)

    def about(self, alert_id: int) -> Sequence[Mail]:
        """Those that name the alert, oldest first."""
        return self.by_alert.get(alert_id, ())


def raised_about(connection: Connection, patient_ids: Collection[str]) -> dict[str, list[Raised]]:
    """Every alert of these patients, oldest first; every patient asked for has an entry."""
    found: dict[str, list[Raised]] = {patient_id: [] for patient_id in patient_ids}
    for part in _parts(list(found)):
        rows = connection.execute(select(ALERTS).where(ALERTS.c.patient_id.in_(part)).order_by(ALERTS.c.id)).all()
        ids = [row.id for row in rows]
        events, held = _events(connection, ids), _withheld(connection, ids)
        digests, escalated = _digests(connection, ids), _escalated(connection, ids)
        for row in rows:
            found[row.patient_id].append(
                Raised(
                    alert_id=row.id,
                    patient_id=row.patient_id,
                    rule=row.rule,
                    state=row.state,
                    clinical_at=row.clinical_at,
                    opened_at=row.opened_at,
                    closed_at=row.closed_at,
                    acknowledged_at=row.acknowledged_at,
                    acknowledged_by=row.acknowledged_by,
                    events=tuple(events.get(row.id, ())),
                    withheld=tuple(held.get(row.id, ())),
                    digest_since=digests.get(row.id),
                    escalated_at=tuple(escalated.get(row.id, ())),
                )
            )
    return found


def mails_about(connection: Connection, patient_ids: Collection[str]) -> Mails:
    """The mails about these patients; the digests, which are about many, are those of ``digests``."""
    mails = Mails()
    for part in _parts(list(patient_ids)):
        _read(connection, MESSAGES.c.patient_id.in_(part), mails)
    return mails


def digests(connection: Connection) -> Mails:
    """Every mail that names alerts of no one patient, by alert."""
    mails = Mails()
    _read(connection, MESSAGES.c.patient_id.is_(None) & (MESSAGES.c.alert_ids != "[]"), mails)
    return mails


def _read(connection: Connection, which: object, into: Mails) -> None:
    columns = MESSAGES.c
    accepted = select(func.min(ATTEMPTS.c.at)).where(ATTEMPTS.c.message == columns.id, ATTEMPTS.c.outcome == "accepted")
    words = select(ATTEMPTS.c.reply).where(ATTEMPTS.c.message == columns.id).order_by(ATTEMPTS.c.id.desc()).limit(1)
    wanted = (columns.id, columns.kind, columns.recipient_address, columns.state, columns.created_at, columns.next_attempt_at)
    query = select(
        *wanted, columns.reason, accepted.scalar_subquery().label("accepted_at"), words.scalar_subquery(), columns.alert_ids
    )
    for row in connection.execute(query.where(which).order_by(columns.id)):  # type: ignore[arg-type]  # a condition
        (*fields, alert_ids) = row
        number, kind, address, state, created_at, next_attempt_at, reason, accepted_at, said = fields
        mail = Mail(
            number=number,
            kind=kind,
            address=address,
            state=state,
            created_at=created_at,
            next_attempt_at=next_attempt_at,
            reason=reason,
            accepted_at=accepted_at,
            words=said,
        )
        for alert_id in json.loads(alert_ids):
            into.by_alert.setdefault(alert_id, []).append(mail)


def _events(connection: Connection, ids: Sequence[int]) -> dict[int, list[Event]]:
    found: dict[int, list[Event]] = {}
    columns = ALERT_EVENTS.c
    for part in _parts(ids):
        weights = _weights(connection, part)
        query = select(columns.alert_id, columns.id, columns.at, columns.reason, columns.urgency)
        for alert_id, number, at, reason, urgency in connection.execute(
            query.where(columns.alert_id.in_(part)).order_by(columns.id)
        ):
            weight = weights.get((f"A-{alert_id}", at, reason))
            found.setdefault(alert_id, []).append(Event(number, at, reason, Urgency(urgency), weight))
    return found


def _weights(connection: Connection, ids: Sequence[object]) -> dict[tuple[str, datetime, str], int]:
    """How heavy a finding was at each transition: the row of an alert has only the present weight."""
    entries = JOURNAL.c
    named = entries.subject.in_([f"A-{alert_id}" for alert_id in ids])
    found = {}
    for subject, at, text in connection.execute(
        select(entries.subject, entries.at, entries.body).where(named, entries.event == "alert")
    ):
        body = json.loads(text)
        found[subject, at, body["reason"]] = body["weight"]
    return found


def _withheld(connection: Connection, ids: Sequence[int]) -> dict[int, list[Withheld]]:
    found: dict[int, list[Withheld]] = {}
    columns = WITHHELD.c
    for part in _parts(ids):
        query = select(columns.alert_id, columns.since, columns.until, columns.owner, columns.reason)
        for row in connection.execute(query.where(columns.alert_id.in_(part)).order_by(columns.id)):
            found.setdefault(row.alert_id, []).append(Withheld(*row))
    return found


def _digests(connection: Connection, ids: Sequence[int]) -> dict[int, datetime]:
    entries = DIGEST_ENTRIES.c
    return {
        alert_id: since
        for part in _parts(ids)
        for alert_id, since in connection.execute(select(entries.alert_id, entries.since).where(entries.alert_id.in_(part)))
    }


def _escalated(connection: Connection, ids: Sequence[int]) -> dict[int, list[datetime]]:
    found: dict[int, list[datetime]] = {}
    columns = ESCALATIONS.c
    for part in _parts(ids):
        query = select(columns.alert_id, columns.done_at).where(columns.alert_id.in_(part), columns.outcome.like("%told %"))
        for alert_id, done_at in connection.execute(query.where(columns.done_at.is_not(None)).order_by(columns.id)):
            found.setdefault(alert_id, []).append(done_at)
    return found


def _parts(keys: Iterable[object]) -> Iterator[list[object]]:
    ordered = list(keys)
    for start in range(0, len(ordered), _CHUNK):
        yield ordered[start : start + _CHUNK]


def refused_since(connection: Connection, since: datetime) -> int:
    """How many messages were refused for good since then."""
    refused = select(func.count(ATTEMPTS.c.message.distinct())).where(ATTEMPTS.c.outcome == "refused_for_good")
    return int(connection.execute(refused.where(ATTEMPTS.c.at >= since)).scalar_one())
