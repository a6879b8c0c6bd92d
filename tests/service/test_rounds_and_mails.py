"""What a round tells, to whom, and what it keeps to itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from monitor.service.acts import acknowledge
from tests.service.clinic import FIRST_ON, NORTH, SOUTH, Clinic, local, on

pytestmark = pytest.mark.both_engines

WELL: dict[str, Any] = {"sensory_grade": 0, "motor_grade": 0, "neuropathic_pain": "no", "walking": "unaided"}
LAME: dict[str, Any] = {"sensory_grade": 1, "motor_grade": 2, "neuropathic_pain": "no", "walking": "cane"}
LOST: dict[str, Any] = LAME | {"motor_grade": 3, "walking": "wheelchair"}


def watched(clinic: Clinic, *patients: str, **patient: Any) -> None:
    """Patients who were well on day 30, after which there was a round."""
    clinic.on_bortezomib(*patients, **patient)
    for name in patients:
        clinic.assess(name, 30, **WELL)
    assert clinic.poll(on(35, 18)).mails == ()


def test_given_several_findings_in_one_round_when_polled_then_each_recipient_gets_one_mail_led_by_the_worst(
    clinic: Clinic,
) -> None:
    watched(clinic, "P-1")
    clinic.assess("P-1", 36, **LOST)
    polled = clinic.poll(on(36, 15))
    assert polled.round.opened > 1
    assert polled.recipients == list(NORTH)
    for mail in polled.mails:
        assert mail.message["Subject"].startswith("IMMEDIATE")
        assert all(f"A-{alert.alert_id}" in mail.text for alert in clinic.alerts())
    assert len({mail.message["Message-ID"] for mail in polled.mails}) == 2


def test_given_a_patient_of_another_site_when_polled_then_that_team_alone_is_told(clinic: Clinic) -> None:
    watched(clinic, "P-1", site="South")
    clinic.assess("P-1", 36, **LOST)
    assert clinic.poll(on(36, 15)).recipients == list(SOUTH)


def test_given_nothing_new_when_polled_then_nobody_is_evaluated_and_nothing_is_sent(clinic: Clinic) -> None:
    watched(clinic, "P-1", "P-2")
    clinic.assess("P-1", 36, **LOST)
    assert clinic.poll(on(36, 15)).round.patients_evaluated == 1
    again = clinic.poll(on(36, 15))
    assert (again.round.patients_evaluated, again.round.queued, again.mails) == (0, 0, ())


def test_given_the_same_facts_told_twice_when_polled_then_nobody_is_evaluated(clinic: Clinic) -> None:
    watched(clinic, "P-1")
    clinic.assess("P-1", 36, **LOST)
    clinic.poll(on(36, 15))
    clinic.assess("P-1", 36, **LOST)
    assert clinic.poll(on(36, 16)).round.patients_evaluated == 0


def test_given_more_evidence_of_the_same_when_polled_then_it_is_recorded_and_silent(clinic: Clinic) -> None:
    watched(clinic, "P-1")
    clinic.assess("P-1", 36, **LOST)
    clinic.poll(on(36, 15))
    before = {alert.alert_id for alert in clinic.alerts()}
    clinic.assess("P-1", 37, **LOST)
    more = clinic.poll(on(37, 15))
    assert (more.round.patients_evaluated, more.round.queued, more.mails) == (1, 0, ())
    assert {alert.alert_id for alert in clinic.alerts()} == before


def test_given_an_acknowledged_alert_when_it_grows_worse_then_it_speaks_and_is_open_again(clinic: Clinic) -> None:
    watched(clinic, "P-1")
    clinic.assess("P-1", 36, **LAME)
    first = clinic.poll(on(36, 15))
    told = clinic.alert("P-1", "rapid-motor-decline")
    for alert in clinic.alerts():
        acknowledge(clinic.site, f"A-{alert.alert_id}", by="N. Berger", note="seen", now=on(36, 16))
    clinic.assess("P-1", 38, **LOST)
    worse = clinic.poll(on(38, 15))
    after = clinic.alert("P-1", "rapid-motor-decline")
    assert after.alert_id == told.alert_id
    assert (after.state, after.acknowledged_by) == ("open", None)
    assert after.urgency.rank >= told.urgency.rank
    assert worse.round.raised >= 1
    assert worse.recipients == list(NORTH)
    assert {mail.message["In-Reply-To"] for mail in worse.mails} == {mail.message["Message-ID"] for mail in first.mails}


def test_given_old_findings_when_first_polled_then_one_digest_names_every_patient_and_nobody_gets_a_mail_of_his_own(
    clinic: Clinic,
) -> None:
    patients = ("P-1", "P-2", "P-3")
    clinic.on_bortezomib(*patients)
    for name in patients:
        clinic.assess(name, 30, **WELL)
        clinic.assess(name, 36, **(LOST if name == "P-3" else LAME))
    polled = clinic.poll(on(36 + 28, 9))
    old = {alert.patient_id for alert in clinic.alerts() if alert.finding.clinical_at < on(37)}
    assert old == set(patients)
    digests = [mail for mail in polled.mails if "digest" in mail.message["Subject"]]
    assert sorted(mail.recipient for mail in digests) == list(NORTH)
    for mail in digests:
        assert mail.message["Subject"].startswith("IMMEDIATE")
        assert all(name in mail.text for name in patients)
    assert len(polled.mails) == len(digests)
    assert clinic.poll(on(36 + 28, 10)).mails == ()


@pytest.mark.parametrize(("days", "in_digest"), [(14, False), (15, True)])
def test_given_the_edge_of_announce_within_when_polled_then_the_day_decides(clinic: Clinic, days: int, in_digest: bool) -> None:
    clinic.on_bortezomib("P-1")
    clinic.assess("P-1", 30, **WELL)
    clinic.assess("P-1", 36, **LOST)
    polled = clinic.poll(on(36 + days, 23) if days == 14 else on(36 + days, 0, 10))
    lost = [mail for mail in polled.mails if "Rapid motor decline" in mail.text]
    assert len(lost) == 2
    assert all(("digest" in mail.message["Subject"]) is in_digest for mail in lost)


@pytest.mark.parametrize("night", [date(2026, 3, 29), date(2026, 10, 25)])
def test_given_a_night_of_23_or_25_hours_when_polled_on_both_sides_then_days_are_the_clinics(clinic: Clinic, night: date) -> None:
    days = (night - FIRST_ON).days
    clinic.on_bortezomib("P-1", until_day=days - 2)
    clinic.assess("P-1", days - 28, **WELL)
    assert clinic.poll(local(night, 23, 59)).mails == ()
    assert len(clinic.poll(local(night + timedelta(days=1), 0, 1)).mails) == 2
    assert clinic.alert("P-1", "assessment-overdue").state == "open"
    clinic.assess("P-1", days + 1, known=local(night + timedelta(days=1), 9), **WELL)
    clinic.poll(local(night + timedelta(days=1), 10))
    assert not clinic.alert("P-1", "assessment-overdue").holds


@pytest.mark.parametrize("night", [date(2026, 3, 29), date(2026, 10, 25)])
def test_given_a_decline_over_a_dst_night_when_polled_then_the_window_counts_local_days(clinic: Clinic, night: date) -> None:
    """28 days before and 28 days and one more: the hour that the night has less or more moves no edge."""
    days = (night - FIRST_ON).days
    for name, before in (("P-in", 28), ("P-out", 29)):
        clinic.on_bortezomib(name, until_day=days - days % 7)
        clinic.assess(name, days + 1 - before, **WELL)
        clinic.poll(on(days + 1 - before, 20))
        clinic.assess(name, days + 1, known=local(night + timedelta(days=1), 0, 30), **LOST)
    clinic.poll(local(night + timedelta(days=1), 0, 45))
    found = {alert.patient_id for alert in clinic.alerts() if alert.finding.rule == "rapid-motor-decline"}
    assert "P-in" in found
    assert [c.met for c in clinic.alert("P-in", "rapid-motor-decline").finding.criteria if c.id == "loss-of-walking"] == [True]


def test_given_a_patient_whose_mail_cannot_be_made_up_when_polled_then_he_fails_alone_and_is_tried_again(clinic: Clinic) -> None:
    """Nobody's site but South's has a team: a configuration that is refused, here put together by hand."""
    watched(clinic, "P-1")
    clinic.on_bortezomib("P-2", site="South")
    clinic.assess("P-2", 30, **WELL)
    for name in ("P-1", "P-2"):
        clinic.assess(name, 36, **LOST)
    whole, teams = clinic.site, clinic.site.settings.teams
    clinic.site = replace(whole, settings=replace(whole.settings, teams=teams[1:]))
    polled = clinic.poll(on(36, 15))
    assert (polled.round.failed_patients, polled.recipients) == (1, list(SOUTH))
    assert {patient for patient, *_ in clinic.holding()} == {"P-2"}
    clinic.site = whole
    again = clinic.poll(on(36, 16))
    assert (again.round.failed_patients, again.recipients) == (0, list(NORTH))
