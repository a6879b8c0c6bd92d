"""Where a request comes from: our own page or another site's, and through which addresses."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

from starlette.requests import Request

from monitor.config.settings import Board

UNKNOWN = "unknown"


def is_same_origin(request: Request, board: Board) -> bool:
    """Whether a browser says that one of our own pages sent this. A browser that says nothing is not believed."""
    sites = request.headers.getlist("sec-fetch-site")
    if sites:
        return sites == ["same-origin"]
    own = urlsplit(board.address)
    return request.headers.getlist("origin") == [f"{own.scheme}://{own.netloc}".lower()]


def is_from_proxy(request: Request, board: Board) -> bool:
    """Whether the machine at the other end is the configured proxy: of nobody else a header is believed."""
    return board.proxy is not None and request.client is not None and _is_in(request.client.host, board.proxy.networks)


def client_address(request: Request, board: Board) -> str:
    """Whose request it is: behind the proxy the last address in its header that is no proxy, else the other end itself."""
    peer = request.client.host if request.client is not None else UNKNOWN
    if board.proxy is None or not is_from_proxy(request, board):
        return peer
    named = ",".join(request.headers.getlist(board.proxy.address_header)).split(",")
    for each in reversed(named):
        address = _address(each.strip())
        if address is None:
            return peer
        if not _is_in(str(address), board.proxy.networks):
            return str(address)
    return peer


def _is_in(host: str, networks: tuple[str, ...]) -> bool:
    address = _address(host)
    return address is not None and any(address in ip_network(network) for network in networks)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address
