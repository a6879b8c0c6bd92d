"""One round: whatever changed or came due is evaluated, decided, recorded and put into the outbox.

Per batch of patients one transaction holds everything: alerts, messages, look-again instants and the consumed
changes. A crash repeats the batch and changes nothing. A patient whose record cannot be read or whose evaluation
fails is that patient's alone: the others go on, the failure is recorded and tried again. On PostgreSQL rounds of several
processes share out who is due; what they all touch - journal, alarms, digests - is written by one of them at a time.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from monitor.clinical.alerts import Alert, Reason, Transition
from monitor.clinical.evaluate import evaluate
from monitor.clinical.findings import Review
from monitor.clinical.history import History
from monitor.clinical.lifecycle import decide
from monitor.service import alarms, clock, digesting, merging
from monitor.service.journal import round_entries
from monitor.service.opening import Site
from monitor.service.shapes import PolicyMark
from monitor.service.taking_over import has_moved, take_over
from monitor.service.telling import tell, told_alone
from monitor.store import alerts, changes, dialect, digests, histories, journal
from monitor.store.alerts import PolicyRecord
from monitor.store.rounds import Failure, RoundRecord, clear_failure, last_round, record_failure, record_round

log = logging.getLogger(__name__)

PATIENTS_PER_COMMIT = 128
"""One fdatasync for up to so many patients; small enough that a writer beside us waits only milliseconds."""

TRY_AGAIN_AFTER = timedelta(hours=1)
"""A patient that could not be evaluated is tried again even if nothing changes."""

RAISED = frozenset({Reason.WORSE, Reason.AGAIN, Reason.NEW_OCCASION})
WITHDRAWN = frozenset({Reason.WITHDRAWN, Reason.MERGED})


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundSummary:
    """What a round did; counts only."""

    patients_evaluated: int = 0
    opened: int = 0
    raised: int = 0
    resolved: int = 0
    withdrawn: int = 0
    queued: int = 0
    failed_patients: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One patient's evaluation, ready to be recorded."""

    history: History
    review: Review
    transitions: tuple[Transition, ...]
    moved: bool  # another team than the one that was told


def _never() -> bool:
    return False


def run_round(
    site: Site, now: datetime, *, stopping: Callable[[], bool] = _never, recorded_every: timedelta = timedelta(0)
) -> RoundSummary:
    """Evaluate every patient who changed or came due until none is left, then tell what waited for the end of the round.

    Where others watch the same database, they evaluate some of them. ``stopping`` is asked before each batch; the patients
    that are left stay due, and what waits goes on waiting. A round that found nothing goes on record only where the last
    one there is older than ``recorded_every``.
    """
    done = _Done()
    _bring_up_all_if_the_policy_changed(site)
    for last_try in (False, False, True):
        stopped = _evaluate_due(site, done, now, stopping)
        if stopped or (not done.counts and _ended_lately(site, now, recorded_every)):
            return _summary(done.counts)
        if _end(site, done.counts, now, whatever_is_due=last_try):
            break
    log.info("round finished", extra={"patients": done.counts["patients_evaluated"], "failed": done.counts["failed_patients"]})
    return _summary(done.counts)


@dataclass(slots=True)
class _Done:
    """What a round has done so far, and whether its end tells what it found: not known before its first batch."""

    counts: Counter[str] = field(default_factory=Counter)
    hold: bool | None = None


def _evaluate_due(site: Site, done: _Done, now: datetime, stopping: Callable[[], bool]) -> bool:
    """Batch by batch until nobody is due, or only such as others evaluate just now. Returns whether it was stopped."""
    while not stopping():
        with site.database.glance() as connection:
            if not changes.anything_due(connection, now):
                return False
        with site.database.write("round", beside_others=True) as connection:
            due = changes.due(connection, now, PATIENTS_PER_COMMIT)
            if not due.patient_ids:
                return False
            if done.hold is None:  # only the round's end can say how many patients it tells of: more batches, or ends another's
                many = len(due.patient_ids) + due.elsewhere >= PATIENTS_PER_COMMIT
                done.hold = many or digesting.anything_held(site, connection)
            done.counts.update(_batch(site, connection, due.patient_ids, done.hold, now))
            changes.consume(connection, due.change_ids)
    return True


def _end(site: Site, counts: Counter[str], now: datetime, *, whatever_is_due: bool) -> bool:
    """Tell what waited and put the round on record; alone, so after the batches that others had begun.

    False, and nothing is told, where more is due by now: what belongs together is told together. Not ``whatever_is_due``:
    facts that never cease hold nobody up for ever.
    """
    with site.database.write("end of round") as connection:
        if not whatever_is_due and changes.anything_due(connection, now):
            return False
        counts["queued"] += digesting.tell_what_waits(site, connection, now)
        journal.append(connection, now, *round_entries(site, last_round(connection), now))
        record_round(
            connection,
            RoundRecord(
                started_at=now,
                finished_at=clock.now(),
                evaluated=counts["patients_evaluated"],
                failed=counts["failed_patients"],
                policy_sha256=site.policy.sha256,
            ),
        )
    return True


def _ended_lately(site: Site, now: datetime, within: timedelta) -> bool:
    """Whether a round that found nothing has nothing to tell either, and the last one is on record well enough."""
    with site.database.glance() as connection:
        last = last_round(connection)
        if last is None or last.policy_sha256 != site.policy.sha256 or digests.waiting(connection):
            return False
    return timedelta(0) <= now - last.started_at < within


