"""Sentences of the mail about one patient that are made of several things told in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from monitor.delivery.facts import FindingFacts
from monitor.said import Said, joined, say, say_n


def situation_in_words(finding: FindingFacts) -> Said:
    """The alert with its rule and urgency."""
    return say(
        "{alert}: {title} (rule {rule}), {urgency}",
        alert=finding.alert,
        title=finding.title,
        rule=finding.rule,
        urgency=finding.urgency.word,
    )


def disagreement_in_words(others: Sequence[str]) -> Said | None:
    """That these guidelines answer something else than the site's; None where none does."""
    if not others:
        return None
    return say_n(
        "The guidelines disagree: {others} answers otherwise.",
        "The guidelines disagree: {others} answer otherwise.",
        count=len(others),
        others=joined(", ", others),
    )


def said_once(headlines: Sequence[str]) -> tuple[str, ...]:
    """The headlines in their order, without those that are the beginning of another: two rules may rest on one change."""
    once = dict.fromkeys(headlines)
    return tuple(each for each in once if not any(other != each and other.startswith(each) for other in once))


def turned_once(findings: Sequence[FindingFacts]) -> tuple[FindingFacts, ...]:
    """The findings with each turning point said at the first of them; where none is left of a later one, it points there."""
    first: dict[str, str] = {}
    told = []
    for finding in findings:
        new = tuple(each for each in finding.turning if first.setdefault(each, finding.alert) == finding.alert)
        if finding.turning and not new:
            new = (say("as for {alert}", alert=first[finding.turning[0]]),)
        told.append(replace(finding, turning=new))
    return tuple(told)
