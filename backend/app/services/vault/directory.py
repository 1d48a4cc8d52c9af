"""Who is in, as the database says it: rows are written and verified here, inside the caller's transaction.

Whoever writes holds the vault's row (`app.services.vault.keys.hold_vault`), so nobody else changes members meanwhile.
"""

from __future__ import annotations

import getpass
import socket
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import sqlalchemy as sa

from app.core.fernet_keys import fingerprint as key_fingerprint
from app.db.base import utc_now
from app.models.devices import vault_device_wraps, vault_devices, vault_successions
from app.models.vault import ROOT, vault_keys, vault_wraps
from app.services.vault.devices import Device, PublicKey, PublicKeyInvalidError, device_of
from app.services.vault.membership import Entry, acceptance_code, is_succession, make_wrap, succession_code

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Iterable

    from app.services.vault.sealing import VaultKey

MAX_LABEL_CHARS: Final = 100
_MAX_NUMBER: Final = 1_000_000_000
HISTORY: Final = 64
"""Keys ago that a desktop may have been away for and still follow; after more of them it asks to come in again."""


class Member(NamedTuple):
    """A row of the directory."""

    device_id: str
    label: str
    approved_by: str
    approved_at: dt.datetime | None
    last_seen_at: dt.datetime | None
    entry: Entry | None
    """None unless the row is vouched for."""


def members(
    connection: sa.Connection, kid: str | None, key: VaultKey | None, *, only: str | None = None
) -> list[Member]:
    """Return every row of the directory.

    Args:
        connection: of a transaction, or not.
        kid: of the active vault key.
        key: the active vault key. While it is not at hand nobody can be verified; rows with no wrap are left out then.
        only: id of the one device that is wanted: verifying hundreds takes a while.
    """
    wrapped = (vault_device_wraps.c.device_id == vault_devices.c.device_id) & (vault_device_wraps.c.kid == kid)
    query = (
        sa.select(vault_devices, vault_device_wraps.c.code)
        .outerjoin(vault_device_wraps, wrapped)
        .order_by(vault_devices.c.approved_at, vault_devices.c.device_id)
    )
    if only is not None:
        query = query.where(vault_devices.c.device_id == only)
    rows = connection.execute(query).all()
    return [_member(row, key) for row in rows if key is not None or row.code is not None]


def _member(row: Any, key: VaultKey | None) -> Member:
    entry = _entry_of(row)
    is_vouched_for = entry is not None and key is not None and entry.is_vouched_for(key, row.code)
    return Member(
        str(row.device_id),
        str(row.label),
        str(row.approved_by),
        row.approved_at,
        row.last_seen_at,
        entry if is_vouched_for else None,
    )


def _entry_of(row: Any) -> Entry | None:
    """Return what a row says, not verified; None if that is no entry at all."""
    texts = (row.device_id, row.label, row.approved_by)
    if not all(isinstance(text, str) for text in texts):
        return None
    try:
        return Entry(row.device_id, PublicKey.parse(row.public_key), row.label, row.approved_by)
    except PublicKeyInvalidError:
        return None


def entry_vouched_for(row: Any, key: VaultKey, code: object) -> Entry | None:
    """Return the entry in a row of whatever table, if the code vouches for it under a key."""
    entry = _entry_of(row)
    return entry if entry is not None and entry.is_vouched_for(key, code) else None


