"""Keeps secrets that were written into a configuration by mistake out of every text about that mistake."""

from __future__ import annotations

import re

MASK = "********"
_WORD = re.compile(
    r"""(?i)passw|passphrase|pass$|pass["']?\s*[:=]|\bpwd\b|secret(?!ar)|token(?!_url)|ping_?url|credential|(api|private)[_-]?key"""
)
_IN_URL = re.compile(r"(?<=://)[^/\s@]*:[^\s@]*(?=@)")


def looks_secret(key: str) -> bool:
    """Whether a key of this name is likely to hold a secret."""
    return _WORD.search(key) is not None


def masked(line: str) -> str:
    """The line without what follows a word such as "password", and without the user and password of a URL."""
    line = _IN_URL.sub(MASK, line)
    found = _WORD.search(line)
    if found is None:
        return line
    separator = re.compile(r"""[\w-]*["']?\s*[:=]?\s*""").match(line, found.end())
    start = separator.end() if separator else found.end()
    return line[:start] + MASK if start < len(line) else line


def may_show(lines: list[str], line: int) -> bool:
    """Whether line ``line`` (from 0) of a file that is not even YAML can be shown.

    Without a parse it is not known where a value that was begun earlier ends, so nothing after a secret is shown.
    """
    return not any(looks_secret(text) for text in lines[: line + 1] if not text.lstrip().startswith("#"))
