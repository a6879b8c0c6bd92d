"""Opening, transactions, file modes, and what errors say."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from traceback import format_exception

import pytest
from sqlalchemy import inspect
from sqlalchemy.exc import DBAPIError

from monitor.errors import DatabaseError
from monitor.store.database import open_database
from monitor.store.dialect import placeholders
from monitor.store.migrate import migrate
from monitor.store.problems import problem
from monitor.store.schema import schema_problem
from monitor.store.stillness import CommitWatch
from tests.store.databases import a_database, another_program

DOSE = "INSERT INTO doses (patient_id, given_at, dose_mg_per_m2) VALUES ('P-1', '2026-01-05', 1.3)"


@pytest.mark.sqlite_only("a file has a mode")
def test_given_a_lax_umask_when_a_database_is_created_then_only_its_owner_may_read_it(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        database = open_database(f"sqlite:///{tmp_path / 'bipn.db'}", create=True)
        with database.write() as connection:
            connection.exec_driver_sql("CREATE TABLE a (b)")
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}
    finally:
        os.umask(before)
    assert modes == {"bipn.db": 0o600, "bipn.db-wal": 0o600, "bipn.db-shm": 0o600}


@pytest.mark.sqlite_only("of a file; those of a server are in test_postgresql_errors.py")
@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("sqlite:///{folder}/missing/bipn.db", "does not exist: create it"),
        ("sqlite:///{folder}/bipn.db", "run `bipn-monitor migrate`"),
        ("sqlite://", "needs a file"),
        ("sqlite:///:memory:", "needs a file"),
        ("no-url", "cannot be read"),
        ("nosuch://user:secret@host/name", "cannot be read"),
        ("postgresql+pg8000://user:secret@host/name", "not installed"),
    ],
)
def test_given_a_url_that_cannot_work_when_opened_then_the_error_says_what_to_do(tmp_path: Path, url: str, says: str) -> None:
    with pytest.raises(DatabaseError, match=says) as caught:
        open_database(url.format(folder=tmp_path))
    assert "secret" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.sqlite_only("a file")
def test_given_a_file_that_is_no_database_when_opened_then_it_is_said(tmp_path: Path) -> None:
    (tmp_path / "bipn.db").write_text("patient_id,given_at\n" * 1000)
    with pytest.raises(DatabaseError, match="not an SQLite database"):
        open_database(f"sqlite:///{tmp_path / 'bipn.db'}")


@pytest.mark.sqlite_only("made as a file; an empty database of a server is in test_postgresql_errors.py")
def test_given_an_empty_database_when_read_then_the_remedy_is_to_migrate(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'bipn.db'}", create=True)
    with pytest.raises(DatabaseError, match="migrate"), database.read() as connection:
        connection.exec_driver_sql("SELECT * FROM doses")


@pytest.mark.sqlite_only("made as a file; one of a server is in test_postgresql_errors.py")
def test_given_another_programs_database_when_migrated_then_it_is_refused_and_stays_as_it_was(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "bipn.db")) as theirs:
        theirs.execute("CREATE TABLE appointments (day TEXT)")
    database = open_database(f"sqlite:///{tmp_path / 'bipn.db'}")
    assert "another program" in (schema_problem(database) or "")
    with pytest.raises(DatabaseError, match="another program"):
        migrate(database)
    with database.read() as connection:
        assert inspect(connection).get_table_names() == ["appointments"]


@pytest.mark.sqlite_only("SQLite names its errors")
@pytest.mark.parametrize("name", ["SQLITE_FULL", "SQLITE_IOERR_WRITE", "SQLITE_IOERR_SHMSIZE"])
def test_given_an_error_of_a_full_disk_when_put_in_words_then_room_is_asked_for(name: str) -> None:
    cause = sqlite3.OperationalError("disk I/O error")
    cause.sqlite_errorname = name
    assert "make room" in problem(DBAPIError("SELECT 1", None, cause))


@pytest.mark.sqlite_only("one writer of the whole file; locks on a server are in test_postgresql_errors.py")
def test_given_another_writer_when_writing_then_the_error_says_locked(tmp_path: Path) -> None:
    database = a_database(tmp_path)
    with database.read() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout=1")
    with another_program(tmp_path) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(DatabaseError, match="locked"), database.write():
            pass
        other.execute("ROLLBACK")
    with database.write() as connection:
        connection.exec_driver_sql(DOSE)


def test_given_an_error_in_a_transaction_when_it_ends_then_nothing_of_it_is_stored(tmp_path: Path) -> None:
    database = a_database(tmp_path)
    with pytest.raises(DatabaseError), database.write() as connection:
        [connection.exec_driver_sql(statement) for statement in (DOSE, "SELECT * FROM nowhere")]
    with database.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM doses").scalar() == 0
        assert connection.exec_driver_sql("SELECT count(*) FROM changes").scalar() == 0


def test_given_a_process_killed_within_a_transaction_when_opened_again_then_nothing_of_it_is_stored(tmp_path: Path) -> None:
    database = a_database(tmp_path)
    script = f"""
