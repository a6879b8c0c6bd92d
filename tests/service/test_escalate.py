"""Who hears next: an alert that nobody takes on is passed on and repeated until somebody does, and no sooner."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.delivery.language import in_language
from monitor.service.acts import acknowledge, snooze
from monitor.store import escalations, withheld
from monitor.store.troubles import all_troubles
from tests.service.clinic import NORTH, Clinic, Polled, a_clinic, on
from tests.service.test_rounds_and_mails import LAME, LOST, WELL, watched

pytestmark = pytest.mark.both_engines

LANG, CHIEF = "lang@hospital.example", "chief@hospital.example"
OPERATIONS = "it-duty@hospital.example"
CHAIN = f"""\
operations: {{address: {OPERATIONS}}}
people:
  lang: {{name: K. Lang, address: {LANG}, language: en}}
  chief: {{name: The Chief, address: {CHIEF}, language: en, away: [{{from: 2026-02-20, until: 2026-02-20}}]}}
on_call:
  night: [{{days: mon-sun, from: "19:00", until: "07:00", people: [lang]}}]
"""
TEAM = """\
    escalation:
      immediate: [{to: [night], after: 30 min}, {to: [chief]}]
      same-day: [{to: [chief], after: 2 h}]
"""


@pytest.fixture
def chained(tmp_path: Path) -> Iterator[Clinic]:
    """North has two nurses; an immediate alert goes on to the night's on-call after 30 min, then to the chief after 1 h."""
    with a_clinic(tmp_path, more=CHAIN, north=TEAM) as clinic:
        yield clinic


def lost_walking(clinic: Clinic, at_hour: int = 20) -> Polled:
    """P-1 loses his walking on day 36, known at that hour."""
    watched(clinic, "P-1")
    clinic.assess("P-1", 36, known=on(36, at_hour), **LOST)
    return clinic.watch(on(36, at_hour))


def reminded(polled: Polled) -> list[str]:
    """Who got a reminder."""
    return sorted(mail.recipient for mail in polled.mails if "not acknowledged" in mail.message["Subject"])


def test_given_nobody_answers_when_the_time_comes_then_the_next_people_are_told_and_the_first_reminded(chained: Clinic) -> None:
    assert lost_walking(chained).recipients == sorted(NORTH)
    for alert in chained.alerts():
        if alert.finding.rule != "rapid-motor-decline":
            acknowledge(chained.site, f"A-{alert.alert_id}", by="N. Berger", note=None, now=on(36, 20, 10))
    assert chained.watch(on(36, 20, 29)).mails == ()
    passed_on = chained.watch(on(36, 20, 30))
    assert reminded(passed_on) == sorted([*NORTH, LANG])
    for mail in passed_on.mails:
        assert mail.message["Subject"].startswith("IMMEDIATE - not acknowledged")
        assert ("passed on" in mail.message["Subject"]) == (mail.recipient == LANG)
        assert "Nurse North, Second North" in " ".join(mail.text.split())
    assert chained.watch(on(36, 21, 29)).mails == ()
    assert reminded(chained.watch(on(36, 21, 30))) == sorted([*NORTH, LANG, CHIEF])
    assert chained.watch(on(37, 1, 29)).mails == ()
    assert reminded(chained.watch(on(37, 1, 30))) == sorted([*NORTH, LANG, CHIEF])


def test_given_an_acknowledgement_when_the_time_comes_then_nobody_is_told(chained: Clinic) -> None:
    lost_walking(chained)
    for alert in chained.alerts():
        acknowledge(chained.site, f"A-{alert.alert_id}", by="N. Berger", note=None, now=on(36, 20, 10))
    for hour in (21, 22, 23):
        assert chained.watch(on(36, hour)).mails == ()
    with chained.site.database.read() as connection:
        done = escalations.history_of(connection, [alert.alert_id or 0 for alert in chained.alerts()])
    assert {each.outcome for each in done} == {"acknowledged"}


def test_given_a_daemon_that_was_stopped_when_it_starts_again_then_what_came_due_meanwhile_is_one_mail_each(
    chained: Clinic,
) -> None:
    lost_walking(chained)
    late = chained.watch(on(38, 3))
    assert reminded(late) == late.recipients == sorted([*NORTH, LANG, CHIEF])
    named = {
        mail.recipient: {alert.urgency.value for alert in chained.alerts() if f"[A-{alert.alert_id}]" in mail.text}
        for mail in late.mails
    }
    assert named == {
        NORTH[0]: {"immediate", "same-day"},
        NORTH[1]: {"immediate", "same-day"},
        LANG: {"immediate"},
        CHIEF: {"same-day"},
    }


