"""The page of what needs correcting: what was refused, for all; contradictions, for those whose patients they are."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from monitor.service.ingest import import_paths
from tests.service.clinic import ZONE, a_clinic, on
from tests.web.house import ADMIN, AUDITOR, BOARD, FOREIGN_NURSE, NURSE, House

BAD = "patient_id,given_at,dose_mg_per_m2\nP-9,2026-01-05,much\n"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with a_clinic(tmp_path_factory.mktemp("house"), more=BOARD) as clinic:
        found = House(clinic)
        for name, site in (("P-NORTH", "North"), ("P-SOUTH", "South")):
            clinic.on_bortezomib(name, site=site)
            clinic.assess(name, 35, source=f"{name}-1", motor_grade=0, walking="unaided")
            clinic.assess(name, 35, source=f"{name}-2", motor_grade=3, walking="wheelchair")
        clinic.poll(on(35, 15))
        refused = clinic.folder / "doses.csv"
        refused.write_text(BAD, encoding="utf-8")
        import_paths(clinic.site.database, [refused], zone=ZONE, now=on(35, 16))
        yield found


def text_of(house: House, viewer: str) -> str:
    house.later(seconds=1)
    return house.browser_of(viewer).get("/data-quality").text


@pytest.mark.parametrize(
    ("viewer", "seen", "hidden"),
    [(NURSE, ["P-NORTH"], ["P-SOUTH"]), (FOREIGN_NURSE, ["P-SOUTH"], ["P-NORTH"]), (AUDITOR, ["P-NORTH", "P-SOUTH"], [])],
)
def test_given_contradictions_when_looked_at_then_each_sees_those_of_his_patients(
    house: House, viewer: str, seen: list[str], hidden: list[str]
) -> None:
    text = text_of(house, viewer)
    number = house.clinic.alert(seen[0], "conflicting-record").alert_id
    assert all(name in text for name in seen)
    assert not any(name in text for name in hidden)
    assert f'href="/alerts/{number}"' in text


def test_given_an_admin_when_he_looks_then_he_sees_all_and_opens_none(house: House) -> None:
    text = text_of(house, ADMIN)
    assert "P-NORTH" in text
    assert "P-SOUTH" in text
    assert 'href="/alerts/' not in text


@pytest.mark.parametrize("viewer", [NURSE, ADMIN, AUDITOR])
def test_given_a_refused_row_when_looked_at_then_its_place_and_remedy_are_there_and_no_value(house: House, viewer: str) -> None:
    text = text_of(house, viewer)
    assert "doses.csv, line 2" in text
    assert "dose_mg_per_m2" in text
    assert "much" not in text
    assert "P-9" not in text


def test_given_a_page_when_it_is_later_then_the_feed_is_older(house: House) -> None:
    house.now += timedelta(days=3)
    assert "3 days old" in text_of(house, NURSE)
