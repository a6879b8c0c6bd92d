"""Another program's transactions that overlap with rounds and with each other: the next round sees exactly those patients."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests import engines
from tests.engines import Other
from tests.service.clinic import FILE, Clinic, on
from tests.service.test_foreign_writers import INSERT
from tests.service.test_rounds_and_mails import watched

pytestmark = pytest.mark.both_engines

DOSE = "INSERT INTO doses (patient_id, given_at, dose_mg_per_m2, source_id) VALUES (?, ?, 1.3, ?)"


@pytest.fixture
def sessions(clinic: Clinic) -> Iterator[list[Other]]:
    """Sessions of other programs; each statement commits by itself unless BEGIN was said."""
    with ExitStack() as stack:
        yield [stack.enter_context(engines.another_program(clinic.folder, FILE)) for _ in range(3)]


def seen(clinic: Clinic, sql: Other, hour: int) -> tuple[set[str], int]:
    """Who waits for a round, and how many the next one looks at; none waits after it."""
    waiting = {row[0] for row in sql.execute("SELECT patient_id FROM waiting_patients").fetchall()}
    done = clinic.poll(on(36, hour)).round.patients_evaluated
    assert sql.execute("SELECT count(*) FROM waiting_patients").fetchone() == (0,)
    return waiting, done


@pytest.mark.postgresql_only("on SQLite nobody else writes, nor can a round be done, while a transaction writes")
def test_given_a_row_that_is_committed_after_later_ones_were_dealt_with_when_polled_then_it_is_seen(
    clinic: Clinic, sessions: list[Other]
) -> None:
    watched(clinic, "P-1", "P-2", "P-3")
    slow, quick, reading = sessions
    slow.execute("BEGIN")
    slow.execute(INSERT, ("P-1", "2026-02-10", "wheelchair", "slow-1", on(36, 14).isoformat()))
    quick.execute(DOSE, ("P-2", "1999-01-01", "quick-1"))
    assert seen(clinic, reading, 15) == ({"P-2"}, 1)
    assert clinic.holding() == set()
    quick.execute(DOSE, ("P-3", "2026-02-09", "quick-2"))
    assert seen(clinic, reading, 16) == ({"P-3"}, 1)
    slow.execute("COMMIT")
    assert seen(clinic, reading, 17) == ({"P-1"}, 1)
    assert ("P-1", "rapid-motor-decline", "immediate") in clinic.holding()


@pytest.mark.postgresql_only("SQLite has no COPY, and one transaction at a time")
def test_given_a_long_load_beside_rounds_when_committed_then_all_its_patients_and_no_other_are_seen(
    clinic: Clinic, sessions: list[Other]
) -> None:
    watched(clinic, *(f"P-{number}" for number in range(5)))
    loading, quick, reading = sessions
    loading.execute("BEGIN")
    for number in range(3):
        loading.execute(DOSE, (f"P-{number}", "2026-02-02", f"load-{number}"))
        quick.execute(DOSE, ("P-4", "2026-02-03", f"quick-{number}"))
        assert seen(clinic, reading, 13 + number) == ({"P-4"}, 1)
    loading.execute("COMMIT")
    assert seen(clinic, reading, 17) == ({"P-0", "P-1", "P-2"}, 3)


def test_given_a_transaction_with_a_part_taken_back_when_polled_then_only_the_rest_is_seen(
    clinic: Clinic, sessions: list[Other]
) -> None:
    watched(clinic, "P-1", "P-2", "P-3")
    writing, reading, _ = sessions
    writing.execute("BEGIN")
    writing.execute(DOSE, ("P-1", "2026-02-02", "kept"))
    writing.execute("SAVEPOINT part")
    writing.execute(DOSE, ("P-2", "2026-02-02", "not-kept"))
    writing.execute("ROLLBACK TO SAVEPOINT part")
    writing.execute("COMMIT")
    assert seen(clinic, reading, 15) == ({"P-1"}, 1)
    writing.execute("BEGIN")
    writing.execute(DOSE, ("P-3", "2026-02-02", "not-kept"))
    writing.execute("ROLLBACK")
    assert seen(clinic, reading, 16) == (set(), 0)


def test_given_a_record_that_moves_to_another_patient_when_polled_then_both_are_seen(
    clinic: Clinic, sessions: list[Other]
) -> None:
    watched(clinic, "P-1", "P-2", "P-3")
    writing, reading, _ = sessions
    writing.execute(INSERT, ("P-1", "2026-02-10", "wheelchair", "ehr-1", on(36, 14).isoformat()))
    assert seen(clinic, reading, 15) == ({"P-1"}, 1)
    assert {patient for patient, *_ in clinic.holding()} == {"P-1"}
    writing.execute(
        "UPDATE assessments SET patient_id = 'P-2', recorded_at = ? WHERE source_id = 'ehr-1'", (on(36, 15, 30).isoformat(),)
    )
    assert seen(clinic, reading, 16) == ({"P-1", "P-2"}, 2)
    assert {patient for patient, rule, _ in clinic.holding() if rule == "rapid-motor-decline"} == {"P-2"}
    assert clinic.alert("P-1", "rapid-motor-decline").state == "withdrawn"
