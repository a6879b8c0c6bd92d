"""The forms on a patient's page by which a nurse answers for an alert, and what is said after one was sent.

No words of an answer stand in an address: ``?said=`` names one of a few sentences, made anew from what is stored.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from monitor.clinical.alerts import Alert
from monitor.clinical.lifecycle import SNOOZE_AT_MOST
from monitor.delivery.compose import title_of
from monitor.delivery.wording import duration_in_words
from monitor.said import Said, say
from monitor.service.ack_kinds import DISAGREEMENTS, OUTCOMES, RE_TEST_WITHIN
from monitor.service.acts import LONGEST_TEXT
from monitor.service.passing_on import said_before
from monitor.service.people import team_of, told_from
from monitor.store import alerts, escalations
from monitor.web.asked import Asked

FormName = Literal["", "acknowledge", "pass-on", "snooze"]
RE_TEST = "re-test-booked"

_OUTCOMES = {"held": say("Held"), "reduced": say("Reduced"), "unchanged": say("Unchanged")}
_DISAGREEMENTS = {
    "noise": say("Measured differently, not worse"),
    "known-cause": say("Another cause is known"),
    "wrong-data": say("The record is wrong"),
    "rule-too-sensitive": say("The rule is too sensitive"),
    "other": say("Another reason (please say which below)"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One radio button. ``day``: a day belongs to it."""

    value: str
    words: Said
    chosen: bool
    day: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Answers that belong together; ``legend`` empty where there is one alone."""

    legend: str
    answers: tuple[Answer, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """What somebody wrote into a form that was refused, to be shown again; ``problem`` says why."""

    form: FormName = ""
    problem: str = ""
    what: str = "seen"
    without: tuple[int, ...] = ()  # further alerts that the answer is not for
    note: str = ""
    on: str = ""
    reason: str = ""
    until: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Further:
    """Another open alert of the patient, which may get the same answer."""

    number: int
    urgency: str
    title: str
    seen_of: str
    chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ActForms:
    """All that ``acts.html`` prints. ``status`` is said of an act just done; ``changed``: it was refused, look again."""

    number: int
    name: str
    status: str
    changed: bool
    may_answer: bool
    may_pass_on: bool
    seen_of: str
    filled: Filled
    groups: tuple[Group, ...]
    further: tuple[Further, ...]
    day_from: str
    day_until: str
    next_words: str
    snooze_words: str
    may_snooze: bool
    until_from: str
    until_until: str
    longest: int


def act_forms(asked: Asked, filled: Filled | None = None) -> ActForms:
    """The forms for the alert of the path, and the message of the act that led here."""
    alert, zone, filled = asked.alert, asked.site.settings.time_zone, filled or Filled()
    today = asked.now.astimezone(zone).date()
    at_most = SNOOZE_AT_MOST.get(alert.urgency)
    may_answer = asked.viewer.may("act") and alert.state == "open"
    said = asked.query.get("said", "")
    return ActForms(
        number=alert.alert_id or 0,
        name=f"A-{alert.alert_id}",
        status=status_words(asked, said),
        changed=said == CHANGED,
        may_answer=may_answer,
        may_pass_on=may_answer and alert.holds,
        seen_of=alert.raised_at.isoformat(),
        filled=filled,
        groups=tuple(_groups(filled.what if filled.form == "acknowledge" else "seen")),
        further=tuple(_further(asked, filled)) if may_answer else (),
        day_from=today.isoformat(),
        day_until=(today + RE_TEST_WITHIN).isoformat(),
        next_words=_next_words(asked) if may_answer else "",
        snooze_words=_snooze_words(at_most),
        may_snooze=at_most is not None,
        until_from=_minute(asked.now, asked),
        until_until=_minute(asked.now + (at_most or timedelta()), asked),
        longest=LONGEST_TEXT,
    )


ACKNOWLEDGED, BEFORE_YOU, PASSED_ON, SNOOZED, CHANGED = "acknowledged", "before-you", "passed-on", "snoozed", "changed"


def status_words(asked: Asked, said: str) -> str:
    """What is said of the act that led to this page; empty for none, and where it holds no longer."""
    alert, zone = asked.alert, asked.site.settings.time_zone
    if said == CHANGED:
        return say("Not done: the alert has changed since your page was made. Look at it as it is now, and answer again.")
    if said == PASSED_ON:
        passed = said_before(asked.site, alert, asked.viewer.address)
        return "" if passed is None else passed.words
    if said == SNOOZED and alert.snoozed_until is not None:
        return say("Snoozed until {at}. Worse news ends that.", at=alert.snoozed_until.astimezone(zone))
    if alert.acknowledged_at is None or said not in (ACKNOWLEDGED, BEFORE_YOU):
        return ""
    name, at = alert.acknowledged_by or "", alert.acknowledged_at.astimezone(zone)
    if said == BEFORE_YOU:
        return say("{name} had acknowledged it before you, at {at}; that stands, yours was not needed.", name=name, at=at)
    if alert.state == "resolved":
        return say("Acknowledged, and closed: what it told of is over.")
    return say("Acknowledged. Nobody else is told, no reminder goes.")


def further_alerts(asked: Asked) -> list[Alert]:
    """The other open alerts of the patient, the most urgent first."""
    with asked.site.database.read() as connection:
        every = alerts.of_patients(connection, [asked.alert.patient_id], ("open",))[asked.alert.patient_id]
    others = [each for each in every if each.alert_id != asked.alert.alert_id]
    return sorted(others, key=lambda each: (-each.urgency.rank, each.raised_at))


def _further(asked: Asked, filled: Filled) -> Iterable[Further]:
    for each in further_alerts(asked):
        number = each.alert_id or 0
        yield Further(
            number=number,
            urgency=each.urgency.value,
            title=title_of(each.finding),
            seen_of=each.raised_at.isoformat(),
            chosen=number not in filled.without,
        )


def _groups(chosen: str) -> Iterable[Group]:
    def answer(value: str, words: Said, *, day: bool = False) -> Answer:
        return Answer(value=value, words=words, chosen=chosen == value, day=day)

    yield Group(legend="", answers=(answer("seen", say("Seen, I take it on")),))
    doses = tuple(answer(f"dose-reviewed:{each}", _OUTCOMES[each]) for each in OUTCOMES)
    yield Group(legend=say("Dose reviewed"), answers=doses)
    yield Group(legend=say("Re-test"), answers=(answer(RE_TEST, say("Booked"), day=True),))
    others = tuple(answer(f"disagree:{each}", _DISAGREEMENTS[each]) for each in DISAGREEMENTS)
    yield Group(legend=say("I disagree"), answers=others)


def _next_words(asked: Asked) -> str:
    """Who is asked next, as the form to pass it on says before anybody presses it."""
    settings, alert = asked.site.settings, asked.alert
    if asked.about is None:
        return ""
    team = team_of(settings, asked.about.patient)
    with asked.site.database.read() as connection:
        row = escalations.waiting(connection, [alert.alert_id or 0]).get(alert.alert_id or 0)
    found = told_from(settings, team, alert.urgency, 1 if row is None else row.step, asked.now)
    if found is None:
        return say("Nobody is next for team {team}: the administrator would be told.", team=team.name)
    return say("Next is: {names}.", names=", ".join(each.name for each in found[1]))


def _snooze_words(at_most: timedelta | None) -> str:
    if at_most is None:
        return say("An immediate alert cannot be snoozed. Acknowledge it when somebody has taken it on, or pass it on.")
    return say(
        "For at most {duration} from now. Nobody is reminded until then; worse news ends it.", duration=duration_in_words(at_most)
    )


def _minute(at: datetime, asked: Asked) -> str:
    """As a browser's field for a day and a time wants it: the clinic's clock, no offset."""
    return at.astimezone(asked.site.settings.time_zone).strftime("%Y-%m-%dT%H:%M")
