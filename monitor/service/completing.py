"""What a piece says only together with others: the drug that it refers to, and a dose in mg as mg per square metre.

A dose in mg is never guessed at. The level is the order's, or the dose divided by a body surface that is recent enough;
where both are known they must agree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta, tzinfo

from sqlalchemy import Connection

from monitor.importers.items import DOSE_MG, MEDICATION, ORDER, SURFACE, SURFACE_DAYS, SURFACE_M2_LIMITS
from monitor.service.grouping import Unfit
from monitor.store import items, merges
from monitor.store.items import Name, Piece, Value
from monitor.store.times import moment

AGREE_WITHIN = 0.10
"""How far the dose by the body surface may lie from the order's level: syringes have marks (our judgement)."""

_NAMES_OF = {"doses": "drug", "courses": "drug", "treatments": "treatment"}


@dataclass(frozen=True, slots=True)
class NotOurs:
    """A piece about a drug that is not watched."""


Completed = dict[str, Value] | Unfit | NotOurs


@dataclass(slots=True)
class Others:
    """The pieces that some others need, read at once."""

    named: dict[Name, Piece] = field(default_factory=dict)
    surfaces: dict[str, list[Piece]] = field(default_factory=dict)
    now: dict[str, str] = field(default_factory=dict)  # of patients who are named: the record that each is part of


def others(connection: Connection, feed: str, pieces: Sequence[Piece]) -> Others:
    """Whatever the incomplete ones of ``pieces`` need that has come."""
    wanted = [_name(str(p.cells[cell])) for p in pieces for cell in (MEDICATION, ORDER) if p.cells.get(cell)]
    patients = {p.patient_id for p in pieces if DOSE_MG in p.cells}
    named = items.known(connection, feed, wanted) if wanted else {}
    return Others(
        named,
        items.of_patients(connection, feed, SURFACE, patients) if patients else {},
        merges.resolve(connection, patients | {each.patient_id for each in named.values()}) if patients else {},
    )


def complete(piece: Piece, known: Others, zone: tzinfo) -> Completed:
    """The cells of a row that the piece makes with what is ``known``, or why it makes none."""
    cells = {name: value for name, value in piece.cells.items() if not name.startswith("@")}
    reference = piece.cells.get(MEDICATION)
    if reference is not None:
        medication = known.named.get(_name(str(reference)))
        if medication is None or medication.voided:
            return Unfit(None, f"the drug is in {reference}, which has not come; import it too")
        column = _NAMES_OF[piece.kind]
        if not medication.cells.get(column):
            return NotOurs()
        cells[column] = medication.cells[column]
    if DOSE_MG in piece.cells:
        level = _level(piece, cells, known, zone)
        if isinstance(level, Unfit):
            return level
        cells["dose_mg_per_m2"] = level
    return cells


def _level(piece: Piece, cells: dict[str, Value], known: Others, zone: tzinfo) -> float | Unfit:
    milligrams = float(piece.cells[DOSE_MG] or 0)
    ordered = _ordered(piece, cells, known)
    surface = _surface(piece, cells, known, zone)
    if isinstance(ordered, Unfit):
        return ordered
    if isinstance(surface, Unfit):
        return surface
    if ordered is None and surface is None:
        return Unfit(
            "dose_mg_per_m2",
            "the dose is in mg, and neither an order in mg/m2 nor a recent body surface has come; "
            "send one of them, or the dose in mg/m2",
        )
    if surface is None:
        return _without_surface(milligrams, ordered or 0)
    by_surface = round(milligrams / surface, 2)
    if ordered is None:
        return by_surface
    if abs(milligrams / surface - ordered) > AGREE_WITHIN * ordered:
        return Unfit("dose_mg_per_m2", "the dose in mg by the body surface is not the level of its order; send the dose in mg/m2")
    return ordered


def _without_surface(milligrams: float, ordered: float) -> float | Unfit:
    """The order's level, if the dose could be that of a person."""
    if ordered > 0 and SURFACE_M2_LIMITS[0] <= milligrams / ordered <= SURFACE_M2_LIMITS[1]:
        return ordered
    return Unfit("dose_mg_per_m2", "the dose in mg is the level of its order for no body there is; send the dose in mg/m2")


def _ordered(piece: Piece, cells: dict[str, Value], known: Others) -> float | Unfit | None:
    order = known.named.get(_name(str(piece.cells.get(ORDER) or "")))
    if order is None or order.voided or not order.cells.get("mg_per_m2"):
        return None
    if known.now.get(order.patient_id) != known.now.get(piece.patient_id):
        return Unfit("dose_mg_per_m2", "the dose is in mg, and its order is another patient's; correct it, or send mg/m2")
    if order.cells.get("drug") not in (None, cells.get("drug")):
        return None
    return float(order.cells["mg_per_m2"] or 0)


def _surface(piece: Piece, cells: dict[str, Value], known: Others, zone: tzinfo) -> float | Unfit | None:
    """The last body surface on or before the day of the dose, if it is recent enough, and the last says one thing."""
    if not cells.get("given_at"):
        return None
    given_on = moment(str(cells["given_at"]), zone).on
    oldest = given_on - timedelta(days=int(piece.cells.get(SURFACE_DAYS) or 0))
    recent = []
    for each in known.surfaces.get(piece.patient_id, ()):
        measured = moment(str(each.cells["on"]), zone)
        square_metres = float(each.cells["m2"] or 0)
        if oldest <= measured.on <= given_on and SURFACE_M2_LIMITS[0] <= square_metres <= SURFACE_M2_LIMITS[1]:
            recent.append((measured.at, square_metres))
    last = [square_metres for at, square_metres in recent if at == max(recent)[0]]
    if last and max(last) - min(last) > AGREE_WITHIN * min(last):
        return Unfit("dose_mg_per_m2", "the dose is in mg, and two body surfaces of one time differ; correct them, or send mg/m2")
    return max(last, default=None)


def _name(reference: str) -> Name:
    type_, _, id_ = reference.partition("/")
    return type_, id_
