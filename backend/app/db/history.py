"""Whether a server's history has gone back: after a failover to a standby that lagged, or from an older backup.

A server writes all that happens into one log, and what it has once written there for good it keeps even through a
crash. So when its log ends earlier than it did before, what lay between is lost, and nobody else tells. A standby that
is promoted goes on under the next timeline from where its own log ends: what the old primary had written beyond that
is lost as well, however far the new one has written since.

How far each server was seen is kept in a file, so that a desktop that was off meanwhile finds it out too, and so is
what was found, until a person has accepted it.
"""

from __future__ import annotations

import json
import math
import re
import threading
import time
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from app.core.files import read_private, write_atomically
from app.core.logging import get_logger

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HISTORY_FILE: Final = "server.history"
_KEEP_S: Final = 60.0
"""How often it is written down how far a server was seen, at most; a loss is at once."""
_MAX_SERVERS: Final = 32
_TIMELINE: Final = re.compile(r"[0-9A-F]{8}")

POSITION: Final = (
    "(SELECT system_identifier::text FROM pg_control_system()),"
    " CASE WHEN NOT pg_is_in_recovery() THEN (pg_current_wal_flush_lsn() - '0/0')::int8 END,"
    " CASE WHEN NOT pg_is_in_recovery() THEN left(pg_walfile_name(pg_current_wal_flush_lsn()), 8) END,"
    " current_setting('synchronous_standby_names') <> ''"
)
"""What a server is asked: its identity, how far its log is written for good, on which timeline, and whether a commit
waits for a standby. A standby's own log only follows."""
ACKNOWLEDGED: Final = "(pg_current_wal_flush_lsn() - '0/0')::int8, left(pg_walfile_name(pg_current_wal_flush_lsn()), 8)"
"""The same after a commit, in short."""
FORK: Final = (
    "SELECT least(CASE WHEN min_recovery_end_lsn > '0/0' THEN (min_recovery_end_lsn - '0/0')::int8 END,"
    " CASE WHEN timeline_id = %s THEN (redo_lsn - '0/0')::int8 END)"
    " FROM pg_control_recovery(), pg_control_checkpoint()"
)
"""Where a timeline began, or a little later: what recovery ended with, or where the first checkpoint starts from."""

log = get_logger(__name__)


class Position(NamedTuple):
    """How far a server's log is written for good."""

    end: int
    timeline: int
    is_synchronous: bool = False
    """What was written last may wait for a standby yet: nobody was told that it is kept."""


def position_of(end: object, timeline: object, *, is_synchronous: object = False) -> Position | None:
    """Return what a server has told; None where it tells nothing, or what no server would."""
    if not isinstance(end, int) or not isinstance(timeline, str) or not _TIMELINE.fullmatch(timeline):
        return None
    return Position(end, int(timeline, 16), is_synchronous is True)


class _Known(msgspec.Struct):
    """What is known of one server."""

    end: int = 0
    """How far its log was written for good by all that is known to have been acknowledged."""
    timeline: int = 0
    pending: int = 0
    """The same without what may not have been acknowledged yet."""
    lost_at: str | None = None
    is_noted: bool = False
    """The audit log tells it already."""
    acknowledged: tuple[int, float] = (0, 0.0)
    """How far the log was written when a commit had just been acknowledged, and when that was."""
    is_new: bool = False
    """The timeline has changed, and what the audit log says of that was not looked at yet."""


