"""From SQLite to a server in the middle of a story: what comes after is what would have come."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitor.cli import run
from monitor.config.database_url import resolve_database
from monitor.errors import DATABASE_NOT_USABLE, DONE, DatabaseError
from monitor.service import clock, ingest, moving, replaying
from monitor.service.demo_feed import demo_steps, write_step
from monitor.service.holder import own_holder
from monitor.service.opening import Site, open_site
from monitor.store import journal, lease
from monitor.store.database import open_database
from tests.postgres import a_postgres_database, shared_server
from tests.service.clinic import FILE, ZONE, Clinic, a_clinic

HALF = datetime(2011, 3, 10, 12, tzinfo=UTC)
END = datetime(2011, 3, 22, 12, tzinfo=UTC)


def told(clinic: Clinic, steps: Sequence[datetime], before: datetime | None) -> list[tuple[str, str]]:
    """The story's polls: to whom each mail went, and its subject."""
    mails = []
    feed = clinic.folder / "feed"
    feed.mkdir(exist_ok=True)
    for at in steps:
        files = write_step(feed, before, at)
        if files:
            assert ingest.import_paths(clinic.site.database, files, zone=ZONE, now=at).rejected == []
        mails += [(mail.recipient, str(mail.message["Subject"])) for mail in clinic.watch(at).mails]
        before = at
    return mails


def at_the_end(site: Site) -> list[object]:
    """Alerts, what waits to be told, and a replay: all that may not depend on where it is stored."""
    with site.database.read() as connection:
        alerts = connection.exec_driver_sql(
            "SELECT id, patient_id, rule, state, urgency, headline, criteria, evidence, occasion FROM alerts ORDER BY id"
        ).all()
        messages = connection.exec_driver_sql("SELECT recipient_address, subject, state FROM messages ORDER BY id").all()
        events = connection.exec_driver_sql("SELECT alert_id, reason, urgency FROM alert_events ORDER BY id").all()
        entries = connection.exec_driver_sql("SELECT event, subject FROM journal ORDER BY id").all()
        assert journal.verify(connection).intact
    replayed = [json.dumps(line) for line in replaying.replay(site, policy=site.policy, from_at=None, to_at=END)]
    return [list(map(tuple, alerts)), list(map(tuple, messages)), list(map(tuple, events)), list(map(tuple, entries)), replayed]


def test_given_the_cohort_half_way_when_moved_to_a_server_then_it_goes_on_as_if_it_had_stayed(tmp_path: Path) -> None:
    steps = demo_steps()[::10]  # each writes what came since the one before
    first = [at for at in steps if at <= HALF]
    second = [at for at in steps if HALF < at <= END]
    with a_clinic(tmp_path) as clinic:
        assert told(clinic, first, None)
        clinic.site.database.close()
        kept, server = tmp_path / "kept.db", a_postgres_database()
        shutil.copy(tmp_path / FILE, kept)
        moved = moving.move(f"sqlite:///{kept}", resolve_database(server, folder=tmp_path), told=lambda content: None)
        assert moved.journal.intact
        assert kept.read_bytes() == (tmp_path / FILE).read_bytes()
        stayed = told(clinic, second, first[-1])
        expected = at_the_end(clinic.site)
        shutil.rmtree(tmp_path / "feed")
        with open_site(tmp_path / "monitor.yaml", resolve_database(server, folder=tmp_path)) as site:
            mails = told(Clinic(tmp_path, clinic.relay, site), second, first[-1])
            assert sorted(mails) == sorted(stayed) != []
            assert at_the_end(site) == expected


def test_given_a_process_that_dies_in_the_middle_when_moved_again_then_it_arrives_whole(tmp_path: Path) -> None:
    with a_clinic(tmp_path) as clinic:
        clinic.on_bortezomib("P-1", "P-2")
        clinic.poll(clock.now())
    before = (tmp_path / FILE).read_bytes()
    server = a_postgres_database()
    words = ["migrate", "--from", f"sqlite:///{tmp_path / FILE}", "--database", server, "--format", "json"]
    for point in ("copied a table:9", "before commit: move"):
        environment = {**os.environ, "BIPN_MONITOR_CRASH_AT": point}
        ran = subprocess.run([sys.executable, "-m", "monitor", *words], env=environment, capture_output=True, check=False)
        assert ran.returncode == 137
        name = server.partition("?")[0].rpartition("/")[2]
        with shared_server().connect(name) as connection:
            for table in ("doses", "changes", "journal", "alerts"):
                assert connection.execute(f"SELECT count(*) FROM {table}".encode()).fetchone() == (0,)
    ran = subprocess.run([sys.executable, "-m", "monitor", *words], capture_output=True, check=True)
    assert {each["table"]: each["rows"] for each in json.loads(ran.stdout)["tables"]}["doses"] == 12
    assert (tmp_path / FILE).read_bytes() == before


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"], indirect=True)
def test_given_a_daemon_on_the_source_when_moved_then_it_is_refused_until_that_one_has_died(tmp_path: Path, engine: str) -> None:
    target = f"sqlite:///{tmp_path / 'new.db'}"
    with a_clinic(tmp_path) as clinic:
        held = own_holder(clock.now()).replace(f":{os.getpid()}:", f":{os.getppid()}:")
        with clinic.site.database.write() as connection:
            holding = lease.acquire(connection, held, now=clock.now(), ttl=timedelta(minutes=2))
        url = clinic.site.database.engine.url.render_as_string(hide_password=False)
        with pytest.raises(DatabaseError, match="a daemon watches"):
            moving.move(url, target, told=lambda content: None)
        assert not (tmp_path / "new.db").exists()
        assert holding is not None
        with clinic.site.database.write() as connection:
            lease.release(connection, holding, now=clock.now())
        moving.move(url, target, told=lambda content: None)
    with closing(open_database(target)) as database, database.read() as connection:
        assert lease.current(connection) is None


def test_given_a_full_target_when_the_command_is_run_then_5_and_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with a_clinic(tmp_path) as clinic:
        clinic.on_bortezomib("P-1")
    source = f"sqlite:///{tmp_path / FILE}"
    assert run(["migrate", "--from", source, "--database", f"sqlite:///{tmp_path / 'new.db'}"]) == DONE
    assert "both databases hold the same" in capsys.readouterr().out
    assert run(["migrate", "--from", source, "--database", f"sqlite:///{tmp_path / 'new.db'}"]) == DATABASE_NOT_USABLE
    assert "is not empty" in capsys.readouterr().err
    assert run(["migrate", "--from", source, "--database", source]) == DATABASE_NOT_USABLE


def test_given_no_source_when_moved_then_it_is_said_and_none_is_made(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match="no database at"):
        moving.move(f"sqlite:///{tmp_path / 'none.db'}", f"sqlite:///{tmp_path / 'new.db'}", told=lambda content: None)
    assert list(tmp_path.glob("*.db")) == []
