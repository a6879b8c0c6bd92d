"""A sentence that remembers how it was made, so that it can be said again in another language.

    say("walking: {before} -> {after} on {day}", before=say("cane"), after=say("wheelchair"), day=visit.on)

It *is* its English text: whatever takes a ``str`` takes it. A text made from it by slicing, joining or an f-string is plain
again, and stays English; join with ``joined`` and nest with ``say``. A value that is a ``str`` is nobody's word to translate
(a name, an identifier); words of ours are said.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any, Self

Value = str | int | float | date | datetime
_NEW = str.__new__


class Said(str):
    """``template`` is the English sentence with named places, ``plural`` its form for many of ``values["count"]``."""

    __slots__ = ("plural", "template", "values")

    template: str
    plural: str | None
    values: Mapping[str, Value]

    def __new__(cls, text: str, template: str, plural: str | None, values: Mapping[str, Value]) -> Self:
        said = super().__new__(cls, text)
        said.template, said.plural, said.values = template, plural, values
        return said

    def __reduce__(self) -> tuple[type[Said], tuple[str, str, str | None, Mapping[str, Value]]]:
        return Said, (str(self), self.template, self.plural, self.values)


def say(template: str, /, **values: Value) -> Said:
    """The sentence with its values. Raises KeyError for a place without a value.

    >>> say("grade {grade} on {day}", grade=2, day=date(2011, 3, 15))
    'grade 2 on 2011-03-15'
    """
    said = _NEW(Said, template.format_map(values))  # not by the class: an alert says a hundred of these
    said.template, said.plural, said.values = template, None, values
    return said


def say_n(one: str, many: str, /, count: int, **values: Value) -> Said:
    """One of two sentences, by ``count``, which is also a value of it.

    >>> say_n("{count} day", "{count} days", count=1), say_n("{count} day", "{count} days", count=3)
    ('1 day', '3 days')
    """
    counted = {"count": count, **values}
    return Said((one if count == 1 else many).format_map(counted), one, many, counted)


def joined(separator: str, parts: Iterable[str]) -> str:
    """As ``separator.join``, each part still what it was said as; ``separator`` has no word in it.

    >>> joined("; ", [say("cane"), "A-12"])
    'cane; A-12'
    """
    values = {f"part{place}": part for place, part in enumerate(parts)}
    if len(values) == 1:
        return next(iter(values.values()))
    escaped = separator.replace("{", "{{").replace("}", "}}")
    return Said(separator.join(values.values()), escaped.join(f"{{{name}}}" for name in values), None, values)


def to_json(text: str) -> Any:
    """What JSON can keep of a text; ``from_json`` gives back the same."""
    if not isinstance(text, Said):
        return str(text)
    kept: dict[str, Any] = {"say": text.template, "values": {name: _kept(value) for name, value in text.values.items()}}
    if text.plural is not None:
        kept["plural"] = text.plural
    if text != _english(text.template, text.plural, text.values):  # its English is not what the template makes of its values
        kept["text"] = str(text)
    return kept


def from_json(kept: Any) -> str:
    """The text that ``to_json`` kept. Raises KeyError, TypeError or ValueError for what it did not make."""
    if isinstance(kept, str):
        return kept
    values = {name: _value(value) for name, value in kept["values"].items()}
    template, plural = kept["say"], kept.get("plural")
    text = kept.get("text")
    return Said(_english(template, plural, values) if text is None else text, template, plural, values)


def _english(template: str, plural: str | None, values: Mapping[str, Value]) -> str:
    many = plural is not None and values["count"] != 1
    return (plural if many and plural is not None else template).format_map(values)


def _kept(value: Value) -> Any:
    if isinstance(value, Said):
        return to_json(value)
    if isinstance(value, datetime):
        return {"instant": value.isoformat()}
    return {"day": value.isoformat()} if isinstance(value, date) else value


def _value(kept: Any) -> Value:
    if isinstance(kept, str | int | float):
        return kept
    if not isinstance(kept, dict):
        raise TypeError("no value of a sentence")
    if "say" in kept:
        return from_json(kept)
    return date.fromisoformat(kept["day"]) if "day" in kept else datetime.fromisoformat(kept["instant"])
