"""Times as another program's SQL writes them: read as they were meant, or refused, as ``docs/sql.md`` says."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from monitor.store.times import moment
from tests.engines import REFUSALS, Other
from tests.store.databases import a_database, another_program

BERLIN = ZoneInfo("Europe/Berlin")
HALF_PAST_EIGHT = datetime(2026, 1, 5, 8, 30, tzinfo=UTC)
INSERT = "INSERT INTO doses (patient_id, given_at, dose_mg_per_m2) VALUES ('P-1', {}, 1.3)"


def stored(other: Other, expression: str) -> str:
    other.execute(INSERT.format(expression))
    return str(other.execute("SELECT given_at FROM current_doses").fetchone()[0])


@pytest.mark.parametrize(
    "written",
    ["2026-01-05T09:30", "2026-01-05 09:30:00", "2026-01-05T08:30Z", "2026-01-05 09:30:00.000+01", "2026-01-05T14:00:00+05:30"],
)
def test_given_a_time_of_the_page_when_inserted_then_it_is_read_as_meant(written: str, tmp_path: Path) -> None:
    a_database(tmp_path)
    with another_program(tmp_path) as other:
        assert moment(stored(other, f"'{written}'"), BERLIN).at == HALF_PAST_EIGHT


@pytest.mark.postgresql_only("SQLite has no types of time")
@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/St_Johns"])
@pytest.mark.parametrize(
    "expression",
    ["timestamptz '2026-01-05 08:30+00'", "timestamp '2026-01-05 09:30'", "timestamp '2026-01-05 08:30' AT TIME ZONE 'UTC'"],
)
def test_given_a_typed_time_in_a_session_of_any_zone_when_inserted_then_it_is_read_as_meant(
    zone: str, expression: str, tmp_path: Path
) -> None:
    a_database(tmp_path)
    with another_program(tmp_path) as other:
        other.execute(f"SET TIME ZONE '{zone}'")
        assert moment(stored(other, expression), BERLIN).at == HALF_PAST_EIGHT


@pytest.mark.postgresql_only("SQLite has no types of time")
def test_given_a_date_when_inserted_then_it_is_that_day(tmp_path: Path) -> None:
    a_database(tmp_path)
    with another_program(tmp_path) as other:
        read = moment(stored(other, "date '2026-01-05'"), BERLIN)
    assert (read.on.isoformat(), read.day_only) == ("2026-01-05", True)


@pytest.mark.postgresql_only("SQLite has no types of time")
@pytest.mark.parametrize("style", ["German", "SQL, DMY", "Postgres"])
def test_given_a_session_with_another_style_of_dates_when_a_typed_time_is_inserted_then_the_column_refuses_it(
    style: str, tmp_path: Path
) -> None:
    a_database(tmp_path)
    with another_program(tmp_path) as other:
        other.execute(f"SET datestyle = '{style}'")
        for expression in ("date '2026-01-05'", "timestamptz '2026-01-05 08:30+00'", "timestamp 'infinity'"):
            with pytest.raises(REFUSALS, match="ck_doses_given_at"):
                other.execute(INSERT.format(expression))


@pytest.mark.parametrize("written", ["05.01.2026", "01/05/2026", "20260105", "infinity", "", "now"])
def test_given_a_time_that_begins_with_no_day_when_inserted_then_the_column_refuses_it(written: str, tmp_path: Path) -> None:
    a_database(tmp_path)
    with another_program(tmp_path) as other, pytest.raises(REFUSALS, match="ck_doses_given_at"):
        other.execute(INSERT.format(f"'{written}'"))


@pytest.mark.sqlite_only("PostgreSQL's own functions carry an offset")
def test_given_sqlites_clock_when_written_as_the_page_says_then_it_is_utc_and_otherwise_it_would_be_local(tmp_path: Path) -> None:
    a_database(tmp_path)
    with another_program(tmp_path) as other:
        as_said = stored(other, "strftime('%Y-%m-%dT%H:%M:%SZ', '2026-01-05 08:30:00')")
        assert moment(as_said, BERLIN).at == HALF_PAST_EIGHT
        (plain,) = other.execute("SELECT datetime('2026-01-05 08:30:00')").fetchone()
        assert moment(plain, BERLIN).at != HALF_PAST_EIGHT


@pytest.mark.parametrize("value", ["1.5", "2.5", "'2.5'"])
def test_given_a_fraction_where_a_whole_number_belongs_when_inserted_then_it_is_refused_and_not_rounded(
    value: str, tmp_path: Path
) -> None:
    a_database(tmp_path)
    insert = "INSERT INTO assessments (patient_id, assessed_at, pain_nrs) VALUES ('P-1', '2026-01-05', {})"
    with another_program(tmp_path) as other:
        with pytest.raises(REFUSALS):
            other.execute(insert.format(value))
        other.execute(insert.format("3.0"))
        assert str(other.execute("SELECT pain_nrs FROM assessments").fetchone()[0]).removesuffix(".0") == "3"
