"""How old the newest record of a feed is, for people."""

from __future__ import annotations

from datetime import datetime, timedelta

from monitor.delivery.wording import duration_in_words
from monitor.said import Said, say
from monitor.service.feed_ages import FeedAge


def age_words(age: FeedAge, now: datetime) -> Said:
    """How old its newest record is, and whether that is too old or it cannot be read at all."""
    if age.received_at is None:
        old = say("nothing has ever come in")
    else:
        old = say("{length} old", length=length_words(now - age.received_at))
    if age.lasting:
        return say("{age}, cannot be read", age=old)
    return say("{age}, quiet", age=old) if age.quiet else old


def length_words(length: timedelta) -> Said:
    """The largest unit that is not zero, rounded down."""
    seconds = max(0, int(length.total_seconds()))
    unit = next((unit for unit in (86400, 3600, 60) if seconds >= unit), 1)
    return duration_in_words(timedelta(seconds=seconds - seconds % unit))
