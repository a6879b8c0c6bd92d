"""Opening the database, its two kinds of transaction, and what its errors mean.

Every error of the database leaves this room as a ``DatabaseError`` that says what to do and shows no stored value.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, create_engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.exc import TimeoutError as OutOfConnectionsError

from monitor.crash_points import reached
from monitor.errors import DatabaseError
from monitor.store import dialect
from monitor.store.bulk import read_only_options
from monitor.store.problems import problem
from monitor.store.server import engine_options


class Database:
    """An open database. Used by one thread at a time for writing; readers may be several."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._kept: Connection | None = None
        self._file = dialect.file_identity(engine.url)

    @contextmanager
    def write(self, what: str = "", *, beside_others: bool = False) -> Iterator[Connection]:
        """A transaction that may write: all of it is stored at the end of the block, or nothing after an error.

        ``what`` names it among the crash points: a process may end before and after each commit of a named one.
        On PostgreSQL too one writer of this program at a time; ``beside_others`` is for those that may run beside each
        other, and lock what they share themselves: what they touch nobody else changes until all of them have ended.
        """
        with self._writing(what) as connection:
            dialect.wait_for_turn(connection, beside_others=beside_others)
            yield connection

    @contextmanager
    def write_facts(self, what: str = "") -> Iterator[Connection]:
        """As ``write``, for facts and what feeds keep of them alone: on PostgreSQL it holds up no other kind of writer.

        It may take minutes, and is to anybody else like a program that writes into the tables itself. One such at a time:
        two that bring the same record would both find it new.
        """
        with self._writing(what) as connection:
            dialect.one_at_a_time(connection, dialect.FEEDS)
            yield connection

    @contextmanager
    def _writing(self, what: str) -> Iterator[Connection]:
        with _translated(), self.engine.connect() as connection:
            connection = connection.execution_options(**{dialect.WRITE: True})
            with connection.begin():
                yield connection
                if what:
                    reached(f"before commit: {what}")
        if what:
            reached(f"after commit: {what}")

    @contextmanager
    def rebuild(self) -> Iterator[Connection]:
        """As ``write``, for a migration that makes tables anew: references are checked at its end, not at each step."""
        with _translated(), self.engine.connect() as connection:
            connection = connection.execution_options(**{dialect.WRITE: True})
            with dialect.references_checked_at_the_end(connection), connection.begin():
                dialect.wait_for_turn(connection, beside_others=False)
                dialect.refuse_other_encodings(connection)
                yield connection
                dialect.refuse_broken_references(connection)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that sees one unchanging state of the database."""
        with _translated(), self.engine.connect() as connection:
            connection = connection.execution_options(**dialect.READ_OPTIONS[self.engine.dialect.name])
            with connection.begin():
                yield connection

    @contextmanager
    def glance(self) -> Iterator[Connection]:
        """For the idle poll: no transaction, each statement sees what is committed by then.

        The connection to a file is kept. One to a server may have died since, and the pool asks before it gives one.
        """
        if self.shared:
            with _translated(), self.engine.connect() as connection:
                yield connection.execution_options(**dialect.KEPT_OPTIONS[self.engine.dialect.name])
            return
        with _translated():
            if self._kept is None:
                self._kept = self.engine.connect().execution_options(**dialect.KEPT_OPTIONS[self.engine.dialect.name])
            try:
                yield self._kept
            except BaseException:
                self._forget_kept()
                raise

    def data_version(self) -> int | None:
        """A number that moves with every commit since the last call, or None where the database has none.

        It says nothing about look-again instants, which come due without a commit.
        """
        with self.glance() as connection:
            return dialect.data_version(connection)

    @property
    def shared(self) -> bool:
        """Whether several daemons may watch it."""
        return self.engine.dialect.name == "postgresql"

    def replaced(self) -> bool:
        """Whether another file, or none, stands where the opened one was: what is written then, nobody else will read."""
        return self._file is not None and dialect.file_identity(self.engine.url) != self._file

    def close(self) -> None:
        """Give all connections back. The database may be used again after."""
        self._forget_kept()
        self.engine.dispose()

    def _forget_kept(self) -> None:
        if self._kept is not None:
            self._kept.close()
            self._kept = None


def open_database(url: str, *, create: bool = False, read_only: bool = False, password: str | None = None) -> Database:
    """The database at an SQLAlchemy URL; ``create`` makes a missing SQLite file, mode 0600, without any table.

    ``read_only``: nothing can be written by it, and an SQLite file stays as it is, byte for byte.
    ``password`` is for a server; without one its library looks where it always does.

    Raises DatabaseError, with the remedy, if it cannot be opened.
    """
    try:
        parsed = make_url(url)
        dialect.prepare_file(parsed, create=create)
        options = engine_options(parsed, password)
        options = read_only_options(parsed, options) if read_only else options
        engine = create_engine(parsed, hide_parameters=True, **options)
    except (ArgumentError, NoSuchModuleError) as error:
        # The URL may hold a password: it is not repeated.
        raise DatabaseError(
            "the database URL cannot be read: write it as sqlite:///path/to/bipn-monitor.db, or postgresql://user@host/database"
        ) from error
    except ModuleNotFoundError as error:
        raise DatabaseError(f"the driver of this database is not installed: install {error.name}") from error
    dialect.prepare_engine(engine)
    database = Database(engine)
    with database.read() as connection:
        connection.exec_driver_sql("SELECT 1")
    return database


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        # Not `from error`: PostgreSQL quotes the row that it refused, and a chain may be printed.
        raise DatabaseError(problem(error)) from None
    except OutOfConnectionsError:
        raise DatabaseError("every connection to the database is in use for more than 30 s: see what takes so long") from None
