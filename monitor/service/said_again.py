"""Sentences that the database keeps as plain English, recognised so that they can be said in the reader's language.

Why something was withheld, cancelled or handed over is kept for people and for the journal, as they read it there.
"""

from __future__ import annotations

import re

from monitor.clinical.words import URGENCIES
from monitor.said import Said, say

_KEPT: tuple[Said, ...] = (
    *URGENCIES.values(),
    # whose decision
    say("daily digest"),
    say("quiet hours of team {team}", team=""),
    say("a snooze"),
    # why it is withheld
    say("{urgency}: told in the morning", urgency=""),
    say("{urgency}: reminded in the morning", urgency=""),
    say("digest: told in the morning"),
    say("review: told once a day in one mail"),
    say("snoozed"),
    # why somebody hears early
    say("an out-of-office reply"),
    say("a mail that did not arrive"),
    say("a mail was given up"),
    say("a mail that does not get through"),
    say("passed on by {who}", who=""),
    # why a mail was cancelled
    say("superseded by a newer mail"),
    say("replaced by a later reminder"),
    say("the record it rested on was corrected"),
    say("the record became part of another one"),
)


def _pattern(template: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>.+)", re.escape(template)), re.DOTALL)


_PATTERNS = tuple((each.template, _pattern(each.template)) for each in _KEPT)


def said_again(kept: str) -> str:
    """The same text, said where it is one of the program's own sentences; a person's words stay as they are."""
    for template, pattern in _PATTERNS:
        found = pattern.fullmatch(kept)
        if found is not None:
            values = {name: said_again(value) if name == "urgency" else value for name, value in found.groupdict().items()}
            return Said(kept, template, None, values)
    return kept
