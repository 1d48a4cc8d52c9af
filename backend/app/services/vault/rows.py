"""Rows of secrets: which one is meant, where its ciphertext belongs, what is wrong if it does not open."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import sqlalchemy as sa

from app.core.exceptions import ConflictError
from app.db.base import instant_text, utc_now
from app.models.vault import EXPIRED, UNREADABLE, secrets, vault_owners, vaults
from app.schemas.vault import SecretInfo
from app.services.vault.keys import Keys, VaultLockedError
from app.services.vault.sealing import Binding, FormatUnknownError, Owner, SealBrokenError, VaultKey, kid_of

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable

USER: Final = "user"
"""The kind of owner whose keys take `API_KEY_ENCRYPTION_SECRET` as additional input."""


class SecretUnreadableError(ConflictError):
    """A stored secret does not open."""

    code = "secret-unreadable"

    def __init__(self) -> None:
        super().__init__("The stored secret was moved or tampered with and cannot be read. Enter it again.")


class SecretFormatUnknownError(ConflictError):
    """What is stored is no ciphertext this version knows."""

    code = "secret-format-unknown"

    def __init__(self) -> None:
        super().__init__("The stored secret has an unknown format. Enter it again, or update this program.")


class SecretExpiredError(ConflictError):
    """The secret's time is over."""

    code = "secret-expired"

    def __init__(self) -> None:
        super().__init__("The stored secret has expired. Enter a new one.")


class ApiSecretMissingError(VaultLockedError):
    """A user's secret was stored with another `API_KEY_ENCRYPTION_SECRET` than the one at hand."""

    def __init__(self, stored_with: str, at_hand: str | None) -> None:
        instead = "none is set" if at_hand is None else f"the one set here is {at_hand}"
        super().__init__(
            f"The secret is locked: it was stored with the API_KEY_ENCRYPTION_SECRET {stored_with}; {instead}."
        )


@dataclass(frozen=True, slots=True)
class SecretName:
    """Which secret: owner kind and id, and its name there."""

    owner_kind: str
    owner_id: str
    name: str

    def columns(self) -> dict[str, str]:
        """Return the columns that hold it."""
        return {"owner_kind": self.owner_kind, "owner_id": self.owner_id, "name": self.name}


class Place(NamedTuple):
    """Where a secret is about to be sealed; a row of `select_sealed` will do as well."""

    id: str
    owner_kind: str
    owner_id: str
    name: str
    row_version: int
    expires_at: dt.datetime | None
    salt: str


class Sealed(NamedTuple):
    """What sealing a secret puts into its row."""

    ciphertext: str
    kid: str
    api_secret_fingerprint: str | None


def is_secret(which: SecretName) -> sa.ColumnElement[bool]:
    """Return the condition that a row is that secret's."""
    return (
        (secrets.c.owner_kind == which.owner_kind)
        & (secrets.c.owner_id == which.owner_id)
        & (secrets.c.name == which.name)
    )


def select_sealed(*more: sa.ColumnElement[Any]) -> sa.Select[Any]:
    """Select, by id, what opening a row takes, and more columns.

    That includes the salt of its owner, and the vault's epoch: keys of another one may not be those of the row.
    """
    columns: tuple[Any, ...] = (
        _EPOCH,
        secrets.c.id,
        secrets.c.owner_kind,
        secrets.c.owner_id,
        secrets.c.name,
        secrets.c.ciphertext,
        secrets.c.kid,
        secrets.c.api_secret_fingerprint,
        secrets.c.row_version,
        secrets.c.expires_at,
        secrets.c.status,
        vault_owners.c.salt,
        *more,
    )
    selected: sa.Select[Any] = sa.select(*columns)
    return selected.select_from(_SECRETS_AND_OWNERS).order_by(secrets.c.id)


def select_infos(*conditions: sa.ColumnElement[bool]) -> sa.Select[Any]:
    """Select what `info_of` shows, in the order of lists."""
    by = (secrets.c.owner_kind, secrets.c.owner_id, secrets.c.name)
    columns: tuple[Any, ...] = (_EPOCH, secrets, vault_owners.c.salt)
    selected: sa.Select[Any] = sa.select(*columns)
    return selected.select_from(_SECRETS_AND_OWNERS).where(*conditions).order_by(*by)


_EPOCH: Final = sa.select(vaults.c.epoch).scalar_subquery().label("epoch")
_SECRETS_AND_OWNERS: Final = secrets.outerjoin(
    vault_owners,
    (vault_owners.c.owner_kind == secrets.c.owner_kind) & (vault_owners.c.owner_id == secrets.c.owner_id),
)


