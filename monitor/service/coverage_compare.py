"""What had to be told, held against what was: each case told, withheld, waiting, or unexplained. Reads nothing itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from monitor.clinical.alerts import CORRECTS, Reason
from monitor.clinical.coverage import GRACE, RAISES, Due, TakenOn
from monitor.clinical.findings import Urgency
from monitor.said import say
from monitor.service.said_again import said_again
from monitor.store.said import Event, Mail, Mails, Raised

Fate = Literal["told", "withheld", "waiting", "unexplained"]
_RAISES = frozenset(reason.value for reason in RAISES)
_CORRECTS = frozenset(reason.value for reason in CORRECTS)
_TRANSITIONS = frozenset(reason.value for reason in Reason)
_DIGEST_AT_LATEST = timedelta(days=1, hours=1)
_NO_ALERT = say("no alert was raised, though a rule holds by the facts")
_NO_MAIL = say("an alert was raised, and no mail was written")
_DIGEST, _QUIET_HOURS = say("daily digest"), say("quiet hours")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One reason to tell somebody, and what became of it. ``alert_id`` is None where no alert was raised.

    ``owner`` and ``why`` say whose decision it is that something is withheld, and why; or why it is unexplained.
    """

    patient_id: str
    rule: str
    urgency: Urgency
    at: datetime
    fate: Fate
    alert_id: int | None = None
    event: int | None = None  # its number: the same event is one case
    correction: bool = False
    owner: str = ""
    why: str = ""
    told_after: timedelta | None = None
    acknowledged: bool = False
    escalated: bool = False


def taken_on(raised: Sequence[Raised], since: datetime) -> list[TakenOn]:
    """Who took something on: after ``since`` every act, before it only what was still in force then."""
    found = []
    for alert in raised:
        acts = [event for event in alert.events if event.reason == "acknowledged"]
        found += [TakenOn(rule=alert.rule, at=event.at) for event in acts if event.at > since]
        before = [event for event in alert.events if event.at <= since and (event.reason in _RAISES or event in acts)]
        if before and before[-1] in acts and (alert.closed_at is None or alert.closed_at > since):
            found.append(TakenOn(rule=alert.rule, at=before[-1].at))
    return found


def compare(
    due: Sequence[Due],
    raised: Sequence[Raised],
    mails: Sequence[Mails],
    *,
    since: datetime,
    now: datetime,
    announce_within: timedelta,
) -> list[Case]:
    """The cases of one patient: what the facts demand, what was raised besides, and the corrections of what was told."""
    written = _Written(mails=mails, now=now, announce_within=announce_within)
    cases: list[Case] = []
    told: dict[int, tuple[Raised, Event]] = {}
    for each in due:
        match = _match(each, raised)
        if match is not None:
            told[match[1].number] = match
        elif not each.brief:
            cases.append(_missing(each, now))
    for alert in raised:
        told |= {event.number: (alert, event) for event in alert.events if event.at > since and event.reason in _RAISES}
    cases += [_told(alert, event, written) for alert, event in told.values()]
    for alert, event in ((a, e) for a in raised for e in a.events if e.at > since and e.reason in _CORRECTS):
        if any(mail.accepted_at is not None and mail.created_at < event.at for mail in written.about(alert)):
            cases.append(_told(alert, event, written, correction=True))
    return cases


def _missing(due: Due, now: datetime) -> Case:
    young = now - due.at < GRACE
    return Case(
        patient_id=due.patient_id,
        rule=due.rule,
        urgency=due.urgency,
        at=due.at,
        fate="waiting" if young else "unexplained",
        why=say("became known a moment ago") if young else _NO_ALERT,
    )


def _match(due: Due, raised: Sequence[Raised]) -> tuple[Raised, Event] | None:
    """The alert and the event that answer to what was due: one that spoke since, else one that had said as much before."""
    of_rule = [alert for alert in raised if alert.rule == due.rule]
    later = [
        (alert, event)
        for alert in of_rule
        for event in alert.events
        if event.reason in _RAISES and event.at >= due.at - GRACE and event.urgency.rank >= due.urgency.rank
    ]
    if later:
        return min(later, key=lambda pair: pair[1].number)
    if due.anew:
        return None
    for alert in reversed(of_rule):
        in_force = alert.opened_at <= due.at and (alert.closed_at is None or alert.closed_at > due.at - GRACE)
        spoken = [event for event in alert.events if event.at <= due.at and event.reason in _RAISES | _CORRECTS]
        if in_force and spoken and _said_as_much(due, alert) and not _new_occasion(due, alert):
            return alert, spoken[-1]
    return None


def _said_as_much(due: Due, alert: Raised) -> bool:
    """Whether the alert was as heavy at the time; where the journal lacks its weight, its urgency decides."""
    then = [event for event in alert.events if event.at <= due.at and event.reason in _TRANSITIONS][-1]
    return then.urgency.rank >= due.urgency.rank if then.heaviness is None else then.heaviness >= due.heaviness


