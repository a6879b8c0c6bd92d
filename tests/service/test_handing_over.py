"""Who is not there hands over once: the next people get their time to answer, however often that is shown again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from monitor.service.acts import acknowledge
from monitor.service.answers import read_answers
from tests.service.clinic import NORTH, Clinic, a_clinic, on
from tests.service.test_answers import MORE, arrives_sample
from tests.service.test_escalate import CHAIN, CHIEF, LANG, TEAM, lost_walking
from tests.service.test_rounds_and_mails import LOST, WELL

ANSWERS = MORE.split("answers:", 1)[1]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Clinic]:
    """An immediate alert goes to two nurses, after 30 min to the night's on-call, an hour later to the chief."""
    for place in ("new", "cur", "tmp"):
        (tmp_path / "answers" / place).mkdir(parents=True)
    with a_clinic(tmp_path, more=f"{CHAIN}answers:{ANSWERS}", north=TEAM) as clinic:
        yield clinic


def told(clinic: Clinic, at: datetime) -> set[str]:
    """Who gets a mail of a watch, the administrator left out."""
    return {mail.recipient for mail in clinic.watch(at).mails} - {"it-duty@hospital.example"}


def lost_his_walking(clinic: Clinic) -> None:
    """Both nurses are told at eight in the evening; all but the loss of walking is taken on."""
    lost_walking(clinic)
    take_on_the_rest(clinic, on(36, 20))


def take_on_the_rest(clinic: Clinic, at: datetime) -> None:
    for alert in clinic.alerts(open_only=True):
        if alert.finding.rule != "rapid-motor-decline":
            acknowledge(clinic.site, f"A-{alert.alert_id}", by="N. Berger", note=None, now=at)


def machine_answers(clinic: Clinic, at: datetime) -> int:
    """An out-of-office reply to the last mail of the first nurse is read; how many were taken for one."""
    mail = [mail for mail in clinic.relay.mails if mail.recipient == NORTH[0]][-1]
    arrives_sample(clinic, "oof-exchange", mail)
    return read_answers(clinic.site, at).handed_over


def test_given_addresses_refused_for_good_when_reminders_to_them_are_refused_too_then_the_next_step_has_its_time(
    house: Clinic,
) -> None:
    for nurse in NORTH:
        house.relay.always(f"RCPT {nurse}", "550 5.1.1 no such user")
    lost_his_walking(house)
    assert told(house, on(36, 20, 1)) == {LANG}
    assert [told(house, on(36, 20, minute)) for minute in (2, 3, 30, 59)] == [set()] * 4
    assert told(house, on(36, 21, 1)) == {LANG, CHIEF}


def test_given_out_of_office_replies_when_reminders_are_answered_by_machine_too_then_the_next_step_has_its_time(
    house: Clinic,
) -> None:
    lost_his_walking(house)
    assert machine_answers(house, on(36, 20, 1)) == 1
    assert told(house, on(36, 20, 1)) == {*NORTH, LANG}
    assert machine_answers(house, on(36, 20, 2)) == 1
    assert [told(house, on(36, 20, minute)) for minute in (2, 3, 59)] == [set()] * 3
    assert told(house, on(36, 21, 1)) == {*NORTH, LANG, CHIEF}


def test_given_an_absence_in_an_earlier_episode_when_told_anew_then_it_hands_over_again(house: Clinic) -> None:
    house.relay.always(f"RCPT {NORTH[0]}", "550 5.1.1 no such user")
    lost_his_walking(house)
    assert told(house, on(36, 20, 1)) == {NORTH[1], LANG}
    house.assess("P-1", 36, known=on(36, 20, 5), **WELL)
    house.watch(on(36, 20, 5))
    house.assess("P-1", 37, known=on(37, 3), **LOST)
    assert told(house, on(37, 3)) == {NORTH[1]}
    take_on_the_rest(house, on(37, 3))
    assert told(house, on(37, 3, 1)) == {NORTH[1], LANG}
