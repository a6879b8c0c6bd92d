"""Who looks at the board, and what each role may.

A nurse is whoever the configuration tells of patients: by name, by a calendar, as a stand-in or in an escalation step. She
works with the patients of those teams. Admins and auditors are the configuration's ``board: users:``. Who is both is a nurse:
what is told to somebody can be answered by her.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from monitor.clinical.history import Patient
from monitor.clinical.on_call import OnCall, Recipient, Team
from monitor.config.settings import Settings
from monitor.service.people import team_of

Role = Literal["nobody", "nurse", "admin", "auditor"]
Permission = Literal["anyone", "signed-in", "list", "patient", "act", "policy", "operations", "views"]

EVERY_ROLE: frozenset[Role] = frozenset({"nobody", "nurse", "admin", "auditor"})
SIGNED_IN: frozenset[Role] = EVERY_ROLE - {"nobody"}
MAY: Mapping[Permission, frozenset[Role]] = {
    "anyone": EVERY_ROLE,
    "signed-in": SIGNED_IN,
    "list": SIGNED_IN,  # open alerts; a nurse's are those of her teams
    "patient": frozenset({"nurse", "auditor"}),  # one patient's page
    "act": frozenset({"nurse"}),
    "policy": SIGNED_IN,  # the rules in force; nothing of a patient
    "operations": frozenset({"admin", "auditor"}),  # coverage and delivery: they name recipients of all teams
    "views": frozenset({"auditor"}),  # who looked at whom
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """Who asks. ``teams`` are names, a nurse's alone; ``address`` is empty for nobody."""

    name: str
    address: str
    role: Role
    teams: frozenset[str] = frozenset()
    language: Literal["en", "de"] = "en"

    def may(self, permission: Permission) -> bool:
        """Whether the role may do this at all; of whose patients is asked of ``sees``."""
        return self.role in MAY[permission]


NOBODY = Viewer(name="", address="", role="nobody")


def viewer_of(settings: Settings, address: str) -> Viewer | None:
    """Whoever the configuration knows by this mail address, in whatever letters; None for anybody else."""
    wanted = address.lower()
    return _viewer(settings, lambda address, _: address.lower() == wanted)


def viewer_by_user(settings: Settings, user: str) -> Viewer | None:
    """Whoever the configuration knows by this name of the hospital's sign-on, or by this mail address; None for anybody else."""
    wanted = user.casefold()
    by_name = _viewer(settings, lambda _, name: name is not None and name.casefold() == wanted)
    return by_name or viewer_of(settings, user)


def sees(viewer: Viewer, settings: Settings, patient: Patient) -> bool:
    """Whether the patient is one of those whom the viewer may see in lists and open; by the record as it is now."""
    if viewer.role == "nurse":
        return team_of(settings, patient).name in viewer.teams
    return viewer.role == "auditor"


def lists(viewer: Viewer, settings: Settings, patient: Patient) -> bool:
    """Whether the patient's alerts are in the viewer's list: an admin's has those of all sites, and opens none."""
    return viewer.role == "admin" or sees(viewer, settings, patient)


def people_of(settings: Settings, team: Team) -> Iterator[Recipient]:
    """Everybody who is ever told of the team's patients; one may come more than once."""
    yield from team.recipients
    named = [*team.on_call, *(name for steps in team.escalation.values() for step in steps for name in step.to)]
    for key in _with_stand_ins(settings.directory, _keys(settings.directory, named)):
        yield settings.directory.people[key].recipient


def _viewer(settings: Settings, is_wanted: Callable[[str, str | None], bool]) -> Viewer | None:
    found: Recipient | None = None
    teams = set()
    for team in settings.teams:
        for each in people_of(settings, team):
            if is_wanted(each.address, each.user):
                found = found or each
                teams.add(team.name)
    if found is not None:
        return Viewer(name=found.name, address=found.address, role="nurse", teams=frozenset(teams), language=found.language)
    for user in settings.board.users if settings.board is not None else ():
        if is_wanted(user.address, user.user):
            return Viewer(name=user.name, address=user.address, role=user.role, language=user.language)
    return None


def _keys(directory: OnCall, names: Iterable[str]) -> Iterator[str]:
    for name in names:
        rota = directory.rotas.get(name)
        if rota is None:
            yield name
        else:
            for shift in rota.shifts:
                yield from shift.people


def _with_stand_ins(directory: OnCall, keys: Iterable[str]) -> frozenset[str]:
    found: set[str] = set()
    left = list(keys)
    while left:
        key = left.pop()
        if key not in found:
            found.add(key)
            left.extend(other for away in directory.people[key].away for other in away.instead)
    return frozenset(found)
