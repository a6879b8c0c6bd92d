"""Who asks: whom the hospital's own proxy names, else whose session cookie it is; each time anew by the configuration."""

from __future__ import annotations

import threading
from collections import OrderedDict
from datetime import datetime

from starlette.requests import Request

from monitor.config.settings import Board
from monitor.service.sign_ins import signed_in
from monitor.store import keys
from monitor.web import sessions
from monitor.web.asked import Asked
from monitor.web.origin import is_from_proxy
from monitor.web.viewer import Viewer, viewer_by_user, viewer_of

MOST_NAMED = 10_000
MOST_CHARACTERS = 320  # of a name in the proxy's header: as long as a mail address may be


class SignOns:
    """Who asks, and the journal's entry when the proxy names somebody for the first time in as long as a session lasts."""

    def __init__(self) -> None:
        self._named: OrderedDict[str, datetime] = OrderedDict()
        self._lock = threading.Lock()

    def viewer(self, asked: Asked) -> Viewer | None:
        """None for nobody the configuration knows. A name from the proxy wins over a cookie; an unknown one is nobody."""
        user = proxy_user(asked.request, asked.board)
        if user is None:
            address = session_address(asked)
            return viewer_of(asked.site.settings, address) if address is not None else None
        found = viewer_by_user(asked.site.settings, user) if len(user) <= MOST_CHARACTERS else None
        if found is not None and self._is_new(found.address, asked.now, asked.board):
            signed_in(asked.site, found.address, found.role, "sign-on", asked.now)
        return found

    def _is_new(self, address: str, now: datetime, board: Board) -> bool:
        with self._lock:
            since = self._named.get(address)
            if since is not None and since <= now < since + board.session:
                return False
            self._named[address] = now
            self._named.move_to_end(address)
            while len(self._named) > MOST_NAMED:
                self._named.popitem(last=False)
            return True


def proxy_user(request: Request, board: Board) -> str | None:
    """The name in the proxy's header, None without one. Twice the header is two names: an empty text, which is nobody's."""
    if board.proxy is None or board.proxy.user_header is None or not is_from_proxy(request, board):
        return None
    named = [each.strip() for each in request.headers.getlist(board.proxy.user_header)]
    if not any(named):
        return None
    return named[0] if len(named) == 1 else ""


def session_address(asked: Asked) -> str | None:
    """The mail address that the session cookie was signed for; None without a valid one."""
    value = asked.request.cookies.get(sessions.cookie_name(asked.board))
    if not value:
        return None
    with asked.site.database.read() as connection:
        believed = keys.known_keys(connection, keys.BOARD_SESSIONS)
    return sessions.read(value, believed, asked.now, valid=asked.board.session)
