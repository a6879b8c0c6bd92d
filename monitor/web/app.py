"""The board's one door: every request comes through here, and no handler is reached around it.

In this order: is it well formed and for us, does it come too often, does its address exist, is a POST from our own pages, who
asks, may he, and is the patient one of his. What goes wrong is a page without detail; a defect is logged without any value.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

import anyio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route as StarletteRoute
from starlette.types import Receive, Scope, Send

from monitor.config.settings import Board
from monitor.errors import DatabaseError, UsageError
from monitor.said import say
from monitor.service.opening import Site
from monitor.store import alerts
from monitor.store.belonging import belonging
from monitor.web.asked import About, Asked, ProblemError, number_in
from monitor.web.headers import put_headers
from monitor.web.identity import SignOns
from monitor.web.incoming import Incoming, read_incoming
from monitor.web.limits import ANYTHING, Limits
from monitor.web.origin import is_same_origin
from monitor.web.rendering import page
from monitor.web.routes import ROUTES, Route, find
from monitor.web.viewer import NOBODY, Viewer, sees

log = logging.getLogger(__name__)

THREADS = 4
"""Requests that are worked on at a time: fewer than the database has connections, so that the daemon's jobs find one."""

HOME, SIGN_IN = "/", "/sign-in"


def board_app(
    site: Callable[[], Site],
    now: Callable[[], datetime],
    wake: Callable[[str], None],
    more_routes: Sequence[Route] = (),
) -> Starlette:
    """The board on a site whose settings have a ``board``. ``site`` gives the one in force, ``wake`` runs a job of the daemon."""
    return Starlette(routes=[StarletteRoute("/{path:path}", Door(site, now, wake, (*ROUTES, *more_routes)))])


class Door:
    """The ASGI application. Its state is what lets nobody ask too often; nothing of a patient is kept between requests."""

    def __init__(
        self, site: Callable[[], Site], now: Callable[[], datetime], wake: Callable[[str], None], routes: Sequence[Route]
    ) -> None:
        self._site, self._now, self._wake, self._routes = site, now, wake, routes
        self._limits, self._sign_ons = Limits(), SignOns()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; one site and one instant for all of it."""
        anyio.to_thread.current_default_thread_limiter().total_tokens = THREADS  # also of what is done after an answer
        request, site = Request(scope, receive), self._site()
        board = site.settings.board
        if board is None:  # a reload took it out of the configuration
            response: Response = PlainTextResponse("The board is switched off.\n", 503)
            put_headers(response, https=False)
        else:
            response = await self._answered(request, site, board)
            put_headers(response, https=board.address.startswith("https:"))
        await response(scope, receive, send)

    async def _answered(self, request: Request, site: Site, board: Board) -> Response:
        asked = Asked(request=request, viewer=_nobody(request), site=site, now=self._now(), wake=self._wake, limits=self._limits)
        try:
            self._count(asked)
            incoming = await read_incoming(request, board)
            return await anyio.to_thread.run_sync(partial(self._worked, asked, incoming))
        except Exception as error:
            try:
                return _instead(asked, error)
            except Exception:  # not even the page that says so
                log.exception("a defect of ours on the board; please report the lines below")
                return PlainTextResponse("A mistake of this program.\n", 500)

    def _count(self, asked: Asked) -> None:
        seconds = asked.limits.wait(ANYTHING, asked.client, asked.now)
        if seconds is not None:
            raise ProblemError(
                429, say("Too many requests came from here. Try again soon."), headers={"Retry-After": str(seconds)}
            )

    def _worked(self, asked: Asked, incoming: Incoming) -> Response:
        """In a thread: from here on the database is read."""
        route, path = find(self._routes, incoming.method, incoming.path)
        if route.method == "POST" and not is_same_origin(asked.request, asked.board):
            raise ProblemError(403, say("This did not come from a page of the board. Open the page again and repeat it there."))
        viewer = self._sign_ons.viewer(asked) or asked.viewer
        seen = replace(asked, viewer=viewer, path=path, query=incoming.query, form=incoming.form)
        try:
            if not viewer.may(route.permission):
                return _turned_away(viewer, route)
            return route.handler(replace(seen, about=_about(seen)) if "number" in path else seen)
        except Exception as error:  # told in the viewer's language, with his menu
            return _instead(seen, error)


def _instead(asked: Asked, error: Exception) -> Response:
    """The page for what went wrong: what it says holds nothing of a patient, and what is logged no value."""
    match error:
        case ProblemError():
            return _problem_page(asked, error)
        case UsageError():  # what a person tried cannot be done, such as to acknowledge what is closed
            return _problem_page(asked, ProblemError(409, str(error)))
        case DatabaseError():
            log.error("the board cannot use the database: %s", error)
            return _problem_page(asked, ProblemError(503, say("The records cannot be read at the moment. Try again soon.")))
        case _:  # whatever is wrong with one page, the others are served
            log.error("a defect of ours on the board; please report the lines below", exc_info=error)
            words = say("A mistake of this program. Its administrator can see it in the log.")
            return _problem_page(asked, ProblemError(500, words))


def _problem_page(asked: Asked, problem: ProblemError) -> Response:
    if problem.status in (401, 403, 404, 405, 409, 410) and asked.viewer.role == "nobody":
        onwards, words = SIGN_IN, say("Sign in")
    else:
        onwards, words = HOME, say("To the open alerts")
    return page(
        asked,
        "message.html",
        status=problem.status,
        headers=problem.headers,
        title=say("Not done"),
        sentences=(problem.words,),
        onwards=onwards,
        onwards_words=words,
    )


def _turned_away(viewer: Viewer, route: Route) -> Response:
    if viewer.role != "nobody":
        raise ProblemError(403, say("This page is not open to you."))
    if route.method == "GET":
        return RedirectResponse(SIGN_IN, status_code=303)
    raise ProblemError(403, say("You are not signed in, or not any more. Sign in and repeat it."))


def _about(asked: Asked) -> About:
    """The alert of the path. One of nobody's and one of a patient whom the viewer does not see are the same answer."""
    number = number_in(asked.path["number"])
    with asked.site.database.read() as connection:
        alert = alerts.by_id(connection, number) if number is not None else None
        patient = belonging(connection, [alert.patient_id])[alert.patient_id] if alert is not None else None
    if alert is None or patient is None or not sees(asked.viewer, asked.site.settings, patient):
        raise ProblemError(404, say("There is no such page, or it is not one of yours."))
    return About(alert=alert, patient=patient)


def _nobody(request: Request) -> Viewer:
    """Somebody not signed in, in the language that the browser asks for first."""
    wanted = request.headers.get("accept-language", "").strip().lower()
    return replace(NOBODY, language="de") if wanted.startswith("de") else NOBODY
