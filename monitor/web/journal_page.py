"""``GET /journal``: what happened, the newest first, a page at a time; who looked at whom is among it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from starlette.responses import Response

from monitor.service.views import VIEW
from monitor.store import journal
from monitor.web.asked import Asked, number_in
from monitor.web.rendering import page

PER_PAGE = 50
ONLY = (VIEW, "act", "sign-in", "alert", "message", "attempt", "answer", "coverage", "policy")
"""What may be asked for alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One entry; ``words`` is its body."""

    number: int
    at: datetime
    event: str
    subject: str
    words: str
    sha256: str


def show(asked: Asked) -> Response:
    """``?before=`` is the number of the entry that the page ends before, ``?event=`` one kind alone."""
    before = number_in(asked.query.get("before", ""))
    event = asked.query.get("event", "")
    only = event if event in ONLY else None
    with asked.site.database.read() as connection:
        kept = journal.latest(connection, at_most=PER_PAGE + 1, before=before, event=only)
    lines = tuple(_line(each) for each in kept[:PER_PAGE])
    return page(
        asked,
        "journal.html",
        lines=lines,
        event=only or "",
        events=ONLY,
        earlier=lines[-1].number if len(kept) > PER_PAGE else None,
        is_first=before is None,
    )


def _line(kept: journal.Kept) -> Line:
    words = "; ".join(
        f"{name.replace('_', ' ')}: {_value(value)}" for name, value in kept.body.items() if value not in (None, [], "")
    )
    return Line(number=kept.id, at=kept.at, event=kept.event, subject=kept.subject, words=words, sha256=kept.sha256)


def _value(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(_value, value))
    if isinstance(value, dict):
        return ", ".join(f"{name} {_value(each)}" for name, each in value.items())
    return str(value)
