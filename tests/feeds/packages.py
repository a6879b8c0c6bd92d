"""FHIR that nobody here wrote: examples that HL7 publishes as npm packages, of a pinned version and content.

Each is fetched once, from the npm registry, into ``~/.cache/bipn-monitor-tests``; both are CC0.
"""

from __future__ import annotations

import base64
import hashlib
import os
import tarfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

REGISTRY = "https://registry.npmjs.org"
PINNED = {
    "hl7.fhir.us.mcode-4.0.0": "HJogFi9rQetIUE8gqKFq2tt4I8ukdH3PUCQO5jBiKxYUgh+vrlXvkWkt/XuYOzpNPdfRmsj3LG4UJm5o1g2OlA==",
    "hl7.fhir.r4.examples-4.0.1": "DXBdIZOeQaSKIgCU7w6HOC7sw/6BzylmipLkBW4f//pT+Bc94x+8LImwTdvaNThPJoOzpBzvxAzNqjeu3X/zLw==",
}
"""Name and version -> sha512 of the package, as the registry gives it."""


@cache
def package(name: str) -> Path:
    """The file of a package. Skips the test where it is not here and cannot be fetched."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "bipn-monitor-tests"
    path = home / f"{name}.tgz"
    if path.is_file() and _digest(path.read_bytes()) == PINNED[name]:
        return path
    url = f"{REGISTRY}/{name.rpartition('-')[0]}/-/{name}.tgz"
    try:
        with urllib.request.urlopen(url, timeout=60) as answer:  # noqa: S310  # the registry's address, written above
            fetched = answer.read()
    except (urllib.error.URLError, OSError) as error:
        pytest.skip(f"{url} cannot be fetched, and is not in {home}: {error}")
    assert _digest(fetched) == PINNED[name], f"{url} is not what was pinned"
    home.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(f".{os.getpid()}")
    unfinished.write_bytes(fetched)
    unfinished.replace(path)
    return path


def documents(name: str, folder: str) -> Iterator[tuple[str, bytes]]:
    """The JSON files in a folder of a package, by name."""
    with tarfile.open(package(name), "r:gz") as archive:
        for member in archive:
            plain = member.name.removeprefix(f"{folder}/")
            if member.isfile() and plain.endswith(".json") and "/" not in plain and plain not in (".index.json", "package.json"):
                file = archive.extractfile(member)
                if file is not None:
                    yield plain, file.read()


def _digest(content: bytes) -> str:
    return base64.b64encode(hashlib.sha512(content).digest()).decode()
