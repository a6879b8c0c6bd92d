"""The daemon's start: from the configuration in its place, or from the last good one; and what is done before its first tick."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass

from monitor.config.problems import InvalidConfigError
from monitor.errors import ConfigError
from monitor.service import clock, clock_set, last_good
from monitor.service.counters import DaemonCounters
from monitor.service.holder import has_died
from monitor.service.metrics import start_metrics
from monitor.service.opening import Site, Source, open_configured
from monitor.service.own_troubles import clear_own, set_own
from monitor.service.reload import examined, in_words, refuse, settle
from monitor.store import claims

METRICS = "metrics"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """An open site, and why the configuration in its place is not the one in force (None: it is)."""

    site: Site
    source: Source
    refused: str | None


def start(source: Source) -> Started:
    """Open the site for the daemon; where its configuration has a mistake, from the last good one that was kept.

    Without such a one, broken templates are no hindrance: built-in texts stand in for them. Raises ConfigError for
    any other mistake, DatabaseError as ``open_site``.
    """
    configuration, problems = examined(source)
    kept = last_good.load(source, os.environ) if problems else None
    in_force = kept or configuration
    if in_force is None:
        raise InvalidConfigError(problems)
    site = open_configured(in_force, create=True)
    instead = "the last good one is in force" if kept else "built-in texts stand in for the templates"
    return Started(site=site, source=source, refused=f"{in_words(problems)}; {instead}" if problems else None)


def begin(started: Started) -> None:
    """With the lease in hand: what is in force goes on record, and what the dead had begun is taken up."""
    site, now = started.site, clock.now()
    if started.refused is None:
        settle(site, started.source, now)
    else:
        refuse(site, started.refused, now)
    clock_set.forget(site)
    with site.database.write("release") as connection:
        released = claims.release_dead(connection, now, has_died)
    if released:
        log.warning("mails of a process that died go again, marked as possible repeats", extra={"mails": released})


def metrics_if_possible(site: Callable[[], Site], counters: DaemonCounters) -> Callable[[], None]:
    """As ``start_metrics``; a port that is taken is a trouble for ``status``, and no reason not to watch patients."""
    try:
        stop, problem = start_metrics(site, counters), None
    except ConfigError as error:
        log.error("%s", error)
        stop, problem = _nothing, str(error)
    with site().database.write("metrics") as connection:
        if problem is None:
            clear_own(site(), connection, METRICS)
        else:
            set_own(site(), connection, METRICS, problem, clock.now())
    return stop


def _nothing() -> None:
    return None
