"""Rotation of the vault key: a job that survives every kill and that several desktops may share.

staged: the new key exists, wrapped.  rewrapping: one commit made it active, rows move over in batches, each row by
compare-and-swap on its old ciphertext, so that a concurrent edit always wins.  drained: no row is left under the old
key.  done: the old key is retired; it is deleted, unless rows that do not open were left behind (quarantined), which
might open elsewhere.
"""

from __future__ import annotations

import datetime as dt
import threading
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from app.core.exceptions import RequestError
from app.core.logging import get_logger
from app.core.sealing import VaultKey
from app.db.base import instant_text, utc_now
from app.models.vault import secrets, vault_keys, vault_rotations, vault_wraps, vaults
from app.schemas.vault import RotationDocument
from app.services.vault import (
    ACTIVE,
    DRAINING,
    RETIRED,
    STAGED,
    UNREADABLE,
    Vault,
    binding_of,
    rows_with_salt,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.db.session import Database
    from app.services.audit import Audit

BATCH_ROWS: Final = 200
STALE_AFTER_S: Final = 30.0
"""A heartbeat older than this belongs to a sidecar that died; another one goes on."""

IDLE: Final = "idle"
REWRAPPING: Final = "rewrapping"
DRAINED: Final = "drained"
DONE: Final = "done"
_RUNNING: Final = (STAGED, REWRAPPING, DRAINED)

log = get_logger(__name__)


class Rotations:
    """Starts, resumes and carries out rotations."""

    def __init__(self, vault: Vault, database: Database, audit: Audit, instance: str) -> None:
        self._vault = vault
        self._database = database
        self._audit = audit
        self._instance = instance
        self._working = threading.Lock()
        self.stopped = threading.Event()

    def document(self) -> RotationDocument:
        """Return the present or the last rotation."""
        with self._database.read() as connection:
            row = connection.execute(sa.select(vault_rotations)).one_or_none()
        return rotation_document(row) or RotationDocument(IDLE, None, None, 0, 0, 0, None, None)

    def start(self, *, actor: str) -> RotationDocument:
        """Stage a new key; a rotation that already runs is returned as it is.

        Raises:
            VaultLockedError: the vault is locked.
            AuditUnavailableError: the audit entry cannot be written; nothing was changed.
        """
        self._vault.require_unlocked()
        with self._database.write() as connection:
            connection.execute(sa.select(vaults.c.id).with_for_update())
            running = connection.execute(sa.select(vault_rotations)).one_or_none()
            if running is None or running.state not in _RUNNING:
                self._stage(connection)
                self._audit.append(connection, action="rotate", actor=actor, reason="vault key")
        return self.document()

    def _stage(self, connection: sa.Connection) -> None:
        from_kid, to_kid = self._vault.stage_key(connection)
        total = connection.scalar(sa.select(sa.func.count()).select_from(secrets).where(secrets.c.kid == from_kid))
        connection.execute(sa.delete(vault_rotations))
        connection.execute(
            sa.insert(vault_rotations).values(
                id=1,
                state=STAGED,
                from_kid=from_kid,
                to_kid=to_kid,
                total=total,
                done=0,
                quarantined=0,
                runner=None,
                heartbeat_at=None,
                started_at=utc_now(),
                finished_at=None,
            )
        )

    def work(self, progress: Callable[[RotationDocument], None] = lambda _: None) -> None:
        """Carry a waiting rotation to its end, unless another desktop is at it; safe to call at any time.

        Args:
            progress: called after each batch.
        """
        if not self._working.acquire(blocking=False):
            return
        try:
            while not self.stopped.is_set() and self._step():
                progress(self.document())
            progress(self.document())
        finally:
            self._working.release()

    def work_quietly(self) -> None:
        """`work` for a thread of its own: what stops it now is tried again by the next look."""
        try:
            self.work()
        except RequestError as exc:
            log.warning("rotation interrupted", extra={"code": exc.code})
        except Exception:  # the outermost edge of a thread
            log.exception("rotation failed")

    def _step(self) -> bool:
        """Take one step, each a transaction of its own; False when there is nothing (more) to do here."""
        job = self._claim()
        if job is None:
            return False
        if job.state == STAGED:
            self._activate(job)
        elif job.state == REWRAPPING:
            self._move_batch(job)
        else:
            self._retire(job)
        return True

    def _claim(self) -> Any:
        """Renew our heartbeat on a running job, or take over one whose runner is silent; None if it is not ours."""
        stale = utc_now() - dt.timedelta(seconds=STALE_AFTER_S)
        table = vault_rotations.c
        free = table.runner.is_(None) | (table.runner == self._instance) | (table.heartbeat_at < stale)
        claim = sa.update(vault_rotations).where(table.state.in_(_RUNNING), free)
        with self._database.write() as connection:
            if not connection.execute(claim.values(runner=self._instance, heartbeat_at=utc_now())).rowcount:
                return None
            return connection.execute(sa.select(vault_rotations)).one()

    def _activate(self, job: Any) -> None:
        """Make the staged key the active one, in one commit."""
        with self._database.write() as connection:
            connection.execute(sa.select(vaults.c.id).with_for_update())
            changed = connection.execute(
                sa.update(vault_rotations).where(vault_rotations.c.state == STAGED).values(state=REWRAPPING)
            )
            if changed.rowcount:
                connection.execute(sa.update(vault_keys).where(vault_keys.c.kid == job.from_kid).values(state=DRAINING))
                connection.execute(sa.update(vault_keys).where(vault_keys.c.kid == job.to_kid).values(state=ACTIVE))
        self._vault.attach()

    def _move_batch(self, job: Any) -> None:
        """Seal up to 200 rows anew; when none is left, the job is drained."""
        old, new = self._vault.key(job.from_kid), self._vault.key(job.to_kid)
        query = rows_with_salt().where(secrets.c.kid == job.from_kid, secrets.c.status != UNREADABLE)
        with self._database.read() as connection:
            rows = connection.execute(query.limit(BATCH_ROWS)).all()
        moved: list[tuple[str, str, str]] = []
        broken: list[tuple[str, str]] = []
        for row in rows:
            ciphertext = _resealed(row, old, new, self._vault)
            if ciphertext is None:
                broken.append((row.id, row.ciphertext))
            else:
                moved.append((row.id, row.ciphertext, ciphertext))
        with self._database.write() as connection:
            done = _swap(connection, moved, new.kid)
            for secret_id, ciphertext in broken:
                connection.execute(
                    sa.update(secrets)
                    .where(secrets.c.id == secret_id, secrets.c.ciphertext == ciphertext)
                    .values(status=UNREADABLE)
                )
            values: dict[str, Any] = {"done": vault_rotations.c.done + done}
            if not rows:
                values = {"state": DRAINED}
            connection.execute(
                sa.update(vault_rotations).where(vault_rotations.c.to_kid == job.to_kid).values(**values)
            )

    def _retire(self, job: Any) -> None:
        """Verify that nothing readable is left under the old key, then give it up."""
        left = sa.select(sa.func.count()).select_from(secrets).where(secrets.c.kid == job.from_kid)
        with self._database.write() as connection:
            connection.execute(sa.select(vaults.c.id).with_for_update())
            if connection.scalar(left.where(secrets.c.status != UNREADABLE)):
                # an edit that began before the switch committed after it
                connection.execute(sa.update(vault_rotations).values(state=REWRAPPING))
                return
            quarantined = connection.scalar(left) or 0
            if quarantined:
                connection.execute(sa.update(vault_keys).where(vault_keys.c.kid == job.from_kid).values(state=RETIRED))
            else:
                connection.execute(sa.delete(vault_wraps).where(vault_wraps.c.kid == job.from_kid))
                connection.execute(sa.delete(vault_keys).where(vault_keys.c.kid == job.from_kid))
            connection.execute(
                sa.update(vault_rotations).values(
                    state=DONE, quarantined=quarantined, runner=None, finished_at=utc_now()
                )
            )
        log.info("vault key rotated", extra={"from": job.from_kid, "to": job.to_kid, "quarantined": quarantined})
        self._vault.attach()


def _resealed(row: Any, old: VaultKey, new: VaultKey, vault: Vault) -> str | None:
    """Return the row's ciphertext under the new key; None if it does not open."""
    try:
        secret = vault.open_row(row)
    except RequestError:
        return None
    if row.kid != old.kid:
        return None
    return new.seal(binding_of(row), secret)


def _swap(connection: sa.Connection, moved: list[tuple[str, str, str]], kid: str) -> int:
    """Write new ciphertexts where the old ones still lie; return how many did."""
    if not moved:
        return 0
    if connection.dialect.name == "postgresql":
        columns = sa.column("id", secrets.c.id.type), sa.column("old", sa.Text), sa.column("new", sa.Text)
        given = sa.values(*columns, name="given").data(moved)
        statement = (
            sa.update(secrets)
            .where(secrets.c.id == sa.cast(given.c.id, secrets.c.id.type), secrets.c.ciphertext == given.c.old)
            .values(ciphertext=given.c.new, kid=kid)
        )
        return connection.execute(statement).rowcount
    statement = (
        sa.update(secrets)
        .where(secrets.c.id == sa.bindparam("b_id"), secrets.c.ciphertext == sa.bindparam("b_old"))
        .values(ciphertext=sa.bindparam("b_new"), kid=kid)
    )
    rows = [{"b_id": secret_id, "b_old": old, "b_new": new} for secret_id, old, new in moved]
    return connection.execute(statement, rows).rowcount


def rotation_document(row: Any) -> RotationDocument | None:
    """Return the JSON form of a job."""
    if row is None:
        return None
    return RotationDocument(
        state=row.state,
        from_kid=row.from_kid,
        to_kid=row.to_kid,
        total=row.total,
        done=row.done,
        quarantined=row.quarantined,
        started_at=instant_text(row.started_at),
        finished_at=instant_text(row.finished_at),
    )
