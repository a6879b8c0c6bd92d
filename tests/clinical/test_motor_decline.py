"""M1-M12 one by one: what counts, what does not, and how it is said."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from monitor.clinical.findings import Urgency
from monitor.clinical.motor_decline import motor_of
from monitor.clinical.motor_picture import MotorCriterion
from monitor.clinical.situation import Situation
from tests.clinical.builders_motor import off_drug, on_drug

IMMEDIATE, SAME_DAY, REVIEW = Urgency.IMMEDIATE, Urgency.SAME_DAY, Urgency.REVIEW
LEGS_DOWN = "all=5;tibialis_anterior_left=3;tibialis_anterior_right=4"


def one(situation: Situation, identifier: str) -> MotorCriterion:
    (found,) = (each for each in motor_of(situation).criteria if each.criterion.id == identifier)
    return found


def met(situation: Situation) -> set[str]:
    return {each.criterion.id for each in motor_of(situation).met}


@pytest.mark.parametrize(("day", "held"), [("2024-03-29", True), ("2024-03-30", False)])
def test_given_walking_lost_when_28_days_apart_then_it_counts_and_after_29_it_is_undated(day: str, held: bool) -> None:
    situation = on_drug(f"on walking\n2024-03-01 walker\n{day} wheelchair", day)
    assert one(situation, "loss-of-walking").met is held
    assert one(situation, "loss-of-walking-undated").met is not held


@pytest.mark.parametrize(("day", "held"), [("2024-05-25", True), ("2025-03-01", True), ("2025-03-02", False)])
def test_given_walking_lost_after_a_long_gap_when_within_a_year_then_it_is_said_to_be_undated(day: str, held: bool) -> None:
    found = one(on_drug(f"on walking\n2024-03-01 cane\n{day} bedbound", day), "loss-of-walking-undated")
    assert found.met is held
    assert ("when is not known" in found.criterion.text) is held


@pytest.mark.parametrize(
    ("before", "after", "held"),
    [
        ("unaided .", "wheelchair .", True),
        (". 3", ". 4", True),
        ("unaided .", ". 5", True),
        ("walker .", "walker 4", True),
        ("cane .", "walker .", False),
        ("wheelchair .", "bedbound .", False),
        ("walker .", ". 6", False),
        ("wheelchair 3", "wheelchair 4", False),
    ],
)
def test_given_two_states_of_walking_when_the_second_cannot_walk_then_walking_was_lost(
    before: str, after: str, held: bool
) -> None:
    situation = on_drug(f"on walking gbs_disability\n2024-03-01 {before}\n2024-03-10 {after}", "2024-03-10")
    assert one(situation, "loss-of-walking").met is held


def test_given_walking_lost_when_said_then_the_values_the_days_and_the_threshold_are_there() -> None:
    found = one(on_drug("on walking\n2024-03-01 unaided\n2024-03-08 wheelchair", "2024-03-08"), "loss-of-walking")
    assert found.said == "walking: unaided -> wheelchair in 7 days (2024-03-01 to 2024-03-08)"
    assert found.criterion.text.endswith("walking lost within 28 days counts")
    assert found.criterion.source.endswith("[V: both; J: the window]")
    assert found.urgency is IMMEDIATE


@pytest.mark.parametrize(
    ("rows", "since"),
    [
        ("2024-03-01 4\n2024-03-10 5", "2024-03-10"),
        ("2024-03-10 5", "2024-03-10"),
        ("2024-03-01 4\n2024-03-10 5\n2024-03-20 5", "2024-03-10"),
        ("2024-03-01 4\n2024-03-10 5\n2024-04-08 5", None),
        ("2024-03-01 5\n2024-03-10 4", None),
        ("2024-03-01 4\n2024-03-10 6", None),
        ("2024-03-08 5\n2024-03-10 6", None),
        ("2023-12-20 5\n2024-01-10 5", None),
    ],
)
def test_given_gbs_disability_when_it_is_newly_5_then_he_is_ventilated_and_it_is_immediate(rows: str, since: str | None) -> None:
    found = one(on_drug(f"on gbs_disability\n{rows}", rows.split()[-2]), "respiratory-bulbar-facial")
    assert found.met is (since is not None)
    if since is not None:
        assert found.urgency is IMMEDIATE
        assert found.severe
        assert found.said.startswith("GBS disability 5: ventilated on ")
        assert found.began_on == date.fromisoformat(since)


def test_given_ventilation_and_weak_breathing_when_said_then_both_are_and_the_newer_began_it() -> None:
    table = "on gbs_disability red_flags\n2024-03-01 4 respiratory\n2024-03-10 5 respiratory"
    found = one(on_drug(table, "2024-03-10"), "respiratory-bulbar-facial")
    assert found.said == "respiratory weakness, GBS disability 5: ventilated on 2024-03-10"
    assert found.began_on == date(2024, 3, 10)


def test_given_ventilated_at_the_stop_when_it_lasts_then_it_is_not_worse_after_it() -> None:
    def after_stop(row: str) -> set[str]:
        table = f"on gbs_disability\n2024-02-25 {row}\n2024-03-10 5"
        situation = off_drug(table, "2024-03-10", first="2024-01-05", stopped="2024-03-01")
        return {each.id for each in motor_of(situation).after_stop}

    assert "respiratory-bulbar-facial" in after_stop("4")
    assert after_stop("5") == set()


@pytest.mark.parametrize("flag", ["respiratory", "bulbar", "facial"])
def test_given_breathing_swallowing_or_face_when_flagged_at_the_newest_assessment_then_it_is_immediate(flag: str) -> None:
    situation = on_drug(f"on walking red_flags\n2024-03-01 unaided .\n2024-03-08 unaided {flag}", "2024-03-08")
    assert one(situation, "respiratory-bulbar-facial").urgency is IMMEDIATE


def test_given_a_flag_of_an_earlier_assessment_when_the_newest_has_none_then_it_is_over() -> None:
    situation = on_drug("on walking red_flags\n2024-03-01 unaided bulbar\n2024-03-08 unaided .", "2024-03-08")
    assert "respiratory-bulbar-facial" not in met(situation)


@pytest.mark.parametrize(("day", "held"), [("2024-03-15", True), ("2024-03-16", False)])
def test_given_a_leg_muscle_fallen_two_grades_when_14_days_apart_then_it_counts_and_15_do_not(day: str, held: bool) -> None:
    situation = on_drug(f"on mrc\n2024-03-01 all=5\n{day} {LEGS_DOWN}", day)
    assert one(situation, "muscle-fall").met is held


def test_given_a_muscle_newly_at_grade_two_when_it_fell_one_full_grade_then_it_counts() -> None:
    table = "on mrc\n2024-03-01 all=3\n2024-03-10 all=3;quadriceps_left=2;quadriceps_right=2"
    assert one(on_drug(table, "2024-03-10"), "muscle-fall").urgency is IMMEDIATE


def test_given_a_muscle_newly_at_grade_two_when_it_fell_by_a_half_step_then_it_does_not_count() -> None:
    table = "on mrc\n2024-03-01 all=3-\n2024-03-10 all=2+"
    assert met(on_drug(table, "2024-03-10")) == set()


def test_given_an_arm_muscle_other_than_the_shoulder_when_it_fell_far_then_it_is_no_severe_sign() -> None:
    table = "on mrc\n2024-03-01 all=5\n2024-03-10 all=5;biceps_left=3;wrist_extensors_right=3"
    situation = on_drug(table, "2024-03-10")
    assert "muscle-fall" not in met(situation)
    assert "moderate-fall" in met(situation)


def test_given_only_half_steps_when_every_muscle_takes_one_then_nothing_alerts_although_the_sum_falls_by_twelve() -> None:
    situation = on_drug("on mrc\n2024-03-01 all=4\n2024-03-10 all=3+", "2024-03-10")
    assert met(situation) == set()
    assert "only half steps" in one(situation, "mrc-sum-fall").criterion.text


def test_given_the_sum_fallen_by_six_when_muscles_of_two_limbs_fell_then_it_is_immediate() -> None:
    table = "on mrc\n2024-03-01 all=5\n2024-03-20 all=4"
    found = one(on_drug(table, "2024-03-20"), "mrc-sum-fall")
    assert found.urgency is IMMEDIATE
    assert found.said == "MRC sum fell 12 points in 19 days (2024-03-01 to 2024-03-20)"
    assert "6 or more points within 28 days count" in found.criterion.text


def test_given_a_fracture_when_all_falls_lie_in_one_limb_then_it_asks_for_a_retest_and_does_not_shout() -> None:
    arm = "deltoid_left=1;biceps_left=1;wrist_extensors_left=1"
    situation = on_drug(f"on mrc\n2024-03-01 all=5\n2024-03-08 all=5;{arm}", "2024-03-08")
    found = one(situation, "single-limb")
    assert met(situation) == {"single-limb"}
    assert (found.urgency, found.retest) == (REVIEW, True)
    assert "left arm alone" in found.said
    assert "all in one limb" in one(situation, "mrc-sum-fall").criterion.text


def test_given_a_fracture_when_walking_is_lost_then_it_shouts_all_the_same() -> None:
    table = "on walking mrc\n2024-03-01 unaided all=5\n2024-03-08 wheelchair all=5;quadriceps_left=1"
    situation = on_drug(table, "2024-03-08")
    assert one(situation, "loss-of-walking").urgency is IMMEDIATE
    assert "single-limb" in met(situation)


def test_given_one_limb_fallen_far_when_another_fell_earlier_in_the_wider_window_then_it_is_no_single_limb() -> None:
    table = (
        "on mrc\n2024-02-01 all=5\n2024-03-01 all=5;quadriceps_right=4\n"
        "2024-03-08 all=5;quadriceps_right=4;tibialis_anterior_left=2"
    )
    situation = on_drug(table, "2024-03-08")
    assert one(situation, "muscle-fall").urgency is IMMEDIATE
    assert "single-limb" not in met(situation)


def test_given_a_grade_before_the_first_dose_when_it_stands_in_for_the_baseline_then_it_is_compared_and_named() -> None:
    table = "on assessor ctcae_version motor_grade\n2023-11-01 A 4.03 0\n2024-01-10 {} {} 2"
    situation = on_drug(table.format("A", "4.03"), "2024-01-10")
    found = one(situation, "motor-grade-rise")
    assert found.urgency is SAME_DAY
    assert "grade 0 (assessment of 2023-11-01, before the first dose) -> grade 2" in found.said
    assert {each.id for each in found.evidence} == {each.fact_id for each in situation.assessments}
    assert one(on_drug(table.format("B", "4.03"), "2024-01-10"), "motor-grade-rise").retest
    assert "motor-grade-rise" not in met(on_drug(table.format("A", "5.0"), "2024-01-10"))


def test_given_a_grade_before_the_first_dose_when_it_comes_back_to_it_then_it_is_a_known_baseline() -> None:
    table = "on motor_grade\n2023-12-20 2\n2024-01-10 0\n2024-01-20 2"
    situation = on_drug(table, "2024-01-20")
    assert met(situation) == set()
    assert "known baseline" in one(situation, "motor-grade-rise").criterion.text


def test_given_muscles_not_tested_on_one_side_of_the_comparison_when_compared_then_they_are_left_out() -> None:
    table = (
        "on mrc\n2024-03-01 all=5;tibialis_anterior_left=NT;quadriceps_right=NT\n"
        "2024-03-08 all=5;tibialis_anterior_left=1;quadriceps_right=1"
    )
    situation = on_drug(table, "2024-03-08")
    assert met(situation) == set()


def test_given_a_partial_examination_when_said_then_there_is_no_sum_and_it_is_told_why() -> None:
    table = "on mrc\n2024-03-01 all=5\n2024-03-08 all=NT;quadriceps_left=4;quadriceps_right=4"
    situation = on_drug(table, "2024-03-08")
    assert "2 of 12 muscles tested on 2024-03-08: no sum" in one(situation, "mrc-sum-fall").criterion.text
    assert one(situation, "moderate-fall").met


def test_given_a_complete_fall_when_a_partial_examination_follows_then_the_fall_of_the_sum_is_not_unsaid() -> None:
    table = "on mrc\n2024-03-01 all=5\n2024-03-08 all=4\n2024-03-09 all=NT;deltoid_left=5"
    assert one(on_drug(table, "2024-03-09"), "mrc-sum-fall").met


@pytest.mark.parametrize(
    ("before", "after", "identifier", "urgency"),
    [
        (0, 3, "motor-grade-severe", IMMEDIATE),
        (2, 3, "motor-grade-severe", IMMEDIATE),
        (0, 2, "motor-grade-rise", SAME_DAY),
        (0, 1, "small-fall", REVIEW),
    ],
)
def test_given_a_rise_of_the_motor_grade_when_it_reaches_a_threshold_then_it_has_that_urgency(
    before: int, after: int, identifier: str, urgency: Urgency
) -> None:
    situation = on_drug(f"on motor_grade\n2024-03-01 {before}\n2024-03-08 {after}", "2024-03-08")
    assert one(situation, identifier).urgency is urgency


def test_given_grade_four_when_nothing_is_there_to_compare_then_it_counts_at_any_time() -> None:
    assert one(on_drug("on motor_grade\n2024-03-08 4", "2024-06-01"), "motor-grade-severe").urgency is IMMEDIATE


def test_given_grade_three_when_nothing_is_there_to_compare_then_there_is_no_decline_rule() -> None:
    assert met(on_drug("on motor_grade\n2024-03-08 3", "2024-03-08")) == set()


def test_given_a_baseline_when_the_grade_only_equals_it_then_no_motor_criterion_holds_and_it_is_said() -> None:
    table = "on motor_grade\n2024-01-02 0\n2024-01-20 2"
    situation = on_drug(table, "2024-01-20", baseline_motor_grade=2)
    assert met(situation) == set()
    assert "known baseline" in one(situation, "motor-grade-rise").criterion.text


def test_given_a_baseline_of_four_when_the_grade_equals_it_then_even_grade_four_is_known() -> None:
    assert met(on_drug("on motor_grade\n2024-03-08 4", "2024-03-08", baseline_motor_grade=4)) == set()


@pytest.mark.parametrize(("day", "held"), [("2024-01-29", True), ("2024-01-30", False)])
def test_given_a_baseline_when_the_first_grade_rises_above_it_then_it_compares_as_of_the_first_dose(day: str, held: bool) -> None:
    situation = on_drug(f"on motor_grade\n{day} 3", day, baseline_motor_grade=0)
    assert one(situation, "motor-grade-severe").met is held


@pytest.mark.parametrize(("first", "second"), [("4.03", "5.0"), (".", "5.0"), ("5.0", ".")])
def test_given_another_ctcae_version_when_the_grade_rises_then_it_is_not_compared_and_it_is_said(first: str, second: str) -> None:
    situation = on_drug(f"on ctcae_version motor_grade\n2024-03-01 {first} 0\n2024-03-08 {second} 3", "2024-03-08")
    assert met(situation) == set()
    shown = [version.replace(".", "version not recorded") if version == "." else version for version in (first, second)]
    assert f"not comparable: CTCAE {shown[0]} -> {shown[1]}" in one(situation, "motor-grade-severe").criterion.text


def test_given_no_version_recorded_at_either_visit_when_the_grade_rises_then_it_is_compared() -> None:
    assert one(on_drug("on motor_grade\n2024-03-01 0\n2024-03-08 3", "2024-03-08"), "motor-grade-severe").met


def test_given_two_versions_at_one_instant_when_one_of_them_shows_the_rise_then_it_counts() -> None:
    table = "on ctcae_version motor_grade\n2024-03-01 5.0 0\n2024-03-08 4.03 3\n2024-03-08 5.0 2"
    assert "motor-grade-rise" in met(on_drug(table, "2024-03-08"))


@pytest.mark.parametrize("flag", ["back_pain", "sphincter", "sensory_level"])
@pytest.mark.parametrize("weakness", ["walker . .", ". 2 .", ". . quadriceps_left=4"])
def test_given_leg_weakness_when_a_sign_of_the_cord_is_new_then_the_cord_comes_first(flag: str, weakness: str) -> None:
    table = f"on red_flags walking motor_grade mrc\n2024-03-01 . . . .\n2024-03-08 {flag} {weakness}"
    found = one(on_drug(table, "2024-03-08"), "cord-signs")
    assert found.urgency is IMMEDIATE
    assert "cord first" in found.said


def test_given_back_pain_for_months_when_legs_are_weak_then_it_is_not_new() -> None:
    table = "on red_flags walking\n2024-02-01 back_pain unaided\n2024-03-08 back_pain walker"
    assert "cord-signs" not in met(on_drug(table, "2024-03-08"))


def test_given_new_back_pain_when_legs_are_strong_then_it_is_not_a_cord_sign() -> None:
    situation = on_drug("on red_flags walking\n2024-03-08 back_pain unaided", "2024-03-08")
    assert "cord-signs" not in met(situation)
    assert "no leg weakness recorded" in one(situation, "cord-signs").criterion.text


def test_given_a_step_of_disability_or_a_new_aid_when_recorded_then_it_is_same_day() -> None:
    by_disability = on_drug("on gbs_disability\n2024-03-01 1\n2024-03-08 2", "2024-03-08")
    by_aid = on_drug("on walking\n2024-03-01 unaided\n2024-03-08 cane", "2024-03-08")
    assert one(by_disability, "disability-or-aid").urgency is SAME_DAY
    assert one(by_aid, "disability-or-aid").urgency is SAME_DAY


@pytest.mark.parametrize(("fall", "held"), [(8, True), (7.5, False)])
def test_given_grip_on_one_side_when_it_fell_by_eight_kpa_then_it_is_for_review(fall: float, held: bool) -> None:
    situation = on_drug(f"on grip_kpa_right grip_kpa_left\n2024-03-01 80 80\n2024-03-08 80 {80 - fall}", "2024-03-08")
    found = one(situation, "grip-fall")
    assert found.met is held
    assert found.urgency is (REVIEW if held else None)


def test_given_a_fall_of_grip_when_a_new_aid_came_with_it_then_it_is_same_day() -> None:
    situation = on_drug("on walking grip_kpa_left\n2024-03-01 unaided 80\n2024-03-08 cane 70", "2024-03-08")
    assert one(situation, "grip-fall").urgency is SAME_DAY


def test_given_a_small_fall_over_six_weeks_when_two_limbs_are_in_it_then_it_asks_to_be_examined_again() -> None:
    table = "on mrc\n2024-03-01 all=5\n2024-04-20 all=5;quadriceps_left=4;quadriceps_right=4"
    situation = on_drug(table, "2024-04-20")
    assert met(situation) == {"small-fall"}
    assert "within 7 days" in one(situation, "small-fall").criterion.text


@pytest.mark.parametrize(
    ("before", "after", "identifier"),
    [
        ("motor_grade 0", "motor_grade 2", "motor-grade-rise"),
        ("grip_kpa_left 80", "grip_kpa_left 70", "grip-fall"),
        ("mrc all=5", "mrc all=5;quadriceps_left=4;quadriceps_right=4", "moderate-fall"),
    ],
)
def test_given_another_assessor_when_a_rated_measure_fell_then_it_is_a_retest(before: str, after: str, identifier: str) -> None:
    name, first = before.split()
    _, second = after.split()
    table = f"on assessor {name}\n2024-03-01 A {first}\n2024-03-08 B {second}"
    situation = on_drug(table, "2024-03-08")
    found = one(situation, identifier)
    assert (found.urgency, found.retest) == (REVIEW, True)
    assert one(situation, "other-assessor").met


def test_given_another_assessor_when_the_finding_is_immediate_then_it_is_never_lowered() -> None:
    table = "on assessor motor_grade walking mrc\n2024-03-01 A 0 unaided all=5\n2024-03-08 B 3 wheelchair all=2"
    situation = on_drug(table, "2024-03-08")
    for identifier in ("loss-of-walking", "motor-grade-severe", "mrc-sum-fall", "muscle-fall"):
        assert (one(situation, identifier).urgency, one(situation, identifier).retest) == (IMMEDIATE, False)


def test_given_another_assessor_when_an_aid_is_new_then_it_stays_same_day() -> None:
    situation = on_drug("on assessor walking\n2024-03-01 A unaided\n2024-03-08 B cane", "2024-03-08")
    assert (one(situation, "disability-or-aid").urgency, one(situation, "disability-or-aid").retest) == (SAME_DAY, False)


def test_given_a_decline_before_the_stop_when_it_only_lasts_then_it_is_none_after_the_stop() -> None:
    table = "on motor_grade walking\n2024-03-01 0 unaided\n2024-03-12 2 cane\n2024-03-20 2 cane"
    motor = motor_of(off_drug(table, "2024-03-20", stopped="2024-03-14", first="2024-01-04"))
    assert {each.criterion.id for each in motor.met} >= {"motor-grade-rise", "disability-or-aid"}
    assert motor.after_stop == ()


def test_given_a_decline_before_the_stop_when_it_goes_on_then_what_came_after_counts() -> None:
    table = "on motor_grade\n2024-03-01 0\n2024-03-12 2\n2024-03-20 3"
    motor = motor_of(off_drug(table, "2024-03-20", stopped="2024-03-14", first="2024-01-04"))
    assert {each.criterion.id for each in motor.after_stop} == {"motor-grade-severe", "motor-grade-rise"}


def test_given_measures_never_recorded_when_asked_then_they_are_missing_and_said_so() -> None:
    situation = on_drug("on sensory_grade\n2024-03-08 1", "2024-03-08")
    assert motor_of(situation).missing == ("walking", "motor_grade", "mrc")
    assert "not recorded" in one(situation, "loss-of-walking").criterion.text
    assert met(situation) == set()


def test_given_no_assessment_at_all_when_asked_then_every_criterion_is_listed_and_none_holds() -> None:
    situation = on_drug("on sensory_grade\n2023-12-01 0", "2024-03-08")
    assert len(motor_of(situation).criteria) == 14
    assert met(situation) == set()


def test_given_a_situation_without_its_picture_when_asked_then_the_same_one_is_drawn() -> None:
    situation = on_drug("on walking\n2024-03-01 unaided\n2024-03-08 wheelchair", "2024-03-08")
    drawn = motor_of(replace(situation, motor=None))
    assert situation.motor is not None
    assert [each.criterion for each in drawn.criteria] == [each.criterion for each in situation.motor.criteria]
