"""Mails about several patients: digests and reminders. The most urgent first, and never longer than mail programs show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby

from monitor.clinical.alerts import Alert
from monitor.clinical.findings import Urgency
from monitor.clinical.history import History
from monitor.clinical.situation import Situation
from monitor.delivery.background import drug_facts
from monitor.delivery.compose import (
    Site,
    alert_name,
    ask_of,
    criterion_in_words,
    patient_facts,
    policy_facts,
    title_of,
    told_next_in_words,
    urgency_facts,
)
from monitor.delivery.facts import DigestEntry, DigestFacts, ReminderEntry, ReminderFacts, TimeFacts
from monitor.delivery.wording import NOTICE, action_in_words, count_in_words, day_in_words, duration_in_words, instant_in_words
from monitor.said import Said, say

AT_LENGTH = 60
REMINDED_AT_LENGTH = 25
CRITERIA_PASSED_ON = 3
"""So many alerts are told with their words; a list of more goes on with a short line each: pages over 100 kB are cut off.
Of each that is new to the reader the first criteria that were met are told."""

SHORTLY = 150
"""So many patients get a short line; only those with an immediate alert are named whatever their number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unanswered:
    """An alert that nobody has acknowledged, as one reader hears of it. ``why``: what passed it on before its time.

    ``situation`` and ``told_next`` are for a reader who hears of it for the first time: where the patient stands, and when
    it goes on to whom.
    """

    alert: Alert
    since: datetime
    passed_on: bool
    told_before: tuple[str, ...]
    why: str | None = None
    situation: Situation | None = None
    told_next: tuple[datetime, Sequence[str]] | None = None


def digest_facts(
    alerts: Sequence[Alert],
    *,
    site: Site,
    histories: Mapping[str, History],
    announce_within: timedelta,
    why: Sequence[str],
    now: datetime,
    leaves_at: datetime | None = None,
    received_at: datetime | None = None,
    others_told: Sequence[str] = (),
) -> DigestFacts:
    """The facts of a digest: every alert once, immediate first, then by patient. ``alerts`` is not empty.

    ``leaves_at`` is when it goes where it is held back over quiet hours; ``received_at`` when the newest record that they
    rest on came in.
    """
    ordered = sorted(alerts, key=lambda alert: (-alert.urgency.rank, alert.patient_id, alert.finding.clinical_at))
    counts = {urgency: sum(alert.urgency is urgency for alert in ordered) for urgency in reversed(Urgency)}
    highest = ordered[0].urgency
    immediate = [alert for alert in ordered if alert.urgency is Urgency.IMMEDIATE]
    return DigestFacts(
        urgency=urgency_facts(highest, site),
        why=tuple(why),
        immediate=_a_line_each(immediate, site, histories),
        entries=tuple(_digest_entry(alert, site, histories[alert.patient_id]) for alert in ordered[:AT_LENGTH]),
        shortly=_the_rest([alert for alert in ordered[AT_LENGTH:] if alert.urgency is not Urgency.IMMEDIATE], site, histories),
        patients=len({alert.patient_id for alert in ordered}),
        counts=tuple(count_in_words(urgency, count) for urgency, count in counts.items() if count),
        announce_within=duration_in_words(announce_within),
        acknowledge_by=instant_in_words((leaves_at or now) + site.acknowledge_within[highest], site.policy.zone),
        acknowledge_with=f"bipn-monitor ack {alert_name(ordered[0])} --by NAME",
        others_told=tuple(others_told),
        times=_times(ordered, site, received_at, say("Collected"), now),
        policy=policy_facts(site.policy),
        notice=NOTICE,
    )


def reminder_facts(
    unanswered: Sequence[Unanswered],
    *,
    site: Site,
    histories: Mapping[str, History],
    again_at: datetime,
    now: datetime,
    received_at: datetime | None = None,
) -> ReminderFacts:
    """The facts of one reader's reminder. ``unanswered`` is not empty; ``again_at``: when the first of it is told again.

    ``received_at``: when the newest record that they rest on came in.
    """
    ordered = most_urgent_first(unanswered)
    rest = [each.alert for each in ordered[REMINDED_AT_LENGTH:]]
    return ReminderFacts(
        urgency=urgency_facts(ordered[0].alert.urgency, site),
        alerts=tuple(alert_name(each.alert) for each in ordered),
        entries=tuple(_reminder_entry(each, site, histories[each.alert.patient_id]) for each in ordered[:REMINDED_AT_LENGTH]),
        shortly=_the_rest(rest, site, histories),
        patients=len({each.alert.patient_id for each in ordered}),
        passed_on=any(each.passed_on for each in ordered),
        again_at=instant_in_words(again_at, site.policy.zone),
        times=_times([each.alert for each in ordered], site, received_at, say("Not acknowledged at"), now),
        policy=policy_facts(site.policy),
        notice=NOTICE,
    )


