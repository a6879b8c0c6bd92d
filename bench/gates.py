"""``make bench``: the gates of this project as ratios of one run, printed beside the last committed figures.

P1, P3, idle  a round that has nothing to do, and what it costs where a hundred times more is stored
L1            one new assessment to its alerts, over a raw read of that patient's rows
R1            a full replay from the tables alone, over SQLite's own scan of the assessments
W1, W2        committing one alert with its message; a hundred in one transaction
W3, W4, W5    a validated import, on SQLite and on PostgreSQL (``bench/imports.py``)
M1            a figure and a whole mail, over a bare plot and bare bytes
M2            a burst of mails to a relay that is 20 ms away, over one round trip a mail
D1            two daemons on one PostgreSQL database, over one (``bench/daemons.py``)
B1            the board's first page with 100,000 patients stored, over 1,000 (``bench/board.py``)
S1            ``--help``, over an interpreter that does nothing
"""

from __future__ import annotations

import argparse
import json
import resource
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import select, text

from bench import board, cohort, daemons, delivery, imports, pictures
from bench.measure import Ratio, medians, repeated
from monitor.clinical.evaluate import evaluate
from monitor.clinical.lifecycle import decide
from monitor.clinical.replay import replay
from monitor.service.opening import Site, open_site
from monitor.service.post import send_due
from monitor.service.round import run_round
from monitor.store import changes, histories
from monitor.store.fact_tables import KINDS

ZONE = ZoneInfo("Europe/Berlin")
NOW = datetime(2021, 12, 8, 12, tzinfo=UTC)
FIGURES = Path(__file__).parent / "figures.json"
CONFIG = """time_zone: Europe/Berlin
database: sqlite:///{name}.db
guideline: us-label
mail:
  sender: alerts@hospital.example
  relay: {{host: 127.0.0.1, port: 9, insecure: true}}
teams:
  all:
    sites: ["*"]
    recipients:
      - {{name: Nurse, address: nurse@hospital.example}}
"""


@contextmanager
def site_of(folder: Path, name: str, patients: int) -> Iterator[Site]:
    """A site with ``patients`` x 100 assessments, every one of them looked at."""
    config = folder / f"{name}.yaml"
    config.write_text(CONFIG.format(name=name))
    with open_site(config, create=True) as site:
        cohort.fill(folder / f"{name}.db", patients)
        yield site


def idle(small: Site, large: Site) -> Iterator[Ratio]:
    """P1 and P3 with nothing due."""
    with small.database.glance() as few, large.database.glance() as many:
        one = select(text("1"))
        poll_few = repeated(lambda: changes.anything_due(few, NOW), 200)
        poll_many = repeated(lambda: changes.anything_due(many, NOW), 200)
        nothing, in_few, in_many = medians(repeated(lambda: few.execute(one).scalar(), 200), poll_few, poll_many, rounds=15)
        yield Ratio(goal="P1", what="idle poll", seconds=in_many, against="SELECT 1", against_seconds=nothing, gate=1.5)
        yield Ratio(goal="P3 N=0", what="large", seconds=in_many, against="small", against_seconds=in_few, gate=1.5)

    def whole(site: Site) -> Callable[[], None]:
        def idle_round() -> None:
            run_round(site, NOW)
            send_due(site, NOW)

        return repeated(idle_round, 5)

    few_rounds, many_rounds = medians(whole(small), whole(large), rounds=11)
    yield Ratio(goal="idle", what="large", seconds=many_rounds, against="small", against_seconds=few_rounds, gate=1.5)


