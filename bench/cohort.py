"""A synthetic cohort straight into the tables, for measuring: 100 assessments and up to 200 doses a patient, by seed.

Four in ten patients get some neuropathy and one in ten a marked one, near the published rates (APEX: any 37 %,
grade 3 or more 9 %). Assessments come weekly, doses twice a week and as the label advises; patients are interleaved
by day of arrival.
"""

from __future__ import annotations

import csv
import random
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import zip_longest
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


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of one patient: the worst sensory grade, whether it hurts, weakness, and in which weeks."""

    peak: int
    pain: bool
    weak: bool
    onset: int
    recovery: int

    def grade(self, week: int) -> int:
        """The sensory grade in a week: up a grade every six weeks from the onset, gone after the recovery."""
        return 0 if week < self.onset or week > self.recovery else min(self.peak, 1 + (week - self.onset) // 6)

    def dose(self, week: int) -> float | None:
        """The dose of a week, as the label has it for the grade seen the week before; None while withheld."""
        worst = max(self.grade(earlier) for earlier in range(week)) if week else 0
        seen = self.grade(week - 1) if week else 0
        if worst >= 3 or (worst == 2 and self.pain):
            return None if seen >= 2 else 0.7
        return 1.0 if worst == 2 or (worst == 1 and self.pain) else 1.3


def fate_of(number: int, seed: int) -> Fate:
    """Drawn by the patient's number: six in ten stay well."""
    rng = random.Random(f"{seed} {number}")  # noqa: S311 - a synthetic cohort, nothing secret
    drawn = rng.random()
    peak = 0 if drawn > 0.4 else 1 if drawn > 0.25 else 2 if drawn > 0.1 else 3
    return Fate(peak, drawn < 0.15, drawn < 0.08, rng.randrange(8, 40), rng.randrange(50, 90))


def assessments_of(number: int, *, seed: int = 1) -> Iterator[tuple[object, ...]]:
    """One patient's assessments, weekly; now and then a muscle is not tested."""
    name, fate = patient_name(number), fate_of(number, seed)
    rng = random.Random(number)  # noqa: S311 - a synthetic cohort, nothing secret
    for week in range(ASSESSMENTS):
        at = f"{(FIRST_DAY + timedelta(weeks=week)).isoformat()}T09:00:00+00:00"
        grade = fate.grade(week)
        motor = grade - 1 if grade >= 2 and fate.weak else 0
        power = POWER[4 - min(2, motor)]
        muscles = [power if rng.random() > 0.03 else None for _ in KLEYWEG_COLUMNS]
        pain = "yes" if grade and fate.pain else "no"
        walking = "cane" if motor >= 2 else "unaided"
        yield (name, at, "5.0", grade, motor, pain, walking, *muscles, f"{name}-a{week}", at, at)


def doses_of(number: int, *, seed: int = 1) -> Iterator[tuple[object, ...]]:
    """One patient's doses, twice a week, once a week after grade 3."""
    name, fate = patient_name(number), fate_of(number, seed)
    for count in range(DOSES):
        week = count // 2
        dose = fate.dose(week)
        if dose is None or (dose == 0.7 and count % 2):
            continue
        day = FIRST_DAY + timedelta(days=week * 7 + (count % 2) * 3)
        at = f"{day.isoformat()}T14:00:00+00:00"
        yield (name, at, "bortezomib", dose, "SC", f"{name}-d{count}", at, at)


def assessment_rows(patients: int, *, seed: int = 1) -> list[tuple[object, ...]]:
    """Assessments of ``patients`` as tuples ready to be inserted, in the order of ASSESSMENT_COLUMNS."""
    return [row for number in range(patients) for row in assessments_of(number, seed=seed)]


def write_assessments_csv(path: Path, patients: int) -> None:
    """The same assessments as an import file."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(ASSESSMENT_COLUMNS[:-1])  # stored_at is ours
        writer.writerows(row[:-1] for row in assessment_rows(patients))


def insert_text(table: str, columns: tuple[str, ...]) -> str:
    """The INSERT that a bare ``executemany`` runs."""
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"


def fill(path: Path, patients: int, *, seed: int = 1) -> None:
    """Fill a migrated database with ``patients`` x 100 assessments and 200 doses; nothing is left to evaluate."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA synchronous=OFF")
    connection.execute("BEGIN IMMEDIATE")
    for start in range(0, patients, 500):
        group = range(start, min(patients, start + 500))
        by_patient = [list(assessments_of(number, seed=seed)) for number in group]
        rows = [row for week in zip(*by_patient, strict=True) for row in week]
        connection.executemany(insert_text("assessments", ASSESSMENT_COLUMNS), rows)
        doses = [row for count in zip_longest(*[list(doses_of(number, seed=seed)) for number in group]) for row in count if row]
        connection.executemany(insert_text("doses", DOSE_COLUMNS), doses)
        connection.execute("DELETE FROM changes")
    connection.execute("COMMIT")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.execute("ANALYZE")
    connection.close()
