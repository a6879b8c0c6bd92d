"""What a dose table comes to for one patient. Every row in words: tests/guidelines/*.md."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.clinical.dose_table import dose_action, row_for
from monitor.clinical.dose_words import in_words, mg_per_m2
from monitor.clinical.guideline import DoseAction, Guideline
from monitor.clinical.history import Schedule
from tests.builders import shipped_policy

NAMES = ("us-label", "eu-smpc", "imwg-2012")
TOLERANCE = 0.05
BADNESS = {"none": 0, "reduce": 1, "ask": 1, "withhold": 2, "discontinue": 3}

names = st.sampled_from(NAMES)
doses = st.none() | st.floats(min_value=0.3, max_value=2.0).map(lambda dose: round(dose, 2))
schedules = st.sampled_from(["weekly", "twice-weekly", None])
grades = st.integers(min_value=0, max_value=5)
pains = st.sampled_from([True, False, None])


def guideline(name: str) -> Guideline:
    return shipped_policy(name).guideline


def answer(
    name: str,
    grade: int,
    pain: bool | None,
    dose: float | None = 1.3,
    schedule: Schedule | None = "weekly",
    *,
    severe: bool = False,
) -> DoseAction:
    return dose_action(
        guideline(name),
        grade=grade,
        pain=pain,
        current_dose_mg_per_m2=dose,
        schedule=schedule,
        severe_autonomic=severe,
        tolerance_mg_per_m2=TOLERANCE,
    )


def every_option(action: DoseAction) -> list[DoseAction]:
    return [action, *(option for each in action.alternatives for option in every_option(each))]


@given(names, grades, pains, doses, schedules)
def test_given_any_patient_when_the_table_is_read_then_no_option_is_a_no_op_or_a_rise(
    name: str, grade: int, pain: bool | None, dose: float | None, schedule: Schedule | None
) -> None:
    for option in every_option(answer(name, grade, pain, dose, schedule)):
        if option.kind == "reduce" and dose is not None:
            assert option.dose_mg_per_m2 is not None
            lower = option.dose_mg_per_m2 < dose - 1e-9 and option.schedule == "unchanged"
            rarer = option.schedule == "weekly" and schedule == "twice-weekly" and option.dose_mg_per_m2 <= dose + TOLERANCE
            assert lower or rarer
        if option.kind == "withhold" and dose is not None and option.restart_dose_mg_per_m2 is not None:
            assert option.restart_dose_mg_per_m2 < dose


@given(names, st.integers(1, 5), st.integers(1, 5), st.booleans(), st.booleans(), doses, schedules)
def test_given_two_patients_when_one_is_worse_then_the_table_never_asks_less_of_him(
    name: str, grade: int, other: int, pain: bool, other_pain: bool, dose: float | None, schedule: Schedule | None
) -> None:
    milder = answer(name, min(grade, other), pain and other_pain, dose, schedule)
    worse = answer(name, max(grade, other), pain or other_pain, dose, schedule)
    assert BADNESS[worse.kind] >= BADNESS[milder.kind]


@given(names, st.integers(1, 5), doses, schedules)
def test_given_pain_not_recorded_when_the_branches_differ_then_both_are_shown_the_one_without_first(
    name: str, grade: int, dose: float | None, schedule: Schedule | None
) -> None:
    asked, without = answer(name, grade, None, dose, schedule), answer(name, grade, False, dose, schedule)
    with_pain = answer(name, grade, True, dose, schedule)
    if asked.kind != "ask":
        assert asked == without
        assert (without.kind, without.dose_mg_per_m2) == (with_pain.kind, with_pain.dose_mg_per_m2)
        return
    assert [branch.note.partition(";")[0] for branch in asked.alternatives] == [
        "without neuropathic pain",
        "with neuropathic pain",
    ]
    assert [replace(branch, note="") for branch in asked.alternatives] == [replace(without, note=""), replace(with_pain, note="")]


@given(names, st.integers(1, 5), st.booleans(), doses, schedules)
def test_given_any_answer_from_a_row_when_it_is_read_then_it_cites_the_row_and_its_confidence(
    name: str, grade: int, pain: bool, dose: float | None, schedule: Schedule | None
) -> None:
    row = row_for(guideline(name), grade, pain)
    for option in every_option(answer(name, grade, pain, dose, schedule)):
        assert option.source == f"{row.source} [{row.confidence}]"


def test_given_the_published_case_when_the_us_label_is_asked_then_reduce_to_1_0_schedule_unchanged() -> None:
    said = answer("us-label", 1, True)
    assert (said.kind, said.dose_mg_per_m2, said.schedule, said.alternatives) == ("reduce", 1.0, "unchanged", ())


def test_given_the_published_case_when_the_eu_table_is_asked_then_the_weekly_option_is_suppressed() -> None:
    said = answer("eu-smpc", 1, True)
    assert (said.kind, said.dose_mg_per_m2, said.schedule, said.alternatives) == ("reduce", 1.0, "unchanged", ())
    assert said.note == "already weekly"


@pytest.mark.parametrize("dose", [1.25, 1.27, 1.3, 1.35])
def test_given_a_dose_within_the_tolerance_when_the_table_is_read_then_it_is_the_level(dose: float) -> None:
    assert answer("us-label", 2, False, dose) == answer("us-label", 2, False, 1.3)


@pytest.mark.parametrize("name", NAMES)
def test_given_grade_5_when_the_table_is_read_then_it_is_answered_as_grade_4(name: str) -> None:
    assert answer(name, 5, None).kind == "discontinue"


@pytest.mark.parametrize(("name", "kind"), [("us-label", "none"), ("eu-smpc", "discontinue"), ("imwg-2012", "none")])
def test_given_severe_autonomic_signs_when_the_table_names_them_then_discontinue_else_silent(name: str, kind: str) -> None:
    assert answer(name, 0, False, severe=True).kind == kind


def test_given_a_guideline_without_a_row_when_it_is_read_then_it_is_a_defect_and_not_an_answer() -> None:
    holed = replace(guideline("us-label"), rows=guideline("us-label").rows[:3])
    with pytest.raises(ValueError, match="us-label has no row for grade 4, pain True"):
        row_for(holed, 4, True)


@pytest.mark.parametrize(
    ("name", "marks"),
    [("us-label", {"M, high"}), ("eu-smpc", {"V"}), ("imwg-2012", {"M, moderate", "M, moderate; the least certain row"})],
)
def test_given_a_shipped_guideline_when_it_is_read_then_every_row_has_its_confidence(name: str, marks: set[str]) -> None:
    rows = guideline(name).rows
    assert sorted((row.grade, row.pain) for row in rows) == [(grade, pain) for grade in (1, 2, 3, 4) for pain in (False, True)]
    assert {row.confidence for row in rows} == marks
    assert all(row.text and row.source for row in rows)


def test_given_the_least_certain_row_when_imwg_is_read_then_it_is_grade_1_without_pain() -> None:
    uncertain = [(row.grade, row.pain) for row in guideline("imwg-2012").rows if "least certain" in row.confidence]
    assert uncertain == [(1, False)]


@pytest.mark.parametrize(
    ("action", "words"),
    [
        (answer("eu-smpc", 2, False, 1.3, "twice-weekly"), "reduce to 1.0 mg/m2, or change to 1.3 mg/m2 once weekly"),
        (answer("us-label", 3, False), "withhold until resolved, then 0.7 mg/m2 once weekly"),
        (answer("us-label", 3, False, 0.7), "withhold until resolved, then at the dose the prescriber decides"),
        (answer("us-label", 1, None), "ask about neuropathic pain: without it no dose action; with it reduce to 1.0 mg/m2"),
        (answer("us-label", 2, False, 0.7), "no lower table level: prescriber decision"),
        (answer("imwg-2012", 1, False, None), "reduce to one level below the present dose"),
        (answer("us-label", 4, False), "discontinue bortezomib"),
    ],
)
def test_given_an_answer_when_it_is_put_into_words_then_a_nurse_can_read_it(action: DoseAction, words: str) -> None:
    assert in_words(action) == words


@pytest.mark.parametrize(("dose", "words"), [(1.0, "1.0 mg/m2"), (1.3, "1.3 mg/m2"), (1.27, "1.27 mg/m2"), (0.7, "0.7 mg/m2")])
def test_given_a_dose_when_it_is_written_then_it_keeps_its_unit_and_a_decimal(dose: float, words: str) -> None:
    assert mg_per_m2(dose) == words
