"""What a picture of a patient shows: what was known and recorded, bounded, and nothing made up."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from monitor.clinical.findings import Finding, Urgency
from monitor.clinical.history import Fact
from monitor.clinical.trend import SHOWN_DAYS, SHOWN_VISITS, WEAKEST, Trend, trend_of
from tests.builders import (
    NOW,
    a_course,
    a_dose,
    a_finding,
    a_history,
    a_treatment,
    an_assessment,
    at,
    day,
    full_power,
    noon,
    ranks,
    shipped_policy,
)


def trend(*facts: Fact, on: int = 60, findings: tuple[Finding, ...] = ()) -> Trend:
    now = at(on, 18)
    return trend_of(a_history(*facts).as_known_at(now), shipped_policy(), now, findings)


def test_given_visits_and_doses_when_shown_then_they_stand_as_recorded_and_oldest_first() -> None:
    shown = trend(
        a_dose(7, dose_mg_per_m2=1.0),
        a_dose(0),
        an_assessment(7, sensory_grade=2, neuropathic_pain=True, walking="cane", gbs_disability=3),
        an_assessment(0, sensory_grade=0),
        on=10,
    )
    assert [(each.on, each.mg_per_m2) for each in shown.doses] == [(day(0), 1.3), (day(7), 1.0)]
    assert [each.on for each in shown.visits] == [day(0), day(7)]
    newest = shown.visits[-1]
    assert (newest.sensory_grade, newest.motor_grade, newest.pain) == (2, None, True)
    assert (newest.walking, newest.gbs_disability, newest.mrc_sum) == ("cane", 3, None)
    assert (shown.first_on, shown.today, shown.stopped_on, shown.cut) == (day(0), day(10), None, False)


def test_given_what_became_known_later_or_lies_ahead_when_shown_then_it_is_not_there() -> None:
    shown = trend(
        a_dose(0),
        a_dose(14),
        an_assessment(3, sensory_grade=1, known_at=at(30, 8)),
        an_assessment(5, sensory_grade=2),
        a_treatment(12, treatment="ivig"),
        on=10,
    )
    assert [each.on for each in shown.doses] == [day(0)]
    assert [each.sensory_grade for each in shown.visits] == [2]
    assert shown.therapies == ()


def test_given_another_drug_when_shown_then_its_doses_are_not_bortezomibs() -> None:
    assert [each.on for each in trend(a_dose(0), a_dose(7, drug="carfilzomib"), on=8).doses] == [day(0)]


def test_given_a_stop_when_shown_then_it_is_the_day_of_the_last_dose() -> None:
    assert trend(a_course(0, discontinued_on=day(20)), a_dose(0), a_dose(14), on=40).stopped_on == day(14)


def test_given_a_patient_watched_no_longer_when_shown_then_the_last_dose_is_still_the_stop() -> None:
    assert trend(a_dose(0), a_dose(7), an_assessment(500, walking="unaided"), on=520).stopped_on == day(7)


def test_given_many_weak_muscles_when_shown_then_the_weakest_are_followed_by_name() -> None:
    weak = full_power(tibialis_anterior_left="1", tibialis_anterior_right="2", iliopsoas_left="3", deltoid_right="4")
    shown = trend(a_dose(0), an_assessment(0, mrc=full_power()), an_assessment(7, mrc=weak), on=8)
    assert shown.muscles == ("tibialis_anterior_left", "tibialis_anterior_right", "iliopsoas_left")
    assert shown.visits[-1].weakest == (
        ("tibialis_anterior_left", 3),
        ("tibialis_anterior_right", 6),
        ("iliopsoas_left", 9),
    )
    assert [each.mrc_sum for each in shown.visits] == [60, 50]


def test_given_full_power_when_shown_then_no_muscle_is_followed() -> None:
    shown = trend(a_dose(0), an_assessment(7, mrc=full_power(deltoid_left="5-")), on=8)
    assert (shown.muscles, shown.visits[0].weakest, shown.strength_tested) == ((), (), True)


def test_given_some_muscles_not_tested_when_shown_then_there_is_no_sum_and_no_value_for_them() -> None:
    first = an_assessment(0, mrc=full_power(iliopsoas_left="4"))
    shown = trend(a_dose(0), first, an_assessment(7, mrc=ranks({"deltoid_left": "5"})), on=8)
    assert [each.mrc_sum for each in shown.visits] == [58 + 1, None]
    assert [each.weakest for each in shown.visits] == [(("iliopsoas_left", 12),), ()]


def test_given_a_visit_that_recorded_none_of_it_when_shown_then_it_is_left_out() -> None:
    assert trend(a_dose(0), an_assessment(3, autonomic_grade=1), an_assessment(5, motor_grade=0), on=8).visits[0].on == day(5)


def test_given_findings_when_shown_then_each_is_marked_at_the_day_of_its_newest_fact_most_urgent_first() -> None:
    found = (
        a_finding(rule="dose-modification", urgency=Urgency.SAME_DAY, clinical_at=noon(3)),
        a_finding(rule="rapid-motor-decline", urgency=Urgency.IMMEDIATE, clinical_at=noon(5)),
    )
    marks = trend(a_dose(0), an_assessment(5, motor_grade=3), on=8, findings=found).marks
    assert [(each.rule, each.on) for each in marks] == [("rapid-motor-decline", day(5)), ("dose-modification", day(3))]


def test_given_a_finding_older_than_what_is_shown_when_shown_then_it_has_no_mark() -> None:
    old = a_finding(rule="dose-modification", urgency=Urgency.SAME_DAY, clinical_at=noon(-600))
    assert trend(a_dose(0), on=8, findings=(old,)).marks == ()


def test_given_years_when_shown_then_the_last_eighteen_months_are_and_it_says_that_there_is_more() -> None:
    visits = [an_assessment(number, motor_grade=0) for number in range(0, 900, 60)]
    shown = trend(a_dose(0), a_dose(7), *visits, on=900)
    assert shown.first_on >= day(900) - timedelta(days=SHOWN_DAYS)
    assert shown.cut
    assert shown.doses == ()


def test_given_a_treatment_that_began_before_when_shown_then_it_is_there_while_it_lasts() -> None:
    facts = [an_assessment(number, motor_grade=0) for number in range(0, 900, 60)]
    going_on, over = a_treatment(10, treatment="corticosteroid"), a_treatment(10, treatment="ivig", stopped_on=day(20))
    assert [each.name for each in trend(a_dose(0), *facts, going_on, over, on=900).therapies] == ["corticosteroid"]


def test_given_daily_visits_when_shown_then_the_newest_are() -> None:
    shown = trend(a_dose(0), *(an_assessment(number, motor_grade=0) for number in range(200)), on=200)
    assert len(shown.visits) == SHOWN_VISITS
    assert (shown.visits[-1].on, shown.first_on, shown.cut) == (day(199), day(199 - SHOWN_VISITS + 1), True)


def test_given_a_patient_without_anything_when_shown_then_there_is_nothing_and_no_error() -> None:
    shown = trend_of(a_history().as_known_at(NOW), shipped_policy(), NOW)
    assert (shown.visits, shown.doses, shown.marks, shown.stopped_on) == ((), (), (), None)


MUSCLES = st.sampled_from(["deltoid_left", "quadriceps_right", "hamstrings_left", "biceps_right"])
EXAMS = st.dictionaries(MUSCLES, st.sampled_from(["0", "3-", "4", "5"]))
VISITS = st.lists(st.tuples(st.integers(0, 700), st.none() | st.integers(0, 4), EXAMS), max_size=30)


@given(VISITS)
def test_given_any_visits_when_shown_then_every_value_is_one_that_was_recorded_in_the_period(
    visits: list[tuple[int, int | None, dict[str, Any]]],
) -> None:
    facts = [an_assessment(number, motor_grade=grade, mrc=ranks(powers)) for number, grade, powers in visits]
    shown = trend(a_dose(0), *facts, on=720)
    assert len(shown.muscles) <= WEAKEST
    assert len(shown.visits) <= max(SHOWN_VISITS, len(visits))
    recorded = {(fact.on, fact.motor_grade) for fact in facts}
    for each in shown.visits:
        assert shown.first_on <= each.on <= shown.today
        assert (each.on, each.motor_grade) in recorded
        assert {name for name, _ in each.weakest} <= set(shown.muscles)
