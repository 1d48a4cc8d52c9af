"""The swappable engine: opened by start-up, used by services, cut off when the database is lost.

Services ask `Database` for a `read` or a `write` block and never see an engine. Both blocks refuse at once while the
sidecar is not ready, so that data calls and `/health` tell the same story.
"""

from __future__ import annotations

import contextlib
import math
import os
import sqlite3
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError, IntegrityError

from app.core.exceptions import DatabaseAwayError, ProblemError, ValidationError
from app.core.logging import get_logger
from app.core.patience import refused_s
from app.core.problems import Problem, problem
from app.core.trust import OWNER_FILE, UntrustedError, require_own_file
from app.core.turns import Turns
from app.db.connect import (
    CONNECT_DEADLINE_S,
    IDLE_IN_TRANSACTION_TIMEOUT_MS,
    LOCK_TIMEOUT_MS,
    STATEMENT_TIMEOUT_MS,
    Connector,
    cut,
)
from app.db.history import ACKNOWLEDGED
from app.db.pool import IDLE_S, NO_MORE, ONLY_NEW_REFUSED, PLACE_TIMEOUT_S, SPARE_S, IdlePool, mark_stale

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sqlalchemy.pool import ConnectionPoolEntry

    from app.core.readiness import Readiness
    from app.db.history import ServerHistory
    from app.db.login import Logins
    from app.db.settings import ConnectionSettings

READ: Final = "read"
WRITE: Final = "write"
SNAPSHOT: Final = "snapshot"
PLACES: Final = {READ: 8, WRITE: 15, SNAPSHOT: 6}
"""How many blocks of each kind go on at once, each with a connection: none of them waits behind another kind."""
SQLITE_PLACES: Final = {**PLACES, WRITE: 1}
"""One writes at a time: SQLite itself would let others look again and again, and the unlucky one long in vain."""
STATEMENT_LIMIT_S: Final = STATEMENT_TIMEOUT_MS / 1000 + 2
"""How long a statement, or a commit, may take when the server does not keep its own limit: it knows none for commits,
and what lies between may swallow its answer."""
RETIRED_LIMIT_S: Final = STATEMENT_TIMEOUT_MS / 1000 + 5
"""How long requests in flight may take on an engine that was replaced; a server that hangs never ends them."""
SQLITE_BUSY_TIMEOUT_MS: Final = 5_000
_UUID_OID: Final = 2950
"""PostgreSQL's type number of `uuid`."""
_UNSTORABLE: Final = ("22P05", "22021")
"""A database in another encoding than UTF-8 lacks the character."""
STREAMED: Final = {"stream_results": True, "yield_per": 500}
"""Execution options of a statement whose rows are not all to be in memory: PostgreSQL sends them from a cursor."""
HINT: Final = "taskflow_hint"
"""In a connection's `info`: the channel to notify once its transaction is committed."""
NOW: Final = "taskflow_now"
"""There too: when its transaction began, by the database's clock."""
_LIMITS: Final = (
    f"SET LOCAL statement_timeout = {STATEMENT_TIMEOUT_MS}; SET LOCAL lock_timeout = {LOCK_TIMEOUT_MS};"
    f" SET LOCAL idle_in_transaction_session_timeout = {IDLE_IN_TRANSACTION_TIMEOUT_MS}"
)
_BEGUN: Final = "SET TRANSACTION ISOLATION LEVEL READ COMMITTED; SELECT clock_timestamp()"
BUSY: Final = "The database is busy. Please retry."
_NO_TRACE: Final = "taskflow_no_trace"
SQLITE_SUFFIXES: Final = ("", "-journal", "-wal", "-shm")
"""Behind the name of an SQLite file: itself, and what SQLite keeps beside it."""

log = get_logger(__name__)


