"""A record that is corrected: withdrawn, and everyone who had been told is told so, nobody else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.service.clinic import NORTH, SOUTH, Clinic, a_clinic, on
from tests.service.test_rounds_and_mails import LAME, LOST, WELL, watched

pytestmark = pytest.mark.both_engines


def test_given_a_correction_that_removes_the_cause_when_polled_then_it_is_withdrawn_in_the_thread_of_the_first_mail(
    clinic: Clinic,
) -> None:
    watched(clinic, "P-1", "P-2")
    clinic.assess("P-1", 36, **LOST)
    clinic.assess("P-2", 36, **LAME)
    first = {mail.recipient: mail.message["Message-ID"] for mail in clinic.poll(on(36, 15)).mails if "P-1" in mail.text}
    untouched = [alert for alert in clinic.alerts() if alert.patient_id == "P-2"]
    clinic.assess("P-1", 36, known=on(37, 10), **WELL)
    corrected = clinic.poll(on(37, 11))
    assert corrected.recipients == list(NORTH)
    for mail in corrected.mails:
        assert mail.message["Subject"].startswith("CORRECTION")
        assert mail.message["In-Reply-To"] == mail.message["References"] == first[mail.recipient]
        assert "P-1" in mail.text
        assert "P-2" not in mail.text
    mine = [alert for alert in clinic.alerts() if alert.patient_id == "P-1"]
    assert {(alert.state, alert.holds) for alert in mine} == {("withdrawn", False)}
    assert corrected.round.withdrawn == len(mine)
    assert [alert for alert in clinic.alerts() if alert.patient_id == "P-2"] == untouched
    assert clinic.poll(on(37, 12)).mails == ()


def test_given_a_patient_who_moved_to_another_team_when_corrected_then_those_who_had_been_told_are_told(clinic: Clinic) -> None:
    watched(clinic, "P-1")
    clinic.assess("P-1", 36, **LOST)
    assert clinic.poll(on(36, 15)).recipients == list(NORTH)
    clinic.tell("patients", {"patient_id": "P-1", "site": "South"}, now=on(36, 18))
    taken_over = clinic.poll(on(36, 19))
    assert taken_over.recipients == list(SOUTH)
    assert "told before: Nurse North, Second North" in " ".join(taken_over.mails[0].text.split())
    clinic.assess("P-1", 36, known=on(37, 10), **WELL)
    assert clinic.poll(on(37, 11)).recipients == [*NORTH, *SOUTH]


def test_given_an_alert_told_by_a_digest_when_corrected_then_its_readers_are_told(clinic: Clinic) -> None:
    clinic.on_bortezomib("P-1")
    clinic.assess("P-1", 30, **WELL)
    clinic.assess("P-1", 36, **LOST)
    digests = {
        mail.recipient: mail.message["Message-ID"] for mail in clinic.poll(on(52, 9)).mails if "digest" in mail.text.lower()
    }
    assert sorted(digests) == list(NORTH)
    clinic.assess("P-1", 36, known=on(52, 10), **WELL)
    corrections = [mail for mail in clinic.poll(on(52, 11)).mails if mail.message["Subject"].startswith("CORRECTION")]
    assert sorted(mail.recipient for mail in corrections) == list(NORTH)


def test_given_a_recipient_who_never_got_the_mail_when_corrected_then_only_the_others_are_told(clinic: Clinic) -> None:
    clinic.relay.always(f"RCPT {NORTH[1]}", "550 5.1.1 no such user")
    watched(clinic, "P-1")
    clinic.assess("P-1", 36, **LOST)
    assert clinic.poll(on(36, 15)).recipients == [NORTH[0]]
    clinic.relay.forget_script()
    clinic.assess("P-1", 36, known=on(37, 10), **WELL)
    assert clinic.poll(on(37, 11)).recipients == [NORTH[0]]


def test_given_a_mail_that_the_relay_puts_off_when_corrected_then_the_correction_waits_for_it(clinic: Clinic) -> None:
    watched(clinic, "P-1")
    clinic.assess("P-1", 36, **LOST)
    clinic.relay.always("RCPT", "451 4.3.0 later")
    for minute in (0, 2):  # the next attempt is in five minutes
        assert clinic.poll(on(36, 15, minute)).sent.failed == 2
    clinic.relay.forget_script()
    clinic.assess("P-1", 36, known=on(36, 15, 3), **WELL)
    assert clinic.poll(on(36, 15, 3)).mails == ()
    words: dict[str, list[str]] = {address: [] for address in NORTH}
    for mail in clinic.poll(on(36, 15, 8)).mails:
        words[mail.recipient].append(mail.message["Subject"].split()[0])
    assert set(map(tuple, words.values())) == {("IMMEDIATE", "CORRECTION")}


def test_given_a_digest_that_was_refused_for_its_content_when_corrected_then_who_got_the_plain_mail_is_told(
    tmp_path: Path,
) -> None:
    with a_clinic(tmp_path, more="storm_above: 1\n") as clinic:
        watched(clinic, "P-1", "P-2")
        for name in ("P-1", "P-2"):
            clinic.assess(name, 36, **LOST)
        clinic.relay.script(".", "554 5.6.0 not liked", "554 5.6.0 not liked")
        plain = clinic.poll(on(36, 15))
        assert plain.recipients == list(NORTH)
        assert all("look up in the monitor" in mail.message["Subject"] for mail in plain.mails)
        clinic.assess("P-1", 36, known=on(36, 16), **WELL)
        corrected = clinic.poll(on(36, 17))
        assert corrected.recipients == list(NORTH)
        assert all(mail.message["Subject"].startswith("CORRECTION") for mail in corrected.mails)
