"""Files and folders into a real database, and what is told about them."""

from __future__ import annotations

import random
import shutil
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import mkdtemp
from typing import BinaryIO
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.errors import UsageError
from monitor.importers.columns import COLUMNS
from monitor.importers.imported import Clinic, ImportedFile, Row
from monitor.service.demo_feed import COHORT
from monitor.service.ingest import FileReport, ImportReport, as_json, import_paths
from monitor.service.readers import READERS
from monitor.service.rejected_file import rejected_path
from monitor.store.database import Database
from tests.store.databases import a_database

pytestmark = pytest.mark.both_engines

ZONE = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
DOSES = "patient_id,given_at,dose_mg_per_m2,source_id,recorded_at\n"


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return a_database(tmp_path)


def take(database: Database, *paths: Path, dry_run: bool = False, now: datetime = NOW) -> ImportReport:
    return import_paths(database, paths, zone=ZONE, now=now, dry_run=dry_run)


def a_file(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def stored(database: Database) -> dict[str, list[tuple[object, ...]]]:
    """Every version of every fact: its values, when it was known, and whether a later one took its place."""
    found = {}
    with database.read() as connection:
        for kind, columns in COLUMNS.items():
            names = ", ".join(column.name for column in columns)
            rows = connection.exec_driver_sql(f"SELECT {names}, recorded_at, superseded_at IS NULL FROM {kind}")
            found[kind] = sorted((tuple(row) for row in rows), key=repr)
    return found


def counts(report: ImportReport) -> list[tuple[int, int, int, int]]:
    return [(each.inserted, each.corrected, each.unchanged, each.rejected) for each in report.files]


def test_given_the_demo_cohort_when_imported_then_nothing_is_rejected_and_twice_changes_nothing(database: Database) -> None:
    first = take(database, COHORT)
    before = stored(database)
    second = take(database, COHORT, now=NOW + timedelta(days=1))
    assert first.rejected == second.rejected == []
    assert first.notes == []
    assert [each.kind for each in first.files] == list(COLUMNS)
    assert sum(each.corrected for each in first.files) > 0
    assert all((each.inserted, each.corrected, each.rejected) == (0, 0, 0) for each in second.files)
    assert stored(database) == before


def test_given_a_dry_run_when_done_then_it_counts_as_in_earnest_and_leaves_no_trace(database: Database, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    shutil.copytree(COHORT, folder)
    a_file(folder, "labs.csv", "patient_id,collected_at,analyte,value,unit\nP-1,2011-01-01,csf_protein,1.33,g/L\nP-1,,,,g/L\n")
    before, names = stored(database), sorted(path.name for path in folder.iterdir())
    dry = take(database, folder, dry_run=True)
    assert stored(database) == before
    assert sorted(path.name for path in folder.iterdir()) == names
    real = take(database, folder)
    assert counts(dry) == counts(real)
    assert dry.rejected == real.rejected
    assert real.exit_code == 3


def test_given_bad_rows_when_imported_then_the_rest_is_in_and_the_rejected_file_says_why(
    database: Database, tmp_path: Path
) -> None:
    path = a_file(
        tmp_path / "in",
        "doses.csv",
        DOSES
        + "P-1,2026-11-01,1.3,d1,\n"
        + 'P-2,2026-11-01,"1,3",d2,\n'
        + "P-3,01.11.2026,2.4 mg,d3,\n"
        + "P-4,2026-11-02,1.3,d4,,surplus\n"
        + "P-5,2026-11-02\n"
        + "P-6,2026-11-03,1.0,d6,\n",
    )
    report = take(database, path)
    assert counts(report) == [(2, 0, 0, 4)]
    assert report.exit_code == 3
    write_time = "write 2026-11-23, or 2026-11-23T09:30, or with an offset 2026-11-23T09:30+01:00"
    a_number = "write a number from 0 to 10000 with a decimal point and no unit"
    assert rejected_path(path).read_text(encoding="utf-8").splitlines() == [
        "patient_id,given_at,dose_mg_per_m2,source_id,recorded_at,line,column,problem",
        f'P-2,2026-11-01,"1,3",d2,,3,dose_mg_per_m2,found a number with a decimal comma; {a_number}',
        f"P-3,01.11.2026,2.4 mg,d3,,4,given_at; dose_mg_per_m2,"
        f'"given_at: found a day that is not written year-month-day; {write_time}; '
        f'dose_mg_per_m2: found a number with a sign or unit beside it; {a_number}"',
        "P-4,2026-11-02,1.3,d4,,5,,found more cells than the header has; put quotes around a cell that holds a comma,surplus",
        'P-5,2026-11-02,,,,6,,"found fewer cells than the header has; the line is cut off, export the file again"',
    ]
    assert stat.S_IMODE(rejected_path(path).stat().st_mode) == 0o600
    assert sorted(each.name for each in path.parent.iterdir()) == ["doses.csv", "doses.csv.rejected.csv"]


def test_given_a_corrected_file_when_imported_again_then_the_rejected_file_goes(database: Database, tmp_path: Path) -> None:
    path = a_file(tmp_path / "in", "doses.csv", DOSES + "P-1,2026-11-01,x,d1,\n")
    take(database, path)
    assert rejected_path(path).exists()
    a_file(tmp_path / "in", "doses.csv", DOSES + "P-1,2026-11-01,1.3,d1,\n")
    assert take(database, path).exit_code == 0
    assert not rejected_path(path).exists()


def test_given_a_folder_when_imported_then_known_files_come_in_order_and_others_are_told_or_left(
    database: Database, tmp_path: Path
) -> None:
    folder = tmp_path / "in"
    for name in ("doses-2026-11-02.csv", "DOSES-2026-11-01.CSV"):
        a_file(folder, name, DOSES + f"P-1,2026-11-01,1.3,{name},\n")
    a_file(folder, "patients.csv", "patient_id\nP-1\n")
    a_file(folder, "ward-list.csv", "bed\n1\n")
    a_file(folder, "README.md", "read me")
    a_file(folder, "doses.csv.rejected.csv", "x")
    report = take(database, folder)
    assert [Path(each.file).name for each in report.files] == ["patients.csv", "DOSES-2026-11-01.CSV", "doses-2026-11-02.csv"]
    assert report.exit_code == 0
    assert len(report.notes) == 1
    assert "ward-list.csv" in report.notes[0]


def test_given_a_bulk_export_when_imported_then_what_others_refer_to_comes_first_and_what_is_not_read_is_told(
    database: Database, tmp_path: Path
) -> None:
    folder = tmp_path / "in"
    names = ["MedicationAdministration.000.ndjson", "MedicationRequest.ndjson", "Observation.ndjson", "export-patient.ndjson"]
    for name in (*names, "Condition.ndjson", "Medication.ndjson"):
        a_file(folder, name, "")
    a_file(folder, "Observation.001.ndjson.gz", "")
    (folder / "older").mkdir()
    report = take(database, folder)
    order = ["export-patient", "Medication", "MedicationRequest", "Observation", "Condition", "MedicationAdministration.000"]
    assert [Path(each.file).stem for each in report.files] == order
    assert [("packed" in note, "a folder" in note) for note in report.notes] == [(True, False), (False, True)]


def test_given_files_named_alone_when_of_no_kind_or_unreadable_then_each_is_a_rejection(
    database: Database, tmp_path: Path
) -> None:
    good = a_file(tmp_path / "in", "patients.csv", "patient_id,ward\nP-1,7b\n")
    report = take(
        database,
        a_file(tmp_path / "in", "ward-list.csv", "bed\n1\n"),
        a_file(tmp_path / "in", "doses.pdf", "%PDF"),
        a_file(tmp_path / "in", "labs.csv", "patient_id\nP-1\n"),
        good,
        good,
    )
    by_name = {Path(each.file).name: each for each in report.files}
    assert by_name["patients.csv"].inserted == 1
    assert {name: each.kind for name, each in by_name.items()} == {
        "ward-list.csv": None,
        "doses.pdf": "doses",
        "labs.csv": "labs",
        "patients.csv": "patients",
    }
    assert [by_name[name].rejected for name in ("ward-list.csv", "doses.pdf", "labs.csv")] == [1, 1, 1]
    assert any("ward" in note for note in report.notes)
    assert report.exit_code == 3


def test_given_a_path_that_is_not_there_when_imported_then_it_is_wrong_usage(database: Database, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not there"):
        take(database, tmp_path / "nowhere")


def test_given_a_target_that_cannot_be_written_when_rows_are_rejected_then_it_says_so_and_goes_on(
    database: Database, tmp_path: Path
) -> None:
    path = a_file(tmp_path / "in", "doses.csv", DOSES + "P-1,2026-11-01,x,d1,\nP-1,2026-11-01,1.3,d2,\n")
    rejected_path(path).mkdir()
    report = take(database, path)
    assert counts(report) == [(1, 0, 0, 1)]
    assert "could not be written" in report.notes[0]
    assert sorted(each.name for each in path.parent.iterdir()) == ["doses.csv", "doses.csv.rejected.csv"]


def test_given_a_report_when_shown_then_json_has_the_documented_keys(database: Database, tmp_path: Path) -> None:
    path = a_file(tmp_path / "in", "labs.csv", "patient_id,collected_at,analyte,value,unit\nP-1,2011-01-01,csf_protein,133,\n")
    told: list[FileReport] = []
    report = import_paths(database, [path], zone=ZONE, now=NOW, progress=told.append)
    problem = "found nothing; this column is required"
    assert as_json(report) == {
        "files": [{"file": str(path), "kind": "labs", "inserted": 0, "corrected": 0, "unchanged": 0, "rejected": 1}],
        "rejected": [{"file": str(path), "line": 2, "column": "unit", "problem": problem}],
    }
    assert told == report.files


def test_given_a_correction_when_imported_then_the_old_version_stays_superseded(database: Database, tmp_path: Path) -> None:
    take(database, a_file(tmp_path / "a", "doses.csv", DOSES + "P-1,2026-11-01,1.3,d1,2026-11-01T12:00Z\n"))
    report = take(database, a_file(tmp_path / "b", "doses.csv", DOSES + "P-1,2026-11-01,1.0,d1,2026-11-02T12:00Z\n"))
    assert counts(report) == [(0, 1, 0, 0)]
    assert [(row[3], row[-1]) for row in stored(database)["doses"]] == [(1.0, 1), (1.3, 0)]


def test_given_a_value_set_right_again_when_the_next_export_says_so_then_it_is_taken(database: Database, tmp_path: Path) -> None:
    header = "patient_id,assessed_at,motor_grade,source_id\n"
    for number, grade in enumerate((3, 2, 3)):
        report = take(
            database,
            a_file(tmp_path / "in", "assessments.csv", f"{header}P-1,2026-11-01,{grade},a1\n# {number}\n"),
            now=NOW + timedelta(days=number),
        )
        assert counts(report)[0][:2] == ((1, 0) if number == 0 else (0, 1))
    with database.read() as connection:
        current = connection.exec_driver_sql("SELECT motor_grade FROM assessments WHERE superseded_at IS NULL").scalars().all()
    assert current == [3]


HEAD, *LINES = (COHORT / "courses.csv").read_text(encoding="utf-8").splitlines()
"""Most courses are there twice: as they were begun, and as they were ended."""


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 1000), parts=st.integers(1, 5))
def test_given_any_order_and_split_when_imported_then_the_same_versions_are_stored(tmp_path: Path, seed: int, parts: int) -> None:
    shuffled = random.Random(seed).sample(LINES, len(LINES))  # noqa: S311 - an order, not a secret
    folder = Path(mkdtemp(dir=tmp_path))
    databases = [a_database(Path(mkdtemp(dir=tmp_path))) for _ in range(2)]
    take(databases[0], a_file(folder / "whole", "courses.csv", "\n".join([HEAD, *LINES])))
    for part in range(parts):
        text = "\n".join([HEAD, *shuffled[part::parts]])
        take(databases[1], a_file(folder / f"part-{part}", "courses.csv", text))
    whole, split = (stored(database) for database in databases)
    for database in databases:
        database.close()
    assert whole == split


def refusing(_name: str, _stream: BinaryIO, _clinic: Clinic) -> Iterator[ImportedFile]:
    """A reader that lets through what no table takes."""
    yield ImportedFile(kind="doses", rows=iter([a_row("d1"), {**a_row("d2"), "route": "secret-route"}]))


def a_row(source_id: str) -> Row:
    return {"patient_id": "P-1", "given_at": "2026-01-05", "dose_mg_per_m2": 1.3, "source_id": source_id}


@pytest.mark.parametrize("dry_run", [False, True])
def test_given_a_row_that_only_the_database_refuses_when_imported_then_its_file_is_refused_and_the_others_are_in(
    database: Database, tmp_path: Path, dry_run: bool
) -> None:
    paths = [tmp_path / "doses.odd", tmp_path / "patients.csv"]
    paths[0].write_text("", encoding="utf-8")
    paths[1].write_text("patient_id\nP-1\n", encoding="utf-8")
    readers = {**READERS, ".odd": refusing}
    report = import_paths(database, paths, zone=ZONE, now=NOW, readers=readers, dry_run=dry_run)
    assert [(each.kind, each.inserted, each.rejected) for each in report.files] == [("patients", 1, 0), ("doses", 0, 1)]
    ((_, told),) = report.rejected
    assert "ck_doses_route" in told.problem
    assert "secret" not in told.problem
