"""The mail that takes back what an earlier one told: the record was corrected."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from monitor.clinical.alerts import CORRECTS, Alert, Reason, Transition
from monitor.clinical.history import History
from monitor.delivery.compose import Site, alert_name, patient_facts, policy_facts, title_of, urgency_facts
from monitor.delivery.facts import CorrectionEntry, CorrectionFacts, TimeFacts
from monitor.delivery.wording import NOTICE, day_in_words, instant_in_words
from monitor.said import Said, say


def correction_facts(
    transitions: Sequence[Transition],
    *,
    site: Site,
    history: History,
    first_told_at: datetime,
    now: datetime,
    received_at: datetime | None = None,
    others_told: Sequence[str] = (),
) -> CorrectionFacts:
    """The facts of a correction. ``transitions`` were told before (``before`` is set) and are withdrawn, lowered or changed.

    ``first_told_at``: when the earlier mail was made; ``received_at``: when the newest record that they rest on came in.
    Raises ValueError for a transition that corrects nothing.
    """
    changes = tuple(_change(transition, site, history) for transition in transitions)
    highest = max((transition.before.urgency for transition in transitions if transition.before), key=lambda each: each.rank)
    return CorrectionFacts(
        urgency=urgency_facts(highest, site),
        withdrawn=all(change.now is None for change in changes),
        changed=any(change.now == change.was for change in changes),
        joined=all(transition.reason is Reason.MERGED for transition in transitions),
        alerts=tuple(change.alert for change in changes),
        patient=patient_facts(history, site),
        changes=changes,
        earlier_mail=say("of {at}", at=instant_in_words(first_told_at, site.policy.zone)),
        others_told=tuple(others_told),
        times=_times([transition.after for transition in transitions], site, received_at, now),
        policy=policy_facts(site.policy),
        notice=NOTICE,
    )


def _times(alerts: Sequence[Alert], site: Site, received_at: datetime | None, now: datetime) -> tuple[TimeFacts, ...]:
    zone = site.policy.zone
    newest = max(alert.finding.clinical_at for alert in alerts).astimezone(zone).date()
    times = [TimeFacts(label=say("Clinical facts of"), at=day_in_words(newest))]
    if received_at is not None:
        times.append(TimeFacts(label=say("Received"), at=instant_in_words(received_at, zone)))
    return (*times, TimeFacts(label=say("Evaluated"), at=instant_in_words(now, zone)))


def _change(transition: Transition, site: Site, history: History) -> CorrectionEntry:
    before, after = transition.before, transition.after
    if before is None or transition.reason not in CORRECTS:
        raise ValueError("a correction is of an alert that was withdrawn, lowered or changed")
    withdrawn = transition.reason is not Reason.CORRECTED_LOWER
    return CorrectionEntry(
        alert=alert_name(after),
        title=title_of(before.finding),
        was=urgency_facts(before.urgency, site),
        now=None if withdrawn else urgency_facts(after.urgency, site),
        headline=before.finding.headline,
        headline_now=None if withdrawn else after.finding.headline,
        why=_joined(history, site)
        if transition.reason is Reason.MERGED
        else _why(transition.reason, same_urgency=after.urgency is before.urgency),
    )


def _joined(history: History, site: Site) -> Said:
    if history.joined is None or site.privacy == "none":
        return say("In the hospital's system this record became part of another record of the same person.")
    return say(
        "In the hospital's system this record became part of another record of the same person: {patient}.",
        patient=history.joined.into_id,
    )


def _why(reason: Reason, *, same_urgency: bool) -> Said:
    if reason is Reason.WITHDRAWN:
        return say("The record it rested on was corrected; on the corrected record it never held.")
    if same_urgency:
        return say("The record it rested on was corrected, or more of it is known; another dose is advised now.")
    return say("The record it rested on was corrected, or more of it is known; what remains is less urgent.")
