"""All we know of a patient, oldest first: facts with a clinical time and the time they were known.

A fact is one version of one record. ``known_at`` is when the hospital knew it, ``superseded_at`` when a correction
took its place. ``History.as_known_at(instant)`` holds exactly what was known then; live evaluation is the case "now".
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import lru_cache
from operator import attrgetter
from typing import Literal, TypeVar

from monitor.clinical.joined import Joined
from monitor.clinical.order import dose_order, visit_order
from monitor.clinical.scales.mrc import TESTED_MUSCLES

BORTEZOMIB = "bortezomib"
ALWAYS = datetime.min.replace(tzinfo=UTC)
NOT_TESTED: tuple[int | None, ...] = (None,) * len(TESTED_MUSCLES)

Schedule = Literal["twice-weekly", "weekly"]
Walking = Literal["unaided", "cane", "walker", "wheelchair", "bedbound"]
Reflexes = Literal["normal", "reduced", "absent"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """What every fact carries. ``version`` is unique in the database; ``fact_id`` names the record across versions."""

    fact_id: str
    version: int
    known_at: datetime
    superseded_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient(Fact):
    """A person followed. The first version is known from ALWAYS: a patient has no clinical time."""

    patient_id: str
    display_name: str | None = None
    birth_on: date | None = None
    sex: str | None = None
    site: str | None = None
    team: str | None = None
    diagnosis: str | None = None
    comorbidities: tuple[str, ...] = ()
    baseline_sensory_grade: int | None = None
    baseline_motor_grade: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Course(Fact):
    """A treatment from its first dose to its stop."""

    drug: str
    started_on: date
    schedule: Schedule | None = None
    cycle_days: int | None = None
    discontinued_on: date | None = None
    discontinued_reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dose(Fact):
    """One administration. ``on`` is the clinic's day; ``day_only`` when no time of day was recorded (``at`` is noon)."""

    at: datetime
    on: date
    day_only: bool
    drug: str
    dose_mg_per_m2: float
    route: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment(Fact):
    """One examination of one patient. None is "not recorded", never 0 or "no"."""

    at: datetime
    on: date
    day_only: bool
    assessor: str | None = None
    ctcae_version: str | None = None  # "4.03", "5.0", "6.0"
    sensory_grade: int | None = None
    motor_grade: int | None = None
    autonomic_grade: int | None = None
    neuropathic_pain: bool | None = None
    pain_nrs: int | None = None  # 0-10
    walking: Walking | None = None
    gbs_disability: int | None = None  # 0-6, high is bad
    reflexes: Reflexes | None = None
    red_flags: frozenset[str] = frozenset()
    systolic_lying: int | None = None  # mmHg, as are the next three
    systolic_standing: int | None = None
    diastolic_lying: int | None = None
    diastolic_standing: int | None = None
    grip_kpa_right: float | None = None
    grip_kpa_left: float | None = None
    vibration_toe_right: float | None = None  # Rydel-Seiffer 0-8, high is good
    vibration_toe_left: float | None = None
    mrc: tuple[int | None, ...] = NOT_TESTED  # ranks in the order of scales.mrc.TESTED_MUSCLES
    mrc_sum: int | None = None  # of the twelve Kleyweg muscles, only when all were tested
    voided: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LabResult(Fact):
    """``csf_protein`` in mg/dL or ``csf_white_cells`` per microlitre, converted once in the importer."""

    at: datetime
    on: date
    analyte: Literal["csf_protein", "csf_white_cells"]
    value: float
    as_written: str  # value and unit of the feed


@dataclass(frozen=True, slots=True, kw_only=True)
class Investigation(Fact):
    """A nerve conduction study, CSF report, spine MRI or antibody panel with its findings."""

    at: datetime
    on: date
    kind: str
    findings: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Treatment(Fact):
    """``ivig``, ``plasma_exchange``, ``corticosteroid``, or a drug's name."""

    treatment: str
    started_on: date
    stopped_on: date | None = None


