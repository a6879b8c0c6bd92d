"""How the fields of a REDCap project become our rows, as ``config/redcap.yaml`` writes it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from monitor.importers.columns import COLUMNS

SYSTEM_FIELDS = "redcap_"
"""What REDCap adds by itself, such as ``redcap_data_access_group``; such a field is not asked for by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One column: of a field, its choices put into our words by ``values``; or of the ticked boxes; or always the same."""

    field: str | None = None
    values: Mapping[str, str] | None = None
    checked: Mapping[str, str] | None = None
    always: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RowOf:
    """One row of ours out of each row of REDCap's that is of the events (all, if none is named) and the instrument.

    ``instrument`` is that of a repeating one, None where it does not repeat. There is no row where all ``unless_empty``
    are empty; where that names none, all fields of the columns.
    """

    kind: str
    columns: Mapping[str, Cell]
    events: tuple[str, ...] = ()
    instrument: str | None = None
    recorded_at: str | None = None
    unless_empty: tuple[str, ...] = ()

    def fields(self) -> Iterator[str]:
        """Every field that is looked at, boxes by the name of their question."""
        yield from (cell.field for cell in self.columns.values() if cell.field is not None)
        yield from self.unless_empty
        if self.recorded_at is not None:
            yield self.recorded_at


@dataclass(frozen=True, slots=True, kw_only=True)
class RedcapMapping:
    """One project. ``patient_id`` is a field that names the patient, wherever in the record; None: the record's own name.

    ``not_recorded`` are codes of missing data. More than ``most_gone_percent`` of what is known may not be gone at once.
    """

    record_id: str
    rows: Mapping[str, RowOf]
    patient_id: str | None = None
    not_recorded: tuple[str, ...] = ()
    most_gone_percent: int = 20

    def fields(self) -> list[str]:
        """Every field that is to be asked for, the record's name first."""
        named = [self.record_id, *([self.patient_id] if self.patient_id else [])]
        named += [field for row in self.rows.values() for field in row.fields()]
        return [field for field in dict.fromkeys(named) if not field.startswith(SYSTEM_FIELDS)]

    def keys(self) -> list[str]:
        """Every key that an answer must have, boxes one by one."""
        boxes = {cell.field: cell.checked for row in self.rows.values() for cell in row.columns.values() if cell.checked}
        found = []
        for field in self.fields():
            found += [box(field, code) for code in boxes[field]] if field in boxes else [field]
        return found


def box(field: str, code: str) -> str:
    """The key of one box of a question.

    >>> box("red_flags", "-2")
    'red_flags____2'
    """
    return f"{field}___{code.lower().replace('-', '_')}"


def mistakes(mapping: RedcapMapping) -> Iterator[tuple[tuple[str, ...], str]]:
    """Where the mapping does not fit our import files, and what is wrong there."""
    for name, row in mapping.rows.items():
        here = ("rows", name)
        if row.kind not in COLUMNS:
            yield (*here, "kind"), f"expected one of {', '.join(COLUMNS)}"
            continue
        known = {column.name for column in COLUMNS[row.kind]} - {"patient_id", "source_id", "recorded_at"}
        for column, cell in row.columns.items():
            place = (*here, "columns", column)
            if column not in known:
                yield place, f"there is no such column of {row.kind}; it has {', '.join(sorted(known))}"
            elif (cell.field is None) == (cell.always is None):
                yield place, "either 'field' or 'always' is expected"
            elif cell.field is None and (cell.values or cell.checked):
                yield place, "'values' and 'checked' belong to a 'field'"
            elif cell.values and cell.checked:
                yield place, "a field has either choices ('values') or boxes ('checked')"
        for needed in COLUMNS[row.kind]:
            if needed.required and needed.name != "patient_id" and needed.name not in row.columns:
                yield (*here, "columns"), f"'{needed.name}' is required: no row of {row.kind} is without it"
