"""The life of one sidecar process: handshake, ownership, socket, event loop, stop.

Order matters. The socket answers before anything heavy is imported; imports and the start-up pipeline run in threads
beside the event loop; whoever asks for a stop gets it within a bound, whatever still runs.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import gc
import os
import secrets
import signal
import sys
import threading
import time
from concurrent.futures import InvalidStateError
from typing import TYPE_CHECKING, Any, Final, TypeVar

from app import __version__
from app.core.config import Config
from app.core.exceptions import FatalError
from app.core.fernet_keys import encode_key
from app.core.logging import LOG_DIRECTORY, LogWriter, get_logger, protect, start_logging
from app.core.ownership import owned, run_file
from app.core.problems import problem
from app.core.readiness import Readiness
from app.core.security import prepare_config_directory, remove_interrupted_writes
from app.sidecar.gate import AccessRules, Gate
from app.sidecar.stdio import (
    PROTOCOL,
    Announcer,
    ensure_standard_streams,
    exit_at_the_latest,
    read_handshake,
    tell,
    watch_parent,
)

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator, Mapping

    from app.db.session import Database
    from app.parts.secrets import SecretsParts
    from app.parts.work import WorkParts
    from app.sidecar.startup import Startup

ASKED_GRACE_S: Final = 5.0
"""What running requests get after an asked stop."""
ORPHAN_GRACE_S: Final = 0.5
"""What they get when the parent is gone; the process is then gone within two seconds, on a busy machine too."""
LAST_RESORT_S: Final = 0.7
"""How long after the grace period the process ends even if something hangs."""

LOADING_SWITCH_S: Final = 0.0005
"""How long a thread that loads modules keeps others waiting."""
RUNNING_SWITCH_S: Final = 0.005
"""The same afterwards, which is Python's default; while loading, it would add up with each answer of a server."""
GIVE_WAY_S: Final = 0.25
"""How long the secrets half lets the first data go before it at most."""
MOST_IN_CROWD_S: Final = 10.0
"""How long it waits besides, at most, where many start at once."""

STARVED: Final = os.strerror(errno.EMFILE)
STARVED_S: Final = 30.0
"""How long to wait for descriptors while code is to be loaded."""
STARVED_PAUSE_S: Final = 0.2

Loaded = TypeVar("Loaded")

log = get_logger(__name__)


def serve(environ: Mapping[str, str], **flags: Any) -> int:
    """Run one sidecar until it is stopped; return the exit status."""
    gc.disable()  # importing makes no garbage worth looking for; switched on again when everything is loaded
    sys.setswitchinterval(LOADING_SWITCH_S)
    ensure_standard_streams()
    stop = Stop()
    announcer = Announcer() if flags.get("stdio") else None
    code, status = "internal", 70
    logs = LogWriter()
    try:
        with stop.on_signals():
            _run(environ, flags, announcer, logs, stop)
        code, status = "stopped", 0
    except StoppedEarlyError:
        code, status = "stopped", 0
    except FatalError as exc:
        code, status = exc.code, exc.exit_status
        tell(f"taskflow-sidecar: {exc}")
    except Exception:  # the outermost edge of the process
        log.exception("internal error")
        tell("taskflow-sidecar: internal error, see the log")
    if announcer is not None and code != "usage":
        announcer.say("exit", code=code)
        announcer.close()
    logs.close()
    return status


def _run(
    environ: Mapping[str, str], flags: dict[str, Any], announcer: Announcer | None, logs: LogWriter, stop: Stop
) -> None:
    config = Config.from_environ(environ, **flags)
    start_logging(logs, config.log_level, plain=False if config.stdio else None)
    token: str | None = None
    if config.stdio:
        handshake = read_handshake()
        watch_parent(lambda: stop.request(ORPHAN_GRACE_S))
        token = handshake.token
        config = config.with_secrets(
            encryption_key=handshake.encryption_key,
            jwt_secret_key=handshake.jwt_secret_key,
            api_key_encryption_secret=handshake.api_key_encryption_secret,
        )
    elif not config.no_auth:
        token = secrets.token_hex(32)
    _protect_secrets(config, token)
    prepare_config_directory(config.config_dir)
    with contextlib.ExitStack() as resources:
        resources.enter_context(owned(config.config_dir))
        remove_interrupted_writes(config.config_dir)
        logs.add_file(config.data_dir / LOG_DIRECTORY)
        from app.sidecar.server import bind

        listener = resources.enter_context(bind(config.port))
        sidecar = Sidecar(config, token, listener, announcer, stop)
        if not config.stdio:
            resources.enter_context(run_file(config.config_dir, sidecar.run_file_content()))
        if config.open_browser and not config.stdio:
            sidecar.when_listening = resources.enter_context(_interface_opener(config, sidecar.url, token))
        asyncio.run(sidecar.live())


