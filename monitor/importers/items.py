"""What feeds say piece by piece: one measure of an examination, one dose, and each may be corrected by itself.

A row of a fact is made of all items of one patient, kind and group, so a correction of one measure need not repeat the
others. ``service/settling.py`` keeps the items and makes the rows; the cells are read as those of an import file are.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One piece, as its feed names it. ``type`` and ``id`` name it within the feed, such as "Observation" and "17".

    ``version`` is the feed's own: the same again changes nothing. ``kind`` is that of the row, and ``group`` names the row
    among the patient's of that kind: it becomes the row's ``source_id``. ``cells`` are columns of that kind as an import
    file would hold them, without ``patient_id`` and ``source_id``. ``voided`` takes the item back.
    ``recorded_at`` is when the hospital knew it, ISO 8601, or None.
    """

    type: str
    id: str
    version: str
    patient_id: str
    kind: str
    group: str
    cells: dict[str, str] = field(default_factory=dict)
    voided: bool = False
    recorded_at: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge:
    """Two records of one patient became one: all that was said of ``patient_id`` is said of ``into_id``."""

    patient_id: str
    into_id: str
