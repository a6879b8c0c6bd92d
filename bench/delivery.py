"""What telling costs: W1 and W2, the commits of alerts with their messages; M2, a burst of mails to a relay far away."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from bench import cohort
from bench.measure import Ratio, medians
from bench.sink import mails, sink
from monitor.clinical.findings import Review
from monitor.clinical.history import History
from monitor.clinical.lifecycle import decide
from monitor.clinical.replay import replay
from monitor.service import clock
from monitor.service.opening import Site
from monitor.service.post import send_due
from monitor.store import alerts, histories, outbox

NOW = datetime(2021, 12, 8, 12, tzinfo=UTC)
ZONE = ZoneInfo("Europe/Berlin")
RTT_MS = 20.0
BURST = 64


def commits(site: Site, folder: Path) -> Iterator[Ratio]:
    """W1: one alert, its event and its message in one transaction, over one fdatasync; W2: a hundred, over one."""
    history, review = _marked(site)
    number = iter(range(1_000_000))

    def alert(count: int) -> None:
        names = [f"W-{next(number)}" for _ in range(count)]
        decided = [decide((), review, patient_id=name, history=history, now=NOW)[0] for name in names]
        with site.database.write() as connection:
            saved = alerts.save(connection, decided, now=NOW, policy_sha256=site.policy.sha256)
            messages = [_message(name, each.after.alert_id or 0) for name, each in zip(names, saved, strict=True)]
            outbox.enqueue(connection, messages, now=NOW)

    page = os.urandom(4096)
    handle = os.open(folder / "sync", os.O_CREAT | os.O_WRONLY)

    def sync() -> None:
        os.write(handle, page)  # the file grows, as a write-ahead log does
        os.fdatasync(handle)

    one, floor = medians(lambda: alert(1), sync, rounds=200, wall=True)
    yield Ratio(goal="W1", what="commit of 1 alert", seconds=one, against="fdatasync", against_seconds=floor, gate=4)
    one, hundred = medians(lambda: alert(1), lambda: alert(100), rounds=30, wall=True)
    os.close(handle)
    yield Ratio(goal="W2", what="commit of 100 alerts", seconds=hundred, against="of 1", against_seconds=one, gate=5)


def burst(site: Site, folder: Path) -> Ratio:
    """M2: from the first mail's 250 to the last one's, a mail, over one round trip."""
    with sink(folder, rtt_ms=RTT_MS) as (port, taken):
        relay = replace(site.settings.mail.relay, port=port)
        there = replace(site, settings=replace(site.settings, mail=replace(site.settings.mail, relay=relay)))
        with there.database.write() as connection:
            now = clock.now()
            outbox.enqueue(connection, [_message(f"S-M2-{number}", 0) for number in range(BURST)], now=now)
        begun = time.monotonic()
        while len(mails(taken)) < BURST:
            send_due(there, clock.now())
        seconds = mails(taken)[-1][0] - begun
    return Ratio(
        goal="M2",
        what=f"a mail of {BURST}",
        seconds=seconds / BURST,
        against="a round trip",
        against_seconds=RTT_MS / 1e3,
        gate=1.5,
    )


def _message(name: str, alert_id: int) -> outbox.NewMessage:
    return outbox.NewMessage(
        message_id=f"<{name}@bench>",
        kind="alert",
        recipient_address="nurse@hospital.example",
        recipient_name="Nurse",
        subject="bench",
        text="text " * 200,
        html="html " * 400,
        alert_ids=(alert_id,) if alert_id else (),
        patient_id=name,
        priority=2,
    )


def _marked(site: Site) -> tuple[History, Review]:
    """Some patient of the cohort for whom something was found once, and what."""
    with site.database.read() as connection:
        for number in range(40):
            name = cohort.patient_name(number)
            history = histories.load(connection, [name], ZONE).histories[name]
            for _, review, _ in replay(history, site.policy, until=NOW):
                if review.findings:
                    return history, review
    raise RuntimeError("the cohort has no finding to commit")
