"""Alerts as they are now, and what happened to them. Everything is done in the caller's transaction."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, select

from monitor.clinical.alerts import Alert, State, Transition
from monitor.store import dialect, journal
from monitor.store.alert_json import finding_columns, finding_of
from monitor.store.tables import ALERT_EVENTS, ALERTS, POLICIES

STILL_OPEN: tuple[State, ...] = ("open", "acknowledged")
_CHUNK = 500
_OPEN = ALERTS.insert().returning(ALERTS.c.id, sort_by_parameter_order=True)
_HAPPENED = ALERT_EVENTS.insert()
_PUBLIC = re.compile(r"A-([1-9][0-9]{0,17})")


@dataclass(frozen=True, slots=True)
class AlertEvent:
    """One thing that happened to an alert. ``by``, ``note`` and ``what`` are a person's, None for what the program did."""

    alert_id: int
    at: datetime
    reason: str
    urgency: str
    by: str | None
    note: str | None
    what: str | None  # of a person's act: "dose-reviewed:held"


@dataclass(frozen=True, slots=True)
class PolicyRecord:
    """Which policy an alert was raised under."""

    guideline: str
    version: str
    sha256: str


def public_id(alert_id: int) -> str:
    """The name of an alert outside the database.

    >>> public_id(1042)
    'A-1042'
    """
    return f"A-{alert_id}"


def alert_id_of(text: str) -> int | None:
    """The alert that a public name names, or None if it is no such name.

    >>> alert_id_of("A-1042"), alert_id_of("1042x")
    (1042, None)
    """
    match = _PUBLIC.fullmatch(text.strip().upper())
    return int(match[1]) if match else None


def of_patients(
    connection: Connection, patient_ids: Iterable[str], states: Sequence[State] = STILL_OPEN
) -> dict[str, list[Alert]]:
    """The alerts in one of ``states`` of each patient, oldest first; every patient asked for has an entry."""
    found: dict[str, list[Alert]] = {patient_id: [] for patient_id in patient_ids}
    for part in _parts(list(found)):
        query = select(ALERTS).where(ALERTS.c.patient_id.in_(part), ALERTS.c.state.in_(states)).order_by(ALERTS.c.id)
        for row in connection.execute(query):
            found[row.patient_id].append(_alert(row))
    return found


def all_alerts(
    connection: Connection, *, open_only: bool = False, patient_id: str | None = None, rule: str | None = None
) -> list[Alert]:
    """All alerts, or the open and acknowledged ones, or one patient's, or one rule's; oldest first."""
    query = select(ALERTS).order_by(ALERTS.c.id)
    if open_only:
        query = query.where(ALERTS.c.state.in_(STILL_OPEN))
    if patient_id is not None:
        query = query.where(ALERTS.c.patient_id == patient_id)
    if rule is not None:
        query = query.where(ALERTS.c.rule == rule)
    return [_alert(row) for row in connection.execute(query)]


def by_id(connection: Connection, alert_id: int) -> Alert | None:
    """One alert, or None."""
    row = connection.execute(select(ALERTS).where(ALERTS.c.id == alert_id)).one_or_none()
    return None if row is None else _alert(row)


def by_ids(connection: Connection, alert_ids: Sequence[int]) -> list[Alert]:
    """The alerts with these ids, oldest first; ids of none are passed over."""
    found: list[Alert] = []
    for part in _parts(sorted(alert_ids)):
        found += [_alert(row) for row in connection.execute(select(ALERTS).where(ALERTS.c.id.in_(part)).order_by(ALERTS.c.id))]
    return found


def save(
    connection: Connection,
    transitions: Sequence[Transition],
    *,
    now: datetime,
    policy_sha256: str | None = None,
    by: str | None = None,
    note: str | None = None,
) -> tuple[Transition, ...]:
    """Store what became of alerts, and append what happened. Returns the transitions with the ids of the new alerts.

    Alerts that close are written before new ones open: a patient has one open alert of a rule at any time.
    """
    changed = [transition.after for transition in transitions if transition.after.alert_id is not None]
    update_alerts(connection, changed)
    opened = [{**_columns(t.after), "policy_sha256": policy_sha256} for t in transitions if t.after.alert_id is None]
    ids: Iterator[int] = iter(())
    if opened:
        ids = iter(connection.execute(_OPEN, opened).scalars().all())
    saved = tuple(
        transition
        if transition.after.alert_id is not None
        else replace(transition, after=replace(transition.after, alert_id=next(ids)))
        for transition in transitions
    )
    _append(connection, [(t.after, t.reason.value) for t in saved], now=now, by=by, note=note)
    journal.append(connection, now, *(_journaled(transition, policy_sha256) for transition in saved))
    return saved


def record_act(
    connection: Connection, alert: Alert, *, act: str, by: str, note: str | None, now: datetime, what: str | None = None
) -> None:
    """Store an alert that a person acknowledged, passed on or snoozed, and append who did so and what he said was done."""
    update_alerts(connection, [alert])
    _append(connection, [(alert, act)], now=now, by=by, note=note, what=what)


