"""What a feed says piece by piece: one measure, one dose, one laboratory value, each with an id and a version of its own.

An electronic record does not hold the rows of our import files. A motor grade, a pain score and twelve muscles come as
fourteen messages, and are corrected one by one. A reader gives such a feed as items, and says of each in which row it
belongs (``group``); the service keeps the items and makes the rows, whose cells are read as those of an import file are.

What starts with ``@`` is no value but says where to find one: a patient that another piece names (``referring``), and
cells that only other pieces complete. A kind that starts with ``@`` makes no row: it is there for others to use.
"""

from __future__ import annotations

from dataclasses import dataclass, field

MEDICATION = "@medication"
"""A kind: a drug as a record of its own; its cells are ``drug`` or ``treatment``, neither for one that is not watched.
And a cell: the name of such a piece, such as "Medication/17"; the drug or treatment of the row is what it says."""

ORDER = "@order"
"""A kind: the prescription of a dose; its cells are ``drug``, if it says so, and ``mg_per_m2``. And a cell: its name."""

SURFACE = "@surface"
"""A kind: a body surface; its cells are ``m2`` and ``on``, a time."""

GONE = "@gone"
"""A kind: this record was entered in error, or deleted, whatever it said; an earlier version that comes late says nothing."""

MERGE = "@merge"
"""A kind: this patient is now the one that the cell ``into`` names, as ``patient_id`` would."""

OUTDATED = "@outdated"
"""A cell: a later version of the piece came and was refused, so that what stands is not the last that was said."""

DOSE_MG = "@dose_mg"
"""A cell: a dose in mg, of which a row of doses needs mg per square metre."""

SURFACE_DAYS = "@surface_days"
"""A cell: how many days before the dose a body surface may be from, to be used for it."""

SURFACE_M2_LIMITS = (0.3, 3.5)
"""A body surface outside is a slip of pen or unit (plausibility limits, our judgement)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One piece, as its feed names it. ``type`` and ``id`` name it within the feed, such as "Observation" and "17".

    What stands behind a ``#`` in ``id`` tells apart several pieces of one record. ``version`` is the feed's own: the same
    again changes nothing. ``kind`` is that of the row, and ``group`` names the row: it becomes the row's ``source_id``, so
    it may be used for one patient only (of kind "patients" it is not looked at). ``cells`` are columns of that kind as an
    import file would hold them, without ``patient_id`` and ``source_id``. ``recorded_at`` is when the hospital knew it,
    ISO 8601, or None. ``voided`` takes the item back; without a kind, whatever the item was, if it was any.
    """

    type: str
    id: str
    version: str
    patient_id: str = ""
    kind: str = ""
    group: str = ""
    cells: dict[str, str] = field(default_factory=dict)
    voided: bool = False
    recorded_at: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge:
    """Two records of one patient became one: all that was said of ``patient_id`` is said of ``into_id``."""

    patient_id: str
    into_id: str


def referring(name: str) -> str:
    """For ``patient_id``: the patient of the piece called ``name``, such as "Patient/17", whenever that piece comes."""
    return f"@{name}"


def referred(patient_id: str) -> tuple[str, str] | None:
    """Type and id of the piece that says which patient is meant, or None for a patient's own id.

    >>> referred("@Patient/17"), referred("P-0007")
    (('Patient', '17'), None)
    """
    if not patient_id.startswith("@"):
        return None
    type_, _, id_ = patient_id[1:].partition("/")
    return type_, id_
