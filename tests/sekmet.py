"""SEKMET, a FHIR R4 server that nobody here wrote, in a folder and on a port of its own on loopback.

    with Sekmet.here() as server:                    # skips the test where it is not installed: make test installs it
        server.load(bundle)                          # a transaction
        server.put(resource)                         # the next version
        server.stop(), server.start()                # what it stores outlives it

It asks for a token. What it needs is installed into an environment of its own beside ours, by the Makefile.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

PROGRAM = Path(sys.prefix) / "sekmet" / "bin" / "sekmet"
TOKEN = "fhir-t0ken"  # noqa: S105  # a test's
SECONDS_TO_START = 30.0
SETTINGS = """\
base_url: http://127.0.0.1:{port}/fhir
host: 127.0.0.1
port: {port}
data_dir: {folder}/data
validation: {{inbound: "off"}}
simulator: {{enabled: false}}
server_auth: {{types: [bearer], tokens: [{token}]}}
"""


@dataclass
class Sekmet:
    """See the module."""

    folder: Path
    port: int
    _running: subprocess.Popen[bytes] | None = field(default=None)

    @classmethod
    @contextmanager
    def here(cls) -> Iterator[Sekmet]:
        """A running one, empty."""
        if not PROGRAM.is_file():
            pytest.skip("no FHIR server to test against: make test installs SEKMET beside the program's own environment")
        with tempfile.TemporaryDirectory(prefix="sekmet-") as folder:
            server = cls(Path(folder), _free_port())
            settings = SETTINGS.format(port=server.port, folder=folder, token=TOKEN)
            (server.folder / "settings.yaml").write_text(settings, encoding="utf-8")
            try:
                server.start()
                yield server
            finally:
                server.stop()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/fhir"

    def start(self) -> None:
        """Run it, and wait until it answers."""
        with (self.folder / "log").open("ab") as log:
            self._running = subprocess.Popen(
                [str(PROGRAM), "serve", "--config", "settings.yaml", "--host", "127.0.0.1", "--port", str(self.port)],
                cwd=self.folder,
                stdout=log,
                stderr=log,
            )
        end = time.monotonic() + SECONDS_TO_START
        while time.monotonic() < end and self._running.poll() is None:
            try:
                self._call("GET", "metadata")
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise AssertionError(f"SEKMET did not start\n{(self.folder / 'log').read_text()}")

    def stop(self) -> None:
        """End it. Nothing to do where it does not run."""
        if self._running is not None:
            self._running.kill()
            self._running.wait(timeout=20)
        self._running = None

    def load(self, bundle: dict[str, Any]) -> None:
        """Store what a transaction holds."""
        answer = self._call("POST", "", bundle)
        assert all(entry["response"]["status"].startswith("20") for entry in answer["entry"]), answer

    def put(self, resource: dict[str, Any]) -> str:
        """Store a version of one resource; the version's id."""
        stored = self._call("PUT", f"{resource['resourceType']}/{resource['id']}", resource)
        return str(stored["meta"]["versionId"])

    def delete(self, type_: str, id_: str) -> None:
        """Store it no more."""
        self._call("DELETE", f"{type_}/{id_}")

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/fhir+json"}
        data = None if body is None else json.dumps(body).encode()
        address = f"{self.url}/{path}".rstrip("/")
        request = urllib.request.Request(address, data=data, headers=headers, method=method)  # noqa: S310  # ours
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            raise AssertionError(f"SEKMET answered {error.code}: {error.read()[:500]!r}") from None


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])
