"""From the domain to the facts of a mail: the one place where what a reader may see is chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from monitor.clinical.alerts import Alert, Reason, Transition
from monitor.clinical.dose_words import mg_per_m2
from monitor.clinical.findings import Criterion, Finding, Urgency
from monitor.clinical.guideline import DoseAction
from monitor.clinical.history import History
from monitor.clinical.policy import Policy
from monitor.clinical.situation import Situation
from monitor.delivery.facts import (
    AlertFacts,
    CorrectionEntry,
    CorrectionFacts,
    DrugFacts,
    FindingFacts,
    PatientFacts,
    PolicyFacts,
    TimeFacts,
    UrgencyFacts,
)
from monitor.delivery.gaps import missing_in_words
from monitor.delivery.wording import (
    ASK_IN_REVIEW,
    ASK_OTHERWISE,
    ASKS,
    DIFFERENTIALS,
    NOT_APPROVED,
    NOTICE,
    RULE_TITLES,
    WEAKNESS_RULES,
    action_in_words,
    day_in_words,
    instant_in_words,
    urgency_in_words,
)


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
    others_told: Sequence[str] = (),
    other_answers: Sequence[tuple[str, DoseAction]] = (),
    known_at: datetime | None = None,
    leaves_at: datetime | None = None,
    told_next: tuple[datetime, Sequence[str]] | None = None,
    taken_over_from: Sequence[str] = (),
) -> AlertFacts:
    """The facts of one patient's mail. ``alerts`` have their ids and are not empty; ``history`` is as known at ``now``.

    ``other_answers`` are (guideline title, answer) of the guidelines the site does not follow; ``known_at`` is when the
    newest record reached the feed; ``leaves_at`` is when the mail goes where it is held back over quiet hours; ``told_next``
    is when and to whom it is passed on unless somebody acknowledges (to nobody else: everyone is told again);
    ``taken_over_from`` are those told while the patient was another team's.
    """
    ordered = sorted(alerts, key=lambda alert: -alert.urgency.rank)
    lead = ordered[0]
    names = tuple(alert_name(alert) for alert in ordered)
    on_drug = situation is not None and situation.on_drug
    return AlertFacts(
        urgency=urgency_facts(lead.urgency, site, on_drug=on_drug),
        alerts=names,
        patient=patient_facts(history, site),
        changed=_said_once([alert.finding.headline for alert in ordered]),
        findings=tuple(_finding(alert, site, history, on_drug=on_drug) for alert in ordered),
        drug=drug_facts(situation),
        ask=tuple(dict.fromkeys(ask_of(alert.finding) for alert in ordered))[:2],
        acknowledge_by=instant_in_words((leaves_at or lead.raised_at) + site.acknowledge_within[lead.urgency], site.policy.zone),
        acknowledge_with=tuple(f"bipn-monitor ack {name} --by NAME" for name in names),
        told_next=None if told_next is None else told_next_in_words(*told_next, site),
        others_told=tuple(others_told),
        taken_over_from=tuple(taken_over_from),
        differentials=DIFFERENTIALS if any(_weakness(alert.finding) for alert in ordered) else (),
        other_guidelines=tuple(action_in_words(action, title) for title, action in other_answers),
        times=_times(max(alert.finding.clinical_at for alert in ordered), known_at, now, site, history),
        policy=policy_facts(site.policy),
        notice=NOTICE,
    )


def correction_facts(
    transitions: Sequence[Transition],
    *,
    site: Site,
    history: History,
    first_told_at: datetime,
    now: datetime,
    others_told: Sequence[str] = (),
) -> CorrectionFacts:
    """The facts of a correction. ``transitions`` were told before (``before`` is set) and are withdrawn, lowered or changed.

    ``first_told_at``: when the earlier mail was made. Raises ValueError for a transition that corrects nothing.
    """
    changes = tuple(_change(transition, site) for transition in transitions)
    highest = max((transition.before.urgency for transition in transitions if transition.before), key=lambda each: each.rank)
    return CorrectionFacts(
        urgency=urgency_facts(highest, site),
        withdrawn=all(change.now is None for change in changes),
        changed=any(change.now == change.was for change in changes),
        alerts=tuple(change.alert for change in changes),
        patient=patient_facts(history, site),
        changes=changes,
        earlier_mail=f"of {instant_in_words(first_told_at, site.policy.zone)}",
        others_told=tuple(others_told),
        times=(TimeFacts(label="Evaluated", at=instant_in_words(now, site.policy.zone)),),
        policy=policy_facts(site.policy),
        notice=NOTICE,
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
    if finding.urgency is Urgency.REVIEW and finding.rule in ASK_IN_REVIEW:
        return ASK_IN_REVIEW[finding.rule]
    return ASKS.get(finding.rule, ASK_OTHERWISE)


def told_next_in_words(at: datetime, people: Sequence[str], site: Site) -> str:
    """When it is passed on unless somebody acknowledges, and to whom; to nobody else: everyone is told again."""
    who = f"told to {', '.join(people)}" if people else "told again"
    return f"{instant_in_words(at, site.policy.zone)}: {who}"


def urgency_facts(urgency: Urgency, site: Site, *, on_drug: bool = False) -> UrgencyFacts:
    """How fast to look, with the site's time to acknowledge."""
    return urgency_in_words(urgency, within=site.acknowledge_within[urgency], on_drug=on_drug)


