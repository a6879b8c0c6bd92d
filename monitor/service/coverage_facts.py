"""What was found, as the statement's mail and the journal tell it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from monitor.clinical.findings import Urgency
from monitor.clinical.words import URGENCIES
from monitor.config.settings import Settings
from monitor.delivery.compose import policy_facts
from monitor.delivery.facts import CoverageFacts, TimeFacts
from monitor.delivery.wording import COVERAGE_NOTICE, instant_in_words, urgency_in_words
from monitor.said import Said, joined, say, say_n
from monitor.service.coverage_compare import Case
from monitor.service.coverage_read import Covered
from monitor.service.feed_words import age_words, length_words
from monitor.service.opening import Site
from monitor.service.people import acknowledge_within

LINES_SHOWN = 40
NOT_SHOWN = say("patient not shown")


def problems(settings: Settings, covered: Covered, synthetic_problem: str | None) -> list[str]:
    """What keeps the statement from being clean though nobody was missed, a sentence each."""
    found: list[str] = []
    if covered.not_evaluated:
        found.append(
            say_n(
                "{count} patient cannot be evaluated, so nobody knows who should be told: `bipn-monitor status` names the rows",
                "{count} patients cannot be evaluated, so nobody knows who should be told: `bipn-monitor status` names the rows",
                count=covered.not_evaluated,
            )
        )
    if is_quiet(settings, covered):
        found.append(say("{words}: is the export or the interface still running?", words=quiet_words(covered)))
    for feed in covered.feeds:
        if feed.quiet or feed.lasting:
            words = age_words(feed, covered.now)
            found.append(say("the feed {name}: {words}; is it still running?", name=feed.name, words=words))
    if not covered.journal.intact:
        found.append(
            say(
                "the journal is broken at entry {entry}: {problem}; `bipn-monitor journal verify` shows it; "
                "find out who writes into the database",
                entry=covered.journal.broken_at or 0,
                problem=covered.journal.problem or "",
            )
        )
    if synthetic_problem is not None:
        found.append(synthetic_problem)
    return found


def is_quiet(settings: Settings, covered: Covered) -> bool:
    """Whether no fact has come in for too long, or never."""
    return covered.newest_fact_at is None or covered.now - covered.newest_fact_at > settings.feed_quiet_after


def quiet_words(covered: Covered) -> Said:
    """How long no fact has come in."""
    newest = covered.newest_fact_at
    if newest is None:
        return say("no fact has ever come in")
    return say("the newest fact is {age}", age=_age(covered.now - newest))


def facts(
    site: Site, covered: Covered, *, problems: Sequence[str], gaps: Sequence[str], synthetic: str | None, journal_sha256: str
) -> CoverageFacts:
    """The mail's facts. A patient is shown only as the site shows patients."""
    settings, zone = site.settings, site.settings.time_zone
    level = Urgency.IMMEDIATE if covered.unexplained else Urgency.SAME_DAY if problems else None
    shown = settings.privacy != "none"  # where patients are named elsewhere, here they are not: nobody treats them
    cases = [_line(case, site, shown) for case in covered.of("unexplained")] + [each.words for each in covered.lost]
    withheld = [_line(case, site, shown) for case in covered.of("withheld")]
    waiting = [
        say(
            "{alert}, {urgency}, {patient}, since {at}",
            alert=f"A-{alert.alert_id}",
            urgency=URGENCIES[alert.urgency],
            patient=alert.patient_id if shown else NOT_SHOWN,
            at=instant_in_words(alert.raised_at, zone),
        )
        for alert in covered.not_acknowledged
    ]
    return CoverageFacts(
        urgency=None if level is None else urgency_in_words(level, within=acknowledge_within(settings)[level]),
        unexplained=covered.unexplained,
        problems=tuple(problems),
        period=_period(site, covered),
        cases=_at_most(cases),
        figures=tuple(TimeFacts(label=label, at=said) for label, said in figures(covered).items()),
        withheld=_at_most(withheld),
        not_acknowledged=_at_most(waiting),
        gaps=_at_most(list(gaps)),
        synthetic=synthetic,
        journal_sha256=journal_sha256,
        times=(TimeFacts(label=say("Made"), at=instant_in_words(covered.now, zone)),),
        policy=policy_facts(site.policy),
        notice=COVERAGE_NOTICE,
    )


