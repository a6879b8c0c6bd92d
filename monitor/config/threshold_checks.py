"""What a shape cannot say about thresholds: numbers out of range, clauses that overlap, contradict or leave a gap.

The relations themselves are in ``threshold_tables``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

from monitor.clinical.findings import Urgency
from monitor.clinical.policy import Thresholds
from monitor.config.problems import Problem
from monitor.config.threshold_tables import COVERS, LADDER, NEIGHBOURS, ORDERS, RANGES, SPANS
from monitor.config.yaml_source import Document, Loc


def check_thresholds(thresholds: Thresholds, document: Document) -> list[Problem]:
    """All that is wrong with the numbers, each at its line. Empty for thresholds that can be used."""
    checks = (_ranges, _orders, _spans, _ladder, _neighbours, _covers)
    return [problem for check in checks for problem in check(thresholds, document)]


def leaves(value: object, loc: Loc = ()) -> Iterator[tuple[Loc, object]]:
    """Every (place, value) below a dataclass that is not itself a dataclass."""
    if dataclasses.is_dataclass(value):
        for each in dataclasses.fields(value):
            yield from leaves(getattr(value, each.name), (*loc, each.name))
    else:
        yield loc, value


def is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _ranges(thresholds: Thresholds, document: Document) -> Iterator[Problem]:
    for loc, value in leaves(thresholds):
        if isinstance(value, str) and not value.strip():
            yield document.at(loc, "out-of-range", f"{loc[-1]} must not be empty")
        if isinstance(value, (int, float)) and is_number(value):
            low, high = RANGES[str(loc[-1])]
            if not low <= value <= high:
                yield document.at(loc, "out-of-range", f"{loc[-1]} must be from {low} to {high}, not {value}")


def _orders(thresholds: Thresholds, document: Document) -> Iterator[Problem]:
    for order in ORDERS:
        high, low = _value(thresholds, order.high), _value(thresholds, order.low)
        # always_at_grade may be left out
        if high is None or low is None or high > low or (order.or_equal and high == low):
            continue
        must = "must be at least" if order.or_equal else "must be more than"
        message = f"{order.high} ({high}) {must} {order.low} ({low}): {order.why}"
        yield document.at(_loc(order.high), "threshold-contradiction", message)


def _spans(thresholds: Thresholds, document: Document) -> Iterator[Problem]:
    for span in SPANS:
        first, last = _value(thresholds, f"{span}.from_day"), _value(thresholds, f"{span}.to_day")
        if last < first:
            message = f"{span}.to_day ({last}) must not be before from_day ({first}): no day would be left"
            yield document.at(_loc(f"{span}.to_day"), "threshold-contradiction", message)


def _ladder(thresholds: Thresholds, document: Document) -> Iterator[Problem]:
    for worse, milder in LADDER:
        high, low = Urgency(_value(thresholds, worse)), Urgency(_value(thresholds, milder))
        if high.rank < low.rank:
            message = f"{worse} ({high}) must not be less urgent than {milder} ({low}): it is the worse of the two"
            yield document.at(_loc(worse), "threshold-contradiction", message)


def _neighbours(thresholds: Thresholds, document: Document) -> Iterator[Problem]:
    for earlier, later, step in NEIGHBOURS:
        expected, found = _value(thresholds, earlier) + step, _value(thresholds, later)
        if found == expected:
            continue
        code = "threshold-overlap" if found < expected else "threshold-gap"
        what = "belong to both clauses" if found < expected else "belong to neither clause"
        first, last = min(found, expected) + 1 - step, max(found, expected) - step
        days = f"day {first}" if first == last else f"days {first} to {last}"
        message = f"{later} must be {expected}, not {found}: {days} would {what}"
        yield document.at(_loc(later), code, message, suggestion=str(expected))


def _covers(thresholds: Thresholds, document: Document) -> Iterator[Problem]:
    for outer, inner in COVERS:
        for end, sign in (("from_day", 1), ("to_day", -1)):
            wide, narrow = _value(thresholds, f"{outer}.{end}"), _value(thresholds, f"{inner}.{end}")
            if sign * wide > sign * narrow:
                message = (
                    f"{outer}.{end} ({wide}) leaves out days of {inner} ({narrow}), where the milder clause would answer alone"
                )
                yield document.at(_loc(f"{outer}.{end}"), "threshold-gap", message)


def _loc(path: str) -> Loc:
    return tuple(path.split("."))


def _value(thresholds: Thresholds, path: str) -> Any:
    value: Any = thresholds
    for name in path.split("."):
        value = getattr(value, name)
    return value