class Histories:
    """How far the logs of servers were seen, and when one was found to end earlier; safe to use from threads.

    Args:
        file: keeps it between processes; None keeps it while this one lives.
        keeps: write it; otherwise it is only read.
    """

    def __init__(self, file: Path | None = None, *, keeps: bool = True) -> None:
        self._file = file
        self._keeps = keeps
        self._known: dict[str, _Known] | None = None
        self._lock = threading.Lock()
        self._kept_at = time.monotonic()  # not on the way to readiness
        self._is_behind = False

    def of(self, server: str) -> ServerHistory:
        """Return the history of one server."""
        return ServerHistory(self, server)

    def seen(
        self,
        server: str,
        now: Position | None,
        fork: Callable[[int], int | None] = lambda _: None,
        *,
        asked_at: float = math.inf,
    ) -> str | None:
        """Note where a server's log ends now; tell when its history was found to have gone back, None if never.

        Args:
            server: address and identity.
            now: None where the server does not tell it, as a standby.
            fork: tells where a timeline began, if the server does.
            asked_at: when the server was asked, by the monotonic clock; what was acknowledged later proves nothing.
        """
        with self._lock:
            known = self._all().setdefault(server, _Known())
            if now is None:
                return known.lost_at
            end, at = known.acknowledged
            if at < asked_at:
                known.end = max(known.end, end)
            has_gone_back = self._has_gone_back(known, now, fork)
            if now.timeline != known.timeline:
                known.acknowledged, known.is_new = (0, 0.0), bool(known.timeline)
            if has_gone_back:
                _lose(known)
                known.end, known.pending, known.timeline = now.end, now.end, now.timeline
                self._keep()
            elif (known.pending, known.timeline) != (now.end, now.timeline):
                acknowledged = known.pending if known.timeline == now.timeline else 0
                known.end = acknowledged if now.is_synchronous else now.end
                known.pending, known.timeline = now.end, now.timeline
                self._is_behind = True
            else:
                known.end = now.end
            if self._is_behind and time.monotonic() - self._kept_at > _KEEP_S:
                self._keep()
            return known.lost_at

    def acknowledge(self, server: str, end: int, timeline: int) -> None:
        """Note how far the log was written when a commit had just been acknowledged."""
        with self._lock:
            known = self._all().setdefault(server, _Known())
            if timeline == known.timeline:  # else the next look finds out what the new one began with
                known.acknowledged = (max(end, known.acknowledged[0]), time.monotonic())

    @staticmethod
    def _has_gone_back(known: _Known, now: Position, fork: Callable[[int], int | None]) -> bool:
        if now.end < known.end:
            return True
        if not known.timeline or now.timeline == known.timeline:
            return False
        began = fork(now.timeline)
        return began is not None and began < known.end

    def change(self, server: str, change: Callable[[Any], None]) -> None:
        """Change what is known of a server, and keep it at once."""
        with self._lock:
            change(self._all().setdefault(server, _Known()))
            self._keep()

    def get(self, server: str) -> Any:
        """Return what is known of a server."""
        with self._lock:
            return self._all().setdefault(server, _Known())

    def keep(self) -> None:
        """Write down what is not kept yet."""
        with self._lock:
            if self._is_behind:
                self._keep()

    def _all(self) -> dict[str, _Known]:
        if self._known is None:
            self._known = _read(self._file) if self._file is not None else {}
        return self._known

    def _keep(self) -> None:
        if self._file is None or not self._keeps:
            return
        self._kept_at = time.monotonic()
        newest = list(self._all().items())[-_MAX_SERVERS:]
        content = {name: {kept: getattr(known, kept) for kept in _KEPT} for name, known in newest}
        try:
            write_atomically(self._file, json.dumps(content).encode())
        except OSError as exc:
            log.warning("how far the server was seen is not kept", extra={"cause": exc.strerror})
        else:
            self._is_behind = False


def _lose(known: _Known) -> None:
    log.warning("the history of the database's server has gone back")
    known.lost_at, known.is_noted = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), False


_KEPT: Final = ("end", "timeline", "pending", "lost_at", "is_noted", "is_new")


def _read(file: Path) -> dict[str, _Known]:
    """Return what was kept; a file that is lost or damaged is no obstacle."""
    try:
        content = json.loads(read_private(file))
        return {str(name): _known(**found) for name, found in content.items()}
    except (OSError, ValueError, RecursionError, AttributeError, TypeError):
        return {}


def _known(*, end: int, timeline: int, pending: int, lost_at: str | None, is_noted: bool, is_new: bool) -> _Known:
    at = None if lost_at is None else str(lost_at)
    return _Known(int(end), int(timeline), int(pending), at, bool(is_noted), is_new=bool(is_new))


class ServerHistory:
    """The history of one server, for whoever tells it."""

    def __init__(self, histories: Histories, server: str) -> None:
        self._histories = histories
        self._server = server

    @property
    def lost_at(self) -> str | None:
        """When it was found to have gone back; None if it was not, or that is accepted."""
        found: str | None = self._histories.get(self._server).lost_at
        return found

    @property
    def timeline(self) -> int:
        """The server's present timeline."""
        return int(self._histories.get(self._server).timeline)

    @property
    def is_noted(self) -> bool:
        """Whether the audit log tells it already."""
        return bool(self._histories.get(self._server).is_noted)

    @property
    def is_new(self) -> bool:
        """Whether the timeline has changed, and nobody has compared yet what is there with what should be."""
        return bool(self._histories.get(self._server).is_new)

    def compared(self, *, is_lost: bool) -> None:
        """Remember what a comparison has shown that followed a change of the timeline."""

        def change(known: _Known) -> None:
            known.is_new = False
            if is_lost and known.lost_at is None:
                _lose(known)

        self._histories.change(self._server, change)

    def acknowledge(self, end: object, timeline: object) -> None:
        """Note how far the log was written when a commit had just been acknowledged, as the server told it."""
        position = position_of(end, timeline)
        if position is not None:
            self._histories.acknowledge(self._server, position.end, position.timeline)

    def note(self, lost_at: str) -> None:
        """Remember that the audit log tells it, or told it to this desktop."""

        def change(known: _Known) -> None:
            known.lost_at, known.is_noted = lost_at, True

        self._histories.change(self._server, change)

    def settle(self) -> None:
        """Tell it no longer: a person has accepted it."""

        def change(known: _Known) -> None:
            known.lost_at, known.is_noted = None, False

        self._histories.change(self._server, change)
