"""The life of an alert: every transition has its reason, and only the worse, the new and the corrected speak."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from monitor.clinical.alerts import Alert, AlertError, Reason, Transition
from monitor.clinical.findings import Evidence, Finding, Review, Urgency
from monitor.clinical.guideline import DoseAction
from monitor.clinical.history import Course, History, history_of
from monitor.clinical.lifecycle import acknowledge, decide, snooze
from tests.builders import NOW, PATIENT_ID, a_dose, a_finding, a_history, an_assessment

LATER = NOW + timedelta(hours=5)
FACT = an_assessment(1, fact_id="a-1", version=1)
RECORD = a_history(FACT)
CORRECTED = a_history(replace(FACT, superseded_at=NOW), replace(FACT, version=2, known_at=NOW))


def told(*findings: Finding, alerts: tuple[Alert, ...] = (), history: History = RECORD) -> tuple[Transition, ...]:
    review = Review(findings=findings, look_again_at=None)
    return decide(alerts, review, patient_id=PATIENT_ID, history=history, now=LATER)


def an_alert(finding: Finding | None = None, **given: object) -> Alert:
    alert = Alert(alert_id=7, patient_id=PATIENT_ID, state="open", finding=finding or a_finding(), opened_at=NOW, raised_at=NOW)
    return alert.changed(**given)


def acknowledged(finding: Finding | None = None) -> Alert:
    return acknowledge(an_alert(finding), by="Nurse", note=None, now=NOW)


def only(transitions: tuple[Transition, ...]) -> Transition:
    assert len(transitions) == 1
    return transitions[0]


def test_given_no_alert_when_found_then_new() -> None:
    change = only(told(a_finding()))
    assert (change.reason, change.speaks, change.before) == (Reason.NEW, True, None)
    assert (change.after.state, change.after.opened_at, change.after.raised_at) == ("open", LATER, LATER)


def test_given_an_alert_when_the_same_is_found_then_nothing() -> None:
    assert told(a_finding(), alerts=(an_alert(),)) == ()
    assert told(a_finding(), alerts=(acknowledged(),)) == ()


def test_given_a_closed_alert_when_found_then_a_new_one() -> None:
    assert only(told(a_finding(), alerts=(an_alert(state="resolved"),))).reason is Reason.NEW


@pytest.mark.parametrize("worse", [a_finding(urgency=Urgency.IMMEDIATE), a_finding(weight=1)])
def test_given_an_acknowledged_and_snoozed_alert_when_worse_then_it_speaks_and_is_open_again(worse: Finding) -> None:
    before = acknowledged().changed(snoozed_until=LATER + timedelta(hours=1))
    change = only(told(worse, alerts=(before,)))
    assert (change.reason, change.speaks) == (Reason.WORSE, True)
    assert (change.after.state, change.after.snoozed_until, change.after.acknowledged_at) == ("open", None, None)
    assert (change.after.alert_id, change.after.opened_at, change.after.raised_at) == (7, NOW, LATER)


def test_given_an_acknowledged_alert_when_another_occasion_then_it_speaks() -> None:
    change = only(told(a_finding(occasion="2 March"), alerts=(acknowledged(a_finding(occasion="1 March")),)))
    assert (change.reason, change.speaks, change.after.state) == (Reason.NEW_OCCASION, True, "open")


def test_given_an_acknowledged_alert_when_a_later_and_milder_event_then_it_speaks_with_its_own_urgency() -> None:
    before = acknowledged(a_finding(urgency=Urgency.IMMEDIATE, occasion="1 March"))
    later = a_finding(occasion="30 May", clinical_at=before.finding.clinical_at + timedelta(days=90))
    change = only(told(later, alerts=(before,)))
    assert (change.reason, change.after.state, change.after.urgency) == (Reason.NEW_OCCASION, "open", Urgency.SAME_DAY)


def test_given_a_course_that_merely_ended_when_its_finding_ceases_then_resolved_and_not_withdrawn() -> None:
    begun = Course(fact_id="c", version=1, known_at=NOW, superseded_at=LATER, drug="bortezomib", started_on=NOW.date())
    ended = replace(begun, version=2, known_at=LATER, superseded_at=None, discontinued_on=NOW.date())
    seen = Evidence(kind="course", id="c", version=1, at=NOW)
    history = history_of(PATIENT_ID, [begun, ended])
    change = only(told(alerts=(acknowledged(a_finding(evidence=(seen,))),), history=history))
    assert change.reason is Reason.RESOLVED
    moved = history_of(PATIENT_ID, [begun, replace(ended, started_on=NOW.date() - timedelta(days=9))])
    assert only(told(alerts=(acknowledged(a_finding(evidence=(seen,))),), history=moved)).reason is Reason.WITHDRAWN


def test_given_an_open_alert_when_another_occasion_then_silent() -> None:
    change = only(told(a_finding(occasion="2 March"), alerts=(an_alert(a_finding(occasion="1 March")),)))
    assert (change.reason, change.speaks, change.after.finding.occasion) == (Reason.MORE_EVIDENCE, False, "2 March")


def test_given_an_alert_when_more_is_known_then_kept_silently() -> None:
    change = only(told(a_finding(headline="other values"), alerts=(acknowledged(),)))
    assert (change.reason, change.speaks, change.after.state) == (Reason.MORE_EVIDENCE, False, "acknowledged")
    assert change.after.finding.headline == "other values"


def test_given_an_alert_when_less_urgent_then_the_episode_keeps_its_highest() -> None:
    before = an_alert(a_finding(urgency=Urgency.IMMEDIATE, weight=2, occasion="1 March"))
    change = only(told(a_finding(urgency=Urgency.REVIEW, headline="better", occasion="9 March"), alerts=(before,)))
    kept = change.after.finding
    assert change.reason is Reason.MORE_EVIDENCE
    assert (kept.urgency, kept.weight, kept.occasion, kept.headline) == (Urgency.IMMEDIATE, 2, "1 March", "better")
    assert told(a_finding(urgency=Urgency.REVIEW, headline="better", occasion="9 March"), alerts=(change.after,)) == ()


def test_given_the_record_is_corrected_when_less_urgent_then_lowered_and_told() -> None:
    before = an_alert(a_finding(urgency=Urgency.IMMEDIATE))
    change = only(told(a_finding(evidence=()), alerts=(before,), history=CORRECTED))
    assert (change.reason, change.speaks, change.after.urgency) == (Reason.CORRECTED_LOWER, True, Urgency.SAME_DAY)


@pytest.mark.parametrize("weight", [1, 2])
def test_given_the_record_is_corrected_when_another_dose_is_advised_then_told(weight: int) -> None:
    hold, reduce = DoseAction(kind="withhold"), DoseAction(kind="reduce", dose_mg_per_m2=1.0, schedule="unchanged")
    before = an_alert(a_finding(action=hold, weight=2))
    change = only(told(a_finding(action=reduce, weight=weight, evidence=()), alerts=(before,), history=CORRECTED))
    assert (change.reason, change.speaks, change.after.finding.action) == (Reason.CORRECTED_LOWER, True, reduce)
    same = only(told(a_finding(action=hold, weight=weight, evidence=()), alerts=(before,), history=CORRECTED))
    assert (same.reason, same.speaks) == (Reason.MORE_EVIDENCE, False)
    another_visit = a_finding(action=reduce, weight=weight, evidence=(), clinical_at=LATER)
    assert only(told(another_visit, alerts=(before,))).reason is Reason.MORE_EVIDENCE


def test_given_a_baseline_that_became_known_later_when_the_same_visit_asks_for_less_then_told() -> None:
    before = an_alert(a_finding(action=DoseAction(kind="reduce", dose_mg_per_m2=1.0), weight=2))
    change = only(told(a_finding(action=DoseAction(kind="none"), urgency=Urgency.REVIEW), alerts=(before,)))
    assert (change.reason, change.speaks, change.after.urgency) == (Reason.CORRECTED_LOWER, True, Urgency.REVIEW)


def test_given_the_only_dose_was_another_drug_when_corrected_then_whatever_rested_on_it_is_withdrawn() -> None:
    dose = a_dose(0, fact_id="d-1", version=1)
    history = a_history(FACT, replace(dose, superseded_at=NOW), replace(dose, version=2, known_at=NOW, drug="carfilzomib"))
    change = only(told(alerts=(an_alert(),), history=history))
    assert (change.reason, change.after.state) == (Reason.WITHDRAWN, "withdrawn")


def test_given_a_fallen_urgency_when_its_old_evidence_is_corrected_later_then_lowered() -> None:
    fallen = only(told(a_finding(evidence=(), headline="better"), alerts=(an_alert(a_finding(urgency=Urgency.IMMEDIATE)),))).after
    assert only(told(a_finding(evidence=()), alerts=(fallen,), history=CORRECTED)).reason is Reason.CORRECTED_LOWER


def test_given_an_open_alert_when_it_ceases_then_it_waits_for_its_acknowledgement() -> None:
    change = only(told(alerts=(an_alert(),)))
    assert (change.reason, change.speaks, change.after.state, change.after.holds) == (
        Reason.NO_LONGER_HOLDS,
        False,
        "open",
        False,
    )
    assert told(alerts=(change.after,)) == ()
    closed = acknowledge(change.after, by="Nurse", note="seen", now=LATER)
    assert (closed.state, closed.closed_at, closed.acknowledged_note) == ("resolved", LATER, "seen")


@pytest.mark.parametrize("before", [acknowledged(), an_alert(a_finding(urgency=Urgency.REVIEW))])
def test_given_acknowledged_or_a_mere_review_when_it_ceases_then_resolved(before: Alert) -> None:
    change = only(told(alerts=(before,)))
    assert (change.reason, change.speaks, change.after.state, change.after.closed_at) == (
        Reason.RESOLVED,
        False,
        "resolved",
        LATER,
    )


@pytest.mark.parametrize("before", [an_alert(), acknowledged(), an_alert(holds=False)])
def test_given_the_record_is_corrected_when_it_ceases_then_withdrawn_and_told(before: Alert) -> None:
    change = only(told(alerts=(before,), history=CORRECTED))
    assert (change.reason, change.speaks, change.after.state) == (Reason.WITHDRAWN, True, "withdrawn")


def test_given_the_evidence_is_deleted_when_it_ceases_then_withdrawn() -> None:
    change = only(told(alerts=(an_alert(),), history=a_history(replace(FACT, superseded_at=NOW))))
    assert change.reason is Reason.WITHDRAWN


def test_given_it_had_ceased_when_found_again_then_it_speaks() -> None:
    change = only(told(a_finding(), alerts=(an_alert(holds=False),)))
    assert (change.reason, change.speaks, change.after.holds, change.after.state) == (Reason.AGAIN, True, True, "open")


def test_given_two_rules_when_one_ceases_then_each_has_its_own_alert() -> None:
    overdue = a_finding("assessment-overdue", Urgency.REVIEW, evidence=())
    changes = told(overdue, alerts=(an_alert(),))
    assert [(change.after.finding.rule, change.reason) for change in changes] == [
        ("assessment-overdue", Reason.NEW),
        ("rapid-motor-decline", Reason.NO_LONGER_HOLDS),
    ]


def test_given_an_alert_when_acknowledged_twice_then_the_first_stands() -> None:
    once = acknowledged()
    assert acknowledge(once, by="Another", note=None, now=LATER) == once


def test_given_a_closed_alert_when_acknowledged_then_refused() -> None:
    with pytest.raises(AlertError, match="withdrawn already"):
        acknowledge(an_alert(state="withdrawn"), by="Nurse", note=None, now=LATER)


def test_given_an_act_without_a_name_when_tried_then_refused() -> None:
    with pytest.raises(AlertError, match="who"):
        acknowledge(an_alert(), by=" ", note=None, now=LATER)


def test_given_an_immediate_alert_when_snoozed_then_refused() -> None:
    alert = an_alert(a_finding(urgency=Urgency.IMMEDIATE))
    with pytest.raises(AlertError, match="immediate alert cannot be snoozed"):
        snooze(alert, until=LATER, by="Nurse", reason="clinic tomorrow", now=NOW)


@pytest.mark.parametrize(
    ("hours", "reason", "match"), [(73, "clinic", "at most 72 h"), (0, "clinic", "in the future"), (1, " ", "reason")]
)
def test_given_a_same_day_alert_when_snoozed_too_long_or_without_reason_then_refused(hours: int, reason: str, match: str) -> None:
    with pytest.raises(AlertError, match=match):
        snooze(an_alert(), until=NOW + timedelta(hours=hours), by="Nurse", reason=reason, now=NOW)


def test_given_a_same_day_alert_when_snoozed_then_it_keeps_the_time() -> None:
    until = NOW + timedelta(hours=72)
    assert snooze(an_alert(), until=until, by="Nurse", reason="clinic on Monday", now=NOW).snoozed_until == until
