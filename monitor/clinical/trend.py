"""What a picture of one patient shows: every visit, dose and treatment of the last months, and what was found in them.

Values as recorded and days of the clinic, no sentence: whoever draws it or makes a table of it finds the words.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from monitor.clinical.findings import Finding, Urgency
from monitor.clinical.history import BORTEZOMIB, Assessment, Dose, History, Walking
from monitor.clinical.policy import Policy
from monitor.clinical.scales.mrc import FULL_GRADE, TESTED_MUSCLES
from monitor.clinical.situation import situate
from monitor.clinical.strength import HIGHEST_RANK

SHOWN_DAYS = 550
"""About eighteen months (J): from a first dose to the end of most recoveries, and still a week is wide enough to be seen."""

SHOWN_VISITS = 60
"""The newest so many (J): more steps than that are no longer told apart on a telephone."""

WEAKEST = 3
"""So many muscles are followed one by one (J): more lines hide each other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One assessment. None is "not recorded"; grades of two CTCAE versions are not compared."""

    on: date
    sensory_grade: int | None = None
    motor_grade: int | None = None
    pain: bool | None = None
    walking: Walking | None = None
    gbs_disability: int | None = None
    weakest: tuple[tuple[str, int], ...] = ()  # of the trend's ``muscles``, those tested: name and rank in thirds of a grade
    mrc_sum: int | None = None  # 0-60, only where all its twelve muscles were tested
    ctcae_version: str | None = None
    assessor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """One dose of bortezomib."""

    on: date
    mg_per_m2: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Therapy:
    """A treatment of the neuropathy: ``ivig``, ``plasma_exchange``, ``corticosteroid``, or a drug's name."""

    name: str
    started_on: date
    stopped_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Where a rule found something: the day of the newest fact that made it hold. ``text`` is the finding's headline."""

    on: date
    rule: str
    text: str
    urgency: Urgency


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """All of it, each kind oldest first and nothing after ``today``; ``marks`` the most urgent first, else as given.

    ``first_on`` to ``today`` is the period shown. ``cut``: something older is left out. ``stopped_on`` is the day of the
    last dose of who is off bortezomib. ``muscles`` are the names, as in TESTED_MUSCLES, of those that were weakest.
    """

    first_on: date
    today: date
    stopped_on: date | None
    muscles: tuple[str, ...]
    visits: tuple[Visit, ...]
    doses: tuple[Given, ...]
    therapies: tuple[Therapy, ...]
    marks: tuple[Mark, ...]
    strength_tested: bool = False  # any muscle, at a visit shown
    cut: bool = False

    @property
    def ctcae_version(self) -> str | None:
        """That of the newest graded visit; a visit graded by another version is drawn apart."""
        versions = (each.ctcae_version for each in reversed(self.visits) if _graded(each))
        return next(versions, None)


def trend_of(history: History, policy: Policy, now: datetime, findings: Iterable[Finding] = ()) -> Trend:
    """What is known at ``now`` of the last SHOWN_DAYS and SHOWN_VISITS, and where ``findings`` lie in it.

    ``history`` is as known at ``now``.
    """
    today = now.astimezone(policy.zone).date()
    recorded = [each for each in history.assessments if each.on <= today and _says_something(each)]
    doses = [each for each in history.doses if each.on <= today and each.drug == BORTEZOMIB]
    first_on = _first_on(recorded, doses, today)
    seen = [each for each in recorded if each.on >= first_on]
    muscles = weakest_muscles(seen)
    therapies = [each for each in history.treatments if each.started_on <= today]
    shown = [each for each in therapies if (each.stopped_on or today) >= first_on]
    return Trend(
        first_on=first_on,
        today=today,
        stopped_on=_stopped_on(history, policy, now, doses),
        muscles=tuple(TESTED_MUSCLES[place] for place in muscles),
        visits=tuple(_visit(each, muscles) for each in seen),
        doses=tuple(Given(on=each.on, mg_per_m2=each.dose_mg_per_m2) for each in doses if each.on >= first_on),
        therapies=tuple(_therapy(each.treatment, each.started_on, each.stopped_on, today) for each in shown),
        marks=_marks(findings, policy, first_on, today),
        strength_tested=any(rank is not None for each in seen for rank in each.mrc),
        cut=len(seen) < len(recorded) or any(each.on < first_on for each in doses),
    )


def weakest_muscles(assessments: Sequence[Assessment]) -> tuple[int, ...]:
    """Places of at most WEAKEST muscles that were weak at some time: the lowest rank first, of equals what fell most."""
    lowest: dict[int, tuple[int, int, int]] = {}
    for place in range(len(TESTED_MUSCLES)):
        ranks = [rank for each in assessments if (rank := each.mrc[place]) is not None]
        if ranks and min(ranks) <= HIGHEST_RANK - FULL_GRADE:
            lowest[place] = (min(ranks), min(ranks) - max(ranks), place)
    return tuple(sorted(lowest, key=lambda place: lowest[place])[:WEAKEST])


def _first_on(recorded: Sequence[Assessment], doses: Sequence[Dose], today: date) -> date:
    """The first day shown: of the first visit or dose, within both bounds."""
    days = [each.on for each in recorded[-SHOWN_VISITS:]]
    if len(recorded) <= SHOWN_VISITS:
        days += [each.on for each in doses[:1]]
    return max(min(days, default=today), today - timedelta(days=SHOWN_DAYS))


def _stopped_on(history: History, policy: Policy, now: datetime, doses: Sequence[Dose]) -> date | None:
    situation = situate(history, policy, now, explain=False)
    if situation is not None:
        return situation.stopped_on
    return doses[-1].on if doses else None  # watched no longer, so long ago is the stop


def _visit(assessment: Assessment, muscles: Sequence[int]) -> Visit:
    powers = ((TESTED_MUSCLES[place], assessment.mrc[place]) for place in muscles)
    return Visit(
        on=assessment.on,
        sensory_grade=assessment.sensory_grade,
        motor_grade=assessment.motor_grade,
        pain=assessment.neuropathic_pain,
        walking=assessment.walking,
        gbs_disability=assessment.gbs_disability,
        weakest=tuple((name, rank) for name, rank in powers if rank is not None),
        mrc_sum=assessment.mrc_sum,
        ctcae_version=assessment.ctcae_version,
        assessor=assessment.assessor,
    )


def _therapy(name: str, started_on: date, stopped_on: date | None, today: date) -> Therapy:
    return Therapy(name=name, started_on=started_on, stopped_on=None if stopped_on is None or stopped_on > today else stopped_on)


def _marks(findings: Iterable[Finding], policy: Policy, first_on: date, today: date) -> tuple[Mark, ...]:
    marks = []
    for finding in findings:
        on = finding.clinical_at.astimezone(policy.zone).date()
        if first_on <= on <= today:
            marks.append(Mark(on=on, rule=finding.rule, text=finding.headline, urgency=finding.urgency))
    return tuple(sorted(marks, key=lambda mark: -mark.urgency.rank))


def _says_something(assessment: Assessment) -> bool:
    """Whether any of what is shown was recorded."""
    values = (assessment.sensory_grade, assessment.motor_grade, assessment.neuropathic_pain, assessment.walking)
    others = (assessment.gbs_disability, assessment.mrc_sum, *assessment.mrc)
    return any(value is not None for value in (*values, *others))


def _graded(visit: Visit) -> bool:
    return visit.sensory_grade is not None or visit.motor_grade is not None
