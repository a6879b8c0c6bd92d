"""A replay meets every instant at which something became known or time ran out, and numbers nothing."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise

from monitor.clinical.alerts import Reason
from monitor.clinical.evaluate import evaluate
from monitor.clinical.history import History
from monitor.clinical.replay import replay
from tests.builders import a_course, a_dose, a_history, an_assessment, at, noon, shipped_policy, weekly_doses

POLICY = shipped_policy()
SYNCOPE = frozenset({"syncope"})


def changes(history: History, rule: str, until: int) -> list[tuple[Reason, datetime]]:
    return [
        (transition.reason, instant)
        for instant, _, transitions in replay(history, POLICY, until=noon(until))
        for transition in transitions
        if transition.after.finding.rule == rule and transition.reason is not Reason.MORE_EVIDENCE
    ]


def test_given_an_assessment_known_late_when_replayed_then_it_speaks_when_it_was_known() -> None:
    history = a_history(*weekly_doses(2), an_assessment(5, red_flags=SYNCOPE, sensory_grade=0, known_at=noon(7)))
    assert changes(history, "autonomic-neuropathy", 8) == [(Reason.NEW, noon(7))]


def test_given_silence_when_replayed_then_overdue_begins_by_itself_at_midnight() -> None:
    history = a_history(*weekly_doses(5), an_assessment(1, sensory_grade=0, motor_grade=0))
    assert changes(history, "assessment-overdue", 31) == [(Reason.NEW, at(30, 0))]


def test_given_overdue_when_an_assessment_comes_then_resolved() -> None:
    first, second = an_assessment(0, sensory_grade=0, motor_grade=0), an_assessment(30, sensory_grade=0, motor_grade=0)
    history = a_history(a_course(schedule=None), a_dose(20), first, second)
    assert changes(history, "assessment-overdue", 31) == [(Reason.NEW, at(29, 0)), (Reason.RESOLVED, noon(30))]


def test_given_a_correction_when_replayed_then_withdrawn_when_it_was_known() -> None:
    wrong = an_assessment(5, red_flags=SYNCOPE, sensory_grade=0, fact_id="a", version=1, superseded_at=noon(9))
    right = an_assessment(5, sensory_grade=0, fact_id="a", version=2, known_at=noon(9))
    history = a_history(*weekly_doses(3), wrong, right)
    assert changes(history, "autonomic-neuropathy", 12) == [(Reason.NEW, noon(5)), (Reason.WITHDRAWN, noon(9))]


def test_given_a_grade_before_the_first_dose_that_became_known_late_when_replayed_then_the_lower_answer_is_told() -> None:
    before = an_assessment(-6, sensory_grade=2, known_at=noon(12))
    visit = an_assessment(10, sensory_grade=2, motor_grade=0, neuropathic_pain=False)
    history = a_history(*weekly_doses(2), before, visit)
    assert changes(history, "dose-modification", 13) == [(Reason.NEW, noon(10)), (Reason.CORRECTED_LOWER, noon(12))]


def test_given_the_last_instant_when_replayed_then_the_review_is_the_live_one_and_instants_ascend() -> None:
    history = a_history(*weekly_doses(5), an_assessment(3, red_flags=SYNCOPE), an_assessment(17, sensory_grade=2))
    steps = list(replay(history, POLICY, until=noon(90)))
    instants = [instant for instant, _, _ in steps]
    assert instants[-1] == noon(90)
    assert all(earlier < later for earlier, later in pairwise(instants))
    assert steps[-1][1] == evaluate(history, POLICY, noon(90), explain=False)


def test_given_until_before_anything_when_replayed_then_one_empty_review() -> None:
    steps = list(replay(a_history(*weekly_doses(5)), POLICY, until=noon(-10)))
    assert [(instant, review.findings, transitions) for instant, review, transitions in steps] == [(noon(-10), (), ())]
