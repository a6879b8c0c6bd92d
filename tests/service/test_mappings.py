"""Mapping files of a clinic's own are checked with its configuration; the shipped ones are read here."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.config.settings import load_settings
from monitor.service.mappings import LOADERS, broken_mappings, mapping_file
from monitor.shipped import shipped
from tests.config.files import line_of, monitor_file


@pytest.mark.parametrize("name", LOADERS)
def test_given_a_shipped_mapping_when_loaded_then_it_has_no_mistake(tmp_path: Path, name: str) -> None:
    LOADERS[name](mapping_file(load_settings(monitor_file(tmp_path)), name))


def test_given_a_mistake_in_a_mapping_when_checked_then_it_is_told_at_its_line(tmp_path: Path) -> None:
    own = tmp_path / "own-fhir.yaml"
    text = (shipped("config") / "fhir.yaml").read_text(encoding="utf-8")
    own.write_text(text.replace("\npatient:\n", "\npatient:\n  identifer_system: x\n"), encoding="utf-8")
    settings = load_settings(monitor_file(tmp_path, ("poll_every: 60 s", "mappings: {fhir: own-fhir.yaml}")))
    (problem,) = broken_mappings(settings)
    assert (problem.file, problem.line, problem.code) == (str(own), line_of(own, "identifer_system"), "unknown-key")