def _new_occasion(due: Due, alert: Raised) -> bool:
    """Whether what was due is another event than the one somebody had taken on.

    Where that one was heavier, and the record was corrected since, what remains is no news: it stays in mind as lowered.
    """
    if due.reason is not Reason.NEW_OCCASION or alert.acknowledged_at is None:
        return False
    before = [event.heaviness for event in alert.events if event.at < due.at and event.heaviness is not None]
    return not before or before[-1] <= due.heaviness


@dataclass(slots=True, kw_only=True)
class _Written:
    """What was written about one patient, by himself and in digests, as it stands at ``now``."""

    mails: Sequence[Mails]
    now: datetime
    announce_within: timedelta

    def about(self, alert: Raised) -> list[Mail]:
        return [mail for several in self.mails for mail in several.about(alert.alert_id)]

    def leaves_later(self, mail: Mail) -> bool:
        """Whether a mail was decided to go later, within a day, nobody tried it yet, and its time has not come."""
        put_off = mail.created_at < mail.next_attempt_at <= mail.created_at + timedelta(days=1)
        return put_off and mail.state == "pending" and mail.words is None and mail.next_attempt_at + GRACE > self.now

    def goes_behind(self, mail: Mail) -> int | None:
        """The earlier mail to the same reader about the same patient that leaves later: a correction keeps its place."""
        others = (other for each in self.mails[0].by_alert.values() for other in each)
        ahead = (other.number for other in others if other.address == mail.address and self.leaves_later(other))
        return min((number for number in ahead if number < mail.number), default=None)


def _told(alert: Raised, event: Event, written: _Written, *, correction: bool = False) -> Case:
    since = [mail for mail in written.about(alert) if mail.created_at >= event.at]
    fate, owner, why = _fate(alert, event, since, written)
    accepted = [mail.accepted_at for mail in since if mail.accepted_at is not None]
    return Case(
        patient_id=alert.patient_id,
        rule=alert.rule,
        urgency=event.urgency,
        at=event.at,
        fate=fate,
        alert_id=alert.alert_id,
        event=event.number,
        correction=correction,
        owner=owner,
        why=why,
        told_after=min(accepted) - event.at if accepted else None,
        acknowledged=alert.acknowledged_at is not None and alert.acknowledged_at >= event.at,
        escalated=any(at >= event.at for at in alert.escalated_at),
    )


def _fate(alert: Raised, event: Event, since: Sequence[Mail], written: _Written) -> tuple[Fate, str, str]:
    """What became of one event: fate, owner, why. ``since`` are the mails about the alert since then."""
    if any(mail.accepted_at is not None for mail in since):
        return "told", "", ""
    for held in reversed(alert.withheld):
        if held.since >= event.at and (held.until is None or held.until + GRACE > written.now):
            return "withheld", said_again(held.owner), said_again(held.reason)
    if alert.digest_since is not None and written.now - alert.digest_since < _DIGEST_AT_LATEST:
        return "withheld", _DIGEST, say("old news, or many at once: named in the next digest")
    if alert.acknowledged_at is not None and alert.acknowledged_at >= event.at:
        return "withheld", alert.acknowledged_by or say("somebody"), say("taken on before a mail had gone out")
    return next(_without_acceptance(alert, event, since, written))


def _without_acceptance(alert: Raised, event: Event, since: Sequence[Mail], written: _Written) -> Iterator[tuple[Fate, str, str]]:
    """Reasons in the order in which they count; the last one always stands."""
    now = written.now
    waiting = [mail for mail in since if mail.state in ("pending", "sending")]
    if now - event.at < GRACE or any(now - mail.created_at < GRACE for mail in waiting):
        yield "waiting", "", say("decided a moment ago")
    for mail in waiting:
        yield _waiting(mail, written)
    for mail in since:
        if mail.state == "dead":
            words = mail.words or mail.reason or say("no words")
            yield "unexplained", "", say("message {number} was refused for good: {words}", number=mail.number, words=words)
        if mail.state == "accepted":
            words = say("message {number} counts as accepted, and no relay's word of that is on record", number=mail.number)
            yield "unexplained", "", words
        if mail.state == "cancelled" and alert.closed_at is not None:
            reason = said_again(mail.reason) if mail.reason else say("no reason on record")
            yield "withheld", say("the program"), say("closed before the mail went out: {reason}", reason=reason)
    old_news = event.at - alert.clinical_at > written.announce_within or any(held.since >= event.at for held in alert.withheld)
    if not since and alert.closed_at is not None and alert.closed_at >= event.at and old_news:
        yield "withheld", _DIGEST, say("held no longer when the digest was due")
    yield "unexplained", "", _NO_MAIL


def _waiting(mail: Mail, written: _Written) -> tuple[Fate, str, str]:
    """What is said of a mail that no relay has taken yet."""
    if written.leaves_later(mail):
        return "withheld", _QUIET_HOURS, say("message {number} leaves at their end", number=mail.number)
    behind = written.goes_behind(mail) if mail.words is None else None
    if behind is not None:
        why = say("message {number} follows message {other}, which leaves at their end", number=mail.number, other=behind)
        return "withheld", _QUIET_HOURS, why
    words = mail.words or say("never tried")
    return "unexplained", "", say("message {number} waits since its decision: {words}", number=mail.number, words=words)
