"""From the domain to the facts of a mail: the one place where what a reader may see is chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from monitor.clinical.alerts import Alert
from monitor.clinical.findings import Criterion, Evidence, Finding, Urgency
from monitor.clinical.history import Fact, History
from monitor.clinical.other_guidelines import OtherAnswer
from monitor.clinical.policy import Policy
from monitor.clinical.situation import Situation
from monitor.delivery.background import background_facts, drug_facts
from monitor.delivery.facts import AlertFacts, FindingFacts, PatientFacts, PolicyFacts, TimeFacts, UrgencyFacts
from monitor.delivery.gaps import missing_in_words
from monitor.delivery.left_out import or_without
from monitor.delivery.told import disagreement_in_words, said_once, situation_in_words, turned_once
from monitor.delivery.weighed import Weighed, rows_of, weigh
from monitor.delivery.wording import (
    ASK_IN_REVIEW,
    ASK_OTHERWISE,
    ASK_WITHOUT_DOSE_ACTION,
    ASKS,
    DIFFERENTIALS,
    NOT_APPROVED,
    NOTHING_TURNS_IT,
    NOTICE,
    RULE_TITLES,
    WEAKNESS_RULES,
    WORK_UP,
    action_in_words,
    day_in_words,
    instant_in_words,
    urgency_in_words,
)
from monitor.said import Said, say

OF_ANOTHER_GUIDELINE = "guideline-"
"""So begin criteria that tell another guideline's table; in a mail its answer has a place of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What the configuration says about all mails of one team."""

    policy: Policy
    privacy: Literal["none", "pseudonym", "identified"]
    acknowledge_within: Mapping[Urgency, timedelta]
    team: str | None = None


def alert_facts(
    alerts: Sequence[Alert],
    *,
    site: Site,
    history: History,
    situation: Situation | None,
    now: datetime,
    weighed: Weighed | None = None,
    others_told: Sequence[str] = (),
    received_at: datetime | None = None,
    leaves_at: datetime | None = None,
    told_next: tuple[datetime, Sequence[str]] | None = None,
    taken_over_from: Sequence[str] = (),
) -> AlertFacts:
    """The facts of one patient's mail. ``alerts`` have their ids and are not empty; ``history`` is as known at ``now``.

    ``weighed`` is worked out here where it is not handed in; ``received_at`` is when the newest record of the evidence came
    in; ``leaves_at`` is when the mail goes where it is held back over quiet hours; ``told_next`` is when and to whom it is
    passed on unless somebody acknowledges (to nobody else: everyone is told again); ``taken_over_from`` are those told while
    the patient was another team's.
    """
    ordered = sorted(alerts, key=lambda alert: -alert.urgency.rank)
    lead = ordered[0]
    weighed = weighed or weigh(history, site.policy, now, ordered)
    names = tuple(alert_name(alert) for alert in ordered)
    on_drug = situation is not None and situation.on_drug
    findings = turned_once([_finding(alert, site, history, weighed, on_drug=on_drug) for alert in ordered])
    facts = AlertFacts(
        urgency=urgency_facts(lead.urgency, site, on_drug=on_drug),
        alerts=names,
        patient=patient_facts(history, site),
        changed=said_once([alert.finding.headline for alert in ordered]),
        guideline_says=next((each.guideline_says for each in findings if each.guideline_says is not None), None),
        findings=findings,
        drug=or_without("drug", lambda: drug_facts(situation), None),
        ask=tuple(dict.fromkeys(ask_of(alert.finding) for alert in ordered))[:2],
        acknowledge_by=instant_in_words((leaves_at or lead.raised_at) + site.acknowledge_within[lead.urgency], site.policy.zone),
        acknowledge_with=tuple(f"bipn-monitor ack {name} --by NAME" for name in names),
        told_next=None if told_next is None else told_next_in_words(*told_next, site),
        others_told=tuple(others_told),
        taken_over_from=tuple(taken_over_from),
        differentials=(),
        other_guidelines=(),
        times=_times(ordered, site, history, received_at, now),
        policy=policy_facts(site.policy),
        notice=NOTICE,
    )
    return _in_depth(facts, ordered, site, situation, weighed)


