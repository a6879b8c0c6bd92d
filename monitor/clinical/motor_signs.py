"""Signs that change where the patient goes first: M2, breathing, swallowing and the face; M6, the spinal cord."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from monitor.clinical.comparison import evidence_of
from monitor.clinical.history import Assessment
from monitor.clinical.motor_criteria import met, not_met
from monitor.clinical.motor_measures import Measures, has_content
from monitor.clinical.motor_picture import MotorCriterion
from monitor.clinical.scales.mrc import FULL_GRADE, LEG_MUSCLES, muscle_of
from monitor.clinical.strength import muscle_name
from monitor.clinical.words import word
from monitor.said import Said, joined, say

CRANIAL_FLAGS = frozenset({"respiratory", "bulbar", "facial"})
VENTILATED = 5
"""GBS disability 5: ventilated for at least part of the day. 6, death, is never this."""
CORD_FLAGS = frozenset({"back_pain", "sphincter", "sensory_level"})
NO_ASSESSMENT = say("no assessment since the first dose")

WEAK_LEG_GRADE = 4
"""Power of a leg muscle that is weakness: MRC 4 is movement against resistance, less than normal."""
WEAK_LEG_MOTOR_GRADE = 2
"""Motor neuropathy with moderate symptoms: CTCAE v5.0, grade 2."""
WEAK_LEG_STEP = 1
"""Walking with any aid, or GBS disability 3."""


def respiratory_bulbar_facial(measures: Measures) -> MotorCriterion:
    """M2: breathing, swallowing or the face is weak at the newest assessment, or he is newly ventilated."""
    clause, within_days = measures.clauses.respiratory_bulbar_facial, measures.clauses.disability_or_aid.within_days

    def with_rule(text: str) -> Said:
        rule = say(
            "respiratory, bulbar or facial weakness, or GBS disability {disability} (ventilated) new within {days} days,"
            " at the newest assessment counts",
            disability=VENTILATED,
            days=within_days,
        )
        return say("{text}; {rule}", text=text, rule=rule)

    identifier = "respiratory-bulbar-facial"
    if not measures.newest:
        return not_met(identifier, "M2", clause, lambda: with_rule(NO_ASSESSMENT))
    on = measures.newest[0].on
    signs: list[str] = []
    began_on: list[date] = []
    flagged = [record for record in measures.newest if record.red_flags & CRANIAL_FLAGS and not _flagged_at_stop(measures)]
    if flagged:
        weak = frozenset[str]().union(*(record.red_flags & CRANIAL_FLAGS for record in flagged))
        signs.append(say("{signs} weakness", signs=joined(", ", map(word, sorted(weak)))))
        began_on.append(_flagged_since(measures, flagged[0]))
    ventilated = [record for record in measures.newest if record.gbs_disability == VENTILATED]
    if ventilated and (since := _newly_ventilated_on(measures, within_days)) is not None:
        signs.append(say("GBS disability {disability}: ventilated", disability=VENTILATED))
        began_on.append(since)
        flagged += [record for record in ventilated if record not in flagged]
    if not signs:
        return not_met(identifier, "M2", clause, lambda: with_rule(say("none recorded on {day}", day=on)))
    said = say("{signs} on {day}", signs=joined(", ", signs), day=on)
    return met(
        identifier,
        "M2",
        clause,
        lambda: with_rule(said),
        said=said,
        seen=flagged[0],
        began_on=max(began_on),
        evidence=evidence_of(*flagged),
        urgency=clause.urgency,
        severe=True,
    )


def cord_signs(measures: Measures) -> MotorCriterion:
    """M6: leg weakness together with a new sign of the spinal cord. The cord comes first."""
    clause = measures.clauses.cord_signs

    def with_rule(text: str) -> Said:
        return say(
            "{text}; leg weakness with back pain, sphincter disturbance or a sensory level new within {days} days counts",
            text=text,
            days=clause.within_days,
        )

    if not measures.newest:
        return not_met("cord-signs", "M6", clause, lambda: with_rule(NO_ASSESSMENT))
    first = _first_new_cord_flag(measures.situation.assessments, measures.newest[0], clause.within_days)
    if first is None or (measures.after is not None and first.on <= measures.after):
        up_to = measures.newest[0].on
        return not_met("cord-signs", "M6", clause, lambda: with_rule(say("no new sign up to {day}", day=up_to)))
    signs = joined(", ", map(word, sorted(first.red_flags & CORD_FLAGS)))
    weakness = leg_weakness(measures)
    if weakness is None:
        alone = say("{signs} on {day}, no leg weakness recorded", signs=signs, day=first.on)
        return not_met("cord-signs", "M6", clause, lambda: with_rule(alone))
    text, record = weakness
    said = say("cord first: {signs} on {day} with leg weakness ({weakness})", signs=signs, day=first.on, weakness=text)
    return met(
        "cord-signs",
        "M6",
        clause,
        lambda: with_rule(said),
        said=said,
        seen=first,
        began_on=first.on,
        evidence=evidence_of(first, record),
        urgency=clause.urgency,
        severe=True,
    )


def leg_weakness(measures: Measures) -> tuple[str, Assessment | None] | None:
    """The newest recorded weakness of the legs, and where it was recorded; None where there is none."""
    mobility = measures.mobility.newest
    if mobility is not None and mobility.burden >= WEAK_LEG_STEP:
        track = measures.mobility
        return say("{what}: {value} on {day}", what=track.what, value=track.show(mobility), day=mobility.on), mobility.record
    for track in measures.grades:
        grade = track.newest
        if grade is not None and grade.burden >= WEAK_LEG_MOTOR_GRADE and grade.burden > measures.baseline_grade:
            return say("motor {grade} on {day}", grade=track.show(grade), day=grade.on), grade.record
    exam = measures.strength.exam
    if exam is not None:
        for place, rank in enumerate(exam.ranks):
            if rank is not None and muscle_of(place)[0] in LEG_MUSCLES and rank <= WEAK_LEG_GRADE * FULL_GRADE + 1:
                weak = say(
                    "{muscle} at MRC {grade} or below on {day}", muscle=muscle_name(place), grade=WEAK_LEG_GRADE, day=exam.on
                )
                return weak, exam.record
    return None


def _flagged_since(measures: Measures, newest: Assessment) -> date:
    """The first day of the unbroken run of assessments with a sign that ends in ``newest``."""
    run = newest
    for record in reversed(measures.situation.assessments):
        if record.at >= run.at or not has_content(record):
            continue
        if record.on < measures.situation.first_on or not record.red_flags & CRANIAL_FLAGS:
            break
        run = record
    return run.on


def _newly_ventilated_on(measures: Measures, within_days: int) -> date | None:
    """The day on which the disability of the newest assessment was first recorded, if that is no longer ago than the window.

    None where he was ventilated before bortezomib; with ``after``, on that day.
    """
    track = measures.disability
    newest = track.newest
    if newest is None or newest.burden != VENTILATED or newest.on != measures.newest[0].on:
        return None
    since = newest.on
    for reading in track.readings:
        if reading.burden != VENTILATED:
            break
        since = reading.on
    begun_before = since < track.first_on or (measures.after is not None and since <= measures.after)
    return None if begun_before or (newest.on - since).days > within_days else since


def _flagged_at_stop(measures: Measures) -> bool:
    """With ``after``: whether the assessment in force on that day had a sign already, or nothing came after it."""
    after = measures.after
    if after is None:
        return False
    before = [each for each in measures.situation.assessments if each.on <= after and has_content(each)]
    return bool(before) and bool(before[-1].red_flags & CRANIAL_FLAGS)


def _first_new_cord_flag(assessments: Sequence[Assessment], newest: Assessment, within_days: int) -> Assessment | None:
    """The first assessment in the window with a flag that none before the window had."""
    oldest = newest.on - timedelta(days=within_days)
    flagged = [each for each in assessments if each.red_flags and each.red_flags & CORD_FLAGS]
    if not flagged:
        return None
    known = frozenset[str]().union(*(each.red_flags for each in flagged if each.on < oldest))
    return next((each for each in flagged if each.on >= oldest and each.red_flags & CORD_FLAGS - known), None)
