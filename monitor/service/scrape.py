"""What Prometheus is told, read from the database when it asks. No label holds a patient or an address."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from threading import Lock

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

import monitor
from monitor.clinical.findings import Urgency
from monitor.errors import DatabaseError
from monitor.service import clock
from monitor.service.counters import DaemonCounters
from monitor.service.figures import Figures, read_figures
from monitor.service.opening import Site
from monitor.service.status_problems import RELAYS
from monitor.store import figures

BUCKETS_SECONDS = (1, 5, 15, 30, 60, 120, 300, 900, 3600)


class Latency:
    """How long mails about alerts waited, as a histogram since the start: each taken mail is read once."""

    def __init__(self) -> None:
        self._read_up_to: int | None = None
        self._counts = [0] * (len(BUCKETS_SECONDS) + 1)
        self._sum_seconds = 0.0

    def begin(self, last_attempt: int) -> None:
        """What was taken before is not counted."""
        if self._read_up_to is None:
            self._read_up_to = last_attempt

    @property
    def read_up_to(self) -> int:
        """The last attempt that is in."""
        return self._read_up_to or 0

    def add(self, taken: Iterable[figures.Accepted]) -> None:
        """Mails that were taken since."""
        for mail in taken:
            seconds = max(0.0, (mail.accepted_at - mail.decided_at).total_seconds())
            self._counts[bisect_left(BUCKETS_SECONDS, seconds)] += 1
            self._sum_seconds += seconds
            self._read_up_to = mail.attempt

    def metric(self) -> Metric:
        """The histogram; its buckets are cumulative."""
        total, buckets = 0, []
        for least, count in zip((*map(str, BUCKETS_SECONDS), "+Inf"), self._counts, strict=True):
            total += count
            buckets.append((least, float(total)))
        words = "From the decision to tell of an alert to the relay's 250, mails taken since the daemon's start."
        return HistogramMetricFamily("bipn_monitor_alert_mail_seconds", words, buckets=buckets, sum_value=self._sum_seconds)


class Scrape(Collector):
    """Reads the database each time it is asked. One that cannot be read is told as that, beside the daemon's own counts."""

    def __init__(self, site: Callable[[], Site], counters: DaemonCounters) -> None:
        self._site = site
        self._counters = counters
        self._latency = Latency()
        self._one_at_a_time = Lock()
        with site().database.read() as connection:
            self._latency.begin(figures.last_attempt(connection))

    def collect(self) -> Iterator[Metric]:
        """Every figure; those of the database only where it can be read."""
        yield InfoMetricFamily("bipn_monitor_build", "The version that runs.", {"version": monitor.__version__})
        yield from _of_the_daemon(self._counters)
        with self._one_at_a_time:
            try:
                found = list(self._of_the_database())
            except DatabaseError:
                found = []
        yield _gauge("database_usable", "1 if the database could be read for this answer.", bool(found))
        yield from found

    def _of_the_database(self) -> Iterator[Metric]:
        site, now = self._site(), clock.now()
        found = read_figures(site, now)
        with site.database.read() as connection:
            attempts = figures.attempts(connection)
            clean_at = figures.last_clean_statement_at(connection)
            self._latency.add(figures.accepted_alerts(connection, after=self._latency.read_up_to))
        yield from _of_watching(found, clean_at)
        yield from _of_mail(found, attempts, now)
        yield self._latency.metric()


def _of_the_daemon(counters: DaemonCounters) -> Iterator[Metric]:
    yield _counters("job_runs", "Runs of the daemon's jobs that did what they should.", "job", counters.runs)
    yield _counters("job_failed_runs", "Runs that failed; the next tick repeats them.", "job", counters.failed_runs)
    events = {
        "defect": counters.defects,
        "late tick": counters.late_ticks,
        "skipped tick": counters.skipped_ticks,
        "clock set": counters.clock_steps,
        "blocked loop": counters.blocked_loops,
        "reload": counters.reloads,
        "refused reload": counters.refused_reloads,
    }
    yield _counters("daemon_events", "What happened to the daemon since its start.", "event", events)


def _of_watching(found: Figures, clean_at: datetime | None) -> Iterator[Metric]:
    round_, statement = found.round, found.statement
    yield _time("last_round", "When the last round ended.", None if round_ is None else round_.finished_at)
    yield _time("evaluated_up_to", "Up to when everything known was evaluated.", None if round_ is None else round_.started_at)
    yield _time("newest_fact", "When the newest fact was stored.", found.newest_fact_at)
    yield _time("last_statement", "When the last daily statement was made.", None if statement is None else statement.at)
    yield _time("last_clean_statement", "When a daily statement was last clean.", clean_at)
    yield _gauge("changes_waiting", "Changes that no round has dealt with.", found.changes_waiting)
    yield _gauge("patients_not_evaluated", "Patients whose records could not be evaluated.", len(found.failures))
    yield _gauge("escalations_overdue", "Unanswered alerts that are due for the next people.", len(found.overdue))
    yield _gauge("alerts_withheld", "Open alerts that nobody is told of for now, for a recorded reason.", found.withheld)
    yield _gauge("nobody_home_gaps", "Hours of the week at which a step of an escalation would reach nobody.", len(found.gaps))
    by_urgency = {urgency.value: found.open_alerts.get(urgency, 0) for urgency in Urgency}
    yield _gauges("open_alerts", "Alerts that nobody has acknowledged.", "urgency", by_urgency)
    yield _gauges("trouble", "1 for what is wrong now, by its name.", "name", {each.name: 1 for each in found.troubles})


def _of_mail(found: Figures, attempts: Mapping[tuple[str, str], int], now: datetime) -> Iterator[Metric]:
    waiting = 0.0 if found.waiting_since is None else (now - found.waiting_since).total_seconds()
    open_now = {circuit.relay for circuit in found.circuits}
    yield _gauges("messages", "Messages by state.", "state", found.messages)
    yield _gauge("oldest_waiting_seconds", "For how long the mail waits that waits longest.", max(0.0, waiting))
    yield _gauge("messages_held", "Messages that wait for a chosen time.", found.held)
    yield _gauge("dead_ends", "Messages given up whose address is configured and took none since.", found.dead_ends)
    yield _gauges("circuit_open", "1 while a relay takes no mail.", "relay", {name: name in open_now for name in RELAYS})
    counted = CounterMetricFamily("bipn_monitor_attempts", "Attempts to hand a mail over.", labels=("outcome", "relay"))
    for labels, number in sorted(attempts.items()):
        counted.add_metric(labels, number)
    yield counted


def _gauge(name: str, words: str, value: float) -> Metric:
    return GaugeMetricFamily(f"bipn_monitor_{name}", words, value=float(value))


def _time(name: str, words: str, at: datetime | None) -> Metric:
    """Without a sample where there was none yet: an alert on its age then says that it is absent."""
    return GaugeMetricFamily(f"bipn_monitor_{name}_timestamp_seconds", words, value=None if at is None else at.timestamp())


def _gauges(name: str, words: str, label: str, values: Mapping[str, float]) -> Metric:
    metric = GaugeMetricFamily(f"bipn_monitor_{name}", words, labels=(label,))
    for key, value in values.items():
        metric.add_metric((key,), float(value))
    return metric


def _counters(name: str, words: str, label: str, values: Mapping[str, int]) -> Metric:
    metric = CounterMetricFamily(f"bipn_monitor_{name}", words, labels=(label,))
    for key, value in dict(values).items():
        metric.add_metric((key,), value)
    return metric
