"""Every alert of the demonstration says what would have changed its urgency."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from pathlib import Path

from monitor.clinical.history import History
from monitor.clinical.replay import replay
from monitor.clinical.turning import turning_points
from monitor.service.demo_feed import COHORT
from monitor.service.ingest import import_paths
from monitor.store import histories
from monitor.store.database import open_database
from monitor.store.migrate import migrate
from tests.builders import NOW, ZONE, shipped_policy

AFTERWARDS = timedelta(days=30)


def cohort(folder: Path) -> dict[str, History]:
    with closing(open_database(f"sqlite:///{folder / 'monitor.db'}", create=True)) as database:
        migrate(database)
        import_paths(database, [COHORT], zone=ZONE, now=NOW)
        with database.read() as connection:
            return histories.load(connection, histories.patients_with_facts(connection), ZONE).histories


def test_given_the_demo_cohort_when_replayed_then_each_alert_has_a_turning_point(tmp_path: Path) -> None:
    policy, told, silent = shipped_policy(), 0, []
    for patient_id, history in cohort(tmp_path).items():
        for at, _, transitions in replay(history, policy, until=max(history.instants()) + AFTERWARDS):
            for alert in (each.after for each in transitions if each.after.state == "open"):
                told += 1
                if not turning_points(history.as_known_at(at), policy, at, alert.finding):
                    silent.append((patient_id, at, alert.finding.rule))
    assert silent == []
    assert told > 40
