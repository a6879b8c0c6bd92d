""" "Not mine": whoever is next is told at once, in words that say so; nothing is silenced, and nobody is woken twice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.errors import UsageError
from monitor.service.acts import ChangedSinceError, acknowledge, snooze
from monitor.service.passing_on import PassedOn, pass_on, said_before
from tests.service.clinic import NORTH, Clinic, a_clinic, on
from tests.service.test_acts import acts_of, events
from tests.service.test_escalate import CHAIN, CHIEF, LANG, OPERATIONS, TEAM, reminded
from tests.service.test_rounds_and_mails import LAME, LOST, WELL, watched

pytestmark = pytest.mark.both_engines

QUIET = TEAM + '    quiet_hours: {from: "20:00", until: "07:00"}\n'


@pytest.fixture
def chained(tmp_path: Path) -> Iterator[Clinic]:
    """North's two nurses; at night K. Lang after 30 min, then the chief. Nobody else."""
    with a_clinic(tmp_path, more=CHAIN, north=TEAM) as clinic:
        yield clinic


def told_of(clinic: Clinic, found: dict[str, str], rule: str = "rapid-motor-decline") -> str:
    """P-1 at eight in the evening of day 36, and both nurses told of it; everything but this rule is acknowledged."""
    watched(clinic, "P-1")
    clinic.assess("P-1", 36, known=on(36, 20), **found)
    clinic.watch(on(36, 20))
    for alert in clinic.alerts(open_only=True):
        if alert.finding.rule != rule:
            acknowledge(clinic.site, f"A-{alert.alert_id}", by="somebody", note=None, now=on(36, 20))
    return f"A-{clinic.alert('P-1', rule).alert_id}"


def not_mine(clinic: Clinic, name: str, address: str, minute: int, hour: int = 20) -> PassedOn:
    return pass_on(
        clinic.site, name, by=address.partition("@")[0], address=address, reason="not my ward", now=on(36, hour, minute)
    )


def test_given_an_immediate_alert_when_a_nurse_passes_it_on_then_the_next_person_is_told_at_once(chained: Clinic) -> None:
    name = told_of(chained, LOST)
    passed = not_mine(chained, name, NORTH[0], 5)
    assert (passed.outcome, passed.names, passed.again) == ("next", ("K. Lang",), False)
    assert "Told next, at 2026-02-10 20:05:00+01:00: K. Lang." in passed.words
    polled = chained.watch(on(36, 20, 5))
    assert reminded(polled) == sorted([*NORTH, LANG])
    (to_lang,) = [mail for mail in polled.mails if mail.recipient == LANG]
    assert "passed on by north-1" in " ".join(to_lang.text.split())
    alert = chained.alert("P-1", "rapid-motor-decline")
    assert (alert.state, alert.acknowledged_by) == ("open", None)
    (event,) = events(chained, alert)
    assert (event.reason, event.by, event.note) == ("passed-on", "north-1", "not my ward")
    (act,) = acts_of(chained, alert)
    assert (act["act"], act["address"], act["how"], act["told_next"]) == ("passed-on", NORTH[0], "board", ["K. Lang"])


def test_given_somebody_who_passed_it_on_when_she_does_so_again_then_nothing_changes_and_she_is_told_the_same(
    chained: Clinic,
) -> None:
    name = told_of(chained, LOST)
    first = not_mine(chained, name, NORTH[0], 5)
    chained.watch(on(36, 20, 5))
    again = not_mine(chained, name, NORTH[0].upper(), 9)
    assert again.again
    assert again.words == first.words
    assert len(acts_of(chained, first.alert)) == 1
    assert chained.watch(on(36, 20, 34)).mails == ()


def test_given_a_colleague_who_passes_it_on_too_when_the_next_has_just_been_told_then_he_has_his_time(chained: Clinic) -> None:
    name = told_of(chained, LOST)
    not_mine(chained, name, NORTH[0], 5)
    chained.watch(on(36, 20, 5))
    second = not_mine(chained, name, NORTH[1], 6)
    assert (second.outcome, second.names) == ("told-already", ("K. Lang",))
    assert said_before(chained.site, second.alert, NORTH[1]) is not None
    assert chained.watch(on(36, 20, 10)).mails == ()
    assert CHIEF in reminded(chained.watch(on(36, 21, 5)))


