"""Feeds that show their present state: what is new or other is taken, and what is no longer there is taken back.

Such a feed says nothing of what was deleted. It is missing, in a record that was shown whole or in a whole state: that is
enough, unless so much is missing at once that something else must have happened, such as rights that were withdrawn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import Connection

from monitor.importers.imported import Clinic, Rejected
from monitor.importers.items import Item
from monitor.importers.said import Said
from monitor.service import settling
from monitor.store import rejects
from monitor.store.standing_items import standing_items
from monitor.store.times import instant_or, moment

FEW = 10
"""So many pieces may always be gone at once (J)."""

_LONGEST_NAME = 300
GONE = "gone"
"""The version of what is no longer there."""


@dataclass(slots=True)
class Outcome:
    """``received``: something is new or other. ``problem`` where more is missing than may be taken back."""

    received: bool = False
    rejected: list[Rejected] = field(default_factory=list)
    problem: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Of which feed and type of item, of all its records or some, and how much may be gone at once."""

    feed: str
    type: str
    whole: bool
    most_gone_percent: int
    record_of: Callable[[str], str]


def take(connection: Connection, snapshot: Snapshot, said: Iterable[Said], clinic: Clinic) -> Outcome:
    """Take what was said, and take back what is gone. In the caller's writing transaction."""
    state = _State(snapshot, standing_items(connection, snapshot.feed, snapshot.type), clinic)
    taken = settling.take(connection, snapshot.feed, state.items(said), clinic)
    outcome = Outcome(rejected=[*state.refused, *taken.rejected], problem=state.problem())
    if outcome.problem is None:
        gone = (Item(type=snapshot.type, id=each, version=GONE, voided=True) for each in state.gone())
        taken_back = settling.take(connection, snapshot.feed, gone, clinic)
        outcome.rejected += taken_back.rejected
        outcome.received = any(each.inserted or each.corrected for each in taken_back.counts.values())
    outcome.received |= any(each.inserted or each.corrected for each in taken.counts.values())
    state.record(connection, outcome.rejected)
    return outcome


class _State:
    """What stood before, and what of it is there now."""

    def __init__(self, snapshot: Snapshot, before: dict[str, str | None], clinic: Clinic) -> None:
        self._snapshot, self._before, self._clinic = snapshot, before, clinic
        self._there: set[str] = set()
        self._shown: set[str] = set()
        self._unclear: set[str] = set()
        self.refused: list[Rejected] = []

    def items(self, said: Iterable[Said]) -> Iterator[Item]:
        """Every item, while it is noted what is there."""
        for each in said:
            self._shown.add(each.record)
            self._there.add(each.id)
            self.refused += each.refused
            if each.refused and not each.id:
                self._unclear.add(each.record)
            if each.item is not None:
                yield self._not_earlier(each.item)

    def gone(self) -> list[str]:
        """What stood before and is not there now. Of a record of which nothing can be told nothing is gone;

        nor of any, if there is one that does not say whose it is.
        """
        record_of, whole = self._snapshot.record_of, self._snapshot.whole
        if "" in self._unclear:
            return []
        missing = (each for each in self._before if each not in self._there)
        return [each for each in missing if (record := record_of(each)) not in self._unclear and (whole or record in self._shown)]

    def problem(self) -> str | None:
        """Why nothing is taken back, or None."""
        gone, before = len(self.gone()), len(self._before)
        if self._snapshot.whole and before and not self._shown:
            return "there are no records any more; nothing was taken back: check what this feed's user may read"
        if gone > FEW and gone * 100 > before * self._snapshot.most_gone_percent:
            return (
                f"{gone} of {before} pieces are gone at once; nothing was taken back: check what this feed's user may read, "
                "and if they were deleted, raise most_gone_percent in the mapping until the next reading"
            )
        return None

    def record(self, connection: Connection, rejected: list[Rejected]) -> None:
        """What is refused now; of a record that was shown and is whole, what was refused before is settled."""
        feed, now = self._snapshot.feed, self._clinic.now
        by_record: dict[str, list[Rejected]] = {}
        for each in rejected:
            by_record.setdefault(_storable(each.record or ""), []).append(each)
        known, shown = rejects.open_origins(connection, feed), set(map(_storable, self._shown))
        for origin in known | by_record.keys():
            if origin in by_record or self._snapshot.whole or self._snapshot.record_of(_id(origin)) in shown:
                found = [_reject(each, feed, origin, now) for each in by_record.get(origin, [])]
                rejects.replace(connection, found, feed=feed, origin=origin, now=now)

    def _not_earlier(self, item: Item) -> Item:
        """A correction may say an earlier time of entry than what it corrects: it holds since then all the same."""
        before = self._before.get(item.id)
        if before is None or item.recorded_at is None:
            return item
        known = moment(before, self._clinic.zone).at
        earlier = instant_or(item.recorded_at, self._clinic.zone, otherwise=known) < known
        return replace(item, recorded_at=before) if earlier else item


def _storable(name: str) -> str:
    """The name of a record as every database takes it."""
    return "".join(letter if letter.isprintable() else "?" for letter in name[:_LONGEST_NAME])


def _id(origin: str) -> str:
    return f"{origin.partition('/')[2]}#"


def _reject(rejected: Rejected, feed: str, origin: str, now: datetime) -> rejects.Reject:
    return rejects.Reject(at=now, feed=feed, origin=origin, line=None, column=rejected.column, problem=rejected.problem)
