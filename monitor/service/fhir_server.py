"""A FHIR R4 server asked for what is new: all pages first, then one transaction, then how far it was read.

Each search is whole or not at all: where its third page fails, its first two are not taken, and it is asked for from the
same time again. What other searches brought is taken. Whoever is referred to and has never come is asked for by id.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import chain
from typing import IO

from sqlalchemy import Connection

from monitor.config.feed_fhir import SEARCHES, FhirFeed
from monitor.config.secrets import feed_secret, variable
from monitor.errors import ConfigError
from monitor.importers.fhir.mapping import FhirMapping
from monitor.importers.fhir.reading import PARTS, items_of, taken_back
from monitor.importers.imported import Clinic, ImportedFile
from monitor.importers.items import Item
from monitor.service import clock, fhir_cursor, record_rejects, settling
from monitor.service.fhir_file import fhir_mapping
from monitor.service.fhir_http import FhirHttp, SearchError, ServerError, is_token
from monitor.service.fhir_pages import Found, Spool, history_url, named_urls, read_deleted, read_search, search_url
from monitor.service.opening import Site
from monitor.service.pulled import Pulled, StoppedError
from monitor.store import feeds, items, rejects

IN_MEMORY = 8 * 2**20
"""Pages up to this many bytes are not written to disk."""

LINES_AT_ONCE = 500
NOT_OFFERED = (400, 404)
"""How a server says that it has no such type. Passed over for those that the configuration does not name."""


def pull(site: Site, name: str, feed: FhirFeed, now: datetime, stopping: Callable[[], bool]) -> Pulled:
    """Ask the server for what is new. Raises DatabaseError, StoppedError."""
    try:
        secret = feed_secret(name, os.environ, site.folder) if feed.needs_secret else None
    except ConfigError as error:
        return Pulled(problem=str(error))
    if feed.needs_secret and secret is None:
        return Pulled(problem=f"its secret is missing: give it as the file feed_{name}, or in {variable(f'feed_{name}')}")
    if feed.sign_in == "bearer" and not is_token(secret or ""):
        return Pulled(problem=f"its secret feed_{name} is no token: it has a space, a line break or a letter beyond ASCII")
    try:
        mapping = fhir_mapping(site.settings.mappings["fhir"])
    except ConfigError as error:
        return Pulled(
            problem=f"the mapping of FHIR cannot be used: run `bipn-monitor check-config`: {str(error).partition(chr(10))[0]}"
        )
    with site.database.read() as connection:
        known = feeds.load(connection, name)
        watched = rejects.open_origins(connection, name)
    reading = _Reading(site, name, feed, fhir_cursor.cursor_of(known.cursor if known else None, feed), now)
    # Not in /tmp, which may be memory: a first read may be larger than all there is.
    folder = os.environ.get("STATE_DIRECTORY", "").partition(":")[0] or None
    with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY, dir=folder) as file:
        reading.spool = Spool(file, frozenset(watched))
        with FhirHttp(feed, secret, stopping) as http:
            reading.read(http)
        if reading.spool.resources == 0 and not reading.spool.deleted:
            return reading.pulled()
        with site.database.write_facts("feed facts") as connection:
            return reading.take(connection, mapping, stopping)


@dataclass(slots=True)
class _Reading:
    """One look at the server."""

    site: Site
    name: str
    feed: FhirFeed
    cursor: fhir_cursor.Cursor
    now: datetime
    spool: Spool = field(init=False)
    began: float = field(default_factory=clock.monotonic_seconds)
    problems: list[str] = field(default_factory=list)
    retry_after: timedelta | None = None

    def read(self, http: FhirHttp) -> None:
        """Every search onto the spool; those that were whole move the cursor."""
        today = self.now.astimezone(self.site.settings.time_zone).date()
        answered, passed_over = dict(self.cursor.upto), 0
        try:
            for search in self.feed.searches:
                before = self.cursor.upto.get(search)
                asked_from = fhir_cursor.asked_from(self.cursor, search, self.feed, self.site.settings, today)
                try:
                    found = self._whole(http, search_url(self.feed.url, search, asked_from, self.feed.page_size))
                    if self.feed.deletions and asked_from is not None:
                        type_ = search.partition("?")[0]
                        read_deleted(http, history_url(self.feed.url, type_, asked_from, self.feed.page_size), self.spool)
                except SearchError as error:
                    if error.status in NOT_OFFERED and self.feed.searches == SEARCHES:
                        passed_over += 1
                    else:
                        self.problems.append(f"{search.partition('?')[0]}: {error}")
                    continue
                upto = fhir_cursor.read_upto(found.times, found.newest, before, self.feed)
                if upto is not None:
                    answered[search] = upto
            self._read_missing(http)
        except ServerError as error:
            self.problems.append(str(error))
            self.retry_after = error.retry_after
        if passed_over == len(self.feed.searches):
            self.problems.append("the server has none of what is read: is the url its base address?")
        self.cursor.upto = {search: at for search, at in answered.items() if search in self.feed.searches}
        if not self.problems:
            self.cursor.day = today.isoformat()

    def take(self, connection: Connection, mapping: FhirMapping, stopping: Callable[[], bool]) -> Pulled:
        """What was read into the tables, in a writing transaction. Raises StoppedError: then nothing is stored."""
        now = self.now + timedelta(seconds=clock.monotonic_seconds() - self.began)  # a first read may take hours
        clinic = Clinic(zone=self.site.settings.time_zone, now=now)
        self.spool.file.seek(0)
        file = ImportedFile(kind=None)
        said = chain(self._taken_back(), items_of(_lines(self.spool.file, stopping), mapping, clinic, file))
        taken = settling.take(connection, self.name, said, clinic)
        refused = record_rejects.record(connection, self.name, [*file.rejected, *taken.rejected], came=self.spool.came, now=now)
        received = any(each.inserted or each.corrected for each in taken.counts.values())
        return self.pulled(received=received, rejected=refused)

    def _taken_back(self) -> Iterator[Item]:
        """What was deleted. Before what came: what was stored anew since stands."""
        for (type_, id_), at in self.spool.deleted.items():
            for part in PARTS.get(type_, ("",)):
                yield taken_back(type_, id_ + part, f"deleted {at}", at or None)

    def pulled(self, *, received: bool = False, rejected: int = 0) -> Pulled:
        """What the look came to."""
        return Pulled(
            received=received,
            rejected=rejected,
            cursor=self.cursor.text(),
            problem="; ".join(self.problems) or None,
            retry_after=self.retry_after,
        )

    def _whole(self, http: FhirHttp, url: str) -> Found:
        """A search onto the spool. Where it fails, what came of it is taken off again."""
        file: IO[bytes] = self.spool.file
        start, before = (
            file.tell(),
            replace(self.spool, came=set(self.spool.came), wanted=set(self.spool.wanted), seen=set(self.spool.seen)),
        )
        try:
            return read_search(http, url, self.spool)
        except (SearchError, ServerError):
            file.seek(start)
            file.truncate()
            self.spool = before
            raise

    def _read_missing(self, http: FhirHttp) -> None:
        """Patients and medications that others refer to and that have never come, such as those from before ``since``."""
        missing = self.spool.missing()
        if not missing:
            return
        with self.site.database.read() as connection:
            missing -= items.known(connection, self.name, missing).keys()
        for url in named_urls(self.feed.url, missing):
            try:
                self._whole(http, url)
            except SearchError as error:
                self.problems.append(f"who or what is referred to: {error}")


def _lines(file: IO[bytes], stopping: Callable[[], bool]) -> Iterator[bytes]:
    """What was read, a resource at a time."""
    for number, line in enumerate(file):
        if number % LINES_AT_ONCE == 0 and stopping():
            raise StoppedError
        yield line
