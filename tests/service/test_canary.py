"""The synthetic patient: the whole way from a fact to the relay, every day, and never to a nurse."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.clinical.synthetic import PREFIX, is_synthetic
from monitor.service import ingest, replaying
from monitor.service.coverage_read import read
from monitor.service.cycle import daily_once, watch_once
from monitor.service.figures import read_figures
from monitor.service.post import send_due
from monitor.store import feed_age, histories
from tests.service.clinic import ZONE, Clinic, a_clinic, local, on
from tests.smtp_server import ReceivedMail

CONFIG = """operations: {address: admin@hospital.example}
coverage: {at: "06:30", synthetic_patient: true}
"""
DAY = on(29).date()


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[Clinic]:
    with a_clinic(tmp_path, more=CONFIG) as found:
        found.on_bortezomib("P-1", until_day=28)
        found.assess("P-1", 28, walking="unaided", motor_grade=0, sensory_grade=1, neuropathic_pain="no")
        morning(
            found, (6, 0), (6, 20), (6, 21), (6, 40), day=on(28).date()
        )  # the first statement is made as soon as there is one to make
        yield found


def morning(clinic: Clinic, *times: tuple[int, int], day: object = DAY) -> list[ReceivedMail]:
    """The daemon's ticks at these hours of one day, and the mails that came of them."""
    before = len(clinic.relay.mails)
    for hour, minute in times:
        at = local(day, hour, minute)  # type: ignore[arg-type]  # a date
        watch_once(clinic.site, at)
        daily_once(clinic.site, at)
        send_due(clinic.site, at)
    return clinic.relay.mails[before:]


def test_given_a_morning_when_the_synthetic_patient_came_through_then_operations_alone_hears_and_the_statement_says_so(
    clinic: Clinic,
) -> None:
    mails = morning(clinic, (6, 12), (6, 13), (6, 30))
    assert {mail.recipient for mail in mails} == {"admin@hospital.example"}
    alert, statement = mails
    assert PREFIX in alert.text
    assert alert.message["Subject"].startswith("SYNTHETIC PATIENT, nothing to do. IMMEDIATE")
    assert statement.message["Subject"] == "Coverage: 0 unexplained"
    assert "Synthetic patient: accepted " in statement.text


def test_given_a_relay_that_takes_nothing_for_it_when_stated_then_that_is_a_problem(clinic: Clinic) -> None:
    clinic.relay.always("MAIL", "451 4.3.0 later")
    morning(clinic, (6, 12), (6, 13), (6, 30))
    clinic.relay.always("MAIL", "250 ok")
    statements = [mail for mail in morning(clinic, (7, 40)) if "overage" in mail.message["Subject"].lower()]
    assert "PROBLEM" in statements[0].message["Subject"]
    assert "did not come through" in statements[0].text.replace("\n", " ")


def test_given_the_first_evening_of_an_installation_when_hours_pass_then_nobody_is_asked_to_answer_for_it(tmp_path: Path) -> None:
    with a_clinic(tmp_path, more=CONFIG) as clinic:
        mails = morning(clinic, (18, 0), (18, 1), (19, 2), (20, 2), (23, 59))
    subjects = [mail.message["Subject"] for mail in mails]
    assert [subject.startswith("SYNTHETIC") for subject in subjects].count(True) == 1
    assert not any("not acknowledged" in subject for subject in subjects)


def test_given_a_daemon_that_starts_late_when_both_are_due_then_the_statement_waits_for_the_mail(clinic: Clinic) -> None:
    assert morning(clinic, (8, 0)) == []
    subjects = [mail.message["Subject"] for mail in morning(clinic, (8, 1), (8, 2))]
    assert subjects[-1] == "Coverage: 0 unexplained"


def test_given_a_synthetic_patient_when_counted_then_it_is_in_no_figure(clinic: Clinic) -> None:
    morning(clinic, (6, 12), (6, 13))
    at = local(DAY, 6, 14)
    assert [alert for alert in clinic.alerts() if is_synthetic(alert.patient_id)]
    assert sum(read_figures(clinic.site, at).open_alerts.values()) == 0
    found = read(clinic.site, at, 7)
    assert found.patients == 1
    assert not [case for case in found.cases if is_synthetic(case.patient_id)]
    to_at = at + timedelta(days=1)
    replayed = replaying.replay(clinic.site, policy=clinic.site.policy, from_at=None, to_at=to_at)
    assert not [each for each in replayed if is_synthetic(each["patient_id"])]
    with clinic.site.database.read() as connection:
        assert feed_age.newest_fact_at(connection) == on(28, 14)


def test_given_days_of_synthetic_patients_when_they_came_through_then_none_stays_open_and_time_brings_none_back(
    clinic: Clinic,
) -> None:
    for number in range(29, 33):
        morning(clinic, (6, 12), (6, 13), (6, 30), day=on(number).date())
    theirs = [alert for alert in clinic.alerts() if is_synthetic(alert.patient_id)]
    assert {alert.state for alert in theirs} == {"resolved"}
    late = [mail for mail in morning(clinic, (12, 0), day=on(60).date()) if PREFIX in mail.text]
    assert late == []


def test_given_a_feed_that_brings_a_patient_of_that_name_when_imported_then_it_is_rejected(clinic: Clinic) -> None:
    path = clinic.folder / "patients.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["patient_id"], [f"{PREFIX}7"], ["P-7"]])
    report = ingest.import_paths(clinic.site.database, [path], zone=ZONE, now=on(29))
    ((_, rejected),) = report.rejected
    assert (rejected.line, rejected.column) == (2, "patient_id")
    assert "kept for this program's own" in rejected.problem
    with clinic.site.database.read() as connection:
        assert "P-7" in histories.patients_with_facts(connection)
