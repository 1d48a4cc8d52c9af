"""The swappable engine: opened by start-up, used by services, cut off when the database is lost.

Services ask `Database` for a `read` or a `write` block and never see an engine. Both blocks refuse at once while the
sidecar is not ready, so that data calls and `/health` tell the same story.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from app.core.exceptions import DatabaseAwayError, ProblemError
from app.core.logging import get_logger
from app.core.problems import problem
from app.db.connect import IDLE_IN_TRANSACTION_TIMEOUT_MS, STATEMENT_TIMEOUT_MS, Connector, cut

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from app.core.readiness import Readiness
    from app.db.settings import ConnectionSettings

POOL_SIZE: Final = 5
MAX_OVERFLOW: Final = 10
POOL_TIMEOUT_S: Final = 10
SQLITE_BUSY_TIMEOUT_MS: Final = 5_000
_UUID_OID: Final = 2950
"""PostgreSQL's type number of `uuid`."""
_BUSY: Final = "The database is busy. Please retry."

log = get_logger(__name__)


class OpenDatabase:
    """One engine with its pool, and the connections it has open."""

    def __init__(self, engine: sa.Engine, description: dict[str, Any]) -> None:
        self.engine = engine
        self.description = description
        """What the status document shows of the database."""
        self.reader = engine
        """For blocks of one statement: autocommit, so that a read is one round trip."""
        self.writer = engine.execution_options(taskflow_write=True)
        self._connections: set[Any] = set()
        self._in_use = 0
        self._retired = False
        self._lock = threading.Lock()
        event.listen(engine, "connect", lambda connection, _: self._connections.add(connection))
        event.listen(engine, "close", lambda connection, _: self._connections.discard(connection))

    @contextlib.contextmanager
    def in_use(self) -> Iterator[None]:
        """Keep the engine until the block ends, also when it is retired meanwhile."""
        with self._lock:
            self._in_use += 1
        try:
            yield
        finally:
            with self._lock:
                self._in_use -= 1
                last = self._retired and self._in_use == 0
            if last:
                self.engine.dispose()

    def retire(self) -> None:
        """Close the pool as soon as requests in flight have finished."""
        with self._lock:
            self._retired = True
            idle = self._in_use == 0
        if idle:
            self.engine.dispose()

    def cut_off(self) -> None:
        """Give up every connection at once: threads that wait on the lost server get an error now."""
        if self.engine.dialect.name == "postgresql":
            for connection in tuple(self._connections):
                cut(connection)
        self.retire()

    def refresh(self) -> None:
        """Drop idle connections, which may be dead; those in use end by themselves."""
        self.engine.dispose()


def open_postgresql(settings: ConnectionSettings) -> tuple[OpenDatabase, Connector]:
    """Make an engine; nothing is connected yet."""
    import psycopg2
    from psycopg2 import extensions

    connector = Connector(settings)
    engine = sa.create_engine(
        sa.URL.create("postgresql+psycopg2"),
        creator=connector.take,
        pool_size=POOL_SIZE,
        max_overflow=MAX_OVERFLOW,
        pool_timeout=POOL_TIMEOUT_S,
        pool_use_lifo=True,
        use_native_hstore=False,
        hide_parameters=True,
    )

    @event.listens_for(engine, "connect")
    def read_uuids_as_text(connection: Any, _: object) -> None:
        extensions.register_type(extensions.new_type((_UUID_OID,), "uuid", extensions.UNICODE), connection)

    @event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        is_write = bool(connection.get_execution_options().get("taskflow_write"))
        # set here rather than as SQLAlchemy's isolation level, whose way to the driver takes longer than a small query
        try:
            connection.connection.driver_connection.autocommit = not is_write  # type: ignore[union-attr]
        except psycopg2.Error:  # closed while it lay in the pool
            connection.invalidate()
            raise ProblemError(problem("connection-lost")) from None
        if is_write and connector.behind_pooler:
            connection.exec_driver_sql(
                f"SET LOCAL statement_timeout = {STATEMENT_TIMEOUT_MS};"
                f" SET LOCAL idle_in_transaction_session_timeout = {IDLE_IN_TRANSACTION_TIMEOUT_MS}"
            )

    description = {
        "dialect": "postgresql",
        "server_version": None,
        "host": settings.host,
        "port": settings.port,
        "database": settings.database,
        "username": settings.username,
        "tls": None,
        "revision": None,
        "head": None,
    }
    return OpenDatabase(engine, description), connector