import os
from monitor.store.database import open_database
from monitor.store.dialect import placeholders
database = open_database({str(database.engine.url)!r})
with database.write() as connection:
    connection.exec_driver_sql("{DOSE}")
with database.write() as connection:
    connection.exec_driver_sql("{DOSE}")
    os.kill(os.getpid(), 9)
"""
    done = subprocess.run([sys.executable, "-c", script], check=False, cwd=Path(__file__).parents[2])
    assert done.returncode == -9
    with database.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM doses").scalar() == 1
        assert connection.exec_driver_sql("SELECT count(*) FROM changes").scalar() == 1


@pytest.mark.sqlite_only("pragmas")
def test_given_the_settings_of_a_connection_when_read_then_commits_are_durable_and_keys_enforced(tmp_path: Path) -> None:
    database = a_database(tmp_path)
    with database.read() as connection:
        found = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout", "recursive_triggers")
        }
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 10000, "recursive_triggers": 0}


@pytest.mark.sqlite_only("a number that moves with each commit is in a file alone")
def test_given_a_commit_of_another_program_when_glanced_then_the_version_moved_and_the_row_is_seen(tmp_path: Path) -> None:
    database = a_database(tmp_path)
    before = database.data_version()
    assert database.data_version() == before
    with another_program(tmp_path) as other:
        other.execute(DOSE)
    assert database.data_version() != before
    with database.glance() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM changes").scalar() == 1
        with another_program(tmp_path) as other:
            other.execute(DOSE)
        assert connection.exec_driver_sql("SELECT count(*) FROM changes").scalar() == 2
    database.close()
    assert database.data_version() is not None


def test_given_an_error_when_glancing_then_the_next_glance_works(tmp_path: Path) -> None:
    database = a_database(tmp_path)
    with pytest.raises(DatabaseError, match="migrate"), database.glance() as connection:
        connection.exec_driver_sql("SELECT * FROM nowhere")
    with database.glance() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM changes").scalar() == 0


@pytest.mark.postgresql_only("nobody ends the connection to a file")
def test_given_a_server_that_ended_every_connection_when_glanced_then_another_one_serves(tmp_path: Path) -> None:
    database = a_database(tmp_path)
    with database.glance() as connection:
        connection.exec_driver_sql("SELECT 1")
    with another_program(tmp_path) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    with database.glance() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM changes").scalar() == 0


@pytest.mark.postgresql_only("a file counts its commits")
def test_given_a_server_when_asked_for_its_commits_then_there_is_no_number_and_no_connection_is_kept_for_it(
    tmp_path: Path,
) -> None:
    database = a_database(tmp_path)
    database.close()
    assert CommitWatch(database).version() is None
    assert database.engine.pool.status().startswith("Pool size: 5  Connections in pool: 0")


def test_given_a_value_that_a_check_refuses_when_written_then_the_message_holds_no_value(tmp_path: Path) -> None:
    database = a_database(tmp_path)
    with pytest.raises(DatabaseError) as caught, database.write() as connection:
        connection.exec_driver_sql(
            f"INSERT INTO doses (patient_id, given_at, dose_mg_per_m2, route) VALUES ({placeholders(connection.dialect, 4)})",
            ("Erika Mustermann", "2026-01-05", 1.3, "per mouth"),
        )
    printed = "".join(format_exception(caught.value))
    assert "Mustermann" not in printed
    assert "mouth" not in printed
    assert "ck_doses_route" in str(caught.value)


@pytest.mark.sqlite_only("a file")
def test_given_a_file_that_cannot_be_made_when_created_then_the_error_says_why(tmp_path: Path) -> None:
    (tmp_path / "bipn.db").symlink_to(tmp_path / "nowhere" / "bipn.db")
    with pytest.raises(DatabaseError, match="cannot create"):
        open_database(f"sqlite:///{tmp_path / 'bipn.db'}", create=True)