def find_entry(connection: sa.Connection, key: VaultKey, device_id: str) -> Entry | None:
    """Return the verified entry of one device under a vault key."""
    wrapped = (vault_device_wraps.c.device_id == vault_devices.c.device_id) & (vault_device_wraps.c.kid == key.kid)
    query = (
        sa.select(vault_devices, vault_device_wraps.c.code)
        .join(vault_device_wraps, wrapped)
        .where(vault_devices.c.device_id == device_id)
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else entry_vouched_for(row, key, row.code)


# --- writing ---------------------------------------------------------------------------------------------------------


def register(connection: sa.Connection, active: VaultKey, usable: Iterable[VaultKey], root: bytes) -> bool:
    """Enter this desktop, which has opened the vault with a key of its own; returns False if it is in already."""
    device = device_of(root, active.vault_id)
    if find_entry(connection, active, device.id) is not None:
        return False
    entry = Entry(device.id, device.public, default_label(), device.id)
    enter(connection, device, active, usable, entry, seen_at=utc_now())
    mark_accepted(connection, root, usable)
    return True


def enter(
    connection: sa.Connection,
    granter: Device,
    active: VaultKey,
    usable: Iterable[VaultKey],
    entry: Entry,
    *,
    seen_at: dt.datetime | None = None,
) -> None:
    """Let a device in, in the place of whatever row has its id: every vault key at hand is wrapped for it."""
    drop(connection, entry.device_id)
    connection.execute(
        sa.insert(vault_devices).values(
            device_id=entry.device_id,
            public_key=entry.public.text(),
            label=entry.label,
            approved_by=entry.approved_by,
            approved_at=utc_now(),
            last_seen_at=seen_at,
        )
    )
    connection.execute(sa.insert(vault_device_wraps), [_wrap_row(granter, key, active.kid, entry) for key in usable])


def pass_on(connection: sa.Connection, active: VaultKey, usable: Collection[VaultKey], old: bytes, new: bytes) -> None:
    """Let a device whose root key was replaced go on as the same member, under its label; the old key opens nothing."""
    before, after = device_of(old, active.vault_id), device_of(new, active.vault_id)
    entry = find_entry(connection, active, before.id)
    if entry is not None and find_entry(connection, active, after.id) is None:
        heir = Entry(after.id, after.public, entry.label, before.id)
        enter(connection, after, active, usable, heir, seen_at=utc_now())
        mark_accepted(connection, new, usable)
    drop(connection, before.id)


def is_wrapped_for(connection: sa.Connection, vault_id: str, root: bytes) -> bool:
    """Tell whether members have wrapped vault keys for the device of a root key."""
    is_its = vault_device_wraps.c.device_id == device_of(root, vault_id).id
    return connection.execute(sa.select(vault_device_wraps.c.kid).where(is_its).limit(1)).first() is not None


def drop(connection: sa.Connection, device_id: str) -> None:
    """Take a device out, with everything that members wrapped for it."""
    connection.execute(sa.delete(vault_device_wraps).where(vault_device_wraps.c.device_id == device_id))
    connection.execute(sa.delete(vault_devices).where(vault_devices.c.device_id == device_id))


def drop_root_wraps(connection: sa.Connection, device_id: str) -> None:
    """Delete what a device wrapped for itself; what other keys of its computer open, nobody else can tell."""
    query = sa.select(vault_devices.c.fingerprint).where(vault_devices.c.device_id == device_id)
    is_its = vault_wraps.c.fingerprint.in_(query.scalar_subquery())
    connection.execute(sa.delete(vault_wraps).where(is_its, vault_wraps.c.kind == ROOT))


def _wrap_row(granter: Device, key: VaultKey, previous_kid: str, entry: Entry) -> dict[str, Any]:
    wrap = make_wrap(granter, key, previous_kid, entry.device_id, entry.public)
    return {
        "kid": key.kid,
        "device_id": entry.device_id,
        "previous_kid": previous_kid,
        "granted_by": granter.id,
        "wrap": wrap.sealed,
        "signature": wrap.signature,
        "code": entry.code(key),
        "created_at": utc_now(),
    }


def mark_accepted(connection: sa.Connection, root: bytes, keys: Iterable[VaultKey]) -> None:
    """Note that this desktop has found vault keys to be genuine, and that it was here."""
    fingerprint = key_fingerprint(root)
    for key in keys:
        device_id = device_of(root, key.vault_id).id
        is_own = (vault_device_wraps.c.device_id == device_id) & (vault_device_wraps.c.kid == key.kid)
        connection.execute(sa.update(vault_device_wraps).where(is_own).values(accepted=acceptance_code(root, key)))
        seen = {"fingerprint": fingerprint, "last_seen_at": utc_now()}
        connection.execute(sa.update(vault_devices).where(vault_devices.c.device_id == device_id).values(**seen))


def forget_older(connection: sa.Connection, device_id: str, kids: Collection[str]) -> None:
    """Delete this desktop's own wraps of keys that are gone; it has followed them."""
    is_own = vault_device_wraps.c.device_id == device_id
    connection.execute(sa.delete(vault_device_wraps).where(is_own, vault_device_wraps.c.kid.not_in(list(kids))))


# --- succession ------------------------------------------------------------------------------------------------------


def succeed(connection: sa.Connection, root: bytes, old: VaultKey, new: VaultKey, *, without: str | None) -> None:
    """Wrap a new vault key for every verified member but one, and write down that it follows the old one."""
    device = device_of(root, old.vault_id)
    entries = [member.entry for member in members(connection, old.kid, old) if member.entry is not None]
    rows = [_wrap_row(device, new, old.kid, entry) for entry in entries if entry.device_id != without]
    connection.execute(sa.insert(vault_device_wraps), rows)
    mark_accepted(connection, root, [new])
    own = next(entry for entry in entries if entry.device_id == device.id)
    number = place_of(connection, old) + 1
    connection.execute(
        sa.insert(vault_successions).values(
            kid=new.kid,
            previous_kid=old.kid,
            number=number,
            code=succession_code(new, old.kid, number),
            granted_by=device.id,
            public_key=own.public.text(),
            label=own.label,
            approved_by=own.approved_by,
            granter_code=own.code(old),
            created_at=utc_now(),
        )
    )
    _forget_history(connection, number)


def begin_anew(connection: sa.Connection, key: VaultKey) -> None:
    """Write down that a vault key follows none, as the ones before were given up; nobody can follow it by itself."""
    last = connection.scalar(sa.select(sa.func.max(vault_successions.c.number)))
    number = last + 1 if isinstance(last, int) and 0 <= last < _MAX_NUMBER else 1
    nobody = dict.fromkeys(("previous_kid", "granted_by", "public_key", "label", "approved_by", "granter_code"), "")
    code = succession_code(key, "", number)
    row = {"kid": key.kid, "number": number, "code": code, "created_at": utc_now(), **nobody}
    connection.execute(sa.insert(vault_successions).values(**row))


def place_of(connection: sa.Connection, key: VaultKey) -> int:
    """Return how many keys came before one; none are known of a key whose place nobody vouches for."""
    row = connection.execute(sa.select(vault_successions).where(vault_successions.c.kid == key.kid)).one_or_none()
    if row is None or not isinstance(row.number, int) or not isinstance(row.previous_kid, str):
        return 0
    return row.number if is_succession(key, row.previous_kid, row.number, row.code) else 0


def forget_staged(connection: sa.Connection, kids: Collection[str]) -> None:
    """Delete what was written for keys that never became active."""
    for table in (vault_device_wraps, vault_successions):
        connection.execute(sa.delete(table).where(table.c.kid.in_(list(kids))))


def _forget_history(connection: sa.Connection, number: int) -> None:
    """Delete wraps that nobody is waited for any more."""
    old = sa.select(vault_successions.c.kid).where(vault_successions.c.number < number - HISTORY)
    present = sa.select(vault_keys.c.kid)
    kid = vault_device_wraps.c.kid
    connection.execute(sa.delete(vault_device_wraps).where(kid.in_(old), kid.not_in(present)))


def default_label() -> str:
    """Return what this desktop is called unless somebody says otherwise: user and host."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError, ImportError):  # an account that the system has no name for
        user = "unknown"
    text = f"{user}@{socket.gethostname()}"
    return "".join(character if character.isprintable() else "-" for character in text)[:MAX_LABEL_CHARS]
