"""The board as ``monitor.yaml`` writes it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field

from monitor.config.durations import Duration


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyFile:
    """The web server in front of the board. What it says about a caller is believed, nobody else is."""

    networks: Annotated[
        tuple[str, ...], Field(description="Where it calls from, such as 127.0.0.1/32 or 10.1.2.0/24. As narrow as can be.")
    ]
    user_header: Annotated[
        str | None,
        Field(
            description="The header in which it names who has signed in, such as X-Remote-User. Default: nobody signs in by it."
        ),
    ] = None
    address_header: Annotated[str, Field(description="The header in which it names the caller's address.")] = "X-Forwarded-For"


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardUserFile:
    """Somebody who uses the board and gets no alerts."""

    name: Annotated[str, Field(description="Shown on the board and in the journal.", min_length=1)]
    address: Annotated[str, Field(description="Mail address; the link to sign in goes there.")]
    role: Annotated[
        Literal["admin", "auditor"],
        Field(description="admin: lists, policy and delivery, no patient's page. auditor: reads everything, acts on nothing."),
    ]
    language: Annotated[Literal["en", "de"], Field(description="Language of the board and of the mail with the link.")] = "en"
    user: Annotated[str | None, Field(description="Name in the hospital's single sign-on.", min_length=1)] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardFile:
    """The board: open alerts, a patient's timeline, acknowledging in the browser. Off without this key."""

    port: Annotated[int, Field(description="Where it answers.", ge=1024, le=65535)]
    address: Annotated[
        str,
        Field(description="What the links in mails begin with, such as https://alerts.hospital.example: the proxy's address."),
    ]
    listen: Annotated[str, Field(description="The address of this machine on which it answers.")] = "127.0.0.1"
    insecure: Annotated[
        bool,
        Field(
            description="true: it answers other machines in clear, without a proxy. For a closed network, such as a container's."
        ),
    ] = False
    link_valid: Annotated[Duration, Field(description="How long the link of a mail signs in, 10 min to 30 d.")] = timedelta(
        days=7
    )
    session: Annotated[Duration, Field(description="How long somebody stays signed in, 5 min to 7 d.")] = timedelta(hours=12)
    proxy: Annotated[ProxyFile | None, Field(description="The web server in front of it, which does TLS.")] = None
    users: Annotated[
        tuple[BoardUserFile, ...], Field(description="Who may use it beside those who get alerts: administrators and auditors.")
    ] = ()