AnyFact = TypeVar("AnyFact", bound=Fact)
_KNOWN_AT: Callable[[Fact], datetime] = attrgetter("known_at")
_SUPERSEDED_AT: Callable[[Fact], datetime | None] = attrgetter("superseded_at")
_VOIDED: Callable[[Assessment], bool] = attrgetter("voided")


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """One patient's facts, each kind sorted by clinical time, then known_at, then ``clinical.order``, fact_id and version.

    ``patients`` holds the versions of the patient's own record, ``joined`` what became of it. Before ``as_known_at`` a history
    holds every version; after it, one version of each record and no voided assessment.
    """

    patient_id: str
    patients: tuple[Patient, ...] = ()
    courses: tuple[Course, ...] = ()
    doses: tuple[Dose, ...] = ()
    assessments: tuple[Assessment, ...] = ()
    labs: tuple[LabResult, ...] = ()
    investigations: tuple[Investigation, ...] = ()
    treatments: tuple[Treatment, ...] = ()
    joined: Joined | None = None
    _order: list[list[datetime] | None] = field(default_factory=list, init=False, repr=False, compare=False)

    @property
    def patient(self) -> Patient:
        """The newest version of the patient's record, or an empty one where the feed sent facts alone."""
        if self.patients:
            return self.patients[-1]
        return _unrecorded(self.patient_id)

    def as_known_at(self, instant: datetime) -> History:
        """What was known at ``instant``: later versions unseen, superseded ones still in force, voided ones gone."""
        patients, courses, doses, assessments, labs, investigations, treatments = self._known_in_order()
        if any(map(_VOIDED, self.assessments)):
            seen = tuple(each for each in _known(self.assessments, None, instant) if not each.voided)
        else:
            seen = _known(self.assessments, assessments, instant)
        return History(
            patient_id=self.patient_id,
            patients=_known(self.patients, patients, instant),
            courses=_known(self.courses, courses, instant),
            doses=_known(self.doses, doses, instant),
            assessments=seen,
            labs=_known(self.labs, labs, instant),
            investigations=_known(self.investigations, investigations, instant),
            treatments=_known(self.treatments, treatments, instant),
            joined=None if self.joined is None or self.joined.at > instant else self.joined,
        )

    def instants(self) -> list[datetime]:
        """Every instant at which what was known changed, ascending, without repetition."""
        found: set[datetime | None] = set()
        for facts in self._kinds():
            found.update(map(_KNOWN_AT, facts))
            found.update(map(_SUPERSEDED_AT, facts))
        return sorted(instant for instant in found if instant is not None and instant != ALWAYS)

    def next_known_after(self, instant: datetime) -> datetime | None:
        """The next instant at which something already stored becomes known, or None."""
        ahead: list[datetime] = []
        for facts, known in zip(self._kinds(), self._known_in_order(), strict=True):
            if known is None:
                changes = (change for fact in facts for change in (fact.known_at, fact.superseded_at))
                ahead += [change for change in changes if change is not None and change > instant]
            else:
                ahead += known[(place := bisect_right(known, instant)) : place + 1]
        return min(ahead, default=None)

    def next_day_after(self, today: date) -> date | None:
        """The next day after ``today`` on which a fact is dated, such as a planned stop or a dose entered ahead."""
        days = [course.started_on for course in self.courses]
        days += [course.discontinued_on for course in self.courses if course.discontinued_on is not None]
        days += [treatment.started_on for treatment in self.treatments]
        days += [treatment.stopped_on for treatment in self.treatments if treatment.stopped_on is not None]
        for facts in (self.doses, self.assessments, self.labs, self.investigations):
            days += _days_after(facts, today)
        return min((day for day in days if day > today), default=None)

    def _known_in_order(self) -> list[list[datetime] | None]:
        """For each kind, when its facts became known; None where that was in another order, or one was corrected since.

        Made once: along a replay the facts known at an instant are found by bisection.
        """
        if not self._order:
            self._order.extend(map(_in_order, self._kinds()))
        return self._order

    def _kinds(self) -> tuple[tuple[Fact, ...], ...]:
        return (self.patients, self.courses, self.doses, self.assessments, self.labs, self.investigations, self.treatments)


def history_of(patient_id: str, facts: Iterable[Fact]) -> History:
    """A history of ``facts`` of all kinds and versions, in whatever order they come. Raises TypeError for another kind."""
    patients, courses, doses, assessments = list[Patient](), list[Course](), list[Dose](), list[Assessment]()
    labs, investigations, treatments = list[LabResult](), list[Investigation](), list[Treatment]()
    for fact in facts:
        match fact:
            case Patient():
                patients.append(fact)
            case Course():
                courses.append(fact)
            case Dose():
                doses.append(fact)
            case Assessment():
                assessments.append(fact)
            case LabResult():
                labs.append(fact)
            case Investigation():
                investigations.append(fact)
            case Treatment():
                treatments.append(fact)
            case _:
                raise TypeError(f"{type(fact).__name__} is no kind of fact that a history holds")
    return History(
        patient_id=patient_id,
        patients=tuple(sorted(patients, key=_version_order)),
        courses=tuple(sorted(courses, key=lambda course: (course.started_on, *_version_order(course)))),
        doses=tuple(sorted(doses, key=dose_order)),
        assessments=tuple(sorted(assessments, key=visit_order)),
        labs=tuple(sorted(labs, key=lambda lab: (lab.at, *_version_order(lab)))),
        investigations=tuple(sorted(investigations, key=lambda each: (each.at, *_version_order(each)))),
        treatments=tuple(sorted(treatments, key=lambda treatment: (treatment.started_on, *_version_order(treatment)))),
    )


def _days_after(facts: Sequence[Dose | Assessment | LabResult | Investigation], today: date) -> list[date]:
    days = []
    for fact in reversed(facts):  # sorted by clinical time, so those ahead stand last
        if fact.on <= today:
            break
        days.append(fact.on)
    return days


def _version_order(fact: Fact) -> tuple[datetime, str, int]:
    return fact.known_at, fact.fact_id, fact.version


def _in_order(facts: Sequence[Fact]) -> list[datetime] | None:
    if any(map(_SUPERSEDED_AT, facts)):
        return None
    known = list(map(_KNOWN_AT, facts))
    return known if known == sorted(known) else None


def _known(facts: tuple[AnyFact, ...], known: list[datetime] | None, instant: datetime) -> tuple[AnyFact, ...]:
    """The facts known at ``instant``; ``known`` is as ``_in_order`` has it."""
    if known is not None:
        return facts if not known or known[-1] <= instant else facts[: bisect_right(known, instant)]
    return tuple(
        fact for fact in facts if fact.known_at <= instant and (fact.superseded_at is None or instant < fact.superseded_at)
    )


@lru_cache(maxsize=1024)
def _unrecorded(patient_id: str) -> Patient:
    return Patient(fact_id=patient_id, version=0, known_at=ALWAYS, patient_id=patient_id)
