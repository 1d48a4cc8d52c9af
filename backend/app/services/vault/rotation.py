"""Rotation of the vault key: a job that survives every kill and that several desktops may share.

staged: the new key exists, wrapped.  rewrapping: one commit made it active, rows move over in batches, each row by
compare-and-swap on its old ciphertext, so that a concurrent edit always wins.  drained: a whole pass has met nothing
more to move.  done: old keys are deleted, but for those that some row still needs: rows that do not open
(quarantined) might open elsewhere, and a later rotation tries them again.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import sqlalchemy as sa

from app.core.exceptions import DatabaseAwayError, RequestError
from app.core.logging import get_logger
from app.db.base import Instant, utc_now
from app.db.statements import grown
from app.models.devices import vault_device_wraps, vault_join_requests
from app.models.vault import (
    ACTIVE,
    LOST,
    RETIRED,
    STAGED,
    THE_VAULT,
    UNREADABLE,
    secrets,
    vault_keys,
    vault_rotations,
    vault_wraps,
)
from app.schemas.vault import RotationDocument, rotation_document
from app.services.vault.destinations import located
from app.services.vault.devices import device_of
from app.services.vault.directory import forget_staged, register, succeed
from app.services.vault.keys import VaultLockedError, add_key, add_wrap, renew_recovery, roots_to_renew
from app.services.vault.rows import (
    Sealed,
    SecretFormatUnknownError,
    SecretUnreadableError,
    is_same,
    next_sealed,
    reseal_row,
)
from app.services.vault.sealing import FORMAT, LEGACY_FORMAT, forget_derived_keys, new_vault_key, prefix_of

if TYPE_CHECKING:
    from app.db.session import Database
    from app.services.audit.log import Audit
    from app.services.vault.keys import Keys
    from app.services.vault.keys_at_hand import Attachment, KeyChange
    from app.services.vault.sealing import VaultKey

BATCH_ROWS: Final = 200
STALE_AFTER: Final = dt.timedelta(seconds=30)
"""A heartbeat older than this belongs to a sidecar that died; another one goes on."""
BUSY_WAIT_S: Final = 0.2
BUSY_ATTEMPTS: Final = 50

IDLE: Final = "idle"
REWRAPPING: Final = "rewrapping"
DRAINED: Final = "drained"
DONE: Final = "done"
_RUNNING: Final = (STAGED, REWRAPPING, DRAINED)

log = get_logger(__name__)


Clock = Callable[[sa.Connection, dt.timedelta], sa.ColumnElement[dt.datetime]]
"""Given a connection and how long ago, returns that instant for use in one of its statements."""


def database_clock(connection: sa.Connection, ago: dt.timedelta) -> sa.ColumnElement[dt.datetime]:
    """Tell the time by the database's clock, as desktops' own may differ by more than a heartbeat."""
    if connection.dialect.name == "postgresql":
        return sa.func.clock_timestamp(type_=Instant()) - sa.literal(ago, sa.Interval())
    return sa.literal(utc_now() - ago, Instant())


@dataclass(slots=True)
class _Walk:
    """How far one walk over all rows has come."""

    to_kid: str
    position: Any = None
    moved: int = 0
    met_others: bool = False
    """Somebody was just changing a row, or had done so: the next walk looks at it again."""


class _Move(NamedTuple):
    """One row's way from the old key to the new one."""

    secret_id: str
    old: str
    """The ciphertext that must still lie there."""
    new: Sealed


class _LostJobError(Exception):
    """Another desktop has taken the job over, or it is in another state."""


class _Staging(NamedTuple):
    """What renewing a sealed column for a new vault key takes."""

    connection: sa.Connection
    keys: Keys
    old: VaultKey
    new: VaultKey
    roots: Sequence[bytes]
    removed: str | None
    """Id of a device that is to be left out."""


def _stage_key(staging: _Staging) -> None:
    add_key(staging.connection, staging.new, state=STAGED, fingerprint_key=staging.keys.fingerprint_key)


def _stage_wraps(staging: _Staging) -> None:
    if staging.removed == device_of(staging.roots[0], staging.old.vault_id).id:
        return
    for root in roots_to_renew(staging.keys, staging.roots):
        add_wrap(staging.connection, staging.new, root)


