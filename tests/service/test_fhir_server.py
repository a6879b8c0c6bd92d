"""A FHIR server that is asked for what is new: everything once, nothing by halves, and nobody else is asked."""

from __future__ import annotations

import gzip
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from monitor.config.feed_fhir import FhirFeed
from monitor.service.feeding import pull
from monitor.service.fhir_http import FhirHttp, SearchError, ServerError
from monitor.service.fhir_pages import Spool, read_search
from monitor.service.holder import own_holder
from monitor.service.pulled import Pulled
from monitor.shipped import shipped
from monitor.store import feeds, rejects
from tests.e2e.installation import until
from tests.fhir_server import FhirServer, Reply, Resource, a_motor_grade, a_patient
from tests.service.clinic import Clinic, a_clinic
from tests.smtp_server import self_signed

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
FEED = """\
feeds:
  hospital:
    kind: fhir
    url: {url}
    insecure: true
    every: 1 min
    overlap: 10 min
    look_back: 2 d
    page_size: 2
    timeout: 2 s
    searches: [Patient, Observation]
"""


@dataclass
class Asker:
    """A clinic with one feed, and the instant at which it is asked next."""

    clinic: Clinic
    server: FhirServer
    now: datetime = NOW

    def ask(self, *, after: timedelta = timedelta(hours=2)) -> Pulled:
        """Ask the server; ``after`` is how much time has passed since the last question, by both clocks."""
        self.now += after
        self.server.pass_time(after)
        pulled = pull(self.clinic.site, "hospital", self.now, holder=own_holder(NOW), stopping=lambda: False)
        assert pulled is not None
        return pulled

    def facts(self) -> list[tuple[str, int | None]]:
        """Patient and motor grade of every assessment that stands."""
        with self.clinic.site.database.read() as connection:
            found = connection.exec_driver_sql(
                "SELECT patient_id, motor_grade FROM assessments WHERE superseded_at IS NULL AND voided IS NULL ORDER BY id"
            )
            return [(row[0], row[1]) for row in found]

    def state(self) -> feeds.Feed:
        with self.clinic.site.database.read() as connection:
            known = feeds.load(connection, "hospital")
        assert known is not None
        return known

    def upto(self) -> dict[str, str]:
        upto: dict[str, str] = json.loads(self.state().cursor or "{}").get("upto", {})
        return upto

    def refused(self) -> list[str]:
        with self.clinic.site.database.read() as connection:
            return [each.origin for each in rejects.still_open(connection, at_most=100)]


@contextmanager
def an_asker(folder: Path, *exchanges: tuple[str, str], token: str | None = None, by_number: bool = False) -> Iterator[Asker]:
    """``by_number``: patients go by an identifier, which only their own record says."""
    with FhirServer(token=token) as server:
        written = FEED.format(url=server.url)
        for old, new in exchanges:
            assert old in written, old
            written = written.replace(old, new)
        if by_number:
            shipped_mapping = (shipped("config") / "fhir.yaml").read_text(encoding="utf-8")
            own = shipped_mapping.replace("\npatient:\n", "\npatient:\n  identifier_system: urn:test:mrn\n")
            (folder / "own-fhir.yaml").write_text(own, encoding="utf-8")
            written += "mappings: {fhir: own-fhir.yaml}\n"
        with a_clinic(folder, more=written) as clinic:
            yield Asker(clinic, server)


def grades(*numbers: int) -> list[Resource]:
    """Observations o1, o2, ... of patients of their own."""
    return [a_motor_grade(f"o{number}", patient=f"p{number}") for number in numbers]


