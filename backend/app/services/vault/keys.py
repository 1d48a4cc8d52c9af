"""The vault's keys: read from the database, opened with the root keys at hand, made, wrapped.

Everything here happens inside the caller's transaction; `app.services.vault.vault` decides when.
"""

from __future__ import annotations

import secrets as randomness
import uuid
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import sqlalchemy as sa

from app.core.exceptions import RequestError
from app.core.fernet_keys import fingerprint as key_fingerprint
from app.core.logging import get_logger
from app.db.base import utc_now
from app.db.statements import grown, insert_if_absent
from app.models.vault import (
    ACTIVE,
    LOST,
    RECOVERY,
    ROOT,
    THE_VAULT,
    secrets,
    vault_keys,
    vault_manifest,
    vault_wraps,
    vaults,
)
from app.services.vault.directory import place_of
from app.services.vault.following import Followed, follow, is_rolled_back
from app.services.vault.manifest import (
    MAC as MAC_PATH,
)
from app.services.vault.manifest import (
    ROOT as ROOT_PATH,
)
from app.services.vault.manifest import (
    ManifestBrokenError,
    Root,
    StaleKeysError,
    is_older,
    read_root,
    verified_root,
    wrap_digest,
    wrap_name,
)
from app.services.vault.sealing import (
    FORMAT,
    LEGACY_FORMAT,
    FormatUnknownError,
    SealBrokenError,
    VaultKey,
    fingerprint_of,
    new_vault_key,
    unwrap,
    wrap,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from app.services.vault.pins import Pin

ESCROW: Final = "escrow"
FINGERPRINT: Final = "fingerprint"
"""Purposes of what is sealed under a vault key itself."""
_INPUT: Final = "api-key-encryption-secret"

log = get_logger(__name__)


class VaultLockedError(RequestError):
    """The key that a secret, or the vault as a whole, needs is not at hand."""

    status = 423
    code = "vault-locked"


class UntrustedKeyError(VaultLockedError):
    """The vault has a key that no member gave to this desktop."""

    code = "untrusted-key"

    def __init__(self) -> None:
        super().__init__(
            "The vault has a new key that none of its members vouches for here, so it is not used:"
            " somebody changed the database, or this computer was removed and has to ask to come in again."
        )


@dataclass(frozen=True, slots=True)
class Keys:
    """A vault's keys as they were read; replaced as a whole and never changed."""

    vault_id: str
    epoch: int
    """Of the vault's row; another one there means that the keys have changed."""
    generation: int
    """Of the engine they were read through."""
    states: Mapping[str, str]
    """By key id."""
    opened: Mapping[str, VaultKey] = field(repr=False)
    """By key id, those that could be opened."""
    wraps: Mapping[str, tuple[str, ...]]
    """By key id, the fingerprints of the root keys that open it; without those that should, and do not."""
    fingerprint_key: bytes | None = field(repr=False)
    """None while the vault is locked, or if it is damaged."""
    api_secret: bytes = field(repr=False)
    """`API_KEY_ENCRYPTION_SECRET`; empty if it is not set."""
    is_legacy: bool
    """Whether the active key was made by an earlier version, so that what lies under it is to be sealed anew."""
    api_secret_fingerprint: str | None
    """Tells it from another one; None if it is not set, or while the vault is locked."""
    is_damaged: bool
    """Whether the stored key of the fingerprints does not open."""
    root: Root | None
    """Of the manifest, verified; None if there is none yet, or while the vault is locked."""
    doubt: str | None
    """Why the database is not believed: it was rolled back, or changed outside."""
    wrapped: frozenset[str] = frozenset()
    """Ids of keys that members have wrapped for this desktop, in a way that it relies on."""
    unmarked: tuple[str, ...] = ()
    """Those that it has not marked as genuine yet."""
    strange: frozenset[str] = frozenset()
    """Ids of keys that are wrapped for this desktop by who is no member."""
    planted: str | None = None
    """The key that the database calls active, if it is one of those."""
    place: int = 0
    """How many keys came before the active one."""

    @property
    def active_kid(self) -> str | None:
        """The id of the key that seals; None if somebody has deleted it."""
        return next((kid for kid, state in self.states.items() if state == ACTIVE), None)

    @property
    def active(self) -> VaultKey | None:
        """The key that seals, if it is at hand."""
        return self.usable.get(self.active_kid or "")

    @property
    def usable(self) -> dict[str, VaultKey]:
        """Every key that is at hand, by id, but for those that were given up."""
        return {kid: key for kid, key in self.opened.items() if self.states[kid] != LOST}

    @property
    def needs_fingerprint(self) -> str | None:
        """The fingerprint of a root key that would unlock the vault; None if it is unlocked, or no key would."""
        if self.active is not None:
            return None
        return next(iter(self.wraps.get(self.active_kid or "", ())), None)

    @property
    def opens_legacy(self) -> bool:
        """Whether ciphertexts of the format before are still opened: until they have been sealed anew once."""
        return self.root is None or self.root.legacy

    def is_given_up(self, kid: str) -> bool:
        """Tell whether what lies under a key is lost: a reset gave the key up, or this vault never had it."""
        return self.states.get(kid, LOST) == LOST

    def locked(self, kid: str | None) -> VaultLockedError:
        """Return the error that names the root keys which open a vault key."""
        if kid in self.strange:
            return UntrustedKeyError()
        needed = " or ".join(self.wraps.get(kid or "", ()))
        if not needed:
            return VaultLockedError("The vault is locked, and no key opens it: give its recovery code, or reset it.")
        return VaultLockedError(f"The vault is locked: it needs the key {needed}.")

    def lacks_wrap(self, root: bytes) -> list[VaultKey]:
        """Return the keys at hand that have no wrap, or a damaged one, for a root key."""
        own = key_fingerprint(root)
        return [key for kid, key in self.usable.items() if own not in self.wraps[kid] and kid not in self.wrapped]

    def is_complete(self, root: bytes) -> bool:
        """Tell whether nothing is to be made or added for a desktop with this root key."""
        is_unsound = self.is_damaged or (self.active is not None and self.fingerprint_key is None)
        has_manifest = self.active is None or self.root is not None
        return bool(self.states) and not self.lacks_wrap(root) and not is_unsound and has_manifest


def read_keys(
    connection: sa.Connection,
    roots: Sequence[bytes],
    *,
    before: Keys | None,
    api_secret: str | None,
    generation: int,
    memory: Memory | None = None,
    is_own: bool = False,
    pin_of: Callable[[str], Pin | None] = lambda _: None,
    granted: VaultKey | None = None,
) -> Keys | None:
    """Read the vault's keys in one statement, and open those that the root keys open, or members gave to this desktop.

    Args:
        connection: need not be in a transaction.
        roots: root keys, the recovery key among them if it was given.
        before: what was open before stays open.
        api_secret: `API_KEY_ENCRYPTION_SECRET`.
        generation: of the engine, noted before the connection was taken from it.
        memory: what this desktop has seen of the database, looked up before this is called.
        is_own: this transaction has changed them, and the manifest does not tell it yet.
        pin_of: tells how far this desktop has followed the keys of a vault.
        granted: a vault key that came with a join code, from which it follows them anew.

    Returns:
        None if the database has no vault yet.
    """
    rows = connection.execute(_ALL_KEYS).all()
    if not rows:
        return None
    vault_id = rows[0].vault_id
    known = before if before is not None and before.vault_id == vault_id else None
    found = _unwrap_all(rows, roots, known)
    pin = pin_of(vault_id)
    followed = _follow(connection, vault_id, roots, found, known, pin, granted)
    found.opened.update({kid: key for kid, key in followed.opened.items() if kid in found.states})
    planted = next((kid for kid in followed.strange & found.states.keys() if found.states[kid] == ACTIVE), None)
    manifest, doubt = (None, None) if is_own else _judged(connection, rows[0], found.opened, memory)
    is_legacy = any(row.state == ACTIVE and row.format == LEGACY_FORMAT for row in rows)
    fingerprint_keys = {row.kid: row.fingerprint_key for row in rows}
    if manifest is not None:
        doubt = doubt or _contradiction(found, manifest)
        found = _listed(found, manifest, followed, {} if known is None else known.opened)
    active_kid = next((kid for kid, state in found.states.items() if state == ACTIVE), None)
    active = found.opened.get(active_kid or "") if active_kid in fingerprint_keys else None
    opened: Mapping[str, VaultKey] = found.opened
    if active is None and not followed.wrapped:  # this desktop was removed, or never was in
        opened = {kid: key for kid, key in opened.items() if kid in found.opening}
    is_new = active is not None and (pin is None or pin.kid != active.kid)
    place = place_of(connection, active) if active is not None and is_new else 0 if pin is None else pin.number
    if active is not None and granted is None and is_rolled_back(active.kid, place, pin):
        doubt = doubt or "an older key is active than was seen"
    fingerprint_key = None if active is None else opened_fingerprint_key(active, fingerprint_keys[active.kid])
    is_damaged = active is not None and fingerprint_key is None
    if is_damaged and known is not None:
        fingerprint_key = known.fingerprint_key  # somebody has damaged it: what is known serves, and is written anew
    return Keys(
        vault_id=vault_id,
        epoch=rows[0].epoch,
        generation=generation,
        states=found.states,
        opened=opened,
        wraps=found.wraps,
        fingerprint_key=fingerprint_key,
        api_secret=(api_secret or "").encode(),
        is_damaged=is_damaged,
        root=manifest,
        doubt=doubt,
        is_legacy=is_legacy,
        api_secret_fingerprint=_api_secret_fingerprint(fingerprint_key, api_secret),
        wrapped=followed.wrapped,
        unmarked=followed.unmarked,
        strange=followed.strange,
        planted=planted,
        place=place,
    )


class _Found(NamedTuple):
    """Keys that lie in the database, and what opens them here."""

    states: dict[str, str]
    """By key id."""
    opened: dict[str, VaultKey]
    """By key id."""
    wraps: dict[str, tuple[str, ...]]
    """By key id, the fingerprints of the root keys that open it, as far as that is known here."""
    opening: dict[str, set[str]]
    """By key id, names and digests of the wraps that did open it."""


def _unwrap_all(rows: Sequence[Any], roots: Sequence[bytes], known: Keys | None) -> _Found:
    """Open what the root keys open; what was open before stays open."""
    states = {row.kid: row.state for row in rows if row.kid is not None}
    opened = {} if known is None else {kid: key for kid, key in known.opened.items() if kid in states}
    wraps: dict[str, tuple[str, ...]] = dict.fromkeys(states, ())
    opening: dict[str, set[str]] = {}
    by_fingerprint = {key_fingerprint(root): root for root in roots}
    for row in rows:
        root = by_fingerprint.get(row.fingerprint)
        key = None if root is None else _unwrapped(root, row)
        if key is not None:
            opening.setdefault(row.kid, set()).add(f"{wrap_name(row.kid, row.fingerprint)} {_digest(row)}")
            opened.setdefault(row.kid, key)  # the same object while it is in use, as derived keys are kept by it
        if row.kind == ROOT and (root is None or key is not None):
            wraps[row.kid] = (*wraps[row.kid], row.fingerprint)
    return _Found(states, opened, wraps, opening)


def _contradiction(found: _Found, manifest: Root) -> str | None:
    active = next((kid for kid, state in found.states.items() if state == ACTIVE), manifest.kid)
    return None if active == manifest.kid else "another key is active than the manifest says"


def _listed(found: _Found, manifest: Root, followed: Followed, known: Mapping[str, VaultKey]) -> _Found:
    """Leave of what was found what the manifest lists: keys, their states, and the wraps that open them."""
    listed = {f"{name} {digest}" for name, digest in manifest.wraps.items()}
    opened = {
        kid: key
        for kid, key in found.opened.items()
        if kid in manifest.keys and (kid in known or kid in followed.opened or found.opening.get(kid, set()) & listed)
    }
    wraps = {
        kid: tuple(of for of in named if wrap_name(kid, of) in manifest.wraps) for kid, named in found.wraps.items()
    }
    return _Found({**dict.fromkeys(found.states, LOST), **manifest.keys}, opened, wraps, found.opening)


def _follow(
    connection: sa.Connection,
    vault_id: str,
    roots: Sequence[bytes],
    found: _Found,
    before: Keys | None,
    pin: Pin | None,
    granted: VaultKey | None,
) -> Followed:
    """Open what members have wrapped for this desktop, unless everything is open already."""
    needed = {kid for kid, state in found.states.items() if state != LOST}
    if not roots or (granted is None and needed <= found.opened.keys()):
        wrapped = before.wrapped & found.states.keys() if before is not None else frozenset()
        return Followed({}, (), frozenset(), wrapped)
    known = found.opened if granted is None else {**found.opened, granted.kid: granted}
    anchor = granted.kid if granted is not None else None if pin is None else pin.kid
    own = follow(connection, vault_id, roots[0], known, anchor)
    if needed <= own.opened.keys():
        return own
    # what members wrapped for another key of this computer: one that it had before, or still has beside the first
    others = dict(own.opened)
    for root in roots[1:]:
        others.update(follow(connection, vault_id, root, {**known, **others}, anchor).opened)
    return replace(own, opened=others, strange=own.strange.difference(others))


@dataclass(frozen=True, slots=True)
class Memory:
    """What a desktop remembers of a database."""

    roots: Mapping[str, tuple[int, str]]
    """Number and digest of the newest manifest, by vault."""
    vault_id: str | None
    """Of the vault that was there last."""


def _digest(row: Any) -> str:
    return wrap_digest(row.kind, row.wrap)


def _judged(
    connection: sa.Connection, row: Any, opened: Mapping[str, VaultKey], memory: Memory | None
) -> tuple[Root | None, str | None]:
    """Return the manifest's root, if it can be verified here, and what makes the database doubtful."""
    seen = None if memory is None else memory.roots.get(row.vault_id)
    if memory is not None and memory.vault_id not in (None, row.vault_id):
        return None, "the database held another vault"
    if row.root is None or row.mac is None:
        is_bound = sa.select(secrets.c.id).where(secrets.c.ciphertext.startswith(f"{FORMAT}.")).limit(1)
        was_there = seen is not None or connection.execute(is_bound).first() is not None
        return None, "the manifest is missing" if was_there else None
    doubt = None
    try:
        root = read_root(row.root)
        doubt = "the manifest is older than what was seen" if is_older(root, seen) else None
        return verified_root(row.root, row.mac, opened), doubt
    except StaleKeysError:
        return None, doubt
    except ManifestBrokenError:
        return None, "the manifest is broken"


_NODE: Final = sa.select(vault_manifest.c.content)
_ALL_KEYS: Final = (
    sa.select(
        _NODE.where(vault_manifest.c.path == ROOT_PATH).scalar_subquery().label("root"),
        _NODE.where(vault_manifest.c.path == MAC_PATH).scalar_subquery().label("mac"),
        vaults.c.vault_id,
        vaults.c.epoch,
        vault_keys.c.kid,
        vault_keys.c.state,
        vault_keys.c.fingerprint_key,
        vault_keys.c.format,
        vault_wraps.c.fingerprint,
        vault_wraps.c.kind,
        vault_wraps.c.wrap,
    )
    .select_from(vaults)
    .outerjoin(vault_keys, sa.true())
    .outerjoin(vault_wraps, vault_wraps.c.kid == vault_keys.c.kid)
    .where(vaults.c.id == THE_VAULT)
    .order_by(vault_keys.c.created_at, vault_wraps.c.created_at, vault_wraps.c.fingerprint)
)


def _unwrapped(root: bytes, row: Any) -> VaultKey | None:
    try:
        return unwrap(root, row.vault_id, row.kid, row.wrap)
    except SealBrokenError:
        log.warning("a wrap does not open", extra={"kid": row.kid, "fingerprint": row.fingerprint})
        return None


def opened_fingerprint_key(key: VaultKey, sealed: str) -> bytes | None:
    """Return the key of the secrets' fingerprints; None if it is damaged."""
    try:
        return key.open_internal(FINGERPRINT, sealed)
    except (SealBrokenError, FormatUnknownError):
        log.warning("the key of the fingerprints does not open", extra={"kid": key.kid})
        return None


def _api_secret_fingerprint(fingerprint_key: bytes | None, api_secret: str | None) -> str | None:
    if not api_secret or fingerprint_key is None:
        return None
    return fingerprint_of(fingerprint_key, _INPUT, api_secret)


# --- changes ---------------------------------------------------------------------------------------------------------


def hold_vault(connection: sa.Connection) -> None:
    """Let nobody else change keys, or seal, until the transaction ends; desktops notice by the vault's epoch.

    A database without a vault gets its row here.
    """
    held = sa.update(vaults).where(vaults.c.id == THE_VAULT).values(epoch=grown(vaults.c.epoch, 1))
    if not connection.execute(held).rowcount:
        values = {"id": THE_VAULT, "vault_id": str(uuid.uuid4()), "epoch": 0, "created_at": utc_now()}
        insert_if_absent(connection, vaults, values)
        connection.execute(held)


def make_first_key(connection: sa.Connection, keys: Keys, root: bytes) -> None:
    """Make a vault key where there is none; never while encrypted rows exist, which need the one that is missing."""
    if keys.states or connection.scalar(sa.select(sa.func.count()).select_from(secrets)):
        return
    key = new_vault_key(keys.vault_id)
    add_key(connection, key, state=ACTIVE, fingerprint_key=None)
    add_wrap(connection, key, root)


def add_key(connection: sa.Connection, key: VaultKey, *, state: str, fingerprint_key: bytes | None) -> None:
    """Store a new vault key with the fingerprints' key, which is made if there is none; `add_wrap` has to follow."""
    sealed = key.seal_internal(FINGERPRINT, fingerprint_key or randomness.token_bytes(32))
    connection.execute(
        sa.insert(vault_keys).values(
            kid=key.kid, state=state, fingerprint_key=sealed, format=FORMAT, created_at=utc_now()
        )
    )


def add_wrap(connection: sa.Connection, key: VaultKey, root: bytes, *, recovery: bool = False) -> None:
    """Wrap a vault key for a root key, in the place of a wrap that is there already.

    A recovery key is kept in escrow beside its wrap, sealed under the vault key, so that a rotation can renew it.
    """
    fingerprint = key_fingerprint(root)
    there = (vault_wraps.c.kid == key.kid) & (vault_wraps.c.fingerprint == fingerprint)
    connection.execute(sa.delete(vault_wraps).where(there))
    connection.execute(
        sa.insert(vault_wraps).values(
            kid=key.kid,
            fingerprint=fingerprint,
            kind=RECOVERY if recovery else ROOT,
            wrap=wrap(root, key),
            escrow=key.seal_internal(ESCROW, root) if recovery else None,
            created_at=utc_now(),
        )
    )


def complete(connection: sa.Connection, keys: Keys, root: bytes) -> bool:
    """Add what is missing for a desktop with this root key; returns whether wraps were added."""
    if keys.is_damaged:
        _renew_fingerprint_key(connection, keys)
    lacking = keys.lacks_wrap(root)
    for key in lacking:
        add_wrap(connection, key, root)
    return bool(lacking)


def _renew_fingerprint_key(connection: sa.Connection, keys: Keys) -> None:
    """Replace the damaged key of the fingerprints; they only tell whether a secret is the same as before."""
    fresh = keys.fingerprint_key or randomness.token_bytes(32)
    for key in keys.usable.values():
        connection.execute(
            sa.update(vault_keys)
            .where(vault_keys.c.kid == key.kid)
            .values(fingerprint_key=key.seal_internal(FINGERPRINT, fresh))
        )


def roots_to_renew(keys: Keys, roots: Sequence[bytes]) -> list[bytes]:
    """Return the root keys that a new vault key is wrapped for: the first, and others that open the present one.

    So whoever can open the vault now, with a root key that is at hand here, can do so afterwards; and nobody else.
    """
    able = keys.wraps.get(keys.active_kid or "", ())
    return [root for number, root in enumerate(roots) if number == 0 or key_fingerprint(root) in able]


def renew_recovery(connection: sa.Connection, keys: Keys, old: VaultKey, new: VaultKey) -> None:
    """Wrap a new vault key for the recovery code as well, whose key lies in escrow under the old one.

    A wrap that the manifest does not list is that of a code which was replaced, or of nobody: it is not renewed.
    """
    query = sa.select(vault_wraps).where(vault_wraps.c.kid == old.kid, vault_wraps.c.kind == RECOVERY)
    for row in connection.execute(query).all():
        if keys.root is not None and keys.root.wraps.get(wrap_name(row.kid, row.fingerprint)) != _digest(row):
            continue
        try:
            root = old.open_internal(ESCROW, row.escrow or "")
        except (SealBrokenError, FormatUnknownError):
            root = b""
        if key_fingerprint(root) != row.fingerprint:  # damaged, or of another wrap
            log.warning("the recovery code could not be kept: its escrow does not open", extra={"kid": old.kid})
        else:
            add_wrap(connection, new, root, recovery=True)


# --- what the manifest tells of the keys -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Inventory:
    """The keys and wraps that lie in the database, as the manifest lists them."""

    keys: Mapping[str, str]
    """States by key id."""
    wraps: Mapping[str, str]
    """Digests by name."""

    @classmethod
    def of(cls, connection: sa.Connection) -> Inventory:
        """Read it."""
        rows = connection.execute(sa.select(vault_keys.c.kid, vault_keys.c.state)).all()
        table = vault_wraps.c
        wraps = connection.execute(sa.select(table.kid, table.fingerprint, table.kind, table.wrap)).all()
        return cls(
            {row.kid: row.state for row in rows},
            {wrap_name(row.kid, row.fingerprint): _digest(row) for row in wraps},
        )

    def changed_in(self, root: Root, before: Inventory) -> Root:
        """Return a root with what has changed since `before`; what somebody else has put there changes nothing."""
        keys = _changed(root.keys, before.keys, self.keys)
        kid = next((kid for kid, state in keys.items() if state == ACTIVE), root.kid)
        return replace(root, kid=kid, keys=keys, wraps=_changed(root.wraps, before.wraps, self.wraps))


def _changed(listed: Mapping[str, str], before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in listed.items() if name in after or name not in before}
    return kept | {name: value for name, value in after.items() if before.get(name) != value}
