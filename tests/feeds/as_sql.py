"""Import files as another program would write them into the tables: row by row in SQL, typed, the oldest record first."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Integer

from monitor.store.dialect import Real
from monitor.store.fact_tables import FACTS, KINDS
from tests.engines import Other


def write(other: Other, folder: Path) -> None:
    """Insert every row of the import files in ``folder``. A second row of one ``source_id`` is a correction."""
    for kind in KINDS:
        for columns, values in _rows(folder / f"{kind}.csv", kind):
            marks = ", ".join("?" * len(columns))
            other.execute(f"INSERT INTO {kind} ({', '.join(columns)}) VALUES ({marks})", values)


def _rows(path: Path, kind: str) -> Iterator[tuple[list[str], list[object]]]:
    types = {column.name: column.type for column in FACTS[kind].columns}
    with path.open(encoding="utf-8", newline="") as file:
        rows = sorted(csv.DictReader(file), key=lambda row: row.get("recorded_at", ""))
    for row in rows:
        said = {name: text for name, text in row.items() if text}
        yield (
            list(said),
            [
                int(text) if isinstance(types[name], Integer) else float(text) if types[name] is Real else text
                for name, text in said.items()
            ],
        )
