"""What the door lets in, what it turns away, and that nothing goes past it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta

import pytest
from starlette.responses import PlainTextResponse, Response

from monitor.config.settings import Proxy
from monitor.errors import DatabaseError, UsageError
from monitor.service.logs import KeyValue
from monitor.web.asked import Asked, number_in
from monitor.web.headers import ALWAYS
from monitor.web.limits import Limit, Limits
from monitor.web.routes import Route
from tests.web.house import AUDITOR, NURSE, House

PROXY = {"proxy": Proxy(networks=("10.1.2.0/24", "2001:db8::/64"), user_header="X-Remote-User")}

CONTENT = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"


def _who(asked: Asked) -> Response:
    return PlainTextResponse(f"{asked.viewer.name}, {asked.viewer.role}, {sorted(asked.viewer.teams)}")


def _client(asked: Asked) -> Response:
    return PlainTextResponse(asked.client)


def _raises(error: Exception) -> Callable[[Asked], Response]:
    def handler(_: Asked) -> Response:
        raise error

    return handler


@pytest.fixture
def tried(house: House) -> House:
    """With routes that show what a handler is given, and such as go wrong."""
    rows = {"who": _who, "client": _client, "defect": _raises(KeyError("P-SECRET"))}
    rows |= {"closed": _raises(UsageError("A-12 is closed")), "down": _raises(DatabaseError("the database is locked"))}
    more = [Route("GET", f"/{name}", "anyone", handler) for name, handler in rows.items()]
    return House(
        house.clinic, more_routes=[*more, Route("POST", "/echo", "anyone", lambda asked: PlainTextResponse(str(asked.form)))]
    )


def test_given_a_session_when_a_page_is_asked_for_then_it_is_served_to_whoever_it_is(tried: House) -> None:
    assert tried.browser_of(NURSE).get("/who").text == "Nurse North, nurse, ['north']"
    assert tried.browser_of(AUDITOR).get("/who").text == "Otto Auditor, auditor, []"


@pytest.mark.parametrize("path", ["/", "/sign-in", "/static/board.css", "/nothing", "/alerts/1", "/defect", "/down", "/in/x"])
def test_given_any_answer_when_it_is_read_then_it_has_all_the_headers_that_protect_it(tried: House, path: str) -> None:
    answer = tried.browser().get(path)
    assert {name: answer.headers[name] for name in ALWAYS} == ALWAYS
    assert answer.headers["content-security-policy"] == CONTENT
    assert answer.headers["referrer-policy"] == "same-origin"
    assert answer.headers["cache-control"] == ("public, max-age=600" if path.startswith("/static") else "no-store")
    assert "server" not in answer.headers
    assert "strict-transport-security" not in answer.headers


@pytest.mark.parametrize(
    "headers",
    [
        {"X-HTTP-Method-Override": "POST"},
        {"X-Method-Override": "POST"},
        {"X-HTTP-Method": "DELETE"},
        {"X-Original-URL": "/journal"},
        {"X-Rewrite-URL": "/journal"},
        {"X-Forwarded-Prefix": "/journal"},
        {"X-Forwarded-Host": "elsewhere.example"},
        {"X-Remote-User": "otto"},
        {"Remote-User": "otto"},
        {"X-Forwarded-For": "127.0.0.1"},
        {"Forwarded": "for=127.0.0.1"},
    ],
)
def test_given_a_header_with_a_trick_when_sent_then_it_changes_nothing(house: House, headers: dict[str, str]) -> None:
    browser = house.browser()
    assert browser.get("/sign-in", headers=headers).status_code == 200
    answer = browser.get("/journal", headers=headers)
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "post"])
def test_given_another_method_when_used_then_it_is_not_allowed(house: House, method: str) -> None:
    answer = house.browser().request(method, "/sign-in") if method != "post" else house.browser().get("/sign-out")
    assert answer.status_code == 405
    assert answer.headers["allow"] in ("GET, HEAD, POST", "POST")


@pytest.mark.parametrize(
    "host", ["elsewhere.example", "127.0.0.1", "127.0.0.1:1", "127.0.0.1:8931.elsewhere.example", "", "a@127.0.0.1:8931"]
)
def test_given_another_host_when_named_then_it_is_not_this_board(house: House, host: str) -> None:
    assert house.browser().get("/sign-in", headers={"Host": host}).status_code == 421


@pytest.mark.parametrize(
    "host", ["127.0.0.1:8931", "localhost:8931", "[::1]:8931", "alerts.hospital.example", "ALERTS.hospital.example"]
)
def test_given_its_own_name_or_loopback_when_named_then_it_is_this_board(house: House, host: str) -> None:
    house.reconfigure({"address": "https://alerts.hospital.example"})
    assert house.browser().get("/sign-in", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"a=1&b=%C3%A9", 200),
        (b"", 200),
        (b"a=1&a=2", 400),
        (b"a=%00", 400),
        (b"a=%FF", 400),
        (b"a=\xff", 400),
        (b"&".join(b"a%d=1" % number for number in range(51)), 400),
        (b"a=" + b"x" * 64 * 1024, 413),
    ],
)
def test_given_a_form_when_sent_then_it_is_taken_as_browsers_write_it_and_else_refused(
    tried: House, body: bytes, status: int
) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    assert tried.browser().post("/echo", content=body, headers=headers).status_code == status


def test_given_a_form_in_pieces_when_it_grows_too_long_then_it_is_refused(tried: House) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    pieces = (b"x" * 1024 for _ in range(65))
    assert tried.browser().post("/echo", content=pieces, headers=headers).status_code == 413


@pytest.mark.parametrize("kind", ["multipart/form-data; boundary=x", "application/json", "text/plain", ""])
def test_given_a_form_of_another_kind_when_sent_then_it_is_not_taken(tried: House, kind: str) -> None:
    assert tried.browser().post("/echo", content=b"a=1", headers={"Content-Type": kind}).status_code == 415


@pytest.mark.parametrize("query", ["a=1&a=2", "a=%00", "a=%FF", "&".join(f"a{number}=1" for number in range(51))])
def test_given_a_query_with_a_trick_when_sent_then_it_is_refused(house: House, query: str) -> None:
    assert house.browser_of(NURSE).get(f"/?{query}").status_code == 400


@pytest.mark.parametrize("cookie", ["x", "x.y.z", "\u00e9", "=;;==", "a" * 5000, "bnVsbA.x"])
def test_given_a_cookie_of_nobody_when_sent_then_nobody_is_signed_in(house: House, cookie: str) -> None:
    house.session_of(NURSE)  # there are secrets
    answer = house.browser().get("/", headers=[(b"Host", b"127.0.0.1:8931"), (b"Cookie", f"bipn-session={cookie}".encode())])
    assert answer.status_code == 303


def test_given_a_defect_when_a_page_fails_then_the_page_and_the_log_hold_no_value(
    tried: House, caplog: pytest.LogCaptureFixture
) -> None:
    answer = tried.browser().get("/defect")
    assert answer.status_code == 500
    (record,) = caplog.records
    logged = KeyValue().format(record)
    assert "a defect of ours on the board" in logged
    assert "KeyError" in logged
    assert "P-SECRET" not in answer.text + logged


def test_given_what_a_person_can_mend_when_a_page_fails_then_it_says_so(tried: House, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
    closed, down = tried.browser().get("/closed"), tried.browser().get("/down")
    assert (closed.status_code, "A-12 is closed" in closed.text) == (409, True)
    assert (down.status_code, "locked" in down.text) == (503, False)


def test_given_a_german_browser_when_it_is_turned_away_then_it_is_told_in_german(house: House) -> None:
    answer = house.browser(headers={"Accept-Language": "de-DE,de;q=0.9,en;q=0.8"}).get("/nothing")
    assert 'lang="de"' in answer.text


@pytest.mark.parametrize(
    ("peer", "sent", "client"),
    [
        ("192.0.2.10", "198.51.100.7", "192.0.2.10"),  # no proxy of ours
        ("10.1.2.3", "198.51.100.7", "198.51.100.7"),
        ("10.1.2.3", "203.0.113.9, 198.51.100.7", "198.51.100.7"),  # the first one says who it likes
        ("10.1.2.3", "198.51.100.7, 10.1.2.4", "198.51.100.7"),
        ("10.1.2.3", "", "10.1.2.3"),
        ("10.1.2.3", "who knows", "10.1.2.3"),
        ("10.1.2.3", "198.51.100.7, who knows", "10.1.2.3"),
        ("10.1.2.3", "10.1.2.4", "10.1.2.3"),
        ("2001:db8::1", "2001:db8:1::7", "2001:db8:1::7"),
        ("::ffff:10.1.2.3", "198.51.100.7", "198.51.100.7"),
    ],
)
def test_given_a_proxy_when_it_names_a_client_then_it_is_believed_and_nobody_else(
    tried: House, peer: str, sent: str, client: str
) -> None:
    tried.reconfigure(PROXY)
    assert tried.browser(peer=peer, headers={"X-Forwarded-For": sent}).get("/client").text == client


def test_given_a_client_that_asks_too_often_when_it_waits_then_it_may_go_on_and_the_others_always(house: House) -> None:
    busy = house.browser(peer="192.0.2.66")
    assert [busy.get("/nothing").status_code for _ in range(601)][-2:] == [404, 429]
    assert busy.get("/nothing").headers["retry-after"] == "60"
    assert house.browser().get("/sign-in").status_code == 200
    house.later(minutes=1)
    assert busy.get("/sign-in").status_code == 200


def test_given_a_clock_that_was_set_back_when_somebody_asks_then_nobody_waits_for_what_is_to_come(house: House) -> None:
    limits, limit = Limits(), Limit(name="test", times=1, within=timedelta(hours=1))
    assert limits.wait(limit, "a", house.now) is None
    assert limits.wait(limit, "a", house.now) == 3600
    assert limits.wait(limit, "a", house.now - timedelta(days=300)) is None


def test_given_more_askers_than_are_kept_when_they_ask_then_memory_is_bounded(house: House) -> None:
    limits, limit = Limits(), Limit(name="test", times=1, within=timedelta(hours=1))
    for number in range(10_001):
        limits.wait(limit, str(number), house.now)
    assert limits.wait(limit, "0", house.now) is None  # forgotten
    assert limits.wait(limit, "10000", house.now) is not None


def test_given_askers_whose_time_is_over_when_another_asks_then_nothing_of_them_is_kept(house: House) -> None:
    limits, limit = Limits(), Limit(name="test", times=600, within=timedelta(minutes=1))
    for number in range(300):
        limits.wait(limit, str(number % 100), house.now)
    assert limits.askers(limit) == 100
    assert limits.wait(limit, "another", house.now + timedelta(minutes=1)) is None
    assert limits.askers(limit) == 1


@pytest.mark.parametrize(
    ("text", "number"), [("1", 1), ("9" * 18, 10**18 - 1), ("9" * 19, None), ("\u0661", None), ("", None), ("1\n", None)]
)
def test_given_a_text_when_read_as_a_number_then_only_plain_digits_are_one(text: str, number: int | None) -> None:
    assert number_in(text) == number
