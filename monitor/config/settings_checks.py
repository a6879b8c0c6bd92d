"""What a shape cannot say about ``monitor.yaml``: names that do not exist, and mails that would reach nobody."""

from __future__ import annotations

import ipaddress
import re
import zoneinfo
from collections.abc import Iterator
from itertools import pairwise

from pydantic_core import PydanticCustomError

from monitor.config.database_url import resolve_database
from monitor.config.durations import parse_duration
from monitor.config.monitor_file import ACKNOWLEDGE_WITHIN
from monitor.config.policy_files import guideline_path, is_path, unknown_guideline
from monitor.config.problems import Problem, nearest
from monitor.config.yaml_source import Document, Loc
from monitor.errors import UsageError

_LOCAL = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"(?=.{{3,254}}$){_LOCAL}@{_LABEL}(\.{_LABEL})*")
EVERY_SITE = "*"


def check_settings(document: Document) -> list[Problem]:
    """All that is wrong with the values, each at its line. Empty for settings that can be used.

    What is missing or of the wrong kind is passed over here.
    """
    checks = (_empty, _zone, _database, _files, _acknowledge, _relay, _addresses, _teams, _somebody_is_told)
    return [problem for check in checks for problem in check(document)]


def _empty(document: Document) -> Iterator[Problem]:
    """A key that may be left out, written without a value: half of a setting that was meant to be switched on."""
    for loc in (("policy",), ("templates",), ("operations",), ("mail", "relay", "tls"), ("mail", "relay", "username")):
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


def _acknowledge(document: Document) -> Iterator[Problem]:
    """The more urgent is to be seen sooner."""
    waits = dict(ACKNOWLEDGE_WITHIN)
    for urgency in waits:
        written = document.get(("acknowledge_within", urgency), str)
        if written is not None:
            try:
                waits[urgency] = parse_duration(written)
            except PydanticCustomError:  # told where it stands
                return
    for sooner, later in pairwise(waits):
        if waits[sooner] > waits[later]:
            here = next(key for key in (sooner, later) if document.get(("acknowledge_within", key), str) is not None)
            message = f"an alert that is {sooner} must not wait longer than one that is {later}"
            yield document.at(("acknowledge_within", here), "threshold-contradiction", message)


def _relay(document: Document) -> Iterator[Problem]:
    here: Loc = ("mail", "relay")
    host = document.get((*here, "host"), str) or ""
    insecure = document.get((*here, "insecure"), bool)
    if re.search(r"[\s:/@]", host) and not _is_ip(host):
        yield document.at((*here, "host"), "bad-host", "a host name or address is expected; the port has its own key, port")
    if insecure and document.get((*here, "tls"), str):
        message = "insecure: true means no encryption, and tls asks for it; keep one of the two"
        yield document.at((*here, "tls"), "insecure-relay", message, on_key=True)
    if insecure and document.get((*here, "username"), str) and not _is_loopback(host):
        message = "signing in with insecure: true would send the password through the network in clear; remove insecure"
        yield document.at((*here, "username"), "insecure-relay", message, on_key=True)


def _addresses(document: Document) -> Iterator[Problem]:
    places: list[Loc] = [("mail", "sender"), ("operations", "address")]
    places += [(*loc, "address") for team in _team_locs(document) for loc in _recipient_locs(document, team)]
    for loc in places:
        address = document.get(loc, str)
        if address is not None and not is_address(address):
            yield document.at(loc, "bad-address", "a plain mail address is expected, such as nurse@hospital.example")


def _teams(document: Document) -> Iterator[Problem]:
    for team in _team_locs(document):
        name = str(team[-1])
        if not _is_name(name):
            yield document.at(team, "bad-name", "a team needs a name of printable characters", on_key=True)
        if document.get((*team, "recipients"), list) == []:
            yield document.at((*team, "recipients"), "nobody-home", f"team '{name}' has no recipients: nobody would be told")
        if document.get((*team, "sites"), list) == []:
            message = f"team '{name}' has no sites; write [\"{EVERY_SITE}\"] for every site"
            yield document.at((*team, "sites"), "nobody-home", message)
        yield from _recipients(document, team)


def _recipients(document: Document, team: Loc) -> Iterator[Problem]:
    seen: set[str] = set()
    for loc in _recipient_locs(document, team):
        name, address = document.get((*loc, "name"), str), document.get((*loc, "address"), str)
        if name is not None and not _is_name(name):
            yield document.at((*loc, "name"), "bad-name", "a name of printable characters on one line is expected")
        if address is not None and address.lower() in seen:
            message = "this address is in the team already; one person would count as two"
            yield document.at((*loc, "address"), "duplicate-address", message)
        seen.add((address or "").lower())


def _somebody_is_told(document: Document) -> Iterator[Problem]:
    if document.get(("teams",), dict) is None:
        return
    for team in _team_locs(document):
        sites, recipients = document.get((*team, "sites"), list), document.get((*team, "recipients"), list)
        if sites is None or recipients is None or (EVERY_SITE in sites and recipients):
            return  # somebody is, or it cannot be known before the team itself is mended
    message = f'no team with recipients has sites: ["{EVERY_SITE}"]: a patient of any other site, or of none, would reach nobody'
    yield document.at(("teams",), "nobody-home", message, on_key=True)


def _team_locs(document: Document) -> list[Loc]:
    return [("teams", name) for name in document.get(("teams",), dict) or ()]


def _recipient_locs(document: Document, team: Loc) -> list[Loc]:
    return [(*team, "recipients", index) for index in range(len(document.get((*team, "recipients"), list) or ()))]


def _is_name(text: str) -> bool:
    return bool(text.strip()) and text.isprintable()


def is_address(text: str) -> bool:
    """Whether the text is an ASCII ``local@domain`` that a mail can be sent to."""
    return text.isascii() and _ADDRESS.fullmatch(text) is not None and len(text.partition("@")[0]) <= 64


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _is_loopback(host: str) -> bool:
    return host.lower() == "localhost" or (_is_ip(host) and ipaddress.ip_address(host).is_loopback)
