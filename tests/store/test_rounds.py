"""The last round, and patients who could not be evaluated."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from monitor.store import rounds
from monitor.store.rounds import Failure, RoundRecord
from tests.store.databases import NOW, a_database


def test_given_rounds_when_recorded_then_the_last_one_is_kept(tmp_path: Path) -> None:
    with a_database(tmp_path).write() as connection:
        assert rounds.last_round(connection) is None
        for evaluated in (3, 5):
            rounds.record_round(connection, RoundRecord(NOW, NOW, evaluated, 0, "abc"))
        assert rounds.last_round(connection) == RoundRecord(NOW, NOW, 5, 0, "abc")


def test_given_a_failing_patient_when_it_fails_again_then_it_is_no_news_until_the_problem_is_another(tmp_path: Path) -> None:
    later = NOW + timedelta(days=1)
    with a_database(tmp_path).write() as connection:
        assert rounds.record_failure(connection, Failure("P-1", NOW, "row 1"))
        assert not rounds.record_failure(connection, Failure("P-1", later, "row 1"))
        assert rounds.failures(connection) == [Failure("P-1", NOW, "row 1")]
        assert rounds.record_failure(connection, Failure("P-1", later, "row 2"))
        rounds.clear_failure(connection, "P-1")
        assert rounds.failures(connection) == []
