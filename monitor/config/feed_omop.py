"""A feed from an OMOP database, as ``monitor.yaml`` writes it and as the program works with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field

from monitor.config.database_url import has_password, resolve_database
from monitor.config.durations import Duration
from monitor.config.problems import Problem
from monitor.config.yaml_source import Document, Loc
from monitor.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class OmopFeed:
    """A database with OMOP CDM tables that is read, never written."""

    kind: Annotated[Literal["omop"], Field(description="omop: a database with OMOP CDM tables, read and never written.")]
    database: Annotated[str, Field(description="postgresql://reader@host/cdm, or sqlite:///file.db relative to this file.")]
    every: Annotated[Duration, Field(description="How often it is read.")] = timedelta(days=1)


def check_omop(document: Document, here: Loc) -> Iterator[Problem]:
    """What a shape cannot say about such a feed."""
    place = (*here, "database")
    written = document.get(place, str)
    if written is None:
        return
    if has_password(written):
        yield document.at(place, "secret-in-file", "a password does not belong in this file: give it as the feed's secret")
        return
    try:
        resolve_database(written, folder=document.path.parent)
    except UsageError as error:
        yield document.at(place, "bad-database", str(error))
