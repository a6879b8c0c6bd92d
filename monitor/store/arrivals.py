"""When facts came in: what a statement about the last days has to know of every patient's record."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection

from monitor.clinical.alerts import Alert
from monitor.store.dialect import all_rows, placeholders
from monitor.store.fact_tables import KINDS
from monitor.store.times import instant_or

_AT_ONCE = 50
_UNKNOWN = datetime.min.replace(tzinfo=UTC)
_ANY_ZONE = timedelta(days=2)
"""Stored times are text, and another program may have written them in any zone; so many days before are read too."""


def lately(connection: Connection, patient_ids: Sequence[str], since: datetime) -> dict[str, dict[tuple[str, int], datetime]]:
    """Of each patient the versions that came in after ``since``, by kind and version, and when. Patients without are left out."""
    found: dict[str, dict[tuple[str, int], datetime]] = {}
    if not patient_ids:
        return found
    marks, mark = placeholders(connection.dialect, len(patient_ids)), placeholders(connection.dialect, 1)
    values = (*patient_ids, _day_before(since))
    for kind in KINDS:
        columns = f"SELECT patient_id, coalesce(version, id), stored_at FROM {kind}"
        statement = f"{columns} WHERE patient_id IN ({marks}) AND stored_at >= {mark}"
        for patient_id, version, stored_at in all_rows(connection, statement, values):
            at = instant_or(str(stored_at), UTC, otherwise=since)
            if at > since:
                found.setdefault(patient_id, {})[kind, version] = at
    return found


def newest_of(connection: Connection, alerts: Sequence[Alert]) -> datetime | None:
    """When the newest of the facts that alerts rest on came in, in UTC; None where none of them is stored any more."""
    found: list[datetime] = []
    for start in range(0, len(alerts), _AT_ONCE):
        several = alerts[start : start + _AT_ONCE]
        patients = sorted({alert.patient_id for alert in several})
        versions: dict[str, set[int]] = {}
        for evidence in (each for alert in several for each in alert.finding.evidence):
            versions.setdefault(f"{evidence.kind}s", set()).add(evidence.version)
        for kind in versions.keys() & set(KINDS):
            found += _stored(connection, kind, patients, sorted(versions[kind]))
    return max(found, default=None)


def _stored(connection: Connection, kind: str, patients: Sequence[str], versions: Sequence[int]) -> list[datetime]:
    of_patients, marks = (placeholders(connection.dialect, len(each)) for each in (patients, versions))
    statement = f"SELECT stored_at FROM {kind} WHERE patient_id IN ({of_patients}) AND coalesce(version, id) IN ({marks})"
    rows = all_rows(connection, statement, (*patients, *versions))
    instants = (instant_or(str(stored_at), UTC, otherwise=_UNKNOWN) for (stored_at,) in rows)
    return [instant for instant in instants if instant != _UNKNOWN]


def assessments(connection: Connection, since: datetime, *, but: str) -> int:
    """How many versions of assessments came in after ``since``; of patients whose id begins with ``but`` none count."""
    mark = placeholders(connection.dialect, 1)
    statement = f"SELECT patient_id, stored_at FROM assessments WHERE stored_at >= {mark}"
    rows = all_rows(connection, statement, (_day_before(since),))
    return sum(
        1
        for patient_id, stored_at in rows
        if not patient_id.startswith(but) and instant_or(str(stored_at), UTC, otherwise=since) > since
    )


def _day_before(since: datetime) -> str:
    return (since.astimezone(UTC) - _ANY_ZONE).date().isoformat()
