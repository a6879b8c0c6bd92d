"""Change of one measure from its best value within a window of days, both ends included.

Readings are compared as burdens: the larger, the worse (a power of 4 is the burden -4). The comparison is with the best
value in the window, not merely the previous one, so that a slow leak is seen. A change found once stays found while the
newest value is no better, at most for the window's length: a visit that confirms the loss a day later does not unsay it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from operator import itemgetter
from typing import NamedTuple, TypeVar

from monitor.clinical.findings import Evidence
from monitor.clinical.history import Assessment

Value = TypeVar("Value")


class Reading(NamedTuple):
    """One value of one measure. ``record`` is None for the baseline, which is dated at the first dose.

    ``stand_in``: the assessment before the first dose whose value it is, where none was recorded as baseline.
    """

    burden: float
    on: date
    record: Assessment | None
    stand_in: Assessment | None = None

    @property
    def source(self) -> Assessment | None:
        """The assessment that the value is of."""
        return self.record or self.stand_in


_BURDEN: Callable[[Reading], float] = itemgetter(0)
Enough = Callable[[float, float], bool]
"""Whether (burden now, best burden) is a change that counts; grows with the first, shrinks with the second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """From ``best`` to ``seen``, the reading of ``record`` at which the present state was first recorded.

    ``level``: the least burden from ``seen`` to the ``newest`` reading. ``other_assessor``: no comparison by the same
    assessor shows it.
    """

    best: Reading
    seen: Reading
    newest: Reading
    record: Assessment
    level: float
    other_assessor: bool

    @property
    def days(self) -> int:
        return (self.seen.on - self.best.on).days


def readings(
    assessments: Sequence[Assessment],
    read: Callable[[Assessment], Value | None],
    *,
    first_on: date,
    reach_days: int,
    burden_of: Callable[[Value], float | None],
    back_to: date | None = None,
) -> list[Reading]:
    """Readings of one measure, newest first, from the newest back to ``reach_days`` before it.

    With ``back_to`` at least as far as the newest reading on or before that day. Empty where nothing was recorded on or
    after ``first_on``. Of several records at one instant the worst counts.
    """
    found: list[Reading] = []
    oldest, last_at = first_on, None
    newest_first = assessments[::-1]
    for value, record in zip(map(read, newest_first), newest_first, strict=True):
        if value is None:
            continue
        if record.on < oldest and (back_to is None or not found or found[-1].on <= back_to):
            break
        burden = burden_of(value)
        if burden is None:
            continue
        if record.at == last_at:
            if burden > found[-1].burden:
                found[-1] = Reading(burden, record.on, record)
            continue
        if last_at is None:
            oldest = record.on - timedelta(days=reach_days)
        last_at = record.at
        found.append(Reading(burden, record.on, record))
    return found


def with_baseline(
    found: list[Reading], burden: float | None, first_on: date, reach_days: int, stand_in: Assessment | None = None
) -> list[Reading]:
    """The readings with the baseline among them, dated at the first dose and before its first record."""
    if burden is None or not found or (found[0].on - first_on).days > reach_days:
        return found
    place = next((index for index, reading in enumerate(found) if reading.on < first_on), len(found))
    return [*found[:place], Reading(burden, first_on, None, stand_in), *found[place:]]


def since(found: list[Reading], day: date | None) -> list[Reading]:
    """The readings after ``day`` and the one in force on it: what was worse before is not compared. All for None."""
    if day is None:
        return found
    place = next((index for index, reading in enumerate(found) if reading.on <= day), len(found))
    return found[: place + 1]


def change(found: Sequence[Reading], enough: Enough, *, within_days: int, first_on: date) -> Change | None:
    """The newest change that is ``enough`` within the window, one by the same assessor if there is any, or None."""
    if len(found) < 2 or not enough(found[0].burden, min(map(_BURDEN, found))):
        return None
    return _change(found, enough, within_days, first_on, same_assessor=True) or _change(
        found, enough, within_days, first_on, same_assessor=False
    )


def best_before(found: Sequence[Reading], *, within_days: int) -> Reading | None:
    """The best reading in the window before the newest one, the newer of equals; None where there is none."""
    return _best(found, 0, within_days, same_assessor=False)


def assessors_differ(one: Assessment | None, other: Assessment | None) -> bool:
    """Whether both assessors were recorded and are not the same."""
    if one is None or other is None or one.assessor is None or other.assessor is None:
        return False
    return one.assessor != other.assessor


def evidence_of(*records: Assessment | None) -> tuple[Evidence, ...]:
    """The assessments as evidence, without the Nones, each once, newest first."""
    unique = {record.version: record for record in records if record is not None}
    ordered = sorted(unique.values(), key=lambda record: (record.at, record.version), reverse=True)
    return tuple(Evidence(kind="assessment", id=record.fact_id, version=record.version, at=record.at) for record in ordered)


def _change(found: Sequence[Reading], enough: Enough, within_days: int, first_on: date, *, same_assessor: bool) -> Change | None:
    newest_on = found[0].on
    level = found[0].burden
    for index, seen in enumerate(found):
        if seen.record is None or seen.on < first_on or (newest_on - seen.on).days > within_days:
            return None
        level = min(level, seen.burden)
        best = _best(found, index, within_days, same_assessor=same_assessor)
        if best is not None and enough(level, best.burden):
            first, record = _run_began(found, index, level, first_on, seen.record)
            return Change(best=best, seen=first, newest=found[0], record=record, level=level, other_assessor=not same_assessor)
    return None


def _best(found: Sequence[Reading], index: int, within_days: int, *, same_assessor: bool) -> Reading | None:
    if index >= len(found):
        return None
    seen = found[index]
    oldest = seen.on - timedelta(days=within_days)
    best: Reading | None = None
    for place in range(index + 1, len(found)):
        reading = found[place]
        if reading.on < oldest:
            break
        if best is not None and reading.burden >= best.burden:
            continue
        if same_assessor and assessors_differ(seen.record, reading.source):
            continue
        best = reading
    return best


def _run_began(
    found: Sequence[Reading], index: int, level: float, first_on: date, record: Assessment
) -> tuple[Reading, Assessment]:
    """The first reading, since the first dose, of the unbroken run at ``level`` or worse that holds ``index``."""
    for earlier in found[index + 1 :]:
        if earlier.burden < level or earlier.record is None or earlier.on < first_on:
            break
        index, record = index + 1, earlier.record
    return found[index], record
