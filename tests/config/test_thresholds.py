"""Thresholds: the shipped ones are those of the reference, and what contradicts is refused at its line."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.clinical.findings import Urgency
from monitor.clinical.policy import Thresholds
from monitor.config.policy_files import read_thresholds, shipped_policy
from monitor.config.threshold_tables import COVERS, LADDER, NEIGHBOURS, ORDERS, RANGES, SPANS
from tests.config.files import line_of, policy_file, policy_problems


def _shipped() -> Thresholds:
    value = read_thresholds(shipped_policy()).value
    assert value is not None
    return value


def _leaves(value: object, path: str = "") -> Iterator[tuple[str, object]]:
    if dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield from _leaves(getattr(value, field.name), f"{path}.{field.name}".lstrip("."))
    else:
        yield path, value


def test_given_the_shipped_thresholds_when_read_then_they_are_clean() -> None:
    assert read_thresholds(shipped_policy()).problems == ()


def test_given_every_clause_when_read_then_it_has_a_source_and_says_what_is_judgement() -> None:
    for path, value in _leaves(_shipped()):
        if path.endswith(".confidence"):
            assert re.match(r"(V|V2|M|C|J)($|:)", str(value)), path
        if path.endswith(".source"):
            assert len(str(value)) > 5, path


def test_given_every_number_when_looked_up_then_it_has_a_range() -> None:
    numbers = [path for path, value in _leaves(_shipped()) if isinstance(value, (int, float)) and not isinstance(value, bool)]
    assert len(numbers) > 80
    assert {path.rpartition(".")[2] for path in numbers} == RANGES.keys()


def test_given_the_tables_of_relations_when_looked_up_then_every_path_exists() -> None:
    leaves = dict(_leaves(_shipped()))
    named = [path for order in ORDERS for path in (order.high, order.low)]
    named += [path for pair in LADDER for path in pair] + [path for each in NEIGHBOURS for path in (each.earlier, each.later)]
    named += [f"{span}.{end}" for span in (*SPANS, *(span for pair in COVERS for span in pair)) for end in ("from_day", "to_day")]
    assert set(named) <= leaves.keys()
    assert all(isinstance(leaves[path], Urgency) for pair in LADDER for path in pair)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("drug_status.off_after_days_without_dose", 21),
        ("drug_status.watch_after_stop_days", 365),
        ("motor.loss_of_walking.within_days", 28),
        ("motor.loss_of_walking.urgency", Urgency.IMMEDIATE),
        ("motor.loss_of_walking_undated.within_days", 365),
        ("motor.loss_of_walking_undated.urgency", Urgency.SAME_DAY),
        ("motor.muscle_fall.within_days", 14),
        ("motor.sum_fall.points", 6),
        ("motor.motor_grade_severe.always_at_grade", 4),
        ("motor.moderate_fall.points", 4),
        ("motor.grip_fall.fall_kpa", 8.0),
        ("motor.grip_fall.urgency_alone", Urgency.REVIEW),
        ("motor.small_fall.within_days", 56),
        ("motor.small_fall.repeat_within_days", 7),
        ("after_discontinuation.motor.to_day", 180),
        ("after_discontinuation.sensory_early.to_day", 42),
        ("after_discontinuation.sensory_early.urgency", Urgency.REVIEW),
        ("after_discontinuation.sensory_late.from_day", 43),
        ("after_discontinuation.sensory_marked.reaching_nrs", 7),
        ("after_discontinuation.not_recovering.after_days", 120),
        ("relapse.early.onset_days", 56),
        ("relapse.early.urgency", Urgency.IMMEDIATE),
        ("relapse.late.urgency", Urgency.SAME_DAY),
        ("relapse.steroid_taper.after_stop_days", 90),
        ("relapse.after_plasma_exchange.within_days", 14),
        ("immune.cumulative_mg_per_m2", 13.0),
        ("immune.with_severe_motor", Urgency.IMMEDIATE),
        ("immune.csf.raised_protein_mg_dl_from_50", 60.0),
        ("immune.csf.compatible_cells_per_ul", 10.0),
        ("autonomic.severe.systolic_below_mmhg", 90),
        ("autonomic.orthostatic.fall_systolic_if_supine_hypertension_mmhg", 30),
        ("overdue.on_drug.beyond_cycle_days", 7),
        ("overdue.affected.more_than_days", 14),
        ("overdue.after_event.after_immediate_days", 3),
        ("overdue.after_stop.late_days", 90),
        ("dose.urgency_known_baseline", Urgency.REVIEW),
        ("dose.urgency_ask", Urgency.SAME_DAY),
        ("dose.resolved.at_most_grade", 1),
        ("dose.resolved.pain_absent", True),
        ("dose.resolved.apart_days", 7),
        ("conflict.suspect_cells_per_ul", 106.0),
    ],
)
def test_given_the_shipped_thresholds_when_read_then_they_are_those_of_the_reference(path: str, value: object) -> None:
    assert dict(_leaves(_shipped()))[path] == value


LATE = "onset_days: {}\n    disability: 1\n    points: 6\n    urgency: same-day"
SUM_FALL = "points: {}\n    urgency: immediate\n    source: Kleyweg"
MOTOR_AFTER_STOP = "to_day: {}\n    urgency: same-day\n    source: Jeter & Kang 2012"
CONTRADICTION, GAP, OVERLAP = "threshold-contradiction", "threshold-gap", "threshold-overlap"


@pytest.mark.parametrize(
    ("written", "shipped", "changed", "code"),
    [
        ("full_grades: {}", 2, 1, CONTRADICTION),
        (SUM_FALL, 6, 4, CONTRADICTION),
        ("reaching_grade: {}", 3, 2, CONTRADICTION),
        ("always_at_grade: {}", 4, 2, CONTRADICTION),
        ("within_days: {}", 365, 28, CONTRADICTION),
        ("from_day: {}", 43, 42, OVERLAP),
        ("from_day: {}", 43, 50, GAP),
        (LATE, 56, 70, GAP),
        (LATE, 56, 40, OVERLAP),
        (MOTOR_AFTER_STOP, 180, 170, CONTRADICTION),
        ("watch_after_stop_days: {}", 365, 120, CONTRADICTION),
        ("clearly_raised_protein_mg_dl: {}", 100.0, 55.0, CONTRADICTION),
        ("raised_protein_mg_dl_from_50: {}", 60.0, 45.0, CONTRADICTION),
        ("argue_against_cells_per_ul: {}", 50.0, 5.0, CONTRADICTION),
        ("late_days: {}", 90, 20, CONTRADICTION),
        ("after_same_day_days: {}", 7, 2, CONTRADICTION),
        ("with_severe_motor: {}", "immediate", "review", CONTRADICTION),
        ("urgency_discontinue: {}", "same-day", "review", CONTRADICTION),
        ("assessments_then: {}", 2, 0, "out-of-range"),
        ("fall_systolic_if_supine_hypertension_mmhg: {}", 30, 15, CONTRADICTION),
    ],
)
def test_given_thresholds_that_contradict_when_read_then_the_line_is_told(
    tmp_path: Path, written: str, shipped: object, changed: object, code: str
) -> None:
    before = shipped_policy().read_text(encoding="utf-8")
    line = before[: before.index(written.format(shipped))].count("\n") + 1
    problems = policy_problems(tmp_path, (written.format(shipped), written.format(changed)))
    assert {problem.code for problem in problems} == {code}
    assert line in {problem.line for problem in problems}


def test_given_a_marked_worsening_that_leaves_out_days_when_read_then_the_gap_is_told(tmp_path: Path) -> None:
    marked = "from_day: 1\n    to_day: 180\n    rise: 2"
    problems = policy_problems(tmp_path, (marked, "from_day: 10\n    to_day: 100\n    rise: 2"))
    assert [problem.code for problem in problems] == ["threshold-gap", "threshold-gap"]


def test_given_a_span_that_ends_before_it_begins_when_read_then_it_is_told(tmp_path: Path) -> None:
    problems = policy_problems(tmp_path, ("from_day: 43\n    to_day: 180", "from_day: 43\n    to_day: 42"))
    assert [problem.code for problem in problems] == ["threshold-contradiction"]


@pytest.mark.parametrize("low", sorted({low for pair in LADDER for low in pair[1:]}))
def test_given_a_milder_clause_made_immediate_when_read_then_the_ladder_is_told(tmp_path: Path, low: str) -> None:
    shipped = dict(_leaves(_shipped()))
    worse = [high for high, milder in LADDER if milder == low and shipped[high] != Urgency.IMMEDIATE]
    lines = shipped_policy().read_text(encoding="utf-8").splitlines(keepends=True)
    read = read_thresholds(_with_urgency(tmp_path, lines, low))
    told = [problem for problem in read.problems if problem.code == "threshold-contradiction"]
    assert len(told) >= len(worse)
    assert bool(told) is bool(worse)


def _with_urgency(folder: Path, lines: list[str], path: str) -> Path:
    """The policy with the urgency at ``path`` made immediate."""
    start = 0
    for depth, name in enumerate(path.split(".")):
        start = next(number for number in range(start, len(lines)) if lines[number].startswith(f"{'  ' * depth}{name}:"))
    changed = re.sub(r": (review|same-day|immediate)", ": immediate", lines[start])
    target = folder / "thresholds.yaml"
    target.write_text("".join([*lines[:start], changed, *lines[start + 1 :]]), encoding="utf-8")
    return target


@pytest.mark.parametrize(
    ("exchange", "code", "suggestion"),
    [
        (("points: 6", "points: true"), "wrong-type", None),
        (("fall_kpa: 8.0", "fall_kpa: true"), "wrong-type", None),
        (("pain_absent: true", "pain_absent: 1"), "wrong-type", None),
        (("pain_absent: true", "pain_absent: yes"), "wrong-type", "true"),
        (("fall_kpa: 8.0", "fall_kpa: 8,0"), "wrong-type", "8.0"),
        (("within_days: 28", "within_days: 28 d"), "wrong-type", "28"),
        (("points: 6", "points: 6.0"), "wrong-type", None),
        (("points: 6", "points: '6'"), "wrong-type", None),
        (("points: 6", "points:"), "wrong-type", None),
        (("points: 6", "points: 61"), "out-of-range", None),
        (("points: 6", "point: 6"), "unknown-key", "points"),
        (('version: "2026.11"', "version: 1.0"), "wrong-type", None),
        (('version: "2026.11"', 'version: ""'), "out-of-range", None),
        (("urgency: immediate", "urgency: imediate"), "wrong-value", "immediate"),
        (("urgency: immediate", "urgency: red"), "wrong-value", None),
        (("within_days: 28", "within_days: 0"), "out-of-range", None),
        (("within_days: 28", "within_days: -28"), "out-of-range", None),
        (("tolerance_mg_per_m2: 0.05", "tolerance_mg_per_m2: 0.3"), "out-of-range", None),
    ],
)
def test_given_a_value_of_the_wrong_kind_when_read_then_exactly_it_is_told(
    tmp_path: Path, exchange: tuple[str, str], code: str, suggestion: str | None
) -> None:
    (problem,) = policy_problems(tmp_path, exchange)
    assert (problem.code, problem.suggestion) == (code, suggestion)
    assert problem.line == line_of(tmp_path / "thresholds.yaml", exchange[1])


def test_given_a_whole_number_where_a_fraction_may_stand_when_read_then_it_is_taken(tmp_path: Path) -> None:
    assert read_thresholds(policy_file(tmp_path, ("fall_kpa: 8.0", "fall_kpa: 8"))).problems == ()


def test_given_a_misspelt_urgency_and_a_contradiction_when_read_then_both_are_told(tmp_path: Path) -> None:
    problems = policy_problems(tmp_path, ("urgency: immediate", "urgency: imediate"), ("from_day: 43", "from_day: 50"))
    assert [problem.code for problem in problems] == ["wrong-value", "threshold-gap"]
