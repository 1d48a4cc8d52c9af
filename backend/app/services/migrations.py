"""The schema from the command line: where it is, bring it to head, or print the SQL for an administrator."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from app.core.exceptions import ProblemError
from app.core.problems import problem
from app.core.readiness import Readiness, Run
from app.core.security import existing_keys
from app.db.migrations import HEAD, current_revision, known_revisions, problems_of_database, upgrade_sql
from app.sidecar.startup import (
    Watched,
    WatchedPostgres,
    WatchedSqlite,
    choose_database,
    migrate,
    prepare_data_directory,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.core.config import Config


def require_head(revision: str | None) -> None:
    """Raise ProblemError unless a schema is the one of this program; None stands for an empty database."""
    if revision == HEAD:
        return
    if revision is not None and revision not in known_revisions():
        raise ProblemError(problem("schema-newer"))
    found = "has no tables yet" if revision is None else "has the schema of an earlier version"
    remedy = "Start the sidecar once, or run 'taskflow-sidecar migrations upgrade'."
    raise ProblemError(problem("migration-failed", f"The database {found}.", remedy))


def revision_of(config: Config) -> str | None:
    """Return the revision of the configured database; None if it is empty. Nothing is changed or created.

    Raises:
        ProblemError: it cannot be reached.
    """
    with _chosen(config) as (watched, run):
        if isinstance(watched, WatchedSqlite) and not watched.file.exists():
            return None
        watched.prove(run)
        with problems_of_database(), watched.database.reader.connect() as connection:
            return current_revision(connection)


def upgrade(config: Config) -> None:
    """Bring the configured database to head, under the same lock as every sidecar.

    Raises:
        ProblemError: it cannot be reached or upgraded; the schema is as it was.
    """
    prepare_data_directory(config)
    with _chosen(config) as (watched, run):
        watched.prove(run)
        migrate(watched, run)


def upgrade_script(config: Config) -> str:
    """Return the SQL from the present revision (an empty database if it cannot be asked) to head."""
    revision, username = None, None
    with contextlib.suppress(ProblemError), _chosen(config) as (watched, run):
        username = watched.database.description["username"]
        if isinstance(watched, WatchedPostgres):
            watched.prove(run)
            with problems_of_database(), watched.database.reader.connect() as connection:
                revision = current_revision(connection)
    return upgrade_sql(from_revision=revision if revision in known_revisions() else None, username=username)


@contextlib.contextmanager
def _chosen(config: Config) -> Iterator[tuple[Watched, Run]]:
    """Choose the database as start-up does; closed afterwards."""
    run = Readiness().begin_run()
    keys = existing_keys(config.config_dir)
    watched = choose_database(config, keys, run)
    try:
        yield watched, run
    finally:
        watched.abandon()
