"""The daemon's figures, as Prometheus reads them while it runs."""

from __future__ import annotations

import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from tests.e2e.installation import Installation, until
from tests.smtp_server import SmtpServer


@pytest.fixture
def relay() -> Iterator[SmtpServer]:
    with SmtpServer() as server:
        yield server


def scraped(port: int) -> str:
    """What is shown; nothing while nobody listens."""
    try:
        with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            return str(answer.read().decode())
    except URLError:
        return ""


def test_given_metrics_when_the_daemon_runs_then_they_show_its_rounds_and_end_with_it(tmp_path: Path, relay: SmtpServer) -> None:
    with socket.socket() as channel:
        channel.bind(("127.0.0.1", 0))
        port = int(channel.getsockname()[1])
    installed = Installation(tmp_path / "site", relay.port)
    installed.config.write_text(f"{installed.config.read_text(encoding='utf-8')}metrics: {{port: {port}}}\n", encoding="utf-8")
    daemon = installed.start("run")
    try:
        until(lambda: 'bipn_monitor_job_runs_total{job="watch"}' in scraped(port), what="a round in the figures")
        shown = scraped(port)
        assert "\nbipn_monitor_last_round_timestamp_seconds 1." in shown
    finally:
        daemon.send_signal(signal.SIGTERM)
        _, err = daemon.communicate(timeout=20)
    assert (daemon.returncode, "Traceback" in err, scraped(port)) == (0, False, ""), err
