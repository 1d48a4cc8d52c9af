"""A database that is proven once and then watched: a file of our own, or a server."""

from __future__ import annotations

import contextlib
import math
import os
import threading
import time
from typing import TYPE_CHECKING, Any, Final

from app.core.exceptions import ProblemError
from app.core.problems import Problem, problem
from app.core.readiness import EMBEDDED, POSTGRESQL
from app.db.base import utc_now
from app.db.history import FORK, POSITION, Histories, position_of
from app.db.pool import ONLY_NEW_REFUSED
from app.db.round_trip import RoundTrip

if TYPE_CHECKING:
    from pathlib import Path

    from app.core.readiness import Run
    from app.db.session import Entrance, OpenDatabase

_MAX_SYSTEM: Final = 20
"""Digits of what a server calls itself."""
_SILENCE: Final = "connection-timeout"
_JUST_NOW_S: Final = 0.3
"""Short beside the deadline: a server that goes away right after an answer is found out in time."""
_AT_WORK_S: Final = 1.0
"""From one beat to the next: whoever has answered since then need not be asked."""
_UNSEEN_S: Final = 5.0
"""How long calls stand in for the heart at most: it alone looks at the server's clock and history."""


class Watched:
    """A database that can be proven and, once ready, watched."""

    mode: str

    def __init__(self, database: OpenDatabase) -> None:
        self.database = database

    def prove(self, run: Run) -> None:
        """Make one connection and complete the description; raises ProblemError."""
        raise NotImplementedError

    def heartbeat(self, run: Run, *, suspicious: bool) -> Problem | None:
        """Return None while the database answers; `suspicious` after a use has failed."""
        raise NotImplementedError

    def close(self) -> None:
        """Let go of what watching holds open."""

    def abandon(self) -> None:
        """Let go of everything: this database did not become ready."""
        self.close()
        self.database.retire()


class WatchedSqlite(Watched):
    """A file of our own: it answers as long as it is there."""

    mode = EMBEDDED

    @property
    def file(self) -> Path:
        """Where the database is."""
        from pathlib import Path

        return Path(self.database.engine.url.database or "")

    def prove(self, run: Run) -> None:
        """Open the file."""
        import sqlalchemy as sa

        from app.db.migrations import problems_of_database

        with problems_of_database(), self.database.reader.connect() as connection:
            connection.scalar(sa.text("SELECT count(*) FROM sqlite_master"))

    def heartbeat(self, run: Run, *, suspicious: bool) -> Problem | None:
        """Look whether the file is still there."""
        if not os.path.exists(self.file):  # noqa: PTH110 - false as well for a drive or share that fails otherwise
            return problem("connection-lost", retryable=True)
        if suspicious:
            try:
                self.prove(run)
            except ProblemError as exc:
                return exc.problem
        return None


