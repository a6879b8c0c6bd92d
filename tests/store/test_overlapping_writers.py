"""Other programs' transactions in any order: whoever is looked at next is exactly who was changed by what was committed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.store import changes
from monitor.store.database import Database
from tests.engines import REFUSALS, Other
from tests.store.databases import NOW, a_database, another_program

DOSE = "INSERT INTO doses (patient_id, given_at, dose_mg_per_m2, source_id) VALUES ('{patient}', '{on}', 1.3, '{source}')"
DAYS = ("1999-01-01", "2026-01-05", "2099-12-31")
SESSIONS = 3


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with closing(a_database(tmp_path)) as opened:
        yield opened


Open = Callable[[], Other]


@pytest.fixture
def session(database: Database, tmp_path: Path) -> Iterator[Open]:
    with ExitStack() as stack:
        yield lambda: stack.enter_context(another_program(tmp_path))


def looked_at(database: Database) -> set[str]:
    """Whom a round takes, which deals with their changes."""
    with database.write(beside_others=True) as connection:
        due = changes.due(connection, NOW, 1000)
        changes.consume(connection, due.change_ids)
    return set(due.patient_ids)


@st.composite
def acts(draw: st.DrawFn) -> tuple[int, str, str]:
    """A session, what it does, and to which of its own records and patients."""
    kind = draw(st.sampled_from(["insert", "update", "move", "delete", "savepoint", "back", "commit", "rollback", "look"]))
    return draw(st.integers(0, SESSIONS - 1)), kind, draw(st.sampled_from("abc"))


class Writer:
    """One session, what it has done to whom since it began, and the points to which it may go back."""

    def __init__(self, number: int, other: Other) -> None:
        self.number, self.other = number, other
        self.is_open = False
        self.touched: set[str] = set()
        self.point: set[str] | None = None

    def act(self, kind: str, name: str) -> set[str]:
        """Do it; returns the patients that others see changed from now on."""
        if kind in ("commit", "rollback"):
            return self.end(kind)
        if not self.is_open:
            self.other.execute("BEGIN")
            self.is_open, self.touched, self.point = True, set(), None
        if kind == "savepoint":
            self.other.execute("SAVEPOINT here")
            self.point = set(self.touched)
        elif kind == "back":
            if self.point is not None:
                self.other.execute("ROLLBACK TO SAVEPOINT here")
                self.touched = set(self.point)
        else:
            self.write(kind, name)
        return set()

    def write(self, kind: str, name: str) -> None:
        source, patient = f"{self.number}{name}", f"P{self.number}{name}"
        before = {
            row[0] for row in self.other.execute("SELECT patient_id FROM current_doses WHERE source_id = ?", (source,)).fetchall()
        }
        if kind == "insert":
            self.other.execute(DOSE.format(patient=patient, on=DAYS[self.number], source=source))
            self.touched |= {patient, *before}
        elif kind == "update":
            self.other.execute("UPDATE doses SET dose_mg_per_m2 = dose_mg_per_m2 + 0.1 WHERE source_id = ?", (source,))
            self.touched |= before
        elif kind == "move":
            self.other.execute("UPDATE doses SET patient_id = ? WHERE source_id = ?", (f"{patient}-moved", source))
            self.touched |= before | {f"{patient}-moved"} if before - {f"{patient}-moved"} else set()
        else:
            self.other.execute("DELETE FROM doses WHERE source_id = ? AND superseded_at IS NULL", (source,))
            self.touched |= before

    def end(self, kind: str) -> set[str]:
        if not self.is_open:
            return set()
        self.other.execute(kind)
        self.is_open = False
        return self.touched if kind == "commit" else set()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(acts(), max_size=40))
def test_given_transactions_in_any_order_when_looked_at_then_exactly_whom_the_committed_ones_changed(
    database: Database, session: Open, done: list[tuple[int, str, str]]
) -> None:
    many = database.engine.dialect.name != "sqlite"  # where one writes at a time
    looked_at(database)
    writers = [Writer(number, session()) for number in range(SESSIONS if many else 1)]
    expected: set[str] = set()
    for number, kind, name in [*done, *((each, "commit", "a") for each in range(SESSIONS)), (0, "look", "a")]:
        writer = writers[number % len(writers)]
        if kind == "look":
            if not many:
                expected |= writer.end("commit")
            assert looked_at(database) == expected
            expected = set()
        else:
            expected |= writer.act(kind, name)


def in_thread(work: Callable[[], object]) -> tuple[threading.Thread, list[object]]:
    outcome: list[object] = []

    def run() -> None:
        try:
            outcome.append(work())
        except REFUSALS as error:
            outcome.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, outcome


UPSERT = (
    " ON CONFLICT (source_id) WHERE superseded_at IS NULL AND source_id IS NOT NULL"
    " DO UPDATE SET patient_id = excluded.patient_id"
)


@pytest.mark.postgresql_only("on SQLite the second begins when the first has ended")
@pytest.mark.parametrize(("known", "end"), [(True, ""), (True, UPSERT), (False, UPSERT), (False, "")])
def test_given_two_sessions_that_write_one_record_when_both_commit_then_one_version_is_in_force_and_none_is_lost(
    database: Database, session: Open, known: bool, end: str
) -> None:
    first, second = session(), session()
    if known:
        first.execute(DOSE.format(patient="P-0", on="2026-01-05", source="s"))
    first.execute("BEGIN")
    first.execute(DOSE.format(patient="P-1", on="2026-01-05", source="s") + end)
    thread, outcome = in_thread(lambda: second.execute(DOSE.format(patient="P-2", on="2026-01-05", source="s") + end))
    thread.join(0.3)
    assert thread.is_alive()
    first.execute("COMMIT")
    thread.join(20)
    if isinstance(outcome[0], Exception):
        assert not known
        assert "uq_doses_current" in str(outcome[0])
        second.execute(DOSE.format(patient="P-2", on="2026-01-05", source="s"))
    versions = first.execute("SELECT patient_id, superseded_at IS NULL FROM doses ORDER BY coalesce(version, id)").fetchall()
    assert sorted(patient for patient, in_force in versions if in_force) == ["P-2"]
    assert {patient for patient, _ in versions} == ({"P-0", "P-1", "P-2"} if known else {"P-1", "P-2"})
    assert looked_at(database) == {patient for patient, _ in versions}
