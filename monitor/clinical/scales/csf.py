"""Cerebrospinal fluid: protein by age and white cells.

Sources: EAN/PNS 2021 guideline for CIDP (protein above 0.5 g/L under 50 years, above 0.6 g/L from 50); Asbury and
Brighton criteria for GBS (cells up to 10 per microlitre compatible, above 50 doubtful). The values are in the policy.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from monitor.clinical.clauses import Csf
from monitor.said import Said, joined, say

AGE_OF_HIGHER_LIMIT = 50
CONFOUNDERS = say("diabetes, age, spinal stenosis, a high serum paraprotein and a traumatic tap also raise it")
LOOK_FURTHER = say("compatible with Guillain-Barré syndrome, but look for infection and leptomeningeal disease")
EARLY = say("normal protein in the first week does not exclude a Guillain-Barré syndrome")
ARGUES_AGAINST = say("so many cells argue against it: look for infection or leptomeningeal disease")

Dissociation = Literal["present", "absent", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CsfReading:
    """One tap against its limits. ``raised`` and ``clearly_raised`` speak of protein, None where it was not measured."""

    protein_mg_dl: float | None
    cells_per_ul: float | None
    limit_mg_dl: float
    age_known: bool
    raised: bool | None
    clearly_raised: bool | None
    dissociation: Dissociation
    argues_against: bool
    look_further: bool  # raised protein beside more cells than are compatible, too few to argue against


def age_on(birth_on: date | None, day: date) -> int | None:
    """Whole years on ``day``; None where the birth date is not recorded."""
    if birth_on is None:
        return None
    return day.year - birth_on.year - ((day.month, day.day) < (birth_on.month, birth_on.day))


def read_csf(*, protein_mg_dl: float | None, cells_per_ul: float | None, age: int | None, limits: Csf) -> CsfReading:
    """A tap against the limits for that age; where the age is not known, the higher limit, which says less.

    Dissociation is raised protein beside compatible cells: without a cell count it is unknown.
    """
    younger = age is not None and age < AGE_OF_HIGHER_LIMIT
    limit = limits.raised_protein_mg_dl_under_50 if younger else limits.raised_protein_mg_dl_from_50
    raised = None if protein_mg_dl is None else protein_mg_dl > limit
    dissociation: Dissociation = "absent"
    if raised is None or (raised and cells_per_ul is None):
        dissociation = "unknown"
    elif raised and cells_per_ul is not None and cells_per_ul <= limits.compatible_cells_per_ul:
        dissociation = "present"
    many = cells_per_ul is not None and cells_per_ul > limits.argue_against_cells_per_ul
    return CsfReading(
        protein_mg_dl=protein_mg_dl,
        cells_per_ul=cells_per_ul,
        limit_mg_dl=limit,
        age_known=age is not None,
        raised=raised,
        clearly_raised=None if protein_mg_dl is None else protein_mg_dl >= limits.clearly_raised_protein_mg_dl,
        dissociation=dissociation,
        argues_against=many,
        look_further=bool(raised) and dissociation == "absent" and not many,
    )


def written_protein(protein_mg_dl: float) -> Said:
    """Protein in both units in use.

    >>> written_protein(133)
    '133 mg/dL (1.33 g/L)'
    """
    return say("{mg_dl:g} mg/dL ({g_l:.2f} g/L)", mg_dl=float(protein_mg_dl), g_l=protein_mg_dl / 100)


def csf_text(reading: CsfReading, on: date) -> str:
    """The tap in one sentence with its limits, its confounders and what it does not exclude."""
    if reading.cells_per_ul is None:
        cells = say("cells not recorded with it")
    else:
        cells = say("{cells:g} cells/µL", cells=float(reading.cells_per_ul))
    further = [ARGUES_AGAINST] if reading.argues_against else [LOOK_FURTHER] if reading.look_further else []
    limit = say("raised is above {protein}", protein=written_protein(reading.limit_mg_dl))
    if not reading.age_known:
        limit = say("{limit}, age not recorded", limit=limit)
    found = joined(", ", (_protein_text(reading, on), cells))
    return joined("; ", (found, *further, limit, CONFOUNDERS if reading.raised else EARLY))


def _protein_text(reading: CsfReading, on: date) -> Said:
    if reading.protein_mg_dl is None:
        return say("CSF protein not recorded")
    protein = written_protein(reading.protein_mg_dl)
    if reading.clearly_raised:
        return say("CSF protein {protein} on {day}: clearly raised", protein=protein, day=on)
    if reading.raised:
        return say("CSF protein {protein} on {day}: raised", protein=protein, day=on)
    return say("CSF protein {protein} on {day}: not raised", protein=protein, day=on)
