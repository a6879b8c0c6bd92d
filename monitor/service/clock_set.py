"""When the wall clock was set under a running daemon: on record, and what would wait because of it is due at once."""

from __future__ import annotations

from datetime import datetime, timedelta

from monitor.service.opening import Site
from monitor.service.own_troubles import clear_own, set_own
from monitor.store import journal, waiting

TROUBLE = "clock"
TOLD_FOR = timedelta(hours=1)
"""``status`` says so for an hour: it is over when it happens, and to be looked into all the same."""


def record(site: Site, by: timedelta, now: datetime) -> None:
    """The clock was set by ``by``, and is ``now``. Mails that were to go in what is now the future go at once."""
    seconds = round(by.total_seconds())
    words = (
        f"the clock of this machine was set by {seconds:+} s while the daemon ran: times on record before are off by as much; "
        "let a time service keep it (timedatectl), it is watched on meanwhile"
    )
    with site.database.write("clock") as connection:
        set_own(site, connection, TROUBLE, words, now)
        journal.append(connection, now, journal.Entry(event="clock", subject="set", body={"by_seconds": seconds}))
        if by < timedelta(0):
            waiting.bring_forward(connection, now)


def forget(site: Site) -> None:
    """It was long enough ago."""
    with site.database.write("clock") as connection:
        clear_own(site, connection, TROUBLE)