def update_alerts(connection: Connection, alerts: Sequence[Alert]) -> None:
    """Write alerts that are stored already as they are now, without an event."""
    if alerts:
        update = ALERTS.update().where(ALERTS.c.id == bindparam("alert_id"))
        connection.execute(update, [{**_columns(alert), "alert_id": alert.alert_id} for alert in alerts])


def events_of(connection: Connection, alert_ids: Iterable[int]) -> dict[int, list[AlertEvent]]:
    """What happened to each alert, oldest first; every alert asked for has an entry."""
    found: dict[int, list[AlertEvent]] = {alert_id: [] for alert_id in alert_ids}
    events = ALERT_EVENTS.c
    columns = (events.alert_id, events.at, events.reason, events.urgency, events.by, events.note, events.what)
    for part in _parts(list(found)):
        for row in connection.execute(select(*columns).where(events.alert_id.in_(part)).order_by(events.id)):
            found[row.alert_id].append(AlertEvent(*row))
    return found


def record_policy(connection: Connection, policy: PolicyRecord, now: datetime) -> None:
    """Remember a policy by its hash, once."""
    if _is_known(connection, policy):
        return
    dialect.one_at_a_time(connection, dialect.JOURNAL)
    if not _is_known(connection, policy):
        columns = {"sha256": policy.sha256, "guideline": policy.guideline, "version": policy.version, "loaded_at": now}
        connection.execute(POLICIES.insert(), columns)


def _is_known(connection: Connection, policy: PolicyRecord) -> bool:
    return connection.execute(select(POLICIES.c.sha256).where(POLICIES.c.sha256 == policy.sha256)).scalar() is not None


def policies_of(connection: Connection, alert_ids: Iterable[int]) -> dict[int, PolicyRecord]:
    """The policy each alert was raised under, where it was recorded."""
    found: dict[int, PolicyRecord] = {}
    columns = (ALERTS.c.id, POLICIES.c.guideline, POLICIES.c.version, POLICIES.c.sha256)
    joined = ALERTS.join(POLICIES, POLICIES.c.sha256 == ALERTS.c.policy_sha256)
    for part in _parts(list(alert_ids)):
        for id_, guideline, version, sha256 in connection.execute(
            select(*columns).select_from(joined).where(ALERTS.c.id.in_(part))
        ):
            found[id_] = PolicyRecord(guideline, version, sha256)
    return found


def _append(
    connection: Connection,
    happened: Sequence[tuple[Alert, str]],
    *,
    now: datetime,
    by: str | None,
    note: str | None,
    what: str | None = None,
) -> None:
    said = {"by": by, "note": note, "what": what}
    rows = [
        {"alert_id": alert.alert_id, "at": now, "reason": reason, "urgency": alert.urgency.value, **said}
        for alert, reason in happened
    ]
    if rows:
        connection.execute(_HAPPENED, rows)


def _journaled(transition: Transition, policy_sha256: str | None) -> journal.Entry:
    alert, finding = transition.after, transition.after.finding
    name = f"A-{alert.alert_id}"
    return journal.Entry(
        "alert",
        name,
        {
            "alert": name,
            "patient_id": alert.patient_id,
            "rule": finding.rule,
            "urgency": finding.urgency.value,
            "weight": finding.weight,
            "reason": transition.reason.value,
            "state": alert.state,
            "clinical_at": finding.clinical_at,
            "criteria_met": [criterion.id for criterion in finding.criteria if criterion.met],
            "evidence": [f"{each.kind} {each.id} version {each.version}" for each in finding.evidence],
            "policy_sha256": policy_sha256,
        },
    )


def _columns(alert: Alert) -> dict[str, Any]:
    return {
        "patient_id": alert.patient_id,
        "state": alert.state,
        **finding_columns(alert.finding),
        "opened_at": alert.opened_at,
        "raised_at": alert.raised_at,
        "holds": alert.holds,
        "acknowledged_at": alert.acknowledged_at,
        "acknowledged_by": alert.acknowledged_by,
        "acknowledged_note": alert.acknowledged_note,
        "snoozed_until": alert.snoozed_until,
        "closed_at": alert.closed_at,
    }


def _alert(row: Any) -> Alert:
    return Alert(
        alert_id=row.id,
        patient_id=row.patient_id,
        state=row.state,
        finding=finding_of(row),
        opened_at=row.opened_at,
        raised_at=row.raised_at,
        holds=row.holds,
        acknowledged_at=row.acknowledged_at,
        acknowledged_by=row.acknowledged_by,
        acknowledged_note=row.acknowledged_note,
        snoozed_until=row.snoozed_until,
        closed_at=row.closed_at,
    )


def _parts(keys: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(keys), _CHUNK):
        yield keys[start : start + _CHUNK]