def most_urgent_first(unanswered: Sequence[Unanswered]) -> list[Unanswered]:
    """In the order in which they are told."""
    return sorted(unanswered, key=lambda each: (-each.alert.urgency.rank, each.alert.patient_id, each.since))


def _times(
    alerts: Sequence[Alert], site: Site, received_at: datetime | None, label: Said, now: datetime
) -> tuple[TimeFacts, ...]:
    """Of all of them: of which days they are, when the newest record came in, when they were found; ``label`` is of now."""
    zone = site.policy.zone
    days = sorted(alert.finding.clinical_at.astimezone(zone).date() for alert in alerts)
    found = sorted(alert.raised_at for alert in alerts)
    times = [TimeFacts(label=say("Clinical facts of"), at=_from_to(day_in_words(days[0]), day_in_words(days[-1])))]
    if received_at is not None:
        times.append(TimeFacts(label=say("Received"), at=instant_in_words(received_at, zone)))
    evaluated = _from_to(instant_in_words(found[0], zone), instant_in_words(found[-1], zone))
    times.append(TimeFacts(label=say("Evaluated"), at=evaluated))
    return (*times, TimeFacts(label=label, at=instant_in_words(now, zone)))


def _from_to(first: Said, last: Said) -> Said:
    return first if first == last else say("{first} to {last}", first=first, last=last)


def _the_rest(alerts: Sequence[Alert], site: Site, histories: Mapping[str, History]) -> tuple[str, ...]:
    """A short line for each patient with an immediate alert and for some of the others, and how many are not named."""
    immediate = _a_line_each([alert for alert in alerts if alert.urgency is Urgency.IMMEDIATE], site, histories)
    others = _a_line_each([alert for alert in alerts if alert.urgency is not Urgency.IMMEDIATE], site, histories)
    unnamed = len(others) - SHORTLY
    more = (say("and {unnamed} more, none of them immediate", unnamed=unnamed),) if unnamed > 0 else ()
    return (*immediate, *others[:SHORTLY], *more)


def _a_line_each(alerts: Sequence[Alert], site: Site, histories: Mapping[str, History]) -> tuple[str, ...]:
    """A short line for each patient, in the order of the alerts: who, and the names of the alerts."""
    lines: list[str] = []
    for patient_id, several in groupby(alerts, key=lambda alert: alert.patient_id):
        who = patient_facts(histories[patient_id], site)
        names = ", ".join(alert_name(alert) for alert in several)
        if who is None:
            lines.append(say("patient not shown [{alerts}]", alerts=names))
        else:
            lines.append(f"{who.patient_id}{', ' + who.site if who.site else ''} [{names}]")
    return tuple(lines)


def _digest_entry(alert: Alert, site: Site, history: History) -> DigestEntry:
    return DigestEntry(
        alert=alert_name(alert),
        urgency=urgency_facts(alert.urgency, site),
        patient=patient_facts(history, site),
        title=title_of(alert.finding),
        headline=alert.finding.headline,
        on=day_in_words(alert.finding.clinical_at.astimezone(site.policy.zone).date()),
    )


def _reminder_entry(unanswered: Unanswered, site: Site, history: History) -> ReminderEntry:
    alert = unanswered.alert
    entry = ReminderEntry(
        alert=alert_name(alert),
        urgency=urgency_facts(alert.urgency, site),
        patient=patient_facts(history, site),
        title=title_of(alert.finding),
        headline=alert.finding.headline,
        ask=ask_of(alert.finding),
        since=instant_in_words(unanswered.since, site.policy.zone),
        passed_on=unanswered.passed_on,
        why=unanswered.why,
        told_before=unanswered.told_before,
        acknowledge_with=f"bipn-monitor ack {alert_name(alert)} --by NAME",
    )
    return _for_a_first_reader(entry, unanswered, site) if unanswered.passed_on else entry


def _for_a_first_reader(entry: ReminderEntry, unanswered: Unanswered, site: Site) -> ReminderEntry:
    """With what the first mail told those before him, as short as it can be said."""
    finding, told_next = unanswered.alert.finding, unanswered.told_next
    met = [criterion_in_words(each) for each in finding.criteria if each.met]
    action = finding.action
    return replace(
        entry,
        met=tuple(met[:CRITERIA_PASSED_ON]),
        guideline_says=None if action is None else action_in_words(action, site.policy.guideline.title),
        drug=drug_facts(unanswered.situation),
        acknowledge_by=None if told_next is None else instant_in_words(told_next[0], site.policy.zone),
        told_next=None if told_next is None else told_next_in_words(*told_next, site),
    )
