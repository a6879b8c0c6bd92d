"""The mail that stands in for one that cannot be sent: no template, no patient, ASCII, headers that cannot fail."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from monitor.clinical.findings import Urgency

KIND = "plain"
NAMED_AT_MOST = 5  # in the subject; the text names all


@dataclass(frozen=True, slots=True, kw_only=True)
class Plain:
    """A subject of one line and the text below it."""

    subject: str
    text: str


def plain(urgency: Urgency, alert_ids: Sequence[int], *, for_operations: bool = False) -> Plain:
    """What to say instead of a mail about these alerts; ``for_operations`` instead of an alarm to the administrator."""
    if for_operations or not alert_ids:
        subject = "The monitor needs an administrator"
        lines = ["A mail of the neuropathy monitor could not be sent as it was written.", "What it said: bipn-monitor status"]
        return Plain(subject=subject, text=_filled(lines))
    names = [f"A-{alert_id}" for alert_id in alert_ids]
    word = urgency.value.upper().replace("-", " ")
    named = ", ".join(names[:NAMED_AT_MOST]) + (f" and {len(names) - NAMED_AT_MOST} more" if len(names) > NAMED_AT_MOST else "")
    lines = [
        f"{word}: alert{'s' if len(names) > 1 else ''} {', '.join(names)}.",
        "The mail about this could not be sent as it was written, so this one says nothing of the patient.",
        "Look it up in the monitor now (bipn-monitor alerts), or ask whoever runs it.",
        "The administrator has been told why.",
    ]
    return Plain(subject=f"{word} - look up in the monitor: {named}", text=_filled(lines))


def _filled(lines: Sequence[str]) -> str:
    return "\n".join(textwrap.fill(line, 78, break_long_words=False, break_on_hyphens=False) for line in lines) + "\n"
