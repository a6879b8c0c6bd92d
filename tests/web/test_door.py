"""What the door lets in, what it turns away, and that nothing goes past it."""

from __future__ import annotations

from starlette.responses import PlainTextResponse, Response

from monitor.web.asked import Asked
from monitor.web.routes import Route
from tests.web.house import NURSE, House


def _who(asked: Asked) -> Response:
    return PlainTextResponse(f"{asked.viewer.name}, {asked.viewer.role}, {sorted(asked.viewer.teams)}")


def test_given_a_session_when_a_page_is_asked_for_then_it_is_served_to_whoever_it_is(house: House) -> None:
    open_house = House(house.clinic, more_routes=[Route("GET", "/who", "list", _who)])
    assert open_house.browser_of(NURSE).get("/who").text == "Nurse North, nurse, ['north']"


def test_given_nobody_when_a_page_is_asked_for_then_he_is_led_to_the_sign_in(house: House) -> None:
    open_house = House(house.clinic, more_routes=[Route("GET", "/who", "list", _who)])
    answer = open_house.browser().get("/who")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
