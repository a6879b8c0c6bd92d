"""What is done each time the daemon ticks, and by ``poll`` once: whatever is due is found, decided and put into the outbox."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitor.service.coverage import daily_statement
from monitor.service.data_quality import daily_mail
from monitor.service.escalate import escalate
from monitor.service.nightly import look_for_gaps
from monitor.service.opening import Site
from monitor.service.round import RoundSummary, run_round


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What one watch did. ``queued`` is how many messages it put into the outbox, those of the round among them."""

    round: RoundSummary
    queued: int


def _never() -> bool:
    return False


def _nothing() -> None:
    return None


def watch_once(
    site: Site,
    now: datetime,
    *,
    stopping: Callable[[], bool] = _never,
    progress: Callable[[], None] = _nothing,
    recorded_every: timedelta = timedelta(0),
) -> Watched:
    """A round, and what time alone makes due, at ``now``. Nothing is sent: that is ``post.send_due``.

    ``stopping`` is asked before each batch and each part; what is left is due again. ``progress`` hears of each.
    ``recorded_every``: as for ``run_round``.
    """

    def stopped() -> bool:
        progress()
        return stopping()

    done = run_round(site, now, stopping=stopped, recorded_every=recorded_every)
    reminders = 0 if stopped() else escalate(site, now)
    return Watched(round=done, queued=done.queued + reminders)


def daily_once(site: Site, now: datetime, *, progress: Callable[[], None] = _nothing) -> int:
    """What is done once a day of the clinic, if its time has come; how many messages that put into the outbox.

    It may take a minute, and waits for another server: the daemon does it beside its rounds.
    """
    return daily_statement(site, now, progress=progress) + look_for_gaps(site, now) + daily_mail(site, now)
