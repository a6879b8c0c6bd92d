"""The course as a table: what the figure shows, for whoever sees no figure, the newest first."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import groupby

from monitor.clinical.dose_words import mg_per_m2
from monitor.clinical.scales.mrc import TESTED_MUSCLES, written
from monitor.clinical.strength import muscle_name
from monitor.clinical.trend import Given, Therapy, Trend, Visit
from monitor.clinical.words import WALKING, word
from monitor.delivery.facts import TrendRow
from monitor.delivery.wording import RULE_TITLES, day_in_words
from monitor.said import joined, say, say_n

ROWS = 8
"""So many days are told in a mail: a longer table is read by nobody there, and the whole course is on the board."""


def trend_rows(trend: Trend, *, at_most: int = ROWS) -> tuple[tuple[TrendRow, ...], str | None]:
    """Rows of the newest days, the newest first, and what says that earlier ones are left out, where they are.

    A day with a visit, a treatment's beginning or end, a finding or the stop has a row; doses since the row before stand in
    the row after them, and those after the last visit have one of their own.
    """
    rows = tuple(_rows(trend))[::-1]
    more = len(rows) - at_most
    if more > 0:
        return rows[:at_most], say_n("and {count} earlier row", "and {count} earlier rows", count=more)
    return rows, say("and what was before") if trend.cut else None


def _rows(trend: Trend) -> Iterator[TrendRow]:
    """Oldest first."""
    before = date.min
    for day in _days(trend):
        visits = [visit for visit in trend.visits if visit.on == day] or [Visit(on=day)]
        doses = [dose for dose in trend.doses if before < dose.on <= day]
        for place, visit in enumerate(visits):
            first = place == 0
            yield TrendRow(
                on=day_in_words(day),
                grades=_grades(visit),
                walking=_walking(visit),
                power=_power(visit),
                dose=_doses(doses, day) if first else "",
                what=_what(trend, day) if first else "",
            )
        before = day


def _days(trend: Trend) -> list[date]:
    days = {visit.on for visit in trend.visits} | {mark.on for mark in trend.marks}
    days |= {each for therapy in trend.therapies for each in (therapy.started_on, therapy.stopped_on) if each is not None}
    days |= {trend.stopped_on} if trend.stopped_on is not None else set()
    days |= {trend.doses[-1].on} if trend.doses else set()
    return sorted(day for day in days if trend.first_on <= day <= trend.today)


def _grades(visit: Visit) -> str:
    parts = []
    if visit.sensory_grade is not None:
        parts.append(say("sensory {grade}", grade=visit.sensory_grade))
    if visit.motor_grade is not None:
        parts.append(say("motor {grade}", grade=visit.motor_grade))
    if visit.pain is not None:
        parts.append(say("with neuropathic pain") if visit.pain else say("without neuropathic pain"))
    if not parts:
        return ""
    grades = joined(", ", parts)
    if visit.ctcae_version is None:
        return grades
    return say("{grades} (CTCAE {version})", grades=grades, version=visit.ctcae_version)


def _walking(visit: Visit) -> str:
    parts: list[str] = [] if visit.walking is None else [WALKING[visit.walking]]
    if visit.gbs_disability is not None:
        parts.append(say("GBS disability {grade}", grade=visit.gbs_disability))
    return joined(", ", parts) if parts else ""


def _power(visit: Visit) -> str:
    parts = [
        say("{muscle} {power}", muscle=muscle_name(TESTED_MUSCLES.index(name)), power=written(rank))
        for name, rank in visit.weakest
    ]
    if visit.mrc_sum is not None:
        parts.append(say("sum {sum} of 60", sum=visit.mrc_sum))
    return joined(", ", parts) if parts else ""


def _doses(doses: list[Given], day: date) -> str:
    """One after the other; several alike in a row are counted."""
    parts = []
    for mg, several in groupby(doses, key=lambda each: each.mg_per_m2):
        given = list(several)
        last = day_in_words(given[-1].on)
        if len(given) > 1:
            parts.append(say("{count} times {dose}, the last on {day}", count=len(given), dose=mg_per_m2(mg), day=last))
        else:
            parts.append(mg_per_m2(mg) if given[0].on == day else say("{dose} on {day}", dose=mg_per_m2(mg), day=last))
    return joined("; ", parts) if parts else ""


def _what(trend: Trend, day: date) -> str:
    parts = [RULE_TITLES.get(mark.rule, mark.rule) for mark in trend.marks if mark.on == day]
    parts += [say("last dose")] if trend.stopped_on == day else []
    parts += [each for therapy in trend.therapies for each in _therapy(therapy, day)]
    return joined("; ", parts) if parts else ""


def _therapy(therapy: Therapy, day: date) -> Iterator[str]:
    if therapy.started_on == day:
        yield say("{treatment} begun", treatment=word(therapy.name))
    if therapy.stopped_on == day:
        yield say("{treatment} ended", treatment=word(therapy.name))
