"""When to look for what other desktops did: PostgreSQL's notifications, else the clock."""

from __future__ import annotations

import contextlib
import select
import socket
import time
from typing import TYPE_CHECKING, Any, Final

from app.core.exceptions import RequestError
from app.core.logging import get_logger
from app.db.pool import ONLY_NEW_REFUSED

if TYPE_CHECKING:
    from app.db.session import Database

POLL_S: Final = 0.25
"""How often to look where nobody notifies: SQLite, and PostgreSQL behind a pooler."""
DISTRUST_S: Final = 5.0
"""How often to look in spite of notifications: a network may swallow them."""
RETRY_S: Final = 30.0
"""How long to poll before another session is asked of a server that had none to spare."""

log = get_logger(__name__)


class Hints:
    """Wakes one thread whenever there may be something new. Used by that thread, but for `wake`.

    On PostgreSQL it keeps one session that listens to a channel. A pooler that shares sessions between clients would
    swallow its notifications; then it polls instead, as it does on SQLite.
    """

    def __init__(self, database: Database, channel: str) -> None:
        self._database = database
        self._channel = channel
        self._mine, self._theirs = socket.socketpair()
        self._mine.settimeout(0)
        self._theirs.settimeout(0)
        self._session: Any = None
        self._generation = -1
        """Of the engine that was asked for a session."""
        self._retry_at = 0.0

    def wake(self) -> None:
        """Let the thread look now; from any thread, also after `close`."""
        with contextlib.suppress(OSError):  # full of wakes already, or closed
            self._theirs.send(b"\0")

    def attend(self) -> None:
        """Begin to listen, where that is possible and not done already; call it before each look.

        Raises:
            DatabaseAwayError: the database cannot be used now.
        """
        generation = self._database.generation
        if generation != self._generation:
            self._hang_up()
            self._retry_at = 0.0
            self._generation = generation
        if self._session is None and time.monotonic() >= self._retry_at:
            self._retry_at = time.monotonic() + RETRY_S
            self._listen()

    def _listen(self) -> None:
        try:
            session = self._database.own_connection()
        except RequestError as exc:
            if exc.code not in ONLY_NEW_REFUSED:
                self._retry_at = 0.0
                raise
            return
        if session is None:
            return
        if not self._begin(session):
            session.close()
            return
        self._session = session

    def _begin(self, session: Any) -> bool:
        """Ask for notifications; False where they would not arrive."""
        import psycopg2

        from app.db.connect import CONNECT_TIMEOUT_S, cut_off_after

        try:
            session.autocommit = True
            with cut_off_after(session, CONNECT_TIMEOUT_S), session.cursor() as cursor:
                cursor.execute("SELECT pg_backend_pid()")
                if cursor.fetchone() != (session.info.backend_pid,):  # what answers is not what was connected to
                    log.info("a pooler is in between, changes are polled")
                    return False
                cursor.execute(f"LISTEN {self._channel}")
        except psycopg2.Error:
            return False
        return True

    def wait(self) -> None:
        """Return when there is a reason to look, or time to."""
        sources = [self._mine] if self._session is None else [self._mine, self._session]
        try:
            ready, _, _ = select.select(sources, [], [], POLL_S if self._session is None else DISTRUST_S)
        except (OSError, ValueError):  # the session's socket was closed
            self._hang_up()
            return
        if self._mine in ready:
            with contextlib.suppress(OSError):
                self._mine.recv(4096)
        if self._session is not None and self._session in ready:
            self._drain()

    def _drain(self) -> None:
        import psycopg2

        try:
            self._session.poll()
        except psycopg2.Error:  # the server hung up; the next look tells whether it is gone
            self._hang_up()
            self._retry_at = 0.0
        else:
            self._session.notifies.clear()

    def _hang_up(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            with contextlib.suppress(Exception):  # whatever is wrong with it, it is not wanted any more
                session.close()

    def close(self) -> None:
        """Let go of the session."""
        self._hang_up()
        self._mine.close()
        self._theirs.close()
