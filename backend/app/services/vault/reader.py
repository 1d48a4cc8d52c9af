"""What the vault tells and hands out: its document, its lists, and a secret for the call that needs it.

Lists never decrypt; one row that does not open never breaks another. A row counts only as the manifest knows it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from app.core.exceptions import NotFoundError, RequestError
from app.core.fernet_keys import fingerprint as key_fingerprint
from app.core.logging import get_logger
from app.db.base import utc_now
from app.models.vault import RECOVERY, THE_VAULT, UNREADABLE, secrets, vault_rotations, vault_wraps
from app.schemas.vault import SecretInfo, VaultDocument, VaultVerification
from app.services.vault.destinations import Located, located, located_key
from app.services.vault.keys import VaultLockedError
from app.services.vault.keys_at_hand import Attachment
from app.services.vault.ledger import VaultRolledBackError
from app.services.vault.manifest import StaleKeysError
from app.services.vault.rows import (
    SecretExpiredError,
    SecretFormatUnknownError,
    SecretName,
    SecretUnreadableError,
    info_of,
    is_same,
    is_secret,
    is_unreadable,
    open_row,
    secret_item,
    select_infos,
    select_used_secret,
    signed_root,
)

if TYPE_CHECKING:
    from app.core.config import Config
    from app.db.session import Database
    from app.services.audit.log import Audit
    from app.services.vault.keys import Keys

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class OpenSecret:
    """A secret for the call that needs it, and the version of its row, which a verdict on it has to name."""

    secret: str = field(repr=False)
    row_version: int
    status: str
    destination: str
    """Where it may go, and nowhere else."""


class VaultReader:
    """Reads the vault of the present database."""

    def __init__(self, config: Config, database: Database, audit: Audit) -> None:
        """Make the reader.

        Args:
            config: of this process.
            database: where the vault's tables are.
            audit: is told of every use.
        """
        self._database = database
        self._audit = audit
        self.attachment = Attachment(config, database, audit)

    def brief(self) -> dict[str, Any]:
        """Return the vault's part of the status document."""
        return {"state": self.attachment.state, "needs_fingerprint": self.attachment.needs_fingerprint}

    def document(self) -> VaultDocument:
        """Return the vault's own document.

        Raises:
            DatabaseAwayError: the database cannot be used now.
        """
        from app.schemas.vault import rotation_document

        self.attachment.attach()
        keys = self.attachment.keys()
        count = sa.func.count
        with self._database.read() as connection:
            counts = connection.execute(
                sa.select(count(), count(sa.case((is_unreadable(keys), 1)))).select_from(secrets)
            ).one()
            has_recovery = connection.scalar(
                sa.select(count()).where(vault_wraps.c.kind == RECOVERY, vault_wraps.c.kid == keys.active_kid)
            )
            rotation = connection.execute(
                sa.select(vault_rotations).where(vault_rotations.c.id == THE_VAULT)
            ).one_or_none()
        return VaultDocument(
            state=self.attachment.state,
            vault_id=keys.vault_id,
            key_fingerprint=key_fingerprint(self.attachment.root_keys()[0]),
            needs_fingerprint=keys.needs_fingerprint,
            kid=keys.active_kid,
            secrets=counts[0],
            unreadable=counts[1],
            has_recovery_code=bool(has_recovery),
            rotation=rotation_document(rotation),
        )

    def verified(self) -> VaultVerification:
        """Open every secret, and compare it with the manifest; nothing is marked."""
        from app.services.vault.verification import verification

        return verification(self.attachment, self._audit.ledger, self._database)

    def infos(
        self,
        owner_kind: str | None = None,
        owner_id: str | None = None,
        *,
        connection: sa.Connection | None = None,
    ) -> list[SecretInfo]:
        """Return secrets without decrypting anything; a row that does not open is marked `unreadable`.

        Args:
            owner_kind: of the owners; None for all.
            owner_id: of the owner; None for all.
            connection: of a transaction that has written and answers with them: once it is committed, reading them
                might fail, and what was done would be told as refused.
        """
        query = select_infos()
        if owner_kind is not None:
            query = query.where(secrets.c.owner_kind == owner_kind)
        if owner_id is not None:
            query = query.where(secrets.c.owner_id == owner_id)
        return self._shown(query, connection)

    def info(self, which: SecretName, *, connection: sa.Connection | None = None) -> SecretInfo | None:
        """Return one secret as lists show it; None if there is none. `connection` as for `infos`."""
        return next(iter(self._shown(select_infos(is_secret(which)), connection)), None)

    def _shown(self, query: sa.Select[Any], connection: sa.Connection | None) -> list[SecretInfo]:
        if connection is not None:
            rows, restored = self.looked_at(connection, query)
            keys = self.attachment.keys()
        else:
            self.attachment.keys()
            with self._database.read() as reading:
                rows, restored = self.looked_at(reading, query)
            keys = self.attachment.keys_of(rows[0].epoch) if rows else self.attachment.keys()
        return [info_of(row, keys, is_restored=row in restored) for row in rows]

    def looked_at(self, connection: sa.Connection, query: sa.Select[Any]) -> tuple[list[Located], list[Located]]:
        """Return rows of `select_infos`, and those among them that the manifest does not know in their version.

        That takes one statement more, and none while the manifest cannot be asked, or changes in this transaction.
        """
        rows, restored = self._compared(connection, query)
        if restored:  # somebody may just have replaced them
            rows, restored = self._compared(connection, query)
        return rows, restored

    def _compared(self, connection: sa.Connection, query: sa.Select[Any]) -> tuple[list[Located], list[Located]]:
        rows, keys, ledger = (
            located(connection, connection.execute(query).all()),
            self.attachment.keys(),
            self._audit.ledger,
        )
        if not rows or keys.active is None or keys.doubt is not None or ledger.has_noted(connection):
            return rows, []
        items = [secret_item(SecretName(row.owner_kind, row.owner_id, row.name)) for row in rows]
        try:
            entries = ledger.entries(connection, keys, items)
        except (StaleKeysError, VaultRolledBackError):
            return rows, []
        alive = [entries[item] for item in items]
        return rows, [
            row for row, entry in zip(rows, alive, strict=True) if entry is None or entry[:2] != identity(row)
        ]

    def stored(self, connection: sa.Connection, which: SecretName) -> SecretInfo | None:
        """Return one secret as lists show it, inside a transaction of `writing`; None if there is none."""
        row = connection.execute(select_infos(is_secret(which))).one_or_none()
        return None if row is None else info_of(located(connection, [row])[0], self.attachment.keys())

    def use(self, which: SecretName, *, actor: str, destination: str | None = None) -> str | None:
        """Return the secret for the call that needs it, None if there is none; counted in the audit log.

        Args:
            which: which secret.
            actor: who uses it.
            destination: where it is going to be sent; what the owner's row says unless given.

        Raises:
            VaultLockedError: the key is not at hand.
            SecretUnreadableError: it was moved or tampered with; the row is marked.
            SecretFormatUnknownError: it is no known ciphertext; the row is marked.
            SecretExpiredError: its time is over.
        """
        found = self.take(which, actor=actor, destination=destination)
        return None if found is None else found.secret

    def take(
        self, which: SecretName, *, actor: str, destination: str | None = None, row: Any = None
    ) -> OpenSecret | None:
        """Return the secret as `use` does, with what a verdict on it needs.

        Args:
            which: which secret.
            actor: who uses it, for the audit log.
            destination: where it is going to be sent; what the owner's row says unless given.
            row: of `select_used`, of a key of a provider, if it has just been read; read anew if it does not open.
        """
        found = self._opened(which, actor, destination, None if row is None else located_key(row))
        if found is None:
            return None
        row, secret = found
        self._audit.note_use(row.id, **which.columns(), fingerprint=row.fingerprint, actor=actor)
        return OpenSecret(secret, row.row_version, row.status, row.destination)

    def reveal(self, which: SecretName, *, actor: str) -> str:
        """Return the secret to a person.

        Raises:
            NotFoundError: there is none.
            AuditUnavailableError: the audit entry cannot be written.
            VaultLockedError, SecretUnreadableError, SecretFormatUnknownError, SecretExpiredError: as `use`.
        """
        found = self._opened(which, actor)
        if found is None:
            raise NotFoundError("No such secret")
        row, secret = found
        self._audit.record(action="reveal", actor=actor, fingerprint=row.fingerprint, **which.columns())
        return secret

    def _row(self, which: SecretName, destination: str | None) -> Located | None:
        self.attachment.keys()
        with self._database.read() as connection:
            row = connection.execute(select_used_secret(), which.columns()).one_or_none()
            if row is None:
                return None
            return located(connection, [row])[0] if destination is None else Located(row, destination)

    def _opened(
        self, which: SecretName, actor: str, destination: str | None = None, row: Any = None
    ) -> tuple[Any, str] | None:
        """Return the row and its secret; None if there is none."""
        row = self._row(which, destination) if row is None else row
        while row is not None:
            try:
                keys = self._believed(self.attachment.keys_at(row.epoch, row.kid))
                secret = open_row(row, keys)
                _require_unexpired(row)
                status = self._status_of(row, keys, beside=row)
            except (VaultLockedError, SecretUnreadableError, SecretFormatUnknownError, SecretExpiredError) as exc:
                failed, row = row, self._row(which, destination)
                if row is None or row.ciphertext != failed.ciphertext:  # replaced, or moved to the next key, meanwhile
                    continue
                self._refuse(row, which, actor, exc.code)
                raise
            if row.status == UNREADABLE:
                self._mark(row, status)
            row.status = status
            return row, secret
        return None

    def open_again(self, row: Located) -> str:
        """Open a row that was read elsewhere, which then bears the status that the manifest tells; nothing is counted.

        Raises:
            VaultLockedError, SecretUnreadableError, SecretFormatUnknownError: as `use`.
            VaultRolledBackError: the manifest is not believed.
        """
        keys = self._believed(self.attachment.keys_at(row.epoch, row.kid))
        secret = open_row(row, keys)
        row.status = self._status_of(row, keys)
        return secret

    def _believed(self, keys: Keys) -> Keys:
        if keys.doubt is not None:
            self.attachment.attach()
            keys = self.attachment.keys()
        if keys.doubt is not None:
            raise VaultRolledBackError
        return keys

    def _status_of(self, row: Any, keys: Keys, *, beside: Any = None) -> str:
        """Return the provider's verdict on a secret, of which the manifest says that it is alive in this version.

        Args:
            row: of the secret.
            keys: of the vault.
            beside: as in `alive`.

        Raises:
            SecretUnreadableError: it says something else: the row was restored, or changed outside.
            VaultRolledBackError: the manifest is not believed.
        """
        entry = self.alive(secret_item(SecretName(row.owner_kind, row.owner_id, row.name)), keys, beside=beside)
        if entry is None or entry[:2] != identity(row):
            raise SecretUnreadableError
        return str(entry[2])

    def alive(self, item: tuple[str, ...], keys: Keys | None = None, *, beside: Any = None) -> list[Any] | None:
        """Return what the manifest says of something; None if it does not know it.

        Args:
            item: what is asked about.
            keys: of the vault, if they were looked up already.
            beside: a row of `select_used`, read just now, whose root may tell that nothing has changed.

        Raises:
            VaultLockedError: the vault is locked.
            VaultRolledBackError: the manifest is not believed.
        """
        known = keys or self.attachment.unlocked_keys()
        if beside is not None:
            remembered = self._audit.ledger.remembered(known, signed_root(beside), item)
            if remembered is not None:
                return remembered
        for _ in range(2):
            try:
                with self._database.read() as connection:
                    return self._audit.ledger.entries(connection, known, [item])[item]
            except StaleKeysError:
                self.attachment.attach()
                known = self.attachment.unlocked_keys()
            except VaultRolledBackError:
                self.attachment.attach()
                raise
        raise known.locked(known.active_kid)

    def _refuse(self, row: Any, which: SecretName, actor: str, code: str) -> None:
        """Mark what does not open, and tell the audit log; neither hides from the caller what is wrong."""
        try:
            if code in (SecretUnreadableError.code, SecretFormatUnknownError.code):
                self._mark(row, UNREADABLE)
            self._audit.record(
                action="refused",
                actor=actor,
                fingerprint=row.fingerprint,
                outcome="refused",
                reason=code,
                **which.columns(),
            )
        except RequestError as exc:
            log.warning("a refusal is not in the audit log", extra={"code": exc.code})

    def _mark(self, row: Any, status: str) -> None:
        """Mark exactly this ciphertext; one that was replaced meanwhile is left alone."""
        with self._database.write() as connection:
            is_other = secrets.c.status != status
            connection.execute(sa.update(secrets).where(is_same(row), is_other).values(status=status))


def identity(row: Any) -> list[Any]:
    """Return what the manifest knows a version of a secret by."""
    return [row.id, row.row_version]


def _require_unexpired(row: Any) -> None:
    if row.expires_at is not None and row.expires_at <= utc_now():
        raise SecretExpiredError
