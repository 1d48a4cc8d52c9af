"""The state that the start-up pipeline writes and that `/health`, `/status` and the data calls read.

Reading is a look at one object: no lock that a slow database could hold, no input or output. Every run of the
pipeline reports through its own `Run`; once a newer run has begun, what the old one still reports is ignored.
"""

from __future__ import annotations

import contextlib
import math
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from app.core.exceptions import DatabaseAwayError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from app.core.problems import Problem

STAGES: Final = ("config", "key", "credentials", "connect", "migrate", "ready")

STARTING: Final = "starting"
SETUP_REQUIRED: Final = "setup_required"
READY: Final = "ready"
FAILED: Final = "failed"
RECONNECTING: Final = "reconnecting"

EMBEDDED: Final = "embedded"
POSTGRESQL: Final = "postgresql"

STARTING_SENTENCE: Final = "The sidecar is starting."
SETTLE_S: Final = 2.0
READ_ONLY: Final = "read-only"
"""The problem that hides behind no other sentence: it is no loss of the connection."""


@dataclass(slots=True)
class Stage:
    """One line of the pipeline as a person watches it."""

    name: str
    state: str = "pending"
    attempt: int = 0
    message: str | None = None
    started_at: float | None = None
    elapsed_s: float = 0.0

    def document(self) -> dict[str, Any]:
        """Return the JSON form; `message` only while there is something to tell."""
        running_s = time.monotonic() - self.started_at if self.started_at is not None else 0.0
        entry: dict[str, Any] = {
            "name": self.name,
            "state": self.state,
            "elapsed_ms": round((self.elapsed_s + running_s) * 1000),
            "attempt": self.attempt,
        }
        if self.message is not None:
            entry["message"] = self.message
        return entry


@dataclass(frozen=True, slots=True)
class Where:
    """What a person who repairs the connection needs to know of it, and what of that is safe to show."""

    host: str | None = None
    port: int | str | None = None
    username: str | None = None
    database: str | None = None
    is_safe: Callable[[str], bool] = field(default=lambda _: True, repr=False)
    """Whether a text holds no part of the password."""

    def document(self, **more: object) -> dict[str, Any]:
        """Return the JSON form, null for whatever is not known or not safe to show."""
        facts = {"host": self.host, "port": self.port, "username": self.username, "database": self.database, **more}
        return {name: value if self.is_safe(str(value)) else None for name, value in facts.items()}


NOWHERE: Final = Where()


@dataclass(slots=True)
class _Facts:
    """Everything the status document tells; guarded by the lock of `Readiness`."""

    state: str = STARTING
    was_ready: bool = False
    mode: str | None = None
    problem: Problem | None = None
    since: float = 0.0
    met_at: float = 0.0
    """When the problem was met last."""
    step: str | None = None
    """The stage that met it."""
    next_retry_at: float | None = None
    stages: dict[str, Stage] = field(default_factory=lambda: {name: Stage(name) for name in STAGES})
    database: dict[str, Any] | None = None
    where: Where = NOWHERE
    key_fingerprint: str | None = None