@pytest.mark.both_engines
def test_given_three_pages_when_asked_then_all_are_taken_and_the_next_question_goes_back_by_the_overlap(tmp_path: Path) -> None:
    with an_asker(tmp_path) as asker:
        asker.server.put(*(a_patient(f"p{n}") for n in range(1, 6)), *grades(1, 2, 3, 4, 5))
        first = asker.ask()
        assert (first.received, first.problem, first.rejected) == (True, None, 0)
        assert sorted(asker.facts()) == [(f"p{n}", 3) for n in range(1, 6)]
        answered = asker.server.clock
        assert asker.ask().received is False
        begin = datetime.fromisoformat(asker.server.searches("Observation")[-1].query["_lastUpdated"].removeprefix("ge"))
        assert begin == answered - timedelta(minutes=10)


def test_given_a_third_page_that_fails_when_asked_then_nothing_is_taken_and_it_is_asked_for_again(tmp_path: Path) -> None:
    with an_asker(tmp_path) as asker:
        asker.server.put(*(a_patient(f"p{n}") for n in range(1, 6)), *grades(1, 2, 3, 4, 5))
        asker.server.always("Observation?_sort=-_lastUpdated&_count=2&page=3", Reply(500))
        failed = asker.ask()
        assert failed.problem == "the server answers 500"
        assert asker.facts() == []
        assert "Observation" not in asker.upto()
        asker.server.mend()
        assert asker.ask().problem is None
        assert len(asker.facts()) == 5


def test_given_one_search_that_fails_when_asked_then_what_the_others_brought_is_taken(tmp_path: Path) -> None:
    with an_asker(tmp_path, ("[Patient, Observation]", "[Patient, AdverseEvent, Observation]")) as asker:
        asker.server.put(a_patient("p1"), *grades(1))
        asker.server.always("AdverseEvent", Reply(403))
        failed = asker.ask()
        assert (failed.problem or "").startswith("AdverseEvent: the server answers 403: we may not read this")
        assert asker.facts() == [("p1", 3)]
        assert set(asker.upto()) == {"Patient", "Observation"}


def test_given_a_busy_page_when_asked_then_it_is_tried_again_within_the_same_look(tmp_path: Path) -> None:
    with an_asker(tmp_path) as asker:
        asker.server.put(a_patient("p1"), *grades(1))
        asker.server.instead("Observation", Reply(503, headers={"Retry-After": "0"}))
        assert asker.ask().problem is None
        assert asker.facts() == [("p1", 3)]


def test_given_a_server_that_asks_for_a_pause_when_its_time_comes_then_it_is_left_in_peace(tmp_path: Path) -> None:
    with an_asker(tmp_path) as asker:
        asker.server.always("Patient", Reply(429, headers={"Retry-After": "1800"}))
        assert asker.ask().retry_after == timedelta(minutes=30)
        asked = len(asker.server.asked)
        asker.now += timedelta(minutes=29)
        assert pull(asker.clinic.site, "hospital", asker.now, holder=own_holder(NOW), stopping=lambda: False) is None
        assert len(asker.server.asked) == asked
        assert asker.ask(after=timedelta(minutes=1)).problem is not None


def test_given_links_to_another_address_when_asked_then_nothing_is_asked_there_and_nothing_is_taken(tmp_path: Path) -> None:
    with FhirServer() as other, an_asker(tmp_path) as asker:
        link = {"relation": "next", "url": f"{other.url}/Observation?page=2"}
        page = {"resourceType": "Bundle", "link": [link], "entry": [{"resource": grades(1)[0]}]}
        asker.server.put(a_patient("p1"))
        asker.server.always("Observation", Reply(body=json.dumps(page).encode()))
        assert "another address" in (asker.ask().problem or "")
        assert other.asked == []
        assert asker.facts() == []


def test_given_redirections_when_asked_then_they_are_followed_at_the_same_address_only(tmp_path: Path) -> None:
    with FhirServer() as other, an_asker(tmp_path) as asker:
        asker.server.put(a_patient("p1"), *grades(1))
        same = f"{asker.server.url}/Observation?_count=2"
        asker.server.instead("Observation", Reply(302, headers={"Location": same}))
        assert asker.ask().problem is None
        assert asker.facts() == [("p1", 3)]
        asker.server.instead("Observation", Reply(307, headers={"Location": f"{other.url}/Observation"}))
        assert "another address" in (asker.ask().problem or "")
        assert other.asked == []


