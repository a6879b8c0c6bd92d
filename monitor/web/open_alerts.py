"""``GET /``: what is open, by urgency and age, and who has been told of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection
from starlette.responses import Response

from monitor.clinical.findings import Urgency
from monitor.clinical.history import Patient
from monitor.config.settings import Settings
from monitor.delivery.compose import ask_of, title_of
from monitor.service.people import acknowledge_within, team_of, told_from
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
REFRESH_SECONDS = 60
QUIET_HOURS = "quiet hours"


@dataclass(frozen=True, slots=True, kw_only=True)
class NextWords:
    """Who hears next unless somebody answers; ``names`` empty: everybody told so far hears again."""

    at: datetime
    overdue: bool
    names: tuple[str, ...]
    why: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One alert as the list shows it."""

    number: int
    may_open: bool
    patient_id: str
    display_name: str | None
    site: str | None
    team: str
    urgency: str
    title: str
    headline: str
    ask: str
    state: str
    holds: bool
    raised_at: datetime
    age: timedelta
    acknowledge_by: datetime
    late: bool
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    told: tuple[ToldWords, ...]
    next: NextWords | None
    held: tuple[Withheld, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The alerts of one urgency."""

    urgency: str
    entries: tuple[Entry, ...]


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
        taken = [each for each in chosen if each.state != "open"]
        number = _page_number(asked.query.get("page", ""), len(waiting))
        shown = waiting[(number - 1) * PER_PAGE : number * PER_PAGE]
        entries = _entries(asked, connection, [*shown, *taken[:PER_PAGE]], places)
        quiet = _quiet(settings, connection, now)
    still = asked.query.get("still") == "1"
    return page(
        asked,
        "open_alerts.html",
        headers={} if still else {"Refresh": str(REFRESH_SECONDS)},
        groups=_grouped(entries[: len(shown)]),
        taken=tuple(entries[len(shown) :]),
        taken_in_all=len(taken),
        counts=_counts(waiting),
        quiet=quiet,
        teams=teams if len(teams) > 1 else (),
        team=team,
        number=number,
        pages=_pages(len(waiting)),
        still=still,
        refresh_seconds=REFRESH_SECONDS,
    )


def _entries(asked: Asked, connection: Connection, alerts: Sequence[Listed], places: Mapping[str, Patient]) -> tuple[Entry, ...]:
    settings, ids = asked.site.settings, [each.alert_id for each in alerts]
    since = min((each.opened_at for each in alerts), default=asked.now)
    told = board.told(connection, {each.alert_id: each.patient_id for each in alerts}, since=since)
    waiting = escalations.waiting(connection, ids)
    held: dict[int, list[Withheld]] = {}
    for row in withheld.of_alerts(connection, ids):
        held.setdefault(row.alert_id, []).append(row)
    names = board.names_of(connection, places) if settings.privacy == "identified" and asked.viewer.role != "admin" else {}
    return tuple(
        _entry(
            asked,
            alert,
            places[alert.patient_id],
            told=[each for each in told[alert.alert_id] if each.created_at >= alert.raised_at],
            row=waiting.get(alert.alert_id),
            held=[each for each in held.get(alert.alert_id, []) if each.since >= alert.raised_at],
            display_name=names.get(alert.patient_id),
        )
        for alert in alerts
    )


def _entry(
    asked: Asked,
    alert: Listed,
    place: Patient,
    *,
    told: Sequence[board.Told],
    row: Waiting | None,
    held: Sequence[Withheld],
    display_name: str | None,
) -> Entry:
    settings, now, finding = asked.site.settings, asked.now, alert.finding
    acknowledge_by = first_told(alert, told, held) + acknowledge_within(settings)[finding.urgency]
    return Entry(
        number=alert.alert_id,
        may_open=asked.viewer.may("patient") and sees(asked.viewer, settings, place),
        patient_id=alert.patient_id,
        display_name=display_name,
        site=place.site,
        team=team_of(settings, place).name,
        urgency=finding.urgency.value,
        title=title_of(finding),
        headline=finding.headline,
        ask=ask_of(finding),
        state=alert.state,
        holds=alert.holds,
        raised_at=alert.raised_at,
        age=now - alert.raised_at,
        acknowledge_by=acknowledge_by,
        late=alert.state == "open" and now > acknowledge_by,
        acknowledged_at=alert.acknowledged_at,
        acknowledged_by=alert.acknowledged_by,
        told=newest_for_each(told, now),
        next=None if row is None else next_words(settings, place, finding.urgency, row, now),
        held=tuple(each for each in held if each.until is None or each.until > now),
    )


def first_told(alert: Listed, told: Iterable[board.Told], held: Iterable[Withheld]) -> datetime:
    """The instant from which the time to acknowledge runs: when it spoke, or when those held back till then are told."""
    ends = [each.until for each in held if each.until is not None and each.owner.startswith(QUIET_HOURS)]
    first = min((each.created_at for each in told), default=alert.raised_at)
    return max([alert.raised_at, first, *ends])


def next_words(settings: Settings, place: Patient, urgency: Urgency, row: Waiting, now: datetime) -> NextWords:
    """Whom the step that waits would reach at its time, by the calendars as they are now."""
    found = told_from(settings, team_of(settings, place), urgency, row.step, max(row.due_at, now))
    names = () if found is None else tuple(each.name for each in found[1])
    return NextWords(at=row.due_at, overdue=row.due_at < now, names=names, why=row.why)


def _quiet(settings: Settings, connection: Connection, now: datetime) -> Quiet:
    newest, done = newest_fact_at(connection), last_round(connection)
    return Quiet(
        last_event_at=board.last_event_at(connection),
        newest_fact_at=newest,
        newest_fact_age=None if newest is None else now - newest,
        feed_is_quiet=newest is None or now - newest > settings.feed_quiet_after,
        evaluated_at=None if done is None else done.started_at,
    )


def _grouped(entries: Iterable[Entry]) -> tuple[Group, ...]:
    groups: dict[str, list[Entry]] = {}
    for entry in entries:
        groups.setdefault(entry.urgency, []).append(entry)
    return tuple(Group(urgency=urgency, entries=tuple(found)) for urgency, found in groups.items())


def _counts(alerts: Iterable[Listed]) -> tuple[Count, ...]:
    found = [each.finding.urgency for each in alerts]
    return tuple(Count(urgency=urgency.value, number=found.count(urgency)) for urgency in reversed(Urgency) if urgency in found)


def _pages(alerts: int) -> int:
    return max(1, -(-alerts // PER_PAGE))


def _page_number(text: str, alerts: int) -> int:
    """The page asked for, where there is one; else the first."""
    return int(text) if text.isascii() and text.isdigit() and 1 <= int(text[:6]) <= _pages(alerts) else 1
