"""The findings of dose-modification and dose-against-advice. Their answers day by day: tests/guidelines/*.md."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.clinical.findings import Criterion, Finding, RuleAnswer
from monitor.clinical.history import Fact
from monitor.clinical.rules import dose_against_advice, dose_modification
from monitor.clinical.situation import Situation, situate
from tests.builders import a_course, a_dose, a_history, a_patient, an_assessment, at, noon, shipped_policy, weekly_doses

NAMES = ("us-label", "eu-smpc", "imwg-2012")

grades = st.integers(min_value=0, max_value=4)


def situation(on_day: int, *facts: Fact, guideline: str = "us-label") -> Situation:
    now = at(on_day, 23)
    found = situate(a_history(*facts).as_known_at(now), shipped_policy(guideline), now)
    assert found is not None
    return found


def advised(on_day: int, *facts: Fact, guideline: str = "us-label") -> RuleAnswer:
    return dose_modification.answer(situation(on_day, *facts, guideline=guideline))


def against(on_day: int, *facts: Fact, guideline: str = "us-label") -> RuleAnswer:
    return dose_against_advice.answer(situation(on_day, *facts, guideline=guideline))


def found(answer: RuleAnswer) -> Finding:
    assert answer.finding is not None
    return answer.finding


def by_id(answer: RuleAnswer) -> dict[str, Criterion]:
    return {criterion.id: criterion for criterion in answer.criteria}


def test_given_the_published_case_when_grade_1_with_pain_is_recorded_then_the_headline_says_what_when_and_at_which_dose() -> None:
    assessment = an_assessment(47, sensory_grade=1, motor_grade=0, neuropathic_pain=True)
    finding = found(advised(47, a_course(), *weekly_doses(7), assessment))
    assert finding.headline == "sensory grade 1 with neuropathic pain on 2024-02-24 at 1.3 mg/m2: reduce to 1.0 mg/m2"
    assert finding.clinical_at == assessment.at
    assert finding.missing == ()
    assert [each.kind for each in finding.evidence] == ["assessment", "dose"]


def test_given_any_finding_when_it_is_explained_then_the_site_s_row_and_every_other_guideline_answer() -> None:
    answer = advised(15, *weekly_doses(3), an_assessment(15, sensory_grade=2, motor_grade=0, neuropathic_pain=True))
    criteria = by_id(answer)
    assert list(criteria) == [
        "dose-table",
        "withheld-not-resolved",
        "known-baseline",
        "ctcae-version",
        "guideline-eu-smpc",
        "guideline-imwg-2012",
    ]
    assert criteria["dose-table"].met
    read = "grade 2, neuropathic pain yes, 1.3 mg/m2, weekly. Grade 2 with pain, or grade 3: withhold"
    assert read in criteria["dose-table"].text
    assert criteria["guideline-imwg-2012"].text.endswith("would say: discontinue bortezomib")
    assert criteria["guideline-eu-smpc"].source.endswith("[V]")
    assert found(answer).criteria == answer.criteria


def test_given_grade_1_without_pain_when_the_site_s_table_is_silent_then_another_guideline_s_answer_is_still_shown() -> None:
    answer = advised(15, *weekly_doses(3), an_assessment(15, sensory_grade=1, motor_grade=0, neuropathic_pain=False))
    assert answer.finding is None
    assert by_id(answer)["guideline-imwg-2012"].met
    assert not by_id(answer)["guideline-eu-smpc"].met


@pytest.mark.parametrize(("version", "met"), [("4.03", False), ("5.0", True), ("6.0", True), (None, True)])
def test_given_a_grade_of_another_edition_when_the_table_is_read_then_the_extrapolation_is_said(version: str, met: bool) -> None:
    graded = an_assessment(15, sensory_grade=2, motor_grade=0, neuropathic_pain=False, ctcae_version=version)
    criterion = by_id(advised(15, *weekly_doses(3), graded))["ctcae-version"]
    assert criterion.met is met
    assert ("extrapolation" in criterion.text) is met


def test_given_measures_not_recorded_when_they_could_change_the_answer_then_they_are_named() -> None:
    assert found(advised(15, a_course(), an_assessment(15, sensory_grade=2))).missing == (
        "neuropathic_pain",
        "dose_mg_per_m2",
        "motor_grade",
    )
    assert found(advised(15, a_course(), an_assessment(15, sensory_grade=4))).missing == ()


def test_given_pain_and_no_grade_when_answered_then_both_grades_are_asked_for() -> None:
    answer = advised(15, a_course(), *weekly_doses(3), visit := an_assessment(15, neuropathic_pain=True, pain_nrs=6))
    finding = found(answer)
    assert (finding.urgency, finding.weight, finding.occasion) == ("same-day", 0, visit.fact_id)
    assert finding.missing == ("sensory_grade", "motor_grade")
    assert finding.headline.startswith("neuropathic pain on 2024-01-23 at 1.3 mg/m2: sensory and motor grade not recorded")
    assert "grade not recorded, neuropathic pain yes" in by_id(answer)["dose-table"].text
    assert "grade 0" not in "".join(criterion.text for criterion in answer.criteria)
    assert advised(15, a_course(), *weekly_doses(3), an_assessment(15, pain_nrs=6)).finding is None


def test_given_a_worse_answer_when_findings_are_weighed_then_it_is_heavier_and_speaks_again() -> None:
    visits = (
        an_assessment(15, sensory_grade=1, motor_grade=0),  # ask: nothing, or reduce
        an_assessment(15, sensory_grade=1, motor_grade=0, neuropathic_pain=True),  # reduce
        an_assessment(15, sensory_grade=2, motor_grade=0),  # ask: reduce, or withhold
        an_assessment(15, sensory_grade=2, motor_grade=0, neuropathic_pain=True),  # withhold
        an_assessment(15, sensory_grade=4, motor_grade=0),  # discontinue
    )
    weights = [found(advised(15, *weekly_doses(3), visit)).weight for visit in visits]
    assert weights == [1, 2, 3, 4, 6]


@given(
    st.integers(0, 4), st.integers(0, 4), st.booleans(), st.booleans(), st.sampled_from(NAMES), st.sampled_from([0.7, 1.0, 1.3])
)
def test_given_two_visits_when_one_is_better_then_it_is_neither_more_urgent_nor_heavier(
    grade: int, other: int, pain: bool, other_pain: bool, guideline: str, dose: float
) -> None:
    def severity(grade: int, pain: bool) -> tuple[int, int]:
        visit = an_assessment(15, sensory_grade=grade, motor_grade=0, neuropathic_pain=pain and grade > 0)
        finding = advised(15, *weekly_doses(3, dose_mg_per_m2=dose), visit, guideline=guideline).finding
        return (-1, -1) if finding is None else (finding.urgency.rank, finding.weight)

    assert severity(min(grade, other), pain and other_pain) <= severity(max(grade, other), pain or other_pain)


def test_given_advice_still_in_force_when_it_is_seen_again_then_it_is_no_new_occasion() -> None:
    held = an_assessment(15, sensory_grade=3, motor_grade=0, neuropathic_pain=False)
    better = an_assessment(22, sensory_grade=2, motor_grade=0, neuropathic_pain=False)
    first, second = (found(advised(on_day, *weekly_doses(3), held, better)) for on_day in (15, 22))
    assert (first.occasion, second.occasion) == (held.fact_id, held.fact_id)
    assert [each.id for each in second.evidence][:2] == [held.fact_id, better.fact_id]
    assert second.headline.endswith("once weekly (advised on 2024-01-23, not resolved)")
    assert by_id(advised(22, *weekly_doses(3), held, better))["withheld-not-resolved"].met


@pytest.mark.parametrize(("grade", "pain"), [(2, False), (1, True)])
def test_given_advice_that_is_followed_when_the_toxicity_lasts_then_the_criterion_says_since_when(grade: int, pain: bool) -> None:
    visits = [an_assessment(number, sensory_grade=grade, motor_grade=0, neuropathic_pain=pain) for number in (15, 25)]
    answer = advised(25, *weekly_doses(3), visits[0], a_dose(21, 1.0), visits[1])
    table = by_id(answer)["dose-table"]
    assert answer.finding is None
    assert not table.met
    assert table.text.endswith("Answer: no dose action (same grade as on 2024-01-23, when the advice now followed was given)")


def test_given_imwg_when_a_milder_toxicity_lasts_then_it_is_no_worse_and_no_new_step() -> None:
    visits = [
        an_assessment(number, sensory_grade=grade, motor_grade=0, neuropathic_pain=False) for number, grade in ((15, 2), (25, 1))
    ]
    answer = advised(25, *weekly_doses(3), visits[0], a_dose(21, 1.0), visits[1], guideline="imwg-2012")
    assert answer.finding is None
    assert "no worse than on 2024-01-23, when the advice now followed was given" in by_id(answer)["dose-table"].text


def test_given_advice_not_followed_when_the_toxicity_lasts_then_the_same_advice_is_no_new_occasion() -> None:
    visits = [an_assessment(number, sensory_grade=2, motor_grade=0, neuropathic_pain=False) for number in (15, 25)]
    facts = (*weekly_doses(4), *visits)
    first, second = (found(advised(on_day, *facts)) for on_day in (15, 25))
    assert (first.occasion, second.occasion) == (visits[0].fact_id, visits[0].fact_id)
    assert second.headline.endswith("at 1.3 mg/m2: reduce to 1.0 mg/m2 (advised on 2024-01-23)")
    assert "same grade as on 2024-01-23, when the advice was given" in by_id(advised(25, *facts))["dose-table"].text


def test_given_pain_still_not_recorded_when_another_visit_lacks_it_then_the_question_is_a_new_occasion() -> None:
    visits = (an_assessment(15, sensory_grade=2, motor_grade=0), an_assessment(18, sensory_grade=2, motor_grade=0))
    assert [found(advised(on_day, *weekly_doses(3), *visits)).occasion for on_day in (15, 18)] == [
        each.fact_id for each in visits
    ]


def test_given_a_known_baseline_when_the_table_would_speak_then_a_review_note_and_no_order() -> None:
    answer = advised(15, a_patient(baseline_sensory_grade=2), *weekly_doses(3), an_assessment(15, sensory_grade=2, motor_grade=0))
    finding = found(answer)
    assert finding.urgency == "review"
    assert finding.action is not None
    assert (finding.action.kind, finding.action.note) == ("none", "known baseline")
    assert "known baseline" in finding.headline
    assert by_id(answer)["known-baseline"].met
    assert not by_id(answer)["dose-table"].met


def test_given_no_recorded_baseline_when_an_assessment_before_the_first_dose_has_the_grade_then_it_is_the_known_baseline() -> (
    None
):
    before = (an_assessment(-20, sensory_grade=1), an_assessment(-6, sensory_grade=2), an_assessment(-3, motor_grade=1))
    same = an_assessment(15, sensory_grade=2, motor_grade=0, neuropathic_pain=False)
    answer = advised(15, *before, *weekly_doses(3), same)
    assert found(answer).urgency == "review"
    assert by_id(answer)["known-baseline"].met
    said = "before bortezomib sensory grade 2 (assessment of 2024-01-02, before the first dose), motor grade 1"
    assert by_id(answer)["known-baseline"].text.startswith(said)
    worse = an_assessment(15, sensory_grade=3, motor_grade=0, neuropathic_pain=False)
    assert found(advised(15, *before, *weekly_doses(3), worse)).action.kind == "withhold"  # type: ignore[union-attr]  # it has one


def test_given_a_recorded_baseline_or_the_day_of_the_first_dose_when_asked_then_no_assessment_stands_in() -> None:
    same = an_assessment(15, sensory_grade=2, motor_grade=0, neuropathic_pain=False)
    recorded = (a_patient(baseline_sensory_grade=0), an_assessment(-6, sensory_grade=2))
    assert found(advised(15, *recorded, *weekly_doses(3), same)).urgency == "same-day"
    on_the_day = an_assessment(0, sensory_grade=2, at=at(0, 7), day_only=False)
    assert found(advised(15, on_the_day, *weekly_doses(3), same)).urgency == "same-day"


def test_given_a_dose_against_the_advice_when_it_is_found_then_dose_day_and_advice_are_said() -> None:
    visit = an_assessment(47, sensory_grade=1, motor_grade=0, neuropathic_pain=True)
    doses = weekly_doses(10)
    finding = found(against(63, a_course(), *doses, visit))
    assert finding.headline == "1.3 mg/m2 given on 2024-03-11; advice since 2024-02-24: reduce to 1.0 mg/m2"
    assert finding.clinical_at == noon(63)
    assert finding.occasion == doses[-1].fact_id
    assert [each.id for each in finding.evidence] == [visit.fact_id, *(dose.fact_id for dose in doses[-3:])]
    assert [criterion.id for criterion in finding.criteria if criterion.met] == ["dose-above-advised-level"]
    assert finding.criteria[0].text == f"a dose above the advised level: {finding.headline}"
    assert len({criterion.text for criterion in finding.criteria}) == len(finding.criteria)
    assert finding.action is None


def test_given_a_dose_after_discontinue_when_it_is_weighed_then_it_outweighs_one_too_high() -> None:
    def weight(grade: int) -> int:
        visit = an_assessment(15, sensory_grade=grade, motor_grade=0, neuropathic_pain=False)
        return found(against(21, *weekly_doses(4), visit)).weight

    assert weight(2) < weight(3) < weight(4)


def test_given_another_drug_when_a_dose_of_it_follows_then_it_is_not_measured_against_the_advice() -> None:
    visit = an_assessment(15, sensory_grade=2, motor_grade=0, neuropathic_pain=False)
    other = a_dose(18, 27.0, drug="daratumumab")
    assert against(18, *weekly_doses(3), visit, other).finding is None


def test_given_nothing_to_read_when_the_rules_are_explained_then_each_says_why_it_is_silent() -> None:
    nothing, stopped = (a_course(),), (a_course(stopped=14), *weekly_doses(3))
    assert advised(15, *nothing).criteria[0].text == (
        "no sensory or motor grade, and no neuropathic pain, recorded since the first dose"
    )
    assert against(15, *nothing).criteria[0].text == "no bortezomib dose recorded"
    assert "off bortezomib since the last dose on 2024-01-22" in advised(15, *stopped).criteria[0].text
    assert "off bortezomib since the last dose on 2024-01-22" in against(15, *stopped).criteria[0].text


def test_given_a_site_on_another_guideline_when_severe_autonomic_signs_come_then_what_the_eu_would_say_is_shown() -> None:
    visit = an_assessment(15, sensory_grade=1, motor_grade=0, neuropathic_pain=False, red_flags=frozenset({"syncope"}))
    answer = advised(15, *weekly_doses(3), visit)
    assert answer.finding is None
    assert by_id(answer)["guideline-eu-smpc"].met
