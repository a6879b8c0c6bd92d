"""What a PostgreSQL server can refuse, each by a real one: a sentence with the remedy, without a value or a password."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import inspect

from monitor.config.database_url import resolve_database
from monitor.errors import DatabaseError
from monitor.store.database import Database, open_database
from monitor.store.migrate import migrate
from monitor.store.schema import schema_problem
from tests.postgres import Server, a_postgres_database, a_server, remove, shared_server
from tests.store.databases import a_database, another_program

pytestmark = pytest.mark.postgresql_only("errors of a server")

PASSWORD = "Xq7hunter2"  # noqa: S105  # of a role of this test alone
LETS_IN = "local all postgres trust\nlocal all all scram-sha-256\n"


@pytest.fixture(scope="module")
def guarded() -> Iterator[Server]:
    """A server that asks for a password, with a role and a database of the name ``clinic``."""
    server = a_server(max_connections="6", superuser_reserved_connections="2")
    with server.connect() as connection:
        connection.execute(f"CREATE ROLE clinic LOGIN PASSWORD '{PASSWORD}'")
        connection.execute("CREATE DATABASE clinic OWNER clinic")
        connection.execute("CREATE ROLE stranger LOGIN")
    rules(server, LETS_IN)
    yield server
    remove(server)


def rules(server: Server, text: str) -> None:
    """Let the server decide by these lines who comes in."""
    (server.folder / "data" / "pg_hba.conf").write_text(text, encoding="utf-8")
    server.control("reload")
    time.sleep(0.2)  # the postmaster reads it a moment later


def opened(url: str, password: str | None = None) -> Database:
    return open_database(resolve_database(url, folder=Path()), password=password)


def run(database: Database, *statements: str | Callable[[], object], values: tuple[str, ...] = ()) -> None:
    """One transaction; what is no statement is done between them."""
    with database.write() as connection:
        for statement in statements:
            if callable(statement):
                statement()
            else:
                connection.exec_driver_sql(statement, values)


def refusal(url: str, password: str | None = None) -> str:
    with pytest.raises(DatabaseError) as caught:
        opened(url, password).close()
    assert caught.value.exit_code == 5
    assert PASSWORD not in str(caught.value)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_given_the_right_password_when_opened_then_the_database_is_usable(guarded: Server) -> None:
    database = opened(guarded.url("clinic", "clinic"), PASSWORD)
    assert migrate(database)[1]
    assert PASSWORD not in repr(database.engine.url) + str(database.engine.url)
    database.close()


@pytest.mark.parametrize("password", [None, "wrong"])
def test_given_no_or_a_wrong_password_when_opened_then_the_secret_is_named(guarded: Server, password: str | None) -> None:
    assert "database_password" in refusal(guarded.url("clinic", "clinic"), password)


def test_given_a_password_in_libpqs_own_variable_when_opened_then_it_is_used(
    guarded: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    opened(guarded.url("clinic", "clinic")).close()


@pytest.mark.parametrize(
    ("database", "user", "says"),
    [
        ("nowhere", "postgres", "no such database"),
        ("clinic", "nobody", "refused the password"),  # a server that asks does not tell who exists
    ],
)
def test_given_a_name_that_the_server_does_not_know_when_opened_then_it_is_said(
    guarded: Server, database: str, user: str, says: str
) -> None:
    assert says in refusal(guarded.url(database, user), PASSWORD)


def test_given_a_role_that_is_not_there_when_opened_where_nobody_asks_then_it_is_said() -> None:
    assert "no such role" in refusal(shared_server().url("postgres", "nobody"))


def test_given_no_rule_for_the_role_when_opened_then_pg_hba_is_named(guarded: Server) -> None:
    rules(guarded, "local all postgres trust\n")
    try:
        assert "pg_hba.conf" in refusal(guarded.url("clinic", "clinic"), PASSWORD)
    finally:
        rules(guarded, LETS_IN)


def test_given_every_connection_taken_when_opened_then_max_connections_is_named(guarded: Server) -> None:
    held = [psycopg.connect(host=str(guarded.folder), dbname="clinic", user="clinic", password=PASSWORD) for _ in range(4)]
    try:
        assert "max_connections" in refusal(guarded.url("clinic", "clinic"), PASSWORD)
    finally:
        for connection in held:
            connection.close()


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://clinic@/clinic?host=/nowhere",
        "postgresql://clinic@127.0.0.1:1/clinic",
    ],
)
def test_given_no_server_there_when_opened_then_it_is_said(url: str) -> None:
    assert "cannot be reached" in refusal(url, PASSWORD)


def test_given_a_host_that_has_no_address_when_opened_then_its_name_is_doubted() -> None:
    assert "name of the PostgreSQL server" in refusal("postgresql://clinic@no-such-host.invalid/clinic")


def test_given_an_option_that_there_is_not_when_opened_then_the_url_is_doubted() -> None:
    assert "option" in refusal("postgresql://clinic@127.0.0.1/clinic?sslmode=sometimes")


def test_given_a_server_that_ends_when_used_then_it_is_said_and_after_its_return_all_goes_on() -> None:
    server = a_server()
    database = opened(server.url("postgres"))
    server.stop()
    with pytest.raises(DatabaseError, match=r"cannot be reached|ended the connection"):
        run(database)
    server.start()
    with database.write() as connection:
        assert connection.exec_driver_sql("SELECT 1").scalar() == 1
    database.close()
    remove(server)


def test_given_a_server_that_ends_within_a_transaction_when_used_then_it_is_said() -> None:
    server = a_server()
    database = opened(server.url("postgres"))
    with pytest.raises(DatabaseError, match="ended the connection"):
        run(database, lambda: server.stop("fast"), "SELECT 1")
    database.close()
    remove(server)


INTO = "INSERT INTO doses (patient_id, given_at, dose_mg_per_m2, route) VALUES"


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("SELECT * FROM nowhere", "run `bipn-monitor migrate`"),
        ("SELECT nothing FROM doses", "run `bipn-monitor migrate`"),
        (f"{INTO} ('P-7', '2026-01-05', 1, 'PO')", "ck_doses_route"),
        (f"{INTO} (NULL, '2026-01-05', 1, 'P-7')", "doses.patient_id"),
        (f"{INTO} ('P-7', '2026-01-05', 'P-7', 'IV')", "does not fit its column"),
        ("SET LOCAL statement_timeout = 1; SELECT pg_sleep(1), 'P-7'", "took too long"),
        ("SET TRANSACTION READ ONLY; DELETE FROM changes WHERE patient_id = 'P-7'", "only reads"),
        ("SELEC 'P-7'", "42601"),
    ],
)
def test_given_a_statement_that_the_server_refuses_when_run_then_the_sentence_has_the_remedy_and_no_value(
    tmp_path: Path, statement: str, says: str
) -> None:
    database = a_database(tmp_path)
    with pytest.raises(DatabaseError, match=says) as caught:
        run(database, statement)
    assert "P-7" not in str(caught.value)
    assert caught.value.__suppress_context__  # which quotes the row


def test_given_a_role_that_may_not_when_it_writes_then_it_is_said(tmp_path: Path) -> None:
    owned = a_database(tmp_path)
    with another_program(tmp_path) as other:
        other.execute("CREATE ROLE only_connects LOGIN")
    database = open_database(str(owned.engine.url).replace("postgres@", "only_connects@"))
    with pytest.raises(DatabaseError, match="GRANT"):
        run(database, "DELETE FROM doses")
    database.close()


def test_given_another_program_that_holds_a_table_when_written_then_it_says_locked(tmp_path: Path) -> None:
    database = a_database(tmp_path)
    with another_program(tmp_path) as other:
        other.execute("BEGIN")
        other.execute("LOCK TABLE doses")
        with pytest.raises(DatabaseError, match="locked"):
            run(database, "SET LOCAL lock_timeout = '20ms'", "DELETE FROM doses")
        other.execute("ROLLBACK")


def test_given_two_that_wait_for_each_other_when_one_is_ended_then_it_is_told_to_repeat(tmp_path: Path) -> None:
    database = a_database(tmp_path)
    change = "UPDATE keys SET secret = 'x' WHERE name = "
    with another_program(tmp_path) as other, ThreadPoolExecutor(1) as thread:
        other.execute("INSERT INTO keys (name, secret) VALUES ('a', ''), ('b', '')")
        other.execute("SET deadlock_timeout = '10s'")  # ours is the one that finds it
        other.execute("BEGIN")
        other.execute(f"{change} 'a'")
        with pytest.raises(DatabaseError, match="at the same time: repeat"):
            run(
                database,
                "SET LOCAL deadlock_timeout = '50ms'",
                f"{change} 'b'",
                lambda: thread.submit(other.execute, f"{change} 'b'"),
                f"{change} 'a'",
            )


def test_given_an_empty_database_when_asked_then_migrate_is_named_and_makes_it_usable() -> None:
    database = opened(a_postgres_database())
    assert "run `bipn-monitor migrate`" in (schema_problem(database) or "")
    migrate(database)
    assert schema_problem(database) is None
    database.close()


def test_given_another_programs_database_when_migrated_then_it_is_refused_and_stays_as_it_was() -> None:
    url = a_postgres_database()
    with psycopg.connect(url) as theirs:
        theirs.execute("CREATE TABLE appointments (day TEXT)")
    database = opened(url)
    assert "another program" in (schema_problem(database) or "")
    with pytest.raises(DatabaseError, match="another program"):
        migrate(database)
    with database.read() as connection:
        assert inspect(connection).get_table_names() == ["appointments"]
    database.close()


def test_given_a_database_of_another_encoding_when_migrated_then_it_is_refused() -> None:
    with shared_server().connect() as connection:
        connection.execute("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0 LOCALE_PROVIDER libc LOCALE 'C'")
    database = opened(shared_server().url("latin"))
    with pytest.raises(DatabaseError, match="encoded in LATIN1"):
        migrate(database)
    database.close()


def test_given_a_text_that_no_server_stores_when_written_then_it_is_refused_without_the_text(tmp_path: Path) -> None:
    database = a_database(tmp_path)
    with pytest.raises(DatabaseError, match="that PostgreSQL does not store") as caught:
        run(database, "INSERT INTO keys (name, secret) VALUES (%s, '')", values=("P-7\0",))
    assert "P-7" not in str(caught.value)


def test_given_a_database_frozen_by_its_administrator_when_written_after_a_read_then_it_is_refused(tmp_path: Path) -> None:
    database = a_database(tmp_path)
    with another_program(tmp_path) as other:
        name = other.execute("SELECT current_database()").fetchone()[0]
        other.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    database.close()
    for _ in range(2):
        with database.read() as connection:
            connection.exec_driver_sql("SELECT 1")
        with pytest.raises(DatabaseError, match="only reads"), database.write() as connection:
            connection.exec_driver_sql("DELETE FROM changes")
