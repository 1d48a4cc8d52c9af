"""Ways into a vault: the key it needs, its recovery code, a new key for a lost one, wraps for a rotated key file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from app.core.exceptions import ConflictError, RequestError, ValidationError
from app.core.fernet_keys import fingerprint as key_fingerprint
from app.core.fernet_keys import parse_key
from app.core.logging import get_logger
from app.models.vault import (
    ACTIVE,
    LOST,
    RECOVERY,
    RETIRED,
    UNREADABLE,
    secrets,
    vault_keys,
    vault_rotations,
    vault_wraps,
    vaults,
)
from app.services.vault.directory import begin_anew, is_wrapped_for, pass_on
from app.services.vault.keys import add_key, add_wrap
from app.services.vault.recovery import recovery_key
from app.services.vault.sealing import forget_derived_keys, new_vault_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.core.fernet_keys import KeyRing
    from app.db.session import Database
    from app.services.audit.log import Audit
    from app.services.vault.keys_at_hand import Attachment, KeyChange

log = get_logger(__name__)


class KeyWrongError(RequestError):
    """The given key or recovery code does not open the vault."""

    status = 400
    code = "key-wrong"


def unlock(
    attachment: Attachment, audit: Audit, *, encryption_key: str | None, recovery_code: str | None, actor: str
) -> None:
    """Open a locked vault with the key it needs, or the recovery code; a wrap for this desktop's key is added.

    Raises:
        ValidationError: neither is given, or it is malformed.
        KeyWrongError: it does not open the vault.
    """
    candidate = _given_key(encryption_key, recovery_code, attachment.keys().vault_id)
    fingerprint = key_fingerprint(candidate)
    try:
        with attachment.changing_keys(candidate) as change:
            _require_wrap(change, fingerprint)
            audit.append(change.connection, action="unlock", actor=actor, fingerprint=fingerprint)
            attachment.share(change, actor=actor)
    except KeyWrongError as exc:
        audit.record(action="refused", actor=actor, fingerprint=fingerprint, outcome="refused", reason=exc.code)
        raise


def _require_wrap(change: KeyChange, fingerprint: str) -> None:
    """Raise KeyWrongError unless the active key is open, and wrapped for the key of that fingerprint."""
    is_its = (vault_wraps.c.kid == change.keys.active_kid) & (vault_wraps.c.fingerprint == fingerprint)
    if change.keys.active is None or change.connection.scalar(sa.select(vault_wraps.c.kid).where(is_its)) is None:
        raise KeyWrongError("This key does not open the vault")


def _given_key(encryption_key: str | None, recovery_code: str | None, vault_id: str) -> bytes:
    if encryption_key is not None:
        try:
            return parse_key(encryption_key.strip())
        except ValueError:
            raise ValidationError("encryption_key: Input should be a Fernet key") from None
    if recovery_code is not None:
        try:
            return recovery_key(recovery_code, vault_id)
        except ValueError:
            raise ValidationError("recovery_code: Input should be a recovery code") from None
    raise ValidationError("encryption_key: Field required")


def reset(attachment: Attachment, audit: Audit, *, confirm: str, actor: str) -> None:
    """Give lost keys up: a new one is made; what lies under those stays, and is marked unreadable.

    Raises:
        ValidationError: `confirm` is not the vault's id.
        ConflictError: the vault is not locked.
    """
    if confirm.strip().lower() != attachment.keys().vault_id:
        raise ValidationError("confirm: Input should be the id of the vault")
    with attachment.changing_keys() as change:
        connection, keys = change.connection, change.keys
        if keys.active is not None:
            raise ConflictError("The vault is not locked")
        at_hand = list(keys.usable)
        connection.execute(sa.update(vault_keys).where(vault_keys.c.kid.not_in(at_hand)).values(state=LOST))
        connection.execute(sa.update(vault_keys).where(vault_keys.c.kid.in_(at_hand)).values(state=RETIRED))
        connection.execute(sa.update(secrets).where(secrets.c.kid.not_in(at_hand)).values(status=UNREADABLE))
        connection.execute(sa.delete(vault_rotations))
        key = new_vault_key(keys.vault_id)
        add_key(connection, key, state=ACTIVE, fingerprint_key=None)
        add_wrap(connection, key, change.roots[0])
        begin_anew(connection, key)
        change.founds = True
        audit.append(connection, action="reset", actor=actor, reason="the key is lost")
    forget_derived_keys()


def accept(attachment: Attachment, audit: Audit, *, confirm: str, actor: str) -> None:
    """Believe what the database says now, though this desktop has seen more; a person knows why.

    Where the manifest is whole, what it does not know stays dead; where it is not, it is made of the rows there are.

    Raises:
        ValidationError: `confirm` is not the vault's id.
        ConflictError: nothing is to be accepted.
        VaultLockedError: the vault is locked: nothing can be signed.
    """
    keys = attachment.keys()
    if confirm.strip().lower() != keys.vault_id:
        raise ValidationError("confirm: Input should be the id of the vault")
    attachment.attach()
    if attachment.keys().doubt is None:
        raise ConflictError("There is nothing to accept")
    with attachment.changing_keys(accepts=True) as change:
        if change.keys.active is None:
            raise change.keys.locked(change.keys.active_kid)
        is_whole = change.keys.root is not None and audit.ledger.is_whole(change.connection, change.keys)
        change.founds = not is_whole
        if is_whole:
            _restore_states(change)
        audit.append(change.connection, action="accept", actor=actor, reason=change.keys.doubt)
    forget_derived_keys()


def _restore_states(change: KeyChange) -> None:
    """Let the keys' rows say what the manifest does."""
    states = {} if change.keys.root is None else change.keys.root.keys
    others = sa.update(vault_keys).where(vault_keys.c.kid.not_in(list(states)))
    change.connection.execute(others.values(state=LOST))
    for kid in sorted(states, key=lambda kid: states[kid] == ACTIVE):  # the active one last: there is one at a time
        change.connection.execute(sa.update(vault_keys).where(vault_keys.c.kid == kid).values(state=states[kid]))


