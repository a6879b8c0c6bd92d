"""The link of a mail: opening it shows a button and changes nothing, since mail scanners open links; pressing it signs in."""

from __future__ import annotations

from dataclasses import replace

from starlette.responses import RedirectResponse, Response

from monitor.said import say
from monitor.service.sign_ins import Link, alerts_behind, link_behind, refused_link, signed_in, signed_out
from monitor.store.belonging import belonging
from monitor.web import sessions
from monitor.web.asked import Asked, ProblemError
from monitor.web.rendering import page
from monitor.web.viewer import NOBODY, Viewer, sees, viewer_of

HOME = "/"


def show(asked: Asked) -> Response:
    """GET /in/{token}. Nothing of a patient is on this page."""
    link = _link(asked)
    if asked.now >= link.valid_until:
        return _expired(asked)
    viewer = _owner(asked, link)
    return page(replace(asked, viewer=replace(NOBODY, language=viewer.language)), "enter.html", name=viewer.name)


def enter(asked: Asked) -> Response:
    """POST /in/{token}: sign in, and go on to the patient whom the mail was about; to the list where it was about several."""
    link = _link(asked)
    if asked.now >= link.valid_until:
        return _expired(asked)
    viewer = _owner(asked, link)
    signing = signed_in(asked.site, viewer.address, viewer.role, link.how, asked.now, message=link.message)
    answer = RedirectResponse(_onwards(asked, viewer, link), status_code=303)
    sessions.put(answer, asked.board, sessions.written(viewer.address, signing, asked.now))
    return answer


def leave(asked: Asked) -> Response:
    """POST /sign-out."""
    if asked.viewer.role != "nobody":
        signed_out(asked.site, asked.viewer.address, asked.now)
    answer = page(
        replace(asked, viewer=replace(NOBODY, language=asked.viewer.language)),
        "message.html",
        title=say("Signed out"),
        sentences=(say("Where the hospital's own sign-on leads here, close the browser as well."),),
        onwards="/sign-in",
        onwards_words=say("Sign in"),
    )
    sessions.take_away(answer, asked.board)
    return answer


def _link(asked: Asked) -> Link:
    """Raises ProblemError 404 for a token that stands for no mail of ours."""
    link = link_behind(asked.site, asked.board, asked.path["token"])
    if link is None:
        raise ProblemError(404, say("This link is not valid. Open it from the mail, as it stands there."))
    return link


def _owner(asked: Asked, link: Link) -> Viewer:
    """Whose link it is. Raises ProblemError for one who is not in the configuration any more, or not the one who asks."""
    owner = viewer_of(asked.site.settings, link.address)
    if owner is None:
        refused_link(asked.site, link, "not in the configuration any more", asked.now)
        raise ProblemError(404, say("This link is not valid. Open it from the mail, as it stands there."))
    if asked.viewer.role != "nobody" and asked.viewer.address.lower() != owner.address.lower():
        refused_link(asked.site, link, "another is signed in", asked.now, by=asked.viewer.address)
        raise ProblemError(403, say("This link is for somebody else than who is signed in here. Sign out first, then open it."))
    return owner


def _expired(asked: Asked) -> Response:
    sentences = (say("This link has expired. Ask for a new one here, or open the link of a newer mail."),)
    return page(asked, "sign_in.html", status=410, sentences=sentences)


def _onwards(asked: Asked, viewer: Viewer, link: Link) -> str:
    found = alerts_behind(asked.site, link)
    patients = list(dict.fromkeys(alert.patient_id for alert in found))
    if len(patients) != 1 or not viewer.may("patient"):
        return HOME
    with asked.site.database.read() as connection:
        patient = belonging(connection, patients)[patients[0]]
    return f"/alerts/{found[0].alert_id}" if sees(viewer, asked.site.settings, patient) else HOME
