"""D1: two daemons on one PostgreSQL database, over one: how much sooner they have looked at everybody who changed.

A server of its own that syncs every commit, workers that are processes of their own, batches as the daemon has them. Every
patient has a history of 100 assessments and was looked at before: what is measured is the looking, not the first telling.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from bench import cohort
from bench.measure import Ratio
from monitor.service import clock
from monitor.service.opening import open_site
from monitor.service.round import run_round
from tests.postgres import Server, a_server, remove

GATE = 1 / 1.5
ROUNDS = 7
CONFIG = """time_zone: Europe/Berlin
database: {url}
guideline: us-label
mail:
  sender: alerts@hospital.example
  relay: {{host: 127.0.0.1, port: 9, insecure: true}}
teams:
  all:
    sites: ["*"]
    recipients:
      - {{name: Nurse, address: nurse@hospital.example}}
"""
EVERYBODY = "INSERT INTO changes (patient_id) SELECT DISTINCT patient_id FROM assessments"


def two_workers(folder: Path, patients: int) -> Ratio:
    """D1. Raises RuntimeError where a patient was looked at twice, or not at all."""
    folder.mkdir()
    with _server() as server:
        config = _config(folder, server, "cohort")
        _fill(config, server, patients)
        taken: dict[int, list[float]] = {1: [], 2: []}
        for attempt in range(ROUNDS):
            for count in (1, 2):
                name = f"run_{attempt}_{count}"
                with server.connect() as connection:
                    connection.execute(f"CREATE DATABASE {name} TEMPLATE cohort")
                taken[count].append(_run(_config(folder, server, name), count, patients))
    one, two = (min(taken[count]) for count in (1, 2))  # the least disturbed: both need every core there is
    return Ratio(goal="D1", what="two daemons", seconds=two, against="one", against_seconds=one, gate=GATE)


@contextmanager
def _server() -> Iterator[Server]:
    server = a_server(fsync="on", synchronous_commit="on", full_page_writes="on", shared_buffers="256MB")
    try:
        yield server
    finally:
        remove(server)


def _config(folder: Path, server: Server, database: str) -> Path:
    config = folder / f"{database}.yaml"
    config.write_text(CONFIG.format(url=server.url(database)), encoding="utf-8")
    return config


def _fill(config: Path, server: Server, patients: int) -> None:
    """The cohort, every one of it looked at once and changed since."""
    with server.connect() as connection:
        connection.execute("CREATE DATABASE cohort")
    with open_site(config, create=True) as site, server.connect("cohort") as connection:
        connection.execute("SET session_replication_role = replica")  # no trigger: what they would do is done below
        _copy(connection, "assessments", cohort.ASSESSMENT_COLUMNS, cohort.assessment_rows(patients))
        doses = [row for number in range(patients) for row in cohort.doses_of(number)]
        _copy(connection, "doses", cohort.DOSE_COLUMNS, doses)
        connection.execute(EVERYBODY)
        connection.execute("ANALYZE")
        run_round(site, clock.now())
        connection.execute(EVERYBODY)
        connection.execute("VACUUM ANALYZE")


def _copy(connection: psycopg.Connection, table: str, columns: tuple[str, ...], rows: list[tuple[object, ...]]) -> None:
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN".encode()) as copy,
    ):
        for row in rows:
            copy.write_row(row)


def _run(config: Path, count: int, patients: int) -> float:
    """Seconds until so many workers have looked at everybody."""
    workers = [
        subprocess.Popen(
            [sys.executable, "-m", "bench.daemons", str(config)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(count)
    ]
    for worker in workers:
        assert worker.stdout is not None
        worker.stdout.readline()  # it is ready
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("\n")
        worker.stdin.flush()
    found = [json.loads(worker.communicate()[0]) for worker in workers]
    looked = sum(each["patients"] for each in found)
    if looked != patients:
        raise RuntimeError(f"{looked} looks at {patients} patients")
    return float(max(each["ended"] for each in found) - min(each["begun"] for each in found))


def work(config: Path) -> None:
    """One worker: looks at whoever is due, when it is told to begin."""
    with open_site(config) as site:
        print("ready", flush=True)
        sys.stdin.readline()
        begun = clock.monotonic_seconds()
        done = run_round(site, clock.now())
        print(json.dumps({"patients": done.patients_evaluated, "begun": begun, "ended": clock.monotonic_seconds()}), flush=True)


if __name__ == "__main__":
    work(Path(sys.argv[1]))