def test_given_an_alert_that_grows_worse_when_told_anew_then_its_chain_begins_anew(chained: Clinic) -> None:
    watched(chained, "P-1")
    chained.assess("P-1", 36, known=on(36, 20), **LAME)
    chained.watch(on(36, 20))
    chained.watch(on(36, 22))  # the chief has it
    chained.assess("P-1", 37, known=on(37, 20), **LOST)
    worse = chained.watch(on(37, 20))
    assert [mail.message["Subject"].split()[0] for mail in worse.mails] == ["IMMEDIATE", "IMMEDIATE"]
    assert reminded(chained.watch(on(37, 20, 29))) == []
    assert LANG in reminded(chained.watch(on(37, 20, 30)))


def test_given_a_snooze_when_its_alert_comes_due_then_it_waits_for_the_end_and_a_row_says_whose_wish_it_is(
    chained: Clinic,
) -> None:
    watched(chained, "P-1")
    chained.assess("P-1", 36, known=on(36, 12), **LAME)
    chained.watch(on(36, 12))
    for alert in chained.alerts():
        until = on(36, 20)
        snooze(chained.site, f"A-{alert.alert_id}", until=until, by="N. Berger", reason="seen at six", now=on(36, 13))
    assert chained.watch(on(36, 14)).mails == ()
    with chained.site.database.read() as connection:
        held = withheld.open_now(connection, on(36, 15))
    assert {(each.owner, each.reason, each.until) for each in held} == {("N. Berger", "seen at six", on(36, 20))}
    assert CHIEF in reminded(chained.watch(on(36, 20)))


def test_given_a_step_that_reaches_nobody_when_due_then_the_next_is_told_at_once_and_operations_too(chained: Clinic) -> None:
    lost_walking(chained, at_hour=12)  # nobody is on call before 19:00
    passed_on = chained.watch(on(36, 12, 30))
    assert reminded(passed_on) == sorted([*NORTH, CHIEF])
    assert [mail.recipient for mail in passed_on.mails if "administrator" in mail.message["Subject"]] == [OPERATIONS]
    with chained.site.database.read() as connection:
        assert [each.name for each in all_troubles(connection)] == ["nobody-home-north"]
    assert reminded(chained.watch(on(36, 16, 30))) == sorted([*NORTH, CHIEF])


def test_given_a_chief_who_is_away_when_his_step_is_due_then_everyone_told_is_reminded(chained: Clinic) -> None:
    """He is away on day 46 and nobody stands in."""
    watched(chained, "P-1")
    chained.assess("P-1", 46, known=on(46, 20), **LOST)
    chained.watch(on(46, 20))
    chained.watch(on(46, 20, 30))
    assert reminded(chained.watch(on(46, 21, 30))) == sorted([*NORTH, LANG])


def test_given_no_chain_when_nobody_answers_then_the_team_is_reminded_after_the_time_to_acknowledge_and_then_more_slowly(
    clinic: Clinic,
) -> None:
    lost_walking(clinic)
    assert clinic.watch(on(36, 20, 59)).mails == ()
    assert reminded(clinic.watch(on(36, 21))) == sorted(NORTH)
    assert clinic.watch(on(37, 0, 59)).mails == ()
    assert reminded(clinic.watch(on(37, 1))) == sorted(NORTH)


def test_given_several_patients_when_due_together_then_each_reader_gets_one_mail_that_names_all(clinic: Clinic) -> None:
    patients = ("P-1", "P-2", "P-3")
    watched(clinic, *patients)
    for number, name in enumerate(patients):
        clinic.assess(name, 36, known=on(36, 20), **(LOST if number else LAME))
    clinic.watch(on(36, 20))
    polled = clinic.watch(on(37, 9))
    assert reminded(polled) == polled.recipients == sorted(NORTH)
    for mail in polled.mails:
        assert mail.message["Subject"].startswith("IMMEDIATE - not acknowledged: 3 patients [")
        assert "P-" not in mail.message["Subject"]
        assert mail.text.index("P-2") < mail.text.index("P-1")  # the most urgent first


def test_given_a_new_alert_of_the_patient_in_the_same_watch_when_due_then_he_is_not_reminded_of_beside_it(clinic: Clinic) -> None:
    watched(clinic, "P-1")
    clinic.assess("P-1", 36, **LAME)
    clinic.watch(on(36, 15))
    clinic.assess("P-1", 38, **LOST)
    assert reminded(clinic.watch(on(38, 15))) == []
    assert reminded(clinic.watch(on(38, 16))) == sorted(NORTH)


