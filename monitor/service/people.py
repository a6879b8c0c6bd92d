"""Who hears about a patient."""

from __future__ import annotations

from fnmatch import fnmatchcase

from monitor.clinical.history import Patient
from monitor.config.settings import Settings, Team


def team_of(settings: Settings, patient: Patient) -> Team:
    """The team the patient's record names; else the first whose sites match, exact names before patterns.

    The configuration is refused unless some team covers every site, so there is always one.
    """
    for team in settings.teams:
        if patient.team is not None and team.name == patient.team:
            return team
    site = patient.site or ""
    by_name = [team for team in settings.teams if site in team.sites]
    by_pattern = [team for team in settings.teams if any(fnmatchcase(site, pattern) for pattern in team.sites if pattern != "*")]
    for_all = [team for team in settings.teams if "*" in team.sites]
    return (by_name + by_pattern + for_all)[0]
