"""What the motor measures of one patient say at one instant: the shape that several rules read."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from monitor.clinical.clauses import Clause
from monitor.clinical.findings import Criterion, Evidence, Urgency
from monitor.clinical.history import Assessment
from monitor.clinical.strength import Exam
from monitor.clinical.words import MOTOR_CRITERIA
from monitor.said import joined


class MotorCriterion(NamedTuple):
    """One clause of M1-M12, met or not. ``urgency``, ``said``, ``seen`` and ``began_on`` are set where it is met.

    ``code`` is that of docs/clinical.md, empty for a clause without one. ``severe``: one of M1-M6, within their windows.
    ``retest``: noise is likely (one limb, another assessor), so it never asks for more than a second look.
    A tuple, and ``text`` put in words only when ``criterion`` is asked for, because fourteen of them are made for every
    new fact of every patient.
    """

    id: str
    met: bool
    clause: Clause
    text: Callable[[], str]
    code: str
    severe: bool = False
    retest: bool = False
    urgency: Urgency | None = None
    said: str = ""  # the change in a few words, with its dates, for a headline
    seen: Assessment | None = None  # where the decline was seen
    began_on: date | None = None  # when the present state was first recorded
    evidence: tuple[Evidence, ...] = ()

    @property
    def criterion(self) -> Criterion:
        return Criterion(id=self.id, met=self.met, text=self.text(), source=source_of(self.clause))


@dataclass(frozen=True, slots=True, kw_only=True)
class MotorPicture:
    """Every motor criterion in the order M1 to M12, and what was not recorded.

    ``after_stop``: those met by what came after the last dose alone, compared with the values in force at it.
    ``newest``: the assessments at the newest instant at which anything was recorded. ``exam``: the newest of muscle power.
    """

    criteria: tuple[MotorCriterion, ...]
    after_stop: tuple[MotorCriterion, ...]
    missing: tuple[str, ...]
    newest: tuple[Assessment, ...]
    exam: Exam | None

    @property
    def met(self) -> tuple[MotorCriterion, ...]:
        return tuple(each for each in self.criteria if each.met)

    @property
    def severe(self) -> tuple[MotorCriterion, ...]:
        """Those of M1-M6 that are met and no mere re-test."""
        return tuple(each for each in self.criteria if each.severe and each.met and not each.retest)


def named(criteria: Iterable[MotorCriterion]) -> str:
    """Some of them in a sentence: "loss of walking, severe motor grade"."""
    return joined(", ", (MOTOR_CRITERIA[each.id] for each in criteria))


def source_of(clause: Clause) -> str:
    """The citation with its confidence mark."""
    return f"{clause.source} [{clause.confidence}]"


def most_urgent(criteria: tuple[MotorCriterion, ...]) -> MotorCriterion | None:
    """The most urgent of the met ones, the first of equals; None where none is met."""
    met = [each for each in criteria if each.urgency is not None]
    return max(met, key=lambda each: each.urgency.rank if each.urgency else -1, default=None)
