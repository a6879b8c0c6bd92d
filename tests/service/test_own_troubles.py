"""What is wrong with one of several machines stays on record until that machine mends it, or has no daemon any more."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from socket import gethostname

import pytest

from monitor.service import clock
from monitor.service.own_troubles import clear_own, set_own
from monitor.service.status import status
from monitor.store import lease
from monitor.store.troubles import all_troubles, set_trouble
from tests.service.clinic import Clinic, a_clinic

pytestmark = [pytest.mark.both_engines, pytest.mark.postgresql_only("one daemon watches a file")]

ELSEWHERE = "elsewhere:7:20260101T000000000000"
WORDS = "elsewhere: `board:` cannot listen"


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[Clinic]:
    with a_clinic(tmp_path) as opened:
        yield opened


def another_machine(clinic: Clinic) -> None:
    """One whose daemon runs, and whose board does not."""
    with clinic.site.database.write() as connection:
        lease.acquire(connection, ELSEWHERE, now=clock.now(), ttl=timedelta(minutes=2), name=ELSEWHERE)
        set_trouble(connection, "board@elsewhere", WORDS, clock.now())


def said(clinic: Clinic) -> list[str]:
    return [each for each in status(clinic.site, clock.now()).problems if "board" in each]


def test_given_a_trouble_of_another_machine_when_all_is_well_on_this_one_then_it_is_still_said(clinic: Clinic) -> None:
    another_machine(clinic)
    with clinic.site.database.write() as connection:
        clear_own(clinic.site, connection, "board")
    assert [each.startswith(WORDS) for each in said(clinic)] == [True]


def test_given_a_trouble_of_this_machine_when_said_then_its_name_is_in_it_and_it_ends_it_itself(clinic: Clinic) -> None:
    with clinic.site.database.write() as connection:
        lease.acquire(connection, f"{gethostname()}:1:x", now=clock.now(), ttl=timedelta(minutes=2), name=f"{gethostname()}:1:x")
        set_own(clinic.site, connection, "board", "`board:` cannot listen", clock.now())
    assert [each.startswith(f"{gethostname()}: `board:` cannot listen") for each in said(clinic)] == [True]
    with clinic.site.database.write() as connection:
        clear_own(clinic.site, connection, "board")
        assert all_troubles(connection) == []


def test_given_a_machine_without_a_daemon_when_asked_then_its_troubles_are_said_no_more(clinic: Clinic) -> None:
    another_machine(clinic)
    with clinic.site.database.write() as connection:
        held = lease.current(connection, ELSEWHERE)
        assert held is not None
        lease.release(connection, held, now=clock.now() - timedelta(seconds=1))
    assert said(clinic) == []


def test_given_a_trouble_of_no_machine_with_such_a_name_when_asked_then_it_is_said(clinic: Clinic) -> None:
    with clinic.site.database.write() as connection:
        set_trouble(connection, "nobody-home-board@night", "nobody was reachable for team board@night", clock.now())
    assert [each.startswith("nobody was reachable") for each in said(clinic)] == [True]
