"""Mails to the administrator, where one is configured: the program is in trouble and can still say so by mail.

No patient data: counts and our own identifiers only. A relay that refuses everything cannot be told about by mail;
``status`` and its exit code do that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from monitor.clinical.findings import Urgency
from monitor.clinical.words import URGENCIES
from monitor.delivery.facts import OperationsFacts, TimeFacts
from monitor.delivery.language import Language
from monitor.delivery.message import mint_message_id
from monitor.delivery.render import render_or_builtin
from monitor.delivery.wording import instant_in_words, urgency_in_words
from monitor.said import say, say_n
from monitor.service.opening import Site
from monitor.store import outbox
from monitor.store.troubles import clear_trouble, set_trouble

LOOK_AT_STATUS = say("Run `bipn-monitor status` on the machine: it says which and why.")

FILES_NAMED = 20
"""Of one sweep of a watched folder in a mail; the folder has them all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """What is wrong, what does not happen meanwhile, what to do. The same ``occasion`` is told once a day."""

    problem: str
    consequence: str
    remedies: tuple[str, ...]
    occasion: str
    figures: tuple[TimeFacts, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Addressee:
    """Who is told."""

    name: str
    address: str
    language: Language


def data_owner(site: Site) -> Addressee | None:
    """Whoever owns the data, where the configuration names somebody."""
    quality = site.settings.data_quality
    if quality is None:
        return None
    return Addressee(name=quality.owner.name, address=quality.owner.address, language=quality.owner.language)


def unreadable_patients(count: int, occasion: str) -> Alarm:
    """Some patients could not be evaluated, for a reason that is new."""
    return Alarm(
        problem=say_n(
            "{count} patient cannot be evaluated: a record that cannot be read, or a defect of the program",
            "{count} patients cannot be evaluated: a record that cannot be read, or a defect of the program",
            count=count,
        ),
        consequence=say("nobody is told about their neuropathy; all other patients are watched"),
        remedies=(LOOK_AT_STATUS, say("Correct the row it names. The next round takes it up by itself.")),
        occasion=f"unreadable {occasion}",
    )


def refused_mail(message_number: int, address: str, words: str) -> Alarm:
    """A message was refused for good; its recipient does not get it. One address is told of once a day."""
    return Alarm(
        problem=say("the relay refused message {number} for good: {words}", number=message_number, words=words),
        consequence=say("its recipient is not told; the other recipients are"),
        remedies=(say("Correct the address under `teams:` in the configuration."), LOOK_AT_STATUS),
        occasion=f"refused {address}",
    )


def broken_template(problem: str) -> Alarm:
    """A template of the clinic failed on real facts; the built-in text went out."""
    return Alarm(
        problem=say("a template failed: {problem}", problem=problem),
        consequence=say("the plain built-in text is sent instead; nothing is lost"),
        remedies=(say("Run `bipn-monitor check-config`, and correct the template."),),
        occasion=f"template {problem}",
    )


def refused_configuration(refused: str) -> Alarm:
    """The configuration in its place has a mistake; another one, that held, is in force."""
    return Alarm(
        problem=say("the configuration is refused: {refused}", refused=refused),
        consequence=say("what was changed in it has no effect; everybody else is told as before"),
        remedies=(
            say("Run `bipn-monitor check-config`, correct the mistake, and reload the daemon: systemctl reload bipn-monitor."),
        ),
        occasion=f"configuration {refused}",
    )


def bounced_mail(message_number: int, words: str) -> Alarm:
    """A mail that the relay had taken came back: nobody has that address."""
    return Alarm(
        problem=say("message {number} came back: {words}", number=message_number, words=words),
        consequence=say("its recipient was not told; whoever is next was told at once"),
        remedies=(say("Correct the address in the configuration, or ask its mail system why it refuses."), LOOK_AT_STATUS),
        occasion=f"bounced {message_number}",
    )


def unread_answers(problem: str) -> Alarm:
    """The mailbox that nurses answer to cannot be read."""
    return Alarm(
        problem=say("answers by mail are not read: {problem}", problem=problem),
        consequence=say(
            "an acknowledgement by mail has no effect, out-of-office replies hand nothing over; alerts go out as before"
        ),
        remedies=(say("Mend the mailbox under `answers:` in the configuration. Meanwhile acknowledge with `bipn-monitor ack`."),),
        occasion="unread answers",
    )


def unexplained(count: int) -> Alarm:
    """The daily statement found somebody who should have been told."""
    return Alarm(
        problem=say_n(
            "coverage: {count} finding that nobody was told of, and nothing on record explains it",
            "coverage: {count} findings that nobody was told of, and nothing on record explains it",
            count=count,
        ),
        consequence=say("a nurse may not know of a patient who is worse"),
        remedies=(
            say("Read the coverage statement of today: it names them. Tell those responsible by telephone."),
            say("Keep the database as it is, and report the defect."),
        ),
        occasion="unexplained",
    )


def quiet_feed(words: str) -> Alarm:
    """No fact has come in for longer than the configuration says."""
    return Alarm(
        problem=say("the feed is quiet: {words}", words=words),
        consequence=say("nobody is told of what is not brought here, however bad it is"),
        remedies=(say("Ask whoever runs the export or the interface whether it still runs."), LOOK_AT_STATUS),
        occasion="quiet feed",
    )


def refused_files(feed: str, refused: Mapping[str, int], unread: Sequence[str], *, place: str, occasion: str) -> Alarm:
    """Files of a watched folder were not taken whole: how many rows of each were refused, and which have unknown columns."""
    lines = [
        TimeFacts(label=name, at=say_n("{count} row refused", "{count} rows refused", count=count))
        for name, count in refused.items()
    ]
    lines += [TimeFacts(label=name, at=say("has columns that are not read")) for name in unread]
    more = len(lines) - FILES_NAMED
    if more > 0:
        lines[FILES_NAMED:] = [TimeFacts(label=say("Others"), at=str(more))]
    names = {*refused, *unread}
    return Alarm(
        problem=say_n(
            "feed {feed}: {count} file was not taken whole",
            "feed {feed}: {count} files were not taken whole",
            count=len(names),
            feed=feed,
        ),
        consequence=say("what was refused is not watched; everything else of these files is in"),
        remedies=(
            say("What was refused is in {place}, with a report beside each file: line, column, and what to write.", place=place),
            say("Correct it there and put it into the folder again, under the same name."),
            say("`bipn-monitor rejects` lists what is still open; `bipn-monitor import --dry-run FILE` names unknown columns."),
        ),
        occasion=occasion,
        figures=tuple(lines),
    )


def stuck_files(feed: str, words: str) -> Alarm:
    """Files of a watched folder that this program may not read or move."""
    return Alarm(
        problem=words,
        consequence=say("what is in a file that cannot be read is not watched; all other files are taken"),
        remedies=(say("Mend the rights of the folder and of what is put there, or make room; nothing else is to be done."),),
        occasion=f"stuck files {feed}",
    )


def gaps(words: str) -> Alarm:
    """Hours to come at which a step of a team's chain would reach nobody."""
    return Alarm(
        problem=say("nobody would be told: {words}", words=words),
        consequence=say("an alert at these hours goes to whoever is next, or to nobody"),
        remedies=(say("Name somebody who is on call at these hours, under `on_call:`, or a stand-in under `away:`."),),
        occasion="gaps",
    )


def nobody_home(site: Site, connection: Connection, team: str, urgency: Urgency, step: int, now: datetime) -> int:
    """A step of a team's chain reached nobody when it was due: told to operations, and kept as a trouble until it does."""
    which = say("those who hear first") if step == 0 else say("step {step} of the escalation", step=step)
    words = (
        f"nobody was reachable for team {team}, {urgency}, {which}: name somebody who is on call at these hours; "
        "`bipn-monitor check-config` lists the gaps"
    )
    set_trouble(connection, _nobody(team), words, now)
    alarm = Alarm(
        problem=say(
            "nobody was reachable for team {team}, {urgency}: {which}", team=team, urgency=URGENCIES[urgency], which=which
        ),
        consequence=say("the next step is told at once; where there is none, it is tried again every quarter of an hour"),
        remedies=(say("Name somebody who is on call at these hours, under `on_call:` or `escalation:`."), LOOK_AT_STATUS),
        occasion=f"nobody home {team} {urgency} {step}",
    )
    return raise_alarm(site, connection, alarm, now)


def somebody_home(connection: Connection, team: str) -> None:
    """The team's chain reached somebody again."""
    clear_trouble(connection, _nobody(team))


def _nobody(team: str) -> str:
    return f"nobody-home-{team}"


def raise_alarm(site: Site, connection: Connection, alarm: Alarm, now: datetime, *, to: Addressee | None = None) -> int:
    """Put the alarm into the outbox, in the caller's transaction; how many messages that made. ``to``: not to operations.

    None without an address, and none where the same was told today.
    """
    reader = to or _operations(site)
    if reader is None:
        return 0
    today = now.astimezone(site.settings.time_zone).date()
    domain = site.settings.mail.sender.rpartition("@")[2]
    message_id = mint_message_id(domain, f"operations {alarm.occasion} {today} {reader.address}")
    if outbox.is_known(connection, message_id):
        return 0
    facts = OperationsFacts(
        urgency=urgency_in_words(Urgency.SAME_DAY, within=site.settings.acknowledge_within.same_day),
        problem=alarm.problem,
        since=None,
        consequence=alarm.consequence,
        remedies=alarm.remedies,
        figures=alarm.figures,
        times=(TimeFacts(label=say("Noticed"), at=instant_in_words(now, site.settings.time_zone)),),
    )
    rendered, _ = render_or_builtin("operations", facts, folder=site.settings.templates, language=reader.language)
    message = outbox.NewMessage(
        message_id=message_id,
        kind="operations" if to is None else "data-quality",
        recipient_address=reader.address,
        recipient_name=reader.name,
        subject=rendered.subject,
        text=rendered.text,
        html=rendered.html,
        priority=Urgency.SAME_DAY.rank,
    )
    outbox.enqueue(connection, [message], now=now)
    return 1


def _operations(site: Site) -> Addressee | None:
    found = site.settings.operations
    return None if found is None else Addressee(name="Operations", address=found.address, language=found.language)
