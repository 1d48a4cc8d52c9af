"""What is remembered of chat servers: their settings in a table of their own, their keys in the vault."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import sqlalchemy as sa

from app.db.base import utc_now
from app.db.statements import insert_if_absent
from app.models.chat_servers import chat_servers
from app.schemas.servers import DEFAULT_MODES, ROLL_MODES, SHEET_MODES, VISIBILITIES
from app.services.ai_keys.writes import write_key
from app.services.providers import PROVIDERS
from app.services.vault.rows import SecretName

if TYPE_CHECKING:
    import contextlib

    from app.db.session import Database
    from app.schemas.keys import KeyWrite
    from app.schemas.vault import SecretInfo
    from app.services.vault.vault import Vault

SERVER: Final = "server"


class Settings(NamedTuple):
    """A server's settings."""

    server_id: str
    provider: str
    dm_roll_visibility: str
    player_roll_mode: str
    character_sheet_mode: str


class Memory(NamedTuple):
    """A server's settings, and what is known of the key for its provider."""

    settings: Settings
    key: SecretInfo | None
    is_damaged: bool
    """Somebody has put other words in the place of stored ones; defaults stand for these."""


_WORDS: Final = (tuple(PROVIDERS), VISIBILITIES, ROLL_MODES, SHEET_MODES)
"""What each of them but the first may be."""
_DEFAULTS: Final = ("openai", *DEFAULT_MODES)
_COLUMNS: Final = tuple(chat_servers.c[name] for name in Settings._fields)


class MemoryService:
    """Loads, saves and forgets chat servers."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    def all(self) -> list[Memory]:
        """Return every server, by id; nothing is decrypted."""
        keys = {(info.owner_id, info.name): info for info in self._vault.infos(SERVER)}
        with self._database.read() as connection:
            found = [Settings._make(row) for row in connection.execute(sa.select(*_COLUMNS))]
        return [
            Memory(settings, keys.get((settings.server_id, settings.provider)), settings not in found)
            for settings in sorted(map(_sound, found))
        ]

    def load(self, server_id: str) -> Memory | None:
        """Return one server; None if it is unknown."""
        with self._database.read() as connection:
            row = connection.execute(_one(server_id)).one_or_none()
        return None if row is None else self._memory(row, None)

    def saved(self, connection: sa.Connection, server_id: str) -> Memory:
        """Return a server as it is in a transaction that has saved it."""
        return self._memory(connection.execute(_one(server_id)).one(), connection)

    def _memory(self, row: Any, connection: sa.Connection | None) -> Memory:
        stored = Settings._make(row)
        settings = _sound(stored)
        key = self._vault.info(_key(settings.server_id, settings.provider), connection=connection)
        return Memory(settings, key, settings != stored)

    def changing(self, *, unlocked: bool) -> contextlib.AbstractContextManager[sa.Connection]:
        """A transaction for the methods below; `unlocked`: a key is going to be sealed."""
        return self._vault.writing(unlocked=unlocked)

    def hold(self, connection: sa.Connection, fresh: Settings) -> Settings | None:
        """Keep others from a server until the transaction ends; an unknown one is saved as `fresh`.

        Returns:
            The settings it had; None if it was unknown.
        """
        now = utc_now()
        while not insert_if_absent(connection, chat_servers, {**fresh._asdict(), "created_at": now, "updated_at": now}):
            row = connection.execute(_one(fresh.server_id).with_for_update()).one_or_none()
            if row is not None:  # else it was deleted in this very moment
                return _sound(Settings._make(row))
        return None

    def save(self, connection: sa.Connection, settings: Settings) -> None:
        """Save the settings of a server that is held."""
        is_meant = chat_servers.c.server_id == settings.server_id
        values = {**settings._asdict(), "updated_at": utc_now()}
        connection.execute(sa.update(chat_servers).where(is_meant).values(**values))

    def has_key(self, connection: sa.Connection, server_id: str, provider: str) -> bool:
        """Tell whether a key for a provider is stored."""
        return self._vault.stored(connection, _key(server_id, provider)) is not None

    def save_key(
        self, connection: sa.Connection, server_id: str, provider: str, write: KeyWrite, *, actor: str
    ) -> None:
        """Store, replace or keep the key for a provider; raises ValidationError for a mask of nothing."""
        write_key(self._vault, connection, _key(server_id, provider), write, actor=actor, field="api_key")

    def forget_key(self, connection: sa.Connection, server_id: str, provider: str, *, actor: str) -> None:
        """Delete the key for a provider, if there is one."""
        self._vault.delete(connection, _key(server_id, provider), actor=actor)

    def forget(self, connection: sa.Connection, server_id: str, *, actor: str) -> bool:
        """Delete a server, and shred its keys; returns whether there was one."""
        # its row first: whoever is just saving a key holds it, and that key is shredded below
        if not connection.execute(sa.delete(chat_servers).where(chat_servers.c.server_id == server_id)).rowcount:
            return False
        self._vault.shred(connection, SERVER, server_id, actor=actor)
        return True

    def reveal(self, server_id: str, provider: str, *, actor: str) -> str:
        """Return a key in plain text, which the audit log has to be able to tell; raises NotFoundError."""
        return self._vault.reveal(_key(server_id, provider), actor=actor)


def _sound(stored: Settings) -> Settings:
    """Return settings as they are stored; a default where somebody has put what is none."""
    each = zip(stored[1:], _WORDS, _DEFAULTS, strict=True)
    return Settings(stored.server_id, *(word if word in words else default for word, words, default in each))


def _key(server_id: str, provider: str) -> SecretName:
    return SecretName(SERVER, server_id, provider)


def _one(server_id: str) -> sa.Select[tuple[str, str, str, str, str]]:
    return sa.select(*_COLUMNS).where(chat_servers.c.server_id == server_id)
