"""Walking, disability and the CTCAE motor grade: M1, M5, M8 and M9."""

from __future__ import annotations

from datetime import date
from functools import partial

from monitor.clinical.clauses import MotorGradeRise
from monitor.clinical.comparison import Change, Enough, Reading, evidence_of
from monitor.clinical.days import in_days
from monitor.clinical.motor_criteria import lowered, met, met_by, not_met
from monitor.clinical.motor_measures import Measures, Track
from monitor.clinical.motor_picture import MotorCriterion
from monitor.clinical.scales.walking import UNABLE_STEP
from monitor.said import Said, joined, say

ONE_STEP = 1
"""One step of a disability scale is its smallest important change (INCAT, V); a new walking aid is a step (J)."""


def loss_of_walking(measures: Measures) -> MotorCriterion:
    """M1: walked, with or without an aid, and now does not."""
    clause, track = measures.clauses.loss_of_walking, measures.mobility
    found = track.find(_lost, clause.within_days)

    def text() -> str:
        days = clause.within_days
        return say("{text}; walking lost within {days} days counts", text=track.text(found, days), days=days)

    if found is None:
        return not_met("loss-of-walking", "M1", clause, text)
    return met_by("loss-of-walking", "M1", clause, text, found, said=track.said(found), urgency=clause.urgency, severe=True)


def loss_of_walking_undated(measures: Measures) -> MotorCriterion:
    """M1 beyond its window: the last record of walking before the loss is older, so when it was lost is not known."""
    clause, track = measures.clauses.loss_of_walking_undated, measures.mobility
    window = measures.clauses.loss_of_walking.within_days

    def with_rule(text: str) -> Said:
        rule = say(
            "walking last recorded {from_days} to {days} days before counts", from_days=window + 1, days=clause.within_days
        )
        return say("{text}; {rule}", text=text, rule=rule)

    for place, later in enumerate(track.readings[:-1]):
        earlier = track.readings[place + 1]
        if later.burden < UNABLE_STEP or later.on < track.first_on or (track.readings[0].on - later.on).days > window:
            break
        gap = (later.on - earlier.on).days
        if earlier.burden < UNABLE_STEP and window < gap <= clause.within_days:
            said = _lost_since(track, earlier, later)
            seen = say("{change} (seen on {day}, {days})", change=said, day=later.on, days=in_days(gap))
            return met(
                "loss-of-walking-undated",
                "M1",
                clause,
                partial(with_rule, seen),
                said=said,
                seen=later.record,
                began_on=later.on,
                evidence=evidence_of(track.readings[0].record, later.record, earlier.record),
                urgency=clause.urgency,
            )
    return not_met("loss-of-walking-undated", "M1", clause, lambda: with_rule(_newest_text(track)))


def disability_or_aid(measures: Measures) -> MotorCriterion:
    """M8: GBS disability or the walking aid one step worse. Who examined does not matter: anyone sees a wheelchair."""
    clause = measures.clauses.disability_or_aid
    tracks = (measures.disability, measures.walking)
    changes = [(track, track.find(_one_step_worse, clause.within_days)) for track in tracks]

    def text() -> str:
        texts = joined("; ", (track.text(found, clause.within_days) for track, found in changes))
        return say("{text}; one step worse within {days} days counts", text=texts, days=clause.within_days)

    for track, found in changes:
        if found is not None:
            said = track.said(found)
            return met_by("disability-or-aid", "M8", clause, text, found, said=said, urgency=clause.urgency)
    return not_met("disability-or-aid", "M8", clause, text)


def motor_grade_severe(measures: Measures) -> MotorCriterion:
    """M5: severe motor neuropathy newly reached, or the grade that needs no comparison."""
    clause = measures.clauses.motor_grade_severe
    rise = _grade_rise("motor-grade-severe", "M5", measures, clause, severe=True)
    always = clause.always_at_grade
    if rise.met or always is None:
        return rise
    for track in measures.grades:
        newest = track.newest
        if newest is None or newest.record is None or newest.burden < always or newest.burden <= measures.baseline_grade:
            continue
        if measures.after is not None and track.readings[-1].on <= measures.after and track.readings[-1].burden >= always:
            continue  # as bad at the stop already
        said = _newest_text(track)
        return met(
            "motor-grade-severe",
            "M5",
            clause,
            partial(_at_any_time, said, always),
            said=said,
            seen=newest.record,
            began_on=_reached_on(track, always),
            evidence=evidence_of(newest.record),
            urgency=clause.urgency,
            severe=True,
        )
    return rise


def motor_grade_rise(measures: Measures) -> MotorCriterion:
    """M9: the motor grade rises to one that the dose tables act on."""
    return _grade_rise("motor-grade-rise", "M9", measures, measures.clauses.motor_grade_rise, severe=False)


def _grade_rise(identifier: str, code: str, measures: Measures, clause: MotorGradeRise, *, severe: bool) -> MotorCriterion:

    def with_rule(text: str) -> Said:
        return say(
            "{text}; a rise of {rise} to grade {grade} or worse within {days} days counts",
            text=text,
            rise=clause.rise,
            grade=clause.reaching_grade,
            days=clause.within_days,
        )

    def changed(track: Track, found: Change) -> Said:
        return with_rule(track.text(found, clause.within_days))

    for track in measures.grades:
        found = track.find(grade_risen(measures.baseline_grade, clause.rise, clause.reaching_grade), clause.within_days)
        if found is not None:
            said, text = track.said(found), partial(changed, track, found)
            risen = met_by(identifier, code, clause, text, found, said=said, urgency=clause.urgency, severe=severe)
            return lowered(risen, measures.clauses.other_assessor, same_assessor=not found.other_assessor)
    return not_met(identifier, code, clause, lambda: with_rule(grade_text(measures, clause.within_days)))


def _newest_text(track: Track) -> str:
    newest = track.newest
    if newest is None:
        return say("{what}: not recorded", what=track.what)
    return say("{what}: {value} on {day}", what=track.what, value=track.show(newest), day=newest.on)


def _at_any_time(text: str, grade: int) -> Said:
    return say("{text}; grade {grade} counts at any time", text=text, grade=grade)


def _lost_since(track: Track, earlier: Reading, later: Reading) -> str:
    return say(
        "{what}: {before} -> {after}, lost since {day}; when is not known",
        what=track.what,
        before=track.show(earlier),
        after=track.show(later),
        day=earlier.on,
    )


def grade_text(measures: Measures, within_days: int) -> str:
    """The newest motor grade beside its comparison; that it only equals the recorded baseline is said."""
    track = measures.grades[0]
    newest = track.newest
    known = newest is not None and 0 < newest.burden <= measures.baseline_grade
    text = track.text(None, within_days)
    return say("{words} ({note})", words=text, note=say("known baseline")) if known else text


def grade_risen(baseline: int, rise: int, reaching: int) -> Enough:
    """A rise to ``reaching``; a grade that only equals the recorded baseline is none."""
    return lambda now, best: now >= reaching and now > baseline and now - best >= rise


def _reached_on(track: Track, grade: int) -> date:
    run = track.readings[0].on
    for reading in track.readings:
        if reading.burden < grade:
            break
        run = reading.on
    return run


def _lost(now: float, best: float) -> bool:
    return now >= UNABLE_STEP > best


def _one_step_worse(now: float, best: float) -> bool:
    return now - best >= ONE_STEP
