"""Autonomic neuropathy on the newest assessment that recorded any autonomic measure."""

from __future__ import annotations

import pytest

from monitor.clinical.findings import RuleAnswer, Urgency
from monitor.clinical.history import Assessment, History
from monitor.clinical.rules import autonomic_neuropathy
from monitor.clinical.situation import situate
from tests.builders import a_history, an_assessment, noon, shipped_policy, weekly_doses

PRESSURES = ("systolic_lying", "diastolic_lying", "systolic_standing", "diastolic_standing")


def answer(*assessments: Assessment, day: int = 30, guideline: str = "us-label") -> RuleAnswer:
    history: History = a_history(*weekly_doses(4), *assessments)
    situation = situate(history, shipped_policy(guideline), noon(day))
    assert situation is not None
    return autonomic_neuropathy.answer(situation)


def urgency(*assessments: Assessment) -> Urgency | None:
    finding = answer(*assessments).finding
    return finding.urgency if finding else None


def pressures(number: int, *values: int | None, **given: object) -> Assessment:
    return an_assessment(number, **dict(zip(PRESSURES, values, strict=True)), **given)


@pytest.mark.parametrize("flag", ["syncope", "ileus", "urinary_retention"])
def test_given_a_severe_sign_when_answered_then_immediate(flag: str) -> None:
    assert urgency(an_assessment(20, red_flags=frozenset({flag}))) is Urgency.IMMEDIATE


@pytest.mark.parametrize(("systolic", "expected"), [(89, Urgency.IMMEDIATE), (90, None)])
def test_given_a_systolic_pressure_when_below_the_limit_then_immediate(systolic: int, expected: Urgency | None) -> None:
    assert urgency(pressures(20, systolic + 10, None, systolic, None)) is expected


@pytest.mark.parametrize(
    ("lying", "standing", "expected"),
    [
        ((130, 80), (110, 75), Urgency.REVIEW),  # 20 systolic
        ((130, 80), (111, 71), None),  # 19 and 9
        ((130, 80), (125, 70), Urgency.REVIEW),  # 10 diastolic
        ((140, 80), (111, 75), None),  # 29, lying pressure high
        ((140, 80), (110, 75), Urgency.REVIEW),  # 30
    ],
)
def test_given_a_fall_on_standing_when_it_reaches_the_limit_then_it_is_found(
    lying: tuple[int, int], standing: tuple[int, int], expected: Urgency | None
) -> None:
    assert urgency(pressures(20, *lying, *standing)) is expected


def test_given_a_fall_on_standing_when_symptomatic_then_the_same_day() -> None:
    assert urgency(an_assessment(1, autonomic_grade=2), pressures(20, 130, 80, 105, 70, autonomic_grade=2)) is Urgency.SAME_DAY


@pytest.mark.parametrize(
    ("earlier", "expected"),
    [
        ([], Urgency.SAME_DAY),
        ([an_assessment(10, autonomic_grade=1)], Urgency.SAME_DAY),
        ([an_assessment(10, autonomic_grade=2)], None),
        ([an_assessment(3, autonomic_grade=1), an_assessment(10, autonomic_grade=2)], Urgency.SAME_DAY),  # best in the window
        ([an_assessment(10, autonomic_grade=0, ctcae_version="6.0")], None),  # another version is not compared
    ],
)
def test_given_grade_2_when_compared_with_the_best_before_then_only_a_rise_is_found(
    earlier: list[Assessment], expected: Urgency | None
) -> None:
    assert urgency(*earlier, an_assessment(30, autonomic_grade=2)) is expected


def test_given_an_abnormal_measure_when_a_newer_normal_one_exists_then_nothing() -> None:
    assert urgency(an_assessment(10, red_flags=frozenset({"syncope"})), pressures(20, 130, 80, 128, 79)) is None


def test_given_an_abnormal_measure_when_a_newer_visit_recorded_none_then_it_still_holds() -> None:
    assert urgency(an_assessment(10, red_flags=frozenset({"syncope"})), an_assessment(20, sensory_grade=1)) is Urgency.IMMEDIATE


def test_given_a_measure_before_the_first_dose_when_answered_then_it_is_not_bortezomibs() -> None:
    assert urgency(an_assessment(-3, red_flags=frozenset({"syncope"}))) is None


def test_given_one_position_only_when_answered_then_the_other_is_said_to_be_not_recorded() -> None:
    result = answer(pressures(20, 130, 80, None, None, autonomic_grade=3))
    orthostatic = next(criterion for criterion in result.criteria if criterion.id == "orthostatic-fall")
    assert not orthostatic.met
    assert "standing not recorded" in orthostatic.text
    assert result.finding is not None
    assert result.finding.missing == ("systolic_standing", "diastolic_standing")


def test_given_severe_signs_when_the_guideline_has_a_line_for_them_then_it_is_quoted() -> None:
    severe = an_assessment(20, autonomic_grade=3)
    assert "discontinue" in answer(severe, guideline="eu-smpc").criteria[0].text.lower()
    assert "discontinue" not in answer(severe, guideline="us-label").criteria[0].text.lower()


def test_given_two_severe_signs_when_only_one_was_told_then_the_finding_is_heavier() -> None:
    one = answer(an_assessment(20, red_flags=frozenset({"syncope"}))).finding
    two = answer(an_assessment(20, red_flags=frozenset({"syncope", "ileus"}))).finding
    assert one is not None
    assert two is not None
    assert two.weight > one.weight
