"""A clock that was set back does not make unknown what is known."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from monitor.service import clock
from monitor.service.cycle import watch_once
from monitor.service.round import run_round
from monitor.service.steady import steady_clock
from tests.service.clinic import a_clinic, on


def test_given_a_round_in_what_is_now_the_future_when_asked_then_the_clock_is_not_behind_it_unless_by_more_than_a_day(
    tmp_path: Path,
) -> None:
    with a_clinic(tmp_path) as clinic:
        assert abs(steady_clock(clinic.site).now() - clock.now()) < timedelta(seconds=5)
        ahead = clock.now() + timedelta(hours=1)
        run_round(clinic.site, ahead)
        assert ahead <= steady_clock(clinic.site).now() < ahead + timedelta(seconds=5)
        run_round(clinic.site, ahead + timedelta(days=1))
        assert abs(steady_clock(clinic.site).now() - clock.now()) < timedelta(seconds=5)


def test_given_a_clock_that_stands_still_when_watched_again_then_what_was_known_is_not_withdrawn(tmp_path: Path) -> None:
    with a_clinic(tmp_path) as clinic:
        clinic.on_bortezomib("P-0001")
        clinic.assess("P-0001", 1, walking="unaided", motor_grade=0, sensory_grade=0)
        clinic.assess("P-0001", 30, known=on(30, 14), walking="wheelchair", motor_grade=3, sensory_grade=1)
        assert watch_once(clinic.site, on(30, 15)).round.opened
        dose = {"patient_id": "P-0001", "given_at": on(30, 13).isoformat(), "dose_mg_per_m2": 1.3, "source_id": "late"}
        clinic.tell("doses", dose, now=on(30, 13))
        again = watch_once(clinic.site, on(30, 15)).round  # the steady clock; the wall clock shows an hour less
        assert (again.patients_evaluated, again.withdrawn) == (1, 0)
