"""The fold of the advice over the assessments. Its consequences day by day: tests/guidelines/advice.md."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.clinical.advice import Advice, AdviceInForce, binding_before, given_after, given_before
from monitor.clinical.advice_fold import advice_in_force, advice_of, with_advice
from monitor.clinical.history import Fact, Schedule
from monitor.clinical.situation import Situation, situate
from tests.builders import a_course, a_dose, a_history, an_assessment, at, shipped_policy, weekly_doses


def folded(*facts: Fact, guideline: str = "us-label") -> AdviceInForce:
    return advice_in_force(situation(*facts, guideline=guideline))


def situation(*facts: Fact, guideline: str = "us-label") -> Situation:
    now = at(200, 23)
    dose = a_dose(199, 0.1)  # keeps the patient on the drug; it is after every assessment of these tests
    found = situate(a_history(*facts, dose).as_known_at(now), shipped_policy(guideline), now)
    assert found is not None
    return found


def newest(*facts: Fact, guideline: str = "us-label") -> Advice:
    found = folded(*facts, guideline=guideline).newest
    assert found is not None
    return found


def advices(doses: tuple[Fact, ...], drawn: list[Fact], guideline: str = "us-label") -> list[Advice]:
    """The advice after each visit."""
    return [newest(a_course(), *doses, *drawn[: place + 1], guideline=guideline) for place in range(len(drawn))]


visits = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 4), st.sampled_from([True, False, None])), min_size=1, max_size=6
).map(
    lambda drawn: [
        an_assessment(20 + 7 * place, sensory_grade=sensory, motor_grade=motor, neuropathic_pain=pain)
        for place, (sensory, motor, pain) in enumerate(drawn)
    ]
)


@given(visits, st.sampled_from(["us-label", "eu-smpc", "imwg-2012"]), st.sampled_from([0.7, 1.0, 1.3, 1.6]))
def test_given_any_course_of_visits_when_advice_follows_advice_then_the_highest_dose_never_rises(
    drawn: list[Fact], guideline: str, dose: float
) -> None:
    found = advices(weekly_doses(9, dose_mg_per_m2=dose), drawn, guideline)
    caps = [advice.standing.cap_mg_per_m2 for advice in found if not advice.standing.discontinued]
    known = [cap for cap in caps if cap is not None]
    assert all(later <= earlier for earlier, later in pairwise(known))
    assert None not in caps[caps.index(known[0]) :] if known else True


@given(visits, st.sampled_from(["us-label", "eu-smpc", "imwg-2012"]))
def test_given_discontinue_when_anything_follows_then_it_stays(drawn: list[Fact], guideline: str) -> None:
    kinds = [advice.action.kind for advice in advices(weekly_doses(9), drawn, guideline)]
    if "discontinue" in kinds:
        assert set(kinds[kinds.index("discontinue") :]) == {"discontinue"}


@given(visits)
def test_given_pain_not_recorded_when_nothing_is_asked_then_it_would_have_changed_nothing(drawn: list[Fact]) -> None:
    for advice in advices(weekly_doses(9), drawn):
        assert advice.action.kind != "ask" or advice.with_pain is not None
        assert advice.pain is None or advice.action.kind != "ask"


def test_given_no_grade_when_an_assessment_is_read_then_it_gives_no_advice() -> None:
    found = folded(*weekly_doses(3), an_assessment(15, walking="unaided", pain_nrs=6))
    assert (found.newest, found.bindings) == (None, ())


def test_given_a_bare_date_when_dose_and_assessment_share_the_day_then_neither_came_first() -> None:
    visit, timed_visit = an_assessment(7), an_assessment(7, at=at(7, 10), day_only=False)
    for dose in (a_dose(7), a_dose(7, at=at(7, 9), day_only=False)):
        assert not given_before(dose, visit)
        assert not given_after(dose, visit)
    assert given_before(a_dose(7, at=at(7, 9), day_only=False), timed_visit)
    assert given_after(a_dose(7, at=at(7, 11), day_only=False), timed_visit)


def test_given_a_dose_when_the_advice_before_it_is_asked_then_it_is_that_of_the_last_earlier_visit() -> None:
    first = an_assessment(15, sensory_grade=2, motor_grade=0, neuropathic_pain=False)
    second = an_assessment(25, sensory_grade=3, motor_grade=0, neuropathic_pain=False)
    found = folded(*weekly_doses(3), first, second).bindings
    assert [binding.assessment for binding in found] == [first, second]
    assert binding_before(found, a_dose(14)) is None
    assert binding_before(found, a_dose(15)) is None
    assert binding_before(found, a_dose(16)) == found[0]
    assert binding_before(found, a_dose(25)) == found[0]
    assert binding_before(found, a_dose(26)) == found[1]


def test_given_visits_that_change_nothing_when_advice_is_folded_then_what_binds_is_said_once() -> None:
    quiet = [an_assessment(number, sensory_grade=1, motor_grade=0, neuropathic_pain=False) for number in (8, 15, 22)]
    loud = [an_assessment(number, sensory_grade=2, motor_grade=0, neuropathic_pain=False) for number in (29, 36, 43)]
    found = folded(*weekly_doses(5), *quiet, *loud)
    assert [binding.assessment for binding in found.bindings] == [quiet[0], loud[0]]
    assert found.newest is not None
    assert found.newest.assessment == loud[-1]


@given(visits, st.sampled_from(["us-label", "eu-smpc", "imwg-2012"]), st.sampled_from([1.3, 1.0, 0.7]))
def test_given_advice_that_is_followed_when_the_same_is_seen_again_then_there_is_nothing_new_to_say(
    drawn: list[Fact], guideline: str, dose: float
) -> None:
    last = newest(a_course(), *weekly_doses(9, dose_mg_per_m2=dose), *drawn, guideline=guideline)
    advised = last.action
    if advised.kind != "reduce" or last.pain is None or advised.dose_mg_per_m2 is None:
        return
    lower = a_dose(70, advised.dose_mg_per_m2)
    visit = last.assessment
    again = an_assessment(
        75, sensory_grade=visit.sensory_grade, motor_grade=visit.motor_grade, neuropathic_pain=visit.neuropathic_pain
    )
    later = newest(a_course(), *weekly_doses(9, dose_mg_per_m2=dose), *drawn, lower, again, guideline=guideline)
    assert later.action.kind == "none"
    assert later.persists is not None
    assert later.standing.cap_mg_per_m2 == last.standing.cap_mg_per_m2


def test_given_a_patient_off_the_drug_when_advice_is_asked_for_then_it_is_folded_only_then() -> None:
    visit = an_assessment(15, sensory_grade=2, motor_grade=0, neuropathic_pain=False)
    on_drug = situation(*weekly_doses(3), visit)
    assert with_advice(on_drug).advice == advice_of(on_drug)
    now = at(60, 23)
    off_drug = situate(a_history(*weekly_doses(3), visit).as_known_at(now), shipped_policy(), now)
    assert off_drug is not None
    assert with_advice(off_drug).advice is None


def test_given_the_present_dose_when_a_later_one_is_stored_then_the_one_before_the_assessment_counts() -> None:
    visit = an_assessment(15, sensory_grade=2, motor_grade=0, neuropathic_pain=False)
    found = newest(a_course(), a_dose(0, 1.3), a_dose(7, 1.0), visit, a_dose(22, 1.3))
    assert found.present_dose is not None
    assert found.present_dose.dose_mg_per_m2 == 1.0
    assert found.action.dose_mg_per_m2 == 0.7


@pytest.mark.parametrize(
    ("days", "schedule"), [((0, 7), "weekly"), ((0, 7, 14), "weekly"), ((0, 3, 7), "twice-weekly"), ((0,), None)]
)
def test_given_few_doses_and_no_label_when_the_schedule_is_asked_then_their_days_tell(
    days: tuple[int, ...], schedule: Schedule | None
) -> None:
    visit = an_assessment(15, sensory_grade=2, motor_grade=0, neuropathic_pain=False)
    found = newest(*(a_dose(number) for number in days), visit)
    assert found.schedule == schedule