def test_given_a_token_when_asked_then_it_is_shown_and_without_it_the_remedy_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with an_asker(tmp_path, ("every: 1 min", "sign_in: bearer"), token="s3cret") as asker:  # noqa: S106
        asker.server.put(a_patient("p1"), *grades(1))
        missing = asker.ask().problem or ""
        assert "feed_hospital" in missing
        assert "BIPN_MONITOR_FEED_HOSPITAL" in missing
        assert asker.server.asked == []
        monkeypatch.setenv("BIPN_MONITOR_FEED_HOSPITAL", "tök en")
        assert "is no token" in (asker.ask().problem or "")
        monkeypatch.setenv("BIPN_MONITOR_FEED_HOSPITAL", "wrong")
        wrong = asker.ask().problem or ""
        assert wrong.startswith("the server answers 401 (login): we are not signed in")
        assert "wrong" not in wrong
        monkeypatch.setenv("BIPN_MONITOR_FEED_HOSPITAL", "s3cret")
        assert asker.ask().problem is None
        assert asker.facts() == [("p1", 3)]


def test_given_a_certificate_that_nobody_vouches_for_when_asked_then_nothing_is_said_to_that_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = self_signed(tmp_path)
    with FhirServer(tls=certificate.serving()) as server:
        feed = FhirFeed(kind="fhir", url=server.url)
        with FhirHttp(feed, None, lambda: False) as http, pytest.raises(ServerError, match="certificate is not trusted"):
            http.get(f"{server.url}/Patient?_count=1", tries=1)
        assert server.asked == []
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate.certificate))
        with FhirHttp(feed, None, lambda: False) as http:
            assert http.get(f"{server.url}/Patient?_count=1").body.startswith(b"{")


def test_given_client_credentials_when_asked_then_a_token_is_fetched_and_fetched_anew_when_it_expires(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BIPN_MONITOR_FEED_HOSPITAL", "client-secret")
    with FhirServer() as identity:
        oauth = f"oauth: {{token_url: {identity.url}/token, client_id: monitor, scope: system/*.read}}"
        identity.instead("/token", Reply(body=b'{"access_token": "old", "expires_in": 300}'))
        identity.always("/token", Reply(body=b'{"access_token": "new", "expires_in": 300}'))
        with an_asker(tmp_path, ("every: 1 min", oauth), token="new") as asker:  # noqa: S106
            asker.server.put(a_patient("p1"), *grades(1))
            assert asker.ask().problem is None
        assert asker.server.asked[0].headers["authorization"] == "Bearer old"
        assert "client_secret=client-secret" in identity.asked[0].body
        assert len(identity.asked) == 2


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply(body=b"<!DOCTYPE html><html>Sign in</html>"), "Observation: the server's answer is a page of HTML"),
        (Reply(body=b'{"resourceType": "Patient"}'), "Observation: the server's answer is no FHIR Bundle"),
        (Reply(body=b'{"resourceType": "Bundle", "entry": 3}'), "Observation: the server's answer is no FHIR Bundle in JSON"),
        (Reply(body=b"\xff\xfe"), "Observation: the server's answer is no FHIR Bundle in JSON"),
        (
            Reply(
                body=b'{"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "OperationOutcome",'
                b' "issue": [{"severity": "error", "code": "timeout"}]}, "search": {"mode": "outcome"}}]}'
            ),
            "Observation: the server says that its answer is not whole",
        ),
        (Reply(body=gzip.compress(bytes(70 * 2**20)), headers={"Content-Encoding": "gzip"}), "larger than 64 MB"),
        (Reply(body=b"no gzip", headers={"Content-Encoding": "gzip"}), "cannot be unpacked"),
        (Reply(body=b"x", headers={"Content-Encoding": "br"}), "packed in a way that was not asked for"),
        (Reply(404), "Observation: the server answers 404: there is no such thing"),
    ],
)
def test_given_an_answer_that_is_none_when_asked_then_it_is_told_and_nothing_is_taken(
    tmp_path: Path, reply: Reply, words: str
) -> None:
    with an_asker(tmp_path) as asker:
        asker.server.put(a_patient("p1"))
        asker.server.always("Observation", reply)
        assert words in (asker.ask().problem or "")
        assert "Observation" not in asker.upto()


