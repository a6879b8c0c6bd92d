"""Trends and sheets that the tests of the figure draw."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from operator import attrgetter
from typing import Any

from hypothesis import strategies as st

from monitor.clinical.findings import Urgency
from monitor.clinical.scales.walking import AIDS
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


_DAYS = st.integers(0, 550).map(on)
_MUSCLES = ("first_dorsal_interosseous_left", "first_dorsal_interosseous_right", "extensor_hallucis_longus_left")
_VISITS = st.builds(
    Visit,
    on=_DAYS,
    sensory_grade=st.none() | st.integers(0, 4),
    motor_grade=st.none() | st.integers(0, 4),
    pain=st.none() | st.booleans(),
    walking=st.sampled_from([None, *AIDS]),
    gbs_disability=st.none() | st.integers(0, 6),
    weakest=st.dictionaries(st.sampled_from(_MUSCLES), st.integers(0, 15)).map(lambda powers: tuple(sorted(powers.items()))),
    mrc_sum=st.none() | st.integers(0, 60),
    ctcae_version=st.sampled_from([None, "4.03", "5.0"]),
)


def _sorted(each: st.SearchStrategy[Any], by: str, most: int) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(each, max_size=most).map(lambda found: tuple(sorted(found, key=attrgetter(by))))


TRENDS = st.builds(
    Trend,
    first_on=st.just(on(0)),
    today=st.integers(550, 560).map(on),
    stopped_on=st.none() | _DAYS,
    muscles=st.just(_MUSCLES),
    visits=_sorted(_VISITS, "on", 60),
    doses=_sorted(st.builds(Given, on=_DAYS, mg_per_m2=st.floats(0.1, 9.9)), "on", 40),
    therapies=_sorted(
        st.builds(Therapy, name=st.text(max_size=30), started_on=_DAYS, stopped_on=st.none() | st.just(on(550))), "started_on", 12
    ),
    marks=st.lists(
        st.builds(Mark, on=_DAYS, rule=st.text(max_size=80), text=st.just(""), urgency=st.sampled_from(Urgency)), max_size=5
    ).map(tuple),
    strength_tested=st.booleans(),
    cut=st.booleans(),
)
