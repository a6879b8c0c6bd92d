"""Whatever is sent, the answer is a page of ours with its headers, and no defect."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.web.headers import ALWAYS
from monitor.web.routes import NAMED, ROUTES, Route
from tests.service.clinic import a_clinic
from tests.web.house import ADMIN, AUDITOR, BOARD, NURSE, House

PARTS = st.sampled_from(
    ["1", "2", "0", "-1", "99", "9" * 18, "9" * 19, "\u0661", "x", "board.css", "%00", "..", "a b", "A-1", "\u00e9"]
)
NAMES = st.sampled_from(["q", "patient", "address", "what", "note", "until", "reason", "to", "by", "seen", "still", "since", "x"])
VALUES = st.one_of(
    st.sampled_from(
        ["", "1", "-1", "9" * 19, "2026-02-31", "2026-02-10T25:00", "9999-12-31T23:59", "0001-01-01", "'; --", "%", "_"]
    ),
    st.text(max_size=40),
)
FIELDS = st.dictionaries(NAMES, VALUES, max_size=6)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with a_clinic(tmp_path_factory.mktemp("house"), more=BOARD) as clinic:
        house = House(clinic)
        house.worse("P-1")
        yield house


@settings(max_examples=150, deadline=None)
@given(
    route=st.sampled_from(ROUTES),
    parts=st.lists(PARTS, min_size=2, max_size=2),
    query=FIELDS,
    form=FIELDS,
    who=st.sampled_from([None, NURSE, ADMIN, AUDITOR]),
)
def test_given_any_request_when_sent_then_no_defect(
    house: House, route: Route, parts: list[str], query: dict[str, str], form: dict[str, str], who: str | None
) -> None:
    left = iter(parts)
    path = NAMED.sub(lambda _: next(left), route.path)
    house.later(minutes=1)
    browser = house.browser() if who is None else house.browser_of(who)
    data = form if route.method == "POST" else None
    answer = browser.request(route.method, path, params=query or None, data=data)
    assert answer.status_code < 500, (route.method, path, query, form)
    assert {name: answer.headers[name] for name in ALWAYS} == ALWAYS
