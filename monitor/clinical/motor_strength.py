"""Muscle power: M3, M4, M7, M10, M11, and the one limb that does not shout.

A fall of the sum counts only where a muscle fell a whole grade: half steps are noise. Where every muscle that fell lies in
one limb, the clauses of power do not hold, and ``single-limb`` asks for a re-test instead.
"""

from __future__ import annotations

from collections.abc import Iterable

from monitor.clinical.clauses import SmallFall
from monitor.clinical.comparison import Change, Enough, evidence_of
from monitor.clinical.motor_criteria import lowered, met, met_by, not_met
from monitor.clinical.motor_measures import Measures, strength_days
from monitor.clinical.motor_picture import MotorCriterion
from monitor.clinical.motor_shows import tested_text
from monitor.clinical.motor_walking import grade_risen, grade_text
from monitor.clinical.scales.mrc import LEG_MUSCLES, SHOULDER_MUSCLES, muscle_of
from monitor.clinical.strength import Strength, falls_text
from monitor.clinical.words import LIMBS
from monitor.said import Said, joined, say, say_n

ONE_LIMB = say("all in one limb, see there")
HALF_STEPS = say("only half steps")


def muscle_fall(measures: Measures) -> MotorCriterion:
    """M3: a leg or shoulder muscle falls far, or to hardly any power, and not in one limb alone."""
    clause, strength = measures.clauses.muscle_fall, measures.strength
    falls = strength.fallen(full_grades=clause.full_grades, within_days=clause.within_days)
    weak = strength.newly_weak(at_most_grade=clause.newly_at_most_grade, within_days=clause.within_days)
    counted = {place: each for place, each in (weak | falls).items() if muscle_of(place)[0] in LEG_MUSCLES | SHOULDER_MUSCLES}

    def with_rule(text: str) -> Said:
        rule = say(
            "a leg or shoulder muscle fallen {full_grades} full grades, or newly at {grade} or below, within {days} days counts",
            full_grades=clause.full_grades,
            grade=clause.newly_at_most_grade,
            days=clause.within_days,
        )
        return say("{text}; {rule}", text=text, rule=rule)

    if not counted or not strength.spread:
        return not_met("muscle-fall", "M3", clause, lambda: with_rule(_power_text(strength, counted)))
    said, worst = falls_text(counted), _worst(counted)
    return lowered(
        met_by("muscle-fall", "M3", clause, lambda: with_rule(said), worst, said=said, urgency=clause.urgency, severe=True),
        measures.clauses.other_assessor,
        same_assessor=_one_same(counted.values()),
    )


def sum_fall(measures: Measures) -> MotorCriterion:
    """M4: the sum falls far, both examinations complete."""
    clause = measures.clauses.sum_fall

    def with_rule(text: str) -> Said:
        points, days = clause.points, clause.within_days
        return say("{text}; {points} or more points within {days} days count", text=text, points=points, days=days)

    found = measures.mrc_sum.find(_fallen_by(clause.points), clause.within_days)
    if found is None or not measures.sum_strength.spread:
        return not_met("mrc-sum-fall", "M4", clause, lambda: with_rule(_sum_text(measures, found, clause.within_days)))
    said = _fell(measures, found)

    def text() -> Said:
        return with_rule(joined("; ", (measures.mrc_sum.text(found, clause.within_days), said)))

    return lowered(
        met_by("mrc-sum-fall", "M4", clause, text, found, said=said, urgency=clause.urgency, severe=True),
        measures.clauses.other_assessor,
        same_assessor=not found.other_assessor,
    )


def moderate_fall(measures: Measures) -> MotorCriterion:
    """M7: the sum falls by some points, or several muscles by a whole grade."""
    clause, strength = measures.clauses.moderate_fall, measures.strength

    def with_rule(*texts: str) -> Said:
        rule = say(
            "{points} or more points, or {muscles} muscles by a full grade, within {days} days count",
            points=clause.points,
            muscles=clause.muscles,
            days=clause.within_days,
        )
        return say("{text}; {rule}", text=joined("; ", texts), rule=rule)

    by_sum = measures.mrc_sum.find(_fallen_by(clause.points), clause.within_days) if measures.sum_strength.spread else None
    falls = strength.fallen(full_grades=1, within_days=clause.within_days) if strength.spread else {}
    enough_muscles = len(falls) >= clause.muscles
    if by_sum is None and not enough_muscles:

        def reason() -> Said:
            shown = measures.mrc_sum.find(_fallen_by(clause.points), clause.within_days)
            power = _power_text(strength, strength.fallen(full_grades=1, within_days=clause.within_days))
            return with_rule(_sum_text(measures, shown, clause.within_days), power)

        return not_met("moderate-fall", "M7", clause, reason)
    said = falls_text(falls) if enough_muscles else _fell(measures, by_sum) if by_sum is not None else ""
    found = by_sum if by_sum is not None and not enough_muscles else _worst(falls)
    same = (by_sum is not None and not by_sum.other_assessor) or (
        enough_muscles and sum(not each.other_assessor for each in falls.values()) >= clause.muscles
    )

    def text() -> Said:
        return with_rule(measures.mrc_sum.text(by_sum, clause.within_days), _power_text(strength, falls))

    return lowered(
        met_by("moderate-fall", "M7", clause, text, found, said=said, urgency=clause.urgency),
        measures.clauses.other_assessor,
        same_assessor=same,
    )


