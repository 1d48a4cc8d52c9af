"""The vault's services on the configured database without a running sidecar, for the command line."""

from __future__ import annotations

import contextlib
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.core.exceptions import ProblemError, RequestError
from app.core.logging import get_logger
from app.core.problems import problem
from app.core.readiness import Readiness
from app.core.security import load_or_create_keys
from app.core.startup import choose_database
from app.db.migrations import HEAD, current_revision, problems_of_database
from app.db.session import Database
from app.services.audit import Audit
from app.services.rotation import Rotations
from app.services.vault import Vault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.core.config import Config
    from app.core.security import KeyRing


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
    readiness = Readiness()
    run = readiness.begin_run()
    watched = choose_database(config, load_or_create_keys(config.config_dir), run)
    try:
        watched.prove(run)
        with problems_of_database(), watched.database.reader.connect() as connection:
            revision = current_revision(connection)
        if revision != HEAD:
            raise ProblemError(
                problem(
                    "migration-failed",
                    "The database schema is not the one of this program.",
                    "Start the sidecar once, or run 'taskflow-sidecar migrations upgrade'.",
                )
            )
        database = Database(readiness)
        database.replace(watched.database)
        run.ready(watched.database.description)
        audit = Audit(database, config.config_dir)
        vault = Vault(config, database, audit)
        vault.ensure_attached()
        yield Standalone(database, audit, vault, Rotations(vault, database, audit, f"cli-{secrets.token_hex(4)}"))
        audit.flush()
    finally:
        watched.abandon()


def adopt_in_vault(config: Config, ring: KeyRing) -> bool:
    """Wrap the vault's keys anew for a rotated `fernet.key`; False if the database cannot be reached.

    A database without a vault, or none at all yet, has nothing that hangs on the key.
    """
    from app.services.schema import revision_of

    try:
        if revision_of(config) is None:
            return True
        with standalone(config) as services:
            return services.vault.adopt(ring, actor="cli")
    except (ProblemError, RequestError) as exc:
        log.warning("vault keys not wrapped anew", extra={"cause": str(exc)})
        return False
