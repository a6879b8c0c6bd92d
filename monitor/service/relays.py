"""The relays as configured, with their secrets: the first one, and the fallback where there is one."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Literal

from monitor.config.secrets import secret
from monitor.config.settings import Mail, Relay
from monitor.delivery.conversation import RelayAddress
from monitor.delivery.email import Session
from monitor.delivery.oauth import Grant, Tokens
from monitor.errors import ConfigError

Name = Literal["relay", "fallback"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One relay and how to log in to it."""

    name: Name
    address: RelayAddress
    connections: int
    password: str | None = field(repr=False)
    tokens: Tokens | None

    def session(self) -> Session:
        """A connection for a burst of messages, opened with the first."""
        return Session(self.address, password=self.password, tokens=self.tokens)


def routes(mail: Mail, folder: Path) -> list[Route]:
    """The relays in the order in which they are tried. ``folder`` is the configuration's, where secrets may be.

    Raises ConfigError for a secret that cannot be read, or that a token needs and nobody gave.
    """
    found = [_route("relay", mail.relay, folder)]
    if mail.fallback_relay is not None:
        found.append(_route("fallback", mail.fallback_relay, folder))
    return found


def _route(name: Name, relay: Relay, folder: Path) -> Route:
    return Route(
        name=name,
        address=_address(relay),
        connections=relay.connections,
        password=_password(name, relay, folder),
        tokens=_tokens(name, relay, folder),
    )


def _address(relay: Relay) -> RelayAddress:
    return RelayAddress(
        host=relay.host,
        port=relay.port,
        tls="none" if relay.insecure else relay.tls,
        username=relay.username,
        timeout_seconds=relay.timeout.total_seconds(),
    )


def _password(name: Name, relay: Relay, folder: Path) -> str | None:
    if relay.username is None or relay.oauth is not None:
        return None
    return secret("smtp_password" if name == "relay" else "smtp_password_fallback", os.environ, folder)


def _tokens(name: Name, relay: Relay, folder: Path) -> Tokens | None:
    if relay.oauth is None:
        return None
    where = "smtp_oauth_secret" if name == "relay" else "smtp_oauth_secret_fallback"
    found = secret(where, os.environ, folder)  # type: ignore[arg-type]  # one of two of its names
    if found is None:
        raise ConfigError(f"no secret for oauth was found: give it as the credential or file {where}")
    oauth = relay.oauth
    return _kept(Grant(token_url=oauth.token_url, client_id=oauth.client_id, scope=oauth.scope, secret=found))


@lru_cache(maxsize=2)
def _kept(grant: Grant) -> Tokens:
    """A token outlives the burst that asked for it."""
    return Tokens(grant)
