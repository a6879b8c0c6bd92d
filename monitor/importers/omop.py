"""Rows of OMOP CDM tables into items. Pure; the tables are read elsewhere.

A refresh of such a database may number everything anew. So a row is named by what it is about, never by its number: the
patient, the time and what was measured or given. A second one of the same name has a place behind it.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from monitor.importers.imported import CellError, Rejected
from monitor.importers.items import DOSE_MG, SURFACE, SURFACE_DAYS, Item
from monitor.importers.omop_mapping import TIMES, Drug, Measure, OmopMapping
from monitor.importers.said import Said

TYPE = "omop"
EQUALS = 4172703
"""OMOP's concept for "=", which is the same as none. Source: OHDSI, CDM 5.4, measurement.operator_concept_id."""

Row = Mapping[str, Any]
_AMOUNT = re.compile(r"\d{1,6}(?:\.\d{1,15})?", re.ASCII)
_SEXES = {"M": "M", "F": "F"}


@dataclass(slots=True, kw_only=True)
class Person:
    """One patient's rows: exposures and measures each with the name they have in the mapping."""

    person: Row
    exposures: list[tuple[str, Row]] = field(default_factory=list)
    measured: list[tuple[str, Row]] = field(default_factory=list)
    diagnoses: list[str] = field(default_factory=list)


def read(people: Iterable[Person], mapping: OmopMapping) -> Iterator[Said]:
    """What the database says of each patient. Of whoever has no name, or another's, nothing is taken."""
    named: set[str] = set()
    for person in people:
        patient_id = _text(person.person.get(mapping.patient_id))
        if not patient_id or patient_id in named:
            which = "names somebody else too" if patient_id else "is empty"
            words = f"{mapping.patient_id} {which}; correct it, or name another column in the mapping"
            place = f"person {_text(person.person.get('person_id'))}"
            yield Said("", "", None, (_refused(place, "patient_id", words),))
            continue
        named.add(patient_id)
        yield Said(patient_id, "", None)
        yield _said(_Told(patient_id, "patient", "patients", _patient(person)), "", patient_id)
        seen: Counter[str] = Counter()
        for name, row in sorted(person.exposures, key=_order):
            yield _numbered(seen, _exposure(patient_id, mapping.drugs[name], row, mapping))
        for name, row in sorted(person.measured, key=_order):
            yield _numbered(seen, _measure(patient_id, name, mapping.measures[name], row, mapping))


def record_of(id_: str) -> str:
    """The patient of whom an item is, by its id. A patient's id may hold a ``|``, the other parts do not."""
    return id_.rpartition("#")[0].rsplit("|", 2)[0]


@dataclass(slots=True)
class _Told:
    """What one row says, before it has its number among others of the same name. ``group`` None: a row of its own."""

    patient_id: str
    name: str
    kind: str
    cells: dict[str, str]
    at: str = ""
    group: str | None = None
    refused: tuple[tuple[str | None, str], ...] = ()


def _numbered(seen: Counter[str], told: _Told) -> Said:
    place = f"{told.patient_id}|{told.name}|{told.at}"
    seen[place] += 1
    return _said(told, f"{seen[place]}", told.patient_id)


def _said(told: _Told, number: str, record: str) -> Said:
    place = f"{told.patient_id}|{told.name}|{told.at}"
    id_ = f"{place}#{number}"
    if told.refused:
        return Said(record, id_, None, tuple(_refused(place, column, problem) for column, problem in told.refused))
    said = "\x1f".join(f"{column}\x1e{text}" for column, text in sorted(told.cells.items()))
    item = Item(
        type=TYPE,
        id=id_,
        version=f"h{hashlib.sha256(said.encode()).hexdigest()[:32]}",
        patient_id=told.patient_id,
        kind=told.kind,
        group=told.group or id_,
        cells=told.cells,
    )
    return Said(record, id_, item)


def _patient(person: Person) -> dict[str, str]:
    row = person.person
    parts = [_text(row.get(f"{part}_of_birth")) for part in ("year", "month", "day")]
    cells = {"sex": _SEXES.get(_text(row.get("gender_code")), "")}
    if all(parts):
        cells["birth_date"] = f"{parts[0]:0>4}-{parts[1]:0>2}-{parts[2]:0>2}"
    if person.diagnoses:
        cells["diagnosis"] = "; ".join(sorted(set(person.diagnoses)))
    return {column: text for column, text in cells.items() if text}


