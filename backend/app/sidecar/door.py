"""Who gets a connection: anybody, as long as there is room, and the desktop always.

Other users of this computer can connect too. Their connections take places that are counted, so that the process keeps
descriptors for itself; when all places are taken, the connection longest there that has shown no token makes room.
A connection that sends no complete request head within `HEAD_S` is closed.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Final, Protocol

from app.core.logging import get_logger

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

HEAD_S: Final = 5.0
"""Within which a request's head arrives, once the connection stands or the first byte is there."""
MAX_CONNECTIONS: Final = 512
FEWEST_CONNECTIONS: Final = 8
OWN_DESCRIPTORS: Final = 48
"""For files, database connections and pipes of the process itself."""
TICK_S: Final = 0.5
TELL_S: Final = 60.0
"""How often a line of the log that anybody can cause is written at most."""
FULL_S: Final = 0.2
"""How long nobody is let in when the system has no descriptors left."""

STRANGER, USER, LAUNCHER = range(3)
"""What a connection has shown so far; the lower makes room first, a launcher's never does."""

log = get_logger(__name__)


class Connection(Protocol):
    """What the door knows of a connection."""

    waiting_since: float | None
    """When the head that is awaited began to be awaited, by the loop's clock; None while there is no such."""

    def dismiss(self, *, is_late: bool) -> None:
        """Close it; `is_late` because of its head."""


def places() -> int:
    """Return how many connections there is room for.

    A call through the gateway has a connection of its own to the provider, so half of what the process may open
    beside its own descriptors is left for that.
    """
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return MAX_CONNECTIONS
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit == resource.RLIM_INFINITY:
        return MAX_CONNECTIONS
    return max(FEWEST_CONNECTIONS, min(MAX_CONNECTIONS, (limit - OWN_DESCRIPTORS) // 2))


class Door:
    """Lets connections in; belongs to one event loop."""

    def __init__(self, listener: socket.socket, new_connection: Callable[[], asyncio.Protocol], capacity: int) -> None:
        self._listener = listener
        self._new_connection = new_connection
        self._capacity = capacity
        self._ranks: dict[Connection, int] = {}
        self._by_rank: tuple[dict[Connection, None], ...] = ({}, {}, {})
        """Connections in the order in which they came to their rank."""
        self._counted: Counter[str] = Counter()
        self._told_at: dict[str, float] = {}
        self._tasks: list[asyncio.Task[None]] = []

    def open(self) -> None:
        """Begin to let connections in."""
        self._listener.settimeout(0)
        self._tasks = [asyncio.ensure_future(self._let_in()), asyncio.ensure_future(self._watch())]

    async def close(self) -> None:
        """Let nobody in any more, and tell what was counted."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for message in list(self._counted):
            self._tell(message)

    # --- what connections tell ---------------------------------------------------------------------------------------

    def entered(self, connection: Connection) -> None:
        """Note a new connection; the one that is first to go makes room for it."""
        if len(self._ranks) < self._capacity or self._make_room():
            self._set_rank(connection, STRANGER)
        else:
            connection.dismiss(is_late=False)

    def left(self, connection: Connection) -> None:
        """Note that a connection has ended."""
        rank = self._ranks.pop(connection, None)
        if rank is not None:
            del self._by_rank[rank][connection]

    def proven(self, connection: Connection, rank: int) -> None:
        """Note that a connection has shown a token."""
        if self._ranks.get(connection, LAUNCHER) < rank:
            self.left(connection)
            self._set_rank(connection, rank)

    def count(self, message: str) -> None:
        """Have a line in the log that tells how often this has happened."""
        self._counted[message] += 1

    # --- inside ------------------------------------------------------------------------------------------------------

    def _set_rank(self, connection: Connection, rank: int) -> None:
        self._ranks[connection] = rank
        self._by_rank[rank][connection] = None

    def _make_room(self) -> bool:
        """Close the connection that is first to go; False if there are only launchers'."""
        self.count("connections made room for others")
        for rank in (STRANGER, USER):
            for connection in self._by_rank[rank]:
                self.left(connection)
                connection.dismiss(is_late=False)
                return True
        return False

    async def _let_in(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, _ = await loop.sock_accept(self._listener)
            except OSError:  # no descriptors left in the whole system, or the client has gone again
                self.count("connections not let in")
                await asyncio.sleep(FULL_S)
                continue
            try:
                await loop.connect_accepted_socket(self._new_connection, connection)
            except OSError:
                connection.close()

    async def _watch(self) -> None:
        """Close connections whose heads do not arrive, and tell what was counted."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(TICK_S)
            now = loop.time()
            for connection in list(self._ranks):
                since = connection.waiting_since
                if since is not None and now - since > HEAD_S:
                    self.count("connections without a request")
                    connection.dismiss(is_late=True)
            for message in list(self._counted):
                if now - self._told_at.get(message, -TELL_S) >= TELL_S:
                    self._told_at[message] = now
                    self._tell(message)

    def _tell(self, message: str) -> None:
        count = self._counted.pop(message)
        log.warning(message, extra={"count": count})