def _bring_up_all_if_the_policy_changed(site: Site) -> None:
    """Other thresholds may speak of patients about whom nothing new is known. A round cut short does it again."""
    with site.database.glance() as connection:
        before = last_round(connection)
    if before is None or before.policy_sha256 == site.policy.sha256:
        return
    log.info("the policy changed: every watched patient is looked at again")
    with site.database.write() as connection:
        changes.bring_up_all(connection)


def _summary(counts: Counter[str]) -> RoundSummary:
    return RoundSummary(**{field: counts[field] for field in RoundSummary.__slots__})


def _batch(site: Site, connection: Connection, patient_ids: Sequence[str], hold: bool, now: datetime) -> Counter[str]:
    """One batch of patients. ``hold``, or more of them than single mails are sent for: the end of the round tells them."""
    counts: Counter[str] = Counter(patients_evaluated=len(patient_ids))
    merging.follow(connection, patient_ids, now=now, zone=site.policy.zone)
    loaded = histories.load(connection, patient_ids, site.policy.zone)
    known = alerts.of_patients(connection, patient_ids)
    outcomes: list[Outcome] = []
    for patient_id in patient_ids:
        problem = loaded.unreadable.get(patient_id)
        if problem is None:
            history = loaded.histories.get(patient_id) or History(patient_id=patient_id)
            outcome = _evaluated(site, history, known.get(patient_id, []), now)
            if isinstance(outcome, Outcome):
                outcomes.append(outcome)
                continue
            problem = outcome
        counts.update(_failed(connection, patient_id, problem, now))
    mark = PolicyMark.of(site.policy)
    alerts.record_policy(connection, PolicyRecord(mark.guideline, mark.version, mark.sha256), now)
    telling = sum(outcome.moved or bool(told_alone(site, outcome.transitions, now)) for outcome in outcomes)
    hold = hold or telling > site.settings.storm_above
    for outcome in sorted(outcomes, key=_says_something):  # those who say nothing first: others need not wait for that
        if _says_something(outcome):
            dialect.one_at_a_time(connection, dialect.JOURNAL)
        counts.update(_recorded(site, connection, outcome, hold, now))
    if counts["newly_failed"]:
        dialect.one_at_a_time(connection, dialect.JOURNAL)
        alarm = alarms.unreadable_patients(counts["newly_failed"], occasion=patient_ids[0])
        counts["queued"] += alarms.raise_alarm(site, connection, alarm, now)
    return counts


def _says_something(outcome: Outcome) -> bool:
    return bool(outcome.transitions) or outcome.moved


def _failed(connection: Connection, patient_id: str, problem: str, now: datetime) -> Counter[str]:
    is_news = record_failure(connection, Failure(patient_id=patient_id, at=now, problem=problem))
    changes.set_look_again(connection, patient_id, now + TRY_AGAIN_AFTER)
    return Counter(failed_patients=1, newly_failed=int(is_news))


def _evaluated(site: Site, history: History, known: Sequence[Alert], now: datetime) -> Outcome | str:
    """The patient's outcome, or what went wrong, without data. A catch-all: a defect silences one patient."""
    try:
        review = evaluate(history, site.policy, now, explain=False)
        transitions = decide(known, review, patient_id=history.patient_id, history=history, now=now)
        moved = has_moved(site.settings, history, known, now)
    except Exception as error:
        return _defect(error)
    return Outcome(history=history, review=review, transitions=transitions, moved=moved)


def _defect(error: Exception) -> str:
    where = error.__traceback__
    while where is not None and where.tb_next is not None:
        where = where.tb_next
    place = "unknown" if where is None else f"{where.tb_frame.f_code.co_filename.rsplit('/', 1)[-1]}:{where.tb_lineno}"
    log.error("a patient could not be evaluated", extra={"defect": type(error).__name__, "place": place})
    return f"a defect of ours, {type(error).__name__} at {place}; please report it"


def _recorded(site: Site, connection: Connection, outcome: Outcome, hold: bool, now: datetime) -> Counter[str]:
    """Record one outcome whole, with its mails, or not at all: a mail that cannot be made up is that patient's failure."""
    patient_id = outcome.history.patient_id
    if _says_something(outcome):
        try:
            with connection.begin_nested():
                counts = _record(site, connection, outcome, hold, now)
        except OperationalError:  # the database's, not the patient's
            raise
        except Exception as error:
            return _failed(connection, patient_id, _defect(error), now)
    else:
        counts = Counter()
    changes.set_look_again(connection, patient_id, outcome.review.look_again_at)
    clear_failure(connection, patient_id)
    return counts


def _record(site: Site, connection: Connection, outcome: Outcome, hold: bool, now: datetime) -> Counter[str]:
    saved = alerts.save(connection, outcome.transitions, now=now, policy_sha256=site.policy.sha256)
    counts: Counter[str] = Counter()
    for transition in saved:
        counts["opened"] += transition.reason is Reason.NEW
        counts["raised"] += transition.reason in RAISED
        counts["resolved"] += transition.reason is Reason.RESOLVED
        counts["withdrawn"] += transition.reason in WITHDRAWN
    counts["queued"] += tell(site, connection, outcome.history, saved, hold=hold, now=now)
    if outcome.moved:
        counts["queued"] += take_over(site, connection, outcome.history, hold=hold, now=now)
    return counts
