"""Connections that lie ready for the next call, and are closed once nobody has wanted them for a while."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy.pool import Pool

from app.core.exceptions import ProblemError
from app.core.turns import Turns

if TYPE_CHECKING:
    from sqlalchemy.pool import ConnectionPoolEntry

IDLE_S: Final = 30.0
"""How long a connection stays open that nobody uses."""
SPARE_S: Final = 5.0
"""How long the last one stays where another can be lent in its place: what is done now and then in the background would
keep both of them."""
PLACE_TIMEOUT_S: Final = 5.0
"""How long a call waits for a place, or for a connection of a server that grants no other."""
LOOK_AGAIN_S: Final = 0.5
"""How often the first of those who wait looks whether the server grants more of them again."""
NO_MORE: Final = "too-many-connections"
ONLY_NEW_REFUSED: Final = (NO_MORE, "password-rejected")
"""Refusals of a new connection that say nothing against those which are open, such as of a token that has expired."""
_STALE: Final = "taskflow_stale"


class IdlePool(Pool):
    """Hands out the connection that was used last, so that those which a burst has left behind grow old.

    It sets no limit: whoever asks has waited for a place before (`app.db.session`).
    """

    def __init__(self, creator: Any, **given: Any) -> None:
        super().__init__(creator, **given)
        self.logger = logging.getLogger(
            "sqlalchemy.pool"
        )  # not ours: it tells more of connections than is to be logged
        self._creator_given = creator
        self._idle: list[tuple[ConnectionPoolEntry, float]] = []
        self._in_use = 0
        self._lock = threading.Condition()
        self._turns = Turns(self._lock)
        """Of those who wait for a connection in use, as the server grants no other."""

    def _do_get(self) -> ConnectionPoolEntry:
        with self._lock:
            if self._turns:
                return self._wait_for_another()
            if self._idle:
                return self._take()
        try:
            return self._create()
        except ProblemError as exc:
            if exc.problem.code not in ONLY_NEW_REFUSED or not self._may_come_back():
                raise
        with self._lock:
            return self._wait_for_another()

    def _take(self) -> ConnectionPoolEntry:
        self._in_use += 1
        return self._idle.pop()[0]

    def _create(self) -> ConnectionPoolEntry:
        created = self._create_connection()
        with self._lock:
            self._in_use += 1
        return created

    def _wait_for_another(self) -> ConnectionPoolEntry:
        """Wait, with the lock held, until a connection in use comes back, or the server has room again.

        Raises:
            ProblemError: neither happens in time, or no connection is in use that could come back.
        """
        deadline = time.monotonic() + PLACE_TIMEOUT_S
        with self._turns.waiting() as turn:
            while True:
                pause_s = min(LOOK_AGAIN_S, deadline - time.monotonic())
                self._lock.wait_for(lambda: not self._may_come_back() or self._is_for(turn), pause_s)
                if self._is_for(turn):
                    return self._take()
                is_last_try = time.monotonic() >= deadline or not self._may_come_back()
                if not self._turns.is_first(turn) and not is_last_try:
                    continue
                try:
                    return self._create_unlocked()
                except ProblemError as exc:
                    if is_last_try or exc.problem.code not in ONLY_NEW_REFUSED:
                        raise

    def _is_for(self, turn: object) -> bool:
        return bool(self._idle) and self._turns.is_first(turn)

    def _may_come_back(self) -> bool:
        return bool(self._in_use or self._idle)

    def _create_unlocked(self) -> ConnectionPoolEntry:
        self._lock.release()
        try:
            return self._create()
        finally:
            self._lock.acquire()

    def _do_return_conn(self, record: ConnectionPoolEntry) -> None:
        is_of_use = record.dbapi_connection is not None and not _info(record).get(_STALE)
        with self._lock:
            self._in_use -= 1
            if is_of_use:
                self._idle.append((record, time.monotonic()))
            self._lock.notify_all()
        if not is_of_use:
            record.close()

    def close_idle(self, idle_s: float = 0.0, last_idle_s: float | None = None) -> None:
        """Close what nobody has used for that long; the last one sooner, if that is given."""
        with self._lock:
            is_last = len(self._idle) == 1 and not self._in_use
            until = time.monotonic() - (last_idle_s if is_last and last_idle_s is not None else idle_s)
            old = [record for record, since in self._idle if since <= until]
            self._idle = [(record, since) for record, since in self._idle if since > until]
        for record in old:
            record.close()

    def take_idle(self) -> Any:
        """Let go of the connection that was used last, for the caller to keep; None if there is none to spare."""
        with self._lock:
            record: Any = self._idle.pop()[0] if self._idle and not self._turns else None
        if record is None:
            return None
        connection, record.dbapi_connection = record.dbapi_connection, None
        return connection

    def dispose(self) -> None:
        """Close what is idle."""
        self.close_idle()

    def recreate(self) -> IdlePool:
        """Return an empty one of the same kind."""
        return IdlePool(self._creator_given, echo=self.echo, _dispatch=self.dispatch, dialect=self._dialect)

    def status(self) -> str:
        """Tell how many are idle."""
        return f"{len(self._idle)} idle"


def mark_stale(record: ConnectionPoolEntry) -> None:
    """Let a connection in use be closed when it comes back."""
    _info(record)[_STALE] = True


def _info(record: ConnectionPoolEntry) -> dict[Any, Any]:
    return record.record_info if record.record_info is not None else {}
