"""The board's words for what the store keeps as names."""

from __future__ import annotations

from monitor.said import Said, say

SHAPES = {"immediate": "\u25a0", "same-day": "\u25b2", "review": "\u25cf"}
"""As in the mails: colour is never the only sign."""

_URGENCIES = {"immediate": say("IMMEDIATE"), "same-day": say("SAME DAY"), "review": say("REVIEW")}
_STATES = {
    "open": say("open"),
    "acknowledged": say("acknowledged"),
    "resolved": say("closed"),
    "withdrawn": say("withdrawn"),
}


def urgency_words(urgency: str) -> Said:
    """The word of an urgency as the mails have it."""
    return _URGENCIES[urgency]


def state_words(state: str) -> Said:
    """The state of an alert."""
    return _STATES[state]
