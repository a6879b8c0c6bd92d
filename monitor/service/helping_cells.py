"""How cells are read that make no column of a row themselves: amounts and times that help to work out a dose."""

from __future__ import annotations

import re
from collections.abc import Mapping

from monitor.importers.imported import CellError, Clinic, Value
from monitor.importers.items import DOSE_MG
from monitor.importers.values import ReadCell, found, moment

_AMOUNT = re.compile(r"(?:\d{1,6}(?:\.\d{0,20})?|\.\d{1,20})", re.ASCII)


def _amount(text: str, _clinic: Clinic) -> Value:
    """A number above zero, with as many decimals as a program may have computed."""
    if not _AMOUNT.fullmatch(text) or float(text) <= 0:
        raise CellError(f"found {found(text)}; send a number above zero with a decimal point")
    return text


READERS: Mapping[str, ReadCell] = {DOSE_MG: _amount, "mg_per_m2": _amount, "m2": _amount, "on": moment}
"""By the cell's name; the others that help are names of pieces and words, and stay as they are."""
