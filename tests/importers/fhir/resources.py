"""FHIR resources as a hospital would send them, and what becomes of them by a mapping."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from typing import Any

from monitor.importers.fhir.mapping import FhirMapping
from monitor.importers.fhir.reading import fhir_reader
from monitor.importers.imported import ImportedFile, Rejected
from monitor.importers.items import Item
from monitor.service.fhir_file import load_fhir
from monitor.shipped import shipped
from tests.importers.reading import CLINIC

LOCAL = "https://example.org/bipn/CodeSystem/assessment"
NCIT = "http://ncicb.nci.nih.gov/xml/owl/EVS/Thesaurus.owl"
LOINC, SNOMED, RXNORM = "http://loinc.org", "http://snomed.info/sct", "http://www.nlm.nih.gov/research/umls/rxnorm"
UCUM = "http://unitsofmeasure.org"
AT = "2026-11-01T09:00:00+01:00"

Resource = dict[str, Any]


@cache
def the_mapping() -> FhirMapping:
    """The shipped one."""
    return load_fhir(shipped("config") / "fhir.yaml")


@dataclass(frozen=True)
class Read:
    """What became of a file: what is said, and what is not."""

    items: list[Item]
    file: ImportedFile

    @property
    def item(self) -> Item:
        """The one that says something."""
        (found,) = [each for each in self.items if not each.voided]
        return found

    @property
    def cells(self) -> dict[str, str]:
        """Of the one, without its time."""
        times = ("assessed_at", "collected_at", "performed_at", "given_at")
        return {name: text for name, text in self.item.cells.items() if name not in times}

    @property
    def rejected(self) -> Rejected:
        """The one thing that was refused."""
        assert [each for each in self.items if not each.voided] == []
        (found,) = self.file.rejected
        return found

    @property
    def passed_over(self) -> str:
        """The one reason for which something was left out."""
        assert [each for each in self.items if not each.voided] == []
        assert self.file.rejected == []
        ((reason, times),) = self.file.passed_over.items()
        assert times == 1
        return reason


def read(*resources: Resource, mapping: FhirMapping | None = None) -> Read:
    """The resources as lines of bulk NDJSON."""
    return read_bytes("some.ndjson", "".join(json.dumps(each) + "\n" for each in resources).encode(), mapping)


def read_bytes(name: str, data: bytes, mapping: FhirMapping | None = None) -> Read:
    """A file as it stands."""
    (file,) = fhir_reader(mapping or the_mapping())(name, BytesIO(data), CLINIC)
    items = [each for each in (file.items or ()) if isinstance(each, Item)]
    return Read(items, file)


def coded(system: str, code: str, **more: Any) -> Resource:
    """A concept with one code."""
    return {"coding": [{"system": system, "code": code}], **more}


def an_observation(code: Resource, **said: Any) -> Resource:
    """A final observation of patient 1."""
    known = {"resourceType": "Observation", "id": "17", "status": "final", "code": code, "subject": {"reference": "Patient/1"}}
    return known | {"effectiveDateTime": AT} | said


def a_quantity(value: float, unit: str | None) -> Resource:
    """A quantity in a UCUM unit; None for none at all."""
    return {"value": value} if unit is None else {"value": value, "unit": unit, "system": UCUM, "code": unit}


def an_administration(**said: Any) -> Resource:
    """A dose of bortezomib, 1.3 mg/m2 under the skin, given to patient 1."""
    known = {
        "resourceType": "MedicationAdministration",
        "id": "5",
        "status": "completed",
        "medicationCodeableConcept": coded(RXNORM, "358258"),
        "subject": {"reference": "Patient/1"},
        "effectiveDateTime": AT,
        "dosage": {"dose": a_quantity(1.3, "mg/m2"), "route": coded(SNOMED, "34206005")},
    }
    return known | said
