"""Words to systemd: a datagram to the socket it names; nothing where it names none."""

from __future__ import annotations

import os
import socket
from datetime import timedelta


def notify(*lines: str) -> bool:
    """Send ``READY=1``, ``STATUS=...`` and the like. False where no service manager listens."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return False
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
        channel.connect("\0" + address[1:] if address.startswith("@") else address)
        channel.sendall("\n".join(lines).encode())
    return True


def watchdog_every() -> timedelta | None:
    """How often systemd wants to hear from us, or None. Half of what it allows, as its manual advises."""
    microseconds = os.environ.get("WATCHDOG_USEC", "")
    return timedelta(microseconds=int(microseconds) / 2) if microseconds.isdigit() else None
