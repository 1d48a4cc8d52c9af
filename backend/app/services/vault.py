"""The vault: secrets bound to their owner, sealed under keys that never leave the process.

Who calls it: the services of the owners' resources, inside their own transaction where a row of theirs changes with
the secret (`connection` argument), and the HTTP controllers of the vault itself. Lists never decrypt; one row that
does not open never breaks another.
"""

from __future__ import annotations

import contextlib
import secrets as randomness
import uuid
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, Literal

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from app.core.encryption import fingerprint as key_fingerprint
from app.core.encryption import parse_key
from app.core.exceptions import ConflictError, DatabaseAwayError, NotFoundError, RequestError, ValidationError
from app.core.logging import get_logger
from app.core.sealing import (
    Binding,
    FormatUnknownError,
    Owner,
    SealBrokenError,
    VaultKey,
    fingerprint_of,
    hint_of,
    new_kid,
    new_recovery_code,
    parse_ciphertext,
    recovery_key,
    unwrap,
    wrap,
)
from app.core.security import KeyRing, existing_keys
from app.db.base import instant_text, utc_now
from app.models.vault import secrets, vault_keys, vault_owners, vault_rotations, vault_wraps, vaults
from app.schemas.vault import SecretInfo, VaultDocument

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

    from app.core.config import Config
    from app.db.session import Database
    from app.services.audit import Audit

State = Literal["unlocked", "locked", "unavailable"]

ACTIVE: Final = "active"
STAGED: Final = "staged"
DRAINING: Final = "draining"
RETIRED: Final = "retired"
LOST: Final = "lost"

UNREADABLE: Final = "unreadable"
EXPIRED: Final = "expired"
UNKNOWN: Final = "unknown"

ROOT: Final = "root"
RECOVERY: Final = "recovery"

_SYSTEM: Final = "system"

log = get_logger(__name__)


class VaultLockedError(RequestError):
    """The key that the database's vault needs is not at hand."""

    status = 423
    code = "vault-locked"


class KeyWrongError(RequestError):
    """The given key or recovery code does not open the vault."""

    status = 400
    code = "key-wrong"


class SecretUnreadableError(ConflictError):
    """A stored secret does not open."""

    code = "secret-unreadable"

    def __init__(self) -> None:
        super().__init__(
            "The stored secret was moved or tampered with and cannot be read. Enter it again.", code=self.code
        )


class SecretFormatUnknownError(ConflictError):
    """What is stored is no ciphertext this version knows."""

    code = "secret-format-unknown"

    def __init__(self) -> None:
        super().__init__("The stored secret has an unknown format. Enter it again, or update this program.")
        self.code = "secret-format-unknown"


class SecretExpiredError(ConflictError):
    """The secret's expiry has passed."""

    code = "secret-expired"

    def __init__(self) -> None:
        super().__init__("The stored secret has expired. Enter a new one.", code="secret-expired")


@dataclass(frozen=True, slots=True)
class SecretName:
    """Which secret: owner kind and id, and its name there."""

    owner_kind: str
    owner_id: str
    name: str


@dataclass(frozen=True, slots=True)
class _Keys:
    """What the vault knows of its keys, as last read; replaced as a whole."""

    vault_id: str
    active_kid: str
    opened: dict[str, VaultKey] = field(repr=False)
    states: dict[str, str]
    wrap_fingerprints: dict[str, tuple[str, ...]]
    fingerprint_key: bytes | None = field(repr=False)
    generation: int
    """Of the engine it was read through."""

    @property
    def active(self) -> VaultKey | None:
        """The key that seals, if it is at hand."""
        return self.opened.get(self.active_kid)


