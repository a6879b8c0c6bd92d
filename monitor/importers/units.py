"""Units of the two CSF measures, as feeds write them."""

from __future__ import annotations

from collections.abc import Mapping

MG_DL_IN: Mapping[str, float] = {"mg/dL": 1.0, "g/L": 100.0, "mg/L": 0.1}
"""CSF protein: mg/dL in one of the unit."""

LOWEST_PROTEIN_MG_DL = 5.0
HIGHEST_PROTEIN_MG_DL = 1000.0
"""Outside 0.05 to 10 g/L a CSF protein is a slip of unit or pen (plausibility limits, our judgement)."""

HIGHEST_CELLS_PER_UL = 100_000.0

UNITS_OF: Mapping[str, tuple[str, ...]] = {"csf_protein": tuple(MG_DL_IN), "csf_white_cells": ("/uL", "10*6/L", "/mm3")}
"""The units of each analyte, as they are stored. All three of the cells are the same number."""

_MICRO = str.maketrans({"\u00b5": "u", "\u03bc": "u", "\u00b3": "3", "\u2076": "*6"})
_SPELLINGS = {unit.lower(): unit for units in UNITS_OF.values() for unit in units} | {
    "10^6/l": "10*6/L",
    "x10*6/l": "10*6/L",
    "x10^6/l": "10*6/L",
    "cells/ul": "/uL",
    "cells/mm3": "/mm3",
}
LOST_SUPERSCRIPT = frozenset({"106/l", "x106/l"})
"""``10⁶/L`` after a copy that drops superscripts; a count such as ``2 x 106/L`` may then be read as 106."""


def plain(text: str) -> str:
    """A unit without spaces, in lower case, with a typed micro sign and powers."""
    return "".join(text.split()).replace("\u00d7", "x").translate(_MICRO).lower()


def unit_from(text: str) -> str | None:
    """The unit as it is stored, or None for one that is not known.

    >>> unit_from("mg/dl"), unit_from("/\u00b5L"), unit_from("10^6/L"), unit_from("106/L")
    ('mg/dL', '/uL', '10*6/L', None)
    """
    return _SPELLINGS.get(plain(text))
