"""The file that says how FHIR is read: the shipped one holds, and each mistake in a site's own is told with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.config.problems import InvalidConfigError, Problem
from monitor.service.fhir_file import fhir_mapping, load_fhir
from monitor.shipped import shipped

SHIPPED = shipped("config") / "fhir.yaml"


def problems(folder: Path, old: str, new: str) -> list[Problem]:
    """What is wrong with a copy of the shipped file in which ``old`` was replaced once."""
    text = SHIPPED.read_text(encoding="utf-8")
    assert old in text
    path = folder / "own.yaml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(InvalidConfigError) as raised:
        load_fhir(path)
    return list(raised.value.problems)


def test_given_the_shipped_file_when_loaded_then_it_has_no_mistake() -> None:
    assert load_fhir(SHIPPED).medications.drugs["bortezomib"]


def test_given_the_shipped_file_when_read_then_most_lines_of_codes_say_where_they_are_from() -> None:
    lines = [line for line in SHIPPED.read_text(encoding="utf-8").splitlines() if "|" in line and "local|" not in line]
    unmarked = [line for line in lines if not any(f"# {mark}" in line for mark in ("V", "M", "J", "Codes"))]
    assert [line for line in unmarked if not line.startswith("#")] == []


@pytest.mark.parametrize(
    ("old", "new", "code", "suggestion"),
    [
        ("rxnorm|358258 ", "rxnrom|358258 ", "unknown-system", "rxnorm"),
        ("rxnorm|358258 ", "358258 ", "wrong-type", None),
        ("rxnorm|358258 ", "'rxnorm|' ", "bad-code", None),
        ("  walking:\n", "  walkin:\n", "unknown-key", "walking"),
        ("    deltoid:\n", "    deltoids:\n", "unknown-key", "deltoid"),
        ("      bedbound:", "      bedbond:", "unknown-key", "bedbound"),
        ("  pain_nrs:\n", "  pain_vas:\n", "unknown-key", "pain_nrs"),
        ("examination: same-time", "examination: sametime", "wrong-value", "same-time"),
        ("surface_within_days: 30", "surface_within_days: 3000", "out-of-range", None),
        ("atc|L01XG02 ", "atc|L01XG01 ", "duplicate-code", None),
        ("  names: false", "  name: false", "unknown-key", "names"),
        ("      g/L: [g/L]", "      g/dL: [g/L]", "unknown-key", "mg/dL"),
    ],
)
def test_given_a_mistake_when_loaded_then_it_is_told_with_its_place(
    old: str, new: str, code: str, suggestion: str | None, tmp_path: Path
) -> None:
    (problem,) = problems(tmp_path, old, new)
    line = SHIPPED.read_text(encoding="utf-8").split(old)[0].count("\n") + 1
    assert (problem.code, problem.suggestion) == (code, suggestion)
    assert problem.line == line


def test_given_a_file_that_changes_when_asked_again_then_it_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(SHIPPED.read_text(encoding="utf-8"), encoding="utf-8")
    assert fhir_mapping(path) is fhir_mapping(path)
    path.write_text("systems: {}\n", encoding="utf-8")
    with pytest.raises(InvalidConfigError):
        fhir_mapping(path)
