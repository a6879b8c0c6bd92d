"""The dead-man's switch: an address elsewhere that raises the alarm when nobody has called it for too long.

Any service of the healthchecks kind: a plain request says that all is well, one to ``/fail`` that it is not. The address
is a secret, since whoever knows it can keep the switch quiet: it is in no text of this module, nor in the log.
"""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from ipaddress import ip_address
from typing import Any
from urllib.parse import SplitResult, urlsplit, urlunsplit

TIMEOUT_SECONDS = 10.0
RETRIES = 2


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Another address is another secret, perhaps in clear: the answer counts as it is."""

    def redirect_request(self, *_: Any) -> None:
        return None


def ping(url: str, ok: bool, *, retries: int = RETRIES) -> str | None:
    """Call the switch; what went wrong, without the address, or None. At most ``retries`` times again, 10 s each."""
    try:
        parts = urlsplit(url.strip())
        target = _target(parts, ok)
    except ValueError:
        return "the secret ping_url is no address"
    if target is None:
        return "the secret ping_url has to begin with https://; http:// is taken only on this machine itself"
    problem: str | None = None
    for _ in range(1 + retries):
        problem = _call(target)
        if problem is None:
            return None
    return problem


def _target(parts: SplitResult, ok: bool) -> str | None:
    """The address to call, or None for one that would go over the network in clear. Raises ValueError."""
    if not parts.hostname or (parts.scheme != "https" and not (parts.scheme == "http" and _is_here(parts.hostname))):
        return None
    path = parts.path if ok else f"{parts.path.rstrip('/')}/fail"
    return urlunsplit(parts._replace(path=path, fragment=""))


def _is_here(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _call(target: str) -> str | None:
    opener = urllib.request.build_opener(_NoRedirect)
    request = urllib.request.Request(target, headers={"User-Agent": "bipn-monitor"})  # noqa: S310  # checked in _target
    try:
        with opener.open(request, timeout=TIMEOUT_SECONDS) as answer:
            answer.read(1024)
    except urllib.error.HTTPError as error:
        error.close()
        return f"it answers with {error.code}"
    except urllib.error.URLError as error:
        why = error.reason
        return f"it cannot be reached: {why.strerror or type(why).__name__ if isinstance(why, OSError) else 'see the network'}"
    except TimeoutError:
        return f"it did not answer within {TIMEOUT_SECONDS:.0f} s"
    except (OSError, http.client.HTTPException, ValueError) as error:
        return f"it broke off ({type(error).__name__})"
    return None
