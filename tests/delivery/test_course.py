"""The course as a table, and what to know of the patient: every number that the figure plots, in words."""

from __future__ import annotations

from datetime import datetime

from monitor.clinical.history import Fact, History
from monitor.clinical.situation import situate
from monitor.clinical.trend import trend_of
from monitor.delivery.background import background_facts, drug_facts
from monitor.delivery.course import trend_rows
from monitor.delivery.facts import TrendRow
from monitor.delivery.language import in_language
from tests.builders import (
    a_course,
    a_dose,
    a_history,
    a_patient,
    a_treatment,
    an_assessment,
    full_power,
    noon,
    shipped_policy,
    weekly_doses,
)

POLICY = shipped_policy()


def rows_of(*facts: Fact, now: datetime, at_most: int = 8) -> tuple[tuple[TrendRow, ...], str | None]:
    rows, more = trend_rows(trend_of(a_history(*facts), POLICY, now), at_most=at_most)
    return in_language(rows, "en"), more


def background_of(history: History, now: datetime) -> dict[str, str]:
    return {str(each.label): each.text for each in in_language(background_facts(situate(history, POLICY, now)), "en")}


def test_given_visits_and_doses_when_told_then_the_newest_stands_first_with_every_number() -> None:
    weak = full_power(tibialis_anterior_left="2")
    visits = (
        an_assessment(0, sensory_grade=0, motor_grade=0, walking="unaided", mrc=full_power()),
        an_assessment(14, sensory_grade=1, motor_grade=2, neuropathic_pain=True, walking="cane", gbs_disability=3, mrc=weak),
    )
    rows, more = rows_of(a_course(), *weekly_doses(3), *visits, now=noon(15))
    assert [(row.on, row.walking, row.dose) for row in rows] == [
        ("22 Jan 2024", "cane, GBS disability 3", "2 times 1.3 mg/m2, the last on 22 Jan 2024"),
        ("8 Jan 2024", "unaided", "1.3 mg/m2"),
    ]
    assert rows[0].grades.startswith("sensory 1, motor 2, with neuropathic pain")
    assert rows[0].power.startswith("left tibialis anterior 2")
    assert more is None


def test_given_another_dose_when_told_then_it_is_not_counted_with_the_others() -> None:
    doses = (a_dose(0), a_dose(7), a_dose(14, 1.0), a_dose(21, 1.0))
    rows, _ = rows_of(a_course(), *doses, an_assessment(21, sensory_grade=1), now=noon(22))
    assert rows[0].dose == "2 times 1.3 mg/m2, the last on 15 Jan 2024; 2 times 1.0 mg/m2, the last on 29 Jan 2024"


def test_given_a_long_course_when_told_then_the_newest_rows_stand_and_the_rest_is_counted() -> None:
    visits = [an_assessment(7 * week, sensory_grade=0) for week in range(20)]
    rows, more = rows_of(a_course(), *weekly_doses(20), *visits, now=noon(140))
    assert (len(rows), more) == (8, "and 12 earlier rows")
    everything, more = rows_of(a_course(), *weekly_doses(20), *visits, now=noon(140), at_most=60)
    assert (len(everything), more) == (20, None)


def test_given_a_stop_and_a_treatment_when_told_then_their_days_have_rows() -> None:
    treatment = a_treatment(20, "ivig", stopped=25)
    rows, _ = rows_of(a_course(stopped=16), *weekly_doses(3), treatment, now=noon(30))
    assert [(row.on, row.what) for row in rows] == [
        ("2 Feb 2024", "ivig ended"),
        ("28 Jan 2024", "ivig begun"),
        ("22 Jan 2024", "last dose"),
    ]


def test_given_other_drugs_and_diseases_when_told_then_those_that_harm_nerves_are_named() -> None:
    patient = a_patient(comorbidities=("Type 2 diabetes mellitus", "hypertension, see Mrs Smith"), baseline_sensory_grade=1)
    history = a_history(
        patient, a_course(), *weekly_doses(3), a_treatment(-30, "thalidomide", stopped=-2), a_treatment(3, "corticosteroid")
    )
    told = background_of(history, noon(15))
    assert told["Other causes recorded"] == "diabetes"
    assert told["Other neurotoxic drugs"] == "thalidomide from 9 Dec 2023 to 6 Jan 2024"
    assert told["Treatments of the neuropathy"] == "corticosteroid since 11 Jan 2024"
    assert told["Before bortezomib"] == "sensory grade 1, motor grade not recorded"
    assert "Smith" not in " ".join(told.values())


def test_given_nothing_recorded_when_told_then_that_is_said_and_not_that_there_was_none() -> None:
    told = background_of(a_history(a_course(cycle_days=21), *weekly_doses(3)), noon(15))
    assert (
        told["Other causes recorded"] == told["Other neurotoxic drugs"] == told["Treatments of the neuropathy"] == "none recorded"
    )
    assert told["Treatment"].endswith("cycles of 21 days, by the calendar cycle 1, day 16")


def test_given_a_grade_before_the_first_dose_when_told_then_where_it_comes_from_is_said() -> None:
    history = a_history(a_course(), *weekly_doses(3), an_assessment(-3, sensory_grade=1, motor_grade=0))
    assert background_of(history, noon(15))["Before bortezomib"] == (
        "sensory grade 1, motor grade 0 (assessment of 5 Jan 2024, before the first dose)"
    )


def test_given_nobody_on_bortezomib_when_told_then_there_is_no_drug_and_no_background() -> None:
    assert situate(a_history(), POLICY, noon(15)) is None
    assert drug_facts(None) is None
    assert background_facts(None) == ()