class Readiness:
    """One per process. `is_ready` is the flag that `/health` polls read."""

    def __init__(self) -> None:
        self._facts = _Facts()
        self._lock = threading.Lock()
        self._listeners: set[Callable[[], object]] = set()
        self._current: Run | None = None
        self._asked_at = -math.inf
        """When a run began that somebody had asked for, by a save, a delete or a retry."""
        self.is_ready = False

    @property
    def state(self) -> str:
        """One of starting, setup_required, ready, failed, reconnecting."""
        return self._facts.state

    @property
    def problem(self) -> Problem | None:
        """What is wrong now, if anything is."""
        return self._facts.problem

    @property
    def sentence(self) -> str:
        """One sentence that tells why the sidecar is not ready."""
        problem = self._facts.problem
        if problem is not None:
            return problem.message
        return self._facts.stages["migrate"].message or STARTING_SENTENCE

    def require_ready(self) -> None:
        """Let a data call pass.

        Raises:
            DatabaseAwayError: the database cannot be used now; tells why.
        """
        if not self.is_ready:
            raise self.away()

    def away(self) -> DatabaseAwayError:
        """Return the answer of data calls while the database cannot be used."""
        problem = self._facts.problem
        if problem is None:
            return DatabaseAwayError(self.sentence, code=STARTING)
        if self._facts.was_ready and self._facts.state == RECONNECTING and problem.code != READ_ONLY:
            return DatabaseAwayError()
        return DatabaseAwayError(self.sentence, code=problem.code, may_pass=problem.retryable)

    async def settled(self) -> None:
        """Wait, if a run that somebody asked for began just now, until it has an outcome; not for longer than 2 s."""
        if self._facts.state != STARTING or time.monotonic() - self._asked_at > SETTLE_S:
            return
        import asyncio

        loop, changed = asyncio.get_running_loop(), asyncio.Event()
        with self.listening(lambda: loop.call_soon_threadsafe(changed.set)), contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SETTLE_S):
                while self._facts.state == STARTING and self._current is not None:
                    await changed.wait()
                    changed.clear()

    def document(self) -> dict[str, Any]:
        """Return the changing part of the status document."""
        with self._lock:
            facts = self._facts
            return {
                "state": facts.state,
                "mode": facts.mode,
                "problem": _problem_document(facts),
                "stages": [stage.document() for stage in facts.stages.values()],
                "database": facts.database,
                "key_fingerprint": facts.key_fingerprint,
            }

    @contextlib.contextmanager
    def listening(self, listener: Callable[[], object]) -> Iterator[None]:
        """Call `listener`, from whichever thread, after each change."""
        with self._lock:
            self._listeners.add(listener)
        try:
            yield
        finally:
            with self._lock:
                self._listeners.discard(listener)

    def begin_run(self, *, lost: Problem | None = None, retry_in_s: float | None = None) -> Run:
        """Start to report a new run of the pipeline; the previous run's reports are ignored from now on.

        Args:
            lost: why a ready database was lost; the state is `reconnecting` from now on until it is back, or `failed`
                as before if it was refused and is only tried again.
            retry_in_s: seconds until it is tried again by itself.
        """
        run = Run(self)
        with self._lock:
            if self._current is not None:
                self._current.superseded.set()
                self._asked_at = time.monotonic() if lost is None else -math.inf
            self._current = run
            facts = self._facts
            self.is_ready = False
            facts.stages = {name: Stage(name) for name in STAGES}
            facts.next_retry_at = None
            if lost is None:
                facts.state, facts.problem, facts.database, facts.was_ready = STARTING, None, None, False
                facts.where = NOWHERE
            else:
                facts.step = "ready" if facts.state == READY else facts.step
                facts.next_retry_at = None if retry_in_s is None else time.monotonic() + retry_in_s
                _set_problem(facts, lost, RECONNECTING if lost.retryable else FAILED)
        self.announce()
        return run

    def key(self, fingerprint: str) -> None:
        """Tell the fingerprint of the local root key, which a rotation has changed."""
        with self._lock:
            self._facts.key_fingerprint = fingerprint
        self.announce()

    def fault(self, problem: Problem) -> None:
        """Tell a fault beside the pipeline that ends the process; until then the database goes on to be served."""
        with self._lock:
            _set_problem(self._facts, problem, self._facts.state)
        self.announce()

    def end(self) -> None:
        """Ignore every report from now on: the process is stopping."""
        with self._lock:
            if self._current is not None:
                self._current.superseded.set()
            self._current = None
            self.is_ready = False

    def _change(self, run: Run, change: Callable[[_Facts], None]) -> bool:
        with self._lock:
            if run is not self._current:
                return False
            change(self._facts)
            self.is_ready = self._facts.state == READY
        self.announce()
        return True

    def announce(self) -> None:
        """Tell the listeners that the status document has changed, here or in a part that others write."""
        for listener in tuple(self._listeners):
            listener()