class OpenDatabase:
    """One engine with its pool, and the connections it has open."""

    # Waiting for a free connection happens here rather than in the pool, where a loss could not end it.

    def __init__(self, engine: sa.Engine, description: dict[str, Any]) -> None:
        self.engine = engine
        self.description = description
        """What the status document shows of the database."""
        self.reader = engine
        """For blocks of one statement: autocommit, so that a read is one round trip."""
        self.writer = engine.execution_options(taskflow_write=True)
        self.snapshots = engine.execution_options(taskflow_snapshot=True)
        self.connect: Callable[[], Any] | None = None
        """Opens a connection that is not the pool's; None where there is no server."""
        self.keeps_reads: Callable[[], bool] = lambda: False
        """Whether a block that reads is a transaction, to be committed: behind a pooler, for its limits."""
        self.history: ServerHistory | None = None
        """Whether the server's history has gone back; None where that is not known."""
        self.tells_position = False
        """Whether the server tells how far its log is written by what it has acknowledged."""
        self.lost = threading.Event()
        """Set when the database was given up: nothing waits for it any more."""
        self._connections: dict[Any, ConnectionPoolEntry] = {}
        self._places = PLACES if engine.dialect.name == "postgresql" else SQLITE_PLACES
        self._in_use = dict.fromkeys(PLACES, 0)
        self._under_way: dict[int, tuple[float, Any]] = {}
        """Of each thread that waits for the server: since when, and over which connection."""
        self._overdue: set[int] = set()
        """The threads whose connection was cut for that."""
        self.answered_at = -math.inf
        """When the server answered a statement last, other than a heartbeat."""
        self.refreshed_at = -math.inf
        """When all connections were given up for replacing last."""
        self.idle_s = IDLE_S
        self._has_traces = False
        """The embedded database's log may still hold what was shredded."""
        self._retired = False
        self._limit: threading.Timer | None = None
        self._changed = threading.Condition()
        self._turns = {kind: Turns(self._changed) for kind in PLACES}
        event.listen(engine, "connect", self._opened)
        event.listen(engine, "close", lambda connection, _: self._connections.pop(connection, None))
        if engine.dialect.name == "postgresql":
            event.listen(engine, "before_cursor_execute", lambda connection, *_: self._waits(connection))
            event.listen(engine, "after_cursor_execute", lambda *_: self._was_answered())
            event.listen(engine, "commit", self._waits)
            event.listen(engine, "checkin", lambda *_: self._under_way.pop(threading.get_ident(), None))

    @contextlib.contextmanager
    def in_use(self, kind: str = READ) -> Iterator[None]:
        """Keep the engine, and one of the places of a kind, until the block ends, also when it is retired meanwhile.

        Raises:
            DatabaseAwayError: no place became free in time, or the database was lost meanwhile.
        """
        self._overdue.discard(threading.get_ident())
        self._take_place(kind)
        try:
            yield
        finally:
            with self._changed:
                self._in_use[kind] -= 1
                self._changed.notify_all()  # who waits may wait for a place of another kind
            if self._retired:
                self._close_if_idle()

    def _take_place(self, kind: str) -> None:
        """Wait for a place, in the order of coming: whoever writes again and again leaves something to others."""
        turns = self._turns[kind]
        with self._changed, turns.waiting() as turn:
            is_free = self._changed.wait_for(
                lambda: self.lost.is_set() or (turns.is_first(turn) and self._in_use[kind] < self._places[kind]),
                PLACE_TIMEOUT_S,
            )
            if not is_free:
                raise DatabaseAwayError(BUSY, code="busy")
            if self.lost.is_set():
                raise DatabaseAwayError
            self._in_use[kind] += 1

    def retire(self) -> None:
        """Close the pool as soon as requests in flight have finished."""
        self._limit = _timer(RETIRED_LIMIT_S, self.cut)
        self._close_if_idle()

    def _close_if_idle(self) -> None:
        with self._changed:
            self._retired = True
            idle = not any(self._in_use.values())
        if idle:
            if self._limit is not None:
                self._limit.cancel()
            self.engine.dispose()

    def cut_off(self) -> None:
        """Give up every connection at once: threads that wait on the lost server get an error now."""
        self.lost.set()
        self.cut()
        self._close_if_idle()
        with self._changed:
            self._changed.notify_all()

    def cut(self) -> None:
        """Shut the sockets of all connections down; a file has none."""
        if self.engine.dialect.name == "postgresql":
            for connection in tuple(self._connections):
                cut(connection)

    @contextlib.contextmanager
    def answering_within(self, deadline_s: float) -> Iterator[None]:
        """Cut all connections if the block takes longer: a server that hangs answers no time-out of its own."""
        limit = _timer(deadline_s, self.cut)
        try:
            yield
        finally:
            limit.cancel()

    def truncate_log(self, connection: sa.Connection) -> None:
        """Do what `leave_no_trace` promised, after the commit; with a later one if a reader is in the way."""
        self._has_traces |= bool(connection.info.pop(_NO_TRACE, False))
        driver = connection.connection.driver_connection
        if self._has_traces and isinstance(driver, sqlite3.Connection):
            is_busy, *_ = driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            self._has_traces = bool(is_busy)

    def refresh(self) -> None:
        """Let every connection be replaced before its next use: what broke one may have broken all."""
        self.refreshed_at = time.monotonic()
        for entry in tuple(self._connections.values()):
            mark_stale(entry)
        if isinstance(self.engine.pool, IdlePool):
            self.engine.pool.close_idle()

    def close_idle(self, *, has_another: bool = False) -> None:
        """Close the connections that nobody has used for a while; all of them sooner if another one can be lent."""
        if isinstance(self.engine.pool, IdlePool):
            self.engine.pool.close_idle(self.idle_s, min(self.idle_s, SPARE_S) if has_another else None)

    def take_idle(self) -> Any:
        """Let go of an idle connection, for the caller to keep and to close; None if there is none."""
        connection = self.engine.pool.take_idle() if isinstance(self.engine.pool, IdlePool) else None
        self._connections.pop(connection, None)
        return connection

    @property
    def is_connected(self) -> bool:
        """Whether there is a connection, idle or in use."""
        return bool(self._connections)

    def _waits(self, connection: sa.Connection) -> None:
        self._under_way[threading.get_ident()] = (time.monotonic(), connection.connection.dbapi_connection)

    def _was_answered(self) -> None:
        self.answered_at = time.monotonic()
        self._under_way.pop(threading.get_ident(), None)

    def cut_overdue(self, limit_s: float = STATEMENT_LIMIT_S) -> None:
        """Cut the connections on which a statement or a commit has taken longer than that."""
        for thread, (since, connection) in tuple(self._under_way.items()):
            if time.monotonic() - since > limit_s:
                self._overdue.add(thread)
                self._under_way.pop(thread, None)
                log.warning("a statement was given up", extra={"code": "busy"})
                cut(connection)

    @property
    def is_overdue(self) -> bool:
        """Whether the connection that this thread uses was cut because the server took too long."""
        return threading.get_ident() in self._overdue

    def _opened(self, connection: Any, entry: ConnectionPoolEntry) -> None:
        self._connections[connection] = entry
        if self.lost.is_set():  # in this very moment: nobody else would cut it
            cut(connection)


