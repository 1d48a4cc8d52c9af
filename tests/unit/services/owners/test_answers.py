"""What answers a write is read before it is committed: what was done is never told as refused."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import pytest

from app.core.exceptions import DatabaseAwayError
from app.db.session import Database
from app.schemas.ai_keys import SystemKeysBody
from app.schemas.keys import KeyWrite
from app.schemas.servers import ServerConfigBody
from app.services.ai_keys.system import SystemKeyService
from app.services.owners.memory_service import MemoryService
from app.services.owners.server_settings import ServerSettingsManager
from tests.support.vaults import ACTOR, Desktop, desktop, empty_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import sqlalchemy as sa

KEY = "sk-0123456789abcdef"


def put_server(here: Desktop) -> str | None:
    """Store a server's key; return its hint."""
    servers = ServerSettingsManager(MemoryService(here.store.database, here.vault))
    return servers.put("guild", ServerConfigBody(api_key=KEY), actor=ACTOR).api_key.hint


def put_system(here: Desktop) -> str | None:
    """Store the system's key; return its hint."""
    return SystemKeyService(here.vault).put(SystemKeysBody(openai=KeyWrite(KEY)), actor=ACTOR).openai.hint


@pytest.mark.parametrize("put", [put_server, put_system])
def test_nothing_is_read_after_the_commit(
    put: Callable[[Desktop], str | None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even a session would be free then."""
    has_written = False
    write = Database.write

    @contextlib.contextmanager
    def writing(database: Database, *arguments: Any, **options: Any) -> Iterator[sa.Connection]:
        nonlocal has_written
        with write(database, *arguments, **options) as connection:
            yield connection
        has_written = True

    read = Database.read

    @contextlib.contextmanager
    def reading(database: Database) -> Iterator[sa.Connection]:
        if has_written:
            raise DatabaseAwayError(code="too-many-connections")
        with read(database) as connection:
            yield connection

    with empty_store("sqlite", tmp_path, pytest.fail) as store:
        here = desktop(store, tmp_path / "config")
        here.vault.attachment.attach()
        here.vault.infos()
        monkeypatch.setattr(Database, "write", writing)
        monkeypatch.setattr(Database, "read", reading)

        assert put(here) == "…cdef"
        assert has_written
