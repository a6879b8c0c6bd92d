"""relapse-after-treatment: worse again after immunoglobulin, plasma exchange or a corticosteroid, R1-R4.

R1 and R2 need a documented response first; R3 and R4 look at the taper of a steroid and at the days after an exchange.
No treatment is proposed. ``occasion`` is the first day of the newest deterioration.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from monitor.clinical.clauses import Clause, Fluctuation
from monitor.clinical.findings import Criterion, Finding, RuleAnswer, Urgency
from monitor.clinical.history import Treatment
from monitor.clinical.immune_response import Followed, Worsening, followed, immune_treatments, worsening_after
from monitor.clinical.motor_decline import motor_of
from monitor.clinical.motor_picture import source_of
from monitor.clinical.policy import Relapse
from monitor.clinical.situation import Situation
from monitor.clinical.words import word
from monitor.said import Said, joined, say

NAME = "relapse-after-treatment"


@dataclass(frozen=True, slots=True)
class _Clause:
    """A clause of the rule with the worsening that meets it."""

    criterion: Criterion
    urgency: Urgency | None = None
    worsening: Worsening | None = None


def answer(situation: Situation) -> RuleAnswer:
    """R1-R4 for every immune treatment since the first dose."""
    clauses = situation.policy.thresholds.relapse
    treatments = immune_treatments(situation)
    if not treatments and not situation.explain:
        return RuleAnswer(rule=NAME, criteria=())
    measures = followed(situation, clauses, treatments[0].started_on) if treatments else ()
    found = (
        _fluctuation(situation, clauses, treatments, measures, early=True),
        _fluctuation(situation, clauses, treatments, measures, early=False),
        _steroid_taper(clauses, treatments, measures),
        _after_exchange(situation, clauses, treatments, measures),
    )
    criteria = tuple(each.criterion for each in found)
    leading = max(
        (each for each in found if each.urgency is not None),
        key=lambda each: each.urgency.rank if each.urgency else -1,
        default=None,
    )
    if leading is None or leading.urgency is None or leading.worsening is None:
        return RuleAnswer(rule=NAME, criteria=criteria)
    held = [each.worsening for each in found if each.worsening is not None]
    names = {measure.what: name for measure, name in zip(measures, ("gbs_disability", "walking", "mrc"), strict=True)}
    finding = Finding(
        rule=NAME,
        urgency=leading.urgency,
        clinical_at=leading.worsening.record.at,
        headline=say("worse again: {change}", change=leading.worsening.said),
        action=None,
        criteria=criteria,
        evidence=tuple(dict.fromkeys(evidence for each in held for evidence in each.evidence(situation.policy.zone))),
        missing=tuple(names[measure.what] for measure in measures if not measure.readings),
        occasion=max(each.began_on for each in held).isoformat(),
    )
    return RuleAnswer(rule=NAME, criteria=criteria, finding=finding)


def _fluctuation(
    situation: Situation, clauses: Relapse, treatments: tuple[Treatment, ...], measures: tuple[Followed, ...], *, early: bool
) -> _Clause:
    """R1: within so many days of the onset. R2: later than that, or for the third time."""
    clause = clauses.early if early else clauses.late
    identifier = "fluctuation-early" if early else "fluctuation-late"
    rule = _early_rule(clause) if early else _late_rule(clause, clauses.deteriorations_for_chronic)
    onset = situation.onset_on
    for worse in _worsenings(treatments, measures, steps=clause.disability, points=clause.points):
        if not worse.responded or onset is None:
            continue
        is_early = (worse.newest.on - onset).days <= clause.onset_days
        if is_early is early or (not early and worse.number >= clauses.deteriorations_for_chronic):
            day = (worse.newest.on - onset).days
            said = say("{change}, day {day} after the onset on {onset}", change=worse.said, day=day, onset=onset)
            return _met(identifier, clause, worse, joined("; ", (said, rule)), clause.urgency)
    return _not_met(identifier, clause, treatments, measures, rule)


def _steroid_taper(clauses: Relapse, treatments: tuple[Treatment, ...], measures: tuple[Followed, ...]) -> _Clause:
    """R3: worse while a steroid is given or tapered, or soon after it ended."""
    clause = clauses.steroid_taper
    rule = say(
        "disability or walking worse by {steps} or the MRC sum by {points}, on a corticosteroid or within {days} days after it,"
        " counts",
        steps=clause.disability,
        points=clause.points,
        days=clause.after_stop_days,
    )
    steroids = tuple(each for each in treatments if each.treatment == "corticosteroid")
    for worse in _worsenings(steroids, measures, steps=clause.disability, points=clause.points):
        stopped_on = worse.treatment.stopped_on
        if stopped_on is None or worse.newest.on <= stopped_on + timedelta(days=clause.after_stop_days):
            return _met("steroid-taper", clause, worse, joined("; ", (worse.said, rule)), clause.urgency)
    return _not_met("steroid-taper", clause, steroids, measures, rule)


def _after_exchange(
    situation: Situation, clauses: Relapse, treatments: tuple[Treatment, ...], measures: tuple[Followed, ...]
) -> _Clause:
    """R4: worse soon after a plasma exchange; immediate together with one of M1-M6."""
    clause = clauses.after_plasma_exchange
    steps, points = clauses.early.disability, clauses.early.points
    rule = say(
        "disability or walking worse by {steps} or the MRC sum by {points} within {days} days after a plasma exchange counts,"
        " immediate with a severe motor criterion",
        steps=steps,
        points=points,
        days=clause.within_days,
    )
    exchanges = tuple(each for each in treatments if each.treatment == "plasma_exchange")
    for worse in _worsenings(exchanges, measures, steps=steps, points=points):
        ended_on = worse.treatment.stopped_on or worse.treatment.started_on
        if worse.newest.on <= ended_on + timedelta(days=clause.within_days):
            urgency = Urgency.IMMEDIATE if motor_of(situation).severe else clause.urgency
            return _met("after-plasma-exchange", clause, worse, joined("; ", (worse.said, rule)), urgency)
    return _not_met("after-plasma-exchange", clause, exchanges, measures, rule)


def _worsenings(
    treatments: tuple[Treatment, ...], measures: tuple[Followed, ...], *, steps: float, points: float
) -> list[Worsening]:
    """Every worsening, of the newest treatment first."""
    return [
        worse
        for treatment in reversed(treatments)
        for measure in measures
        if (worse := worsening_after(measure, treatment, steps=steps, points=points)) is not None
    ]


def _met(identifier: str, clause: Clause, worse: Worsening, text: str, urgency: Urgency) -> _Clause:
    criterion = Criterion(id=identifier, met=True, text=text, source=source_of(clause))
    return _Clause(criterion, urgency, worse)


def _not_met(
    identifier: str, clause: Clause, treatments: tuple[Treatment, ...], measures: tuple[Followed, ...], rule: str
) -> _Clause:
    text = joined("; ", (_state(treatments, measures), rule))
    return _Clause(Criterion(id=identifier, met=False, text=text, source=source_of(clause)))


def _state(treatments: tuple[Treatment, ...], measures: tuple[Followed, ...]) -> str:
    if not treatments:
        return say("no such treatment recorded")
    newest = [(each, each.readings[-1]) for each in measures if each.readings]
    values = [say("{what} {value} on {day}", what=each.what, value=each.show(last), day=last.on) for each, last in newest]
    recorded = joined(", ", values) if values else say("no disability, walking or sum recorded")
    begun = treatments[-1]
    return say("{treatment} from {day}; {values}", treatment=word(begun.treatment), day=begun.started_on, values=recorded)


def _early_rule(clause: Fluctuation) -> Said:
    return say(
        "after a documented response, disability or walking worse by {steps} or the MRC sum by {points}, within {days} days of"
        " the onset, counts: possible treatment-related fluctuation",
        steps=clause.disability,
        points=clause.points,
        days=clause.onset_days,
    )


def _late_rule(clause: Fluctuation, times: int) -> Said:
    return say(
        "after a documented response, disability or walking worse by {steps} or the MRC sum by {points}, later than {days} days"
        " after the onset, or {times} times since the treatment began, counts: consider acute-onset CIDP",
        steps=clause.disability,
        points=clause.points,
        days=clause.onset_days,
        times=times,
    )