def _timer(after_s: float, action: Callable[[], object]) -> threading.Timer:
    timer = threading.Timer(after_s, action)
    timer.daemon = True
    timer.start()
    return timer


@dataclass(frozen=True, slots=True)
class _Refusal:
    problem: Problem
    password: str | None = field(repr=False)
    until: float


class Entrance:
    """The way to a server's connections: one attempt at a time, and for long none after a refusal.

    However many requests want a connection, a password that was changed on the server is tried once: accounts get
    locked. Another password counts at once.
    """

    def __init__(self, connector: Connector) -> None:
        self.connector = connector
        self.lend: Callable[[], Any] = lambda: None
        """Returns a connection that was just seen to answer and that its owner can do without, or None."""
        self._kept = threading.local()
        self._refusal: _Refusal | None = None
        self._attempt = threading.Lock()

    def open(self, *, cancelled: threading.Event, deadline_s: float = CONNECT_DEADLINE_S) -> Any:
        """Return an open psycopg2 connection.

        Raises:
            ProblemError: it could not be made, or one before it was refused for good.
        """
        if not self._attempt.acquire(timeout=deadline_s):
            raise ProblemError(problem("connection-timeout"))
        try:
            return self._attempted(deadline_s, cancelled)
        finally:
            self._attempt.release()

    def _attempted(self, deadline_s: float, cancelled: threading.Event) -> Any:
        password, refusal = self.connector.password, self._refusal
        if refusal is not None and refusal.password == password and time.monotonic() < refusal.until:
            raise ProblemError(refusal.problem)
        self._refusal = None
        try:
            return self.connector.open(deadline_s=deadline_s, cancelled=cancelled)
        except ProblemError as exc:
            if not exc.problem.retryable:
                wait_s = refused_s(exc.problem, refusals=1)
                until = math.inf if wait_s is None else time.monotonic() + wait_s
                self._refusal = _Refusal(exc.problem, password, until)
            raise

    def keep(self, connection: Any) -> None:
        """Hand an open connection over to the pool, which takes it, in this thread, before it opens one."""
        self._kept.connection = connection

    def take(self, *, cancelled: threading.Event, may_borrow: bool = False) -> Any:
        """Return the connection that was kept, or one that was lent, or else open one."""
        kept = getattr(self._kept, "connection", None)
        self._kept.connection = None
        if kept is None and may_borrow:
            kept = self.lend()
        if kept is not None:
            return kept
        try:
            return self.open(cancelled=cancelled)
        except ProblemError as exc:
            lent = self.lend() if exc.problem.code in ONLY_NEW_REFUSED else None
            if lent is None:
                raise
            return lent


