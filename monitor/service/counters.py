"""What the daemon counts about itself since it started; read by whoever shows figures."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class DaemonCounters:
    """Plain numbers. ``runs`` and ``failed_runs`` are by the name of the job; a failed run is repeated by the next tick."""

    runs: dict[str, int] = field(default_factory=dict)
    failed_runs: dict[str, int] = field(default_factory=dict)
    defects: int = 0
    late_ticks: int = 0
    skipped_ticks: int = 0  # the job was still running
    clock_steps: int = 0
    blocked_loops: int = 0
    reloads: int = 0
    refused_reloads: int = 0

    def ran(self, job: str, *, done: bool) -> None:
        """One run of a job is over."""
        counted = self.runs if done else self.failed_runs
        counted[job] = counted.get(job, 0) + 1