@pytest.fixture(scope="module")
def one_server() -> Iterator[FhirServer]:
    with FhirServer() as running:
        yield running


FIELDS = st.sampled_from(["resourceType", "entry", "resource", "link", "relation", "url", "meta", "lastUpdated", "id", "issue"])
WORDS = st.sampled_from(["Bundle", "Patient", "OperationOutcome", "next", "http://[", "/fhir", "2026-13-01", "\ud800", "\0"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FIELDS, inner, max_size=4),
    max_leaves=12,
)


PAGES = st.tuples(VALUES, WORDS).map(
    lambda found: json.dumps(
        {"resourceType": "Bundle", "entry": [found[0]], "link": [{"relation": "next", "url": found[1]}]}
    ).encode()
)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=60) | PAGES)
@example(b"[" * 100_000)
@example(b'{"resourceType": "Bundle", "entry": ' + b"[" * 100_000)
def test_given_any_answer_when_read_then_it_is_whole_or_told_of(one_server: FhirServer, body: bytes) -> None:
    one_server.mend()
    one_server.always("", Reply(body=body))
    feed = FhirFeed(kind="fhir", url=one_server.url)
    with FhirHttp(feed, None, lambda: False) as http, BytesIO() as file, suppress(SearchError):
        read_search(http, f"{one_server.url}/Patient?_count=2", Spool(file, frozenset()))


def test_given_a_warning_among_the_entries_when_asked_then_the_answer_counts(tmp_path: Path) -> None:
    outcome = {"resourceType": "OperationOutcome", "issue": [{"severity": "warning", "code": "informational"}]}
    page = {"resourceType": "Bundle", "entry": [{"resource": outcome}, {"resource": grades(1)[0]}, {"fullUrl": "urn:x"}]}
    with an_asker(tmp_path) as asker:
        asker.server.put(a_patient("p1"))
        asker.server.always("Observation", Reply(body=json.dumps(page, indent=2).encode()))
        assert asker.ask().problem is None
        assert asker.facts() == [("p1", 3)]


def test_given_pages_without_an_end_when_asked_then_it_stops(tmp_path: Path) -> None:
    with an_asker(tmp_path) as asker:
        link = {"relation": "next", "url": f"{asker.server.url}/Observation?again"}
        asker.server.always("Observation", Reply(body=json.dumps({"resourceType": "Bundle", "link": [link]}).encode()))
        assert "have no end" in (asker.ask().problem or "")
        assert len(asker.server.asked) == 3


def test_given_records_that_vanish_while_pages_are_turned_when_asked_then_it_is_read_again(tmp_path: Path) -> None:
    with an_asker(tmp_path) as asker:
        asker.server.put(*(a_patient(f"p{n}") for n in range(1, 4)), *grades(1, 2, 3))
        page = {"resourceType": "Bundle", "total": 2, "entry": []}
        asker.server.instead("Observation?_sort=-_lastUpdated&_count=2&page=2", Reply(body=json.dumps(page).encode()))
        assert "were removed while it was read" in (asker.ask().problem or "")
        assert asker.ask().problem is None
        assert len(asker.facts()) == 3


def test_given_a_server_that_sends_byte_after_byte_when_asked_then_it_is_left() -> None:
    with FhirServer() as server:
        server.always("Patient", Reply(body=b" " * 1000, drip=0.05))
        feed = FhirFeed(kind="fhir", url=server.url, timeout=timedelta(milliseconds=100))
        began = time.monotonic()
        with FhirHttp(feed, None, lambda: False) as http, pytest.raises(ServerError, match="does not answer in time"):
            http.get(f"{server.url}/Patient", tries=1)
        assert time.monotonic() - began < 5
        until(lambda: not any(thread.name == "aside" for thread in threading.enumerate()), what="the end of what was left behind")


