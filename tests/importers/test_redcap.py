"""REDCap's flat rows into items, and the mapping that says how."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.config.problems import InvalidConfigError
from monitor.importers.redcap import plain, read, record_of
from monitor.importers.redcap_mapping import Cell, RedcapMapping, RowOf, box
from monitor.importers.said import Said
from monitor.service.redcap_file import load_redcap
from monitor.shipped import shipped

LONGITUDINAL = RedcapMapping(
    record_id="record_id",
    not_recorded=("-99",),
    rows={
        "visit": RowOf(
            kind="assessments",
            events=("week_1_arm_1", "week_2_arm_1"),
            columns={"assessed_at": Cell(field="visit_at"), "motor_grade": Cell(field="pmn")},
            unless_empty=("pmn",),
        )
    },
)


def said(*rows: dict[str, object], mapping: RedcapMapping = LONGITUDINAL) -> list[Said]:
    return [each for each in read([plain(row) for row in rows], mapping) if each.id or each.refused]


def a_row(event: str, **values: object) -> dict[str, object]:
    return {"record_id": "7", "redcap_event_name": event, "visit_at": "2026-03-01", "pmn": ""} | values


def test_given_a_longitudinal_project_when_read_then_each_event_is_a_row_of_its_own_and_others_are_left_out() -> None:
    found = said(a_row("week_1_arm_1", pmn=1), a_row("week_2_arm_1", pmn="2"), a_row("follow_up_arm_1", pmn="3"))
    items = [each.item for each in found if each.item is not None]
    assert [(item.group, item.patient_id, item.cells["motor_grade"]) for item in items] == [
        ("7|week_1_arm_1||#visit", "7", "1"),
        ("7|week_2_arm_1||#visit", "7", "2"),
    ]


@pytest.mark.parametrize("value", ["", " ", "-99"])
def test_given_no_value_or_a_code_of_missing_data_when_read_then_there_is_no_row(value: str) -> None:
    assert said(a_row("week_1_arm_1", pmn=value)) == []


def test_given_the_same_and_another_value_when_read_then_the_version_tells_them_apart() -> None:
    versions = [said(a_row("week_1_arm_1", pmn=value))[0].item for value in ("1", "1", "2")]
    first, again, other = (item.version for item in versions if item is not None)
    assert first == again != other


def test_given_rows_that_name_two_patients_when_read_then_nothing_of_the_record_is_taken() -> None:
    mapping = RedcapMapping(record_id="record_id", patient_id="who", rows=LONGITUDINAL.rows)
    (only,) = said(a_row("week_1_arm_1", pmn="1", who="A"), a_row("week_2_arm_1", pmn="1", who="B"), mapping=mapping)
    assert (only.item, only.refused[0].column) == (None, "patient_id")


def test_given_a_record_whose_name_holds_a_bar_when_asked_of_which_record_an_item_is_then_it_is_told() -> None:
    assert record_of("7|a|week_1_arm_1||#visit") == "7|a"


def test_given_the_code_of_a_box_when_written_then_it_is_as_redcap_writes_it() -> None:
    assert (box("flags", "1"), box("flags", "-A")) == ("flags___1", "flags____a")


def test_given_the_shipped_example_when_loaded_then_it_fits() -> None:
    assert {row.kind for row in load_redcap(shipped("config") / "redcap.yaml").rows.values()} == {
        "patients",
        "courses",
        "doses",
        "assessments",
        "labs",
    }


@pytest.mark.parametrize(
    ("written", "line", "said"),
    [
        ("rows:\n  visit:\n    kind: visits\n    columns: {}\n", 4, "expected one of patients"),
        ("rows:\n  visit:\n    kind: assessments\n    columns: {motor_grade: {field: pmn}}\n", 5, "'assessed_at' is required"),
        ("rows:\n  dose:\n    kind: patients\n    columns:\n      sexx: {field: sex}\n", 6, "no such column"),
        (
            "rows:\n  dose:\n    kind: patients\n    columns:\n      sex: {field: sex, always: F}\n",
            6,
            "either 'field' or 'always'",
        ),
        ("rows:\n  dose:\n    kind: patients\n    columns:\n      sex: {feld: sex}\n", 6, "unknown key"),
    ],
)
def test_given_a_mapping_with_a_mistake_when_loaded_then_its_line_is_told(
    written: str, line: int, said: str, tmp_path: Path
) -> None:
    path = tmp_path / "own.yaml"
    path.write_text("record_id: record_id\n" + written, encoding="utf-8")
    with pytest.raises(InvalidConfigError) as raised:
        load_redcap(path)
    assert [each.line for each in raised.value.problems] == [line]
    assert said in str(raised.value)


@settings(max_examples=60)
@given(
    st.lists(
        st.fixed_dictionaries(
            {"record_id": st.text(max_size=8)},
            optional={name: st.text(max_size=20) for name in ("visit_at", "pmn", "redcap_event_name", "redcap_repeat_instance")},
        ),
        max_size=6,
    )
)
def test_given_any_rows_when_read_then_nothing_is_raised_and_each_is_an_item_or_refused(rows: list[dict[str, str]]) -> None:
    for each in read(sorted(rows, key=lambda row: row["record_id"]), LONGITUDINAL):
        assert each.item is not None or each.refused or not each.id
