"""``GET /health``: does the program watch, does its mail go out, do facts come in. Nothing here is of a patient."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.responses import Response

from monitor.clinical.findings import Urgency
from monitor.service.figures import Figures, read_figures
from monitor.service.status import status
from monitor.web.asked import Asked
from monitor.web.rendering import page


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """How many alerts of an urgency wait for somebody."""

    urgency: str
    number: int


def show(asked: Asked) -> Response:
    """The same figures and problems as ``status`` prints."""
    found = read_figures(asked.site, asked.now)
    return page(
        asked,
        "health.html",
        problems=status(asked.site, asked.now).problems,
        daemon=found.watching,
        round=found.round,
        round_age=None if found.round is None else asked.now - found.round.finished_at,
        changes_waiting=found.changes_waiting,
        newest_fact_at=found.newest_fact_at,
        newest_fact_age=None if found.newest_fact_at is None else asked.now - found.newest_fact_at,
        not_evaluated=len(found.failures),
        pending=found.messages["pending"],
        sending=found.messages["sending"],
        accepted=found.messages["accepted"],
        dead=found.messages["dead"],
        held=found.held,
        waiting_since=found.waiting_since,
        circuits=found.circuits,
        troubles=found.troubles,
        open=_open(found),
        withheld=found.withheld,
        overdue=len(found.overdue),
        statement_at=None if found.statement is None else found.statement.at,
    )


def _open(found: Figures) -> tuple[Open, ...]:
    return tuple(Open(urgency=urgency.value, number=found.open_alerts.get(urgency, 0)) for urgency in reversed(Urgency))
