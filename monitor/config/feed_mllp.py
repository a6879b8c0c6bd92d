"""A feed of HL7 v2 messages that other systems send, as ``monitor.yaml`` writes it and as the program works with it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address
from typing import Annotated, Literal

from pydantic import Field

from monitor.config.durations import Duration
from monitor.config.problems import Problem
from monitor.config.yaml_source import Document, Loc

_LISTEN = re.compile(r"(?:\[(?P<six>[0-9a-fA-F:]+)\]|(?P<four>[0-9.]+)|localhost):(?P<port>\d{1,5})", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class MllpFeed:
    """A port on which other systems hand over HL7 v2 messages."""

    kind: Annotated[Literal["mllp"], Field(description="mllp: other systems send HL7 v2 messages to a port of this machine.")]
    listen: Annotated[str, Field(description="Address and port of this machine, such as 127.0.0.1:2575.", min_length=1)]
    certificate: Annotated[
        str | None,
        Field(description="Path of a certificate with its chain, PEM: messages then come encrypted, by TLS.", min_length=1),
    ] = None
    key: Annotated[
        str | None, Field(description="Path of the certificate's key, PEM, readable by nobody else.", min_length=1)
    ] = None
    idle: Annotated[Duration, Field(description="How long a sender may keep a connection without sending anything.")] = timedelta(
        minutes=10
    )
    insecure: Annotated[
        bool, Field(description="true: other machines may send in clear. Whoever reaches the port may then write and read along.")
    ] = False


def check_mllp(document: Document, here: Loc) -> Iterator[Problem]:
    """What a shape cannot say about such a feed."""
    listen = document.get((*here, "listen"), str)
    if listen is not None:
        yield from _check_address(document, here, listen)
    certificate, key = (document.get((*here, name), str) for name in ("certificate", "key"))
    if (certificate is None) != (key is None):
        at = "certificate" if key is None else "key"
        yield document.at((*here, at), "incomplete", "`certificate` and `key` belong together; name both or none", on_key=True)
    for name, written in (("certificate", certificate), ("key", key)):
        file = document.path.resolve().parent / written if written else None
        if file is not None and ("\0" in str(file) or not file.is_file()):
            yield document.at((*here, name), "file-missing", f"there is no file {file}")


def _check_address(document: Document, here: Loc, listen: str) -> Iterator[Problem]:
    match = _LISTEN.fullmatch(listen)
    at = (*here, "listen")
    try:
        address = None if match is None else ip_address(match["six"] or match["four"] or "127.0.0.1")
    except ValueError:
        address = None
    if match is None or address is None or int(match["port"]) > 65535:
        yield document.at(at, "bad-address", "an address and a port are expected, such as 127.0.0.1:2575 or [::1]:2575")
        return
    secured = document.get((*here, "certificate"), str) is not None or document.get((*here, "insecure"), bool)
    if not address.is_loopback and not secured:
        message = "other machines would send patient data in clear: add `certificate` and `key`, or `insecure: true`"
        yield document.at(at, "insecure", message)
