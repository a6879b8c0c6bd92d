"""Asks each feed when its time has come: by one process at a time, later after a fault, and so that whoever runs it hears.

What a feed brought is stored before how far it was read, so a process that dies in between reads the same once more.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime, timedelta

from monitor.config.database_url import is_postgresql
from monitor.config.feed_fhir import FhirFeed
from monitor.config.feed_folder import FolderFeed
from monitor.config.feed_omop import OmopFeed
from monitor.config.feed_redcap import RedcapFeed
from monitor.config.feeds_file import Feed
from monitor.errors import DatabaseError
from monitor.service import alarms, clock, fhir_server
from monitor.service.back_off import after_fault
from monitor.service.drop_folder import pull_folder
from monitor.service.feed_alarms import failing_feed
from monitor.service.holder import has_died
from monitor.service.omop_pull import pull_omop
from monitor.service.opening import Site
from monitor.service.pulled import Feeder, Pulled, StoppedError
from monitor.service.redcap_pull import pull_redcap
from monitor.store import feed_claims, feeds

log = logging.getLogger(__name__)

FEEDERS: Mapping[type, Feeder] = {
    FhirFeed: fhir_server.pull,
    FolderFeed: pull_folder,
    RedcapFeed: pull_redcap,
    OmopFeed: pull_omop,
}
"""By the settings of each kind that is asked; a kind that listens has none."""

LOOK_AT_LEAST_EVERY = timedelta(seconds=15)
"""How often it is looked whether a feed's time has come."""

HELD_FOR = timedelta(minutes=10)
"""A process that is not heard of for so long holds a feed no more. (J)"""

LONGEST_WAIT = timedelta(hours=1)
"""Whatever a server asks for, and however a clock was set, a feed that failed is asked again after so long. (J)"""

OUR_DEFECT = "a defect of this program; its log says more, please report it"


def look_every(feed: Feed) -> timedelta:
    """How often it is to be looked whether the feed's time has come."""
    return min(_every(feed), LOOK_AT_LEAST_EVERY)


def is_due(known: feeds.Feed | None, feed: Feed, now: datetime) -> bool:
    """Whether the feed's time has come. A clock that was set back makes none wait for it."""
    if known is None or known.tried_at is None or known.tried_at > now + LOOK_AT_LEAST_EVERY:
        return True
    if known.problem is not None and known.retry_at is not None:
        return known.retry_at <= now or known.retry_at > now + LONGEST_WAIT
    return now >= known.tried_at + _every(feed) - look_every(feed) / 2  # a tick comes a little early as well as late


def pull(site: Site, name: str, now: datetime, *, holder: str, stopping: Callable[[], bool]) -> Pulled | None:
    """Ask the feed if its time has come and nobody else is at it; None where nothing was asked. Raises DatabaseError.

    ``holder`` names this process. ``stopping`` is asked at each step.
    """
    feed = site.settings.feeds.get(name)
    feeder = FEEDERS.get(type(feed))
    if feed is None or feeder is None or not _taken(site, name, feed, now, holder):
        return None
    held = _Held(site, name, holder, stopping)
    try:
        pulled = feeder(site, name, feed, now, held.stopping)
        _record(site, name, feed, pulled, now)
    except StoppedError:
        return None
    except DatabaseError:
        raise
    except Exception:
        _record(site, name, feed, Pulled(problem=OUR_DEFECT), now)
        raise
    finally:
        with suppress(DatabaseError), site.database.write(beside_others=True) as connection:
            feed_claims.give_back(connection, name, holder=holder)
    return pulled


def pull_all(site: Site, now: datetime, *, holder: str) -> Iterator[tuple[str, Pulled]]:
    """Every feed whose time has come, one after the other. Raises DatabaseError."""
    for name in site.settings.feeds:
        pulled = pull(site, name, now, holder=holder, stopping=_never)
        if pulled is not None:
            yield name, pulled


class _Held:
    """The feed is this process's while it gets on. What it asks of the database is rare: once in two minutes."""

    def __init__(self, site: Site, name: str, holder: str, stopping: Callable[[], bool]) -> None:
        self._site, self._name, self._holder, self._stopping = site, name, holder, stopping
        self._kept_at = clock.monotonic_seconds()

    def stopping(self) -> bool:
        """Whether to end. May be asked within a writing transaction.

        Of an embedded database there is one daemon anyway, and nobody else can write while it does: nothing is renewed there.
        """
        if self._stopping():
            return True
        if not is_postgresql(self._site.settings.database):
            return False
        if clock.monotonic_seconds() - self._kept_at < HELD_FOR.total_seconds() / 5:
            return False
        self._kept_at = clock.monotonic_seconds()
        with self._site.database.write(beside_others=True) as connection:
            return not feed_claims.keep(connection, self._name, holder=self._holder, until=clock.now() + HELD_FOR)


def _taken(site: Site, name: str, feed: Feed, now: datetime, holder: str) -> bool:
    """Whether the feed is due, and ours from now on. Looked at again once it is: another process may just have asked it."""
    with site.database.read() as connection:
        if not is_due(feeds.load(connection, name), feed, now):
            return False
    wall = clock.now()
    with site.database.write(beside_others=True) as connection:
        ours = feed_claims.take(connection, name, feed.kind, holder=holder, now=wall, until=wall + HELD_FOR, has_died=has_died)
        if ours and not is_due(feeds.load(connection, name), feed, now):
            feed_claims.give_back(connection, name, holder=holder)
            return False
        return ours


def _record(site: Site, name: str, feed: Feed, pulled: Pulled, now: datetime) -> None:
    """How the feed fares, and where it has failed for long, a mail to operations: once a day while that lasts."""
    with site.database.write("feed") as connection:
        known = feeds.load(connection, name)
        failures = (known.failures if known else 0) + 1
        wait = max(after_fault(name, failures), pulled.retry_after or timedelta(0))
        feeds.record(
            connection,
            name,
            feed.kind,
            now=now,
            received=pulled.received,
            cursor=pulled.cursor,
            problem=pulled.problem,
            retry_at=now + min(wait, LONGEST_WAIT),
        )
        since = known.problem_since if known else None
        if pulled.problem is not None and since is not None and now - since >= site.settings.feed_trouble_after:
            alarms.raise_alarm(site, connection, failing_feed(name, pulled.problem), now)
    if pulled.problem is not None:
        log.warning("a feed was not read, it is tried again: %s", pulled.problem, extra={"feed": name, "failures": failures})
    elif pulled.received or pulled.rejected:
        log.info("a feed brought something", extra={"feed": name, "rejected": pulled.rejected})


def _every(feed: Feed) -> timedelta:
    every = getattr(feed, "every", LOOK_AT_LEAST_EVERY)
    return every if isinstance(every, timedelta) else LOOK_AT_LEAST_EVERY


def _never() -> bool:
    return False