class Vault:
    """The vault of the present database."""

    def __init__(self, config: Config, database: Database, audit: Audit) -> None:
        self._config = config
        self._database = database
        self._audit = audit
        self._keys: _Keys | None = None
        """Read it through `_known`. Replaced as a whole and never changed, so that no lock is needed: a lock held while
        waiting for the database,
        and a database transaction held while waiting for the lock, would meet."""

    # --- attaching and states ----------------------------------------------------------------------------------------

    def root_keys(self) -> tuple[bytes, ...]:
        """Return every root key at hand: those of `ENCRYPTION_KEY` first, then those of `fernet.key`."""
        of_file = existing_keys(self._config.config_dir)
        return (*self._config.encryption_keys, *(of_file.keys if of_file is not None else ()))

    @property
    def _known(self) -> _Keys | None:
        """What is known of the present database's keys; None if that is another one, or another connection to it."""
        keys = self._keys
        return keys if keys is not None and keys.generation == self._database.generation else None

    def ensure_attached(self) -> None:
        """Attach unless that was done since the database became ready."""
        if self._known is None:
            self.attach()

    def attach(self) -> None:
        """Read the database's vault, or make one in an empty database; open it with the root keys at hand.

        Raises:
            DatabaseAwayError: the database cannot be used now.
        """
        try:
            self._attach()
        except IntegrityError:  # another desktop made the vault in this very moment
            self._attach()
        log.info("vault attached", extra={"state": self.state, "needs": self.needs_fingerprint})

    def _attach(self) -> None:
        with self._database.write() as connection:
            keys = self._attach_in(connection)
        self._keys = keys

    def _attach_in(self, connection: sa.Connection) -> _Keys:
        roots = self.root_keys()
        vault_id = _vault_id(connection)
        self._audit.attach(vault_id, roots)
        if connection.scalar(sa.select(sa.func.count()).select_from(vault_keys)) == 0:
            _make_key(connection, vault_id, state=ACTIVE, roots=roots[:1], fingerprint_key=None)
        keys = self._read(connection, vault_id, roots, self._keys if self._same_vault(vault_id) else None)
        return self._with_own_wrap(connection, keys, roots[0])

    def _read(self, connection: sa.Connection, vault_id: str, roots: tuple[bytes, ...], before: _Keys | None) -> _Keys:
        """Read keys and wraps, and open what the root keys open; what was open `before` stays open."""
        by_fingerprint = {key_fingerprint(root): root for root in roots}
        states = {row.kid: row for row in connection.execute(sa.select(vault_keys))}
        opened = {kid: key for kid, key in (before.opened if before is not None else {}).items() if kid in states}
        fingerprints: dict[str, tuple[str, ...]] = dict.fromkeys(states, ())
        for row in connection.execute(sa.select(vault_wraps).order_by(vault_wraps.c.created_at)):
            if row.kind == ROOT:
                fingerprints[row.kid] = (*fingerprints[row.kid], row.fingerprint)
            root = by_fingerprint.get(row.fingerprint)
            if root is not None and row.kid not in opened:
                try:
                    opened[row.kid] = self._vault_key(vault_id, row.kid, unwrap(root, vault_id, row.kid, row.wrap))
                except SealBrokenError:
                    log.warning("a wrap does not open", extra={"kid": row.kid, "fingerprint": row.fingerprint})
        active_kid = next(kid for kid, row in states.items() if row.state == ACTIVE)
        fingerprint_key = None
        if active_kid in opened:
            fingerprint_key = opened[active_kid].open_internal("fingerprint", states[active_kid].fingerprint_key)
        return _Keys(
            vault_id=vault_id,
            active_kid=active_kid,
            opened=opened,
            states={kid: row.state for kid, row in states.items()},
            wrap_fingerprints=fingerprints,
            fingerprint_key=fingerprint_key,
            generation=self._database.generation,
        )

    def _same_vault(self, vault_id: str) -> bool:
        return self._keys is not None and self._keys.vault_id == vault_id

    def _vault_key(self, vault_id: str, kid: str, key: bytes) -> VaultKey:
        return VaultKey(vault_id, kid, key, self._config.api_key_secret or "")

    def _with_own_wrap(self, connection: sa.Connection, keys: _Keys, root: bytes) -> _Keys:
        """Add a wrap for the first root key to every open vault key that has none."""
        own = key_fingerprint(root)
        missing = [kid for kid in keys.opened if own not in keys.wrap_fingerprints[kid]]
        for kid in missing:
            _add_wrap(connection, keys.vault_id, kid, keys.opened[kid].key, root)
        if not missing:
            return keys
        self._audit.append(connection, action="share", actor=_SYSTEM, fingerprint=own)
        added = {kid: (*keys.wrap_fingerprints[kid], own) for kid in missing}
        return replace(keys, wrap_fingerprints={**keys.wrap_fingerprints, **added})

    @property
    def state(self) -> State:
        """unlocked, locked or unavailable."""
        keys = self._known
        if keys is None:
            return "unavailable"
        return "unlocked" if keys.active is not None else "locked"

    @property
    def needs_fingerprint(self) -> str | None:
        """The fingerprint of a root key that would unlock the vault; None while it is not locked."""
        keys = self._known
        if keys is None or keys.active is not None:
            return None
        return next(iter(keys.wrap_fingerprints[keys.active_kid]), None)

    def brief(self) -> dict[str, Any]:
        """Return the vault's part of the status document."""
        return {"state": self.state, "needs_fingerprint": self.needs_fingerprint}

    def document(self) -> VaultDocument:
        """Return the vault's own document.

        Raises:
            DatabaseAwayError: the database cannot be used now.
        """
        from app.services.rotation import rotation_document

        keys = self._present()
        with self._database.read() as connection:
            counts = connection.execute(
                sa.select(sa.func.count(), sa.func.count(sa.case((_is_unreadable(keys), 1)))).select_from(secrets)
            ).one()
            has_recovery = connection.scalar(
                sa.select(sa.func.count()).where(vault_wraps.c.kind == RECOVERY, vault_wraps.c.kid == keys.active_kid)
            )
            rotation = connection.execute(sa.select(vault_rotations)).one_or_none()
        return VaultDocument(
            state=self.state,
            vault_id=keys.vault_id,
            key_fingerprint=key_fingerprint(self.root_keys()[0]),
            needs_fingerprint=self.needs_fingerprint,
            kid=keys.active_kid,
            secrets=counts[0],
            unreadable=counts[1],
            has_recovery_code=bool(has_recovery),
            rotation=rotation_document(rotation),
        )

    def _present(self) -> _Keys:
        """Return what is known of the keys, attaching first if need be."""
        self.ensure_attached()
        keys = self._known
        if keys is None:  # lost again in this very moment
            raise DatabaseAwayError
        return keys

    def _unlocked(self) -> tuple[_Keys, VaultKey]:
        """Return the keys and the active one.

        Raises:
            VaultLockedError: it is not at hand; names the fingerprint of the key that is.
        """
        keys = self._present()
        if keys.active is None:
            self.attach()  # the key file may have been completed, or another desktop has shared the key
            keys = self._present()
        if keys.active is None:
            raise self._locked(keys, keys.active_kid)
        return keys, keys.active

    def _locked(self, keys: _Keys, kid: str) -> VaultLockedError:
        needed = " or ".join(keys.wrap_fingerprints.get(kid, ())) or "of another desktop"
        return VaultLockedError(f"The vault is locked: it needs the key {needed}.")

    @contextlib.contextmanager
    def writing(self, *, unlocked: bool = True) -> Iterator[sa.Connection]:
        """A transaction for `put`, `delete` and `shred`, and for the caller's own rows beside them.

        Raises:
            VaultLockedError: the vault is locked, unless `unlocked` says that it need not be open.
            DatabaseAwayError: the database cannot be used now.
        """
        if unlocked:
            self._unlocked()
        else:
            self._present()
        with self._database.write() as connection:
            yield connection

    # --- writing -----------------------------------------------------------------------------------------------------

    def put(
        self,
        connection: sa.Connection,
        which: SecretName,
        secret: str,
        *,
        actor: str,
        expires_at: dt.datetime | None = None,
        status: str = UNKNOWN,
    ) -> SecretInfo:
        """Store or replace a secret inside a transaction of `writing`.

        Raises:
            VaultLockedError: the vault is locked; nothing was written.
            AuditUnavailableError: the audit entry could not be written; the caller's transaction must roll back.
        """
        keys, key = self._sealing_key(connection)
        owner = _owner(connection, which)
        old = connection.execute(_of(which).with_for_update()).one_or_none()
        now = utc_now()
        secret_id = old.id if old is not None else str(uuid.uuid4())
        row_version = old.row_version + 1 if old is not None else 1
        binding = Binding(owner, secret_id, which.name, row_version, instant_text(expires_at) or "")
        values: dict[str, Any] = {
            "ciphertext": key.seal(binding, secret),
            "kid": key.kid,
            "row_version": row_version,
            "fingerprint": fingerprint_of(keys.fingerprint_key or b"", which.owner_kind, which.owner_id, secret),
            "hint": hint_of(secret),
            "status": status,
            "status_evidence": None,
            "last_validated_at": None,
            "expires_at": expires_at,
            "updated_at": now,
        }
        if old is None:
            values |= {"id": secret_id, "created_at": now} | _which_columns(which)
            connection.execute(sa.insert(secrets).values(**values))
        else:
            connection.execute(sa.update(secrets).where(secrets.c.id == secret_id).values(**values))
        self._say(connection, "set" if old is None else "replace", which, actor, values["fingerprint"])
        return _info(connection.execute(_of(which)).one(), keys)

    def delete(self, connection: sa.Connection, which: SecretName, *, actor: str) -> bool:
        """Delete a secret inside a transaction of `writing`; works while locked. Returns whether there was one."""
        row = connection.execute(_of(which).with_for_update()).one_or_none()
        if row is None:
            return False
        connection.execute(sa.delete(secrets).where(secrets.c.id == row.id))
        self._say(connection, "delete", which, actor, row.fingerprint)
        return True

    def shred(self, connection: sa.Connection, owner_kind: str, owner_id: str, *, actor: str) -> int:
        """Delete all that an owner had, and the salt without which not even a backup's rows open.

        Returns:
            How many secrets there were.
        """
        of_owner = (secrets.c.owner_kind == owner_kind) & (secrets.c.owner_id == owner_id)
        count: int = connection.execute(sa.delete(secrets).where(of_owner)).rowcount
        connection.execute(
            sa.delete(vault_owners).where(vault_owners.c.owner_kind == owner_kind, vault_owners.c.owner_id == owner_id)
        )
        self._audit.append(
            connection, action="delete", actor=actor, owner_kind=owner_kind, owner_id=owner_id, reason="shredded"
        )
        return count

    def set_status(
        self, which: SecretName, row_version: int, status: str, *, evidence: str | None, validated: bool
    ) -> bool:
        """Record a verdict about one version of a secret; False if it was replaced meanwhile, and nothing changed."""
        values: dict[str, Any] = {"status": status, "status_evidence": evidence}
        if validated:
            values["last_validated_at"] = utc_now()
        with self._database.write() as connection:
            changed = connection.execute(
                sa.update(secrets).where(_matches(which), secrets.c.row_version == row_version).values(**values)
            )
        return bool(changed.rowcount)

    def _sealing_key(self, connection: sa.Connection) -> tuple[_Keys, VaultKey]:
        """Return the key that is active in the database at this moment, and hold it until the transaction ends."""
        keys = self._known or self._attach_in(connection)
        active = connection.execute(
            sa.select(vault_keys.c.kid).where(vault_keys.c.state == ACTIVE).with_for_update(read=True)
        ).scalar_one()
        if active != keys.active_kid:  # another desktop has rotated
            keys = self._keys = self._read(connection, keys.vault_id, self.root_keys(), keys)
        if keys.active is None:
            raise self._locked(keys, keys.active_kid)
        return keys, keys.active

    def _say(
        self,
        connection: sa.Connection,
        action: str,
        which: SecretName,
        actor: str,
        fingerprint: str | None,
        **more: Any,
    ) -> None:
        self._audit.append(
            connection,
            action=action,
            actor=actor,
            owner_kind=which.owner_kind,
            owner_id=which.owner_id,
            name=which.name,
            fingerprint=fingerprint,
            **more,
        )

    # --- reading -----------------------------------------------------------------------------------------------------

    def infos(self, owner_kind: str | None = None, owner_id: str | None = None) -> list[SecretInfo]:
        """Return secrets without decrypting anything; a row that does not open is marked `unreadable`."""
        keys = self._present()
        query = sa.select(secrets).order_by(secrets.c.owner_kind, secrets.c.owner_id, secrets.c.name)
        if owner_kind is not None:
            query = query.where(secrets.c.owner_kind == owner_kind)
        if owner_id is not None:
            query = query.where(secrets.c.owner_id == owner_id)
        with self._database.read() as connection:
            return [_info(row, keys) for row in connection.execute(query)]

    def info(self, which: SecretName) -> SecretInfo | None:
        """Return one secret as lists show it; None if there is none."""
        keys = self._present()
        with self._database.read() as connection:
            row = connection.execute(_of(which)).one_or_none()
        return None if row is None else _info(row, keys)

    def use(self, which: SecretName, *, actor: str) -> str | None:
        """Return the secret for the call that needs it, None if there is none; counted in the audit log.

        Raises:
            VaultLockedError: the key is not at hand.
            SecretUnreadableError: it was moved or tampered with; the row is marked.
            SecretFormatUnknownError: it is no known ciphertext; the row is marked.
            SecretExpiredError: its time is over.
        """
        row = self._row(which)
        if row is None:
            return None
        secret = self._open(row, which, actor)
        self._audit.note_use(
            row.id, which.owner_kind, which.owner_id, which.name, fingerprint=row.fingerprint, actor=actor
        )
        return secret

    def reveal(self, which: SecretName, *, actor: str) -> str:
        """Return the secret to a person; refused when the audit entry cannot be written.

        Raises:
            NotFoundError: there is none.
        """
        row = self._row(which)
        if row is None:
            raise NotFoundError("No such secret")
        secret = self._open(row, which, actor)
        with self._database.write() as connection:
            self._say(connection, "reveal", which, actor, row.fingerprint)
        return secret

    def _row(self, which: SecretName) -> Any:
        self._present()
        query = (
            sa.select(secrets, vault_owners.c.salt)
            .outerjoin(
                vault_owners,
                (vault_owners.c.owner_kind == secrets.c.owner_kind) & (vault_owners.c.owner_id == secrets.c.owner_id),
            )
            .where(_matches(which))
        )
        with self._database.read() as connection:
            return connection.execute(query).one_or_none()

    def _open(self, row: Any, which: SecretName, actor: str) -> str:
        try:
            secret = self.open_row(row)
        except (SecretUnreadableError, SecretFormatUnknownError) as exc:
            self._mark(row, UNREADABLE)
            self._refused(which, actor, row.fingerprint, exc.code)
            raise
        except VaultLockedError as exc:
            self._refused(which, actor, row.fingerprint, exc.code)
            raise
        if row.expires_at is not None and row.expires_at <= utc_now():
            self._refused(which, actor, row.fingerprint, "secret-expired")
            raise SecretExpiredError
        if row.status == UNREADABLE:
            self._mark(row, UNKNOWN)
        return secret

    def open_row(self, row: Any) -> str:
        """Open one row, or tell in this order what is wrong: format, key not at hand, token.

        Raises:
            SecretFormatUnknownError, VaultLockedError, SecretUnreadableError: see there.
        """
        try:
            kid, _ = parse_ciphertext(row.ciphertext)
        except FormatUnknownError:
            raise SecretFormatUnknownError from None
        key = self._key_for(kid)
        if row.salt is None or row.kid != kid:
            raise SecretUnreadableError
        try:
            return key.open(binding_of(row), row.ciphertext)
        except (SealBrokenError, FormatUnknownError, UnicodeDecodeError):
            raise SecretUnreadableError from None

    def _key_for(self, kid: str) -> VaultKey:
        keys = self._present()
        if kid not in keys.opened:
            self.attach()  # another desktop may have rotated
            keys = self._present()
        if kid in keys.opened and keys.states[kid] != LOST:
            return keys.opened[kid]
        if keys.states.get(kid, LOST) == LOST:
            raise SecretUnreadableError
        raise self._locked(keys, kid)

    def _mark(self, row: Any, status: str) -> None:
        """Mark exactly this ciphertext; one that was replaced meanwhile is left alone."""
        with self._database.write() as connection:
            connection.execute(
                sa.update(secrets)
                .where(secrets.c.id == row.id, secrets.c.ciphertext == row.ciphertext)
                .values(status=status)
            )

    def _refused(self, which: SecretName, actor: str, fingerprint: str, reason: str) -> None:
        with self._database.write() as connection:
            self._say(connection, "refused", which, actor, fingerprint, outcome="refused", reason=reason)

    def verify(self) -> tuple[int, list[SecretInfo]]:
        """Open every secret; return how many open, and those that do not, which are marked."""
        keys, _ = self._unlocked()
        opened, broken = 0, []
        for row in self._rows():
            try:
                self.open_row(row)
            except RequestError:
                self._mark(row, UNREADABLE)
                broken.append(_info(row, keys))
            else:
                opened += 1
        return opened, broken

    def _rows(self, batch: int = 500) -> Any:
        last = ""
        while True:
            with self._database.read() as connection:
                rows = connection.execute(rows_with_salt().where(secrets.c.id > last).limit(batch)).all()
            yield from rows
            if len(rows) < batch:
                return
            last = rows[-1].id

    # --- keys for rotations ------------------------------------------------------------------------------------------

    def require_unlocked(self) -> None:
        """Raise VaultLockedError unless the vault is unlocked."""
        self._unlocked()

    def key(self, kid: str) -> VaultKey:
        """Return an open vault key; raises VaultLockedError."""
        return self._key_for(kid)

    def stage_key(self, connection: sa.Connection) -> tuple[str, str]:
        """Make a new vault key beside the active one, with wraps for all root keys at hand and the recovery code.

        Returns:
            The ids of the active and the new key.
        """
        keys, old = self._sealing_key(connection)
        made = _make_key(
            connection, keys.vault_id, state=STAGED, roots=self.root_keys(), fingerprint_key=keys.fingerprint_key
        )
        fresh = self._read(connection, keys.vault_id, self.root_keys(), keys)
        new = fresh.opened[made]
        for row in connection.execute(
            sa.select(vault_wraps).where(vault_wraps.c.kid == old.kid, vault_wraps.c.kind == RECOVERY)
        ).all():
            root = old.open_internal("escrow", row.escrow)
            _add_wrap(connection, keys.vault_id, made, new.key, root, escrow=new.seal_internal("escrow", root))
        return old.kid, made

    # --- ways out of locked ------------------------------------------------------------------------------------------

    def unlock(self, *, encryption_key: str | None, recovery_code: str | None, actor: str) -> None:
        """Open a locked vault with the key it needs, or the recovery code; a wrap for this desktop's key is added.

        Raises:
            ValidationError: neither is given, or it is malformed.
            KeyWrongError: it does not open the vault.
        """
        keys = self._present()
        candidate, kind = _given_key(encryption_key, recovery_code, keys.vault_id)
        wanted = key_fingerprint(candidate)
        with self._database.write() as connection:
            opened = dict(keys.opened)
            query = sa.select(vault_wraps).where(vault_wraps.c.fingerprint == wanted, vault_wraps.c.kind == kind)
            for row in connection.execute(query):
                try:
                    key = unwrap(candidate, keys.vault_id, row.kid, row.wrap)
                except SealBrokenError:
                    continue
                opened[row.kid] = self._vault_key(keys.vault_id, row.kid, key)
            if keys.active_kid not in opened:
                raise KeyWrongError("This key does not open the vault")
            roots = self.root_keys()
            keys = self._read(connection, keys.vault_id, roots, replace(keys, opened=opened))
            self._audit.append(connection, action="unlock", actor=actor, fingerprint=wanted)
            keys = self._with_own_wrap(connection, keys, roots[0])
        self._keys = keys

    def reset(self, *, confirm: str, actor: str) -> None:
        """Give the lost key up: a new one is made, old rows stay and are marked unreadable.

        Raises:
            ValidationError: `confirm` is not the vault's id.
            ConflictError: the vault is not locked.
        """
        keys = self._present()
        if confirm != keys.vault_id:
            raise ValidationError("confirm: Input should be the id of the vault")
        with self._database.write() as connection:
            roots = self.root_keys()
            present = self._read(connection, keys.vault_id, roots, keys)
            if present.active is not None:
                raise ConflictError("The vault is not locked")
            connection.execute(sa.update(vault_keys).values(state=LOST))
            kid = _make_key(connection, keys.vault_id, state=ACTIVE, roots=roots[:1], fingerprint_key=None)
            connection.execute(sa.update(secrets).where(secrets.c.kid != kid).values(status=UNREADABLE))
            connection.execute(sa.delete(vault_rotations))
            self._audit.append(connection, action="reset", actor=actor, reason="the key is lost")
            fresh = self._read(connection, keys.vault_id, roots, None)
        self._keys = fresh

    def make_recovery_code(self, *, actor: str, check: Any) -> None:
        """Make a recovery code, show it through `check`, and keep its wrap only if `check` returns true.

        `check` shows the code to a person and asks for it again. An older code is replaced.
        """
        keys, key = self._unlocked()
        code = new_recovery_code()
        if not check(code):
            raise ValidationError("The recovery code was not repeated correctly; nothing was changed")
        root = recovery_key(code, keys.vault_id)
        with self._database.write() as connection:
            connection.execute(sa.delete(vault_wraps).where(vault_wraps.c.kind == RECOVERY))
            _add_wrap(connection, keys.vault_id, key.kid, key.key, root, escrow=key.seal_internal("escrow", root))
            self._audit.append(connection, action="share", actor=actor, fingerprint=key_fingerprint(root))

    def try_to_adopt(self, ring: KeyRing) -> bool:
        """Like `adopt`; False, and nothing is changed, while the database is away."""
        try:
            return self.adopt(ring, actor=_SYSTEM)
        except RequestError as exc:
            log.warning("vault keys not wrapped anew", extra={"code": exc.code})
            return False

    def adopt(self, ring: KeyRing, *, actor: str) -> bool:
        """Wrap the vault keys anew for a rotated `fernet.key`: the ring's first key; wraps for the others go.

        Returns:
            Whether the retired keys are no longer needed by this vault.
        """
        keys = self._present()
        retired = [key_fingerprint(key) for key in ring.keys[1:]]
        with self._database.write() as connection:
            fresh = self._read(connection, keys.vault_id, (*ring.keys, *self.root_keys()), keys)
            own = key_fingerprint(ring.keys[0])
            for kid, key in fresh.opened.items():
                if own not in fresh.wrap_fingerprints[kid]:
                    _add_wrap(connection, keys.vault_id, kid, key.key, ring.keys[0])
                connection.execute(
                    sa.delete(vault_wraps).where(vault_wraps.c.kid == kid, vault_wraps.c.fingerprint.in_(retired))
                )
            self._audit.append(connection, action="rotate", actor=actor, fingerprint=own, reason="fernet.key")
            needed = connection.scalar(
                sa.select(sa.func.count()).select_from(vault_wraps).where(vault_wraps.c.fingerprint.in_(retired))
            )
            fresh = self._read(connection, keys.vault_id, ring.keys, keys)
        self._keys = fresh
        return not needed


