"""The demo cohort, told step by step."""

from __future__ import annotations

import csv
from collections import Counter
from itertools import pairwise
from pathlib import Path

from monitor.importers.columns import COLUMNS
from monitor.service.demo_feed import COHORT, demo_steps, rows_known_between, write_step


def rows_of(text: str) -> list[tuple[str, ...]]:
    return [tuple(row) for row in csv.reader(text.splitlines())][1:]


def test_given_the_steps_when_taken_then_time_only_moves_on_and_every_day_is_seen() -> None:
    steps = demo_steps()
    assert steps == sorted(set(steps))
    assert (steps[0].year, steps[-1].year) == (2010, 2012)
    assert max((later - earlier).total_seconds() for earlier, later in pairwise(steps)) <= 86_400


def test_given_all_steps_when_written_then_every_shipped_row_is_told_once(tmp_path: Path) -> None:
    told: dict[str, Counter[tuple[str, ...]]] = {kind: Counter() for kind in COLUMNS}
    after = None
    for until in demo_steps():
        for path in write_step(tmp_path, after, until):
            told[path.stem].update(rows_of(path.read_text(encoding="utf-8")))
        after = until
    for kind, rows in told.items():
        assert rows == Counter(rows_of((COHORT / f"{kind}.csv").read_text(encoding="utf-8")))


def test_given_one_step_when_written_then_the_folder_holds_it_alone_patients_first(tmp_path: Path) -> None:
    first, *_, last = demo_steps()
    assert [path.name for path in write_step(tmp_path, None, last)] == [f"{kind}.csv" for kind in COLUMNS]
    assert write_step(tmp_path, None, first) == []
    assert list(tmp_path.iterdir()) == []


def test_given_a_patient_when_told_of_first_then_his_own_record_comes_along() -> None:
    seen: set[str] = set()
    after = None
    for until in demo_steps():
        seen |= {row[0] for row in rows_of(rows_known_between("patients", after, until))}
        for kind in COLUMNS:
            assert {row[0] for row in rows_of(rows_known_between(kind, after, until))} <= seen
        after = until


def test_given_the_cohort_when_read_by_a_person_then_the_synthetic_are_called_so_and_the_source_is_cited() -> None:
    names = {row[0]: row[1] for row in rows_of((COHORT / "patients.csv").read_text(encoding="utf-8"))}
    assert all(name.startswith("Synthetic ") for patient, name in names.items() if patient != "JK-2012")
    page = (COHORT / "README.md").read_text(encoding="utf-8")
    assert all(f"| {patient} |" in page for patient in names)
    assert "10.1186/2162-3619-1-20" in page
