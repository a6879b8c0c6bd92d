"""Every motor criterion has a word for the sentences that name it."""

from __future__ import annotations

from monitor.clinical.evaluate import evaluate
from monitor.clinical.rules import rapid_motor_decline
from monitor.clinical.words import MOTOR_CRITERIA
from tests.builders import a_course, a_history, an_assessment, noon, shipped_policy


def test_given_the_rule_of_motor_decline_when_all_its_criteria_are_named_then_each_has_a_word() -> None:
    review = evaluate(a_history(a_course(), an_assessment(3, motor_grade=1)), shipped_policy(), noon(4))
    (answer,) = (each for each in review.answers if each.rule == rapid_motor_decline.NAME)
    assert {criterion.id for criterion in answer.criteria} == set(MOTOR_CRITERIA)
