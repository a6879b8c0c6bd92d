"""The course after an immune treatment: had it helped, and is the patient worse again.

Three measures are followed: GBS disability, the walking aid and the MRC sum. A fall of the sum counts only where muscles
of at least two limbs fell a whole grade.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta, tzinfo
from operator import attrgetter, neg

from monitor.clinical.comparison import Reading, evidence_of, readings
from monitor.clinical.days import start_of_day
from monitor.clinical.findings import Evidence
from monitor.clinical.history import Assessment, Treatment
from monitor.clinical.motor_measures import GBS_DISABILITY, MOBILITY, MRC_SUM
from monitor.clinical.motor_shows import aid, minus, plain
from monitor.clinical.policy import Relapse
from monitor.clinical.scales.walking import disability, walking_step
from monitor.clinical.situation import Situation
from monitor.clinical.strength import limbs_fallen
from monitor.clinical.words import word
from monitor.said import say

IMMUNE_TREATMENTS = frozenset({"ivig", "plasma_exchange", "corticosteroid"})
BEFORE_DAYS = 28
"""How long before a treatment a value still stands for the state at its start. Our judgement (J): M1's window."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """One measure, oldest reading first. Better by ``response`` is a response."""

    what: str
    points: bool  # the MRC sum; else a scale of steps
    response: float
    readings: tuple[Reading, ...]

    def show(self, reading: Reading) -> str:
        if self.points:
            return minus(reading)
        return aid(reading) if self.what == MOBILITY else plain(reading)


@dataclass(frozen=True, slots=True, kw_only=True)
class Worsening:
    """Worse again in one measure: from the best reading since ``treatment`` began to the newest one.

    ``began_on``: since when it is so. ``responded``: the treatment had helped first. ``number``: how many times it got
    worse since the treatment began.
    """

    followed: Followed
    treatment: Treatment
    best: Reading
    newest: Reading
    record: Assessment
    began_on: date
    responded: bool
    number: int

    @property
    def said(self) -> str:
        return say(
            "{what}: {before} ({before_on}) -> {after} ({after_on}) after {treatment}",
            what=self.followed.what,
            before=self.followed.show(self.best),
            before_on=self.best.on,
            after=self.followed.show(self.newest),
            after_on=self.newest.on,
            treatment=word(self.treatment.treatment),
        )

    def evidence(self, zone: tzinfo) -> tuple[Evidence, ...]:
        """Both assessments and the treatment, which is dated at the start of its first day."""
        treatment = self.treatment
        at = start_of_day(treatment.started_on, zone)
        given = Evidence(kind="treatment", id=treatment.fact_id, version=treatment.version, at=at)
        return (*evidence_of(self.record, self.best.record), given)


def immune_treatments(situation: Situation) -> tuple[Treatment, ...]:
    """Immunoglobulin, plasma exchange and corticosteroids begun since the first dose, oldest first."""
    begun = [
        each
        for each in situation.history.treatments
        if each.treatment in IMMUNE_TREATMENTS and situation.first_on <= each.started_on <= situation.today
    ]
    return tuple(sorted(begun, key=lambda each: (each.started_on, each.version)))


def followed(situation: Situation, clauses: Relapse, since: date) -> tuple[Followed, ...]:
    """The three measures, from shortly before ``since`` on."""
    assessments, first_on = situation.assessments, situation.first_on
    reach = (situation.today - since).days + BEFORE_DAYS
    disabled = readings(assessments, attrgetter("gbs_disability"), first_on=first_on, reach_days=reach, burden_of=disability)
    aids = readings(assessments, attrgetter("walking"), first_on=first_on, reach_days=reach, burden_of=walking_step)
    sums = readings(assessments, attrgetter("mrc_sum"), first_on=first_on, reach_days=reach, burden_of=neg)
    steps = clauses.response_disability
    return (
        Followed(what=GBS_DISABILITY, points=False, response=steps, readings=tuple(reversed(disabled))),
        Followed(what=MOBILITY, points=False, response=steps, readings=tuple(reversed(aids))),
        Followed(what=MRC_SUM, points=True, response=clauses.response_points, readings=tuple(reversed(sums))),
    )


def worsening_after(measure: Followed, treatment: Treatment, *, steps: float, points: float) -> Worsening | None:
    """Worse again since the treatment began, by so many ``steps`` or ``points``; None where it is not, or cannot be said."""
    start = treatment.started_on
    earliest = start - timedelta(days=BEFORE_DAYS)
    before = [each for each in measure.readings if earliest <= each.on <= start]
    after = [each for each in measure.readings if each.on > start]
    if not after:
        return None
    newest = after[-1]
    known = [*before[-1:], *after]
    best = min(reversed(known), key=lambda each: each.burden)
    need = points if measure.points else steps
    if newest.record is None or best is newest or newest.burden - best.burden < need:
        return None
    if measure.points and _few_limbs(best, newest):
        return None
    place = len(measure.readings) - 1
    while measure.readings[place - 1].on > best.on and measure.readings[place - 1].burden - best.burden >= need:
        place -= 1
    return Worsening(
        followed=measure,
        treatment=treatment,
        best=best,
        newest=newest,
        record=newest.record,
        began_on=measure.readings[place].on,
        responded=responded(measure, treatment),
        number=deteriorations(measure.readings, treatment.started_on, need),
    )


def responded(measure: Followed, treatment: Treatment) -> bool:
    """Whether any value since the treatment began is better, by a response, than the worst in the days up to its start."""
    start = treatment.started_on
    earliest = start - timedelta(days=BEFORE_DAYS)
    before = [each.burden for each in measure.readings if earliest <= each.on <= start]
    after = [each.burden for each in measure.readings if each.on > start]
    return bool(before) and bool(after) and max(before) - min(after) >= measure.response


def deteriorations(found: Sequence[Reading], start: date, need: float) -> int:
    """How many times the measure got worse by ``need`` from its best since ``start``, counted anew after each."""
    count, best = 0, None
    for reading in found:
        if reading.on <= start:
            continue
        if best is None or reading.burden < best:
            best = reading.burden
        elif reading.burden - best >= need:
            count, best = count + 1, reading.burden
    return count


def _few_limbs(best: Reading, newest: Reading) -> bool:
    return best.record is None or newest.record is None or limbs_fallen(best.record, newest.record) < 2
