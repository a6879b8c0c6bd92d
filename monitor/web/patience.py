"""HTTP/1.1 with an end to patience: uvicorn itself waits without limit for a request's head and for a slow reader.

A connection that has not brought a whole request and taken its answer in time is cut, and one too many is not taken up: the
board shares its process, and the files that may be open, with what watches patients.
"""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol

PATIENCE_SECONDS = 30.0  # (J): from the connection, or the answer before, to the end of an answer
MOST_CONNECTIONS = 128  # (J): browsers hold several each; a ward has a handful


class PatientProtocol(H11Protocol):
    """One connection."""

    patience_seconds = PATIENCE_SECONDS
    _cut: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Begin to wait; hang up where there are too many."""
        super().connection_made(transport)
        if len(self.connections) > MOST_CONNECTIONS:
            transport.abort()
        else:
            self._wait_anew()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._wait_no_more()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        """The next request has as long again."""
        self._wait_anew()
        super().on_response_complete()

    def _wait_anew(self) -> None:
        self._wait_no_more()
        self._cut = self.loop.call_later(self.patience_seconds, self.transport.abort)

    def _wait_no_more(self) -> None:
        if self._cut is not None:
            self._cut.cancel()
            self._cut = None