def test_given_the_next_person_when_he_passes_it_on_too_then_the_one_after_him_is_told(chained: Clinic) -> None:
    name = told_of(chained, LOST)
    not_mine(chained, name, NORTH[0], 5)
    chained.watch(on(36, 20, 5))
    assert not_mine(chained, name, LANG, 7).names == ("The Chief",)
    assert CHIEF in reminded(chained.watch(on(36, 20, 7)))
    nobody = not_mine(chained, name, CHIEF, 9)
    assert (nobody.outcome, nobody.operations_told) == ("nobody", True)
    assert "administrator is told" in nobody.words
    alarms = chained.watch(on(36, 20, 9))
    assert [(mail.recipient, "passed on, and nobody is next" in " ".join(mail.text.split())) for mail in alarms.mails] == [
        (OPERATIONS, True)
    ]
    assert chained.alert("P-1", "rapid-motor-decline").state == "open"
    assert reminded(chained.watch(on(37, 0, 30))) == sorted([*NORTH, LANG, CHIEF])


def test_given_a_team_without_steps_when_passed_on_then_it_says_that_nobody_is_next_and_reminds_as_before(clinic: Clinic) -> None:
    name = told_of(clinic, LOST)
    passed = not_mine(clinic, name, NORTH[0], 5)
    assert (passed.outcome, passed.operations_told) == ("nobody", False)
    assert "call whoever can answer" in passed.words
    assert clinic.watch(on(36, 20, 59)).mails == ()
    assert reminded(clinic.watch(on(36, 21))) == sorted(NORTH)


def test_given_quiet_hours_when_a_same_day_alert_is_passed_on_then_the_next_are_told_in_the_morning(tmp_path: Path) -> None:
    with a_clinic(tmp_path, more=CHAIN, north=QUIET) as quiet:
        watched(quiet, "P-1")
        quiet.assess("P-1", 36, known=on(36, 19), **LAME)
        quiet.watch(on(36, 19))
        alert = next(each for each in quiet.alerts() if each.urgency.value == "same-day")
        passed = not_mine(quiet, f"A-{alert.alert_id}", NORTH[0], 30)
        assert (passed.names, passed.at) == (("The Chief",), on(37, 7))
        assert quiet.watch(on(36, 23)).mails == ()
        assert CHIEF in reminded(quiet.watch(on(37, 7)))


def test_given_a_snooze_when_a_colleague_passes_the_alert_on_then_the_snooze_is_over(chained: Clinic) -> None:
    watched(chained, "P-1")
    chained.assess("P-1", 36, known=on(36, 12), **LAME)
    chained.watch(on(36, 12))
    alert = next(each for each in chained.alerts() if each.urgency.value == "same-day")
    name = f"A-{alert.alert_id}"
    snooze(chained.site, name, until=on(37, 12), by="N. Berger", reason="seen at six", now=on(36, 13))
    assert not_mine(chained, name, NORTH[1], 0, hour=14).names == ("The Chief",)
    assert CHIEF in reminded(chained.watch(on(36, 14)))


def test_given_an_alert_that_spoke_anew_when_passed_on_again_then_the_next_are_told_of_what_is_new(chained: Clinic) -> None:
    name = told_of(chained, LAME)
    not_mine(chained, name, NORTH[0], 5)
    chained.watch(on(36, 20, 5))
    chained.assess("P-1", 36, known=on(36, 21), source="P-1-later", **LOST)
    chained.watch(on(36, 21))
    seen = chained.alert("P-1", "rapid-motor-decline")
    with pytest.raises(ChangedSinceError):
        pass_on(chained.site, name, by="N", address=NORTH[0], reason=None, now=on(36, 21, 1), seen_of=on(36, 20))
    assert pass_on(
        chained.site, name, by="N", address=NORTH[0], reason=None, now=on(36, 21, 1), seen_of=seen.raised_at
    ).names == ("K. Lang",)
    assert LANG in reminded(chained.watch(on(36, 21, 1)))


def test_given_an_alert_that_is_taken_on_or_over_when_passed_on_then_it_is_refused_with_the_reason(chained: Clinic) -> None:
    name = told_of(chained, LOST)
    other = next(each for each in chained.alerts() if each.acknowledged_by == "somebody")
    with pytest.raises(UsageError, match="somebody has acknowledged it"):
        not_mine(chained, f"A-{other.alert_id}", NORTH[0], 5)
    chained.assess("P-1", 37, known=on(37, 10), **WELL)
    chained.watch(on(37, 10))
    with pytest.raises(UsageError, match="is over"):
        pass_on(chained.site, name, by="N", address=NORTH[0], reason=None, now=on(37, 11))
    with pytest.raises(UsageError, match="no alert"):
        not_mine(chained, "A-4711", NORTH[0], 5)
