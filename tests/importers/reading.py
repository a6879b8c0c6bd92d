"""Reads a text as an import file of a clinic in Berlin, on the morning of 23 November 2026."""

from __future__ import annotations

from datetime import UTC, datetime
from io import BytesIO
from zoneinfo import ZoneInfo

from monitor.importers.csv_file import read_csv
from monitor.importers.imported import Clinic, ImportedFile, Rejected, Row

ZONE = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
CLINIC = Clinic(zone=ZONE, now=NOW)


def read(name: str, data: bytes) -> tuple[ImportedFile, list[Row]]:
    """The file and all its rows, read to the end."""
    (file,) = read_csv(name, BytesIO(data), CLINIC)
    return file, list(file.rows)


def read_text(name: str, *lines: str) -> tuple[ImportedFile, list[Row]]:
    """The same for the lines of a text."""
    return read(name, "\n".join(lines).encode())


def assessment(column: str, cell: str) -> tuple[Row | None, list[Rejected]]:
    """What becomes of one cell of an assessment: its row, or the rejections."""
    file, rows = read_text("assessments.csv", f"patient_id,assessed_at,{column}", f"P-1,2026-11-01,{cell}")
    return (rows[0] if rows else None), file.rejected


def lab(analyte: str, value: str, unit: str) -> tuple[Row | None, list[Rejected]]:
    """The same for a laboratory value."""
    file, rows = read_text("labs.csv", "patient_id,collected_at,analyte,value,unit", f"P-1,2026-11-01,{analyte},{value},{unit}")
    return (rows[0] if rows else None), file.rejected
