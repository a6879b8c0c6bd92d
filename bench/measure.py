"""How things are measured here: interleaved rounds, medians, CPU time of this process unless said otherwise."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """One figure: what was measured over what it is compared with, both in seconds."""

    goal: str
    what: str
    seconds: float
    against: str
    against_seconds: float
    gate: float

    @property
    def ratio(self) -> float:
        return self.seconds / self.against_seconds

    @property
    def holds(self) -> bool:
        return self.ratio <= self.gate


def medians(*works: Callable[[], object], rounds: int, wall: bool = False) -> list[float]:
    """Median seconds of each piece of work; every round runs each once, so that load falls on all alike."""
    clock = time.perf_counter if wall else time.process_time
    taken: list[list[float]] = [[] for _ in works]
    for _ in range(rounds):
        for place, work in enumerate(works):
            begun = clock()
            work()
            taken[place].append(clock() - begun)
    return [statistics.median(each) for each in taken]


def repeated(work: Callable[[], object], times: int) -> Callable[[], None]:
    """``work`` done ``times`` over: for what is too short for the clock."""

    def many() -> None:
        for _ in range(times):
            work()

    return many
