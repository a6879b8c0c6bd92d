"""What is said, in the language of whoever reads it: sentences by gettext, dates and numbers by the reader's custom.

A catalogue is every ``locale/<language>/*.po`` of the package: one file for each room, so that each says its own words.
"""

from __future__ import annotations

import gettext
import logging
import string
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import date, datetime
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

from monitor.said import Said

Language = Literal["en", "de"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
LOCALE = Path(__file__).parent.parent / "locale"

DAYS = {"en": "d MMM y", "de": "d. MMM y"}  # no reader takes the month for the day
INSTANTS = {"en": "d MMM y, HH:mm xxx", "de": "d. MMM y, HH:mm xxx"}

AnyFacts = TypeVar("AnyFacts")

log = logging.getLogger(__name__)


@lru_cache(maxsize=len(LANGUAGES))
def catalogue(language: Language) -> gettext.NullTranslations:
    """All sentences of a language; English is what the program says by itself."""
    found = gettext.NullTranslations()
    for path in sorted((LOCALE / language).glob("*.po")):
        read = _compiled(path)
        read.add_fallback(found)
        found = read
    return found


def in_language(value: AnyFacts, language: Language) -> AnyFacts:
    """The same facts with all that was ``said`` in them in the language; ``value`` is a text, a tuple or a dataclass."""
    if isinstance(value, Said):
        return said_in(value, language)  # type: ignore[return-value]  # a str for a str
    if isinstance(value, tuple):
        return tuple(in_language(each, language) for each in value)  # type: ignore[return-value]  # a tuple for a tuple
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{field.name: in_language(getattr(value, field.name), language) for field in fields(value)})
    return value


def said_in(said: Said, language: Language) -> str:
    """One sentence in a language; its English where the catalogue does not have it, or has what cannot be said."""
    try:
        words = catalogue(language)
        if said.plural is None:
            template = words.gettext(said.template) if said.template else ""
        else:
            count = said.values["count"]
            template = words.ngettext(said.template, said.plural, count if isinstance(count, int) else 2)
        return _Custom(language).vformat(template, (), said.values)
    except Exception as error:  # whatever it is: in English it is told, too
        log.error("a sentence is told in English", extra={"language": language, "error": type(error).__name__})
        return str.__str__(said)


def day_in(day: date, language: Language) -> str:
    """ "15 Mar 2011", "15. März 2011"."""
    from babel.dates import format_date

    return format_date(day, DAYS[language], locale=language)


def instant_in(local: datetime, language: Language) -> str:
    """ "15 Mar 2011, 10:20 +01:00". ``local`` is in the zone it is to be read in."""
    from babel.dates import format_datetime

    return format_datetime(local, INSTANTS[language], tzinfo=local.tzinfo, locale=language)


class _Custom(string.Formatter):
    """Fills the places of a sentence by the custom of a language."""

    def __init__(self, language: Language) -> None:
        self._language = language

    def get_value(self, key: int | str, args: Any, kwargs: Mapping[str, Any]) -> Any:
        return kwargs[str(key)]

    def format_field(self, value: Any, format_spec: str) -> Any:
        match value:
            case Said():
                return said_in(value, self._language)
            case datetime():
                return instant_in(value, self._language)
            case date():
                return day_in(value, self._language)
            case float():
                return format(value, format_spec).replace(".", "," if self._language == "de" else ".")
        return super().format_field(value, format_spec)


def _compiled(path: Path) -> gettext.GNUTranslations:
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    with path.open("rb") as file:
        read = read_po(file)
    compiled = BytesIO()
    write_mo(compiled, read)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)
