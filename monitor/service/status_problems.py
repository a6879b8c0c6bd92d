"""What is wrong with the installation, each in a sentence with its remedy. Never a patient's data, never an address."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from monitor.config.settings import Settings
from monitor.service.figures import Figures
from monitor.service.shapes import instant_text, local_text
from monitor.store.room import free_bytes
from monitor.store.troubles import Trouble

LATE_ROUNDS = 3
LATE_AT_LEAST = timedelta(minutes=5)
"""A last round older than three intervals, and than five minutes, means that nobody watches."""

WAITING_TOO_LONG = timedelta(minutes=15)
STATEMENT_TOO_OLD = timedelta(hours=36)
"""The statement is daily: half a day late is late."""

LEAST_ROOM_BYTES = 50_000_000
"""(J) Weeks of a busy clinic, and more than one large import needs."""

GAPS_SHOWN = 5
RELAYS = {"relay": "the relay", "fallback": "the fallback relay"}
SAID_HERE = ("relay", "fallback-relay", "nobody-home", "feed-quiet")
"""Troubles that this page finds by itself, up to the minute: their rows are not said a second time."""


def problems(settings: Settings, found: Figures, now: datetime) -> Iterator[str]:
    """Everything that needs somebody; what stops the watching comes first."""
    yield from _of_rounds(settings, found, now)
    yield from _of_triggers(found)
    yield from _of_disk(settings)
    yield from (f"{trouble.words} (since {local_text(trouble.since, settings.time_zone)})" for trouble in _troubles(found))
    yield from _of_mail(settings, found, now)
    yield from _of_escalation(found, now)
    yield from _of_feed(settings, found, now)
    yield from _of_coverage(settings, found, now)
    yield from (f"a patient is not evaluated since {instant_text(each.at)}: {each.problem}" for each in found.failures)


def ago(span: timedelta) -> str:
    """A span in one unit, for people."""
    minutes = int(span.total_seconds() // 60)
    if minutes < 120:
        return f"{max(0, minutes)} min"
    return f"{minutes // 60} h" if minutes < 60 * 48 else f"{minutes // 1440} d"


def _of_rounds(settings: Settings, found: Figures, now: datetime) -> Iterator[str]:
    late_after = max(LATE_AT_LEAST, LATE_ROUNDS * settings.poll_every)
    if found.round is None:
        yield "no round was ever done: start `bipn-monitor run`, or run `bipn-monitor poll`"
    elif now - found.round.finished_at > late_after:
        yield f"the last round is {ago(now - found.round.finished_at)} old: nobody watches; start `bipn-monitor run`"


def _of_triggers(found: Figures) -> Iterator[str]:
    if found.unnoticed:
        yield (
            f"what is written into {', '.join(found.unnoticed)} is not noticed: triggers are missing or disabled; "
            "enable them (ALTER TABLE ... ENABLE TRIGGER USER), or restore the backup, then write those rows again"
        )


def _of_disk(settings: Settings) -> Iterator[str]:
    free = free_bytes(settings.database)
    if free is not None and free < LEAST_ROOM_BYTES:
        room = f"has only {free // 1_000_000} MB left" if free >= 1_000_000 else "is full"
        yield f"the disk of the database {room}: make room; without any, nothing is recorded and nobody is told"


def _troubles(found: Figures) -> list[Trouble]:
    return [trouble for trouble in found.troubles if trouble.name not in SAID_HERE]


def _of_mail(settings: Settings, found: Figures, now: datetime) -> Iterator[str]:
    for circuit in found.circuits:
        since = local_text(circuit.since, settings.time_zone)
        yield (
            f"mail is not going out by {RELAYS.get(circuit.relay, circuit.relay)} since {since}: {circuit.words}; "
            "`bipn-monitor test-mail ADDRESS` shows the step"
        )
    if not found.circuits and found.relay_words is not None:
        yield (
            f"mail is not going out, the relay's last word: {found.relay_words}; `bipn-monitor test-mail ADDRESS` shows the step"
        )
    elif found.waiting_since is not None and now - found.waiting_since > WAITING_TOO_LONG:
        yield f"a message has waited for {ago(now - found.waiting_since)}: is the daemon running, does the relay take mail?"
    if found.dead_ends:
        yield f"{found.dead_ends} message(s) were refused for good: correct the addresses in the configuration"


def _of_escalation(found: Figures, now: datetime) -> Iterator[str]:
    late = [due for due in found.overdue if now - due > WAITING_TOO_LONG]
    if late:
        yield (
            f"{len(late)} alert(s) should have gone to the next people, the first {ago(now - min(late))} ago: "
            "is the daemon running? `bipn-monitor alerts --open` lists them"
        )
    yield from (f"{gap}; correct `on_call:` in the configuration" for gap in found.gaps[:GAPS_SHOWN])
    if len(found.gaps) > GAPS_SHOWN:
        yield f"{len(found.gaps) - GAPS_SHOWN} more hours would reach nobody: `bipn-monitor check-config` lists them"


def _of_feed(settings: Settings, found: Figures, now: datetime) -> Iterator[str]:
    newest = found.newest_fact_at
    if newest is not None and now - newest > settings.feed_quiet_after:
        yield f"no fact has come in for {ago(now - newest)}: is the export or the interface still running?"
    for feed in found.feeds:
        if feed.lasting and feed.problem_since is not None:
            since = local_text(feed.problem_since, settings.time_zone)
            yield f"the feed {feed.name} cannot be read since {since}: {feed.problem}"
        elif feed.quiet and feed.received_at is not None:
            silence = ago(now - feed.received_at)
            yield f"the feed {feed.name} has brought nothing new for {silence}: does whoever fills it still run?"


def _of_coverage(settings: Settings, found: Figures, now: datetime) -> Iterator[str]:
    if settings.coverage is None:
        return
    statement = found.statement
    since = found.watching_since if statement is None else statement.at
    if since is not None and now - since > STATEMENT_TOO_OLD:
        what = "no daily statement was ever made" if statement is None else f"the last daily statement is {ago(now - since)} old"
        yield f"{what}: is the daemon running? `journalctl -u bipn-monitor` says why"
    unexplained = 0 if statement is None else statement.body.get("unexplained", 0)
    if unexplained and not any(trouble.name == "coverage" for trouble in found.troubles):  # it would say so itself
        yield (
            f"the last daily statement has {unexplained} finding(s) that nobody was told of and nothing explains: "
            "look into that mail, and tell those responsible by telephone"
        )