def test_given_a_server_that_hangs_when_the_program_ends_then_it_does_not_wait(tmp_path: Path) -> None:
    with an_asker(tmp_path) as asker:
        asker.server.always("Patient", Reply(body=b" " * 100, drip=60))
        stopping = threading.Event()
        threading.Timer(0.3, stopping.set).start()
        began = time.monotonic()
        assert pull(asker.clinic.site, "hospital", NOW, holder=own_holder(NOW), stopping=stopping.is_set) is None
        assert time.monotonic() - began < 1.5
        assert asker.state().problem is None
        assert asker.state().held_by is None


def test_given_types_that_a_server_has_not_when_nobody_named_them_then_they_are_passed_over(tmp_path: Path) -> None:
    with an_asker(tmp_path, ("    searches: [Patient, Observation]\n", "")) as asker:
        asker.server.put(a_patient("p1"), *grades(1))
        asker.server.always("AdverseEvent", Reply(404))
        asker.server.always("MedicationStatement", Reply(400))
        assert asker.ask().problem is None
        assert asker.facts() == [("p1", 3)]


def test_given_an_address_without_a_fhir_server_when_asked_then_it_is_no_success(tmp_path: Path) -> None:
    with an_asker(tmp_path, ("    searches: [Patient, Observation]\n", "")) as asker:
        asker.server.always("", Reply(404))
        assert asker.ask().problem == "the server has none of what is read: is the url its base address?"


def test_given_another_day_when_asked_first_then_the_question_goes_further_back(tmp_path: Path) -> None:
    with an_asker(tmp_path) as asker:
        asker.ask()
        answered = asker.server.clock
        asker.server.stored.clear()
        late = a_motor_grade("o1")
        asker.server.put(a_patient("p1"), late)
        asker.server.stored["Observation", "o1"]["meta"]["lastUpdated"] = "2026-03-02T08:00:00.000Z"  # stored late
        asker.ask()
        assert asker.facts() == []
        asker.ask(after=timedelta(hours=20))
        begin = asker.server.searches("Observation")[-1].query["_lastUpdated"]
        assert datetime.fromisoformat(begin.removeprefix("ge")) < answered - timedelta(days=1)
        assert asker.facts() == [("p1", 3)]


def test_given_a_clock_of_the_server_that_differs_from_ours_when_asked_then_its_own_counts(tmp_path: Path) -> None:
    with an_asker(tmp_path) as asker:
        asker.server.clock -= timedelta(hours=5)
        asker.ask()
        asker.server.put(a_patient("p1"), *grades(1))
        assert asker.ask(after=timedelta(minutes=1)).received
        assert asker.facts() == [("p1", 3)]


def test_given_a_server_whose_clock_goes_back_when_asked_then_what_it_stored_since_is_not_passed_over(tmp_path: Path) -> None:
    with an_asker(tmp_path) as asker:
        asker.ask()
        asker.server.clock += timedelta(days=300)
        asker.ask()
        asker.server.clock -= timedelta(days=300)
        asker.server.put(a_patient("p1"), *grades(1))
        asker.ask()
        assert asker.facts() == []
        asker.ask()
        assert asker.facts() == [("p1", 3)]


def test_given_a_server_that_says_no_time_when_asked_then_the_newest_of_its_records_counts(tmp_path: Path) -> None:
    with an_asker(tmp_path) as asker:
        asker.server.says_when = False
        asker.server.put(a_patient("p1"), *grades(1))
        stored = asker.server.clock
        asker.ask()
        assert datetime.fromisoformat(asker.upto()["Observation"]) == stored


