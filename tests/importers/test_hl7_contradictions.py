"""HL7 messages that say two things, or name one thing as two senders do: nothing is taken for something else, or lost."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from monitor.importers.hl7.reading import hl7_reader
from monitor.importers.imported import Rejected
from monitor.service.settling import take
from monitor.store.database import Database
from tests.importers.reading import CLINIC
from tests.importers.test_hl7 import MAPPING, PID, msh, obr, obx, oru, own, ras, read, rxa
from tests.store.databases import a_database

PROTEIN = "2880-3^^LN"
DOSES = ("patient_id", "dose_mg_per_m2")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with closing(a_database(tmp_path)) as opened:
        yield opened


def told(database: Database, *messages: list[str]) -> list[Rejected]:
    """What of the messages is refused, each a file of its own."""
    refused = []
    for message in messages:
        (file,) = hl7_reader(MAPPING)("messages.hl7", BytesIO("\r".join(message).encode()), CLINIC)
        with database.write() as connection:
            refused += [*take(connection, "lab", file.items or (), CLINIC).rejected, *file.rejected]
    return refused


def standing(database: Database, kind: str, *columns: str) -> list[tuple[Any, ...]]:
    query = f"SELECT {', '.join(columns)} FROM {kind} WHERE superseded_at IS NULL ORDER BY patient_id, id"
    with database.read() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(query)]


def problem(segments: list[str]) -> str:
    items, file = read(segments)
    assert items == []
    (refused,) = file.rejected
    return refused.problem


def test_given_two_grades_in_one_order_when_read_then_both_are_there_to_be_looked_at(database: Database) -> None:
    assert told(database, oru(obx(own("motor_grade"), "1"), obx(own("motor_grade"), "3"))) == []
    assert standing(database, "assessments", "motor_grade") == [(1,), (3,)]


def test_given_orders_that_two_senders_number_alike_when_read_then_neither_takes_the_place_of_the_other(
    database: Database,
) -> None:
    def message(sender: str, patient: str, grade: str) -> list[str]:
        order = f"OBR|1||F-90^{sender}|NEURO|||20261110113000+0100"
        return [msh(control=sender), f"PID|1||{patient}^^^HOSPITAL^MR", order, obx(own("motor_grade"), grade)]

    assert told(database, message("NORTH", "P-1", "3"), message("SOUTH", "P-2", "0")) == []
    assert standing(database, "assessments", "patient_id", "motor_grade") == [("P-1", 3), ("P-2", 0)]


def test_given_a_correction_when_the_first_result_comes_after_it_then_the_correction_holds(database: Database) -> None:
    order = f"{obr()}|||||||||||||||20261110114500+0100"
    first = [msh(at="20261110120000+0100"), PID, order, obx(own("motor_grade"), "3")]
    corrected = [msh(control="M2", at="20261110140000+0100"), PID, order, obx(own("motor_grade"), "1", status="C")]
    told(database, corrected, first)
    assert standing(database, "assessments", "motor_grade") == [(1,)]


def test_given_a_unit_whose_text_is_another_than_its_code_when_read_then_it_is_refused() -> None:
    assert "unit" in problem(oru(obx(PROTEIN, "9", unit="g/L^mg/dL^UCUM")))
    assert "unit" in problem(ras(rxa("1.9", unit="mg/m2^mg^UCUM")))


def test_given_an_answer_in_words_alone_when_read_then_it_is_refused() -> None:
    assert "no code" in problem(oru(obx(own("motor_grade"), "^Grade 3", kind="CWE")))


def test_given_a_dose_whose_text_names_a_watched_drug_when_its_code_is_not_mapped_then_it_is_refused() -> None:
    assert "add the code" in problem(ras(rxa(drug="4711^VELCADE 3.5 mg^LOCAL")))


def test_given_the_code_of_a_watched_drug_under_the_name_of_another_when_read_then_it_is_refused() -> None:
    assert "another name" in problem(ras(rxa(drug="407097007^omalizumab^SCT")))


@pytest.mark.parametrize("drug", ["407097007^Bortezomib^SCT", "407097007^^SCT"])
def test_given_the_code_of_a_watched_drug_when_its_text_agrees_or_is_none_then_it_is_taken(database: Database, drug: str) -> None:
    assert told(database, ras(rxa(drug=drug))) == []
    assert standing(database, "doses", *DOSES) == [("P-1", 1.3)]


@pytest.mark.parametrize("level", ["NaN", "1_3", "-1", "inf"])
def test_given_an_order_that_is_no_number_when_its_dose_comes_then_both_are_refused_and_the_rest_is_taken(
    database: Database, level: str
) -> None:
    order = f"RXO|358258^^RXNORM|{level}||mg/m2"
    refused = told(database, [*ras(order, rxa("2.2", "mg")), msh(control="M2"), PID, obr(), obx(own("motor_grade"), "3")])
    assert len(refused) == 2
    assert standing(database, "doses", *DOSES) == []
    assert standing(database, "assessments", "motor_grade") == [(3,)]


def test_given_a_result_without_an_order_when_it_is_refused_then_nobody_is_named(database: Database) -> None:
    segments = [msh(), PID, "OBR|1||||||20261110113000+0100", obx(own("motor_grade"), "9")]
    (refused,) = told(database, segments)
    assert "P-1" not in f"{refused.record} {refused.problem}"
