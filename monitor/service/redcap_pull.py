"""A REDCap project asked for its records: those that changed, and once a day all, for what was deleted.

Every page is read before anything is taken. How far it was read is by our clock, and REDCap's ranges are by the wall clock of
its own machine: so the overlap is a whole day, wherever that machine stands.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import IO

import msgspec

from monitor.config.feed_redcap import RedcapFeed
from monitor.config.problems import InvalidConfigError
from monitor.config.secrets import feed_secret, variable
from monitor.errors import ConfigError
from monitor.importers import redcap
from monitor.importers.imported import Clinic
from monitor.importers.redcap_mapping import RedcapMapping
from monitor.service import snapshots
from monitor.service.mappings import mapping_file
from monitor.service.opening import Site
from monitor.service.pulled import Pulled
from monitor.service.redcap_file import load_redcap
from monitor.service.redcap_http import NoAnswerError, RedcapHttp
from monitor.store import feeds

OVERLAP = timedelta(days=1, hours=3)
"""Two machines on earth show wall clocks at most 26 hours apart."""

AT_ONCE = 100
"""Records of one page."""

IN_MEMORY = 8 * 2**20


class _Cursor(msgspec.Struct):
    """``upto``: asked up to then. ``whole_on``: the clinic's day on which all was asked for. Of which project, read how."""

    url: str = ""
    mapping: str = ""
    upto: datetime | None = None
    whole_on: str = ""


@dataclass(frozen=True, slots=True)
class _Project:
    site: Site
    name: str
    feed: RedcapFeed
    mapping: RedcapMapping
    now: datetime


def pull_redcap(site: Site, name: str, feed: RedcapFeed, now: datetime, stopping: Callable[[], bool]) -> Pulled:
    """Ask the project for what is new. Raises DatabaseError, StoppedError."""
    path = mapping_file(site.settings, "redcap")
    try:
        mapping = load_redcap(path)
        token = feed_secret(name, os.environ, site.folder)
    except InvalidConfigError:
        return Pulled(problem=f"{path} has mistakes; run check-config")
    except ConfigError as error:
        return Pulled(problem=str(error))
    if token is None:
        return Pulled(problem=f"its token is missing: give it as the file feed_{name}, or in {variable(f'feed_{name}')}")
    with site.database.read() as connection:
        known = feeds.load(connection, name)
    read_how = hashlib.sha256(msgspec.json.encode(mapping, order="sorted")).hexdigest()
    cursor = _cursor(known.cursor if known else None, feed, read_how)
    today = now.astimezone(site.settings.time_zone).date().isoformat()
    whole = cursor.upto is None or cursor.whole_on != today
    project = _Project(site, name, feed, mapping, now)
    with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY) as spool:
        try:
            with RedcapHttp(feed.url, token, stopping) as http:
                _read(http, project, None if whole else cursor.upto, spool)
        except NoAnswerError as error:
            return Pulled(problem=str(error))
        spool.seek(0)
        outcome = _take(project, spool, whole=whole)
    if outcome.problem is None:
        cursor = _Cursor(feed.url, read_how, now, today)
    return Pulled(
        received=outcome.received,
        rejected=len({each.record for each in outcome.rejected}),
        cursor=msgspec.json.encode(cursor).decode(),
        problem=outcome.problem,
    )


def _cursor(text: str | None, feed: RedcapFeed, read_how: str) -> _Cursor:
    """The stored one; at its beginning where there is none, or another project or mapping is read since."""
    try:
        kept = msgspec.json.decode(text or "{}", type=_Cursor)
    except msgspec.MsgspecError:
        return _Cursor()
    return kept if (kept.url, kept.mapping) == (feed.url, read_how) else _Cursor()


def _read(http: RedcapHttp, project: _Project, since: datetime | None, spool: IO[bytes]) -> None:
    """All pages onto the spool, a row a line. Raises NoAnswerError, StoppedError."""
    mapping = project.mapping
    form = _indexed("fields", [mapping.record_id])
    if since is not None:
        from_at = (since - OVERLAP).astimezone(project.site.settings.time_zone)
        form["dateRangeBegin"] = from_at.strftime("%Y-%m-%d %H:%M:%S")
    ids = dict.fromkeys(row.get(mapping.record_id, "") for row in http.records(form))
    names = [each for each in ids if each]
    keys = set(mapping.keys())
    for start in range(0, len(names), AT_ONCE):
        page = names[start : start + AT_ONCE]
        rows = http.records(_indexed("records", page) | _indexed("fields", mapping.fields()))
        missing = keys - rows[0].keys() if rows else set()
        if missing:
            raise NoAnswerError(
                f"the project does not send {', '.join(sorted(missing))}: correct the mapping, or let this user export them"
            )
        asked = set(page)
        for row in sorted((row for row in rows if row.get(mapping.record_id) in asked), key=lambda row: row[mapping.record_id]):
            spool.write(msgspec.json.encode(row) + b"\n")


def _indexed(name: str, values: Iterable[str]) -> dict[str, str]:
    """A list as REDCap's forms have it: ``fields[0]``, ``fields[1]``."""
    return {f"{name}[{place}]": value for place, value in enumerate(values)}


def _take(project: _Project, spool: IO[bytes], *, whole: bool) -> snapshots.Outcome:
    site = project.site
    snapshot = snapshots.Snapshot(
        feed=project.name,
        type=redcap.TYPE,
        whole=whole,
        most_gone_percent=project.mapping.most_gone_percent,
        record_of=redcap.record_of,
    )
    clinic = Clinic(zone=site.settings.time_zone, now=project.now)
    with site.database.write_facts("feed facts") as connection:
        return snapshots.take(connection, snapshot, redcap.read(_rows(spool), project.mapping), clinic)


def _rows(spool: IO[bytes]) -> Iterator[redcap.Record]:
    for line in spool:
        yield msgspec.json.decode(line, type=dict[str, str])
