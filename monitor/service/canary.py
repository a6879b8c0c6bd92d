"""A patient who does not exist crosses a threshold every day before the statement: facts, round, mail and relay are seen to work.

Facts go into the real tables, the real round evaluates them, the mail goes to the operations address alone. Each day has a
patient of its own; that of the day before is retired, so that time never brings it up again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import Connection

from monitor.clinical.coverage import GRACE
from monitor.clinical.history import BORTEZOMIB
from monitor.clinical.synthetic import PREFIX
from monitor.config.settings import Coverage
from monitor.said import say
from monitor.service import chains
from monitor.service.opening import Site
from monitor.store import alerts, changes, daily, digests, facts, journal, said
from monitor.store.figures import STATEMENT
from monitor.store.journal import Entry
from monitor.store.versions import Value

SLOT = "synthetic"
PATIENT = "patient"
"""The subject of the journal's entries; the body names the patient of the day."""

FEED = "synthetic patient"
BEFORE = timedelta(minutes=18)
"""So long before the statement: a round, a mail and the relay's greylisting of a first mail have to fit in."""

BY = "bipn-monitor (synthetic patient)"
_ANY_DAY = date(2001, 1, 2)
_WAITS_AT_MOST = timedelta(hours=36)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """How far the patient of the day came: ``well`` if the relay took the mail, or may still. ``words`` hold no address."""

    well: bool
    words: str


def send_canary(site: Site, now: datetime) -> bool:
    """Store today's synthetic patient if its time has come; whether it did. The next round finds it among the changes."""
    coverage, zone = site.settings.coverage, site.settings.time_zone
    if coverage is None or not _wanted(site):
        return False
    at = _at(coverage)
    with site.database.read() as connection:
        if not daily.is_due(connection, SLOT, at=at, now=now, zone=zone):
            return False
    patient_id = f"{PREFIX}{now.astimezone(zone):%Y-%m-%d-%H%M%S}"
    with site.database.write("synthetic") as connection:
        if not daily.is_due(connection, SLOT, at=at, now=now, zone=zone):
            return False  # `poll` beside the daemon has stored it meanwhile
        _retire(connection, now)
        for kind, rows in _facts(patient_id, now).items():
            facts.write(connection, kind, rows, now=now, feed=FEED, zone=zone)
        journal.append(connection, now, Entry("synthetic", PATIENT, {"patient_id": patient_id}))
        daily.done(connection, SLOT, at=at, now=now, zone=zone)
    return True


def is_on_its_way(site: Site, now: datetime) -> bool:
    """Whether the statement had better wait for it: stored a moment ago, and its mail not accepted yet.

    Where the last statement is long past, nothing waits: who polls once a day would wait for ever.
    """
    if not _wanted(site):
        return False
    with site.database.read() as connection:
        newest = journal.newest(connection, "synthetic", PATIENT)
        statement = journal.newest(connection, "coverage", STATEMENT)
        if newest is None or now - newest.at >= GRACE or statement is None or now - statement.at > _WAITS_AT_MOST:
            return False
        return _accepted_at(connection, newest.body["patient_id"]) is None


def verdict(site: Site, connection: Connection, now: datetime) -> Seen | None:
    """How far today's patient came, for the statement; None where there is to be none. Retires one that came through."""
    if not _wanted(site):
        return None
    newest = journal.newest(connection, "synthetic", PATIENT)
    if newest is None or now - newest.at > timedelta(days=1):
        return Seen(well=False, words=say("the synthetic patient of today was not stored: the daemon did not come to it"))
    patient_id = newest.body["patient_id"]
    accepted_at = _accepted_at(connection, patient_id)
    if accepted_at is not None:
        _retire(connection, now)
        return Seen(well=True, words=say("accepted {at}", at=f"{accepted_at.astimezone(site.settings.time_zone):%H:%M}"))
    if now - newest.at < GRACE:
        return Seen(well=True, words=say("on its way since {at}", at=f"{newest.at.astimezone(site.settings.time_zone):%H:%M}"))
    raised = said.raised_about(connection, [patient_id])[patient_id]
    how_far = say("its alert was raised, and no relay has taken its mail") if raised else say("no alert was raised for it")
    return Seen(well=False, words=say("the synthetic patient of today did not come through: {how_far}", how_far=how_far))


def _wanted(site: Site) -> bool:
    coverage = site.settings.coverage
    return coverage is not None and coverage.synthetic_patient and site.settings.operations is not None


def _at(coverage: Coverage) -> time:
    """The hour of the clinic's clock, ``BEFORE`` the statement's."""
    return (datetime.combine(_ANY_DAY, coverage.at, UTC) - BEFORE).time()


def _facts(patient_id: str, now: datetime) -> dict[str, list[facts.FactRow]]:
    """On the drug, walking unaided yesterday and in a wheelchair today: no policy lets that pass."""

    def fact(name: str, **values: Value) -> facts.FactRow:
        return {"patient_id": patient_id, "recorded_at": now.isoformat(), "source_id": f"{patient_id}-{name}", **values}

    def given(days: int) -> facts.FactRow:
        given_at = (now - timedelta(days=days)).isoformat()
        return fact(f"dose-{days}", given_at=given_at, drug=BORTEZOMIB, dose_mg_per_m2=1.3)

    def visit(before: timedelta, motor_grade: int, walking: str) -> facts.FactRow:
        assessed_at = (now - before).isoformat()
        found: dict[str, Value] = {"ctcae_version": "5.0", "sensory_grade": 1, "neuropathic_pain": "no"}
        return fact(walking, assessed_at=assessed_at, motor_grade=motor_grade, walking=walking, **found)

    started_on = f"{now - timedelta(days=29):%Y-%m-%d}"
    return {
        "patients": [{"patient_id": patient_id, "site": "synthetic"}],
        "courses": [fact("course", drug=BORTEZOMIB, started_on=started_on, schedule="weekly")],
        "doses": [given(days) for days in (29, 22, 15, 8, 1)],
        "assessments": [visit(timedelta(days=1), 0, "unaided"), visit(timedelta(minutes=1), 3, "wheelchair")],
    }


def _accepted_at(connection: Connection, patient_id: str) -> datetime | None:
    """When a relay first took a mail about one of the patient's alerts."""
    mails, many = said.mails_about(connection, [patient_id]), said.digests(connection)
    found = [
        mail.accepted_at
        for alert in said.raised_about(connection, [patient_id])[patient_id]
        for mail in (*mails.about(alert.alert_id), *many.about(alert.alert_id))
        if mail.accepted_at is not None
    ]
    return min(found, default=None)


def _retire(connection: Connection, now: datetime) -> None:
    """Close what the synthetic patients left open, and never look at them again."""
    newest = journal.newest(connection, "synthetic", PATIENT)
    if newest is None:
        return
    patient_id = newest.body["patient_id"]
    active = alerts.of_patients(connection, [patient_id])[patient_id]
    for alert in active:
        closed = alert.changed(state="resolved", holds=False, closed_at=now)
        alerts.record_act(connection, closed, act="resolved", by=BY, note=None, now=now)
        journal.append(
            connection, now, Entry("act", f"A-{alert.alert_id}", {"act": "resolved", "by": BY, "patient_id": patient_id})
        )
    ids = [alert.alert_id for alert in active if alert.alert_id is not None]
    chains.stand_down(connection, ids, "a synthetic patient", now)
    digests.clear(connection, ids)
    changes.set_look_again(connection, patient_id, None)
