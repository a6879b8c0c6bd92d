"""Send what is due: claim, commit, hand over, record. Never a network call inside a transaction.

A message whose outcome is unknown goes again with the same Message-ID and says so. A fault of a relay burns no attempt
and is told to whoever asks for the status; every message waits unharmed, or takes the fallback.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from monitor.errors import ConfigError
from monitor.service import alarms, circuit, clock
from monitor.service.holder import this_process
from monitor.service.opening import Site
from monitor.service.outgoing import Writer, protection
from monitor.service.relays import Name, routes
from monitor.service.sweep import Lane, Sweep
from monitor.store import circuits, claims, troubles, waiting
from monitor.store.circuits import Circuit

TROUBLE = "mail-settings"

_ONE_AT_A_TIME = threading.Lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class PostSummary:
    """What was handed over and what was not. ``relay_fault`` is what the relays said where none of them takes mail."""

    accepted: int = 0
    failed: int = 0
    relay_fault: str | None = None


def _never() -> bool:
    return False


def _silently() -> None:
    """Nobody asks for progress."""


def send_due(
    site: Site,
    now: datetime,
    *,
    stopping: Callable[[], bool] = _never,
    progress: Callable[[], None] = _silently,
    holder: str | None = None,
    force_probe: bool = False,
    recorded_at: Callable[[], datetime] = clock.now,
) -> PostSummary:
    """Hand over every message that is due at ``now``, the most urgent first. One call at a time in a process.

    ``stopping`` is asked before each message; what is left then waits for the next call. ``progress`` is called after each.
    ``holder`` is this process, as in the lease. ``force_probe`` tries a relay that failed a moment ago: somebody is waiting.
    ``recorded_at`` is the time that goes on record with an attempt: the wall's, whatever ``now`` is, but in a demo.
    Raises ConfigError for a secret or certificate that cannot be used, DatabaseError where the database fails.
    """
    if not _ONE_AT_A_TIME.acquire(blocking=False):
        return PostSummary()
    try:
        return _send_due(site, now, stopping, progress, holder or this_process(), force_probe, recorded_at)
    finally:
        _ONE_AT_A_TIME.release()


def check_ready(site: Site) -> None:
    """Raises ConfigError for a secret, a key or a certificate that sending needs and cannot use: before the first mail."""
    routes(site.settings.mail, site.folder)
    protection(site)


def _send_due(
    site: Site,
    now: datetime,
    stopping: Callable[[], bool],
    progress: Callable[[], None],
    holder: str,
    force_probe: bool,
    recorded_at: Callable[[], datetime],
) -> PostSummary:
    known = _circuits(site, now)
    with site.database.read() as connection:
        set_back = waiting.is_of_the_future(connection, now)
    if set_back:  # before this process began; the daemon sees to it where it happens under its eyes
        with site.database.write("clock") as connection:
            waiting.bring_forward(connection, now)
    with site.database.read() as connection:
        due = claims.anything_due(connection, now, holder=holder)
    to_try = [each for each in known if each.is_open and (force_probe or circuit.may_be_tried(each, now))]
    if not to_try and not (due and any(not each.is_open for each in known)):
        return PostSummary()
    try:
        lanes = [Lane(route, each) for route, each in zip(routes(site.settings.mail, site.folder), known, strict=True)]
        writer = Writer(site)
    except ConfigError as error:
        with site.database.write("trouble") as connection:
            troubles.set_trouble(connection, TROUBLE, f"mail cannot be sent: {error}", now)
        raise
    with site.database.read() as connection:
        left = claims.anything_expired(connection, now, holder=holder) or troubles.is_known(connection, TROUBLE)
    if left:
        with site.database.write("release") as connection:
            claims.release_expired(connection, now, holder=holder)
            troubles.clear_trouble(connection, TROUBLE)

    async def run() -> Sweep:
        sweep = Sweep(
            site=site,
            begun_at=now,
            holder=holder,
            lanes=lanes,
            writer=writer,
            stopping=stopping,
            progress=progress,
            force_probe=force_probe,
            recorded_at=recorded_at,
        )
        await sweep.run()
        return sweep

    done = asyncio.run(run())
    return PostSummary(accepted=len(done.accepted), failed=len(done.failed - done.accepted), relay_fault=done.fault)


def _circuits(site: Site, now: datetime) -> list[Circuit]:
    """The relays' circuits in their order. One that has been open for a while is told of, once a day."""
    names: list[Name] = ["relay"] if site.settings.mail.fallback_relay is None else ["relay", "fallback"]
    with site.database.read() as connection:
        known = [circuits.load(connection, name) for name in names]
        unused = [circuits.load(connection, "fallback")] if len(names) == 1 else []
    lasting = [each for each in known if circuit.lasts(each, now)]
    gone = [each for each in unused if each.failures]
    if lasting or gone:
        with site.database.write("circuit") as connection:
            _tell(site, connection, lasting, now)
            for each in gone:  # of a relay that is configured no more
                circuit.heal(connection, each)
    return known


def _tell(site: Site, connection: Connection, lasting: list[Circuit], now: datetime) -> None:
    for each in lasting:
        alarms.raise_alarm(site, connection, circuit.alarm(each), now)
