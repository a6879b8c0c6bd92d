"""A mistake in a configuration file: where, what, and the nearest thing that would have been right."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from monitor.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Problem:
    """One mistake. Lines and columns count from 1; ``code`` is stable, the message is for people.

    ``excerpt`` is the source line with anything secret already masked; empty where there is none to show.
    """

    file: str
    line: int
    column: int
    code: str
    message: str
    suggestion: str | None = field(default=None, compare=False)
    excerpt: str = field(default="", compare=False)

    def as_json(self) -> dict[str, str | int | None]:
        """The shape of ``check-config --format json``."""
        return {
            "file": self.file,
            "line": self.line,
            "column": self.column,
            "code": self.code,
            "message": self.message,
            "suggestion": self.suggestion,
        }

    def __str__(self) -> str:
        """``file:line:column: message; did you mean 'x'?``, then the source line with a caret."""
        hint = f"; did you mean '{self.suggestion}'?" if self.suggestion else ""
        head = f"{self.file}:{self.line}:{self.column}: {self.message}{hint}"
        if not self.excerpt:
            return head
        caret = " " * min(self.column - 1, len(self.excerpt))
        return f"{head}\n{self.line:>8} | {self.excerpt}\n{'':>8} | {caret}^"


class InvalidConfigError(ConfigError):
    """A configuration with mistakes. Its text lists all of them; ``problems`` has them one by one."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = in_order(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


def in_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """By file, line and column, each mistake once."""
    return tuple(sorted(set(problems)))


def nearest(word: str, known: Sequence[str]) -> str | None:
    """The known word that ``word`` was most likely meant to be, if any is near."""
    found = difflib.get_close_matches(word.lower(), [name.lower() for name in known], n=1, cutoff=0.6)
    return next((name for name in known if name.lower() == found[0]), None) if found else None
