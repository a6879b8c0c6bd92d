"""Where patients belong, as their records say now: the site and the team, and nothing else of them."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, Table, select

from monitor.clinical.history import ALWAYS, Patient
from monitor.store.fact_tables import FACTS, Stored

PATIENTS: Table = Stored.metadata.tables["patients"]
_AT_ONCE = 500


def belonging(connection: Connection, patient_ids: Iterable[str]) -> dict[str, Patient]:
    """Each patient's current record, its ``site`` and ``team`` alone filled in; both None where there is no record."""
    wanted = list(dict.fromkeys(patient_ids))
    found = {patient_id: _patient(patient_id, None, None) for patient_id in wanted}
    columns = (PATIENTS.c.patient_id, PATIENTS.c.site, PATIENTS.c.team)
    for start in range(0, len(wanted), _AT_ONCE):
        part = wanted[start : start + _AT_ONCE]
        current = select(*columns).where(PATIENTS.c.patient_id.in_(part), PATIENTS.c.superseded_at.is_(None))
        for row in connection.execute(current.order_by(PATIENTS.c.version)):
            found[row.patient_id] = _patient(row.patient_id, row.site, row.team)
    return found


def has_facts(connection: Connection, patient_id: str) -> bool:
    """Whether anything is stored of the patient: a step into one index for each kind of fact."""
    return any(
        connection.execute(select(table.c.id).where(table.c.patient_id == patient_id).limit(1)).scalar() is not None
        for table in FACTS.values()
    )


def _patient(patient_id: str, site: str | None, team: str | None) -> Patient:
    return Patient(fact_id=patient_id, version=0, known_at=ALWAYS, patient_id=patient_id, site=site, team=team)
