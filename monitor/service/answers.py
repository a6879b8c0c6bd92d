"""What the answers' mailbox brings: somebody's "seen" acknowledges; a machine's answer or a bounce lets the next be told at once.

Each mail is dealt with in one transaction and flagged after it, so a crash between the two repeats nothing. A mailbox that
cannot be read is a trouble that ``status`` tells, and after half an hour an alarm; the rest of the program goes on.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from monitor.config.mail_settings import Answers
from monitor.config.secrets import secret
from monitor.delivery.mailbox import ImapAddress, Mail, MailboxError, open_imap, open_maildir
from monitor.errors import ConfigError, MonitorError
from monitor.service import alarms
from monitor.service.answered import Dealt, deal_with
from monitor.service.leasing import turn
from monitor.service.opening import Site
from monitor.store import troubles

log = logging.getLogger(__name__)

TROUBLE = "answers"
TURN = "answers' mailbox"
READ_WITHIN = timedelta(minutes=5)  # (J): a mailbox that takes longer is read by two at once, and each mail by one all the same
MOST_FAILURES = 3
"""Mails of one reading that may fail to be dealt with: when more do, it is not for the mails."""

ALARM_AFTER = timedelta(minutes=30)  # (J): a mail server restarts within it; an immediate alert does not wait much longer


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswersSummary:
    """What one reading brought, in mails. ``problem`` is what kept it from being read to its end."""

    acknowledged: int = 0
    handed_over: int = 0  # automatic answers and bounces
    without_effect: int = 0
    problem: str | None = None


def _never() -> bool:
    return False


def read_answers(site: Site, now: datetime, *, stopping: Callable[[], bool] = _never) -> AnswersSummary:
    """Deal with every mail that waits in the answers' mailbox; none without one. Never raises for the mailbox, nor for a mail.

    ``stopping`` is asked before each mail; what is left is read the next time. Nothing is read while another daemon reads.
    """
    if site.settings.answers is None:
        return AnswersSummary()
    with turn(site.database, TURN, at_most=READ_WITHIN) as ours:
        return _read(site, site.settings.answers, now, stopping) if ours else AnswersSummary()


def _read(site: Site, settings: Answers, now: datetime, stopping: Callable[[], bool]) -> AnswersSummary:
    summary = AnswersSummary()
    problem: str | None = None
    failed = 0
    try:
        with _mailbox(site, settings) as mails:
            for mail in mails:
                if stopping():
                    break
                try:
                    summary = _counted(summary, deal_with(site, mail, now))
                    mail.handled()
                except MailboxError as error:  # it comes again, and is known by its hash
                    problem = str(error)
                except Exception as error:  # whatever is wrong with this mail, the others may be answers
                    failed += 1
                    if failed > MOST_FAILURES:
                        raise
                    problem = f"a mail cannot be dealt with: {error if isinstance(error, MonitorError) else type(error).__name__}"
    except (MailboxError, ConfigError) as error:
        problem = str(error)
    _tell(site, problem, now)
    return replace(summary, problem=problem)


def _mailbox(site: Site, settings: Answers) -> AbstractContextManager[Iterator[Mail]]:
    """Raises MailboxError without a password, ConfigError for one that cannot be read."""
    if settings.maildir is not None:
        return open_maildir(settings.maildir)
    imap = settings.imap
    password = secret("imap_password", os.environ, site.folder)
    if imap is None or password is None:
        raise MailboxError("there is no password for the answers' mailbox: give the secret imap_password")
    address = ImapAddress(
        host=imap.host,
        port=imap.port,
        tls="none" if imap.insecure else imap.tls,
        username=imap.username,
        mailbox=imap.mailbox,
        timeout_seconds=imap.timeout.total_seconds(),
    )
    return open_imap(address, password)


def _counted(summary: AnswersSummary, dealt: Dealt | None) -> AnswersSummary:
    if dealt is None:
        return summary
    if dealt.kind == "acknowledged":
        return replace(summary, acknowledged=summary.acknowledged + 1)
    if dealt.message is not None and dealt.kind in ("automatic answer", "bounce"):
        return replace(summary, handed_over=summary.handed_over + 1)
    return replace(summary, without_effect=summary.without_effect + 1)


def _tell(site: Site, problem: str | None, now: datetime) -> None:
    """A trouble while there is a problem, an alarm once it has lasted; neither costs a write while all is well."""
    with site.database.read() as connection:
        known = next((each for each in troubles.all_troubles(connection) if each.name == TROUBLE), None)
    if problem is None and known is None:
        return
    with site.database.write("answers") as connection:
        if problem is None:
            troubles.clear_trouble(connection, TROUBLE)
            return
        words = f"answers by mail are not read: {problem}"
        if troubles.set_trouble(connection, TROUBLE, words, now):
            log.error("answers by mail are not read, tried again at the next tick: %s", problem)
        if known is not None and now - known.since >= ALARM_AFTER:
            alarms.raise_alarm(site, connection, alarms.unread_answers(problem), now)
