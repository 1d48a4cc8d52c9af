"""Desktops with a vault, inside the test process: several may share one database, as sidecars do."""

from __future__ import annotations

import contextlib
import secrets as randomness
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import sqlalchemy as sa

from app.core.config import Config
from app.core.fernet_keys import encode_key
from app.core.installation import installation
from app.core.security import KEY_FILE, load_or_create_keys
from app.db.base import utc_now
from app.models.vault import secrets, vault_owners
from app.services.ai_keys.watch import watch_keys
from app.services.audit.log import Audit
from app.services.vault.rotation import Clock, Rotations
from app.services.vault.rows import Place, SecretName, seal_row, secret_item
from app.services.vault.sealing import hint_of
from app.services.vault.team import Team
from app.services.vault.vault import Vault
from tests.support.databases import SqliteDatabase
from tests.support.in_process import InProcess, empty_on_postgresql, empty_on_sqlite, on_postgresql, on_sqlite

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from app.schemas.vault import SecretInfo
    from tests.support.databases import Backend, Database

ACTOR = "test"


@dataclass(frozen=True, slots=True)
class Desktop:
    """One desktop's view of a database: its own config directory and keys, its own services."""

    config: Config
    store: InProcess
    audit: Audit
    vault: Vault
    rotations: Rotations
    team: Team

    def set(self, which: SecretName, secret: str, *, expires_at: dt.datetime | None = None) -> SecretInfo:
        """Store or replace a secret."""
        with self.vault.writing() as connection:
            return self.vault.put(connection, which, secret, actor=ACTOR, expires_at=expires_at)

    def use(self, which: SecretName) -> str | None:
        """Open a secret for use."""
        return self.vault.use(which, actor=ACTOR)

    def delete(self, which: SecretName) -> bool:
        """Delete a secret, whether the vault is locked or not."""
        with self.vault.writing(unlocked=False) as connection:
            return self.vault.delete(connection, which, actor=ACTOR)

    def shred(self, owner_kind: str, owner_id: str) -> int:
        """Shred an owner."""
        with self.vault.writing(unlocked=False) as connection:
            return self.vault.shred(connection, owner_kind, owner_id, actor=ACTOR)

    def rotate(self) -> None:
        """Rotate the vault key, from beginning to end."""
        self.rotations.start(actor=ACTOR)
        self.rotations.work()

    def fill(self, count: int, *, owners: int = 50, kind: str = "tenant") -> dict[SecretName, str]:
        """Store many secrets, faster than one by one; return them."""
        stored: dict[SecretName, str] = {}
        rows: list[dict[str, Any]] = []
        with self.vault.writing() as connection:
            keys, key = self.vault.attachment.sealing_keys(connection)
            salts = {f"filled-{number}": randomness.token_hex(32) for number in range(min(owners, count))}
            owner_rows = [
                {"owner_kind": kind, "owner_id": owner, "salt": salt, "created_at": utc_now()}
                for owner, salt in salts.items()
            ]
            connection.execute(sa.insert(vault_owners), owner_rows)
            for number in range(count):
                owner = f"filled-{number % owners}"
                which, secret = SecretName(kind, owner, f"name-{number}"), f"sk-{number:06}-{'x' * 40}"
                now = utc_now()
                place = Place(str(uuid.uuid4()), kind, owner, which.name, 1, None, salts[owner], "")
                sealed = seal_row(place, secret, keys, key)._asdict()
                rows.append(
                    {
                        "id": place.id,
                        **which.columns(),
                        **sealed,
                        "row_version": 1,
                        "fingerprint": "0123456789abcdef",
                        "hint": hint_of(secret),
                        "status": "valid",
                        "status_evidence": f"evidence {number}",
                        "last_validated_at": now,
                        "expires_at": None,
                        "created_at": now,
                        "updated_at": now,
                    }
                )
                stored[which] = secret
            connection.execute(sa.insert(secrets), rows)
            for row in rows:
                which = SecretName(row["owner_kind"], row["owner_id"], row["name"])
                self.vault.note(connection, secret_item(which), [row["id"], 1, "valid"])
        return stored


def empty_store(
    kind: str, directory: Path, postgresql: Callable[[], Database]
) -> contextlib.AbstractContextManager[InProcess]:
    """Provide an empty database: a new SQLite file, or a PostgreSQL database that is emptied first.

    Args:
        kind: `sqlite` or `postgresql`.
        directory: where the file goes.
        postgresql: returns the PostgreSQL database.
    """
    return empty_on_sqlite(directory / "taskflow.db") if kind == "sqlite" else empty_on_postgresql(postgresql())


@contextlib.contextmanager
def store_of(backend: Backend) -> Iterator[InProcess]:
    """Look into a sidecar's database."""
    if isinstance(backend.database, SqliteDatabase):
        with on_sqlite(backend.database.file) as store:
            yield store
    else:
        with on_postgresql(cast("Database", backend.database).fields()) as store:
            yield store


def desktop(
    store: InProcess,
    config_dir: Path,
    *,
    key: bytes | None = None,
    encryption_keys: tuple[bytes, ...] = (),
    api_key_secret: str | None = None,
    clock: Clock | None = None,
    team_clock: Callable[[], dt.datetime] = utc_now,
    **settings: Any,
) -> Desktop:
    """Return a desktop as a process that has just started sees it.

    Args:
        store: its database.
        config_dir: its config directory, made if need be.
        key: what `fernet.key` holds; a random one, or what is there, unless given.
        encryption_keys: `ENCRYPTION_KEY`.
        api_key_secret: `API_KEY_ENCRYPTION_SECRET`.
        clock: of the rotations' heartbeats.
        team_clock: of requests to come in.
        settings: more fields of its `Config`.
    """
    config_dir.mkdir(mode=0o700, exist_ok=True)
    if key is not None:
        (config_dir / KEY_FILE).write_text(encode_key(key))
    load_or_create_keys(config_dir)
    config = Config(
        config_dir=config_dir,
        data_dir=config_dir / "data",
        encryption_keys=encryption_keys,
        api_key_secret=api_key_secret,
        **settings,
    )
    audit = Audit(store.database, config_dir)
    vault = Vault(config, store.database, audit, watch_keys(config))
    options = {} if clock is None else {"clock": clock}
    rotations = Rotations(vault.attachment, store.database, audit, installation(config_dir), **options)
    team = Team(config, store.database, audit, vault.attachment, rotations, clock=team_clock)
    return Desktop(config, store, audit, vault, rotations, team)


def rows_of(store: InProcess) -> dict[str, dict[str, Any]]:
    """Return every row of `secrets` by id, as it lies there."""
    with store.opened.reader.connect() as connection:
        return {row["id"]: dict(row) for row in connection.execute(sa.select(secrets)).mappings()}


def change(store: InProcess, statement: sa.Executable, parameters: Any = None) -> None:
    """Run a statement behind the services' backs."""
    with store.opened.writer.begin() as connection:
        connection.execute(statement, parameters)


def read(store: InProcess, statement: sa.Executable) -> list[Any]:
    """Run a query and return its rows."""
    with store.opened.reader.connect() as connection:
        return list(connection.execute(statement).all())
