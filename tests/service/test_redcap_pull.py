"""A REDCap project that is asked for what is new: corrections, deletions, and nothing by halves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitor.importers.redcap_mapping import RedcapMapping
from monitor.service.feeding import pull
from monitor.service.holder import own_holder
from monitor.service.pulled import Pulled
from monitor.service.redcap_file import load_redcap
from monitor.service.redcap_http import NoAnswerError, RedcapHttp
from monitor.shipped import shipped
from monitor.store import feeds, rejects
from tests.redcap_server import TOKEN, RedcapServer, Reply
from tests.service.clinic import ZONE, Clinic, a_clinic

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
MAPPING: RedcapMapping = load_redcap(shipped("config") / "redcap.yaml")
FEED = """\
feeds:
  trial:
    kind: redcap
    url: {url}
    insecure: true
    every: 15 min
"""


@dataclass
class Asker:
    """A clinic with one project, and the instant at which it is asked next."""

    clinic: Clinic
    project: RedcapServer
    now: datetime = NOW

    def ask(self, *, after: timedelta = timedelta(hours=2)) -> Pulled:
        self.now += after
        pulled = pull(self.clinic.site, "trial", self.now, holder=own_holder(NOW), stopping=lambda: False)
        assert pulled is not None
        return pulled

    def visit(self, record: str, instance: str, **values: str) -> None:
        at = self.now.astimezone(ZONE).replace(tzinfo=None)
        said = {"visit_at": "2026-03-01 09:30", "visit_entered_at": "2026-03-01 10:00", "pmn_grade": "2"}
        self.project.put(record, at=at, instrument="neuropathy_visit", instance=instance, **said | values)

    def patient(self, record: str, **values: str) -> None:
        at = self.now.astimezone(ZONE).replace(tzinfo=None)
        self.project.put(record, at=at, **{"study_pseudonym": f"P-{record}"} | values)

    def delete(self, record: str, instance: str) -> None:
        at = self.now.astimezone(ZONE).replace(tzinfo=None)
        self.project.remove(record, at=at, instrument="neuropathy_visit", instance=instance)

    def rows(self, columns: str, table: str = "assessments") -> list[tuple[object, ...]]:
        standing = "superseded_at IS NULL" + (" AND voided IS NULL" if table == "assessments" else "")
        with self.clinic.site.database.read() as connection:
            found = connection.exec_driver_sql(f"SELECT {columns} FROM {table} WHERE {standing} ORDER BY source_id")
            return [tuple(row) for row in found]

    def state(self) -> feeds.Feed:
        with self.clinic.site.database.read() as connection:
            known = feeds.load(connection, "trial")
        assert known is not None
        return known

    def refused(self) -> list[tuple[str, str | None]]:
        with self.clinic.site.database.read() as connection:
            return sorted((each.origin, each.column) for each in rejects.still_open(connection, at_most=100))


@pytest.fixture
def asker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Asker]:
    monkeypatch.setenv("BIPN_MONITOR_FEED_TRIAL", TOKEN)
    with RedcapServer(tuple(MAPPING.keys())) as project, a_clinic(tmp_path, more=FEED.format(url=project.url)) as clinic:
        yield Asker(clinic, project)


def test_given_a_project_when_asked_then_its_choices_boxes_and_codes_become_our_columns(asker: Asker) -> None:
    asker.patient("7", sex="2", btz_start="2026-01-05", btz_schedule="1", csf_at="2026-02-01", csf_protein_mg_dl="133")
    asker.visit("7", "1", psn_grade="-99", np_pain="0", walking="2", red_flags___1="1", red_flags___3="1", mrc_ta_r="4-")
    pulled = asker.ask()
    assert (pulled.received, pulled.problem, pulled.rejected) == (True, None, 0)
    assert asker.rows(
        "patient_id, sensory_grade, motor_grade, neuropathic_pain, walking, red_flags, mrc_tibialis_anterior_right"
    ) == [("P-7", None, 2, "no", "walker", "back_pain;bulbar", "4-")]
    assert asker.rows("assessed_at, recorded_at, source_id") == [
        ("2026-03-01T08:30:00+00:00", "2026-03-01T09:00:00+00:00", "7||neuropathy_visit|1#examination")
    ]
    assert asker.rows("started_on, schedule, drug", "courses") == [("2026-01-05", "weekly", "bortezomib")]
    assert asker.rows("value, unit", "labs") == [(133.0, "mg/dL")]


def test_given_what_was_read_when_asked_again_then_only_what_changed_is_asked_for_and_nothing_is_new(asker: Asker) -> None:
    asker.patient("7")
    asker.visit("7", "1")
    asker.ask()
    assert asker.ask().received is False
    first, *_, last = asker.project.asked
    assert "dateRangeBegin" not in first
    assert all(TOKEN not in value for name, value in last.items() if name != "token")
    assert [form["dateRangeBegin"] for form in asker.project.asked if "dateRangeBegin" in form] == ["2026-03-01 08:00:00"]


def test_given_a_corrected_and_a_deleted_visit_when_asked_then_the_one_is_another_version_and_the_other_is_taken_back(
    asker: Asker,
) -> None:
    asker.patient("7")
    asker.visit("7", "1")
    asker.visit("7", "2", visit_at="2026-03-02 09:00", pmn_grade="3")
    asker.ask()
    asker.visit("7", "1", pmn_grade="1", visit_entered_at="2026-02-27 08:00")
    asker.delete("7", "2")
    assert asker.ask().received is True
    assert asker.rows("motor_grade") == [(1,)]
    with asker.clinic.site.database.read() as connection:
        assert connection.exec_driver_sql("SELECT COUNT(*) FROM assessments").scalar_one() == 4


def test_given_a_record_that_is_gone_when_all_is_asked_for_then_its_visits_are_taken_back(asker: Asker) -> None:
    for record in ("7", "8"):
        asker.patient(record)
        asker.visit(record, "1")
    asker.ask()
    asker.project.remove_record("8")
    asker.ask()
    assert asker.rows("patient_id") == [("P-7",), ("P-8",)]
    asker.ask(after=timedelta(days=1))
    assert asker.rows("patient_id") == [("P-7",)]


def test_given_much_that_is_gone_at_once_when_asked_then_nothing_is_taken_back_and_the_feed_says_so(asker: Asker) -> None:
    for number in range(10, 31):
        asker.patient(str(number))
        asker.visit(str(number), "1")
    asker.ask()
    for number in range(10, 25):
        asker.project.remove_record(str(number))
    pulled = asker.ask(after=timedelta(days=1))
    assert "gone at once; nothing was taken back" in (pulled.problem or "")
    assert len(asker.rows("patient_id")) == 21


def test_given_a_user_who_may_see_no_record_any_more_when_asked_then_nothing_is_taken_back(asker: Asker) -> None:
    asker.patient("7")
    asker.visit("7", "1")
    asker.ask()
    asker.project.rows.clear()
    pulled = asker.ask(after=timedelta(days=1))
    assert "no records any more" in (pulled.problem or "")
    assert len(asker.rows("patient_id")) == 1


def test_given_a_choice_that_the_mapping_does_not_name_when_asked_then_the_visit_stays_outside_until_it_does(
    asker: Asker,
) -> None:
    asker.patient("7")
    asker.visit("7", "1", walking="9")
    asker.visit("7", "2", pmn_grade="severe", visit_at="2026-03-01")
    assert asker.ask().rejected == 2
    assert asker.refused() == [
        ("redcap/7||neuropathy_visit|1", "walking"),
        ("redcap/7||neuropathy_visit|2", "motor_grade"),
    ]
    asker.visit("7", "1", walking="3")
    asker.visit("7", "2", pmn_grade="3", visit_at="2026-03-01")
    asker.ask()
    assert asker.refused() == []
    assert asker.rows("walking, motor_grade") == [("wheelchair", 2), (None, 3)]


def test_given_a_visit_that_becomes_unreadable_when_asked_then_what_was_said_before_stands(asker: Asker) -> None:
    asker.patient("7")
    asker.visit("7", "1")
    asker.ask()
    asker.visit("7", "1", walking="9")
    assert asker.ask(after=timedelta(days=1)).rejected == 1
    assert asker.rows("motor_grade") == [(2,)]


def test_given_a_record_that_names_no_patient_when_asked_then_it_is_refused_as_a_whole(asker: Asker) -> None:
    asker.visit("7", "1")
    assert asker.ask().rejected == 1
    assert asker.refused() == [("redcap/7", "patient_id")]
    assert asker.rows("patient_id") == []


def test_given_names_and_values_that_cannot_be_printed_when_asked_then_they_are_refused_and_the_others_are_in(
    asker: Asker,
) -> None:
    for record in ("7\x00", "8\n|#", "9"):
        asker.patient(record)
        asker.visit(record, "1")
    asker.visit("9", "2", psn_grade="\x00")
    pulled = asker.ask()
    assert (pulled.problem, pulled.rejected) == (None, 3)
    assert asker.rows("patient_id, motor_grade") == [("P-9", 2)]
    assert ("redcap/9||neuropathy_visit|2", "sensory_grade") in asker.refused()


def test_given_more_records_than_one_page_when_asked_then_all_are_taken(asker: Asker) -> None:
    for number in range(100, 205):
        asker.patient(str(number))
        asker.visit(str(number), "1")
    asker.ask()
    assert len(asker.rows("patient_id")) == 105
    assert len(asker.project.asked) == 3


FAULTS = {
    "forbidden": (Reply(403, b'{"error": "You do not have permissions to use the API"}'), "answers 403: check the token"),
    "html": (Reply(200, b"<html>maintenance</html>"), "none of REDCap's"),
    "error": (Reply(200, b'{"error": "no"}'), "none of REDCap's"),
    "cut-off": (Reply(200, b'[{"record_id": "7", "visit_at"'), "cut off"),
    "broken-off": (Reply(200, b'[{"record_id": "7"}]' * 50, cut_at=30), "broke off"),
    "elsewhere": (Reply(302, headers=(("Location", "http://127.0.0.1:1/"),)), "sends us elsewhere"),
    "down": (Reply(500), "answers 500"),
    "odd": (Reply(200, b'[{"record_id": ["7"]}]'), "none of REDCap's"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_given_a_page_that_does_not_come_whole_when_asked_then_nothing_moves_and_it_is_asked_for_again(
    fault: str, asker: Asker
) -> None:
    reply, said = FAULTS[fault]
    for number in range(100, 205):
        asker.patient(str(number))
        asker.visit(str(number), "1")
    asker.project.replies = {2: reply}
    pulled = asker.ask()
    assert said in (pulled.problem or "")
    assert TOKEN not in (pulled.problem or "")
    assert asker.rows("patient_id") == []
    assert asker.state().cursor is None
    assert asker.ask().problem is None
    assert len(asker.rows("patient_id")) == 105


def test_given_a_field_that_the_user_may_not_export_when_asked_then_it_is_named_and_nothing_is_taken_as_emptied(
    asker: Asker,
) -> None:
    asker.patient("7")
    asker.visit("7", "1")
    asker.ask()
    asker.project.withheld = {"pmn_grade"}
    pulled = asker.ask(after=timedelta(days=1))
    assert "does not send pmn_grade" in (pulled.problem or "")
    assert asker.rows("motor_grade") == [(2,)]


def test_given_no_token_when_asked_then_the_feed_says_where_it_belongs(asker: Asker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BIPN_MONITOR_FEED_TRIAL")
    assert "BIPN_MONITOR_FEED_TRIAL" in (asker.ask().problem or "")
    assert asker.project.asked == []


def test_given_a_server_that_says_nothing_when_asked_then_it_is_given_up(asker: Asker) -> None:
    asker.project.replies = {0: Reply(200, b"[]", after_seconds=1.0)}
    with (
        RedcapHttp(asker.project.url, TOKEN, lambda: False, silent_for=timedelta(seconds=0.2)) as http,
        pytest.raises(NoAnswerError, match="in time"),
    ):
        http.records({})