def _vault_id(connection: sa.Connection) -> str:
    """Return the id of the database's vault, made if there is none; its row stays locked until the end."""
    query = sa.select(vaults.c.vault_id).with_for_update()
    found = connection.scalar(query)
    if found is None:
        _insert_if_absent(connection, vaults, {"id": 1, "vault_id": str(uuid.uuid4()), "created_at": utc_now()})
        found = connection.execute(query).scalar_one()
    return str(found)


def _insert_if_absent(connection: sa.Connection, table: sa.Table[Any], values: dict[str, Any]) -> None:
    """INSERT ... ON CONFLICT DO NOTHING, which both databases know in their own dialects."""
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert
    else:
        from sqlalchemy.dialects.sqlite import insert  # type: ignore[assignment]
    connection.execute(insert(table).values(**values).on_conflict_do_nothing())


def _make_key(
    connection: sa.Connection,
    vault_id: str,
    *,
    state: str,
    roots: tuple[bytes, ...],
    fingerprint_key: bytes | None,
) -> str:
    """Make a vault key with a wrap for each root key; return its id."""
    key = VaultKey(vault_id, new_kid(), randomness.token_bytes(32))
    sealed = key.seal_internal("fingerprint", fingerprint_key or randomness.token_bytes(32))
    connection.execute(
        sa.insert(vault_keys).values(kid=key.kid, state=state, fingerprint_key=sealed, created_at=utc_now())
    )
    for root in roots:
        _add_wrap(connection, vault_id, key.kid, key.key, root)
    return key.kid


