"""``import --dry-run``: says of every kind of file what the import that follows does, and leaves nothing behind."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import openpyxl  # type: ignore[import-untyped]  # has no types
import pytest

from tests.e2e.installation import Installation

DOSES = [("patient_id", "given_at", "dose_mg_per_m2"), ("P-1", "2026-01-05", "1.3"), ("P-1", "2026-01-12", "much")]
HL7 = """\
MSH|^~\\&|LAB|KH|BIPN|KH|20260105103000||ORU^R01|1|P|2.5
PID|1||P-1^^^KH^MR
OBR|1|||CSF
OBX|1|NM|2880-3^Protein^LN||133|mg/dL|||||F|||20260105100000
OBX|2|NM|2880-3^Protein^LN||133||||||F|||20260105100000
"""
BUNDLE = {
    "resourceType": "Bundle",
    "type": "collection",
    "entry": [
        {"resource": {"resourceType": "Patient", "id": "P-1"}},
        {"resource": {"resourceType": "Observation", "id": "o1", "status": "final", "subject": {"reference": "Patient/P-1"}}},
    ],
}


def a_file_of(kind: str, folder: Path) -> Path:
    """A file with something good and something bad in it."""
    text = "".join(",".join(row) + "\n" for row in DOSES)
    path = folder / {"xlsx": "export.xlsx", "hl7": "lab.hl7", "json": "bundle.json", "ndjson": "all.ndjson"}.get(
        kind, "doses.csv"
    )
    match kind:
        case "xlsx":
            book = openpyxl.Workbook()
            sheet: Any = book.active
            sheet.title = "doses"
            for row in DOSES:
                sheet.append(row)
            book.save(path)
            return path
        case "hl7":
            text = HL7.replace("\n", "\r")
        case "json":
            text = json.dumps(BUNDLE)
        case "ndjson":
            text = "".join(json.dumps(entry["resource"]) + "\n" for entry in BUNDLE["entry"])  # type: ignore[index]  # as above
    path.write_text(text, encoding="utf-8", newline="")
    return path


@pytest.mark.parametrize("there", [False, True], ids=["no database yet", "a database"])
@pytest.mark.parametrize("kind", ["csv", "xlsx", "json", "ndjson", "hl7"])
def test_given_a_file_of_any_kind_when_tried_then_the_import_that_follows_does_the_same(
    tmp_path: Path, kind: str, there: bool
) -> None:
    installed = Installation(tmp_path / "site", port=1)
    if there:
        installed.call("migrate")
    (tmp_path / "in").mkdir()
    path = a_file_of(kind, tmp_path / "in")
    before = {each: each.read_bytes() for each in installed.folder.iterdir()}
    dry = installed.call("import", path, "--dry-run", "--format", "json", code=None)
    assert {each: each.read_bytes() for each in installed.folder.iterdir()} == before
    assert list(path.parent.iterdir()) == [path]
    real = installed.call("import", path, "--format", "json", code=None)
    assert (real.code, real.json) == (dry.code, dry.json)
    assert real.json["files"]
    assert ("there is no database yet" in dry.err) is not there


def test_given_files_that_correct_what_is_stored_when_tried_then_that_is_counted_too(tmp_path: Path) -> None:
    installed = Installation(tmp_path / "site", port=1)
    (tmp_path / "in").mkdir()
    path = a_file_of("csv", tmp_path / "in")
    header, first, _ = path.read_text(encoding="utf-8").splitlines()
    path.write_text(f"{header},source_id\n{first},d1\n", encoding="utf-8")
    installed.call("import", path)
    path.write_text(f"{header},source_id\n{first.replace('1.3', '1.0')},d1\n", encoding="utf-8")
    dry = installed.call("import", path, "--dry-run", "--format", "json").json
    assert dry["files"][0]["corrected"] == 1
    assert installed.call("import", path, "--format", "json").json == dry


def test_given_a_folder_of_the_database_that_is_not_there_when_tried_then_it_fails_as_the_import_would(tmp_path: Path) -> None:
    installed = Installation(tmp_path / "site", port=1)
    (tmp_path / "in").mkdir()
    path = a_file_of("csv", tmp_path / "in")
    elsewhere = f"sqlite:///{tmp_path}/nowhere/site.db"
    dry = installed.call("import", path, "--dry-run", "--database", elsewhere, code=5)
    assert installed.call("import", path, "--database", elsewhere, code=5).err == dry.err
