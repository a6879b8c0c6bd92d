"""What a validated import costs: W3 on SQLite, W4 beside a session of table instances, W5 on PostgreSQL beside a bare COPY.

    .venv/bin/python -m bench.imports

The file is a CSV of assessments with grades, walking and twelve muscles on both sides; ours reads, checks, tells new from
known and corrected, fingerprints and stores. The peers are handed rows or bytes that are ready.
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
from sqlmodel import Session

from bench import cohort
from bench.measure import Ratio, medians
from monitor.service.ingest import import_paths
from monitor.store.database import Database, open_database
from monitor.store.fact_tables import AssessmentRow
from monitor.store.migrate import migrate
from tests.postgres import a_server, remove

ZONE = ZoneInfo("Europe/Berlin")
NOW = datetime(2021, 12, 8, 12, tzinfo=UTC)


def on_sqlite(folder: Path, rows: int) -> Iterator[Ratio]:
    """W3: over a bare executemany into the same table, checks and triggers. W4: over ``add_all`` of table instances."""
    folder.mkdir()
    patients = rows // cohort.ASSESSMENTS
    cohort.write_assessments_csv(folder / "assessments.csv", patients)
    ready = cohort.assessment_rows(patients)
    few = ready[: len(ready) // 10]
    ours, bare, instances = [], [], []
    for attempt in range(3):
        with closing(_embedded(folder / f"ours{attempt}.db")) as database:
            ours += medians(partial(import_paths, database, [folder / "assessments.csv"], zone=ZONE, now=NOW), rounds=1)
        bare.append(_bare_import(folder / f"bare{attempt}.db", ready))
        with closing(_embedded(folder / f"instances{attempt}.db")) as database, Session(database.engine) as session:

            def add(session: Session = session) -> None:
                session.add_all([AssessmentRow(**_named(row)) for row in few])
                session.commit()

            instances += medians(add, rounds=1)
    seconds = sorted(ours)[1]
    what = "validated import"
    yield Ratio(goal="W3", what=what, seconds=seconds, against="executemany", against_seconds=sorted(bare)[1], gate=4)
    peer = sorted(instances)[1] * len(ready) / len(few)
    yield Ratio(goal="W4", what=what, seconds=seconds, against="add_all", against_seconds=peer, gate=0.1)


def _named(row: tuple[object, ...]) -> dict[str, Any]:
    return dict(zip(cohort.ASSESSMENT_COLUMNS, row, strict=True))


def _embedded(path: Path) -> Database:
    database = open_database(f"sqlite:///{path}", create=True)
    migrate(database)
    return database


def _bare_import(path: Path, ready: list[tuple[object, ...]]) -> float:
    _embedded(path).close()
    with closing(sqlite3.connect(path, isolation_level=None)) as raw:
        raw.execute("PRAGMA synchronous=FULL")

        def insert() -> None:
            raw.execute("BEGIN IMMEDIATE")
            raw.executemany(cohort.insert_text("assessments", cohort.ASSESSMENT_COLUMNS), ready)
            raw.execute("COMMIT")

        (seconds,) = medians(insert, rounds=1)
    return seconds


def on_postgresql(folder: Path, rows: int) -> Iterator[Ratio]:
    """W5, by the wall: over the server's COPY of the same file, into the same table and into one without triggers."""
    folder.mkdir()
    cohort.write_assessments_csv(folder / "assessments.csv", rows // cohort.ASSESSMENTS)
    data = (folder / "assessments.csv").read_bytes()
    server = a_server(fsync="on", full_page_writes="on", synchronous_commit="on", shared_buffers="256MB")
    try:
        ours: list[float] = []
        same: list[float] = []
        plain: list[float] = []
        for attempt in range(3):
            for name, found in (("ours", ours), ("same", same), ("plain", plain)):
                with server.connect() as connection:
                    connection.execute(f"CREATE DATABASE {name}{attempt}")
                with closing(open_database(server.url(f"{name}{attempt}").replace("://", "+psycopg://", 1))) as database:
                    migrate(database)
                    if name == "ours":
                        work = partial(import_paths, database, [folder / "assessments.csv"], zone=ZONE, now=NOW)
                        found += medians(work, rounds=1, wall=True)
                        continue
                with server.connect(f"{name}{attempt}") as connection:
                    if name == "plain":
                        connection.execute("ALTER TABLE assessments DISABLE TRIGGER USER")
                    found += medians(partial(_copy, connection, data), rounds=1, wall=True)
        what = "validated import"
        yield Ratio(goal="W5", what=what, seconds=sorted(ours)[1], against="COPY", against_seconds=sorted(same)[1], gate=1.5)
        against = "COPY without triggers"
        yield Ratio(
            goal="W5 bare", what=what, seconds=sorted(ours)[1], against=against, against_seconds=sorted(plain)[1], gate=1.5
        )
    finally:
        remove(server)


def _copy(connection: psycopg.Connection, data: bytes) -> None:
    header, _, rows = data.partition(b"\n")
    with connection.cursor().copy(f"COPY assessments ({header.decode().strip()}) FROM STDIN (FORMAT csv)") as copy:
        copy.write(rows)


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name:
        for ratios in (on_sqlite(Path(name) / "sqlite", 20_000), on_postgresql(Path(name) / "postgresql", 20_000)):
            for ratio in ratios:
                mark = "" if ratio.holds else "  MISSED"
                print(f"{ratio.goal:8} {ratio.ratio:8.2f} {ratio.gate:6g}  {ratio.seconds:.2f} s : {ratio.against} {mark}")


if __name__ == "__main__":
    main()
