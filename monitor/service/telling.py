"""What a round has decided about one patient, told: by a mail of its own, by the next digest, or in the morning."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from monitor.clinical.alerts import CORRECTS, Alert, Reason, Transition
from monitor.clinical.findings import Urgency
from monitor.clinical.history import History
from monitor.config.settings import Recipient, Settings
from monitor.service import alarms, chains
from monitor.service.mailing import queue_alert, queue_correction
from monitor.service.opening import Site
from monitor.service.people import goes_at, recipient_known, team_of, told_from
from monitor.service.reminding import remind_anew
from monitor.store import alerts as kept_alerts
from monitor.store import correspondence, daily, digests, outbox, withheld

OVER = {
    Reason.WITHDRAWN: "closed: withdrawn",
    Reason.MERGED: "closed: part of another record",
    Reason.RESOLVED: "closed: resolved",
    Reason.NO_LONGER_HOLDS: "no longer holds",
}
DAILY_DIGEST = "daily digest"
_TAKEN_BACK = {
    Reason.WITHDRAWN: "the record it rested on was corrected",
    Reason.MERGED: "the record became part of another one",
}


def is_old_news(settings: Settings, alert: Alert, known_at: datetime) -> bool:
    """Whether a finding was too many days old, by the clinic's calendar, to be announced by itself when it was found."""
    zone = settings.time_zone
    age = known_at.astimezone(zone).date() - alert.finding.clinical_at.astimezone(zone).date()
    return age > settings.announce_within


def told_alone(site: Site, transitions: Sequence[Transition], now: datetime) -> list[Alert]:
    """The alerts of one patient that a mail of the patient's own would tell now: not old news, and not merely for review."""
    news = [t.after for t in transitions if t.speaks and t.reason not in CORRECTS]
    fresh = [alert for alert in news if not is_old_news(site.settings, alert, now)]
    return [] if for_the_daily_digest(fresh) else fresh


def for_the_daily_digest(fresh: Sequence[Alert]) -> bool:
    """Whether a patient's findings of one round can wait for the daily digest."""
    return all(alert.urgency is Urgency.REVIEW for alert in fresh)


def tell(site: Site, connection: Connection, history: History, saved: Sequence[Transition], *, hold: bool, now: datetime) -> int:
    """Tell one patient's transitions, in the transaction that stored them; how many messages that made.

    ``hold``: too many patients to say yet whether each is told by a mail of his own; the end of the round decides.
    """
    for reason, outcome in OVER.items():
        chains.end(connection, _ids([t.after for t in saved if t.reason is reason]), outcome, now)
    news = [t.after for t in saved if t.speaks and t.reason not in CORRECTS]
    corrections = [t for t in saved if t.reason in CORRECTS]
    chains.end(connection, _ids([t.after for t in saved if t.speaks and t.before is not None]), "spoke anew", now)
    now_alone = [] if hold else told_alone(site, saved, now)
    waits = [alert for alert in news if alert not in now_alone]
    if waits:
        _let_wait(site, connection, waits, now)
    queued = 0
    if corrections:
        queued += _correct(site, connection, history, corrections, now)
    if now_alone:
        digests.clear(connection, _ids(now_alone))
        queued += tell_alone(site, connection, history, now_alone, now)
    return queued


def tell_alone(
    site: Site,
    connection: Connection,
    history: History,
    alerts: Sequence[Alert],
    now: datetime,
    *,
    taken_over_from: tuple[str, ...] = (),
) -> int:
    """One patient's alerts in one mail to each who hears first; what still waits to be sent about him joins it.

    Where nobody is there to hear first, the next step's people are told, and the administrator. ``taken_over_from``: the
    names of another team's people who were told before.
    """
    joined = [*alerts, *_still_waiting(connection, history.patient_id, alerts)]
    urgency = max((alert.urgency for alert in joined), key=lambda each: each.rank)
    team = team_of(site.settings, history.as_known_at(now).patient)
    leaves_at = goes_at(site.settings, team, urgency, now)
    found = told_from(site.settings, team, urgency, 0, leaves_at)
    step, people = found if found is not None else (0, ())
    if leaves_at <= now:
        outbox.let_go(connection, "correction", history.patient_id, now)
    later = [] if taken_over_from else _held_for_others(site.settings, connection, history.patient_id, people, now)
    queued = 0
    for each_leaves_at, theirs in [(leaves_at, people), *later]:
        queued += queue_alert(
            site,
            connection,
            history,
            joined,
            team=team,
            people=theirs,
            step=step,
            leaves_at=each_leaves_at,
            now=now,
            taken_over_from=taken_over_from,
        )
    if found is None or step > 0:
        queued += alarms.nobody_home(site, connection, team.name, urgency, 0, now)
    else:
        alarms.somebody_home(connection, team.name)
    if leaves_at > now:
        owner = f"quiet hours of team {team.name}"
        withheld.withhold(
            connection, _ids(joined), since=now, until=leaves_at, owner=owner, reason=f"{urgency}: told in the morning"
        )
    chains.begin(site, connection, joined, team=team, told_step=step, leaves_at=leaves_at, reached=found is not None)
    return queued


