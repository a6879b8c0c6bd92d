"""What feeds say piece by piece into the rows that rules read: kept as it came, settled group by group, a version at a time.

A feed says a motor grade, a pain score and twelve muscles one by one, in any order, and corrects each alone. The pieces of
one examination make one row; a correction of any makes a new version of it, known from when the hospital knew it.
Nothing is settled twice for one and the same message, and memory stays bounded whatever a feed brings.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice

from sqlalchemy import Connection

from monitor.importers.columns import COLUMNS
from monitor.importers.imported import CellError, Clinic, Rejected
from monitor.importers.items import GONE, MEDICATION, MERGE, ORDER, OUTDATED, SURFACE, Item, Merge, referred
from monitor.importers.values import identifier, recorded
from monitor.service import merging
from monitor.service.grouping import newer
from monitor.service.helping_cells import READERS as HELPING
from monitor.service.settled_groups import Groups
from monitor.store import dialect, facts, items
from monitor.store.items import FAILED, SETTLED, UNSETTLED, Group, Name, Piece, Value

_AT_ONCE = 2000
_GROUPS_AT_ONCE = 500
_REMEMBERED = 100_000
_LONGEST_NAME = 200
_TWICE = "it came twice in one and the same version, and says two things; the first is kept: correct it where it comes from"


@dataclass(slots=True)
class Taken:
    """What became of what a feed said: rows by kind, what was refused, and what is about drugs that nobody watches."""

    counts: dict[str, facts.Counts] = field(default_factory=dict)
    rejected: list[Rejected] = field(default_factory=list)
    passed_over: Counter[str] = field(default_factory=Counter)

    def of(self, kind: str) -> facts.Counts:
        """The counts of a kind."""
        return self.counts.setdefault(kind, facts.Counts())


def take(connection: Connection, feed: str, said: Iterable[Item | Merge], clinic: Clinic) -> Taken:
    """Keep what ``feed`` says, and make or change the rows that it makes. In the caller's writing transaction.

    A piece that was said before in the same or a later version changes nothing. Never raises for what a feed may say.
    """
    dialect.prepare_import(connection)
    taking = _Taking(connection, feed, clinic)
    remaining = iter(said)
    while chunk := list(islice(remaining, _AT_ONCE)):
        lately: dict[Name, Item] = {}
        for wave in _waves(chunk):
            taking.keep(wave, lately)
    return taking.finish()


def _waves(chunk: list[Item | Merge]) -> Iterator[list[Item] | Merge]:
    """Runs of items in which no name comes twice: each version is settled before the next takes its place."""
    wave: dict[Name, Item] = {}
    for each in chunk:
        name = (each.type, each.id) if isinstance(each, Item) else None
        if name is None or name in wave:
            yield list(wave.values())
            wave = {}
        if isinstance(each, Item):
            wave[each.type, each.id] = each
        else:
            yield each
    yield list(wave.values())


class _Taking:
    """One call of ``take``."""

    def __init__(self, connection: Connection, feed: str, clinic: Clinic) -> None:
        self._connection, self._feed, self._clinic = connection, feed, clinic
        self._taken = Taken()
        self._groups = Groups(connection, feed, clinic)
        self._same: set[Group] = set()

    def keep(self, wave: list[Item] | Merge, lately: dict[Name, Item]) -> None:
        """Keep what is new of a wave; whatever it takes the place of is settled before. ``lately`` is what came just before."""
        if isinstance(wave, Merge):
            self._merge(wave)
            return
        read = [(item, self._read(item) if self._is_once(item, lately) else None) for item in wave]
        arriving = [piece for _, piece in read if piece is not None]
        before = items.known(self._connection, self._feed, [(item.type, item.id) for item in wave])
        # What is refused leaves what was said before as it is, yet it is not the last word on it.
        unheard = [before[item.type, item.id] for item, piece in read if piece is None and (item.type, item.id) in before]
        items.keep(self._connection, self._feed, [replace(old, cells=old.cells | {OUTDATED: "yes"}) for old in unheard])
        fresh = [piece for piece in (self._fresh(each, before.get(each.name)) for each in arriving) if piece is not None]
        due = {
            (old.kind, old.group)
            for old in (before.get(piece.name) for piece in fresh)
            if old is not None and old.state == UNSETTLED
        }
        if due:
            self._settle(due, last=False)
        left = [_left(before[piece.name], piece) for piece in fresh if piece.name in before]
        items.keep(self._connection, self._feed, [*fresh, *(each for each in left if each is not None)])
        self._wake(fresh, before)

    def finish(self) -> Taken:
        """Settle what is still to be settled."""
        self._settle_all()
        self._forget()
        return self._taken

    def _is_once(self, item: Item, lately: dict[Name, Item]) -> bool:
        """Whether nothing else came under its name and version a moment ago; which of two is right cannot be told."""
        before = lately.setdefault((item.type, item.id), item)
        if before.version == item.version and _said(before) != _said(item):
            self._refuse(item, None, _TWICE)
            return False
        lately[item.type, item.id] = item
        return True

    def _read(self, item: Item) -> Piece | None:
        """The item with its cells read, or None for one that is refused."""
        try:
            for text in (item.type, item.id, item.version, item.group):
                if len(text) > _LONGEST_NAME or not text.isprintable():
                    raise CellError(f"its id, version or group is longer than {_LONGEST_NAME} characters or cannot be printed")
            known = None if item.recorded_at is None else str(recorded(item.recorded_at, self._clinic))
        except CellError as bad:
            self._refuse(item, None, str(bad))
            return None
        piece = Piece(
            type=item.type,
            id=item.id,
            version=item.version,
            patient_id=item.patient_id.strip(),
            kind=item.kind,
            group=item.patient_id.strip() if item.kind == "patients" else item.group,
            uses=item.cells.get(MEDICATION) or item.cells.get("into", "").removeprefix("@") or None,
            voided=item.voided,
            recorded_at=known,
            state=SETTLED if item.kind.startswith("@") and item.kind != MERGE else UNSETTLED,
        )
        if item.voided and item.kind in ("", GONE):
            return piece
        mistakes = list(self._cells(item, piece.cells))
        for column, problem in mistakes:
            self._refuse(item, column, problem)
        return None if mistakes else piece

    def _cells(self, item: Item, into: dict[str, Value]) -> Iterator[tuple[str, str]]:
        if referred(item.patient_id) is None and item.kind != MEDICATION:
            try:
                if not item.patient_id.strip():
                    raise CellError("found nothing; each record names its patient")
                identifier(item.patient_id, self._clinic)
            except CellError as bad:
                yield "patient_id", str(bad)
        readers = _READERS.get(item.kind, {})
        for name, text in item.cells.items():
            helping = item.kind.startswith("@") or name.startswith("@")
            if helping and name not in HELPING:
                into[name] = text
            elif not helping and name not in readers:
                yield name, f"there is no such column of {item.kind or 'nothing'}; correct the mapping"
            else:
                read = HELPING[name] if helping else readers[name]
                try:
                    into[name] = read(text.strip(), self._clinic) if text.strip() else None
                except CellError as bad:
                    yield name, str(bad)

    def _fresh(self, piece: Piece, before: Piece | None) -> Piece | None:
        """The piece as it is to be kept, or None if it says nothing new."""
        if before is None:
            return piece if piece.kind else None  # what was never said cannot be taken back
        if not newer(before, piece, self._clinic.zone):
            if before.state == FAILED:
                return replace(before, state=UNSETTLED)
            self._unchanged(before)
            return None
        if piece.voided and not (piece.kind and piece.cells):
            return replace(before, version=piece.version, recorded_at=piece.recorded_at, voided=True, state=UNSETTLED)
        if piece.kind == before.kind == "patients":  # what the record no longer says is no longer so
            piece.cells = dict.fromkeys(before.cells) | piece.cells
        return piece

    def _wake(self, fresh: list[Piece], before: dict[Name, Piece]) -> None:
        """What depends on a piece that has come or changed is looked at again."""
        patients, named, dosed = [], [], []
        for piece in fresh:
            old = before.get(piece.name)
            if piece.kind == "patients" and (old is None or old.patient_id != piece.patient_id):
                patients.append(f"@{piece.type}/{piece.id}")
            if piece.kind in ("patients", MEDICATION):
                named.append(f"{piece.type}/{piece.id}")
            if piece.kind in (ORDER, SURFACE):
                dosed.append(piece.patient_id)
        items.unsettle_patients(self._connection, self._feed, patients)
        items.unsettle_users(self._connection, self._feed, named)
        items.unsettle_patients(self._connection, self._feed, dict.fromkeys(dosed), kind="doses")

    def _settle(self, groups: Collection[Group], *, last: bool) -> None:
        """Make the rows of the groups. What is wrong counts at the last: until then more may come."""
        self._same.difference_update(groups)
        refused, passed_over = self._groups.settle(groups, self._taken.counts)
        if last:
            self._taken.rejected += refused
            self._taken.passed_over += passed_over

    def _settle_all(self) -> None:
        after: Group = ("", "")
        while groups := items.unsettled(self._connection, self._feed, after=after, at_most=_GROUPS_AT_ONCE):
            self._settle(groups, last=True)
            after = groups[-1]

    def _merge(self, merge: Merge) -> None:
        self._settle_all()
        try:
            merging.merge(
                self._connection,
                merge.patient_id,
                merge.into_id,
                feed=self._feed,
                now=self._clinic.now,
                zone=self._clinic.zone,
            )
        except merging.MergeRefusedError as refused:
            self._taken.rejected.append(Rejected(line=None, column="patient_id", problem=str(refused), record="a merge"))

    def _unchanged(self, piece: Piece) -> None:
        if piece.kind in COLUMNS:
            self._same.add((piece.kind, piece.group))
            if len(self._same) >= _REMEMBERED:
                self._forget()

    def _forget(self) -> None:
        for kind, _ in self._same:
            self._taken.of(kind).unchanged += 1
        self._same.clear()

    def _refuse(self, item: Item, column: str | None, problem: str) -> None:
        name = f"{item.type}/{item.id.partition('#')[0]}"
        self._taken.rejected.append(Rejected(line=None, column=column, problem=problem, record=name))


def _said(item: Item) -> tuple[object, ...]:
    return item.patient_id, item.kind, item.group, item.cells, item.voided


def _left(before: Piece, after: Piece) -> Piece | None:
    """What stays in the group that a piece has left, so that its row is made anew."""
    if (before.kind, before.group) == (after.kind, after.group) or before.kind.startswith("@"):
        return None
    gone = f"{before.id}#left {before.kind} {before.group}"
    return replace(before, id=gone, voided=True, recorded_at=after.recorded_at, version=after.version, state=UNSETTLED)


_READERS = {kind: {column.name: column.read for column in columns} for kind, columns in COLUMNS.items()}
