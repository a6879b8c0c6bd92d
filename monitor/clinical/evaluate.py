"""All that the rules say about one patient at one instant."""

from __future__ import annotations

from datetime import datetime

from monitor.clinical.advice_fold import with_advice
from monitor.clinical.days import earliest, start_of_day
from monitor.clinical.findings import Review, RuleAnswer
from monitor.clinical.history import History
from monitor.clinical.motor_decline import with_motor
from monitor.clinical.policy import Policy
from monitor.clinical.rules import RULES, assessment_overdue
from monitor.clinical.situation import situate

_ORDER = {name: place for place, name in enumerate(RULES)}


def evaluate(history: History, policy: Policy, now: datetime, *, explain: bool = True) -> Review:
    """Findings at ``now``, most urgent first, from what was known then; empty for a patient who is not watched.

    Without ``explain`` the same is found, yet a rule that finds nothing puts none of its criteria in words.
    ``look_again_at`` is the next instant at which time alone may change them: nothing new need be stored for it.
    """
    known = history.as_known_at(now)
    today = now.astimezone(policy.zone).date()
    next_day = known.next_day_after(today)
    ahead = earliest(history.next_known_after(now), start_of_day(next_day, policy.zone) if next_day else None)
    situation = situate(known, policy, now, explain=explain)
    if situation is None:
        return Review(findings=(), look_again_at=ahead)
    situation = with_advice(with_motor(situation))
    answers = {name: answer(situation) for name, answer in RULES.items() if name != assessment_overdue.NAME}
    found = tuple(answer.finding for answer in answers.values() if answer.finding is not None)
    answers[assessment_overdue.NAME] = assessment_overdue.answer(situation, found)
    in_order = tuple(answers[name] for name in RULES)
    return Review(
        findings=tuple(
            sorted(
                (answer.finding for answer in in_order if answer.finding is not None),
                key=lambda finding: (-finding.urgency.rank, _ORDER[finding.rule]),
            )
        ),
        look_again_at=_soonest(now, ahead, situation.look_again_at, in_order),
        answers=in_order,
    )


def _soonest(
    now: datetime, ahead: datetime | None, status_at: datetime | None, answers: tuple[RuleAnswer, ...]
) -> datetime | None:
    instants = [ahead, status_at, *(answer.look_again_at for answer in answers)]
    return min((instant for instant in instants if instant is not None and instant > now), default=None)
