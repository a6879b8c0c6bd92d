"""Everything that is wrong with a clinic's configuration, in all its files, at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from monitor.config.policy_files import guideline_path, read_guideline, read_thresholds
from monitor.config.problems import Problem, in_order
from monitor.config.settings import Settings, read_settings

RenderTemplates = Callable[[Settings], Iterable[Problem]]


def check(path: Path, *, render_templates: RenderTemplates | None = None) -> list[Problem]:
    """Every mistake in ``monitor.yaml``, the policy and the guideline it names, in file, line and column order.

    ``render_templates`` tries the mails out; the service layer gives it, and it is only asked about settings that hold.
    """
    settings, problems = read_settings(path)
    if settings is not None:
        problems += read_thresholds(settings.policy).problems
        guideline = guideline_path(settings.guideline)
        problems += read_guideline(guideline).problems if guideline else ()
        problems += render_templates(settings) if render_templates else ()
    return list(in_order(problems))
