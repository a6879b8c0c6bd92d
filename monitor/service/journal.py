"""What a round leaves in the journal beside its alerts: that another policy decides now, and that for a while nobody watched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from monitor import __version__
from monitor.clinical.coverage import GRACE, Pause
from monitor.service.opening import Site
from monitor.store import journal
from monitor.store.journal import Entry
from monitor.store.rounds import RoundRecord

PAUSE = "pause"
"""The subject of the round's entry that says from when to when no round was done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """When it was watched, and by which policy, as far as the journal goes back."""

    pauses: tuple[Pause, ...]
    policy_since: datetime | None  # since when the present policy decides; None where it always did


def round_entries(site: Site, before: RoundRecord | None, now: datetime) -> list[Entry]:
    """What the round of ``now`` has to say; ``before`` is the one before it."""
    entries = []
    if before is None or before.policy_sha256 != site.policy.sha256:
        guideline = site.policy.guideline
        body = {
            "guideline": guideline.name,
            "version": guideline.version,
            "thresholds": site.policy.thresholds.version,
            "approved_by": site.policy.thresholds.approved_by,
            "program": __version__,
        }
        entries.append(Entry("policy", site.policy.sha256, body))
    if before is not None and now - before.started_at > max(GRACE, 3 * site.settings.poll_every):
        entries.append(Entry("round", PAUSE, {"after": before.started_at, "until": now}))
    return entries


def watch(connection: Connection, policy_sha256: str, since: datetime) -> Watch:
    """Read back what concerns the time from ``since`` on."""
    return Watch(pauses=_pauses(connection, since), policy_since=_policy_since(connection, policy_sha256, since))


def _pauses(connection: Connection, since: datetime) -> tuple[Pause, ...]:
    found = []
    for entry in journal.of_event(connection, "round"):
        if entry.subject == PAUSE and entry.at >= since:
            after, until = (datetime.fromisoformat(entry.body[name]) for name in ("after", "until"))
            found.append(Pause(after=after, until=until))
    return tuple(found)


def _policy_since(connection: Connection, policy_sha256: str, since: datetime) -> datetime | None:
    entries: Sequence[journal.Kept] = journal.of_event(connection, "policy")
    found = None
    for before, entry in zip([None, *entries], entries, strict=False):
        if entry.subject == policy_sha256 and before is not None and before.subject != policy_sha256:
            found = entry.at
    return found if found is not None and found > since else None
