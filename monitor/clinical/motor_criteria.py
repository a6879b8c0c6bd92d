"""How a motor criterion is put together."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from monitor.clinical.clauses import Clause
from monitor.clinical.comparison import Change, evidence_of
from monitor.clinical.findings import Evidence, Urgency
from monitor.clinical.history import Assessment
from monitor.clinical.motor_picture import MotorCriterion


def not_met(identifier: str, code: str, clause: Clause, text: Callable[[], str]) -> MotorCriterion:
    """A clause that does not hold, with the reason in its text."""
    return MotorCriterion(identifier, False, clause, text, code)


def met(
    identifier: str,
    code: str,
    clause: Clause,
    text: Callable[[], str],
    *,
    said: str,
    seen: Assessment | None,
    began_on: date | None,
    evidence: tuple[Evidence, ...],
    urgency: Urgency,
    severe: bool = False,
    retest: bool = False,
) -> MotorCriterion:
    """A clause that holds."""
    return MotorCriterion(
        identifier,
        True,
        clause,
        text,
        code,
        severe=severe,
        retest=retest,
        urgency=urgency,
        said=said,
        seen=seen,
        began_on=began_on,
        evidence=evidence,
    )


def met_by(
    identifier: str,
    code: str,
    clause: Clause,
    text: Callable[[], str],
    found: Change,
    *,
    said: str,
    urgency: Urgency,
    severe: bool = False,
) -> MotorCriterion:
    """A clause that holds by one change."""
    return met(
        identifier,
        code,
        clause,
        text,
        said=said,
        seen=found.record,
        began_on=found.seen.on,
        evidence=evidence_of(found.newest.record, found.record, found.best.source),
        urgency=urgency,
        severe=severe,
    )


def lowered(criterion: MotorCriterion, clause: Clause, *, same_assessor: bool) -> MotorCriterion:
    """M12: a rated measure that only another assessor saw change asks for a re-test, unless it is immediate."""
    if same_assessor or criterion.urgency is None or criterion.urgency is Urgency.IMMEDIATE:
        return criterion
    return criterion._replace(retest=True, urgency=clause.urgency)
