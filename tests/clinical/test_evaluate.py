"""One review: who is watched, in which order findings come, and when to look again."""

from __future__ import annotations

from datetime import timedelta

from monitor.clinical.evaluate import evaluate
from monitor.clinical.findings import Urgency
from monitor.clinical.rules import RULES
from tests.builders import a_course, a_dose, a_history, an_assessment, at, noon, shipped_policy, weekly_doses

POLICY = shipped_policy()
CONTRACT_ORDER = [
    "dose-modification",
    "dose-against-advice",
    "rapid-motor-decline",
    "worsening-after-discontinuation",
    "relapse-after-treatment",
    "immune-mediated-pattern",
    "autonomic-neuropathy",
    "assessment-overdue",
    "conflicting-record",
]


def test_given_the_registry_when_listed_then_it_is_the_contracts() -> None:
    assert list(RULES) == CONTRACT_ORDER


def test_given_a_watched_patient_when_reviewed_then_every_rule_answers_in_order() -> None:
    review = evaluate(a_history(*weekly_doses(2)), POLICY, noon(10))
    assert [answer.rule for answer in review.answers] == CONTRACT_ORDER
    assert all(answer.criteria for answer in review.answers)


def test_given_never_on_bortezomib_when_reviewed_then_empty() -> None:
    carfilzomib = a_dose(0, drug="carfilzomib")
    review = evaluate(a_history(carfilzomib, an_assessment(5, motor_grade=4, walking="bedbound")), POLICY, noon(9))
    assert (review.findings, review.answers, review.look_again_at) == ((), (), None)


def test_given_a_course_ahead_when_reviewed_then_look_again_on_its_first_day() -> None:
    review = evaluate(a_history(a_course(10, known_at=noon(0))), POLICY, noon(1))
    assert (review.findings, review.look_again_at) == ((), at(10, 0))


def test_given_a_fact_known_later_when_reviewed_then_look_again_when_it_is_known() -> None:
    late = an_assessment(3, sensory_grade=3, known_at=noon(8))
    review = evaluate(a_history(*weekly_doses(1), late), POLICY, noon(5))
    assert review.look_again_at == noon(8)
    assert not review.findings


def test_given_a_dose_dated_ahead_when_reviewed_then_look_again_on_its_day() -> None:
    ahead = a_dose(9, known_at=noon(2))
    assert evaluate(a_history(*weekly_doses(1), ahead), POLICY, noon(5)).look_again_at == at(9, 0)


def test_given_the_watch_is_over_when_reviewed_then_empty() -> None:
    history = a_history(a_course(stopped=7), *weekly_doses(2), an_assessment(6, motor_grade=4, walking="bedbound"))
    last = noon(7 + 365)
    assert evaluate(history, POLICY, last).findings
    assert evaluate(history, POLICY, last + timedelta(days=1)).answers == ()


def test_given_several_findings_when_reviewed_then_most_urgent_first_and_then_in_rule_order() -> None:
    assessment = an_assessment(20, motor_grade=0, walking="unaided", gbs_disability=4, red_flags=frozenset({"syncope"}))
    findings = evaluate(a_history(*weekly_doses(3), assessment), POLICY, noon(60)).findings
    keys = [(-finding.urgency.rank, CONTRACT_ORDER.index(finding.rule)) for finding in findings]
    assert keys == sorted(keys)
    assert findings[0].urgency is Urgency.IMMEDIATE
    assert {"autonomic-neuropathy", "assessment-overdue", "conflicting-record"} <= {finding.rule for finding in findings}


def test_given_an_immediate_finding_when_nobody_looked_for_four_days_then_that_is_overdue() -> None:
    history = a_history(*weekly_doses(5), an_assessment(20, sensory_grade=0, motor_grade=0, red_flags=frozenset({"ileus"})))
    assert "assessment-overdue" not in {finding.rule for finding in evaluate(history, POLICY, noon(23)).findings}
    overdue = [finding for finding in evaluate(history, POLICY, noon(24)).findings if finding.rule == "assessment-overdue"]
    assert [finding.urgency for finding in overdue] == [Urgency.SAME_DAY]


def test_given_a_voided_assessment_when_reviewed_then_it_is_gone() -> None:
    entered = an_assessment(5, red_flags=frozenset({"syncope"}), superseded_at=noon(6), fact_id="a", version=1)
    voided = an_assessment(5, red_flags=frozenset({"syncope"}), known_at=noon(6), voided=True, fact_id="a", version=2)
    history = a_history(*weekly_doses(2), entered, voided)
    assert evaluate(history, POLICY, noon(5)).findings
    assert not evaluate(history, POLICY, noon(6)).findings
