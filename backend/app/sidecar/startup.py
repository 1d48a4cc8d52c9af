"""From cold to ready, and back to ready whenever the database is lost or the settings change.

`bring_up` is the pipeline; read it top to bottom. `Startup` runs it in a thread, watches the database once it is
ready, and runs the pipeline again when a connection is saved, deleted or retried, when it is lost, and when a damaged
file was repaired. Nothing outside this module decides about readiness.
"""

from __future__ import annotations

import contextlib
import math
import threading
import time
from typing import TYPE_CHECKING, Any, Final

from app.core.exceptions import ProblemError
from app.core.fernet_keys import KeyRing, fingerprint
from app.core.logging import LOG_DIRECTORY, LOG_FILE, get_logger, protect
from app.core.patience import backoff_s, refused_s
from app.core.problems import Problem, problem
from app.core.readiness import FAILED, RECONNECTING, SETUP_REQUIRED, Run
from app.core.security import (
    CREDENTIALS_FILE,
    KEY_FILE,
    OWN_FILES,
    amend_credentials,
    load_or_create_keys,
    require_own_files,
)
from app.db.configured import DATABASE_FILE, SupersededError, choose_database, migrate, prepare_data_directory
from app.db.history import HISTORY_FILE, Histories
from app.db.login import Logins, proof_in, with_proof

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tenacity import RetryCallState

    from app.core.config import Config
    from app.core.readiness import Readiness
    from app.db.session import Database
    from app.db.settings import ConnectionSettings
    from app.db.watched import Watched

HEARTBEAT_S: Final = 1.0
REPAIR_POLL_S: Final = 0.5
_FILE_PROBLEMS: Final = (
    *("key-missing", "key-invalid", "credentials-unreadable", "credentials-incomplete"),
    "storage-untrusted",
)
"""A file that changes while the pipeline reads it counts as repaired."""

_PASSWORD_PROBLEMS: Final = ("password-rejected", "permission-denied", "connection-refused-unknown")
"""What another password may cure."""

log = get_logger(__name__)


_Signatures = dict["Path", tuple[int, ...] | None]


def bring_up(config: Config, run: Run, logins: Logins | None = None, histories: Histories | None = None) -> Watched:
    """Take the sidecar from cold to a database at head; each line is one stage.

    Raises:
        ProblemError: a stage cannot succeed as things are; nothing was changed by it.
        SupersededError: a newer run took over.
    """
    with contextlib.ExitStack() as undo:
        with run.stage("config"):
            require_own_files(config.config_dir)
            prepare_data_directory(config)
        with run.stage("key"):
            keys = load_keys(config, run)
        with run.stage("credentials"):
            watched = choose_database(config, keys, run, logins, histories)
        undo.callback(watched.abandon)
        with run.stage("connect"):
            connect_with_retry(watched, run)
        with run.stage("migrate"):
            migrate(watched, run)
        undo.pop_all()
    return watched


def load_keys(config: Config, run: Run) -> KeyRing:
    """Load `fernet.key`, made at the very first start; tell which key the vault uses."""
    keys = load_or_create_keys(config.config_dir)
    run.key(fingerprint((config.encryption_keys or keys.keys)[0]))
    return keys


def connect_with_retry(watched: Watched, run: Run) -> None:
    """Prove the connection; transient problems are retried until they pass, permanent ones are raised at once."""
    import tenacity

    def report_attempt(state: RetryCallState) -> None:
        run.attempt("connect", state.attempt_number)

    def met_by(state: RetryCallState) -> Problem | None:
        error = state.outcome.exception() if state.outcome else None
        return error.problem if isinstance(error, ProblemError) else None

    def report_problem(state: RetryCallState) -> None:
        met = met_by(state)
        if met is not None:
            log.warning("database not reached", extra={"code": met.code, "attempt": state.attempt_number})
            run.problem(met, state=RECONNECTING, retry_in_s=state.next_action.sleep if state.next_action else None)

    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception(_is_transient),
        wait=lambda state: backoff_s(state.attempt_number, time.monotonic() - state.start_time, met_by(state)),
        sleep=tenacity.sleep_using_event(run.superseded),
        stop=tenacity.stop_when_event_set(run.superseded),
        before=report_attempt,
        before_sleep=report_problem,
        reraise=True,
    )
    retrying(watched.prove, run)


