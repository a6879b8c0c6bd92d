"""The days that the axis names: real dates, few enough to be read on a telephone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from monitor.delivery.figure.sheet import Note
from monitor.delivery.figure.words import month, short_day
from monitor.delivery.language import Language

DAYS_BY_WEEKS = 45
DAYS_BY_FORTNIGHTS = 110
DAYS_BY_MONTHS = 400
"""Up to so many days the axis names every week, the first and fifteenth, every month; beyond, every other month (J)."""


def days_of(first_on: date, last_on: date, language: Language) -> tuple[Note, ...]:
    """The named days within the period, oldest first; the first of them and each January's have the year in a second line."""
    span = (last_on - first_on).days
    notes: list[Note] = []
    year = None
    for on in _named(first_on, last_on, span):
        name = short_day(on, language) if span <= DAYS_BY_FORTNIGHTS else month(on, language)
        notes.append(Note(on=on, text=name if on.year == year else f"{name}\n{on.year}"))
        year = on.year
    return tuple(notes)


def _named(first_on: date, last_on: date, span: int) -> Iterator[date]:
    on = first_on
    while on <= last_on:
        if span <= DAYS_BY_WEEKS:
            yield on
            on += timedelta(days=7)
            continue
        if (on.day == 1 and (span <= DAYS_BY_MONTHS or on.month % 2 == 1)) or (on.day == 15 and span <= DAYS_BY_FORTNIGHTS):
            yield on
        on += timedelta(days=1)
