"""The commands of the contract on a PostgreSQL database: each says what it says on SQLite, to the byte."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.service import clock
from monitor.service.demo_feed import COHORT
from tests.e2e.installation import Installation
from tests.postgres import a_postgres_database, a_server, remove, shared_server
from tests.smtp_server import SmtpServer

EVENING = "2011-03-15T21:00"
PRESENT = re.compile(r"20[2-9]\d-\d\d-\d\d[T ][\d:.]+(?:\+00:00)?|\d+ (?:s|min) ago")


@pytest.fixture(scope="module")
def relay() -> Iterator[SmtpServer]:
    with SmtpServer() as server:
        yield server


@pytest.fixture(scope="module")
def twins(tmp_path_factory: pytest.TempPathFactory, relay: SmtpServer) -> tuple[Installation, Installation]:
    """The same clinic on SQLite and on PostgreSQL, where `import` finds an empty database."""
    folder = tmp_path_factory.mktemp("twins")
    embedded, server = Installation(folder / "embedded", relay.port), Installation(folder / "server", relay.port)
    on(server, a_postgres_database())
    return embedded, server


def on(installed: Installation, url: str) -> None:
    text = installed.config.read_text(encoding="utf-8")
    installed.config.write_text(text.replace("sqlite:///site.db", url), encoding="utf-8")


def both(twins: tuple[Installation, Installation], *words: object, code: int = 0) -> str:
    """What a command prints, the same on both but for the present, of which the story of 2011 has none."""
    said = [PRESENT.sub("now", installed.call(*words, code=code).out) for installed in twins]
    assert said[0] == said[1]
    return said[0]


def test_given_the_cohort_when_every_command_is_given_then_both_engines_say_the_same(
    twins: tuple[Installation, Installation],
) -> None:
    both(twins, "import", COHORT, "--format", "json")
    both(twins, "import", COHORT, "--format", "json")
    both(twins, "poll", "--at", "2011-02-15T21:00", "--format", "json")
    both(twins, "poll", "--at", EVENING, "--format", "json")
    assert both(twins, "alerts", "--open", "--format", "json").count("patient_id") > 5
    both(twins, "alerts", "--patient", "JK-2012")
    both(twins, "ack", "A-1", "--by", "N. Berger", "--note", "50 % better; see 'ward'")
    tomorrow = f"{clock.now() + timedelta(hours=24):%FT%TZ}"
    both(twins, "snooze", "A-2", "--until", tomorrow, "--by", "N. Berger", "--reason", "seen")
    both(twins, "ack", "A-999", "--by", "N. Berger", code=2)
    both(twins, "explain", "JK-2012", "--at", EVENING, "--format", "json")
    both(twins, "explain", "JK-2012", "--at", EVENING)
    assert both(twins, "replay", "--format", "jsonl").count("\n") > 20
    both(twins, "replay", "--patient", "JK-2012", "--to", EVENING, "--format", "jsonl")
    both(twins, "migrate")
    both(twins, "status")


def test_given_a_dump_of_the_server_when_restored_elsewhere_then_nothing_is_missing(
    twins: tuple[Installation, Installation], tmp_path: Path
) -> None:
    _, server = twins
    url = server.config.read_text(encoding="utf-8").split("database: ")[1].split()[0]
    restored, dump = a_postgres_database(), tmp_path / "backup.dump"
    server.call("import", COHORT, code=None)
    for program, *words in (
        ("pg_dump", "--format=custom", f"--file={dump}", url),
        ("pg_restore", "--no-owner", "--exit-on-error", f"--dbname={restored}", str(dump)),
    ):
        subprocess.run([str(shared_server().binaries / program), *words], check=True, capture_output=True)
    for line in ("journal verify", "alerts", "replay --format jsonl", "migrate"):
        assert server.call("--database", restored, *line.split()).out == server.call(*line.split()).out
    assert "nothing to do" in server.call("--database", restored, "migrate").out
    assert server.call("--database", restored, "import", COHORT, "--format", "json").json["files"][0]["inserted"] == 0


def test_given_a_url_on_the_command_line_when_used_then_it_wins_and_a_password_in_it_is_shown_nowhere(
    tmp_path: Path, relay: SmtpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("BIPN_MONITOR_DATABASE_PASSWORD", raising=False)  # and is put back afterwards
    installed, url = Installation(tmp_path / "site", relay.port), a_postgres_database()
    assert "run `bipn-monitor migrate`" in installed.call("--database", url, "alerts", code=5).err
    installed.call("--database", url, "migrate")
    assert installed.call("--database", url, "alerts", "--format", "json").json == []
    secret = url.replace("postgres@", "postgres:Xq7hunter2@")
    for words in (("alerts",), ("status",), ("import", COHORT, "--dry-run")):
        told = installed.call("--database", secret, *words, code=1 if words == ("status",) else 0)
        assert "Xq7hunter2" not in told.out + told.err
    monkeypatch.delenv("BIPN_MONITOR_DATABASE_PASSWORD", raising=False)
    unreachable = installed.call("--database", "postgresql://bipn:Xq7hunter2@127.0.0.1:1/bipn", "alerts", code=5)
    assert "Xq7hunter2" not in unreachable.err


def test_given_a_server_that_asks_for_a_password_when_it_stands_beside_the_configuration_then_nobody_sees_it(
    tmp_path: Path, relay: SmtpServer
) -> None:
    server = a_server()
    with server.connect() as connection:
        connection.execute("CREATE ROLE clinic LOGIN PASSWORD 'Xq7hunter2'")
        connection.execute("CREATE DATABASE clinic OWNER clinic")
    (server.folder / "data" / "pg_hba.conf").write_text("local all all scram-sha-256\n", encoding="utf-8")
    server.stop("fast")
    server.start()
    installed = Installation(tmp_path / "site", relay.port)
    on(installed, server.url("clinic", "clinic"))
    assert "database_password" in installed.run("migrate", code=5).err
    secret = installed.folder / "database_password"
    secret.write_text("Xq7hunter2\n", encoding="utf-8")
    secret.chmod(0o600)
    for words, code in ((("migrate",), 0), (("poll",), 0), (("status",), 0), (("alerts",), 0)):
        installed.run(*words, code=code)
    server.stop("fast")
    assert "cannot be reached" in installed.run("status", code=5).err
    assert "Xq7hunter2" not in "".join(installed.printed)
    remove(server)
