"""Workbooks: what each kind of cell is taken for, which sheets are read, and that no file takes the program with it."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook  # type: ignore[import-untyped]
from openpyxl.utils.datetime import CALENDAR_MAC_1904  # type: ignore[import-untyped]

from monitor.importers.imported import ImportedFile, Row
from monitor.importers.sheets import read_sheets
from tests.importers.reading import CLINIC

SAMPLES = Path(__file__).parent / "samples"
DOSES = ("patient_id", "given_at", "dose_mg_per_m2", "source_id")
DAY = date(2026, 11, 1)


def saved(workbook: Workbook) -> bytes:
    file = BytesIO()
    workbook.save(file)
    return file.getvalue()


def a_workbook(**sheets: Sequence[tuple[object, ...]]) -> Workbook:
    workbook = Workbook()
    workbook.remove(workbook.worksheets[0])
    for name, rows in sheets.items():
        sheet = workbook.create_sheet(name)
        for row in rows:
            sheet.append(row)
    return workbook


def read(data: bytes, name: str = "export.xlsx") -> list[tuple[ImportedFile, list[Row]]]:
    return [(file, list(file.rows)) for file in read_sheets(name, BytesIO(data), CLINIC)]


def read_one(column: str, value: object, kind: str = "assessments", at: str = "assessed_at") -> tuple[list[Row], list[str]]:
    """What becomes of one cell."""
    ((file, rows),) = read(saved(a_workbook(**{kind: [("patient_id", at, column), ("P-1", DAY, value)]})))
    return rows, [f"{each.record}:{each.line} {each.column}: {each.problem}" for each in file.rejected]


def test_given_sheets_in_any_order_when_read_then_patients_come_first_and_rows_carry_their_number() -> None:
    workbook = a_workbook(
        Doses=[DOSES, ("P-1", DAY, 1.3, "d-1"), (), ("P-2", DAY, 400, "d-2")],
        **{"PATIENTS-2026-11-01": [("patient_id",), ("P-1",)]},
    )
    (patients, known), (doses, given_doses) = read(saved(workbook))
    assert (patients.kind, patients.sheet, len(known)) == ("patients", "PATIENTS-2026-11-01", 1)
    assert (doses.kind, doses.sheet) == ("doses", "Doses")
    assert [row["dose_mg_per_m2"] for row in given_doses] == [1.3]
    assert [(each.record, each.line, each.column) for each in doses.rejected] == [("Doses", 4, "dose_mg_per_m2")]
    assert doses.rejected_rows[0].cells == ("P-2", "2026-11-01", "400", "d-2")


@pytest.mark.parametrize(
    ("column", "value", "expected"),
    [
        ("sensory_grade", 2, 2),
        ("sensory_grade", 2.0, 2),
        ("grip_kpa_right", 49.5, 49.5),
        ("grip_kpa_right", 0.1 + 0.2, 0.3),
        ("mrc_deltoid_left", 4, "4"),
        ("mrc_deltoid_left", "4-", "4-"),
        ("neuropathic_pain", True, "yes"),
        ("neuropathic_pain", False, "no"),
        ("recorded_at", datetime.fromisoformat("2026-11-02T09:30"), "2026-11-02T08:30:00+00:00"),
        ("source_id", "007", "007"),
        ("source_id", 7, "7"),
        ("notes", "  walks\nslowly ", "walks\nslowly"),
        ("notes", None, None),
    ],
)
def test_given_a_cell_of_a_spreadsheet_when_read_then_it_is_what_an_import_file_would_say(
    column: str, value: object, expected: object
) -> None:
    rows, rejected = read_one(column, value)
    assert rejected == []
    assert rows[0][column] == expected


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("mrc_deltoid_left", date(2026, 4, 1), "format the column as text"),
        ("sensory_grade", date(2026, 4, 1), "found a day"),
        ("sensory_grade", True, "found text"),
        ("sensory_grade", "#N/A", "an error of the spreadsheet"),
        ("sensory_grade", "=1+1", "a formula without a result"),
        ("notes", "=1/0", "a formula without a result"),
        ("recorded_at", time(9, 30), "a time of day without its day"),
        ("grip_kpa_right", timedelta(hours=30), "a duration"),
        ("source_id", 12345678901234567, "more than 15 digits"),
    ],
)
def test_given_a_cell_that_means_no_text_when_read_then_its_row_is_refused_with_sheet_row_and_column(
    column: str, value: object, said: str
) -> None:
    rows, rejected = read_one(column, value)
    assert rows == []
    assert len(rejected) == 1
    assert rejected[0].startswith(f"assessments:2 {column}: ")
    assert said in rejected[0]


def test_given_an_error_in_a_column_that_is_not_read_when_read_then_the_row_is_in() -> None:
    rows, rejected = read_one("ward", "#N/A")
    assert (len(rows), rejected) == (1, [])


def test_given_days_counted_from_1904_when_read_then_they_are_the_same_days() -> None:
    workbook = a_workbook(doses=[DOSES, ("P-1", DAY, 1.3, "d-1")])
    workbook.epoch = CALENDAR_MAC_1904
    assert [row["given_at"] for _, rows in read(saved(workbook)) for row in rows] == ["2026-11-01"]


def test_given_a_table_that_starts_further_down_and_right_when_read_then_its_places_are_those_of_the_sheet() -> None:
    workbook = Workbook()
    sheet = workbook.worksheets[0]
    sheet.title = "doses"
    for column, name in enumerate(DOSES, 3):
        sheet.cell(4, column, name.upper() + " ")
    for column, value in enumerate(("P-1", DAY, "#REF!", "d-1"), 3):
        sheet.cell(6, column, value)
    ((file, rows),) = read(saved(workbook))
    assert rows == []
    assert [(each.line, each.column) for each in file.rejected] == [(6, "dose_mg_per_m2")]


def test_given_merged_cells_when_read_then_their_rows_are_refused() -> None:
    workbook = a_workbook(doses=[DOSES, ("P-1", DAY, 1.3, "d-1"), ("P-1", DAY, None, "d-2"), ("P-1", DAY, 1.3, "d-3")])
    workbook["doses"].merge_cells("C2:C3")
    ((file, rows),) = read(saved(workbook))
    assert [row["source_id"] for row in rows] == ["d-3"]
    assert [(each.line, each.column) for each in file.rejected] == [(2, "dose_mg_per_m2"), (3, "dose_mg_per_m2")]
    assert all("merged" in each.problem for each in file.rejected)


def test_given_hidden_nameless_and_empty_sheets_when_read_then_the_others_are_in_and_these_are_counted() -> None:
    workbook = a_workbook(labs=[DOSES], Notes=[("x",)], doses=[DOSES, ("P-1", DAY, 1.3, "d-1")], treatments=[])
    workbook["labs"].sheet_state = "hidden"
    parts = read(saved(workbook))
    assert [(file.kind, len(rows), file.rejected) for file, rows in parts] == [("doses", 1, []), ("treatments", 0, [])]
    told = parts[0][0].passed_over + parts[1][0].passed_over
    assert told == {"hidden sheet": 1, "sheet whose name says no kind": 1, "empty sheet of treatments": 1}


def test_given_one_sheet_of_any_name_when_the_file_says_the_kind_then_it_is_read_and_its_name_is_not_repeated() -> None:
    workbook = a_workbook(Müller=[DOSES, ("P-1", DAY, 9, "d-1")])
    ((file, _),) = read(saved(workbook), "doses-2026-11-23.xlsx")
    assert (file.kind, file.sheet, file.rejected[0].record) == ("doses", None, None)


def test_given_no_sheet_of_a_kind_when_read_then_the_file_is_refused() -> None:
    ((file, _),) = read(saved(a_workbook(One=[DOSES], Two=[DOSES])), "doses.xlsx")
    assert "no sheet's name says a kind" in file.rejected[0].problem


def test_given_a_sheet_without_a_required_column_when_read_then_it_alone_is_refused() -> None:
    workbook = a_workbook(
        doses=[DOSES[:2], ("P-1", DAY)], treatments=[("patient_id", "treatment", "started_on"), ("P-1", "ivig", DAY)]
    )
    (doses, _), (_, treated) = read(saved(workbook))
    assert [(each.record, each.line, each.column) for each in doses.rejected] == [("doses", 1, "dose_mg_per_m2")]
    assert len(treated) == 1


def test_given_an_old_workbook_when_read_then_it_says_the_same() -> None:
    (_, patients), (_, doses) = read((SAMPLES / "cohort.xls").read_bytes(), "cohort.xls")
    assert [row["patient_id"] for row in patients] == ["P-1", "7"]
    assert [(row["given_at"], row["dose_mg_per_m2"]) for row in doses] == [
        ("2026-11-01", 1.3),
        ("2026-11-08T08:30:00+00:00", 1.0),
    ]


def test_given_an_error_in_an_old_workbook_when_read_then_its_row_is_refused() -> None:
    (_, _), (doses, rows) = read((SAMPLES / "errors.xls").read_bytes(), "errors.xls")
    assert [(each.line, each.column) for each in doses.rejected] == [(4, "dose_mg_per_m2")]
    assert len(rows) == 2


ODS = """<?xml version="1.0" encoding="UTF-8"?>
<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" office:version="1.2"
 xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"
 xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0"><office:body><office:spreadsheet>
