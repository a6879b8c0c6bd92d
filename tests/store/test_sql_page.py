"""What ``docs/sql.md`` tells the hospital's SQL person works as written, by roles that may do nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from monitor.store.fact_tables import FACTS, KINDS, Stored, value_columns
from monitor.store.views import VIEWS
from tests.engines import Other
from tests.postgres import a_postgres_database, migrated_template, shared_server
from tests.store.databases import a_database, another_program

pytestmark = pytest.mark.sqlite_only("each test opens what it needs on a server itself")
PAGE = Path(__file__).parents[2] / "docs" / "sql.md"
DENIED = psycopg.errors.InsufficientPrivilege
Connect = Callable[[str], psycopg.Connection]


def block(name: str) -> str:
    """The SQL of one of the page's blocks."""
    if not PAGE.is_file():
        pytest.skip("the pages are in the checkout, not in the wheel")
    return PAGE.read_text(encoding="utf-8").split(f"```sql {name}\n", 1)[1].split("```", 1)[0]


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    """A database in which the page's roles were made."""
    name = a_postgres_database(like=migrated_template()).partition("?")[0].rpartition("/")[2]
    reports = "CREATE ROLE hospital_reports LOGIN IN ROLE bipn_reader"
    with shared_server().connect(name) as owner:
        owner.execute(f"REVOKE CONNECT ON DATABASE {name} FROM PUBLIC".encode())  # as docs/operations.md says
        for text in (block("writer"), block("login"), block("reader"), reports):
            owner.execute(text.encode())
    yield name
    with shared_server().connect() as owner:
        owner.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture
def connect(database: str) -> Iterator[Connect]:
    opened: list[psycopg.Connection] = []

    def connected(user: str) -> psycopg.Connection:
        opened.append(shared_server().connect(database, user))
        return opened[-1]

    yield connected
    for connection in opened:
        connection.close()


def looked_at(connect: Connect) -> set[str]:
    owner = connect("postgres")
    found = {row[0] for row in owner.execute("SELECT patient_id FROM changes")}
    owner.execute("DELETE FROM changes")
    return found


def test_given_the_pages_grants_when_the_writer_corrects_moves_and_deletes_then_each_is_noticed(connect: Connect) -> None:
    writer = connect("hospital_feed")
    writer.execute(block("upsert").encode())
    writer.execute(block("upsert").replace("1.3", "1.2").encode())
    assert looked_at(connect) == {"P-0007"}
    writer.execute(block("corrections").encode())
    assert looked_at(connect) == {"P-0007", "P-0008"}
    assert writer.execute("SELECT count(*) FROM current_doses").fetchall() == [(0,)]
    known = writer.execute("SELECT dose_mg_per_m2 FROM doses ORDER BY coalesce(version, id)").fetchall()
    assert [row[0] for row in known] == [1.3, 1.2, 1.0, 1.0]


def test_given_the_pages_grants_when_the_writer_copies_and_takes_over_then_what_is_the_same_makes_no_version(
    connect: Connect,
) -> None:
    writer = connect("hospital_feed")
    with writer.cursor().copy(block("copy").strip().rstrip(";").encode()) as copy:
        for number in range(20):
            copy.write(f"P-{number % 3},2026-01-05,csf_protein,{100 + number},mg/dL,lab-{number},\n")
    assert looked_at(connect) == {"P-0", "P-1", "P-2"}
    columns = "patient_id, collected_at, analyte, value, unit, source_id"
    writer.execute(f"CREATE TEMPORARY TABLE staged_labs AS SELECT {columns} FROM current_labs".encode())
    writer.execute("UPDATE staged_labs SET value = 50 WHERE source_id = 'lab-4'")
    assert writer.execute(block("staged").encode()).rowcount == 1
    assert looked_at(connect) == {"P-1"}
    with writer.cursor().copy("COPY labs (patient_id, collected_at, analyte, value, unit, source_id) FROM STDIN CSV") as copy:
        copy.write("P-9,2026-01-06,csf_protein,60,mg/dL,lab-4\n")
    assert looked_at(connect) == {"P-1", "P-9"}


@pytest.mark.parametrize("kind", KINDS)
def test_given_the_pages_grants_when_compared_with_the_tables_then_they_are_the_documented_columns(
    kind: str, connect: Connect
) -> None:
    granted = connect("postgres").execute(
        "SELECT privilege_type, column_name FROM information_schema.column_privileges"
        " WHERE grantee = 'bipn_writer' AND table_name = %s",
        (kind,),
    )
    found: dict[str, set[str]] = {}
    for privilege, column in granted:
        found.setdefault(privilege, set()).add(column)
    documented = {*value_columns(FACTS[kind]), "source_id", "recorded_at"}
    assert found["INSERT"] == found["UPDATE"] == documented
    assert found["SELECT"] == set(FACTS[kind].columns.keys())


