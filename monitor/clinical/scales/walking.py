"""How a patient gets about: the aid he needs, and the GBS disability scale.

Source of the scale: Hughes RA et al. Lancet 1978;2:750-3 (0 healthy, 1 minor signs, 2 walks without aid, 3 walks with
aid, 4 chair or bed, 5 ventilated, 6 dead). The distance walked is 5 m in some versions, 10 m in others.
"""

from __future__ import annotations

from monitor.clinical.history import Walking
from monitor.clinical.words import WALKING
from monitor.said import say

AIDS: tuple[Walking, ...] = ("unaided", "cane", "walker", "wheelchair", "bedbound")
"""From the best to the worst; one place further is one step worse."""

STEP_OF: dict[Walking, int] = {aid: step for step, aid in enumerate(AIDS)}
UNABLE_STEP = STEP_OF["wheelchair"]
"""From here on a patient does not walk."""

DEAD = 6
_STEP_OF_DISABILITY = (0, 0, 0, STEP_OF["cane"], STEP_OF["wheelchair"], STEP_OF["bedbound"])


def walking_step(walking: Walking) -> int:
    """Steps worse than walking unaided, 0-4."""
    return STEP_OF[walking]


def disability(gbs_disability: int) -> int | None:
    """GBS disability of a living patient, 0-5. Death is not a loss of walking: 6 is None."""
    return None if gbs_disability >= DEAD else gbs_disability


def mobility_step(walking: Walking | None, gbs_disability: int | None) -> int | None:
    """The worse of the two, in the steps of AIDS; None where neither was recorded.

    >>> mobility_step("unaided", 4), mobility_step("cane", None), mobility_step(None, 6)
    (3, 1, None)
    """
    step = None if walking is None else STEP_OF[walking]
    if gbs_disability is None or gbs_disability >= DEAD:
        return step
    by_disability = _STEP_OF_DISABILITY[gbs_disability]
    return by_disability if step is None or by_disability > step else step


def mobility_text(walking: Walking | None, gbs_disability: int | None) -> str:
    """What the step rests on: the aid, and the disability where it alone says worse or nothing else was recorded."""
    if walking is None:
        return say("GBS disability {grade}", grade="" if gbs_disability is None else gbs_disability)
    if gbs_disability is not None and mobility_step(walking, gbs_disability) != STEP_OF[walking]:
        return say("{walking}, GBS disability {grade}", walking=WALKING[walking], grade=gbs_disability)
    return WALKING[walking]
