"""One incident out of the journal: its entries in order, each with the hashes that tie it to the others."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from monitor.service.opening import Site
from monitor.service.shapes import local_text
from monitor.store import alerts, journal
from monitor.store.journal import Kept, Verdict


def verify(site: Site, expected_last: str | None = None) -> Verdict:
    """Go through the whole chain."""
    with site.database.read() as connection:
        return journal.verify(connection, expected_last=expected_last)


def verdict_json(verdict: Verdict) -> dict[str, Any]:
    """The documented shape of ``journal verify --format json``."""
    return {
        "intact": verdict.intact,
        "entries": verdict.entries,
        "last_sha256": verdict.last_sha256,
        "broken_at": verdict.broken_at,
        "problem": verdict.problem,
    }


def verdict_line(verdict: Verdict) -> str:
    """The same for people, in one sentence."""
    if verdict.intact:
        return f"intact: {verdict.entries} entries, the last hash is {verdict.last_sha256}"
    return f"BROKEN at entry {verdict.broken_at}: {verdict.problem}; the {verdict.entries} entries before it hold together"


def export(
    site: Site,
    *,
    alert_text: str | None = None,
    patient_id: str | None = None,
    from_at: datetime | None = None,
    to_at: datetime | None = None,
) -> Iterator[Kept]:
    """The entries about one alert, one patient, or everything, between two instants, both included, in order.

    The mails that named an alert and what became of them belong to it; so do the alerts of a patient to the patient.
    """
    number = None if alert_text is None else alerts.alert_id_of(alert_text)
    about = {f"A-{number}"} if number is not None else set[str]()
    everything = alert_text is None and patient_id is None
    with site.database.read() as connection:
        for entry in journal.entries(connection, until=to_at):
            wanted = everything or _concerns(entry, about, patient_id)
            if wanted:
                about.add(entry.subject)
            if wanted and (from_at is None or entry.at >= from_at):
                yield entry


def _concerns(entry: Kept, about: set[str], patient_id: str | None) -> bool:
    """Whether an entry belongs to what was asked for; ``about`` are the subjects that are known to belong to it."""
    if patient_id is not None and entry.body.get("patient_id") == patient_id:
        return True
    named = entry.body.get("alerts", [])
    return entry.subject in about or (isinstance(named, list) and not about.isdisjoint(named))


def entry_json(entry: Kept) -> dict[str, Any]:
    """One line of ``journal export``: with what is needed to work out its hash."""
    return {
        "id": entry.id,
        "at": entry.at.isoformat(),
        "event": entry.event,
        "subject": entry.subject,
        "body": dict(entry.body),
        "previous_sha256": entry.previous_sha256,
        "sha256": entry.sha256,
    }


def entry_text(entry: Kept, zone: ZoneInfo) -> str:
    """One entry for people: what, when, everything that was kept of it, and its hashes."""
    lines = [f"{entry.id}  {local_text(entry.at, zone)}  {entry.event}  {entry.subject}"]
    lines += [
        f"    {name.replace('_', ' ')}: {_value(value)}" for name, value in entry.body.items() if value not in (None, [], "")
    ]
    return "\n".join([*lines, f"    sha256 {entry.sha256} after {entry.previous_sha256}"])


def _value(value: object) -> str:
    if isinstance(value, list):
        return "; ".join(map(_value, value))
    if isinstance(value, dict):
        return ", ".join(f"{name} {_value(each)}" for name, each in value.items())
    return str(value)
