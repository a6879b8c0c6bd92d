"""``GET /data-quality``: what feeds brought and was refused, records that contradict each other, and how old each feed's news is.

What was refused is places and remedies, nothing of a patient: all see it. Of contradictions everybody sees those of his list.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection
from starlette.responses import Response

from monitor.clinical.alerts import Alert
from monitor.service.data_quality import read_quality
from monitor.service.feed_words import age_words
from monitor.store.belonging import belonging
from monitor.web.asked import Asked
from monitor.web.rendering import page
from monitor.web.viewer import lists, sees

SHOWN = 200
"""Rows of each table. (J)"""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedLine:
    """One feed: what is wrong with it is in ``problem``."""

    name: str
    age: str
    good: bool
    problem: str | None
    refused: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """One thing refused. ``number`` settles it on the command line."""

    number: int
    at: datetime
    feed: str
    origin: str
    line: int | None
    column: str | None
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Contradiction:
    """One alert about records of which not all can hold."""

    number: int
    may_open: bool
    patient_id: str
    on: date
    headline: str
    taken: bool


def show(asked: Asked) -> Response:
    """The newest first."""
    with asked.site.database.read() as connection:
        found = read_quality(asked.site, connection, asked.now, at_most=SHOWN)
        contradictions = list(_mine(asked, connection, found.conflicts))
    feeds = tuple(
        FeedLine(
            name=age.name,
            age=age_words(age, asked.now),
            good=not age.quiet and age.problem is None,
            problem=age.problem,
            refused=found.by_feed.get(age.name, 0),
        )
        for age in found.ages
    )
    return page(
        asked,
        "data_quality.html",
        feeds=feeds,
        refused=tuple(
            Refused(
                number=each.id,
                at=each.at,
                feed=each.feed,
                origin=each.origin,
                line=each.line,
                column=each.column,
                problem=each.problem,
            )
            for each in found.rejects
        ),
        refused_in_all=found.refused,
        contradictions=tuple(contradictions[:SHOWN]),
        contradictions_in_all=len(contradictions),
    )


def _mine(asked: Asked, connection: Connection, alerts: Iterable[Alert]) -> Iterable[Contradiction]:
    settings, alerts = asked.site.settings, list(alerts)
    places = belonging(connection, [alert.patient_id for alert in alerts])
    for alert in alerts:
        place = places[alert.patient_id]
        if lists(asked.viewer, settings, place):
            yield Contradiction(
                number=alert.alert_id or 0,
                may_open=sees(asked.viewer, settings, place),
                patient_id=alert.patient_id,
                on=alert.finding.clinical_at.astimezone(settings.time_zone).date(),
                headline=alert.finding.headline,
                taken=alert.state != "open",
            )