def _in_depth(
    facts: AlertFacts, alerts: Sequence[Alert], site: Site, situation: Situation | None, weighed: Weighed
) -> AlertFacts:
    """With all that stands below the first lines: situation, background, course, and what to think of."""
    shown = site.privacy != "none"
    trend, trend_more = rows_of(weighed) if shown else ((), None)
    weak = any(_weakness(alert.finding) for alert in alerts)
    return replace(
        facts,
        situation=tuple(situation_in_words(each) for each in facts.findings),
        background=or_without("background", lambda: background_facts(situation), ()) if shown else (),
        trend=trend,
        trend_more=trend_more,
        differentials=DIFFERENTIALS if weak else (),
        work_up=WORK_UP if weak else (),
        other_guidelines=tuple(_other(each) for each in weighed.others),
        disagreement=disagreement_in_words([each.guideline for each in weighed.others if not each.same]),
    )


def policy_facts(policy: Policy) -> PolicyFacts:
    """Which numbers decided."""
    return PolicyFacts(
        guideline=policy.guideline.title,
        guideline_version=policy.guideline.version,
        thresholds_version=policy.thresholds.version,
        sha256=policy.sha256[:12],
        approved_by=policy.thresholds.approved_by or NOT_APPROVED,
    )


def alert_name(alert: Alert) -> str:
    """ "A-12", as people write it. Raises ValueError for an alert that was not kept yet."""
    if alert.alert_id is None:
        raise ValueError("an alert without an id cannot be told: nobody could acknowledge it")
    return f"A-{alert.alert_id}"


def ask_of(finding: Finding) -> str:
    """What the mail asks the nurse for; never a treatment."""
    if finding.rule == "dose-modification" and finding.action is not None and finding.action.kind == "none":
        return ASK_WITHOUT_DOSE_ACTION
    if finding.urgency is Urgency.REVIEW and finding.rule in ASK_IN_REVIEW:
        return ASK_IN_REVIEW[finding.rule]
    return ASKS.get(finding.rule, ASK_OTHERWISE)


def told_next_in_words(at: datetime, people: Sequence[str], site: Site) -> Said:
    """When it is passed on unless somebody acknowledges, and to whom; to nobody else: everyone is told again."""
    when = instant_in_words(at, site.policy.zone)
    if not people:
        return say("{at}: told again", at=when)
    return say("{at}: told to {people}", at=when, people=", ".join(people))


def urgency_facts(urgency: Urgency, site: Site, *, on_drug: bool = False) -> UrgencyFacts:
    """How fast to look, with the site's time to acknowledge."""
    return urgency_in_words(urgency, within=site.acknowledge_within[urgency], on_drug=on_drug)


def patient_facts(history: History, site: Site) -> PatientFacts | None:
    """Who, as far as the site's mails may say; None where they say nothing."""
    if site.privacy == "none":
        return None
    return PatientFacts(patient_id=history.patient_id, site=history.patient.site, team=site.team or history.patient.team)


def _finding(alert: Alert, site: Site, history: History, weighed: Weighed, *, on_drug: bool) -> FindingFacts:
    finding, action = alert.finding, alert.finding.action
    own = [each for each in finding.criteria if not each.id.startswith(OF_ANOTHER_GUIDELINE)]
    met = [each for each in own if each.met]
    criteria = criteria_in_words([*met, *(each for each in own if not each.met)])
    return FindingFacts(
        alert=alert_name(alert),
        rule=finding.rule,
        title=title_of(finding),
        urgency=urgency_facts(finding.urgency, site, on_drug=on_drug),
        headline=finding.headline,
        guideline_says=None if action is None else action_in_words(action, site.policy.guideline.title),
        met=criteria[: len(met)],
        not_met=criteria[len(met) :],
        missing=tuple(missing_in_words(finding.rule, name) for name in finding.missing),
        evidence=tuple(dict.fromkeys(_evidence(each, site, history) for each in finding.evidence)),
        turning=_turning(finding, weighed),
    )


