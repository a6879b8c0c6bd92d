"""``GET /coverage``: the last daily statement, and those before it, as the journal keeps them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from starlette.responses import Response

from monitor.said import Said
from monitor.store import journal
from monitor.store.figures import STATEMENT
from monitor.web.asked import Asked
from monitor.web.rendering import page

SHOWN = 60
"""Statements: two months. (J)"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One number of a statement."""

    label: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A finding that nobody was told of and nothing explains; whose it is, an auditor alone sees here."""

    alert: str | None
    patient_id: str | None
    rule: str
    urgency: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One day's statement."""

    number: int  # of the journal's entry
    at: datetime
    since: datetime
    until: datetime
    clean: bool
    unexplained: int
    problems: tuple[str, ...]
    figures: tuple[Figure, ...]
    cases: tuple[Case, ...]
    lost: tuple[str, ...]
    sha256: str


def show(asked: Asked) -> Response:
    """The newest in full, the others a line each."""
    with asked.site.database.read() as connection:
        kept = journal.latest(connection, at_most=SHOWN, event="coverage", subject=STATEMENT)
    may_see = asked.viewer.may("patient")
    statements = tuple(_statement(each, may_see) for each in kept)
    return page(
        asked,
        "coverage.html",
        last=statements[0] if statements else None,
        statements=statements,
        configured=asked.site.settings.coverage is not None,
        may_see=may_see,
    )


def _statement(kept: journal.Kept, may_see: bool) -> Statement:
    body = kept.body
    return Statement(
        number=kept.id,
        at=kept.at,
        since=datetime.fromisoformat(body["since"]),
        until=datetime.fromisoformat(body["until"]),
        clean=bool(body["clean"]),
        unexplained=int(body["unexplained"]),
        problems=tuple(body["problems"]),
        figures=tuple(Figure(label=Said(name, name, None, {}), value=value) for name, value in body["figures"].items()),
        cases=tuple(_case(each, may_see) for each in body["cases"]),
        lost=tuple(body["lost"]),
        sha256=kept.sha256,
    )


def _case(kept: Mapping[str, Any], may_see: bool) -> Case:
    return Case(
        alert=kept["alert"],
        patient_id=kept["patient_id"] if may_see else None,
        rule=kept["rule"],
        urgency=kept["urgency"],
        why=kept["why"],
    )
