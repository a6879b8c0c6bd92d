"""Somebody says "not mine": whoever is next is told at once. It is no acknowledgement, and it silences nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, get_args

from sqlalchemy import Connection

from monitor.clinical import lifecycle
from monitor.clinical.alerts import Alert, AlertError
from monitor.clinical.escalation import steps_of
from monitor.config.settings import Team
from monitor.said import Said, say
from monitor.service import acts, alarms, chains
from monitor.service.acts import Actor, How
from monitor.service.mailing import records_of
from monitor.service.opening import Site
from monitor.service.people import goes_at, team_of, told_from
from monitor.store import alerts, correspondence, escalations, withheld

Outcome = Literal["next", "told-already", "nobody"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)

PASSED_ON = "passed-on"
"""The act, as events and the journal name it. What belongs to it is kept as "not-mine:next:2:nurse@hospital.example"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PassedOn:
    """What came of it. ``names`` are told at ``at``, or were told before; empty where nobody is next.

    ``again``: the same person had passed it on before, and this changed nothing.
    """

    alert: Alert
    outcome: Outcome
    names: tuple[str, ...]
    at: datetime
    operations_told: bool
    again: bool = False

    @property
    def words(self) -> Said:
        """For whoever passed it on."""
        names = ", ".join(self.names)
        match self.outcome:
            case "next":
                return say("Passed on. Told next, at {at}: {names}. The alert stays open.", names=names, at=self.at)
            case "told-already":
                return say("Noted. Told after you, and asked to answer: {names}. The alert stays open.", names=names)
            case "nobody" if self.operations_told:
                return say("Nobody is next for this alert. The administrator is told. It stays open, and you are reminded.")
            case "nobody":
                return say("Nobody is next for this alert. It stays open, and you are reminded: call whoever can answer for it.")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Decided:
    """Which step is told, 0 for none, and the names of those it reaches."""

    outcome: Outcome
    step: int
    names: tuple[str, ...] = ()


def pass_on(
    site: Site,
    alert_text: str,
    *,
    by: str,
    address: str,
    reason: str | None,
    now: datetime,
    how: How = "board",
    seen_of: datetime | None = None,
) -> PassedOn:
    """Hand ``A-12`` to whoever is next, in one transaction. A second time by the same person changes nothing.

    Raises UsageError for an alert that is not known, that somebody has taken on, that is closed, or whose cause is over;
    ChangedSinceError as ``acknowledge``. A snooze ends with it. The next mail leaves with the escalation's next run.
    """
    with site.database.write("pass on") as connection:
        before = acts.find(connection, alert_text)
        said = _said_before(site, connection, before, address)
        if said is not None and before.state == "open":
            return said
        acts.refuse_unseen(before, seen_of)
        try:
            alert = lifecycle.pass_on(before, by=by)
        except AlertError as error:
            raise acts.refused(alert_text, error) from None
        team = _team(site, connection, alert)
        decided = _next(site, connection, alert, team, address, now)
        what = f"not-mine:{decided.outcome}:{decided.step}:{address.lower()}"
        actor = Actor(name=by, how=how, address=address)
        acts.record(connection, alert, PASSED_ON, actor, note=reason, now=now, what=what, told_next=decided.names)
        if alert != before:
            withheld.release(connection, acts.ids(alert), now)
        if decided.outcome == "next":
            _bring_forward(site, connection, alert, team, decided.step, by, now)
        elif decided.outcome == "nobody":
            alarms.raise_alarm(site, connection, nobody_next(alert, team), now)
        return _passed_on(site, alert, team, decided, now)


def said_before(site: Site, alert: Alert, address: str) -> PassedOn | None:
    """What came of it when this person passed the alert on, since it last spoke; None where he did not."""
    with site.database.read() as connection:
        return _said_before(site, connection, alert, address)


def nobody_next(alert: Alert, team: Team) -> alarms.Alarm:
    """Somebody passed an alert on, and its chain has nobody left to tell."""
    return alarms.Alarm(
        problem=say(
            "alert {alert} was passed on, and nobody is next for team {team}", alert=f"A-{alert.alert_id}", team=team.name
        ),
        consequence=say("it stays open, and those told before are reminded; nobody else is asked"),
        remedies=(say("Call whoever can answer for it; name a further step under `escalation:`."), alarms.LOOK_AT_STATUS),
        occasion=f"nobody next A-{alert.alert_id} {alert.raised_at.isoformat()}",
    )


