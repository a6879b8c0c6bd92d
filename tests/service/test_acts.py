"""What a nurse answers: kept with who, when, what and how; for what she has seen; once, however many press at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from threading import Barrier

import pytest

from monitor.clinical.alerts import Alert
from monitor.errors import DatabaseError, UsageError
from monitor.service.ack_kinds import SEEN, WITHOUT_A_DAY, AckKind, read_ack_kind, words_of
from monitor.service.acts import ChangedSinceError, acknowledge, snooze
from monitor.service.journal_export import export, verify
from monitor.service.views import record_view
from monitor.store import alerts as kept_alerts
from monitor.store import escalations
from tests.service.clinic import NORTH, Clinic, on
from tests.service.test_rounds_and_mails import LAME, LOST, watched

pytestmark = pytest.mark.both_engines


def lost_walking(clinic: Clinic) -> Alert:
    """P-1 loses his walking on day 36; both nurses of North are told."""
    watched(clinic, "P-1")
    clinic.assess("P-1", 36, **LOST)
    clinic.watch(on(36, 15))
    return clinic.alert("P-1", "rapid-motor-decline")


def events(clinic: Clinic, alert: Alert) -> list[kept_alerts.AlertEvent]:
    """What people did to an alert."""
    number = alert.alert_id or 0
    with clinic.site.database.read() as connection:
        return [each for each in kept_alerts.events_of(connection, [number])[number] if each.by is not None]


def acts_of(clinic: Clinic, alert: Alert) -> list[dict[str, object]]:
    """What the journal knows of it."""
    entries = export(clinic.site, alert_text=f"A-{alert.alert_id}")
    return [dict(entry.body) for entry in entries if entry.event == "act"]


@pytest.mark.parametrize("what", [*WITHOUT_A_DAY, AckKind(kind="re-test-booked", on=date(2026, 2, 20))], ids=str)
def test_given_an_answer_when_acknowledged_then_who_when_what_and_how_are_kept(clinic: Clinic, what: AckKind) -> None:
    alert = lost_walking(clinic)
    name, at = f"A-{alert.alert_id}", on(36, 15, 10)
    acknowledge(clinic.site, name, by="N. Berger", note="she was told", now=at, what=what, how="board", address=NORTH[0])
    (event,) = events(clinic, alert)
    assert (event.at, event.reason, event.by, event.note, event.what) == (
        at,
        "acknowledged",
        "N. Berger",
        "she was told",
        str(what),
    )
    (act,) = acts_of(clinic, alert)
    assert (act["by"], act["address"], act["what"], act["how"]) == ("N. Berger", NORTH[0], str(what), "board")
    assert read_ack_kind(str(what)) == what
    assert words_of(str(what)) == what.words


@pytest.mark.parametrize("text", ["", "done", "dose-reviewed", "dose-reviewed:doubled", "re-test-booked", "re-test-booked:soon"])
def test_given_an_answer_of_no_such_kind_when_read_then_it_is_refused_and_shown_as_nothing(text: str) -> None:
    with pytest.raises(UsageError, match=r"re-test"):
        read_ack_kind(text)
    assert words_of(text) is None


@pytest.mark.parametrize("day", [date(2026, 2, 9), date(2027, 3, 1)])
def test_given_a_re_test_on_a_day_that_cannot_be_meant_when_acknowledged_then_it_is_refused(clinic: Clinic, day: date) -> None:
    alert = lost_walking(clinic)
    what = AckKind(kind="re-test-booked", on=day)
    with pytest.raises(UsageError, match="from today on"):
        acknowledge(clinic.site, f"A-{alert.alert_id}", by="N. Berger", note=None, now=on(36, 16), what=what)
    assert clinic.alert("P-1", "rapid-motor-decline").state == "open"


def test_given_an_alert_that_grew_worse_when_a_page_from_before_is_answered_then_it_stays_open(clinic: Clinic) -> None:
    watched(clinic, "P-1")
    clinic.assess("P-1", 36, **LAME)
    clinic.watch(on(36, 15))
    seen = clinic.alert("P-1", "rapid-motor-decline")
    clinic.assess("P-1", 37, **LOST)
    clinic.watch(on(37, 15))
    name = f"A-{seen.alert_id}"
    with pytest.raises(ChangedSinceError, match="has changed since"):
        acknowledge(clinic.site, name, by="N. Berger", note=None, now=on(37, 16), seen_of=seen.raised_at)
    with pytest.raises(ChangedSinceError):
        snooze(clinic.site, name, until=on(38), by="N", reason="later", now=on(37, 16), seen_of=seen.raised_at)
    now_seen = clinic.alert("P-1", "rapid-motor-decline")
    assert now_seen.state == "open"
    acknowledge(clinic.site, name, by="N. Berger", note=None, now=on(37, 17), seen_of=now_seen.raised_at)
    assert clinic.alert("P-1", "rapid-motor-decline").state == "acknowledged"


def test_given_two_nurses_when_both_acknowledge_at_once_then_one_did_and_the_other_learns_who(clinic: Clinic) -> None:
    alert = lost_walking(clinic)
    name, together = f"A-{alert.alert_id}", Barrier(2)

    def press(nurse: str, what: AckKind) -> Alert:
        together.wait(10)
        return acknowledge(clinic.site, name, by=nurse, note=nurse, now=on(36, 16), what=what, how="board")

    with ThreadPoolExecutor(2) as pool:
        pressed = [
            pool.submit(press, "N. Berger", SEEN),
            pool.submit(press, "O. Tal", AckKind(kind="dose-reviewed", outcome="held")),
        ]
        found = {each.result(20).acknowledged_by for each in pressed}
    (event,) = events(clinic, alert)
    assert found == {event.by}
    assert len(acts_of(clinic, alert)) == 1
    with clinic.site.database.read() as connection:
        assert escalations.waiting(connection, [alert.alert_id or 0]) == {}


@dataclass(frozen=True)
class Nurse:
    name: str = "Nurse North"
    address: str = NORTH[0]
    role: str = "nurse"


def test_given_somebody_who_looks_at_a_patient_when_recorded_then_the_journal_holds_it_and_its_chain_too(clinic: Clinic) -> None:
    lost_walking(clinic)
    record_view(clinic.site, Nurse(), "P-1", on(36, 16))
    record_view(clinic.site, Nurse(), "P-2", on(36, 16))
    views = [entry for entry in export(clinic.site, patient_id="P-1") if entry.event == "view"]
    assert [dict(entry.body) for entry in views] == [
        {"patient_id": "P-1", "by": "Nurse North", "address": NORTH[0], "role": "nurse"}
    ]
    assert verify(clinic.site).intact


@pytest.mark.postgresql_only("a writer of a file is alone")
def test_given_a_round_that_is_still_at_work_when_somebody_looks_then_she_does_not_wait_for_it(clinic: Clinic) -> None:
    with clinic.site.database.write("round", beside_others=True):
        record_view(clinic.site, Nurse(), "P-1", on(36, 16))
    assert verify(clinic.site).intact


def test_given_a_database_that_cannot_be_written_when_somebody_looks_then_it_is_refused(clinic: Clinic) -> None:
    with clinic.another_program() as connection:
        connection.refuse("no_room", "journal")
    with pytest.raises(DatabaseError):
        record_view(clinic.site, Nurse(), "P-1", on(36, 16))
