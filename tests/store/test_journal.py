"""The journal's chain: whatever is done to it afterwards is found."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from itertools import product
from pathlib import Path

import pytest

from monitor.store import journal
from monitor.store.journal import Entry
from tests.engines import REFUSALS
from tests.store.databases import NOW, a_database, another_program, the_database

COLUMNS = ("id", "at", "event", "subject", "body", "previous_sha256", "sha256")


def a_journal(folder: Path) -> None:
    """Six entries, written in three transactions."""
    database = a_database(folder)
    for number in range(3):
        with database.write("test") as connection:
            journal.append(
                connection,
                NOW + timedelta(minutes=number),
                Entry("alert", f"A-{number}", {"patient_id": f"P-{number}", "urgency": "immediate", "raised_at": NOW}),
                Entry("message", f"message {number}", {"alerts": [f"A-{number}"], "recipient": "Schwester Ä"}),
            )
    database.close()


def tampered(folder: Path, *statements: str) -> journal.Verdict:
    """What is said of a journal that somebody edited who took the triggers away first."""
    with another_program(folder) as connection:
        connection.drop_triggers("journal")
        for statement in statements:
            connection.execute(statement)
    return verdict(folder)


def verdict(folder: Path, expected_last: str | None = None) -> journal.Verdict:
    with closing(the_database(folder)) as database, database.read() as connection:
        return journal.verify(connection, expected_last=expected_last)


def test_given_a_journal_when_untouched_then_it_is_intact_and_ends_in_the_last_hash(tmp_path: Path) -> None:
    a_journal(tmp_path)
    found = verdict(tmp_path)
    with another_program(tmp_path) as connection:
        (last,) = connection.execute("SELECT sha256 FROM journal ORDER BY id DESC LIMIT 1").fetchone()
    assert (found.intact, found.entries, found.last_sha256) == (True, 6, last)


def test_given_an_empty_journal_when_verified_then_it_is_intact(tmp_path: Path) -> None:
    a_database(tmp_path).close()
    assert verdict(tmp_path) == journal.Verdict(entries=0, last_sha256=journal.FIRST_PREVIOUS)


def test_given_the_triggers_when_an_entry_is_changed_or_removed_then_the_database_refuses(tmp_path: Path) -> None:
    a_journal(tmp_path)
    with another_program(tmp_path) as connection:
        with pytest.raises(REFUSALS):
            connection.execute("UPDATE journal SET event = 'x' WHERE id = 2")
        with pytest.raises(REFUSALS):
            connection.execute("DELETE FROM journal WHERE id = 6")


@pytest.mark.sqlite_only("which keeps any bytes in any column; the test after this one is for both")
@pytest.mark.parametrize("column", COLUMNS)
def test_given_a_journal_when_any_one_byte_of_a_column_is_changed_then_that_is_found(tmp_path: Path, column: str) -> None:
    a_journal(tmp_path)
    assert tampered(tmp_path).intact  # without the triggers from here on
    with closing(the_database(tmp_path)) as database, database.write() as connection:
        for number in (1, 4, 6):
            read = f"SELECT CAST({column} AS BLOB) FROM journal WHERE id = {number}"
            value = connection.exec_driver_sql(read).scalar_one()
            for place, byte in product(range(len(value)), (0x01, 0x20, 0xFF)):
                changed = value[:place] + bytes([value[place] ^ byte]) + value[place + 1 :]
                if column == "id" and changed not in (b"0", b"7"):  # others are taken, or no number
                    continue
                edit = f"UPDATE journal SET {column} = CAST(x'{changed.hex()}' AS TEXT) WHERE id = {number}"
                with connection.begin_nested() as savepoint:
                    connection.exec_driver_sql(edit)
                    found = journal.verify(connection)
                    savepoint.rollback()
                assert not found.intact, f"{column} of entry {number}: {value!r} became {changed!r}"
                assert found.entries < 6


@pytest.mark.parametrize(
    "change",
    [
        "id = 0",
        "id = 7",
        "event = 'act'",
        "subject = subject || ' '",
        "body = body || ' '",
        "previous_sha256 = sha256",
        "sha256 = previous_sha256",
        "at = '2026-03-01 12:00:01'",
    ],
)
def test_given_a_journal_when_an_entry_is_changed_then_that_is_found(tmp_path: Path, change: str) -> None:
    a_journal(tmp_path)
    found = tampered(tmp_path, f"UPDATE journal SET {change} WHERE id = 4")
    assert not found.intact
    assert found.entries < 6


@pytest.mark.parametrize(
    "number", [*range(1, 6), pytest.param(6, marks=pytest.mark.sqlite_only("it alone remembers the highest number given"))]
)
def test_given_a_journal_when_one_entry_is_removed_then_the_gap_is_named(tmp_path: Path, number: int) -> None:
    a_journal(tmp_path)
    found = tampered(tmp_path, f"DELETE FROM journal WHERE id = {number}")
    assert not found.intact
    assert found.entries == number - 1
    assert "missing" in (found.problem or "")


@pytest.mark.parametrize(("one", "other"), [(1, 2), (2, 5), (5, 6)])
def test_given_a_journal_when_two_entries_are_exchanged_then_that_is_found(tmp_path: Path, one: int, other: int) -> None:
    a_journal(tmp_path)
    found = tampered(
        tmp_path,
        f"UPDATE journal SET id = -1 WHERE id = {one}",
        f"UPDATE journal SET id = {one} WHERE id = {other}",
        f"UPDATE journal SET id = {other} WHERE id = -1",
    )
    assert (found.intact, found.broken_at) == (False, one)


def test_given_an_end_written_anew_when_the_hash_written_down_is_missing_then_that_is_found(tmp_path: Path, engine: str) -> None:
    a_journal(tmp_path)
    written_down = verdict(tmp_path).last_sha256
    traces = ["UPDATE sqlite_sequence SET seq = 4 WHERE name = 'journal'"] if engine == "sqlite" else []
    cut = tampered(tmp_path, "DELETE FROM journal WHERE id > 4", *traces)
    assert cut.intact  # whoever also covers the traces is found by the hash alone
    assert not verdict(tmp_path, written_down).intact


def test_given_a_hash_written_down_when_the_journal_has_grown_since_then_it_is_still_found(tmp_path: Path) -> None:
    a_journal(tmp_path)
    with another_program(tmp_path) as connection:
        (earlier,) = connection.execute("SELECT sha256 FROM journal WHERE id = 3").fetchone()
    assert verdict(tmp_path, earlier).intact


def test_given_a_transaction_that_is_taken_back_when_verified_then_no_gap_remains(tmp_path: Path) -> None:
    a_journal(tmp_path)
    database = the_database(tmp_path)
    with database.write("test") as connection:
        journal.append(connection, NOW, Entry("act", "A-1", {}))
        connection.rollback()
    with database.write("test") as connection:
        journal.append(connection, NOW, Entry("act", "A-2", {}))
    with database.read() as connection:
        assert journal.verify(connection).entries == 7
        assert journal.verify(connection).intact
    database.close()


def test_given_entries_when_read_between_two_instants_then_only_those_come_in_order(tmp_path: Path) -> None:
    a_journal(tmp_path)
    database = the_database(tmp_path)
    with database.read() as connection:
        found = list(journal.entries(connection, since=NOW + timedelta(minutes=1), until=NOW + timedelta(minutes=1)))
        assert [(each.id, each.subject) for each in found] == [(3, "A-1"), (4, "message 1")]
        newest = journal.newest(connection, "alert", "A-1")
        assert newest is not None
        assert newest.body["raised_at"] == NOW.isoformat()
    database.close()
