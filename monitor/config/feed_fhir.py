"""A feed from a FHIR R4 server, as ``monitor.yaml`` writes it and as the program works with it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Literal
from urllib.parse import parse_qsl, urlsplit

from pydantic import Field

from monitor.config.clock_times import Day
from monitor.config.durations import Duration
from monitor.config.feed_urls import check_token_url, check_url
from monitor.config.mail_file import OAuthFile
from monitor.config.problems import Problem, nearest
from monitor.config.yaml_source import Document, Loc

SEARCHES = (
    "Patient",
    "MedicationAdministration",
    "MedicationStatement",
    "MedicationRequest",
    "Observation",
    "Procedure",
    "DiagnosticReport",
    "Condition",
    "AdverseEvent",
)
"""What is asked for where the file says nothing else: all that a mapping may take."""

TYPES = (*SEARCHES, "Medication", "Specimen")
"""What may be asked for; the last two only help to understand the others."""

OURS = ("_lastUpdated", "_sort", "_count", "_format", "_summary", "_elements", "_total", "_contained", "_since", "_at")
"""Parameters that this program sets itself, or whose answer would not be whole."""

_PARAMETERS = re.compile(r"[A-Za-z_][A-Za-z0-9_.:-]*=[^\s&#]+(&[A-Za-z_][A-Za-z0-9_.:-]*=[^\s&#]+)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class FhirFeed:
    """A FHIR R4 server that is asked for what is new."""

    kind: Annotated[Literal["fhir"], Field(description="fhir: a FHIR R4 server that is asked for what is new.")]
    url: Annotated[str, Field(description="The server's base address, such as https://fhir.hospital.example/r4.")]
    every: Annotated[Duration, Field(description="How often it is asked.")] = timedelta(minutes=5)
    searches: Annotated[
        tuple[str, ...],
        Field(description="What is asked for: a type of resource, or one with parameters, such as Observation?category=exam."),
    ] = SEARCHES
    since: Annotated[Day | None, Field(description="The first time: what was changed since this day. Default: everything.")] = (
        None
    )
    overlap: Annotated[
        Duration, Field(description="So much of the time asked for last is asked for again: a server may store late.")
    ] = timedelta(minutes=10)
    look_back: Annotated[
        Duration, Field(description="How far back the first question of each day goes, for what was stored later still.")
    ] = timedelta(days=2)
    deletions: Annotated[
        bool, Field(description="true: the server's history is asked too for what was deleted, and that is taken back.")
    ] = False
    page_size: Annotated[int, Field(description="How many resources one page may hold.", ge=1, le=1000)] = 200
    timeout: Annotated[
        Duration, Field(description="How long the server may be silent, and a quarter of what a page may take.")
    ] = timedelta(seconds=30)
    sign_in: Annotated[
        Literal["none", "bearer"], Field(description="bearer: with the token that is the secret feed_NAME of this feed.")
    ] = "none"
    oauth: Annotated[
        OAuthFile | None, Field(description="Sign in with a token fetched with the secret feed_NAME (client credentials).")
    ] = None
    quiet_after: Annotated[
        Duration | None,
        Field(description="After how long without any new record this feed is reported as quiet. Default: feed_quiet_after."),
    ] = None
    insecure: Annotated[bool, Field(description="true: the address may be http://, in clear. For a server on this machine.")] = (
        False
    )

    @property
    def needs_secret(self) -> bool:
        """Whether the server is signed in to."""
        return self.sign_in != "none" or self.oauth is not None


def check_fhir(document: Document, here: Loc) -> Iterator[Problem]:
    """What a shape cannot say about such a feed."""
    yield from check_url(document, here)
    yield from check_token_url(document, here)
    if document.get((*here, "oauth"), dict) is not None and document.get((*here, "sign_in"), str) not in (None, "none"):
        message = "oauth fetches a token, and sign_in says that there is one already; keep one of the two"
        yield document.at((*here, "sign_in"), "wrong-value", message, on_key=True)
    searches = document.get((*here, "searches"), list)
    if searches == []:
        yield document.at((*here, "searches"), "out-of-range", "name one search at least, or delete the line")
    for number, written in enumerate(searches or ()):
        if isinstance(written, str):
            yield from _check_search(document, (*here, "searches", number), written)
        if written in (searches or ())[:number]:
            yield document.at((*here, "searches", number), "duplicate-search", "this search is in the list already")


def _check_search(document: Document, here: Loc, written: str) -> Iterator[Problem]:
    resource, mark, parameters = written.partition("?")
    if resource not in TYPES:
        message = f"'{resource[:40]}' is no type of resource that this program reads: {', '.join(TYPES)}"
        yield document.at(here, "wrong-value", message, suggestion=nearest(resource, list(TYPES)))
    elif mark and not _PARAMETERS.fullmatch(parameters):
        yield document.at(here, "wrong-value", "after '?' come parameters, such as Observation?category=exam&status=final")
    for name, _ in parse_qsl(parameters, keep_blank_values=True):
        if name.partition(":")[0] in OURS:
            yield document.at(here, "wrong-value", f"{name.partition(':')[0]} is set by this program; leave it out")


def origin(url: str) -> tuple[str, str, int | None]:
    """Scheme, host and port of an address, the port written out where the scheme says it.

    >>> origin("https://FHIR.example/r4") == origin("https://fhir.example:443/other")
    True
    """
    parts = urlsplit(url)
    return parts.scheme, (parts.hostname or "").lower(), parts.port or {"https": 443, "http": 80}.get(parts.scheme)
