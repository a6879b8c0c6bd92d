"""Where one patient stands at one instant: on or off bortezomib, at which dose, watched or not.

Computed once per evaluation and handed to every rule.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from operator import attrgetter
from typing import TypeVar

from monitor.clinical.advice import AdviceInForce
from monitor.clinical.baseline import NO_STAND_INS, StandIns, stand_ins, with_stand_ins
from monitor.clinical.days import day_after, earliest
from monitor.clinical.history import BORTEZOMIB, Assessment, Course, Dose, History, Schedule
from monitor.clinical.motor_picture import MotorPicture
from monitor.clinical.policy import DrugStatus, Policy

PROTEASOME_INHIBITORS = frozenset({"carfilzomib", "ixazomib"})
"""Given after the last bortezomib dose, one of these means that the drug was changed (our judgement)."""

TWICE_WEEKLY_GAP_DAYS = 3  # 72 h is the minimum between doses in every regimen: US and EU label (V)
WEEKLY_GAP_DAYS = 7

Timed = TypeVar("Timed", Dose, Assessment)
_DAY = attrgetter("on")
_DRUG = attrgetter("drug")


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """One patient, on bortezomib now or once. ``doses`` are bortezomib's alone, up to today.

    Where no baseline grade was recorded, ``history`` has that of ``stand_ins``.
    """

    history: History
    policy: Policy
    now: datetime
    today: date
    first_on: date  # first bortezomib dose, or the course's start
    doses: tuple[Dose, ...]
    assessments: tuple[Assessment, ...]  # up to today, those before the first dose included
    stopped_on: date | None  # day of the last dose when off the drug; None while on it
    course: Course | None  # the newest bortezomib course
    schedule: Schedule | None
    look_again_at: datetime | None  # when the drug status changes by time alone
    stand_ins: StandIns = NO_STAND_INS
    explain: bool = True  # whether criteria are wanted of a rule that finds nothing
    motor: MotorPicture | None = None  # drawn once by motor_decline.with_motor
    advice: AdviceInForce | None = None  # folded once by advice_fold.with_advice, on the drug

    @property
    def last_dose(self) -> Dose | None:
        return self.doses[-1] if self.doses else None

    @property
    def on_drug(self) -> bool:
        return self.stopped_on is None

    @property
    def onset_on(self) -> date | None:
        """First neuropathy on or after the first dose."""
        patient = self.history.patient
        sensory, motor = patient.baseline_sensory_grade or 0, patient.baseline_motor_grade or 0
        for each in self.assessments[bisect_left(self.assessments, self.first_on, key=_DAY) :]:
            if each.neuropathic_pain or (each.sensory_grade or 0) > sensory or (each.motor_grade or 0) > motor:
                return each.on
        return None

    def on_treatment(self, assessment: Assessment) -> bool:
        """Whether the assessment was made on or after the first dose."""
        return assessment.on >= self.first_on

    def days_after_stop(self, day: date) -> int | None:
        """Days from the last dose to ``day``; None while on the drug."""
        return None if self.stopped_on is None else (day - self.stopped_on).days

    def cumulative_mg_per_m2(self, until: date) -> float:
        """Bortezomib given up to and including ``until``."""
        return round(sum(dose.dose_mg_per_m2 for dose in _until(self.doses, until)), 3)

    def next_dose_due_on(self) -> date | None:
        """By schedule, the day of the next dose; None off the drug or where no schedule is known."""
        if self.stopped_on is not None or not self.doses or self.schedule is None:
            return None
        gap = TWICE_WEEKLY_GAP_DAYS if self.schedule == "twice-weekly" else WEEKLY_GAP_DAYS
        return self.doses[-1].on + timedelta(days=gap)


def situate(history: History, policy: Policy, now: datetime, *, explain: bool = True) -> Situation | None:
    """The situation at ``now``, or None for a patient who is not watched.

    ``history`` is as known at ``now``. Not watched: never on bortezomib, not yet begun, or the watch is over.
    """
    today = now.astimezone(policy.zone).date()
    status = policy.thresholds.drug_status
    courses = [course for course in history.courses if course.drug == BORTEZOMIB and course.started_on <= today]
    doses = _of_bortezomib(_until(history.doses, today))
    if not courses and not doses:
        return None
    first_on = min([course.started_on for course in courses] + [dose.on for dose in doses[:1]])
    course = max(courses, key=lambda each: (each.started_on, each.known_at, each.version), default=None)
    stopped_on = _stopped_on(history, courses, doses, today, status)
    if stopped_on is not None and (today - stopped_on).days > status.watch_after_stop_days:
        return None
    assessments = _until(history.assessments, today)
    before = stand_ins(history, first_on)
    return Situation(
        history=with_stand_ins(history, before),
        policy=policy,
        now=now,
        today=today,
        first_on=first_on,
        doses=doses,
        assessments=assessments,
        stopped_on=stopped_on,
        course=course,
        schedule=schedule_from(doses, course),
        look_again_at=_status_changes_at(stopped_on, doses, policy),
        stand_ins=before,
        explain=explain,
    )


def _until(facts: tuple[Timed, ...], today: date) -> tuple[Timed, ...]:
    """The facts dated up to today; they are sorted, and mostly none lies ahead."""
    return facts if not facts or facts[-1].on <= today else facts[: bisect_right(facts, today, key=_DAY)]


def _of_bortezomib(doses: tuple[Dose, ...]) -> tuple[Dose, ...]:
    drugs = list(map(_DRUG, doses))
    return doses if drugs.count(BORTEZOMIB) == len(drugs) else tuple(dose for dose in doses if dose.drug == BORTEZOMIB)


def watched_from(history: History, policy: Policy) -> datetime | None:
    """The start of the clinic's first day on bortezomib, or None for a patient who never had it."""
    days = [course.started_on for course in history.courses if course.drug == BORTEZOMIB]
    days += [dose.on for dose in history.doses if dose.drug == BORTEZOMIB]
    return day_after(min(days), 0, policy.zone) if days else None


