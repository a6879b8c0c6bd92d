"""The words on a figure, short ones: beside a line there is little room."""

from __future__ import annotations

from datetime import date

from monitor.clinical.scales.mrc import TESTED_MUSCLES, muscle_of
from monitor.clinical.words import MUSCLES, word
from monitor.delivery.language import Language, said_in
from monitor.delivery.wording import RULE_TITLES
from monitor.said import Said, say, say_n

BANDS = (say("CTCAE grade"), say("Walking"), say("Muscle power (MRC)"), say("Bortezomib, mg/m²"))
PAIN = say("pain")
NO_WEAKNESS = say("no tested muscle at 4 or below")
LONGEST = 40
"""Characters of a label; a longer one is cut."""

NO_BREAK = "\N{NO-BREAK SPACE}"
_SHORT_DAYS = {"en": "d MMM", "de": "d. MMM"}
_TREATMENTS = {"ivig": say("IVIG")}


def title_of(rule: str) -> str:
    """What was found, in words."""
    return RULE_TITLES.get(rule, rule)


def sensory(grade: int) -> Said:
    """The newest sensory grade."""
    return say("sensory {grade}", grade=grade)


def motor(grade: int) -> Said:
    """The newest motor grade."""
    return say("motor {grade}", grade=grade)


def muscle_words(names: tuple[str, ...]) -> Said:
    """One muscle, or one on both sides, by names as in TESTED_MUSCLES."""
    muscle, side = muscle_of(TESTED_MUSCLES.index(names[0]))
    if len(names) > 1:
        return say("{muscle} both sides", muscle=MUSCLES[muscle])
    if side == "right":
        return say("{muscle} right", muscle=MUSCLES[muscle])
    return say("{muscle} left", muscle=MUSCLES[muscle])


def treatment_words(treatment: str) -> str:
    """A treatment's name, ours where it is one of ours."""
    return _TREATMENTS.get(treatment) or word(treatment)


def in_words(text: str, language: Language, longest: int = LONGEST) -> str:
    """A label in the language, in one line of printable characters and bounded length."""
    said = said_in(text, language) if isinstance(text, Said) else text
    line = " ".join("".join(char if char.isprintable() or char == NO_BREAK else " " for char in said).split(" "))
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"


def and_more(text: str, count: int) -> str:
    """What was found, and how many other things beside it."""
    return text if count == 0 else say_n("{what} and {count} more", "{what} and {count} more", count=count, what=text)


def short_day(day: date, language: Language) -> str:
    """ "8 Mar", "8. März": the year is on the axis."""
    from babel.dates import format_date

    return format_date(day, _SHORT_DAYS[language], locale=language)


def month(day: date, language: Language) -> str:
    """ "Mar", "Mär"."""
    from babel.dates import format_date

    return format_date(day, "LLL", locale=language).rstrip(".")
