"""Every row of ROUTES for every role, on a patient of the own team and of a foreign one. A row without a line here fails."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Literal

import pytest
from httpx2 import Response

from monitor.web.routes import NAMED, ROUTES, Route
from monitor.web.viewer import MAY, SIGNED_IN
from tests.service.clinic import a_clinic
from tests.web.house import ADMIN, AUDITOR, BOARD, FOREIGN_NURSE, NURSE, House, link_in

Found = Literal["in", "sign in", "not you", "no such"]
"""What comes of a request: let in, led to the sign-in, told that it is not for this role, or that there is no such page."""

WHO = {"nobody": None, "nurse": NURSE, "foreign nurse": FOREIGN_NURSE, "admin": ADMIN, "auditor": AUDITOR}
PATIENTS = ("P-NORTH", "P-SOUTH")
ANYONE: dict[str, Found] = dict.fromkeys(WHO, "in")
LIST: dict[str, Found] = ANYONE | {"nobody": "sign in"}
OPERATIONS: dict[str, Found] = LIST | {"nurse": "not you", "foreign nurse": "not you"}
READ: dict[str, Found] = LIST | {"admin": "not you"}
OF_NORTH: dict[str, Found] = READ | {"foreign nurse": "no such"}
ACT_ON_NORTH: dict[str, Found] = {
    "nobody": "not you",
    "nurse": "in",
    "foreign nurse": "no such",
    "admin": "not you",
    "auditor": "not you",
}
HERS: dict[str, Found] = ACT_ON_NORTH | {"nobody": "in", "foreign nurse": "not you"}  # the link of the nurse's mail
EXPECTED: dict[tuple[str, str], dict[str, Found]] = {
    ("GET", "/static/{name}"): ANYONE,
    ("GET", "/sign-in"): ANYONE,
    ("POST", "/sign-in"): ANYONE,
    ("GET", "/in/{token}"): HERS,
    ("POST", "/in/{token}"): HERS,
    ("POST", "/sign-out"): ANYONE,
    ("GET", "/"): LIST,
    ("GET", "/find"): READ,
    ("POST", "/find"): READ | {"nobody": "not you"},
    ("GET", "/alerts/{number}"): OF_NORTH,
    ("POST", "/alerts/{number}/acknowledge"): ACT_ON_NORTH,
    ("POST", "/alerts/{number}/pass-on"): ACT_ON_NORTH,
    ("POST", "/alerts/{number}/snooze"): ACT_ON_NORTH,
    ("GET", "/policy"): LIST,
    ("GET", "/data-quality"): LIST,
    ("GET", "/health"): OPERATIONS,
    ("GET", "/coverage"): OPERATIONS,
    ("GET", "/journal"): READ | {"nurse": "not you", "foreign nurse": "not you"},
}
"""For a patient of team north, whose nurse is "nurse"; for one of team south the two nurses change places."""

SWAPPED = {"nurse": "foreign nurse", "foreign nurse": "nurse"}


@dataclass(frozen=True)
class Stage:
    """A house with a patient of each team in a wheelchair since yesterday; their alerts, and the link of each team's mail."""

    house: House
    alerts: dict[str, int]
    links: dict[str, str]

    def path(self, route: Route, team: str) -> str:
        named = {"name": "board.css", "token": self.links[team].removeprefix("/in/"), "number": str(self.alerts[team])}
        return NAMED.sub(lambda found: named[found[1]], route.path)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with a_clinic(tmp_path_factory.mktemp("house"), more=BOARD) as clinic:
        house = House(clinic)
        links = {
            "north": link_in(house.worse("P-NORTH"), NURSE),
            "south": link_in(house.worse("P-SOUTH", site="South"), FOREIGN_NURSE),
        }
        alerts = {name.removeprefix("P-").lower(): clinic.alert(name, "rapid-motor-decline").alert_id or 0 for name in PATIENTS}
        yield Stage(house, alerts, links)