def _add_wrap(
    connection: sa.Connection, vault_id: str, kid: str, vault_key: bytes, root: bytes, *, escrow: str | None = None
) -> None:
    values = {
        "kid": kid,
        "fingerprint": key_fingerprint(root),
        "kind": ROOT if escrow is None else RECOVERY,
        "wrap": wrap(root, vault_id, kid, vault_key),
        "escrow": escrow,
        "created_at": utc_now(),
    }
    _insert_if_absent(connection, vault_wraps, values)


def _owner(connection: sa.Connection, which: SecretName) -> Owner:
    """Return the owner with its salt, made if this is its first secret."""
    query = sa.select(vault_owners.c.salt).where(
        vault_owners.c.owner_kind == which.owner_kind, vault_owners.c.owner_id == which.owner_id
    )
    salt = connection.scalar(query)
    if salt is None:
        values = {
            "owner_kind": which.owner_kind,
            "owner_id": which.owner_id,
            "salt": randomness.token_hex(32),
            "created_at": utc_now(),
        }
        _insert_if_absent(connection, vault_owners, values)
        salt = connection.execute(query).scalar_one()
    return Owner(which.owner_kind, which.owner_id, bytes.fromhex(salt))


def rows_with_salt() -> Any:
    """Select secrets with their owners' salt, by id."""
    joined = (vault_owners.c.owner_kind == secrets.c.owner_kind) & (vault_owners.c.owner_id == secrets.c.owner_id)
    return sa.select(secrets, vault_owners.c.salt).outerjoin(vault_owners, joined).order_by(secrets.c.id)


