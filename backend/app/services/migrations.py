"""The schema from the command line: where it is, bring it to head, or print the SQL for an administrator."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from app.core.exceptions import ProblemError
from app.db.configured import migrate, prepare_data_directory
from app.db.migrations import known_revisions, upgrade_sql
from app.db.watched import WatchedPostgres
from app.models.tables import metadata
from app.services.configured import configured

if TYPE_CHECKING:
    from app.core.config import Config


def revision_of(config: Config) -> str | None:
    """Return the revision of the configured database; None if it is empty. Nothing is changed or created.

    Raises:
        ProblemError: it cannot be reached.
    """
    with configured(config) as found:
        return found.revision()


def upgrade(config: Config) -> None:
    """Bring the configured database to head, under the same lock as every sidecar.

    Raises:
        ProblemError: it cannot be reached or upgraded; the schema is as it was.
    """
    prepare_data_directory(config)
    with configured(config) as found:
        found.watched.prove(found.run)
        migrate(found.watched, found.run)


def upgrade_script(config: Config) -> str:
    """Return the SQL from the present revision (an empty database if it cannot be asked) to head."""
    revision, username = None, None
    with contextlib.suppress(ProblemError), configured(config) as found:
        username = found.watched.database.description["username"]
        if isinstance(found.watched, WatchedPostgres):
            revision = found.revision()
    known = revision if revision in known_revisions() else None
    return upgrade_sql(metadata, from_revision=known, username=username)
