"""Which vault keys this desktop believes to be the vault's own.

Whoever can write the database can plant a vault key and wrap it for everybody, as sealing to a public key takes no
secret. So a desktop takes a key only if it has marked it before, or can follow it: from the newest key that it knows to
be genuine, each next one was granted by a member of the directory under the one before.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from app.core.logging import get_logger
from app.models.devices import vault_device_wraps, vault_devices, vault_successions
from app.services.vault.devices import Device, device_of
from app.services.vault.directory import entry_vouched_for, place_of
from app.services.vault.membership import Wrap, WrapBrokenError, is_accepted, is_succession

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from app.services.vault.pins import Pin
    from app.services.vault.sealing import VaultKey

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Followed:
    """What came of it."""

    opened: Mapping[str, VaultKey]
    """Keys to rely on, by id."""
    unmarked: tuple[str, ...]
    """Those among them that this desktop has not marked yet."""
    strange: frozenset[str]
    """Keys that are wrapped for this desktop, and not to be relied on."""
    wrapped: frozenset[str]
    """Keys to rely on that are wrapped for this desktop."""


def follow(
    connection: sa.Connection, vault_id: str, root: bytes, known: Mapping[str, VaultKey], anchor: str | None
) -> Followed:
    """Open what members have wrapped for this desktop.

    Args:
        connection: need not be in a transaction.
        vault_id: of the vault.
        root: this desktop's local root key.
        known: vault keys that are genuine: a root key opened them, or a grant that its join code opened.
        anchor: id of the newest vault key that was followed here; None to take the newest that is known.
    """
    device = device_of(root, vault_id)
    rows = _own_rows(connection, device)
    if not rows:
        return Followed({}, (), frozenset(), frozenset())
    found = dict(known)
    marked = {row.kid for row in rows.values() if row.kid in found and row.accepted is not None}
    for kid, row in rows.items():
        key = None if kid in found else _marked(row, device, root)
        if key is not None:
            found[kid] = key
            marked.add(kid)
    if set(rows) - set(found):
        _Walk(connection, device, rows, found, anchor or _newest(connection, found)).go()
    return Followed(
        opened=found,
        unmarked=tuple(kid for kid in rows if kid in found and kid not in marked),
        strange=frozenset(kid for kid, row in rows.items() if kid not in found and _opens(row, device)),
        wrapped=frozenset(rows) & frozenset(found),
    )


def _own_rows(connection: sa.Connection, device: Device) -> dict[str, Any]:
    query = sa.select(vault_device_wraps).where(vault_device_wraps.c.device_id == device.id)
    return {row.kid: row for row in connection.execute(query) if all(isinstance(text, str) for text in row[:7])}


def _wrap_of(row: Any) -> Wrap:
    return Wrap(row.device_id, row.kid, row.previous_kid, row.granted_by, row.wrap, row.signature)


def _marked(row: Any, device: Device, root: bytes) -> VaultKey | None:
    """Return the key of a wrap that this desktop once marked."""
    try:
        key = _wrap_of(row).opened(device)
    except WrapBrokenError:
        return None
    return key if is_accepted(root, key, row.accepted) else None


def _opens(row: Any, device: Device) -> bool:
    try:
        _wrap_of(row).opened(device)
    except WrapBrokenError:
        return False
    return True


def _newest(connection: sa.Connection, known: Mapping[str, VaultKey]) -> str | None:
    places = {kid: place_of(connection, key) for kid, key in known.items()}
    return max(places, key=lambda kid: places[kid], default=None)


class _Walk:
    """From key to key, as long as each was granted by a member under the one before."""

    def __init__(
        self,
        connection: sa.Connection,
        device: Device,
        rows: Mapping[str, Any],
        found: dict[str, VaultKey],
        anchor: str | None,
    ) -> None:
        self._connection = connection
        self._device = device
        self._rows = rows
        self._found = found
        self._relied_on = {anchor} if anchor in found else set()
        """Keys that are as new as the anchor or newer: an older one's members may have been removed."""

    def go(self) -> None:
        """Open what can be followed."""
        waiting = [kid for kid in self._rows if kid not in self._found]
        while came_on := [kid for kid in waiting if self._take(kid)]:
            waiting = [kid for kid in waiting if kid not in came_on]

    def _take(self, kid: str) -> bool:
        wrap = _wrap_of(self._rows[kid])
        if wrap.previous_kid not in self._relied_on:
            return False
        previous = self._found[wrap.previous_kid]
        for source, is_newer in self._evidence(wrap, previous):
            entry = entry_vouched_for(source, previous, source.code)
            try:
                key = None if entry is None else wrap.open(self._device, entry.public)
            except WrapBrokenError:
                key = None
            if key is not None and (not is_newer or self._is_next(key, wrap.previous_kid)):
                self._found[kid] = key
                if is_newer:
                    self._relied_on.add(kid)
                return True
        log.warning("a vault key from a stranger", extra={"kid": kid, "granted_by": wrap.granted_by})
        return False

    def _evidence(self, wrap: Wrap, previous: VaultKey) -> Iterator[tuple[Any, bool]]:
        """Yield what may show that the granting device was a member, and whether the key would be a newer one.

        The succession keeps the entry of who made a key, also when that device was removed since. Who lets a newcomer
        in grants older keys as well, and stands in the directory itself.
        """
        link = sa.select(vault_successions, vault_successions.c.granted_by.label("device_id")).where(
            vault_successions.c.kid == wrap.kid, vault_successions.c.granted_by == wrap.granted_by
        )
        for row in self._connection.execute(link):
            yield _Evidence(row.device_id, row.public_key, row.label, row.approved_by, row.granter_code), True
        is_its = (vault_device_wraps.c.device_id == vault_devices.c.device_id) & (
            vault_device_wraps.c.kid == previous.kid
        )
        present = (
            sa.select(vault_devices, vault_device_wraps.c.code)
            .join(vault_device_wraps, is_its)
            .where(vault_devices.c.device_id == wrap.granted_by)
        )
        for row in self._connection.execute(present):
            yield _Evidence(row.device_id, row.public_key, row.label, row.approved_by, row.code), False

    def _is_next(self, key: VaultKey, previous_kid: str) -> bool:
        """Tell whether a key itself says that it follows that one."""
        query = sa.select(vault_successions).where(vault_successions.c.kid == key.kid)
        row = self._connection.execute(query).one_or_none()
        return (
            row is not None
            and row.previous_kid == previous_kid
            and isinstance(row.number, int)
            and is_succession(key, previous_kid, row.number, row.code)
        )


@dataclass(frozen=True, slots=True)
class _Evidence:
    """An entry, and the code that is to vouch for it."""

    device_id: object
    public_key: object
    label: object
    approved_by: object
    code: object


def is_rolled_back(kid: str, place: int, pin: Pin | None) -> bool:
    """Tell whether a vault key, in its place in the succession, is older than one that was followed here."""
    return pin is not None and pin.kid != kid and (kid in pin.passed or place < pin.number)
