"""The columns of each kind of import file, with how each cell is read. One table a kind, in the order of the documentation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from monitor.clinical.history import BORTEZOMIB
from monitor.clinical.scales.mrc import TESTED_MUSCLES
from monitor.importers.imported import CellError, Clinic, Value
from monitor.importers.units import LOST_SUPERSCRIPT, UNITS_OF, plain, unit_from
from monitor.importers.values import (
    ReadCell,
    ctcae_version,
    day,
    drug,
    identifier,
    moment,
    mrc_power,
    number,
    one_of,
    recorded,
    some_of,
    text_of,
    texts_of,
    treatment,
    voided,
    whole,
)

RED_FLAGS = (
    "back_pain",
    "sphincter",
    "sensory_level",
    "bulbar",
    "facial",
    "respiratory",
    "syncope",
    "ileus",
    "urinary_retention",
)
INVESTIGATIONS = ("nerve_conduction", "csf_report", "mri_spine", "antibodies")
FINDINGS = (
    "normal",
    "abnormal",
    "axonal",
    "demyelinating",
    "conduction_slowing",
    "conduction_block",
    "prolonged_f_waves",
    "reduced_amplitudes",
    "albuminocytologic_dissociation",
    "pleocytosis",
    "cord_compression",
    "positive",
    "negative",
)


@dataclass(frozen=True, slots=True)
class Column:
    """One column. ``required``: no row without it. ``default`` stands where the cell is empty or the column absent."""

    name: str
    read: ReadCell
    required: bool = False
    default: Value = None


def unit(text: str, _clinic: Clinic) -> Value:
    """The unit of a laboratory value; which analyte takes which is a matter of the row."""
    known = unit_from(text)
    if known is not None:
        return known
    if plain(text) in LOST_SUPERSCRIPT:
        raise CellError("found a unit that has lost its superscript; check the value in the report and write 10*6/L or /uL")
    units = "; ".join(f"{analyte}: {', '.join(known_units)}" for analyte, known_units in UNITS_OF.items())
    raise CellError(f"found a unit we do not know; write one of these ({units})")


GRADE = whole(0, 5)
PRESSURE_MMHG = whole(20, 300)
GRIP_KPA = number(0, 200)
RYDEL_SEIFFER = number(0, 8)
DAYS_OF_A_CYCLE = whole(1, 60)
NAME = text_of(200)

PATIENT = Column("patient_id", identifier, required=True)
DRUG = Column("drug", drug, default=BORTEZOMIB)
ORIGIN = (Column("source_id", NAME), Column("recorded_at", recorded))

COLUMNS: Mapping[str, tuple[Column, ...]] = {
    "patients": (
        PATIENT,
        Column("display_name", NAME),
        Column("birth_date", day),
        Column("sex", NAME),
        Column("site", NAME),
        Column("team", NAME),
        Column("diagnosis", text_of(1000)),
        Column("comorbidities", texts_of(2000)),
        Column("baseline_sensory_grade", GRADE),
        Column("baseline_motor_grade", GRADE),
    ),
    "courses": (
        PATIENT,
        DRUG,
        Column("started_on", day, required=True),
        Column("schedule", one_of("twice-weekly", "weekly")),
        Column("cycle_days", DAYS_OF_A_CYCLE),
        Column("discontinued_on", day),
        Column("discontinued_reason", text_of(1000)),
        *ORIGIN,
    ),
    "doses": (
        PATIENT,
        Column("given_at", moment, required=True),
        DRUG,
        Column("dose_mg_per_m2", number(0, 10_000), required=True),
        Column("route", one_of("IV", "SC")),
        *ORIGIN,
    ),
    "assessments": (
        PATIENT,
        Column("assessed_at", moment, required=True),
        Column("assessor", NAME),
        Column("ctcae_version", ctcae_version),
        Column("sensory_grade", GRADE),
        Column("motor_grade", GRADE),
        Column("autonomic_grade", GRADE),
        Column("neuropathic_pain", one_of("yes", "no")),
        Column("pain_nrs", whole(0, 10)),
        Column("walking", one_of("unaided", "cane", "walker", "wheelchair", "bedbound")),
        Column("gbs_disability", whole(0, 6)),
        Column("reflexes", one_of("normal", "reduced", "absent")),
        Column("red_flags", some_of(*RED_FLAGS)),
        Column("systolic_lying", PRESSURE_MMHG),
        Column("systolic_standing", PRESSURE_MMHG),
        Column("diastolic_lying", PRESSURE_MMHG),
        Column("diastolic_standing", PRESSURE_MMHG),
        Column("grip_kpa_right", GRIP_KPA),
        Column("grip_kpa_left", GRIP_KPA),
        Column("vibration_toe_right", RYDEL_SEIFFER),
        Column("vibration_toe_left", RYDEL_SEIFFER),
        *(Column(f"mrc_{muscle}", mrc_power) for muscle in TESTED_MUSCLES),
        Column("notes", text_of(20_000)),
        Column("voided", voided),
        *ORIGIN,
    ),
    "labs": (
        PATIENT,
        Column("collected_at", moment, required=True),
        Column("analyte", one_of(*UNITS_OF), required=True),
        Column("value", number(0, 1_000_000), required=True),
        Column("unit", unit, required=True),
        *ORIGIN,
    ),
    "investigations": (
        PATIENT,
        Column("performed_at", moment, required=True),
        Column("kind", one_of(*INVESTIGATIONS), required=True),
        Column("findings", some_of(*FINDINGS), required=True),
        *ORIGIN,
    ),
    "treatments": (
        PATIENT,
        Column("treatment", treatment, required=True),
        Column("started_on", day, required=True),
        Column("stopped_on", day),
        *ORIGIN,
    ),
}
"""The kinds in the order in which they are imported: what a fact hangs on comes before it."""
