"""A small site in a folder of its own: configuration, database, the published case's import files, a real relay."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from monitor.cli import run
from monitor.service.demo_feed import write_step
from tests.smtp_server import SmtpServer

CONFIG = """\
time_zone: Europe/Berlin
database: sqlite:///site.db
guideline: us-label
poll_every: 60 s
announce_within_days: 14
mail:
  sender: alerts@hospital.example
  relay: {{host: 127.0.0.1, port: {port}, insecure: true}}
teams:
  day-clinic:
    sites: ["*"]
    recipients:
      - {{name: Nurse on duty, address: nurse@hospital.example, language: en}}
"""


@dataclass(frozen=True)
class Ran:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Command = Callable[..., Ran]


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs one command in this process."""

    def ran(*words: object) -> Ran:
        code = run([str(word) for word in words])
        printed = capsys.readouterr()
        return Ran(code, printed.out, printed.err)

    return ran


@pytest.fixture
def relay() -> Iterator[SmtpServer]:
    with SmtpServer() as server:
        yield server


@pytest.fixture
def config(tmp_path: Path, relay: SmtpServer) -> Path:
    """The configuration of an empty site whose relay takes mail."""
    path = tmp_path / "monitor.yaml"
    path.write_text(CONFIG.format(port=relay.port), encoding="utf-8")
    return path


@pytest.fixture
def feed(tmp_path: Path) -> Path:
    """The demo cohort as known in the evening of 15 March 2011, as import files."""
    from datetime import UTC, datetime

    folder = tmp_path / "feed"
    folder.mkdir()
    write_step(folder, None, datetime(2011, 3, 15, 20, tzinfo=UTC))
    return folder