def test_given_the_routes_when_compared_with_what_is_expected_then_none_is_missing_or_left_over() -> None:
    assert {(route.method, route.path) for route in ROUTES} == set(EXPECTED)


def test_given_the_routes_when_listed_then_a_path_about_a_patient_names_an_alert_and_nothing_else_does() -> None:
    for route in ROUTES:
        assert set(NAMED.findall(route.path)) <= {"number", "token", "name"}
        assert route.permission in MAY
        assert ("{number}" in route.path) <= (route.permission in ("patient", "act"))


@pytest.mark.parametrize("team", ["north", "south"])
@pytest.mark.parametrize("who", list(WHO))
@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_given_a_route_and_a_role_when_asked_then_it_is_as_expected(stage: Stage, route: Route, who: str, team: str) -> None:
    house, address = stage.house, WHO[who]
    house.later(minutes=1)  # nobody asks too often
    browser = house.browser() if address is None else house.browser_of(address)
    before = house.rows_but_the_journal()
    answer = browser.request(route.method, stage.path(route, team))
    expected = EXPECTED[route.method, route.path][who if team == "north" else SWAPPED.get(who, who)]
    assert _found(answer) == expected
    if expected != "in":
        assert house.rows_but_the_journal() == before
        assert not any(name in answer.text for name in (*PATIENTS, "wheelchair"))


@pytest.mark.parametrize("route", [each for each in ROUTES if each.method == "POST"], ids=lambda route: route.path)
def test_given_a_post_when_it_comes_from_another_site_then_it_does_nothing(stage: Stage, route: Route) -> None:
    house, path = stage.house, stage.path(route, "north")
    house.later(minutes=1)
    browser, before = house.browser_of(NURSE), house.rows_but_the_journal()
    del browser.headers["sec-fetch-site"]
    own = house.board.address
    for headers in (
        {},
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
        {"Origin": own.replace("http:", "https:")},
        {"Referer": f"{own}/"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Sec-Fetch-Site": "cross-site", "Origin": own},
        {"Sec-Fetch-Site": "Same-Origin"},
    ):
        answer = browser.post(path, headers=headers, data={"address": NURSE, "note": "x", "reason": "x", "to": NURSE})
        assert (answer.status_code, "set-cookie" in answer.headers) == (403, False), headers
    assert house.rows_but_the_journal() == before


def test_given_a_browser_that_names_only_the_origin_when_it_is_ours_then_the_post_counts(stage: Stage) -> None:
    browser = stage.house.browser()
    del browser.headers["sec-fetch-site"]
    answer = browser.post(stage.links["north"], headers={"Origin": stage.house.board.address})
    assert answer.status_code == 303


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_given_every_address_when_a_scanner_opens_it_then_nothing_is_changed_but_the_journal(stage: Stage, method: str) -> None:
    house = stage.house
    sessions = [house.browser(), *(house.browser_of(address) for address in WHO.values() if address is not None)]
    before = house.rows_but_the_journal()
    for browser, route, team in product(sessions, ROUTES, ("north", "south")):
        house.later(seconds=1)
        answer = browser.request(method, stage.path(route, team))
        assert answer.status_code < 500
        assert "set-cookie" not in answer.headers
    assert house.rows_but_the_journal() == before


def test_given_every_role_when_permissions_are_read_then_an_auditor_acts_on_nothing_and_an_admin_opens_no_patient() -> None:
    acting = {route.permission for route in ROUTES if route.method == "POST"} - {"anyone", "patient"}
    assert acting == {"act"}
    assert MAY["act"] == {"nurse"}
    assert "admin" not in MAY["patient"]
    assert all(roles <= SIGNED_IN for permission, roles in MAY.items() if permission != "anyone")


def _found(answer: Response) -> Found:
    match answer.status_code, answer.headers.get("location"):
        case 303, "/sign-in":
            return "sign in"
        case 403, _:
            return "not you"
        case 404, _:
            return "no such"
        case status, _:
            assert status in (200, 303, 400, 409, 422), status
            return "in"
