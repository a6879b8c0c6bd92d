"""One look at the whole installation, in one transaction: what ``status`` judges and the metrics show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from monitor.clinical.findings import Urgency
from monitor.clinical.nobody_home import nobody_home
from monitor.clinical.synthetic import is_synthetic
from monitor.service.feed_ages import FeedAge, feed_ages
from monitor.service.holder import has_died, is_this_process
from monitor.service.opening import Site
from monitor.service.own_troubles import present
from monitor.store import alerts, changes, escalations, feed_age, figures, journal, lease, outbox, withheld
from monitor.store.rounds import Failure, RoundRecord, failures, last_round
from monitor.store.troubles import Trouble
from monitor.store.unnoticed import unnoticed_tables


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """``messages`` are by state. ``dead_ends`` are messages given up whose address is still configured and took none since.

    ``overdue`` is when each unanswered step of an escalation was due; ``gaps`` are hours that would reach nobody, in words.
    ``unnoticed`` are tables of facts of which a trigger is missing or off.
    """

    round: RoundRecord | None
    daemons: int
    changes_waiting: int
    newest_fact_at: datetime | None
    messages: Mapping[str, int]
    waiting_since: datetime | None
    held: int
    dead_ends: int
    relay_words: str | None
    circuits: tuple[figures.OpenCircuit, ...]
    failures: tuple[Failure, ...]
    open_alerts: Mapping[Urgency, int]
    overdue: tuple[datetime, ...]
    withheld: int
    troubles: tuple[Trouble, ...]
    gaps: tuple[str, ...]
    statement: journal.Kept | None
    watching_since: datetime | None
    feeds: tuple[FeedAge, ...]
    unnoticed: tuple[str, ...]

    @property
    def watching(self) -> bool:
        """Whether a daemon runs; on PostgreSQL there may be several."""
        return self.daemons > 0

    @property
    def waiting(self) -> int:
        """Messages that no relay has taken yet."""
        return self.messages["pending"] + self.messages["sending"]


def read_figures(site: Site, now: datetime) -> Figures:
    """Read, never write. Raises DatabaseError."""
    with site.database.read() as connection:
        waiting = (alert for alert in alerts.all_alerts(connection, open_only=True) if alert.state == "open")
        still_open = [alert for alert in waiting if not is_synthetic(alert.patient_id)]
        return Figures(
            round=last_round(connection),
            daemons=sum(_is_there(held.holder) for held in lease.of_daemons(connection, now)),
            changes_waiting=changes.waiting(connection),
            newest_fact_at=feed_age.newest_fact_at(connection),
            messages=outbox.counts(connection),
            waiting_since=figures.waiting_since(connection, now),
            held=figures.held_for_later(connection, now),
            dead_ends=_dead_ends(site, connection),
            relay_words=outbox.last_trouble(connection),
            circuits=tuple(figures.open_circuits(connection)),
            failures=tuple(failures(connection)),
            open_alerts=Counter(alert.urgency for alert in still_open),
            overdue=tuple(step.due_at for step in escalations.overdue(connection, now)),
            withheld=len({row.alert_id for row in withheld.open_now(connection, now)}),
            troubles=tuple(present(connection, now)),
            gaps=gaps(site, now),
            statement=journal.newest(connection, "coverage", figures.STATEMENT),
            watching_since=figures.first_policy_at(connection),
            feeds=feed_ages(connection, site.settings, now),
            unnoticed=tuple(unnoticed_tables(connection)),
        )


def _is_there(holder: str) -> bool:
    """Whether a holder's process runs; it may be this one, whose board is asked."""
    return is_this_process(holder) or not has_died(holder)


def gaps(site: Site, now: datetime) -> tuple[str, ...]:
    """Every hour of the week at which a step of a team's escalation would reach nobody, in words."""
    today = now.astimezone(site.settings.time_zone).date()
    return tuple(gap.words for gap in nobody_home(site.settings.teams, site.settings.directory, today))


def _dead_ends(site: Site, connection: Connection) -> int:
    """Only addresses that are still configured: who corrects one has mended it."""
    settings = site.settings
    known = {recipient.address for team in settings.teams for recipient in team.recipients}
    known |= {person.recipient.address for person in settings.directory.people.values()}
    if settings.operations is not None:
        known.add(settings.operations.address)
    if settings.data_quality is not None:
        known.add(settings.data_quality.owner.address)
    return sum(number for address, number in figures.dead_ends(connection).items() if address in known)