def test_given_the_pages_roles_when_any_other_table_is_read_then_it_is_refused(connect: Connect) -> None:
    others = {name for name in Stored.metadata.tables if name not in KINDS}
    for user, allowed in (("hospital_feed", set()), ("hospital_reports", {"alerts", "alert_events", "feeds", "rejects"})):
        connection = connect(user)
        for readable in (*KINDS, *VIEWS, *allowed):
            connection.execute(f"SELECT * FROM {readable} LIMIT 1".encode())
        for refused in others - allowed:
            with pytest.raises(DENIED):
                connection.execute(f"SELECT * FROM {refused} LIMIT 1".encode())


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO changes (patient_id) VALUES ('P')",
        "DELETE FROM changes",
        "INSERT INTO doses (id, patient_id, given_at, dose_mg_per_m2) VALUES (1, 'P', '2026-01-05', 1)",
        "INSERT INTO doses (patient_id, given_at, dose_mg_per_m2, superseded_at) VALUES ('P', '2026-01-05', 1, '2026-01-05')",
        "UPDATE doses SET superseded_at = NULL",
        "UPDATE doses SET stored_at = '2026-01-05'",
        "UPDATE doses SET fingerprint = ''",
        "UPDATE current_doses SET dose_mg_per_m2 = 1",
        "TRUNCATE doses",
        "ALTER TABLE doses DISABLE TRIGGER USER",
        "DROP TRIGGER doses_inserted ON doses",
        "SET session_replication_role = replica",
        "CREATE TABLE public.mine (patient_id text)",
        "SELECT setval('doses_id_seq', 1)",
        "UPDATE alerts SET state = 'resolved'",
        "DELETE FROM messages",
        "INSERT INTO journal (at, event, subject, body, previous_sha256, sha256) VALUES (now(), '', '', '', '', '')",
        "UPDATE leases SET holder = ''",
    ],
)
def test_given_the_writer_when_it_does_what_is_not_its_to_do_then_it_is_refused(statement: str, connect: Connect) -> None:
    for user in ("hospital_feed", "hospital_reports"):
        with pytest.raises(DENIED):
            connect(user).execute(statement.encode())


@pytest.mark.parametrize("kind", KINDS)
def test_given_the_reader_when_it_writes_a_fact_then_it_is_refused(kind: str, connect: Connect) -> None:
    for statement in (
        f"INSERT INTO {kind} (patient_id) VALUES ('P')",
        f"UPDATE {kind} SET patient_id = ''",
        f"DELETE FROM {kind}",
    ):
        with pytest.raises(DENIED):
            connect("hospital_reports").execute(statement.encode())


def test_given_the_owner_when_a_table_of_facts_or_the_journal_is_truncated_then_it_is_refused(connect: Connect) -> None:
    for table in (*KINDS, "journal", "attempts", "alert_events"):
        with pytest.raises(psycopg.errors.RaiseException, match=r"cannot be truncated|append-only"):
            connect("postgres").execute(f"TRUNCATE {table} CASCADE".encode())


def test_given_tables_of_its_own_in_the_way_when_the_writer_writes_then_ours_are_written(connect: Connect) -> None:
    writer = connect("hospital_feed")
    writer.execute("CREATE TEMPORARY TABLE changes (patient_id text)")
    writer.execute("CREATE TEMPORARY TABLE treatments (LIKE public.treatments)")
    writer.execute("SET search_path = pg_temp, public")
    for treatment in ("ivig", "other"):
        columns = "public.treatments (patient_id, treatment, started_on, source_id)"
        writer.execute(f"INSERT INTO {columns} VALUES ('P-1', '{treatment}', '2026-01-05', 't1')".encode())
    assert looked_at(connect) == {"P-1"}
    assert writer.execute("SELECT count(*) FROM pg_temp.changes").fetchall() == [(0,)]
    assert writer.execute("SELECT treatment FROM current_treatments").fetchall() == [("other",)]


def test_given_a_table_of_its_own_when_the_writer_hangs_our_triggers_on_it_then_it_is_refused(connect: Connect) -> None:
    writer = connect("hospital_feed")
    writer.execute("CREATE TEMPORARY TABLE mine (LIKE doses)")
    with pytest.raises(DENIED):
        writer.execute("CREATE TRIGGER t AFTER DELETE ON mine FOR EACH ROW EXECUTE FUNCTION doses_deleted()")


def test_given_the_pages_words_for_sqlite_when_run_twice_then_the_second_is_a_correction(tmp_path: Path) -> None:
    a_database(tmp_path)
    with another_program(tmp_path) as other:
        for value in ("133", "140"):
            other.execute(block("sqlite").replace("133", value))
        other.execute(block("upsert"))
        for statement in filter(str.strip, block("corrections").split(";")):
            other.execute(statement)
        assert list(other.execute("SELECT value FROM current_labs")) == [(140.0,)]
        assert list(other.execute("SELECT count(*) FROM current_doses")) == [(0,)]
        assert views_answer(other)


def views_answer(other: Other) -> bool:
    return all(other.execute(f"SELECT count(*) FROM {view}").fetchone() is not None for view in VIEWS)


def test_given_the_page_when_it_names_tables_and_views_then_they_are_these() -> None:
    text = block("writer")
    assert [name for name in (*KINDS, *VIEWS) if not re.search(rf"\b{name}\b", text)] == []
