"""Rotation of the vault key: a job that survives every kill and that several desktops may share.

staged: the new key exists, wrapped.  rewrapping: one commit made it active, rows move over in batches, each row by
compare-and-swap on its old ciphertext, so that a concurrent edit always wins.  drained: a whole pass has met nothing
more to move.  done: old keys are deleted, but for those that some row still needs: rows that do not open
(quarantined) might open elsewhere, and a later rotation tries them again.
"""

from __future__ import annotations

import datetime as dt
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from app.core.exceptions import DatabaseAwayError, RequestError
from app.core.logging import get_logger
from app.core.sealing import forget_derived_keys, new_vault_key, prefix_of
from app.db.base import instant_text, utc_now
from app.models.vault import ACTIVE, RETIRED, STAGED, UNREADABLE, secrets, vault_keys, vault_rotations
from app.schemas.vault import RotationDocument
from app.services.secret_rows import (
    Sealed,
    SecretFormatUnknownError,
    SecretUnreadableError,
    open_row,
    seal_row,
    select_sealed,
    waits_for_api_secret,
)
from app.services.vault_keys import VaultLockedError, add_key, hold_vault, renew_recovery, roots_to_renew

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from app.core.sealing import VaultKey
    from app.db.session import Database
    from app.services.audit import Audit
    from app.services.vault import Vault
    from app.services.vault_keys import Keys

BATCH_ROWS: Final = 200
STALE_AFTER_S: Final = 30.0
"""A heartbeat older than this belongs to a sidecar that died; another one goes on."""
BUSY_WAIT_S: Final = 0.2
BUSY_ATTEMPTS: Final = 50

IDLE: Final = "idle"
REWRAPPING: Final = "rewrapping"
DRAINED: Final = "drained"
DONE: Final = "done"
_RUNNING: Final = (STAGED, REWRAPPING, DRAINED)

log = get_logger(__name__)


def database_now(connection: sa.Connection) -> dt.datetime:
    """Return the time by the database's clock, as desktops' own may differ by more than a heartbeat."""
    if connection.dialect.name == "postgresql":
        now: dt.datetime = connection.execute(sa.select(sa.func.clock_timestamp())).scalar_one()
        return now.astimezone(dt.UTC)
    return utc_now()


@dataclass(slots=True)
class _Pass:
    """How far one walk over the rows has come."""

    to_kid: str
    last_id: str = ""
    met_others: bool = False
    """A row was just being changed by somebody else: it may need another walk."""


@dataclass(frozen=True, slots=True)
class _Move:
    """One row's way from the old key to the new one."""

    secret_id: str
    old: str
    """The ciphertext that must still lie there."""
    new: Sealed


