"""The demo's own folder and receiver: made anew, and never in the place of something that is not the demo's."""

from __future__ import annotations

import shutil
from pathlib import Path

from monitor.errors import UsageError

MARK = "# Written by `bipn-monitor demo`; the next demo replaces it."
CONFIG = """{mark} Everything works on it but sending:
# the relay below was the demo's own receiver, which is gone.
time_zone: Europe/Berlin
database: sqlite:///bipn-monitor.db
guideline: us-label
poll_every: 60 s
digest_at: "07:00"
mail:
  sender: bipn-monitor@demo.example
  relay: {{host: 127.0.0.1, port: {port}, insecure: true}}
people:
  neurologist: {{name: Neurologist on call, address: neurology@demo.example, language: en}}
teams:
  north-day-clinic:
    sites: [North]
    recipients:
      - {{name: Nurse North, address: north@demo.example, language: en}}
      - {{name: Pflege Nord, address: nord@demo.example, language: de}}
    escalation: {{immediate: [{{to: [neurologist]}}]}}
  south-day-clinic:
    sites: [South]
    recipients:
      - {{name: Nurse South, address: south@demo.example, language: en}}
    escalation: {{immediate: [{{to: [neurologist]}}]}}
  everyone-else:
    sites: ["*"]
    recipients:
      - {{name: Nurse on duty, address: nurse@demo.example, language: en}}
    escalation: {{immediate: [{{to: [neurologist]}}]}}
"""
BOARD = """\
board:
  port: {port}
  address: http://127.0.0.1:{port}
  users:
    - {{name: Auditor, address: audit@demo.example, role: auditor}}
    - {{name: Administrator, address: it@demo.example, role: admin}}
"""


def prepare(out: Path) -> None:
    """An empty folder of the demo's own. An earlier demo is cleared away.

    Raises UsageError for a folder that holds anything else, and for one that cannot be written.
    """
    config = out / "monitor.yaml"
    if out.exists() and not out.is_dir():
        raise UsageError(f"{out} is a file; name another place with --out DIR")
    try:
        if out.is_dir() and any(out.iterdir()):
            if not (config.is_file() and config.read_text(encoding="utf-8", errors="replace").startswith(MARK)):
                raise UsageError(f"{out} holds files that are not a demo's, and they stay; name another place with --out DIR")
            for name in ("mail", "feed"):
                shutil.rmtree(out / name, ignore_errors=True)
            for database in out.glob("bipn-monitor.db*"):
                database.unlink()
        (out / "feed").mkdir(parents=True)
        config.write_text(MARK + "\n", encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{out} cannot be written: {error.strerror}; name another place with --out DIR") from None


def write_config(out: Path, port: int, *, board_port: int | None = None) -> Path:
    """The demo's configuration, with its receiver on ``port`` as the relay, and a board where it has a port."""
    config = out / "monitor.yaml"
    board = "" if board_port is None else BOARD.format(port=board_port)
    config.write_text(CONFIG.format(mark=MARK, port=port) + board, encoding="utf-8")
    return config
