"""A patient who moved to another team while alerts about him are open: the new team is told what the old one was told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from sqlalchemy import Connection

from monitor.clinical.alerts import Alert
from monitor.clinical.history import History
from monitor.config.settings import Settings, Team
from monitor.service import chains
from monitor.service.opening import Site
from monitor.service.people import team_of
from monitor.service.telling import tell_alone
from monitor.store import alerts as kept_alerts
from monitor.store import correspondence, digests


def has_moved(settings: Settings, history: History, known: Sequence[Alert], now: datetime) -> bool:
    """Whether somebody's alerts are open whose own record names, or named, another team."""
    if len(history.patients) < 2 or all(alert.state != "open" for alert in known):
        return False
    return len({team_of(settings, version).name for version in (*history.patients, history.as_known_at(now).patient)}) > 1


def take_over(site: Site, connection: Connection, history: History, *, hold: bool, now: datetime) -> int:
    """Tell the patient's team of open alerts that nobody of it was ever told of; how many messages that made.

    ``hold``: very many, so that they wait for the end of the round. What spoke in this round was told to this team already.
    """
    active = kept_alerts.of_patients(connection, [history.patient_id])[history.patient_id]
    waiting = set(digests.waiting(connection))
    still = {
        alert.alert_id: alert
        for alert in active
        if alert.state == "open" and alert.raised_at < now and alert.alert_id is not None and alert.alert_id not in waiting
    }
    told = correspondence.told_by_alert(connection, dict.fromkeys(still, history.patient_id))
    team = team_of(site.settings, history.as_known_at(now).patient)
    of_team = set(_addresses(site.settings, team))
    news = [still[alert_id] for alert_id, several in told.items() if of_team.isdisjoint(each.address.lower() for each in several)]
    if not news:
        return 0
    ids = [alert.alert_id for alert in news if alert.alert_id is not None]
    if hold:
        digests.add(connection, ids, now)
        return 0
    chains.end(connection, ids, "taken over by another team", now)
    before = {each.name: None for alert_id in ids for each in told[alert_id] if each.reached}
    return tell_alone(site, connection, history, news, now, taken_over_from=tuple(before))


def _addresses(settings: Settings, team: Team) -> Iterator[str]:
    """Everybody who may ever hear first of this team's patients."""
    yield from (recipient.address.lower() for recipient in team.recipients)
    for name in team.on_call:
        rota = settings.directory.rotas.get(name)
        keys = [name] if rota is None else [key for shift in rota.shifts for key in shift.people]
        for person in (settings.directory.people[key] for key in keys):
            yield person.recipient.address.lower()
            instead = (other for absence in person.away for other in absence.instead)
            yield from (settings.directory.people[other].recipient.address.lower() for other in instead)
