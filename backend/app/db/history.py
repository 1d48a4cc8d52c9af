"""Whether a server's history has gone back: after a failover to a standby that lagged, or from an older backup.

A server writes all that happens into one log, and what it has once written there for good it keeps even through a
crash. So when its log ends earlier than it did before, what lay between is lost, and nobody else tells.
"""

from __future__ import annotations

import threading
import time
from typing import Final, TypeAlias

from app.core.logging import get_logger

_Server: TypeAlias = tuple[object, ...]

POSITION: Final = (
    "(SELECT system_identifier FROM pg_control_system()),"
    " CASE WHEN pg_is_in_recovery() THEN NULL ELSE (pg_current_wal_flush_lsn() - '0/0')::int8 END"
)
"""What a server is asked: its identity, and how far its log is written for good; a standby's only follows."""


log = get_logger(__name__)


class Histories:
    """How far the logs of servers were seen, and when one was found to end earlier, while the process lives."""

    def __init__(self) -> None:
        self._ends: dict[_Server, int] = {}
        self._lost_at: dict[_Server, str] = {}
        self._lock = threading.Lock()

    def seen(self, server: _Server, end: int | None) -> str | None:
        """Note where a server's log ends now; tell when its history was found to have gone back, None if never."""
        with self._lock:
            if end is not None:
                if end < self._ends.get(server, 0):
                    log.warning("the history of the database's server has gone back")
                    self._lost_at[server] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
                self._ends[server] = end
            return self._lost_at.get(server)
