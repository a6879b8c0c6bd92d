"""``make soak``: the daemon under a stream of facts, as an operator would see it; then left alone.

latency       from the commit of a fact to the relay's 250, p50 and p99, over facts that come one by one
S2            CPU of the idle daemon over that of a bare asyncio loop that wakes as often
S3            resident memory of the idle daemon over that of a process that imported SQLModel and does nothing

The facts are of synthetic patients who cannot walk any more: every one of them is an immediate mail.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

from bench import cohort
from bench.sink import mails, sink
from monitor.service.opening import open_site

FIGURES = Path(__file__).parent / "soak.json"
POLL_SECONDS = 1
GATES = {"S2": 1.5, "S3": 1.4}
CONFIG = """time_zone: Europe/Berlin
database: sqlite:///soak.db
guideline: us-label
poll_every: {poll} s
mail:
  sender: alerts@hospital.example
  relay: {{host: 127.0.0.1, port: {port}, insecure: true}}
teams:
  all:
    sites: ["*"]
    recipients:
      - {{name: Nurse, address: nurse@hospital.example}}
"""
BARE_LOOP = "import asyncio\nasync def main():\n    while True:\n        await asyncio.sleep({seconds})\nasyncio.run(main())"


def cpu_seconds(pid: int) -> float:
    """CPU that a process has used so far, its threads together, to the nanosecond."""
    tasks = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9


def resident_mb(pid: int) -> float:
    """Resident memory of a process."""
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def someone_lost_walking(raw: sqlite3.Connection, name: str, day: str) -> float:
    """A new patient's record in one commit; when it was committed, by the monotonic clock."""
    with raw:
        raw.execute("INSERT INTO patients (patient_id, site) VALUES (?, 'ward-1')", (name,))
        raw.execute("INSERT INTO doses (patient_id, given_at, dose_mg_per_m2) VALUES (?, date(?, '-6 days'), 1.3)", (name, day))
        for ago, walking in (("-7 days", "unaided"), ("-0 days", "wheelchair")):
            raw.execute(
                "INSERT INTO assessments (patient_id, assessed_at, walking, sensory_grade, neuropathic_pain)"
                " VALUES (?, date(?, ?), ?, 0, 'no')",
                (name, day, ago, walking),
            )
    return time.monotonic()


def stream(database: Path, taken: Path, *, seconds: float, every: float) -> list[float]:
    """The latency of each fact, in seconds. Raises RuntimeError where a mail never comes."""
    committed: dict[str, float] = {}
    end = time.monotonic() + seconds
    day = time.strftime("%Y-%m-%d", time.gmtime())
    with closing(sqlite3.connect(database, timeout=20)) as raw:
        while time.monotonic() < end:
            name = f"S-SOAK-{len(committed):05d}"
            committed[name] = someone_lost_walking(raw, name, day)
            time.sleep(every)
    until = time.monotonic() + 30
    while len({patient for _, patient in mails(taken)} & committed.keys()) < len(committed):
        if time.monotonic() > until:
            raise RuntimeError(f"{len(mails(taken))} mails for {len(committed)} facts")
        time.sleep(0.2)
    came: dict[str, float] = {}
    for at, patient in mails(taken):
        came.setdefault(patient, at)
    return sorted(came[name] - at for name, at in committed.items())


def idle(daemon: int, *, seconds: float) -> dict[str, float]:
    """S2 and S3 of a daemon that has nothing to do, beside processes that can do nothing."""
    quiet = subprocess.Popen([sys.executable, "-c", BARE_LOOP.format(seconds=POLL_SECONDS)])
    imported = subprocess.Popen([sys.executable, "-c", "import sqlmodel, time\ntime.sleep(100000)"])
    try:
        time.sleep(5)
        before, bare_before = cpu_seconds(daemon), cpu_seconds(quiet.pid)
        time.sleep(seconds)
        used, bare = cpu_seconds(daemon) - before, cpu_seconds(quiet.pid) - bare_before
        return {
            "idle_cpu_ms_a_tick": used / seconds * POLL_SECONDS * 1e3,
            "bare_cpu_ms_a_tick": bare / seconds * POLL_SECONDS * 1e3,
            "idle_cpu_percent": used / seconds * 100,
            "S2": used / bare,
            "rss_mb": resident_mb(daemon),
            "sqlmodel_rss_mb": resident_mb(imported.pid),
            "S3": resident_mb(daemon) / resident_mb(imported.pid),
        }
    finally:
        for process in (quiet, imported):
            process.kill()
            process.wait()


def soak(folder: Path, *, minutes: float, every: float, idle_seconds: float, patients: int) -> dict[str, float]:
    """One whole run; the figures by name."""
    with sink(folder, rtt_ms=20) as (port, taken):
        config = folder / "monitor.yaml"
        config.write_text(CONFIG.format(port=port, poll=POLL_SECONDS))
        with open_site(config, create=True):
            cohort.fill(folder / "soak.db", patients)
        environ = {name: value for name, value in os.environ.items() if name != "NOTIFY_SOCKET"}
        log = (folder / "daemon.log").open("w")
        daemon = subprocess.Popen([sys.executable, "-m", "monitor", "--config", str(config), "run"], stderr=log, env=environ)
        try:
            time.sleep(5)
            rss_at_start = resident_mb(daemon.pid)
            latencies = stream(folder / "soak.db", taken, seconds=minutes * 60, every=every)
            figures = {
                "facts": float(len(latencies)),
                "latency_p50_s": statistics.median(latencies),
                "latency_p99_s": latencies[int(len(latencies) * 0.99)],
                "latency_max_s": latencies[-1],
                "mails": float(len(mails(taken))),
                "rss_mb_at_start": rss_at_start,
                **idle(daemon.pid, seconds=idle_seconds),
            }
            daemon.send_signal(signal.SIGTERM)
            figures["exit_code"] = float(daemon.wait(timeout=90))
        finally:
            daemon.kill()
            daemon.wait()
            log.close()
    return {name: round(value, 3) for name, value in figures.items()}


def main() -> None:
    """Run it, print the figures and, with ``--keep``, write them down."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--minutes", type=float, default=10)
    arguments.add_argument("--every", type=float, default=1.0, help="seconds between two facts")
    arguments.add_argument("--idle-seconds", type=float, default=60)
    arguments.add_argument("--patients", type=int, default=1000, help="stored before it begins, 100 assessments each")
    arguments.add_argument("--keep", action="store_true", help="write bench/soak.json")
    asked = arguments.parse_args()
    with tempfile.TemporaryDirectory() as name:
        figures = soak(
            Path(name), minutes=asked.minutes, every=asked.every, idle_seconds=asked.idle_seconds, patients=asked.patients
        )
    last = json.loads(FIGURES.read_text()) if FIGURES.exists() else {}
    for what, figure in figures.items():
        gate = GATES.get(what)
        mark = "" if gate is None else f"  gate {gate:g}" + ("" if figure <= gate else "  MISSED")
        print(f"{what:20} {figure:10.3f}  last {last.get(what, '-')!s:>10}{mark}")
    if asked.keep:
        FIGURES.write_text(json.dumps({"minutes": asked.minutes, **figures}, indent=2) + "\n")


if __name__ == "__main__":
    main()