def open_postgresql(settings: ConnectionSettings, logins: Logins | None = None) -> tuple[OpenDatabase, Entrance]:
    """Make an engine; nothing is connected yet. `logins`: what the process knows of them."""
    import psycopg2
    from psycopg2 import extensions

    connector = Connector(settings, logins)
    entrance = Entrance(connector)
    engine = sa.create_engine(
        sa.URL.create("postgresql+psycopg2"),
        creator=lambda: entrance.take(cancelled=database.lost, may_borrow=not database.is_connected),
        poolclass=IdlePool,
        use_native_hstore=False,
        hide_parameters=True,
    )

    @event.listens_for(engine, "connect")
    def read_uuids_as_text(connection: Any, _: object) -> None:
        extensions.register_type(extensions.new_type((_UUID_OID,), "uuid", extensions.UNICODE), connection)

    @event.listens_for(engine, "handle_error")
    def notice_cut(context: sa.ExceptionContext) -> None:
        # so libpq tells on Windows that a connection was cut, and does not close it by itself
        if "select() failed" in str(context.original_exception):
            context.is_disconnect = True

    @event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        options = connection.get_execution_options()
        is_write, is_snapshot = bool(options.get("taskflow_write")), bool(options.get("taskflow_snapshot"))
        # set here rather than as SQLAlchemy's isolation level, whose way to the driver takes longer than a small query
        try:
            autocommit = not (is_write or is_snapshot or connector.behind_pooler)
            connection.connection.driver_connection.autocommit = autocommit  # type: ignore[union-attr]
        except psycopg2.Error:  # closed while it lay in the pool
            connection.invalidate()
            raise ProblemError(problem("connection-lost")) from None
        if is_snapshot:
            connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        if connector.behind_pooler:
            connection.exec_driver_sql(_LIMITS)

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
        "clock_offset_s": None,
        "history_lost_at": None,
    }
    database: OpenDatabase = OpenDatabase(engine, description)
    database.connect = lambda: entrance.open(cancelled=database.lost)
    database.keeps_reads = lambda: connector.behind_pooler
    return database, entrance


