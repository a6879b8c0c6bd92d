"""Who hears of what feeds brought and was refused, as ``monitor.yaml`` writes it and as the program works with it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time, timedelta
from typing import Annotated, Literal

from pydantic import Field

from monitor.config.clock_times import ClockTime
from monitor.config.durations import Duration


@dataclass(frozen=True, slots=True, kw_only=True)
class DataOwner:
    """Whoever can correct records, or ask the ward to."""

    name: Annotated[str, Field(description="How the mails are addressed.", min_length=1)]
    address: Annotated[str, Field(description="Mail address of whoever can correct records, or ask the ward to.")]
    language: Annotated[Literal["en", "de"], Field(description="Language of the mails to it.")] = "en"


@dataclass(frozen=True, slots=True, kw_only=True)
class DataQuality:
    """A daily mail about refused records, records that contradict each other, and quiet feeds; none where there is no news."""

    owner: Annotated[DataOwner, Field(description="Who gets it; files of a watched folder that are refused are told there too.")]
    at: Annotated[ClockTime, Field(description="When it leaves, by the clinic's clock.")] = time(7)
    again_after: Annotated[
        Duration, Field(description="Without anything new, what is still open is told again after so long.")
    ] = timedelta(days=7)
