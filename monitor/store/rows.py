"""One row of a table of facts into one fact of a history.

Rows are tuples in the order of ``COLUMNS``: the seven that every fact carries, then the kind's own. These functions run
for every row ever read, so they bind what they need once and build no dictionary. They raise ValueError, KeyError,
TypeError or AttributeError for a row that another program spoilt; ``suspect`` then names the column.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, tzinfo
from functools import lru_cache
from typing import Any

from monitor.clinical.history import (
    ALWAYS,
    NOT_TESTED,
    Assessment,
    Course,
    Dose,
    Fact,
    Investigation,
    LabResult,
    Patient,
    Treatment,
)
from monitor.clinical.scales.mrc import mrc_sum
from monitor.store.fact_tables import MUSCLE_COLUMNS, POWERS
from monitor.store.times import day, instant, moment
from monitor.store.units import to_mg_dl, to_per_ul

_CARRIED = ("patient_id", "id", "source_id", "recorded_at", "stored_at", "superseded_at", "record", "version")
_OWN = {
    "patients": (
        *("display_name", "birth_date", "sex", "site", "team", "diagnosis", "comorbidities"),
        *("baseline_sensory_grade", "baseline_motor_grade"),
    ),
    "courses": ("drug", "started_on", "schedule", "cycle_days", "discontinued_on", "discontinued_reason"),
    "doses": ("given_at", "drug", "dose_mg_per_m2", "route"),
    "assessments": (
        *("assessed_at", "assessor", "ctcae_version", "sensory_grade", "motor_grade", "autonomic_grade"),
        *("neuropathic_pain", "pain_nrs", "walking", "gbs_disability", "reflexes", "red_flags"),
        *("systolic_lying", "systolic_standing", "diastolic_lying", "diastolic_standing"),
        *("grip_kpa_right", "grip_kpa_left", "vibration_toe_right", "vibration_toe_left", "voided"),
        *MUSCLE_COLUMNS,
    ),
    "labs": ("collected_at", "analyte", "value", "unit"),
    "investigations": ("performed_at", "kind", "findings"),
    "treatments": ("treatment", "started_on", "stopped_on"),
}
SUPERSEDED_AT = _CARRIED.index("superseded_at")
COLUMNS: dict[str, tuple[str, ...]] = {kind: (*_CARRIED, *own) for kind, own in _OWN.items()}

_RANKS: dict[str | None, int | None] = {None: None} | {power: rank for rank, power in enumerate(POWERS)}
_MUSCLES_FROM = COLUMNS["assessments"].index(MUSCLE_COLUMNS[0])
_YES: dict[str | None, bool | None] = {None: None, "yes": True, "no": False}

Maker = Callable[[Sequence[Any], tzinfo], Fact]


def _open(kind: type[Fact]) -> Callable[[], Any]:
    """A class of the shape of ``kind`` whose fields may be set: a fact is filled in, then closed by making it a ``kind``.

    Most rows are doses and assessments, and a frozen dataclass's own constructor costs twelve times as much.
    """
    free = {"__setattr__": object.__setattr__, "__delattr__": object.__delattr__}  # both, else the slow way is kept
    return type(f"Open{kind.__name__}", (Fact,), {"__slots__": kind.__dict__["__slots__"], **free, "__init__": object.__init__})


_OpenDose = _open(Dose)
_OpenAssessment = _open(Assessment)


def _known(recorded: str | None, written: str | None, at: datetime, stored: str, zone: tzinfo) -> datetime:
    """When a fact was known: as recorded, else at its clinical time, or as stored, whichever is first.

    ``written`` is the clinical time as text, which is ``at``: the same text is the same instant.
    """
    known = at if recorded is None or recorded == written else instant(recorded, zone)
    stored_at = known if stored == recorded else at if stored == written else instant(stored, zone)
    return known if known < stored_at else stored_at


@lru_cache(maxsize=4096)
def _name(written: str) -> str:
    """A drug or a treatment, as rules compare it."""
    return written.strip().lower()


@lru_cache(maxsize=16384)
def _examined(powers: tuple[str | None, ...]) -> tuple[tuple[int | None, ...], int | None]:
    """The ranks of the muscles and their sum. Most examinations find the same, so those share one tuple."""
    ranks = tuple([_RANKS[power] for power in powers])
    return (NOT_TESTED, None) if ranks == NOT_TESTED else (ranks, mrc_sum(ranks))


def _listed(text: str | None) -> frozenset[str]:
    return frozenset() if text is None else frozenset(filter(None, map(str.strip, text.split(";"))))


def patient(row: Sequence[Any], zone: tzinfo) -> Patient:
    """A version of a patient's record; known from when it was recorded or stored, whichever is first."""
    patient_id, id_, _, recorded, stored, end, _, version, name, birth, sex, site, team, diagnosis, ills, sensory, motor = row
    return Patient(
        fact_id=patient_id,
        version=version or id_,
        known_at=_known(stored if recorded is None else recorded, None, ALWAYS, stored, zone),
        superseded_at=None if end is None else instant(end, zone),
        patient_id=patient_id,
        display_name=name,
        birth_on=None if birth is None else day(birth, zone),
        sex=sex,
        site=site,
        team=team,
        diagnosis=diagnosis,
        comorbidities=() if ills is None else tuple(filter(None, map(str.strip, ills.split(";")))),
        baseline_sensory_grade=sensory,
        baseline_motor_grade=motor,
    )


