"""What Prometheus reads: figures of the database and of the daemon, by names without a patient or an address."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.request import urlopen

import pytest

from monitor.errors import ConfigError
from monitor.service import clock
from monitor.service.counters import DaemonCounters
from monitor.service.metrics import start_metrics
from monitor.store import journal, outbox
from monitor.store.rounds import RoundRecord, record_round
from monitor.store.tables import ATTEMPTS, MESSAGES
from monitor.store.troubles import set_trouble
from monitor.store.watch_tables import CIRCUITS
from tests.service.clinic import NORTH, Clinic, a_clinic
from tests.service.test_figures import a_mail, an_alert, an_attempt


@pytest.fixture
def port() -> int:
    """One that nobody listens on."""
    with socket.socket() as channel:
        channel.bind(("127.0.0.1", 0))
        return int(channel.getsockname()[1])


@pytest.fixture
def watched(tmp_path: Path, port: int) -> Iterator[Clinic]:
    """A clinic with metrics and with something of everything in its database."""
    now = clock.now()
    with a_clinic(tmp_path, more=f"metrics: {{port: {port}}}\n") as clinic:
        clinic.tell("patients", {"patient_id": "P-0815"}, now=now)
        with clinic.site.database.write() as connection:
            record_round(connection, RoundRecord(now, now, 3, 0, "sha"))
            an_alert(connection, now, patient="P-0815")
            set_trouble(connection, "clock-step", "the clock was set back", now)
            outbox.enqueue(connection, [a_mail(1, address=NORTH[0])], now=now - timedelta(seconds=40))
            for relay, since in (("relay", now), ("fallback", None)):
                row = {"relay": relay, "open_since": since, "failures": 1, "probe_at": now, "words": "no"}
                connection.execute(CIRCUITS.insert(), row)
            for unexplained in (0, 2):
                journal.append(connection, now, journal.Entry("coverage", "statement", {"unexplained": unexplained}))
        yield clinic


def scraped(port: int) -> dict[str, float]:
    """Samples by name and labels, as Prometheus gets them."""
    with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if not line.startswith("#"))}


def test_given_a_database_when_scraped_then_its_figures(watched: Clinic, port: int) -> None:
    counters = DaemonCounters(late_ticks=2)
    counters.ran("watch", done=True)
    stop = start_metrics(lambda: watched.site, counters)
    try:
        found = scraped(port)
    finally:
        stop()
    now = clock.now().timestamp()
    expected = {
        "bipn_monitor_database_usable": 1,
        'bipn_monitor_messages{state="pending"}': 1,
        'bipn_monitor_messages{state="cancelled"}': 0,
        'bipn_monitor_circuit_open{relay="relay"}': 1,
        'bipn_monitor_circuit_open{relay="fallback"}': 0,
        'bipn_monitor_open_alerts{urgency="immediate"}': 1,
        'bipn_monitor_trouble{name="clock-step"}': 1,
        'bipn_monitor_job_runs_total{job="watch"}': 1,
        'bipn_monitor_daemon_events_total{event="late tick"}': 2,
        "bipn_monitor_escalations_overdue": 0,
    }
    assert {name: found.get(name) for name in expected} == expected
    for name in ("last_round", "evaluated_up_to", "newest_fact", "last_statement", "last_clean_statement"):
        assert now - 60 < found[f"bipn_monitor_{name}_timestamp_seconds"] <= now
    assert 40 <= found["bipn_monitor_oldest_waiting_seconds"] < 100


def test_given_metrics_when_a_mail_is_taken_then_its_latency_is_counted_once(watched: Clinic, port: int) -> None:
    stop = start_metrics(lambda: watched.site, DaemonCounters())
    try:
        before = scraped(port)["bipn_monitor_alert_mail_seconds_count"]
        with watched.site.database.write() as connection:
            decided_at = connection.execute(MESSAGES.select()).one().created_at
            connection.execute(ATTEMPTS.insert(), an_attempt(1, decided_at + timedelta(seconds=40), "accepted"))
        scraped(port)
        after = scraped(port)
    finally:
        stop()
    buckets = [after[f'bipn_monitor_alert_mail_seconds_bucket{{le="{edge}"}}'] for edge in ("30", "60", "+Inf")]
    assert (before, buckets, after["bipn_monitor_alert_mail_seconds_sum"]) == (0, [0, 1, 1], 40)
    assert after['bipn_monitor_attempts_total{outcome="accepted",relay="relay"}'] == 1


def test_given_patients_and_addresses_when_scraped_then_no_label_holds_one(watched: Clinic, port: int) -> None:
    stop = start_metrics(lambda: watched.site, DaemonCounters())
    try:
        names = "\n".join(scraped(port))
    finally:
        stop()
    assert re.search(r"P-0815|@|Nurse", names) is None


def test_given_a_database_that_cannot_be_read_when_scraped_then_that_is_said(watched: Clinic, port: int) -> None:
    stop = start_metrics(lambda: watched.site, DaemonCounters())
    try:
        with watched.another_program() as connection:
            connection.execute("ALTER TABLE troubles RENAME TO elsewhere")
        found = scraped(port)
    finally:
        stop()
    assert found["bipn_monitor_database_usable"] == 0
    assert "bipn_monitor_changes_waiting" not in found


def test_given_a_taken_port_when_started_then_a_mistake_of_the_configuration(watched: Clinic, port: int) -> None:
    stop = start_metrics(lambda: watched.site, DaemonCounters())
    try:
        with pytest.raises(ConfigError, match=f"cannot listen on 127.0.0.1:{port}"):
            start_metrics(lambda: watched.site, DaemonCounters())
    finally:
        stop()


def test_given_no_metrics_in_the_configuration_when_started_then_nothing_listens_and_nothing_is_loaded(tmp_path: Path) -> None:
    with a_clinic(tmp_path):
        program = (
            "import sys; from pathlib import Path; from monitor.service.counters import DaemonCounters\n"
            "from monitor.service.metrics import start_metrics; from monitor.service.opening import open_site\n"
            "with open_site(Path('monitor.yaml')) as site: start_metrics(lambda: site, DaemonCounters())()\n"
            "print('prometheus_client' in sys.modules)"
        )
        ran = subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            text=True,
            check=True,
            cwd=tmp_path,
            env={"PYTHONPATH": str(Path(__file__).parents[2])},
        )
    assert ran.stdout == "False\n"


def test_given_the_extra_is_missing_when_started_then_its_name_is_said(watched: Clinic) -> None:
    program = (
        "import sys; from pathlib import Path; from monitor.errors import ConfigError\n"
        "from monitor.service.counters import DaemonCounters\n"
        "from monitor.service.metrics import start_metrics; from monitor.service.opening import open_site\n"
        "sys.modules['prometheus_client'] = None  # as where it is not installed\n"
        "with open_site(Path('monitor.yaml')) as site:\n"
        "    try:\n        start_metrics(lambda: site, DaemonCounters())\n"
        "    except ConfigError as error:\n        print(error)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        cwd=watched.folder,
        env={"PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert "pip install 'bipn-monitor[metrics]'" in ran.stdout