def _held_for_others(
    settings: Settings, connection: Connection, patient_id: str, people: Sequence[Recipient], now: datetime
) -> list[tuple[datetime, tuple[Recipient, ...]]]:
    """Who comes on duty in the morning, and for whom older news of the patient waits: a mail with all of it takes its place."""
    told_now = {each.address.lower() for each in people}
    others = {
        each.address: each for each in correspondence.held(connection, patient_id, now) if each.address.lower() not in told_now
    }
    return [(each.due_at, (recipient_known(settings, each.address, each.name),)) for each in others.values()]


def _let_wait(site: Site, connection: Connection, alerts: Sequence[Alert], now: datetime) -> None:
    digests.add(connection, _ids(alerts), now)
    reviews = [alert for alert in alerts if alert.urgency is Urgency.REVIEW and not is_old_news(site.settings, alert, now)]
    until = daily.next_at(site.settings.digest_at, now, site.settings.time_zone)
    withheld.withhold(
        connection, _ids(reviews), since=now, until=until, owner=DAILY_DIGEST, reason="review: told once a day in one mail"
    )


def _correct(site: Site, connection: Connection, history: History, corrections: Sequence[Transition], now: datetime) -> int:
    """Tell a correction; what was withdrawn before anybody was told is not told at all."""
    rest = []
    for reason, why in _TAKEN_BACK.items():
        rest += _take_back(site, connection, _ids([t.after for t in corrections if t.reason is reason]), why, now)
    highest = max((t.before.urgency for t in corrections if t.before is not None), key=lambda each: each.rank)
    team = team_of(site.settings, history.as_known_at(now).patient)
    leaves_at = goes_at(site.settings, team, highest, now)
    due_at = leaves_at if leaves_at > now else None
    if due_at is None:
        outbox.let_go(connection, "correction", history.patient_id, now)
    queued = queue_correction(site, connection, history, corrections, due_at=due_at, now=now)
    lowered = [t.after for t in corrections if t.reason is Reason.CORRECTED_LOWER]
    if queued:
        chains.begin(site, connection, lowered, team=team, told_step=0, leaves_at=leaves_at)
    else:  # nobody had been told of it: what remains is news, unless it waits for a digest
        waiting = set(digests.waiting(connection))
        rest += [alert for alert in lowered if alert.state == "open" and alert.alert_id not in waiting and alert not in rest]
    if rest:
        queued += tell_alone(site, connection, history, rest, now)
    return queued


def _take_back(site: Site, connection: Connection, withdrawn: Sequence[int], why: str, now: datetime) -> list[Alert]:
    """Cancel the mails about withdrawn alerts that nobody tried to send yet; what else they said has still to be told.

    Returns the other alerts of this patient's mails; reminders that named others are written anew.
    """
    mails = [mail for mail in correspondence.untried(connection, withdrawn) if mail.kind in ("alert", *outbox.REMINDERS)]
    if not mails:
        return []
    outbox.cancel(connection, [mail.id for mail in mails], why, now)
    others = {mail.id: sorted(set(mail.alert_ids) - set(withdrawn)) for mail in mails}
    still = {
        alert.alert_id: alert for alert in kept_alerts.by_ids(connection, sorted({i for ids in others.values() for i in ids}))
    }
    rest: dict[int, Alert] = {}
    for mail in mails:
        left = [still[alert_id] for alert_id in others[mail.id] if still[alert_id].state == "open"]
        if mail.kind == "alert":
            rest |= {alert.alert_id: alert for alert in left if alert.alert_id is not None}
        else:
            remind_anew(site, connection, mail, left, now)
    return list(rest.values())


def _still_waiting(connection: Connection, patient_id: str, but: Sequence[Alert]) -> list[Alert]:
    """Alerts of this patient that nobody took on and whose mails still wait: older news never comes after newer."""
    known = set(_ids(but))
    ids = correspondence.waiting_alerts(connection, patient_id) - known
    return [alert for alert in kept_alerts.by_ids(connection, sorted(ids)) if alert.state == "open"]


def _ids(alerts: Sequence[Alert]) -> list[int]:
    return [alert.alert_id for alert in alerts if alert.alert_id is not None]
