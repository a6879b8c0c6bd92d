"""Who asks: whom the hospital's own proxy names, else whose session cookie it is; each time anew by the configuration."""

from __future__ import annotations

from starlette.requests import Request

from monitor.config.settings import Board
from monitor.service.opening import Site
from monitor.store import keys
from monitor.web import sessions
from monitor.web.asked import Asked
from monitor.web.origin import is_from_proxy
from monitor.web.viewer import Viewer, viewer_by_user, viewer_of

MOST_CHARACTERS = 320  # of a name in the proxy's header: as long as a mail address may be


def viewer_asking(asked: Asked, board: Board) -> Viewer | None:
    """None for nobody the configuration knows. A name from the proxy wins over a cookie; an unknown one is nobody."""
    user = proxy_user(asked.request, board)
    if user is not None:
        return viewer_by_user(asked.site.settings, user) if len(user) <= MOST_CHARACTERS else None
    address = session_address(asked, board)
    return viewer_of(asked.site.settings, address) if address is not None else None


def proxy_user(request: Request, board: Board) -> str | None:
    """The name in the proxy's header, None without one. Twice the header is two names: an empty text, which is nobody's."""
    if board.proxy is None or board.proxy.user_header is None or not is_from_proxy(request, board):
        return None
    named = [each.strip() for each in request.headers.getlist(board.proxy.user_header)]
    if not any(named):
        return None
    return named[0] if len(named) == 1 else ""


def session_address(asked: Asked, board: Board) -> str | None:
    """The mail address that the session cookie was signed for; None without a valid one."""
    value = asked.request.cookies.get(sessions.cookie_name(board))
    if not value:
        return None
    return sessions.read(value, known_keys(asked.site), asked.now, valid=board.session)


def known_keys(site: Site) -> tuple[str, ...]:
    """The secrets that sessions are signed with; none before anybody signed in."""
    with site.database.read() as connection:
        return keys.known_keys(connection, keys.BOARD_SESSIONS)
