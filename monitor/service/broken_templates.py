"""The clinic's templates, tried out with a sample of every mail, as problems of the configuration."""

from __future__ import annotations

from collections.abc import Iterator

from monitor.config.problems import Problem
from monitor.config.settings import Settings
from monitor.delivery.render import check_templates
from monitor.delivery.samples import samples


def broken_templates(settings: Settings) -> Iterator[Problem]:
    """Every template that does not render for every kind and urgency."""
    for broken in check_templates(settings.templates, samples()):
        yield Problem(file=broken.file, line=broken.line, column=1, code="broken-template", message=broken.problem)
