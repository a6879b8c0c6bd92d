"""One screen: is this installation watching, and does its mail go out?"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from monitor.clinical.findings import Urgency
from monitor.service.holder import has_died
from monitor.service.opening import Site
from monitor.service.shapes import instant_text, local_text
from monitor.store import alerts, changes, feed_age, lease, outbox
from monitor.store.rounds import Failure, RoundRecord, failures, last_round

LATE_ROUNDS = 3
LATE_AT_LEAST = timedelta(minutes=5)
"""A last round older than three intervals, and than five minutes, means that nobody watches."""

WAITING_TOO_LONG = timedelta(minutes=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusReport:
    """``problems`` is empty when healthy; each is a sentence with its remedy."""

    problems: tuple[str, ...]
    lines: tuple[str, ...]
    data: dict[str, Any]

    @property
    def healthy(self) -> bool:
        return not self.problems

    def as_json(self) -> dict[str, Any]:
        """The same figures, keys always present."""
        return {"healthy": self.healthy, "problems": list(self.problems), **self.data}


def status(site: Site, now: datetime) -> StatusReport:
    """Read, never write. Problems are about the machine; open alerts are listed, they are no fault of it."""
    with site.database.read() as connection:
        round_ = last_round(connection)
        waiting_changes = changes.waiting(connection)
        newest = feed_age.newest_fact_at(connection)
        messages = outbox.counts(connection)
        oldest = outbox.oldest_waiting(connection)
        trouble = outbox.last_trouble(connection)
        failed = failures(connection)
        held = lease.current(connection)
        still_open = Counter(alert.urgency for alert in alerts.all_alerts(connection, open_only=True) if alert.state == "open")
    watching = held is not None and held.until > now and not has_died(held.holder)
    problems = [
        *_round_problems(site, round_, now),
        *_mail_problems(messages, oldest, trouble, now),
        *_patient_problems(failed),
    ]
    data = {
        "last_round_at": None if round_ is None else instant_text(round_.finished_at),
        "evaluated_up_to": None if round_ is None else instant_text(round_.started_at),
        "changes_waiting": waiting_changes,
        "newest_fact_at": None if newest is None else instant_text(newest),
        "outbox": {
            "waiting": messages["pending"] + messages["sending"],
            "accepted": messages["accepted"],
            "dead": messages["dead"],
        },
        "open_alerts": {urgency.value: still_open[urgency] for urgency in reversed(Urgency)},
        "patients_not_evaluated": len(failed),
        "daemon": "running" if watching else "not running",
        "policy": {"guideline": site.policy.guideline.name, "sha256": site.policy.sha256},
    }
    return StatusReport(
        problems=tuple(problems), lines=tuple(_lines(data, round_, newest, now, site.settings.time_zone)), data=data
    )


def _round_problems(site: Site, round_: RoundRecord | None, now: datetime) -> list[str]:
    late_after = max(LATE_AT_LEAST, LATE_ROUNDS * site.settings.poll_every)
    if round_ is None:
        return ["no round was ever done: start `bipn-monitor run`, or run `bipn-monitor poll`"]
    if now - round_.finished_at > late_after:
        return [f"the last round is {_ago(now - round_.finished_at)} old: nobody watches; start `bipn-monitor run`"]
    return []


def _mail_problems(messages: dict[str, int], oldest: datetime | None, trouble: str | None, now: datetime) -> list[str]:
    found = []
    if trouble is not None:
        found.append(f"mail is not going out, the relay's last word: {trouble}; `bipn-monitor test-mail ADDRESS` shows the step")
    elif oldest is not None and now - oldest > WAITING_TOO_LONG:
        found.append(f"a message has waited for {_ago(now - oldest)}: is the daemon running, does the relay take mail?")
    if messages["dead"]:
        found.append(f"{messages['dead']} message(s) were refused for good: correct the addresses in the configuration")
    return found


def _patient_problems(failed: list[Failure]) -> list[str]:
    return [f"a patient is not evaluated since {instant_text(each.at)}: {each.problem}" for each in failed]


def _lines(data: dict[str, Any], round_: RoundRecord | None, newest: datetime | None, now: datetime, zone: ZoneInfo) -> list[str]:
    box, alerts_open = data["outbox"], data["open_alerts"]
    last = "never" if round_ is None else f"{local_text(round_.finished_at, zone)} ({_ago(now - round_.finished_at)} ago)"
    fed = "no fact stored" if newest is None else f"{local_text(newest, zone)} ({_ago(now - newest)} ago)"
    reached = "-" if round_ is None else local_text(round_.started_at, zone)
    return [
        f"daemon            {data['daemon']}",
        f"last round        {last}",
        f"evaluated up to   {reached}; {data['changes_waiting']} changes waiting",
        f"newest fact       {fed}",
        f"outbox            {box['waiting']} waiting, {box['accepted']} accepted, {box['dead']} refused for good",
        f"open alerts       {', '.join(f'{count} {urgency}' for urgency, count in alerts_open.items())}",
        f"policy            {data['policy']['guideline']}, sha256 {data['policy']['sha256'][:12]}",
    ]


def _ago(span: timedelta) -> str:
    minutes = int(span.total_seconds() // 60)
    if minutes < 120:
        return f"{max(0, minutes)} min"
    return f"{minutes // 60} h" if minutes < 60 * 48 else f"{minutes // 1440} d"
