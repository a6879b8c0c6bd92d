"""One screen: is this installation watching, and does its mail go out?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from monitor.clinical.findings import Urgency
from monitor.service.feed_ages import FeedAge
from monitor.service.figures import Figures, read_figures
from monitor.service.opening import Site
from monitor.service.own_troubles import is_about
from monitor.service.reload import TROUBLE as CONFIGURATION
from monitor.service.shapes import instant_text
from monitor.service.status_lines import ACTS, lines, plugin_line
from monitor.service.status_problems import problems
from monitor.store.answers import acts_since

ANSWERS_OF = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusReport:
    """``problems`` is empty when healthy; each is a sentence with its remedy. ``lines`` are the screen."""

    problems: tuple[str, ...]
    lines: tuple[str, ...]
    plugin_line: str
    data: dict[str, Any]

    @property
    def healthy(self) -> bool:
        return not self.problems

    def as_json(self) -> dict[str, Any]:
        """The same figures, keys always present."""
        return {"healthy": self.healthy, "problems": list(self.problems), **self.data}


def status(site: Site, now: datetime, *, refused: str | None = None) -> StatusReport:
    """Read, never write. Problems are about the machine; open alerts are listed, they are no fault of it.

    ``refused`` is what is wrong with the configuration in its place, where ``site`` is of the last good one.
    """
    found = read_figures(site, now)
    with site.database.read() as connection:
        answered = acts_since(connection, now - ANSWERS_OF)
    wrong = tuple(problems(site.settings, found, now))
    if refused is not None and not any(is_about(each, CONFIGURATION) for each in found.troubles):  # no daemon has noticed yet
        wrong = (refused, *wrong)
    return StatusReport(
        problems=wrong,
        lines=tuple(lines(site, found, answered, now)),
        plugin_line=plugin_line(found, wrong, site.settings.time_zone),
        data=_data(site, found) | {"answers_last_day": _answers(answered)},
    )


def _answers(answered: Mapping[tuple[str, str], int]) -> dict[str, int]:
    count = {act.replace("-", "_"): sum(number for (each, _), number in answered.items() if each == act) for act in ACTS}
    return count | {"disagree": answered.get(("acknowledged", "disagree"), 0)}


def _data(site: Site, found: Figures) -> dict[str, Any]:
    round_, statement = found.round, found.statement
    return {
        "last_round_at": None if round_ is None else instant_text(round_.finished_at),
        "evaluated_up_to": None if round_ is None else instant_text(round_.started_at),
        "changes_waiting": found.changes_waiting,
        "newest_fact_at": _instant(found.newest_fact_at),
        "feeds": [_feed(each) for each in found.feeds],
        "feed_quiet_after_seconds": int(site.settings.feed_quiet_after.total_seconds()),
        "outbox": {
            "waiting": found.waiting,
            "accepted": found.messages["accepted"],
            "dead": found.messages["dead"],
        },
        "mails_held_for_later": found.held,
        "waiting_since": _instant(found.waiting_since),
        "circuits": [
            {"relay": each.relay, "open_since": instant_text(each.since), "words": each.words} for each in found.circuits
        ],
        "open_alerts": {urgency.value: found.open_alerts.get(urgency, 0) for urgency in reversed(Urgency)},
        "alerts_withheld": found.withheld,
        "escalations_overdue": len(found.overdue),
        "nobody_home": list(found.gaps),
        "patients_not_evaluated": len(found.failures),
        "troubles": [{"name": each.name, "since": instant_text(each.since), "words": each.words} for each in found.troubles],
        "last_statement_at": None if statement is None else instant_text(statement.at),
        "last_good_configuration": any(is_about(each, CONFIGURATION) for each in found.troubles),
        "daemon": "running" if found.watching else "not running",
        "daemons": found.daemons,
        "policy": {"guideline": site.policy.guideline.name, "sha256": site.policy.sha256},
    }


def _feed(age: FeedAge) -> dict[str, Any]:
    return {
        "name": age.name,
        "kind": age.kind,
        "tried_at": _instant(age.tried_at),
        "ok_at": _instant(age.ok_at),
        "received_at": _instant(age.received_at),
        "problem": age.problem,
        "problem_since": _instant(age.problem_since),
        "quiet": age.quiet,
        "rejected": age.rejects,
    }


def _instant(at: datetime | None) -> str | None:
    return None if at is None else instant_text(at)
