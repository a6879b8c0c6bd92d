"""The mail that stands in for one that cannot be sent: no template, no patient, ASCII, headers that cannot fail."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from monitor.clinical.findings import Urgency
from monitor.delivery.language import Language, said_in
from monitor.said import Said, say, say_n

KIND = "plain"
NAMED_AT_MOST = 5  # in the subject; the text names all

_WORDS = {Urgency.IMMEDIATE: say("IMMEDIATE"), Urgency.SAME_DAY: say("SAME DAY"), Urgency.REVIEW: say("REVIEW")}
_IN_ASCII = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ß": "ss"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Plain:
    """A subject of one line and the text below it."""

    subject: str
    text: str


def plain(urgency: Urgency, alert_ids: Sequence[int], *, for_operations: bool = False, language: Language = "en") -> Plain:
    """What to say instead of a mail about these alerts; ``for_operations`` instead of an alarm to the administrator."""
    if for_operations or not alert_ids:
        lines = [
            say("A mail of the neuropathy monitor could not be sent as it was written."),
            say("What it said: {command}", command="bipn-monitor status"),
        ]
        return _plain(say("The monitor needs an administrator"), lines, language)
    names = [f"A-{alert_id}" for alert_id in alert_ids]
    word, all_named = _WORDS[urgency], ", ".join(names)
    named = ", ".join(names[:NAMED_AT_MOST])
    if len(names) > NAMED_AT_MOST:
        named = say("{names} and {more} more", names=named, more=len(names) - NAMED_AT_MOST)
    lines = [
        say_n("{word}: alert {names}.", "{word}: alerts {names}.", count=len(names), word=word, names=all_named),
        say("The mail about this could not be sent as it was written, so this one says nothing of the patient."),
        say("Look it up in the monitor now ({command}), or ask whoever runs it.", command="bipn-monitor alerts"),
        say("The administrator has been told why."),
    ]
    return _plain(say("{word} - look up in the monitor: {names}", word=word, names=named), lines, language)


def _plain(subject: Said, lines: Sequence[Said], language: Language) -> Plain:
    filled = [textwrap.fill(_ascii(line, language), 78, break_long_words=False, break_on_hyphens=False) for line in lines]
    return Plain(subject=_ascii(subject, language), text="\n".join(filled) + "\n")


def _ascii(said: Said, language: Language) -> str:
    return said_in(said, language).translate(_IN_ASCII)
