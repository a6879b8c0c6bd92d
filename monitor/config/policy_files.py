"""Policy and guideline files, as read into one Policy. Shipped ones are named, a clinic's own are paths."""

from __future__ import annotations

import dataclasses
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar
from zoneinfo import ZoneInfo

from monitor.clinical.guideline import Guideline
from monitor.clinical.policy import Policy, Thresholds
from monitor.config.guideline_checks import check_guideline
from monitor.config.problems import InvalidConfigError, Problem, nearest
from monitor.config.threshold_checks import check_thresholds
from monitor.config.validation import validate
from monitor.config.yaml_source import Document, read_document
from monitor.errors import UsageError
from monitor.shipped import shipped

Shape = TypeVar("Shape")
DEFAULT_GUIDELINE = "us-label"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRead(Generic[Shape]):
    """A file's value (None if it cannot be used), its bytes, and everything wrong with it."""

    value: Shape | None
    raw: bytes
    problems: tuple[Problem, ...]


def shipped_policy() -> Path:
    """The policy file that comes with the program."""
    return shipped("config") / "policy.yaml"


def shipped_guidelines() -> dict[str, Path]:
    """Name to file, in name order."""
    return {path.stem: path for path in sorted((shipped("config") / "guidelines").glob("*.yaml"))}


def read_thresholds(path: Path) -> FileRead[Thresholds]:
    """A policy file with every mistake in it. Never raises for its content."""
    document = read_document(path)
    value, problems = validate(document, Thresholds, check_thresholds)
    return FileRead(value=value, raw=document.raw, problems=tuple(problems))


def read_guideline(path: Path) -> FileRead[Guideline]:
    """A guideline file with every mistake in it. Never raises for its content."""
    document = read_document(path)
    value, problems = validate(document, Guideline, check_guideline)
    return FileRead(value=value, raw=document.raw, problems=tuple(problems))


def guideline_path(guideline: str | Path) -> Path | None:
    """The file of a shipped name, or the path itself; None for a name that is not shipped."""
    if isinstance(guideline, Path) or is_path(guideline):
        return Path(guideline)
    return shipped_guidelines().get(guideline)


def is_path(guideline: str) -> bool:
    """Whether the text is a path, not a shipped name."""
    return "/" in guideline or guideline.endswith((".yaml", ".yml"))


def unknown_guideline(name: str) -> tuple[str, str | None]:
    """What to say about a name that is not shipped: the message and the nearest name."""
    names = list(shipped_guidelines())
    return f"unknown guideline '{name}'; shipped are {', '.join(names)}; a file of your own is given as a path", nearest(
        name, names
    )


def load_policy(*, thresholds: Path | None = None, guideline: str | Path = DEFAULT_GUIDELINE, zone: ZoneInfo) -> Policy:
    """The policy of these files; ``thresholds`` None is the shipped file, ``guideline`` a shipped name or a path.

    The other shipped guidelines come along for comparison, in name order. ``sha256`` is that of the policy file followed by the
    guideline file: ``cat policy.yaml us-label.yaml | sha256sum``.
    Raises InvalidConfigError with every mistake in any of the files, UsageError for a guideline that is not shipped.
    """
    path = guideline_path(guideline)
    if path is None:
        message, near = unknown_guideline(str(guideline))
        raise UsageError(f"{message}; did you mean '{near}'?" if near else message)
    numbers, chosen = read_thresholds(thresholds or shipped_policy()), read_guideline(path)
    others = [read_guideline(other) for other in shipped_guidelines().values() if other.resolve() != path.resolve()]
    problems = [*numbers.problems, *chosen.problems, *(problem for other in others for problem in other.problems)]
    if problems or numbers.value is None or chosen.value is None:
        raise InvalidConfigError(problems)
    return Policy(
        thresholds=numbers.value,
        guideline=chosen.value,
        others=tuple(each.value for each in others if each.value is not None and each.value.name != chosen.value.name),
        zone=zone,
        sha256=hashlib.sha256(numbers.raw + chosen.raw).hexdigest(),
    )


def load_policy_argument(
    text: str, *, thresholds: Path | None = None, guideline: str | Path = DEFAULT_GUIDELINE, zone: ZoneInfo
) -> Policy:
    """The policy with one part exchanged: ``text`` is a policy file, a guideline file, or a shipped guideline's name.

    Which of the files it is, its keys say. Raises UsageError or InvalidConfigError.
    """
    if text in shipped_guidelines():
        return load_policy(thresholds=thresholds, guideline=text, zone=zone)
    path = Path(text)
    if not path.exists():
        message, near = unknown_guideline(text)
        raise UsageError(f"there is no file {text}, and {message}" + (f"; did you mean '{near}'?" if near else ""))
    document = read_document(path)
    if document.data is None:
        raise InvalidConfigError(document.problems)
    match _kind(document):
        case "policy":
            return load_policy(thresholds=path, guideline=guideline, zone=zone)
        case "guideline":
            return load_policy(thresholds=thresholds, guideline=path, zone=zone)
    message = "this is neither a policy file (drug_status, motor, ...) nor a guideline file (ladder_mg_per_m2, rows, ...)"
    raise InvalidConfigError([document.at((), "wrong-type", message)])


def _kind(document: Document) -> str | None:
    """ "policy", "guideline" or None: whose top-level keys most of the file's are. ``version`` is in both and tells nothing."""
    if not isinstance(document.data, dict):
        return None
    keys = document.data.keys() - {"version"}
    counts = {
        "policy": len(keys & {each.name for each in dataclasses.fields(Thresholds)}),
        "guideline": len(keys & {each.name for each in dataclasses.fields(Guideline)}),
    }
    best = max(counts, key=lambda kind: counts[kind])
    return best if counts[best] else None
