"""Everything that is wrong with a clinic's configuration, in all its files, at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path

from monitor.clinical.nobody_home import nobody_home
from monitor.config.board_checks import extra_missing
from monitor.config.policy_files import guideline_path, is_path, read_guideline, read_thresholds, shipped_policy
from monitor.config.problems import Problem, in_order
from monitor.config.settings import Settings, read_settings
from monitor.config.yaml_source import Document, read_document

TryOut = Callable[[Settings], Iterable[Problem]]


def check(path: Path, *, also: Sequence[TryOut] = (), now: datetime | None = None) -> list[Problem]:
    """Every mistake in ``monitor.yaml``, the policy and the guideline it names, in file, line and column order.

    ``also`` tries out what the settings name, such as the mails; the service layer gives it, and it is only asked about
    settings that hold.
    Hours at which a step would reach nobody are among the mistakes, those by absences from ``now`` on (None: left out). They
    are no reason not to start, nor is an extra that is not installed: ``load_settings`` takes the file all the same.
    """
    document = read_document(path)
    settings, problems = read_settings(document)
    for file, read in ((_named(document, "policy"), read_thresholds), (_named(document, "guideline"), read_guideline)):
        problems += read(file).problems if file is not None else ()
    if settings is not None:
        problems += _gaps(settings, document, now)
        problems += extra_missing(document)
        for try_out in also:
            problems += try_out(settings)
    return list(in_order(problems))


def _gaps(settings: Settings, document: Document, now: datetime | None) -> Iterator[Problem]:
    today = now.astimezone(settings.time_zone).date() if now is not None else None
    for gap in nobody_home(settings.teams, settings.directory, today):
        yield document.at(("teams", gap.team), "nobody-home", str(gap), on_key=True)


def _named(document: Document, key: str) -> Path | None:
    """The file that ``policy`` or ``guideline`` names, if it is there. That it is not, the settings' own check says."""
    written = document.get((key,), str)
    if key == "guideline" and written is not None and not is_path(written):
        return guideline_path(written)
    if written is None:
        return shipped_policy() if key == "policy" else None
    file = document.path.parent / written
    return file if file.is_file() else None
