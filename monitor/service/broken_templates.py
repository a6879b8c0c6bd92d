"""The clinic's templates, tried out with a sample of every mail, as problems of the configuration."""

from __future__ import annotations

from collections.abc import Iterator

from monitor.config.problems import Problem
from monitor.config.settings import Settings
from monitor.delivery.named import with_made_up_names
from monitor.delivery.render import check_templates
from monitor.delivery.samples import samples


def broken_templates(settings: Settings) -> Iterator[Problem]:
    """Every template that does not render for every kind and urgency, with names where the settings put them in.

    None without templates of the clinic's own: our tests have rendered the shipped ones, and a daemon starts a second sooner.
    """
    if settings.templates is None:
        return
    tried = samples()
    if settings.privacy == "identified":
        tried = {kind: (*several, *map(with_made_up_names, several)) for kind, several in tried.items()}
    for broken in check_templates(settings.templates, tried):
        yield Problem(file=broken.file, line=broken.line, column=1, code="broken-template", message=broken.problem)
