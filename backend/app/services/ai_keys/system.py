"""The system's own keys of AI providers: what everybody uses who has none of their own and may fall back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from app.core.validation import present
from app.schemas.ai_keys import SystemKeys
from app.schemas.keys import KeyWrite, key_info
from app.services.ai_keys.writes import write_key
from app.services.providers import PROVIDERS
from app.services.vault.rows import SecretName
from app.services.vault.vault import is_masked

if TYPE_CHECKING:
    import sqlalchemy as sa

    from app.schemas.ai_keys import SystemKeysBody
    from app.services.vault.vault import Vault

SYSTEM: Final = "system"
DEFAULT: Final = "default"
"""Kind and id of the one owner of the system's keys."""


class SystemKeyService:
    """Reads and writes the system's keys."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def get(self) -> SystemKeys:
        """Return every provider's key as it is shown; nothing is decrypted."""
        return self._shown(None)

    def _shown(self, connection: sa.Connection | None) -> SystemKeys:
        infos = {info.name: info for info in self._vault.infos(SYSTEM, DEFAULT, connection=connection)}
        return SystemKeys(**{name: key_info(infos.get(name)) for name in PROVIDERS})

    def put(self, body: SystemKeysBody, *, actor: str) -> SystemKeys:
        """Set, remove and keep keys, all or nothing.

        Raises:
            ValidationError: a mask, and nothing is stored.
            VaultLockedError: a key is to be stored, and the vault is locked.
        """
        writes: dict[str, KeyWrite | None] = present(body)
        seals = any(write is not None and not is_masked(write.secret) for write in writes.values())
        with self._vault.writing(unlocked=seals) as connection:
            self._vault.hold(connection, SYSTEM, DEFAULT)
            for provider, write in writes.items():
                which = SecretName(SYSTEM, DEFAULT, provider)
                if write is None:
                    self._vault.delete(connection, which, actor=actor)
                else:
                    write_key(self._vault, connection, which, write, actor=actor, field=provider)
            return self._shown(connection)
