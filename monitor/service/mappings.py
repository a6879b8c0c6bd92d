"""The files that say how records of other systems are read: the clinic's own or the shipped ones, a line a kind.

A kind's loader reads its file by ``config.yaml_source``, and raises InvalidConfigError with every mistake in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from monitor.config.feeds_file import shipped_mapping
from monitor.config.problems import InvalidConfigError, Problem
from monitor.config.settings import Settings
from monitor.service.fhir_file import load_fhir
from monitor.service.hl7_file import load_hl7
from monitor.service.omop_file import load_omop
from monitor.service.redcap_file import load_redcap

LOADERS: Mapping[str, Callable[[Path], Any]] = {"fhir": load_fhir, "hl7": load_hl7, "redcap": load_redcap, "omop": load_omop}
"""By the key of ``mappings:``. What each gives, its importer knows."""


def mapping_file(settings: Settings, name: str) -> Path:
    """The file of a mapping."""
    return settings.mappings[name]


def broken_mappings(settings: Settings) -> Iterator[Problem]:
    """Every mistake in the clinic's own mapping files. Our tests have read the shipped ones, and a daemon starts sooner."""
    for name, load in LOADERS.items():
        file = mapping_file(settings, name)
        try:
            if file != shipped_mapping(name):
                load(file)
        except InvalidConfigError as error:
            yield from error.problems
