"""A feed from a REDCap project, as ``monitor.yaml`` writes it and as the program works with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field

from monitor.config.durations import Duration
from monitor.config.feed_urls import check_url
from monitor.config.problems import Problem
from monitor.config.yaml_source import Document, Loc


@dataclass(frozen=True, slots=True, kw_only=True)
class RedcapFeed:
    """A REDCap project that is asked for its records."""

    kind: Annotated[Literal["redcap"], Field(description="redcap: a REDCap project that is asked for its records.")]
    url: Annotated[str, Field(description="The address of its API, such as https://redcap.hospital.example/api/.")]
    every: Annotated[Duration, Field(description="How often it is asked.")] = timedelta(minutes=15)
    insecure: Annotated[bool, Field(description="true: the address may be http://, in clear. For a server on this machine.")] = (
        False
    )

    @property
    def needs_secret(self) -> bool:
        """The API's token."""
        return True


def check_redcap(document: Document, here: Loc) -> Iterator[Problem]:
    """What a shape cannot say about such a feed."""
    yield from check_url(document, here)