def patient_facts(history: History, site: Site) -> PatientFacts | None:
    """Who, as far as the site's mails may say; None where they say nothing."""
    if site.privacy == "none":
        return None
    return PatientFacts(patient_id=history.patient_id, site=history.patient.site, team=site.team or history.patient.team)


def _finding(alert: Alert, site: Site, history: History, *, on_drug: bool) -> FindingFacts:
    finding = alert.finding
    action = finding.action
    return FindingFacts(
        alert=alert_name(alert),
        rule=finding.rule,
        title=title_of(finding),
        urgency=urgency_facts(finding.urgency, site, on_drug=on_drug),
        headline=finding.headline,
        guideline_says=None if action is None else action_in_words(action, site.policy.guideline.title),
        met=tuple(criterion_in_words(each) for each in finding.criteria if each.met),
        not_met=tuple(criterion_in_words(each) for each in finding.criteria if not each.met),
        missing=tuple(missing_in_words(finding.rule, name) for name in finding.missing),
        evidence=tuple(dict.fromkeys(f"{each.kind} of {_clinical(each.at, site, history)}" for each in finding.evidence)),
    )


def _said_once(headlines: Sequence[str]) -> tuple[str, ...]:
    """The headlines in their order, without those that are the beginning of another: two rules may rest on one change."""
    once = dict.fromkeys(headlines)
    return tuple(each for each in once if not any(other != each and other.startswith(each) for other in once))


def title_of(finding: Finding) -> str:
    """The rule in words."""
    return RULE_TITLES.get(finding.rule, finding.rule)


def criterion_in_words(criterion: Criterion) -> str:
    """What was found, and who says that it counts."""
    return f"{criterion.text}. Source: {criterion.source}" if criterion.source else criterion.text


def _weakness(finding: Finding) -> bool:
    return finding.rule in WEAKNESS_RULES or (
        finding.rule == "worsening-after-discontinuation" and finding.urgency is not Urgency.REVIEW
    )


def drug_facts(situation: Situation | None) -> DrugFacts | None:
    """On or off bortezomib, and the last and the next dose; None for a patient who is not watched."""
    if situation is None:
        return None
    last, due = situation.last_dose, situation.next_dose_due_on()
    days_off = situation.days_after_stop(situation.today)
    given = None
    if last is not None:
        in_all = mg_per_m2(situation.cumulative_mg_per_m2(situation.today))
        given = f"{mg_per_m2(last.dose_mg_per_m2)} on {day_in_words(last.on)} ({in_all} in all)"
    return DrugFacts(
        status="On bortezomib" if days_off is None else f"Off bortezomib for {days_off} day{'' if days_off == 1 else 's'}",
        last_dose=given,
        next_dose=None if due is None else f"{day_in_words(due)}, by schedule ({situation.schedule})",
    )


def _times(
    assessed_at: datetime, known_at: datetime | None, now: datetime, site: Site, history: History
) -> tuple[TimeFacts, ...]:
    times = [TimeFacts(label="Clinical facts of", at=_clinical(assessed_at, site, history))]
    if known_at is not None:
        times.append(TimeFacts(label="Known to this program", at=instant_in_words(known_at, site.policy.zone)))
    times.append(TimeFacts(label="Evaluated", at=instant_in_words(now, site.policy.zone)))
    return tuple(times)


def _clinical(at: datetime, site: Site, history: History) -> str:
    """A clinical time as precise as it was recorded: a bare day stays a day."""
    to_the_minute = any(each.at == at and not each.day_only for each in history.assessments) or any(
        each.at == at and not each.day_only for each in history.doses
    )
    if to_the_minute:
        return instant_in_words(at, site.policy.zone)
    return day_in_words(at.astimezone(site.policy.zone).date())


def _change(transition: Transition, site: Site) -> CorrectionEntry:
    before, after = transition.before, transition.after
    if before is None or transition.reason not in (Reason.WITHDRAWN, Reason.CORRECTED_LOWER):
        raise ValueError("a correction is of an alert that was withdrawn, lowered or changed")
    withdrawn = transition.reason is Reason.WITHDRAWN
    return CorrectionEntry(
        alert=alert_name(after),
        title=title_of(before.finding),
        was=urgency_facts(before.urgency, site),
        now=None if withdrawn else urgency_facts(after.urgency, site),
        headline=before.finding.headline,
        headline_now=None if withdrawn else after.finding.headline,
        why=_why(transition.reason, same_urgency=after.urgency is before.urgency),
    )


def _why(reason: Reason, *, same_urgency: bool) -> str:
    if reason is Reason.WITHDRAWN:
        return "The record it rested on was corrected; on the corrected record it never held."
    if same_urgency:
        return "The record it rested on was corrected, or more of it is known; another dose is advised now."
    return "The record it rested on was corrected, or more of it is known; what remains is less urgent."