def open_sqlite(path: Path) -> OpenDatabase:
    """Make an engine on a file: owner-only, write-ahead log, foreign keys on, writers wait for each other.

    What is deleted is overwritten, also where SQLite was built without that (python.org's for Windows).
    """
    engine = sa.create_engine(sa.URL.create("sqlite", database=str(path)), hide_parameters=True)

    @event.listens_for(engine, "do_connect")
    def require_own(*_: object) -> None:
        _require_own_database(path)

    @event.listens_for(engine, "connect")
    def configure(connection: sqlite3.Connection, _: object) -> None:
        connection.isolation_level = None  # transactions begin where SQLAlchemy says, not at the driver's guess
        for pragma in (
            f"busy_timeout = {SQLITE_BUSY_TIMEOUT_MS}",
            "journal_mode = WAL",
            "synchronous = NORMAL",
            "foreign_keys = ON",
            "secure_delete = ON",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        options = connection.get_execution_options()
        if options.get("taskflow_write"):
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        elif options.get("taskflow_snapshot"):
            connection.exec_driver_sql("BEGIN")

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
        "clock_offset_s": None,
        "history_lost_at": None,
    }
    return OpenDatabase(engine, description)


def _require_own_database(path: Path) -> None:
    """Check an SQLite file and what lies beside it, and make it owner-only where there is none.

    None of them is opened: the close would take away the locks that SQLite's own connections hold, says POSIX.

    Raises:
        ProblemError: ``storage-untrusted``, another user controls one of them.
    """
    try:
        for suffix in SQLITE_SUFFIXES:
            require_own_file(path.with_name(path.name + suffix))
        with contextlib.suppress(FileExistsError, FileNotFoundError):  # there it is, or SQLite tells what is missing
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, OWNER_FILE))
    except UntrustedError as exc:
        raise ProblemError(exc.problem) from None
    except OSError:
        raise ProblemError(problem("storage-unwritable")) from None


def leave_no_trace(connection: sa.Connection) -> None:
    """Let what this transaction deletes vanish from the embedded database's files when it is committed.

    The log written ahead holds pages as they were; SQLite would keep it until it is full.
    """
    connection.info[_NO_TRACE] = True


