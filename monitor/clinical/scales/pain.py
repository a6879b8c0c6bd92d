"""Neuropathic pain: present or not, and its intensity on the numeric rating scale 0-10.

A number alone does not say which pain was rated (bone pain is common in myeloma): it counts only where the pain was
recorded as neuropathic.
"""

from __future__ import annotations


def neuropathic_nrs(neuropathic_pain: bool | None, pain_nrs: int | None) -> int | None:
    """Intensity of neuropathic pain: 0 where there is none, None where its kind or its intensity was not recorded.

    >>> neuropathic_nrs(True, 7), neuropathic_nrs(False, 7), neuropathic_nrs(None, 7)
    (7, 0, None)
    """
    if neuropathic_pain is None:
        return None
    return pain_nrs if neuropathic_pain else 0
