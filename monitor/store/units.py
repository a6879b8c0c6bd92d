"""Units of cerebrospinal fluid values as feeds write them, converted once on the way to the rules."""

from __future__ import annotations

TO_MG_DL = {"mg/dL": 1.0, "g/L": 100.0, "mg/L": 0.1}
"""Milligrams per decilitre in one unit of protein."""

TO_PER_UL = {"/uL": 1.0, "/mm3": 1.0, "10*6/L": 1.0}
"""Cells per microlitre in one unit: a cubic millimetre is a microlitre, of which a litre has a million."""

_DIGITS = 6  # 0.133 g/L is 13.3 mg/dL, not 13.300000000000001


def to_mg_dl(value: float, unit: str) -> float:
    """A protein concentration in mg/dL. Raises KeyError for a unit that the tables do not allow.

    >>> to_mg_dl(1.33, "g/L"), to_mg_dl(450, "mg/L")
    (133.0, 45.0)
    """
    return round(value * TO_MG_DL[unit], _DIGITS)


def to_per_ul(value: float, unit: str) -> float:
    """A cell count per microlitre. Raises KeyError for a unit that the tables do not allow.

    >>> to_per_ul(2, "10*6/L")
    2.0
    """
    return round(value * TO_PER_UL[unit], _DIGITS)
