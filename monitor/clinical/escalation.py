"""Who hears next, and when: the steps of a team for one urgency, and the hours at which a step would reach nobody.

Step 0 is told as soon as an alert is raised: the team's recipients, and whoever its on-call calendars name at that moment.
Steps 1, 2, ... are those of the team's ``escalation`` for the urgency. After the last everybody told is reminded.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from monitor.clinical.findings import Urgency
from monitor.clinical.on_call import OnCall, QuietHours, Recipient, Step, Team, quiet_until, who


def steps_of(team: Team, urgency: Urgency) -> tuple[Step, ...]:
    """The configured steps 1, 2, ...; empty where step 0 is all there is."""
    return tuple(team.escalation.get(urgency, ()))


def hearers(team: Team, urgency: Urgency, step: int, *, directory: OnCall, at: datetime, zone: ZoneInfo) -> tuple[Recipient, ...]:
    """Who is told at ``step``, at the instant ``at``, each address once. Empty: nobody is reachable, or there is no such step."""
    if step == 0:
        return _each_once(*team.recipients, *who(directory, team.on_call, at, zone))
    steps = steps_of(team, urgency)
    return who(directory, steps[step - 1].to, at, zone) if step <= len(steps) else ()


def next_hearers(
    team: Team, urgency: Urgency, after_step: int, *, directory: OnCall, at: datetime, zone: ZoneInfo
) -> tuple[int, tuple[Recipient, ...]] | None:
    """The first step after ``after_step`` (-1 for a new alert) that reaches somebody at ``at``, and whom. None: none does.

    A step that would reach nobody is passed over at once: waiting for nobody's answer is lost time.
    """
    for step in range(after_step + 1, len(steps_of(team, urgency)) + 1):
        found = hearers(team, urgency, step, directory=directory, at=at, zone=zone)
        if found:
            return step, found
    return None


def due_after(team: Team, urgency: Urgency, told_step: int, *, acknowledge_within: timedelta) -> timedelta | None:
    """How long after ``told_step`` was told, and not acknowledged, the step after it is due. None: there is none; remind."""
    steps = steps_of(team, urgency)
    if told_step >= len(steps):
        return None
    return steps[told_step].after or acknowledge_within


def held_until(urgency: Urgency, quiet: QuietHours | None, at: datetime, zone: ZoneInfo) -> datetime | None:
    """Until when a mail waits for the end of quiet hours. None: it goes now, as what is immediate always does."""
    return None if urgency is Urgency.IMMEDIATE else quiet_until(quiet, at, zone)


def _each_once(*recipients: Recipient) -> tuple[Recipient, ...]:
    found: dict[str, Recipient] = {}
    for each in recipients:
        found.setdefault(each.address.lower(), each)
    return tuple(found.values())
