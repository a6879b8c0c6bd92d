"""Records that cannot both hold are pointed out, once, for review."""

from __future__ import annotations

from monitor.clinical.findings import RuleAnswer, Urgency
from monitor.clinical.history import Fact
from monitor.clinical.rules import conflicting_record
from monitor.clinical.situation import situate
from tests.builders import (
    a_course,
    a_dose,
    a_history,
    a_lab,
    an_assessment,
    full_power,
    noon,
    ranks,
    shipped_policy,
    weekly_doses,
)


def answer(*facts: Fact, now: int = 60) -> RuleAnswer:
    situation = situate(a_history(*weekly_doses(4), *facts), shipped_policy(), noon(now))
    assert situation is not None
    return conflicting_record.answer(situation)


def met(*facts: Fact) -> set[str]:
    return {criterion.id for criterion in answer(*facts).criteria if criterion.met}


def test_given_motor_grade_0_when_a_muscle_is_weak_then_both_cannot_hold() -> None:
    weak = an_assessment(20, motor_grade=0, mrc=full_power(tibialis_anterior_left="1"))
    assert met(weak) == {"grade-zero-but-weak"}
    finding = answer(weak).finding
    assert finding is not None
    assert finding.urgency is Urgency.REVIEW
    assert "tibialis anterior left 1/5" in finding.headline


def test_given_motor_grade_0_when_a_muscle_is_4_minus_then_no_conflict() -> None:
    assert met(an_assessment(20, motor_grade=0, mrc=full_power(tibialis_anterior_left="4-"))) == set()


def test_given_walking_when_disability_says_otherwise_then_conflict() -> None:
    assert met(an_assessment(20, walking="unaided", gbs_disability=4)) == {"walking-vs-disability"}
    assert met(an_assessment(20, walking="bedbound", gbs_disability=2)) == {"walking-vs-disability"}
    assert met(an_assessment(20, walking="wheelchair", gbs_disability=4)) == set()


def test_given_a_partial_examination_when_answered_then_it_is_said_and_never_met() -> None:
    result = answer(an_assessment(20, mrc=ranks({"deltoid_right": "5", "deltoid_left": "5"})))
    partial = next(criterion for criterion in result.criteria if criterion.id == "partial-exam")
    assert not partial.met
    assert "2 of 12 muscles tested: no sum is formed" in partial.text
    assert result.finding is None


def test_given_two_examinations_when_the_sides_are_exchanged_then_conflict() -> None:
    before = an_assessment(10, mrc=full_power(tibialis_anterior_right="4-", tibialis_anterior_left="1"))
    after = an_assessment(20, mrc=full_power(tibialis_anterior_right="1", tibialis_anterior_left="4-"))
    assert met(before, after) == {"left-right-swap"}


def test_given_half_a_grade_between_the_sides_when_exchanged_then_noise() -> None:
    before = an_assessment(10, mrc=full_power(tibialis_anterior_right="5-"))
    after = an_assessment(20, mrc=full_power(tibialis_anterior_left="5-"))
    assert met(before, after) == set()


def test_given_106_cells_when_the_superscript_may_be_lost_then_conflict() -> None:
    assert met(a_lab(20, "csf_white_cells", 106.0)) == {"suspect-cell-count"}
    assert met(a_lab(20, "csf_white_cells", 2.0), a_lab(20, "csf_protein", 106.0)) == set()


def test_given_a_recorded_stop_when_a_dose_follows_then_conflict() -> None:
    course = a_course(stopped=15)
    assert met(course) == {"discontinued-yet-dosed"}  # the dose of day 21


def test_given_a_new_course_when_a_dose_follows_the_old_stop_then_no_conflict() -> None:
    assert met(a_course(stopped=23), a_course(40), a_dose(40)) == set()


def test_given_two_assessments_of_a_day_when_they_disagree_then_conflict() -> None:
    one = an_assessment(20, motor_grade=0, walking="unaided")
    assert met(one, an_assessment(20, motor_grade=2)) == {"two-assessments-one-day"}
    assert met(one, an_assessment(20, walking="walker")) == {"two-assessments-one-day"}
    assert met(one, an_assessment(20, motor_grade=2, ctcae_version="5.0")) == set()
    assert met(one, an_assessment(20, sensory_grade=2)) == set()


def test_given_two_assessments_of_a_day_when_pain_or_disability_disagree_then_conflict() -> None:
    one = an_assessment(20, sensory_grade=1, neuropathic_pain=False, autonomic_grade=0, gbs_disability=2)
    pain = answer(one, an_assessment(20, sensory_grade=1, neuropathic_pain=True)).finding
    assert pain is not None
    assert "neuropathic pain no and yes" in pain.headline
    assert met(one, an_assessment(20, autonomic_grade=3)) == {"two-assessments-one-day"}
    assert met(one, an_assessment(20, gbs_disability=3)) == {"two-assessments-one-day"}
    assert met(one, an_assessment(20, pain_nrs=7)) == set()  # a score alone does not say which pain


def test_given_an_old_conflict_when_56_days_of_records_followed_then_it_is_left_alone() -> None:
    old = an_assessment(3, walking="unaided", gbs_disability=4)
    assert met(old, an_assessment(59, walking="unaided")) == {"walking-vs-disability"}
    assert met(old, an_assessment(60, walking="unaided")) == set()


def test_given_two_conflicts_when_answered_then_the_newest_leads_and_both_are_evidence() -> None:
    older = an_assessment(10, walking="unaided", gbs_disability=4)
    newer = an_assessment(20, motor_grade=0, mrc=full_power(biceps_right="2"))
    finding = answer(older, newer).finding
    assert finding is not None
    assert "biceps right 2/5" in finding.headline
    assert "(and 1 more)" in finding.headline
    assert {evidence.id for evidence in finding.evidence} == {older.fact_id, newer.fact_id}
