"""Alerts that nobody has acknowledged in time are told to the next people, and those told before are reminded.

Everything is a row with a due time: what a stopped daemon missed is due at its next start. All that is due at once for one
reader is one mail.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection

from monitor.clinical.alerts import Alert
from monitor.clinical.escalation import steps_of
from monitor.config.settings import Recipient, Settings, Team
from monitor.delivery.lists import Unanswered
from monitor.service import alarms
from monitor.service.chains import NOBODY_AGAIN
from monitor.service.mailing import records_of
from monitor.service.opening import Site
from monitor.service.people import everybody, goes_at, on_duty, team_of, told_from, wait_after
from monitor.service.reminding import queue_reminder
from monitor.service.said_again import said_again
from monitor.store import alerts as kept_alerts
from monitor.store import correspondence, escalations, withheld
from monitor.store.escalations import Waiting

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Mail:
    """What one reader is reminded of in this run."""

    recipient: Recipient
    unanswered: list[Unanswered] = field(default_factory=list)


@dataclass(slots=True)
class Run:
    """What one run decides: a mail for each reader, the rows that are over by their outcome, and those that wait next."""

    mails: dict[str, Mail] = field(default_factory=dict)
    over: dict[str, list[int]] = field(default_factory=dict)
    following: list[escalations.Next] = field(default_factory=list)
    reached: set[str] = field(default_factory=set)  # teams
    queued: int = 0

    def finish(self, row: Waiting, outcome: str) -> None:
        """The row is over."""
        self.over.setdefault(outcome, []).append(row.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """One alert whose next step is due, with all that decides who is told."""

    row: Waiting
    alert: Alert
    team: Team
    told: Sequence[correspondence.Told]
    written: Mapping[str, datetime]  # by address, the last alert mail about this patient


def escalate(site: Site, now: datetime) -> int:
    """Pass on what is due at ``now``, and remind; how many messages that put into the outbox."""
    with site.database.glance() as connection:
        if not escalations.anything_due(connection, now):
            return 0
    with site.database.write("escalation") as connection:
        if not escalations.anything_due(connection, now):
            return 0  # another daemon has done it meanwhile
        queued = _escalate(site, connection, now)
    log.info("unanswered alerts were told again or passed on", extra={"messages": queued})
    return queued


def _escalate(site: Site, connection: Connection, now: datetime) -> int:
    rows = escalations.due(connection, now)
    alerts = {alert.alert_id: alert for alert in kept_alerts.by_ids(connection, [row.alert_id for row in rows])}
    records = records_of(site, connection, {alert.patient_id for alert in alerts.values()})
    patients = {row.alert_id: alerts[row.alert_id].patient_id for row in rows}
    told = correspondence.told_by_alert(connection, patients, not_held_at=now)
    written = correspondence.last_alert_mails(connection, set(records))
    run = Run()
    for row in rows:
        alert = alerts[row.alert_id]
        over = _over(row, alert)
        if over is not None:
            run.finish(row, over)
            continue
        team = team_of(site.settings, records[alert.patient_id].patient)
        due = Due(row=row, alert=alert, team=team, told=told[row.alert_id], written=written.get(alert.patient_id, {}))
        if not _put_off(site, connection, due, now):
            _pass_on(site, connection, due, run, now)
    for outcome, ids in run.over.items():
        escalations.finish(connection, ids, outcome, now)
    escalations.add(connection, run.following)
    for team_name in sorted(run.reached):
        alarms.somebody_home(connection, team_name)
    for mail in run.mails.values():
        run.queued += queue_reminder(site, connection, mail.recipient, mail.unanswered, now)
    return run.queued


def _over(row: Waiting, alert: Alert) -> str | None:
    """Why nobody is told next, or None."""
    if alert.state == "acknowledged":
        return "acknowledged"
    if alert.state != "open":
        return f"closed: {alert.state}"
    if row.raised_at < alert.raised_at:
        return "spoke anew"
    return None if alert.holds else "no longer holds"


def _put_off(site: Site, connection: Connection, due: Due, now: datetime) -> bool:
    """Whether a snooze or quiet hours hold it back; if so it is due at their end, and a row says so."""
    alert, ids = due.alert, [due.row.alert_id]
    if alert.snoozed_until is not None and alert.snoozed_until > now:
        until, owner, reason = alert.snoozed_until, "a snooze", "snoozed"
    else:
        until = goes_at(site.settings, due.team, alert.urgency, now)
        owner, reason = f"quiet hours of team {due.team.name}", f"{alert.urgency}: reminded in the morning"
    if until <= now:
        return False
    escalations.put_off(connection, [due.row.id], until)
    withheld.withhold(connection, ids, since=now, until=until, owner=owner, reason=reason)
    return True


def _pass_on(site: Site, connection: Connection, due: Due, run: Run, now: datetime) -> None:
    """Add one alert to the mails of all who hear of it now, and let its next step wait."""
    row, alert, settings = due.row, due.alert, site.settings
    steps = len(steps_of(due.team, alert.urgency))
    found = told_from(settings, due.team, alert.urgency, row.step, now)
    told_step = found[0] if found is not None else max(row.step, steps)
    people = _hearers(settings, due, found[1] if found is not None else (), now)
    if _handed_over_in_vain(site, connection, due, people, now):
        return
    if not people or (row.step <= steps and (found is None or found[0] > row.step)):
        run.queued += alarms.nobody_home(site, connection, due.team.name, alert.urgency, row.step, now)
    else:
        run.reached.add(due.team.name)
    if not people:
        escalations.put_off(connection, [row.id], now + NOBODY_AGAIN)
        return
    before = {told.address.lower() for told in due.told if told.reached and told.created_at >= alert.raised_at}
    names = tuple(dict.fromkeys(told.name for told in due.told if told.reached))
    for person in people:
        is_new = person.address.lower() not in before
        if not is_new and _has_just_heard(due, person):
            continue
        mail = run.mails.setdefault(person.address.lower(), Mail(person))
        mail.unanswered.append(
            Unanswered(
                alert=alert,
                since=alert.raised_at,
                passed_on=is_new,
                told_before=names,
                why=said_again(row.why) if is_new and row.why is not None else None,
            )
        )
    run.finish(row, f"{row.why + '; ' if row.why else ''}told {len(people)}")
    wait = wait_after(settings, due.team, alert.urgency, told_step)
    run.following.append(escalations.Next(alert_id=row.alert_id, raised_at=row.raised_at, step=told_step + 1, due_at=now + wait))


def _handed_over_in_vain(site: Site, connection: Connection, due: Due, people: Iterable[Recipient], now: datetime) -> bool:
    """Whether it was brought forward and nobody is left to hand it over to; then it is due at its own time.

    Else each reminder that a machine answers, or a relay refuses, would make the next one.
    """
    row = due.row
    written_to = {told.address.lower() for told in due.told if told.created_at >= row.raised_at}
    if row.why is None or not written_to.issuperset(person.address.lower() for person in people):
        return False
    wait = wait_after(site.settings, due.team, due.alert.urgency, row.step - 1)
    own_time = (escalations.last_done_at(connection, row.alert_id, row.raised_at) or row.raised_at) + wait
    if own_time > now:
        escalations.put_back(connection, row.id, own_time)
    return own_time > now


def _hearers(settings: Settings, due: Due, next_people: Iterable[Recipient], now: datetime) -> list[Recipient]:
    """The next step's people, who is on duty now, and those told before who are still in the configuration."""
    known = {each.address.lower(): each for each in everybody(settings)}
    before = [known[told.address.lower()] for told in due.told if told.reached and told.address.lower() in known]
    found: dict[str, Recipient] = {}
    for each in (*next_people, *on_duty(settings, due.team, due.alert.urgency, now), *before):
        found.setdefault(each.address.lower(), each)
    return list(found.values())


def _has_just_heard(due: Due, person: Recipient) -> bool:
    """Whether since this came due the person was mailed an alert of the same patient: one mail of him is enough."""
    wrote_at = due.written.get(person.address.lower())
    return wrote_at is not None and wrote_at >= due.row.due_at
