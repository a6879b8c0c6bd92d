"""Alerts and their state, newest need first."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from monitor.clinical.alerts import Alert
from monitor.service.ack_kinds import words_of
from monitor.service.opening import Site
from monitor.service.shapes import PolicyMark, alert_json
from monitor.store import alerts, histories
from monitor.store.answers import last_said

NO_SUCH_PATIENT = "no patient of that id has any fact in this database; check the id"


def list_alerts(site: Site, *, open_only: bool = False, patient_id: str | None = None) -> list[tuple[Alert, dict[str, Any]]]:
    """Each alert with its JSON: still open before closed, the more urgent first, then the order of their raising."""
    with site.database.read() as connection:
        kept = alerts.all_alerts(connection, open_only=open_only, patient_id=patient_id)
        policies = alerts.policies_of(connection, [alert.alert_id for alert in kept if alert.alert_id is not None])
    unknown = PolicyMark.of(site.policy)
    kept.sort(
        key=lambda alert: (alert.state not in ("open", "acknowledged"), -alert.urgency.rank, alert.raised_at, alert.alert_id)
    )
    return [(alert, alert_json(alert, _mark(policies.get(alert.alert_id or 0), unknown))) for alert in kept]


def said_of(site: Site, listed: Iterable[Alert]) -> dict[int, str]:
    """What was said with each acknowledgement, in words, by the alert's number: "dose reviewed: held"."""
    ids = [alert.alert_id for alert in listed if alert.alert_id is not None and alert.acknowledged_at is not None]
    with site.database.read() as connection:
        found = last_said(connection, ids)
    return {number: words for number, said in found.items() if (words := words_of(said)) is not None}


def is_known(site: Site, patient_id: str) -> bool:
    """Whether any fact of that patient is stored: else an empty answer says nothing about him."""
    with site.database.read() as connection:
        return patient_id in histories.patients_with_facts(connection)


def _mark(record: alerts.PolicyRecord | None, unknown: PolicyMark) -> PolicyMark:
    if record is None:
        return unknown
    return PolicyMark(guideline=record.guideline, version=record.version, sha256=record.sha256)