@contextlib.contextmanager
def _interface_opener(config: Config, url: str, token: str | None) -> Iterator[Callable[[], None]]:
    """Yield what opens the interface in the browser."""
    from app.sidecar.browser import has_desktop, open_page, redirect_file

    with redirect_file(config.config_dir, url, token) as path:

        def show() -> None:
            if has_desktop():
                open_page(path)
            else:
                tell(f"No desktop here to open it on; a browser can open {path}.")

        yield show


def _protect_secrets(config: Config, token: str | None) -> None:
    """Keep what was given to the process out of its logs."""
    keys = [encode_key(key) for key in config.encryption_keys]
    for secret in (token, config.jwt_secret, config.api_key_secret, config.database_url, *keys):
        if secret is not None:
            protect(secret)
    for sentence in config.warnings:
        log.warning(sentence)
    if config.no_auth:
        log.warning("running without authentication: every program on this computer can use this sidecar")


class StoppedEarlyError(Exception):
    """A signal asked for a stop before the event loop ran: there is nothing to wait for."""


class Stop:
    """A request to stop, from whichever thread, also before the event loop runs."""

    def __init__(self) -> None:
        self._lock = threading.RLock()  # a signal may interrupt the handling of another one
        self._requested: float | None = None
        self._act: Callable[[float], object] | None = None

    def request(self, grace_s: float) -> None:
        """Stop; running requests get `grace_s`. The first request counts, unless a later one is more urgent."""
        with self._lock:
            if self._requested is not None and self._requested <= grace_s:
                return
            self._requested = grace_s
            act = self._act
        exit_at_the_latest(grace_s + LAST_RESORT_S, 0)
        if act is not None:
            act(grace_s)

    def connect(self, act: Callable[[float], object]) -> None:
        """Let `act` carry the request out; at once if it came already."""
        with self._lock:
            self._act = act
            requested = self._requested
        if requested is not None:
            act(requested)

    @contextlib.contextmanager
    def on_signals(self) -> Iterator[None]:
        """Stop on SIGTERM, SIGINT, and CTRL_BREAK on Windows; after the block the end is near without them."""
        for name in ("SIGTERM", "SIGINT", "SIGBREAK"):
            number = getattr(signal, name, None)
            if number is not None:
                signal.signal(number, self._on_signal)
        try:
            yield
        finally:
            self._act = self._act or (lambda _: None)

    def _on_signal(self, *_: object) -> None:
        is_first = self._requested is None
        self.request(ASKED_GRACE_S)
        if is_first and self._act is None:
            raise StoppedEarlyError


