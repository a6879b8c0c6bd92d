"""Which reader takes which file, by the end of its name. A new kind of file is one line here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

from monitor.config.settings import Settings
from monitor.importers.csv_file import read_csv
from monitor.importers.fhir.reading import fhir_reader
from monitor.importers.hl7.reading import hl7_reader
from monitor.importers.imported import Clinic, ImportedFile, Reader
from monitor.importers.sheets import read_sheets
from monitor.service.fhir_file import fhir_mapping
from monitor.service.hl7_file import load_hl7
from monitor.shipped import shipped


def _fhir(mapping: Path) -> Mapping[str, Reader]:
    """Readers of FHIR by a mapping file, which is read with the first file that needs it."""

    def read(name: str, stream: BinaryIO, clinic: Clinic) -> Iterator[ImportedFile]:
        yield from fhir_reader(fhir_mapping(mapping))(name, stream, clinic)

    return {".json": read, ".ndjson": read}


def _hl7(mapping: Path) -> Mapping[str, Reader]:
    """The reader of HL7 v2 by a mapping file, likewise."""

    def read(name: str, stream: BinaryIO, clinic: Clinic) -> Iterator[ImportedFile]:
        yield from hl7_reader(load_hl7(mapping))(name, stream, clinic)

    return {".hl7": read}


READERS: Mapping[str, Reader] = {
    ".csv": read_csv,
    ".xlsx": read_sheets,
    ".xls": read_sheets,
    ".ods": read_sheets,
    **_fhir(shipped("config") / "fhir.yaml"),
    **_hl7(shipped("config") / "hl7.yaml"),
}
"""The readers with the mappings that come with the program."""


def readers_of(settings: Settings) -> Mapping[str, Reader]:
    """The readers with the clinic's own mappings. Each raises InvalidConfigError where its mapping has mistakes."""
    return {**READERS, **_fhir(settings.mappings["fhir"]), **_hl7(settings.mappings["hl7"])}
