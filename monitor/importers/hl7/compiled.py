"""The mapping as it is asked: from a code to what it means, built once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from monitor.clinical.scales.mrc import TESTED_MUSCLES
from monitor.importers.columns import COLUMNS
from monitor.importers.hl7.fields import Coded
from monitor.importers.hl7.mapping import Codes, Hl7Mapping, Lab, Measure, folded
from monitor.importers.units import UNITS_OF

SURFACE = "@surface"
Found = TypeVar("Found")
_NOT_MEASURED = {"patient_id", "source_id", "recorded_at", "assessed_at", "voided"}


class Meaning(NamedTuple):
    """What a code stands for: a column of an assessment, an analyte, or the body surface."""

    name: str
    is_lab: bool = False


@dataclass(frozen=True, slots=True)
class Compiled:
    """See the module."""

    mapping: Hl7Mapping
    by_code: Mapping[str, Meaning]
    drugs: Mapping[str, str]
    routes: Mapping[str, str]
    versions: Mapping[str, str]
    names: Mapping[str, str]
    must_be_named: frozenset[str]

    def meaning(self, said: Coded) -> Meaning | None:
        """What an observation is about, or None for one that is not read. Raises LookupError where its codes disagree."""
        return _one(self.by_code, said)

    def drug(self, said: Coded) -> str | None:
        """Which watched drug, or None."""
        return _one(self.drugs, said)

    def drug_named(self, text: str) -> str | None:
        """The watched drug that a text names, or None."""
        return next((drug for word, drug in self.names.items() if word in text.casefold()), None)

    def measure(self, column: str) -> Measure:
        """How a column comes."""
        return self.mapping.measures.get(column) or Measure(codes=())

    def lab(self, analyte: str) -> Lab:
        """How an analyte comes."""
        return self.mapping.labs.get(analyte) or Lab(codes=(), units={unit: (unit,) for unit in UNITS_OF[analyte]})


def compiled(mapping: Hl7Mapping) -> Compiled:
    """The tables of a mapping."""
    own = mapping.own_system.casefold()
    by_code: dict[str, Meaning] = {}
    for column in [column.name for column in COLUMNS["assessments"]] + [f"mrc_{muscle}" for muscle in TESTED_MUSCLES]:
        if column not in _NOT_MEASURED:
            by_code[f"{own}|{column}"] = Meaning(column)
    for analyte in UNITS_OF:
        by_code[f"{own}|{analyte}"] = Meaning(analyte, is_lab=True)
    for name, measure in mapping.measures.items():
        by_code |= dict.fromkeys(folded(measure.codes), Meaning(name))
    for name, lab in mapping.labs.items():
        by_code |= dict.fromkeys(folded(lab.codes), Meaning(name, is_lab=True))
    by_code |= dict.fromkeys(folded(mapping.medications.surface), Meaning(SURFACE))
    return Compiled(
        mapping,
        by_code,
        _reversed(mapping.medications.drugs.items()),
        _reversed(mapping.medications.routes.items()),
        _reversed(mapping.ctcae_versions.items()),
        _reversed(mapping.medications.named.items()),
        folded(mapping.medications.must_be_named),
    )


def _reversed(several: Iterable[tuple[str, Codes]]) -> dict[str, str]:
    return {code: name for name, codes in several for code in folded(codes)}


def _one(table: Mapping[str, Found], said: Coded) -> Found | None:
    found = {table[code] for code in said.codes if code in table}
    if len(found) > 1:
        raise LookupError("its codes mean different things")
    return next(iter(found), None)
