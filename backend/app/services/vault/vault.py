"""The vault: secrets bound to their owner, sealed under keys that never leave the process.

Who calls it: the services of the owners' resources, inside their own transaction where a row of theirs changes with
the secret (`connection` argument), and the HTTP controllers of the vault itself.
"""

from __future__ import annotations

import contextlib
import re
import secrets as randomness
import uuid
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

import sqlalchemy as sa
from msgspec import UNSET, UnsetType

from app.core.encryption import MASK
from app.core.exceptions import NotFoundError, ValidationError
from app.db.base import utc_now
from app.db.session import leave_no_trace
from app.db.statements import insert_if_absent
from app.models.vault import (
    UNKNOWN,
    UNREADABLE,
    secrets,
    vault_owners,
)
from app.schemas.vault import SecretInfo
from app.services.vault.destinations import Located, located
from app.services.vault.reader import VaultReader, identity
from app.services.vault.rows import (
    MAX_VERSION,
    Place,
    SecretName,
    SecretUnreadableError,
    info_of,
    is_partly_junk,
    is_secret,
    open_row,
    seal_row,
    secret_item,
    select_sealed,
)
from app.services.vault.sealing import fingerprint_of, forget_derived_keys, hint_of

if TYPE_CHECKING:
    import datetime as dt

    from app.core.config import Config
    from app.db.session import Database
    from app.services.audit.log import Audit

Watch = Callable[[SecretName], "Watched"]
"""Tells what is to stand in the columns of a new secret that its provider is concerned with."""

SALT_BYTES: Final = 32
_SALT: Final = re.compile(rf"[0-9a-f]{{{2 * SALT_BYTES}}}")

__all__ = ["Route", "SecretName", "Vault", "is_masked"]


class Watched(NamedTuple):
    """Columns of a secret that is a key of a provider."""

    pinned_host: str | None
    """Origin of the provider it was entered for: it is never sent to another one."""
    next_check_at: dt.datetime | None
    """When it is checked with its provider next."""


NOT_WATCHED: Final = Watched(None, None)


class Said(Protocol):
    """What a provider said about a key."""

    @property
    def status(self) -> str:
        """Its verdict."""

    @property
    def evidence(self) -> str | None:
        """What that stands on."""


class Route(NamedTuple):
    """Where a secret was allowed to go, and where from now on."""

    before: str | None
    after: str | None


def is_masked(value: str) -> bool:
    """Tell whether somebody sent back what a list showed instead of the secret."""
    return value.startswith(MASK)