def course(row: Sequence[Any], zone: tzinfo) -> Course:
    _, id_, source, recorded, stored, end, record, version, drug, started, schedule, cycle, stopped, why = row
    start = moment(started, zone)
    return Course(
        fact_id=source or f"courses-{record or id_}",
        version=version or id_,
        known_at=_known(recorded, started, start.at, stored, zone),
        superseded_at=None if end is None else instant(end, zone),
        drug=_name(drug),
        started_on=start.on,
        schedule=schedule,
        cycle_days=cycle,
        discontinued_on=None if stopped is None else day(stopped, zone),
        discontinued_reason=why,
    )


def dose(row: Sequence[Any], zone: tzinfo) -> Dose:
    _, id_, source, recorded, stored, end, record, version, given, drug, mg_per_m2, route = row
    fact = _OpenDose()
    fact.at, fact.on, fact.day_only = moment(given, zone)
    fact.fact_id = source or f"doses-{record or id_}"
    fact.version = version or id_
    fact.known_at = _known(recorded, given, fact.at, stored, zone)
    fact.superseded_at = None if end is None else instant(end, zone)
    fact.drug = _name(drug)
    fact.dose_mg_per_m2 = mg_per_m2
    fact.route = route
    fact.__class__ = Dose
    closed: Dose = fact
    return closed


def assessment(row: Sequence[Any], zone: tzinfo) -> Assessment:
    """Muscles come last in the row, in the order of TESTED_MUSCLES."""
    fact = _OpenAssessment()
    _, id_, source, recorded, stored, end, record, version, assessed = row[:9]
    fact.at, fact.on, fact.day_only = moment(assessed, zone)
    fact.fact_id = source or f"assessments-{record or id_}"
    fact.version = version or id_
    fact.known_at = _known(recorded, assessed, fact.at, stored, zone)
    fact.superseded_at = None if end is None else instant(end, zone)
    fact.assessor, fact.ctcae_version, fact.sensory_grade, fact.motor_grade, fact.autonomic_grade = row[9:14]
    pain, fact.pain_nrs, fact.walking, fact.gbs_disability, fact.reflexes, flags = row[14:20]
    fact.neuropathic_pain = _YES[pain]
    fact.red_flags = _listed(flags)
    fact.systolic_lying, fact.systolic_standing, fact.diastolic_lying, fact.diastolic_standing = row[20:24]
    fact.grip_kpa_right, fact.grip_kpa_left, fact.vibration_toe_right, fact.vibration_toe_left, voided = row[24:_MUSCLES_FROM]
    fact.mrc, fact.mrc_sum = _examined(row[_MUSCLES_FROM:])
    fact.voided = voided == "yes"
    fact.__class__ = Assessment
    closed: Assessment = fact
    return closed


def lab(row: Sequence[Any], zone: tzinfo) -> LabResult:
    _, id_, source, recorded, stored, end, record, version, collected, analyte, value, unit = row
    at, on, _ = moment(collected, zone)
    return LabResult(
        fact_id=source or f"labs-{record or id_}",
        version=version or id_,
        known_at=_known(recorded, collected, at, stored, zone),
        superseded_at=None if end is None else instant(end, zone),
        at=at,
        on=on,
        analyte=analyte,
        value=to_mg_dl(value, unit) if analyte == "csf_protein" else to_per_ul(value, unit),
        as_written=f"{value:.10g} {unit}",
    )


def investigation(row: Sequence[Any], zone: tzinfo) -> Investigation:
    _, id_, source, recorded, stored, end, record, version, performed, kind, findings = row
    at, on, _ = moment(performed, zone)
    return Investigation(
        fact_id=source or f"investigations-{record or id_}",
        version=version or id_,
        known_at=_known(recorded, performed, at, stored, zone),
        superseded_at=None if end is None else instant(end, zone),
        at=at,
        on=on,
        kind=kind,
        findings=_listed(findings),
    )


def treatment(row: Sequence[Any], zone: tzinfo) -> Treatment:
    _, id_, source, recorded, stored, end, record, version, what, started, stopped = row
    start = moment(started, zone)
    return Treatment(
        fact_id=source or f"treatments-{record or id_}",
        version=version or id_,
        known_at=_known(recorded, started, start.at, stored, zone),
        superseded_at=None if end is None else instant(end, zone),
        treatment=_name(what),
        started_on=start.on,
        stopped_on=None if stopped is None else day(stopped, zone),
    )


MAKERS: dict[str, Maker] = {
    "patients": patient,
    "courses": course,
    "doses": dose,
    "assessments": assessment,
    "labs": lab,
    "investigations": investigation,
    "treatments": treatment,
}

_TIMES = frozenset(
    {"recorded_at", "stored_at", "superseded_at", "birth_date", "started_on", "discontinued_on", "stopped_on"}
    | {"given_at", "assessed_at", "collected_at", "performed_at"}
)


def suspect(kind: str, row: Sequence[Any], zone: tzinfo) -> str:
    """The column that keeps ``row`` from being read: the first that is no time where one belongs, else "values"."""
    for name, value in zip(COLUMNS[kind], row, strict=True):
        if name in _TIMES and value is not None:
            try:
                moment(value, zone)
            except (ValueError, TypeError, AttributeError):
                return name
    return "values"
