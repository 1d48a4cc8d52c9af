"""Tables of a team's vault: the desktops that are in, the vault keys wrapped for each, and those that ask to come in.

Nothing here is believed as it stands: each row carries a code or a signature (`app.services.vault.membership`).
"""

from __future__ import annotations

import datetime as dt
from typing import Final

from sqlalchemy import Column, Named, Table, TypedColumns

from app.db.base import metadata
from app.db.lenient import LenientInstant, LenientNumber, LenientText, Sealed


class DeviceColumns(TypedColumns):
    """Columns of `vault_devices`: one row a desktop that was let in."""

    device_id: Named[str] = Column(LenientText, primary_key=True)
    """16 hex digits, of the vault and the public key."""
    public_key: Named[str] = Column(LenientText, nullable=False)
    label: Named[str] = Column(LenientText, nullable=False)
    approved_by: Named[str] = Column(LenientText, nullable=False)
    """Id of the device that let it in; its own if it was in before there was this table."""
    approved_at: Named[dt.datetime] = Column(LenientInstant, nullable=False)
    fingerprint: Named[str | None] = Column(LenientText)
    """Of its local root key: which wraps of the vault's go with it."""
    last_seen_at: Named[dt.datetime | None] = Column(LenientInstant)


class DeviceWrapColumns(TypedColumns):
    """Columns of `vault_device_wraps`: a vault key, sealed for one device; without it, the device is not a member.

    The wraps of keys that are gone stay for a while: a desktop that was away follows them from key to key.
    """

    kid: Named[str] = Column(LenientText, primary_key=True)
    device_id: Named[str] = Column(LenientText, primary_key=True)
    previous_kid: Named[str] = Column(LenientText, nullable=False)
    granted_by: Named[str] = Column(LenientText, nullable=False)
    wrap: Named[str] = Column(Sealed, nullable=False)
    signature: Named[str] = Column(LenientText, nullable=False)
    """Of the granting device."""
    code: Named[str] = Column(LenientText, nullable=False)
    """Vouches for the device's row, under the vault key of that id."""
    accepted: Named[str | None] = Column(LenientText)
    """The device's own mark on a key that it has found to be genuine."""
    created_at: Named[dt.datetime] = Column(LenientInstant, nullable=False)


class SuccessionColumns(TypedColumns):
    """Columns of `vault_successions`: which vault key took the place of which, and who saw to it."""

    kid: Named[str] = Column(LenientText, primary_key=True)
    previous_kid: Named[str] = Column(LenientText, nullable=False)
    number: Named[int] = Column(LenientNumber, nullable=False)
    """How many keys came before."""
    code: Named[str] = Column(LenientText, nullable=False)
    """Vouches for both, under the newer key."""
    granted_by: Named[str] = Column(LenientText, nullable=False)
    public_key: Named[str] = Column(LenientText, nullable=False)
    label: Named[str] = Column(LenientText, nullable=False)
    approved_by: Named[str] = Column(LenientText, nullable=False)
    granter_code: Named[str] = Column(LenientText, nullable=False)
    """Vouches for the granting device, under the older key; it may have been removed since."""
    created_at: Named[dt.datetime] = Column(LenientInstant, nullable=False)


class JoinRequestColumns(TypedColumns):
    """Columns of `vault_join_requests`: desktops that ask to come in."""

    device_id: Named[str] = Column(LenientText, primary_key=True)
    public_key: Named[str] = Column(LenientText, nullable=False)
    label: Named[str] = Column(LenientText, nullable=False)
    proof: Named[str] = Column(LenientText, nullable=False)
    """Shows whoever knows the join code that this row is its."""
    requested_at: Named[dt.datetime] = Column(LenientInstant, nullable=False)
    expires_at: Named[dt.datetime] = Column(LenientInstant, nullable=False)
    wrong_codes: Named[int] = Column(LenientNumber, nullable=False)
    grant_kid: Named[str | None] = Column(LenientText)
    grant: Named[str | None] = Column(Sealed)
    """The vault key of that id, once somebody has approved."""


vault_devices: Final = Table("vault_devices", metadata, DeviceColumns)
vault_device_wraps: Final = Table("vault_device_wraps", metadata, DeviceWrapColumns)
vault_successions: Final = Table("vault_successions", metadata, SuccessionColumns)
vault_join_requests: Final = Table("vault_join_requests", metadata, JoinRequestColumns)
