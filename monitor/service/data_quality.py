"""What of the data needs a person: what feeds brought and was refused, records that contradict each other, quiet feeds.

For the board's page and the daily mail to whoever owns the data. The mail leaves only where there is news, or where
something has stayed open for long: a mail that says the same every day is read by nobody.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from monitor.clinical.alerts import Alert
from monitor.clinical.findings import Urgency
from monitor.clinical.rules.conflicting_record import NAME as CONFLICTING
from monitor.clinical.synthetic import is_synthetic
from monitor.config.settings import DataQuality
from monitor.delivery.facts import DataQualityFacts, FeedRejects, TimeFacts
from monitor.delivery.message import mint_message_id
from monitor.delivery.render import render_or_builtin
from monitor.delivery.wording import QUALITY_NOTICE, day_in_words, instant_in_words, urgency_in_words
from monitor.said import Said, joined, say, say_n
from monitor.service import alarms
from monitor.service.feed_ages import FeedAge, feed_ages, quiet_after
from monitor.service.feed_words import age_words
from monitor.service.opening import Site
from monitor.store import alerts, daily, outbox, rejects
from monitor.store.rejects import Reject

SLOT, TOLD = "data-quality", "data-quality-told"
LINES, FEWEST_LINES, CONFLICTS_SHOWN = 60, 3, 40
"""Lines of a mail: of all feeds together, of each at least, and of contradictions."""

READ_AT_MOST = 2000

_RECORD = re.compile(r"[A-Za-z]+/\S")


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """What is open now: rejects and contradictions the newest first, how many of each feed, and how old its news is."""

    rejects: tuple[Reject, ...]
    by_feed: dict[str, int]
    conflicts: tuple[Alert, ...]
    ages: tuple[FeedAge, ...]

    @property
    def refused(self) -> int:
        return sum(self.by_feed.values())

    @property
    def quiet(self) -> tuple[FeedAge, ...]:
        return tuple(age for age in self.ages if age.quiet)


def read_quality(site: Site, connection: Connection, now: datetime, *, at_most: int = READ_AT_MOST) -> Quality:
    """What needs a person. Reads only."""
    still_open = reversed(alerts.all_alerts(connection, open_only=True, rule=CONFLICTING))
    return Quality(
        rejects=tuple(rejects.still_open(connection, at_most=at_most)),
        by_feed=rejects.open_by_feed(connection),
        conflicts=tuple(each for each in still_open if not is_synthetic(each.patient_id)),
        ages=feed_ages(connection, site.settings, now),
    )


def daily_mail(site: Site, now: datetime) -> int:
    """Once a day, if its time has come and there is something to say: the mail to whoever owns the data; how many that made."""
    settings, zone = site.settings.data_quality, site.settings.time_zone
    if settings is None:
        return 0
    with site.database.read() as connection:
        if not daily.is_due(connection, SLOT, at=settings.at, now=now, zone=zone):
            return 0
    with site.database.write("data quality") as connection:
        if not daily.is_due(connection, SLOT, at=settings.at, now=now, zone=zone):
            return 0  # another process has done it meanwhile
        daily.done(connection, SLOT, at=settings.at, now=now, zone=zone)
        found = read_quality(site, connection, now)
        last = daily.last_on(connection, TOLD)
        told_at = None if last is None else datetime.combine(last, settings.at, zone)
        why = _why(site, settings, found, told_at, now)
        if why is None:
            return 0
        daily.done(connection, TOLD, at=settings.at, now=now, zone=zone)
        return _queue(site, settings, connection, _facts(site, found, why, told_at, now), now)


def _why(site: Site, settings: DataQuality, found: Quality, told_at: datetime | None, now: datetime) -> str | None:
    """Why it is told today, or None: nothing is open, or nothing is new and it was told not long ago."""
    refused = sum(_is_new(each.at, told_at) for each in found.rejects)
    contradictions = sum(_is_new(each.raised_at, told_at) for each in found.conflicts)
    quiet = [age for age in found.quiet if age.received_at and _is_new(_quiet_since(site, age.name, age.received_at), told_at)]
    if refused or contradictions or quiet:
        new = refused + contradictions
        since = say("{new} new", new=new)
        if told_at is not None:
            since = say("{new} new since {at}", new=new, at=instant_in_words(told_at, site.settings.time_zone))
        words = [since] if new else []
        if quiet:
            words.append(say_n("{count} feed is quiet", "{count} feeds are quiet", count=len(quiet)))
        return joined(", ", words)
    if told_at is not None and (found.refused or found.conflicts or found.quiet) and now - told_at >= settings.again_after:
        return say("nothing new; still open since the mail of {at}", at=instant_in_words(told_at, site.settings.time_zone))
    return None


def _quiet_since(site: Site, name: str, received_at: datetime) -> datetime:
    return received_at + quiet_after(site.settings, name)


def _is_new(at: datetime, told_at: datetime | None) -> bool:
    return told_at is None or at > told_at


def _facts(site: Site, found: Quality, why: str, told_at: datetime | None, now: datetime) -> DataQualityFacts:
    settings, zone = site.settings, site.settings.time_zone
    lines = max(FEWEST_LINES, LINES // max(1, len(found.by_feed)))
    conflicts = [conflict_words(site, each) for each in found.conflicts[:CONFLICTS_SHOWN]]
    if len(found.conflicts) > CONFLICTS_SHOWN:
        conflicts.append(say("and {more} more", more=len(found.conflicts) - CONFLICTS_SHOWN))
    return DataQualityFacts(
        urgency=urgency_in_words(Urgency.REVIEW, within=settings.acknowledge_within.review),
        refused=found.refused,
        conflicting=len(found.conflicts),
        why=why,
        feeds=tuple(_of_feed(site, found, feed, told_at, lines) for feed in sorted(found.by_feed)),
        conflicts=tuple(conflicts),
        ages=tuple(TimeFacts(label=age.name, at=age_words(age, now)) for age in found.ages),
        times=(TimeFacts(label=say("Made"), at=instant_in_words(now, zone)),),
        notice=QUALITY_NOTICE,
    )


def _of_feed(site: Site, found: Quality, feed: str, told_at: datetime | None, lines: int) -> FeedRejects:
    of_feed, number = [each for each in found.rejects if each.feed == feed], found.by_feed[feed]
    told = [each for each in of_feed if site.settings.privacy != "none" or not _names_a_record(each)]
    shown = told[:lines]
    new = sum(_is_new(each.at, told_at) for each in of_feed)
    return FeedRejects(
        feed=feed,
        counts=say("{number} open, {new} of them new", number=number, new=new),
        lines=tuple(reject_words(each) for each in shown),
        more=say("and {more} more", more=number - len(shown)) if number > len(shown) else None,
    )


def _names_a_record(reject: Reject) -> bool:
    """Whether the words hold the name of a record, such as "Patient/17", which may be a patient's: for the page alone."""
    return any(_RECORD.match(text) for text in (reject.origin, reject.problem))


