"""Groups of pieces into the tables of facts, some hundred at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from itertools import count

from sqlalchemy import Connection

from monitor.importers.columns import COLUMNS
from monitor.importers.imported import Clinic, Rejected
from monitor.importers.items import MERGE, referred
from monitor.service import merging
from monitor.service.completing import NotOurs, Others, complete, others
from monitor.service.grouping import Unfit, in_order, latest, rows, unfit
from monitor.store import facts, items, merges
from monitor.store.belonging import PATIENTS
from monitor.store.items import FAILED, SETTLED, Group, Piece, Value
from monitor.store.taking_back import in_force_now, says_the_same, standing, take_back

MOST_PIECES = 1000
"""No examination has so many measures: a feed that calls everything by one name is refused."""

_TOO_LARGE = Unfit(None, f"more than {MOST_PIECES} pieces say that they are one record; correct what the mapping groups them by")
_TWO_PATIENTS = Unfit("patient_id", "the pieces of this record name different patients; nothing of it is taken")
_NO_PATIENT = "its patient, {}, has not come; import that record too"

Row = dict[str, Value]


class Groups:
    """Settles groups of one feed in one transaction."""

    def __init__(self, connection: Connection, feed: str, clinic: Clinic) -> None:
        self._connection, self._feed, self._clinic = connection, feed, clinic
        self._pass = count(1)

    def settle(self, groups: Collection[Group], counts: dict[str, facts.Counts]) -> tuple[list[Rejected], Counter[str]]:
        """Make their rows, and add to ``counts``; what was refused, and what is about drugs that are not watched."""
        batch = _Batch(self._connection, self._feed, self._clinic)
        too_large = items.too_large(self._connection, self._feed, groups, more_than=MOST_PIECES)
        found = items.members(self._connection, self._feed, [each for each in groups if each not in too_large])
        for group in too_large:
            batch.fail(group, [], _TOO_LARGE)
        batch.make(found)
        batch.write(f"{self._feed} {self._clinic.now.isoformat()} {next(self._pass)}", counts)
        items.settle(self._connection, self._feed, {group: FAILED if group in batch.failed else SETTLED for group in groups})
        return batch.rejected, batch.passed_over


class _Batch:
    """What some hundred groups come to."""

    def __init__(self, connection: Connection, feed: str, clinic: Clinic) -> None:
        self._connection, self._feed, self._clinic = connection, feed, clinic
        self._rows: dict[str, list[Row]] = {}
        self._names: dict[str, dict[str, str | None]] = {}  # of the groups with rows: when each was last recorded
        self._gone: dict[str, dict[str, str | None]] = {}
        self._merged: list[tuple[Group, Piece, dict[str, str]]] = []
        self.rejected: list[Rejected] = []
        self.failed: set[Group] = set()
        self.passed_over: Counter[str] = Counter()

    def make(self, groups: dict[Group, list[Piece]]) -> None:
        pieces = [piece for each in groups.values() for piece in each]
        known = others(self._connection, self._feed, pieces)
        named = self._named(pieces)
        now = merges.resolve(self._connection, set(named.values()))
        patients = {each: now[patient_id] for each, patient_id in named.items()}
        for group, members in groups.items():
            kind = group[0]
            if kind == MERGE:
                self._merge(group, members, named)
            elif kind in COLUMNS:
                self._make(group, in_order(members, self._clinic.zone), patients, known)

    def write(self, feed: str, counts: dict[str, facts.Counts]) -> None:
        clinic = self._clinic
        self._take_back_surplus()
        for kind in COLUMNS:
            taken = self._gone.get(kind, {})
            ended = take_back(self._connection, kind, taken, now=clinic.now, zone=clinic.zone) if taken else 0
            new = self._rows.get(kind, [])
            if kind == "patients" and new:
                new = self._with_what_others_say(new)
            if not ended and not new:
                continue
            # A system that saves a record anew without changing it corrects nothing.
            same = says_the_same(self._connection, kind, new)
            changed: Sequence[facts.FactRow] = [row for row, unchanged in zip(new, same, strict=True) if not unchanged]
            if kind != "patients":
                changed = in_force_now(self._connection, kind, changed, clinic.zone)
            written = facts.write(self._connection, kind, changed, now=clinic.now, feed=feed, zone=clinic.zone)
            total = counts.setdefault(kind, facts.Counts())
            total.inserted += written.inserted
            total.corrected += written.corrected + ended
            total.unchanged += written.unchanged + sum(same)
        for group, piece, named in self._merged:
            former, surviving = named[piece.patient_id], named[str(piece.cells["into"])]
            try:
                merging.merge(self._connection, former, surviving, feed=self._feed, now=clinic.now, zone=clinic.zone)
            except merging.MergeRefusedError as refused:
                self.fail(group, [piece], Unfit("patient_id", str(refused)))

    def fail(self, group: Group, members: list[Piece], why: Unfit) -> None:
        record = next((p for p in members if not p.voided), members[0] if members else None)
        name = group[1] if record is None else f"{record.type}/{record.id.partition('#')[0]}"
        self.failed.add(group)
        self.rejected.append(Rejected(line=None, column=why.column, problem=why.problem, record=name))

    def _named(self, pieces: list[Piece]) -> dict[str, str]:
        """The patient's id behind each one that the pieces name; a reference to a record that has not come is left out."""
        named = {piece.patient_id for piece in pieces}
        named |= {str(piece.cells["into"]) for piece in pieces if piece.kind == MERGE}
        references = {each: reference for each in named if (reference := referred(each)) is not None}
        records = items.known(self._connection, self._feed, references.values()) if references else {}
        found = {each: each for each in named if each not in references}
        for each, reference in references.items():
            if reference in records:
                found[each] = records[reference].patient_id
        return found

    def _merge(self, group: Group, members: list[Piece], named: dict[str, str]) -> None:
        for piece in members:
            missing = next((each for each in (piece.patient_id, str(piece.cells["into"])) if each not in named), None)
            if missing is not None:
                self.fail(group, [piece], Unfit("patient_id", _NO_PATIENT.format(missing.removeprefix("@"))))
            elif piece.voided:
                self.fail(group, [piece], Unfit(None, merging.UNMERGED))
            elif named[piece.patient_id] != named[str(piece.cells["into"])]:
                self._merged.append((group, piece, named))

    def _make(self, group: Group, members: list[Piece], patients: dict[str, str], known: Others) -> None:
        kind, name = group
        live = [piece for piece in members if not piece.voided]
        unknown = next((p.patient_id for p in live or members if p.patient_id not in patients), None)
        if unknown is not None:
            if live:
                self.fail(group, live, Unfit("patient_id", _NO_PATIENT.format(unknown.removeprefix("@"))))
            return
        whose = {patients[piece.patient_id] for piece in live or members}
        if len(whose) > 1 and live:
            self.fail(group, live, _TWO_PATIENTS)
            return
        cells = [(piece, complete(piece, known, self._clinic.zone)) for piece in live]
        for piece, found in cells:
            if isinstance(found, Unfit):
                self.fail(group, [piece], found)
                return
            if isinstance(found, NotOurs) and kind == "doses":
                self.passed_over["a dose of a drug that is not watched"] += 1
        recorded_at = latest((piece.recorded_at for piece in members), self._clinic.zone)
        made = rows(kind, [found for _, found in cells if isinstance(found, dict)], self._clinic.zone)
        if not made:
            self._void(group, members, whose.pop(), recorded_at)
            return
        if kind == "patients":  # what a piece said before, and none says now, is no longer so
            said = (column for piece in members for column in piece.cells if not column.startswith("@"))
            made[0] = dict.fromkeys(said) | made[0]
        self._names.setdefault(kind, {})[name] = recorded_at
        for number, row in enumerate(made, 1):
            self._row(group, live, row, name if number == 1 else f"{name}#{number}", whose, recorded_at)

    def _row(self, group: Group, live: list[Piece], row: Row, source_id: str, whose: set[str], recorded_at: str | None) -> None:
        kind = group[0]
        # What a record that ended says of the patient himself counts only until the surviving one says it: facts.write knows.
        row["patient_id"] = source_id if kind == "patients" else next(iter(whose))
        if kind != "patients":
            row |= {"source_id": source_id, "recorded_at": recorded_at}
        mistake = unfit(kind, row)
        if mistake is not None:
            self.fail(group, live, mistake)
        else:
            self._rows.setdefault(kind, []).append(row)

    def _void(self, group: Group, members: list[Piece], patient_id: str, recorded_at: str | None) -> None:
        """Nothing of the record is left. An examination stays, marked as taken back; of the others the record ends."""
        kind, name = group
        if kind == "patients":
            return
        last = rows(kind, [piece.cells for piece in members], self._clinic.zone)
        if kind == "assessments" and last and last[0].get("assessed_at"):
            row = last[0] | {"patient_id": patient_id, "source_id": name, "recorded_at": recorded_at, "voided": "yes"}
            self._rows.setdefault(kind, []).append(row)
            self._names.setdefault(kind, {})[name] = recorded_at
        else:
            self._gone.setdefault(kind, {})[name] = recorded_at

    def _take_back_surplus(self) -> None:
        """Rows that a group made before and makes no more: where its pieces said two things, and now say one."""
        for kind, named in self._names.items():
            made = {row.get("source_id") for row in self._rows.get(kind, ())}
            names = {} if kind == "patients" else named
            for number in range(2, MOST_PIECES):
                more = {f"{name}#{number}": name for name in names}
                there = standing(self._connection, kind, list(more))
                if not there:
                    break
                self._gone.setdefault(kind, {}).update({each: names[more[each]] for each in there if each not in made})
                names = {more[each]: names[more[each]] for each in there}

    def _with_what_others_say(self, new: list[Row]) -> list[Row]:
        """A patient's record is one for all feeds: what this one never said stays as another one said it."""
        columns = [column.name for column in COLUMNS["patients"]]
        ids = [str(row["patient_id"]) for row in new]
        query = PATIENTS.select().where(PATIENTS.c.patient_id.in_(ids), PATIENTS.c.superseded_at.is_(None))
        stored = {row["patient_id"]: row for row in self._connection.execute(query).mappings()}
        found = []
        for row in new:
            before = stored.get(row["patient_id"])
            kept = {} if before is None else {name: before[name] for name in columns if name not in row}
            found.append(kept | row)
        return found
