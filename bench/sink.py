"""``python -m bench.sink RTT_MS``: an SMTP server on loopback, a process of its own, that answers each line after a round trip.

It prints its port, and then a line for each mail that it takes: the instant of its 250 by the machine's monotonic
clock, and the patient whom the mail names.
"""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

REPLIES = {b"EHLO": b"250-localhost\r\n250 8BITMIME\r\n", b"DATA": b"354 go on\r\n", b"QUIT": b"221 bye\r\n"}
PATIENT = re.compile(rb"\bS-[A-Z0-9-]+\b")


async def _talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, rtt_seconds: float) -> None:
    async def say(reply: bytes) -> None:
        await asyncio.sleep(rtt_seconds)
        writer.write(reply)
        await writer.drain()

    try:
        await say(b"220 sink\r\n")
        while line := await reader.readline():
            verb = line[:4].upper()
            await say(REPLIES.get(verb, b"250 done\r\n"))
            if verb == b"QUIT":
                break
            if verb == b"DATA":
                body = await reader.readuntil(b"\r\n.\r\n")
                named = PATIENT.search(body)
                await say(b"250 taken\r\n")
                print(f"{time.monotonic():.6f} {named[0].decode() if named else '-'}", flush=True)
    except (ConnectionError, asyncio.IncompleteReadError):
        pass
    finally:
        writer.close()


async def _serve(rtt_seconds: float) -> None:
    server = await asyncio.start_server(lambda r, w: _talk(r, w, rtt_seconds), "127.0.0.1", 0, limit=1_000_000)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()


@contextmanager
def sink(folder: Path, *, rtt_ms: float) -> Iterator[tuple[int, Path]]:
    """A running sink: its port, and the file with a line a mail."""
    taken = folder / f"taken-{rtt_ms:g}-{time.monotonic_ns()}.txt"
    with taken.open("w") as out:
        process = subprocess.Popen([sys.executable, "-m", "bench.sink", str(rtt_ms)], stdout=out)
    try:
        while not (lines := taken.read_text().splitlines()):
            time.sleep(0.02)
        yield int(lines[0]), taken
    finally:
        process.terminate()
        process.wait()


def mails(taken: Path) -> list[tuple[float, str]]:
    """When each mail was taken, in seconds of the monotonic clock, and whom it named."""
    found = []
    for line in taken.read_text().splitlines()[1:]:
        at, _, patient = line.partition(" ")
        found.append((float(at), patient))
    return found


if __name__ == "__main__":
    asyncio.run(_serve(float(sys.argv[1]) / 1000))
