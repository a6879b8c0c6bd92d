"""FHIR that nobody here wrote: every resource is mapped, passed over or refused, each with its reason; none is a defect."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from monitor.errors import DONE, SOME_REJECTED
from monitor.importers.fhir.reading import fhir_reader
from monitor.service.ingest import ImportReport, import_paths
from monitor.store.database import Database
from tests.feeds import packages
from tests.importers.fhir.resources import read_bytes, the_mapping
from tests.importers.reading import NOW, ZONE
from tests.store.databases import a_database

MCODE, EXAMPLES = "hl7.fhir.us.mcode-4.0.0", "hl7.fhir.r4.examples-4.0.1"
FOLDERS = {MCODE: "package/example", EXAMPLES: "package"}
RESOURCES = {MCODE: 179, EXAMPLES: 5306}
VINCRISTINE = "rxnorm|11202"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with closing(a_database(tmp_path)) as opened:
        yield opened


def bulk(name: str) -> bytes:
    """All resources of a package as NDJSON."""
    return b"".join(json.dumps(json.loads(text)).encode() + b"\n" for _, text in packages.documents(name, FOLDERS[name]))


def imported(database: Database, path: Path) -> ImportReport:
    report = import_paths(database, [path], zone=ZONE, now=NOW)
    assert report.exit_code in (DONE, SOME_REJECTED)
    return report


@pytest.mark.parametrize("name", FOLDERS)
def test_given_published_examples_when_read_then_each_is_mapped_or_passed_over_or_refused(name: str) -> None:
    done = read_bytes("all.ndjson", bulk(name))
    mapped = {(each.type, each.id.partition("#")[0]) for each in done.items if not each.voided}
    refused = len(done.file.rejected)
    assert done.file.records == RESOURCES[name]
    assert len(mapped) + done.file.passed_over.total() + refused == RESOURCES[name]
    assert all(each.problem for each in done.file.rejected)


@pytest.mark.parametrize("name", FOLDERS)
def test_given_published_examples_when_imported_twice_then_the_second_time_nothing_changes(
    name: str, database: Database, tmp_path: Path
) -> None:
    path = tmp_path / "all.ndjson"
    path.write_bytes(bulk(name))
    imported(database, path)
    again = imported(database, path)
    assert sum(each.inserted + each.corrected for each in again.files) == 0


def test_given_published_bundles_as_files_when_imported_then_none_is_a_defect(database: Database, tmp_path: Path) -> None:
    bundles = [(name, text) for name, text in packages.documents(EXAMPLES, "package") if name.startswith("Bundle-")]
    assert len(bundles) == 44
    for name, text in bundles:
        if len(text) < 2_000_000:  # the others are value sets, and there are thousands of those
            (tmp_path / name).write_bytes(text)
    assert imported(database, tmp_path).files


def test_given_a_drug_list_of_vincristine_when_mcode_is_imported_then_its_one_dose_comes_by_its_body_surface(
    database: Database, tmp_path: Path
) -> None:
    mapping = the_mapping()
    drugs = replace(mapping.medications, drugs={"vincristine": (VINCRISTINE,)})
    reader = fhir_reader(replace(mapping, medications=drugs))
    path = tmp_path / "all.ndjson"
    path.write_bytes(bulk(MCODE))
    import_paths(database, [path], zone=ZONE, now=NOW, readers={".ndjson": reader})
    with database.read() as connection:
        query = "SELECT patient_id, drug, given_at, dose_mg_per_m2, route, source_id FROM doses"
        found = [tuple(row) for row in connection.exec_driver_sql(query)]
    surface, milligrams = 0.59, 2
    id_ = "MedicationAdministration/cancer-related-medication-admin-vincristine-brian-l"
    level = round(milligrams / surface, 2)
    assert found == [("cancer-patient-brian-l", "vincristine", "2024-01-09", level, "IV", id_)]
