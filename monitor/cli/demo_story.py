"""The demo's months, poll by poll: the daemon's own import, round and sending, with the clock handed to them."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from monitor.cli.demo_mails import ReceivedMail, unpack
from monitor.errors import MailNotSentError
from monitor.service import demo_feed, ingest
from monitor.service.listing import list_alerts
from monitor.service.opening import Site
from monitor.service.post import send_due
from monitor.service.round import run_round

BAR = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One alert that spoke, as it was then: the shape that ``alerts`` prints, and the mail that told it."""

    at: datetime
    alert: dict[str, Any]
    mail: ReceivedMail | None


def play(site: Site, out: Path) -> Iterator[Told]:
    """Every poll of the story, yielding what was told, oldest first. Raises MailNotSentError if a mail did not arrive."""
    steps = demo_feed.demo_steps()
    seen: set[str] = set()
    before: datetime | None = None
    for number, at in enumerate(steps, 1):
        files = demo_feed.write_step(out / "feed", before, at)
        if files:
            ingest.import_paths(site.database, files, zone=site.settings.time_zone, now=at)
        done, sent = run_round(site, at), send_due(site, at)
        if sent.failed or sent.relay_fault:
            raise MailNotSentError(f"the demo's own receiver did not take a mail: {sent.relay_fault or 'refused'}")
        fresh = [mail for mail in sorted((out / "mail").glob("*.eml")) if mail.stem not in seen]
        seen |= {mail.stem for mail in fresh}
        mails = [unpack(mail) for mail in fresh]
        if done.opened or done.raised or done.withdrawn:
            yield from _told(site, at, mails)
        _progress(number, len(steps), at, len(seen))
        before = at


def _told(site: Site, at: datetime, mails: Sequence[ReceivedMail]) -> Iterator[Told]:
    for alert, shape in list_alerts(site, open_only=False, patient_id=None):
        spoke_now = at in (alert.raised_at, alert.closed_at if alert.state == "withdrawn" else None)
        if spoke_now:
            yield Told(at=at, alert=shape, mail=next((mail for mail in mails if shape["id"] in mail.alerts), None))


def _progress(number: int, count: int, at: datetime, mails: int) -> None:
    """A bar that stays in one line on a terminal; elsewhere one line a quarter of the way."""
    if sys.stderr.isatty():
        done = BAR * number // count
        end = "\n" if number == count else ""
        line = f"\r  {at:%Y-%m-%d}  [{'#' * done}{'.' * (BAR - done)}]  {mails} mails"
        print(line, end=end, file=sys.stderr, flush=True)
    elif number * 4 // count > (number - 1) * 4 // count:
        print(f"  {at:%Y-%m-%d}: {number} of {count} polls, {mails} mails", file=sys.stderr, flush=True)
