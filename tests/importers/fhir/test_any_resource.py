"""Any resource of the right shape, with values of any kind: it is mapped, passed over or refused, and what is mapped fits in."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.importers.fhir.mapping import FhirMapping
from monitor.importers.fhir.reading import MAPPERS
from monitor.importers.imported import ImportedFile
from monitor.service.settling import take
from tests.importers.fhir.resources import read_bytes, the_mapping
from tests.importers.reading import CLINIC
from tests.store.databases import a_database


def _codes(mapping: FhirMapping) -> list[tuple[str, str]]:
    """All codes that the mapping holds anywhere, and some that it does not."""
    found: set[str] = set()

    def walk(part: Any) -> None:
        if isinstance(part, str):
            found.add(part)
        elif isinstance(part, tuple):
            for each in part:
                walk(each)
        elif isinstance(part, dict):
            for each in part.values():
                walk(each)
        elif hasattr(part, "__slots__"):
            for name in part.__slots__:
                walk(getattr(part, name))

    walk(mapping)
    pairs = [each.rpartition("|") for each in sorted(found) if "|" in each]
    return [(mapping.systems.get(system, system), code) for system, _, code in pairs] + [("urn:x", "1"), ("", "")]


TEXT = st.text(max_size=12)
CODING = st.sampled_from(_codes(the_mapping())).map(lambda pair: {"system": pair[0], "code": pair[1]})
CONCEPT = st.fixed_dictionaries({"coding": st.lists(CODING, max_size=2)}, optional={"text": TEXT})
TIMES = (
    "2026-11-01",
    "2026-11-01T09:00:00+01:00",
    "2026-11",
    "2026-02-30",
    "0001-01-01",
    "9999-12-31T23:59:59-23:59",
    "2027-01-01",
)
TIME = st.sampled_from(TIMES) | TEXT
PERIOD = st.fixed_dictionaries({}, optional={"start": TIME, "end": TIME})
NUMBER = st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from((0, 1, 1.3, 4, 120))
UNIT = st.sampled_from(("mg", "mg/m2", "m2", "mg/dL", "/uL", "kPa", "mm[Hg]", "{score}", "1", "")) | TEXT
QUANTITY = st.fixed_dictionaries({}, optional={"value": NUMBER, "code": UNIT, "unit": UNIT, "comparator": st.just("<")})
NAMES = ("Patient/1", "Patient/2", "Group/1", "urn:uuid:1", "#1", "Medication/1", "MedicationRequest/1")
REFERENCE = st.fixed_dictionaries({}, optional={"reference": st.sampled_from(NAMES) | TEXT, "display": TEXT})
VALUES = {
    "valueQuantity": QUANTITY,
    "valueCodeableConcept": CONCEPT,
    "valueString": TEXT | st.sampled_from(("4-", "yes", "Grade 2")),
    "valueBoolean": st.booleans(),
    "valueInteger": st.integers(-3, 12),
}
COMPONENT = st.fixed_dictionaries({"code": CONCEPT}, optional=VALUES)
STATUS = st.sampled_from(("final", "completed", "active", "stopped", "entered-in-error", "corrected", "unknown", "not-done"))
DOSAGE = st.fixed_dictionaries({}, optional={"dose": QUANTITY, "route": CONCEPT})
ORDERED = st.lists(
    st.fixed_dictionaries({"doseAndRate": st.lists(st.fixed_dictionaries({"doseQuantity": QUANTITY}), max_size=2)})
)
RESOURCE = st.fixed_dictionaries(
    {"resourceType": st.sampled_from((*MAPPERS, "Encounter")), "id": st.sampled_from("123"), "subject": REFERENCE},
    optional=VALUES
    | {
        "status": STATUS,
        "code": CONCEPT,
        "event": CONCEPT,
        "medicationCodeableConcept": CONCEPT,
        "medicationReference": REFERENCE,
        "request": REFERENCE,
        "meta": st.fixed_dictionaries({}, optional={"versionId": st.sampled_from(("1", "2", "x")), "lastUpdated": TIME}),
        "effectiveDateTime": TIME,
        "effectivePeriod": PERIOD,
        "performedPeriod": PERIOD,
        "date": TIME,
        "issued": TIME,
        "birthDate": TIME,
        "bodySite": CONCEPT,
        "method": CONCEPT,
        "dosage": DOSAGE,
        "dosageInstruction": ORDERED,
        "conclusionCode": st.lists(CONCEPT, max_size=2),
        "component": st.lists(COMPONENT, max_size=3),
        "link": st.lists(st.fixed_dictionaries({"type": st.just("replaced-by"), "other": REFERENCE}), max_size=1),
    },
)


def test_given_any_resources_when_taken_then_all_are_accounted_for_and_what_is_mapped_is_stored_or_refused(
    tmp_path: Path,
) -> None:
    with closing(a_database(tmp_path)) as database:

        @settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
        @given(st.lists(RESOURCE, min_size=1, max_size=6))
        def holds(resources: list[dict[str, Any]]) -> None:
            done = read_bytes("a.ndjson", "".join(json.dumps(each) + "\n" for each in resources).encode())
            assert done.file.records == len(resources)
            assert _told(done.file) + _mapped_at_most(done.items) >= len(resources)
            with database.write() as connection:
                take(connection, "any", done.items, CLINIC)
                connection.rollback()

        holds()


def _told(file: ImportedFile) -> int:
    return file.passed_over.total() + len(file.rejected)


def _mapped_at_most(items: list[Any]) -> int:
    return sum(not each.voided for each in items)
