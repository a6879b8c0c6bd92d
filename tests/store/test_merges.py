"""Two records of one person become one: the history moves, whatever comes later follows, and nothing known before is lost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.clinical.history import History
from monitor.service import merging
from monitor.service.merging import MergeRefusedError
from monitor.store import facts, histories, journal, merges
from monitor.store.database import Database
from monitor.store.facts import FactRow
from monitor.store.versions import Value
from tests.store.databases import NOW, a_database, another_program

LATER = NOW + timedelta(days=1)
FAR = datetime(2200, 1, 1, tzinfo=UTC)  # after what another program wrote, by the server's clock
DOSE: dict[str, Value] = {"given_at": "2026-01-05", "drug": "bortezomib", "dose_mg_per_m2": 1.3}
OLD: dict[str, Value] = {"patient_id": "P-OLD"}


def brought(database: Database, kind: str, *rows: FactRow, now: datetime = NOW, feed: str = "file-1") -> tuple[int, int, int]:
    with database.write() as connection:
        counts = facts.write(connection, kind, rows, now=now, feed=feed)
    return counts.inserted, counts.corrected, counts.unchanged


def merged(database: Database, old: str = "P-OLD", into: str = "P-NEW", *, now: datetime = LATER) -> bool:
    with database.write() as connection:
        return merging.merge(connection, old, into, feed="adt", now=now, zone=UTC)


def history(database: Database, patient_id: str) -> History:
    with database.read() as connection:
        return histories.load(connection, [patient_id], UTC).histories[patient_id]


def doses_of(database: Database, patient_id: str, at: datetime) -> list[tuple[str, float]]:
    return [(each.fact_id, each.dose_mg_per_m2) for each in history(database, patient_id).as_known_at(at).doses]


def changed(database: Database) -> set[str]:
    with database.write() as connection:
        found = {row[0] for row in connection.exec_driver_sql("SELECT patient_id FROM changes")}
        connection.exec_driver_sql("DELETE FROM changes")
    return found


def test_given_facts_of_two_records_when_they_become_one_then_the_surviving_patient_has_them_all(tmp_path: Path) -> None:
    database = a_database(tmp_path)
    brought(database, "doses", DOSE | OLD | {"source_id": "d1"}, DOSE | {"patient_id": "P-NEW", "source_id": "d2"})
    changed(database)
    assert merged(database)
    after = LATER + timedelta(hours=1)
    assert doses_of(database, "P-NEW", after) == [("d2", 1.3), ("d1", 1.3)]
    assert doses_of(database, "P-OLD", after) == []
    assert changed(database) == {"P-OLD", "P-NEW"}


def test_given_a_merge_when_asked_what_was_known_before_it_then_each_record_is_as_it_was(tmp_path: Path) -> None:
    database = a_database(tmp_path)
    brought(database, "doses", DOSE | OLD | {"source_id": "d1"}, DOSE | {"patient_id": "P-NEW", "source_id": "d2"})
    merged(database)
    before = LATER - timedelta(seconds=1)
    assert doses_of(database, "P-OLD", before) == [("d1", 1.3)]
    assert doses_of(database, "P-NEW", before) == [("d2", 1.3)]


def test_given_a_merge_when_it_comes_again_then_nothing_changes(tmp_path: Path) -> None:
    database = a_database(tmp_path)
    brought(database, "doses", DOSE | OLD)
    merged(database)
    changed(database)
    assert not merged(database, now=LATER + timedelta(days=1))
    assert changed(database) == set()


@pytest.mark.parametrize("name", [{"source_id": "d1"}, {}], ids=["named", "nameless"])
def test_given_a_merge_when_the_file_of_before_comes_again_under_either_id_then_nothing_changes(
    tmp_path: Path, name: dict[str, Value]
) -> None:
    database = a_database(tmp_path)
    course: dict[str, Value] = {"drug": "bortezomib", "started_on": "2026-01-05"}
    for kind, row in (("doses", DOSE), ("courses", course)):
        brought(database, kind, row | OLD | name)
        merged(database)
        assert brought(database, kind, row | OLD | name, now=LATER, feed="file-2") == (0, 0, 1)
        assert brought(database, kind, row | name | {"patient_id": "P-NEW"}, now=LATER, feed="file-3") == (0, 0, 1)


def test_given_a_correction_before_the_merge_when_the_first_file_comes_again_then_the_correction_stands(tmp_path: Path) -> None:
    database = a_database(tmp_path)
    course: dict[str, Value] = {"drug": "bortezomib", "started_on": "2026-01-05", "patient_id": "P-OLD"}
    brought(database, "courses", course)
    brought(database, "courses", course | {"schedule": "weekly"}, feed="file-2")
    merged(database)
    assert brought(database, "courses", course, now=LATER + timedelta(days=1)) == (0, 0, 1)


def test_given_a_merge_when_the_record_is_corrected_under_the_old_id_then_the_surviving_patient_is_corrected(
    tmp_path: Path,
) -> None:
    database = a_database(tmp_path)
    brought(database, "doses", DOSE | OLD | {"source_id": "d1"})
    merged(database)
    changed(database)
    later = LATER + timedelta(days=1)
    assert brought(database, "doses", DOSE | OLD | {"source_id": "d1", "dose_mg_per_m2": 1.0}, now=later) == (0, 1, 0)
    assert doses_of(database, "P-NEW", later) == [("d1", 1.0)]
    assert changed(database) == {"P-NEW"}


def test_given_a_correction_recorded_before_the_merge_when_it_arrives_after_it_then_it_is_in_force(tmp_path: Path) -> None:
    database = a_database(tmp_path)
    early, late = "2026-02-01T12:00:00+00:00", "2026-02-28T12:00:00+00:00"
    brought(database, "doses", DOSE | OLD | {"source_id": "d1", "recorded_at": early})
    merged(database)
    later = LATER + timedelta(days=1)
    corrected = DOSE | OLD | {"source_id": "d1", "dose_mg_per_m2": 1.0, "recorded_at": late}
    assert brought(database, "doses", corrected, now=later) == (0, 1, 0)
    assert doses_of(database, "P-NEW", later) == [("d1", 1.0)]
    assert doses_of(database, "P-OLD", datetime(2026, 2, 28, 13, tzinfo=UTC)) == [("d1", 1.0)]
    assert brought(database, "doses", corrected, now=later, feed="file-2") == (0, 0, 1)


def test_given_a_chain_of_merges_when_facts_come_under_the_first_id_then_they_are_of_the_last(tmp_path: Path) -> None:
    database = a_database(tmp_path)
    brought(database, "doses", DOSE | OLD)
    merged(database, "P-OLD", "P-MID")
    merged(database, "P-MID", "P-NEW", now=LATER + timedelta(hours=1))
    later = LATER + timedelta(days=1)
    assert brought(database, "doses", DOSE | OLD, now=later, feed="file-2") == (0, 0, 1)
    brought(database, "doses", DOSE | OLD | {"given_at": "2026-01-12"}, now=later)
    assert len(doses_of(database, "P-NEW", later)) == 2


def test_given_a_merge_into_an_unknown_patient_when_made_then_the_facts_and_the_patient_s_own_row_are_there(
    tmp_path: Path,
) -> None:
    database = a_database(tmp_path)
    brought(database, "patients", OLD | {"site": "South"})
    brought(database, "doses", DOSE | OLD)
    merged(database)
    assert history(database, "P-NEW").as_known_at(LATER).patient.site == "South"
    assert len(doses_of(database, "P-NEW", LATER)) == 1


def test_given_an_unknown_patient_when_merged_then_facts_that_come_later_are_of_the_surviving_one(tmp_path: Path) -> None:
    database = a_database(tmp_path)
    merged(database)
    brought(database, "doses", DOSE | OLD, now=LATER)
    assert len(doses_of(database, "P-NEW", LATER)) == 1


def test_given_two_patients_rows_when_merged_then_the_surviving_one_s_counts_whatever_the_old_one_s_says_later(
    tmp_path: Path,
) -> None:
    database = a_database(tmp_path)
    brought(database, "patients", OLD | {"site": "South"}, {"patient_id": "P-NEW", "site": "North"})
    merged(database)
    assert brought(database, "patients", OLD | {"site": "West"}, now=LATER, feed="file-2") == (0, 0, 1)
    assert history(database, "P-NEW").as_known_at(LATER).patient.site == "North"


def test_given_a_row_that_stands_in_when_the_surviving_patient_s_own_comes_then_that_one_counts(tmp_path: Path) -> None:
    database = a_database(tmp_path)
    brought(database, "patients", OLD | {"site": "South"})
    merged(database)
    later = LATER + timedelta(days=1)
    assert brought(database, "patients", OLD | {"site": "West"}, now=LATER, feed="file-2") == (0, 1, 0)
    brought(database, "patients", {"patient_id": "P-NEW", "site": "North"}, now=later)
    brought(database, "patients", OLD | {"site": "South"}, now=later, feed="file-4")
    assert history(database, "P-NEW").as_known_at(later).patient.site == "North"


def test_given_one_dose_in_both_records_when_they_become_one_then_it_counts_once(tmp_path: Path) -> None:
    database = a_database(tmp_path)
    brought(database, "doses", DOSE | OLD, DOSE | {"patient_id": "P-NEW"})
    merged(database)
    assert len(doses_of(database, "P-NEW", LATER)) == 1


@pytest.mark.parametrize(
    ("old", "into", "why"),
    [
        ("P-NEW", "P-OLD", "part of this one already"),
        ("P-OLD", "P-OLD", "one record twice"),
        ("P-OLD", "P-OTHER", "part of another one already"),
    ],
)
def test_given_a_merge_when_one_comes_that_contradicts_it_then_it_is_refused(
    tmp_path: Path, old: str, into: str, why: str
) -> None:
    database = a_database(tmp_path)
    merged(database)
    with pytest.raises(MergeRefusedError, match=why):
        merged(database, old, into)


def test_given_a_merge_when_a_round_sees_it_then_the_journal_says_so_once(tmp_path: Path) -> None:
    database = a_database(tmp_path)
    brought(database, "doses", DOSE | OLD)
    merged(database)
    for _ in range(2):
        with database.write() as connection:
            merging.follow(connection, ["P-NEW", "P-OLD"], now=LATER, zone=UTC)
    with database.read() as connection:
        (entry,) = journal.of_event(connection, "merge")
    assert entry.body == {"patient_id": "P-OLD", "into_id": "P-NEW", "feed": "adt", "merged_at": LATER.isoformat()}


def test_given_a_merge_when_another_program_writes_under_the_old_id_then_the_next_look_moves_it(tmp_path: Path) -> None:
    database = a_database(tmp_path)
    merged(database)
    with another_program(tmp_path) as other:
        other.execute("INSERT INTO doses (patient_id, given_at, dose_mg_per_m2) VALUES ('P-OLD', '2026-01-05', 1.3)")
    with database.write() as connection:
        merging.follow(connection, ["P-OLD", "P-OTHER"], now=LATER, zone=UTC)
    assert len(doses_of(database, "P-NEW", LATER)) == 1


def test_given_a_merge_when_another_program_corrects_the_row_that_it_wrote_before_then_the_correction_counts(
    tmp_path: Path,
) -> None:
    database = a_database(tmp_path)
    with another_program(tmp_path) as other:
        other.execute("INSERT INTO doses (patient_id, given_at, dose_mg_per_m2) VALUES ('P-OLD', '2026-01-05', 1.3)")
        merged(database)
        other.execute("UPDATE doses SET dose_mg_per_m2 = 1.0 WHERE id = 1")
    assert [dose for _, dose in doses_of(database, "P-NEW", FAR)] == [1.0]


_SAID = st.tuples(
    st.sampled_from(["P-A", "P-B"]),
    st.sampled_from(["doses", "courses"]),
    st.sampled_from([None, "one", "two"]),
    st.sampled_from([None, 1, 2, 3, 4, 5, 6]),
    st.sampled_from([1.0, 1.3]),
)


def _row(kind: str, patient: str, name: str | None, day: int | None, dose: float) -> dict[str, Value]:
    own: dict[str, Value] = {"given_at": "2026-01-05", "dose_mg_per_m2": dose}
    if kind == "courses":
        # Each record says its own: of one thing said in both, it cannot be told which was said for the second time.
        own = {"started_on": "2026-01-05", "cycle_days": round(dose * 10) + 20 * (patient == "P-B")}
    recorded = None if day is None else f"2026-02-{day:02}T12:00:00+00:00"
    source = name and f"{name}-{patient}"
    return {"patient_id": patient, "drug": "bortezomib", "source_id": source, "recorded_at": recorded} | own


def _final(database: Database) -> list[tuple[object, ...]]:
    found: list[tuple[object, ...]] = []
    with database.read() as connection:
        for kind, value in (("doses", "dose_mg_per_m2"), ("courses", "cycle_days")):
            rows = connection.exec_driver_sql(f"SELECT patient_id, source_id, {value} FROM {kind} WHERE superseded_at IS NULL")
            found += [(kind, *row) for row in rows]
    return sorted(found, key=str)


@settings(max_examples=40, deadline=None)
@given(said=st.lists(_SAID, max_size=7), place=st.integers(0, 7))
def test_given_facts_and_corrections_when_a_merge_falls_among_them_then_all_end_as_if_said_of_the_surviving_patient(
    said: list[tuple[str, str, str | None, int | None, float]], place: int
) -> None:
    said = list(dict.fromkeys(said))  # what a record repeats is no version of it, so nobody can tell that it was said last
    with TemporaryDirectory() as folder:
        ends = []
        for part, with_merge in (("with", True), ("without", False)):
            (Path(folder) / part).mkdir()
            database = a_database(Path(folder) / part)
            for number, (patient, kind, name, day, dose) in enumerate(said):
                now = datetime(2026, 2, 1 + number, 18, tzinfo=UTC)
                if with_merge and number == place:
                    merged(database, "P-A", "P-B", now=now - timedelta(hours=1))
                row = _row(kind, patient, name, day, dose)
                if not with_merge:
                    row["patient_id"] = "P-B"
                brought(database, kind, row, now=now, feed=f"file-{number}")
            if with_merge and place >= len(said):
                merged(database, "P-A", "P-B", now=NOW)
            ends.append(_final(database))
        assert ends[0] == ends[1]


def test_given_merges_when_asked_under_which_id_somebody_is_now_then_chains_are_followed(tmp_path: Path) -> None:
    database = a_database(tmp_path)
    merged(database, "P-OLD", "P-MID")
    merged(database, "P-MID", "P-NEW")
    with database.read() as connection:
        assert merges.resolve(connection, ["P-OLD", "P-OTHER"]) == {"P-OLD": "P-NEW", "P-OTHER": "P-OTHER"}
        assert merges.became(connection, ["P-NEW", "P-OTHER"]) == {"P-NEW": frozenset({"P-OLD", "P-MID"})}
