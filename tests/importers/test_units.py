"""Every conversion of a unit that is made, every one that is refused, and that the page for importers names them all."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.importers.units import LOST_SUPERSCRIPT, MG_DL_IN, UNITS_OF, unit_from
from monitor.store.units import TO_MG_DL
from tests.importers.reading import read_text

PAGE = Path(__file__).parents[2] / "docs" / "import.md"


def refused(analyte: str, value: str, unit: str) -> bool:
    """Whether an import file's row with this result stays outside."""
    _, rows = read_text("labs.csv", "patient_id,collected_at,analyte,value,unit", f"P-1,2026-01-05,{analyte},{value},{unit}")
    return rows == []


@pytest.mark.parametrize(("unit", "factor"), [("mg/dL", 1.0), ("g/L", 100.0), ("mg/L", 0.1)])
def test_given_a_unit_of_protein_when_converted_then_by_the_factor_that_the_page_names(unit: str, factor: float) -> None:
    assert MG_DL_IN[unit] == TO_MG_DL[unit] == factor


def test_given_the_units_when_listed_then_there_are_no_others() -> None:
    assert UNITS_OF == {"csf_protein": ("mg/dL", "g/L", "mg/L"), "csf_white_cells": ("/uL", "10*6/L", "/mm3")}


@pytest.mark.parametrize(
    ("written", "unit"),
    [
        ("mg/dl", "mg/dL"),
        ("MG/DL", "mg/dL"),
        (" g / l ", "g/L"),
        ("/\u00b5L", "/uL"),
        ("/\u03bcl", "/uL"),
        ("cells/uL", "/uL"),
        ("/mm\u00b3", "/mm3"),
        ("cells/mm3", "/mm3"),
        ("10^6/L", "10*6/L"),
        ("x10^6/L", "10*6/L"),
        ("\u00d7 10^6/L", "10*6/L"),
        ("10\u2076/L", "10*6/L"),
    ],
)
def test_given_a_spelling_that_the_page_names_when_read_then_it_is_that_unit(written: str, unit: str) -> None:
    assert unit_from(written) == unit


@pytest.mark.parametrize(
    "written", ["", "10*9/L", "x10^9/L", "106/L", "x106/L", "mmol/L", "mg%", "mg", "g/dL", "ug/mL", "L", "kg"]
)
def test_given_a_unit_that_is_not_named_when_read_then_it_is_refused_whatever_the_analyte(written: str) -> None:
    assert unit_from(written) is None
    assert refused("csf_protein", "100", written)
    assert refused("csf_white_cells", "2", written)


@pytest.mark.parametrize(
    ("value", "unit", "outside"),
    [
        ("4.9", "mg/dL", True),
        ("5", "mg/dL", False),
        ("1000", "mg/dL", False),
        ("1001", "mg/dL", True),
        ("0.049", "g/L", True),
        ("0.05", "g/L", False),
        ("133", "g/L", True),
        ("49", "mg/L", True),
        ("1330", "mg/L", False),
    ],
)
def test_given_a_protein_when_it_is_outside_of_what_is_possible_in_its_unit_then_it_is_refused(
    value: str, unit: str, outside: bool
) -> None:
    assert refused("csf_protein", value, unit) is outside


@pytest.mark.parametrize(("analyte", "unit"), [("csf_protein", "/uL"), ("csf_white_cells", "mg/dL")])
def test_given_a_unit_of_the_other_analyte_when_read_then_it_is_refused(analyte: str, unit: str) -> None:
    assert refused(analyte, "50", unit)


@pytest.mark.parametrize("value", ["<5", "4-5", "> 1000"])
def test_given_a_comparison_or_a_range_when_read_then_it_is_no_value(value: str) -> None:
    assert refused("csf_white_cells", value, "/uL")


def test_given_the_page_when_read_then_it_names_every_unit_and_what_is_refused() -> None:
    if not PAGE.is_file():
        pytest.skip("the pages are in the checkout, not in the wheel")
    section = PAGE.read_text(encoding="utf-8").split("## Units")[1].split("\n## ")[0]
    for unit, factor in MG_DL_IN.items():
        assert f"| CSF protein | `{unit}` | mg/dL | \u00d7 {factor:g} |" in section
    assert all(f"`{unit}`" in section for units in UNITS_OF.values() for unit in units)
    assert all(f"`{unit.replace('/l', '/L')}`" in section for unit in LOST_SUPERSCRIPT)