class Run:
    """Reports of one run of the pipeline; `superseded` is set when a newer run took over or the process stops."""

    def __init__(self, readiness: Readiness) -> None:
        self._readiness = readiness
        self.superseded = threading.Event()

    @contextlib.contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Report `name` as running, then as done, or failed if the block raises."""
        self._report(lambda facts: _begin(facts.stages[name]))
        try:
            yield
        except BaseException:
            self._report(lambda facts: _finish(facts.stages[name], "failed"))
            raise
        self._report(lambda facts: _finish(facts.stages[name], "done"))

    def attempt(self, name: str, number: int) -> None:
        """Report which attempt of a stage runs, counted from 1."""
        self._report(lambda facts: setattr(facts.stages[name], "attempt", number))

    def message(self, name: str, text: str | None) -> None:
        """Tell what a running stage waits for."""
        self._report(lambda facts: setattr(facts.stages[name], "message", text))

    def key(self, fingerprint: str) -> None:
        """Report the fingerprint of the local root key."""
        self._report(lambda facts: setattr(facts, "key_fingerprint", fingerprint))

    def mode(self, mode: str | None) -> None:
        """Report which kind of database is meant; None if none is configured."""
        self._report(lambda facts: setattr(facts, "mode", mode))

    def target(self, database: dict[str, Any], where: Where = NOWHERE) -> None:
        """Report which database is meant, before it answers."""

        def change(facts: _Facts) -> None:
            facts.database, facts.where = database, where

        self._report(change)

    def ready(self, database: dict[str, Any]) -> bool:
        """Flip the readiness flag; False if a newer run took over."""

        def change(facts: _Facts) -> None:
            for stage in facts.stages.values():
                if stage.state != "done":
                    _finish(stage, "done")
            facts.state, facts.problem, facts.next_retry_at, facts.database = READY, None, None, database
            facts.was_ready = True

        return self._report(change)

    def changed(self) -> None:
        """Report that something has changed in what the database's description tells."""
        self._report(lambda _: None)

    def problem(self, problem: Problem, *, state: str, retry_in_s: float | None = None) -> bool:
        """Report what is wrong; False if a newer run took over."""

        def change(facts: _Facts) -> None:
            _set_problem(facts, problem, state)
            facts.next_retry_at = None if retry_in_s is None else time.monotonic() + retry_in_s

        return self._report(change)

    def _report(self, change: Callable[[_Facts], None]) -> bool:
        return self._readiness._change(self, change)  # noqa: SLF001 - the two classes are one unit


def _begin(stage: Stage) -> None:
    stage.state, stage.attempt, stage.started_at = "running", max(1, stage.attempt), time.monotonic()


def _finish(stage: Stage, state: str) -> None:
    if stage.started_at is not None:
        stage.elapsed_s += time.monotonic() - stage.started_at
    stage.state, stage.started_at, stage.message = state, None, None


def _set_problem(facts: _Facts, problem: Problem, state: str) -> None:
    facts.met_at = time.time()
    if facts.problem is None or facts.problem.code != problem.code:
        facts.since = facts.met_at
    for stage in facts.stages.values():
        if stage.state in ("running", "failed"):
            facts.step = stage.name
    facts.state, facts.problem = state, problem


def _problem_document(facts: _Facts) -> dict[str, Any] | None:
    problem = facts.problem
    if problem is None:
        return None
    next_retry_in_s = None
    if facts.next_retry_at is not None:
        next_retry_in_s = round(max(0.0, facts.next_retry_at - time.monotonic()), 1)
    return {
        "code": problem.code,
        "message": problem.message,
        "remedy": problem.remedy,
        "retryable": problem.retryable,
        "who": problem.who,
        "since": _instant(facts.since),
        "next_retry_in_s": next_retry_in_s,
        "details": facts.where.document(sqlstate=problem.sqlstate, step=facts.step, at=_instant(facts.met_at)),
    }


def _instant(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def health_answer(readiness: Readiness) -> tuple[int, dict[str, str]]:
    """Return status and body of `/health`: a look at a flag, never at the database."""
    if readiness.is_ready:
        return 200, {"status": "healthy"}
    return 503, {"status": "unhealthy", "error": readiness.sentence}
