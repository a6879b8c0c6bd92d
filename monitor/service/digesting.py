"""What was not told by a mail of a patient's own: the daily digest, a backlog, and many patients at once.

An alert that waits is a row since it was decided to tell it; how it is told is decided when it is told. So a crash in between
loses none, and the next round ends what the last one left.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from monitor.clinical.alerts import Alert
from monitor.clinical.findings import Urgency
from monitor.clinical.history import History
from monitor.config.settings import Recipient, Team
from monitor.delivery.lists import digest_facts
from monitor.delivery.wording import DAILY, backlog, storm
from monitor.service import alarms, chains
from monitor.service.mailing import Letter, mail_site, queue_letter, records_of
from monitor.service.opening import Site
from monitor.service.people import goes_at, team_of, told_from
from monitor.service.telling import for_the_daily_digest, is_old_news, tell_alone
from monitor.store import alerts as kept_alerts
from monitor.store import arrivals, daily, digests, histories, withheld
from monitor.store.rounds import Failure, record_failure

log = logging.getLogger(__name__)

DIGEST = "digest"


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """The alerts that wait to be told, by how: ``alone`` holds patients with a mail of their own unless they are too many."""

    backlog: tuple[Alert, ...] = ()
    daily: tuple[Alert, ...] = ()
    alone: dict[str, list[Alert]] = field(default_factory=dict)


@dataclass(slots=True)
class Page:
    """One reader's digest: the alerts, and the teams they are of."""

    recipient: Recipient
    alerts: list[Alert] = field(default_factory=list)
    teams: list[Team] = field(default_factory=list)


def queue_digests(site: Site, now: datetime) -> int:
    """Tell what is due of all that waits, the daily digest once a day when its hour has come; how many messages that made."""
    with site.database.read() as connection:
        at, zone = site.settings.digest_at, site.settings.time_zone
        if not digests.waiting(connection) and not daily.is_due(connection, DIGEST, at=at, now=now, zone=zone):
            return 0
    with site.database.write("digest") as connection:
        return tell_what_waits(site, connection, now)


def anything_held(site: Site, connection: Connection) -> bool:
    """Whether a round that was cut short, or another's, left patients of whom it is not decided yet how they are told."""
    since = digests.entries(connection)
    return bool(_by_how(site, _still_open(connection, since), since).alone)


def tell_what_waits(site: Site, connection: Connection, now: datetime) -> int:
    """As ``queue_digests``, in the caller's transaction: one digest for each reader, or a mail for each of few patients."""
    at, zone = site.settings.digest_at, site.settings.time_zone
    waiting = _waiting(site, connection)
    today = daily.is_due(connection, DIGEST, at=at, now=now, zone=zone)
    too_many = len(waiting.alone) > site.settings.storm_above
    why, told = [], list(waiting.backlog)
    if too_many:
        why.append(storm(len(waiting.alone)))
        told += [alert for alerts in waiting.alone.values() for alert in alerts]
    if waiting.backlog:
        why.append(backlog(site.settings.announce_within))
    if today:
        daily.done(connection, DIGEST, at=at, now=now, zone=zone)
        told += waiting.daily
        why += [DAILY] if waiting.daily else []
    queued = _queue(site, connection, told, why, now) if told else 0
    digests.clear(connection, _ids(told))
    if waiting.alone and not too_many:
        queued += _tell_each(site, connection, waiting.alone, now)
    return queued


def _waiting(site: Site, connection: Connection) -> Waiting:
    """What waits, sorted by how it is told. What closed or was taken on meanwhile waits no longer."""
    since = digests.entries(connection)
    still = _still_open(connection, since)
    digests.clear(connection, set(since).difference(_ids(still)))
    return _by_how(site, still, since)


def _still_open(connection: Connection, since: Mapping[int, datetime]) -> list[Alert]:
    known = {alert.alert_id: alert for alert in kept_alerts.by_ids(connection, sorted(since))}
    return [known[alert_id] for alert_id in since if known[alert_id].state == "open"]


