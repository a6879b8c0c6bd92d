"""No recovery long after the last dose: D5 of docs/clinical.md."""

from __future__ import annotations

from datetime import date
from functools import partial

from monitor.clinical.after_stop import AfterStopCriterion, Text, on_drug, on_last_dose, reach_days, track_text
from monitor.clinical.comparison import Reading, evidence_of
from monitor.clinical.days import in_days
from monitor.clinical.motor_measures import Track, grade_tracks
from monitor.clinical.situation import Situation
from monitor.said import Said, joined, say


def not_recovering(situation: Situation) -> AfterStopCriterion:
    """D5: long after the stop still at this grade, no better than at it, or than when first seen after it.

    A known baseline is not bortezomib's doing.
    """
    clause = situation.policy.thresholds.after_discontinuation.not_recovering

    def with_rule(text: Text) -> Said:
        return say(
            "{text}; grade {grade} or worse, no better than at the stop, {days} days after the last dose counts",
            text=text(),
            grade=clause.grade,
            days=clause.after_days,
        )

    stop = situation.stopped_on
    if stop is None:
        return AfterStopCriterion(id="not-recovering", clause=clause, text=partial(with_rule, partial(on_drug, situation)))
    day, patient, reach = (situation.today - stop).days, situation.history.patient, reach_days(situation, stop)
    baselines = (("sensory_grade", patient.baseline_sensory_grade), ("motor_grade", patient.baseline_motor_grade))
    tracks = [
        (track, baseline or 0)
        for name, baseline in baselines
        for track in grade_tracks(situation, name, reach, baseline, back_to=stop)
    ]
    for track, baseline in tracks:
        newest, reference = track.newest, _at_stop(track.readings, stop)
        if newest is None or newest.on <= stop or reference is None or reference is newest or newest.burden <= baseline:
            continue
        if newest.burden >= max(clause.grade, reference.burden) and day >= clause.after_days:
            said = say("{grades} after the last dose", grades=_since_stop(track, reference, newest, stop))
            return AfterStopCriterion(
                id="not-recovering",
                clause=clause,
                text=partial(with_rule, partial(on_last_dose, said, stop)),
                urgency=clause.urgency,
                said=say("not recovering: {change}", change=said),
                seen=newest.record,
                began_on=stop,
                evidence=evidence_of(newest.record, reference.record),
            )

    def unchanged() -> str:
        return joined("; ", (_recovery_text(track, stop, situation) for track, _ in tracks))

    return AfterStopCriterion(id="not-recovering", clause=clause, text=partial(with_rule, unchanged))


def _recovery_text(track: Track, stop: date, situation: Situation) -> str:
    newest, reference = track.newest, _at_stop(track.readings, stop)
    if newest is None or newest.on <= stop or reference is None or reference is newest:
        return say("{text}, not recorded at the stop and after it", text=track_text(track, None, situation))
    return _since_stop(track, reference, newest, stop)


def _since_stop(track: Track, reference: Reading, newest: Reading, stop: date) -> str:
    return say(
        "{what}: {at_stop} on {at_stop_on}, {newest} on {newest_on}, {days}",
        what=track.what,
        at_stop=track.show(reference),
        at_stop_on=reference.on,
        newest=track.show(newest),
        newest_on=newest.on,
        days=in_days((newest.on - stop).days),
    )


def _at_stop(found: list[Reading], stop: date) -> Reading | None:
    """The value in force at the stop, or the first one recorded after it. The baseline is neither."""
    recorded = [reading for reading in found if reading.record is not None]
    return next((reading for reading in recorded if reading.on <= stop), recorded[-1] if recorded else None)