def open_row(row: Any, keys: Keys) -> str:
    """Open one row, or tell in this order what is wrong: format, key not at hand, token.

    Raises:
        SecretFormatUnknownError: it is no ciphertext that this version knows.
        VaultLockedError: its key is not at hand; names what opens it.
        SecretUnreadableError: it was moved or tampered with, or its key was given up.
    """
    return _read(row, keys, lambda key, binding: key.open(binding, row.ciphertext))


def reseal_row(row: Any, keys: Keys, new: VaultKey) -> Sealed:
    """Seal a row anew under another key.

    Raises:
        SecretFormatUnknownError, VaultLockedError, SecretUnreadableError: as `open_row`.
    """
    api_secret_fingerprint = _api_secret_fingerprint(row, keys)

    def reseal(key: VaultKey, binding: Binding) -> str:
        is_same = api_secret_fingerprint == row.api_secret_fingerprint
        owner = binding.owner if is_same else _owner(row, keys, api_secret_fingerprint)
        return key.reseal(binding, row.ciphertext, new, owner)

    return Sealed(_read(row, keys, reseal), new.kid, api_secret_fingerprint)


def seal_row(row: Place | Any, secret: str, keys: Keys, key: VaultKey) -> Sealed:
    """Seal a secret for the row that `row` describes."""
    api_secret_fingerprint = _api_secret_fingerprint(row, keys)
    ciphertext = key.seal(_binding(row, _owner(row, keys, api_secret_fingerprint)), secret)
    return Sealed(ciphertext, key.kid, api_secret_fingerprint)


def _read(row: Any, keys: Keys, reading: Callable[[VaultKey, Binding], str]) -> str:
    """Find the key that a row is under, read it, or tell what is wrong."""
    try:
        kid = kid_of(row.ciphertext)
    except FormatUnknownError:
        raise SecretFormatUnknownError from None
    if row.kid != kid or keys.is_given_up(kid):
        raise SecretUnreadableError
    key = keys.opened.get(kid)
    if key is None:
        raise keys.locked(kid)
    # an error raised inside could keep a decoder's error, and with it the secret, as its context
    with contextlib.suppress(SealBrokenError, ValueError):  # ValueError: a salt that is no hex any more
        return reading(key, _binding(row, _owner(row, keys, row.api_secret_fingerprint)))
    if row.api_secret_fingerprint not in (None, keys.api_secret_fingerprint):
        raise ApiSecretMissingError(row.api_secret_fingerprint, keys.api_secret_fingerprint)
    raise SecretUnreadableError


def _api_secret_fingerprint(row: Place | Any, keys: Keys) -> str | None:
    """Return the fingerprint of the additional secret that a row is to be sealed with; None if it takes none."""
    return keys.api_secret_fingerprint if row.owner_kind == USER else None


def _owner(row: Place | Any, keys: Keys, api_secret_fingerprint: str | None) -> Owner:
    additional = b"" if api_secret_fingerprint is None else keys.api_secret
    return Owner(row.owner_kind, row.owner_id, bytes.fromhex(row.salt or ""), additional)


def _binding(row: Place | Any, owner: Owner) -> Binding:
    return Binding(owner, row.id, row.name, row.row_version, instant_text(row.expires_at) or "")


def waits_for_api_secret(keys: Keys) -> sa.ColumnElement[bool]:
    """Return the condition that a row was sealed with another `API_KEY_ENCRYPTION_SECRET` than the one at hand."""
    needed = secrets.c.api_secret_fingerprint
    return needed.is_not(None) & needed.is_distinct_from(keys.api_secret_fingerprint)


def is_unreadable(keys: Keys) -> sa.ColumnElement[bool]:
    """Return the condition that a row is known not to open: it is marked, or its key was given up."""
    kept = [kid for kid in keys.states if not keys.is_given_up(kid)]
    return (secrets.c.status == UNREADABLE) | secrets.c.kid.not_in(kept)


def _is_damaged(row: Any, keys: Keys) -> bool:
    """Tell whether a row cannot open; what depends on a key that is not at hand cannot be told, and is not damage."""
    try:
        if row.kid != kid_of(row.ciphertext) or keys.is_given_up(row.kid):
            return True
        key = keys.opened.get(row.kid)
        if key is None or row.api_secret_fingerprint not in (None, keys.api_secret_fingerprint):
            return False
        owner = _owner(row, keys, row.api_secret_fingerprint)
        return not key.is_genuine(_binding(row, owner), row.ciphertext)
    except ValueError:  # no ciphertext, or a salt that is no hex any more
        return True


def info_of(row: Any, keys: Keys) -> SecretInfo:
    """Return a row of `secrets` as lists show it; nothing is decrypted.

    Args:
        row: of `select_infos`; a row of the table alone is shown with the mark it bears.
        keys: the vault's.
    """
    status = row.status
    if getattr(row, "epoch", None) == keys.epoch and _is_damaged(row, keys):
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
