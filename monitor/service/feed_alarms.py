"""The mail to operations about a feed that cannot be read."""

from __future__ import annotations

from monitor.said import say
from monitor.service.alarms import LOOK_AT_STATUS, Alarm


def failing_feed(name: str, problem: str) -> Alarm:
    """A feed could not be read for longer than the configuration says."""
    return Alarm(
        problem=say("the feed {name} cannot be read: {problem}", name=name, problem=problem),
        consequence=say("nobody is told of what it would bring; nothing of it is lost, it is read once it answers again"),
        remedies=(say("Mend the feed, or its settings under `feeds:` in the configuration."), LOOK_AT_STATUS),
        occasion=f"failing feed {name}",
    )
