"""CTCAE grades of peripheral neuropathy, 0 to 5, as a dose table takes them.

"Grade 1" means three things: v4.03 "asymptomatic; loss of deep tendon reflexes or paresthesia", v5.0 "asymptomatic",
v6.0 "mild symptoms". A change of edition shifts grades 0 and 1 without any change in the patient.
Source: NCI CTCAE v5.0 and v6.0 spreadsheets, peripheral sensory and motor neuropathy (V); v4.03 (V2).
"""

from __future__ import annotations

from functools import lru_cache

TABLES_CITE_EDITION = 4  # US and EU dose tables are worded after CTCAE v4.0


def worst_grade(sensory_grade: int | None, motor_grade: int | None) -> int | None:
    """The grade a dose table is entered with: the worse of those recorded, None when neither was.

    >>> worst_grade(1, 3), worst_grade(None, 2), worst_grade(None, None)
    (3, 2, None)
    """
    if sensory_grade is None:
        return motor_grade
    if motor_grade is None:
        return sensory_grade
    return max(sensory_grade, motor_grade)


def neuropathic_pain(recorded: bool | None, pain_nrs: int | None) -> bool | None:
    """Whether there is neuropathic pain; None = not known.

    A pain score of 0 is no pain of any kind. Any other score may be bone pain: it never answers the question.

    >>> neuropathic_pain(None, 0), neuropathic_pain(None, 7), neuropathic_pain(True, 0)
    (False, None, True)
    """
    if recorded is None and pain_nrs == 0:
        return False
    return recorded


def comparable(one: str | None, other: str | None) -> bool:
    """Whether grades of two versions compare: written alike, both unknown, or of one edition ("4.0", "v4.03").

    >>> comparable("4.0", "v4.03"), comparable("4.03", "5.0"), comparable(None, None), comparable(None, "5.0")
    (True, False, True, False)
    """
    if one == other:
        return True
    number = edition(one)
    return number is not None and number == edition(other)


@lru_cache(maxsize=64)
def edition(version: str | None) -> int | None:
    """The edition of a version as written ("4.03", "v5.0"), or None where it is not known.

    >>> edition("4.03"), edition("v5.0"), edition("6"), edition(None), edition("local")
    (4, 5, 6, None, None)
    """
    if version is None:
        return None
    number = version.strip().lstrip("vV").partition(".")[0]
    return int(number) if number.isascii() and number.isdigit() else None
