"""The vault's services on the configured database without a running sidecar, for the command line."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from app.core.exceptions import ProblemError, RequestError
from app.core.logging import get_logger
from app.core.readiness import Readiness
from app.core.security import existing_keys
from app.db.migrations import HEAD, current_revision, problems_of_database
from app.db.session import Database, open_sqlite
from app.services.audit.log import Audit
from app.services.migrations import require_head
from app.services.vault.rotation import Rotations, installation
from app.services.vault.unlocking import adopt, is_needed
from app.services.vault.vault import Vault
from app.sidecar.startup import DATABASE_FILE, WatchedSqlite, choose_database

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from app.core.config import Config
    from app.core.fernet_keys import KeyRing
    from app.core.readiness import Run
    from app.services.vault.keys_at_hand import Attachment
    from app.sidecar.startup import Watched


log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Standalone:
    """What commands work with."""

    database: Database
    audit: Audit
    vault: Vault
    rotations: Rotations


@contextlib.contextmanager
def standalone(config: Config) -> Iterator[Standalone]:
    """Connect once, with the code that start-up uses but no retries, and attach the vault.

    Safe beside running sidecars: the database keeps them apart, as it does several desktops.

    Raises:
        ProblemError: the database cannot be reached, or its schema is not at head.
    """
    with standalone_database(config) as database:
        services = _services(config, database)
        services.vault.attachment.ensure_attached()
        yield services
        services.audit.flush()


@contextlib.contextmanager
def standalone_database(config: Config) -> Iterator[Database]:
    """Connect as `standalone` does, for what needs no vault.

    Raises:
        ProblemError: the database cannot be reached, or its schema is not at head.
    """
    readiness = Readiness()
    run = readiness.begin_run()
    watched = choose_database(config, existing_keys(config.config_dir), run)
    try:
        require_head(_revision(watched, run))
        yield _database(watched, readiness, run)
    finally:
        watched.abandon()


def _revision(watched: Watched, run: Run) -> str | None:
    """Return the revision of a database; None if it is empty, or a file that is not there."""
    if isinstance(watched, WatchedSqlite) and not watched.file.exists():
        return None
    watched.prove(run)
    with problems_of_database(), watched.database.reader.connect() as connection:
        return current_revision(connection)


def _database(watched: Watched, readiness: Readiness, run: Run) -> Database:
    """Return what services hold of a database that was proven to be at head."""
    database = Database(readiness)
    database.replace(watched.database)
    run.ready(watched.database.description)
    return database


def _services(config: Config, database: Database) -> Standalone:
    audit = Audit(database, config.config_dir)
    vault = Vault(config, database, audit)
    return Standalone(
        database, audit, vault, Rotations(vault.attachment, database, audit, installation(config.config_dir))
    )


# --- what hangs on fernet.key ----------------------------------------------------------------------------------------

_WITHOUT_VAULT: Final = (None, "0001")
"""Revisions of schemas that have no vault yet."""


def adopt_everywhere(
    config: Config, ring: KeyRing, *, running: tuple[Attachment, Audit] | None = None, actor: str
) -> bool:
    """Wrap the keys of every vault within reach anew for a rotated `fernet.key`.

    That is the configured database's and, as another database may be configured for a while only, the embedded one's.

    Args:
        config: of this process.
        ring: the new key, then those that are to be retired.
        running: keys and audit log of a running sidecar's database.
        actor: who rotates.

    Returns:
        Whether the old keys are no longer needed; False also if a database could not be reached.
    """
    try:
        if running is not None:
            is_adopted = adopt(*running, ring, actor=actor)
        else:
            is_adopted = _adopt_in(config, lambda run: choose_database(config, ring, run), ring, actor)
        return _adopt_in(config, lambda _: _embedded(config), ring, actor) and is_adopted
    except (ProblemError, RequestError) as exc:
        log.warning("vault keys not wrapped anew", extra={"cause": str(exc)})
        return False


def _embedded(config: Config) -> Watched:
    return WatchedSqlite(open_sqlite(config.data_dir / DATABASE_FILE))


def _adopt_in(config: Config, choose: Callable[[Run], Watched], ring: KeyRing, actor: str) -> bool:
    """Adopt a key in one database; in one that has no vault nothing hangs on it."""
    readiness = Readiness()
    run = readiness.begin_run()
    watched = choose(run)
    try:
        revision = _revision(watched, run)
        if revision != HEAD:
            return revision in _WITHOUT_VAULT
        services = _services(config, _database(watched, readiness, run))
        if not is_needed(services.database, ring.keys[1:]):
            return True
        return adopt(services.vault.attachment, services.audit, ring, actor=actor)
    finally:
        watched.abandon()
