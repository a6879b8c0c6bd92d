"""Everything that is wrong with a clinic's configuration, in all its files, at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from monitor.config.policy_files import guideline_path, is_path, read_guideline, read_thresholds, shipped_policy
from monitor.config.problems import Problem, in_order
from monitor.config.settings import Settings, read_settings
from monitor.config.yaml_source import Document, read_document

RenderTemplates = Callable[[Settings], Iterable[Problem]]


def check(path: Path, *, render_templates: RenderTemplates | None = None) -> list[Problem]:
    """Every mistake in ``monitor.yaml``, the policy and the guideline it names, in file, line and column order.

    ``render_templates`` tries the mails out; the service layer gives it, and it is only asked about settings that hold.
    """
    document = read_document(path)
    settings, problems = read_settings(document)
    for file, read in ((_named(document, "policy"), read_thresholds), (_named(document, "guideline"), read_guideline)):
        problems += read(file).problems if file is not None else ()
    if settings is not None and render_templates is not None:
        problems += render_templates(settings)
    return list(in_order(problems))


def _named(document: Document, key: str) -> Path | None:
    """The file that ``policy`` or ``guideline`` names, if it is there. That it is not, the settings' own check says."""
    written = document.get((key,), str)
    if key == "guideline" and written is not None and not is_path(written):
        return guideline_path(written)
    if written is None:
        return shipped_policy() if key == "policy" else None
    file = document.path.parent / written
    return file if file.is_file() else None
