"""A language nobody speaks: every word of a template in angle quotes, so that a word outside them has lost its sentence."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator
from datetime import date

from monitor.said import Said

_OURS = re.compile(r"«[^«»]*»")
_WORD = re.compile(r"[A-Za-z]{2,}")


def pseudo(text: str) -> str:
    """The text as that language says it. A value that is no sentence of ours is as it was, a day is its number.

    >>> from monitor.said import say
    >>> pseudo(say("walking {aid} since {day}", aid=say("cane"), day="May"))
    '«walking »«cane»« since »May'
    """
    if not isinstance(text, Said):
        return text
    template = text.plural if text.plural is not None and text.values["count"] != 1 else text.template
    return "".join(_pieces(template, text))


def english_left(text: str, *, names: frozenset[str] = frozenset()) -> list[str]:
    """The words outside of every template, but for ``names``, which nobody translates."""
    left = _OURS.sub(" ", pseudo(text))
    for name in sorted(names, key=len, reverse=True):
        left = re.sub(rf"(?<![\w-]){re.escape(name)}(?![\w-])", " ", left)
    return _WORD.findall(left)


def templates(text: str) -> Iterator[tuple[str, ...]]:
    """The template of the text and of every sentence in it, each with its form for many where it has one."""
    if isinstance(text, Said):
        yield (text.template,) if text.plural is None else (text.template, text.plural)
        for value in text.values.values():
            if isinstance(value, str):
                yield from templates(value)


def words_of(template: str) -> str:
    """A template without its places."""
    return "".join(words for words, _, _, _ in string.Formatter().parse(template))


def _pieces(template: str, text: Said) -> Iterator[str]:
    for words, place, spec, _ in string.Formatter().parse(template):
        if words:
            yield f"«{words}»"
        if place is not None:
            value = text.values[place]
            yield pseudo(value) if isinstance(value, str) else _number(value, spec or "")


def _number(value: object, spec: str) -> str:
    return value.isoformat() if isinstance(value, date) else format(value, spec)
