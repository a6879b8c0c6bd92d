"""What must hold for every history: replay is live, order is nothing, silence is kept, and better is never worse."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.clinical.alerts import Alert, Reason
from monitor.clinical.evaluate import evaluate
from monitor.clinical.findings import Finding, Review
from monitor.clinical.history import Fact, History
from monitor.clinical.lifecycle import ACTIVE, decide
from monitor.clinical.replay import replay
from tests.builders import a_history, shipped_policy
from tests.drawn_histories import IMPROVEMENTS, all_voided, drawn_facts, drawn_histories, instants, without_bortezomib

POLICY = shipped_policy()
examples = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def gist(finding: Finding) -> tuple[object, ...]:
    """All of a finding but its sentences, which may count days."""
    met = tuple((criterion.id, criterion.met) for criterion in finding.criteria)
    return (
        finding.rule,
        finding.urgency,
        finding.clinical_at,
        finding.action,
        met,
        finding.evidence,
        finding.weight,
        finding.occasion,
    )


def rank_of(review: Review, rule: str) -> int:
    return max((finding.urgency.rank for finding in review.findings if finding.rule == rule), default=-1)


def active_at(history: History, until: datetime) -> tuple[Alert, ...]:
    active: dict[str, Alert] = {}
    for _, _, transitions in replay(history, POLICY, until=until):
        for transition in transitions:
            active[transition.after.finding.rule] = transition.after
    return tuple(alert for alert in active.values() if alert.state in ACTIVE)


@examples
@given(drawn_histories, instants)
def test_given_any_history_when_replayed_then_the_last_review_is_the_live_one(history: History, until: datetime) -> None:
    *_, (instant, review, _) = replay(history, POLICY, until=until)
    assert instant == until
    assert review == evaluate(history, POLICY, until, explain=False)
    assert evaluate(history.as_known_at(until), POLICY, until).findings == review.findings


@examples
@given(drawn_histories, instants)
def test_given_any_history_when_no_explanation_is_asked_for_then_the_same_is_found(history: History, now: datetime) -> None:
    explained, brief = evaluate(history, POLICY, now), evaluate(history, POLICY, now, explain=False)
    assert (brief.findings, brief.look_again_at) == (explained.findings, explained.look_again_at)
    for answer, shorter in zip(explained.answers, brief.answers, strict=True):
        assert shorter.criteria == answer.criteria or (answer.finding is None and not shorter.criteria)


@examples
@given(drawn_facts().flatmap(lambda facts: st.tuples(st.just(facts), st.permutations(facts))), instants)
def test_given_the_same_facts_when_they_come_in_another_order_then_the_same_review(
    orders: tuple[list[Fact], list[Fact]], now: datetime
) -> None:
    one, other = (a_history(*order) for order in orders)
    assert one == other
    assert evaluate(one, POLICY, now) == evaluate(other, POLICY, now)


@examples
@given(drawn_histories, instants)
def test_given_told_findings_when_nothing_changed_then_silent(history: History, now: datetime) -> None:
    review = evaluate(history, POLICY, now)
    told = decide((), review, patient_id=history.patient_id, history=history, now=now)
    assert [change.reason for change in told] == [Reason.NEW] * len(review.findings)
    alerts = tuple(change.after for change in told)
    assert decide(alerts, review, patient_id=history.patient_id, history=history, now=now + timedelta(minutes=1)) == ()


@examples
@given(drawn_histories, instants)
def test_given_alerts_when_every_record_they_rest_on_is_taken_back_then_withdrawn(history: History, until: datetime) -> None:
    when = until + timedelta(minutes=1)
    alerts = active_at(history, until)
    after = all_voided(history, when)
    review = evaluate(after, POLICY, when)
    still = {finding.rule for finding in review.findings}
    rested = {
        alert.finding.rule
        for alert in alerts
        if any(evidence.kind in {"assessment", "lab", "investigation"} for evidence in alert.finding.evidence)
    }
    changes = decide(alerts, review, patient_id=history.patient_id, history=after, now=when)
    assert {change.after.finding.rule for change in changes if change.reason is Reason.WITHDRAWN} >= rested - still


@examples
@given(drawn_histories, instants)
def test_given_never_on_bortezomib_when_evaluated_then_no_rule_speaks(history: History, now: datetime) -> None:
    review = evaluate(without_bortezomib(history), POLICY, now)
    assert (review.findings, review.answers) == ((), ())


@examples
@given(drawn_histories, instants, st.floats(min_value=0, max_value=0.999))
def test_given_a_review_when_time_passes_up_to_its_next_look_then_the_same_findings(
    history: History, now: datetime, share: float
) -> None:
    review = evaluate(history, POLICY, now)
    until = review.look_again_at or now + timedelta(days=900)
    assert until > now
    between = now + (until - now) * share
    assert [gist(finding) for finding in evaluate(history, POLICY, between).findings] == [
        gist(finding) for finding in review.findings
    ]


@examples
@given(drawn_histories, instants, st.sampled_from(sorted(IMPROVEMENTS)))
def test_given_the_newest_visit_when_a_measure_is_better_then_motor_decline_is_no_more_urgent(
    history: History, now: datetime, measure: str
) -> None:
    known = history.as_known_at(now)
    if not known.assessments:
        return
    better = replace(known, assessments=(*known.assessments[:-1], IMPROVEMENTS[measure](known.assessments[-1])))
    before, after = evaluate(known, POLICY, now), evaluate(better, POLICY, now)
    assert rank_of(after, "rapid-motor-decline") <= rank_of(before, "rapid-motor-decline")
