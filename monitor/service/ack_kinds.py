"""What an acknowledgement says was done: one of a few answers, each with what belongs to it.

Stored and given to commands as ``seen``, ``dose-reviewed:held``, ``re-test-booked:2026-03-20``, ``disagree:noise``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal, get_args

from monitor.errors import UsageError
from monitor.said import Said, say

Kind = Literal["seen", "dose-reviewed", "re-test-booked", "disagree"]
Outcome = Literal["held", "reduced", "unchanged"]
Disagreement = Literal["noise", "known-cause", "wrong-data", "rule-too-sensitive", "other"]

OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
DISAGREEMENTS: tuple[Disagreement, ...] = get_args(Disagreement)
RE_TEST_WITHIN = timedelta(days=366)
"""A day further off than this is a slip of the finger (J)."""

_WORDS = {
    "seen": say("seen"),
    "dose-reviewed:held": say("dose reviewed: held"),
    "dose-reviewed:reduced": say("dose reviewed: reduced"),
    "dose-reviewed:unchanged": say("dose reviewed: unchanged"),
    "disagree:noise": say("disagrees: measured differently, not worse"),
    "disagree:known-cause": say("disagrees: another cause is known"),
    "disagree:wrong-data": say("disagrees: the record is wrong"),
    "disagree:rule-too-sensitive": say("disagrees: the rule is too sensitive"),
    "disagree:other": say("disagrees: another reason"),
}
_WRITTEN = (
    "say what was done as seen, dose-reviewed:held (or reduced, unchanged), re-test-booked:2026-03-20, "
    "or disagree:noise (or known-cause, wrong-data, rule-too-sensitive, other)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AckKind:
    """``outcome`` is of a dose review, ``on`` the day of a re-test, ``reason`` why somebody disagrees; None elsewhere."""

    kind: Kind
    outcome: Outcome | None = None
    on: date | None = None
    reason: Disagreement | None = None

    def __str__(self) -> str:
        more = self.outcome or self.reason or (None if self.on is None else self.on.isoformat())
        return self.kind if more is None else f"{self.kind}:{more}"

    @property
    def words(self) -> Said:
        """The same for people."""
        return say("re-test booked for {day}", day=self.on) if self.on is not None else _WORDS[str(self)]


SEEN = AckKind(kind="seen")
WITHOUT_A_DAY: tuple[AckKind, ...] = (
    SEEN,
    *(AckKind(kind="dose-reviewed", outcome=outcome) for outcome in OUTCOMES),
    *(AckKind(kind="disagree", reason=reason) for reason in DISAGREEMENTS),
)
"""Every answer but a booked re-test, which needs its day."""


def read_ack_kind(text: str) -> AckKind:
    """The answer that a text names. Raises UsageError."""
    wanted = text.strip().lower()
    name, _, day = wanted.partition(":")
    if name == "re-test-booked":
        try:
            return AckKind(kind="re-test-booked", on=date.fromisoformat(day))
        except ValueError:
            raise UsageError(say("a booked re-test needs its day, such as re-test-booked:2026-03-20")) from None
    found = next((each for each in WITHOUT_A_DAY if str(each) == wanted), None)
    if found is None:
        raise UsageError(_WRITTEN)
    return found


def refuse_other_days(what: AckKind, today: date) -> None:
    """Raises UsageError for a re-test on a day that is over, or more than a year off."""
    if what.on is not None and not today <= what.on <= today + RE_TEST_WITHIN:
        raise UsageError(say("a re-test is booked for a day from today on, within a year"))


def words_of(stored: str | None) -> Said | None:
    """What was stored with an acknowledgement, for people; None where nothing was said, or by another version."""
    try:
        return None if stored is None else read_ack_kind(stored).words
    except UsageError:
        return None
