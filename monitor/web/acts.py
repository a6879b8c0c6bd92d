"""``POST /alerts/{number}/acknowledge``, ``/pass-on``, ``/snooze``: each does one thing once, and leads back to the alert.

What cannot be done is said in the form, with what was written in it. Who pressed is the one who is signed in.
"""

from __future__ import annotations

from datetime import date, datetime

from starlette.responses import RedirectResponse, Response

from monitor.errors import UsageError
from monitor.said import say
from monitor.service import acts, clock, passing_on
from monitor.service.ack_kinds import AckKind, read_ack_kind
from monitor.service.acts import LONGEST_TEXT, ChangedSinceError
from monitor.web import act_forms, patient_page
from monitor.web.act_forms import Filled, FormName
from monitor.web.asked import Asked, number_in

ALSO = "also-"

NO_DAY = say("Choose the day of the re-test.")
NO_TIME = say("Choose the day and the time until when it may wait.")
NO_REASON = say("Say why it may wait.")
NO_ANSWER = say("Choose what was done.")
TOO_LONG = say("A text has at most {longest} characters; please shorten it.", longest=LONGEST_TEXT)


def acknowledge(asked: Asked) -> Response:
    """Acknowledge, with what was done. Whoever was second learns who was first."""
    viewer, name = asked.viewer, f"A-{asked.alert.alert_id}"
    try:
        note = _text(asked, "note")
        what = _what(asked)
        after = acts.acknowledge(
            asked.site,
            name,
            by=viewer.name,
            note=note or None,
            now=asked.now,
            what=what,
            how="board",
            address=viewer.address,
            seen_of=_seen_of(asked),
            also=_also(asked),
        )
    except UsageError as error:
        return _not_done(asked, "acknowledge", error)
    mine = (after.acknowledged_by, after.acknowledged_at) == (viewer.name, asked.now)
    return _back(asked, act_forms.ACKNOWLEDGED if mine else act_forms.BEFORE_YOU)


def pass_on(asked: Asked) -> Response:
    """Not mine: whoever is next is told at once."""
    viewer = asked.viewer
    try:
        passing_on.pass_on(
            asked.site,
            f"A-{asked.alert.alert_id}",
            by=viewer.name,
            address=viewer.address,
            reason=_text(asked, "reason") or None,
            now=asked.now,
            seen_of=_seen_of(asked),
        )
    except UsageError as error:
        return _not_done(asked, "pass-on", error)
    asked.wake("watch")
    asked.wake("post")
    return _back(asked, act_forms.PASSED_ON)


def snooze(asked: Asked) -> Response:
    """Let it wait until a time, for a reason."""
    viewer = asked.viewer
    try:
        reason = _text(asked, "reason")
        if not reason:
            raise UsageError(NO_REASON)
        acts.snooze(
            asked.site,
            f"A-{asked.alert.alert_id}",
            until=_until(asked),
            by=viewer.name,
            reason=reason,
            now=asked.now,
            how="board",
            address=viewer.address,
            seen_of=_seen_of(asked),
        )
    except UsageError as error:
        return _not_done(asked, "snooze", error)
    return _back(asked, act_forms.SNOOZED)


def _back(asked: Asked, said: str) -> Response:
    return RedirectResponse(f"/alerts/{asked.alert.alert_id}?said={said}#said", status_code=303)


def _not_done(asked: Asked, form: FormName, error: UsageError) -> Response:
    """The page as it is now: after a change the alert anew, else the form with what was written in it and what is wrong."""
    if isinstance(error, ChangedSinceError):
        return _back(asked, act_forms.CHANGED)
    written = {name: asked.form.get(name, "")[: 2 * LONGEST_TEXT] for name in ("note", "on", "reason", "until")}
    chosen = {number for name, number in _further(asked).items() if name in asked.form}
    without = tuple(each.alert_id or 0 for each in act_forms.further_alerts(asked) if each.alert_id not in chosen)
    filled = Filled(
        form=form,
        problem=error.args[0],
        what=asked.form.get("what", ""),
        without=without if form == "acknowledge" else (),
        **written,
    )
    return patient_page.show(asked, acts=act_forms.act_forms(asked, filled), status=422)


def _also(asked: Asked) -> dict[str, datetime]:
    """The further alerts that were left ticked, each with when it had last spoken on that page."""
    return {f"A-{number}": _seen_of(asked, name) for name, number in _further(asked).items()}


def _further(asked: Asked) -> dict[str, int]:
    """The fields that name further alerts: "also-13"."""
    numbers = {name: number_in(name.removeprefix(ALSO)) for name in asked.form if name.startswith(ALSO)}
    return {name: number for name, number in numbers.items() if number is not None}


def _seen_of(asked: Asked, name: str = "seen_of") -> datetime:
    """When the alert had last spoken on the page that is answered. One that does not say has seen nothing."""
    try:
        at = datetime.fromisoformat(asked.form.get(name, ""))
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise ChangedSinceError(say("the alert has changed since this page was shown; look at it as it is now"))
    return at


def _what(asked: Asked) -> AckKind:
    chosen = asked.form.get("what", "")
    if chosen == act_forms.RE_TEST:
        try:
            return AckKind(kind="re-test-booked", on=date.fromisoformat(asked.form.get("on", "")))
        except ValueError:
            raise UsageError(NO_DAY) from None
    try:
        return read_ack_kind(chosen)
    except UsageError:
        raise UsageError(NO_ANSWER) from None


def _until(asked: Asked) -> datetime:
    try:
        return clock.parse_instant(asked.form.get("until", ""), asked.site.settings.time_zone)
    except UsageError:
        raise UsageError(NO_TIME) from None


def _text(asked: Asked, name: str) -> str:
    """A text as somebody wrote it, its lines ended as everywhere. Raises UsageError for one that is too long."""
    text = "\n".join(asked.form.get(name, "").splitlines()).strip()
    if len(text) > LONGEST_TEXT:
        raise UsageError(TOO_LONG)
    return text
