"""Who holds the daemon's lease, as text, and whether that process is still there."""

from __future__ import annotations

import os
import socket
from datetime import datetime
from functools import cache

from monitor.service import clock


def own_holder(now: datetime) -> str:
    """This process, as it is written into the lease: host, process id, and when it took it."""
    return f"{socket.gethostname()}:{os.getpid()}:{now:%Y%m%dT%H%M%S%f}"


@cache
def this_process() -> str:
    """This process, named when it was first asked: not to be mistaken for an earlier one of the same number."""
    return own_holder(clock.now())


def is_this_process(holder: str) -> bool:
    """Whether a holder has this process's number, as who asks from inside the daemon finds it."""
    host, pid, _ = holder.rsplit(":", 2)
    return host == socket.gethostname() and int(pid) == os.getpid()


def has_died(holder: str) -> bool:
    """Whether a holder of the lease was a process of this machine that is no more.

    A wrong yes, such as for another container of the same host name, does no harm: who loses the lease stops.
    """
    host, pid, _ = holder.rsplit(":", 2)
    if host != socket.gethostname():
        return False
    if int(pid) == os.getpid():  # ours now, as after the restart of a container
        return True
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:  # another user's process, alive
        return False
    return False