def binding_of(row: Any) -> Binding:
    """Return where a row's ciphertext belongs."""
    owner = Owner(row.owner_kind, row.owner_id, bytes.fromhex(row.salt))
    return Binding(owner, row.id, row.name, row.row_version, instant_text(row.expires_at) or "")


def _of(which: SecretName) -> Any:
    return sa.select(secrets).where(_matches(which))


def _matches(which: SecretName) -> sa.ColumnElement[bool]:
    return (
        (secrets.c.owner_kind == which.owner_kind)
        & (secrets.c.owner_id == which.owner_id)
        & (secrets.c.name == which.name)
    )


def _which_columns(which: SecretName) -> dict[str, str]:
    return {"owner_kind": which.owner_kind, "owner_id": which.owner_id, "name": which.name}


def _is_unreadable(keys: _Keys) -> sa.ColumnElement[bool]:
    usable = [kid for kid, state in keys.states.items() if state != LOST]
    return (secrets.c.status == UNREADABLE) | secrets.c.kid.not_in(usable)


def _info(row: Any, keys: _Keys) -> SecretInfo:
    status = row.status
    if keys.states.get(row.kid, LOST) == LOST:
        status = UNREADABLE
    elif status != UNREADABLE and row.expires_at is not None and row.expires_at <= utc_now():
        status = EXPIRED
    return SecretInfo(
        id=row.id,
        owner_kind=row.owner_kind,
        owner_id=row.owner_id,
        name=row.name,
        fingerprint=row.fingerprint,
        hint=row.hint,
        status=status,
        status_evidence=row.status_evidence,
        row_version=row.row_version,
        last_validated_at=instant_text(row.last_validated_at),
        expires_at=instant_text(row.expires_at),
        created_at=instant_text(row.created_at) or "",
        updated_at=instant_text(row.updated_at) or "",
    )


def _given_key(encryption_key: str | None, recovery_code: str | None, vault_id: str) -> tuple[bytes, str]:
    if encryption_key is not None:
        try:
            return parse_key(encryption_key.strip()), ROOT
        except ValueError:
            raise ValidationError("encryption_key: Input should be a Fernet key") from None
    if recovery_code is not None:
        try:
            return recovery_key(recovery_code, vault_id), RECOVERY
        except ValueError:
            raise ValidationError("recovery_code: Input should be a recovery code") from None
    raise ValidationError("encryption_key: Field required")
