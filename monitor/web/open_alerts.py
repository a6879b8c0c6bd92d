"""``GET /``: what is open, by urgency and age, and who has been told of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection
from starlette.responses import Response

from monitor.clinical.findings import Finding, Urgency
from monitor.clinical.history import Patient
from monitor.config.settings import Settings
from monitor.delivery.compose import ask_of, title_of
from monitor.service.people import acknowledge_within, team_of, told_from
from monitor.service.said_again import said_again
from monitor.store import board, escalations, withheld
from monitor.store.belonging import belonging
from monitor.store.board import Listed
from monitor.store.escalations import Waiting
from monitor.store.feed_age import newest_fact_at
from monitor.store.rounds import last_round
from monitor.store.withheld import Withheld
from monitor.web.asked import Asked
from monitor.web.rendering import page
from monitor.web.told import ToldWords, newest_for_each
from monitor.web.viewer import lists, sees

PER_PAGE = 100
"""Patients. (J)"""

REFRESH_SECONDS = 60  # (J): as often as facts are polled by default
QUIET_HOURS = "quiet hours"


@dataclass(frozen=True, slots=True, kw_only=True)
class NextWords:
    """Who hears next unless somebody answers; ``names`` empty: everybody told so far hears again."""

    at: datetime
    overdue: bool
    names: tuple[str, ...]
    why: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """One alert with all that was written about it since it spoke last."""

    alert: Listed
    finding: Finding
    told: tuple[board.Told, ...]
    held: tuple[Withheld, ...]
    waiting: Waiting | None

    @property
    def told_first_at(self) -> datetime:
        """From when the time to acknowledge runs: since it spoke, or since those held back till then are told."""
        ends = [each.until for each in self.held if each.until is not None and each.owner.startswith(QUIET_HOURS)]
        first = min((each.created_at for each in self.told), default=self.alert.raised_at)
        return max([self.alert.raised_at, first, *ends])

    def held_at(self, now: datetime) -> tuple[Withheld, ...]:
        """What holds it back still."""
        return tuple(each for each in self.held if each.until is None or each.until > now)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One alert of a card."""

    number: int
    urgency: str
    title: str
    headline: str
    holds: bool
    raised_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One patient's alerts, the most urgent first; what is asked, and the earliest instants of them all."""

    number: int  # of the alert that the link leads to
    may_open: bool
    patient_id: str
    display_name: str | None
    site: str | None
    team: str
    urgency: str
    lines: tuple[Line, ...]
    asks: tuple[str, ...]
    raised_at: datetime
    age: timedelta
    acknowledge_by: datetime | None  # None where somebody has
    late: bool
    told: tuple[ToldWords, ...]
    next: NextWords | None
    held: tuple[Withheld, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The patients of one urgency."""

    urgency: str
    cards: tuple[Card, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """How many are open of one urgency, over all pages."""

    urgency: str
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Quiet:
    """How fresh the list is: silence is not health."""

    last_event_at: datetime | None
    newest_fact_at: datetime | None
    newest_fact_age: timedelta | None
    feed_is_quiet: bool
    evaluated_at: datetime | None


def show(asked: Asked) -> Response:
    """The list of whoever asks: a nurse's teams, everybody's for an admin or auditor."""
    settings, now = asked.site.settings, asked.now
    with asked.site.database.read() as connection:
        every = board.still_open(connection)
        places = belonging(connection, [each.patient_id for each in every])
        mine = [each for each in every if lists(asked.viewer, settings, places[each.patient_id])]
        teams = tuple(sorted({team_of(settings, places[each.patient_id]).name for each in mine}))
        team = asked.query.get("team", "")
        chosen = [each for each in mine if not team or team_of(settings, places[each.patient_id]).name == team]
        waiting = [each for each in chosen if each.state == "open"]
        patients, taken = _by_patient(waiting), _by_patient(each for each in chosen if each.state != "open")
        number = _page_number(asked.query.get("page", ""), len(patients))
        shown = patients[(number - 1) * PER_PAGE : number * PER_PAGE]
        cards = _cards(asked, connection, [*shown, *taken[:PER_PAGE]], places)
        quiet = _quiet(settings, connection, now)
    still = asked.query.get("still") == "1"
    return page(
        asked,
        "open_alerts.html",
        headers={} if still else {"Refresh": str(REFRESH_SECONDS)},
        groups=_grouped(cards[: len(shown)]),
        taken=cards[len(shown) :],
        taken_in_all=len(taken),
        counts=_counts(waiting),
        quiet=quiet,
        teams=teams if len(teams) > 1 else (),
        team=team,
        number=number,
        pages=_pages(len(patients)),
        still=still,
        refresh_seconds=REFRESH_SECONDS,
    )


def _by_patient(alerts: Iterable[Listed]) -> list[list[Listed]]:
    """Each patient's alerts together, at the place of the first."""
    found: dict[str, list[Listed]] = {}
    for alert in alerts:
        found.setdefault(alert.patient_id, []).append(alert)
    return list(found.values())


def _cards(
    asked: Asked, connection: Connection, patients: Sequence[Sequence[Listed]], places: Mapping[str, Patient]
) -> tuple[Card, ...]:
    settings, every = asked.site.settings, [alert for alerts in patients for alert in alerts]
    ids = [alert.alert_id for alert in every]
    since = min((alert.opened_at for alert in every), default=asked.now)
    told = board.told(connection, {alert.alert_id: alert.patient_id for alert in every}, since=since)
    waiting, findings = escalations.waiting(connection, ids), board.findings(connection, ids)
    held: dict[int, list[Withheld]] = {}
    for row in withheld.of_alerts(connection, ids):
        held.setdefault(row.alert_id, []).append(row)
    named = settings.privacy == "identified" and asked.viewer.may("patient")
    names = board.names_of(connection, places) if named else {}
    known = {
        alert.alert_id: Known(
            alert=alert,
            finding=findings[alert.alert_id],
            told=tuple(each for each in told[alert.alert_id] if each.created_at >= alert.raised_at),
            held=tuple(each for each in held.get(alert.alert_id, ()) if each.since >= alert.raised_at),
            waiting=waiting.get(alert.alert_id),
        )
        for alert in every
    }
    return tuple(
        _card(asked, [known[alert.alert_id] for alert in alerts], places[alerts[0].patient_id], names) for alerts in patients
    )


def _card(asked: Asked, alerts: Sequence[Known], place: Patient, names: Mapping[str, str]) -> Card:
    settings, now, first = asked.site.settings, asked.now, alerts[0].alert
    within = acknowledge_within(settings)
    due = min((each.told_first_at + within[each.alert.urgency] for each in alerts if each.alert.state == "open"), default=None)
    rows = [(each.waiting, each.alert.urgency) for each in alerts if each.waiting is not None]
    row, urgency = min(rows, key=lambda each: each[0].due_at, default=(None, first.urgency))
    messages = {message.number: message for each in alerts for message in each.told}
    raised_at = min(each.alert.raised_at for each in alerts)
    return Card(
        number=first.alert_id,
        may_open=asked.viewer.may("patient") and sees(asked.viewer, settings, place),
        patient_id=first.patient_id,
        display_name=names.get(first.patient_id),
        site=place.site,
        team=team_of(settings, place).name,
        urgency=first.urgency.value,
        lines=tuple(_line(each.alert, each.finding) for each in alerts),
        asks=tuple(dict.fromkeys(ask_of(each.finding) for each in alerts)),
        raised_at=raised_at,
        age=now - raised_at,
        acknowledge_by=due,
        late=due is not None and now > due,
        told=newest_for_each([messages[number] for number in sorted(messages)], now),
        next=None if row is None else next_words(settings, place, urgency, row, now),
        held=tuple(dict.fromkeys(_again(row) for each in alerts for row in each.held_at(now))),
    )


def _again(row: Withheld) -> Withheld:
    """The same decision about several alerts of a patient is said once, in the reader's language."""
    return replace(row, alert_id=0, owner=said_again(row.owner), reason=said_again(row.reason))


def _line(alert: Listed, finding: Finding) -> Line:
    return Line(
        number=alert.alert_id,
        urgency=alert.urgency.value,
        title=title_of(finding),
        headline=finding.headline,
        holds=alert.holds,
        raised_at=alert.raised_at,
        acknowledged_at=alert.acknowledged_at,
        acknowledged_by=alert.acknowledged_by,
    )


def next_words(settings: Settings, place: Patient, urgency: Urgency, row: Waiting, now: datetime) -> NextWords:
    """Whom the step that waits would reach at its time, by the calendars as they are now."""
    found = told_from(settings, team_of(settings, place), urgency, row.step, max(row.due_at, now))
    names = () if found is None else tuple(each.name for each in found[1])
    return NextWords(at=row.due_at, overdue=row.due_at < now, names=names, why=None if row.why is None else said_again(row.why))


def _quiet(settings: Settings, connection: Connection, now: datetime) -> Quiet:
    newest, done = newest_fact_at(connection), last_round(connection)
    return Quiet(
        last_event_at=board.last_event_at(connection),
        newest_fact_at=newest,
        newest_fact_age=None if newest is None else now - newest,
        feed_is_quiet=newest is None or now - newest > settings.feed_quiet_after,
        evaluated_at=None if done is None else done.started_at,
    )


def _grouped(cards: Iterable[Card]) -> tuple[Group, ...]:
    groups: dict[str, list[Card]] = {}
    for card in cards:
        groups.setdefault(card.urgency, []).append(card)
    return tuple(Group(urgency=urgency, cards=tuple(found)) for urgency, found in groups.items())


def _counts(alerts: Iterable[Listed]) -> tuple[Count, ...]:
    found = [each.urgency for each in alerts]
    return tuple(Count(urgency=urgency.value, number=found.count(urgency)) for urgency in reversed(Urgency) if urgency in found)


def _pages(patients: int) -> int:
    return max(1, -(-patients // PER_PAGE))


def _page_number(text: str, patients: int) -> int:
    """The page asked for, where there is one; else the first."""
    return int(text) if text.isascii() and text.isdigit() and 1 <= int(text[:6]) <= _pages(patients) else 1
