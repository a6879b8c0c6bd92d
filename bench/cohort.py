"""A synthetic cohort straight into the tables, for measuring: 100 assessments and 200 doses a patient, by seed.

Four in ten patients get some neuropathy and one in ten a marked one, near the published rates (APEX: any 37 %,
grade 3 or more 9 %). Assessments come weekly, doses twice a week; patients are interleaved by day of arrival.
"""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

from monitor.clinical.scales.mrc import KLEYWEG_MUSCLES, SIDES

FIRST_DAY = date(2020, 1, 6)
ASSESSMENTS = 100
DOSES = 200
KLEYWEG_COLUMNS = tuple(f"mrc_{muscle}_{side}" for muscle in KLEYWEG_MUSCLES for side in SIDES)
ASSESSMENT_COLUMNS = (
    "patient_id",
    "assessed_at",
    "ctcae_version",
    "sensory_grade",
    "motor_grade",
    "neuropathic_pain",
    "walking",
    *KLEYWEG_COLUMNS,
    "source_id",
    "recorded_at",
    "stored_at",
)
DOSE_COLUMNS = ("patient_id", "given_at", "drug", "dose_mg_per_m2", "route", "source_id", "recorded_at", "stored_at")
POWER = ("3", "4-", "4", "5-", "5")


def patient_name(number: int) -> str:
    """The pseudonym of a synthetic patient."""
    return f"S-{number:06d}"


def assessments_of(number: int, rng: random.Random) -> Iterator[tuple[object, ...]]:
    """One patient's assessments, weekly; grades drift up at an onset and down again later."""
    name, fate = patient_name(number), rng.random()
    peak = 0 if fate > 0.4 else 1 if fate > 0.25 else 2 if fate > 0.1 else 3
    onset, recovery = rng.randrange(8, 40), rng.randrange(50, 90)
    for week in range(ASSESSMENTS):
        day = (FIRST_DAY + timedelta(weeks=week)).isoformat()
        grade = 0 if week < onset or week > recovery else min(peak, 1 + (week - onset) // 6)
        motor = grade - 1 if grade >= 2 and fate < 0.08 else 0
        power = POWER[4 - min(2, motor)]
        muscles = [power if rng.random() > 0.03 else None for _ in KLEYWEG_COLUMNS]
        at = f"{day}T09:00:00+00:00"
        pain = "yes" if grade >= 1 and fate < 0.15 else "no"
        walking = "cane" if motor >= 2 else "unaided"
        yield (name, at, "5.0", grade, motor, pain, walking, *muscles, f"{name}-a{week}", at, at)


def doses_of(number: int) -> Iterator[tuple[object, ...]]:
    """One patient's doses, twice a week."""
    name = patient_name(number)
    for count in range(DOSES):
        day = FIRST_DAY + timedelta(days=(count // 2) * 7 + (count % 2) * 3)
        at = f"{day.isoformat()}T14:00:00+00:00"
        yield (name, at, "bortezomib", 1.3, "SC", f"{name}-d{count}", at, at)


def insert_text(table: str, columns: tuple[str, ...]) -> str:
    """The INSERT that a bare ``executemany`` runs."""
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"


def fill(path: Path, patients: int, *, seed: int = 1) -> None:
    """Fill a migrated database with ``patients`` x 100 assessments and 200 doses; nothing is left to evaluate."""
    rng = random.Random(seed)  # noqa: S311 - a synthetic cohort, nothing secret
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA synchronous=OFF")
    connection.execute("BEGIN IMMEDIATE")
    for start in range(0, patients, 500):
        group = range(start, min(patients, start + 500))
        by_patient = [list(assessments_of(number, rng)) for number in group]
        rows = [row for week in zip(*by_patient, strict=True) for row in week]
        connection.executemany(insert_text("assessments", ASSESSMENT_COLUMNS), rows)
        doses = [row for count in zip(*[list(doses_of(number)) for number in group], strict=True) for row in count]
        connection.executemany(insert_text("doses", DOSE_COLUMNS), doses)
        connection.execute("DELETE FROM changes")
    connection.execute("COMMIT")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.execute("ANALYZE")
    connection.close()