def _stage_recovery(staging: _Staging) -> None:
    if staging.removed is None:  # who is removed could have read the recovery key in escrow
        renew_recovery(staging.connection, staging.keys, staging.old, staging.new)


def _stage_members(staging: _Staging) -> None:
    succeed(staging.connection, staging.roots[0], staging.old, staging.new, without=staging.removed)


RENEWED: Final[dict[sa.Column[Any], Callable[[_Staging], None]]] = {
    vault_keys.c.fingerprint_key: _stage_key,
    vault_wraps.c.wrap: _stage_wraps,
    vault_wraps.c.escrow: _stage_recovery,
    vault_device_wraps.c.wrap: _stage_members,
    vault_join_requests.c.grant: lambda _: None,  # a newcomer follows from the key that it was granted
}
"""How each sealed column of the vault's own is renewed when a key is staged, in this order."""
MOVED: Final = (secrets.c.ciphertext,)
"""Sealed columns whose rows move over in batches; a test demands that these two know every sealed column."""


class Rotations:
    """Starts, resumes and carries out rotations."""

    def __init__(
        self,
        attachment: Attachment,
        database: Database,
        audit: Audit,
        runner: Callable[[], str],
        *,
        clock: Clock = database_clock,
    ) -> None:
        """Make the service.

        Args:
            attachment: the vault's keys.
            database: where the job is.
            audit: tells that it began.
            runner: returns the name of this installation; a job that it was working on when it died is its own.
            clock: tells the time of heartbeats.
        """
        self._attachment = attachment
        self._database = database
        self._audit = audit
        self._runner = runner
        self._clock = clock
        self._working = threading.Lock()
        self._threads = threading.BoundedSemaphore(2)
        """One works, one waits to look once more after it."""
        self._walk: _Walk | None = None
        self.stopped = threading.Event()

    def document(self) -> RotationDocument:
        """Return the present or the last rotation."""
        return rotation_document(self._job()) or RotationDocument(IDLE, None, None, 0, 0, 0, None, None)

    def _job(self) -> Any:
        with self._database.read() as connection:
            return _job_in(connection)

    # --- beginning ---------------------------------------------------------------------------------------------------

    def start(self, *, actor: str) -> RotationDocument:
        """Stage a new key; a rotation that already runs is returned as it is.

        Raises:
            VaultLockedError: the vault is locked.
            AuditUnavailableError: the audit entry cannot be written; nothing was changed.
        """
        self._attachment.unlocked_keys()
        with self._attachment.changing_keys() as change:
            running = _job_in(change.connection)
            if running is None or running.state == DONE or self._is_abandoned(change.connection, running, change.keys):
                self._stage(change.connection, change.keys, change.roots)
                self._audit.append(change.connection, action="rotate", actor=actor, reason="vault key")
        return self.document()

    def restage(self, change: KeyChange) -> None:
        """Make another new key in the place of one that is only staged: members have changed."""
        job = _job_in(change.connection)
        if job is not None and job.state == STAGED:
            self._stage(change.connection, change.keys, change.roots)

    def begin_after_removal(self, change: KeyChange, device_id: str) -> VaultKey:
        """Make a new key the active one at once, whatever rotation is under way: it goes on towards this key.

        Returns:
            The new key, which the device that is removed gets no wrap of.

        Raises:
            VaultLockedError: another desktop has changed the key in this very moment.
        """
        new = self._stage(change.connection, change.keys, change.roots, removed=device_id)
        values = {"state": REWRAPPING, "heartbeat_at": self._clock(change.connection, dt.timedelta(0))}
        change.connection.execute(sa.update(vault_rotations).values(**values))
        _make_active(change.connection, new.kid)
        return new

    def _is_abandoned(self, connection: sa.Connection, job: Any, keys: Keys) -> bool:
        """Tell whether a job never got beyond staging and cannot be resumed here, as its key is not at hand."""
        if job.state != STAGED or job.to_kid in keys.opened:
            return False
        heartbeat = vault_rotations.c.heartbeat_at
        is_silent = heartbeat.is_(None) | self._is_stale(connection)
        return bool(connection.scalar(sa.select(is_silent).where(vault_rotations.c.id == THE_VAULT)))

    def _stage(
        self, connection: sa.Connection, keys: Keys, roots: Sequence[bytes], *, removed: str | None = None
    ) -> VaultKey:
        """Make the new key beside the active one, for everybody who can open that and is known here."""
        old = keys.active
        if old is None:  # another desktop has changed it in this very moment
            raise keys.locked(keys.active_kid)
        connection.execute(sa.delete(vault_keys).where(vault_keys.c.state == STAGED))
        forget_staged(connection, [kid for kid, state in keys.states.items() if state == STAGED])
        register(connection, old, keys.usable.values(), roots[0])
        new = new_vault_key(keys.vault_id)
        for renew in RENEWED.values():
            renew(_Staging(connection, keys, old, new, roots, removed))
        connection.execute(sa.delete(vault_rotations))
        connection.execute(
            sa.insert(vault_rotations).values(
                id=THE_VAULT,
                state=STAGED,
                from_kid=old.kid,
                to_kid=new.kid,
                total=_count(connection, secrets.c.kid.in_(list(keys.usable))),
                done=0,
                quarantined=0,
                runner=self._runner(),
                heartbeat_at=self._clock(connection, dt.timedelta(0)),
                started_at=utc_now(),
                finished_at=None,
            )
        )
        return new

    # --- working -----------------------------------------------------------------------------------------------------

    def is_due(self) -> bool:
        """Tell whether an upgrade has left a vault whose secrets are to be sealed anew, and nobody has begun to."""
        keys = self._attachment.keys()
        return keys.active is not None and keys.is_legacy and not self.is_waiting()

    def is_waiting(self) -> bool:
        """Tell whether there is a job that this desktop could carry on with."""
        job = self._job()
        return job is not None and job.state in _RUNNING and self._able(job) is not None

    def work(self, progress: Callable[[RotationDocument], object] | None = None) -> None:
        """Carry a waiting rotation to its end, unless another desktop is at it; safe to call at any time.

        Args:
            progress: called after each step.

        Raises:
            DatabaseAwayError: the database cannot be used now; what was done is done.
        """
        with self._working:
            attempts = BUSY_ATTEMPTS
            while not self.stopped.is_set():
                try:
                    goes_on = self._step()
                except DatabaseAwayError as exc:
                    attempts -= 1
                    if exc.code != "busy" or not attempts:
                        raise
                    self.stopped.wait(BUSY_WAIT_S)
                    continue
                attempts = BUSY_ATTEMPTS
                if progress is not None:
                    progress(self.document())
                if not goes_on:
                    return

    def work_in_background(self) -> None:
        """Let a thread of its own carry the job on; what stops it is tried again by the next look."""
        if self._threads.acquire(blocking=False):
            threading.Thread(target=self._work_quietly, name="rotation", daemon=True).start()

    def _work_quietly(self) -> None:
        try:
            self.work()
        except RequestError as exc:
            log.warning("rotation interrupted", extra={"code": exc.code})
        except Exception:  # the outermost edge of a thread
            log.exception("rotation failed")
        finally:
            self._threads.release()

    def _step(self) -> bool:
        """Take one step, each a transaction of its own; False when there is nothing (more) to do here."""
        job = self._job()
        if job is None or job.state not in _RUNNING:
            return False
        keys = self._able(job)
        if keys is None:
            return False
        if job.state == STAGED:
            return self._activate(job)
        if job.state == REWRAPPING:
            return self._move_batch(job, keys)
        return self._retire(job)

    def _able(self, job: Any) -> Keys | None:
        """Return the keys if those of the job are at hand; who cannot do it must not keep others from it."""
        keys = self._attachment.keys()
        if job.to_kid not in keys.opened:
            self._attachment.attach()
            keys = self._attachment.keys()
        return keys if job.to_kid in keys.opened else None

    def _claim(self, connection: sa.Connection, job: Any, **values: Any) -> bool:
        """Renew our heartbeat on a job, or take over one whose runner is silent; False if it is not ours.

        Args:
            connection: of the step's transaction.
            job: as it was looked at; it must still be in that state.
            values: more columns to change.
        """
        table = vault_rotations.c
        now, runner = self._clock(connection, dt.timedelta(0)), self._runner()
        is_silent = self._is_stale(connection)
        is_free = table.runner.is_(None) | (table.runner == runner) | is_silent
        is_same = (table.id == THE_VAULT) & (table.state == job.state) & (table.to_kid == job.to_kid)
        claim = sa.update(vault_rotations).where(is_same, is_free)
        return bool(connection.execute(claim.values({"runner": runner, "heartbeat_at": now} | values)).rowcount)

    def _is_stale(self, connection: sa.Connection) -> sa.ColumnElement[bool]:
        """Return the condition that a heartbeat is old, or lies ahead, where no desktop has put it."""
        heartbeat = vault_rotations.c.heartbeat_at
        earliest, latest = self._clock(connection, STALE_AFTER), self._clock(connection, -STALE_AFTER)
        return (heartbeat < earliest) | (heartbeat > latest)

    def _activate(self, job: Any) -> bool:
        """Make the staged key the active one, in one commit."""
        with self._attachment.changing_keys() as change:
            connection, keys = change.connection, change.keys
            total = _count(connection, secrets.c.kid.in_(_sources(keys, job)))
            if job.to_kid not in keys.opened or not self._claim(connection, job, state=REWRAPPING, total=total):
                return False
            _make_active(connection, job.to_kid)
        return True

    def _move_batch(self, job: Any, keys: Keys) -> bool:
        """Seal up to 200 rows anew; at the end of the walk the job is drained, or another walk begins."""
        walk = self._walk
        if walk is None or walk.to_kid != job.to_kid:
            walk = self._walk = _Walk(job.to_kid)
        rows, position = self._next_rows(walk, _sources(keys, job))
        if not rows:
            return self._end_walk(job, walk)
        moves, broken = _resealed(rows, keys, keys.opened[job.to_kid])
        try:
            moved = self._move(job, moves, broken)
        except _LostJobError:
            return False
        walk.moved += moved
        walk.met_others |= moved < len(moves)
        walk.position = position
        return True

    def _next_rows(self, walk: _Walk, sources: Sequence[str]) -> tuple[list[Any], Any]:
        """Read on until there are rows under one of these keys; return them, at most 200, and how far that was.

        The keys are no condition of the query: they have just become the old ones, so that PostgreSQL's planner would
        expect next to no rows under them, and read and sort the whole table for every batch.
        """
        position = walk.position
        while True:
            with self._database.read() as connection:
                rows = located(connection, connection.execute(next_sealed(position, BATCH_ROWS)).all())
            found = [row for row in rows if row.kid in sources]
            if found or not rows:
                return found, position if not rows else rows[-1].position
            position = rows[-1].position

    def _move(self, job: Any, moves: Sequence[_Move], broken: Sequence[Any]) -> int:
        """Write one batch; return how many rows moved.

        Raises:
            _LostJobError: another desktop has taken the job over; nothing was changed.
        """
        with self._database.write() as connection:
            moved = _swap(connection, moves)
            _mark_unreadable(connection, broken)
            if not self._claim(connection, job, done=grown(vault_rotations.c.done, moved)):
                raise _LostJobError
        return moved

    def _end_walk(self, job: Any, walk: _Walk) -> bool:
        self._walk = None
        if walk.met_others:
            if not walk.moved:
                self.stopped.wait(BUSY_WAIT_S)
            return True
        with self._database.write() as connection:
            return self._claim(connection, job, state=DRAINED)

    def _retire(self, job: Any) -> bool:
        """Give old keys up, but for those that a row still needs."""
        with self._attachment.changing_keys() as change:
            connection = change.connection
            old = [kid for kid, state in change.keys.states.items() if state in (RETIRED, LOST)]
            left = {kid: _count(connection, _needs(kid)) for kid in old}
            quarantined = sum(count for kid, count in left.items() if change.keys.states[kid] == RETIRED)
            is_ours = self._claim(
                connection, job, state=DONE, quarantined=quarantined, runner=None, finished_at=utc_now()
            )
            change.ends_legacy = is_ours
            if is_ours:
                given_up = [kid for kid, count in left.items() if not count]
                connection.execute(sa.delete(vault_keys).where(vault_keys.c.kid.in_(given_up)))
        if is_ours:
            forget_derived_keys()
            log.info("vault key rotated", extra={"from": job.from_kid, "to": job.to_kid, "quarantined": quarantined})
            if self._attachment.is_leaving:  # nothing is left to do for this desktop
                self._attachment.on_change()
        return False


