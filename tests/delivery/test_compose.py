"""From alerts to what a mail may say: words, privacy, drug status, times."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import Literal, get_args

import pytest

from monitor.clinical.alerts import Alert, Reason, Transition
from monitor.clinical.findings import Criterion, Evidence, Finding, Urgency
from monitor.clinical.guideline import NO_LOWER_LEVEL, DoseAction
from monitor.clinical.history import History
from monitor.clinical.situation import situate
from monitor.delivery.builtin import builtin
from monitor.delivery.compose import Site, alert_facts, policy_facts
from monitor.delivery.corrections import correction_facts
from monitor.delivery.facts import AlertFacts
from monitor.delivery.lists import Unanswered, digest_facts, reminder_facts
from monitor.delivery.render import render
from monitor.delivery.told import turned_once
from monitor.delivery.weighed import weigh
from monitor.delivery.wording import action_in_words, backlog, duration_in_words, instant_in_words, storm, urgency_in_words
from tests.builders import (
    NOW,
    PATIENT_ID,
    ZONE,
    a_course,
    a_finding,
    a_history,
    a_patient,
    an_assessment,
    at,
    shipped_policy,
    weekly_doses,
)

Privacy = Literal["pseudonym", "none"]
WITHIN = {Urgency.IMMEDIATE: timedelta(hours=1), Urgency.SAME_DAY: timedelta(hours=8), Urgency.REVIEW: timedelta(days=3)}
WITHHOLD = DoseAction(kind="withhold", restart_dose_mg_per_m2=0.7, restart_schedule="weekly")
MARKER = "Marker-Name"


def a_site(privacy: Privacy = "pseudonym") -> Site:
    return Site(policy=shipped_policy(), privacy=privacy, acknowledge_within=WITHIN, team="day-clinic")


def an_alert(number: int, finding: Finding, patient_id: str = PATIENT_ID) -> Alert:
    return Alert(alert_id=number, patient_id=patient_id, state="open", finding=finding, opened_at=NOW, raised_at=NOW)


def facts_of(*findings: Finding, history: History | None = None, privacy: Privacy = "pseudonym") -> AlertFacts:
    known = history or a_history(a_course(), *weekly_doses(8), a_patient(display_name=MARKER, site="ward-3"))
    alerts = [an_alert(number, finding) for number, finding in enumerate(findings, start=12)]
    situation = situate(known, shipped_policy(), NOW)
    return alert_facts(alerts, site=a_site(privacy), history=known, situation=situation, now=NOW, others_told=("Second nurse",))


def test_given_several_findings_when_composed_then_the_most_urgent_leads() -> None:
    facts = facts_of(
        a_finding("dose-modification", Urgency.SAME_DAY, action=WITHHOLD), a_finding("rapid-motor-decline", Urgency.IMMEDIATE)
    )
    assert facts.urgency.word == "IMMEDIATE"
    assert [finding.rule for finding in facts.findings] == ["rapid-motor-decline", "dose-modification"]
    assert facts.ask[0].startswith("Urgent neurology review")
    assert facts.alerts == ("A-13", "A-12")
    assert facts.acknowledge_by == "1 Mar 2024, 11:00 +01:00"
    assert "withhold" in (facts.findings[1].guideline_says or "")


def test_given_motor_or_immune_rules_when_composed_then_cord_compression_is_the_first_reminder() -> None:
    for rule in ("rapid-motor-decline", "immune-mediated-pattern", "relapse-after-treatment", "worsening-after-discontinuation"):
        assert "cord" in facts_of(a_finding(rule, Urgency.SAME_DAY)).differentials[0]
    assert facts_of(a_finding("worsening-after-discontinuation", Urgency.REVIEW)).differentials == ()
    assert facts_of(a_finding("dose-modification", Urgency.SAME_DAY)).differentials == ()


def test_given_a_patient_on_the_drug_when_composed_then_last_and_next_dose_are_told() -> None:
    drug = facts_of(a_finding()).drug
    assert drug is not None
    assert (drug.status, drug.last_dose) == ("On bortezomib", "1.3 mg/m2 on 26 Feb 2024")
    assert drug.cumulative == "10.4 mg/m2 in 8 doses"
    assert drug.next_dose == "4 Mar 2024, by schedule (weekly)"


def test_given_a_patient_off_the_drug_when_composed_then_days_off_are_told_and_no_dose_is_due() -> None:
    facts = facts_of(a_finding(), history=a_history(a_course(stopped=14), *weekly_doses(3)))
    assert facts.drug is not None
    assert (facts.drug.status, facts.drug.next_dose) == ("Off bortezomib for 39 days", None)
    assert facts.urgency.verb == "look today"
    assert re.search(r"NEXT DOSE\s+none due by schedule", render("alert", facts).text)


def test_given_no_privacy_for_the_patient_when_rendered_then_nothing_names_him() -> None:
    for privacy in get_args(Privacy):
        facts = facts_of(a_finding(), privacy=privacy)
        rendered = render("alert", facts)
        whole = rendered.subject + rendered.text + rendered.html
        assert MARKER not in whole
        assert (PATIENT_ID in whole) == (privacy == "pseudonym")
        assert ("ward-3" in whole) == (privacy == "pseudonym")


def test_given_a_bare_day_when_composed_then_no_time_of_day_is_invented() -> None:
    timed, bare = an_assessment(50, at=at(50, 9, 40), day_only=False), an_assessment(50)
    for assessment, words in ((timed, "27 Feb 2024, 09:40 +01:00"), (bare, "27 Feb 2024")):
        history = a_history(a_course(), *weekly_doses(8), assessment)
        seen = Evidence(kind="assessment", id=assessment.fact_id, version=assessment.version, at=assessment.at)
        times = facts_of(a_finding(evidence=(seen,)), history=history).times
        assert (times[0].label, times[0].at) == ("Assessed", words)


@pytest.mark.parametrize(("approved_by", "words"), [(None, "nobody: not validated"), ("Dr. A. Example", "Dr. A. Example")])
def test_given_a_policy_when_told_then_so_is_who_approved_it(approved_by: str | None, words: str) -> None:
    policy = shipped_policy()
    signed = replace(policy, thresholds=replace(policy.thresholds, approved_by=approved_by))
    told = policy_facts(signed)
    assert (told.approved_by, told.sha256) == (words, policy.sha256[:12])


def test_given_an_alert_without_an_id_when_composed_then_it_is_refused() -> None:
    alert = replace(an_alert(1, a_finding()), alert_id=None)
    with pytest.raises(ValueError, match="without an id"):
        alert_facts([alert], site=a_site(), history=a_history(), situation=None, now=NOW)


def test_given_a_backlog_when_composed_then_the_digest_names_every_patient_immediate_first() -> None:
    alerts = [
        an_alert(1, a_finding(urgency=Urgency.REVIEW), "P-1"),
        an_alert(2, a_finding(urgency=Urgency.IMMEDIATE), "P-2"),
        an_alert(3, a_finding(urgency=Urgency.SAME_DAY), "P-3"),
    ]
    histories = {alert.patient_id: replace(a_history(), patient_id=alert.patient_id) for alert in alerts}
    why = (backlog(timedelta(days=14)),)
    facts = digest_facts(alerts, site=a_site(), histories=histories, announce_within=timedelta(days=14), why=why, now=NOW)
    assert [entry.alert for entry in facts.entries] == ["A-2", "A-3", "A-1"]
    assert facts.counts == ("1 immediate", "1 same-day", "1 review")
    text = render("digest", facts).text
    assert text.index("P-2") < text.index("P-3") < text.index("P-1")
    assert "14 days" in text


@pytest.mark.parametrize("as_digest", [True, False])
def test_given_thousands_at_once_when_composed_then_the_mail_fits_and_every_immediate_patient_is_named(as_digest: bool) -> None:
    urgencies = [Urgency.IMMEDIATE if number % 10 == 0 else Urgency.SAME_DAY for number in range(3000)]
    alerts = [an_alert(n, a_finding(urgency=urgency), f"P-{n:05}") for n, urgency in enumerate(urgencies, 1)]
    histories = {alert.patient_id: replace(a_history(), patient_id=alert.patient_id) for alert in alerts}
    if as_digest:
        within = timedelta(days=14)
        rendered = render(
            "digest",
            digest_facts(alerts, site=a_site(), histories=histories, announce_within=within, why=(storm(3000),), now=NOW),
        )
    else:
        unanswered = [Unanswered(alert=alert, since=NOW, passed_on=False, told_before=("Nurse",)) for alert in alerts]
        rendered = render("reminder", reminder_facts(unanswered, site=a_site(), histories=histories, again_at=NOW, now=NOW))
    for alert in alerts:
        if alert.urgency is Urgency.IMMEDIATE:
            assert alert.patient_id in rendered.text
            assert alert.patient_id in rendered.html
    assert re.search("and 2[0-9]{3} more, none of them immediate", rendered.text)


@pytest.mark.parametrize(("reason", "word"), [(Reason.WITHDRAWN, "withdrawn"), (Reason.CORRECTED_LOWER, "lowered")])
def test_given_a_corrected_record_when_composed_then_what_was_told_and_why_is_said(reason: Reason, word: str) -> None:
    before = an_alert(12, a_finding(urgency=Urgency.IMMEDIATE))
    after = before.changed(finding=a_finding(urgency=Urgency.REVIEW, headline="what remains"))
    transition = Transition(before=before, after=after, reason=reason)
    facts = correction_facts([transition], site=a_site(), history=a_history(), first_told_at=NOW, now=NOW + timedelta(hours=2))
    rendered = render("correction", facts)
    assert rendered.subject == f"CORRECTION - an alert was {word} [A-12]"
    assert "1 Mar 2024, 10:00 +01:00" in rendered.text
    assert ("what remains" in rendered.text) == (reason is Reason.CORRECTED_LOWER)
    other = replace(transition, reason=Reason.WORSE)
    with pytest.raises(ValueError, match="correction"):
        correction_facts([other], site=a_site(), history=a_history(), first_told_at=NOW, now=NOW)


def test_given_a_corrected_record_when_another_dose_is_advised_as_urgently_then_so_it_is_said() -> None:
    before = an_alert(12, a_finding(urgency=Urgency.SAME_DAY))
    after = before.changed(finding=a_finding(urgency=Urgency.SAME_DAY, headline="reduce to 1.0 mg/m2"))
    transition = Transition(before=before, after=after, reason=Reason.CORRECTED_LOWER)
    facts = correction_facts([transition], site=a_site(), history=a_history(), first_told_at=NOW, now=NOW + timedelta(hours=2))
    assert facts.changes[0].why.endswith("another dose is advised now.")
    assert (facts.withdrawn, facts.changed) == (False, True)
    for mail in (render("correction", facts), builtin(facts)):
        assert mail.subject == "CORRECTION - an alert was changed [A-12]"
        assert "reduce to 1.0 mg/m2" in mail.text
        assert not re.search("lowered|less urgent", mail.text + mail.html)


@pytest.mark.parametrize(
    ("action", "words"),
    [
        (DoseAction(kind="none"), "Label: no dose action"),
        (DoseAction(kind="none", note=NO_LOWER_LEVEL), f"Label: {NO_LOWER_LEVEL}; prescriber's decision"),
        (DoseAction(kind="reduce", dose_mg_per_m2=1.0, schedule="unchanged"), "Label: reduce to 1.0 mg/m2"),
        (WITHHOLD, "Label: withhold until resolved, then 0.7 mg/m2 once weekly"),
        (
            DoseAction(kind="discontinue", note="severe autonomic neuropathy"),
            "Label: discontinue bortezomib (severe autonomic neuropathy)",
        ),
        (
            DoseAction(kind="ask", alternatives=(DoseAction(kind="none"), WITHHOLD)),
            "Label: ask about neuropathic pain: without it no dose action; "
            "with it withhold until resolved, then 0.7 mg/m2 once weekly",
        ),
    ],
)
def test_given_an_action_when_told_then_it_is_the_guideline_s_answer(action: DoseAction, words: str) -> None:
    assert action_in_words(action, "Label") == words


def test_given_instants_and_durations_when_told_then_month_and_offset_cannot_be_misread() -> None:
    assert instant_in_words(at(0, 8, 5), ZONE) == "8 Jan 2024, 08:05 +01:00"
    assert instant_in_words(at(180, 8, 5), ZONE) == "6 Jul 2024, 08:05 +02:00"
    told = [duration_in_words(timedelta(minutes=minutes)) for minutes in (30, 60, 90, 480, 1440, 4320)]
    assert told == ["30 minutes", "1 hour", "90 minutes", "8 hours", "1 day", "3 days"]
    assert urgency_in_words(Urgency.REVIEW, within=timedelta(days=7)).verb == "look within 7 days"
    assert urgency_in_words(Urgency.SAME_DAY, within=timedelta(hours=8), on_drug=True).verb == "look today, before the next dose"


def test_given_criteria_of_one_source_when_told_then_it_is_written_out_once() -> None:
    criteria = (
        Criterion(id="a", met=False, text="a", source="Kleyweg 1991 [V]"),
        Criterion(id="b", met=True, text="b", source="Kleyweg 1991 [V]"),
        Criterion(id="c", met=True, text="c", source="ICE trial [V]"),
    )
    told = facts_of(a_finding(criteria=criteria)).findings[0]
    assert told.met == ("b. Source: Kleyweg 1991 [V]", "c. Source: ICE trial [V]")
    assert told.not_met == ("a. Source: as above",)


def test_given_a_finding_that_nothing_turns_when_told_then_that_is_said() -> None:
    history = a_history(a_course(), *weekly_doses(8))
    weighed = replace(weigh(history, shipped_policy(), NOW, []), turning={"rapid-motor-decline": ()})
    alerts = [an_alert(1, a_finding())]
    facts = alert_facts(alerts, site=a_site(), history=history, situation=None, now=NOW, weighed=weighed)
    assert facts.findings[0].turning == ("no single change of the newest record changes it",)


def test_given_two_findings_that_the_same_change_turns_when_told_then_it_is_said_at_the_first() -> None:
    one = facts_of(a_finding()).findings[0]
    first = replace(one, alert="A-1", turning=("with a cane: no alert",))
    same = replace(one, alert="A-2", turning=("with a cane: no alert",))
    more = replace(one, alert="A-3", turning=("with a cane: no alert", "with motor grade 1: no alert"))
    assert [each.turning for each in turned_once([first, same, more])] == [
        ("with a cane: no alert",),
        ("as for A-1",),
        ("with motor grade 1: no alert",),
    ]


def test_given_two_rules_on_one_change_when_composed_then_the_change_is_said_once() -> None:
    short = "walking: unaided -> wheelchair in 28 days"
    alerts = [
        an_alert(1, a_finding(headline=short)),
        an_alert(2, a_finding("worsening-after-discontinuation", headline=f"{short}, 12 days after the last dose")),
        an_alert(3, a_finding("assessment-overdue", headline="no assessment for 29 days", missing=("mrc",))),
    ]
    facts = alert_facts(alerts, site=a_site("pseudonym"), history=a_history(), situation=None, now=NOW)
    assert facts.changed == (f"{short}, 12 days after the last dose", "no assessment for 29 days")
    assert facts.findings[2].missing[0].startswith("muscle power (MRC): not recorded; ")