def reject_words(reject: Reject) -> Said:
    """Where it is, and what to do."""
    place: list[str] = [reject.origin]
    if reject.line is not None:
        place.append(say("line {line}", line=reject.line))
    if reject.column is not None:
        place.append(reject.column)
    return say("{place}: {problem}", place=joined(", ", place), problem=reject.problem)


def conflict_words(site: Site, alert: Alert) -> Said:
    """Which patient, when, and what cannot both hold: as the site's mails show patients."""
    day = day_in_words(alert.finding.clinical_at.astimezone(site.settings.time_zone).date())
    name = alerts.public_id(alert.alert_id or 0)
    if site.settings.privacy == "none":
        return say("{who}, of {day}: {what}", who=name, day=day, what=say("the record contradicts itself"))
    return say("{who}, of {day}: {what}", who=f"{name}, {alert.patient_id}", day=day, what=alert.finding.headline)


def _queue(site: Site, settings: DataQuality, connection: Connection, facts: DataQualityFacts, now: datetime) -> int:
    owner = settings.owner
    rendered, broken = render_or_builtin("data-quality", facts, folder=site.settings.templates, language=owner.language)
    if broken is not None:
        alarms.raise_alarm(site, connection, alarms.broken_template(str(broken)), now)
    domain = site.settings.mail.sender.rpartition("@")[2]
    message = outbox.NewMessage(
        message_id=mint_message_id(domain, f"data-quality {now.isoformat()} {owner.address}"),
        kind="data-quality",
        recipient_address=owner.address,
        recipient_name=owner.name,
        subject=rendered.subject,
        text=rendered.text,
        html=rendered.html,
        priority=Urgency.REVIEW.rank,
    )
    outbox.enqueue(connection, [message], now=now)
    return 1
