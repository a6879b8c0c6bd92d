"""Whether this machine's clock and the database server's agree: who shares a database shares what is due, and when."""

from __future__ import annotations

import logging
import socket
from datetime import datetime, timedelta

from monitor.service.opening import Site
from monitor.store import server_clock
from monitor.store.troubles import clear_trouble, is_known, set_trouble

log = logging.getLogger(__name__)

TOLERATED = timedelta(seconds=30)
"""(J) A time service keeps a machine within a second; a claim of a mail bears two minutes."""


def look(site: Site, now: datetime) -> None:
    """Keep as a trouble of this machine that its clock is off, until it is not. ``now`` is the wall clock's."""
    if not site.database.shared:
        return
    host = socket.gethostname()
    trouble = f"clock-of-{host}"
    with site.database.read() as connection:
        ahead, known = server_clock.ahead_by(connection, now), is_known(connection, trouble)
    off = ahead is not None and abs(ahead) > TOLERATED
    if ahead is None or (not off and not known):
        return
    seconds = round(ahead.total_seconds())
    words = (
        f"the clock of {host} is {seconds:+} s against the database server's: mails and reminders are due by "
        "the wrong time, and some may go twice; let a time service keep both (timedatectl)"
    )
    with site.database.write("clock") as connection:
        if not off:
            clear_trouble(connection, trouble)
        elif set_trouble(connection, trouble, words, now):
            log.error("%s", words)
