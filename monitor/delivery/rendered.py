"""What a rendered mail is made of."""

from __future__ import annotations

from dataclasses import dataclass

LONGEST_SUBJECT = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """A subject of one line, and the two bodies, each complete on its own."""

    subject: str
    text: str
    html: str
