"""A feed of HL7 v2 messages that other systems send, as ``monitor.yaml`` writes it and as the program works with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from monitor.config.problems import Problem
from monitor.config.yaml_source import Document, Loc


@dataclass(frozen=True, slots=True, kw_only=True)
class MllpFeed:
    """A port on which other systems hand over HL7 v2 messages."""

    kind: Annotated[Literal["mllp"], Field(description="mllp: other systems send HL7 v2 messages to a port of this machine.")]
    listen: Annotated[str, Field(description="Address and port of this machine, such as 127.0.0.1:2575.", min_length=1)]


def check_mllp(document: Document, here: Loc) -> Iterator[Problem]:
    """What a shape cannot say about such a feed."""
    yield from ()
