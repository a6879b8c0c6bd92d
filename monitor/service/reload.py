"""Which configuration the daemon works with: the one in its place if it holds, else the one before, loudly.

At its start and at SIGHUP alike a configuration with any mistake is refused as a whole, the clinic's templates included.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from hashlib import sha256

from monitor.config.problems import InvalidConfigError, Problem, in_order
from monitor.errors import ConfigError
from monitor.service import alarms, last_good
from monitor.service.broken_templates import broken_templates
from monitor.service.figures import gaps
from monitor.service.mappings import broken_mappings
from monitor.service.opening import Configuration, Site, Source, read_configuration
from monitor.service.own_troubles import clear_own, set_own
from monitor.service.post import check_ready
from monitor.store import journal

log = logging.getLogger(__name__)

TROUBLE = "configuration"
ONE_BEFORE = "the one before stays in force"


def examined(source: Source) -> tuple[Configuration | None, tuple[Problem, ...]]:
    """The configuration in its place (None if it cannot be used) and its mistakes, those of the clinic's templates included.

    Hours at which nobody would be told are none: that is told each night, and meanwhile everybody else is to be told.
    """
    try:
        configuration = read_configuration(source.config, source.database_url)
    except InvalidConfigError as error:
        return None, error.problems
    return configuration, in_order((*broken_templates(configuration.settings), *broken_mappings(configuration.settings)))


def reloaded(site: Site, source: Source, now: datetime) -> Site | None:
    """The site with the configuration as it is now, which is in force and kept; None if it was refused, which is told."""
    try:
        changed = _adopted(site, source)
    except ConfigError as error:
        problems = error.problems if isinstance(error, InvalidConfigError) else ()
        refuse(site, f"{in_words(problems) if problems else str(error)}; {ONE_BEFORE}", now)
        return None
    settle(changed, source, now)
    return changed


def _adopted(site: Site, source: Source) -> Site:
    configuration, problems = examined(source)
    if configuration is None or problems:
        raise InvalidConfigError(problems)
    if configuration.settings.database != site.settings.database:
        raise ConfigError("`database:` was changed, which needs a restart of the daemon")
    changed = replace(site, settings=configuration.settings, policy=configuration.policy, folder=configuration.folder)
    check_ready(changed)  # a relay that now wants a secret: where it cannot be read, that is a mistake too
    return changed


def settle(site: Site, source: Source, now: datetime) -> None:
    """This configuration is in force, as it is in its place: on record, kept as the last good one, and no trouble any more."""
    body = {"sha256": sha256(site.settings.source.read_bytes()).hexdigest(), "policy": site.policy.sha256}
    with site.database.write("configuration") as connection:
        journal.append(connection, now, journal.Entry(event="configuration", subject="in force", body=body))
        clear_own(site, connection, TROUBLE)
    last_good.save(site.settings, source, os.environ)
    log.info("configuration in force", extra={"policy": site.policy.sha256[:12]})
    unreached = len(gaps(site, now))
    if unreached:
        log.warning("at some hours of the week nobody would be told; check-config names them", extra={"gaps": unreached})


def refuse(site: Site, refused: str, now: datetime) -> None:
    """The configuration in its place is not in force: log, ``status`` and operations are told until a good one is loaded."""
    words = f"the configuration is refused: {refused}; run `bipn-monitor check-config`, correct it, and reload the daemon"
    log.error("%s", words)
    with site.database.write("configuration") as connection:
        set_own(site, connection, TROUBLE, words, now)
        journal.append(connection, now, journal.Entry(event="configuration", subject="refused", body={"why": refused}))
        alarms.raise_alarm(site, connection, alarms.refused_configuration(refused), now)


def in_words(problems: Sequence[Problem]) -> str:
    """The first mistake with its place, and how many there are. A message that shows an address is left out."""
    first = problems[0]
    words = first.code if "@" in first.message else first.message
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return f"{first.file}:{first.line}:{first.column}: {words}{more}"
