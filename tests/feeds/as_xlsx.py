"""Import files as a spreadsheet program would hold them: one workbook, a sheet a kind, days and numbers as days and numbers."""

from __future__ import annotations

import csv
import re
from datetime import date, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

from openpyxl import Workbook  # type: ignore[import-untyped]
from sqlalchemy import Integer

from monitor.store.dialect import Real
from monitor.store.fact_tables import FACTS, KINDS

_DAY = re.compile(r"\d{4}-\d\d-\d\d")


def write(folder: Path, target: Path, zone: ZoneInfo) -> None:
    """The import files of ``folder`` as one workbook. Its times have no offset, as in any workbook: they are ``zone``'s."""
    workbook = Workbook(write_only=True)
    for kind in reversed(list(KINDS)):  # an import brings them into the right order
        sheet = workbook.create_sheet(kind.title())
        with (folder / f"{kind}.csv").open(encoding="utf-8", newline="") as file:
            header, *rows = csv.reader(file)
        sheet.append(header)
        types = {column.name: column.type for column in FACTS[kind].columns}
        for row in rows:
            sheet.append([_typed(text, types[name], zone) for name, text in zip(header, row, strict=True)])
    workbook.save(target)


def _typed(text: str, type_: object, zone: ZoneInfo) -> object:
    if not text:
        return None
    if isinstance(type_, Integer):
        return int(text)
    if type_ is Real:
        return float(text)
    if _DAY.fullmatch(text):
        return date.fromisoformat(text)
    return _wall_time(datetime.fromisoformat(text), zone) if _DAY.match(text) else text


def _wall_time(at: datetime, zone: ZoneInfo) -> object:
    """A time without its offset, or the text where that would say something else: midnight, and the hour that comes twice."""
    wall = at.astimezone(zone).replace(tzinfo=None)
    says_the_same = wall.replace(tzinfo=zone) == at and wall.time() != time.min
    return wall if says_the_same else at.isoformat()