<table:table table:name="doses">
<table:table-row>{header}</table:table-row>
{rows}
<table:table-row table:number-rows-repeated="1048570"><table:table-cell table:number-columns-repeated="16384"/></table:table-row>
</table:table></office:spreadsheet></office:body></office:document-content>"""


def an_ods(*rows: str) -> bytes:
    header = "".join(f'<table:table-cell office:value-type="string"><text:p>{name}</text:p></table:table-cell>' for name in DOSES)
    text = ODS.format(header=header, rows="".join(f"<table:table-row>{row}</table:table-row>" for row in rows))
    file = BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("META-INF/manifest.xml", "<manifest/>")
        archive.writestr("content.xml", text)
    return file.getvalue()


def ods_row(dose: str) -> str:
    return (
        '<table:table-cell office:value-type="string"><text:p>P-1</text:p></table:table-cell>'
        '<table:table-cell office:value-type="date" office:date-value="2026-11-01"><text:p>1.11.26</text:p></table:table-cell>'
        f"{dose}"
        '<table:table-cell office:value-type="string"><text:p>d-1</text:p></table:table-cell>'
    )


def test_given_an_ods_when_read_then_values_are_taken_and_errors_refused() -> None:
    good = '<table:table-cell office:value-type="float" office:value="1.3"><text:p>1,3</text:p></table:table-cell>'
    bad = (
        '<table:table-cell table:formula="of:=NA()" office:value-type="string" office:string-value="" '
        'calcext:value-type="error"><text:p>#N/A</text:p></table:table-cell>'
    )
    ((file, rows),) = read(an_ods(ods_row(good), ods_row(bad)), "export.ods")
    assert [(row["given_at"], row["dose_mg_per_m2"]) for row in rows] == [("2026-11-01", 1.3)]
    assert [(each.line, each.column) for each in file.rejected] == [(3, "dose_mg_per_m2")]
    assert "an error of the spreadsheet" in file.rejected[0].problem


def a_sheet_far_away() -> bytes:
    workbook = a_workbook(doses=[DOSES])
    workbook["doses"].cell(1_048_576, 16_384, "x")
    return saved(workbook)


def repacked(data: bytes, before: bytes = b"", declared: int | None = None) -> bytes:
    """A workbook with something before its first sheet, or a size of it that is not its own."""
    file = BytesIO()
    with zipfile.ZipFile(BytesIO(data)) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            is_sheet = name.endswith("sheet1.xml")
            new.writestr(name, before + old.read(name) if is_sheet else old.read(name))
            if is_sheet and declared is not None:
                new.getinfo(name).file_size = declared
    return file.getvalue()


def a_bomb() -> bytes:
    return repacked(saved(a_workbook(doses=[DOSES])), declared=600 << 20)


def with_a_document_type() -> bytes:
    return repacked(saved(a_workbook(doses=[DOSES])), before=b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>')


def with_a_size_that_is_too_small() -> bytes:
    return repacked(saved(a_workbook(doses=[DOSES])), declared=100)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (lambda: b"", "no workbook"),
        (lambda: b"hello" * 100, "no workbook"),
        (lambda: saved(a_workbook(doses=[DOSES]))[:3000], "damaged"),
        (lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 2000, "damaged"),
        (lambda: (SAMPLES / "cohort.xls").read_bytes()[:3000], "damaged"),
        (a_sheet_far_away, "reaches over more than"),
        (a_bomb, "unpacks to more than"),
        (with_a_document_type, "declares a document type"),
        (with_a_size_that_is_too_small, "damaged"),
    ],
    ids=["empty", "text", "cut-off", "old-zeros", "old-cut-off", "far-away", "bomb", "document-type", "other-size"],
)
def test_given_a_file_that_is_damaged_or_meant_to_harm_when_read_then_it_is_refused_with_a_reason(
    data: Callable[[], bytes], said: str
) -> None:
    ((file, rows),) = read(data(), "doses.xlsx")
    assert rows == []
    assert [each.line for each in file.rejected] == [None]
    assert said in file.rejected[0].problem


@settings(max_examples=25, deadline=None)
@given(st.integers(min_value=0, max_value=5000), st.binary(min_size=1, max_size=40), st.sampled_from(["xlsx", "xls"]))
def test_given_a_workbook_with_bytes_overwritten_when_read_then_it_is_read_or_refused(
    place: int, scrap: bytes, suffix: str
) -> None:
    whole = (SAMPLES / "cohort.xls").read_bytes() if suffix == "xls" else saved(a_workbook(doses=[DOSES, ("P-1", DAY, 1.3, "d")]))
    data = bytearray(whole)
    data[place : place + len(scrap)] = scrap
    parts = read(bytes(data), "doses.xlsx")
    assert parts
    assert all(rows or file.rejected or file.rejected_rows or file.passed_over or file.header for file, rows in parts)


def test_given_a_workbook_that_ends_the_process_that_reads_it_when_read_then_it_is_refused() -> None:
    scrap = bytes.fromhex("00ff001000ff")  # found by chance: the library aborts
    data = bytearray((SAMPLES / "cohort.xls").read_bytes())
    data[2587 : 2587 + len(scrap)] = scrap
    ((file, rows),) = read(bytes(data), "doses.xls")
    assert rows == []
    assert "needs too much memory" in file.rejected[0].problem
