"""Falls of muscle power, muscle by muscle on those tested at both visits.

Only whole grades count: a fall of n grades is 3n ranks, which is always n whole grades in the sum as well. The examination
judged is the newest with any muscle tested; muscles it did not test are left out, never taken as zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from monitor.clinical.comparison import Change, Reading, change, since
from monitor.clinical.history import NOT_TESTED, Assessment
from monitor.clinical.scales.mrc import FULL_GRADE, limb_of, muscle_of, written
from monitor.clinical.words import MUSCLES
from monitor.said import Said, joined, say

HIGHEST_RANK = 5 * FULL_GRADE
NAMED_AT_MOST = 4
"""Muscles listed by name in one sentence; the others are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exam:
    """What was found at one instant: the weaker rank of each muscle where two records share it."""

    on: date
    record: Assessment
    ranks: tuple[int | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Strength:
    """The newest examination, and the readings (minus rank, newest first) of each muscle that may have fallen.

    ``limbs``: where a muscle fell a whole grade within the widest window.
    """

    exam: Exam | None
    suspects: dict[int, list[Reading]]
    limbs: frozenset[str]
    first_on: date

    @property
    def one_limb(self) -> bool:
        return len(self.limbs) == 1

    @property
    def spread(self) -> bool:
        """Whether muscles of at least two limbs fell."""
        return len(self.limbs) > 1

    def fallen(self, *, full_grades: int, within_days: int) -> dict[int, Change]:
        """Muscles, by their place, that fell at least so many whole grades within the window."""
        return _fallen(self.suspects, full_grades, within_days, self.first_on)

    def newly_weak(self, *, at_most_grade: int, within_days: int) -> dict[int, Change]:
        """Muscles now at this whole grade or below that were above it, and fell at least one whole grade."""
        highest = FULL_GRADE * at_most_grade + 1  # "2+" still counts as 2

        def enough(now: float, best: float) -> bool:
            return now >= -highest and best < -highest and now - best >= FULL_GRADE

        found = (
            (place, change(powers, enough, within_days=within_days, first_on=self.first_on))
            for place, powers in self.suspects.items()
        )
        return {place: each for place, each in found if each is not None}


def strength_at(assessments: Sequence[Assessment], *, first_on: date, widest_days: int, after: date | None = None) -> Strength:
    """Strength at the newest examination on or after ``first_on``; with ``after``, only what came since that day."""
    exams = _exams(assessments, first_on, 2 * widest_days)
    if not exams:
        return Strength(exam=None, suspects={}, limbs=frozenset(), first_on=first_on)
    suspects: dict[int, list[Reading]] = {}
    newest, earlier = exams[0], exams[1:]
    for place, rank in enumerate(newest.ranks):
        if rank is None or rank > HIGHEST_RANK - FULL_GRADE:
            continue  # not tested, or too strong to have fallen a whole grade
        if any((before := exam.ranks[place]) is not None and before - rank >= FULL_GRADE for exam in earlier):
            powers = [Reading(-power, exam.on, exam.record) for exam in exams if (power := exam.ranks[place]) is not None]
            suspects[place] = since(powers, after)
    fallen = _fallen(suspects, 1, widest_days, first_on) if suspects else {}
    return Strength(exam=newest, suspects=suspects, limbs=frozenset(map(limb_of, fallen)), first_on=first_on)


def muscle_name(place: int) -> Said:
    """A muscle in words, such as ``left tibialis anterior``."""
    muscle, side = muscle_of(place)
    name = MUSCLES[muscle]
    return say("left {muscle}", muscle=name) if side == "left" else say("right {muscle}", muscle=name)


def falls_text(falls: dict[int, Change]) -> str:
    """The falls in words, the largest first: ``left tibialis anterior 5 -> 3 (2024-05-01 to 2024-05-10)``."""
    ordered = sorted(falls.items(), key=lambda item: (item[1].best.burden - item[1].level, item[0]))
    named = joined(", ", (_fall_text(place, fall) for place, fall in ordered[:NAMED_AT_MOST]))
    more = len(ordered) - NAMED_AT_MOST
    return say("{falls} and {count} more", falls=named, count=more) if more > 0 else named


def _fall_text(place: int, fall: Change) -> Said:
    return say(
        "{muscle} {before} -> {after} ({from_on} to {until_on})",
        muscle=muscle_name(place),
        before=written(-int(fall.best.burden)),
        after=written(-int(fall.seen.burden)),
        from_on=fall.best.on,
        until_on=fall.seen.on,
    )


def limbs_fallen(before: Assessment, now: Assessment) -> int:
    """In how many limbs a muscle tested at both visits fell a whole grade."""
    pairs = enumerate(zip(before.mrc, now.mrc, strict=True))
    return len(
        {
            limb_of(place)
            for place, (earlier, later) in pairs
            if earlier is not None and later is not None and earlier - later >= FULL_GRADE
        }
    )


def _fallen(suspects: dict[int, list[Reading]], full_grades: int, within_days: int, first_on: date) -> dict[int, Change]:
    ranks = full_grades * FULL_GRADE

    def enough(now: float, best: float) -> bool:
        return now - best >= ranks

    found = ((place, change(powers, enough, within_days=within_days, first_on=first_on)) for place, powers in suspects.items())
    return {place: each for place, each in found if each is not None}


def _exams(assessments: Sequence[Assessment], first_on: date, reach_days: int) -> list[Exam]:
    exams: list[Exam] = []
    oldest = first_on
    for record in reversed(assessments):
        if record.mrc is NOT_TESTED or record.mrc == NOT_TESTED:
            continue
        if record.on < oldest:
            break
        if not exams:
            oldest = record.on - timedelta(days=reach_days)
        if exams and exams[-1].record.at == record.at:
            exams[-1] = Exam(on=record.on, record=exams[-1].record, ranks=_weaker(exams[-1].ranks, record.mrc))
        else:
            exams.append(Exam(on=record.on, record=record, ranks=record.mrc))
    return exams


def _weaker(one: tuple[int | None, ...], other: tuple[int | None, ...]) -> tuple[int | None, ...]:
    return tuple(
        second if first is None else first if second is None else min(first, second)
        for first, second in zip(one, other, strict=True)
    )
