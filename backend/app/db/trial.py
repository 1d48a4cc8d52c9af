"""What the trial of a connection finds: which server answers, and how long each part of the way to it took."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

if TYPE_CHECKING:
    from app.db.settings import ConnectionSettings

_LOOKUP_PATIENCE_S: Final = 0.2
"""The driver resolved the name in the same time; an answer that takes longer than its own is not waited for."""
_AGE: Final = (
    "SELECT extract(epoch FROM clock_timestamp() - backend_start) FROM pg_stat_activity WHERE pid = pg_backend_pid()"
)
"""How long ago the server took the connection: before that is the way to it, after it TLS and login."""


class Phases(msgspec.Struct, frozen=True):
    """Milliseconds that each part took; None where it cannot be told."""

    lookup_ms: float | None
    """Resolving the host's name; None for an address."""
    reach_ms: float | None
    """From then until the server took the connection; None behind a pooler, whose sessions are older than that."""
    login_ms: float
    """TLS and login; with the way to the server where that cannot be told apart."""
    query_ms: float
    """The trivial query."""


class Trial(msgspec.Struct, frozen=True):
    """A connection that worked."""

    phases: Phases
    server_version: str | None
    encryption: str | None
    """Version of TLS; None without."""


class Arrival(NamedTuple):
    """When the server took a connection, on this computer's clock, in seconds."""

    at: float
    doubt_s: float
    """It may have been so much earlier or later: half of the time that asking for it took."""


def phases_between(
    begun_at: float, arrival: Arrival | None, connected_at: float, answered_at: float, *, lookup_s: float | None
) -> Phases:
    """Tell the parts of a connection by the instants between them, in seconds.

    Args:
        begun_at: nothing had been done.
        arrival: the server took the connection; None if that is not known.
        connected_at: login was over.
        answered_at: the query was answered.
        lookup_s: how long resolving the name took, at the same time as the driver did it.
    """
    way_s: float | None = None
    if arrival is not None and begun_at - arrival.doubt_s <= arrival.at <= connected_at + arrival.doubt_s:
        way_s = min(max(arrival.at, begun_at), connected_at) - begun_at
    if lookup_s is not None:  # measured beside the driver's own, and not longer than what it is a part of
        lookup_s = min(lookup_s, connected_at - begun_at if way_s is None else way_s)
    reach_s = None if way_s is None else way_s - (lookup_s or 0.0)
    return Phases(
        lookup_ms=None if lookup_s is None else lookup_s * 1000,
        reach_ms=None if reach_s is None else reach_s * 1000,
        login_ms=(connected_at - begun_at - (lookup_s or 0.0) - (reach_s or 0.0)) * 1000,
        query_ms=(answered_at - connected_at) * 1000,
    )


def taken_at(cursor: Any) -> Arrival | None:
    """Return when the server took this connection, on this computer's clock; None if it does not say."""
    import psycopg2

    asked_at = time.perf_counter()
    with contextlib.suppress(psycopg2.Error):  # nothing that a connection is good for hangs on it
        cursor.execute(_AGE)
        row = cursor.fetchone()
        if row is not None and row[0] is not None:
            half_s = (time.perf_counter() - asked_at) / 2
            return Arrival(asked_at + half_s - float(row[0]), half_s)
    return None


class Lookup:
    """Resolves the host's name beside the driver, which does not tell how long it took."""

    def __init__(self, settings: ConnectionSettings) -> None:
        self._took_s: float | None = None
        self._thread: threading.Thread | None = None
        if settings.hostaddr is None and len(settings.hosts) == 1 and _is_name(settings.hosts[0]):
            self._thread = threading.Thread(target=self._resolve, args=settings.hosts, name="lookup", daemon=True)
            self._thread.start()

    def _resolve(self, host: str) -> None:
        begun_at = time.perf_counter()
        with contextlib.suppress(OSError, UnicodeError):
            socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
            self._took_s = time.perf_counter() - begun_at

    def took_s(self) -> float | None:
        """Return how long it took; None if there was no name, or no answer yet."""
        if self._thread is not None:
            self._thread.join(_LOOKUP_PATIENCE_S)
        return self._took_s


def _is_name(host: str) -> bool:
    """Tell whether a host has to be resolved: it is neither an address nor the directory of a socket."""
    if host.startswith(("/", "@")):
        return False
    try:
        socket.getaddrinfo(host, None, flags=socket.AI_NUMERICHOST)
    except (OSError, UnicodeError):
        return True
    return False
