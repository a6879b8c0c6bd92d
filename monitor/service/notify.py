"""Words to systemd: a datagram to the socket it names; nothing where it names none."""

from __future__ import annotations

import logging
import os
import socket

log = logging.getLogger(__name__)

PATIENCE_SECONDS = 1.0
"""A service manager that reads nothing must not stop the work: what it is told may be lost, a nurse's mail not."""


def notify(*lines: str) -> bool:
    """Send ``READY=1``, ``STATUS=...`` and the like. False where no service manager listens: the work goes on."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return False
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
            channel.settimeout(PATIENCE_SECONDS)
            channel.connect("\0" + address[1:] if address.startswith("@") else address)
            channel.sendall("\n".join(lines).encode())
    except OSError as error:
        log.warning("the service manager could not be told", extra={"errno": error.errno})
        return False
    return True
