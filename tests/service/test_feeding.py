"""When each feed is asked, by whom, and who hears where it cannot be read."""

from __future__ import annotations

import json
import os
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitor.config.feed_fhir import FhirFeed
from monitor.service import clock
from monitor.service.feeding import HELD_FOR, LONGEST_WAIT, is_due, pull
from monitor.service.opening import open_site
from monitor.service.post import send_due
from monitor.service.pulled import Pulled
from monitor.service.status import status
from monitor.store import feed_claims, feeds
from tests.fhir_server import FhirServer, Reply
from tests.service.clinic import Clinic, a_clinic

pytestmark = pytest.mark.both_engines

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
US, OTHERS = "this-host:1:20260302T080000000000", "another-host:1:20260302T080000000000"
HOUR = timedelta(hours=1)
FEED = FhirFeed(kind="fhir", url="https://fhir.example/r4", every=timedelta(minutes=5))


@pytest.fixture
def server() -> Iterator[FhirServer]:
    with FhirServer() as running:
        yield running


@pytest.fixture
def clinic(tmp_path: Path, engine: str, server: FhirServer) -> Iterator[Clinic]:
    more = f"operations: {{address: it@hospital.example}}\nfeeds: {{lab: {{kind: fhir, url: '{server.url}', insecure: true}}}}\n"
    with a_clinic(tmp_path, more=more) as found:
        yield found


def ask(clinic: Clinic, now: datetime = NOW, holder: str = US) -> Pulled | None:
    return pull(clinic.site, "lab", now, holder=holder, stopping=lambda: False)


def lab(clinic: Clinic) -> feeds.Feed:
    with clinic.site.database.read() as connection:
        known = feeds.load(connection, "lab")
    assert known is not None
    return known


def hold(clinic: Clinic, holder: str, now: datetime) -> bool:
    with clinic.site.database.write() as connection:
        return feed_claims.take(connection, "lab", "fhir", holder=holder, now=now, until=now + HELD_FOR, has_died=lambda _: False)


def a_feed(**changed: object) -> feeds.Feed:
    state: dict[str, object] = dict.fromkeys(("cursor", "tried_at", "ok_at", "received_at", "problem", "problem_since"))
    return feeds.Feed(**({"name": "lab", "kind": "fhir"} | state | changed))  # type: ignore[arg-type]  # by name


def test_given_a_feed_when_its_time_has_come_then_it_is_due_and_not_before() -> None:
    assert is_due(None, FEED, NOW)
    assert not is_due(a_feed(tried_at=NOW - timedelta(minutes=4)), FEED, NOW)
    assert is_due(a_feed(tried_at=NOW - timedelta(minutes=5)), FEED, NOW)


def test_given_a_feed_that_failed_when_its_pause_is_over_then_it_is_due_and_not_before() -> None:
    failed = a_feed(tried_at=NOW, problem="x", problem_since=NOW, retry_at=NOW + timedelta(minutes=2))
    assert not is_due(failed, FEED, NOW + timedelta(minutes=1))
    assert is_due(failed, FEED, NOW + timedelta(minutes=2))


def test_given_a_clock_that_was_set_back_when_looked_at_then_no_feed_waits_for_it() -> None:
    assert is_due(a_feed(tried_at=NOW + timedelta(days=300)), FEED, NOW)
    far = NOW + LONGEST_WAIT + timedelta(minutes=1)
    assert is_due(a_feed(tried_at=NOW, problem="x", problem_since=NOW, retry_at=far), FEED, NOW)


def test_given_a_feed_when_asked_then_its_state_is_on_record_and_nobody_holds_it(clinic: Clinic) -> None:
    pulled = ask(clinic)
    assert pulled == Pulled(cursor=lab(clinic).cursor)
    assert (lab(clinic).tried_at, lab(clinic).ok_at, lab(clinic).received_at) == (NOW, NOW, None)
    assert (lab(clinic).held_by, lab(clinic).problem, lab(clinic).failures) == (None, None, 0)
    assert ask(clinic, NOW + timedelta(minutes=1)) is None


def test_given_a_feed_that_another_process_reads_when_asked_then_it_is_left_to_it(clinic: Clinic, server: FhirServer) -> None:
    real = clock.now()
    assert hold(clinic, OTHERS, real)
    assert ask(clinic) is None
    assert server.asked == []
    with clinic.site.database.write() as connection:
        feed_claims.give_back(connection, "lab", holder=OTHERS)
    assert ask(clinic) is not None


