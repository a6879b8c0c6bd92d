"""What is worked out once for all mails about one patient: the course, the turning points, the other guidelines' answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from monitor.clinical.alerts import Alert
from monitor.clinical.findings import Finding
from monitor.clinical.history import History
from monitor.clinical.other_guidelines import OtherAnswer, other_answers
from monitor.clinical.policy import Policy
from monitor.clinical.trend import Trend, trend_of
from monitor.clinical.turning import TurningPoint, turning_points
from monitor.delivery.course import ROWS, trend_rows
from monitor.delivery.facts import TrendRow
from monitor.delivery.left_out import or_without


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """``turning`` is by the name of the rule. What could not be worked out is None, and has no entry in ``turning``."""

    trend: Trend | None
    turning: Mapping[str, tuple[TurningPoint, ...]]
    others: tuple[OtherAnswer, ...]


def weigh(history: History, policy: Policy, now: datetime, alerts: Sequence[Alert]) -> Weighed:
    """For the alerts of one patient; ``history`` is as known at ``now``. A few dozen evaluations: once, not for each reader.

    Never raises: an alert is told whatever becomes of this.
    """
    findings = [alert.finding for alert in alerts]

    def turned(finding: Finding) -> tuple[TurningPoint, ...] | None:
        return or_without("turning points", lambda: turning_points(history, policy, now, finding), None)

    tried = {finding.rule: turned(finding) for finding in findings}
    return Weighed(
        trend=or_without("course", lambda: trend_of(history, policy, now, findings), None),
        turning={rule: points for rule, points in tried.items() if points is not None},
        others=or_without("other guidelines", lambda: other_answers(history, policy, now, findings), ()),
    )


def rows_of(weighed: Weighed, *, at_most: int = ROWS) -> tuple[tuple[TrendRow, ...], str | None]:
    """``trend_rows`` of the course; none where it could not be worked out."""
    nothing: tuple[tuple[TrendRow, ...], str | None] = ((), None)
    trend = weighed.trend
    return nothing if trend is None else or_without("table of the course", lambda: trend_rows(trend, at_most=at_most), nothing)
