"""The course of the sample patient, as a picture shows it. No patient is meant."""

from __future__ import annotations

from datetime import date

from monitor.clinical.findings import Urgency
from monitor.clinical.trend import Given, Mark, Trend, Visit
from monitor.delivery.samples_findings import MOTOR

_DOSES = (date(2011, 2, 12), date(2011, 2, 19), date(2011, 3, 1), date(2011, 3, 8))
_RIGHT, _LEFT = "tibialis_anterior_right", "tibialis_anterior_left"


def sample_trend() -> Trend:
    """What the table of the sample alert says, as values."""
    return Trend(
        first_on=_DOSES[0],
        today=date(2011, 3, 15),
        stopped_on=None,
        muscles=(_RIGHT, _LEFT),
        visits=(
            _visit(date(2011, 2, 12), sensory=0, motor=0, right=15, left=15, total=60),
            _visit(date(2011, 3, 1), sensory=1, motor=1, right=15, left=15, total=60),
            _visit(date(2011, 3, 15), sensory=2, motor=3, right=9, left=11, total=55),
        ),
        doses=tuple(Given(on=on, mg_per_m2=1.3) for on in _DOSES),
        therapies=(),
        marks=(Mark(on=date(2011, 3, 15), rule=MOTOR.rule, text=MOTOR.headline, urgency=Urgency.IMMEDIATE),),
        strength_tested=True,
    )


def _visit(on: date, *, sensory: int, motor: int, right: int, left: int, total: int) -> Visit:
    weak = motor == 3
    return Visit(
        on=on,
        sensory_grade=sensory,
        motor_grade=motor,
        pain=weak,
        walking="wheelchair" if weak else "unaided",
        weakest=((_RIGHT, right), (_LEFT, left)),
        mrc_sum=total,
        ctcae_version="5.0",
    )