def test_given_several_processes_when_they_ask_at_once_then_one_of_them_does(clinic: Clinic, server: FhirServer) -> None:
    server.instead("Patient", Reply(body=b'{"resourceType": "Bundle"}', drip=0.02))
    holders = [f"machine-{number}:1:20260302T080000000000" for number in range(4)]
    ready = threading.Barrier(len(holders))

    def run(holder: str) -> Pulled | None:
        with open_site(clinic.site.settings.source) as site:
            ready.wait()
            return pull(site, "lab", NOW, holder=holder, stopping=lambda: False)

    with ThreadPoolExecutor(len(holders)) as processes:
        found = list(processes.map(run, holders))
    assert len([each for each in found if each is not None]) == 1
    assert len(server.searches("Patient")) == 1


def test_given_a_process_that_died_with_a_feed_when_asked_then_another_takes_it_at_once(clinic: Clinic) -> None:
    real = clock.now()
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    assert hold(clinic, f"{socket.gethostname()}:{child}:20260302T080000000000", real)
    assert ask(clinic) is not None


def test_given_a_process_of_another_machine_that_is_not_heard_of_when_its_time_is_over_then_the_feed_is_free(
    clinic: Clinic,
) -> None:
    assert hold(clinic, OTHERS, NOW)
    assert not hold(clinic, US, NOW + HELD_FOR - timedelta(seconds=1))
    assert hold(clinic, US, NOW + HELD_FOR)
    with clinic.site.database.write() as connection:
        assert not feed_claims.keep(connection, "lab", holder=OTHERS, until=NOW + HOUR)
        assert feed_claims.keep(connection, "lab", holder=US, until=NOW + HOUR)


def test_given_a_feed_that_fails_when_asked_again_and_again_then_the_pauses_grow(clinic: Clinic, server: FhirServer) -> None:
    server.always("", Reply(500))
    now, pauses = NOW, []
    for _ in range(6):
        assert ask(clinic, now) is not None
        retry_at = lab(clinic).retry_at
        assert retry_at is not None
        pauses.append(retry_at - now)
        now = retry_at
    assert pauses == sorted(pauses)
    assert timedelta(seconds=10) < pauses[0] < pauses[-1] <= timedelta(minutes=5)
    assert (lab(clinic).failures, lab(clinic).problem_since) == (6, NOW)
    server.mend()
    assert ask(clinic, now) is not None
    assert (lab(clinic).failures, lab(clinic).problem, lab(clinic).retry_at) == (0, None, None)


def test_given_a_feed_that_fails_for_long_when_asked_then_operations_hear_once_a_day(clinic: Clinic, server: FhirServer) -> None:
    server.always("", Reply(500))
    for hours in (0, 0.5, 1, 1.5, 5):
        ask(clinic, NOW + hours * HOUR)
    send_due(clinic.site, NOW + 5 * HOUR)
    (mail,) = clinic.relay.mails
    assert mail.recipient == "it@hospital.example"
    assert "the feed lab cannot be read: the server answers 500" in mail.text
    ask(clinic, NOW + 25 * HOUR)
    send_due(clinic.site, NOW + 25 * HOUR)
    assert len(clinic.relay.mails) == 2


def test_given_feeds_when_status_is_asked_then_each_is_there_and_one_that_fails_for_long_is_a_problem(
    clinic: Clinic, server: FhirServer
) -> None:
    server.always("", Reply(500))
    ask(clinic)
    young, old = (status(clinic.site, NOW + span) for span in (timedelta(minutes=5), 2 * HOUR))
    line = next(line for line in young.lines if line.startswith("feed lab"))
    assert line == "feed lab          newest nothing yet; not read since 2026-03-02 09:00 CET: the server answers 500"
    assert not any("feed lab" in problem for problem in young.problems)
    assert "the feed lab cannot be read since 2026-03-02 09:00 CET: the server answers 500" in old.problems
    (found,) = json.loads(json.dumps(old.as_json()))["feeds"]
    assert (found["name"], found["kind"], found["problem"], found["rejected"]) == ("lab", "fhir", "the server answers 500", 0)


def test_given_a_feed_that_is_not_asked_when_status_is_asked_then_it_is_there_all_the_same(clinic: Clinic) -> None:
    assert any(line.startswith("feed lab          newest nothing yet") for line in status(clinic.site, NOW).lines)
