"""What one of several daemons is to do is done by exactly one, though all of them find at the same moment that it is due."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from socket import gethostname
from typing import TypeVar

import pytest

from monitor.errors import ConfigError
from monitor.service import clock, skew
from monitor.service.agreement import Agreement
from monitor.service.answers import read_answers
from monitor.service.coverage import daily_statement
from monitor.service.escalate import escalate
from monitor.service.leasing import turn
from monitor.service.nightly import look_for_gaps
from monitor.service.opening import Site, open_site
from monitor.service.round import run_round
from monitor.store import changes, journal
from monitor.store.troubles import all_troubles
from tests.service.clinic import NORTH, Clinic, a_clinic, local, on
from tests.service.switch import a_switch
from tests.service.test_answers import MORE as ANSWERS
from tests.service.test_answers import arrives, mailto_of
from tests.service.test_coverage_ping import CHAIN, COVERAGE, HOLE
from tests.service.test_rounds_and_mails import LAME, LOST, watched

pytestmark = pytest.mark.both_engines  # on SQLite it is the daemon, and `poll` beside it

DAEMONS = 3
Done = TypeVar("Done")


@contextmanager
def sites(clinic: Clinic) -> Iterator[list[Site]]:
    """The clinic as several processes have it open."""
    with ExitStack() as opened:
        others = (opened.enter_context(open_site(clinic.site.settings.source)) for _ in range(DAEMONS - 1))
        yield [clinic.site, *others]


def at_once(clinic: Clinic, act: Callable[[Site, datetime], Done], now: datetime) -> list[Done]:
    """What each of them does, begun at the same moment."""
    begin = threading.Barrier(DAEMONS)

    def one(site: Site) -> Done:
        begin.wait()
        return act(site, now)

    with sites(clinic) as opened, ThreadPoolExecutor(DAEMONS) as pool:
        return list(pool.map(one, opened))


def messages(clinic: Clinic, kind: str) -> list[str]:
    """To whom one of this kind was written."""
    with clinic.another_program() as other:
        rows = other.execute("SELECT recipient_address FROM messages WHERE kind = ?", (kind,)).fetchall()
    return sorted(address for (address,) in rows)


def test_given_many_changed_patients_when_all_look_then_each_is_looked_at_once_and_told_once(clinic: Clinic) -> None:
    names = [f"P-{number}" for number in range(12)]
    watched(clinic, *names)
    for name in names:
        clinic.assess(name, 36, **LOST)
    done = at_once(clinic, run_round, on(36, 15))
    assert sum(each.patients_evaluated for each in done) == len(names)
    assert sum(each.opened for each in done) == len(clinic.alerts())
    assert messages(clinic, "alert") == sorted(NORTH * len(names))
    with clinic.site.database.read() as connection:
        assert journal.verify(connection).intact
        assert changes.waiting(connection) == 0


def test_given_an_alert_that_nobody_answers_when_all_find_it_due_then_each_reader_is_reminded_once(clinic: Clinic) -> None:
    watched(clinic, "P-1")
    clinic.assess("P-1", 36, **LOST)
    clinic.poll(on(36, 15))
    done = at_once(clinic, escalate, on(36, 23))
    assert sorted(done) == [0, 0, len(NORTH)]
    assert messages(clinic, "reminder") == sorted(NORTH)


def test_given_old_news_when_every_round_ends_at_once_then_one_digest_tells_it(clinic: Clinic) -> None:
    watched(clinic, "P-1", "P-2")
    for name in ("P-1", "P-2"):
        clinic.assess(name, 36, known=on(80, 14), **LAME)
    at_once(clinic, run_round, on(80, 15))
    told = messages(clinic, "digest")
    assert set(told) == set(NORTH)
    assert len(told) == len(NORTH)


def test_given_a_statement_that_is_due_when_all_make_it_then_there_is_one_and_the_switch_is_called_once(tmp_path: Path) -> None:
    morning = local(on(29).date(), 6, 31)
    with a_switch() as switch:
        (tmp_path / "ping_url").write_text(f"{switch.url}\n")
        (tmp_path / "ping_url").chmod(0o600)
        with a_clinic(tmp_path, more=COVERAGE) as clinic:
            clinic.on_bortezomib("P-1", until_day=28)
            clinic.assess("P-1", 28, walking="unaided", motor_grade=0, sensory_grade=0, neuropathic_pain="no")
            clinic.poll(on(28, 15))
            assert sorted(at_once(clinic, daily_statement, morning)) == [0, 0, 1]
            assert messages(clinic, "coverage") == ["admin@hospital.example"]
            at_once(clinic, daily_statement, morning)
        assert len(switch.called) == 1


def test_given_hours_that_reach_nobody_when_all_look_at_night_then_the_administrator_hears_once(tmp_path: Path) -> None:
    with a_clinic(tmp_path, more=COVERAGE + HOLE, north=CHAIN) as clinic:
        assert sorted(at_once(clinic, look_for_gaps, local(on(29).date(), 2, 30))) == [0, 0, 1]
        assert messages(clinic, "operations") == ["admin@hospital.example"]


def test_given_an_answer_in_the_mailbox_when_all_read_it_then_one_acknowledges_and_none_has_a_problem(tmp_path: Path) -> None:
    for place in ("new", "cur", "tmp"):
        (tmp_path / "answers" / place).mkdir(parents=True)
    with a_clinic(tmp_path, more=ANSWERS) as clinic:
        watched(clinic, "P-1")
        clinic.assess("P-1", 36, **LOST)
        mail = clinic.poll(on(36, 15)).mails[0]
        arrives(clinic, subject=mailto_of(mail)[1], sender=mail.recipient)
        done = at_once(clinic, read_answers, on(36, 15, 10))
        assert sum(each.acknowledged for each in done) == 1
        assert [each.problem for each in done] == [None] * DAEMONS


@pytest.mark.postgresql_only("a file has no clock")
def test_given_a_clock_that_is_off_the_servers_when_looked_at_then_status_says_so_until_it_is_right(clinic: Clinic) -> None:
    minute = on(1, 12, 1) - on(1, 12, 0)
    skew.look(clinic.site, clock.now() + minute)
    with clinic.site.database.read() as connection:
        (trouble,) = all_troubles(connection)
    assert "+60 s against the database server's" in trouble.words
    skew.look(clinic.site, clock.now())
    with clinic.site.database.read() as connection:
        assert all_troubles(connection) == []


@pytest.mark.postgresql_only("which one daemon watches")
def test_given_daemons_of_two_policies_when_both_would_watch_then_only_the_later_does_until_the_other_has_it_too(
    clinic: Clinic,
) -> None:
    here, number = gethostname(), os.getpid()
    one, other = Agreement(f"{here}:{number}:1"), Agreement(f"{here}:{number}:2")
    changed = replace(clinic.site, policy=replace(clinic.site.policy, sha256="0" * 64))
    one.check(clinic.site)
    other.check(changed)
    with pytest.raises(ConfigError, match="another policy"):
        one.check(clinic.site)
    other.check(changed)
    with clinic.site.database.read() as connection:
        assert [each.name for each in all_troubles(connection)] == ["policies-differ"]
    one.check(changed)
    with clinic.site.database.read() as connection:
        assert all_troubles(connection) == []
    other.check(clinic.site)  # back to the one before
    with pytest.raises(ConfigError, match="another policy"):
        one.check(changed)
    other.withdraw(clinic.site)
    one.check(changed)


def test_given_a_turn_that_is_taken_when_another_asks_then_it_is_not_his_before_it_is_given_back(
    clinic: Clinic, engine: str
) -> None:
    hour = on(1) - on(0)
    with turn(clinic.site.database, "a thing", at_most=hour) as first, turn(clinic.site.database, "a thing", at_most=hour) as no:
        assert (first, no) == (True, engine == "sqlite")  # which has one daemon, and no turns
    with turn(clinic.site.database, "a thing", at_most=hour) as again:
        assert again
