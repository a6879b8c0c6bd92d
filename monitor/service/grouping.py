"""The pieces of one group into the rows they make. Pure: what comes in decides what comes out, in whatever order it came."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo

from monitor.importers.checks import CHECKS
from monitor.importers.columns import COLUMNS
from monitor.importers.items import OUTDATED
from monitor.store.items import Piece, Value
from monitor.store.times import instant_or, moment

Cells = Mapping[str, Value]

TIMES: Mapping[str, str] = {
    "assessments": "assessed_at",
    "doses": "given_at",
    "labs": "collected_at",
    "investigations": "performed_at",
}
JOINED = frozenset({"red_flags", "findings", "comorbidities", "diagnosis"})
"""Columns that hold a list: what several pieces say of them is said together."""


@dataclass(frozen=True, slots=True)
class Unfit:
    """Why no row can be made. ``column`` None where it is about more than one."""

    column: str | None
    problem: str


def latest(recorded: Iterable[str | None], zone: tzinfo) -> str | None:
    """The last of some times, as it was written; None if one is not known: that one may have been the last."""
    known = list(recorded)
    if None in known:
        return None
    return max((each for each in known if each is not None), key=lambda each: (moment(each, zone).at, each), default=None)


def in_order(pieces: Sequence[Piece], zone: tzinfo) -> list[Piece]:
    """The pieces in an order that does not depend on when they came: as recorded, then by name."""

    def place(piece: Piece) -> tuple[str, str, str]:
        return piece.recorded_at or "", piece.type, piece.id

    return sorted(pieces, key=place)


def rows(kind: str, pieces: Iterable[Cells], zone: tzinfo) -> list[dict[str, Value]]:
    """The cells of the pieces put together. One that fills a column differently from those before it goes into a row of its own.

    Within one examination the times of its measures may differ by minutes: the row has the first of that day. Of a patient
    there is one record: what is said last holds. Who examined parts nothing: a nurse asks for pain, and a doctor tests power.
    """
    time = TIMES.get(kind)
    found: list[dict[str, Value]] = []
    examined: list[list[_Examiner]] = []
    for cells in pieces:
        said: dict[str, Value] = {name: value for name, value in cells.items() if value is not None and not name.startswith("@")}
        by: _Examiner = said.pop("assessor", None), any(name.startswith("mrc_") for name in said)
        fitting = [n for n, each in enumerate(found) if kind == "patients" or _fits(each, said, time, zone)]
        if not fitting:
            found.append(said)
            examined.append([by])
            continue
        place = next((n for n in fitting if _assessor(examined[n]) == by[0]), fitting[0])
        row = found[place]
        examined[place].append(by)
        for name, value in said.items():
            if name in JOINED and name in row:
                row[name] = _joined(name, str(row[name]), str(value))
            elif name == time and name in row:
                row[name] = min((str(row[name]), str(value)), key=lambda each: _precise_first(each, zone))
            else:
                row[name] = value
    for row, examiners in zip(found, examined, strict=True):
        if (who := _assessor(examiners)) is not None:
            row["assessor"] = who
    return found


_Examiner = tuple[Value, bool]  # the assessor's name, and whether this was a test of power


def _assessor(examined: Sequence[_Examiner]) -> Value:
    """Whoever tested the power, which is compared by assessor, or without that whoever examined; None where those are two."""
    power = [name for name, tested_power in examined if tested_power]
    names = set(power or (name for name, _ in examined)) - {None}
    return names.pop() if len(names) == 1 else None


def unfit(kind: str, row: dict[str, Value]) -> Unfit | None:
    """What keeps a row from being stored, or None. Fills in what a column holds where nothing was said."""
    for column in COLUMNS[kind]:
        if row.get(column.name) is None:
            if column.default is not None:
                row[column.name] = column.default
            elif column.required:
                return Unfit(column.name, "nothing says it, and there is no row without it")
    check = CHECKS.get(kind)
    mistakes = list(check(row)) if check else []
    return Unfit(*mistakes[0]) if mistakes else None


def newer(stored: Piece, arriving: Piece, zone: tzinfo) -> bool:
    """Whether what arrives says more than what is stored: by version where both are numbers, else by when it was recorded.

    A system may change a record and not count its versions, and a corrected mapping reads the same record anew: what says
    something else in the same version is taken too, unless it was recorded before.
    """
    if stored.version == arriving.version and _says_the_same(stored, arriving):
        return False
    if stored.version != arriving.version and stored.version.isdecimal() and arriving.version.isdecimal():
        return int(arriving.version) > int(stored.version)
    if stored.recorded_at is None or arriving.recorded_at is None:
        return True
    before = moment(stored.recorded_at, zone).at
    return instant_or(arriving.recorded_at, zone, otherwise=before) >= before


def _says_the_same(stored: Piece, arriving: Piece) -> bool:
    if arriving.voided and (stored.voided or not arriving.kind):
        return stored.voided
    return _said(stored) == _said(arriving)


def _said(piece: Piece) -> tuple[object, ...]:
    cells = {name: value for name, value in piece.cells.items() if value is not None and name != OUTDATED}
    return piece.patient_id, piece.kind, piece.group, piece.voided, cells


def _fits(row: Cells, said: Cells, time: str | None, zone: tzinfo) -> bool:
    for name, value in said.items():
        known = row.get(name)
        if known is None or known == value or name in JOINED:
            continue
        if name != time or moment(str(known), zone).on != moment(str(value), zone).on:
            return False
    return True


def _joined(name: str, before: str, after: str) -> str:
    """Two lists as one: in the order of a vocabulary's words, or, of free texts, in that in which they were recorded."""
    parts = dict.fromkeys(part.strip() for part in (*before.split(";"), *after.split(";")))
    if name in ("red_flags", "findings"):
        return ";".join(sorted(parts))
    return "; ".join(parts) if name == "diagnosis" else ";".join(parts)


def _precise_first(written: str, zone: tzinfo) -> tuple[bool, object]:
    found = moment(written, zone)
    return found.day_only, found.at