def open_sqlite(path: Path) -> OpenDatabase:
    """Make an engine on a file: write-ahead log, foreign keys on, writers wait for each other."""
    engine = sa.create_engine(sa.URL.create("sqlite", database=str(path)), hide_parameters=True)

    @event.listens_for(engine, "connect")
    def configure(connection: sqlite3.Connection, _: object) -> None:
        connection.isolation_level = None  # transactions begin where SQLAlchemy says, not at the driver's guess
        for pragma in (
            f"busy_timeout = {SQLITE_BUSY_TIMEOUT_MS}",
            "journal_mode = WAL",
            "synchronous = NORMAL",
            "foreign_keys = ON",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        if connection.get_execution_options().get("taskflow_write"):
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    description = {
        "dialect": "sqlite",
        "server_version": sqlite3.sqlite_version,
        "host": None,
        "port": None,
        "database": path.name,
        "username": None,
        "tls": None,
        "revision": None,
        "head": None,
    }
    return OpenDatabase(engine, description)


class Database:
    """What services hold: the present engine behind the readiness flag."""

    def __init__(self, readiness: Readiness) -> None:
        self._readiness = readiness
        self._opened: OpenDatabase | None = None
        self.on_failure: Callable[[], None] = lambda: None
        """Called, from the failing thread, when a use met a lost connection."""

    def replace(self, opened: OpenDatabase | None) -> None:
        """Use `opened` from now on; requests in flight finish on the old engine."""
        old, self._opened = self._opened, opened
        if old is not None and old is not opened:
            old.retire()

    def cut_off(self) -> None:
        """Give the present engine up at once."""
        old, self._opened = self._opened, None
        if old is not None:
            old.cut_off()

    @contextlib.contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A connection for one statement that only reads (autocommit on PostgreSQL).

        Raises:
            DatabaseAwayError: the database cannot be used now.
        """
        with self._present() as opened, opened.reader.connect() as connection:
            yield connection

    @contextlib.contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """A transaction, committed when the block ends and rolled back when it raises.

        Raises:
            DatabaseAwayError: the database cannot be used now; nothing was written.
            IntegrityError: a constraint was violated.
        """
        with self._present() as opened, opened.writer.begin() as connection:
            yield connection

    @contextlib.contextmanager
    def _present(self) -> Iterator[OpenDatabase]:
        self._readiness.require_ready()
        opened = self._opened
        if opened is None:
            raise self._readiness.away()
        try:
            with opened.in_use():
                yield opened
        except IntegrityError:
            raise
        except ProblemError as exc:  # a new connection could not be made
            self.on_failure()
            log.warning("no database connection", extra={"code": exc.problem.code})
            raise DatabaseAwayError from None
        except PoolTimeoutError:
            raise DatabaseAwayError(_BUSY, code="busy") from None
        except DBAPIError as exc:
            raise self._translated(exc) from None

    def _translated(self, exc: DBAPIError) -> Exception:
        """Turn a driver's error into 503 where waiting or the administrator can help; others stay what they are."""
        if exc.connection_invalidated or _is_lost(exc):
            self.on_failure()
            return DatabaseAwayError()
        code = _away_code(exc)
        if code == "busy":
            return DatabaseAwayError(_BUSY, code=code)
        if code is not None:
            log.error("the database refused a statement", extra={"code": code, "sqlstate": _sqlstate(exc)})
            return DatabaseAwayError(problem(code).message, code=code)
        return exc


def _sqlstate(exc: DBAPIError) -> str:
    return getattr(exc.orig, "pgcode", None) or ""


def _is_lost(exc: DBAPIError) -> bool:
    """Class 08 is connection exceptions, 57P01 to 57P03 are shutdowns; an interface error means a closed connection."""
    return _sqlstate(exc)[:2] == "08" or _sqlstate(exc)[:4] == "57P0" or type(exc.orig).__name__ == "InterfaceError"


def _away_code(exc: DBAPIError) -> str | None:
    state = _sqlstate(exc)
    if state == "42501":
        return "permission-denied"
    if state[:2] in ("53", "55") or state in ("57014", "40001", "40P01", "25006", "25P03"):
        return "busy"
    if isinstance(exc.orig, sqlite3.OperationalError):
        name = getattr(exc.orig, "sqlite_errorname", "")
        if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
            return "busy"
        if name.startswith(("SQLITE_FULL", "SQLITE_IOERR", "SQLITE_READONLY", "SQLITE_CANTOPEN")):
            return "storage-unwritable"
    return None
