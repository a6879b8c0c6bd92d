"""What feeds brought and was refused, for people: what is open, and that somebody settles it by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from monitor.errors import UsageError
from monitor.service.opening import Site
from monitor.service.shapes import instant_text
from monitor.store import journal, rejects

LISTED_AT_MOST = 1000
_NAME_AT_MOST, _REASON_AT_MOST = 200, 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRejects:
    """What is open, the newest first and at most LISTED_AT_MOST of it; ``number`` counts all."""

    rejects: tuple[rejects.Reject, ...]
    number: int


def open_rejects(site: Site, feed: str | None = None) -> OpenRejects:
    """What is refused and not settled, of one feed or of all. Reads only."""
    with site.database.read() as connection:
        found = rejects.still_open(connection, at_most=LISTED_AT_MOST, feed=feed)
        by_feed = rejects.open_by_feed(connection)
    return OpenRejects(rejects=tuple(found), number=sum(by_feed.values()) if feed is None else by_feed.get(feed, 0))


def settle(site: Site, numbers: Sequence[int], *, by: str, reason: str, now: datetime) -> list[rejects.Reject]:
    """Somebody says that nothing more is to be done about these: all of them, or none. Kept in the journal.

    Raises UsageError for a number that is not open, and without a name or a reason.
    """
    by, reason = " ".join(by.split()), " ".join(reason.split())
    if not by or not reason:
        raise UsageError("to settle what was refused takes a name and a reason: --by NAME --reason TEXT")
    if len(by) > _NAME_AT_MOST or len(reason) > _REASON_AT_MOST:
        raise UsageError(f"a name has at most {_NAME_AT_MOST} characters, a reason {_REASON_AT_MOST}")
    settled = []
    with site.database.write("settled") as connection:
        for number in dict.fromkeys(numbers):
            found = rejects.settle(connection, number, now=now)
            if found is None:
                raise UsageError(f"nothing open has the number {number}; `bipn-monitor rejects` lists what is")
            body = {"act": "settled", "by": by, "reason": reason, "feed": found.feed, "origin": found.origin}
            journal.append(connection, now, journal.Entry("act", f"reject {number}", body))
            settled.append(found)
    return settled


def reject_json(reject: rejects.Reject) -> dict[str, Any]:
    """One as ``rejects --format json`` prints it."""
    return {
        "id": reject.id,
        "at": instant_text(reject.at),
        "feed": reject.feed,
        "origin": reject.origin,
        "line": reject.line,
        "column": reject.column,
        "problem": reject.problem,
    }
