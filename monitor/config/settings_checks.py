"""What a shape cannot say about ``monitor.yaml``: names that do not exist, and mails that would reach nobody."""

from __future__ import annotations

import ipaddress
import re
import zoneinfo
from collections.abc import Iterator

from monitor.config.database_url import resolve_database
from monitor.config.monitor_file import MonitorFile, TeamFile
from monitor.config.policy_files import guideline_path, is_path, unknown_guideline
from monitor.config.problems import Problem, nearest
from monitor.config.yaml_source import Document, Loc
from monitor.errors import UsageError

_LOCAL = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"(?=.{{3,254}}$){_LOCAL}@{_LABEL}(\.{_LABEL})*")
EVERY_SITE = "*"


def check_settings(written: MonitorFile, document: Document) -> list[Problem]:
    """All that is wrong with the values, each at its line. Empty for settings that can be used."""
    checks = (_zone, _database, _files, _relay, _addresses, _teams, _somebody_is_told)
    return [problem for check in checks for problem in check(written, document)]


def _zone(written: MonitorFile, document: Document) -> Iterator[Problem]:
    try:
        zoneinfo.ZoneInfo(written.time_zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        zones = sorted(zoneinfo.available_timezones())
        city = written.time_zone.rpartition("/")[2].lower()
        same_city = next((zone for zone in zones if zone.rpartition("/")[2].lower() == city), None)
        message = f"unknown time zone '{written.time_zone}'; an IANA name such as Europe/Berlin is expected"
        yield document.at(("time_zone",), "unknown-zone", message, suggestion=same_city or nearest(written.time_zone, zones))


def _database(written: MonitorFile, document: Document) -> Iterator[Problem]:
    try:
        resolve_database(written.database, folder=document.path.parent)
    except UsageError as error:
        bare = re.fullmatch(r"[\w./-]+\.(db|sqlite3?)", written.database)
        yield document.at(("database",), "bad-database", str(error), suggestion=f"sqlite:///{bare[0]}" if bare else None)


def _files(written: MonitorFile, document: Document) -> Iterator[Problem]:
    folder = document.path.resolve().parent
    if is_path(written.guideline):
        if not (folder / written.guideline).is_file():
            yield document.at(("guideline",), "file-missing", f"there is no file {folder / written.guideline}")
    elif guideline_path(written.guideline) is None:
        message, near = unknown_guideline(written.guideline)
        yield document.at(("guideline",), "unknown-guideline", message, suggestion=near)
    if written.policy is not None and not (folder / written.policy).is_file():
        yield document.at(("policy",), "file-missing", f"there is no file {folder / written.policy}")
    if written.templates is not None and not (folder / written.templates).is_dir():
        yield document.at(("templates",), "file-missing", f"there is no folder {folder / written.templates}")


def _relay(written: MonitorFile, document: Document) -> Iterator[Problem]:
    relay, here = written.mail.relay, ("mail", "relay")
    if re.search(r"[\s:/@]", relay.host) and not _is_ip(relay.host):
        yield document.at((*here, "host"), "bad-host", "a host name or address is expected; the port has its own key, port")
    if relay.insecure and relay.tls is not None:
        message = "insecure: true means no encryption, and tls asks for it; keep one of the two"
        yield document.at((*here, "tls"), "insecure-relay", message, on_key=True)
    if relay.insecure and relay.username is not None and not _is_loopback(relay.host):
        message = "signing in with insecure: true would send the password through the network in clear; remove insecure"
        yield document.at((*here, "username"), "insecure-relay", message, on_key=True)


def _addresses(written: MonitorFile, document: Document) -> Iterator[Problem]:
    places: list[tuple[Loc, str]] = [(("mail", "sender"), written.mail.sender)]
    if written.operations is not None:
        places.append((("operations", "address"), written.operations.address))
    for name, team in written.teams.items():
        places += [(("teams", name, "recipients", index, "address"), each.address) for index, each in enumerate(team.recipients)]
    for loc, address in places:
        if not is_address(address):
            yield document.at(loc, "bad-address", "a plain mail address is expected, such as nurse@hospital.example")


def _teams(written: MonitorFile, document: Document) -> Iterator[Problem]:
    for name, team in written.teams.items():
        here: Loc = ("teams", name)
        if not name.strip() or not name.isprintable():
            yield document.at(here, "bad-name", "a team needs a name of printable characters", on_key=True)
        if not team.recipients:
            yield document.at((*here, "recipients"), "nobody-home", f"team '{name}' has no recipients: nobody would be told")
        if not team.sites:
            yield document.at(
                (*here, "sites"), "nobody-home", f"team '{name}' has no sites; write [\"{EVERY_SITE}\"] for every site"
            )
        yield from _recipients(team, here, document)


def _recipients(team: TeamFile, here: Loc, document: Document) -> Iterator[Problem]:
    seen: set[str] = set()
    for index, recipient in enumerate(team.recipients):
        loc = (*here, "recipients", index)
        if not recipient.name.strip() or not recipient.name.isprintable():
            yield document.at((*loc, "name"), "bad-name", "a name of printable characters on one line is expected")
        if recipient.address.lower() in seen:
            message = "this address is in the team already; one person would count as two"
            yield document.at((*loc, "address"), "duplicate-address", message)
        seen.add(recipient.address.lower())


def _somebody_is_told(written: MonitorFile, document: Document) -> Iterator[Problem]:
    if not any(EVERY_SITE in team.sites and team.recipients for team in written.teams.values()):
        message = (
            f'no team with recipients has sites: ["{EVERY_SITE}"]: a patient of any other site, or of none, would reach nobody'
        )
        yield document.at(("teams",), "nobody-home", message, on_key=True)


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
