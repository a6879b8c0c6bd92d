"""How a clinic's HL7 v2 is read: the shape of ``config/hl7.yaml``, which explains each key.

Codes are written ``system|code``; ``system`` is what the sender writes in the third part of a coded field, in any case.
Columns and words on the left are those of the import files.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from monitor.importers.columns import COLUMNS
from monitor.importers.units import UNITS_OF

Codes = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientKeys:
    """Who is meant. ``assigning_authority`` None: the one identifier there is, or the one of type MR."""

    assigning_authority: str | None = None
    names: bool = False
    sexes: Mapping[str, str] = field(default_factory=dict)
    sites: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """How messages are decoded, what makes one examination, and what names a dose."""

    encoding: str = "utf-8"
    examination: Literal["order", "same-time"] = "order"
    dose: Literal["time", "counter"] = "time"
    read_preliminary: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Medications:
    """Drugs that are watched, the words that name each, codes beside which one of them must stand, and how a dose comes."""

    drugs: Mapping[str, Codes]
    named: Mapping[str, Codes] = field(default_factory=dict)
    must_be_named: Codes = ()
    routes: Mapping[Literal["IV", "SC"], Codes]
    mg_per_m2_units: Codes
    mg_units: Codes
    surface: Codes = ()
    surface_units: Codes = ()
    surface_within_days: int = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One column of an assessment. ``units`` empty: it has none; ``answers``: words of the column by code or text."""

    codes: Codes
    units: Codes = ()
    answers: Mapping[str, Codes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lab:
    """One analyte, with its units as we write them by those of the sender."""

    codes: Codes
    units: Mapping[str, Codes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hl7Mapping:
    """All of ``config/hl7.yaml``. ``own_system`` has the columns themselves as codes."""

    own_system: str = "99BIPN"
    patient: PatientKeys = field(default_factory=PatientKeys)
    records: Records = field(default_factory=Records)
    medications: Medications
    measures: Mapping[str, Measure]
    labs: Mapping[str, Lab]
    ctcae_versions: Mapping[str, Codes] = field(default_factory=dict)


def folded(codes: Codes) -> frozenset[str]:
    """Codes to compare with what messages say, in any case."""
    return frozenset(code.strip().casefold() for code in codes)


def mistakes(mapping: Hl7Mapping) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """What no shape can say: where, and what is wrong."""
    columns = {column.name for column in COLUMNS["assessments"]} - {
        "patient_id",
        "source_id",
        "recorded_at",
        "assessed_at",
        "voided",
    }
    for name in mapping.measures:
        if name not in columns:
            yield ("measures", name), "there is no such column of assessments; see docs/import.md"
    for name, lab in mapping.labs.items():
        if name not in UNITS_OF:
            yield ("labs", name), f"there is no such analyte; write {' or '.join(UNITS_OF)}"
            continue
        for unit in lab.units:
            if unit not in UNITS_OF[name]:
                yield ("labs", name, "units", unit), f"{name} has no such unit; write {', '.join(UNITS_OF[name])}"
    named: dict[str, str] = {}
    for group, several in (("measures", mapping.measures), ("labs", mapping.labs)):
        for name, each in several.items():
            for place, code in enumerate(each.codes):
                if code.count("|") != 1 or not all(part.strip() for part in code.split("|")):
                    yield (group, name, "codes", place), "a code is written system|code"
                elif code.casefold() in named:
                    yield (
                        (group, name, "codes", place),
                        f"this code is that of {named[code.casefold()]} too; let it mean one thing",
                    )
                named[code.casefold()] = name
