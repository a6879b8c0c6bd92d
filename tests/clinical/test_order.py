"""Two facts of one day without times: what is said does not depend on which row came first."""

from __future__ import annotations

import pytest

from monitor.clinical.evaluate import evaluate
from monitor.clinical.history import Assessment, Dose
from tests.builders import a_dose, a_history, an_assessment, noon, shipped_policy, weekly_doses


def said(*facts: Assessment | Dose) -> list[tuple[str, str]]:
    review = evaluate(a_history(*weekly_doses(1), *facts), shipped_policy(), noon(12))
    return [(finding.rule, finding.headline) for finding in review.findings]


@pytest.mark.parametrize("names", [("a-1", "a-2"), ("a-2", "a-1")])
def test_given_two_visits_of_one_day_when_they_disagree_then_the_worse_is_answered(names: tuple[str, str]) -> None:
    mild = an_assessment(10, fact_id=names[0], motor_grade=0, sensory_grade=0, neuropathic_pain=False)
    worse = an_assessment(10, fact_id=names[1], motor_grade=2, sensory_grade=0, neuropathic_pain=False)
    rules = dict(said(mild, worse))
    assert "reduce to 1.0" in rules["dose-modification"]
    assert "motor grade 0 and 2" in rules["conflicting-record"]


@pytest.mark.parametrize("names", [("d-1", "d-2"), ("d-2", "d-1")])
def test_given_two_doses_of_one_day_when_one_is_against_the_advice_then_it_is_said(names: tuple[str, str]) -> None:
    visit = an_assessment(5, sensory_grade=2, motor_grade=0, neuropathic_pain=False)
    doses = (a_dose(7, 1.0, fact_id=names[0]), a_dose(7, 1.3, fact_id=names[1]))
    assert "1.3 mg/m2 given" in dict(said(visit, *doses))["dose-against-advice"]
