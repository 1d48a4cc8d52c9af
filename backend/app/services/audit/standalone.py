"""The audit log of the configured database without a running sidecar, or beside one, for the command line."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import sqlalchemy as sa

from app.core.security import existing_keys
from app.models.vault import vaults
from app.services.audit.log import Audit
from app.services.configured import standalone_database

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.core.config import Config


@contextlib.contextmanager
def readable_audit(config: Config) -> Iterator[Audit]:
    """Connect once and know the keys at hand; nothing is created or written, the right to read is enough.

    Raises:
        ProblemError: the database cannot be reached, or has no audit log of this program's version.
    """
    keys = existing_keys(config.config_dir)
    with standalone_database(config) as database:
        with database.read() as connection:
            vault_id = connection.scalar(sa.select(vaults.c.vault_id))
        audit = Audit(database, config.config_dir)
        if vault_id is not None:
            audit.attach(vault_id, (*config.encryption_keys, *(keys.keys if keys is not None else ())))
        yield audit