def _job_in(connection: sa.Connection) -> Any:
    """Return the present or the last rotation; None if there is none, or somebody has made it none."""
    job = connection.execute(sa.select(vault_rotations).where(vault_rotations.c.id == THE_VAULT)).one_or_none()
    return job if job is not None and job.state in (*_RUNNING, DONE) and job.to_kid is not None else None


def _make_active(connection: sa.Connection, kid: str) -> None:
    connection.execute(sa.update(vault_keys).where(vault_keys.c.state == ACTIVE).values(state=RETIRED))
    connection.execute(sa.update(vault_keys).where(vault_keys.c.kid == kid).values(state=ACTIVE))


def _count(connection: sa.Connection, condition: sa.ColumnElement[bool]) -> int:
    query = sa.select(sa.func.count()).select_from(secrets).where(condition)
    return connection.execute(query).scalar_one()


def _sources(keys: Keys, job: Any) -> list[str]:
    """Return the keys whose rows can be moved here: the last one, and those that earlier rotations left behind."""
    return sorted(kid for kid in keys.usable if kid != job.to_kid)


def _needs(kid: str) -> sa.ColumnElement[bool]:
    """Return the condition that a row is, or by its ciphertext once was, under a key."""
    return (secrets.c.kid == kid) | sa.or_(
        *(secrets.c.ciphertext.startswith(prefix_of(kid, known)) for known in (FORMAT, LEGACY_FORMAT))
    )


