"""What the guidelines that the site does not follow answer to the same question, and whether they agree."""

from __future__ import annotations

from monitor.clinical.evaluate import evaluate
from monitor.clinical.history import History
from monitor.clinical.other_guidelines import OtherAnswer, other_answers
from tests.builders import a_course, a_history, an_assessment, noon, shipped_policy, weekly_doses

NOW = noon(15)


def answers_to(history: History, guideline: str = "us-label") -> dict[str, OtherAnswer]:
    policy = shipped_policy(guideline)
    findings = evaluate(history, policy, NOW).findings
    return {each.guideline: each for each in other_answers(history, policy, NOW, findings)}


def test_given_a_dose_question_when_asked_then_every_other_shipped_guideline_answers() -> None:
    history = a_history(a_course(), *weekly_doses(3), an_assessment(14, sensory_grade=2, neuropathic_pain=True))
    policy = shipped_policy()
    answers = answers_to(history)
    assert set(answers) == {guideline.title for guideline in policy.others}
    assert len(answers) == 2
    for each in policy.others:
        other = shipped_policy(each.name)
        own = next(finding for finding in evaluate(history, other, NOW).findings if finding.rule == "dose-modification")
        assert answers[each.title].action == own.action


def test_given_guidelines_of_one_mind_when_asked_then_the_answer_is_the_same() -> None:
    history = a_history(a_course(), *weekly_doses(3), an_assessment(14, sensory_grade=4, neuropathic_pain=False))
    assert all(each.same and each.action.kind == "discontinue" for each in answers_to(history).values())


def test_given_guidelines_that_differ_when_asked_then_that_is_told() -> None:
    history = a_history(a_course(), *weekly_doses(3), an_assessment(14, sensory_grade=2, neuropathic_pain=True))
    assert not all(each.same for each in answers_to(history).values())


def test_given_severe_autonomic_signs_when_asked_then_those_guidelines_answer_that_name_them() -> None:
    visit = an_assessment(14, autonomic_grade=3)
    answers = answers_to(a_history(a_course(), *weekly_doses(3), visit))
    assert [each.action.kind for each in answers.values()] == ["discontinue"]
    assert not any(each.same for each in answers.values())


def test_given_no_question_of_the_dose_when_asked_then_nobody_answers() -> None:
    visits = (an_assessment(0, walking="unaided"), an_assessment(14, walking="wheelchair"))
    assert answers_to(a_history(a_course(), *weekly_doses(3), *visits)) == {}