class Vault(VaultReader):
    """The vault of the present database: what `VaultReader` does, and all that changes it."""

    def __init__(self, config: Config, database: Database, audit: Audit, watch: Watch) -> None:
        """Make the vault.

        Args:
            config: of this process.
            database: where its tables are.
            audit: is told of everything.
            watch: tells which secrets are keys that their provider's host is pinned for and checks again.
        """
        super().__init__(config, database, audit)
        self._watch = watch

    @contextlib.contextmanager
    def writing(self, *, unlocked: bool = True) -> Iterator[sa.Connection]:
        """A transaction for `put`, `delete` and `shred`, and for the caller's own rows beside them.

        Do not call `use` or `reveal` in it: they have transactions of their own, which would wait for this one.

        Raises:
            VaultLockedError: the vault is locked, unless `unlocked` says that it need not be open.
            DatabaseAwayError: the database cannot be used now.
            AuditUnavailableError: an audit entry cannot be written; everything was rolled back.
        """
        if unlocked:
            self.attachment.unlocked_keys()
        else:
            self.attachment.keys()
        with self._audit.writing() as connection:
            yield connection

    def put(
        self,
        connection: sa.Connection,
        which: SecretName,
        secret: str,
        *,
        actor: str,
        expires_at: dt.datetime | None = None,
        verdict: Said | None = None,
        destination: str | None = None,
    ) -> SecretInfo:
        """Store or replace a secret inside a transaction of `writing`; a mask keeps what is stored.

        Args:
            connection: of the transaction.
            which: which secret.
            secret: as it is to be used.
            actor: who does it.
            expires_at: None for never.
            verdict: what its provider just said about it, if it was asked.
            destination: where it may go; what the owner's row says unless given.

        Raises:
            VaultLockedError: the vault is locked; nothing was written.
            ValidationError: a mask, and nothing is stored.
        """
        if is_masked(secret):
            return self._keep(connection, which, expires_at, actor)
        keys, key = self.attachment.sealing_keys(connection)
        salt = _salt(connection, which.owner_kind, which.owner_id)
        now = utc_now()
        old = connection.execute(_of(which).with_for_update()).one_or_none()
        watched = self._watch(which)
        sound = old if old is not None and not is_partly_junk(old) and old.row_version < MAX_VERSION else None
        if sound is not None and self._audit.ledger.alive(connection, keys, secret_item(which)) != identity(sound):
            sound = None  # restored: a version of its own would be one that was there before
        place = Place(
            id=str(uuid.uuid4()) if sound is None else sound.id,
            row_version=1 if sound is None else sound.row_version + 1,
            expires_at=expires_at,
            salt=salt,
            destination=destination if destination is not None else self._destination(connection, which, watched),
            **which.columns(),
        )
        values: dict[str, Any] = {
            **seal_row(place, secret, keys, key)._asdict(),
            "row_version": place.row_version,
            "fingerprint": fingerprint_of(keys.fingerprint_key or b"", which.owner_kind, which.owner_id, secret),
            "hint": hint_of(secret),
            "status": UNKNOWN if verdict is None else verdict.status,
            "status_evidence": None if verdict is None else verdict.evidence,
            "last_validated_at": None if verdict is None else now,
            "expires_at": expires_at,
            **watched._asdict(),
            "refused_at": None,
            "updated_at": now,
        }
        if sound is None:
            values |= {"id": place.id, "created_at": now, **which.columns()}
        if old is None:
            connection.execute(sa.insert(secrets).values(**values))
        else:
            connection.execute(sa.update(secrets).where(is_secret(which)).values(**values))
        self._vouch(connection, which, place.id, place.row_version, values["status"])
        self._say(connection, "set" if old is None else "replace", which, actor, values["fingerprint"])
        return info_of(SimpleNamespace(**(values if old is None else {**old._asdict(), **values})), keys)

    def _destination(self, connection: sa.Connection, which: SecretName, watched: Watched) -> str | None:
        row = SimpleNamespace(**which.columns(), pinned_host=watched.pinned_host)
        return located(connection, [row])[0].destination

    def _keep(
        self, connection: sa.Connection, which: SecretName, expires_at: dt.datetime | None, actor: str
    ) -> SecretInfo:
        """Keep a secret whose mask was sent back; an expiry that came with it is set."""
        row = connection.execute(_of(which)).one_or_none()
        if row is None:
            raise ValidationError(
                "secret: Input should be the secret itself, as nothing is stored that a mask could keep"
            )
        if expires_at is None:
            return info_of(row, self.attachment.keys())
        return self.expire(connection, which, expires_at, actor=actor)

    def expire(
        self,
        connection: sa.Connection,
        which: SecretName,
        expires_at: dt.datetime | None,
        *,
        actor: str,
        route: Route | None = None,
    ) -> SecretInfo:
        """Change when a secret expires, inside a transaction of `writing`; it is sealed anew, as the expiry is bound.

        Args:
            connection: of the transaction.
            which: which secret.
            expires_at: None for never.
            actor: who does it.
            route: if its destination changes in the same transaction.

        Raises:
            NotFoundError: there is none.
            VaultLockedError: the vault is locked.
            SecretUnreadableError, SecretFormatUnknownError: it does not open.
        """
        return self._seal_anew(connection, which, expires_at, actor, "expire", route)

    def reroute(self, connection: sa.Connection, which: SecretName, route: Route, *, actor: str) -> SecretInfo:
        """Let a secret go where its owner's row leads from now on, inside a transaction of `writing`.

        Raises:
            NotFoundError, VaultLockedError, SecretUnreadableError, SecretFormatUnknownError: as `expire`.
        """
        return self._seal_anew(connection, which, UNSET, actor, "replace", route)

    def _seal_anew(
        self,
        connection: sa.Connection,
        which: SecretName,
        expires_at: dt.datetime | UnsetType | None,
        actor: str,
        action: str,
        route: Route | None,
    ) -> SecretInfo:
        keys, key = self.attachment.sealing_keys(connection)
        salt = _salt(connection, which.owner_kind, which.owner_id)
        query = select_sealed(secrets.c.fingerprint).where(is_secret(which)).with_for_update(of=secrets)
        found = connection.execute(query).one_or_none()
        if found is None:
            raise NotFoundError("No such secret")
        row = located(connection, [found])[0] if route is None else Located(found, route.before)
        secret = open_row(row, keys)
        if self._audit.ledger.alive(connection, keys, secret_item(which)) != identity(row):
            raise SecretUnreadableError
        instant = row.expires_at if isinstance(expires_at, UnsetType) else expires_at
        place = Place(
            id=row.id,
            row_version=row.row_version + 1,
            expires_at=instant,
            salt=salt,
            destination=row.destination if route is None else route.after,
            **which.columns(),
        )
        values = {
            **seal_row(place, secret, keys, key)._asdict(),
            "row_version": place.row_version,
            "expires_at": instant,
            "updated_at": utc_now(),
        }
        connection.execute(sa.update(secrets).where(is_secret(which)).values(**values))
        self._vouch(connection, which, place.id, place.row_version, str(row.status))
        self._say(connection, action, which, actor, row.fingerprint)
        return info_of(connection.execute(_of(which)).one(), keys)

    def hold(self, connection: sa.Connection, owner_kind: str, owner_id: str) -> None:
        """Let nobody else write for an owner until the transaction ends: for several writes, in whatever order."""
        _salt(connection, owner_kind, owner_id)

    def delete(self, connection: sa.Connection, which: SecretName, *, actor: str) -> bool:
        """Delete a secret inside a transaction of `writing`; works while locked. Returns whether there was one."""
        row = connection.execute(_of(which).with_for_update()).one_or_none()
        if row is None:
            self._audit.ledger.note(connection, secret_item(which), None)  # it may be known, though its row is gone
            return False
        connection.execute(sa.delete(secrets).where(is_secret(which)))
        self._audit.ledger.note(connection, secret_item(which), None, before=identity(row))
        self._say(connection, "delete", which, actor, row.fingerprint)
        return True

    def shred(self, connection: sa.Connection, owner_kind: str, owner_id: str, *, actor: str) -> int:
        """Delete all that an owner had, and the salt without which not even a backup's rows open.

        Returns:
            How many secrets there were.
        """
        owner = (vault_owners.c.owner_kind == owner_kind) & (vault_owners.c.owner_id == owner_id)
        # the owner first: whoever is just sealing under the salt holds it, and what they write is deleted below
        connection.execute(sa.delete(vault_owners).where(owner))
        of_owner = (secrets.c.owner_kind == owner_kind) & (secrets.c.owner_id == owner_id)
        told = (secrets.c.name, secrets.c.id, secrets.c.row_version)
        rows = connection.execute(sa.delete(secrets).where(of_owner).returning(*told)).all()
        for row in rows:
            item = secret_item(SecretName(owner_kind, owner_id, row.name))
            self._audit.ledger.note(connection, item, None, before=identity(row))
        self._audit.append(
            connection, action="delete", actor=actor, owner_kind=owner_kind, owner_id=owner_id, reason="shredded"
        )
        leave_no_trace(connection)
        forget_derived_keys()
        return len(rows)

    def set_status(
        self, which: SecretName, row_version: int, status: str, *, evidence: str | None, validated: bool, actor: str
    ) -> bool:
        """Record a verdict about one version of a secret; False if it was replaced meanwhile, and nothing changed."""
        values: dict[str, Any] = {"status": status, "status_evidence": evidence}
        if validated:
            values["last_validated_at"] = utc_now()
        is_meant = is_secret(which) & (secrets.c.row_version == row_version)
        with self._audit.writing() as connection:
            changed = connection.execute(sa.update(secrets).where(is_meant).values(**values)).rowcount
            if changed:
                self.restate(connection, which, row_version, status)
            if changed and validated:
                fingerprint = connection.scalar(sa.select(secrets.c.fingerprint).where(is_meant))
                self._say(connection, "validate", which, actor, fingerprint, reason=status)
        return bool(changed)

    def _vouch(
        self, connection: sa.Connection, which: SecretName, secret_id: str, row_version: int, status: str
    ) -> None:
        """Let the manifest say that a version of a secret is alive."""
        alive = [secret_id, row_version, UNKNOWN if status == UNREADABLE else status]
        self._audit.ledger.note(connection, secret_item(which), alive)

    def note(
        self,
        connection: sa.Connection,
        item: tuple[str, ...],
        entry: list[Any] | None,
        *,
        before: list[Any] | None = None,
    ) -> None:
        """Let the manifest change with a transaction of `writing`; None: it is gone, and was `before`."""
        self._audit.ledger.note(connection, item, entry, before=before)

    def restate(self, connection: sa.Connection, which: SecretName, row_version: int, status: str) -> None:
        """Let the manifest tell a verdict on one version of a secret, inside a transaction that writes it."""

        def change(entry: list[Any] | None) -> list[Any] | None:
            is_meant = entry is not None and entry[1] == row_version
            return [*entry[:2], status] if entry is not None and is_meant else entry

        self._audit.ledger.note(connection, secret_item(which), change)

    def _say(
        self,
        connection: sa.Connection,
        action: str,
        which: SecretName,
        actor: str,
        fingerprint: str | None,
        reason: str | None = None,
    ) -> None:
        self._audit.append(
            connection,
            action=action,
            actor=actor,
            owner_kind=which.owner_kind,
            owner_id=which.owner_id,
            name=which.name,
            fingerprint=fingerprint,
            reason=reason,
        )


def _of(which: SecretName) -> sa.Select[Any]:
    return sa.select(secrets).where(is_secret(which))


def _salt(connection: sa.Connection, owner_kind: str, owner_id: str) -> str:
    """Return the owner's salt, made if this is the first secret; it stays until the transaction ends."""
    is_owner = (vault_owners.c.owner_kind == owner_kind) & (vault_owners.c.owner_id == owner_id)
    # who writes for the same owner waits: of two first writes of one secret, the second has to see the first one's row
    query = sa.select(vault_owners.c.salt).where(is_owner).with_for_update()
    while (salt := connection.scalar(query)) is None:  # again if it is shredded in this very moment
        values = {
            "owner_kind": owner_kind,
            "owner_id": owner_id,
            "salt": randomness.token_hex(SALT_BYTES),
            "created_at": utc_now(),
        }
        insert_if_absent(connection, vault_owners, values)
    if not _SALT.fullmatch(salt):  # somebody has damaged it: what the owner had is lost, new secrets need a sound one
        salt = randomness.token_hex(SALT_BYTES)
        connection.execute(sa.update(vault_owners).where(is_owner).values(salt=salt))
    return salt
