"""Why, and why not: every rule on one patient at one instant, met or not, and who was told what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from monitor.clinical.alerts import Alert
from monitor.clinical.days import day_after
from monitor.clinical.evaluate import evaluate
from monitor.clinical.findings import Finding, Review, RuleAnswer
from monitor.clinical.history import BORTEZOMIB, History
from monitor.clinical.policy import Policy
from monitor.clinical.situation import Situation, situate
from monitor.errors import DatabaseError, UsageError
from monitor.service.ack_kinds import words_of
from monitor.service.listing import NO_SUCH_PATIENT
from monitor.service.opening import Site
from monitor.service.shapes import PolicyMark, finding_json, instant_text, local_text
from monitor.store import alerts, correspondence, histories
from monitor.store.alerts import AlertEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """All that can be said of one patient at one instant."""

    patient_id: str
    at: datetime
    situation: Situation | None
    review: Review
    alerts: tuple[Alert, ...]
    acts: Mapping[int, Sequence[AlertEvent]]  # what people did, by the alert's number
    sent: tuple[correspondence.Written, ...]
    mark: PolicyMark
    zone: ZoneInfo

    def as_json(self) -> dict[str, Any]:
        """The whole explanation, keys always present."""
        findings = {finding.rule: finding for finding in self.review.findings}
        return {
            "patient_id": self.patient_id,
            "at": instant_text(self.at),
            "watched": self.situation is not None,
            "look_again_at": None if self.review.look_again_at is None else instant_text(self.review.look_again_at),
            "policy": {"guideline": self.mark.guideline, "version": self.mark.version, "sha256": self.mark.sha256},
            "rules": [_answer_json(answer, findings.get(answer.rule)) for answer in self.review.answers],
            "alerts": [
                {
                    "id": f"A-{a.alert_id}",
                    "rule": a.finding.rule,
                    "urgency": a.urgency.value,
                    "state": a.state,
                    "acts": [act_json(act) for act in self.acts.get(a.alert_id or 0, ())],
                }
                for a in self.alerts
            ],
            "sent": [
                {
                    "decided_at": instant_text(written.created_at),
                    "accepted_at": None if written.accepted_at is None else instant_text(written.accepted_at),
                    "to": written.address,
                    "kind": written.kind,
                    "state": written.state,
                    "alerts": [f"A-{alert_id}" for alert_id in written.alert_ids],
                }
                for written in self.sent
            ],
        }

    def as_text(self) -> str:
        """The same for people."""
        lines = [f"Patient {self.patient_id}, as known at {local_text(self.at, self.zone)}", *_situation_lines(self.situation)]
        lines.append(f"Policy {self.mark.guideline}, thresholds {self.mark.version}, sha256 {self.mark.sha256[:12]}")
        findings = {finding.rule: finding for finding in self.review.findings}
        for answer in self.review.answers:
            lines += ["", *_answer_lines(answer, findings.get(answer.rule))]
        lines += ["", "Alerts, as they stand now" if self.alerts else "Alerts: none"]
        for a in self.alerts:
            lines.append(
                f"  {f'A-{a.alert_id}':<7}  {a.urgency.value:<9}  {a.state:<12}  {a.finding.rule:<31}  "
                f"raised {local_text(a.raised_at, self.zone)}{_taken_on(a, self.zone)}"
            )
            lines += [f"      {act_line(act, self.zone)}" for act in self.acts.get(a.alert_id or 0, ())]
        lines.append("Sent, up to now" if self.sent else "Sent: nothing")
        lines += [
            f"  {local_text(written.created_at, self.zone):<21}  {written.state:<9} {written.kind:<11} to {written.name} "
            f"<{written.address}> about {', '.join(f'A-{alert_id}' for alert_id in written.alert_ids) or 'several patients'}"
            for written in self.sent
        ]
        return "\n".join(lines)


def explain(site: Site, patient_id: str, asked_at: datetime | None, now: datetime) -> Explanation:
    """Evaluate one patient as of ``asked_at`` and gather what was sent. Raises UsageError for a patient without facts.

    Where no time was asked for it is ``now``, or the last instant of the watch where that is over.
    """
    with site.database.read() as connection:
        loaded = histories.load(connection, [patient_id], site.policy.zone)
        if patient_id in loaded.unreadable:
            raise DatabaseError(f"this patient's record cannot be read: {loaded.unreadable[patient_id]}")
        history = loaded.histories.get(patient_id, History(patient_id=patient_id))
        if history == History(patient_id=patient_id):
            raise UsageError(NO_SUCH_PATIENT)
        kept = tuple(alerts.all_alerts(connection, patient_id=patient_id))
        ids = [alert.alert_id for alert in kept if alert.alert_id is not None]
        events = alerts.events_of(connection, ids)
        sent = tuple(correspondence.about(connection, patient_id, ids))
    at = asked_at if asked_at is not None else _last_watched(history, site.policy, now)
    return Explanation(
        patient_id=patient_id,
        at=at,
        situation=situate(history.as_known_at(at), site.policy, at),
        review=evaluate(history, site.policy, at),
        alerts=kept,
        acts={number: [event for event in several if event.by is not None] for number, several in events.items()},
        sent=sent,
        mark=PolicyMark.of(site.policy),
        zone=site.settings.time_zone,
    )


def _last_watched(history: History, policy: Policy, now: datetime) -> datetime:
    """``now`` for a patient who is watched or never was; else the last instant at which he was."""
    known = history.as_known_at(now)
    if situate(known, policy, now) is not None:
        return now
    days = [dose.on for dose in known.doses if dose.drug == BORTEZOMIB]
    days += [course.discontinued_on for course in known.courses if course.drug == BORTEZOMIB and course.discontinued_on]
    if not days:
        return now
    last = day_after(max(days), policy.thresholds.drug_status.watch_after_stop_days + 1, policy.zone) - timedelta(seconds=1)
    return last if last < now and situate(known, policy, last) is not None else now


def _taken_on(alert: Alert, zone: ZoneInfo) -> str:
    """Who answered for it, or until when it was put off."""
    if alert.acknowledged_at is not None:
        return f", acknowledged by {alert.acknowledged_by} {local_text(alert.acknowledged_at, zone)}"
    return "" if alert.snoozed_until is None else f", snoozed until {local_text(alert.snoozed_until, zone)}"


def act_line(act: AlertEvent, zone: ZoneInfo) -> str:
    """What a person did, for people: "2026-03-15 10:20 CET  acknowledged by N. Berger: dose reviewed: held (until Monday)"."""
    what, note = words_of(act.what), f" ({act.note})" if act.note else ""
    return f"{local_text(act.at, zone)}  {act.reason} by {act.by}{f': {what}' if what else ''}{note}"


def act_json(act: AlertEvent) -> dict[str, Any]:
    """The same for programs. ``what`` is as `ack --what` takes it; null for other acts, and where nothing was said."""
    what = act.what if words_of(act.what) is not None else None
    return {"at": instant_text(act.at), "act": act.reason, "by": act.by, "what": what, "note": act.note}


def _situation_lines(situation: Situation | None) -> list[str]:
    if situation is None:
        return ["Not watched: never on bortezomib, not yet begun, or the watch after the stop is over."]
    dose = situation.last_dose
    given = "no dose recorded" if dose is None else f"last dose {dose.dose_mg_per_m2:g} mg/m2 on {dose.on}"
    cumulative = situation.cumulative_mg_per_m2(situation.today)
    if situation.stopped_on is None:
        state = f"on bortezomib since {situation.first_on}, schedule {situation.schedule or 'not known'}"
    else:
        state = f"off bortezomib for {(situation.today - situation.stopped_on).days} days (last dose {situation.stopped_on})"
    return [f"{state}; {given}; {cumulative:g} mg/m2 so far"]


def _answer_lines(answer: RuleAnswer, finding: Finding | None) -> list[str]:
    head = f"{answer.rule}: " + ("no finding" if finding is None else f"{finding.urgency.value.upper()} - {finding.headline}")
    lines = [head]
    for criterion in answer.criteria:
        lines.append(f"  [{'x' if criterion.met else ' '}] {criterion.id}: {criterion.text}")
        lines.append(f"      source: {criterion.source}")
    if finding is not None and finding.missing:
        lines.append(f"  not recorded: {', '.join(finding.missing)}")
    return lines


def _answer_json(answer: RuleAnswer, finding: Finding | None) -> dict[str, Any]:
    return {
        "rule": answer.rule,
        "holds": finding is not None,
        "urgency": None if finding is None else finding.urgency.value,
        "criteria": [{"id": c.id, "met": c.met, "text": c.text, "source": c.source} for c in answer.criteria],
        "finding": None if finding is None else finding_json(finding),
    }
