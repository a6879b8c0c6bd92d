"""Names and birth dates as the current records have them, and nowhere beside them."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from monitor.store import facts
from monitor.store.identities import Identity, identities
from tests.store.databases import NOW, a_database, another_program

ZONE = ZoneInfo("Europe/Berlin")


def test_given_records_when_asked_then_each_patient_who_has_one_is_named_as_the_current_one_does(tmp_path: Path) -> None:
    database = a_database(tmp_path)
    with database.write() as connection:
        for name in ("Wrong", " Muster, M. "):
            row = {"patient_id": "P-1", "display_name": name, "birth_date": "1950-04-03", "site": "North"}
            facts.write(connection, "patients", [row], now=NOW, feed="test", zone=ZONE)
        facts.write(connection, "patients", [{"patient_id": "P-2"}], now=NOW, feed="test", zone=ZONE)
        found = identities(connection, ["P-1", "P-2", "P-3"], ZONE)
    assert found == {"P-1": Identity(display_name="Muster, M.", born_on=date(1950, 4, 3)), "P-2": Identity()}


@pytest.mark.parametrize(("written", "born_on"), [("1950-13-45", None), ("1950-04-03T23:30:00Z", date(1950, 4, 4))])
def test_given_a_birth_date_of_another_program_when_asked_then_a_day_is_read_and_anything_else_left_out(
    tmp_path: Path, written: str, born_on: date | None
) -> None:
    database = a_database(tmp_path)
    with another_program(tmp_path) as connection:
        connection.execute("INSERT INTO patients (patient_id, display_name, birth_date) VALUES ('P-1', ' ', ?)", (written,))
    with database.read() as reading:
        assert identities(reading, ["P-1"], ZONE) == {"P-1": Identity(display_name=None, born_on=born_on)}


def test_given_very_many_patients_when_asked_then_all_are_found(tmp_path: Path) -> None:
    names = [f"P-{number}" for number in range(1201)]
    with a_database(tmp_path).write() as connection:
        rows = [{"patient_id": name, "display_name": f"of {name}"} for name in names]
        facts.write(connection, "patients", rows, now=NOW, feed="test", zone=ZONE)
        found = identities(connection, names, ZONE)
    assert {name: each.display_name for name, each in found.items()} == {name: f"of {name}" for name in names}


def test_given_an_identity_when_it_is_printed_then_it_says_nothing() -> None:
    assert repr(Identity(display_name="Muster", born_on=date(1950, 4, 3))) == "Identity()"
