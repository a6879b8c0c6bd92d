"""One row of a table of facts into one fact of a history.

Rows are tuples in the order of ``COLUMNS``: the seven that every fact carries, then the kind's own. These functions run
for every row ever read, so they bind what they need once and build no dictionary. They raise ValueError, KeyError,
TypeError or AttributeError for a row that another program spoilt; ``suspect`` then names the column.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from datetime import datetime, tzinfo
from typing import Any

from monitor.clinical.history import ALWAYS, Assessment, Course, Dose, Fact, Investigation, LabResult, Patient, Treatment
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
_NOT_TESTED = (None,) * len(MUSCLE_COLUMNS)
_YES: dict[str | None, bool | None] = {None: None, "yes": True, "no": False}

Maker = Callable[[Sequence[Any], tzinfo], Fact]


def _setters(kind: type[Fact]) -> tuple[Callable[[Any, object], None], ...]:
    """What puts a value into each field of ``kind``, in the order of its fields."""
    return tuple(getattr(kind, field.name).__set__ for field in fields(kind))


_SET_DOSE = _setters(Dose)
_SET_ASSESSMENT = _setters(Assessment)
"""Most rows are doses and assessments; filled in like this, a frozen one costs half of what its constructor does."""


def _known(recorded: str | None, at: datetime, stored: str, zone: tzinfo) -> datetime:
    known = at if recorded is None else instant(recorded, zone)
    stored_at = instant(stored, zone)
    return known if known < stored_at else stored_at


def _listed(text: str | None) -> frozenset[str]:
    return frozenset() if text is None else frozenset(filter(None, map(str.strip, text.split(";"))))


def patient(row: Sequence[Any], zone: tzinfo) -> Patient:
    """A version of a patient's record; known from when it was recorded or stored, whichever is first."""
    patient_id, id_, _, recorded, stored, end, _, version, name, birth, sex, site, team, diagnosis, ills, sensory, motor = row
    return Patient(
        fact_id=patient_id,
        version=version or id_,
        known_at=_known(stored if recorded is None else recorded, ALWAYS, stored, zone),
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
        known_at=_known(recorded, start.at, stored, zone),
        superseded_at=None if end is None else instant(end, zone),
        drug=drug.strip().lower(),
        started_on=start.on,
        schedule=schedule,
        cycle_days=cycle,
        discontinued_on=None if stopped is None else day(stopped, zone),
        discontinued_reason=why,
    )


def dose(row: Sequence[Any], zone: tzinfo) -> Dose:
    _, id_, source, recorded, stored, end, record, version, given, drug, mg_per_m2, route = row
    at, on, day_only = moment(given, zone)
    values = (
        source or f"doses-{record or id_}",
        version or id_,
        _known(recorded, at, stored, zone),
        None if end is None else instant(end, zone),
        at,
        on,
        day_only,
        drug.strip().lower(),
        mg_per_m2,
        route,
    )
    fact = object.__new__(Dose)
    for put, value in zip(_SET_DOSE, values, strict=True):
        put(fact, value)
    return fact


def assessment(row: Sequence[Any], zone: tzinfo) -> Assessment:
    """Muscles come last in the row, in the order of TESTED_MUSCLES."""
    _, id_, source, recorded, stored, end, record, version, assessed, assessor, ctcae, sensory, motor, autonomic = row[:14]
    pain, nrs, walking, disability, reflexes, flags, systolic_lying, systolic_standing, diastolic_lying = row[14:23]
    diastolic_standing, grip_right, grip_left, toe_right, toe_left, voided, *powers = row[23:]
    at, on, day_only = moment(assessed, zone)
    written = tuple(powers)
    ranks = _NOT_TESTED if written == _NOT_TESTED else tuple([_RANKS[power] for power in written])
    values = (
        source or f"assessments-{record or id_}",
        version or id_,
        _known(recorded, at, stored, zone),
        None if end is None else instant(end, zone),
        at,
        on,
        day_only,
        assessor,
        ctcae,
        sensory,
        motor,
        autonomic,
        _YES[pain],
        nrs,
        walking,
        disability,
        reflexes,
        _listed(flags),
        systolic_lying,
        systolic_standing,
        diastolic_lying,
        diastolic_standing,
        grip_right,
        grip_left,
        toe_right,
        toe_left,
        ranks,
        None if ranks is _NOT_TESTED else mrc_sum(ranks),
        voided == "yes",
    )
    fact = object.__new__(Assessment)
    for put, value in zip(_SET_ASSESSMENT, values, strict=True):
        put(fact, value)
    return fact


def lab(row: Sequence[Any], zone: tzinfo) -> LabResult:
    _, id_, source, recorded, stored, end, record, version, collected, analyte, value, unit = row
    at, on, _ = moment(collected, zone)
    return LabResult(
        fact_id=source or f"labs-{record or id_}",
        version=version or id_,
        known_at=_known(recorded, at, stored, zone),
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
        known_at=_known(recorded, at, stored, zone),
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
        known_at=_known(recorded, start.at, stored, zone),
        superseded_at=None if end is None else instant(end, zone),
        treatment=what.strip().lower(),
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
