"""When the facts that an alert rests on came in, whichever program wrote or changed them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from monitor.clinical.alerts import Alert
from monitor.clinical.findings import Evidence
from monitor.store import arrivals
from monitor.store.database import Database
from tests.builders import NOW, a_finding
from tests.store.databases import a_database, another_program

FIRST, LATER = "2024-02-01T08:00:00+00:00", "2024-02-03T09:30:00+00:00"


def an_alert_on(*versions: int, kind: str = "assessment", patient: str = "P-1") -> Alert:
    evidence = tuple(Evidence(kind=kind, id=str(version), version=version, at=NOW) for version in versions)
    return Alert(alert_id=1, patient_id=patient, state="open", finding=a_finding(evidence=evidence), opened_at=NOW, raised_at=NOW)


def newest(database: Database, *alerts: Alert) -> datetime | None:
    with database.read() as connection:
        return arrivals.newest_of(connection, alerts)


def stored(folder: Path) -> Database:
    database = a_database(folder)
    with another_program(folder) as other:
        for patient, stored_at in (("P-1", FIRST), ("P-1", LATER), ("P-2", LATER)):
            other.execute(
                "INSERT INTO assessments (patient_id, assessed_at, sensory_grade, stored_at) VALUES (?, '2024-01-31', 1, ?)",
                (patient, stored_at),
            )
    return database


def test_given_facts_that_came_in_at_different_times_when_asked_then_the_newest_of_the_evidence_counts(tmp_path: Path) -> None:
    database = stored(tmp_path)
    assert newest(database, an_alert_on(1)) == datetime.fromisoformat(FIRST)
    assert newest(database, an_alert_on(1), an_alert_on(2)) == datetime.fromisoformat(LATER)


def test_given_evidence_of_nobody_or_of_another_patient_when_asked_then_there_is_no_time(tmp_path: Path) -> None:
    database = stored(tmp_path)
    assert newest(database) is None
    assert newest(database, an_alert_on(3)) is None
    assert newest(database, an_alert_on(1, kind="rumour")) is None


def test_given_a_fact_that_another_program_changed_when_asked_then_each_version_has_its_own_time(tmp_path: Path) -> None:
    database = stored(tmp_path)
    with another_program(tmp_path) as other:
        other.execute("UPDATE assessments SET sensory_grade = 2 WHERE id = 1")
        changed = other.execute("SELECT version FROM assessments WHERE id = 1").fetchone()[0]
    assert newest(database, an_alert_on(1)) == datetime.fromisoformat(FIRST)
    found = newest(database, an_alert_on(changed))
    assert found is not None
    assert found > datetime(2025, 1, 1, tzinfo=UTC)
