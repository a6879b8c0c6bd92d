"""What would have changed a finding's urgency: each change that is told is really one change, and really changes it."""

from __future__ import annotations

from datetime import datetime

from hypothesis import given, settings

from monitor.clinical.evaluate import evaluate
from monitor.clinical.findings import Finding, Urgency
from monitor.clinical.history import Fact, History
from monitor.clinical.turning import TurningPoint, turning_points
from tests.builders import a_course, a_history, an_assessment, day, full_power, noon, shipped_policy, weekly_doses
from tests.drawn_histories import drawn_histories, instants

POLICY = shipped_policy()


def finding_of(rule: str, history: History, now: datetime) -> Finding:
    return next(each for each in evaluate(history, POLICY, now).findings if each.rule == rule)


def points_of(rule: str, history: History, now: datetime) -> tuple[TurningPoint, ...]:
    return turning_points(history, POLICY, now, finding_of(rule, history, now))


def facts_of(history: History) -> set[Fact]:
    timed = (history.patients, history.courses, history.doses, history.assessments, history.labs)
    return {fact for facts in (*timed, history.investigations, history.treatments) for fact in facts}


def urgency_of(rule: str, history: History, now: datetime) -> Urgency | None:
    return next((each.urgency for each in evaluate(history, POLICY, now).findings if each.rule == rule), None)


def test_given_a_wheelchair_when_asked_then_walking_unaided_would_have_been_no_alert() -> None:
    visits = (an_assessment(0, walking="unaided"), an_assessment(14, walking="wheelchair"))
    points = points_of("rapid-motor-decline", a_history(a_course(), *weekly_doses(2), *visits), noon(15))
    assert [(point.said, point.urgency) for point in points] == [
        ("with a walker: same-day instead of immediate", Urgency.SAME_DAY),
        ("with walking unaided: no alert", None),
    ]


def test_given_a_grade_of_the_dose_table_when_asked_then_the_grade_below_it_is_told() -> None:
    visit = an_assessment(14, sensory_grade=2, motor_grade=0, neuropathic_pain=False)
    points = points_of("dose-modification", a_history(a_course(), *weekly_doses(3), visit), noon(15))
    assert [point.said for point in points] == ["with sensory grade 1: no alert"]


def test_given_a_known_baseline_when_asked_then_both_sides_are_told_the_more_urgent_first() -> None:
    visits = (
        an_assessment(-3, sensory_grade=2, neuropathic_pain=False),
        an_assessment(14, sensory_grade=2, neuropathic_pain=False),
    )
    points = points_of("dose-modification", a_history(a_course(), *weekly_doses(3), *visits), noon(15))
    assert [point.said for point in points] == [
        "with neuropathic pain: same-day instead of review",
        "with sensory grade 1: no alert",
    ]


def test_given_a_dose_above_the_advice_when_asked_then_the_advised_dose_is_told() -> None:
    visit = an_assessment(1, sensory_grade=2, neuropathic_pain=False)
    points = points_of("dose-against-advice", a_history(a_course(), *weekly_doses(2), visit), noon(8))
    assert [point.said for point in points] == [f"with 1.0 mg/m2 given on {day(7)}: no alert"]


def test_given_nobody_looked_when_asked_then_an_assessment_today_would_have_been_no_alert() -> None:
    points = points_of("assessment-overdue", a_history(a_course(), *weekly_doses(6)), noon(34))
    assert [point.said for point in points][-1] == "with an assessment today: no alert"


def test_given_several_signs_at_once_when_none_alone_turns_it_then_all_of_them_and_the_visit_before_are_told() -> None:
    well = an_assessment(0, walking="unaided", motor_grade=0, mrc=full_power())
    weak = an_assessment(14, walking="wheelchair", motor_grade=3, mrc=full_power(tibialis_anterior_left="3", quadriceps_left="3"))
    points = points_of("rapid-motor-decline", a_history(a_course(), *weekly_doses(2), well, weak), noon(15))
    assert [point.said for point in points] == [
        f"with everything one step better on {day(14)}: same-day instead of immediate",
        f"with all as on {day(0)}: no alert",
    ]


def test_given_a_finding_that_no_longer_holds_when_asked_then_that_is_told() -> None:
    before = a_history(a_course(), *weekly_doses(2), an_assessment(14, sensory_grade=2, neuropathic_pain=False))
    told = finding_of("dose-modification", before, noon(15))
    since = a_history(a_course(), *weekly_doses(2), an_assessment(14, sensory_grade=1, neuropathic_pain=False))
    assert [point.said for point in turning_points(since, POLICY, noon(15), told)] == ["by what is known now: no alert"]


@settings(max_examples=60, deadline=None)
@given(drawn_histories, instants)
def test_given_any_record_when_a_told_change_is_made_then_the_urgency_is_what_was_told(history: History, now: datetime) -> None:
    known = history.as_known_at(now)
    for finding in evaluate(known, POLICY, now, explain=False).findings:
        for point in turning_points(known, POLICY, now, finding):
            assert point.urgency is not finding.urgency
            assert urgency_of(finding.rule, point.history, now) is point.urgency
            changed = facts_of(known) ^ facts_of(point.history)
            assert 1 <= len(changed) <= 2
            assert len({fact.fact_id for fact in changed}) == 1
