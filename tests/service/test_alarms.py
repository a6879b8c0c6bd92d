"""The administrator hears by mail of what the program cannot mend by itself; never anything of a patient."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.service.clinic import NORTH, Clinic, a_clinic, on
from tests.smtp_server import ReceivedMail

OPERATIONS = "it-duty@hospital.example"
TOLD = f"operations:\n  address: {OPERATIONS}\n"


@pytest.fixture
def alarmed(tmp_path: Path) -> Iterator[Clinic]:
    """A clinic with an administrator's address."""
    with a_clinic(tmp_path, more=TOLD) as clinic:
        yield clinic


def alarms_of(clinic: Clinic) -> list[ReceivedMail]:
    return [mail for mail in clinic.relay.mails if mail.recipient == OPERATIONS]


def walking_is_lost(clinic: Clinic) -> None:
    clinic.on_bortezomib("P-1", until_day=7)
    clinic.assess("P-1", 7, walking="unaided")
    clinic.assess("P-1", 14, walking="wheelchair")


def test_given_a_record_that_cannot_be_read_when_polled_twice_then_operations_are_told_once(alarmed: Clinic) -> None:
    with alarmed.another_program() as hospital:
        hospital.execute("INSERT INTO doses (patient_id, given_at, dose_mg_per_m2) VALUES ('P-SECRET', '2026-99-99', 1.3)")
    assert alarmed.poll(on(1)).round.queued == 1
    with alarmed.another_program() as hospital:
        hospital.execute("INSERT INTO doses (patient_id, given_at, dose_mg_per_m2) VALUES ('P-SECRET', '2026-01-06', 1.3)")
    assert alarmed.poll(on(1, 13)).round.failed_patients == 1
    (alarm,) = alarms_of(alarmed)
    assert "1 patient cannot be evaluated" in " ".join(alarm.text.split())
    assert b"P-SECRET" not in alarm.data


def test_given_addresses_refused_for_good_when_polled_then_one_alarm_and_no_alarm_about_an_alarm(alarmed: Clinic) -> None:
    alarmed.relay.always(f"RCPT {NORTH[0]}", "550 5.1.1 no such user")
    alarmed.relay.always(f"RCPT {OPERATIONS}", "550 5.1.1 no such user")
    walking_is_lost(alarmed)
    for hour in (15, 16, 17):
        alarmed.poll(on(14, hour))
    with alarmed.another_program() as hospital:
        told = hospital.execute("SELECT state FROM messages WHERE kind = 'operations'").fetchall()
    assert told == [("dead",)]


def test_given_one_dead_address_when_several_of_its_mails_are_refused_that_day_then_operations_are_told_of_it_once(
    alarmed: Clinic,
) -> None:
    alarmed.relay.always(f"RCPT {NORTH[0]}", "550 5.1.1 no such user")
    for patient in ("P-1", "P-2"):
        alarmed.on_bortezomib(patient, until_day=7)
        alarmed.assess(patient, 7, walking="unaided")
        alarmed.assess(patient, 14, walking="wheelchair")
    alarmed.poll(on(14, 15))
    alarmed.poll(on(14, 15, 1))
    (alarm,) = alarms_of(alarmed)
    assert "for good" in alarm.text


def test_given_a_template_that_fails_on_real_facts_when_polled_then_the_builtin_text_and_one_alarm(tmp_path: Path) -> None:
    (tmp_path / "mine" / "alert").mkdir(parents=True)
    (tmp_path / "mine" / "alert" / "body.txt").write_text("{{ mail.nothing_of_that_name }}\n", encoding="utf-8")
    with a_clinic(tmp_path, more=f"{TOLD}templates: mine\n") as clinic:
        walking_is_lost(clinic)
        mails = clinic.poll(on(14, 15)).mails
        (alarm,) = alarms_of(clinic)
    assert "mine/alert/body.txt:1: there is no nothing_of_that_name" in " ".join(alarm.text.split())
    assert {mail.recipient for mail in mails} == {*NORTH, OPERATIONS}


def test_given_no_administrator_when_something_fails_then_nobody_is_mailed_and_the_round_goes_on(clinic: Clinic) -> None:
    with clinic.another_program() as hospital:
        hospital.execute("INSERT INTO doses (patient_id, given_at, dose_mg_per_m2) VALUES ('P-9', '2026-99-99', 1.3)")
    assert (clinic.poll(on(1)).mails, clinic.poll(on(2)).round.failed_patients) == ((), 1)
