"""Live events: one thread reads the log of changes for every stream of this process, while there are any."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import weakref
from typing import TYPE_CHECKING, Final

from app.core.exceptions import DatabaseAwayError, RequestError
from app.core.logging import get_logger
from app.db.listening import Hints
from app.services.work.change_log import EVERYTHING, RESYNC, Event, Position, after, newest
from app.services.work.changes import CHANNEL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.core.readiness import Readiness
    from app.db.session import Database

MAX_PENDING: Final = 10_000
"""Events that wait for a client that does not read; it has to read everything anew then."""
PROGRESS: Final = "progress"
STOP_S: Final = 1.0

log = get_logger(__name__)


def resync(position: Position) -> Event:
    """Return what tells that changes were missed which nobody can name."""
    return Event(position, EVERYTHING, "", RESYNC)


class Subscription:
    """What one stream has still to tell. Filled from any thread, emptied in the event loop."""

    def __init__(self, position: Position, missed: list[Event]) -> None:
        self.position = None if missed else position
        """What a client knows that has read nothing yet; None if there is something it has not."""
        self.has_ended = False
        self._pending = missed
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._arrived = asyncio.Event()

    def deliver(self, events: Sequence[Event]) -> None:
        """Add events."""
        with self._lock:
            self._pending.extend(events)
            if len(self._pending) > MAX_PENDING:
                self._pending = [resync(self._pending[-1].position)]
        self._wake()

    def end(self) -> None:
        """Let the stream end."""
        self.has_ended = True
        self._wake()

    def _wake(self) -> None:
        with self._lock:
            loop = self._loop
        if loop is not None:
            with contextlib.suppress(RuntimeError):  # the event loop has ended
                loop.call_soon_threadsafe(self._arrived.set)

    async def take(self, timeout_s: float) -> list[Event]:
        """Return what has arrived, in order; nothing after a while without, and at the end."""
        with self._lock:
            self._loop = asyncio.get_running_loop()
            if self._pending or self.has_ended:
                self._arrived.set()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._arrived.wait(), timeout_s)
        self._arrived.clear()
        with self._lock:
            taken, self._pending = self._pending, []
        return taken


class Events:
    """The streams of this process and the thread that feeds them."""

    def __init__(self, database: Database, readiness: Readiness) -> None:
        self._database = database
        self._readiness = readiness
        # weakly: a stream whose client left before its first byte is simply forgotten
        self._subscriptions: weakref.WeakSet[Subscription] = weakref.WeakSet()
        self._membership = threading.Lock()
        self._reading = threading.Lock()
        """Held while the log is read: whoever holds it may move the position."""
        self._position: Position | None = None
        self._target: object = None
        """The database that the position belongs to."""
        self._hints: Hints | None = None
        self._thread: threading.Thread | None = None
        self._stopped = False
        database.on_written = self._wake

    def subscribe(self, last_event_id: str | None) -> Subscription:
        """Begin a stream; whatever becomes visible from now on will be in it.

        Args:
            last_event_id: id of the last event that the client got from an earlier stream; what it missed comes first.

        Raises:
            DatabaseAwayError: the database cannot be used now.
        """
        with self._reading:
            present = self._catch_up()
            missed = [] if last_event_id is None else self._missed(Position.parse(last_event_id), present)
            subscription = Subscription(present, missed)
            with self._membership:
                if self._stopped:
                    raise DatabaseAwayError("The sidecar is stopping.", code="stopping")
                self._subscriptions.add(subscription)
                self._begin()
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        """End a stream; with the last one the thread ends, and its session."""
        with self._membership:
            self._subscriptions.discard(subscription)
        self._wake()

    def tell_progress(self, resource: str, identifier: str, done: int, of: int) -> None:
        """Tell the streams of this process how far long work has come."""
        with self._reading:
            position = self._position
            if position is not None:  # there is nobody to tell otherwise
                for subscription in self._present():
                    subscription.deliver([Event(position, resource, identifier, PROGRESS, (done, of))])

    def stop(self) -> None:
        """End every stream, and begin none any more; does not block."""
        self._stopped = True
        for subscription in self._present():
            subscription.end()
        self._wake()

    def join(self) -> None:
        """Wait, but not long, until the thread has let go of the database."""
        thread = self._thread
        if thread is not None:
            thread.join(STOP_S)

    def _wake(self) -> None:
        hints = self._hints
        if hints is not None:
            hints.wake()

    def _present(self) -> list[Subscription]:
        with self._membership:
            return list(self._subscriptions)

    # --- reading -----------------------------------------------------------------------------------------------------

    def _catch_up(self) -> Position:
        """Read what is new and hand it to every stream; return where they are now. Hold `_reading`."""
        target = self._database.target
        position = self._position
        if position is None or target != self._target or not self._present():
            return self._begin_anew(target)
        while events := after(self._database, position):
            position = self._deliver(events)
        return self._begin_anew(target) if events is None else position

    def _begin_anew(self, target: object) -> Position:
        """Go to the end of the log; streams that were elsewhere have to read everything anew."""
        self._target = target
        return self._deliver([resync(newest(self._database))])

    def _deliver(self, events: Sequence[Event]) -> Position:
        for subscription in self._present():
            subscription.deliver(events)
        self._position = events[-1].position
        return self._position

    def _missed(self, known: Position | None, present: Position) -> list[Event]:
        """Return what came after `known`, as far as every other stream is now."""
        missed: list[Event] = []
        while known != present:
            is_earlier = known is not None and known.number < present.number
            found = after(self._database, known) if known is not None and is_earlier else None
            news = [event for event in found or () if event.position.number <= present.number]
            if not news:
                return [resync(present)]
            missed += news
            known = news[-1].position
        return missed

    # --- the thread --------------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        """Start the thread unless it lives; hold `_membership`."""
        if self._thread is None:
            self._hints = Hints(self._database, CHANNEL)
            self._thread = threading.Thread(target=self._live, args=(self._hints,), name="events", daemon=True)
            self._thread.start()

    def _live(self, hints: Hints) -> None:
        with contextlib.closing(hints), self._readiness.listening(hints.wake):
            while self._is_wanted():
                self._look(hints)
                hints.wait()

    def _is_wanted(self) -> bool:
        with self._membership:
            if self._subscriptions and not self._stopped:
                return True
            self._thread = self._hints = None
            return False

    def _look(self, hints: Hints) -> None:
        if not self._readiness.is_ready:
            return
        try:
            hints.attend()
            with self._reading:
                self._catch_up()
        except RequestError as exc:  # the database is away: what is missed now is read when it is back
            log.debug("changes not read", extra={"code": exc.code})
        except Exception:  # the outermost edge of the thread: streams must not fall silent for good
            log.exception("changes not read")
