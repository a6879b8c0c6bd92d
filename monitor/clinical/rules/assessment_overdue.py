"""Nobody looked: O1 on the drug, O2 on the drug and affected, O3 after an urgent finding, O4 off the drug and unresolved.

Days are counted from the last assessment that says something about the neuropathy. "More than 14 days" begins with the
fifteenth day after it, at the clinic's midnight.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial

from monitor.clinical.clauses import Clause
from monitor.clinical.days import day_after
from monitor.clinical.findings import Criterion, Evidence, Finding, RuleAnswer, Urgency
from monitor.clinical.history import Assessment, Course
from monitor.clinical.last_look import LastLook, elapsed, last_look, last_on, unresolved
from monitor.clinical.situation import Situation, soonest
from monitor.clinical.words import URGENCIES, or_not
from monitor.said import Said, joined, say

NAME = "assessment-overdue"
OFF_DRUG = say("off bortezomib")

NO_EVENT = frozenset({"dose-modification", "dose-against-advice", "conflicting-record", "immune-mediated-pattern", NAME})
"""Findings after which no further look at the patient is asked for here (J): they are about doses and records. The immune
pattern is a state, renewed by every visit that finds it; the decline in it is an event of its own rule."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Due:
    """One clause: since when the assessment is overdue, how urgently, and since when it is so urgent."""

    id: str
    clause: Clause
    text: Callable[[], str]
    overdue_at: datetime | None = None  # None: the clause does not apply
    urgency: Urgency
    more_urgent_at: datetime | None = None
    more_urgent: Urgency | None = None

    def urgency_at(self, now: datetime) -> Urgency:
        return self.more_urgent if self.more_urgent and self.more_urgent_at and self.more_urgent_at <= now else self.urgency

    def since(self, now: datetime) -> datetime | None:
        """The instant from which the urgency is what it is now."""
        return self.more_urgent_at if self.more_urgent_at is not None and self.more_urgent_at <= now else self.overdue_at


def answer(situation: Situation, findings: Sequence[Finding] = ()) -> RuleAnswer:
    """The four criteria. ``findings`` are those of the other rules at the same instant, for O3."""
    state = last_look(situation)
    clauses = (
        _on_drug(situation, state),
        _affected(situation, state),
        _after_event(situation, state, findings),
        _after_stop(situation, state),
    )
    now = situation.now
    met = [due for due in clauses if due.overdue_at is not None and due.overdue_at <= now]
    criteria = tuple(
        Criterion(id=due.id, met=due in met, text=due.text(), source=f"{due.clause.source} [{due.clause.confidence}]")
        for due in (clauses if met or situation.explain else ())
    )
    ahead = soonest(situation, *(due.overdue_at for due in clauses), *(due.more_urgent_at for due in clauses))
    if not met:
        return RuleAnswer(rule=NAME, criteria=criteria, look_again_at=ahead)
    worst = max(met, key=lambda due: due.urgency_at(now).rank)  # the first of those equally urgent
    finding = Finding(
        rule=NAME,
        urgency=worst.urgency_at(now),
        clinical_at=worst.since(now) or now,
        headline=_headline(situation, state),
        action=None,
        criteria=criteria,
        evidence=_evidence(situation, state),
        missing=(),
    )
    return RuleAnswer(rule=NAME, criteria=criteria, finding=finding, look_again_at=ahead)


def _on_drug(situation: Situation, state: LastLook) -> _Due:
    """O1."""
    clause = situation.policy.thresholds.overdue.on_drug
    cycle = (situation.course.cycle_days if situation.course else None) or clause.default_cycle_days
    limit = cycle + clause.beyond_cycle_days
    if not situation.on_drug:
        return _Due(id="overdue-on-drug", clause=clause, text=lambda: OFF_DRUG, urgency=clause.urgency)
    overdue_at = _more_than(last_on(situation, state), limit, situation)
    due_on = situation.next_dose_due_on()
    more_urgent_at = None
    if due_on is not None:
        more_urgent_at = max(overdue_at, day_after(due_on, -clause.dose_due_within_days, situation.policy.zone))

    def text() -> str:
        return say(
            "{elapsed} (limit: cycle of {cycle} and {days} days = {limit}); {next_dose}",
            elapsed=elapsed(situation, state),
            cycle=cycle,
            days=clause.beyond_cycle_days,
            limit=limit,
            next_dose=say("next dose due {day}", day=due_on) if due_on else say("next dose not known"),
        )

    return _Due(
        id="overdue-on-drug",
        clause=clause,
        text=text,
        overdue_at=overdue_at,
        urgency=clause.urgency,
        more_urgent_at=more_urgent_at,
        more_urgent=clause.urgency_dose_due,
    )