def test_given_a_withdrawal_when_told_then_everyone_who_had_been_told_hears_of_it_and_nobody_is_reminded(chained: Clinic) -> None:
    lost_walking(chained)
    chained.watch(on(36, 20, 30))
    chained.assess("P-1", 36, known=on(36, 21), **WELL)
    corrected = chained.watch(on(36, 21))
    assert corrected.recipients == sorted([*NORTH, LANG])
    assert all(mail.message["Subject"].startswith("CORRECTION") for mail in corrected.mails)
    assert chained.watch(on(38, 21)).mails == ()


def test_given_reminders_that_could_not_leave_when_the_next_are_due_then_they_replace_them(clinic: Clinic) -> None:
    lost_walking(clinic)
    clinic.relay.always("EHLO", "421 4.3.0 closing")
    for hour in (21, 25, 29):
        clinic.watch(on(36, 0) + timedelta(hours=hour))
    clinic.relay.forget_script()
    with clinic.another_program() as sql:
        waiting = sql.execute("SELECT recipient_address, count(*) FROM messages WHERE state = 'pending' GROUP BY 1").fetchall()
    assert dict(waiting) == dict.fromkeys(NORTH, 1)


def test_given_an_address_refused_for_good_when_nobody_else_is_left_then_a_refusal_does_not_make_the_next_reminder(
    clinic: Clinic,
) -> None:
    clinic.relay.always(f"RCPT {NORTH[0]}", "550 5.1.1 no such user")
    assert lost_walking(clinic).recipients == [NORTH[1]]
    assert clinic.watch(on(36, 20, 59)).mails == ()
    assert clinic.watch(on(36, 21)).recipients == [NORTH[1]]
    for minute in (1, 2, 59):
        assert clinic.watch(on(36, 21, minute)).mails == ()


def test_given_hand_over_when_brought_forward_then_the_next_people_are_told_at_once_and_why(chained: Clinic) -> None:
    lost_walking(chained)
    ids = [alert.alert_id or 0 for alert in chained.alerts()]
    with chained.site.database.write() as connection:
        moved = escalations.bring_forward(connection, ids, on(36, 20, 5), why="handed over: out of office")
    assert moved == len(ids)
    early = chained.watch(on(36, 20, 5))
    assert LANG in reminded(early)
    assert any("handed over: out of office" in " ".join(mail.text.split()) for mail in early.mails if mail.recipient == LANG)
    with chained.site.database.read() as connection:
        assert {each.outcome for each in escalations.history_of(connection, ids)} == {"handed over: out of office; told 3"}


def test_given_somebody_who_hears_first_when_passed_on_then_the_mail_says_what_the_first_one_said(chained: Clinic) -> None:
    lost_walking(chained)
    passed_on = chained.watch(on(36, 20, 30))
    (mail,) = [each for each in passed_on.mails if each.recipient == LANG]
    words = " ".join(mail.text.split())
    finding = chained.alert("P-1", "rapid-motor-decline").finding
    met = [each for each in finding.criteria if each.met]
    for each in (finding.headline, met[0].text, "On bortezomib", "1.3 mg/m2 on 9 Feb 2026", "10 Feb 2026, 21:30 +01:00"):
        assert " ".join(in_language(each, "en").split()) in words, each
    assert "The Chief" in words
    with chained.another_program() as sql:
        kinds = dict(
            sql.execute("SELECT recipient_address, kind FROM messages WHERE kind IN ('reminder', 'escalation')").fetchall()
        )
    assert kinds == {NORTH[0]: "reminder", NORTH[1]: "reminder", LANG: "escalation"}


def test_given_an_escalation_that_could_not_leave_when_the_next_replaces_it_then_it_is_still_the_first_he_hears(
    chained: Clinic,
) -> None:
    lost_walking(chained)
    chained.relay.always(f"RCPT {LANG}", "450 4.2.0 busy")
    chained.watch(on(36, 20, 30))
    chained.watch(on(36, 21, 30))
    chained.relay.forget_script()
    later = [mail for mail in chained.poll(on(37, 0)).mails if mail.recipient == LANG]
    assert ["passed on" in mail.message["Subject"] for mail in later] == [True]
    assert "Nurse North, Second North" in " ".join(later[0].text.split())
