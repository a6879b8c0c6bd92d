"""What stands below the first lines of a mail is left out where it cannot be made: no alert waits for its embellishments."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

log = logging.getLogger(__name__)

Part = TypeVar("Part")


def or_without(name: str, make: Callable[[], Part], without: Part) -> Part:
    """What ``make`` makes, or ``without`` where it raises: a defect, which the log names without any value."""
    try:
        return make()
    except Exception as error:  # whatever it is, the alert is told
        log.error(
            "a part of a mail could not be made, it goes without; please report it",
            extra={"part": name, "error": type(error).__name__},
        )
        return without
