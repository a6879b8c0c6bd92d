"""What a shape cannot say about thresholds: numbers out of range, clauses that overlap, contradict or leave a gap.

The relations themselves are in ``threshold_tables``. A number that is missing or of the wrong kind is passed over here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from monitor.clinical.findings import Urgency
from monitor.config.problems import Problem
from monitor.config.threshold_tables import COVERS, LADDER, NEIGHBOURS, ORDERS, RANGES, SPANS
from monitor.config.yaml_source import Document, Loc

_URGENCIES = frozenset(Urgency)


def check_thresholds(document: Document) -> list[Problem]:
    """All that is wrong with the numbers, each at its line. Empty for thresholds that can be used."""
    senseless = list(_ranges(document))
    places = {(problem.line, problem.column) for problem in senseless}
    relations = [problem for check in (_orders, _spans, _ladder, _neighbours, _covers) for problem in check(document)]
    return senseless + [problem for problem in relations if (problem.line, problem.column) not in places]


def _ranges(document: Document) -> Iterator[Problem]:
    for loc, value in _leaves(document.data):
        low, high = RANGES.get(str(loc[-1]), (value, value)) if loc else (value, value)
        if loc and isinstance(value, str) and not value.strip():  # a whole file that is a text is told by its shape
            yield document.at(loc, "out-of-range", f"{loc[-1]} must not be empty")
        if isinstance(value, (int, float)) and not isinstance(value, bool) and not low <= value <= high:
            yield document.at(loc, "out-of-range", f"{loc[-1]} must be from {low} to {high}, not {value}")


def _leaves(value: object, loc: Loc = ()) -> Iterator[tuple[Loc, Any]]:
    if isinstance(value, dict):
        for key, below in value.items():
            yield from _leaves(below, (*loc, key))
    else:
        yield loc, value


def _orders(document: Document) -> Iterator[Problem]:
    for order in ORDERS:
        high, low = _number(document, order.high), _number(document, order.low)
        if high is None or low is None or high > low or (order.or_equal and high == low):
            continue
        must = "must be at least" if order.or_equal else "must be more than"
        message = f"{order.high} ({high}) {must} {order.low} ({low}): {order.why}"
        yield document.at(_loc(order.high), "threshold-contradiction", message)


def _spans(document: Document) -> Iterator[Problem]:
    for span in SPANS:
        first, last = _number(document, f"{span}.from_day"), _number(document, f"{span}.to_day")
        if first is not None and last is not None and last < first:
            message = f"{span}.to_day ({last}) must not be before from_day ({first}): no day would be left"
            yield document.at(_loc(f"{span}.to_day"), "threshold-contradiction", message)


def _ladder(document: Document) -> Iterator[Problem]:
    for worse, milder in LADDER:
        high, low = document.get(_loc(worse), str), document.get(_loc(milder), str)
        if high in _URGENCIES and low in _URGENCIES and Urgency(high).rank < Urgency(low).rank:
            message = f"{worse} ({high}) must not be less urgent than {milder} ({low}): it is the worse of the two"
            yield document.at(_loc(worse), "threshold-contradiction", message)


def _neighbours(document: Document) -> Iterator[Problem]:
    for earlier, later, step in NEIGHBOURS:
        ends, found = document.get(_loc(earlier), int), document.get(_loc(later), int)
        if ends is None or found is None or found == ends + step:
            continue
        expected = ends + step
        code = "threshold-overlap" if found < expected else "threshold-gap"
        what = "belong to both clauses" if found < expected else "belong to neither clause"
        first, last = min(found, expected) + 1 - step, max(found, expected) - step
        days = f"day {first}" if first == last else f"days {first} to {last}"
        message = f"{later} must be {expected}, not {found}: {days} would {what}"
        yield document.at(_loc(later), code, message, suggestion=str(expected))


def _covers(document: Document) -> Iterator[Problem]:
    for outer, inner in COVERS:
        for end, sign in (("from_day", 1), ("to_day", -1)):
            wide, narrow = _number(document, f"{outer}.{end}"), _number(document, f"{inner}.{end}")
            if wide is not None and narrow is not None and sign * wide > sign * narrow:
                message = (
                    f"{outer}.{end} ({wide}) leaves out days of {inner} ({narrow}), where the milder clause would answer alone"
                )
                yield document.at(_loc(f"{outer}.{end}"), "threshold-gap", message)


def _loc(path: str) -> Loc:
    return tuple(path.split("."))


def _number(document: Document, path: str) -> int | float | None:
    whole = document.get(_loc(path), int)
    return whole if whole is not None else document.get(_loc(path), float)
