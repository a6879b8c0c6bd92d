"""Whatever another program does by SQL leaves the same versions, and the same patients to look at, on both engines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.engines import REFUSALS, Other, on_engine
from tests.store.databases import a_database, another_program

pytestmark = pytest.mark.sqlite_only("each test opens one database of either")

PATIENTS = ("P-1", "P-2", "P-3")
SOURCES = ("s1", "s2", "s3", None)
KNOWN = ("2026-01-06", "2026-01-07T08:00:00+00:00", None)
KEY = {"patients": "patient_id"}


@dataclass(frozen=True)
class Shape:
    """A table of facts: the columns that are written beside patient, source and recorded_at, and values for them.

    The last of the values is refused.
    """

    columns: str
    changed: str
    values: tuple[str, ...]
    rest: str


SHAPES = {
    "patients": Shape("team", "team", ("'a'", "'b'", "NULL", "NULL"), ""),
    "doses": Shape("given_at, dose_mg_per_m2", "dose_mg_per_m2", ("1.3", "1", "'0.7'", "-1"), "'2026-01-05', "),
    "assessments": Shape("assessed_at, sensory_grade", "sensory_grade", ("1", "2.0", "NULL", "1.5"), "'2026-01-05T09:00', "),
    "treatments": Shape("started_on, treatment", "treatment", ("'ivig'", "'other'", "'ivig'", "NULL"), "'2026-01-05', "),
}
TABLES = tuple(SHAPES)


@dataclass(frozen=True)
class Did:
    """One statement, on SQLite and on PostgreSQL."""

    sqlite: str
    postgresql: str


def quoted(value: str | None) -> str:
    return "NULL" if value is None else f"'{value}'"


def same(statement: str) -> Did:
    return Did(statement, statement)


@st.composite
def inserts(draw: st.DrawFn, table: str) -> Did:
    shape = SHAPES[table]
    rows = []
    for _ in range(draw(st.integers(1, 3))):
        value = draw(st.sampled_from(shape.values * 3 if draw(st.booleans()) else shape.values[:-1]))
        who, source, known = draw(st.sampled_from(PATIENTS)), draw(st.sampled_from(SOURCES)), draw(st.sampled_from(KNOWN))
        rows.append(f"('{who}', {shape.rest}{value}, {quoted(source)}, {quoted(known)})")
    into = f"INTO {table} (patient_id, {shape.columns}, source_id, recorded_at) VALUES {', '.join(rows)}"
    key = KEY.get(table, "source_id")
    target = f"ON CONFLICT ({key}) WHERE superseded_at IS NULL AND {key} IS NOT NULL"
    update = f"INSERT {into} {target} DO UPDATE SET {shape.changed} = excluded.{shape.changed}"
    nothing = f"INSERT {into} {target} DO NOTHING"
    return draw(
        st.sampled_from(
            [same(f"INSERT {into}"), same(update), same(nothing), Did(f"INSERT OR REPLACE {into}", update)],
        )
    )


@st.composite
def conditions(draw: st.DrawFn) -> str:
    return draw(
        st.sampled_from(
            [
                *(f"source_id = {quoted(source)}" for source in SOURCES[:-1]),
                *(f"patient_id = '{patient}'" for patient in PATIENTS),
                "superseded_at IS NULL",
                "source_id IS NULL",
                "1 = 1",
            ]
        )
    )


@st.composite
def updates(draw: st.DrawFn, table: str) -> Did:
    shape = SHAPES[table]
    settings_of = [
        # SQLite looks at the type before it asks whether the row may be changed: a fraction is refused there, not passed over.
        *(f"{shape.changed} = {value}" for value in shape.values if value != "1.5"),
        *(["sensory_grade = 9"] if table == "assessments" else []),
        *(f"patient_id = '{patient}'" for patient in PATIENTS),
        *(f"recorded_at = {quoted(known)}" for known in KNOWN),
        *(f"source_id = {quoted(source)}" for source in SOURCES),
        "superseded_at = '2026-01-08'",
    ]
    several = st.lists(st.sampled_from(settings_of), min_size=1, max_size=2, unique_by=lambda each: each.split(" ")[0])
    # Alone: with a value beside it SQLite may refuse what PostgreSQL passes over; neither stores anything.
    chosen = draw(st.one_of(several, several, st.just(["superseded_at = NULL"])))
    where = draw(conditions())
    statement = f"{table} SET {', '.join(chosen)} WHERE {where}"
    # OR REPLACE is refused where plain UPDATE is: nothing is put out of its place.
    return Did(f"UPDATE {draw(st.sampled_from(['', 'OR REPLACE ']))}{statement}", f"UPDATE {statement}")


@st.composite
def deletes(draw: st.DrawFn, table: str) -> Did:
    return same(f"DELETE FROM {table} WHERE {draw(conditions())}")


@st.composite
def statements(draw: st.DrawFn) -> tuple[str, list[Did]]:
    table = draw(st.sampled_from(TABLES))
    first = draw(st.lists(inserts(table), min_size=1, max_size=3))
    return table, first + draw(st.lists(st.one_of(inserts(table), updates(table), deletes(table)), max_size=6))


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Other, Other]]:
    folder: Path = tmp_path_factory.mktemp("both")
    (folder / "file").mkdir()
    (folder / "server").mkdir()
    with on_engine(folder / "server", "postgresql"):
        a_database(folder / "file")
        a_database(folder / "server")
        with another_program(folder / "file") as file, another_program(folder / "server") as server:
            yield file, server


def took(other: Other, statement: str) -> int | None:
    """How many rows a statement was about, or None where it was refused: then it left nothing."""
    other.execute("SAVEPOINT one")
    try:
        count: int = other.execute(statement).rowcount
    except REFUSALS:
        other.execute("ROLLBACK TO one")
        return None
    other.execute("RELEASE one")
    return count


def looked_at(other: Other) -> set[str]:
    found = {row[0] for row in other.execute("SELECT patient_id FROM changes").fetchall()}
    other.execute("DELETE FROM changes")
    return found


def told(at: str | None) -> str | None:
    """A time as it was written, or that it was the present."""
    return at if at is None or at in KNOWN or at == "2026-01-08" else "now"


def versions(other: Other, table: str) -> list[tuple[object, ...]]:
    """Every record with its versions in their order, without the numbers that the engines give."""
    value = SHAPES[table].changed
    found = other.execute(
        f"SELECT coalesce(record, id), coalesce(version, id), patient_id, source_id, {value}, recorded_at, superseded_at,"
        f" record IS NULL, version IS NULL FROM {table} ORDER BY 1, 2"
    ).fetchall()
    records: dict[object, list[tuple[object, ...]]] = {}
    for row in found:
        number = float(row[4]) if re.fullmatch(r"[\d.]+", str(row[4])) else row[4]
        said = (row[2], row[3], number, told(row[5]), told(row[6]), bool(row[7]), bool(row[8]))
        records.setdefault(row[0], []).append(said)
    return sorted(map(tuple, records.values()), key=repr)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(statements())
def test_given_any_statements_of_another_program_when_both_engines_take_them_then_they_hold_the_same(
    both: tuple[Other, Other], drawn: tuple[str, list[Did]]
) -> None:
    table, done = drawn
    file, server = both
    for other in both:
        other.execute("BEGIN")
    try:
        for did in done:
            assert (took(file, did.sqlite) is None) == (took(server, did.postgresql) is None), did
            assert looked_at(file) == looked_at(server), did
            assert versions(file, table) == versions(server, table), did
    finally:
        for other in both:
            other.execute("ROLLBACK")
