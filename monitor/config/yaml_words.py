"""What a YAML reader's complaint means to the person who wrote the file, and at which place it has to be mended."""

from __future__ import annotations

import re

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.tokens import ScalarToken

Place = tuple[int, int]
"""Line and column, both from 0."""

ALIAS = "a value that begins with '*' must be in quotes"
_COLON = "a ':' cannot stand here; check the indentation, or put the text in quotes"
_NO_SPACE = "a space is missing after the ':'"
_INDENTATION = "the indentation does not fit: this line must begin as far to the right as the others of its group"
_QUOTE = "the quote opened here is closed on line {line} only; close it where the text ends"
_AFTER_QUOTE = "something follows a closing quote; put the whole text into one pair of quotes"
_AFTER_A_WORD = {
    "mapping values are not allowed here",
    "expected '<document start>', but found ('<block mapping start>',)",
}
_IN_WORDS = {
    "found character '\\t' that cannot start any token": "a tab cannot be used for indentation; use spaces",
    "mapping values are not allowed here": _COLON,
    "but found another document": "'---' begins a second document; a configuration is one document",
    "found unexpected end of stream": "a quote that was opened is never closed",
}
_KEY_WITHOUT_SPACE = re.compile(r"\s*(?:- )?[\w-]+:[^\s/]")


def in_words(error: MarkedYAMLError, text: str) -> tuple[Place, str]:
    """Where to mend the file, and how. ``text`` is all of it."""
    problem = error.problem or ""
    found, begun = error.problem_mark or error.context_mark, error.context_mark
    place = (found.line, found.column) if found else (0, 0)
    if error.context == "while scanning an alias" and begun:
        return (begun.line, begun.column), ALIAS
    if problem.startswith("found undefined alias"):
        return place, ALIAS
    if problem == "could not find expected ':'" and begun:
        line = text.splitlines()[begun.line]
        words = _NO_SPACE if _KEY_WITHOUT_SPACE.match(line) else "'key: value' is expected, with a ':' and a space after the key"
        return (begun.line, begun.column), words
    if problem in _AFTER_A_WORD and (above := _without_space_above(text, place[0])) is not None:
        return (above, 0), _NO_SPACE
    if "but found '<scalar>'" in problem or "but got '<scalar>'" in problem:
        quote = _open_quote(text, place)
        return quote if quote is not None else (place, _AFTER_QUOTE)
    if problem.startswith("expected <block end>"):
        return place, _INDENTATION
    if problem.startswith("expected ',' or") and begun:
        closing = problem.split("'")[3]
        return place, f"a ',' or '{closing}' is expected here: what is opened on line {begun.line + 1} is not closed"
    return place, _IN_WORDS.get(problem, f"this is not valid YAML: {problem}" if problem else "this is not valid YAML")


def _without_space_above(text: str, line: int) -> int | None:
    """The last line with a setting above ``line``, if it has no space after its ':'."""
    lines = text.splitlines()
    for above in range(min(line, len(lines)) - 1, -1, -1):
        written = lines[above].strip()
        if written and not written.startswith("#"):
            return above if _KEY_WITHOUT_SPACE.match(lines[above]) and ": " not in written.partition(" #")[0] else None
    return None


def _open_quote(text: str, before: Place) -> tuple[Place, str] | None:
    """The quoted text that ends nearest before a place and runs over several lines: its quote is the one to mend."""
    nearest: tuple[Place, str] | None = None
    try:
        for token in YAML(typ="safe", pure=True).scan(text):
            start, end = token.start_mark, token.end_mark
            if (start.line, start.column) >= before:
                break
            if isinstance(token, ScalarToken) and token.style in ("'", '"') and start.line != end.line:
                nearest = (start.line, start.column), _QUOTE.format(line=end.line + 1)
    except YAMLError:  # what is wrong is told already
        pass
    return nearest
