"""What two cells of a row say about each other. Each check yields the column to look at and the problem with its remedy."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from monitor.clinical.history import BORTEZOMIB
from monitor.importers.imported import Row
from monitor.importers.units import HIGHEST_CELLS_PER_UL, HIGHEST_PROTEIN_MG_DL, LOWEST_PROTEIN_MG_DL, MG_DL_IN, UNITS_OF

Check = Callable[[Row], Iterator[tuple[str, str]]]

HIGHEST_BORTEZOMIB_MG_PER_M2 = 2.0
"""Above every published dose (1.6 mg/m2 is the highest in use): such a number is a dose in mg, not in mg/m2."""


def dose(row: Row) -> Iterator[tuple[str, str]]:
    """A dose is above zero, and a bortezomib dose is one per square metre."""
    given = row["dose_mg_per_m2"]
    if not isinstance(given, float):
        return
    if given <= 0:
        yield "dose_mg_per_m2", "found zero; leave out a dose that was not given"
    elif row["drug"] == BORTEZOMIB and given > HIGHEST_BORTEZOMIB_MG_PER_M2:
        yield (
            "dose_mg_per_m2",
            f"found more than {HIGHEST_BORTEZOMIB_MG_PER_M2:g} mg/m2 of bortezomib, which looks like a dose in mg; "
            "divide it by the body surface and write mg/m2",
        )


def lab(row: Row) -> Iterator[tuple[str, str]]:
    """The unit is one of the analyte's, and the value possible in it."""
    analyte, value, unit = row["analyte"], row["value"], row["unit"]
    if not isinstance(value, float) or not isinstance(unit, str) or not isinstance(analyte, str):
        return
    if unit not in UNITS_OF[analyte]:
        yield "unit", f"found a unit of another analyte; {analyte} takes {', '.join(UNITS_OF[analyte])}"
    elif analyte == "csf_protein" and not LOWEST_PROTEIN_MG_DL <= value * MG_DL_IN[unit] <= HIGHEST_PROTEIN_MG_DL:
        yield "value", "found a CSF protein outside 0.05 to 10 g/L; check the value and its unit"
    elif analyte == "csf_white_cells" and value > HIGHEST_CELLS_PER_UL:
        yield "value", f"found more than {HIGHEST_CELLS_PER_UL:.0f} cells per microlitre; check the value and its unit"


def ends_after_start(start: str, end: str) -> Check:
    """The day in the column ``end`` is not before the one in ``start``."""

    def check(row: Row) -> Iterator[tuple[str, str]]:
        started, ended = row[start], row.get(end)
        if isinstance(started, str) and isinstance(ended, str) and ended < started:
            yield end, f"found a day before {start}; correct one of them"

    return check


CHECKS: Mapping[str, Check] = {
    "courses": ends_after_start("started_on", "discontinued_on"),
    "doses": dose,
    "labs": lab,
    "treatments": ends_after_start("started_on", "stopped_on"),
}
"""Kinds whose rows are checked as a whole; of the others each cell stands alone."""
