"""What had to be told, by the facts as they came in."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import given, settings

from monitor.clinical.alerts import Reason
from monitor.clinical.coverage import RAISES, Due, Pause, TakenOn, due_to_tell
from monitor.clinical.findings import Urgency
from monitor.clinical.history import Fact, History
from monitor.clinical.replay import replay
from monitor.clinical.stored import KINDS, Stored
from tests.builders import a_history, an_assessment, noon, shipped_policy, weekly_doses
from tests.drawn_histories import drawn_histories

POLICY = shipped_policy()
SYNCOPE = frozenset({"syncope"})
RULE = "autonomic-neuropathy"


def stored(history: History, **came: tuple[Fact, datetime]) -> Stored:
    """A record of which every fact came in when it was known, but for those named: a fact and when it came."""
    lately = {(kind, fact.version): fact.known_at for kind in KINDS for fact in getattr(history, kind)}
    lately |= {("assessments", fact.version): at for fact, at in came.values()}
    return Stored(history=history, lately=lately)


def due_of(record: Stored, since: int, until: int, **more: object) -> list[Due]:
    found = due_to_tell(record, POLICY, since=noon(since), until=noon(until), **more)  # type: ignore[arg-type]  # pauses, taken_on
    return [each for each in found if each.rule == RULE]


def test_given_an_assessment_that_came_in_late_when_asked_then_it_was_due_when_it_came() -> None:
    visit = an_assessment(5, red_flags=SYNCOPE, sensory_grade=0)
    record = stored(a_history(*weekly_doses(2), visit), late=(visit, noon(9)))
    assert [(each.at, each.reason) for each in due_of(record, 0, 12)] == [(noon(9), Reason.NEW)]


def test_given_what_held_at_the_beginning_when_asked_then_it_was_due_then() -> None:
    record = stored(a_history(*weekly_doses(2), an_assessment(5, red_flags=SYNCOPE, sensory_grade=0)))
    assert [each.at for each in due_of(record, 7, 12)] == [noon(7)]


def test_given_a_value_that_was_corrected_within_minutes_when_asked_then_it_was_brief() -> None:
    wrong = an_assessment(5, red_flags=SYNCOPE, sensory_grade=0, fact_id="a", superseded_at=noon(5) + timedelta(minutes=10))
    right = an_assessment(5, sensory_grade=0, fact_id="a", known_at=noon(5) + timedelta(minutes=10))
    assert [each.brief for each in due_of(stored(a_history(*weekly_doses(2), wrong, right)), 0, 12)] == [True]


def test_given_a_pause_of_the_rounds_when_a_value_came_and_went_in_it_then_nothing_was_due() -> None:
    wrong = an_assessment(5, red_flags=SYNCOPE, sensory_grade=0, fact_id="a", superseded_at=noon(6))
    right = an_assessment(5, sensory_grade=0, fact_id="a", known_at=noon(6))
    record = stored(a_history(*weekly_doses(2), wrong, right))
    assert due_of(record, 0, 12, pauses=[Pause(after=noon(4), until=noon(8))]) == []
    assert [each.at for each in due_of(record, 0, 12)] == [noon(5)]


def test_given_a_pause_when_what_came_in_it_stays_then_it_was_due_at_its_end() -> None:
    record = stored(a_history(*weekly_doses(2), an_assessment(5, red_flags=SYNCOPE, sensory_grade=0)))
    assert [each.at for each in due_of(record, 0, 12, pauses=[Pause(after=noon(4), until=noon(8))])] == [noon(8)]


def test_given_an_alert_taken_on_when_another_event_of_the_kind_comes_then_that_was_due_too() -> None:
    first = an_assessment(5, red_flags=SYNCOPE, sensory_grade=0)
    second = an_assessment(9, red_flags=SYNCOPE, sensory_grade=0)
    record = stored(a_history(*weekly_doses(2), first, second))
    taken_on = [TakenOn(rule=RULE, at=noon(6))]
    assert [each.reason for each in due_of(record, 0, 12)] == [Reason.NEW]
    assert [each.reason for each in due_of(record, 0, 12, taken_on=taken_on)] == [Reason.NEW, Reason.NEW_OCCASION]
    assert [each.reason for each in due_of(record, 7, 12, taken_on=taken_on)] == [Reason.NEW, Reason.NEW_OCCASION]


def test_given_a_rule_that_ceased_for_days_when_it_holds_again_then_what_was_told_before_does_not_count() -> None:
    visits = [an_assessment(number, sensory_grade=0, motor_grade=0) for number in (1, 35)]
    record = stored(a_history(*weekly_doses(10), *visits))
    found = due_to_tell(record, POLICY, since=noon(0), until=noon(68))
    overdue = [each.anew for each in found if each.rule == "assessment-overdue" and each.urgency is Urgency.REVIEW]
    assert overdue == [False, True]


@settings(max_examples=60, deadline=None)
@given(drawn_histories)
def test_given_any_history_that_came_in_when_it_was_known_when_asked_from_the_beginning_then_it_is_what_a_replay_says(
    history: History,
) -> None:
    instants = history.instants()
    if not instants:
        return
    until = instants[-1] + timedelta(days=60)
    record = stored(history)
    since = instants[0] - timedelta(days=1)
    found = [(each.at, each.rule, each.urgency, each.reason) for each in due_to_tell(record, POLICY, since=since, until=until)]
    said = [
        (at, transition.after.finding.rule, transition.after.urgency, transition.reason)
        for at, _, transitions in replay(history, POLICY, until=until)
        for transition in transitions
        if transition.reason in RAISES
    ]
    assert found == said
