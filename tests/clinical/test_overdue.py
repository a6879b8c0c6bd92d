"""Assessments that did not happen: the day from which they are overdue, and how urgently."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from monitor.clinical.findings import Finding, RuleAnswer, Urgency
from monitor.clinical.history import Fact
from monitor.clinical.rules import assessment_overdue
from monitor.clinical.situation import situate
from tests.builders import a_course, a_finding, a_history, a_patient, an_assessment, at, day, noon, shipped_policy, weekly_doses


def answer(*facts: Fact, now: datetime, findings: tuple[Finding, ...] = ()) -> RuleAnswer:
    situation = situate(a_history(*facts), shipped_policy(), now)
    assert situation is not None
    return assessment_overdue.answer(situation, findings)


def met(result: RuleAnswer) -> set[str]:
    return {criterion.id for criterion in result.criteria if criterion.met}


WEEKS = weekly_doses(8)  # days 0 to 49
WELL = an_assessment(7, sensory_grade=0, motor_grade=0)


def test_given_on_drug_when_cycle_and_a_week_have_passed_then_overdue_from_the_next_midnight() -> None:
    last = at(36, 0) - timedelta(seconds=1)  # day 7 + 28, the last inclusive
    assert answer(*WEEKS, WELL, now=last).finding is None
    assert answer(*WEEKS, WELL, now=last).look_again_at == at(36, 0)
    finding = answer(*WEEKS, WELL, now=at(36, 0)).finding
    assert finding is not None
    assert finding.clinical_at == at(36, 0)
    assert finding.headline == f"no neuropathy assessment for 29 days (last {day(7)})"


def test_given_a_cycle_length_on_the_course_when_counted_then_it_is_the_cycle() -> None:
    course = a_course(cycle_days=35)
    assert answer(course, *WEEKS, WELL, now=noon(49)).finding is None
    assert met(answer(course, *WEEKS, WELL, now=noon(50))) == {"overdue-on-drug"}


def test_given_never_assessed_when_counted_then_from_the_first_dose() -> None:
    finding = answer(*WEEKS, now=noon(29)).finding
    assert finding is not None
    assert "none since the first dose" in finding.headline


def test_given_overdue_when_a_dose_is_due_within_two_days_then_the_same_day() -> None:
    doses = weekly_doses(6)  # last on day 35, next due on day 42
    before = answer(*doses, WELL, now=noon(39))
    assert before.finding is not None
    assert before.finding.urgency is Urgency.REVIEW
    assert before.look_again_at == at(40, 0)
    soon = answer(*doses, WELL, now=at(40, 0)).finding
    assert soon is not None
    assert soon.urgency is Urgency.SAME_DAY
    assert soon.clinical_at == at(40, 0)


@pytest.mark.parametrize("state", [{"sensory_grade": 2}, {"motor_grade": 1}])
def test_given_affected_on_drug_when_more_than_fourteen_days_then_overdue(state: dict[str, int]) -> None:
    affected = an_assessment(20, **state)
    assert met(answer(*WEEKS, affected, now=noon(34))) == set()
    assert met(answer(*WEEKS, affected, now=noon(35))) == {"overdue-affected"}


def test_given_a_visit_that_says_nothing_of_neuropathy_when_counted_then_it_does_not_count() -> None:
    blood_pressure = an_assessment(30, systolic_lying=120)
    assert met(answer(*WEEKS, WELL, blood_pressure, now=noon(36))) == {"overdue-on-drug"}


@pytest.mark.parametrize(("urgency", "last_day"), [(Urgency.IMMEDIATE, 3), (Urgency.SAME_DAY, 7)])
def test_given_an_urgent_finding_when_nobody_looked_again_then_overdue(urgency: Urgency, last_day: int) -> None:
    seen = an_assessment(20, motor_grade=0, sensory_grade=0)
    event = a_finding(urgency=urgency, clinical_at=noon(20))
    quiet = answer(*WEEKS, seen, now=noon(20 + last_day), findings=(event,))
    assert met(quiet) == set()
    assert quiet.look_again_at == at(20 + last_day + 1, 0)
    assert met(answer(*WEEKS, seen, now=noon(20 + last_day + 1), findings=(event,))) == {"overdue-after-event"}


def test_given_a_finding_newer_than_the_assessment_when_counted_then_from_the_finding() -> None:
    seen = an_assessment(20, motor_grade=0, sensory_grade=0)
    event = a_finding("relapse-after-treatment", Urgency.SAME_DAY, clinical_at=noon(26))
    assert met(answer(*WEEKS, seen, now=noon(33), findings=(event,))) == set()
    assert met(answer(*WEEKS, seen, now=noon(34), findings=(event,))) == {"overdue-after-event"}


def test_given_an_urgent_finding_when_somebody_looked_again_then_the_event_is_answered() -> None:
    seen, again = an_assessment(20, motor_grade=0, sensory_grade=0), an_assessment(22, motor_grade=0, sensory_grade=0)
    event = a_finding(urgency=Urgency.IMMEDIATE, clinical_at=noon(20))
    assert met(answer(*WEEKS, seen, again, now=noon(34), findings=(event,))) == set()


def test_given_a_finding_about_doses_or_records_when_counted_then_no_look_is_asked_for() -> None:
    seen = an_assessment(20, motor_grade=0, sensory_grade=0)
    event = a_finding("dose-modification", Urgency.SAME_DAY, clinical_at=noon(20))
    assert met(answer(*WEEKS, seen, now=noon(34), findings=(event,))) == set()


def stopped(*facts: Fact, now: datetime) -> RuleAnswer:
    return answer(a_course(stopped=49), *WEEKS, *facts, now=now)


def test_given_off_drug_and_unresolved_when_early_then_every_28_days() -> None:
    walker = an_assessment(60, motor_grade=0, walking="walker")
    assert met(stopped(walker, now=noon(88))) == set()
    assert met(stopped(walker, now=noon(89))) == {"overdue-after-stop"}


def test_given_overdue_in_the_early_days_when_they_end_then_it_stays_overdue() -> None:
    unresolved = an_assessment(140, sensory_grade=1)  # due by day 168, and day 120 after the stop is day 169
    assert met(stopped(unresolved, now=noon(169))) == {"overdue-after-stop"}
    assert met(stopped(unresolved, now=noon(170))) == {"overdue-after-stop"}


def test_given_off_drug_and_unresolved_when_late_then_every_90_days() -> None:
    unresolved = an_assessment(150, sensory_grade=1)
    assert met(stopped(unresolved, now=noon(240))) == set()
    assert met(stopped(unresolved, now=noon(241))) == {"overdue-after-stop"}


def test_given_off_drug_when_only_pain_is_left_then_it_is_not_resolved() -> None:
    painful = an_assessment(60, sensory_grade=0, motor_grade=0, walking="unaided", neuropathic_pain=True)
    assert met(stopped(painful, now=noon(89))) == {"overdue-after-stop"}
    assert met(stopped(painful, an_assessment(70, sensory_grade=0, neuropathic_pain=False), now=noon(110))) == set()


def test_given_off_drug_and_back_to_baseline_when_long_unseen_then_nothing() -> None:
    resolved = an_assessment(60, sensory_grade=1, motor_grade=0, walking="unaided")
    assert met(stopped(a_patient(baseline_sensory_grade=1), resolved, now=noon(300))) == set()


def test_given_a_clock_change_when_counted_then_days_are_the_clinics() -> None:
    assessed = an_assessment(60, sensory_grade=0)  # 8 March; summer time begins on the 31st
    doses = weekly_doses(13)
    edge = datetime(2024, 4, 5, 22, 0, tzinfo=UTC)  # 6 April 00:00 in Berlin is 22:00 UTC
    assert met(answer(*doses, assessed, now=edge - timedelta(seconds=1))) == set()
    assert met(answer(*doses, assessed, now=edge)) == {"overdue-on-drug"}
