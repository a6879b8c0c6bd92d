"""An OMOP database that is read as a whole, on SQLite and PostgreSQL: refreshed, renumbered, corrected, and never written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from monitor.config.problems import InvalidConfigError
from monitor.importers.omop import record_of
from monitor.service.feeding import pull
from monitor.service.holder import own_holder
from monitor.service.omop_file import load_omop
from monitor.service.pulled import Pulled
from monitor.shipped import shipped
from monitor.store import feeds, rejects
from monitor.store.omop import OmopError, opened
from tests.engines import ENGINES
from tests.omop_cdm import OmopCdm
from tests.postgres import a_postgres_database
from tests.service.clinic import Clinic, a_clinic

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
FEED = """\
feeds:
  warehouse:
    kind: omop
    database: {url}
    every: 1 d
mappings: {{omop: own-omop.yaml}}
"""
OWN = """\
  motor-grade:
    table: observation
    source_value: motor
    kind: assessments
    column: motor_grade
    always: {ctcae_version: "5.0"}
  walking:
    table: observation
    source_value: walking
    kind: assessments
    column: walking
    values: {stick: cane, wheelchair: wheelchair}
"""


@dataclass
class Asker:
    """A clinic with one warehouse, and the instant at which it is read next."""

    clinic: Clinic
    cdm: OmopCdm
    now: datetime = NOW

    def ask(self) -> Pulled:
        self.now += timedelta(days=2)
        pulled = pull(self.clinic.site, "warehouse", self.now, holder=own_holder(NOW), stopping=lambda: False)
        assert pulled is not None
        return pulled

    def observe(self, person: int, what: str, on: str, **value: object) -> None:
        self.cdm.add(
            "observation",
            person_id=person,
            observation_concept_id=0,
            observation_date=on,
            observation_source_value=what,
            **value,
        )

    def rows(self, columns: str, table: str) -> list[tuple[object, ...]]:
        standing = "superseded_at IS NULL" + (" AND voided IS NULL" if table == "assessments" else "")
        with self.clinic.site.database.read() as connection:
            found = connection.exec_driver_sql(f"SELECT {columns} FROM {table} WHERE {standing} ORDER BY 1, 2")
            return [tuple(row) for row in found]

    def versions(self) -> int:
        with self.clinic.site.database.read() as connection:
            tables = ("patients", "doses", "assessments", "labs")
            return sum(int(connection.exec_driver_sql(f"SELECT COUNT(*) FROM {table}").scalar_one()) for table in tables)

    def refused(self) -> list[tuple[str, str | None]]:
        with self.clinic.site.database.read() as connection:
            return sorted((each.origin, each.column) for each in rejects.still_open(connection, at_most=100))


@pytest.fixture(params=ENGINES)
def asker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Asker]:
    url = f"sqlite:///{tmp_path / 'cdm.db'}" if request.param == "sqlite" else a_postgres_database()
    cdm = OmopCdm(url)
    (tmp_path / "own-omop.yaml").write_text((shipped("config") / "omop.yaml").read_text(encoding="utf-8") + OWN, encoding="utf-8")
    with a_clinic(tmp_path, more=FEED.format(url=url)) as clinic:
        yield Asker(clinic, cdm)
    cdm.close()


def test_given_a_patient_on_bortezomib_when_read_then_her_rows_are_ours_with_their_units(asker: Asker) -> None:
    cdm = asker.cdm
    cdm.patient(7, "P-7")
    cdm.patient(8, "P-8")  # never had it
    cdm.measure(8, "pain", "2026-02-01", 3)
    cdm.dose(7, "2026-02-01", 1.3, "mg/m2", at="2026-02-01 00:00:00")
    cdm.dose(7, "2026-02-08", 2.34, "mg", at="2026-02-08 09:30:00")
    cdm.measure(7, "surface", "2026-02-01", 1.8, "m2")
    cdm.measure(7, "protein", "2026-02-03", 1.33, "g/L", measurement_datetime="2026-02-03 11:00:00")
    cdm.measure(7, "pain", "2026-02-08", 4)
    asker.observe(7, "motor", "2026-02-08", value_as_number=2)
    asker.observe(7, "walking", "2026-02-08", value_as_string="stick")
    pulled = asker.ask()
    assert (pulled.problem, pulled.rejected, pulled.received) == (None, 0, True)
    assert asker.rows("patient_id, birth_date, sex, diagnosis", "patients") == [("P-7", "1950-04-02", "F", "multiple myeloma")]
    assert asker.rows("given_at, dose_mg_per_m2, route", "doses") == [
        ("2026-02-01", 1.3, "SC"),
        ("2026-02-08T08:30:00+00:00", 1.3, "SC"),
    ]
    assert asker.rows("collected_at, value, unit", "labs") == [("2026-02-03T10:00:00+00:00", 1.33, "g/L")]
    assert asker.rows("assessed_at, motor_grade, ctcae_version, pain_nrs, walking", "assessments") == [
        ("2026-02-08", 2, "5.0", 4, "cane")
    ]


def test_given_a_refresh_that_numbers_everything_anew_when_read_then_nothing_is_new(asker: Asker) -> None:
    asker.cdm.patient(7, "P-7")
    for on in ("2026-02-01", "2026-02-08"):
        asker.cdm.dose(7, on, 1.3, "mg/m2")
    asker.cdm.dose(7, "2026-02-08", 0.7, "mg/m2")
    asker.observe(7, "motor", "2026-02-08", value_as_number=2)
    asker.ask()
    before = asker.versions()
    asker.cdm.renumbered()
    assert asker.ask().received is False
    assert asker.versions() == before


def test_given_a_refresh_that_corrects_and_drops_rows_when_read_then_there_is_a_new_version_and_the_others_are_taken_back(
    asker: Asker,
) -> None:
    asker.cdm.patient(7, "P-7")
    for on in ("2026-02-01", "2026-02-08"):
        asker.cdm.dose(7, on, 1.3, "mg/m2")
        asker.observe(7, "motor", on, value_as_number=2)
    asker.ask()
    asker.cdm.execute("UPDATE observation SET value_as_number = 3 WHERE observation_date = '2026-02-08'")
    asker.cdm.execute("DELETE FROM observation WHERE observation_date = '2026-02-01'")
    asker.cdm.execute("DELETE FROM drug_exposure WHERE drug_exposure_start_date = '2026-02-08'")
    assert asker.ask().received is True
    assert asker.rows("assessed_at, motor_grade", "assessments") == [("2026-02-08", 3)]
    assert asker.rows("given_at, dose_mg_per_m2", "doses") == [("2026-02-01", 1.3)]


def test_given_an_empty_refresh_when_read_then_nothing_is_taken_back_and_the_feed_says_so(asker: Asker) -> None:
    asker.cdm.patient(7, "P-7")
    asker.cdm.dose(7, "2026-02-01", 1.3, "mg/m2")
    asker.ask()
    asker.cdm.execute("DELETE FROM drug_exposure")
    assert "no records any more" in (asker.ask().problem or "")
    assert len(asker.rows("given_at, id", "doses")) == 1


def test_given_units_signs_and_values_that_nobody_named_when_read_then_they_are_refused_and_never_guessed(asker: Asker) -> None:
    cdm = asker.cdm
    cdm.patient(7, "P-7")
    cdm.dose(7, "2026-02-01", 2.4, "mg")
    cdm.dose(7, "2026-02-02", 2.4, None)
    cdm.dose(7, "2026-02-03", None, "mg/m2")
    cdm.measure(7, "protein", "2026-02-03", 133)
    cdm.measure(7, "cells", "2026-02-03", 5, "mg/dL")
    cdm.measure(7, "cells", "2026-02-04", 5, "/uL", operator_concept_id=4171756)
    cdm.measure(7, "cells", "2026-02-05", 5, "/uL", operator_concept_id=4172703)
    asker.observe(7, "walking", "2026-02-08", value_as_string="unicycle")
    assert asker.ask().rejected == 7
    assert asker.refused() == [
        ("omop/P-7|bortezomib|2026-02-01", "dose_mg_per_m2"),
        ("omop/P-7|bortezomib|2026-02-02", "dose_mg_per_m2"),
        ("omop/P-7|bortezomib|2026-02-03", "dose_mg_per_m2"),
        ("omop/P-7|csf-cells|2026-02-03", "value"),
        ("omop/P-7|csf-cells|2026-02-04", "value"),
        ("omop/P-7|csf-protein|2026-02-03", "value"),
        ("omop/P-7|walking|2026-02-08", "walking"),
    ]
    assert asker.rows("collected_at, value", "labs") == [("2026-02-05", 5.0)]


def test_given_a_quantity_that_is_no_number_when_read_then_it_is_refused(asker: Asker) -> None:
    asker.cdm.patient(7, "P-7")
    asker.cdm.measure(7, "surface", "2026-02-01", 1.8, "m2")
    asker.cdm.dose(7, "2026-02-01", float("nan") if "postgresql" in asker.cdm.url else -1.0, "mg")
    asker.cdm.dose(7, "2026-02-08", 0.1, "mg")
    assert asker.ask().rejected == 1
    assert asker.refused() == [("omop/P-7|bortezomib|2026-02-01", "dose_mg_per_m2")]


def test_given_people_without_a_name_of_their_own_when_read_then_nothing_of_them_is_taken_and_nothing_taken_back(
    asker: Asker,
) -> None:
    asker.cdm.patient(7, "P-7")
    asker.cdm.dose(7, "2026-02-01", 1.3, "mg/m2")
    asker.cdm.dose(7, "2026-02-08", 1.3, "mg/m2")
    asker.ask()
    for person, source in ((8, None), (9, "P-7")):
        asker.cdm.patient(person, source)
        asker.cdm.dose(person, "2026-02-15", 1.0, "mg/m2")
    asker.cdm.execute("DELETE FROM drug_exposure WHERE drug_exposure_start_date = '2026-02-01'")
    assert asker.ask().rejected == 2
    assert asker.refused() == [("omop/person 8", "patient_id"), ("omop/person 9", "patient_id")]
    assert asker.rows("given_at, patient_id", "doses") == [("2026-02-01", "P-7"), ("2026-02-08", "P-7")]


def test_given_a_vocabulary_without_a_concept_when_read_then_it_is_named_and_nothing_is_taken(asker: Asker) -> None:
    asker.cdm.patient(7, "P-7")
    asker.cdm.dose(7, "2026-02-01", 1.3, "mg/m2")
    asker.cdm.execute("DELETE FROM concept WHERE concept_code = '72514-3'")
    assert "its vocabulary has no LOINC 72514-3" in (asker.ask().problem or "")
    assert asker.rows("given_at, id", "doses") == []


def test_given_a_table_that_is_missing_when_read_then_the_feed_says_so(asker: Asker) -> None:
    asker.cdm.patient(7, "P-7")
    asker.cdm.dose(7, "2026-02-01", 1.3, "mg/m2")
    asker.cdm.execute("DROP TABLE condition_occurrence")
    assert "condition_occurrence" in (asker.ask().problem or "")
    with asker.clinic.site.database.read() as connection:
        known = feeds.load(connection, "warehouse")
    assert known is not None
    assert known.ok_at is None


def test_given_the_connection_of_a_reading_when_something_is_written_by_it_then_the_database_refuses(asker: Asker) -> None:
    url = asker.clinic.site.settings.feeds["warehouse"].database  # type: ignore[union-attr]  # it is an OMOP feed
    with pytest.raises(OmopError, match=r"read-?\s?only"), opened(url, None) as connection:
        connection.execute(text("DELETE FROM person"))


def test_given_a_patient_whose_name_holds_a_bar_when_asked_whose_an_item_is_then_it_is_told() -> None:
    assert (record_of("a|b|bortezomib|2026-02-01#1"), record_of("a|b|patient|#")) == ("a|b", "a|b")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("kind: labs", "kind: lab"), "expected one of assessments, labs"),
        (("column: pain_nrs", "column: pain"), "there is no such column of assessments: pain"),
        (('    units: {m2: ""} ', '    units: {cm2: ""} '), "a body surface is in m2"),
        (("surface_days: 30", "surface_days: 1000"), "surface_days must be 0 to 365"),
    ],
)
def test_given_a_mapping_with_a_mistake_when_loaded_then_it_is_told(change: tuple[str, str], said: str, tmp_path: Path) -> None:
    written = (shipped("config") / "omop.yaml").read_text(encoding="utf-8")
    assert change[0] in written
    path = tmp_path / "own.yaml"
    path.write_text(written.replace(*change, 1), encoding="utf-8")
    with pytest.raises(InvalidConfigError, match=said):
        load_omop(path)
