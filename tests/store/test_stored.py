"""What lay in the database at an earlier instant is found again from the last state of it, whatever came in between."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from monitor.clinical.history import History
from monitor.clinical.stored import Stored
from monitor.store import arrivals, facts, histories
from monitor.store.database import Database
from monitor.store.versions import Value
from tests.store.databases import NOW, a_database

STEPS = 30
DAY = datetime(2026, 2, 1, 9, tzinfo=UTC)


def some_row(random: Random, now: datetime) -> tuple[str, dict[str, Value]]:
    """A fact that is new or corrects another one; recorded now, earlier, or at a time that the feed does not say."""
    number = random.randrange(4)
    recorded_at = random.choice([None, now.isoformat(), (now - timedelta(hours=random.randrange(200))).isoformat()])
    at = (DAY + timedelta(days=random.randrange(20))).isoformat()
    match random.randrange(4):
        case 0:
            row: dict[str, Value] = {"drug": "bortezomib", "started_on": "2026-02-01", "schedule": "weekly"}
            row["discontinued_on"] = random.choice([None, "2026-02-20"])
            return "courses", row | {"source_id": "course", "recorded_at": recorded_at}
        case 1:
            dose: dict[str, Value] = {"given_at": at, "drug": "bortezomib", "dose_mg_per_m2": random.choice([1.0, 1.3])}
            return "doses", dose | {"source_id": f"d{number}", "recorded_at": recorded_at}
        case 2:
            return "patients", {"site": random.choice(["North", "South"]), "recorded_at": recorded_at}
        case _:
            visit: dict[str, Value] = {"assessed_at": at, "ctcae_version": "5.0", "sensory_grade": random.randrange(4)}
            visit["voided"] = random.choice([None, None, "yes"])
            return "assessments", visit | {"source_id": f"a{number}", "recorded_at": recorded_at}


def as_seen(database: Database, now: datetime) -> History:
    """What a round would read."""
    with database.read() as connection:
        loaded = histories.load(connection, ["P-1"], UTC).histories["P-1"]
    return loaded.as_known_at(now)


@pytest.mark.parametrize("seed", range(25))
def test_given_facts_that_came_in_any_order_when_asked_for_an_earlier_instant_then_it_is_what_a_round_saw(
    tmp_path: Path, seed: int
) -> None:
    random, database = Random(seed), a_database(tmp_path)  # noqa: S311  # drawn cases, nothing secret
    seen: list[tuple[datetime, History]] = []
    now = NOW
    for step in range(STEPS):
        now += timedelta(minutes=random.randrange(1, 400))
        kind, row = some_row(random, now)
        with database.write() as connection:
            facts.write(connection, kind, [{"patient_id": "P-1"} | row], now=now, feed=f"feed {step}")
        seen.append((now, as_seen(database, now)))
    with database.read() as connection:
        history = histories.load(connection, ["P-1"], UTC).histories["P-1"]
        lately = arrivals.lately(connection, ["P-1"], NOW).get("P-1", {})
    stored = Stored(history=history, lately=lately)
    for instant, found in seen:
        assert unversioned(stored.at(instant).as_known_at(instant)) == unversioned(found), instant


def unversioned(history: History) -> list[object]:
    """What a rule can tell apart: neither the ends of what is in force nor when a patient's own record was known."""
    kinds = (history.courses, history.doses, history.assessments)
    facts_in_force: list[object] = [[replace(fact, superseded_at=None) for fact in kind] for kind in kinds]
    return [*facts_in_force, [replace(each, superseded_at=None, known_at=NOW) for each in history.patients]]
