"""Every night: would each step of each team reach somebody at every hour to come? A calendar goes stale by itself."""

from __future__ import annotations

from datetime import datetime, time

from monitor.said import joined, say
from monitor.service import alarms
from monitor.service.figures import gaps
from monitor.service.opening import Site
from monitor.store import daily
from monitor.store.troubles import clear_trouble, set_trouble

SLOT = TROUBLE = "nobody-home"
AT = time(2)
"""By the clinic's clock; in a night in which that hour is missing, an hour later."""

NAMED = 5


def look_for_gaps(site: Site, now: datetime) -> int:
    """Once a night name the gaps to the administrator, and keep them as a trouble; how many messages that queued."""
    zone = site.settings.time_zone
    with site.database.read() as connection:
        if not daily.is_due(connection, SLOT, at=AT, now=now, zone=zone):
            return 0
    found = gaps(site, now)
    queued = 0
    with site.database.write("nobody home") as connection:
        if not daily.is_due(connection, SLOT, at=AT, now=now, zone=zone):
            return 0  # another daemon has done it meanwhile
        if found:
            words = joined("; ", found[:NAMED])
            if len(found) > NAMED:
                more = len(found) - NAMED
                words = say("{words}; and {more} more, `bipn-monitor check-config` lists them", words=words, more=more)
            set_trouble(connection, TROUBLE, f"{words}; correct `on_call:` in the configuration", now)
            queued = alarms.raise_alarm(site, connection, alarms.gaps(words), now)
        else:
            clear_trouble(connection, TROUBLE)
        daily.done(connection, SLOT, at=AT, now=now, zone=zone)
    return queued
