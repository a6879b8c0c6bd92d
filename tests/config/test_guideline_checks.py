"""Dose tables: the shipped ones are complete, and a table that leaves a grade unanswered is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.config.policy_files import read_guideline, shipped_guidelines

TABLE = """\
name: own
title: Our own table
version: "1"
citation: nobody
ladder_mg_per_m2: [1.3, 1.0, 0.7]
rows:
  - {grade: 1, pain: false, options: [{do: none}], text: a, source: s, confidence: J}
  - {grade: 1, pain: true, options: [{do: reduce-to, dose_mg_per_m2: 1.0}], text: b, source: s, confidence: J}
  - {grade: 2, pain: false, options: [{do: reduce-to, dose_mg_per_m2: 1.0}], text: c, source: s, confidence: J}
  - {grade: 2, pain: true, options: [{do: withhold, restart_dose_mg_per_m2: 0.7}], text: d, source: s, confidence: J}
  - {grade: 3, pain: false, options: [{do: withhold, restart_dose_mg_per_m2: 0.7}], text: e, source: s, confidence: J}
  - {grade: 3, pain: true, options: [{do: withhold, restart_dose_mg_per_m2: 0.7}], text: f, source: s, confidence: J}
  - {grade: 4, pain: false, options: [{do: discontinue}], text: g, source: s, confidence: J}
  - {grade: 4, pain: true, options: [{do: discontinue}], text: h, source: s, confidence: J}
"""


def _codes(folder: Path, *exchanges: tuple[str, str]) -> list[tuple[int, str]]:
    text = TABLE
    for old, new in exchanges:
        assert old in text, old
        text = text.replace(old, new, 1)
    path = folder / "own.yaml"
    path.write_text(text, encoding="utf-8")
    return sorted((problem.line, problem.code) for problem in read_guideline(path).problems)


@pytest.mark.parametrize("name", ["eu-smpc", "imwg-2012", "us-label"])
def test_given_a_shipped_table_when_read_then_it_is_clean_and_bears_its_name(name: str) -> None:
    read = read_guideline(shipped_guidelines()[name])
    assert read.problems == ()
    assert read.value is not None
    assert read.value.name == name


def test_given_a_complete_table_when_read_then_it_is_clean(tmp_path: Path) -> None:
    assert _codes(tmp_path) == []


@pytest.mark.parametrize(
    ("exchange", "told"),
    [
        (("grade: 3, pain: true", "grade: 3, pain: false"), [(6, "threshold-gap"), (12, "threshold-overlap")]),
        (("grade: 4, pain: true", "grade: 5, pain: true"), [(6, "threshold-gap"), (14, "out-of-range")]),
        (("[1.3, 1.0, 0.7]", "[1.3, 0.7, 1.0]"), [(5, "threshold-contradiction")]),
        (("[1.3, 1.0, 0.7]", "[1.3, 1.3, 1.0, 0.7]"), [(5, "threshold-contradiction")]),
        (("[1.3, 1.0, 0.7]", "[13, 1.0, 0.7]"), [(5, "out-of-range")]),
        (("dose_mg_per_m2: 1.0", "dose_mg_per_m2: 1.1"), [(8, "threshold-contradiction")]),
        (("restart_dose_mg_per_m2: 0.7", "restart_dose_mg_per_m2: 0.5"), [(10, "threshold-contradiction")]),
        (("{do: reduce-to, dose_mg_per_m2: 1.0}", "{do: reduce-to}"), [(8, "missing-key")]),
        (("{do: none}", "{do: none, dose_mg_per_m2: 1.0}"), [(7, "threshold-contradiction")]),
        (("{do: discontinue}", "{do: discontinue, restart_schedule: weekly}"), [(13, "threshold-contradiction")]),
        (("[{do: none}]", "[]"), [(7, "threshold-gap")]),
        (("{do: none}", "{do: none, only_when: weekly}"), [(7, "threshold-gap")]),
        (("{do: none}", "{do: none, only_when: weekly}, {do: none, only_when: twice-weekly}"), []),
        (("[{do: discontinue}], text: g", "[{do: none}], text: g"), [(13, "threshold-contradiction")]),
        (("pain: true", "pain: 1"), [(8, "wrong-type")]),
        (("do: none", "do: nothing"), [(7, "wrong-value")]),
        (("title:", "titel:"), [(2, "unknown-key")]),
        (("rows:", "row:"), [(6, "unknown-key")]),
    ],
)
def test_given_a_table_with_a_mistake_when_read_then_its_line_is_told(
    tmp_path: Path, exchange: tuple[str, str], told: list[tuple[int, str]]
) -> None:
    assert _codes(tmp_path, exchange) == told


def test_given_an_empty_ladder_when_read_then_that_is_told_too(tmp_path: Path) -> None:
    assert (5, "out-of-range") in _codes(tmp_path, ("[1.3, 1.0, 0.7]", "[]"))
