"""The flat records of a REDCap project into items, by the fields that the mapping names. Pure; asked for elsewhere.

REDCap gives no version and takes a deleted instance away without a word: so an item's version is what it says, and what
is no longer there is noticed by whoever asked.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby

from monitor.importers.imported import CellError, Rejected
from monitor.importers.items import Item
from monitor.importers.redcap_mapping import Cell, RedcapMapping, RowOf, box
from monitor.importers.said import Said

TYPE = "redcap"
EVENT, INSTRUMENT, INSTANCE = "redcap_event_name", "redcap_repeat_instrument", "redcap_repeat_instance"

Record = Mapping[str, str]


def plain(record: Mapping[str, object]) -> Record:
    """A row of an answer, all values text. Raises ValueError for what REDCap never sends."""
    return {key: _text(value) for key, value in record.items()}


def read(rows: Iterable[Record], mapping: RedcapMapping) -> Iterator[Said]:
    """What whole records say: all rows of each, in the order of the answer."""
    for record_id, of_record in groupby(rows, key=lambda row: row[mapping.record_id]):
        together = list(of_record)
        whose = {row[mapping.patient_id].strip() for row in together} - {""} if mapping.patient_id else {record_id}
        if len(whose) != 1:
            problem = "its rows name different patients" if whose else "nothing says which patient it is"
            yield Said(record_id, "", None, (_refused(record_id, "patient_id", f"{problem}; correct the record"),))
            continue
        (patient_id,) = whose
        yield Said(record_id, "", None)  # it is there, whether or not it holds anything
        for row in together:
            yield from _items(row, record_id, patient_id, mapping)


def _items(row: Record, record_id: str, patient_id: str, mapping: RedcapMapping) -> Iterator[Said]:
    place = (record_id, row.get(EVENT, ""), row.get(INSTRUMENT, ""), row.get(INSTANCE, ""))
    for name, of in mapping.rows.items():
        if (of.events and place[1] not in of.events) or place[2] != (of.instrument or "") or _is_empty(row, of, mapping):
            continue
        id_ = f"{'|'.join(place)}#{name}"
        cells: dict[str, str] = {}
        refused = []
        for column, cell in of.columns.items():
            try:
                cells[column] = _cell(row, cell, mapping)
            except CellError as bad:
                refused.append(_refused("|".join(place), column, str(bad)))
        if refused:
            yield Said(record_id, id_, None, tuple(refused))
            continue
        told = _value(row, of.recorded_at, mapping) if of.recorded_at else ""
        item = Item(
            type=TYPE,
            id=id_,
            version=_version(patient_id, told, cells),
            patient_id=patient_id,
            kind=of.kind,
            group=id_,
            cells={column: text for column, text in cells.items() if text},
            recorded_at=told or None,
        )
        yield Said(record_id, id_, item)


def record_of(id_: str) -> str:
    """The record that an item is of, by its id. An event, instrument or instance holds no ``|``; a record's name may."""
    return id_.rpartition("#")[0].rsplit("|", 3)[0]


def _is_empty(row: Record, of: RowOf, mapping: RedcapMapping) -> bool:
    if of.unless_empty:
        return not any(_value(row, field, mapping) for field in of.unless_empty)
    for cell in of.columns.values():
        if cell.checked is not None and any(row[box(str(cell.field), code)] == "1" for code in cell.checked):
            return False
        if cell.checked is None and cell.field is not None and _value(row, cell.field, mapping):
            return False
    return True


def _cell(row: Record, cell: Cell, mapping: RedcapMapping) -> str:
    if cell.field is None:
        return cell.always or ""
    if cell.checked is not None:
        # Boxes of which none is ticked may be boxes that nobody looked at.
        return ";".join(word for code, word in cell.checked.items() if row[box(cell.field, code)] == "1")
    value = _value(row, cell.field, mapping)
    if cell.values is None or not value:
        return value
    if value not in cell.values:
        raise CellError("found a choice that the mapping does not name; add it to the field's values")
    return cell.values[value]


def _value(row: Record, field: str, mapping: RedcapMapping) -> str:
    value = row.get(field, "").strip()
    return "" if value in mapping.not_recorded else value


def _version(patient_id: str, recorded_at: str, cells: Mapping[str, str]) -> str:
    said = "\x1f".join([patient_id, recorded_at, *(f"{column}\x1e{text}" for column, text in sorted(cells.items()))])
    return f"h{hashlib.sha256(said.encode()).hexdigest()[:32]}"


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise ValueError("neither text nor a whole number")


def _refused(place: str, column: str, problem: str) -> Rejected:
    return Rejected(line=None, column=column, problem=problem, record=f"{TYPE}/{place}")
