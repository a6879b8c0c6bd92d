"""What of an OMOP CDM database becomes which of our rows, as ``config/omop.yaml`` writes it.

Concepts are named by vocabulary and code, not by OMOP's numbers: each database has its own vocabulary tables that say them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from monitor.importers.columns import COLUMNS
from monitor.importers.items import SURFACE

TIMES: Mapping[str, str] = {"assessments": "assessed_at", "labs": "collected_at", "investigations": "performed_at"}
"""Of the kinds that measurements and observations make: the column of their time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Concept:
    """A concept with all that descend from it, such as the products of an ingredient."""

    vocabulary: str
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Drug:
    """Exposures to a drug as our ``doses`` or ``treatments``, under ``name``."""

    name: str
    concept: Concept
    kind: Literal["doses", "treatments"] = "doses"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """Rows of a table, by concept or by the source's own words, as one column of ours.

    ``units``: UCUM code -> our unit ("" where our rows have no column of it); a value in any other unit, or in none, is refused.
    ``values``: what is found -> our word. ``always``: further columns. Kind "@surface": a body surface, in m2.
    """

    table: Literal["measurement", "observation"]
    kind: str
    column: str
    concept: Concept | None = None
    source_value: str | None = None
    units: Mapping[str, str] | None = None
    values: Mapping[str, str] | None = None
    always: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class OmopMapping:
    """One database. Patients are those with an exposure to a drug of ``doses``. A dose in mg needs a surface of these days."""

    drugs: Mapping[str, Drug]
    measures: Mapping[str, Measure] = field(default_factory=dict)
    diagnoses: Mapping[str, Concept] = field(default_factory=dict)
    dose_units: Mapping[str, Literal["mg/m2", "mg"]] = field(default_factory=dict)
    routes: Mapping[str, Literal["IV", "SC"]] = field(default_factory=dict)
    patient_id: Literal["person_source_value", "person_id"] = "person_source_value"
    surface_days: int = 30
    most_gone_percent: int = 20
    cdm_schema: str | None = None
    vocabulary_schema: str | None = None

    def concepts(self) -> list[Concept]:
        """Every concept that is named, once."""
        named = [each.concept for each in self.drugs.values()]
        named += [each.concept for each in self.measures.values() if each.concept is not None]
        return list(dict.fromkeys([*named, *self.diagnoses.values()]))


def mistakes(mapping: OmopMapping) -> Iterator[tuple[tuple[str, ...], str]]:
    """Where the mapping does not fit our import files, and what is wrong there."""
    if not any(drug.kind == "doses" for drug in mapping.drugs.values()):
        yield ("drugs",), "at least one drug of kind doses is needed: whoever had it is a patient"
    for name, measure in mapping.measures.items():
        here = ("measures", name)
        if (measure.concept is None) == (measure.source_value is None):
            yield here, "either 'concept' or 'source_value' is expected"
        if measure.kind == SURFACE:
            if measure.units != {"m2": ""}:
                yield here, 'a body surface is in m2: units: {m2: ""}'
            continue
        if measure.kind not in TIMES:
            yield (*here, "kind"), f"expected one of {', '.join(TIMES)}, {SURFACE}"
            continue
        known = {column.name for column in COLUMNS[measure.kind]} - {
            "patient_id",
            "source_id",
            "recorded_at",
            TIMES[measure.kind],
        }
        for column in (measure.column, *measure.always):
            if column not in known:
                yield here, f"there is no such column of {measure.kind}: {column}; it has {', '.join(sorted(known))}"
        if measure.kind == "labs" and measure.units is None:
            yield here, "a laboratory value needs its units"