def touched(small: Site, large: Site) -> Iterator[Ratio]:
    """P3 with 1 and 100 patients whose history is read."""

    def read(site: Site, names: list[str]) -> None:
        with site.database.read() as connection:
            histories.load(connection, names, ZONE)

    for count in (1, 100):
        names = [cohort.patient_name(number) for number in range(count)]
        times = max(1, 20 // count)
        few, many = medians(repeated(partial(read, small, names), times), repeated(partial(read, large, names), times), rounds=9)
        yield Ratio(goal=f"P3 N={count}", what="large", seconds=many, against="small", against_seconds=few, gate=1.5)


def one_new_assessment(site: Site, path: Path) -> Ratio:
    """L1: read the history, evaluate, decide; over reading the same rows bare."""
    names = [cohort.patient_name(number) for number in range(40)]
    raw = sqlite3.connect(path)

    def bare() -> None:
        for name in names:
            for kind in KINDS:
                raw.execute(f"SELECT * FROM {kind} WHERE patient_id = ?", (name,)).fetchall()

    def ours() -> None:
        with site.database.read() as connection:
            for name in names:
                history = histories.load(connection, [name], ZONE).histories[name]
                review = evaluate(history, site.policy, NOW, explain=False)
                decide((), review, patient_id=name, history=history, now=NOW)

    ours_seconds, bare_seconds = medians(ours, bare, rounds=9)
    raw.close()
    return Ratio(
        goal="L1", what="read, evaluate, decide", seconds=ours_seconds, against="raw read", against_seconds=bare_seconds, gate=3
    )


def full_replay(site: Site, path: Path, patients: int) -> Ratio:
    """R1: every patient's whole story, over SQLite's sum of the last muscle."""
    raw = sqlite3.connect(path)

    def scan() -> None:
        raw.execute(f"SELECT sum({cohort.KLEYWEG_COLUMNS[-1]}) FROM assessments NOT INDEXED").fetchall()

    def everything() -> None:
        names = [cohort.patient_name(number) for number in range(patients)]
        with site.database.read() as connection:
            for start in range(0, patients, 200):
                for history in histories.load(connection, names[start : start + 200], ZONE).histories.values():
                    for _ in replay(history, site.policy, until=NOW):
                        pass

    replay_seconds, scan_seconds = medians(everything, repeated(scan, 5), rounds=3)
    raw.close()
    return Ratio(goal="R1", what="replay", seconds=replay_seconds, against="scan", against_seconds=scan_seconds / 5, gate=65)


def start() -> Ratio:
    """S1: CPU of ``--help`` as a whole process."""

    def cpu_of(*words: str) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, *words], check=True, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    help_seconds = sorted(cpu_of("-m", "monitor", "--help") for _ in range(9))[4]
    empty_seconds = sorted(cpu_of("-c", "pass") for _ in range(9))[4]
    return Ratio(goal="S1", what="--help", seconds=help_seconds, against="pass", against_seconds=empty_seconds, gate=8)


def main() -> None:
    """Measure, print, and with ``--keep`` write the figures that the next run is compared with."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--small", type=int, default=100, help="patients of the small database, 100 assessments each")
    arguments.add_argument("--large", type=int, default=10_000, help="patients of the large one")
    arguments.add_argument("--keep", action="store_true", help="write bench/figures.json")
    asked = arguments.parse_args()
    last = json.loads(FIGURES.read_text()) if FIGURES.exists() else {}
    measured: dict[str, float] = {}
    print(f"{'goal':8} {'ratio':>8} {'gate':>6}  {'last':>8}  what")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for ratio in _all(folder, asked.small, asked.large):
            measured[ratio.goal] = round(ratio.ratio, 3)
            said = f"{ratio.what} {ratio.seconds * 1e3:.3f} ms : {ratio.against} {ratio.against_seconds * 1e3:.3f} ms"
            mark = "" if ratio.holds else "  MISSED"
            print(
                f"{ratio.goal:8} {ratio.ratio:8.2f} {ratio.gate:6g}  {last.get(ratio.goal, '-')!s:>8}  {said}{mark}", flush=True
            )
    if asked.keep:
        FIGURES.write_text(json.dumps(measured, indent=2) + "\n")


def _all(folder: Path, small_patients: int, large_patients: int) -> Iterator[Ratio]:
    yield start()
    yield from pictures.pictures()
    yield from pictures.mails()
    yield from imports.on_sqlite(folder / "import", 20_000)
    yield from imports.on_postgresql(folder / "import-postgresql", 20_000)
    with site_of(folder, "commits", 40) as commits:
        yield from delivery.commits(commits, folder)
    with site_of(folder, "burst", 1) as quiet:
        yield delivery.burst(quiet, folder)
    yield daemons.two_workers(folder / "daemons", 1024)
    yield from board.first_page(folder)
    with site_of(folder, "small", small_patients) as small:
        yield one_new_assessment(small, folder / "small.db")
        yield full_replay(small, folder / "small.db", small_patients)
        with site_of(folder, "large", large_patients) as large:
            yield from idle(small, large)
            yield from touched(small, large)


if __name__ == "__main__":
    main()
