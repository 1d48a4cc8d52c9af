"""Which database is configured, and the stages that bring it to head."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from app.core.exceptions import ProblemError, SidecarError
from app.core.files import make_private_directory
from app.core.logging import LOG_DIRECTORY, LOG_FILE
from app.core.problems import problem
from app.core.readiness import NOWHERE, Where
from app.core.security import read_credentials
from app.core.trust import UntrustedError, require_own_directory, require_own_file
from app.db.history import Histories
from app.db.login import Logins, proof_in
from app.db.watched import Watched, WatchedPostgres, WatchedSqlite

if TYPE_CHECKING:
    from pathlib import Path

    from app.core.config import Config
    from app.core.fernet_keys import KeyRing
    from app.core.readiness import Run
    from app.db.settings import ConnectionSettings

DATABASE_FILE: Final = "taskflow.db"
_TELLING_CHARS: Final = 4
"""As many characters of a password in a row would tell something."""


class SupersededError(SidecarError):
    """A newer run of the pipeline took over, or the process is stopping."""


def prepare_data_directory(config: Config) -> None:
    """Create the data directory, owner-only, and check what is to be written there."""
    try:
        make_private_directory(config.data_dir)
        require_own_directory(config.data_dir / LOG_DIRECTORY)
        require_own_file(config.data_dir / LOG_DIRECTORY / LOG_FILE)
    except UntrustedError as exc:
        raise ProblemError(exc.problem) from None
    except OSError:
        raise ProblemError(problem("storage-unwritable")) from None


def choose_database(
    config: Config, keys: KeyRing | None, run: Run, logins: Logins | None = None, histories: Histories | None = None
) -> Watched:
    """Saved credentials, else `TASKFLOW_DATABASE_URL`, else the embedded database.

    Unreadable credentials raise; they never fall through to another database.

    Args:
        config: names the directories and the URL.
        keys: decrypt the credentials.
        run: is told which database is meant.
        logins: what the process knows of them, to which what was kept with the saved connection is added.
        histories: what the process knows of the servers' logs.
    """
    from app.db.session import open_postgresql, open_sqlite
    from app.db.settings import settings_from_saved, settings_from_url

    logins = Logins() if logins is None else logins
    where = NOWHERE
    saved = read_credentials(config.config_dir, keys) if keys is not None else None
    if saved is not None:
        settings = settings_from_saved(saved.values)
        logins.prove(settings, proof_in(saved.values))
        watched: Watched = WatchedPostgres(*open_postgresql(settings, logins), histories)
        where = where_of(settings, logins.password(settings))
    elif config.database_url is not None and config.database_url.startswith("sqlite:///"):
        watched = WatchedSqlite(open_sqlite(sqlite_path(config.database_url)))
    elif config.database_url is not None:
        settings = settings_from_url(config.database_url)
        watched = WatchedPostgres(*open_postgresql(settings, logins), histories)
        where = where_of(settings, settings.password)
    elif config.embedded:
        watched = WatchedSqlite(open_sqlite(config.data_dir / DATABASE_FILE))
    else:
        run.mode(None)
        raise ProblemError(problem("database-not-configured"))
    run.mode(watched.mode)
    run.target(watched.database.description, where)
    return watched


def where_of(settings: ConnectionSettings, password: str | None) -> Where:
    """Return what may be shown to whoever repairs the connection: nothing with the password or a part of it."""
    secret = (password or "").casefold()

    def is_safe(text: str) -> bool:
        text = text.casefold()
        parts = [text[start : start + _TELLING_CHARS] for start in range(len(text) - _TELLING_CHARS + 1)]
        return not secret or (secret not in text and not any(part in secret for part in parts))

    return Where(settings.host, settings.port, settings.username, settings.database, is_safe)


def sqlite_path(url: str) -> Path:
    """Return the file that an SQLite URL (`sqlite:///relative`, `sqlite:////absolute`) names."""
    from pathlib import Path

    return Path(url.removeprefix("sqlite:///").split("?", 1)[0]).absolute()


def migrate(watched: Watched, run: Run) -> None:
    """Bring the schema to head."""
    from app.db.migrations import upgrade_to_head

    upgrade_to_head(watched.database, run)
    if run.superseded.is_set():
        raise SupersededError