def _resealed(rows: Sequence[Any], keys: Keys, new: VaultKey) -> tuple[list[_Move], list[Any]]:
    """Seal rows anew.

    Returns:
        The moves to make, and the rows that do not open. A row that waits for its `API_KEY_ENCRYPTION_SECRET` is
        neither: it stays as it is under its old key.
    """
    moves, broken = [], []
    for row in rows:
        try:
            moves.append(_Move(row.id, row.ciphertext, reseal_row(row, keys, new)))
        except (SecretUnreadableError, SecretFormatUnknownError):
            broken.append(row)
        except VaultLockedError:
            continue
    return moves, broken


def _mark_unreadable(connection: sa.Connection, broken: Sequence[Any]) -> None:
    for row in broken:
        connection.execute(sa.update(secrets).where(is_same(row)).values(status=UNREADABLE))


_SWAP_ON_POSTGRESQL: Final = sa.text("""
    UPDATE secrets SET ciphertext = given.new, kid = :kid, api_secret_fingerprint = given.api_secret_fingerprint
    FROM unnest(
        CAST(:ids AS uuid[]), CAST(:old AS text[]), CAST(:new AS text[]), CAST(:api_secret_fingerprints AS text[])
    ) AS given (id, old, new, api_secret_fingerprint)
    WHERE secrets.id = given.id AND secrets.ciphertext = given.old
        AND secrets.id IN (SELECT id FROM secrets WHERE id = ANY(CAST(:ids AS uuid[])) FOR UPDATE SKIP LOCKED)
""")
"""One statement for a whole batch; it waits for nobody, so it cannot be part of a deadlock."""
_SWAP_ON_SQLITE: Final = """
    UPDATE secrets SET ciphertext = ?, kid = ?, api_secret_fingerprint = ? WHERE id = ? AND ciphertext = ?
"""


def _swap(connection: sa.Connection, moves: Sequence[_Move]) -> int:
    """Write new ciphertexts where the old ones still lie, and nobody is at the row; return how many did."""
    if not moves:
        return 0
    if connection.dialect.name == "postgresql":
        values = {
            "kid": moves[0].new.kid,
            "ids": [move.secret_id for move in moves],
            "old": [move.old for move in moves],
            "new": [move.new.ciphertext for move in moves],
            "api_secret_fingerprints": [move.new.api_secret_fingerprint for move in moves],
        }
        return connection.execute(_SWAP_ON_POSTGRESQL, values).rowcount
    rows = [(*move.new, move.secret_id, move.old) for move in moves]
    return connection.exec_driver_sql(_SWAP_ON_SQLITE, rows).rowcount
