"""What becomes of the alerts of one patient after a review, and after a person's act.

One active alert per patient and rule. Worse speaks again, the same never does, and nothing that was told ends unsaid.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from monitor.clinical.alerts import Alert, AlertError, Reason, State, Transition
from monitor.clinical.dose_table import same_answer
from monitor.clinical.findings import Evidence, Finding, Review, Urgency
from monitor.clinical.history import BORTEZOMIB, Fact, History
from monitor.clinical.words import URGENCIES
from monitor.said import say

ACTIVE = frozenset({"open", "acknowledged"})

SNOOZE_AT_MOST = {Urgency.SAME_DAY: timedelta(hours=72), Urgency.REVIEW: timedelta(days=28)}
"""Longest snooze by urgency; immediate has none. Our judgement (J), as the urgencies themselves."""

_STATES = {"resolved": say("closed"), "withdrawn": say("withdrawn")}


def decide(
    alerts: Sequence[Alert], review: Review, *, patient_id: str, history: History, now: datetime
) -> tuple[Transition, ...]:
    """What changes, most urgent finding first, then the alerts that no longer hold. Nothing changed: nothing comes back.

    ``alerts`` are this patient's; closed ones are ignored. ``history`` may hold all versions. Of a record that became part of
    another one nothing is said any more: its alerts close, and the other patient's speak.
    """
    if history.joined is not None and history.joined.at <= now:
        closing = sorted((each for each in alerts if each.state in ACTIVE), key=lambda each: -each.urgency.rank)
        return tuple(_closed(alert, "withdrawn", Reason.MERGED, now) for alert in closing)
    active = {alert.finding.rule: alert for alert in alerts if alert.state in ACTIVE}
    record = _Record(history, now)
    transitions = [
        _holds(active.get(finding.rule), finding, patient_id=patient_id, record=record, now=now) for finding in review.findings
    ]
    held = {finding.rule for finding in review.findings}
    transitions += [_ceased(alert, record, now) for rule, alert in active.items() if rule not in held]
    return tuple(transition for transition in transitions if transition is not None)


class _Record:
    """The facts in force at one instant, looked up only when an alert ceases or falls."""

    def __init__(self, history: History, now: datetime) -> None:
        self._history, self._now = history, now
        self._in_force: set[tuple[str, str, int]] | None = None

    def corrected(self, evidence: tuple[Evidence, ...]) -> bool:
        """Whether a version that the evidence names was superseded or voided since; a filled-in end is no correction."""
        if self._in_force is None:
            known = self._history.as_known_at(self._now)
            self._in_force = _versions(known) | _merely_ended(self._history, known)
        return any((each.kind, each.id, each.version) not in self._in_force for each in evidence)

    def retracted(self) -> bool:
        """Whether the record said once that the patient had bortezomib, and says so no longer."""
        return _had_bortezomib(self._history) and not _had_bortezomib(self._history.as_known_at(self._now))


def _had_bortezomib(history: History) -> bool:
    drugs = [course.drug for course in history.courses] + [dose.drug for dose in history.doses]
    return BORTEZOMIB in drugs


def _versions(history: History) -> set[tuple[str, str, int]]:
    kinds: dict[str, tuple[Fact, ...]] = {
        "course": history.courses,
        "dose": history.doses,
        "assessment": history.assessments,
        "lab": history.labs,
        "investigation": history.investigations,
        "treatment": history.treatments,
    }
    return {(kind, fact.fact_id, fact.version) for kind, facts in kinds.items() for fact in facts}


def _merely_ended(history: History, known: History) -> set[tuple[str, str, int]]:
    """Earlier versions of courses and treatments that differ from the one in force by nothing but its end."""
    courses = {(course.fact_id, course.drug, course.started_on) for course in known.courses}
    treatments = {(each.fact_id, each.treatment, each.started_on) for each in known.treatments}
    return {
        ("course", course.fact_id, course.version)
        for course in history.courses
        if course.discontinued_on is None and (course.fact_id, course.drug, course.started_on) in courses
    } | {
        ("treatment", each.fact_id, each.version)
        for each in history.treatments
        if each.stopped_on is None and (each.fact_id, each.treatment, each.started_on) in treatments
    }


def _holds(alert: Alert | None, finding: Finding, *, patient_id: str, record: _Record, now: datetime) -> Transition | None:
    if alert is None:
        opened = Alert(alert_id=None, patient_id=patient_id, state="open", finding=finding, opened_at=now, raised_at=now)
        return Transition(before=None, after=opened, reason=Reason.NEW)
    if alert.finding == finding and alert.holds:
        return None
    if not alert.holds:
        return _speaks_again(alert, finding, Reason.AGAIN, now)
    heaviness, kept = (finding.urgency.rank, finding.weight), (alert.finding.urgency.rank, alert.finding.weight)
    if heaviness > kept:
        return _speaks_again(alert, finding, Reason.WORSE, now)
    if heaviness < kept:
        if _same_visit_other_advice(alert, finding) or record.corrected(alert.finding.evidence):
            return _lowered(alert, finding, now)
        if _another_event(alert, finding) and finding.clinical_at > alert.finding.clinical_at:
            return _speaks_again(alert, finding, Reason.NEW_OCCASION, now)
        # What was told stays in mind: as bad again on another occasion is new, and its evidence may yet be corrected.
        told, present = alert.finding, frozenset(finding.evidence)
        evidence = finding.evidence + tuple(each for each in told.evidence if each not in present)
        return _silently(
            alert, replace(finding, urgency=told.urgency, weight=told.weight, occasion=told.occasion, evidence=evidence)
        )
    if _another_event(alert, finding):
        return _speaks_again(alert, finding, Reason.NEW_OCCASION, now)
    if _same_visit_other_advice(alert, finding) or (_other_advice(alert, finding) and record.corrected(alert.finding.evidence)):
        return _lowered(alert, finding, now)
    return _silently(alert, replace(finding, occasion=finding.occasion or alert.finding.occasion))


def _another_event(alert: Alert, finding: Finding) -> bool:
    """Whether somebody took on one event and this is another. A milder one counts too, if it came later: see ``_holds``."""
    return alert.state == "acknowledged" and bool(finding.occasion) and finding.occasion != alert.finding.occasion


def _other_advice(alert: Alert, finding: Finding) -> bool:
    """Whether another dose is advised than the one that was told."""
    told, advised = alert.finding.action, finding.action
    return told is not None and advised is not None and not same_answer(told, advised)


def _same_visit_other_advice(alert: Alert, finding: Finding) -> bool:
    """Whether the visit that was told of is read otherwise now: a baseline, or an earlier dose, became known after it."""
    return finding.clinical_at == alert.finding.clinical_at and _other_advice(alert, finding)


def _speaks_again(alert: Alert, finding: Finding, reason: Reason, now: datetime) -> Transition:
    after = alert.changed(
        state="open",
        finding=finding,
        raised_at=now,
        holds=True,
        acknowledged_at=None,
        acknowledged_by=None,
        acknowledged_note=None,
        snoozed_until=None,
    )
    return Transition(before=alert, after=after, reason=reason)


def _lowered(alert: Alert, finding: Finding, now: datetime) -> Transition:
    if finding.urgency is alert.urgency and not _other_advice(alert, finding):  # nothing to be done otherwise
        return Transition(before=alert, after=alert.changed(finding=finding), reason=Reason.MORE_EVIDENCE)
    return Transition(before=alert, after=alert.changed(finding=finding, raised_at=now), reason=Reason.CORRECTED_LOWER)


def _silently(alert: Alert, finding: Finding) -> Transition | None:
    if finding == alert.finding:
        return None
    return Transition(before=alert, after=alert.changed(finding=finding), reason=Reason.MORE_EVIDENCE)


def _ceased(alert: Alert, record: _Record, now: datetime) -> Transition | None:
    if record.corrected(alert.finding.evidence) or record.retracted():
        return _closed(alert, "withdrawn", Reason.WITHDRAWN, now)
    if alert.state == "acknowledged" or alert.urgency is Urgency.REVIEW:
        return _closed(alert, "resolved", Reason.RESOLVED, now)
    if alert.holds:
        return Transition(before=alert, after=alert.changed(holds=False), reason=Reason.NO_LONGER_HOLDS)
    return None


def _closed(alert: Alert, state: State, reason: Reason, now: datetime) -> Transition:
    return Transition(before=alert, after=alert.changed(state=state, holds=False, closed_at=now), reason=reason)


def acknowledge(alert: Alert, *, by: str, note: str | None, now: datetime) -> Alert:
    """The alert as somebody has taken it on; resolved where it no longer holds. The first acknowledgement stands.

    Raises AlertError for an alert that is closed, and where nobody is named.
    """
    _refuse_unless_active(alert, by)
    if alert.state == "acknowledged":
        return alert
    return alert.changed(
        state="acknowledged" if alert.holds else "resolved",
        closed_at=None if alert.holds else now,
        acknowledged_at=now,
        acknowledged_by=by,
        acknowledged_note=note,
        snoozed_until=None,
    )


def snooze(alert: Alert, *, until: datetime, by: str, reason: str, now: datetime) -> Alert:
    """The alert, with its reminders held back until an instant. Worsening breaks the snooze.

    Raises AlertError for an immediate or closed alert, a time past or too far off, or where name or reason are missing.
    """
    _refuse_unless_active(alert, by)
    at_most = SNOOZE_AT_MOST.get(alert.urgency)
    if at_most is None:
        raise AlertError(say("an immediate alert cannot be snoozed; acknowledge it when somebody has taken it on"))
    if not reason.strip():
        raise AlertError(say("a snooze needs a reason; say why it can wait"))
    if until <= now:
        raise AlertError(say("a snooze ends in the future; choose a time after now"))
    if until > now + at_most:
        hours = int(at_most.total_seconds() // 3600)
        raise AlertError(
            say(
                "a {urgency} alert can be snoozed for at most {hours} h from now; choose a time within that",
                urgency=URGENCIES[alert.urgency],
                hours=hours,
            )
        )
    return alert.changed(snoozed_until=until)


def pass_on(alert: Alert, *, by: str) -> Alert:
    """The alert as somebody hands it to the next people: open as before, and waiting for no snooze.

    Raises AlertError for an alert that somebody has taken on, that is closed or holds no longer, and where nobody is named.
    """
    _refuse_unless_active(alert, by)
    if alert.state == "acknowledged":
        raise AlertError(say("{name} has acknowledged it; nobody else is asked", name=alert.acknowledged_by or ""))
    if not alert.holds:
        raise AlertError(say("what it told of is over, so nobody else is asked; acknowledge it, and it is closed"))
    return alert.changed(snoozed_until=None)


def _refuse_unless_active(alert: Alert, by: str) -> None:
    if alert.state not in ACTIVE:
        raise AlertError(say("the alert is {state} already; there is nothing left to do with it", state=_STATES[alert.state]))
    if not by.strip():
        raise AlertError(say("say who does this; an act without a name is not kept"))
