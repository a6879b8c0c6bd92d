"""Blood pressure lying and standing, in mmHg.

Source of the orthostatic fall: Freeman R et al. Clin Auton Res 2011;21:69-72 (consensus: 20 systolic or 10 diastolic within
3 min of standing, 30 systolic where the lying pressure is high). The limits a clinic applies are in its policy file.
"""

from __future__ import annotations

from dataclasses import dataclass

from monitor.clinical.words import NOT_RECORDED
from monitor.said import Said, say


@dataclass(frozen=True, slots=True, kw_only=True)
class BloodPressure:
    """One measurement lying and standing; None is not recorded."""

    systolic_lying: int | None
    systolic_standing: int | None
    diastolic_lying: int | None
    diastolic_standing: int | None

    @property
    def lowest_systolic(self) -> int | None:
        """The lower of the systolic values that were recorded."""
        return min((value for value in (self.systolic_lying, self.systolic_standing) if value is not None), default=None)

    @property
    def systolic_fall(self) -> int | None:
        """How far systolic pressure falls on standing, negative where it rises; None unless both were recorded."""
        return fall(self.systolic_lying, self.systolic_standing)

    @property
    def diastolic_fall(self) -> int | None:
        """How far diastolic pressure falls on standing, negative where it rises; None unless both were recorded."""
        return fall(self.diastolic_lying, self.diastolic_standing)

    def written(self) -> Said:
        """Both positions as they are written, such as ``lying 130/80, standing 104/70 mmHg``."""
        lying = _pair(self.systolic_lying, self.diastolic_lying)
        standing = _pair(self.systolic_standing, self.diastolic_standing)
        return say("lying {lying}, standing {standing}", lying=lying, standing=standing)


def fall(lying: int | None, standing: int | None) -> int | None:
    """Lying minus standing, or None unless both were recorded.

    >>> fall(130, 104), fall(130, None)
    (26, None)
    """
    return None if lying is None or standing is None else lying - standing


def _pair(systolic: int | None, diastolic: int | None) -> Said:
    if systolic is None and diastolic is None:
        return NOT_RECORDED
    above, below = "-" if systolic is None else systolic, "-" if diastolic is None else diastolic
    return say("{systolic}/{diastolic} mmHg", systolic=above, diastolic=below)
