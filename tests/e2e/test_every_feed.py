"""The same facts through every feed, onto either database: the same `replay`, byte for byte."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from zoneinfo import ZoneInfo

import psycopg
import pytest

from monitor.service.demo_feed import COHORT
from monitor.store.database import open_database
from monitor.store.migrate import migrate
from tests.e2e.installation import Installation
from tests.engines import ENGINES, Other
from tests.feeds import as_fhir, as_sql, as_xlsx
from tests.postgres import a_postgres_database, migrated_template

Bring = Callable[[Installation, str, Path], None]


def by_csv(installed: Installation, database: str, _folder: Path) -> None:
    installed.run("--database", database, "import", COHORT)


def by_sql(installed: Installation, database: str, _folder: Path) -> None:
    if database.startswith("sqlite"):
        with closing(sqlite3.connect(database.removeprefix("sqlite:///"), isolation_level=None)) as connection:
            as_sql.write(Other(connection), COHORT)
        return
    with psycopg.connect(database, autocommit=True) as connection:
        as_sql.write(Other(connection), COHORT)


def by_xlsx(installed: Installation, database: str, folder: Path) -> None:
    workbook = folder / "cohort.xlsx"
    as_xlsx.write(COHORT, workbook, ZoneInfo("Europe/Berlin"))
    installed.run("--database", database, "import", workbook)


def by_bundle(installed: Installation, database: str, folder: Path) -> None:
    as_fhir.write_bundle(COHORT, folder / "cohort.json")
    installed.run("--database", database, "import", folder / "cohort.json")


def by_ndjson(installed: Installation, database: str, folder: Path) -> None:
    as_fhir.write_ndjson(COHORT, folder / "cohort.ndjson")
    installed.run("--database", database, "import", folder / "cohort.ndjson")


FEEDS: dict[str, Bring] = {"csv": by_csv, "sql": by_sql, "xlsx": by_xlsx, "fhir": by_bundle, "fhir-bulk": by_ndjson}


def an_empty_database(engine: str, folder: Path) -> str:
    if engine == "postgresql":
        return a_postgres_database(like=migrated_template())
    url = f"sqlite:///{folder / 'every.db'}"
    with closing(open_database(url, create=True)) as database:
        migrate(database)
    return url


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The replay of the demo cohort, the published case among it, out of its import files."""
    folder = tmp_path_factory.mktemp("csv")
    installed = Installation(folder, 9)
    url = an_empty_database("sqlite", folder)
    by_csv(installed, url, folder)
    replayed = installed.run("--database", url, "replay", "--format", "jsonl").out
    assert replayed.count("\n") > 20
    assert '"patient_id": "JK-2012"' in replayed
    return replayed


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("feed", FEEDS)
def test_given_the_cohort_through_a_feed_when_replayed_then_it_is_told_as_from_its_import_files(
    feed: str, engine: str, told: str, tmp_path: Path
) -> None:
    installed = Installation(tmp_path / "site", 9)
    url = an_empty_database(engine, tmp_path)
    FEEDS[feed](installed, url, tmp_path)
    assert installed.run("--database", url, "replay", "--format", "jsonl").out == told
