"""Configuration files for the tests, made of the shipped ones by exchanging text."""

from __future__ import annotations

from pathlib import Path

from monitor.config.policy_files import read_guideline, read_thresholds, shipped_guidelines, shipped_policy
from monitor.config.problems import Problem

MINIMAL = """\
time_zone: Europe/Berlin          # IANA name, required: days and mails are the clinic's
database: sqlite:///bipn-monitor.db
guideline: us-label               # one of config/guidelines/, or a path
poll_every: 60 s
mail:
  sender: alerts@hospital.example
  relay: {host: 127.0.0.1, port: 25, insecure: true}   # without `insecure: true`, TLS is required and verified
teams:
  day-clinic:
    sites: ["*"]
    recipients:
      - {name: Nurse on duty, address: nurse@hospital.example, language: en}
      - {name: Second nurse, address: nurse2@hospital.example, language: de}
"""

WHO_HEARS = Path(__file__).with_name("who-hears.yaml")
"""Every key about people, calendars, steps, answers and coverage."""
BOARD = Path(__file__).with_name("board.yaml")
"""Every key about the board, single sign-on and who may be told how much."""


def monitor_file(folder: Path, *exchanges: tuple[str, str], text: str = MINIMAL) -> Path:
    """A ``monitor.yaml`` in the folder: ``text`` with each first string, which must occur, replaced by the second."""
    return _written(folder / "monitor.yaml", text, exchanges)


def policy_file(folder: Path, *exchanges: tuple[str, str]) -> Path:
    """The shipped thresholds with exchanges."""
    return _written(folder / "thresholds.yaml", shipped_policy().read_text(encoding="utf-8"), exchanges)


def guideline_file(folder: Path, *exchanges: tuple[str, str], name: str = "us-label") -> Path:
    """A shipped dose table with exchanges."""
    return _written(folder / "table.yaml", shipped_guidelines()[name].read_text(encoding="utf-8"), exchanges)


def policy_problems(folder: Path, *exchanges: tuple[str, str]) -> tuple[Problem, ...]:
    return read_thresholds(policy_file(folder, *exchanges)).problems


def guideline_problems(folder: Path, *exchanges: tuple[str, str]) -> tuple[Problem, ...]:
    return read_guideline(guideline_file(folder, *exchanges)).problems


def line_of(path: Path, text: str) -> int:
    """The first line that holds the text, counted from 1."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, start=1) if text in line)


def _written(path: Path, text: str, exchanges: tuple[tuple[str, str], ...]) -> Path:
    for old, new in exchanges:
        assert old in text, old
        text = text.replace(old, new, 1)
    path.write_text(text, encoding="utf-8")
    return path
