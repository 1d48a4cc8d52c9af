"""Rows of secrets: which one is meant, where its ciphertext belongs, what is wrong if it does not open."""

from __future__ import annotations

import contextlib
import functools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple, get_args

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles

from app.core.exceptions import ConflictError
from app.db.base import instant_text, utc_now
from app.db.lenient import is_junk, shown_instant
from app.models.vault import EXPIRED, THE_VAULT, UNREADABLE, secrets, vault_manifest, vault_owners, vaults
from app.schemas.ai import Status
from app.schemas.vault import SecretInfo
from app.services.vault.destinations import key_destination
from app.services.vault.keys import Keys, VaultLockedError
from app.services.vault.manifest import MAC, ROOT, SignedRoot
from app.services.vault.sealing import (
    LEGACY_FORMAT,
    Binding,
    FormatUnknownError,
    Owner,
    SealBrokenError,
    VaultKey,
    is_ciphertext,
    kid_of,
)

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable

MAX_VERSION: Final = 2_000_000_000
"""Of a row; beyond lies what somebody else has written, and soon no number that the column takes."""
_UUID: Final = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_STATUSES: Final = (*get_args(Status), UNREADABLE)
SECRET: Final = "secret"  # noqa: S105 - a kind, and none itself
"""The kind of what the manifest knows of secrets."""
USER: Final = "user"
"""The kind of owner whose keys take `API_KEY_ENCRYPTION_SECRET` as additional input."""


class _Position(sa.ColumnElement[Any]):
    """Where a row of `secrets` lies: SQLite's own number, as its ids may be of any type, and PostgreSQL's id."""

    inherit_cache = True
    type = sa.types.NULLTYPE


@compiles(_Position)
def _on_postgresql(*_: Any, **__: Any) -> str:
    return "secrets.id"


@compiles(_Position, "sqlite")
def _on_sqlite(*_: Any, **__: Any) -> str:
    return "secrets.rowid"


POSITION: Final = _Position()


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
    """Where a secret is about to be sealed; a located row of `select_sealed` will do as well."""

    id: str
    owner_kind: str
    owner_id: str
    name: str
    row_version: int
    expires_at: dt.datetime | None
    salt: str
    destination: str | None


class Sealed(NamedTuple):
    """What sealing a secret puts into its row."""

    ciphertext: str
    kid: str
    api_secret_fingerprint: str | None


def secret_item(which: SecretName) -> tuple[str, ...]:
    """Return what the manifest knows a secret by."""
    return (SECRET, which.owner_kind, which.owner_id, which.name)


def is_damaged(row: Any) -> bool:
    """Tell whether a column that a ciphertext is bound to holds what nobody of ours wrote there."""
    in_range = 0 < row.row_version <= MAX_VERSION
    return not in_range or is_junk(row.expires_at) or _UUID.fullmatch(row.id) is None


def is_partly_junk(row: Any) -> bool:
    """Tell the same of every column of a whole row of `secrets`."""
    is_word = row.status in _STATUSES
    return is_damaged(row) or not is_word or is_junk(row.last_validated_at, row.created_at, row.updated_at)


def is_secret(which: SecretName) -> sa.ColumnElement[bool]:
    """Return the condition that a row is that secret's."""
    return (
        (secrets.c.owner_kind == which.owner_kind)
        & (secrets.c.owner_id == which.owner_id)
        & (secrets.c.name == which.name)
    )


def is_same(row: Any) -> sa.ColumnElement[bool]:
    """Return the condition that a row still holds that ciphertext, or still holds none if it held none."""
    held = secrets.c.ciphertext
    which = SecretName(row.owner_kind, row.owner_id, row.name)
    is_held: sa.ColumnElement[bool] = held == row.ciphertext
    return is_secret(which) & (is_held if is_ciphertext(row.ciphertext) else is_held | ~held.startswith("vf"))


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
        secrets.c.pinned_host,
        vault_owners.c.salt,
        *more,
    )
    selected: sa.Select[Any] = sa.select(*columns)
    return selected.select_from(_SECRETS_AND_OWNERS)


def select_used(*more: sa.ColumnElement[Any]) -> sa.Select[Any]:
    """Select what using a secret takes: `select_sealed`, and the manifest's root as it is at that moment."""
    return select_sealed(secrets.c.fingerprint, _root_part(ROOT), _root_part(MAC), *more)


@functools.cache
def select_used_secret() -> sa.Select[Any]:
    """The same of one secret, named by the parameters of `SecretName.columns`; built once, as that takes longest."""
    names = (secrets.c.owner_kind, secrets.c.owner_id, secrets.c.name)
    return select_used().where(*(column == sa.bindparam(column.name, type_=sa.Text) for column in names))


def signed_root(row: Any) -> SignedRoot:
    """Return the manifest's root out of a row of `select_used`."""
    return SignedRoot(row.manifest_root, row.manifest_mac)


def _root_part(path: str) -> sa.ColumnElement[str]:
    part = sa.select(vault_manifest.c.content).where(vault_manifest.c.path == path)
    return part.scalar_subquery().label(f"manifest_{path}")


def next_sealed(after: Any | None, limit: int) -> sa.Select[Any]:
    """Select the next rows of a walk over all of them, each with its `position`; `after` is where the last one lay."""
    query = select_sealed(POSITION.label("position")).order_by(POSITION).limit(limit)
    return query if after is None else query.where(after < POSITION)


def select_infos(*conditions: sa.ColumnElement[bool]) -> sa.Select[Any]:
    """Select what `info_of` shows, in the order of lists."""
    by = (secrets.c.owner_kind, secrets.c.owner_id, secrets.c.name)
    columns: tuple[Any, ...] = (_EPOCH, secrets, vault_owners.c.salt)
    selected: sa.Select[Any] = sa.select(*columns)
    return selected.select_from(_SECRETS_AND_OWNERS).where(*conditions).order_by(*by)


_EPOCH: Final = sa.select(vaults.c.epoch).where(vaults.c.id == THE_VAULT).scalar_subquery().label("epoch")
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
    if is_damaged(row) or (row.ciphertext.startswith(LEGACY_FORMAT) and not keys.opens_legacy):
        raise SecretUnreadableError
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
    destination = row.destination if hasattr(row, "destination") else key_destination(row)
    return Binding(owner, row.id, row.name, row.row_version, instant_text(row.expires_at) or "", destination)


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
    return is_partly_junk(row) or is_seal_broken(row, keys)


def is_seal_broken(row: Any, keys: Keys) -> bool:
    """Tell the same of a row's ciphertext, whatever its other columns hold."""
    if is_damaged(row):
        return True
    if row.ciphertext.startswith(LEGACY_FORMAT) and not keys.opens_legacy:
        return True
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


def info_of(row: Any, keys: Keys, *, is_restored: bool = False) -> SecretInfo:
    """Return a row of `secrets` as lists show it; nothing is decrypted.

    Args:
        row: of `select_infos`, located; a row of the table alone is shown with the mark it bears.
        keys: the vault's.
        is_restored: whether the manifest knows another version.
    """
    status = row.status
    if is_restored or is_partly_junk(row) or (getattr(row, "epoch", None) == keys.epoch and _is_damaged(row, keys)):
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
        row_version=max(row.row_version, 0),
        last_validated_at=shown_instant(row.last_validated_at),
        expires_at=shown_instant(row.expires_at),
        created_at=instant_text(row.created_at) or "",
        updated_at=instant_text(row.updated_at) or "",
    )
