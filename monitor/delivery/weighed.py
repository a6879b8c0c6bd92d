"""What is worked out once for all mails about one patient: the course, the turning points, the other guidelines' answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from monitor.clinical.alerts import Alert
from monitor.clinical.history import History
from monitor.clinical.other_guidelines import OtherAnswer, other_answers
from monitor.clinical.policy import Policy
from monitor.clinical.trend import Trend, trend_of
from monitor.clinical.turning import TurningPoint, turning_points


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """``turning`` is by the name of the rule."""

    trend: Trend
    turning: Mapping[str, tuple[TurningPoint, ...]]
    others: tuple[OtherAnswer, ...]


def weigh(history: History, policy: Policy, now: datetime, alerts: Sequence[Alert]) -> Weighed:
    """For the alerts of one patient; ``history`` is as known at ``now``. A few dozen evaluations: once, not for each reader."""
    findings = [alert.finding for alert in alerts]
    return Weighed(
        trend=trend_of(history, policy, now, findings),
        turning={finding.rule: turning_points(history, policy, now, finding) for finding in findings},
        others=other_answers(history, policy, now, findings),
    )
