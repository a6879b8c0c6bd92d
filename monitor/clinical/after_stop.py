"""Changes after the last bortezomib dose: D1-D4 of docs/clinical.md.

Sensory grade, neuropathic pain and its intensity are compared with the best value in the days before the stop (or the last
earlier one, where those days hold none) and after it. The day that counts is the one on which the present state was first
recorded: worse on day 30 and the same on day 50 is still what began on day 30.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from operator import attrgetter

from monitor.clinical.clauses import AfterStop, Clause, GradeAfterStop, MarkedAfterStop
from monitor.clinical.comparison import Change, Reading, change, evidence_of, readings
from monitor.clinical.days import in_days
from monitor.clinical.findings import Criterion, Evidence, Urgency
from monitor.clinical.history import Assessment
from monitor.clinical.motor_measures import Track, grade_tracks
from monitor.clinical.motor_picture import MotorCriterion, named, source_of
from monitor.clinical.scales.pain import neuropathic_nrs
from monitor.clinical.situation import Situation
from monitor.clinical.words import NO, YES
from monitor.said import Said, joined, say

Text = Callable[[], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class AfterStopCriterion:
    """One of D1-D5, put in words when ``criterion`` is asked for. The fields after ``text`` are set where it is met."""

    id: str
    clause: Clause
    text: Text
    urgency: Urgency | None = None
    said: str = ""
    seen: Assessment | None = None
    began_on: date | None = None
    evidence: tuple[Evidence, ...] = ()

    @property
    def criterion(self) -> Criterion:
        return Criterion(id=self.id, met=self.urgency is not None, text=self.text(), source=source_of(self.clause))


def motor_after_stop(situation: Situation, after_stop: tuple[MotorCriterion, ...]) -> AfterStopCriterion:
    """D1: each motor criterion met after the last dose goes one tier up; a mere re-test stays what it is.

    So does a new aid (M8) beside the fall of one limb: a cane after a fracture. Loss of walking always goes up.
    """
    clause = situation.policy.thresholds.after_discontinuation.motor

    def with_rule(text: str) -> Said:
        from_day, to_day = clause.from_day, clause.to_day
        rule = say(
            "any motor criterion from day {from_day} to {to_day} after the last dose counts, one tier up",
            from_day=from_day,
            to_day=to_day,
        )
        return say("{text}; {rule}", text=text, rule=rule)

    stop = situation.stopped_on
    if stop is None:
        return AfterStopCriterion(id="motor-after-stop", clause=clause, text=lambda: with_rule(on_drug(situation)))
    held = [each for each in after_stop if each.seen is not None and _in_days(clause, each.seen.on, stop)]
    if not held:
        return AfterStopCriterion(id="motor-after-stop", clause=clause, text=lambda: with_rule(_none_since(stop)))
    one_limb = any(each.id == "single-limb" for each in held)
    urgencies = [_one_up(each, clause, one_limb=one_limb) for each in held]
    leading, urgency = max(zip(held, urgencies, strict=True), key=lambda pair: pair[1].rank)
    said = after_last_dose(leading.said, leading.seen.on if leading.seen is not None else stop, stop)
    names = named(held)
    return AfterStopCriterion(
        id="motor-after-stop",
        clause=clause,
        text=lambda: with_rule(say("{words} ({note})", words=on_last_dose(said, stop), note=names)),
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
        _worse(situation, tracks, "sensory-early", early, lambda: say("{rule}: possible coasting", rule=_by(early))),
        _worse(situation, tracks, "sensory-late", late, lambda: say("{rule}: too late for coasting", rule=_by(late))),
        _worse(situation, tracks, "sensory-marked", marked, lambda: _by_far(marked)),
    )


def on_last_dose(change: str, stop: date) -> Said:
    """A change of so many days after the last dose, with the day of that dose."""
    return say("{change} on {day}", change=change, day=stop)


def _none_since(stop: date) -> Said:
    return say("none since the last dose on {day}", day=stop)


def after_last_dose(change: str, seen_on: date, stop: date) -> Said:
    """A change with how long after the last dose it was seen."""
    return say("{change}, {days} after the last dose", change=change, days=in_days((seen_on - stop).days))


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
    first_on, assessments, reach = situation.first_on, situation.assessments, reach_days(situation, stop)
    baseline = situation.history.patient.baseline_sensory_grade
    graded = grade_tracks(situation, "sensory_grade", reach, baseline, back_to=stop)
    tracks = [_Sensory("grade", track) for track in graded]
    read = attrgetter("neuropathic_pain")
    pain = readings(assessments, read, first_on=first_on, reach_days=reach, burden_of=float, back_to=stop)
    if pain:  # a number alone does not say which pain was rated
        rated = attrgetter("neuropathic_pain", "pain_nrs")
        nrs = readings(assessments, rated, first_on=first_on, reach_days=reach, burden_of=_nrs, back_to=stop)
        tracks.append(_Sensory("pain", Track(say("neuropathic pain"), _yes_no, pain, first_on)))
        tracks.append(_Sensory("nrs", Track(say("neuropathic pain NRS"), _rated, nrs, first_on)))
    oldest = stop - timedelta(days=situation.policy.thresholds.after_discontinuation.compare_days_before_stop)
    return [
        _Sensory(each.kind, each.track._replace(readings=_from(each.track.readings, oldest, stop)))
        for each in tracks
        if each.track.readings and each.track.readings[0].on <= stop + timedelta(days=to_day)
    ]


def reach_days(situation: Situation, stop: date) -> int:
    """From today back to the days before the stop."""
    return (situation.today - stop).days + situation.policy.thresholds.after_discontinuation.compare_days_before_stop


def _from(found: list[Reading], oldest: date, stop: date) -> list[Reading]:
    kept = [reading for reading in found if reading.on >= oldest]
    if not any(reading.on <= stop for reading in kept):
        kept += [reading for reading in found if reading.on < oldest][:1]
    return kept


def _worse(
    situation: Situation, tracks: list[_Sensory], identifier: str, clause: GradeAfterStop | MarkedAfterStop, rule: Text
) -> AfterStopCriterion:
    stop = situation.stopped_on
    if stop is None:
        text = partial(_with_rule, rule, partial(on_drug, situation))
        return AfterStopCriterion(id=identifier, clause=clause, text=text)
    changes = [(each.track, _change_of(each, clause, situation)) for each in tracks]
    for track, found in changes:
        if found is None or not _in_days(clause, found.seen.on, stop):
            continue
        said = after_last_dose(track.said(found), found.seen.on, stop)
        return AfterStopCriterion(
            id=identifier,
            clause=clause,
            text=partial(_with_rule, rule, partial(on_last_dose, said, stop)),
            urgency=clause.urgency,
            said=said,
            seen=found.record,
            began_on=found.seen.on,
            evidence=evidence_of(found.newest.record, found.record, found.best.source),
        )

    def unchanged() -> str:
        texts = [track_text(track, found, situation) for track, found in changes]
        return joined("; ", texts) if texts else say("nothing recorded")

    return AfterStopCriterion(id=identifier, clause=clause, text=partial(_with_rule, rule, unchanged))


def _with_rule(rule: Text, text: Text) -> Said:
    return say("{text}; {rule}", text=text(), rule=rule())


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


def track_text(track: Track, found: Change | None, situation: Situation) -> str:
    """The track in words that do not change from day to day while nothing is recorded."""
    days = situation.policy.thresholds.after_discontinuation.compare_days_before_stop
    if track.readings:
        days = max(days, (track.readings[0].on - track.readings[-1].on).days)
    return track.text(found, days)


def _by(clause: GradeAfterStop) -> Said:
    return say(
        "sensory grade up {rise}, new neuropathic pain, or NRS up {rise_nrs}, from day {from_day} to {to_day} after the last"
        " dose counts",
        rise=clause.rise,
        rise_nrs=clause.rise_nrs,
        from_day=clause.from_day,
        to_day=clause.to_day,
    )


def _by_far(clause: MarkedAfterStop) -> Said:
    return say(
        "sensory grade up {rise}, or NRS up {rise_nrs} to {reaching} or more, from day {from_day} to {to_day} after the last"
        " dose counts",
        rise=clause.rise,
        rise_nrs=clause.rise_nrs,
        reaching=clause.reaching_nrs,
        from_day=clause.from_day,
        to_day=clause.to_day,
    )


def _in_days(clause: AfterStop, on: date, stop: date) -> bool:
    return clause.from_day <= (on - stop).days <= clause.to_day


def _nrs(recorded: tuple[bool | None, int | None]) -> int | None:
    return neuropathic_nrs(*recorded)


def _rated(reading: Reading) -> str:
    """The number, but where none was recorded for a pain that is not there."""
    record = reading.record
    if record is not None and record.neuropathic_pain is False and record.pain_nrs != 0:
        return say("no neuropathic pain")
    return f"{reading.burden:g}"


def _yes_no(reading: Reading) -> str:
    return YES if reading.burden else NO


def on_drug(situation: Situation) -> Said:
    last = situation.last_dose
    return say("on bortezomib") if last is None else say("on bortezomib, last dose on {day}", day=last.on)
