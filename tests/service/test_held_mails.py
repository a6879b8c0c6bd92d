"""A mail held for the morning: what happens at night catches up with it, and it holds up nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.service.acts import acknowledge
from tests.service.clinic import Clinic, Polled, a_clinic, on
from tests.service.test_rounds_and_mails import LAME, LOST, WELL, watched

DAY, NIGHT, CHIEF = "day@hospital.example", "night@hospital.example", "chief@hospital.example"
PEOPLE = f"""\
people:
  day: {{name: Day Nurse, address: {DAY}}}
  night: {{name: Night Nurse, address: {NIGHT}}}
  chief: {{name: The Chief, address: {CHIEF}}}
on_call:
  ward:
    - {{days: mon-sun, from: "07:00", until: "19:00", people: [day]}}
    - {{days: mon-sun, from: "19:00", until: "07:00", people: [night]}}
"""
WARD = """\
  ward:
    sites: [Ward]
    on_call: [ward]
    quiet_hours: {from: "20:00", until: "07:00"}
    escalation:
      immediate: [{to: [day], after: 30 min}, {to: [chief]}]
"""


@pytest.fixture
def ward(tmp_path: Path) -> Iterator[Clinic]:
    """One nurse is on call by day and one by night; nobody is woken for what is not immediate, and P-1 is well."""
    with a_clinic(tmp_path, more=PEOPLE, north=WARD) as clinic:
        watched(clinic, "P-1", site="Ward")
        yield clinic


def subjects(polled: Polled) -> list[tuple[str, str]]:
    """Who got what, in the order of arrival."""
    return [(mail.recipient.split("@")[0], mail.message["Subject"].split(":")[0].split(" [")[0]) for mail in polled.mails]


def test_given_a_mail_held_for_the_next_shift_when_worse_at_night_then_that_shift_gets_all_of_it_and_nothing_older(
    ward: Clinic,
) -> None:
    ward.assess("P-1", 36, known=on(36, 22), **LAME)
    assert ward.watch(on(36, 22)).mails == ()
    ward.assess("P-1", 37, known=on(37, 6, 45), **LOST)
    assert subjects(ward.watch(on(37, 6, 45))) == [("night", "IMMEDIATE - look now")]
    morning = ward.watch(on(37, 7))
    assert subjects(morning) == [("day", "IMMEDIATE - look now")]
    assert all(f"A-{alert.alert_id}" in morning.mails[0].text for alert in ward.alerts(open_only=True))


def test_given_a_mail_held_for_the_next_shift_when_all_of_it_is_taken_on_at_night_then_that_shift_hears_nothing(
    ward: Clinic,
) -> None:
    ward.assess("P-1", 36, known=on(36, 22), **LAME)
    ward.watch(on(36, 22))
    ward.assess("P-1", 37, known=on(37, 6, 45), **LOST)
    ward.watch(on(37, 6, 45))
    for alert in ward.alerts(open_only=True):
        acknowledge(ward.site, f"A-{alert.alert_id}", by="Night Nurse", note=None, now=on(37, 6, 50))
    assert ward.watch(on(37, 7)).mails == ()


def test_given_a_mail_held_for_somebody_when_an_escalation_reaches_him_at_night_then_he_is_told_at_once(ward: Clinic) -> None:
    ward.assess("P-1", 36, known=on(36, 22), **LAME)
    ward.watch(on(36, 22))
    ward.assess("P-1", 37, known=on(37, 3), **LOST)
    assert subjects(ward.watch(on(37, 3))) == [("night", "IMMEDIATE - look now")]
    passed_on = ward.watch(on(37, 3, 30))
    assert ("day", "IMMEDIATE - not acknowledged, passed on") in subjects(passed_on)
    assert [who for who, _ in subjects(ward.watch(on(37, 4, 30)))].count("chief") == 1
    assert ward.watch(on(37, 7)).mails == ()


def test_given_a_correction_held_for_the_morning_when_an_immediate_alert_is_withdrawn_then_both_go_at_once(ward: Clinic) -> None:
    ward.assess("P-1", 36, known=on(36, 22), source="visit", **LOST | {"motor_grade": 4, "walking": "bedbound"})
    ward.watch(on(36, 22))
    ward.assess("P-1", 36, known=on(36, 22, 10), source="visit", **LOST)
    assert ward.watch(on(36, 22, 10)).mails == ()
    ward.assess("P-1", 36, known=on(36, 22, 20), source="visit", **WELL)
    corrected = subjects(ward.watch(on(36, 22, 20)))
    assert corrected == [("night", "CORRECTION - an alert was changed"), ("night", "CORRECTION - an alert was withdrawn")]
    assert ward.watch(on(37, 7)).mails == ()
