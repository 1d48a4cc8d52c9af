"""Settings of chat servers: what may be changed, and which key goes with which provider."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import UNSET, UnsetType

from app.core.encryption import MASK
from app.core.exceptions import NotFoundError, ValidationError
from app.models.vault import UNREADABLE
from app.schemas.keys import KeyWrite, key_info
from app.schemas.servers import RevealedKey, ServerConfig
from app.services.owners.memory_service import Memory, Settings
from app.services.vault.vault import is_masked

if TYPE_CHECKING:
    import sqlalchemy as sa

    from app.schemas.servers import ServerConfigBody
    from app.services.owners.memory_service import MemoryService

DEFAULT_PROVIDER: Final = "openai"


class ServerSettingsManager:
    """Reads and changes the settings of chat servers."""

    def __init__(self, memory: MemoryService) -> None:
        self._memory = memory

    def all(self) -> list[ServerConfig]:
        """Return every server, by id."""
        return [_shown(found) for found in self._memory.all()]

    def get(self, server_id: str) -> ServerConfig:
        """Return one server; raises NotFoundError."""
        return _shown(self._found(server_id))

    def put(self, server_id: str, body: ServerConfigBody, *, actor: str) -> ServerConfig:
        """Replace a server's settings; its first ones need a key, later ones may leave it as it is.

        Raises:
            ValidationError: the key that the provider needs is not there.
            VaultLockedError: a key is to be stored, and the vault is locked.
        """
        write = _key_write(body)
        is_new_key = write is not None and not is_masked(write.secret)
        with self._memory.changing(unlocked=is_new_key) as connection:
            before = self._memory.hold(connection, _settings(server_id, body, DEFAULT_PROVIDER))
            after = _settings(server_id, body, DEFAULT_PROVIDER if before is None else before.provider)
            self._require_key(connection, before, after, body)
            self._memory.save(connection, after)
            if write is not None:
                self._memory.save_key(connection, server_id, after.provider, write, actor=actor)
            if before is not None and before.provider != after.provider and is_new_key:
                self._memory.forget_key(connection, server_id, before.provider, actor=actor)
            return _shown(self._memory.saved(connection, server_id))

    def _require_key(
        self, connection: sa.Connection, before: Settings | None, after: Settings, body: ServerConfigBody
    ) -> None:
        """Refuse settings for a provider that no key was ever given for."""
        is_other_provider = before is None or before.provider != after.provider
        if isinstance(body.api_key, UnsetType) and is_other_provider:  # noqa: SIM102 - the query is for the last
            if not self._memory.has_key(connection, after.server_id, after.provider):
                raise ValidationError("api_key: Field required")

    def delete(self, server_id: str, *, actor: str) -> None:
        """Delete a server, and shred its key; raises NotFoundError."""
        with self._memory.changing(unlocked=False) as connection:
            if not self._memory.forget(connection, server_id, actor=actor):
                raise _unknown()

    def reveal(self, server_id: str, *, actor: str) -> RevealedKey:
        """Return a server's key in plain text.

        Raises:
            NotFoundError: no such server, or it has no key.
            AuditUnavailableError: the audit log cannot tell of it.
            VaultLockedError, SecretUnreadableError, SecretFormatUnknownError, SecretExpiredError: it does not open.
        """
        provider = self._found(server_id).settings.provider
        return RevealedKey(self._memory.reveal(server_id, provider, actor=actor))

    def _found(self, server_id: str) -> Memory:
        found = self._memory.load(server_id)
        if found is None:
            raise _unknown()
        return found


def _settings(server_id: str, body: ServerConfigBody, provider: str) -> Settings:
    return Settings(
        server_id=server_id,
        provider=provider if isinstance(body.provider, UnsetType) else body.provider,
        dm_roll_visibility=body.dm_roll_visibility,
        player_roll_mode=body.player_roll_mode,
        character_sheet_mode=body.character_sheet_mode,
    )


def _key_write(body: ServerConfigBody) -> KeyWrite | None:
    """Return what is to become of the key; None if the body says nothing about it."""
    if not isinstance(body.api_key, UnsetType):
        return KeyWrite(body.api_key, body.expires_at)
    return None if body.expires_at is UNSET else KeyWrite(MASK, body.expires_at)


def _shown(found: Memory) -> ServerConfig:
    key = key_info(found.key)
    if found.is_damaged:
        key.status = UNREADABLE
    return ServerConfig(**found.settings._asdict(), api_key=key)


def _unknown() -> NotFoundError:
    return NotFoundError("Server not found")
