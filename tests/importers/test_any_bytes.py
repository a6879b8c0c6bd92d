"""Whatever bytes stand in a file: it is imported or refused, never a defect; and what is good beside it comes in all the same."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.errors import DONE, SOME_REJECTED
from monitor.service.ingest import import_paths
from monitor.service.readers import READERS
from monitor.service.rejected_file import rejected_path
from monitor.store.database import Database
from tests.importers.reading import NOW, ZONE
from tests.store.databases import a_database

SAMPLES = Path(__file__).parent / "samples"
SLOW = {".xlsx", ".xls", ".ods"}
"""Read by a process of their own."""

few = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


def samples_of(suffix: str) -> list[bytes]:
    return [path.read_bytes() for path in sorted(SAMPLES.rglob(f"*{suffix}"))]


def spoilt(sample: bytes) -> st.SearchStrategy[bytes]:
    """A file with some bytes cut out, put in, or exchanged."""
    place = st.integers(0, len(sample))
    change = st.tuples(place, place, st.binary(max_size=12))
    return st.lists(change, min_size=1, max_size=4).map(lambda changes: _changed(sample, changes))


def _changed(data: bytes, changes: list[tuple[int, int, bytes]]) -> bytes:
    for start, length, put in changes:
        data = data[:start] + put + data[start + length % 40 :]
    return data


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with closing(a_database(tmp_path)) as opened:
        yield opened


def imported(database: Database, path: Path, data: bytes) -> int:
    path.write_bytes(data)
    report = import_paths(database, [path], zone=ZONE, now=NOW)
    rejected_path(path).unlink(missing_ok=True)
    assert report.exit_code in (DONE, SOME_REJECTED)
    assert report.files, "a file of which nothing is said"
    return report.exit_code


@pytest.mark.parametrize("suffix", READERS)
def test_given_any_bytes_when_imported_then_they_are_taken_or_refused(suffix: str, database: Database, tmp_path: Path) -> None:
    @settings(few, max_examples=10 if suffix in SLOW else 60)
    @given(st.binary(max_size=400))
    def holds(data: bytes) -> None:
        imported(database, tmp_path / f"assessments{suffix}", data)

    holds()


@pytest.mark.parametrize("suffix", READERS)
def test_given_a_good_file_when_some_of_its_bytes_are_others_then_it_is_taken_or_refused(
    suffix: str, database: Database, tmp_path: Path
) -> None:
    samples = samples_of(suffix)
    assert samples, f"no sample of {suffix} in {SAMPLES.name}/"

    @settings(few, max_examples=15 if suffix in SLOW else 150)
    @given(st.sampled_from(samples).flatmap(spoilt))
    def holds(data: bytes) -> None:
        imported(database, tmp_path / f"assessments{suffix}", data)

    holds()


@pytest.mark.parametrize("suffix", READERS)
def test_given_the_sample_of_a_kind_of_file_when_imported_then_all_of_it_comes_in_and_twice_changes_nothing(
    suffix: str, database: Database, tmp_path: Path
) -> None:
    for number, sample in enumerate(samples_of(suffix)):
        path = tmp_path / f"{number}" / f"assessments{suffix}"
        path.parent.mkdir()
        path.write_bytes(sample)
        first = import_paths(database, [path], zone=ZONE, now=NOW)
        again = import_paths(database, [path], zone=ZONE, now=NOW)
        assert sum(each.inserted + each.corrected + each.unchanged for each in first.files) > 0
        assert sum(each.inserted + each.corrected for each in again.files) == 0
        assert [each.rejected for each in again.files] == [each.rejected for each in first.files]