class Database:
    """What services hold: the present engine behind the readiness flag."""

    def __init__(self, readiness: Readiness) -> None:
        self._readiness = readiness
        self._opened: OpenDatabase | None = None
        self._joint = threading.local()
        """Of each thread: the connection of the transaction that its blocks are parts of, if they are of one."""
        self.generation = 0
        """Grows whenever the engine changes: what was read from another database is worth nothing then."""
        self.on_failure: Callable[[], None] = lambda: None
        """Called, from the failing thread, when a use met a lost connection."""
        self.on_written: Callable[[], None] = lambda: None
        """Called, from the writing thread, after each transaction that was committed."""

    def replace(self, opened: OpenDatabase | None) -> None:
        """Use `opened` from now on; requests in flight finish on the old engine."""
        old, self._opened = self._opened, opened
        self.generation += 1
        if old is not None and old is not opened:
            old.retire()

    def cut_off(self) -> None:
        """Give the present engine up at once."""
        old, self._opened = self._opened, None
        self.generation += 1
        if old is not None:
            old.cut_off()

    @property
    def target(self) -> tuple[Any, ...] | None:
        """Which database this is, by its address; None while there is none."""
        opened = self._opened
        if opened is None:
            return None
        return tuple(opened.description[name] for name in ("dialect", "host", "port", "database"))

    @property
    def place(self) -> str | None:
        """Where this database is, as text: another place is another database; None while there is none."""
        opened = self._opened
        if opened is None:
            return None
        if opened.engine.dialect.name == "sqlite":
            return f"sqlite {opened.engine.url.database}"
        return " ".join(str(opened.description[name]) for name in ("dialect", "host", "port", "database"))

    @property
    def history(self) -> ServerHistory | None:
        """Whether the server's history has gone back; None where that is not known."""
        opened = self._opened
        return None if opened is None else opened.history

    def is_present(self, connection: sa.Connection) -> bool:
        """Tell whether a connection is one to the present database."""
        opened = self._opened
        return opened is not None and connection.engine.pool is opened.engine.pool

    def own_connection(self) -> Any:
        """Return a psycopg2 connection outside the pool, for the caller to close; None where there is no server.

        Raises:
            DatabaseAwayError: the database cannot be used now.
        """
        with self._present(READ) as opened:
            return None if opened.connect is None else opened.connect()

    @contextlib.contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A connection for one statement that only reads (autocommit on PostgreSQL).

        Raises:
            DatabaseAwayError: the database cannot be used now.
        """
        joint: sa.Connection | None = getattr(self._joint, "connection", None)
        if joint is not None:
            yield joint
            return
        with self._present(READ) as opened, opened.reader.connect() as connection:
            yield connection
            if opened.keeps_reads():
                connection.commit()

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[sa.Connection]:
        """A connection whose statements all see the same; give them `STREAMED`, and rows come as they are read.

        Raises:
            DatabaseAwayError: the database cannot be used now.
        """
        with self._present(SNAPSHOT) as opened, opened.snapshots.connect() as connection:
            yield connection

    @contextlib.contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """A transaction, committed when the block ends and rolled back when it raises.

        Raises:
            DatabaseAwayError: the database cannot be used now; nothing was written.
            IntegrityError: a constraint was violated.
        """
        joint: sa.Connection | None = getattr(self._joint, "connection", None)
        if joint is not None:
            with joint.begin_nested():
                yield joint
            return
        with self._present(WRITE) as opened, contextlib.closing(_begun(opened)) as connection:
            # also a commit that is refused, such as one without its entry in the audit log, is rolled back
            with connection.get_transaction() or connection.begin():
                yield connection
            hint = connection.info.pop(HINT, None)
            if hint is not None:
                _notify(connection, hint, opened)
            opened.truncate_log(connection)
        self.on_written()

    @contextlib.contextmanager
    def together(self) -> Iterator[sa.Connection]:
        """A transaction that blocks of this thread become parts of while it lasts: all is kept, or nothing.

        Raises:
            DatabaseAwayError: the database cannot be used now; nothing was written, unless it went away while
                committing.
        """
        with self.write() as connection:
            outer: sa.Connection | None = getattr(self._joint, "connection", None)
            self._joint.connection = connection
            try:
                yield connection
            finally:
                self._joint.connection = outer

    @contextlib.contextmanager
    def _present(self, kind: str) -> Iterator[OpenDatabase]:
        self._readiness.require_ready()
        opened = self._opened
        if opened is None:
            raise self._readiness.away()
        try:
            with opened.in_use(kind):
                yield opened
        except IntegrityError:
            raise
        except ProblemError as exc:  # a new connection could not be made
            log.warning("no database connection", extra={"code": exc.problem.code})
            if exc.problem.code != NO_MORE:  # with that the server is well, and so are the connections in use
                self.on_failure()
            if exc.problem.code in ONLY_NEW_REFUSED:
                raise DatabaseAwayError(exc.problem.message, code=exc.problem.code) from None
            raise DatabaseAwayError from None
        except DBAPIError as exc:
            if opened.is_overdue:
                self.on_failure()
                raise DatabaseAwayError(BUSY, code="busy") from None
            if exc.connection_invalidated or _is_lost(exc):
                opened.refresh()  # what broke one connection may have broken those that lie idle
            raise self._translated(exc) from None

    def _translated(self, exc: DBAPIError) -> Exception:
        """Turn a driver's error into 503 where waiting or the administrator can help; others stay what they are."""
        if exc.connection_invalidated or _is_lost(exc):
            self.on_failure()
            return DatabaseAwayError()
        if _sqlstate(exc) in _UNSTORABLE:
            return ValidationError("A character of the text cannot be stored in this database")
        code = _away_code(exc)
        if code == "busy":
            return DatabaseAwayError(BUSY, code=code)
        if code == "read-only":
            self.on_failure()  # the watch finds out whether all connections are so, and looks for the primary server
        if code is not None:
            log.error("the database refused a statement", extra={"code": code, "sqlstate": _sqlstate(exc)})
            sentence = problem(code).message
            if code == "storage-unwritable":
                sentence += f" {problem(code).remedy}"  # reading goes on, so no state of the process tells it
            return DatabaseAwayError(sentence, code=code, may_pass=problem(code).retryable)
        return exc