def figures(covered: Covered) -> dict[Said, str]:
    """The numbers in the order of the mail. Corrections are cases like the others; they are counted apart."""
    met = [case for case in covered.cases if not case.correction]
    told = [case for case in met if case.fate == "told"]
    immediate = [case.told_after for case in told if case.urgency is Urgency.IMMEDIATE and case.told_after is not None]
    newest = covered.newest_fact_at
    return {
        say("Assessments read"): str(covered.assessments),
        say("Patients looked at"): str(covered.patients),
        say("Thresholds met"): str(len(met)),
        say("Told"): str(len(told)),
        say("Acknowledged"): str(sum(case.acknowledged for case in met)),
        say("Passed on to the next step"): str(sum(case.escalated for case in met)),
        say("Withheld"): str(sum(case.fate == "withheld" for case in met)),
        say("Waiting, decided just now"): str(sum(case.fate == "waiting" for case in met)),
        say("Unexplained"): str(covered.unexplained),
        say("Corrections of what was told"): str(sum(case.correction for case in covered.cases)),
        say("Immediate: longest until sent"): length_words(max(immediate)) if immediate else "-",
        say("Mails refused for good"): str(covered.refused_mails),
        say("Newest fact"): say("none") if newest is None else _age(covered.now - newest),
        **_of_each_feed(covered),
    }


def _of_each_feed(covered: Covered) -> dict[Said, str]:
    """How old the newest record of each source is: one that is fresh hides no other that went quiet."""
    return {say("Newest from {feed}", feed=each.name): age_words(each, covered.now) for each in covered.feeds}


def journal_body(covered: Covered, problems: Sequence[str]) -> dict[str, Any]:
    """The statement as the journal keeps it: with the patients whom a mail may not show."""
    unexplained = [
        {
            "patient_id": case.patient_id,
            "alert": None if case.alert_id is None else f"A-{case.alert_id}",
            "rule": case.rule,
            "urgency": case.urgency.value,
            "at": case.at,
            "why": case.why,
        }
        for case in covered.of("unexplained")
    ]
    return {
        "since": covered.since,
        "until": covered.now,
        "unexplained": covered.unexplained,
        "clean": not covered.unexplained and not problems,
        "figures": figures(covered),
        "cases": unexplained,
        "lost": [each.words for each in covered.lost],
        "problems": list(problems),
    }


def _line(case: Case, site: Site, shown: bool) -> Said:
    who = [] if case.alert_id is None else [f"A-{case.alert_id}"]
    who += [case.patient_id] if shown else [NOT_SHOWN] if case.alert_id is None else []
    what = say(
        "{who}, {rule}, {urgency}, of {at}",
        who=joined(", ", who),
        rule=case.rule,
        urgency=URGENCIES[case.urgency],
        at=instant_in_words(case.at, site.settings.time_zone),
    )
    why = say("{owner} - {why}", owner=case.owner, why=case.why) if case.owner else case.why
    return say("{what}: {why}", what=what, why=why)


def _period(site: Site, covered: Covered) -> Said:
    zone = site.settings.time_zone
    period = say("From {begin} to {end}", begin=instant_in_words(covered.since, zone), end=instant_in_words(covered.now, zone))
    if covered.policy_since is None:
        return period
    return say(
        "{period}. Another policy decides since {at}: only what it says is compared",
        period=period,
        at=instant_in_words(covered.policy_since, zone),
    )


def _at_most(lines: Sequence[str]) -> tuple[str, ...]:
    more = len(lines) - LINES_SHOWN
    return tuple(lines) if more <= 0 else (*lines[:LINES_SHOWN], say("and {more} more", more=more))


def _age(age: timedelta) -> Said:
    return say("{length} old", length=length_words(age))
