"""The configured database without a running sidecar, or beside one: chosen as start-up does, without its retries."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.core.readiness import FAILED, Readiness, Run
from app.core.security import existing_keys
from app.db.configured import choose_database
from app.db.history import HISTORY_FILE, Histories
from app.db.migrations import current_revision, problems_of_database, require_head
from app.db.session import Database
from app.db.watched import Watched, WatchedSqlite

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import sqlalchemy as sa

    from app.core.config import Config
    from app.core.problems import Problem


@dataclass(frozen=True, slots=True)
class Configured:
    """A database that a command works with; nothing in it is changed or created by looking."""

    watched: Watched
    run: Run
    readiness: Readiness

    @contextlib.contextmanager
    def connected(self) -> Iterator[sa.Connection | None]:
        """Prove the database and read from it; None if it is a file that is not there.

        Raises:
            ProblemError: it cannot be reached.
        """
        if isinstance(self.watched, WatchedSqlite) and not self.watched.file.exists():
            yield None
            return
        self.watched.prove(self.run)
        with problems_of_database(), self.watched.database.reader.connect() as connection:
            yield connection

    def revision(self) -> str | None:
        """Return the schema's revision; None if the database is empty or not there.

        Raises:
            ProblemError: it cannot be reached.
        """
        with self.connected() as connection:
            return None if connection is None else current_revision(connection)

    def details(self, problem: Problem | None = None) -> dict[str, Any]:
        """Return safe facts for a person: of the login that succeeded, or of what was tried when a problem was met."""
        if problem is None:
            description = self.watched.database.description
            return {name: description[name] for name in ("host", "port", "database", "username", "tls")}
        self.run.problem(problem, state=FAILED)
        details: dict[str, Any] = self.readiness.document()["problem"]["details"]
        return details

    def at_head(self) -> Database:
        """Return what services hold of a database.

        Raises:
            ProblemError: it cannot be reached, or its schema is not at head.
        """
        require_head(self.revision())
        database = Database(self.readiness)
        database.replace(self.watched.database)
        self.run.ready(self.watched.database.description)
        return database


@contextlib.contextmanager
def configured(config: Config, choose: Callable[[Run], Watched] | None = None) -> Iterator[Configured]:
    """Choose the database as start-up does, or by `choose`; every connection is closed afterwards.

    Raises:
        ProblemError: the key file or the saved connection cannot be read.
    """
    readiness = Readiness()
    run = readiness.begin_run()
    histories = Histories(config.config_dir / HISTORY_FILE, keeps=False)
    keys = existing_keys(config.config_dir)
    watched = choose_database(config, keys, run, histories=histories) if choose is None else choose(run)
    try:
        yield Configured(watched, run, readiness)
    finally:
        watched.abandon()


@contextlib.contextmanager
def standalone_database(config: Config) -> Iterator[Database]:
    """Connect once, with the code that start-up uses but no retries, for what needs no vault.

    Raises:
        ProblemError: the database cannot be reached, or its schema is not at head.
    """
    with configured(config) as found:
        yield found.at_head()
