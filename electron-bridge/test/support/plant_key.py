"""Put a vault key of one's own into a team's database, as somebody could who owns it and is no member."""

import datetime as dt
import os
import sys
from pathlib import Path

import sqlalchemy as sa

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "backend"))

from app.models.devices import vault_device_wraps, vault_devices, vault_successions  # noqa: E402
from app.models.vault import vault_keys, vaults  # noqa: E402
from app.services.vault.devices import PublicKey, device_of  # noqa: E402
from app.services.vault.keys import FINGERPRINT  # noqa: E402
from app.services.vault.membership import Entry, make_wrap, succession_code  # noqa: E402
from app.services.vault.sealing import new_vault_key  # noqa: E402

LABEL = "boss@desk-1"


def plant(connection: sa.Connection) -> None:
    """Make a key of one's own the active one, wrapped for every device: their public keys stand in the database."""
    vault_id = str(connection.execute(sa.select(vaults.c.vault_id)).scalar_one())
    old_kid = connection.execute(sa.select(vault_keys.c.kid).where(vault_keys.c.state == "active")).scalar_one()
    devices = connection.execute(sa.select(vault_devices.c.device_id, vault_devices.c.public_key, vault_devices.c.label))
    own, planted, now = device_of(os.urandom(32), vault_id), new_vault_key(vault_id), dt.datetime.now(dt.UTC)
    found = devices.all()
    connection.execute(sa.update(vault_keys).values(state="retired"))
    fingerprint_key = planted.seal_internal(FINGERPRINT, bytes(32))
    connection.execute(
        sa.insert(vault_keys).values(kid=planted.kid, state="active", fingerprint_key=fingerprint_key, created_at=now)
    )
    for device_id, text, label in found:
        public = PublicKey.parse(text)
        wrap = make_wrap(own, planted, old_kid, device_id, public)
        connection.execute(
            sa.insert(vault_device_wraps).values(
                device_id=wrap.device_id,
                kid=wrap.kid,
                previous_kid=wrap.previous_kid,
                granted_by=wrap.granted_by,
                wrap=wrap.sealed,
                signature=wrap.signature,
                code=Entry(device_id, public, label, device_id).code(planted),
                created_at=now,
            )
        )
    connection.execute(
        sa.insert(vault_successions).values(
            kid=planted.kid,
            previous_kid=old_kid,
            number=7,
            code=succession_code(planted, old_kid, 7),
            granted_by=own.id,
            public_key=own.public.text(),
            label=LABEL,
            approved_by=own.id,
            granter_code=Entry(own.id, own.public, LABEL, own.id).code(planted),
            created_at=now,
        )
    )
    connection.execute(sa.text("UPDATE vaults SET epoch = epoch + 1"))