def _affected(situation: Situation, state: LastLook) -> _Due:
    """O2."""
    clause = situation.policy.thresholds.overdue.affected
    affected = (state.sensory_grade or 0) >= clause.sensory_grade or (state.motor_grade or 0) >= clause.motor_grade

    def text() -> str:
        return say(
            "sensory grade {sensory} (limit {sensory_limit}), motor grade {motor} (limit {motor_limit});"
            " {elapsed} (limit {limit})",
            sensory=or_not(state.sensory_grade),
            sensory_limit=clause.sensory_grade,
            motor=or_not(state.motor_grade),
            motor_limit=clause.motor_grade,
            elapsed=elapsed(situation, state),
            limit=clause.more_than_days,
        )

    if not situation.on_drug:
        return _Due(id="overdue-affected", clause=clause, text=lambda: OFF_DRUG, urgency=clause.urgency)
    overdue_at = _more_than(last_on(situation, state), clause.more_than_days, situation) if affected else None
    return _Due(id="overdue-affected", clause=clause, text=text, overdue_at=overdue_at, urgency=clause.urgency)


def _after_event(situation: Situation, state: LastLook, findings: Sequence[Finding]) -> _Due:
    """O3: somebody has to look again on a later day than the event; once somebody has, the other clauses watch on."""
    clause = situation.policy.thresholds.overdue.after_event
    limits = {Urgency.IMMEDIATE: clause.after_immediate_days, Urgency.SAME_DAY: clause.after_same_day_days}
    overdue_at: datetime | None = None
    text: Callable[[], str] = _no_event
    for finding in findings:
        if finding.rule in NO_EVENT or finding.urgency not in limits:
            continue
        limit = limits[finding.urgency]
        event_on = finding.clinical_at.astimezone(situation.policy.zone).date()
        if last_on(situation, state) > event_on:
            if overdue_at is None:
                text = partial(_answered_event, finding, event_on, last_on(situation, state))
            continue
        due_at = _more_than(event_on, limit, situation)
        if overdue_at is None or due_at < overdue_at:
            overdue_at = due_at
            text = partial(_open_event, finding, event_on, limit, situation, state)
    return _Due(id="overdue-after-event", clause=clause, text=text, overdue_at=overdue_at, urgency=clause.urgency)


def _no_event() -> Said:
    return say("no immediate or same-day finding about the patient")


def _event(finding: Finding, on: date) -> Said:
    return say("{rule} {urgency} on {day}", rule=finding.rule, urgency=URGENCIES[finding.urgency], day=on)


def _answered_event(finding: Finding, on: date, looked_on: date) -> Said:
    return say("{event}, looked at again on {day}", event=_event(finding, on), day=looked_on)


def _open_event(finding: Finding, on: date, limit: int, situation: Situation, state: LastLook) -> Said:
    return say("{event}; {elapsed} (limit {days} days)", event=_event(finding, on), elapsed=elapsed(situation, state), days=limit)


def _after_stop(situation: Situation, state: LastLook) -> _Due:
    """O4: an assessment that fell due in the early days stays due when they are over."""
    clause = situation.policy.thresholds.overdue.after_stop
    last, stopped_on = state.last, situation.stopped_on
    if stopped_on is None:
        return _Due(id="overdue-after-stop", clause=clause, text=lambda: say("on bortezomib"), urgency=clause.urgency)
    left = unresolved(situation, state)
    if last is None or not left:
        return _Due(id="overdue-after-stop", clause=clause, text=lambda: _nothing_left(last), urgency=clause.urgency)
    early = last.on + timedelta(days=clause.early_days) <= stopped_on + timedelta(days=clause.early_until_day)
    limit = clause.early_days if early else clause.late_days

    def text() -> str:
        return say(
            "unresolved: {signs}; last dose {day}; {elapsed} (limit {limit})",
            signs=joined(", ", left),
            day=stopped_on,
            elapsed=elapsed(situation, state),
            limit=limit,
        )

    overdue_at = _more_than(last.on, limit, situation)
    return _Due(id="overdue-after-stop", clause=clause, text=text, overdue_at=overdue_at, urgency=clause.urgency)


def _nothing_left(last: Assessment | None) -> Said:
    return say("no neuropathy recorded that is still to resolve") if last is None else say("resolved on {day}", day=last.on)


def _more_than(day: date, limit: int, situation: Situation) -> datetime:
    """The instant from which more than ``limit`` days have gone by since ``day``."""
    return day_after(day, limit + 1, situation.policy.zone)


def _headline(situation: Situation, state: LastLook) -> Said:
    days = (situation.today - last_on(situation, state)).days
    if state.last is None:
        first_on = situation.first_on
        return say("no neuropathy assessment for {days} days (none since the first dose on {day})", days=days, day=first_on)
    return say("no neuropathy assessment for {days} days (last {day})", days=days, day=state.last.on)


def _evidence(situation: Situation, state: LastLook) -> tuple[Evidence, ...]:
    evidence = []
    if state.last is not None:
        evidence.append(Evidence(kind="assessment", id=state.last.fact_id, version=state.last.version, at=state.last.at))
    if situation.last_dose is not None:
        dose = situation.last_dose
        evidence.append(Evidence(kind="dose", id=dose.fact_id, version=dose.version, at=dose.at))
    elif situation.course is not None:
        evidence.append(_of_course(situation.course, situation))
    return tuple(evidence)


def _of_course(course: Course, situation: Situation) -> Evidence:
    at = day_after(course.started_on, 0, situation.policy.zone)
    return Evidence(kind="course", id=course.fact_id, version=course.version, at=at)
