"""The board's own style and pictures: the only files that it serves, without sign-in, as they hold nothing of anybody."""

from __future__ import annotations

from pathlib import Path

from starlette.responses import Response

from monitor.said import say
from monitor.web.asked import Asked, ProblemError

FOLDER = Path(__file__).parent / "static"
MEDIA_TYPES = {"board.css": "text/css", "icon.svg": "image/svg+xml"}
"""What is served, by name."""

KEPT_SECONDS = 600  # (J): a browser asks anew soon after an upgrade


def file(asked: Asked) -> Response:
    """GET /static/{name}."""
    name = asked.path["name"]
    if name not in MEDIA_TYPES:
        raise ProblemError(404, say("There is no such page, or it is not one of yours."))
    headers = {"Cache-Control": f"public, max-age={KEPT_SECONDS}"}
    return Response((FOLDER / name).read_bytes(), media_type=MEDIA_TYPES[name], headers=headers)
