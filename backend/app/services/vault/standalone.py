"""The vault's services on the configured database without a running sidecar, for the command line."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from app.core.exceptions import ProblemError, RequestError
from app.core.installation import installation
from app.core.logging import get_logger
from app.db.configured import DATABASE_FILE, choose_database
from app.db.migrations import HEAD
from app.db.session import open_sqlite
from app.db.watched import Watched, WatchedSqlite
from app.services.audit.log import Audit
from app.services.configured import configured, standalone_database
from app.services.vault.keys_at_hand import Attachment
from app.services.vault.rotation import Rotations
from app.services.vault.team import Team
from app.services.vault.unlocking import adopt, is_needed
from app.services.vault.vault import Vault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from app.core.config import Config
    from app.core.fernet_keys import KeyRing
    from app.core.readiness import Run
    from app.db.session import Database
    from app.services.vault.vault import Watch


log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Standalone:
    """What commands work with."""

    database: Database
    audit: Audit
    vault: Vault
    rotations: Rotations
    team: Team


@contextlib.contextmanager
def standalone(config: Config, watch: Watch) -> Iterator[Standalone]:
    """Connect once, with the code that start-up uses but no retries, and attach the vault.

    Safe beside running sidecars: the database keeps them apart, as it does several desktops.

    Args:
        config: of this process.
        watch: as `Vault` takes it.

    Raises:
        ProblemError: the database cannot be reached, or its schema is not at head.
    """
    with standalone_database(config) as database:
        audit = Audit(database, config.config_dir)
        vault = Vault(config, database, audit, watch)
        rotations = Rotations(vault.attachment, database, audit, installation(config.config_dir))
        team = Team(config, database, audit, vault.attachment, rotations)
        services = Standalone(database, audit, vault, rotations, team)
        services.vault.attachment.ensure_attached()
        services.team.look()
        yield services
        services.audit.flush()


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
    with configured(config, choose) as found:
        revision = found.revision()
        if revision != HEAD:
            return revision in _WITHOUT_VAULT
        database = found.at_head()
        if not is_needed(database, ring.keys[1:]):
            return True
        audit = Audit(database, config.config_dir)
        return adopt(Attachment(config, database, audit), audit, ring, actor=actor)
