"""What is merely for review is told once a day; quiet hours hold back what is not immediate, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.service.acts import acknowledge
from monitor.service.digesting import queue_digests
from monitor.store import withheld
from tests.service.clinic import NORTH, Clinic, Polled, a_clinic, on
from tests.service.test_escalate import reminded
from tests.service.test_rounds_and_mails import LAME, LOST, WELL, watched

pytestmark = pytest.mark.both_engines

QUIET = """\
    quiet_hours: {from: "20:00", until: "07:00"}
"""


@pytest.fixture
def quiet(tmp_path: Path) -> Iterator[Clinic]:
    """North sleeps from eight in the evening until seven in the morning."""
    with a_clinic(tmp_path, north=QUIET) as clinic:
        yield clinic


def overdue_on_day_59(clinic: Clinic, *patients: str) -> None:
    """Patients whose next assessment is overdue from day 59, which is for review; yesterday's digest is done."""
    clinic.on_bortezomib(*patients, until_day=56)
    for name in patients:
        clinic.assess(name, 30, **WELL)
    assert clinic.watch(on(58, 12)).mails == ()


def digests(polled: Polled) -> list[str]:
    """Who got a digest; nobody got anything else."""
    assert all("digest" in mail.message["Subject"] for mail in polled.mails)
    return polled.recipients


def test_given_findings_for_review_when_the_hour_comes_then_one_digest_names_them_once(clinic: Clinic) -> None:
    overdue_on_day_59(clinic, "P-1", "P-2")
    assert clinic.watch(on(59, 0, 30)).round.opened == 2
    assert clinic.watch(on(59, 7, 29)).mails == ()
    told = clinic.watch(on(59, 7, 30))
    assert digests(told) == sorted(NORTH)
    for mail in told.mails:
        assert mail.message["Subject"].startswith("REVIEW - digest: 2 patients")
        assert mail.text.count("P-1") == mail.text.count("P-2") == 1
    for hour, minute in ((7, 31), (7, 0), (7, 45), (23, 0)):  # the clock is set back in between
        assert clinic.watch(on(59, hour, minute)).mails == ()


def test_given_a_day_on_which_nobody_ran_when_started_at_night_then_its_digest_goes_at_once(clinic: Clinic) -> None:
    overdue_on_day_59(clinic, "P-1")
    clinic.watch(on(59, 0, 30))
    assert digests(clinic.watch(on(60, 3))) == sorted(NORTH)


def test_given_a_finding_for_review_that_waits_when_asked_then_a_row_says_so_until_it_is_told(clinic: Clinic) -> None:
    overdue_on_day_59(clinic, "P-1")
    clinic.watch(on(59, 0, 30))
    with clinic.site.database.read() as connection:
        (held,) = withheld.open_now(connection, on(59, 1))
    assert (held.owner, held.until) == ("daily digest", on(59, 7, 30))
    clinic.watch(on(59, 7, 30))
    with clinic.site.database.read() as connection:
        assert withheld.open_now(connection, on(59, 7, 30)) == []


def test_given_a_finding_for_review_when_taken_on_or_over_before_the_digest_then_nobody_is_told(clinic: Clinic) -> None:
    overdue_on_day_59(clinic, "P-1", "P-2")
    clinic.watch(on(59, 0, 30))
    acknowledge(clinic.site, f"A-{clinic.alert('P-1', 'assessment-overdue').alert_id}", by="N. Berger", note=None, now=on(59, 6))
    clinic.assess("P-2", 59, known=on(59, 6), **WELL)
    assert clinic.watch(on(59, 7, 30)).mails == ()


def test_given_worse_of_a_patient_who_waits_for_the_digest_when_polled_then_he_is_told_of_at_once_and_the_digest_has_the_rest(
    clinic: Clinic,
) -> None:
    overdue_on_day_59(clinic, "P-1", "P-2")
    clinic.watch(on(59, 0, 30))
    clinic.assess("P-1", 58, known=on(59, 1), **LOST)
    assert [mail.message["Subject"].split()[0] for mail in clinic.watch(on(59, 1)).mails] == ["IMMEDIATE", "IMMEDIATE"]
    told = clinic.watch(on(59, 7, 30))
    assert all("P-2" in mail.text for mail in told.mails if "digest" in mail.message["Subject"])
    assert all("P-1" not in mail.text for mail in told.mails if "digest" in mail.message["Subject"])


