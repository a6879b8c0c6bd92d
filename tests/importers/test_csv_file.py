"""Files: names, encodings, headers, lines; and that a bad row costs nothing but itself."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.importers.columns import COLUMNS
from monitor.importers.names import kind_of
from tests.importers.reading import read, read_text

HEADER = "patient_id,given_at,drug,dose_mg_per_m2,route,source_id,recorded_at"
GOOD = "P-{0},2026-11-{0:02d},bortezomib,1.3,SC,d-{0},2026-11-{0:02d}T12:00:00Z"


@pytest.mark.parametrize(
    ("stem", "kind"),
    [
        ("doses", "doses"),
        ("DOSES", "doses"),
        ("doses-2026-11-23", "doses"),
        ("DOSES_2026-11-23", "doses"),
        ("labs.2026-11-23", "labs"),
        ("doses_20261123", "doses"),
        ("doses-old", None),
        ("my-doses", None),
        ("", None),
    ],
)
def test_given_a_file_name_when_the_kind_is_asked_then_case_and_date_do_not_matter(stem: str, kind: str | None) -> None:
    assert kind_of(stem) == kind


def test_given_a_name_of_no_kind_when_read_then_the_problem_names_the_seven() -> None:
    file, rows = read_text("export.csv", HEADER, GOOD.format(1))
    assert rows == []
    assert file.kind is None
    assert all(kind in file.rejected[0].problem for kind in COLUMNS)
    assert (file.rejected[0].line, file.rejected[0].column) == (None, None)


def test_given_another_encoding_when_read_then_the_file_is_refused_with_a_remedy() -> None:
    file, rows = read("doses.csv", f"{HEADER}\nMüller,2026-11-01,,1.3,,,\n".encode("latin-1"))
    assert rows == []
    assert "CSV UTF-8" in file.rejected[0].problem


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_given_an_export_of_any_program_when_read_then_it_says_the_same(ending: str, mark: str, delimiter: str) -> None:
    text = mark + ending.join([HEADER.upper(), GOOD.format(1), "", GOOD.format(2)]).replace(",", delimiter) + ending
    file, rows = read("doses.csv", text.encode())
    assert file.rejected == []
    assert [row["patient_id"] for row in rows] == ["P-1", "P-2"]


def test_given_a_missing_and_a_doubled_column_when_read_then_both_are_named_and_no_row_is_taken() -> None:
    file, rows = read_text("doses.csv", "patient_id,patient_id,dose_mg_per_m2", "P-1,P-1,1.3")
    assert rows == []
    assert [(each.line, each.column) for each in file.rejected] == [(1, "given_at"), (1, "patient_id")]


def test_given_an_empty_file_when_read_then_it_is_refused() -> None:
    assert "no header" in read("doses.csv", b"")[0].rejected[0].problem


def test_given_unknown_columns_when_read_then_they_are_reported_and_the_rows_are_in() -> None:
    file, rows = read_text("doses.csv", "patient_id,given_at,ward,dose_mg_per_m2,", "P-1,2026-11-01,7b,1.3,x")
    assert file.unknown_columns == ("ward", "(column 5 has no name)")
    assert file.rejected == []
    assert len(rows) == 1


def test_given_empty_cells_when_read_then_they_are_not_recorded() -> None:
    _, rows = read_text("assessments.csv", "patient_id,assessed_at,sensory_grade,neuropathic_pain", "P-1,2026-11-01, ,")
    assert (rows[0]["sensory_grade"], rows[0]["neuropathic_pain"], rows[0].get("motor_grade")) == (None, None, None)


def test_given_no_drug_when_read_then_it_is_bortezomib() -> None:
    _, rows = read_text(
        "doses.csv", "patient_id,given_at,drug,dose_mg_per_m2", "P-1,2026-11-01,,1.3", "P-1,2026-11-02,Velcade,1.3"
    )
    _, without = read_text("doses.csv", "patient_id,given_at,dose_mg_per_m2", "P-1,2026-11-01,1.3")
    assert [row["drug"] for row in [*rows, *without]] == ["bortezomib"] * 3


def test_given_quoted_line_breaks_when_a_later_row_is_bad_then_its_line_is_the_physical_one_where_it_starts() -> None:
    file, rows = read_text(
        "assessments.csv",
        "patient_id,assessed_at,notes,sensory_grade",
        'P-1,2026-11-01,"walks',
        'slowly, says ""fine""",1',
        'P-2,2026-11-01,"two',
        'lines",seven',
        "P-3,2026-11-01,,eight",
    )
    assert rows[0]["notes"] == 'walks\nslowly, says "fine"'
    assert [(each.line, each.column) for each in file.rejected] == [(4, "sensory_grade"), (6, "sensory_grade")]
    assert [row.line for row in file.rejected_rows] == [4, 6]


