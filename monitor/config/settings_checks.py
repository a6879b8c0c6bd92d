"""What a shape cannot say about ``monitor.yaml``: names that do not exist, and mails that would reach nobody."""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Iterator, Mapping
from datetime import timedelta
from itertools import pairwise

from pydantic_core import PydanticCustomError

from monitor.config.addresses import is_address, is_name
from monitor.config.board_checks import check_board
from monitor.config.database_url import has_password, resolve_database
from monitor.config.durations import parse_duration
from monitor.config.feeds_checks import check_feeds
from monitor.config.mail_checks import check_mail
from monitor.config.mailboxes import items
from monitor.config.monitor_file import ACKNOWLEDGE_WITHIN, REMIND_EVERY
from monitor.config.people_checks import check_people, mailbox
from monitor.config.policy_files import guideline_path, is_path, unknown_guideline
from monitor.config.privacy_checks import check_privacy
from monitor.config.problems import Problem, nearest
from monitor.config.secrets import remedy
from monitor.config.yaml_source import Document, Loc
from monitor.errors import UsageError

EVERY_SITE = "*"


def check_settings(document: Document) -> list[Problem]:
    """All that is wrong with the values, each at its line. Empty for settings that can be used.

    What is missing or of the wrong kind is passed over here.
    """
    checks = (
        _empty,
        _zone,
        _database,
        _files,
        _waits,
        check_mail,
        _addresses,
        check_people,
        _teams,
        _somebody_is_told,
        _statement,
        check_board,
        check_feeds,
        check_privacy,
    )
    return [problem for check in checks for problem in check(document)]


def _empty(document: Document) -> Iterator[Problem]:
    """A key that may be left out, written without a value: half of a setting that was meant to be switched on."""
    for loc in document.keys:
        above = document.get(loc[:-1], dict) if len(loc) > 1 else document.data
        if isinstance(above, dict) and loc[-1] in above and above[loc[-1]] is None:
            yield document.at(loc, "wrong-type", f"'{loc[-1]}' has no value; complete it, or delete the line", on_key=True)


def _zone(document: Document) -> Iterator[Problem]:
    written = document.get(("time_zone",), str)
    if written is None:
        return
    try:
        zoneinfo.ZoneInfo(written)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        zones = sorted(zoneinfo.available_timezones())
        city = written.rpartition("/")[2].lower()
        same_city = next((zone for zone in zones if zone.rpartition("/")[2].lower() == city), None)
        message = f"unknown time zone '{written}'; an IANA name such as Europe/Berlin is expected"
        yield document.at(("time_zone",), "unknown-zone", message, suggestion=same_city or nearest(written, zones))


def _database(document: Document) -> Iterator[Problem]:
    written = document.get(("database",), str)
    if written is None:
        return
    if has_password(written):
        yield document.at(("database",), "secret-in-file", remedy(("database",)))
        return
    try:
        resolve_database(written, folder=document.path.parent)
    except UsageError as error:
        bare = re.fullmatch(r"[\w./-]+\.(db|sqlite3?)", written)
        yield document.at(("database",), "bad-database", str(error), suggestion=f"sqlite:///{bare[0]}" if bare else None)


def _files(document: Document) -> Iterator[Problem]:
    folder = document.path.resolve().parent
    guideline = document.get(("guideline",), str)
    if guideline and is_path(guideline):
        if not (folder / guideline).is_file():
            yield document.at(("guideline",), "file-missing", f"there is no file {folder / guideline}")
    elif guideline and guideline_path(guideline) is None:
        message, near = unknown_guideline(guideline)
        yield document.at(("guideline",), "unknown-guideline", message, suggestion=near)
    policy, templates = document.get(("policy",), str), document.get(("templates",), str)
    if policy is not None and not (folder / policy).is_file():
        yield document.at(("policy",), "file-missing", f"there is no file {folder / policy}")
    if templates is not None and not (folder / templates).is_dir():
        yield document.at(("templates",), "file-missing", f"there is no folder {folder / templates}")


