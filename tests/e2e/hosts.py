"""Several machines, each with a daemon, on one PostgreSQL database; and a guard that sees who looks at whom.

one, other = hosts(tmp_path, relay.port, url, 2)
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from monitor.store.dialect import PATIENT, WRITERS
from tests.e2e.installation import Installation, until
from tests.e2e.nursery import Child, Nursery
from tests.e2e.ward import WATCHING, configure


@dataclass
class Host(Installation):
    """One machine's configuration and log. What another program reads and writes is in the shared database."""

    url: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        configure(self, "sqlite:///site.db", self.url)

    def rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url) as connection:
            return connection.execute(_spelled(statement), values or None).fetchall()

    def write(self, statement: str, *values: object) -> None:
        with psycopg.connect(self.url) as connection:
            connection.execute(_spelled(statement), values or None)


def hosts(folder: Path, port: int, url: str, count: int) -> list[Host]:
    """So many machines on one database, their mail to one relay."""
    return [Host(folder / f"host-{number}", port, url=url) for number in range(count)]


@contextmanager
def watching(nursery: Nursery, host: Host) -> Iterator[Child]:
    """A daemon from when it watches until SIGTERM; fails if it does not stop in good order or prints a traceback."""
    child = nursery.start(host, "run")
    until(lambda: child.code is not None or WATCHING in child.own_log, seconds=30, what="a daemon that watches")
    assert child.code is None, child.log
    try:
        yield child
    except BaseException:
        child.kill()
        print(child.log)  # noqa: T201  # shown with the failure
        raise
    assert child.terminate() == 0, child.log
    assert "Traceback" not in child.log, child.log


GUARD = (
    "CREATE TABLE looked_at (patient_id text, nth integer, taken boolean, UNIQUE (patient_id, nth))",
    f"""CREATE FUNCTION guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
 INSERT INTO looked_at SELECT NEW.patient_id, (SELECT count(*) FROM looked_at WHERE patient_id = NEW.patient_id), EXISTS (
  SELECT FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid() AND mode = 'ExclusiveLock' AND granted AND (
   (classid = {PATIENT}::oid AND objid = (hashtext(NEW.patient_id)::bigint & 4294967295)::oid AND objsubid = 2)
   OR (classid = 0::oid AND objid = {WRITERS}::oid AND objsubid = 1)));
 RETURN NULL; END $$""",
    "CREATE TRIGGER guard AFTER INSERT ON look_again FOR EACH ROW EXECUTE FUNCTION guard()",
)
"""Each look at a patient ends in a row of ``look_again``: whoever writes it must have taken the patient, or be alone. A lock
that was taken in a transaction stays to its end, so nobody else was looking between; two who did would write the same
``nth``, and one of them be refused.
"""


def set_guard(host: Host) -> None:
    """From now on ``looked_at`` has a row for each look that was committed."""
    for statement in GUARD:
        host.write(statement)


def assert_never_two_at_one(host: Host) -> None:
    """Every look was by who had taken the patient."""
    assert host.rows("SELECT count(*) > 0, bool_and(taken) FROM looked_at") == [(True, True)]


def _spelled(statement: str) -> bytes:
    return statement.replace("%", "%%").replace("?", "%s").encode() if "?" in statement else statement.encode()