def keep_recovery_code(attachment: Attachment, audit: Audit, code: str, *, actor: str) -> bool:
    """Let a recovery code open the vault; an older one no longer does.

    Returns:
        Whether there was an older one: the vault key is to be rotated then, as whoever knew that code may have kept a
        wrap for it.

    Raises:
        ValidationError: it is no recovery code.
        VaultLockedError: the vault is locked.
    """
    attachment.unlocked_keys()
    with attachment.changing_keys() as change:
        connection, keys = change.connection, change.keys
        if keys.active is None:  # another desktop has changed the key in this very moment
            raise keys.locked(keys.active_kid)
        root = _given_key(None, code, keys.vault_id)
        older = vault_wraps.c.kind == RECOVERY
        removal = sa.delete(vault_wraps).where(older, vault_wraps.c.kid.in_(list(keys.usable)))
        count = connection.execute(removal).rowcount
        for key in keys.usable.values():
            add_wrap(connection, key, root, recovery=True)
        audit.append(connection, action="share", actor=actor, fingerprint=key_fingerprint(root))
    return bool(count)


def adopt(attachment: Attachment, audit: Audit, ring: KeyRing, *, actor: str) -> bool:
    """Wrap the vault keys for the ring's first key wherever one of the others, which are to be retired, opens them.

    A member of a team stays one: the device that the first key makes takes the place of the one before.

    Returns:
        Whether the retired keys are no longer needed by this vault.
    """
    own, *retired = (key_fingerprint(key) for key in ring.keys)
    with attachment.changing_keys(*ring.keys) as change:
        connection, keys = change.connection, change.keys
        wrapped = [key for kid, key in keys.opened.items() if set(retired) & set(keys.wraps[kid])]
        for key in wrapped:
            add_wrap(connection, key, ring.keys[0])
            connection.execute(
                sa.delete(vault_wraps).where(vault_wraps.c.kid == key.kid, vault_wraps.c.fingerprint.in_(retired))
            )
        if keys.active is not None:
            for old in ring.keys[1:]:
                pass_on(connection, keys.active, list(keys.usable.values()), old, ring.keys[0])
        audit.append(connection, action="rotate", actor=actor, fingerprint=own, reason="fernet.key")
        is_left = _opens_wraps(connection, ring.keys[1:])
    return not is_left


def is_needed(database: Database, roots: Sequence[bytes]) -> bool:
    """Tell whether the vault of a database is wrapped for one of these root keys; nothing is changed."""
    with database.read() as connection:
        return _opens_wraps(connection, roots)


def _opens_wraps(connection: sa.Connection, roots: Sequence[bytes]) -> bool:
    is_theirs = vault_wraps.c.fingerprint.in_([key_fingerprint(root) for root in roots])
    if connection.execute(sa.select(vault_wraps.c.kid).where(is_theirs).limit(1)).first() is not None:
        return True
    vault_id = connection.scalar(sa.select(vaults.c.vault_id))
    return vault_id is not None and any(is_wrapped_for(connection, vault_id, root) for root in roots)