def test_given_another_address_when_asked_then_it_begins_anew(tmp_path: Path) -> None:
    with an_asker(tmp_path) as asker:
        asker.ask()
        with asker.clinic.site.database.write() as connection:
            connection.exec_driver_sql("UPDATE feeds SET cursor = replace(cursor, '/fhir', '/elsewhere')")
        asker.ask()
        assert "_lastUpdated" not in asker.server.searches("Patient")[-1].query


def test_given_a_first_day_when_asked_for_the_first_time_then_older_patients_come_by_their_id(tmp_path: Path) -> None:
    with an_asker(tmp_path, ("page_size: 2", "since: 2026-03-01"), by_number=True) as asker:
        asker.server.clock -= timedelta(days=300)
        asker.server.put(a_patient("p1"), a_patient("p2"))
        asker.server.clock += timedelta(days=300)
        asker.server.put(*grades(1))
        assert asker.ask().problem is None
        assert asker.server.searches("Patient")[0].query["_lastUpdated"] == "ge2026-02-28T23:00:00.000Z"
        assert asker.server.asked[-1].query["_id"] == "p1"
        assert asker.facts() == [("P-p1", 3)]
        asked = len(asker.server.asked)
        asker.ask(after=timedelta(minutes=1))
        assert len(asker.server.asked) == asked + 2


@pytest.mark.both_engines
def test_given_a_record_entered_in_error_when_asked_again_then_it_no_longer_stands(tmp_path: Path) -> None:
    with an_asker(tmp_path) as asker:
        asker.server.put(a_patient("p1"), *grades(1))
        asker.ask()
        asker.server.put(a_motor_grade("o1", status="entered-in-error"))
        assert asker.ask().received
        assert asker.facts() == []


def test_given_deletions_when_asked_for_then_what_is_gone_is_taken_back_until_it_is_stored_anew(tmp_path: Path) -> None:
    with an_asker(tmp_path, ("every: 1 min", "deletions: true")) as asker:
        asker.server.put(a_patient("p1"), *grades(1, 2))
        asker.ask()
        assert not any(each.type == "_history" for each in asker.server.asked)
        asker.server.delete("Observation", "o1")
        assert asker.ask().received
        assert asker.facts() == [("p2", 3)]
        asker.server.put(a_motor_grade("o1", grade=2))
        asker.server.stored["Observation", "o1"]["meta"]["versionId"] = "3"
        asker.ask()
        assert asker.facts() == [("p2", 3), ("p1", 2)]
        assert asker.ask(after=timedelta(minutes=5)).received is False


def test_given_a_server_without_a_history_when_deletions_are_asked_for_then_it_is_told(tmp_path: Path) -> None:
    with an_asker(tmp_path, ("every: 1 min", "deletions: true")) as asker:
        asker.ask()
        asker.server.always("Observation/_history", Reply(404))
        assert (asker.ask().problem or "").startswith("Observation: the server answers 404")


def test_given_a_refused_record_when_it_comes_corrected_then_it_is_settled(tmp_path: Path) -> None:
    with an_asker(tmp_path) as asker:
        bad = a_motor_grade("o1")
        bad["effectiveDateTime"] = "yesterday"
        asker.server.put(a_patient("p1"), bad)
        assert asker.ask().rejected == 1
        assert asker.refused() == ["Observation/o1"]
        asker.server.put(a_motor_grade("o1"))
        assert asker.ask().rejected == 0
        assert asker.refused() == []
        assert asker.facts() == [("p1", 3)]


def test_given_a_record_whose_patient_comes_later_when_that_comes_then_it_is_settled_too(tmp_path: Path) -> None:
    with an_asker(tmp_path, by_number=True) as asker:
        asker.server.put(*grades(1))
        asker.ask()
        assert asker.refused() == ["Observation/o1"]
        asker.server.put(a_patient("p1"))
        asker.server.stored["Observation", "o1"]["meta"]["lastUpdated"] = "2020-01-01T00:00:00.000Z"
        asker.ask()
        assert (asker.refused(), asker.facts()) == ([], [("P-p1", 3)])