def grip_fall(measures: Measures, *, in_company: bool) -> MotorCriterion:
    """M10: grip falls on either side; more urgent in company of M7, M8 or M9."""
    clause = measures.clauses.grip_fall
    changes = [(track, track.find(_fallen_by(clause.fall_kpa), clause.within_days)) for track in measures.grips]

    def text() -> Said:
        return say(
            "{text}; a fall of {fall:g} kPa on one side within {days} days counts",
            text=joined("; ", (track.text(found, clause.within_days) for track, found in changes)),
            fall=clause.fall_kpa,
            days=clause.within_days,
        )

    held = [(track, found) for track, found in changes if found is not None]
    if not held:
        return not_met("grip-fall", "M10", clause, text)
    track, found = held[0]
    urgency = clause.urgency if in_company else clause.urgency_alone
    return lowered(
        met_by("grip-fall", "M10", clause, text, found, said=track.said(found), urgency=urgency),
        measures.clauses.other_assessor,
        same_assessor=_one_same(each for _, each in held),
    )


def small_fall(measures: Measures) -> MotorCriterion:
    """M11: small enough to be noise, so it asks to be looked at again soon."""
    clause, strength, days = measures.clauses.small_fall, measures.strength, measures.clauses.small_fall.within_days
    newly = grade_risen(measures.baseline_grade, 1, clause.new_motor_grade)

    def new_grade(now: float, best: float) -> bool:
        return newly(now, best) and best < clause.new_motor_grade

    by_sum = measures.mrc_sum.find(_fallen_by(clause.points), days) if measures.sum_strength.spread else None
    falls = strength.fallen(full_grades=clause.full_grades, within_days=days) if strength.spread else {}
    graded = [(track, found) for track in measures.grades if (found := track.find(new_grade, days)) is not None]

    def text() -> Said:
        grades = graded[0][0].text(graded[0][1], days) if graded else grade_text(measures, days)
        texts = (_sum_text(measures, by_sum, days), _power_text(strength, falls), grades)
        return say("{text}; {rule}", text=joined("; ", texts), rule=_small_fall_rule(clause))

    changes = ([by_sum] if by_sum else []) + list(falls.values()) + [found for _, found in graded]
    if not changes:
        return not_met("small-fall", "M11", clause, text)
    said = graded[0][0].said(graded[0][1]) if graded else falls_text(falls) if falls else _fell(measures, changes[0])
    found = graded[0][1] if graded else _worst(falls) if falls else changes[0]
    return lowered(
        met_by("small-fall", "M11", clause, text, found, said=said, urgency=clause.urgency),
        measures.clauses.other_assessor,
        same_assessor=_one_same(changes),
    )


def single_limb(measures: Measures) -> MotorCriterion:
    """Every muscle that fell lies in one limb: a root, a nerve or a fracture. Re-test; it does not shout."""
    clause, strength = measures.clauses.single_limb, measures.strength

    def with_rule(text: str) -> Said:
        return say("{text}; re-test; weakness of one limb is not a polyneuropathy", text=text)

    if not strength.one_limb:
        state = say("muscles of several limbs fell") if strength.spread else say("no muscle fell a full grade")
        return not_met("single-limb", "", clause, lambda: with_rule(state))
    falls = strength.fallen(full_grades=1, within_days=strength_days(measures.clauses))
    (limb,) = strength.limbs
    worst, said = _worst(falls), say("{limb} alone: {falls}", limb=LIMBS[limb], falls=falls_text(falls))
    return met(
        "single-limb",
        "",
        clause,
        lambda: with_rule(said),
        said=said,
        seen=worst.record,
        began_on=worst.seen.on,
        evidence=evidence_of(worst.newest.record, worst.record, worst.best.record),
        urgency=clause.urgency,
        retest=True,
    )


def _fallen_by(amount: float) -> Enough:
    return lambda now, best: now - best >= amount


def _fell(measures: Measures, found: Change) -> str:
    points = found.level - found.best.burden
    return say_n(
        "{what} fell {points:g} points in {count} day ({from_on} to {until_on})",
        "{what} fell {points:g} points in {count} days ({from_on} to {until_on})",
        count=found.days,
        what=measures.mrc_sum.what,
        points=points,
        from_on=found.best.on,
        until_on=found.seen.on,
    )


def _small_fall_rule(clause: SmallFall) -> Said:
    return say(
        "{points} or more points, a muscle by {full_grades} full grade, or a new motor grade {grade} within {days} days counts:"
        " examine again within {repeat} days",
        points=clause.points,
        full_grades=clause.full_grades,
        grade=clause.new_motor_grade,
        days=clause.within_days,
        repeat=clause.repeat_within_days,
    )


def _worst(falls: dict[int, Change]) -> Change:
    """The change that fell furthest, the newest of equals."""
    return max(falls.values(), key=lambda each: (each.level - each.best.burden, each.seen.on))


def _one_same(changes: Iterable[Change]) -> bool:
    return any(not each.other_assessor for each in changes)


def _power_text(strength: Strength, falls: dict[int, Change]) -> str:
    if strength.exam is None:
        return say("muscle power: not recorded")
    if not falls:
        return say("no such fall of a muscle tested on {day}", day=strength.exam.on)
    words = falls_text(falls)
    return say("{words} ({note})", words=words, note=ONE_LIMB) if strength.one_limb else words


def _sum_text(measures: Measures, found: Change | None, within_days: int) -> str:
    """The sum, why there is none, and why a fall of it does not count."""
    exam = measures.strength.exam
    text = measures.mrc_sum.text(found, within_days)
    if exam is not None and (measures.mrc_sum.newest is None or measures.mrc_sum.newest.on != exam.on):
        text = joined(", ", (text, tested_text(exam.record)))
    if found is not None and not measures.sum_strength.limbs:
        return say("{words} ({note})", words=text, note=HALF_STEPS)
    if found is not None and measures.sum_strength.one_limb:
        return say("{words} ({note})", words=text, note=ONE_LIMB)
    return text
