"""Changes after the last bortezomib dose: D1-D5 of docs/clinical.md.

Sensory grade, neuropathic pain and its intensity are compared with the best value in the days before the stop (or the last
earlier one, where those days hold none) and after it. The day that counts is the one on which the present state was first
recorded: worse on day 30 and the same on day 50 is still what began on day 30.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from operator import attrgetter

from monitor.clinical.clauses import AfterStop, Clause, GradeAfterStop, MarkedAfterStop
from monitor.clinical.comparison import Change, Reading, change, evidence_of, readings
from monitor.clinical.days import in_days
from monitor.clinical.findings import Criterion, Evidence, Urgency
from monitor.clinical.history import Assessment
from monitor.clinical.motor_measures import Track, grade_tracks
from monitor.clinical.motor_picture import MotorCriterion, source_of
from monitor.clinical.scales.pain import neuropathic_nrs
from monitor.clinical.situation import Situation


@dataclass(frozen=True, slots=True, kw_only=True)
class AfterStopCriterion:
    """One of D1-D5. The fields after ``criterion`` are set where it is met."""

    criterion: Criterion
    urgency: Urgency | None = None
    said: str = ""
    seen: Assessment | None = None
    began_on: date | None = None
    evidence: tuple[Evidence, ...] = ()


def motor_after_stop(situation: Situation, after_stop: tuple[MotorCriterion, ...]) -> AfterStopCriterion:
    """D1: each motor criterion met after the last dose goes one tier up; a mere re-test stays what it is.

    So does a new aid (M8) beside the fall of one limb: a cane after a fracture. Loss of walking always goes up.
    """
    clause = situation.policy.thresholds.after_discontinuation.motor
    rule = f"any motor criterion from day {clause.from_day} to {clause.to_day} after the last dose counts, one tier up"
    stop = situation.stopped_on
    if stop is None:
        return _not_met("motor-after-stop", clause, f"{_on_drug(situation)}; {rule}")
    held = [each for each in after_stop if each.seen is not None and _in_days(clause, each.seen.on, stop)]
    if not held:
        return _not_met("motor-after-stop", clause, f"none since the last dose on {stop}; {rule}")
    one_limb = any(each.id == "single-limb" for each in held)
    urgencies = [_one_up(each, clause, one_limb=one_limb) for each in held]
    leading, urgency = max(zip(held, urgencies, strict=True), key=lambda pair: pair[1].rank)
    day = (leading.seen.on - stop).days if leading.seen is not None else 0
    names = ", ".join(each.id for each in held)
    said = f"{leading.said}, {in_days(day)} after the last dose"
    return AfterStopCriterion(
        criterion=_criterion("motor-after-stop", clause, f"{said} on {stop} ({names}); {rule}", met=True),
        urgency=urgency,
        said=said,
        seen=leading.seen,
        began_on=leading.began_on,
        evidence=tuple(dict.fromkeys(evidence for each in held for evidence in each.evidence)),
    )


def sensory_after_stop(situation: Situation) -> tuple[AfterStopCriterion, ...]:
    """D2, D3 and D4: sensory grade, neuropathic pain and its intensity."""
    clauses = situation.policy.thresholds.after_discontinuation
    early, late, marked = clauses.sensory_early, clauses.sensory_late, clauses.sensory_marked
    stop = situation.stopped_on
    tracks = [] if stop is None else _sensory_tracks(situation, stop, max(early.to_day, late.to_day, marked.to_day))
    return (
        _worse(situation, tracks, "sensory-early", early, f"{_by(early)}: possible coasting"),
        _worse(situation, tracks, "sensory-late", late, f"{_by(late)}: too late for coasting"),
        _worse(situation, tracks, "sensory-marked", marked, _by(marked)),
    )


def not_recovering(situation: Situation) -> AfterStopCriterion:
    """D5: long after the stop still at this grade, no better than at it, or than when first seen after it.

    A known baseline is not bortezomib's doing.
    """
    clause = situation.policy.thresholds.after_discontinuation.not_recovering
    rule = f"grade {clause.grade} or worse, no better than at the stop, {clause.after_days} days after the last dose counts"
    stop = situation.stopped_on
    if stop is None:
        return _not_met("not-recovering", clause, f"{_on_drug(situation)}; {rule}")
    day = (situation.today - stop).days
    patient = situation.history.patient
    reach = _reach_days(situation, stop)
    texts: list[str] = []
    for name, baseline in (("sensory_grade", patient.baseline_sensory_grade), ("motor_grade", patient.baseline_motor_grade)):
        for track in grade_tracks(situation, name, reach, baseline, back_to=stop):
            newest, reference = track.newest, _at_stop(track.readings, stop)
            if newest is None or newest.on <= stop or reference is None or reference is newest:
                texts.append(f"{_text(track, None, situation)}, not recorded at the stop and after it")
                continue
            since_stop = in_days((newest.on - stop).days)
            said = f"{track.what}: {track.show(reference)} on {reference.on}, {track.show(newest)} on {newest.on}, {since_stop}"
            texts.append(said)
            above = newest.burden >= clause.grade and newest.burden > (baseline or 0)
            if above and newest.burden >= reference.burden and day >= clause.after_days:
                return AfterStopCriterion(
                    criterion=_criterion("not-recovering", clause, f"{said} after the last dose on {stop}; {rule}", met=True),
                    urgency=clause.urgency,
                    said=f"not recovering: {said} after the last dose",
                    seen=newest.record,
                    began_on=stop,
                    evidence=evidence_of(newest.record, reference.record),
                )
    return _not_met("not-recovering", clause, f"{'; '.join(texts)}; {rule}")


def _at_stop(found: list[Reading], stop: date) -> Reading | None:
    """The value in force at the stop, or the first one recorded after it. The baseline is neither."""
    recorded = [reading for reading in found if reading.record is not None]
    return next((reading for reading in recorded if reading.on <= stop), recorded[-1] if recorded else None)


def _one_up(criterion: MotorCriterion, clause: AfterStop, *, one_limb: bool) -> Urgency:
    urgency = criterion.urgency or Urgency.REVIEW
    if criterion.retest:
        return urgency
    lifted = urgency if one_limb and criterion.id == "disability-or-aid" else urgency.one_up()
    return max(clause.urgency, lifted, key=lambda each: each.rank)


@dataclass(frozen=True, slots=True)
class _Sensory:
    """A track, the rise that each clause asks for is picked by ``kind``."""

    kind: str  # grade, pain or nrs
    track: Track


def _sensory_tracks(situation: Situation, stop: date, to_day: int) -> list[_Sensory]:
    """Readings from the days before the stop on, or from the last one before them."""
    first_on, assessments, reach = situation.first_on, situation.assessments, _reach_days(situation, stop)
    baseline = situation.history.patient.baseline_sensory_grade
    graded = grade_tracks(situation, "sensory_grade", reach, baseline, back_to=stop)
    tracks = [_Sensory("grade", track) for track in graded]
    read = attrgetter("neuropathic_pain")
    pain = readings(assessments, read, first_on=first_on, reach_days=reach, burden_of=float, back_to=stop)
    if pain:  # a number alone does not say which pain was rated
        rated = attrgetter("neuropathic_pain", "pain_nrs")
        nrs = readings(assessments, rated, first_on=first_on, reach_days=reach, burden_of=_nrs, back_to=stop)
        tracks.append(_Sensory("pain", Track("neuropathic pain", _yes_no, pain, first_on)))
        tracks.append(_Sensory("nrs", Track("neuropathic pain NRS", _rated, nrs, first_on)))
    oldest = stop - timedelta(days=situation.policy.thresholds.after_discontinuation.compare_days_before_stop)
    return [
        _Sensory(each.kind, each.track._replace(readings=_from(each.track.readings, oldest, stop)))
        for each in tracks
        if each.track.readings and each.track.readings[0].on <= stop + timedelta(days=to_day)
    ]


def _reach_days(situation: Situation, stop: date) -> int:
    """From today back to the days before the stop."""
    return (situation.today - stop).days + situation.policy.thresholds.after_discontinuation.compare_days_before_stop


def _from(found: list[Reading], oldest: date, stop: date) -> list[Reading]:
    kept = [reading for reading in found if reading.on >= oldest]
    if not any(reading.on <= stop for reading in kept):
        kept += [reading for reading in found if reading.on < oldest][:1]
    return kept


def _worse(
    situation: Situation, tracks: list[_Sensory], identifier: str, clause: GradeAfterStop | MarkedAfterStop, rule: str
) -> AfterStopCriterion:
    stop = situation.stopped_on
    if stop is None:
        return _not_met(identifier, clause, f"{_on_drug(situation)}; {rule}")
    texts = []
    for each in tracks:
        track = each.track
        found = _change_of(each, clause, situation)
        texts.append(_text(track, found, situation))
        if found is None or not _in_days(clause, found.seen.on, stop):
            continue
        said = f"{track.said(found)}, {in_days((found.seen.on - stop).days)} after the last dose"
        return AfterStopCriterion(
            criterion=_criterion(identifier, clause, f"{said} on {stop}; {rule}", met=True),
            urgency=clause.urgency,
            said=said,
            seen=found.record,
            began_on=found.seen.on,
            evidence=evidence_of(found.newest.record, found.record, found.best.source),
        )
    return _not_met(identifier, clause, f"{'; '.join(texts) or 'nothing recorded'}; {rule}")


def _change_of(each: _Sensory, clause: GradeAfterStop | MarkedAfterStop, situation: Situation) -> Change | None:
    """The change of the newest reading from the best one, if it is enough."""
    baseline = situation.history.patient.baseline_sensory_grade or 0
    reaching = clause.reaching_nrs if isinstance(clause, MarkedAfterStop) else 0
    pain_rise = 1 if isinstance(clause, GradeAfterStop) else 2  # pain or none: never a marked change by itself

    def enough(now: float, best: float) -> bool:
        if each.kind == "grade":
            return now > baseline and now - best >= clause.rise
        if each.kind == "pain":
            return now - best >= pain_rise
        return now - best >= clause.rise_nrs and now >= reaching

    days = (situation.today - each.track.readings[-1].on).days
    return change(each.track.readings, enough, within_days=days, first_on=situation.first_on)


def _text(track: Track, found: Change | None, situation: Situation) -> str:
    """The track in words that do not change from day to day while nothing is recorded."""
    days = situation.policy.thresholds.after_discontinuation.compare_days_before_stop
    if track.readings:
        days = max(days, (track.readings[0].on - track.readings[-1].on).days)
    return track.text(found, days)


def _by(clause: GradeAfterStop | MarkedAfterStop) -> str:
    days = f"from day {clause.from_day} to {clause.to_day} after the last dose"
    if isinstance(clause, MarkedAfterStop):
        return f"sensory grade up {clause.rise}, or NRS up {clause.rise_nrs} to {clause.reaching_nrs} or more, {days} counts"
    return f"sensory grade up {clause.rise}, new neuropathic pain, or NRS up {clause.rise_nrs}, {days} counts"


def _in_days(clause: AfterStop, on: date, stop: date) -> bool:
    return clause.from_day <= (on - stop).days <= clause.to_day


def _nrs(recorded: tuple[bool | None, int | None]) -> int | None:
    return neuropathic_nrs(*recorded)


def _rated(reading: Reading) -> str:
    """The number, but where none was recorded for a pain that is not there."""
    record = reading.record
    if record is not None and record.neuropathic_pain is False and record.pain_nrs != 0:
        return "no neuropathic pain"
    return f"{reading.burden:g}"


def _yes_no(reading: Reading) -> str:
    return "yes" if reading.burden else "no"


def _on_drug(situation: Situation) -> str:
    last = situation.last_dose
    return f"on bortezomib, last dose on {last.on}" if last is not None else "on bortezomib"


def _criterion(identifier: str, clause: Clause, text: str, *, met: bool) -> Criterion:
    return Criterion(id=identifier, met=met, text=text, source=source_of(clause))


def _not_met(identifier: str, clause: Clause, text: str) -> AfterStopCriterion:
    return AfterStopCriterion(criterion=_criterion(identifier, clause, text, met=False))
