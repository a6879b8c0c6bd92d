"""HL7 v2 over MLLP: a port to which other systems hand over messages, beside the daemon's jobs.

A message is answered once it is committed, so one whose answer is lost comes again and changes nothing. Where the database
does not answer the connection is closed without a word, and the sender keeps its message.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime

from monitor.config.feed_mllp import MllpFeed
from monitor.config.problems import InvalidConfigError
from monitor.errors import ConfigError, DatabaseError, MonitorError
from monitor.importers.hl7.messages import MOST_BYTES
from monitor.service import clock
from monitor.service.hl7_receiving import Receiver
from monitor.service.opening import Site
from monitor.service.own_troubles import clear_own, set_own

log = logging.getLogger(__name__)

START, END = b"\x0b", b"\x1c\r"
WHOLE_WITHIN_SECONDS = 60
"""A message that has begun is to end within so long: a sender that stops half way holds no connection for ever. (J)"""

MOST_CONNECTIONS = 32
"""So many senders at a time; one more is turned away. (J)"""

DRAIN_WITHIN_SECONDS = 20
_TROUBLE = "feed {}"


def listeners_if_possible(
    site: Callable[[], Site], now: Callable[[], datetime], wake: Callable[[str], None]
) -> Callable[[], None]:
    """Begin to listen for each feed of this kind that is configured; gives what ends that.

    A port that is taken is a trouble for ``status``, and no reason not to watch patients. ``site`` gives the one in force;
    ports and certificates stay those of the start.
    """
    begun: list[Listener] = []
    for name, feed in site().settings.feeds.items():
        if not isinstance(feed, MllpFeed):
            continue
        listener = Listener(site, name, feed, now, wake)
        try:
            listener.begin()
            begun.append(listener)
            _tell(site(), name, None)
        except ConfigError as error:
            log.error("%s", error)
            _tell(site(), name, str(error))

    def end() -> None:
        for listener in begun:
            listener.end()

    return end


class Listener:
    """One port, in a thread with a loop of its own; messages are stored one after the other."""

    def __init__(
        self,
        site: Callable[[], Site],
        name: str,
        feed: MllpFeed,
        now: Callable[[], datetime],
        wake: Callable[[str], None],
    ) -> None:
        self._site, self._name, self._feed, self._now, self._wake = site, name, feed, now, wake
        self._receiver: tuple[Site, Receiver] | None = None
        self._storing = ThreadPoolExecutor(1, thread_name_prefix=f"mllp-{name}")
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"mllp-{name}", daemon=True)
        self._connections: set[asyncio.Task[None]] = set()
        self._busy: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._ending = False
        self.port = 0

    def begin(self) -> None:
        """Listen. Raises ConfigError where the port is taken, or a certificate or the mapping cannot be read."""
        host, _, port = self._feed.listen.rpartition(":")
        try:
            self._receiving()
            context = self._context()
            self._thread.start()
            self._server = asyncio.run_coroutine_threadsafe(
                self._listen(host.strip("[]"), int(port), context), self._loop
            ).result()
        except InvalidConfigError as error:
            self._close()
            raise ConfigError(f"feed {self._name}: {error}") from None
        except (OSError, ValueError) as error:
            self._close()
            why = getattr(error, "strerror", None) or "the address, the certificate or its key cannot be used"
            raise ConfigError(f"feed {self._name} cannot listen on {self._feed.listen}: {why}") from None
        self.port = self._server.sockets[0].getsockname()[1]
        log.info("listening for HL7 v2", extra={"feed": self._name, "port": self.port})

    def end(self) -> None:
        """Take no more; what is being stored is answered first."""
        asyncio.run_coroutine_threadsafe(self._drain(), self._loop).result()
        self._close()

    def _close(self) -> None:
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
        self._storing.shutdown()
        self._loop.close()

    def _context(self) -> ssl.SSLContext | None:
        if self._feed.certificate is None:
            return None
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(self._feed.certificate, self._feed.key)
        return context

    async def _listen(self, host: str, port: int, context: ssl.SSLContext | None) -> asyncio.Server:
        return await asyncio.start_server(self._accept, host, port, ssl=context, limit=MOST_BYTES + 1024)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None or self._ending or len(self._connections) >= MOST_CONNECTIONS:
            log.warning("a sender of HL7 v2 was turned away: too many at a time", extra={"feed": self._name})
            writer.close()
            return
        self._connections.add(task)
        try:
            while not self._ending and await self._one(reader, writer, task):
                pass
        except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, asyncio.CancelledError):
            pass  # the sender went, stopped half way, or sent without measure: what it did not finish it sends again
        finally:
            self._connections.discard(task)
            writer.close()
            with suppress(OSError, asyncio.CancelledError, ssl.SSLError):
                await writer.wait_closed()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, task: asyncio.Task[None]) -> bool:
        """One message and its answer; False where the connection ends."""
        first = await asyncio.wait_for(reader.read(1), self._feed.idle.total_seconds())
        if not first:
            return False
        block = await asyncio.wait_for(reader.readuntil(END), WHOLE_WITHIN_SECONDS)
        self._busy.add(task)
        try:
            body = (first + block)[: -len(END)].removeprefix(START)
            answer = await self._loop.run_in_executor(self._storing, self._stored, body)
            if answer is None:
                return False
            writer.write(START + answer + END)
            await asyncio.wait_for(writer.drain(), WHOLE_WITHIN_SECONDS)
        finally:
            self._busy.discard(task)
        return True

    def _stored(self, block: bytes) -> bytes | None:
        """The answer, or None where the message could not be stored and has to come again."""
        try:
            answer = self._receiving().receive(block, self._now())
        except (MonitorError, InvalidConfigError) as error:
            log.error("a message was not stored and not answered, so it comes again: %s", error, extra={"feed": self._name})
            return None
        if answer.news:
            self._wake("watch")
        if answer.code != "AA":
            log.warning("a message was refused, all or in part", extra={"feed": self._name, "answer": answer.code})
        return answer.acknowledgement

    def _receiving(self) -> Receiver:
        """For the site in force: a reload may have brought another mapping."""
        site = self._site()
        if self._receiver is None or self._receiver[0] is not site:
            self._receiver = site, Receiver(site, self._name)
        return self._receiver[1]

    async def _drain(self) -> None:
        self._ending = True
        if self._server is not None:
            self._server.close()
        for task in self._connections - self._busy:
            task.cancel()
        waiting = set(self._connections)
        if waiting:
            _, late = await asyncio.wait(waiting, timeout=DRAIN_WITHIN_SECONDS)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late, timeout=1)


def _tell(site: Site, name: str, problem: str | None) -> None:
    try:
        with site.database.write("mllp") as connection:
            if problem is None:
                clear_own(site, connection, _TROUBLE.format(name))
            else:
                set_own(site, connection, _TROUBLE.format(name), problem, clock.now())
    except DatabaseError as error:
        log.error("what became of the feed %s is not on record: %s", name, error)
