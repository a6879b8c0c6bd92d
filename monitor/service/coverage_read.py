"""Everything a coverage statement rests on, read patient by patient: what was due, what was said, and what the journal knows."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection

from monitor.clinical.alerts import Alert
from monitor.clinical.coverage import Due, due_to_tell
from monitor.clinical.findings import Urgency
from monitor.clinical.stored import Stored
from monitor.clinical.synthetic import PREFIX, is_synthetic
from monitor.service.coverage_compare import Case, compare, taken_on
from monitor.service.feed_ages import FeedAge, feed_ages
from monitor.service.journal import Watch, watch
from monitor.service.opening import Site
from monitor.store import alerts, arrivals, feed_age, histories, journal, lost, said

log = logging.getLogger(__name__)

PATIENTS_PER_READ = 200
OPEN_FOR_LONG = timedelta(days=1)


@dataclass(slots=True, kw_only=True)
class Covered:
    """What was found of the time from ``since`` to ``now``. ``lost`` are rows that the journal knows and nobody has."""

    since: datetime
    now: datetime
    policy_since: datetime | None
    patients: int = 0
    assessments: int = 0
    not_evaluated: int = 0
    cases: list[Case] = field(default_factory=list)
    lost: list[lost.Lost] = field(default_factory=list)
    refused_mails: int = 0
    newest_fact_at: datetime | None = None
    feeds: tuple[FeedAge, ...] = ()
    not_acknowledged: list[Alert] = field(default_factory=list)
    journal: journal.Verdict = field(default_factory=lambda: journal.Verdict(entries=0, last_sha256=journal.FIRST_PREVIOUS))

    def of(self, fate: str) -> list[Case]:
        """The cases that ended so."""
        return [case for case in self.cases if case.fate == fate]

    @property
    def unexplained(self) -> int:
        """Cases without an explanation, and what was lost beside them."""
        cases = self.of("unexplained")
        named = {f"A-{case.alert_id}" for case in cases}
        return len(cases) + sum(1 for each in self.lost if not named.intersection(each.alerts))


def _nothing() -> None:
    return None


def read(site: Site, now: datetime, days: int, *, progress: Callable[[], None] = _nothing) -> Covered:
    """Re-derive and compare the last ``days``. Reads only; ``progress`` is called between the pieces."""
    since = now - timedelta(days=days)
    with site.database.read() as connection:
        watched = watch(connection, site.policy.sha256, since)
        digests = said.digests(connection)
        names = [name for name in histories.patients_with_facts(connection) if not is_synthetic(name)]
        covered = Covered(since=since, now=now, policy_since=watched.policy_since, patients=len(names))
        covered.assessments = arrivals.assessments(connection, since, but=PREFIX)
        covered.newest_fact_at = feed_age.newest_fact_at(connection)
        covered.feeds = feed_ages(connection, site.settings, now)
        covered.refused_mails = said.refused_since(connection, since)
        covered.lost = lost.since(connection, since)
        covered.not_acknowledged = _not_acknowledged(connection, now)
    for start in range(0, len(names), PATIENTS_PER_READ):
        progress()
        with site.database.read() as connection:
            _piece(site, connection, names[start : start + PATIENTS_PER_READ], watched, digests, covered)
    progress()
    with site.database.read() as connection:
        covered.journal = journal.verify(connection)
    return covered


def _piece(
    site: Site, connection: Connection, names: Sequence[str], watched: Watch, digests: said.Mails, covered: Covered
) -> None:
    loaded = histories.load(connection, names, site.policy.zone)
    covered.not_evaluated += len(loaded.unreadable)
    begin = watched.policy_since or covered.since
    lately = arrivals.lately(connection, names, begin)
    raised = said.raised_about(connection, names)
    mails = (said.mails_about(connection, names), digests)
    for name, history in loaded.histories.items():
        stored = Stored(history=history, lately=lately.get(name, {}))
        due = _due(site, stored, raised[name], watched, begin, covered.now)
        if due is None:
            covered.not_evaluated += 1
            continue
        covered.cases += compare(
            due,
            raised[name],
            mails,
            since=covered.since,
            now=covered.now,
            announce_within=site.settings.announce_within,
        )


def _due(
    site: Site, stored: Stored, raised: Sequence[said.Raised], watched: Watch, begin: datetime, now: datetime
) -> list[Due] | None:
    """What was due of one patient, or None where the rules fail on the record: a defect is that patient's alone."""
    try:
        return due_to_tell(stored, site.policy, since=begin, until=now, pauses=watched.pauses, taken_on=taken_on(raised, begin))
    except Exception as error:  # as in a round
        log.error("a patient could not be evaluated for the coverage statement", extra={"defect": type(error).__name__})
        return None


def _not_acknowledged(connection: Connection, now: datetime) -> list[Alert]:
    """Alerts above review that nobody has taken on for more than a day, the most urgent and then the oldest first."""
    waiting = [
        alert
        for alert in alerts.all_alerts(connection, open_only=True)
        if alert.state == "open"
        and alert.urgency is not Urgency.REVIEW
        and now - alert.raised_at > OPEN_FOR_LONG
        and not is_synthetic(alert.patient_id)
    ]
    return sorted(waiting, key=lambda alert: (-alert.urgency.rank, alert.raised_at))