def _next(site: Site, connection: Connection, alert: Alert, team: Team, address: str, now: datetime) -> _Decided:
    """Nobody is passed over who was told after this person: he has hardly read it. Else the first step with somebody new."""
    told = _told(connection, alert, now)
    later = _told_after(told, address)
    if later:
        return _Decided(outcome="told-already", step=0, names=later)
    before = {each.address.lower() for each in told} | {address.lower()}
    row = escalations.waiting(connection, acts.ids(alert)).get(alert.alert_id or 0)
    step = 1 if row is None else row.step
    at = goes_at(site.settings, team, alert.urgency, now)
    while step <= len(steps_of(team, alert.urgency)):
        found = told_from(site.settings, team, alert.urgency, step, at)
        if found is None:
            break
        new = tuple(each.name for each in found[1] if each.address.lower() not in before)
        if new:
            return _Decided(outcome="next", step=found[0], names=new)
        step = found[0] + 1
    return _Decided(outcome="nobody", step=0)


def _told(connection: Connection, alert: Alert, now: datetime) -> list[correspondence.Told]:
    """To whom it was written since it last spoke, oldest first; without what is held for later."""
    about = dict.fromkeys(acts.ids(alert), alert.patient_id)
    found = correspondence.told_by_alert(connection, about, not_held_at=now)
    return [each for several in found.values() for each in several if each.created_at >= alert.raised_at]


def _told_after(told: Sequence[correspondence.Told], address: str) -> tuple[str, ...]:
    """The names of those who were told for the first time after this person; whoever was never told counts as the first."""
    first: dict[str, correspondence.Told] = {}
    for each in told:
        first.setdefault(each.address.lower(), each)
    if not first:
        return ()
    mine = first.pop(address.lower(), None)
    at = mine.created_at if mine is not None else min(each.created_at for each in first.values())
    return tuple(each.name for each in first.values() if each.reached and each.created_at > at)


def _bring_forward(site: Site, connection: Connection, alert: Alert, team: Team, step: int, by: str, now: datetime) -> None:
    chains.begin(site, connection, [alert], team=team, told_step=step - 1, leaves_at=now)  # where none runs yet
    for number in acts.ids(alert):
        escalations.hand_to(connection, number, step, now, why=f"passed on by {by}")


def _said_before(site: Site, connection: Connection, alert: Alert, address: str) -> PassedOn | None:
    """From the event that was kept then: who is next is looked up again."""
    events = [each for number in acts.ids(alert) for each in alerts.events_of(connection, [number])[number]]
    ending = f":{address.lower()}"
    mine = [
        each for each in events if each.reason == PASSED_ON and each.at >= alert.raised_at and (each.what or "").endswith(ending)
    ]
    if not mine:
        return None
    then, what = mine[-1].at, (mine[-1].what or "").split(":")
    outcome: Outcome = next((each for each in OUTCOMES if each == what[1]), "nobody")
    step = int(what[2])
    team = _team(site, connection, alert)
    names: tuple[str, ...] = ()
    if outcome == "next":
        found = told_from(site.settings, team, alert.urgency, step, goes_at(site.settings, team, alert.urgency, then))
        names = tuple(each.name for each in found[1] if each.address.lower() != address.lower()) if found is not None else ()
    elif outcome == "told-already":
        names = _told_after([each for each in _told(connection, alert, then) if each.created_at <= then], address)
    decided = _Decided(outcome=outcome, step=step, names=names)
    return replace(_passed_on(site, alert, team, decided, then), again=True)


def _passed_on(site: Site, alert: Alert, team: Team, decided: _Decided, now: datetime) -> PassedOn:
    return PassedOn(
        alert=alert,
        outcome=decided.outcome,
        names=decided.names,
        at=goes_at(site.settings, team, alert.urgency, now).astimezone(site.settings.time_zone),
        operations_told=site.settings.operations is not None,
    )


def _team(site: Site, connection: Connection, alert: Alert) -> Team:
    return team_of(site.settings, records_of(site, connection, [alert.patient_id])[alert.patient_id].patient)
