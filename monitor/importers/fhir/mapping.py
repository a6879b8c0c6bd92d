"""How a clinic's FHIR is read: the shape of ``config/fhir.yaml``, which explains each key.

Codes are written ``system|code``; ``system`` is a short name out of ``systems``, or an address. Columns and words on the
left are those of the import files.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Codes = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientKeys:
    """Who is meant. ``identifier_system`` None: the id of the Patient resource."""

    identifier_system: str | None = None
    names: bool = False
    sites: Mapping[str, str] = field(default_factory=dict)
    sexes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """How rows are named, when they were known, and which measures make one examination."""

    identifier_system: str | None = None
    last_updated: bool = True
    examination: Literal["same-time", "same-day", "encounter", "alone"] = "same-time"
    read_preliminary: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A number: by which codes it goes, and in which units it may come; "" allows none."""

    codes: Codes
    units: Codes


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """A word out of a vocabulary: by which codes the question goes, and which codes or texts each answer has."""

    codes: Codes
    answers: Mapping[str, Codes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Medications:
    """Drugs that are watched or that treat, and how a dose comes."""

    drugs: Mapping[str, Codes]
    treatments: Mapping[str, Codes]
    named: Mapping[str, Codes]
    administered_treatments: tuple[str, ...] = ()
    display_must_say: Mapping[str, str] = field(default_factory=dict)
    routes: Mapping[Literal["IV", "SC"], Codes]
    mg_per_m2_units: Codes
    mg_units: Codes
    surface: Measure
    surface_within_days: int
    cycle_days_extension: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Grades:
    """CTCAE grades: the terms by column, the codes of each grade, and the version that a term's code stands for."""

    terms: Mapping[Literal["sensory_grade", "motor_grade", "autonomic_grade"], Codes]
    values: Mapping[Literal["0", "1", "2", "3", "4", "5"], Codes]
    versions: Mapping[str, Codes] = field(default_factory=dict)
    extensions: Codes = ()
    baseline: Mapping[Literal["baseline_sensory_grade", "baseline_motor_grade"], Codes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Muscle:
    """One muscle: codes of its place on the body, and codes that name it with its side."""

    sites: Codes = ()
    right: Codes = ()
    left: Codes = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Strength:
    """MRC power. ``codes`` say that a value is MRC power; the muscle is then in bodySite, or in the code itself."""

    codes: Codes
    muscles: Mapping[str, Muscle]
    sides: Mapping[Literal["right", "left"], Codes]
    powers: Mapping[str, Codes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pressure:
    """Blood pressure: codes that say the position themselves, and those that leave it to a component or extension."""

    panels: Codes
    systolic: Codes
    diastolic: Codes
    direct: Mapping[Literal["systolic_lying", "systolic_standing", "diastolic_lying", "diastolic_standing"], Codes]
    position: Codes
    position_extensions: Codes
    positions: Mapping[Literal["lying", "standing"], Codes]
    units: Codes


@dataclass(frozen=True, slots=True, kw_only=True)
class Lab:
    """A laboratory value. ``codes_with_specimen`` count only where the specimen is one of ``specimens``."""

    codes: Codes
    codes_with_specimen: Codes = ()
    units: Mapping[str, Codes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Investigations:
    """Investigations and their findings."""

    kinds: Mapping[str, Codes]
    findings: Mapping[str, Codes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """What of a patient's problem list goes into the patient's record, by the name used where the record says none."""

    diagnoses: Mapping[str, Codes]
    comorbidities: Mapping[str, Codes]


@dataclass(frozen=True, slots=True, kw_only=True)
class FhirMapping:
    """All of ``config/fhir.yaml``."""

    systems: Mapping[str, str]
    patient: PatientKeys = field(default_factory=PatientKeys)
    records: Records = field(default_factory=Records)
    medications: Medications
    grades: Grades
    strength: Strength
    numbers: Mapping[str, Measure]
    words: Mapping[str, Words]
    red_flags: Mapping[str, Codes]
    yes: Codes
    no: Codes
    pressure: Pressure
    labs: Mapping[Literal["csf_protein", "csf_white_cells"], Lab]
    specimens: Codes
    investigations: Investigations
    procedures: Mapping[str, Codes]
    conditions: Conditions
    passed_over: Mapping[str, Codes] = field(default_factory=dict)
