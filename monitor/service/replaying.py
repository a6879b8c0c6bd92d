"""Every alert that would have been raised, as facts became known. Reads the stored history, writes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from monitor.clinical.alerts import Alert, Reason
from monitor.clinical.history import History
from monitor.clinical.policy import Policy
from monitor.clinical.replay import replay as replay_history
from monitor.clinical.synthetic import is_synthetic
from monitor.errors import DatabaseError
from monitor.service.opening import Site
from monitor.service.shapes import PolicyMark, alert_json, local_text
from monitor.store import histories

RAISES = frozenset({Reason.NEW, Reason.WORSE, Reason.AGAIN, Reason.NEW_OCCASION})
PATIENTS_PER_READ = 200


def replay(
    site: Site,
    *,
    policy: Policy,
    from_at: datetime | None,
    to_at: datetime,
    patient_id: str | None = None,
) -> Iterator[dict[str, Any]]:
    """Alerts as they would have been raised between two instants, both included, ascending in time.

    An alert that grows worse is printed again, with the same id. Ids are those of the replay, not of the database.
    Raises DatabaseError naming patients whose record cannot be read, after all others have been printed.
    """
    raised: list[tuple[datetime, str, int, Alert, int]] = []
    unreadable = 0
    for history in _histories(site, patient_id):
        if history is None:
            unreadable += 1
            continue
        raised += _raised(history, policy, to_at)
    raised.sort(key=lambda each: each[:3])
    mark = PolicyMark.of(policy)
    ids: dict[tuple[str, int], str] = {}
    for at, name, _, alert, episode in raised:
        shown_id = ids.setdefault((name, episode), f"A-{len(ids) + 1}")
        if from_at is None or at >= from_at:
            yield alert_json(alert, mark, shown_id=shown_id)
    if unreadable:
        raise DatabaseError(f"{unreadable} patient(s) could not be read and are not in this replay; `status` names the rows")


def _histories(site: Site, patient_id: str | None) -> Iterator[History | None]:
    with site.database.read() as connection:
        names = [patient_id] if patient_id is not None else _patients(connection)
        for start in range(0, len(names), PATIENTS_PER_READ):
            group = names[start : start + PATIENTS_PER_READ]
            loaded = histories.load(connection, group, site.policy.zone)
            for name in group:
                if name in loaded.unreadable:
                    yield None
                elif name in loaded.histories:
                    yield loaded.histories[name]


def _patients(connection: Connection) -> list[str]:
    return [name for name in histories.patients_with_facts(connection) if not is_synthetic(name)]


def _raised(history: History, policy: Policy, to_at: datetime) -> Iterator[tuple[datetime, str, int, Alert, int]]:
    """(instant, patient, order within the instant, alert, number of its episode)."""
    episodes: dict[str, int] = {}
    count = 0
    for instant, _, transitions in replay_history(history, policy, until=to_at):
        told = [transition for transition in transitions if transition.reason in RAISES]
        told.sort(key=lambda transition: -transition.after.urgency.rank)
        for order, transition in enumerate(told):
            rule = transition.after.finding.rule
            if transition.reason is Reason.NEW:
                count += 1
                episodes[rule] = count
            yield instant, history.patient_id, order, transition.after, episodes[rule]


def as_line(alert: dict[str, Any], zone: ZoneInfo) -> str:
    """One alert of a replay for people."""
    at = local_text(datetime.fromisoformat(alert["raised_at"]), zone)
    return f"{at:<21}  {alert['id']:<7} {alert['patient_id']:<12} {alert['urgency']:<9} {alert['rule']:<33} {alert['headline']}"
