"""The audit log of the configured database without a running sidecar, or beside one, for the command line."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from app.core.security import existing_keys
from app.services.audit.log import Audit
from app.services.configured import standalone_database
from app.services.vault.keys import Memory, read_keys

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
        audit = Audit(database, config.config_dir)
        roots = (*config.encryption_keys, *(keys.keys if keys is not None else ()))
        place = database.place
        memory = Memory(audit.files.roots(), None if place is None else audit.files.vault_in(place))
        with database.read() as connection:
            found = read_keys(
                connection, roots, before=None, api_secret=None, generation=database.generation, memory=memory
            )
        if found is not None:
            audit.attach(found.vault_id, roots)
            audit.ledger.keys = found
        yield audit