def schedule_from(doses: tuple[Dose, ...], course: Course | None) -> Schedule | None:
    """Twice-weekly or weekly, from the last two intervals between doses; from the course's label where they are too few.

    A label "weekly" beside gaps of three days is a label: the dates win. After the rest of a cycle one long interval is
    no change of schedule, two are. Doses before the labelled course began were given by another schedule.
    """
    newest, label = doses[-4:], None if course is None else course.schedule
    if course is not None and label is not None and newest and course.started_on <= newest[-1].on:
        newest = tuple(dose for dose in newest if dose.on >= course.started_on)
    gaps = [(later.on - earlier.on).days for earlier, later in pairwise(newest)]
    gaps = [gap for gap in gaps if gap > 0][-2:]
    if label is not None and len(gaps) < 2:
        return label
    if not gaps:
        return None
    return "twice-weekly" if min(gaps) < WEEKLY_GAP_DAYS - 2 else "weekly"


def _stopped_on(history: History, courses: list[Course], doses: tuple[Dose, ...], today: date, status: DrugStatus) -> date | None:
    """The off-drug clock starts at the last administered dose, whatever day the order ended."""
    ended = [course.discontinued_on for course in courses if course.discontinued_on is not None]
    newest_start = max((course.started_on for course in courses), default=date.min)
    if not doses:
        if len(ended) < len(courses) or not ended or max(ended) > today:
            return None
        return max(ended)
    last_on = doses[-1].on
    if newest_start > last_on and all(course.discontinued_on is None for course in courses if course.started_on == newest_start):
        return None  # a new course was begun; its first dose is still to come
    if any(last_on <= end <= today for end in ended):
        return last_on
    later = history.doses[bisect_right(history.doses, last_on, key=_DAY) :]
    changed = any(dose.drug in PROTEASOME_INHIBITORS and dose.on <= today for dose in later) or any(
        course.drug in PROTEASOME_INHIBITORS and last_on < course.started_on <= today for course in history.courses
    )
    if changed or (today - last_on).days > status.off_after_days_without_dose:
        return last_on
    return None


def _status_changes_at(stopped_on: date | None, doses: tuple[Dose, ...], policy: Policy) -> datetime | None:
    status = policy.thresholds.drug_status
    if stopped_on is not None:
        return day_after(stopped_on, status.watch_after_stop_days + 1, policy.zone)
    if doses:
        return day_after(doses[-1].on, status.off_after_days_without_dose + 1, policy.zone)
    return None


def soonest(situation: Situation, *instants: datetime | None) -> datetime | None:
    """The earliest of ``instants`` that lies after now, or None."""
    return earliest(*(instant for instant in instants if instant is not None and instant > situation.now))
