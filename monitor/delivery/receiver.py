"""A small SMTP receiver on loopback, for demo and selftest: every mail becomes a file. Not a mail server."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from monitor.errors import UsageError

LARGEST_MAIL = 1_000_000  # bytes
LONGEST_LINE = 4096


class Receiver:
    """``async with Receiver(folder) as receiver``: listens on ``receiver.port``, writes ``folder/NNN.eml``, mode 0600.

    The first mail is never answered with ``silent_at_first``: the receiver has it, and the sender is not told so.
    """

    def __init__(self, folder: Path, *, silent_at_first: bool = False) -> None:
        self.folder = folder
        self._silent_at_first = silent_at_first
        self.port = 0
        self.written: list[Path] = []
        self._server: asyncio.Server | None = None
        self._talks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Receiver:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=LONGEST_LINE)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._server is not None:
            self._server.close()
            for talk in self._talks:
                talk.cancel()
            await asyncio.gather(*self._talks, return_exceptions=True)
            await self._server.wait_closed()

    def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talk = asyncio.get_running_loop().create_task(self._talk(reader, writer))
        self._talks.add(talk)
        talk.add_done_callback(self._talks.discard)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            writer.write(b"220 demo receiver\r\n")
            while line := await reader.readline():
                verb = line[:4].upper()
                if verb == b"DATA":
                    await self._data(reader, writer)
                else:
                    writer.write(_REPLIES.get(verb, b"502 not known here\r\n"))
                await writer.drain()
                if verb == b"QUIT":
                    break
        except (ConnectionError, ValueError):  # gone, or a line that is too long
            pass
        finally:
            writer.close()

    async def _data(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"354 go on\r\n")
        await writer.drain()
        mail = bytearray()
        while (line := await reader.readline()) != b".\r\n":
            if not line:
                raise ConnectionResetError
            mail += line[1:] if line.startswith(b".") else line  # RFC 5321 section 4.5.2
            if len(mail) > LARGEST_MAIL:
                raise ValueError("larger than any mail of ours")
        self._write(bytes(mail))
        if self._silent_at_first and len(self.written) == 1:
            await reader.read()  # until the sender is gone
            raise ConnectionResetError
        writer.write(b"250 taken\r\n")

    def _write(self, mail: bytes) -> None:
        path = self.folder / f"{len(self.written) + 1:03}.eml"
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(mail)
        self.written.append(path)


@contextmanager
def receiving(folder: Path, *, silent_at_first: bool = False) -> Iterator[int]:
    """A receiver in a thread of its own, as a hospital's relay would be elsewhere. Yields its port.

    Raises UsageError where it cannot listen or write.
    """
    ready: Future[tuple[int, asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def receive() -> None:
        stop = asyncio.Event()
        async with Receiver(folder, silent_at_first=silent_at_first) as receiver:
            ready.set_result((receiver.port, asyncio.get_running_loop(), stop))
            await stop.wait()

    def serve() -> None:
        try:
            asyncio.run(receive())
        except OSError as error:  # no loopback, no folder
            ready.set_exception(UsageError(f"a receiver on this machine cannot start: {error.strerror}"))

    thread = threading.Thread(target=serve, name="receiver", daemon=True)
    thread.start()
    port, loop, stop = ready.result()
    try:
        yield port
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()


_REPLIES = {
    b"EHLO": b"250-localhost\r\n250 8BITMIME\r\n",
    b"HELO": b"250 localhost\r\n",
    b"MAIL": b"250 sender taken\r\n",
    b"RCPT": b"250 recipient taken\r\n",
    b"RSET": b"250 done\r\n",
    b"NOOP": b"250 done\r\n",
    b"QUIT": b"221 bye\r\n",
}
