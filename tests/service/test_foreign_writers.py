"""Another program writes SQL into our tables: the next round sees it, and a row nobody can read harms its patient alone."""

from __future__ import annotations

import pytest

from monitor.service.status import status
from tests.service.clinic import Clinic, on
from tests.service.test_rounds_and_mails import LAME, LOST, WELL, watched

pytestmark = pytest.mark.both_engines

NO_DAY = "2026-13-45"  # shaped like a day, so that the table takes it
INSERT = (
    "INSERT INTO assessments (patient_id, assessed_at, ctcae_version, sensory_grade, motor_grade, neuropathic_pain, walking,"
    " source_id, recorded_at) VALUES (?, ?, '4.03', 1, 3, 'no', ?, ?, ?)"
)


def test_given_a_foreign_insert_update_and_delete_when_polled_then_each_is_seen(clinic: Clinic) -> None:
    watched(clinic, "P-1")
    known = on(36, 14).isoformat()
    with clinic.another_program() as sql:
        sql.execute(INSERT, ("P-1", "2026-02-10", "wheelchair", "ehr-1", known))
    inserted = clinic.poll(on(36, 15))
    assert ("P-1", "rapid-motor-decline", "immediate") in clinic.holding()
    assert len(inserted.mails) == 2
    with clinic.another_program() as sql:
        sql.execute("UPDATE assessments SET notes = 'typed again' WHERE source_id = 'ehr-1'")
    assert clinic.poll(on(36, 16)).round.patients_evaluated == 1
    with clinic.another_program() as sql:
        sql.execute("DELETE FROM assessments WHERE source_id = 'ehr-1'")
    # The row left the record at the present of the database's clock, which is behind the story's.
    deleted = clinic.poll(on(3650))
    assert deleted.round.patients_evaluated == 1


def test_given_a_late_row_of_long_ago_when_polled_then_it_is_seen(clinic: Clinic) -> None:
    watched(clinic, "P-1")
    with clinic.another_program() as sql:
        sql.execute("INSERT INTO doses (patient_id, given_at, dose_mg_per_m2) VALUES ('P-1', '2025-12-01', 1.3)")
    assert clinic.poll(on(36)).round.patients_evaluated == 1


def test_given_a_row_that_cannot_be_read_when_polled_then_its_patient_fails_alone_and_a_correction_heals_it(
    clinic: Clinic,
) -> None:
    watched(clinic, "P-1", "P-2")
    with clinic.another_program() as sql:
        sql.execute(INSERT, ("P-1", NO_DAY, "wheelchair", "ehr-1", on(36, 14).isoformat()))
        (row,) = sql.execute("SELECT id FROM assessments WHERE source_id = 'ehr-1'").fetchone()
    clinic.assess("P-2", 36, **LOST)
    polled = clinic.poll(on(36, 15))
    assert (polled.round.patients_evaluated, polled.round.failed_patients) == (2, 1)
    assert {patient for patient, *_ in clinic.holding()} == {"P-2"}
    assert len(polled.mails) == 2
    report = status(clinic.site, on(36, 15))
    (problem,) = [words for words in report.problems if "assessments" in words]
    assert f"row {row}" in problem
    assert "assessed_at" in problem
    assert NO_DAY not in str(report)
    assert report.as_json()["patients_not_evaluated"] == 1
    assert clinic.poll(on(36, 15)).round.failed_patients == 0  # not again each minute
    with clinic.another_program() as sql:
        sql.execute("UPDATE assessments SET assessed_at = '2026-02-10' WHERE source_id = 'ehr-1'")
        sql.execute("UPDATE assessments SET recorded_at = ? WHERE source_id = 'ehr-1'", (on(36, 14).isoformat(),))
    healed = clinic.poll(on(36, 16))
    assert healed.round.failed_patients == 0
    assert status(clinic.site, on(36, 16)).as_json()["patients_not_evaluated"] == 0


def test_given_an_unreadable_patient_with_open_alerts_when_polled_then_they_stay_open(clinic: Clinic) -> None:
    watched(clinic, "P-1")
    clinic.assess("P-1", 36, **LAME)
    clinic.poll(on(36, 15))
    before = clinic.holding()
    with clinic.another_program() as sql:
        sql.execute(INSERT, ("P-1", NO_DAY, "unaided", "ehr-1", None))
    assert clinic.poll(on(37)).round.failed_patients == 1
    assert clinic.holding() == before != set()


def test_given_a_failed_patient_when_an_hour_has_passed_then_it_is_tried_again_without_a_change(clinic: Clinic) -> None:
    watched(clinic, "P-1")
    clinic.assess("P-1", 36, **WELL)
    with clinic.another_program() as sql:
        sql.execute(INSERT, ("P-1", NO_DAY, "unaided", "ehr-1", None))
    clinic.poll(on(37, 9))
    assert clinic.poll(on(37, 9, 59)).round.patients_evaluated == 0
    again = clinic.poll(on(37, 10))
    assert (again.round.patients_evaluated, again.round.failed_patients) == (1, 1)


@pytest.mark.sqlite_only("PostgreSQL takes no text that is not of its encoding")
def test_given_text_that_is_no_utf_8_when_polled_then_the_others_go_on_and_a_name_does_not_matter(clinic: Clinic) -> None:
    watched(clinic, "P-1", "P-2", "P-3")
    with clinic.another_program() as sql:
        assessor, walking = "CAST(x'4dfc6c6c6572' AS TEXT)", "'wheelchair'"
        for patient in ("P-1", "P-2"):
            sql.execute(
                f"INSERT INTO assessments (patient_id, assessed_at, assessor, walking, motor_grade, ctcae_version, recorded_at)"
                f" VALUES (?, '2026-02-10', {assessor}, {walking}, 3, '4.03', ?)",
                (patient, on(36, 14).isoformat()),
            )
        sql.execute(
            "INSERT INTO labs (patient_id, collected_at, analyte, value, unit) VALUES"
            " ('P-2', CAST(x'323032362d30322d3130fc' AS TEXT), 'csf_protein', 1, 'g/L')"
        )
    clinic.assess("P-3", 36, **LOST)
    polled = clinic.poll(on(36, 15))
    assert (polled.round.patients_evaluated, polled.round.failed_patients) == (3, 1)
    assert {patient for patient, rule, _ in clinic.holding() if rule == "rapid-motor-decline"} == {"P-1", "P-3"}
    (problem,) = [words for words in status(clinic.site, on(36, 15)).problems if "labs" in words]
    assert "column collected_at" in problem
