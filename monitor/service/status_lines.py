"""The screen of ``status`` for people, and its one line for Nagios, Icinga and their like."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from monitor.clinical.findings import Urgency
from monitor.service.feed_ages import FeedAge
from monitor.service.figures import Figures
from monitor.service.opening import Site
from monitor.service.shapes import local_text
from monitor.service.status_problems import ago

PROBLEMS_SHOWN = 3
ACTS = ("acknowledged", "passed-on", "snoozed")
"""What people do to alerts, as events name it."""

NOT_ASKED = ("files", "mllp")
"""Kinds of feeds that come by themselves."""


def lines(site: Site, found: Figures, answered: Mapping[tuple[str, str], int], now: datetime) -> Iterator[str]:
    """One line a question, the answer in the clinic's time. Lines about what is not configured are left out."""
    zone, round_ = site.settings.time_zone, found.round
    reached = "-" if round_ is None else local_text(round_.started_at, zone)
    urgencies = ", ".join(f"{found.open_alerts.get(urgency, 0)} {urgency.value}" for urgency in reversed(Urgency))
    held = f", {found.held} held for later" if found.held else ""
    withheld = f"; {found.withheld} withheld" if found.withheld else ""
    running = f"{found.daemons} running" if found.daemons > 1 else "running"
    yield f"daemon            {running if found.watching else 'not running'}"
    yield f"last round        {_when(None if round_ is None else round_.finished_at, 'never', zone, now)}"
    yield f"evaluated up to   {reached}; {found.changes_waiting} changes waiting"
    yield f"newest fact       {_when(found.newest_fact_at, 'no fact stored', zone, now)}"
    yield from (_feed(age, zone, now) for age in found.feeds)
    yield (
        f"outbox            {found.waiting} waiting{held}, {found.messages['accepted']} accepted, "
        f"{found.messages['dead']} refused for good"
    )
    yield f"open alerts       {urgencies}{withheld}"
    yield f"answers (24 h)    {_answers(answered)}"
    if site.settings.coverage is not None:
        yield f"daily statement   {_when(None if found.statement is None else found.statement.at, 'none yet', zone, now)}"
    yield f"policy            {site.policy.guideline.name}, sha256 {site.policy.sha256[:12]}"


def plugin_line(found: Figures, problems: Sequence[str], zone: ZoneInfo) -> str:
    """``OK - evaluated up to 14:02, 0 waiting | waiting=0;;;0 ...``, or CRITICAL and the first problems."""
    if problems:
        more = f" (and {len(problems) - PROBLEMS_SHOWN} more)" if len(problems) > PROBLEMS_SHOWN else ""
        words = f"CRITICAL - {'; '.join(problems[:PROBLEMS_SHOWN])}{more}"
    else:
        reached = "-" if found.round is None else f"{found.round.started_at.astimezone(zone):%H:%M}"
        words = f"OK - evaluated up to {reached}, {found.waiting} waiting"
    return f"{one_line(words)} | {performance(found)}"


def one_line(words: str) -> str:
    """Words for a plug-in's output: the bar begins its figures, a second line is not shown."""
    return " ".join(words.replace("|", "/").split())


def performance(found: Figures) -> str:
    """The figures a monitoring system may draw."""
    figures = {
        "waiting": found.waiting,
        "dead": found.dead_ends,
        "changes": found.changes_waiting,
        "not_evaluated": len(found.failures),
        "overdue": len(found.overdue),
        "troubles": len(found.troubles),
        **{urgency.value.replace("-", "_"): found.open_alerts.get(urgency, 0) for urgency in reversed(Urgency)},
    }
    return " ".join(f"{name}={number};;;0" for name, number in figures.items())


def _answers(answered: Mapping[tuple[str, str], int]) -> str:
    """ "3 acknowledged (1 disagree), 1 passed on, 0 snoozed": what people did, and how often they said that an alert is wrong."""
    count = {act: sum(number for (each, _), number in answered.items() if each == act) for act in ACTS}
    kinds = {what: number for (act, what), number in answered.items() if act == "acknowledged" and what not in ("", "seen")}
    said = ", ".join(f"{number} {what}" for what, number in sorted(kinds.items()))
    acknowledged = f"{count['acknowledged']} acknowledged" + (f" ({said})" if said else "")
    return f"{acknowledged}, {count['passed-on']} passed on, {count['snoozed']} snoozed"


def _feed(age: FeedAge, zone: ZoneInfo, now: datetime) -> str:
    """ "feed hospital     newest 2026-11-23 14:02 (3 min ago), read 1 min ago; 2 refused; NOT READ since 13:10"."""
    parts = [f"newest {_when(age.received_at, 'nothing yet', zone, now)}"]
    if age.ok_at is not None and age.kind not in NOT_ASKED:
        parts[0] += f", read {ago(now - age.ok_at)} ago"
    if age.rejects:
        parts.append(f"{age.rejects} refused")
    if age.problem_since is not None:
        parts.append(f"not read since {local_text(age.problem_since, zone)}: {age.problem}")
    return f"{f'feed {age.name}':<17} {'; '.join(parts)}"


def _when(at: datetime | None, never: str, zone: ZoneInfo, now: datetime) -> str:
    return never if at is None else f"{local_text(at, zone)} ({ago(now - at)} ago)"