class Rotations:
    """Starts, resumes and carries out rotations."""

    def __init__(
        self,
        vault: Vault,
        database: Database,
        audit: Audit,
        runner: Callable[[], str],
        *,
        now: Callable[[sa.Connection], dt.datetime] = database_now,
    ) -> None:
        """Make the service.

        Args:
            vault: whose key is rotated.
            database: where the job is.
            audit: tells that it began.
            runner: returns the name of this installation; a job that it was working on when it died is its own.
            now: the clock of heartbeats.
        """
        self._vault = vault
        self._database = database
        self._audit = audit
        self._runner = runner
        self._now = now
        self._working = threading.Lock()
        self._pass: _Pass | None = None
        self.stopped = threading.Event()

    def document(self) -> RotationDocument:
        """Return the present or the last rotation."""
        return rotation_document(self._job()) or RotationDocument(IDLE, None, None, 0, 0, 0, None, None)

    def _job(self) -> Any:
        with self._database.read() as connection:
            return connection.execute(sa.select(vault_rotations)).one_or_none()

    # --- beginning ---------------------------------------------------------------------------------------------------

    def start(self, *, actor: str) -> RotationDocument:
        """Stage a new key; a rotation that already runs is returned as it is.

        Raises:
            VaultLockedError: the vault is locked.
            AuditUnavailableError: the audit entry cannot be written; nothing was changed.
        """
        self._vault.unlocked_keys()
        with self._vault.changing_keys() as change:
            running = change.connection.execute(sa.select(vault_rotations)).one_or_none()
            if running is None or running.state == DONE or self._is_abandoned(change.connection, running, change.keys):
                self._stage(change.connection, change.keys, change.roots)
                self._audit.append(change.connection, action="rotate", actor=actor, reason="vault key")
        return self.document()

    def _is_abandoned(self, connection: sa.Connection, job: Any, keys: Keys) -> bool:
        """Tell whether a job never got beyond staging and cannot be resumed here, as its key is not at hand."""
        is_silent = job.heartbeat_at is None or self._now(connection) - job.heartbeat_at > _stale_after()
        return job.state == STAGED and job.to_kid not in keys.opened and is_silent

    def _stage(self, connection: sa.Connection, keys: Keys, roots: Sequence[bytes]) -> None:
        """Make the new key beside the active one, for everybody who can open that and is known here."""
        old = keys.active
        if old is None:  # another desktop has changed it in this very moment
            raise keys.locked(keys.active_kid)
        connection.execute(sa.delete(vault_keys).where(vault_keys.c.state == STAGED))
        new = new_vault_key(keys.vault_id)
        add_key(
            connection,
            new,
            state=STAGED,
            roots=roots_to_renew(keys, roots),
            fingerprint_key=keys.fingerprint_key,
        )
        renew_recovery(connection, old, new)
        connection.execute(sa.delete(vault_rotations))
        connection.execute(
            sa.insert(vault_rotations).values(
                id=1,
                state=STAGED,
                from_kid=old.kid,
                to_kid=new.kid,
                total=_count(connection, secrets.c.kid.in_(list(keys.usable))),
                done=0,
                quarantined=0,
                runner=self._runner(),
                heartbeat_at=self._now(connection),
                started_at=utc_now(),
                finished_at=None,
            )
        )

    # --- working -----------------------------------------------------------------------------------------------------

    def is_waiting(self) -> bool:
        """Tell whether there is a job that this desktop could carry on with."""
        job = self._job()
        return job is not None and job.state in _RUNNING and self._able(job) is not None

    def work(self, progress: Callable[[RotationDocument], None] | None = None) -> None:
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
        threading.Thread(target=self._work_quietly, name="rotation", daemon=True).start()

    def _work_quietly(self) -> None:
        try:
            self.work()
        except RequestError as exc:
            log.warning("rotation interrupted", extra={"code": exc.code})
        except Exception:  # the outermost edge of a thread
            log.exception("rotation failed")

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
        keys = self._vault.keys()
        if job.to_kid not in keys.opened:
            self._vault.attach()
            keys = self._vault.keys()
        return keys if job.to_kid in keys.opened else None

    def _claim(self, connection: sa.Connection, job: Any, **values: Any) -> bool:
        """Renew our heartbeat on a job, or take over one whose runner is silent; False if it is not ours.

        Args:
            connection: of the step's transaction.
            job: as it was looked at; it must still be in that state.
            values: more columns to change.
        """
        table = vault_rotations.c
        now = self._now(connection)
        runner = self._runner()
        is_free = table.runner.is_(None) | (table.runner == runner) | (table.heartbeat_at < now - _stale_after())
        is_same = (table.state == job.state) & (table.to_kid == job.to_kid)
        claim = sa.update(vault_rotations).where(is_same, is_free)
        return bool(connection.execute(claim.values(runner=runner, heartbeat_at=now, **values)).rowcount)

    def _activate(self, job: Any) -> bool:
        """Make the staged key the active one, in one commit."""
        with self._vault.changing_keys() as change:
            connection = change.connection
            total = _count(connection, secrets.c.kid.in_(_sources(change.keys, job)))
            if not self._claim(connection, job, state=REWRAPPING, total=total):
                return False
            connection.execute(sa.update(vault_keys).where(vault_keys.c.state == ACTIVE).values(state=RETIRED))
            connection.execute(sa.update(vault_keys).where(vault_keys.c.kid == job.to_kid).values(state=ACTIVE))
        return True

    def _move_batch(self, job: Any, keys: Keys) -> bool:
        """Seal up to 200 rows anew; at the end of the walk the job is drained, or another walk begins."""
        walk = self._pass
        if walk is None or walk.to_kid != job.to_kid:
            walk = self._pass = _Pass(job.to_kid)
        sources = _sources(keys, job)
        query = select_sealed().where(secrets.c.kid.in_(sources), secrets.c.id > walk.last_id).limit(BATCH_ROWS)
        with self._database.read() as connection:
            rows = connection.execute(query if walk.last_id else _from_the_start(sources)).all()
        if not rows:
            return self._end_walk(job, walk)
        moves, broken = _resealed(rows, keys, keys.opened[job.to_kid])
        with self._database.write() as connection:
            moved = swap(connection, moves)
            if not self._claim(connection, job, done=vault_rotations.c.done + moved):
                connection.rollback()
                return False
            _mark_unreadable(connection, broken)
        walk.met_others |= moved < len(moves)
        walk.last_id = rows[-1].id
        return True

    def _end_walk(self, job: Any, walk: _Pass) -> bool:
        self._pass = None
        if walk.met_others:
            return True
        with self._database.write() as connection:
            return self._claim(connection, job, state=DRAINED)

    def _retire(self, job: Any) -> bool:
        """Verify that nothing that opens is left under old keys, then give up those that nothing needs."""
        with self._vault.changing_keys() as change:
            connection, keys = change.connection, change.keys
            sources = _sources(keys, job)
            is_movable = secrets.c.kid.in_(sources) & (secrets.c.status != UNREADABLE) & ~waits_for_api_secret(keys)
            if _count(connection, is_movable):  # a row was restored, or opens again
                return self._claim(connection, job, state=REWRAPPING)
            quarantined = _count(connection, secrets.c.kid != job.to_kid)
            if not self._claim(
                connection, job, state=DONE, quarantined=quarantined, runner=None, finished_at=utc_now()
            ):
                return False
            for kid in sources:
                if not _count(connection, _names(kid)):
                    connection.execute(sa.delete(vault_keys).where(vault_keys.c.kid == kid))
        forget_derived_keys()
        log.info("vault key rotated", extra={"from": job.from_kid, "to": job.to_kid, "quarantined": quarantined})
        return False
