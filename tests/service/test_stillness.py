"""When an idle job may pass over a tick, and when it may not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from monitor.service.cycle import watch_once
from monitor.service.post import send_due
from monitor.service.stillness import Stillness
from monitor.store import changes, stillness
from monitor.store.stillness import CommitWatch
from tests.service.clinic import Clinic, on

NOW = on(10, 15)


class Hand:
    """A clock that is moved by hand."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at


def after_a_run(clinic: Clinic, now: Callable[[], datetime]) -> Stillness:
    """A watch that has found nothing the second time."""
    still = Stillness(lambda: clinic.site, stillness.next_watch_at, now)
    for _ in range(2):
        still.begin()
        watch_once(clinic.site, now(), recorded_every=timedelta(seconds=20))
        still.end(clinic.site)
    return still


def test_given_a_run_that_found_nothing_when_nobody_writes_then_the_next_tick_passes(clinic: Clinic) -> None:
    still = after_a_run(clinic, Hand(NOW))
    assert still.holds()
    still.close()


def test_given_no_run_yet_when_asked_then_it_takes_place(clinic: Clinic) -> None:
    assert not Stillness(lambda: clinic.site, stillness.next_watch_at, Hand(NOW)).holds()


def test_given_stillness_when_another_program_commits_a_fact_then_it_is_over(clinic: Clinic) -> None:
    still = after_a_run(clinic, Hand(NOW))
    with clinic.another_program() as sql:
        sql.execute("INSERT INTO patients (patient_id) VALUES ('P-1')")
    assert not still.holds()
    still.close()


def test_given_a_fact_committed_while_a_run_is_at_work_when_the_run_ends_then_there_is_no_stillness(clinic: Clinic) -> None:
    still = after_a_run(clinic, Hand(NOW))
    still.begin()
    watch_once(clinic.site, NOW)
    with clinic.another_program() as sql:
        sql.execute("INSERT INTO patients (patient_id) VALUES ('P-1')")
    still.end(clinic.site)
    assert not still.holds()
    still.close()


def test_given_a_patient_to_look_at_in_an_hour_when_the_hour_is_over_then_so_is_the_stillness(clinic: Clinic) -> None:
    with clinic.site.database.write() as connection:
        changes.set_look_again(connection, "P-1", NOW + timedelta(hours=1))
    now = Hand(NOW)
    still = after_a_run(clinic, now)
    assert still.holds()
    now.at += timedelta(hours=1)
    assert not still.holds()
    still.close()


def test_given_an_alert_that_waits_for_its_answer_when_the_answer_is_overdue_then_the_stillness_is_over(clinic: Clinic) -> None:
    clinic.on_bortezomib("P-1", until_day=7)
    clinic.assess("P-1", 3, walking="unaided", sensory_grade=0, neuropathic_pain="no")
    clinic.assess("P-1", 10, walking="wheelchair", sensory_grade=0, neuropathic_pain="no")
    now = Hand(NOW)
    still = after_a_run(clinic, now)
    assert still.holds()
    now.at += clinic.site.settings.acknowledge_within.immediate
    assert not still.holds()
    still.close()


def test_given_mail_that_was_refused_for_now_when_its_time_comes_then_the_stillness_of_sending_is_over(
    clinic: Clinic,
) -> None:
    clinic.on_bortezomib("P-1", until_day=7)
    clinic.assess("P-1", 3, walking="unaided", sensory_grade=0, neuropathic_pain="no")
    clinic.assess("P-1", 10, walking="wheelchair", sensory_grade=0, neuropathic_pain="no")
    clinic.relay.always("RCPT", "450 4.2.0 busy")
    watch_once(clinic.site, NOW)
    send_due(clinic.site, NOW)
    now = Hand(NOW)
    still = Stillness(lambda: clinic.site, stillness.next_post_at, now)
    still.begin()
    send_due(clinic.site, NOW)
    still.end(clinic.site)
    assert still.holds()
    now.at += timedelta(minutes=2)
    assert not still.holds()
    still.close()


@pytest.mark.parametrize("what", ["woken", "another configuration"])
def test_given_stillness_when_the_job_is_woken_or_the_configuration_changes_then_it_is_over(clinic: Clinic, what: str) -> None:
    site = [clinic.site]
    still = Stillness(lambda: site[0], stillness.next_watch_at, Hand(NOW))
    for _ in range(2):
        still.begin()
        watch_once(clinic.site, NOW, recorded_every=timedelta(seconds=20))
        still.end(clinic.site)
    assert still.holds()
    if what == "woken":
        still.forget()
    else:
        site[0] = clinic.site.__class__(**{name: getattr(clinic.site, name) for name in clinic.site.__slots__})
    assert not still.holds()
    still.close()


def test_given_a_database_file_that_was_replaced_when_asked_then_there_is_no_stillness(clinic: Clinic) -> None:
    watch = CommitWatch(clinic.site.database)
    assert watch.version() is not None
    (clinic.folder / "site.db").rename(clinic.folder / "elsewhere.db")
    assert watch.version() is None
    watch.close()
