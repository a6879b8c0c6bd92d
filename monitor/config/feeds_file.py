"""Where facts come from by themselves: the kinds of feeds, a module each, and the files that say how each kind is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Annotated

from pydantic import Field

from monitor.config.database_url import resolve_database
from monitor.config.feed_fhir import FhirFeed
from monitor.config.feed_folder import FolderFeed
from monitor.config.feed_mllp import MllpFeed
from monitor.config.feed_omop import OmopFeed
from monitor.config.feed_redcap import RedcapFeed
from monitor.shipped import shipped

Feed = FhirFeed | FolderFeed | RedcapFeed | OmopFeed | MllpFeed
FeedFile = Annotated[Feed, Field(discriminator="kind")]
_MAPPING = "Path of your own file that says how {0} is read. Default: the one shipped, config/{1}.yaml."


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingsFile:
    """How records of other systems are read: codes, names of fields, units."""

    fhir: Annotated[str | None, Field(description=_MAPPING.format("FHIR", "fhir"), min_length=1)] = None
    hl7: Annotated[str | None, Field(description=_MAPPING.format("HL7 v2", "hl7"), min_length=1)] = None
    redcap: Annotated[str | None, Field(description=_MAPPING.format("REDCap", "redcap"), min_length=1)] = None
    omop: Annotated[str | None, Field(description=_MAPPING.format("OMOP", "omop"), min_length=1)] = None


MAPPINGS = tuple(each.name for each in fields(MappingsFile))


def feeds(written: Mapping[str, Feed], folder: Path) -> dict[str, Feed]:
    """The feeds with absolute paths."""
    return {name: _absolute(feed, folder) for name, feed in written.items()}


def mappings(written: MappingsFile | None, folder: Path) -> dict[str, Path]:
    """The file of each mapping: the clinic's own, or the shipped one, whether or not that is there."""
    own = {} if written is None else {name: getattr(written, name) for name in MAPPINGS}
    return {name: (folder / own[name]).resolve() if own.get(name) else shipped_mapping(name) for name in MAPPINGS}


def shipped_mapping(name: str) -> Path:
    """The file that comes with the program."""
    return shipped("config") / f"{name}.yaml"


def _absolute(feed: Feed, folder: Path) -> Feed:
    match feed:
        case FolderFeed():
            return replace(feed, path=str((folder / feed.path).resolve()))
        case OmopFeed():
            return replace(feed, database=resolve_database(feed.database, folder=folder))
        case MllpFeed():
            certificate, key = (None if file is None else str((folder / file).resolve()) for file in (feed.certificate, feed.key))
            return replace(feed, certificate=certificate, key=key)
        case _:
            return feed