class WatchedPostgres(Watched):
    """A server: one connection of its own carries the heartbeat."""

    mode = POSTGRESQL

    def __init__(self, database: OpenDatabase, entrance: Entrance, histories: Histories | None = None) -> None:
        super().__init__(database)
        self._entrance = entrance
        self._histories = Histories() if histories is None else histories
        self._tells_position = True
        self._round_trip = RoundTrip()
        self._heart: object | None = None
        self._beaten_at = -math.inf
        self._hand_over = threading.RLock()
        """Held while the heart beats: a call that wants it had better wait than log in."""
        entrance.lend = self._lend

    def prove(self, run: Run) -> None:
        """Connect and ask for the server's version and TLS."""
        import psycopg2

        from app.db.connect import CONNECT_TIMEOUT_S, cut_off_after
        from app.db.migrations import problems_of_database

        # made here rather than inside the pool, where an attempt could not be given up on
        first = self._entrance.open(cancelled=run.superseded)
        self._entrance.keep(first)
        self.database.description |= {
            "server_version": first.info.parameter_status("server_version"),
            "tls": bool(first.info.ssl_in_use),
        }
        # the pool takes the connection over and SQLAlchemy asks its own first questions
        with problems_of_database(), cut_off_after(first, CONNECT_TIMEOUT_S), self.database.reader.connect() as taken:
            driver: Any = taken.connection.driver_connection
            try:
                with driver.cursor() as cursor:
                    is_read_only = self._look(cursor)
            except psycopg2.Error:  # the driver's own, as no statement of SQLAlchemy's takes part
                taken.invalidate()
                raise ProblemError(problem("connection-lost")) from None
            if is_read_only:
                taken.invalidate()  # a session keeps the setting that it began with
        if is_read_only:
            raise ProblemError(problem("read-only"))

    def heartbeat(self, run: Run, *, suspicious: bool) -> Problem | None:
        """Ask the server something trivial; after a failed use or a broken heart, over a new connection.

        Between two beats the connection is lent to a call that finds no other: an idle sidecar holds this one only.
        """
        self.database.cut_overdue()
        self.database.close_idle(has_another=self._heart is not None)
        lost_at = self.database.description["history_lost_at"]
        found = self._answer(run, suspicious=suspicious)
        if self._is_only_slow(found) and not suspicious:
            found = self._answer(run, suspicious=False)
            found = None if self._is_only_slow(found) else found
        if self.database.description["history_lost_at"] != lost_at:
            run.changed()
        return found

    def _is_only_slow(self, found: Problem | None) -> bool:
        """Tell whether others are being answered: a silent heart waits in some queue of a busy server, or a pooler."""
        return found is not None and found.code == _SILENCE and self._others_are_answered()

    def _others_are_answered(self) -> bool:
        """Tell whether a statement was answered just now, over some connection that is in use."""
        return time.monotonic() - self.database.answered_at < _JUST_NOW_S

    def _is_seen_at_work(self) -> bool:
        """Tell whether a call has the connection and is being answered: no reason to log in for a beat beside it."""
        now = time.monotonic()
        return now - self.database.answered_at < _AT_WORK_S and now - self._beaten_at < _UNSEEN_S

    def _answer(self, run: Run, *, suspicious: bool) -> Problem | None:
        broken = suspicious
        with self._hand_over:
            if self._heart is None and not suspicious:
                self._heart = self.database.take_idle()
                if self._heart is None and self._is_seen_at_work():
                    return None
            if self._heart is not None:
                started = time.monotonic()
                found = self._beat(self._heart)
                self._beaten_at = started if found is None and not suspicious else -math.inf
                if found is None and not suspicious:
                    return None
                if found is not None and not self._has_hung_up(found, started):
                    return found  # after silence another connection would only wait as long
                if found is not None:
                    self.close()
                broken = True
        started = time.monotonic()
        found = self._begin_anew(run, broken=broken)
        if found is not None and self._has_hung_up(found, started):
            found = self._begin_anew(run, broken=True)  # whoever ends all sessions may end a new one too
        return found

    def _lend(self) -> object | None:
        """Give the heart away, unless something broke since it has beaten; the next beat finds another one."""
        with self._hand_over:
            if self._beaten_at <= self.database.refreshed_at:
                return None
            heart, self._heart = self._heart, None
            return heart

    def _begin_anew(self, run: Run, *, broken: bool) -> Problem | None:
        """Ask over a new connection; it counts only once it has answered: a pooler lets in without a server, too."""
        try:
            heart = self._new_heart(run)
        except ProblemError as exc:
            return None if self._is_bearable(exc.problem, broken=broken) else exc.problem
        self.close()
        if broken:
            self.database.refresh()  # whatever broke one connection may have broken the idle ones
        started = time.monotonic()
        found = self._beat(heart)  # made anew, it knows what changed for the user meanwhile
        with self._hand_over:
            self._heart, self._beaten_at = heart, started if found is None else -math.inf
        return found

    def _is_bearable(self, met: Problem, *, broken: bool) -> bool:
        """Tell whether the database can be used although no new connection is to be had.

        A server without a free connection is alive, and so is one that refuses a login, as with a token that has
        expired meanwhile: requests go on with the connections they have, unless those broke.
        """
        is_alive = self._heart is not None or (not broken and self.database.is_connected) or self._others_are_answered()
        return met.code in ONLY_NEW_REFUSED and is_alive

    def _new_heart(self, run: Run) -> object:
        """Connect; once more if the server hung up meanwhile: an administrator may have ended all of our sessions."""
        try:
            return self._entrance.open(deadline_s=self._round_trip.deadline_s, cancelled=run.superseded)
        except ProblemError as exc:
            if exc.problem.code not in ("connection-lost", "server-starting"):
                raise
        return self._entrance.open(deadline_s=self._round_trip.deadline_s, cancelled=run.superseded)

    def _beat(self, connection: object) -> Problem | None:
        import psycopg2

        from app.db.connect import cut_off_after

        try:
            connection.autocommit = True  # type: ignore[attr-defined]
            with cut_off_after(connection, self._round_trip.deadline_s), connection.cursor() as cursor:  # type: ignore[attr-defined]
                is_read_only = self._look(cursor)
        except psycopg2.Error:
            return problem(_SILENCE)
        return problem("read-only") if is_read_only else None

    def _look(self, cursor: Any) -> bool:
        """Note by how much this computer's clock is ahead of the server's, and whether its history has gone back.

        Returns:
            Whether the server only reads.
        """
        before, asked_at = utc_now(), time.monotonic()
        theirs, is_read_only, *place = self._asked(cursor)
        self._round_trip.took(time.monotonic() - asked_at)
        ours = before + (utc_now() - before) / 2
        self._note_history(cursor, asked_at, *place)
        self.database.description["clock_offset_s"] = round((ours - theirs).total_seconds(), 3)
        return bool(is_read_only) and self._entrance.connector.settings.wants_to_write

    def _asked(self, cursor: Any) -> tuple[Any, ...]:
        """Ask; without the place in its log of a server that does not tell it, as some managed services do not."""
        import psycopg2

        question = "SELECT clock_timestamp(), current_setting('transaction_read_only') = 'on', "
        if self._tells_position:
            try:
                cursor.execute(question + POSITION)
                return tuple(cursor.fetchone())
            except (psycopg2.ProgrammingError, psycopg2.NotSupportedError):
                cursor.connection.rollback()
                self._tells_position = False
        cursor.execute(question + "NULL, NULL, NULL, false")
        return tuple(cursor.fetchone())

    def _note_history(
        self,
        cursor: Any,
        asked_at: float,
        system: object,
        end: object,
        timeline: object,
        is_synchronous: object,
    ) -> None:
        settings = self._entrance.connector.settings
        server = f"{settings.host} {settings.port} {str(system)[:_MAX_SYSTEM]}"
        now = position_of(end, timeline, is_synchronous=is_synchronous)
        self.database.history = self._histories.of(server)
        self.database.tells_position = now is not None and not now.is_synchronous
        self.database.description["history_lost_at"] = self._histories.seen(
            server, now, lambda new: self._fork(cursor, new), asked_at=asked_at
        )

    @staticmethod
    def _fork(cursor: Any, timeline: int) -> int | None:
        """Return where a timeline began; None where the server does not tell."""
        import psycopg2

        try:
            cursor.execute(FORK, (timeline,))
            (found,) = cursor.fetchone()
        except (psycopg2.ProgrammingError, psycopg2.NotSupportedError):
            cursor.connection.rollback()
            return None
        return found if isinstance(found, int) else None

    def _has_hung_up(self, found: Problem, started: float) -> bool:
        """Tell whether a heartbeat broke off at once, rather than met silence or an answer."""
        return found.code == _SILENCE and time.monotonic() - started < self._round_trip.deadline_s

    def close(self) -> None:
        """Close the heartbeat's connection."""
        self._histories.keep()
        with self._hand_over:
            heart, self._heart = self._heart, None
        if heart is not None:
            with contextlib.suppress(Exception):
                heart.close()  # type: ignore[attr-defined]
