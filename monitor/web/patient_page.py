"""``GET /alerts/{number}``: the patient of that alert, with the alert in focus: what changed, why, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from markupsafe import Markup
from sqlalchemy import Connection
from starlette.responses import Response

from monitor.clinical.alerts import Alert
from monitor.clinical.evaluate import evaluate
from monitor.clinical.findings import Criterion, Review
from monitor.clinical.history import History
from monitor.clinical.situation import situate
from monitor.delivery import compose
from monitor.delivery.facts import AlertFacts
from monitor.delivery.gaps import missing_in_words
from monitor.delivery.weighed import rows_of, weigh
from monitor.delivery.wording import RULE_TITLES
from monitor.service.figure_of import figure_svg
from monitor.service.mailing import mail_site
from monitor.service.opening import Site
from monitor.service.people import team_of
from monitor.service.views import record_view
from monitor.store import alerts, board, escalations, histories, withheld
from monitor.web.act_forms import ActForms, act_forms
from monitor.web.asked import Asked
from monitor.web.happened import Happened, happened
from monitor.web.rendering import page
from monitor.web.told import ToldWords, told_words

ACTIVE = ("open", "acknowledged")
EVERY_ROW = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleWords:
    """What one rule says of the patient now. ``urgency`` is None where it does not hold."""

    rule: str
    title: str
    urgency: str | None
    headline: str | None
    criteria: tuple[Criterion, ...]
    missing: tuple[str, ...]
    turning: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertWords:
    """One alert of the patient's history. ``mails`` are those that named it, the newest first."""

    number: int
    urgency: str
    state: str
    title: str
    headline: str
    raised_at: datetime
    closed_at: datetime | None
    mails: tuple[ToldWords, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """All that is read of one patient."""

    history: History | None
    unreadable: str | None
    alerts: tuple[Alert, ...]
    happened: tuple[Happened, ...]
    told: dict[int, list[board.Told]]


def show(asked: Asked, *, acts: ActForms | None = None, status: int = 200) -> Response:
    """Reads everything, changes nothing; that somebody looked is written into the journal first.

    ``acts`` are forms that were sent and refused, with what was written in them.
    """
    site, now, focus = asked.site, asked.now, asked.alert
    record_view(site, asked.viewer, focus.patient_id, now)
    with site.database.read() as connection:
        record = _record(site, connection, focus.patient_id)
    known = None if record.history is None else record.history.as_known_at(now)
    spoken_of = _spoken_of(focus, record.alerts)
    facts = None if known is None else _facts(site, known, spoken_of, now)
    review = None if record.history is None else evaluate(record.history, site.policy, now)
    return page(
        asked,
        "patient.html",
        status=status,
        patient_id=focus.patient_id,
        display_name=known.patient.display_name if known is not None and site.settings.privacy == "identified" else None,
        place=known.patient.site if known is not None else None,
        team=team_of(site.settings, asked.about.patient).name if asked.about is not None else "",
        alert=focus,
        focus=_alert_words(focus, record, now),
        facts=facts,
        figure=None if known is None else _figure(asked, known, spoken_of),
        unreadable=record.unreadable,
        rules=() if review is None else _rules(review, facts),
        others=tuple(_alert_words(each, record, now) for each in reversed(record.alerts)),
        happened=record.happened,
        acts=acts or act_forms(asked),
    )


def _record(site: Site, connection: Connection, patient_id: str) -> Record:
    loaded = histories.load(connection, [patient_id], site.policy.zone)
    kept = alerts.all_alerts(connection, patient_id=patient_id)
    ids = [alert.alert_id for alert in kept if alert.alert_id is not None]
    events = [event for several in alerts.events_of(connection, ids).values() for event in several]
    since = min(alert.opened_at for alert in kept)
    return Record(
        history=loaded.histories.get(patient_id),
        unreadable=loaded.unreadable.get(patient_id),
        alerts=tuple(kept),
        happened=happened(events, escalations.history_of(connection, ids), withheld.of_alerts(connection, ids)),
        told=board.told(connection, dict.fromkeys(ids, patient_id), since=since),
    )


def _spoken_of(focus: Alert, every: Sequence[Alert]) -> list[Alert]:
    """The alerts that the head of the page speaks of: as a mail would, all that are open; a closed one by itself."""
    if focus.state not in ACTIVE:
        return [focus]
    return [each for each in every if each.state == "open" or each.alert_id == focus.alert_id]


def _facts(site: Site, known: History, spoken_of: Sequence[Alert], now: datetime) -> AlertFacts:
    """What a mail would say of them now, with the whole course: who may open the page may see what a mail might not show."""
    weighed = weigh(known, site.policy, now, spoken_of)
    facts = compose.alert_facts(
        spoken_of,
        site=replace(mail_site(site, team_of(site.settings, known.patient).name), privacy="pseudonym"),
        history=known,
        situation=situate(known, site.policy, now),
        now=now,
        weighed=weighed,
    )
    trend, trend_more = rows_of(weighed, at_most=EVERY_ROW)
    return replace(facts, trend=trend, trend_more=trend_more)


def _figure(asked: Asked, known: History, spoken_of: Sequence[Alert]) -> Markup | None:
    """The mail's figure as a picture in the page; its words are escaped where it is made."""
    findings = [alert.finding for alert in spoken_of]
    svg = figure_svg(asked.site.policy, known, findings, asked.viewer.language, asked.now)
    return None if svg is None else Markup(svg)  # noqa: S704  # as above


def _rules(review: Review, facts: AlertFacts | None) -> tuple[RuleWords, ...]:
    turning = {} if facts is None else {each.rule: each.turning for each in facts.findings}
    findings = {finding.rule: finding for finding in review.findings}
    rules = []
    for answer in review.answers:
        finding = findings.get(answer.rule)
        rules.append(
            RuleWords(
                rule=answer.rule,
                title=RULE_TITLES.get(answer.rule, answer.rule),
                urgency=None if finding is None else finding.urgency.value,
                headline=None if finding is None else finding.headline,
                criteria=answer.criteria,
                missing=() if finding is None else tuple(missing_in_words(answer.rule, name) for name in finding.missing),
                turning=turning.get(answer.rule, ()),
            )
        )
    return tuple(sorted(rules, key=lambda each: each.urgency is None))


def _alert_words(alert: Alert, record: Record, now: datetime) -> AlertWords:
    number = alert.alert_id or 0
    return AlertWords(
        number=number,
        urgency=alert.urgency.value,
        state=alert.state,
        title=compose.title_of(alert.finding),
        headline=alert.finding.headline,
        raised_at=alert.raised_at,
        closed_at=alert.closed_at,
        mails=tuple(reversed(told_words(record.told.get(number, []), now))),
    )
