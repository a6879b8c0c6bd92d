"""What a mail address, a name to be shown and a host look like."""

from __future__ import annotations

import ipaddress
import re

_LOCAL = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"(?=.{{3,254}}$){_LOCAL}@{_LABEL}(\.{_LABEL})*")


def is_address(text: str) -> bool:
    """Whether the text is an ASCII ``local@domain`` that a mail can be sent to."""
    return text.isascii() and _ADDRESS.fullmatch(text) is not None and len(text.partition("@")[0]) <= 64


def is_name(text: str) -> bool:
    """Whether the text can be shown on one line."""
    return bool(text.strip()) and text.isprintable()


def is_host(text: str) -> bool:
    """Whether the text could be a host's name or address, without a port or a path."""
    return re.search(r"[\s:/@]", text) is None or _is_ip(text)


def is_loopback(host: str) -> bool:
    """Whether the host is this machine."""
    return host.lower() == "localhost" or (_is_ip(host) and ipaddress.ip_address(host).is_loopback)


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