def test_given_a_quote_left_open_when_read_then_it_costs_its_own_line_only() -> None:
    file, rows = read_text("doses.csv", HEADER, GOOD.format(1), 'P-2,"2026-11-02,,1.3,,,', GOOD.format(3), GOOD.format(4))
    assert [row["patient_id"] for row in rows] == ["P-1", "P-3", "P-4"]
    assert [(each.line, each.column) for each in file.rejected] == [(3, None)]


def test_given_a_quote_that_closes_far_below_when_the_record_is_bad_then_the_rows_between_are_read() -> None:
    file, rows = read_text("doses.csv", HEADER, 'P-1,"2026-11-01', GOOD.format(2), GOOD.format(3), '",,1.3,,,')
    assert [row["patient_id"] for row in rows] == ["P-2", "P-3"]
    assert [each.line for each in file.rejected_rows] == [2, 5]


def test_given_rows_of_another_width_when_read_then_too_few_and_too_many_cells_are_refused() -> None:
    file, rows = read_text("doses.csv", HEADER, "P-1,2026-11-01", GOOD.format(2) + ",x", GOOD.format(3) + ",,", ",,,,,,")
    assert [row["patient_id"] for row in rows] == ["P-3"]
    assert [each.line for each in file.rejected] == [2, 3]
    assert "fewer cells" in file.rejected[0].problem
    assert "more cells" in file.rejected[1].problem


def test_given_several_bad_cells_when_read_then_all_are_told_and_the_row_counts_once() -> None:
    file, rows = read_text("doses.csv", HEADER, 'P-1,01.11.2026,,"1,3",IM,,')
    assert rows == []
    assert [each.column for each in file.rejected] == ["given_at", "dose_mg_per_m2", "route"]
    assert len(file.rejected_rows) == 1


def test_given_a_bad_cell_when_rejected_then_no_value_of_the_row_is_repeated() -> None:
    file, _ = read_text("patients.csv", "patient_id,display_name,birth_date,baseline_motor_grade", "P-4711,Erika M.,31.12.1950,9")
    told = " ".join(each.problem for each in file.rejected)
    assert len(file.rejected) == 2
    assert not any(secret in told for secret in ("4711", "Erika", "31.12", "1950"))


@settings(max_examples=100)
@given(st.sampled_from(list(COLUMNS)), st.binary(max_size=400), st.booleans())
def test_given_any_bytes_when_read_then_nothing_is_raised(kind: str, data: bytes, under_a_header: bool) -> None:
    header = ",".join(column.name for column in COLUMNS[kind]).encode() + b"\n" if under_a_header else b""
    file, rows = read(f"{kind}.csv", header + data)
    assert len(file.rejected) >= len(file.rejected_rows)
    assert all(row["patient_id"] for row in rows)


SCRAPS = st.text(alphabet='P1,"\n\r ;-2026é\x00', max_size=40).filter(lambda text: text.count(",") != HEADER.count(","))


@settings(max_examples=100)
@given(st.lists(st.one_of(st.integers(1, 23).map(lambda day: GOOD.format(day)), SCRAPS), max_size=12))
def test_given_any_scraps_between_good_rows_when_read_then_every_good_row_is_in(lines: list[str]) -> None:
    good = [line for line in lines if line.startswith("P-") and line.endswith("Z")]
    _, rows = read_text("doses.csv", HEADER, *lines)
    assert [row["source_id"] for row in rows if row["route"] == "SC"] == [line.split(",")[5] for line in good]


CELLS = st.dictionaries(
    st.sampled_from([column.name for column in COLUMNS["assessments"]]),
    st.text(alphabet=st.characters(codec="utf-8"), max_size=12),
    max_size=6,
)


@settings(max_examples=100)
@given(CELLS)
def test_given_any_text_in_any_cell_when_read_then_it_is_a_row_or_a_rejection(cells: dict[str, str]) -> None:
    filled = {"patient_id": "P-1", "assessed_at": "2026-11-01"} | cells
    quoted = ['"' + text.replace('"', '""') + '"' for text in filled.values()]
    file, rows = read_text("assessments.csv", ",".join(filled), ",".join(quoted), "P-2,2026-11-01" + "," * (len(filled) - 2))
    assert len(rows) + len({each.line for each in file.rejected}) >= 1
    assert all(each.line is not None for each in file.rejected)
