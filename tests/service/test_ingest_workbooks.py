"""Workbooks into a real database: what is counted, told and written beside them."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from openpyxl import Workbook  # type: ignore[import-untyped]

from monitor.service.ingest import as_json, import_paths
from monitor.service.rejected_file import rejected_path
from monitor.store.database import Database, open_database
from monitor.store.migrate import migrate

ZONE = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
DOSES = ("patient_id", "given_at", "dose_mg_per_m2", "source_id")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    found = open_database(f"sqlite:///{tmp_path / 'facts.db'}", create=True)
    migrate(found)
    yield found
    found.close()


def a_workbook(path: Path) -> Path:
    workbook = Workbook()
    sheets: dict[str, list[tuple[object, ...]]] = {
        "Doses-2026-10-01": [("P-1", date(2026, 10, 1), 1.3, "d-1"), ("P-1", date(2026, 10, 8), 13, "d-2")],
        "Doses-2026-11-01": [("P-1", date(2026, 11, 5), 1.3, "d-3"), ("P-1", "5.11.2026", 1.3, "d-4")],
    }
    for name, rows in sheets.items():
        sheet = workbook.create_sheet(name)
        for row in (DOSES, *rows):
            sheet.append(row)
    workbook.create_sheet("Patients").append(("patient_id",))
    workbook["Patients"].append(("P-1",))
    workbook.save(path)
    return path


def test_given_a_workbook_when_imported_then_each_kind_is_counted_once_and_a_problem_names_its_sheet(
    database: Database, tmp_path: Path
) -> None:
    report = import_paths(database, [a_workbook(tmp_path / "export.xlsx")], zone=ZONE, now=NOW)
    told = as_json(report)
    assert [(each["kind"], each["inserted"], each["rejected"]) for each in told["files"]] == [("patients", 1, 0), ("doses", 2, 2)]
    assert [(each["line"], each["column"], each["problem"][:16]) for each in told["rejected"]] == [
        (3, "dose_mg_per_m2", "Doses-2026-10-01"),
        (3, "given_at", "Doses-2026-11-01"),
    ]
    assert report.notes == [f"{tmp_path / 'export.xlsx'}: passed over: 1 sheet whose name says no kind"]


def test_given_rejected_rows_of_two_sheets_when_written_beside_the_workbook_then_each_says_its_sheet(
    database: Database, tmp_path: Path
) -> None:
    path = a_workbook(tmp_path / "export.xlsx")
    import_paths(database, [path], zone=ZONE, now=NOW)
    with rejected_path(path).open(encoding="utf-8", newline="") as file:
        lines = list(csv.reader(file))
    assert lines[0] == lines[2] == [*DOSES, "sheet", "line", "column", "problem"]
    assert lines[1][:7] == ["P-1", "2026-10-08", "13", "d-2", "Doses-2026-10-01", "3", "dose_mg_per_m2"]
    assert lines[3][:7] == ["P-1", "5.11.2026", "1.3", "d-4", "Doses-2026-11-01", "3", "given_at"]


def test_given_a_workbook_that_somebody_has_open_when_its_folder_is_imported_then_the_mark_beside_it_is_passed_by(
    database: Database, tmp_path: Path
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    a_workbook(folder / "export.xlsx")
    (folder / "~$export.xlsx").write_bytes(b"\x05Somebody")
    report = import_paths(database, [folder], zone=ZONE, now=NOW)
    assert {each.file for each in report.files} == {str(folder / "export.xlsx")}
