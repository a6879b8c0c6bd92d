"""The motor measures of one patient, each as one track of readings, drawn once for all motor criteria."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from operator import attrgetter, neg
from typing import NamedTuple, TypeVar

from monitor.clinical import motor_shows as shows
from monitor.clinical.comparison import Change, Enough, Reading, best_before, change, readings, since, with_baseline
from monitor.clinical.days import in_days
from monitor.clinical.history import NOT_TESTED, Assessment, Walking
from monitor.clinical.policy import MotorDecline
from monitor.clinical.scales.walking import UNABLE_STEP, disability, mobility_step, walking_step
from monitor.clinical.situation import Situation
from monitor.clinical.strength import Strength, strength_at
from monitor.said import say, say_n

Value = TypeVar("Value")
Read = Callable[[Assessment], Value | None]
Show = Callable[[Reading], str]

MOBILITY, WALKING_AID, GBS_DISABILITY, MRC_SUM = say("walking"), say("walking aid"), say("GBS disability"), say("MRC sum")
GRADES = {"motor_grade": say("motor grade"), "sensory_grade": say("sensory grade")}


class Track(NamedTuple):
    """One measure: its readings as burdens, newest first, and how they are said. ``note`` says what is not comparable."""

    what: str
    show: Show
    readings: list[Reading]
    first_on: date
    note: str = ""

    @property
    def newest(self) -> Reading | None:
        return self.readings[0] if self.readings else None

    def find(self, enough: Enough, within_days: int) -> Change | None:
        """The newest change that is enough, see ``comparison.change``."""
        return change(self.readings, enough, within_days=within_days, first_on=self.first_on)

    def after(self, day: date) -> Track:
        """The same measure with the value in force on ``day`` and what came after it."""
        return self._replace(readings=since(self.readings, day))

    def said(self, found: Change) -> str:
        """A change for a headline: ``walking: unaided -> wheelchair in 28 days (2011-02-15 to 2011-03-15)``."""
        return say_n(
            "{what}: {before} -> {after} in {count} day ({from_on} to {until_on})",
            "{what}: {before} -> {after} in {count} days ({from_on} to {until_on})",
            count=found.days,
            what=self.what,
            before=self.show(found.best),
            after=self.show(found.seen),
            from_on=found.best.on,
            until_on=found.seen.on,
        )

    def text(self, found: Change | None, within_days: int) -> str:
        """Values and dates of a change; without one, the newest value beside the best it was compared with."""
        if found is None:
            words = self._unchanged(within_days)
            return say("{words}; {note}", words=words, note=self.note) if self.note and self.readings else words
        said = self.said(found)
        if found.newest is found.seen:
            return said
        return say("{change}, {newest} on {day}", change=said, newest=self.show(found.newest), day=found.newest.on)

    def _unchanged(self, within_days: int) -> str:
        newest = self.newest
        if newest is None:
            return say("{what}: not recorded", what=self.what)
        best = best_before(self.readings, within_days=within_days)
        if best is None:
            return say(
                "{what}: {newest} on {day}, nothing to compare with in the {days} days before",
                what=self.what,
                newest=self.show(newest),
                day=newest.on,
                days=within_days,
            )
        return say(
            "{what}: {best} on {best_on}, {newest} on {newest_on} ({days})",
            what=self.what,
            best=self.show(best),
            best_on=best.on,
            newest=self.show(newest),
            newest_on=newest.on,
            days=in_days((newest.on - best.on).days),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """All tracks. ``grades`` holds one track for each CTCAE version at the newest grading, mostly one.

    ``newest``: the assessments at the newest instant at which anything was recorded. ``after``: set where only what
    came after that day counts.
    """

    situation: Situation
    clauses: MotorDecline
    mobility: Track
    walking: Track
    disability: Track
    grades: tuple[Track, ...]
    mrc_sum: Track
    grips: tuple[Track, ...]
    strength: Strength
    sum_strength: Strength  # at the examination of the newest sum, mostly the same
    newest: tuple[Assessment, ...]
    after: date | None = None

    @property
    def baseline_grade(self) -> int:
        return self.situation.history.patient.baseline_motor_grade or 0


def measure(situation: Situation) -> Measures:
    """Draw every track once, each only as far back as its widest window can see."""
    clauses, first_on, assessments = situation.policy.thresholds.motor, situation.first_on, situation.assessments
    aid_days = 2 * max(clauses.loss_of_walking.within_days, clauses.disability_or_aid.within_days)
    grip_days = 2 * clauses.grip_fall.within_days

    def track(what: str, show: Show, read: Read[Value], burden_of: Callable[[Value], float | None], days: int) -> Track:
        found = readings(assessments, read, first_on=first_on, reach_days=days, burden_of=burden_of)
        return Track(what, show, found, first_on)

    walking = track(WALKING_AID, shows.aid, attrgetter("walking"), walking_step, aid_days)
    disabled = track(GBS_DISABILITY, shows.plain, attrgetter("gbs_disability"), disability, aid_days)
    mobility = Track(MOBILITY, shows.mobility, walking.readings, first_on)
    if disabled.readings:
        mobility = track(MOBILITY, shows.mobility, attrgetter("walking", "gbs_disability"), _step, aid_days)
    if mobility.readings and mobility.readings[0].burden >= UNABLE_STEP:  # then it matters when he last walked
        reach = aid_days + clauses.loss_of_walking_undated.within_days
        mobility = track(MOBILITY, shows.mobility, attrgetter("walking", "gbs_disability"), _step, reach)
    mrc_sum = track(MRC_SUM, shows.minus, attrgetter("mrc_sum"), neg, 2 * strength_days(clauses))
    strength = strength_at(assessments, first_on=first_on, widest_days=strength_days(clauses))
    return Measures(
        situation=situation,
        clauses=clauses,
        mobility=mobility,
        walking=walking,
        disability=disabled,
        grades=grade_tracks(situation, "motor_grade", grade_days(clauses), situation.history.patient.baseline_motor_grade),
        mrc_sum=mrc_sum,
        grips=(
            track(say("grip right"), shows.kpa, attrgetter("grip_kpa_right"), neg, grip_days),
            track(say("grip left"), shows.kpa, attrgetter("grip_kpa_left"), neg, grip_days),
        ),
        strength=strength,
        sum_strength=_strength_of_sum(situation, mrc_sum, strength, None),
        newest=newest_with_content(assessments, first_on),
    )


def measures_after(measures: Measures, day: date) -> Measures:
    """The same measures with the values in force on ``day`` and what came after it."""
    situation = measures.situation
    strength = strength_at(
        situation.assessments, first_on=situation.first_on, widest_days=strength_days(measures.clauses), after=day
    )
    mrc_sum = measures.mrc_sum.after(day)
    return replace(
        measures,
        mobility=measures.mobility.after(day),
        walking=measures.walking.after(day),
        disability=measures.disability.after(day),
        grades=tuple(track.after(day) for track in measures.grades),
        mrc_sum=mrc_sum,
        grips=tuple(track.after(day) for track in measures.grips),
        strength=strength,
        sum_strength=_strength_of_sum(situation, mrc_sum, strength, day),
        after=day,
    )


def grade_tracks(
    situation: Situation, name: str, reach_days: int, baseline: int | None, *, back_to: date | None = None
) -> tuple[Track, ...]:
    """Tracks of a CTCAE grade, one for each version at the newest grading: grades compare only within one version.

    ``name``: ``motor_grade`` or ``sensory_grade``. A recorded baseline serves with any version, one that
    an assessment stands in for with its own. ``back_to`` as in ``readings``.
    """
    read: Callable[[Assessment], int | None] = attrgetter(name)
    first_on, assessments = situation.first_on, situation.assessments
    graded = readings(assessments, read, first_on=first_on, reach_days=reach_days, burden_of=float, back_to=back_to)
    what, stand_in = GRADES[name], getattr(situation.stand_ins, name)

    def from_start(found: list[Reading], version: str | None) -> list[Reading]:
        foreign = stand_in is not None and stand_in.ctcae_version != version
        return with_baseline(found, None if foreign else baseline, first_on, reach_days, stand_in)

    if not graded or graded[0].record is None:
        return (Track(what, shows.grade, [], first_on),)
    if back_to is not None:
        reach_days = max(reach_days, (graded[0].on - first_on).days)  # the baseline serves, however old
    at = graded[0].record.at
    versions = {graded[0].record.ctcae_version}
    for each in reversed(assessments):
        if each.at < at:
            break
        if each.at == at and read(each) is not None:
            versions.add(each.ctcae_version)
    if len(versions) == 1 and {each.record.ctcae_version for each in graded if each.record is not None} <= versions:
        return (Track(what, shows.grade, from_start(graded, *versions), first_on),)
    tracks = []
    for version in sorted(versions, key=str):
        own = readings(
            assessments,
            lambda each, version=version: read(each) if each.ctcae_version == version else None,  # type: ignore[misc]  # a default binds it now
            first_on=first_on,
            reach_days=reach_days,
            burden_of=float,
            back_to=back_to,
        )
        other = next((each.record for each in graded if each.record and each.record.ctcae_version != version), None)
        note = shows.versions_differ(other.ctcae_version, version) if other else ""
        tracks.append(Track(what, shows.grade, from_start(own, version), first_on, note))
    return tuple(tracks)


def newest_with_content(assessments: Sequence[Assessment], first_on: date) -> tuple[Assessment, ...]:
    """The assessments at the newest instant, on or after ``first_on``, at which anything at all was recorded."""
    found: list[Assessment] = []
    for record in reversed(assessments):
        if record.on < first_on or (found and record.at != found[0].at):
            break
        if has_content(record):
            found.append(record)
    return tuple(found)


def has_content(record: Assessment) -> bool:
    """Whether anything was recorded at the assessment."""
    if record.motor_grade is not None or record.walking is not None or record.red_flags or record.mrc != NOT_TESTED:
        return True
    return any(value is not None for value in _OTHER_VALUES(record))


def strength_days(clauses: MotorDecline) -> int:
    """The widest window in which a fall of power is looked for."""
    windows = (clauses.muscle_fall, clauses.sum_fall, clauses.moderate_fall, clauses.small_fall)
    return max(clause.within_days for clause in windows)


def grade_days(clauses: MotorDecline) -> int:
    """How far back a motor grade may serve: a change is seen in its window, and kept for as long again."""
    windows = (clauses.motor_grade_severe, clauses.motor_grade_rise, clauses.small_fall)
    return 2 * max(clause.within_days for clause in windows)


def _strength_of_sum(situation: Situation, mrc_sum: Track, strength: Strength, after: date | None) -> Strength:
    """Strength at the examination of the newest sum; a later partial one may not have tested the muscles that fell."""
    newest = mrc_sum.newest
    if newest is None or newest.record is None or strength.exam is None or strength.exam.record.at == newest.record.at:
        return strength
    at = newest.record.at
    until = tuple(each for each in situation.assessments if each.at <= at)
    days = strength_days(situation.policy.thresholds.motor)
    return strength_at(until, first_on=situation.first_on, widest_days=days, after=after)


_OTHER_VALUES = attrgetter(
    "sensory_grade",
    "autonomic_grade",
    "neuropathic_pain",
    "pain_nrs",
    "gbs_disability",
    "reflexes",
    "systolic_lying",
    "systolic_standing",
    "diastolic_lying",
    "diastolic_standing",
    "grip_kpa_right",
    "grip_kpa_left",
    "vibration_toe_right",
    "vibration_toe_left",
)


def _step(recorded: tuple[Walking | None, int | None]) -> int | None:
    return mobility_step(*recorded)
