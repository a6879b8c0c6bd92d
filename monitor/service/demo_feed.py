"""The demo cohort told step by step: at each instant the feed brings the facts that the hospital learnt since the last.

A patient's own record has no time of its own; it comes with the first fact about the patient.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from functools import cache
from io import StringIO
from pathlib import Path

from monitor.importers.columns import COLUMNS
from monitor.shipped import PACKAGE

COHORT = PACKAGE / "service" / "demo_cohort"
MORNING = time(6, tzinfo=UTC)
AFTERWARDS = timedelta(days=30)
"""How long the demonstration goes on after the last fact, so that what is due by time alone is seen as well."""


def demo_steps() -> list[datetime]:
    """Every instant of the story, ascending: each one at which a fact became known, and each morning in between."""
    known = sorted({at for kind in COLUMNS for at, _ in _facts(kind)})
    mornings = set()
    day = known[0].date()
    while day <= (known[-1] + AFTERWARDS).date():
        mornings.add(datetime.combine(day, MORNING))
        day += timedelta(days=1)
    return sorted(mornings | set(known))


def rows_known_between(kind: str, after: datetime | None, until: datetime) -> str:
    """Of one kind, as CSV with its header, the rows that became known after ``after`` and not later than ``until``.

    ``after`` None is from the beginning. Empty text where there are none.
    """
    rows = [row for at, row in _facts(kind) if (after is None or after < at) and at <= until]
    if not rows:
        return ""
    text = StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def write_step(folder: Path, after: datetime | None, until: datetime) -> list[Path]:
    """Write what became known in between as import files in ``folder``, in the order of import; return their paths.

    Files of an earlier step are replaced or removed, so that the folder holds this step alone.
    """
    written = []
    for kind in COLUMNS:
        path = folder / f"{kind}.csv"
        text = rows_known_between(kind, after, until)
        if text:
            path.write_text(text, encoding="utf-8")
            written.append(path)
        else:
            path.unlink(missing_ok=True)
    return written


@cache
def _facts(kind: str) -> tuple[tuple[datetime, dict[str, str]], ...]:
    if kind != "patients":
        return tuple((datetime.fromisoformat(row["recorded_at"]), row) for row in _shipped_rows(kind))
    first: dict[str, datetime] = {}
    for other in COLUMNS:
        for at, row in _facts(other) if other != "patients" else ():
            patient = row["patient_id"]
            first[patient] = min(at, first.get(patient, at))
    return tuple((first[row["patient_id"]], row) for row in _shipped_rows("patients"))


def _shipped_rows(kind: str) -> Iterator[dict[str, str]]:
    with (COHORT / f"{kind}.csv").open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)