def _turning(finding: Finding, weighed: Weighed) -> tuple[Said, ...]:
    points = weighed.turning.get(finding.rule)
    if points is None:  # it was not worked out: nothing is said of it
        return ()
    return tuple(point.said for point in points) or (NOTHING_TURNS_IT,)


def _evidence(evidence: Evidence, site: Site, history: History) -> Said:
    on = _clinical(evidence.at, site, history)
    match evidence.kind:
        case "assessment":
            return say("assessment of {day}", day=on)
        case "dose":
            return say("dose of {day}", day=on)
        case "course":
            return say("course of {day}", day=on)
        case "lab":
            return say("laboratory result of {day}", day=on)
        case "treatment":
            return say("treatment of {day}", day=on)
        case _:
            return say("investigation of {day}", day=on)


def title_of(finding: Finding) -> str:
    """The rule in words."""
    return RULE_TITLES.get(finding.rule, finding.rule)


def _other(answer: OtherAnswer) -> Said:
    said = action_in_words(answer.action, answer.guideline)
    return said if not answer.action.source else say("{criterion}. Source: {source}", criterion=said, source=answer.action.source)


def criteria_in_words(criteria: Sequence[Criterion]) -> tuple[str, ...]:
    """What was found, each source written out where it stands first."""
    first: dict[str, Criterion] = {}
    return tuple(
        criterion_in_words(each)
        if first.setdefault(each.source, each) is each
        else say("{criterion}. Source: as above", criterion=each.text)
        for each in criteria
    )


def criterion_in_words(criterion: Criterion) -> str:
    """What was found, and who says that it counts."""
    if not criterion.source:
        return criterion.text
    return say("{criterion}. Source: {source}", criterion=criterion.text, source=criterion.source)


def _weakness(finding: Finding) -> bool:
    return finding.rule in WEAKNESS_RULES or (
        finding.rule == "worsening-after-discontinuation" and finding.urgency is not Urgency.REVIEW
    )


def _times(
    alerts: Sequence[Alert], site: Site, history: History, received_at: datetime | None, now: datetime
) -> tuple[TimeFacts, ...]:
    """From the bedside to this mail: examined, recorded in the hospital, received here, evaluated."""
    zone, evidence = site.policy.zone, [each for alert in alerts for each in alert.finding.evidence]
    visits = [each.at for each in evidence if each.kind == "assessment"]
    clinical_at = max(visits, default=max(alert.finding.clinical_at for alert in alerts))
    label = say("Assessed") if visits else say("Clinical facts of")
    times = [TimeFacts(label=label, at=_clinical(clinical_at, site, history))]
    recorded_at = _recorded_at(evidence, history)
    if recorded_at is not None:
        times.append(TimeFacts(label=say("Recorded"), at=instant_in_words(recorded_at, zone)))
    if received_at is not None:
        times.append(TimeFacts(label=say("Received"), at=instant_in_words(received_at, zone)))
    times.append(TimeFacts(label=say("Evaluated"), at=instant_in_words(now, zone)))
    return tuple(times)


def _recorded_at(evidence: Sequence[Evidence], history: History) -> datetime | None:
    """When the hospital knew the newest fact of the evidence; None where none of it is in the history."""
    kinds: dict[str, Sequence[Fact]] = {
        "assessment": history.assessments,
        "dose": history.doses,
        "lab": history.labs,
        "investigation": history.investigations,
        "treatment": history.treatments,
        "course": history.courses,
    }
    named = {(each.kind, each.id, each.version) for each in evidence}
    known = [fact.known_at for kind, facts in kinds.items() for fact in facts if (kind, fact.fact_id, fact.version) in named]
    return max(known, default=None)


def _clinical(at: datetime, site: Site, history: History) -> Said:
    """A clinical time as precise as it was recorded: a bare day stays a day."""
    to_the_minute = any(each.at == at and not each.day_only for each in history.assessments) or any(
        each.at == at and not each.day_only for each in history.doses
    )
    if to_the_minute:
        return instant_in_words(at, site.policy.zone)
    return day_in_words(at.astimezone(site.policy.zone).date())
