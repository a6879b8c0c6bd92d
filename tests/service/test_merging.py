"""Two records of one patient become one while alerts are open: nobody loses one, and nobody hears of the wrong patient."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from monitor.service import merging
from monitor.service.acts import acknowledge
from monitor.service.post import send_due
from monitor.service.round import run_round
from tests.service.clinic import NORTH, ZONE, Clinic, a_clinic, on
from tests.service.test_rounds_and_mails import LOST, WELL, watched

pytestmark = pytest.mark.both_engines


def merge(clinic: Clinic, old: str, into: str, now: datetime) -> None:
    with clinic.site.database.write() as connection:
        merging.merge(connection, old, into, feed="adt", now=now, zone=ZONE)


def open_of(clinic: Clinic, patient: str) -> set[str]:
    return {each.finding.rule for each in clinic.alerts(open_only=True) if each.patient_id == patient}


def told(clinic: Clinic, *patients: str) -> None:
    """Patients of whom the first has lost the ability to walk, and the nurses know."""
    watched(clinic, *patients)
    clinic.assess(patients[0], 36, **LOST)
    assert clinic.poll(on(36, 15)).mails


def test_given_an_open_alert_when_the_record_becomes_part_of_another_then_its_readers_hear_so_and_the_other_s_alert_speaks(
    clinic: Clinic,
) -> None:
    told(clinic, "P-OLD")
    merge(clinic, "P-OLD", "P-NEW", on(36, 16))
    after = clinic.poll(on(36, 17))
    by_subject = {mail.message["Subject"].split(" ")[0]: mail for mail in after.mails}
    assert after.recipients == sorted([*NORTH, *NORTH])
    assert "no all-clear" in by_subject.pop("CORRECTION").text
    (alert,) = by_subject.values()
    assert "P-NEW" in alert.text
    assert "P-OLD" not in alert.text
    assert open_of(clinic, "P-OLD") == set()
    assert "rapid-motor-decline" in open_of(clinic, "P-NEW")
    assert {each.state for each in clinic.alerts() if each.patient_id == "P-OLD"} == {"withdrawn"}
    assert clinic.poll(on(36, 18)).mails == ()


def test_given_an_alert_that_somebody_took_on_when_the_record_becomes_part_of_another_then_the_other_s_asks_anew(
    clinic: Clinic,
) -> None:
    told(clinic, "P-OLD")
    number = clinic.alert("P-OLD", "rapid-motor-decline").alert_id
    assert number is not None
    acknowledge(clinic.site, f"A-{number}", by="Nurse North", note=None, now=on(36, 16))
    merge(clinic, "P-OLD", "P-NEW", on(36, 17))
    clinic.poll(on(36, 18))
    assert clinic.alert("P-OLD", "rapid-motor-decline").state == "withdrawn"
    assert clinic.alert("P-NEW", "rapid-motor-decline").state == "open"


def test_given_an_alert_that_nobody_was_told_of_yet_when_the_record_becomes_part_of_another_then_only_the_other_s_is_told(
    clinic: Clinic,
) -> None:
    watched(clinic, "P-OLD")
    clinic.assess("P-OLD", 36, **LOST)
    run_round(clinic.site, on(36, 15))
    merge(clinic, "P-OLD", "P-NEW", on(36, 15, 1))
    run_round(clinic.site, on(36, 15, 2))
    before = len(clinic.relay.mails)
    send_due(clinic.site, on(36, 15, 3))
    mails = clinic.relay.mails[before:]
    assert sorted(mail.recipient for mail in mails) == list(NORTH)
    assert all("P-OLD" not in mail.text for mail in mails)


def test_given_one_event_told_of_both_records_when_they_become_one_then_the_surviving_alert_does_not_speak_again(
    clinic: Clinic,
) -> None:
    watched(clinic, "P-OLD", "P-NEW")
    for patient in ("P-OLD", "P-NEW"):
        clinic.assess(patient, 36, **LOST)
    clinic.poll(on(36, 15))
    merge(clinic, "P-OLD", "P-NEW", on(36, 16))
    after = clinic.poll(on(36, 17))
    assert {mail.message["Subject"].split(" ")[0] for mail in after.mails} == {"CORRECTION"}


def test_given_a_merge_when_a_worse_finding_comes_under_the_old_id_then_the_surviving_patient_is_told_of(clinic: Clinic) -> None:
    watched(clinic, "P-OLD")
    clinic.poll(on(35, 15))
    merge(clinic, "P-OLD", "P-NEW", on(35, 16))
    clinic.poll(on(35, 17))
    clinic.assess("P-OLD", 36, **LOST)
    mails = clinic.poll(on(36, 15)).mails
    assert mails
    assert all("P-NEW" in mail.text and "P-OLD" not in mail.text for mail in mails)


def test_given_another_program_that_writes_under_the_old_id_when_polled_then_only_the_surviving_patient_is_told_of(
    clinic: Clinic,
) -> None:
    watched(clinic, "P-OLD")
    merge(clinic, "P-OLD", "P-NEW", on(35, 16))
    clinic.poll(on(35, 17))
    with clinic.another_program() as other:
        columns = "patient_id, assessed_at, recorded_at, ctcae_version, walking, motor_grade, sensory_grade, neuropathic_pain"
        day = on(36, 9).date().isoformat()
        other.execute(
            f"INSERT INTO assessments ({columns}) VALUES ('P-OLD', '{day}', '{on(36, 14).isoformat()}', '4.03', 'wheelchair',"
            " 3, 1, 'no')"
        )
    mails = clinic.poll(on(36, 15)).mails
    assert open_of(clinic, "P-OLD") == set()
    assert mails
    assert all("P-OLD" not in mail.text for mail in mails)


def test_given_german_readers_when_a_record_becomes_part_of_another_then_they_are_told_in_german(tmp_path: Path) -> None:
    with a_clinic(tmp_path, second="de") as clinic:
        told(clinic, "P-OLD")
        merge(clinic, "P-OLD", "P-NEW", on(36, 16))
        texts = {mail.recipient: mail.text for mail in clinic.poll(on(36, 17)).mails if "P-OLD" in mail.text}
        assert "keine Entwarnung" in texts[NORTH[1]]
        assert "no all-clear" in texts[NORTH[0]]


def test_given_a_record_that_was_corrected_and_merged_at_once_when_polled_then_the_other_patient_is_well(clinic: Clinic) -> None:
    told(clinic, "P-OLD")
    clinic.assess("P-OLD", 36, known=on(36, 15, 30), **WELL)
    merge(clinic, "P-OLD", "P-NEW", on(36, 16))
    after = clinic.poll(on(36, 17))
    assert {mail.message["Subject"].split(" ")[0] for mail in after.mails} == {"CORRECTION"}
    assert open_of(clinic, "P-OLD") == set()
