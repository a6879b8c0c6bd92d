"""From a trend to the sheet that is drawn: which values are joined, which lines are one, what is written where."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from functools import partial
from itertools import groupby
from operator import attrgetter

from monitor.clinical.scales.ctcae import comparable
from monitor.clinical.scales.mrc import FULL_GRADE, written
from monitor.clinical.scales.walking import AIDS, mobility_step
from monitor.clinical.trend import Trend, Visit
from monitor.clinical.words import NOT_RECORDED, WALKING
from monitor.delivery.figure.alt import figure_alt
from monitor.delivery.figure.axis import days_of
from monitor.delivery.figure.sheet import Bar, Flag, Line, Note, Point, Sheet, Span, Style
from monitor.delivery.figure.words import (
    BANDS,
    NO_WEAKNESS,
    PAIN,
    and_more,
    in_words,
    motor,
    muscle_words,
    sensory,
    short_day,
    title_of,
    treatment_words,
)
from monitor.delivery.language import Language, in_language
from monitor.said import joined, say

SHORTEST_DAYS = 28
"""A period shown is at least so long (J): two visits a day apart are not to look like a course."""

FLAGS = 2
"""Days with a finding that are named (J)."""

NEAR = 0.02
"""Of the period (J)."""

LONGEST_FLAG = 80
KLEYWEG_MUSCLES_IN_ONE = 12

Read = Callable[[Visit], float | None]
Apart = Callable[[Visit], bool]


def sheet_of(trend: Trend, language: Language) -> Sheet:
    """What the figure of a trend shows, in a language."""
    first_on = min(trend.first_on, trend.today - timedelta(days=SHORTEST_DAYS))
    say_it = partial(in_words, language=language)
    grades, walked, muscles, doses = map(say_it, BANDS)
    return Sheet(
        language=language,
        title=say_it(say("Course of the neuropathy")),
        description=in_language(figure_alt(trend), language),
        first_on=first_on,
        last_on=trend.today,
        days=days_of(first_on, trend.today, language),
        bands=(grades, walked, muscles, doses),
        empty=(say_it(NOT_RECORDED), say_it(NO_WEAKNESS if trend.strength_tested else NOT_RECORDED)),
        worse=(say_it(say("↑ worse")), say_it(say("↓ worse"))),
        grades=tuple(_grades(trend, say_it)),
        pain=tuple(Span(label=say_it(PAIN), since=since, until=until) for since, until in _pain(trend.visits)),
        remark=_remark(trend, say_it),
        aids=tuple(say_it(WALKING[aid]) for aid in AIDS),
        walking=_line("", "walking", trend.visits, _step),
        powers=tuple(_powers(trend, say_it)),
        doses=tuple(_doses(trend, language)),
        stop=_stop(trend, language),
        therapies=tuple(
            Span(label=say_it(treatment_words(each.name)), since=max(each.started_on, first_on), until=each.stopped_on)
            for each in trend.therapies
        ),
        flags=_flags(trend, language),
    )


def _grades(trend: Trend, say_it: Callable[[str], str]) -> Iterator[Line]:
    """Sensory and motor, each with its newest grade."""

    def apart(visit: Visit) -> bool:
        return not comparable(visit.ctcae_version, trend.ctcae_version)

    measures: tuple[tuple[Style, Callable[[int], str], Read], ...] = (
        ("sensory", sensory, attrgetter("sensory_grade")),
        ("motor", motor, attrgetter("motor_grade")),
    )
    for style, label_of, read in measures:
        line = _line("", style, trend.visits, read, apart)
        if line is not None:
            newest = int(line.runs[-1][-1].value)
            yield Line(label=say_it(label_of(newest)), style=style, runs=line.runs)


def _powers(trend: Trend, say_it: Callable[[str], str]) -> Iterator[Line]:
    """The weakest muscles, both sides in one where they were found alike, and the sum."""
    found: dict[tuple[str, object], list[str]] = {}
    lines: dict[str, Line] = {}
    for name in trend.muscles:
        line = _line("", "muscle", trend.visits, partial(_power, name))
        if line is not None:
            lines[name] = line
            found.setdefault((name.rpartition("_")[0], line.runs), []).append(name)
    for names in found.values():
        line = lines[names[0]]
        rank = round(line.runs[-1][-1].value * FULL_GRADE)
        label = say("{muscle}\N{NO-BREAK SPACE}{power}", muscle=muscle_words(tuple(names)), power=written(rank))
        yield Line(label=say_it(label), style="muscle", runs=line.runs)
    total = _line("", "sum", trend.visits, _sum)
    if total is not None:
        points = round(total.runs[-1][-1].value * KLEYWEG_MUSCLES_IN_ONE)
        yield Line(label=say_it(say("sum {points} of 60", points=points)), style="sum", runs=total.runs)


def _line(label: str, style: Style, visits: Sequence[Visit], read: Read, apart: Apart = lambda _: False) -> Line | None:
    """The runs of a measure: a day with visits that recorded nothing of it ends one, and so does another CTCAE version."""
    runs: list[list[Point]] = []
    going_on = False
    for on, several in groupby(visits, key=attrgetter("on")):
        read_of = [(value, each) for each in several if (value := read(each)) is not None]
        if not read_of:
            going_on = False
            continue
        value, visit = read_of[-1]  # of several records at one instant the worst stands last
        point = Point(on=on, value=value, apart=apart(visit))
        if going_on and runs[-1][-1].apart == point.apart:
            runs[-1].append(point)
        else:
            runs.append([point])
        going_on = True
    return Line(label=label, style=style, runs=tuple(map(tuple, runs))) if runs else None


def _pain(visits: Sequence[Visit]) -> Iterator[tuple[date, date]]:
    """From the first to the last of consecutive visits with neuropathic pain."""
    line = _line("", "sensory", visits, lambda visit: None if visit.pain is None else float(visit.pain))
    for run in line.runs if line is not None else ():
        for painful, points in groupby(run, key=lambda point: point.value > 0):
            days = [point.on for point in points]
            if painful:
                yield days[0], days[-1]


def _remark(trend: Trend, say_it: Callable[[str], str]) -> str:
    """Whether something older is left out, and which visits were graded by another version."""
    graded = [each for each in trend.visits if each.sensory_grade is not None or each.motor_grade is not None]
    others = {each.ctcae_version for each in graded if not comparable(each.ctcae_version, trend.ctcae_version)}
    remarks = [say("← earlier not shown")] if trend.cut else []
    if None in others:
        remarks.append(say("◇ CTCAE version not recorded"))
    elif others:
        remarks.append(say("◇ by CTCAE {version}", version=", ".join(sorted(version for version in others if version))))
    return "  ".join(map(say_it, remarks))


def _doses(trend: Trend, language: Language) -> Iterator[Bar]:
    before: float | None = None
    for dose in trend.doses:
        written_so = say("{dose:.1f}", dose=dose.mg_per_m2) if round(dose.mg_per_m2, 1) == dose.mg_per_m2 else None
        number = in_words(written_so or say("{dose:.2f}", dose=dose.mg_per_m2), language)
        yield Bar(on=dose.on, mg_per_m2=dose.mg_per_m2, label="" if dose.mg_per_m2 == before else number)
        before = dose.mg_per_m2


def _stop(trend: Trend, language: Language) -> Note | None:
    on = trend.stopped_on
    if on is None or on < trend.first_on:
        return None
    return Note(on=on, text=in_words(say("last dose {day}", day=short_day(on, language)), language))


def _flags(trend: Trend, language: Language) -> tuple[Flag, ...]:
    """The days with findings, each with the most urgent of them named. Days that would be one line on the figure are one."""
    by_day: dict[date, list[str]] = {}
    urgency: dict[date, str] = {}
    near = (trend.today - trend.first_on).days * NEAR
    for mark in trend.marks:  # most urgent first
        on = next((day for day in by_day if abs((day - mark.on).days) <= near), mark.on)
        titles = by_day.setdefault(on, [])
        if (title := title_of(mark.rule)) not in titles:
            titles.append(title)
        urgency.setdefault(on, mark.urgency.value)
    named = list(by_day.items())[:FLAGS]
    return tuple(Flag(on=on, text=_flag_text(titles, on, language), urgency=urgency[on]) for on, titles in sorted(named))


def _flag_text(titles: Sequence[str], on: date, language: Language) -> str:
    what = and_more(titles[0], len(titles) - 1)
    return in_words(joined(", ", [what, short_day(on, language)]), language, longest=LONGEST_FLAG)


def _step(visit: Visit) -> float | None:
    return mobility_step(visit.walking, visit.gbs_disability)


def _power(name: str, visit: Visit) -> float | None:
    rank = dict(visit.weakest).get(name)
    return None if rank is None else rank / FULL_GRADE


def _sum(visit: Visit) -> float | None:
    return None if visit.mrc_sum is None else visit.mrc_sum / KLEYWEG_MUSCLES_IN_ONE