def _by_how(site: Site, still: Sequence[Alert], since: Mapping[int, datetime]) -> Waiting:
    backlog = [
        alert for alert in still if alert.alert_id is not None and is_old_news(site.settings, alert, since[alert.alert_id])
    ]
    fresh: dict[str, list[Alert]] = {}
    for alert in still:
        if alert not in backlog:
            fresh.setdefault(alert.patient_id, []).append(alert)
    reviews = [alert for alerts in fresh.values() if for_the_daily_digest(alerts) for alert in alerts]
    alone = {patient_id: alerts for patient_id, alerts in fresh.items() if not for_the_daily_digest(alerts)}
    return Waiting(backlog=tuple(backlog), daily=tuple(reviews), alone=alone)


def _queue(site: Site, connection: Connection, alerts: Sequence[Alert], why: Sequence[str], now: datetime) -> int:
    records = records_of(site, connection, {alert.patient_id for alert in alerts})
    pages: dict[str, Page] = {}
    queued = 0
    for (team_name, urgency), several in _by_route(site, records, alerts).items():
        team = next(team for team in site.settings.teams if team.name == team_name)
        found = told_from(site.settings, team, urgency, 0, now)
        if found is None or found[0] > 0:
            queued += alarms.nobody_home(site, connection, team.name, urgency, 0, now)
        step, people = found if found is not None else (0, ())
        for recipient in people:
            page = pages.setdefault(recipient.address.lower(), Page(recipient))
            page.alerts += several
            page.teams.append(team)
        leaves_at = goes_at(site.settings, team, urgency, now)
        chains.begin(site, connection, several, team=team, told_step=step, leaves_at=leaves_at, reached=found is not None)
    for page in pages.values():
        queued += _queue_page(site, connection, page, records, why, now)
    return queued


def _by_route(site: Site, records: dict[str, History], alerts: Sequence[Alert]) -> dict[tuple[str, Urgency], list[Alert]]:
    """The alerts by their team's name and their urgency, which decide who hears and when."""
    found: dict[tuple[str, Urgency], list[Alert]] = {}
    for alert in alerts:
        team = team_of(site.settings, records[alert.patient_id].patient)
        found.setdefault((team.name, alert.urgency), []).append(alert)
    return found


def _queue_page(
    site: Site, connection: Connection, page: Page, records: dict[str, History], why: Sequence[str], now: datetime
) -> int:
    """One reader's digest. It leaves with the first of its alerts that quiet hours do not hold back."""
    highest = max((alert.urgency for alert in page.alerts), key=lambda urgency: urgency.rank)
    leaves_at = min(goes_at(site.settings, team, highest, now) for team in page.teams)
    facts = digest_facts(
        page.alerts,
        site=mail_site(site, page.teams[0].name),
        histories=records,
        announce_within=site.settings.announce_within,
        why=why,
        now=now,
        leaves_at=leaves_at,
        received_at=arrivals.newest_of(connection, page.alerts),
    )
    due_at = leaves_at if leaves_at > now else None
    if due_at is not None:
        owner = f"quiet hours of team {page.teams[0].name}"
        withheld.withhold(
            connection, _ids(page.alerts), since=now, until=due_at, owner=owner, reason="digest: told in the morning"
        )
    letter = Letter(kind="digest", facts=facts, alerts=tuple(page.alerts), patient_id=None, due_at=due_at)
    return queue_letter(site, connection, letter, [page.recipient], now)


def _tell_each(site: Site, connection: Connection, patients: dict[str, list[Alert]], now: datetime) -> int:
    """A mail for each patient. One that cannot be made up keeps waiting, and is that patient's failure alone."""
    loaded = histories.load(connection, sorted(patients), site.policy.zone)
    queued = 0
    for patient_id, alerts in patients.items():
        history = loaded.histories.get(patient_id) or History(patient_id=patient_id)
        try:
            with connection.begin_nested():
                queued += tell_alone(site, connection, history, alerts, now)
                digests.clear(connection, _ids(alerts))
        except OperationalError:  # the database's, not the patient's
            raise
        except Exception as error:
            log.error("a patient could not be told of", extra={"defect": type(error).__name__})
            problem = f"a defect of ours, {type(error).__name__} while a mail was made up; please report it"
            record_failure(connection, Failure(patient_id=patient_id, at=now, problem=problem))
    return queued


def _ids(alerts: Sequence[Alert]) -> list[int]:
    return [alert.alert_id for alert in alerts if alert.alert_id is not None]
