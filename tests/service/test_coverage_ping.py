"""Only a clean statement keeps the dead-man's switch quiet; and the nightly look for hours that reach nobody."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.service.coverage import daily_statement
from monitor.service.nightly import look_for_gaps
from monitor.store.troubles import all_troubles
from tests.service.clinic import Clinic, a_clinic, local, on
from tests.service.switch import Switch, a_switch

COVERAGE = """operations: {address: admin@hospital.example}
coverage: {at: "06:30", ping: true}
"""
HOLE = """people: {berger: {name: N. Berger, address: b@hospital.example, language: en}}
on_call: {ward: [{days: mon-fri, from: "07:00", until: "19:00", people: [berger]}]}
"""
CHAIN = """    escalation: {immediate: [{to: [ward], after: 30 min}]}
"""
MORNING = local(on(29).date(), 6, 31)


@pytest.fixture
def switch() -> Iterator[Switch]:
    with a_switch() as found:
        yield found


@pytest.fixture
def clinic(tmp_path: Path, switch: Switch) -> Iterator[Clinic]:
    secret = tmp_path / "ping_url"
    secret.write_text(switch.url + "\n")
    secret.chmod(0o600)
    with a_clinic(tmp_path, more=COVERAGE) as found:
        found.on_bortezomib("P-1", until_day=28)
        found.assess("P-1", 28, walking="unaided", motor_grade=0, sensory_grade=0, neuropathic_pain="no")
        found.poll(on(28, 15))
        yield found


def troubles(clinic: Clinic) -> dict[str, str]:
    with clinic.site.database.read() as connection:
        return {trouble.name: trouble.words for trouble in all_troubles(connection)}


def test_given_a_clean_statement_when_made_then_the_switch_is_called_once(clinic: Clinic, switch: Switch) -> None:
    daily_statement(clinic.site, MORNING)
    daily_statement(clinic.site, MORNING + timedelta(minutes=1))
    assert switch.called == ["/6f1f-secret"]
    assert troubles(clinic) == {}


def test_given_a_statement_that_is_not_clean_when_made_then_the_switch_is_told_of_a_failure(
    clinic: Clinic, switch: Switch
) -> None:
    clinic.assess("P-1", 29, known=local(on(29).date(), 6), walking="wheelchair", motor_grade=3, sensory_grade=0)
    daily_statement(clinic.site, MORNING)
    assert switch.called == ["/6f1f-secret/fail"]


def test_given_a_switch_that_does_not_answer_when_stated_then_it_is_a_trouble_and_called_at_the_next_tick(
    clinic: Clinic, switch: Switch, caplog: pytest.LogCaptureFixture
) -> None:
    switch.codes = [500] * 3
    daily_statement(clinic.site, MORNING)
    assert "it answers with 500" in troubles(clinic)["ping"]
    daily_statement(clinic.site, MORNING + timedelta(minutes=1))
    assert len(switch.called) == 4
    assert troubles(clinic) == {}
    assert "secret" not in caplog.text.replace("ping_url", "")


def test_given_no_address_when_stated_then_the_trouble_says_which_secret_is_missing(clinic: Clinic) -> None:
    (clinic.folder / "ping_url").unlink()
    daily_statement(clinic.site, MORNING)
    assert "ping_url is not there" in troubles(clinic)["ping"]


def test_given_a_hole_in_a_calendar_when_the_night_comes_then_it_is_named_once_and_kept_as_a_trouble(tmp_path: Path) -> None:
    with a_clinic(tmp_path, more="operations: {address: admin@hospital.example}\n" + HOLE, north=CHAIN) as clinic:
        assert look_for_gaps(clinic.site, local(on(29).date(), 2)) == 1
        assert look_for_gaps(clinic.site, local(on(29).date(), 3)) == 0
        assert "north" in troubles(clinic)["nobody-home"]
        assert look_for_gaps(clinic.site, local(on(30).date(), 2)) == 1


def test_given_no_hole_when_the_night_comes_then_nothing_is_said(clinic: Clinic) -> None:
    assert look_for_gaps(clinic.site, local(on(29).date(), 2)) == 0
    assert "nobody-home" not in troubles(clinic)
