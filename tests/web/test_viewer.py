"""Who is who on the board, by the configuration alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.config.settings import Settings, load_settings
from monitor.web.viewer import lists, sees, viewer_by_user, viewer_of
from tests.builders import a_patient

CONFIG = """\
time_zone: Europe/Berlin
database: sqlite:///site.db
guideline: us-label
mail:
  sender: alerts@h.example
  relay: {host: 127.0.0.1, port: 25, insecure: true}
teams:
  north:
    sites: ["*"]
    recipients: [{name: Desk, address: Desk@h.example, language: de, user: desk}]
    on_call: [ward, lang]
    escalation:
      immediate: [{to: [chief], after: 30 min}]
  south:
    sites: [South]
    recipients: [{name: Desk, address: desk@h.example}, {name: South, address: south@h.example}]
    escalation:
      same-day: [{to: [ward]}]
people:
  berger: {name: N. Berger, address: berger@h.example, user: 'CLINIC\\berger'}
  lang:
    name: O. Lang
    address: lang@h.example
    away: [{from: 2026-12-20, until: 2027-01-05, instead: [ilg]}]
  ilg:
    name: P. Ilg
    address: ilg@h.example
    away: [{from: 2026-12-20, until: 2027-01-05, instead: [roth]}]
  roth: {name: T. Roth, address: roth@h.example}
  chief: {name: Chief, address: chief@h.example}
  spare: {name: Spare, address: spare@h.example}
on_call:
  ward:
    - {days: mon, from: "07:00", until: "08:00", people: [berger]}
operations: {address: it@h.example}
board:
  port: 8480
  address: https://alerts.h.example
  users:
    - {name: IT, address: it@h.example, role: admin, language: de}
    - {name: Audit, address: audit@h.example, role: auditor}
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    path = tmp_path / "monitor.yaml"
    path.write_text(CONFIG, encoding="utf-8")
    return load_settings(path)


@pytest.mark.parametrize(
    ("address", "teams"),
    [
        ("DESK@h.example", {"north", "south"}),
        ("south@h.example", {"south"}),
        ("berger@h.example", {"north", "south"}),  # by a calendar, in one team first and in the other as its next step
        ("lang@h.example", {"north"}),
        ("ilg@h.example", {"north"}),  # stands in
        ("roth@h.example", {"north"}),  # stands in for who stands in
        ("chief@h.example", {"north"}),
    ],
)
def test_given_somebody_who_is_ever_told_when_looked_up_then_a_nurse_of_those_teams(
    settings: Settings, address: str, teams: set[str]
) -> None:
    viewer = viewer_of(settings, address)
    assert viewer is not None
    assert (viewer.role, set(viewer.teams)) == ("nurse", teams)


@pytest.mark.parametrize("address", ["spare@h.example", "alerts@h.example", "", "desk", "*"])
def test_given_somebody_who_is_never_told_when_looked_up_then_nobody(settings: Settings, address: str) -> None:
    assert viewer_of(settings, address) is None


@pytest.mark.parametrize(("address", "role"), [("it@h.example", "admin"), ("AUDIT@h.example", "auditor")])
def test_given_a_user_of_the_board_when_looked_up_then_it_has_that_role(settings: Settings, address: str, role: str) -> None:
    viewer = viewer_of(settings, address)
    assert viewer is not None
    assert (viewer.role, set(viewer.teams)) == (role, set())


@pytest.mark.parametrize(
    ("user", "name"), [("desk", "Desk"), ("clinic\\BERGER", "N. Berger"), ("it@h.example", "IT"), ("berger", None), ("", None)]
)
def test_given_a_sign_on_name_when_looked_up_then_it_is_whose_it_is(settings: Settings, user: str, name: str | None) -> None:
    viewer = viewer_by_user(settings, user)
    assert (viewer.name if viewer else None) == name


@pytest.mark.parametrize(
    ("address", "site", "team", "seen", "listed"),
    [
        ("south@h.example", "South", None, True, True),
        ("south@h.example", "North", None, False, False),
        ("south@h.example", "North", "south", True, True),  # the record names the team
        ("south@h.example", None, None, False, False),
        ("chief@h.example", "South", None, False, False),
        ("chief@h.example", None, "who knows", True, True),
        ("it@h.example", "South", None, False, True),
        ("audit@h.example", "South", None, True, True),
    ],
)
def test_given_a_patient_when_a_viewer_looks_then_by_the_team_of_the_record(
    settings: Settings, address: str, site: str | None, team: str | None, seen: bool, listed: bool
) -> None:
    viewer, patient = viewer_of(settings, address), a_patient(site=site, team=team)
    assert viewer is not None
    assert (sees(viewer, settings, patient), lists(viewer, settings, patient)) == (seen, listed)
