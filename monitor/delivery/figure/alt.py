"""What a figure says to who cannot see it: the finding, not that there is a chart."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from functools import partial

from monitor.clinical.scales.ctcae import comparable
from monitor.clinical.scales.mrc import written
from monitor.clinical.scales.walking import AIDS, mobility_step
from monitor.clinical.trend import Trend, Visit
from monitor.clinical.words import WALKING
from monitor.delivery.figure.words import muscle_words
from monitor.said import joined, say

CHANGES = 3
"""Measures that are told (J): what got worse first."""

Value = tuple[float, str]  # how bad, and in words
Read = Callable[[Visit], Value | None]


def figure_alt(trend: Trend) -> str:
    """The measures that got worse most, each with the best and the newest value and their days, and the last dose."""
    told = [_told(what, read, trend) for what, read in _measures(trend)]
    known = sorted((each for each in told if each is not None), key=lambda each: not each[0])
    texts = [text for _, text in known[:CHANGES]]
    if not texts:
        texts = [say("Nothing was recorded of grades, walking and strength.")]
    if trend.stopped_on is not None:
        texts.append(say("Last dose of bortezomib on {day}.", day=trend.stopped_on))
    elif trend.doses:
        texts.append(say("On bortezomib, newest dose on {day}.", day=trend.doses[-1].on))
    return joined(" ", texts)


def _measures(trend: Trend) -> Iterator[tuple[str, Read]]:
    yield say("Walking"), _walking
    yield say("MRC sum"), lambda visit: None if visit.mrc_sum is None else (-visit.mrc_sum, str(visit.mrc_sum))
    for name in trend.muscles[:1]:
        yield muscle_words((name,)), partial(_power, name)
    yield say("Motor grade"), partial(_grade, "motor_grade", trend)
    yield say("Sensory grade"), partial(_grade, "sensory_grade", trend)


def _told(what: str, read: Read, trend: Trend) -> tuple[bool, str] | None:
    """Whether it got worse, and the sentence; None where nothing was recorded."""
    values = [(value, visit.on) for visit in trend.visits if (value := read(visit)) is not None]
    if not values:
        return None
    (burden, newest), on = values[-1]
    (best_burden, best), best_on = _best(values)
    if best_burden < burden:
        said = say("{what}: {best} on {best_on}, {newest} on {on}.", what=what, best=best, best_on=best_on, newest=newest, on=on)
        return True, said
    return False, say("{what}: {newest} on {on}.", what=what, newest=newest, on=on)


def _best(values: Sequence[tuple[Value, date]]) -> tuple[Value, date]:
    """The newer of equals: what was lost was there until then."""
    return min(reversed(values), key=lambda each: each[0][0])


def _walking(visit: Visit) -> Value | None:
    step = mobility_step(visit.walking, visit.gbs_disability)
    return None if step is None else (step, WALKING[AIDS[step]])


def _power(name: str, visit: Visit) -> Value | None:
    rank = dict(visit.weakest).get(name)
    return None if rank is None else (-rank, written(rank))


def _grade(which: str, trend: Trend, visit: Visit) -> Value | None:
    """A grade by the version of the newest: others are not compared with it."""
    grade = visit.motor_grade if which == "motor_grade" else visit.sensory_grade
    if grade is None or not comparable(visit.ctcae_version, trend.ctcae_version):
        return None
    return grade, str(grade)
