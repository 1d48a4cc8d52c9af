"""From cold to ready, and back to ready whenever the database is lost or the settings change.

`bring_up` is the pipeline; read it top to bottom. `Startup` runs it in a thread, watches the database once it is
ready, and runs the pipeline again when a connection is saved, deleted or retried, when it is lost, and when a damaged
file was repaired. Nothing outside this module decides about readiness.
"""

from __future__ import annotations

import contextlib
import random
import threading
import time
from typing import TYPE_CHECKING, Final

from app.core.exceptions import ProblemError
from app.core.fernet_keys import KeyRing, fingerprint
from app.core.logging import LOG_DIRECTORY, LOG_FILE, get_logger
from app.core.problems import Problem, problem
from app.core.readiness import FAILED, RECONNECTING, SETUP_REQUIRED, Run
from app.core.security import CREDENTIALS_FILE, KEY_FILE, OWN_FILES, load_or_create_keys, require_own_files
from app.db.configured import DATABASE_FILE, SupersededError, choose_database, migrate, prepare_data_directory

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tenacity import RetryCallState

    from app.core.config import Config
    from app.core.readiness import Readiness
    from app.db.session import Database
    from app.db.watched import Watched

FIRST_BACKOFF_S: Final = 0.1
EARLY_BACKOFF_S: Final = 0.8
"""Longest wait between attempts during the first `EARLY_S` of an outage."""
EARLY_S: Final = 30.0
LATE_BACKOFF_S: Final = 5.0
HEARTBEAT_S: Final = 1.0
REPAIR_POLL_S: Final = 0.5
_FILE_PROBLEMS: Final = (
    *("key-missing", "key-invalid", "credentials-unreadable", "credentials-incomplete"),
    "storage-untrusted",
)
"""A file that changes while the pipeline reads it counts as repaired."""

log = get_logger(__name__)


_Signatures = tuple[tuple[int, ...] | None, ...]


def bring_up(config: Config, run: Run) -> Watched:
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
            watched = choose_database(config, keys, run)
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

    def report_problem(state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        wait_s = state.next_action.sleep if state.next_action else None
        if isinstance(error, ProblemError):
            log.warning("database not reached", extra={"code": error.problem.code, "attempt": state.attempt_number})
            run.problem(error.problem, state=RECONNECTING, retry_in_s=wait_s)

    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception(_is_transient),
        wait=lambda state: backoff_s(state.attempt_number, time.monotonic() - state.start_time),
        sleep=tenacity.sleep_using_event(run.superseded),
        stop=tenacity.stop_when_event_set(run.superseded),
        before=report_attempt,
        before_sleep=report_problem,
        reraise=True,
    )
    retrying(watched.prove, run)


def _is_transient(error: BaseException) -> bool:
    return isinstance(error, ProblemError) and error.problem.retryable


def backoff_s(attempt: int, outage_s: float) -> float:
    """Return the seconds to wait: 0.1 doubling to 0.8 early in an outage, then to 5; jittered downwards.

    Args:
        attempt: the one that failed, counted from 1.
        outage_s: how long the outage has lasted.
    """
    longest_s = EARLY_BACKOFF_S if outage_s < EARLY_S else LATE_BACKOFF_S
    doubled_s = FIRST_BACKOFF_S * 2.0 ** min(attempt - 1, 16)
    return min(longest_s, doubled_s) * random.uniform(0.7, 1.0)  # noqa: S311 - jitter is no secret


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

    def stop(self) -> None:
        """Stop watching and close every connection; requests in flight have had their time."""
        with self._lock:
            self._stopped = True
            self._readiness.end()
            self._database.cut_off()
            self._suspicion.set()

    def _suspect(self) -> None:
        self._suspicion.set()

    def _live(self, run: Run, suspicion: threading.Event) -> None:
        """Bring up, watch, and when that ends do it again, until superseded."""
        loss: Problem | None = None
        failures, outage_began = 0, time.monotonic()
        while not run.superseded.is_set():
            watched: Watched | None = None
            files = _file_signatures(self._config)
            failures += 1
            try:
                _stay_refused(loss, run)
                watched = self._bring_up(run)
                loss = self._watch(watched, run, suspicion)
                failures, outage_began = 0, time.monotonic()
            except SupersededError:
                return
            except ProblemError as exc:
                if exc.problem.code not in _FILE_PROBLEMS:
                    files = _file_signatures(self._config)
                loss = self._after_problem(exc.problem, run, files)
            except Exception:  # the outermost edge of this thread: the process stays alive and tells
                log.exception("start-up failed")
                loss = self._after_problem(problem("internal"), run, files)
            finally:
                if watched is not None:
                    watched.close()
            if not run.superseded.is_set():
                run = self._begin_again(run, loss, backoff_s(max(1, failures), time.monotonic() - outage_began))

    def _bring_up(self, run: Run) -> Watched:
        """Run the pipeline and flip the flag."""
        watched = bring_up(self._config, run)
        with run.stage("ready"):
            with self._lock:
                if run.superseded.is_set():
                    watched.abandon()
                    raise SupersededError
                self._database.replace(watched.database)
            run.ready(watched.database.description)
        log.info("ready", extra={"dialect": watched.database.description["dialect"]})
        return watched

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

    def _after_problem(self, found: Problem, run: Run, files: _Signatures) -> Problem | None:
        """Report a problem that the pipeline raised, and wait until `files` change; that may cure it."""
        if run.superseded.is_set() or found.retryable:
            return found
        log.error("start-up stopped", extra={"code": found.code})
        run.problem(found, state=SETUP_REQUIRED if found.code == "database-not-configured" else FAILED)
        while not run.superseded.wait(REPAIR_POLL_S):
            if _file_signatures(self._config) != files:
                log.info("files changed")
                break
        return None

    def _begin_again(self, run: Run, loss: Problem | None, wait_s: float) -> Run:
        """Begin a new run after a loss (the state says so until the database is back) or a repaired file."""
        with self._lock:
            if run.superseded.is_set():
                return run
            new = self._readiness.begin_run(lost=loss)
            self._database.cut_off()
        if loss is not None and loss.retryable:
            new.problem(loss, state=RECONNECTING, retry_in_s=wait_s)
            new.superseded.wait(wait_s)
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
    return (
        *(_signature(config.config_dir / name, is_read=True) for name in (KEY_FILE, CREDENTIALS_FILE)),
        *(_signature(path) for path in (*checked, *(config.config_dir / name for name in OWN_FILES))),
    )


def _signature(path: Path, *, is_read: bool = False) -> tuple[int, ...] | None:
    try:
        found = path.lstat()
    except OSError:
        return None
    content = (found.st_ino, found.st_size, found.st_mtime_ns) if is_read else ()
    return (found.st_mode, found.st_uid, *content)
