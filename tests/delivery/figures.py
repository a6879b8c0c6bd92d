"""Trends and sheets that the tests of the figure draw."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from monitor.clinical.findings import Urgency
from monitor.clinical.trend import Given, Mark, Therapy, Trend, Visit

FIRST_ON = date(2011, 1, 3)
HOSTILE = '<script>alert(1)</script> & "x" \' $\\frac{1}{0}$ \u202e\x00]]>'


def on(number: int) -> date:
    """A day of treatment."""
    return FIRST_ON + timedelta(days=number)


TREND = Trend(
    first_on=on(0),
    today=on(80),
    stopped_on=on(56),
    muscles=("tibialis_anterior_left", "tibialis_anterior_right", "iliopsoas_left"),
    visits=(
        Visit(on=on(0), sensory_grade=0, motor_grade=0, pain=False, walking="unaided", ctcae_version="4.03"),
        Visit(
            on=on(40),
            sensory_grade=2,
            motor_grade=1,
            pain=True,
            walking="unaided",
            weakest=(("tibialis_anterior_left", 15), ("tibialis_anterior_right", 15), ("iliopsoas_left", 15)),
            mrc_sum=60,
            ctcae_version="4.03",
        ),
        Visit(on=on(60), walking="cane", gbs_disability=3),
        Visit(
            on=on(75),
            sensory_grade=2,
            motor_grade=3,
            pain=True,
            walking="wheelchair",
            gbs_disability=4,
            weakest=(("tibialis_anterior_left", 3), ("tibialis_anterior_right", 3), ("iliopsoas_left", 11)),
            mrc_sum=51,
            ctcae_version="4.03",
        ),
    ),
    doses=tuple(Given(on=on(number), mg_per_m2=1.3 if number < 42 else 1.0) for number in range(0, 57, 7)),
    therapies=(
        Therapy(name="ivig", started_on=on(76)),
        Therapy(name="plasma_exchange", started_on=on(60), stopped_on=on(70)),
    ),
    marks=(Mark(on=on(75), rule="rapid-motor-decline", text="walking lost", urgency=Urgency.IMMEDIATE),),
    strength_tested=True,
)
HOSTILE_TREND = replace(
    TREND,
    therapies=tuple(Therapy(name=f"{HOSTILE} {number}", started_on=on(number)) for number in range(9)),
    marks=(Mark(on=on(75), rule=HOSTILE, text=HOSTILE, urgency=Urgency.REVIEW),),
)
EMPTY = Trend(first_on=on(0), today=on(0), stopped_on=None, muscles=(), visits=(), doses=(), therapies=(), marks=())
