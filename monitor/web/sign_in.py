"""A link by mail on request: whoever asks gets the same answer as soon, whether the configuration knows the address or not."""

from __future__ import annotations

import logging
from functools import partial

from starlette.background import BackgroundTask
from starlette.responses import Response

from monitor.errors import MonitorError
from monitor.said import say
from monitor.service.sign_ins import queue_link
from monitor.web.asked import Asked, ProblemError
from monitor.web.limits import LINKS_FROM, LINKS_TO, Limit
from monitor.web.rendering import page
from monitor.web.viewer import Viewer, viewer_of

log = logging.getLogger(__name__)

LONGEST_ADDRESS = 320


def show(asked: Asked) -> Response:
    """GET /sign-in."""
    return page(asked, "sign_in.html", sentences=())


def ask(asked: Asked) -> Response:
    """POST /sign-in, ``address``: the mail is made after the answer, so that the answer tells nothing by its time either."""
    address = asked.form.get("address", "").strip()
    if not address or len(address) > LONGEST_ADDRESS:
        return page(asked, "sign_in.html", status=400, sentences=(say("Enter the mail address that gets the alerts."),))
    _count(asked, LINKS_FROM, asked.client)
    _count(asked, LINKS_TO, address.lower())
    answer = page(
        asked,
        "message.html",
        title=say("Look into your mail"),
        sentences=(
            say("If this address gets alerts or belongs to an administrator of the board, a link is on its way to it."),
            say("The link is valid for 30 minutes."),
        ),
        onwards="/sign-in",
        onwards_words=say("Back"),
    )
    viewer = viewer_of(asked.site.settings, address)
    if viewer is not None:
        answer.background = BackgroundTask(partial(_send, asked, viewer))
    return answer


def _count(asked: Asked, limit: Limit, asker: str) -> None:
    seconds = asked.limits.wait(limit, asker, asked.now)
    if seconds is not None:
        words = say(
            "A link was asked for several times. Look into your mail, or ask again in {minutes} minutes.",
            minutes=-(-seconds // 60),
        )
        raise ProblemError(429, words, headers={"Retry-After": str(seconds)})


def _send(asked: Asked, viewer: Viewer) -> None:
    """After the answer: nobody is left to be told but the log."""
    try:
        queue_link(asked.site, asked.board, viewer.name, viewer.address, viewer.language, asked.now)
        asked.wake("post")
    except MonitorError as error:
        log.error("a link that was asked for could not be queued: %s", error)
    except Exception:
        log.exception("a defect of ours on the board; please report the lines below")