def _is_transient(error: BaseException) -> bool:
    return isinstance(error, ProblemError) and error.problem.retryable


# --- the thread that lives through it all ----------------------------------------------------------------------------


class Startup:
    """Runs the pipeline in a thread of its own, again and again as things change."""

    def __init__(self, config: Config, readiness: Readiness, database: Database) -> None:
        self._config = config
        self._readiness = readiness
        self._database = database
        self._suspicion = threading.Event()
        """Set when a use has failed: look at once, do not wait for the next heartbeat. Each thread has its own."""
        self._lock = threading.Lock()
        self._stopped = False
        self.logins = Logins()
        """What this process knows of logins beside what is saved."""
        self._histories = Histories(config.config_dir / HISTORY_FILE)
        database.on_failure = self._suspect

    def run(self, after: Callable[[], object] = lambda: None) -> None:
        """Begin, or begin again: whatever ran before is superseded, requests in flight finish on the old engine.

        Args:
            after: a change of the files that the new run is to read. It happens under the lock, so that the old run's
                watch over the files cannot answer it with an attempt of its own. If it raises, nothing begins.
        """
        with self._lock:
            after()
            if self._stopped:
                return
            run = self._readiness.begin_run()
            self._database.replace(None)
            self._suspicion.set()  # wakes the thread that watched so far, which then lets its connection go
            suspicion = self._suspicion = threading.Event()
        threading.Thread(target=self._live, args=(run, suspicion), name="startup", daemon=True).start()

    def use_password(self, settings: ConnectionSettings, password: str) -> None:
        """Log in with `password` from now on, which is stored nowhere; at once if a login had been refused."""
        protect(password)
        self.logins.use_password(settings, password)
        met = self._readiness.problem
        if met is not None and met.code in _PASSWORD_PROBLEMS:
            self.run()
        else:
            self._suspicion.set()

    def stop(self) -> None:
        """Stop watching and close every connection; requests in flight have had their time."""
        with self._lock:
            self._stopped = True
            self._readiness.end()
            self._database.cut_off()
            self._suspicion.set()
        self._histories.keep()

    def _suspect(self) -> None:
        self._suspicion.set()

    def _live(self, run: Run, suspicion: threading.Event) -> None:
        """Bring up, watch, and when that ends do it again, until superseded."""
        loss: Problem | None = None
        refused_while_ready: Problem | None = None
        failures, refusals, outage_began = 0, 0, time.monotonic()
        while not run.superseded.is_set():
            watched: Watched | None = None
            files = _file_signatures(self._config)
            failures += 1
            try:
                _stay_refused(refused_while_ready, run)
                watched = self._bring_up(run)
                loss = self._watch(watched, run, suspicion)
                refused_while_ready = loss
                failures, refusals, outage_began = 0, 0, time.monotonic()
            except SupersededError:
                return
            except ProblemError as exc:
                files = self._still_to_repair(exc.problem, files)
                refusals += 1
                refused_while_ready = None
                loss = self._after_problem(exc.problem, run, files, refusals)
            except Exception:  # the outermost edge of this thread: the process stays alive and tells
                log.exception("start-up failed")
                loss = self._after_problem(problem("internal"), run, files, refusals)
            finally:
                if watched is not None:
                    watched.close()
            if not run.superseded.is_set():
                retry_in_s: float | None = None
                if loss is not None and loss.retryable:
                    retry_in_s = backoff_s(max(1, failures), time.monotonic() - outage_began, loss)
                elif refused_while_ready is not None:  # the new run is what waits for it
                    retry_in_s = refused_s(refused_while_ready, refusals=1)
                run = self._begin_again(run, loss, retry_in_s)

    def _bring_up(self, run: Run) -> Watched:
        """Run the pipeline and flip the flag."""
        watched = bring_up(self._config, run, self.logins, self._histories)
        self._keep_proof()  # first, so that no file changes once it is ready
        with run.stage("ready"):
            with self._lock:
                if run.superseded.is_set():
                    watched.abandon()
                    raise SupersededError
                self._database.replace(watched.database)
            run.ready(watched.database.description)
        log.info("ready", extra={"dialect": watched.database.description["dialect"]})
        return watched

    def _keep_proof(self) -> None:
        """Keep with the saved connection what its logins have shown, so that none is weaker after a restart."""
        from app.db.settings import settings_from_saved

        def with_newest(saved: dict[str, Any]) -> dict[str, Any]:
            return with_proof(saved, proof_in(saved) | self.logins.proof(settings_from_saved(saved)))

        try:
            amend_credentials(self._config.config_dir, with_newest)
        except ProblemError as exc:  # the database serves all the same, and this process remembers
            log.warning("the way of logging in was not kept", extra={"code": exc.problem.code})

    def _watch(self, watched: Watched, run: Run, suspicion: threading.Event) -> Problem | None:
        """Return what was lost; None if superseded."""
        while not run.superseded.is_set():
            suspicious = suspicion.wait(HEARTBEAT_S)
            suspicion.clear()
            if run.superseded.is_set():
                break
            lost = watched.heartbeat(run, suspicious=suspicious)
            if lost is not None:
                log.warning("database lost", extra={"code": lost.code})
                return lost
        return None

    def _still_to_repair(self, found: Problem, before: _Signatures) -> _Signatures:
        """Return the files as they were when what was found had not been repaired yet.

        What was not there `before` was made by the pipeline, which makes no credentials, and no key that is missed.
        """
        now = _file_signatures(self._config)
        if found.code not in _FILE_PROBLEMS:
            return now
        if found.code == "key-missing":
            return before
        credentials = self._config.config_dir / CREDENTIALS_FILE
        return {path: now[path] if was is None and path != credentials else was for path, was in before.items()}

    def _after_problem(self, found: Problem, run: Run, files: _Signatures, refusals: int) -> Problem | None:
        """Report a problem that the pipeline raised, and wait until something may have cured it.

        That is when `files` change, or when somebody may have repaired the server.

        Returns:
            What to go on telling while it is tried again; None after a change of the files.
        """
        if run.superseded.is_set() or found.retryable:
            return found
        log.error("start-up stopped", extra={"code": found.code})
        wait_s = refused_s(found, refusals)
        again_at = math.inf if wait_s is None else time.monotonic() + wait_s
        state = SETUP_REQUIRED if found.code == "database-not-configured" else FAILED
        run.problem(found, state=state, retry_in_s=wait_s)
        while not run.superseded.wait(min(REPAIR_POLL_S, max(0.0, again_at - time.monotonic()))):
            if _file_signatures(self._config) != files:
                log.info("files changed")
                return None
            if time.monotonic() >= again_at:
                return found
        return None

    def _begin_again(self, run: Run, loss: Problem | None, retry_in_s: float | None) -> Run:
        """Begin a new run after a loss (the state says so until the database is back) or a repaired file."""
        with self._lock:
            if run.superseded.is_set():
                return run
            new = self._readiness.begin_run(lost=loss, retry_in_s=retry_in_s)
            self._database.cut_off()
        if loss is not None and loss.retryable:
            new.superseded.wait(retry_in_s)
        return new