def _begun(opened: OpenDatabase) -> sa.Connection:
    """Return a connection whose transaction has begun on the server, so that nothing is sent to a dead one.

    A pool hands out what it has: if that turns out dead (all sessions ended by an administrator, a failover, a pooler's
    restart), nothing was sent yet, and it is done once more on a new one.
    """
    try:
        return _try_to_begin(opened)
    except DBAPIError as exc:
        if opened.is_overdue or not (exc.connection_invalidated or _is_lost(exc)):
            raise
    except ProblemError as exc:
        if exc.problem.code != "connection-lost":
            raise
    opened.refresh()
    return _try_to_begin(opened)


def _try_to_begin(opened: OpenDatabase) -> sa.Connection:
    connection = opened.writer.connect()
    try:
        connection.begin()
        connection.info.pop(HINT, None)
        if connection.dialect.name == "postgresql":
            # of whatever isolation the server starts with: who waits for a lock goes on with what it guards
            begun = connection.exec_driver_sql(_BEGUN)
            connection.info[NOW] = begun.scalar_one()
    except BaseException:
        connection.close()
        raise
    return connection


def _notify(connection: sa.Connection, channel: str, opened: OpenDatabase) -> None:
    """Notify those who listen, in a transaction of its own that waits for no disk; note how far the server's log is.

    A notification takes a lock of the whole server until its transaction is committed: in the one that writes, writers
    would wait for each other's disks. If it is lost, listeners look by the clock (`app.db.listening`).
    """
    import psycopg2

    with contextlib.suppress(psycopg2.Error):
        driver: Any = connection.connection.driver_connection
        driver.autocommit = True
        with driver.cursor() as cursor:
            position = ACKNOWLEDGED if opened.tells_position else "NULL, NULL"
            notify = f"SELECT set_config('synchronous_commit', 'off', true), pg_notify(%s, ''), {position}"
            cursor.execute(notify, (channel,))
            told = cursor.fetchone()
            if told is not None and opened.history is not None:
                opened.history.acknowledge(*told[-2:])


def _sqlstate(exc: DBAPIError) -> str:
    return getattr(exc.orig, "pgcode", None) or ""


def _is_lost(exc: DBAPIError) -> bool:
    """Class 08 is connection exceptions, 57P01 to 57P03 are shutdowns; an interface error means a closed connection."""
    return _sqlstate(exc)[:2] == "08" or _sqlstate(exc)[:4] == "57P0" or type(exc.orig).__name__ == "InterfaceError"


def _away_code(exc: DBAPIError) -> str | None:
    state = _sqlstate(exc)
    if state == "42501":
        return "permission-denied"
    if state == "25006":
        return "read-only"
    if state == "55P03":
        return "locked"
    if state[:2] in ("53", "55") or state in ("57014", "40001", "40P01", "25P03"):
        return "busy"
    if isinstance(exc.orig, sqlite3.OperationalError):
        name = getattr(exc.orig, "sqlite_errorname", "")
        if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
            return "busy"
        if name.startswith(("SQLITE_FULL", "SQLITE_IOERR", "SQLITE_READONLY", "SQLITE_CANTOPEN")):
            return "storage-unwritable"
    return None
