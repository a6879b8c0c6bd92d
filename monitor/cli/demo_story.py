"""The demo's months, poll by poll: the daemon's own import, watch and sending, with the clock handed to them.

A nurse answers every mail by the next poll, but for one alert, so that it is seen what becomes of it: it is passed on.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from monitor.cli.demo_mails import ReceivedMail, unpack
from monitor.errors import MailNotSentError
from monitor.service import demo_feed, ingest
from monitor.service.acts import acknowledge
from monitor.service.cycle import watch_once
from monitor.service.listing import list_alerts
from monitor.service.opening import Site
from monitor.service.post import send_due

BAR = 24
NURSE = "Nurse of the demo"
UNANSWERED = ("JK-2012", "rapid-motor-decline")
"""Patient and rule of the alert that nobody answers on its first day."""

LEFT_OPEN = "DEMO-02"
"""Whose alert ceased to hold before anybody had to be reminded: it is left to be acknowledged by whoever tries that."""

LOST_WALKING_AT = datetime(2011, 3, 15, 12, tzinfo=UTC)
ANSWERED_UNTIL = datetime(2011, 3, 14, 6, tzinfo=UTC)
"""Where the story stops, and from when on nobody answers, where the board is opened at its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One alert that spoke, as it was then: the shape that ``alerts`` prints, and the mail that told it."""

    at: datetime
    alert: dict[str, Any]
    mail: ReceivedMail | None


def steps_to_serve() -> list[datetime]:
    """The story up to the round that finds the published patient unable to walk."""
    return [at for at in demo_feed.demo_steps() if at <= LOST_WALKING_AT]


def play(site: Site, out: Path, steps: Sequence[datetime], *, answered_until: datetime | None = None) -> list[Told]:
    """Every poll of the story; what was told, oldest first. Raises MailNotSentError if a mail did not arrive.

    ``answered_until``: what was told later the nurse leaves to whoever tries the board; None: she answers to the end.
    """
    seen: set[str] = set()
    told: list[Told] = []
    unanswered: set[str] = set()
    before: datetime | None = None
    for number, at in enumerate(steps, 1):
        files = demo_feed.write_step(out / "feed", before, at)
        if files:
            ingest.import_paths(site.database, files, zone=site.settings.time_zone, now=at)
        if answered_until is None or at <= answered_until:
            unanswered = _answer(site, unanswered, at)
        done, sent = watch_once(site, at).round, send_due(site, at, recorded_at=partial(_same, at))
        if sent.failed or sent.relay_fault:
            raise MailNotSentError(f"the demo's own receiver did not take a mail: {sent.relay_fault or 'refused'}")
        fresh = [mail for mail in sorted((out / "mail").glob("*.eml")) if mail.stem not in seen]
        seen |= {mail.stem for mail in fresh}
        mails = [unpack(mail) for mail in fresh]
        if done.opened or done.raised or done.withdrawn:
            told += _told(site, at)
        told = [each if each.mail else replace(each, mail=_mail_of(each.alert["id"], mails)) for each in told]
        unanswered |= {name for mail in mails for name in mail.alerts}
        _progress(number, len(steps), at, len(seen))
        before = at
    return told


def _answer(site: Site, named: set[str], at: datetime) -> set[str]:
    """The nurse acknowledges what the mails named; what is left unanswered, once. Returns that."""
    left = set()
    for alert, shape in list_alerts(site, open_only=True, patient_id=None) if named else ():
        if shape["id"] not in named or alert.state != "open" or alert.patient_id == LEFT_OPEN:
            continue
        its_first_day = alert.raised_at == alert.opened_at and at - alert.raised_at < timedelta(days=1)
        if (alert.patient_id, alert.finding.rule) == UNANSWERED and its_first_day:
            left.add(shape["id"])
        else:
            acknowledge(site, shape["id"], by=NURSE, note=None, now=at)
    return left


def _same(at: datetime) -> datetime:
    return at


def _mail_of(alert_name: str, mails: Sequence[ReceivedMail]) -> ReceivedMail | None:
    return next((mail for mail in mails if alert_name in mail.alerts), None)


def _told(site: Site, at: datetime) -> Iterator[Told]:
    for alert, shape in list_alerts(site, open_only=False, patient_id=None):
        spoke_now = at in (alert.raised_at, alert.closed_at if alert.state == "withdrawn" else None)
        if spoke_now:
            yield Told(at=at, alert=shape, mail=None)


def _progress(number: int, count: int, at: datetime, mails: int) -> None:
    """A bar that stays in one line on a terminal; elsewhere one line a quarter of the way."""
    if sys.stderr.isatty():
        done = BAR * number // count
        end = "\n" if number == count else ""
        line = f"\r  {at:%Y-%m-%d}  [{'#' * done}{'.' * (BAR - done)}]  {mails} mails"
        print(line, end=end, file=sys.stderr, flush=True)
    elif number * 4 // count > (number - 1) * 4 // count:
        print(f"  {at:%Y-%m-%d}: {number} of {count} polls, {mails} mails", file=sys.stderr, flush=True)
