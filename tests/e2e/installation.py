"""An installation in a folder of its own: configuration, import files, and the program as subprocesses."""

from __future__ import annotations

import csv
import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import closing, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from datetime import datetime
from io import StringIO
from pathlib import Path
from typing import Any

from monitor.cli import run
from monitor.importers.columns import COLUMNS
from monitor.service.demo_feed import rows_known_between

NURSES = ("nurse@hospital.example", "nurse2@hospital.example")
CASE = "JK-2012"

NAME, BORN, NOTE = "Zacharias Quibberling", "1911-11-23", "whispered to a flugelhorn"
"""What no mail header, no log and no message of ours may show."""

CONFIG = """\
time_zone: Europe/Berlin
database: sqlite:///site.db
guideline: us-label
poll_every: 1 s
mail:
  sender: alerts@hospital.example
  relay: {{host: 127.0.0.1, port: {port}, insecure: true}}
teams:
  day-clinic:
    sites: ["*"]
    recipients:
      - {{name: Nurse on duty, address: nurse@hospital.example, language: en}}
      - {{name: Second nurse, address: nurse2@hospital.example, language: en}}
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


@dataclass
class Installation:
    """``printed`` is all that every command of it ever wrote to stdout and stderr."""

    folder: Path
    port: int
    environ: dict[str, str] = field(default_factory=dict)
    printed: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.folder.mkdir(exist_ok=True)
        self.config.write_text(CONFIG.format(port=self.port), encoding="utf-8")

    @property
    def config(self) -> Path:
        return self.folder / "monitor.yaml"

    @property
    def database(self) -> Path:
        return self.folder / "site.db"

    def run(self, *words: object, code: int | None = 0, configured: bool = True) -> Ran:
        """One command to its end. Fails on another exit code than ``code``, and on a traceback."""
        process = self.start(*words, configured=configured)
        out, err = process.communicate(timeout=60)
        self.printed += [out, err]
        ran = Ran(process.returncode, out, err)
        assert "Traceback" not in out + err, err
        assert code is None or ran.code == code, (words, ran)
        return ran

    def call(self, *words: object, code: int | None = 0, configured: bool = True) -> Ran:
        """As ``run``, in this process: for the many commands whose contract does not need one of its own."""
        named = ["--config", str(self.config)] if configured else []
        with redirect_stdout(StringIO()) as out, redirect_stderr(StringIO()) as err:
            ended = run([*named, *(str(word) for word in words)])
        ran = Ran(ended, out.getvalue(), err.getvalue())
        self.printed += [ran.out, ran.err]
        assert "Traceback" not in ran.out + ran.err, ran.err
        assert code is None or ran.code == code, (words, ran)
        return ran

    def start(self, *words: object, configured: bool = True, **environ: str) -> subprocess.Popen[str]:
        """One command, running."""
        named = ["--config", str(self.config)] if configured else []
        return subprocess.Popen(
            [sys.executable, "-m", "monitor", *named, *(str(word) for word in words)],
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(self.environ | environ),
        )

    def rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """What another program reads in the database."""
        with closing(sqlite3.connect(self.database)) as connection:
            return connection.execute(statement, values).fetchall()

    def write(self, statement: str, *values: object) -> None:
        """What another program writes into the database."""
        with closing(sqlite3.connect(self.database, timeout=10)) as connection, connection:
            connection.execute(statement, values)

    def case_files(self, *, after: datetime | None = None, until: datetime) -> Path:
        """The published case as known between two instants, as import files; his name, birth date and notes are markers."""
        folder = self.folder / f"feed-{until:%Y%m%d%H%M}"
        folder.mkdir()
        for kind in COLUMNS:
            rows = [row for row in csv.DictReader(StringIO(rows_known_between(kind, after, until))) if row["patient_id"] == CASE]
            marks = {"patients": {"display_name": NAME, "birth_date": BORN}, "assessments": {"notes": NOTE}}.get(kind, {})
            if rows:
                write_csv(folder / f"{kind}.csv", [row | marks for row in rows])
        return folder


def write_csv(path: Path, rows: list[dict[str, str]]) -> Path:
    """An import file."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return path


def environment(more: Mapping[str, str]) -> dict[str, str]:
    """Ours, without what would configure the program, so that its warnings are seen but nothing is inherited."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("BIPN_", "NOTIFY_", "CREDENTIALS_"))}
    here = str(Path(__file__).resolve().parents[2])
    return {**kept, "PYTHONPATH": here, "PYTHONWARNINGS": "error", "NO_COLOR": "1", **more}


def until(condition: Callable[[], object], *, seconds: float = 60, what: str = "it") -> None:
    """Waits for a condition; AssertionError when it does not come."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"{what} did not come within {seconds} s"
        time.sleep(0.02)