class Sidecar:
    """Everything that lives in the event loop, and the threads beside it."""

    def __init__(
        self, config: Config, token: str | None, listener: socket.socket, announcer: Announcer | None, stop: Stop
    ) -> None:
        self._config = config
        self._token = token
        self._listener = listener
        self._announcer = announcer
        self._stop = stop
        self._port: int = listener.getsockname()[1]
        self._instance = secrets.token_hex(8)
        self._readiness = Readiness()
        self._startup: Startup | None = None
        self._work: WorkParts | None = None
        self._secrets: SecretsParts | None = None
        self._failure: BaseException | None = None
        self._said: tuple[str, str | None] | None = None
        self._saying = threading.Lock()
        self.when_listening: Callable[[], None] = lambda: None
        """Called once, as soon as the socket answers."""

    @property
    def url(self) -> str:
        """Where the sidecar answers."""
        return f"http://127.0.0.1:{self._port}"

    def run_file_content(self) -> dict[str, Any]:
        """Return what `sidecar.json` tells programs of the same user."""
        started_at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        return {"url": self.url, "token": self._token, "pid": os.getpid(), "started_at": started_at}

    async def live(self) -> None:
        """Answer, load, start up; return when stopped."""
        from app.sidecar.server import Server

        loop = asyncio.get_running_loop()
        rules = AccessRules(
            port=self._port,
            token=self._token,
            allowed_origins=self._config.allowed_origins,
            jwt_secret=self._config.jwt_secret,
            jwt_audience=self._config.jwt_audience,
            jwt_issuer=self._config.jwt_issuer,
        )
        gate = Gate(rules, self._readiness)
        server = Server(gate, lambda: self._when_listening(loop, gate, server))
        self._stop.connect(lambda grace_s: _call_in(loop, self._begin_stop, gate, server, grace_s))
        with self._readiness.listening(self._announce_state):
            await server.serve(sockets=[self._listener])
        self._stop.request(ASKED_GRACE_S)  # bounds what follows
        if self._secrets is not None:
            await self._secrets.close()
        if self._startup is not None:
            self._startup.stop()
        if self._work is not None:
            self._work.close()
        if self._failure is not None:
            raise self._failure
        log.info("stopped")

    def _when_listening(self, loop: asyncio.AbstractEventLoop, gate: Gate, server: Any) -> None:
        if self._announcer is not None:
            self._announcer.say(
                "listening",
                protocol=PROTOCOL,
                host="127.0.0.1",
                port=self._port,
                pid=os.getpid(),
                version=__version__,
                instance=self._instance,
            )
        else:
            tell(f"TaskFlow sidecar is at {self.url}/ (interface and settings). Stop it with Ctrl+C.")
        self.when_listening()
        log.info("listening", extra={"port": self._port, "pid": os.getpid(), "version": __version__})
        threading.Thread(target=self._load, args=(loop, gate, server), name="load", daemon=True).start()

    def _load(self, loop: asyncio.AbstractEventLoop, gate: Gate, server: Any) -> None:
        """Begin the pipeline as early as possible, then load one half after the other, each opened as it stands."""
        grace_s = 0.0
        begun_s = _idle_s()
        try:
            database, startup = _patiently(self._make_startup)
            self._startup = startup
            startup.run()
            work = _patiently(lambda: self._open_work(loop, gate, database, startup))
            grace_s = ASKED_GRACE_S  # from now on there may be calls to finish
            gate.go_on.wait(GIVE_WAY_S)
            # Loading waited for a processor: many have started at once. Others get their first data before what nobody
            # has called for yet; the last of them are about half as much later again.
            gate.rest_wanted.wait(min((_idle_s() - begun_s) / 2, MOST_IN_CROWD_S))
            self._open_secrets(loop, gate, database, work)
        except BaseException as exc:  # noqa: BLE001 - carried over to the main thread, which ends the process
            self._failure = exc
            self._readiness.fault(problem("internal"))
            _call_in(loop, self._begin_stop, gate, server, grace_s)
        gc.freeze()
        gc.enable()
        sys.setswitchinterval(RUNNING_SWITCH_S)

    def _make_startup(self) -> tuple[Database, Startup]:
        from app.db.session import Database
        from app.sidecar.startup import Startup

        database = Database(self._readiness)
        return database, Startup(self._config, self._readiness, database)

    def _open_work(
        self, loop: asyncio.AbstractEventLoop, gate: Gate, database: Database, startup: Startup
    ) -> WorkParts:
        from app.api.again import OnceMore
        from app.main import work_app
        from app.parts.work import assemble

        stop = self._stop
        work = assemble(
            self._config,
            self._readiness,
            database,
            startup,
            instance=self._instance,
            stop=lambda: stop.request(ASKED_GRACE_S),
            want_rest=gate.rest_wanted.set,
        )
        self._work = work
        application = OnceMore(work_app(work))
        _call_in(loop, lambda: gate.open(application, only_work=True))
        return work

    def _open_secrets(self, loop: asyncio.AbstractEventLoop, gate: Gate, database: Database, work: WorkParts) -> None:
        secrets = _patiently(lambda: self._make_secrets(database, work))
        self._secrets = secrets
        secrets.start()

        def make() -> Any:
            from app.api.again import OnceMore
            from app.main import secrets_app

            return OnceMore(secrets_app(work, secrets))

        _call_in(loop, gate.open, _patiently(make))
        with contextlib.suppress(InvalidStateError):  # the process is stopping
            work.other_half.set_result(secrets)
        self._readiness.announce()

    def _make_secrets(self, database: Database, work: WorkParts) -> SecretsParts:
        from app.parts.secrets import assemble

        return assemble(self._config, database, work)

    def _begin_stop(self, gate: Gate, server: Any, grace_s: float) -> None:
        log.info("stopping", extra={"grace_s": grace_s})
        gate.stop()
        if self._work is not None:
            self._work.begin_stop()
        server.stop(grace_s)

    def _announce_state(self) -> None:
        if self._announcer is None:
            return
        with self._saying:  # the newest state is said last, whichever threads report
            document = self._readiness.document()
            said = (document["state"], document["problem"] and document["problem"]["code"])
            if said != self._said:
                self._said = said
                self._announcer.say("state", state=document["state"], problem=document["problem"])


def _idle_s() -> float:
    """Return a clock that runs while the process does not: it waits for a processor, or for a disk."""
    return time.monotonic() - time.process_time()


def _patiently(load: Callable[[], Loaded]) -> Loaded:
    """Load code; where this process may open no file more just now, wait until others of its files are closed."""
    deadline = time.monotonic() + STARVED_S
    while True:
        try:
            return load()
        except (OSError, ImportError) as exc:
            # a library that cannot be opened is an ImportError, which has no number
            is_starved = getattr(exc, "errno", None) in (errno.EMFILE, errno.ENFILE) or STARVED in str(exc)
            if not is_starved or time.monotonic() > deadline:
                raise
            log.warning("code not loaded yet", extra={"cause": STARVED})
            time.sleep(STARVED_PAUSE_S)


def _call_in(loop: asyncio.AbstractEventLoop, action: Callable[..., object], *arguments: Any) -> None:
    """Run `action` in the event loop, unless that has ended meanwhile."""
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(action, *arguments)