def _waits(document: Document) -> Iterator[Problem]:
    """The more urgent is to be seen sooner, and spoken of more often."""
    wait = "an alert that is {sooner} must not wait longer than one that is {later}"
    remind = "an alert that is {sooner} must not be reminded of more rarely than one that is {later}"
    yield from _sooner_first(document, "acknowledge_within", ACKNOWLEDGE_WITHIN, wait)
    yield from _sooner_first(document, "remind_every", REMIND_EVERY, remind)


def _sooner_first(document: Document, key: str, defaults: Mapping[str, timedelta], words: str) -> Iterator[Problem]:
    waits = dict(defaults)
    for urgency in waits:
        written = document.get((key, urgency), str)
        if written is not None:
            try:
                waits[urgency] = parse_duration(written)
            except PydanticCustomError:  # told where it stands
                return
    for sooner, later in pairwise(waits):
        if waits[sooner] > waits[later]:
            here = next(urgency for urgency in (sooner, later) if document.get((key, urgency), str) is not None)
            yield document.at((key, here), "threshold-contradiction", words.format(sooner=sooner, later=later))


def _addresses(document: Document) -> Iterator[Problem]:
    for loc in (("mail", "sender"), ("operations", "address"), ("data_quality", "owner", "address")):
        address = document.get(loc, str)
        if address is not None and not is_address(address):
            yield document.at(loc, "bad-address", "a plain mail address is expected, such as nurse@hospital.example")


def _teams(document: Document) -> Iterator[Problem]:
    for team in _team_locs(document):
        name = str(team[-1])
        if not is_name(name):
            yield document.at(team, "bad-name", "a team needs a name of printable characters", on_key=True)
        if document.get((*team, "sites"), list) == []:
            message = f"team '{name}' has no sites; write [\"{EVERY_SITE}\"] for every site"
            yield document.at((*team, "sites"), "nobody-home", message)
        yield from _told_at_once(document, team)
        yield from _recipients(document, team)


def _told_at_once(document: Document, team: Loc) -> Iterator[Problem]:
    written = document.get(team, dict)
    if written is None or written.get("on_call"):
        return
    if "recipients" not in written and "on_call" not in written:
        yield document.at(team, "missing-key", "'recipients' is required here", on_key=True)
    elif not written.get("recipients", []):
        here = (*team, "recipients" if "recipients" in written else "on_call")
        yield document.at(here, "nobody-home", f"team '{team[-1]}' has no recipients and nobody on_call: nobody would be told")


def _recipients(document: Document, team: Loc) -> Iterator[Problem]:
    seen: set[str] = set()
    for loc in items(document, (*team, "recipients")):
        yield from mailbox(document, loc)
        address = document.get((*loc, "address"), str)
        if address is not None and address.lower() in seen:
            message = "this address is in the team already; one person would count as two"
            yield document.at((*loc, "address"), "duplicate-address", message)
        seen.add((address or "").lower())


def _somebody_is_told(document: Document) -> Iterator[Problem]:
    if document.get(("teams",), dict) is None:
        return
    for team in _team_locs(document):
        sites = document.get((*team, "sites"), list)
        told = [document.get((*team, key), list) for key in ("recipients", "on_call")]
        if sites is None or told == [None, None] or (EVERY_SITE in sites and any(told)):
            return  # somebody is, or it cannot be known before the team itself is mended
    message = f'no team with recipients has sites: ["{EVERY_SITE}"]: a patient of any other site, or of none, would reach nobody'
    yield document.at(("teams",), "nobody-home", message, on_key=True)


def _statement(document: Document) -> Iterator[Problem]:
    if document.get(("coverage",), dict) is not None and "operations" not in (document.data or {}):
        message = "the daily statement goes to operations.address, and there is no 'operations': nobody would read it"
        yield document.at(("coverage",), "nobody-home", message, on_key=True)


def _team_locs(document: Document) -> list[Loc]:
    return [("teams", name) for name in document.get(("teams",), dict) or ()]