def _exposure(patient_id: str, drug: Drug, row: Row, mapping: OmopMapping) -> _Told:
    at = _when(row["drug_exposure_start_datetime"], row["drug_exposure_start_date"])
    if drug.kind == "treatments":
        cells = {"treatment": drug.name, "started_on": at[:10]}
        ended = _when(None, row["drug_exposure_end_date"])
        return _Told(patient_id, drug.name, "treatments", cells | ({"stopped_on": ended} if ended else {}), at)
    told = _Told(patient_id, drug.name, "doses", {"drug": drug.name, "given_at": at}, at)
    amount, unit = _text(row["quantity"]), mapping.dose_units.get(_text(row["dose_unit_source_value"]))
    route = mapping.routes.get(_text(row["route_source_value"]))
    if route:
        told.cells["route"] = route
    if amount and not _AMOUNT.fullmatch(amount):
        told.refused = (("dose_mg_per_m2", "the quantity is no number above zero"),)
    elif not amount:
        told.refused = (("dose_mg_per_m2", "the exposure has no quantity, and there is no dose without it"),)
    elif unit is None:
        words = "the quantity has no unit that the mapping names; add dose_unit_source_value to dose_units"
        told.refused = (("dose_mg_per_m2", words),)
    elif unit == "mg/m2":
        told.cells["dose_mg_per_m2"] = amount
    else:
        told.cells |= {DOSE_MG: amount, SURFACE_DAYS: str(mapping.surface_days)}
    return told


def _measure(patient_id: str, name: str, measure: Measure, row: Row, mapping: OmopMapping) -> _Told:
    at = _when(row["datetime"], row["date"])
    told = _Told(patient_id, name, measure.kind, dict(measure.always), at)
    try:
        value = _value(measure, row)
    except CellError as bad:
        told.refused = ((measure.column, str(bad)),)
        return told
    if measure.kind == SURFACE and not _AMOUNT.fullmatch(value):
        told.refused = ((measure.column, "the body surface is no number above zero"),)
    elif measure.kind == SURFACE:
        told.cells |= {"m2": value, "on": at}
    else:
        told.cells |= {TIMES[measure.kind]: at, measure.column: value}
        if measure.kind == "labs" and measure.units is not None:
            told.cells["unit"] = measure.units[_text(row["unit_code"])]
        if measure.kind == "assessments":
            told.group = f"{patient_id}|assessment|{at[:10]}"
    return told


def _value(measure: Measure, row: Row) -> str:
    if _text(row["operator_concept_id"]) not in ("", "0", str(EQUALS)):
        raise CellError("found a value with a sign such as < before it; it is no exact value")
    if measure.units is not None and _text(row["unit_code"]) not in measure.units:
        raise CellError(f"found no unit, or one that the mapping does not name; known here: {', '.join(measure.units)}")
    found = [_text(row[column]) for column in ("value_as_number", "value_code", "value_as_string", "value_source_value")]
    if measure.values is None:
        text = next((each for each in found if each), "")
        if not text:
            raise CellError("found no value")
        return text
    word = next((measure.values[each] for each in found if each in measure.values), None)
    if word is None:
        raise CellError("found a value that the mapping does not name; add it to the measure's values")
    return word


def _when(datetime: Any, date: Any) -> str:
    """An instant by the clinic's wall clock, or the day alone: midnight is what a database writes that knows only the day."""
    text = _text(datetime).replace("T", " ")
    day, _, time = text.partition(" ")
    return _text(date)[:10] if not time or time.startswith("00:00:00") else f"{day} {time.partition('.')[0]}"


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, Decimal) and not value.is_finite():
        return "NaN"
    if isinstance(value, float | Decimal):
        return f"{float(value):.15g}"
    return str(value).strip()


def _order(named: tuple[str, Row]) -> tuple[str, str]:
    """Whatever the database's numbers are, rows of one name come in the same order."""
    name, row = named
    return name, "\x1f".join(f"{column}={_text(row[column])}" for column in sorted(row) if not column.endswith("_id"))


def _refused(place: str, column: str | None, problem: str) -> Rejected:
    return Rejected(line=None, column=column, problem=problem, record=f"{TYPE}/{place}")
