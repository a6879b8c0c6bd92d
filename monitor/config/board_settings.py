"""The board, as the program works with it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from monitor.config.board_file import BoardFile, BoardUserFile, ProxyFile


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """The web server in front: its headers are believed where the call comes from one of ``networks`` (CIDR).

    ``user_header`` None: nobody signs in by the proxy.
    """

    networks: tuple[str, ...]
    user_header: str | None = None
    address_header: str = "X-Forwarded-For"


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardUser:
    """Somebody who uses the board and gets no alerts. ``user`` is the name in the hospital's single sign-on."""

    name: str
    address: str
    role: Literal["admin", "auditor"]
    language: Literal["en", "de"] = "en"
    user: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """``listen`` is an IP address of this machine; ``address`` what links begin with, without a slash at its end."""

    port: int
    address: str
    listen: str = "127.0.0.1"
    link_valid: timedelta = timedelta(days=7)
    session: timedelta = timedelta(hours=12)
    proxy: Proxy | None = None
    users: tuple[BoardUser, ...] = ()


def board(written: BoardFile) -> Board:
    """The board as it is configured."""
    return Board(
        port=written.port,
        address=written.address.rstrip("/"),
        listen=written.listen,
        link_valid=written.link_valid,
        session=written.session,
        proxy=_proxy(written.proxy) if written.proxy else None,
        users=tuple(_user(each) for each in written.users),
    )


def _proxy(written: ProxyFile) -> Proxy:
    return Proxy(networks=written.networks, user_header=written.user_header, address_header=written.address_header)


def _user(written: BoardUserFile) -> BoardUser:
    return BoardUser(name=written.name, address=written.address, role=written.role, language=written.language, user=written.user)