def _stay_refused(loss: Problem | None, run: Run) -> None:
    """Raise what the server refused while the database was being watched: it was tried, and once is enough."""
    if loss is not None and not loss.retryable:
        with run.stage("connect"):
            raise ProblemError(loss)


def _file_signatures(config: Config) -> _Signatures:
    """Return what tells repaired files and folders from damaged ones.

    That is mode and owner of each, and of the two files that the pipeline reads also inode, size and time of change.
    """
    from app.db.session import SQLITE_SUFFIXES

    folders = (config.config_dir, config.data_dir, config.data_dir / LOG_DIRECTORY)
    database = (config.data_dir / (DATABASE_FILE + suffix) for suffix in SQLITE_SUFFIXES)
    checked = (*folders, config.data_dir / LOG_DIRECTORY / LOG_FILE, *database)
    own = (config.config_dir / name for name in OWN_FILES)
    read = (config.config_dir / name for name in (KEY_FILE, CREDENTIALS_FILE))
    return {path: _signature(path) for path in (*checked, *own)} | {
        path: _signature(path, is_read=True) for path in read
    }


def _signature(path: Path, *, is_read: bool = False) -> tuple[int, ...] | None:
    try:
        found = path.lstat()
    except OSError:
        return None
    content = (found.st_ino, found.st_size, found.st_mtime_ns) if is_read else ()
    return (found.st_mode, found.st_uid, *content)
