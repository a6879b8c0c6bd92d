"""Signing in by the link of a mail, by a link on request and by the hospital's own sign-on; and signing out."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from monitor.config.settings import Proxy
from monitor.service.coverage_read import read
from monitor.store import outbox
from tests.web.house import ADMIN, AUDITOR, FOREIGN_NURSE, NURSE, House, link_in

PROXY = {"proxy": Proxy(networks=("10.1.2.0/24",), user_header="X-Remote-User")}
FROM_PROXY = "10.1.2.3"


def test_given_an_alert_mail_when_its_link_is_opened_then_a_button_and_nothing_of_the_patient(house: House) -> None:
    link = link_in(house.worse("P-1"), NURSE)
    answer = house.browser().get(link)
    assert answer.status_code == 200
    assert "Continue as Nurse North" in answer.text
    assert not any(word in answer.text for word in ("P-1", "A-1", "wheelchair", NURSE))
    assert "set-cookie" not in answer.headers


def test_given_an_alert_mail_when_the_button_is_pressed_then_the_alert_opens_for_its_recipient(house: House) -> None:
    link = link_in(house.worse("P-1"), NURSE)
    browser = house.browser()
    answer = browser.post(link)
    assert (answer.status_code, answer.headers["location"]) == (303, "/alerts/1")
    assert "Nurse North" in browser.get("/").text
    assert house.journaled("sign-in") == [(NURSE, {"how": "link", "role": "nurse", "message": 1})]


def test_given_a_mail_about_several_patients_when_its_link_is_used_then_it_leads_to_the_list(house: House) -> None:
    house.reconfigure(storm_above=1)
    link = link_in(house.worse("P-1", "P-2", "P-3"), NURSE)
    assert house.browser().post(link).headers["location"] == "/"


def test_given_a_patient_who_went_to_another_team_when_the_link_is_used_then_it_leads_to_the_list(house: House) -> None:
    link = link_in(house.worse("P-1"), NURSE)
    house.clinic.tell("patients", {"patient_id": "P-1", "site": "South"}, now=house.now)
    assert house.browser().post(link).headers["location"] == "/"


def test_given_a_link_when_its_time_is_over_then_it_signs_nobody_in_and_a_new_one_can_be_asked_for(house: House) -> None:
    link = link_in(house.worse("P-1"), NURSE)
    house.later(days=7, minutes=-61)
    assert house.browser().get(link).status_code == 200
    house.later(minutes=1)
    for answer in (house.browser().get(link), house.browser().post(link)):
        assert answer.status_code == 410
        assert 'action="/sign-in"' in answer.text
        assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("forge", [lambda token: token[:-1], lambda token: token[1:], lambda token: f"x{token}", lambda _: "x"])
def test_given_a_forged_or_cut_link_when_used_then_there_is_no_such_page(house: House, forge) -> None:  # type: ignore[no-untyped-def]
    token = link_in(house.worse("P-1"), NURSE).removeprefix("/in/")
    for answer in (house.browser().get(f"/in/{forge(token)}"), house.browser().post(f"/in/{forge(token)}")):
        assert (answer.status_code, "set-cookie" in answer.headers) == (404, False)


def test_given_the_link_of_one_when_another_is_signed_in_then_it_is_refused_and_on_record(house: House) -> None:
    link = link_in(house.worse("P-1"), NURSE)
    for answer in (house.browser_of(FOREIGN_NURSE).get(link), house.browser_of(FOREIGN_NURSE).post(link)):
        assert (answer.status_code, "set-cookie" in answer.headers) == (403, False)
        assert "Nurse South" in answer.text
    refused = (NURSE, {"message": 1, "why": "another is signed in", "by": FOREIGN_NURSE})
    assert house.journaled("refused link") == [refused, refused]


def test_given_two_recipients_when_each_uses_his_link_then_each_is_signed_in_as_himself(house: House) -> None:
    mails = house.worse("P-1")
    for address, name in ((NURSE, "Nurse North"), ("north-2@hospital.example", "Second North")):
        browser = house.browser()
        browser.post(link_in(mails, address))
        assert name in browser.get("/").text


def test_given_a_recipient_who_was_taken_out_when_his_link_is_used_then_it_is_not_valid(house: House) -> None:
    link = link_in(house.worse("P-1"), NURSE)
    _take_out_of_north(house, NURSE)
    assert house.browser().get(link).status_code == 404
    assert house.browser().post(link).status_code == 404
    assert house.journaled("refused link")[0][1]["why"] == "not in the configuration any more"


def test_given_a_session_when_its_owner_is_taken_out_of_the_configuration_then_he_is_out_at_once(house: House) -> None:
    browser = house.browser_of(NURSE)
    assert browser.get("/").status_code == 200
    _take_out_of_north(house, NURSE)
    assert browser.get("/").headers["location"] == "/sign-in"


def test_given_a_session_when_its_time_is_over_then_it_is_no_session(house: House) -> None:
    browser = house.browser_of(NURSE)
    house.later(hours=11, minutes=59)
    assert browser.get("/").status_code == 200
    house.later(minutes=1)
    assert browser.get("/").status_code == 303


def test_given_a_session_of_another_installation_when_used_then_it_is_no_session(house: House) -> None:
    browser = house.browser_of(NURSE)
    with house.clinic.another_program() as database:
        database.execute("UPDATE keys SET secret = 'another one' WHERE name LIKE 'board sessions%'")
    assert browser.get("/").status_code == 303


def test_given_a_signed_in_nurse_when_she_signs_out_then_the_browser_forgets_it_and_it_is_on_record(house: House) -> None:
    browser = house.browser_of(NURSE)
    answer = browser.post("/sign-out")
    assert answer.status_code == 200
    assert "Max-Age=0" in answer.headers["set-cookie"]
    browser.cookies.clear()
    assert browser.get("/").status_code == 303
    assert house.journaled("sign-out") == [(NURSE, {})]


def test_given_a_listed_address_when_a_link_is_asked_for_then_it_comes_by_mail_and_opens_the_board(house: House) -> None:
    answer = house.browser().post("/sign-in", data={"address": ADMIN.upper()})
    assert answer.status_code == 200
    assert house.woken == ["post"]
    mails = house.clinic.poll(house.now).mails
    assert [mail.recipient for mail in mails] == [ADMIN]
    browser = house.browser()
    assert browser.post(link_in(mails, ADMIN)).headers["location"] == "/"
    assert "Ada Admin" in browser.get("/").text
    assert house.journaled("sign-in") == [(ADMIN, {"how": "link on request", "role": "admin", "message": 1})]


def test_given_a_link_on_request_when_half_an_hour_is_over_then_it_has_expired(house: House) -> None:
    house.browser().post("/sign-in", data={"address": NURSE})
    link = link_in(house.clinic.poll(house.now).mails, NURSE)
    house.later(minutes=29)
    assert house.browser().get(link).status_code == 200
    house.later(minutes=1)
    assert house.browser().get(link).status_code == 410


def test_given_any_address_when_a_link_is_asked_for_then_the_answer_is_the_same(house: House) -> None:
    listed, stranger = (house.browser().post("/sign-in", data={"address": each}) for each in (NURSE, "who@hospital.example"))
    assert (listed.status_code, listed.text) == (stranger.status_code, stranger.text)
    assert [mail.recipient for mail in house.clinic.poll(house.now).mails] == [NURSE]


def test_given_any_address_when_a_link_is_asked_for_too_often_then_it_has_to_wait(house: House) -> None:
    for address in (NURSE, "who@hospital.example"):
        answers = [house.browser(peer=f"192.0.2.{n}").post("/sign-in", data={"address": address}) for n in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert answers[-1].headers["retry-after"] == "3600"
    house.later(hours=1)
    assert house.browser().post("/sign-in", data={"address": NURSE}).status_code == 200


def test_given_one_client_when_it_asks_for_links_to_many_addresses_then_it_has_to_wait(house: House) -> None:
    answers = [house.browser().post("/sign-in", data={"address": f"n{n}@hospital.example"}) for n in range(21)]
    assert [answer.status_code for answer in answers] == [200] * 20 + [429]


def test_given_a_name_from_the_proxy_when_a_page_is_asked_for_then_it_is_that_persons(house: House) -> None:
    house.reconfigure(PROXY)
    named = house.browser(peer=FROM_PROXY, headers={"X-Remote-User": "ADA"})
    assert "Ada Admin" in named.get("/").text
    assert named.get("/").status_code == 200
    by_address = house.browser(peer=FROM_PROXY, headers={"X-Remote-User": AUDITOR})
    assert "Otto Auditor" in by_address.get("/").text
    assert house.journaled("sign-in") == [
        (ADMIN, {"how": "sign-on", "role": "admin"}),
        (AUDITOR, {"how": "sign-on", "role": "auditor"}),
    ]


def test_given_a_nurses_sign_on_name_when_the_proxy_says_it_then_she_is_that_recipient(house: House) -> None:
    team = house.clinic.site.settings.teams[0]
    recipients = tuple(replace(each, user="CLINIC\\north") for each in team.recipients[:1])
    house.reconfigure(PROXY, teams=(replace(team, recipients=recipients), *house.clinic.site.settings.teams[1:]))
    named = house.browser(peer=FROM_PROXY, headers={"X-Remote-User": "clinic\\NORTH"})
    assert "Nurse North" in named.get("/").text


@pytest.mark.parametrize(
    ("peer", "sent"),
    [
        ("192.0.2.10", [("X-Remote-User", "ada")]),  # not the proxy
        ("10.1.3.3", [("X-Remote-User", "ada")]),  # beside its network
        ("10.1.2.3", []),
        ("10.1.2.3", [("X-Remote-User", "")]),
        ("10.1.2.3", [("X-Remote-User", "somebody")]),
        ("10.1.2.3", [("X-Remote-User", "ada"), ("X-Remote-User", "otto")]),
        ("10.1.2.3", [("X-Forwarded-User", "ada")]),
        ("192.0.2.10", [("X-Remote-User", "ada"), ("X-Forwarded-For", "10.1.2.3")]),
    ],
)
def test_given_no_name_that_is_believed_when_a_page_is_asked_for_then_nobody_is_signed_in(
    house: House, peer: str, sent: list[tuple[str, str]]
) -> None:
    house.reconfigure(PROXY)
    answer = house.browser(peer=peer).get("/", headers=[("Host", "127.0.0.1:8931"), *sent])
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")


def test_given_an_unknown_name_from_the_proxy_when_there_is_a_cookie_of_another_then_nobody_is_signed_in(house: House) -> None:
    house.reconfigure(PROXY)
    browser = house.browser_of(NURSE, peer=FROM_PROXY, headers={"X-Remote-User": "somebody"})
    assert browser.get("/").status_code == 303


def test_given_no_proxy_in_the_configuration_when_a_name_is_sent_then_it_is_nobodys(house: House) -> None:
    assert house.browser(peer="127.0.0.1", headers={"X-Remote-User": "ada"}).get("/").status_code == 303


def test_given_tls_in_front_when_somebody_signs_in_then_the_cookie_is_of_this_host_and_of_tls_alone(house: House) -> None:
    link = link_in(house.worse("P-1"), NURSE)
    house.reconfigure({"address": "https://alerts.hospital.example"})
    answer = house.browser(headers={"Host": "alerts.hospital.example"}).post(link)
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-bipn-session=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=lax", "Max-Age=43200"} <= {each.strip() for each in cookie.split(";")}
    assert "Domain" not in cookie
    assert answer.headers["strict-transport-security"] == "max-age=31536000"


def _take_out_of_north(house: House, address: str) -> None:
    north, *others = house.clinic.site.settings.teams
    left = tuple(each for each in north.recipients if each.address != address)
    house.reconfigure(teams=(replace(north, recipients=left), *others))


def test_given_a_span_of_the_configuration_when_links_and_sessions_age_then_it_is_theirs(house: House) -> None:
    link = link_in(house.worse("P-1"), NURSE)
    house.reconfigure({"link_valid": timedelta(hours=2), "session": timedelta(minutes=10)})
    browser = house.browser()
    assert "Max-Age=600" in browser.post(link).headers["set-cookie"]
    house.later(minutes=10)
    assert browser.get("/").status_code == 303
    house.later(hours=1)
    assert browser.get(link).status_code == 410


def test_given_a_listed_address_when_the_answer_is_complete_then_its_mail_is_still_to_be_made(house: House) -> None:
    waiting: list[int] = []

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": f"address={NURSE}".encode(), "more_body": False}

    async def send(message: Mapping[str, Any]) -> None:
        with house.clinic.site.database.read() as connection:
            waiting.append(outbox.counts(connection)["pending"])

    headers = {"host": "127.0.0.1:8931", "sec-fetch-site": "same-origin", "content-type": "application/x-www-form-urlencoded"}
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/sign-in",
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("192.0.2.10", 50000),
        "root_path": "",
    }
    asyncio.run(house.app(scope, receive, send))
    assert waiting == [0, 0]
    with house.clinic.site.database.read() as connection:
        assert outbox.counts(connection)["pending"] == 1


def test_given_a_template_of_the_clinic_that_fails_when_a_link_is_asked_for_then_it_comes_in_plain_words(house: House) -> None:
    folder = house.clinic.folder / "templates" / "link"
    folder.mkdir(parents=True)
    (folder / "body.txt").write_text("{{ mail.nothing }}", encoding="utf-8")
    house.reconfigure(templates=folder.parent)
    house.browser().post("/sign-in", data={"address": NURSE})
    link = link_in(house.clinic.poll(house.now).mails, NURSE)
    assert house.browser().get(link).status_code == 200


def test_given_links_on_request_when_the_daily_statement_is_made_then_they_are_nobodys_missing_mail(house: House) -> None:
    house.worse("P-1")
    house.browser().post("/sign-in", data={"address": NURSE})
    house.clinic.poll(house.now)
    assert not read(house.clinic.site, house.now, 7).unexplained
