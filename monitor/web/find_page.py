"""``/find``: a patient by identifier. The identifier travels in a form's body: no address ever holds one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from starlette.responses import Response

from monitor.delivery.compose import title_of
from monitor.service.views import record_view
from monitor.store import alerts
from monitor.store.belonging import belonging, has_facts
from monitor.web.asked import Asked
from monitor.web.rendering import page
from monitor.web.viewer import sees

LONGEST = 200  # characters


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One alert of the patient who was found."""

    number: int
    urgency: str
    state: str
    title: str
    headline: str
    raised_at: datetime


def show(asked: Asked) -> Response:
    """The empty form."""
    return page(asked, "find.html", patient_id="", found=False, asked_for=False, hits=())


def look(asked: Asked) -> Response:
    """The patient's alerts, the newest first. One of another team and one of nobody are the same answer."""
    patient_id = asked.form.get("patient", "").strip()[:LONGEST]
    found = False
    hits: tuple[Hit, ...] = ()
    if patient_id:
        with asked.site.database.read() as connection:
            kept = alerts.all_alerts(connection, patient_id=patient_id)
            known = bool(kept) or has_facts(connection, patient_id)
            place = belonging(connection, [patient_id])[patient_id]
        found = known and sees(asked.viewer, asked.site.settings, place)
    if found:
        record_view(asked.site, asked.viewer, patient_id, asked.now)
        hits = tuple(
            Hit(
                number=alert.alert_id or 0,
                urgency=alert.urgency.value,
                state=alert.state,
                title=title_of(alert.finding),
                headline=alert.finding.headline,
                raised_at=alert.raised_at,
            )
            for alert in reversed(kept)
        )
    return page(asked, "find.html", patient_id=patient_id, found=found, asked_for=bool(patient_id), hits=hits)
