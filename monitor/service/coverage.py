"""The daily statement: who should have been told, who was, and what nothing explains. Silence then means health.

Made once a day of the clinic, caught up after a downtime. Only a clean one keeps the dead-man's switch quiet; a call that
did not get through is made again at every tick until it does.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import Connection

from monitor.clinical.findings import Urgency
from monitor.config.secrets import secret
from monitor.config.settings import Coverage
from monitor.delivery.facts import CoverageFacts
from monitor.delivery.message import mint_message_id
from monitor.delivery.render import render_or_builtin
from monitor.service import alarms, canary, coverage_facts
from monitor.service.coverage_read import Covered, read
from monitor.service.figures import gaps
from monitor.service.leasing import turn
from monitor.service.opening import Site
from monitor.service.ping import ping
from monitor.store import daily, journal, outbox
from monitor.store.figures import STATEMENT
from monitor.store.journal import Entry
from monitor.store.troubles import clear_trouble, is_known, set_trouble

log = logging.getLogger(__name__)

SLOT = "coverage"
TROUBLE, FEED, SWITCH = "coverage", "feed-quiet", "ping"
REPORTED_WITHIN = timedelta(minutes=2)
_NOT_YET = "the newest daily statement was not reported to the dead-man's switch yet"


def _nothing() -> None:
    return None


def daily_statement(site: Site, now: datetime, *, progress: Callable[[], None] = _nothing) -> int:
    """Make today's statement if its time has come and none was made; how many messages that queued.

    ``progress`` is called between the pieces: ten thousand patients take a minute. Raises DatabaseError.
    """
    settings = site.settings.coverage
    if settings is None:
        return 0
    canary.send_canary(site, now)
    with site.database.read() as connection:
        due = daily.is_due(connection, SLOT, at=settings.at, now=now, zone=site.settings.time_zone)
        unreported = is_known(connection, SWITCH)
    if not due or canary.is_on_its_way(site, now):
        if unreported and settings.ping:
            _report(site, now, retries=0)
        return 0
    covered = read(site, now, settings.days, progress=progress)
    with site.database.write("coverage") as connection:
        if not daily.is_due(connection, SLOT, at=settings.at, now=now, zone=site.settings.time_zone):
            return 0  # `poll` beside the daemon has made it meanwhile
        queued = _state(site, settings, connection, covered, now)
        daily.done(connection, SLOT, at=settings.at, now=now, zone=site.settings.time_zone)
    log.info(
        "coverage statement made",
        extra={"patients": covered.patients, "assessments": covered.assessments, "unexplained": covered.unexplained},
    )
    if settings.ping:
        _report(site, now)
    return queued


def _state(site: Site, settings: Coverage, connection: Connection, covered: Covered, now: datetime) -> int:
    """Put the statement on record: journal, troubles, alarms, and the mail."""
    seen = canary.verdict(site, connection, now)
    problems = coverage_facts.problems(site.settings, covered, None if seen is None or seen.well else seen.words)
    journal.append(connection, now, Entry("coverage", STATEMENT, coverage_facts.journal_body(covered, problems)))
    queued = 0
    if covered.unexplained:
        queued += alarms.raise_alarm(site, connection, alarms.unexplained(covered.unexplained), now)
    if coverage_facts.is_quiet(site.settings, covered):
        words = coverage_facts.quiet_words(covered)
        set_trouble(connection, FEED, f"{words}: is the export or the interface still running?", now)
        queued += alarms.raise_alarm(site, connection, alarms.quiet_feed(words), now)
    else:
        clear_trouble(connection, FEED)
    if problems:
        set_trouble(connection, TROUBLE, f"the daily statement is not clean: {'; '.join(problems)}", now)
    else:
        clear_trouble(connection, TROUBLE)
    if settings.ping:
        set_trouble(connection, SWITCH, _NOT_YET, now)
    else:
        clear_trouble(connection, SWITCH)
    facts = coverage_facts.facts(
        site,
        covered,
        problems=problems,
        gaps=gaps(site, now),
        synthetic=None if seen is None else seen.words,
        journal_sha256=journal.last_sha256(connection),
    )
    return queued + _queue(site, connection, facts, now)


def _queue(site: Site, connection: Connection, facts: CoverageFacts, now: datetime) -> int:
    """The mail to the administrator, where one is configured."""
    if site.settings.operations is None:
        return 0
    language = site.settings.operations.language
    rendered, broken = render_or_builtin("coverage", facts, folder=site.settings.templates, language=language)
    if broken is not None:
        alarms.raise_alarm(site, connection, alarms.broken_template(str(broken)), now)
    address, domain = site.settings.operations.address, site.settings.mail.sender.rpartition("@")[2]
    message = outbox.NewMessage(
        message_id=mint_message_id(domain, f"coverage {now.isoformat()} {address}"),
        kind="coverage",
        recipient_address=address,
        recipient_name="Operations",
        subject=rendered.subject,
        text=rendered.text,
        html=rendered.html,
        priority=Urgency.IMMEDIATE.rank if facts.unexplained else Urgency.REVIEW.rank,
    )
    outbox.enqueue(connection, [message], now=now)
    return 1


def _report(site: Site, now: datetime, *, retries: int = 2) -> None:
    """Call the dead-man's switch about the newest statement; what fails is a trouble, and is tried again at the next tick.

    Of several daemons one calls, and the others see that it did.
    """
    with turn(site.database, SWITCH, at_most=REPORTED_WITHIN) as ours:
        if ours:
            _call(site, now, retries)


def _call(site: Site, now: datetime, retries: int) -> None:
    with site.database.read() as connection:
        statement = journal.newest(connection, "coverage", STATEMENT)
        reported = not is_known(connection, SWITCH)
    if reported or statement is None or now - statement.at > timedelta(days=1):
        return  # to report an old statement would keep the switch quiet about today
    url = secret("ping_url", os.environ, site.folder)
    problem = "the secret ping_url is not there" if url is None else ping(url, bool(statement.body["clean"]), retries=retries)
    with site.database.write("coverage reported") as connection:
        if problem is None:
            clear_trouble(connection, SWITCH)
        else:
            log.warning("the dead-man's switch was not reached: %s", problem)
            set_trouble(connection, SWITCH, f"the dead-man's switch was not reached: {problem}; it is tried again", now)
