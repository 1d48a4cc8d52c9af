"""Connections that lie ready for the next call, and are closed once nobody has wanted them for a while."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy.pool import Pool

from app.core.exceptions import ProblemError

if TYPE_CHECKING:
    from sqlalchemy.pool import ConnectionPoolEntry

IDLE_S: Final = 30.0
"""How long a connection stays open that nobody uses."""
SPARE_S: Final = 5.0
"""How long the last one stays where another can be lent in its place: what is done now and then in the background would
keep both of them."""
PLACE_TIMEOUT_S: Final = 5.0
"""How long a call waits for a place, or for a connection of a server that has no more of them."""
NO_MORE: Final = "too-many-connections"
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
        self._waiting = 0
        self._lock = threading.Condition()

    def _do_get(self) -> ConnectionPoolEntry:
        with self._lock:
            self._in_use += 1
            if self._idle:
                return self._idle.pop()[0]
        try:
            return self._create_connection()
        except BaseException as exc:
            with self._lock:
                self._in_use -= 1
                is_full = isinstance(exc, ProblemError) and exc.problem.code == NO_MORE
                if not is_full or not self._wait_for_another():
                    raise
                self._in_use += 1
                return self._idle.pop()[0]

    def _wait_for_another(self) -> bool:
        """Wait until a connection in use comes back; False if there is none, or none that does so in time."""
        self._waiting += 1
        try:
            return bool(self._idle) or (
                self._in_use > 0 and self._lock.wait_for(lambda: bool(self._idle), PLACE_TIMEOUT_S)
            )
        finally:
            self._waiting -= 1

    def _do_return_conn(self, record: ConnectionPoolEntry) -> None:
        with self._lock:
            self._in_use -= 1
        if record.dbapi_connection is None:
            return  # it broke
        if _info(record).get(_STALE):
            record.close()
            return
        with self._lock:
            self._idle.append((record, time.monotonic()))
            self._lock.notify()

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
            record: Any = self._idle.pop()[0] if self._idle and not self._waiting else None
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