def test_given_a_digest_that_nobody_answers_when_its_time_is_over_then_its_readers_are_reminded(tmp_path: Path) -> None:
    with a_clinic(tmp_path, more="acknowledge_within: {review: 1 d}\n") as clinic:
        overdue_on_day_59(clinic, "P-1")
        clinic.watch(on(59, 0, 30))
        clinic.watch(on(59, 7, 30))
        assert clinic.watch(on(60, 7, 29)).mails == ()
        assert reminded(clinic.watch(on(60, 7, 30))) == sorted(NORTH)


def test_given_nothing_to_tell_when_the_hour_comes_then_the_day_is_done_without_a_mail(clinic: Clinic) -> None:
    assert queue_digests(clinic.site, on(1, 8)) == 0
    with clinic.another_program() as sql:
        assert sql.execute("SELECT name, last_on FROM daily").fetchall() == [("digest", "2026-01-06")]


def test_given_quiet_hours_when_something_is_for_the_same_day_then_it_is_told_in_the_morning_with_its_time_from_then(
    quiet: Clinic,
) -> None:
    watched(quiet, "P-1")
    quiet.assess("P-1", 36, known=on(36, 22), **LAME)
    assert quiet.watch(on(36, 22)).mails == ()
    assert quiet.watch(on(37, 6, 59)).mails == ()
    with quiet.site.database.read() as connection:
        held = withheld.open_now(connection, on(37, 6))
    assert {(each.owner, each.until) for each in held} == {("quiet hours of team north", on(37, 7))}
    told = quiet.watch(on(37, 7))
    assert told.recipients == sorted(NORTH)
    assert all("Acknowledge by 11 Feb 2026, 15:00 +01:00" in mail.text for mail in told.mails)
    assert quiet.watch(on(37, 14, 59)).mails == ()
    assert reminded(quiet.watch(on(37, 15))) == sorted(NORTH)


def test_given_quiet_hours_when_something_is_immediate_then_it_is_told_at_once(quiet: Clinic) -> None:
    watched(quiet, "P-1")
    quiet.assess("P-1", 36, known=on(36, 22), **LOST)
    assert quiet.watch(on(36, 22)).recipients == sorted(NORTH)
    assert reminded(quiet.watch(on(36, 23))) == sorted(NORTH)


def test_given_a_mail_held_for_the_morning_when_worse_at_night_then_one_mail_tells_all_of_it_at_once(quiet: Clinic) -> None:
    watched(quiet, "P-1")
    quiet.assess("P-1", 36, known=on(36, 22), **LAME)
    quiet.watch(on(36, 22))
    quiet.assess("P-1", 37, known=on(37, 1), **LOST)
    worse = quiet.watch(on(37, 1))
    assert worse.recipients == sorted(NORTH)
    open_ones = [f"A-{alert.alert_id}" for alert in quiet.alerts(open_only=True)]
    assert all(name in mail.text for mail in worse.mails for name in open_ones)
    for alert in quiet.alerts(open_only=True):
        acknowledge(quiet.site, f"A-{alert.alert_id}", by="N. Berger", note=None, now=on(37, 1, 5))
    assert quiet.watch(on(37, 7)).mails == ()


@pytest.mark.parametrize("how", ["acknowledged", "withdrawn"])
def test_given_a_mail_held_for_the_morning_when_it_is_over_at_night_then_nobody_is_told_of_it(quiet: Clinic, how: str) -> None:
    watched(quiet, "P-1")
    quiet.assess("P-1", 36, known=on(36, 22), **LAME)
    quiet.watch(on(36, 22))
    if how == "withdrawn":
        quiet.assess("P-1", 36, known=on(36, 23), **WELL)
    else:
        for alert in quiet.alerts():
            acknowledge(quiet.site, f"A-{alert.alert_id}", by="N. Berger", note=None, now=on(36, 23))
    assert quiet.watch(on(36, 23)).mails == ()
    for hour in (7, 8, 16):
        assert quiet.watch(on(37, hour)).mails == ()
    with quiet.another_program() as sql:
        states = sql.execute("SELECT DISTINCT state FROM messages").fetchall()
    assert states == [("cancelled",)]


def test_given_a_reminder_that_comes_due_at_night_when_it_is_not_immediate_then_it_waits_for_the_morning(quiet: Clinic) -> None:
    watched(quiet, "P-1")
    quiet.assess("P-1", 36, known=on(36, 14), **LAME)
    quiet.watch(on(36, 14))
    for hours in range(1, 17):
        assert quiet.watch(on(36, 14) + timedelta(hours=hours)).mails == ()
    assert reminded(quiet.watch(on(37, 7))) == sorted(NORTH)
