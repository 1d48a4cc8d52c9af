"""The real sidecar as a process: started, watched, talked to, stopped, and always reaped."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import httpx

from tests.support import migrated, warm, windows
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from types import TracebackType
    from typing import IO

CHECKOUT = Path(__file__).resolve().parents[2]
COMMAND = (*(windows.RUN or (sys.executable,)), "-m", "app")
INHERITED_VARIABLES = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "LD_LIBRARY_PATH", "SYSTEMROOT", "WINDIR", "COMSPEC")
"""All that a sidecar gets of the tests' own environment: no TASKFLOW_*, no proxies, no PYTHON*, no PG*."""

LISTEN_TIMEOUT_S = 20.0
READY_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 15.0
REQUEST_TIMEOUT_S = 20.0
KEEP_ALIVE_S = 2.0
"""Shorter than the server's, so that no request meets a connection that is just being closed."""


_ELSEWHERE = {"TASKFLOW_EMBEDDED", "TASKFLOW_DATABASE_URL"}
"""Variables that say which database it uses, none or another."""


class SidecarExitedError(AssertionError):
    """The process ended while something was still expected of it."""


class Sidecar:
    """One sidecar process and the directories it lives in.

    Everything is below one temporary directory, home and temporary files included, unless a config directory is
    given: that one is the test's own, is kept, and may outlive this sidecar. As a context manager it is started on
    entry; on exit it is stopped, reaped, and what it left is removed.

    Args:
        stdio: run it as a launcher does, with a handshake on stdin and events on stdout; otherwise by hand.
        config_dir: `TASKFLOW_CONFIG_DIR`.
        data_dir: `TASKFLOW_DATA_DIR`; left unset unless given, which puts it into the config directory.
        port: `--port`; None leaves the flag out.
        args: more arguments after `serve`.
        env: more variables.
        token: launch token of the handshake; a random one unless given.
        encryption_key: key in the handshake.
        handshake: the very bytes to write to stdin instead of a proper handshake; may be none at all.
        wrapper: a program and its arguments that runs the sidecar in its place, such as `faketime`.
        program: the sidecar itself, if it is not the package `app` run by this interpreter.
        with_tables: give it an embedded database that has its tables already, if it has directories of its own and a
            proper handshake.
    """

    spawned: ClassVar[list[Sidecar]] = []
    """Those of the present test, and older ones that still run: their output belongs into the report of a failure."""

    def __init__(
        self,
        *,
        stdio: bool = False,
        config_dir: Path | None = None,
        data_dir: Path | None = None,
        port: int | None = 0,
        args: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        token: str | None = None,
        encryption_key: str | None = None,
        handshake: bytes | None = None,
        wrapper: Sequence[str] = (),
        program: Sequence[str] = COMMAND,
        with_tables: bool = True,
    ) -> None:
        self.stdio = stdio
        self._temporary = tempfile.TemporaryDirectory(prefix="taskflow-sidecar-")
        self.directory = Path(self._temporary.name)
        """Where its home, its temporary files and its captured output are; gone after `close`."""
        self.config_dir = config_dir or self.directory / "config"
        self.data_dir = data_dir or self.config_dir / "data"
        flags = [] if port is None else ["--port", str(port)]
        self._command = [*wrapper, *program, "serve", *(["--stdio"] if stdio else []), *flags, *args]
        self._environment = clean_environment(self.directory)
        self._environment["TASKFLOW_CONFIG_DIR"] = str(self.config_dir)
        if data_dir is not None:
            self._environment["TASKFLOW_DATA_DIR"] = str(data_dir)
        self._variables = env or {}
        self._environment |= self._variables
        if (
            with_tables
            and handshake is None
            and config_dir is None
            and data_dir is None
            and not _ELSEWHERE & self._environment.keys()
        ):
            _put_embedded_database(self.data_dir)
        self._given_token = token or secrets.token_hex(32)
        self._handshake = self._proper_handshake(encryption_key) if handshake is None else handshake
        self._process: warm.Process | None = None
        self._stdout_lines: list[str] = []
        self._reader: threading.Thread | None = None
        self._copiers: list[threading.Thread] = []
        self._announced: dict[str, Any] | None = None
        self._stale = b""
        """What `sidecar.json` held before the start, where process ids do not tell whose it is."""
        self._client: httpx.Client | None = None
        self._last_stderr = ""
        self._has_begun_again = False
        Sidecar.spawned.append(self)

    def __enter__(self) -> Self:
        try:
            return self.start()
        except BaseException:
            self.close()
            raise

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            if self.is_running and exc_type is None:
                self.stop()
        finally:
            self.close()

    # Life and death

    def start(self) -> Self:
        """Spawn the process and return at once; after `stop` or `kill` spawn another one in the same directories."""
        if self.is_running:
            raise RuntimeError("this sidecar is running already")
        self._forget_process()
        self._stdout_lines = []
        if windows.IS_WINDOWS:  # whose process ids are not the system's: only a new file tells of a new process
            self._stale = self._run_file()
        with self._stderr_file.open("ab") as stderr, self._stdout_file.open("ab") as stdout:
            # In a session of its own: Ctrl-C in a terminal is for the tests, which then stop the sidecar.
            self._process = process = warm.start(
                self._command,
                self._variables,
                stdin=subprocess.PIPE if self.stdio else subprocess.DEVNULL,
                stdout=subprocess.PIPE if self.stdio or windows.IS_WINDOWS else stdout,
                stderr=subprocess.PIPE if windows.IS_WINDOWS else stderr,
                env=self._environment,
                cwd=self.directory,
            )
        if process.stderr is not None:
            self._copiers = [windows.keep_reading(process.stderr, self._stderr_file)]
        if process.stdout is not None and not self.stdio:
            self._copiers.append(windows.keep_reading(process.stdout, self._stdout_file))
        elif process.stdout is not None:
            lines = self._stdout_lines
            self._reader = threading.Thread(target=_collect, args=(process.stdout, lines), daemon=True)
            self._reader.start()
        if self.stdio:
            self.write_stdin(self._handshake)
        return self

    @property
    def is_running(self) -> bool:
        """Whether the process lives."""
        return self._process is not None and self._process.poll() is None

    @property
    def process(self) -> warm.Process:
        """The process last spawned, for signals and exit status."""
        if self._process is None:
            raise RuntimeError("this sidecar has not been started")
        return self._process

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.process.pid

    def write_stdin(self, data: bytes) -> None:
        """Write bytes to its standard input; that it has ended or closed it is no error here."""
        with contextlib.suppress(BrokenPipeError):
            self._stdin.write(data)
            self._stdin.flush()

    def close_stdin(self) -> None:
        """Close the pipe on its standard input, as the end of the parent does."""
        with contextlib.suppress(BrokenPipeError):
            self._stdin.close()

    def stop(self, timeout_s: float = STOP_TIMEOUT_S) -> int:
        """Stop it by SIGTERM, on Windows over HTTP; return its exit status.

        Raises:
            TimeoutError: it did not stop in time, and was killed.
        """
        self.ask_to_stop()
        return self.wait_for_exit(timeout_s)

    def ask_to_stop(self) -> None:
        """Do what `stop` does, and wait for nothing."""
        if windows.IS_WINDOWS:
            with contextlib.suppress(httpx.HTTPError, SidecarExitedError, TimeoutError):
                self.request("POST", "/api/v1/shutdown")
        else:
            self.process.terminate()

    def kill(self) -> None:
        """Kill it, by SIGKILL, and reap it."""
        self.process.kill()
        self.wait_for_exit()

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal and wait for nothing."""
        self.process.send_signal(number)

    def wait_for_exit(self, timeout_s: float = STOP_TIMEOUT_S) -> int:
        """Wait until it has ended and all it wrote is read; return its exit status, negative for a signal.

        Raises:
            TimeoutError: it lives on after the deadline; it is killed then.
        """
        try:
            status = self.process.wait(timeout_s * windows.PATIENCE)
        except subprocess.TimeoutExpired:
            has_ended = windows.is_ended_but_for_wine(self.pid, self.stderr_text())
            self.process.kill()
            self.process.wait()
            if not has_ended:
                raise TimeoutError(f"the sidecar did not end within {timeout_s:g} s:\n{self.stderr_text()}") from None
            status = 0
        for reader in (self._reader, *self._copiers):
            if reader is not None:
                reader.join()
        if not self._has_begun_again and windows.never_began(status, self.stdout_text() + self.stderr_text()):
            self._has_begun_again = True
            return self.start().wait_for_exit(timeout_s)
        return windows.exit_status(status, self.stderr_text())

    def close(self) -> None:
        """Kill it if it runs, reap it, and remove its temporary directory."""
        if self.is_running:
            self.kill()
        self._forget_process()
        if self.directory.exists():
            self._last_stderr = self.stderr_text()
        self._temporary.cleanup()

    # What it says

    @property
    def stdout_lines(self) -> list[str]:
        """With `stdio`, the lines on its standard output so far."""
        return list(self._stdout_lines)

    @property
    def events(self) -> list[dict[str, Any]]:
        """With `stdio`, the events so far.

        Raises:
            AssertionError: a line is no JSON object with an `event`.
        """
        return [_parse_event(line) for line in self.stdout_lines]

    def wait_for_event(
        self, name: str, timeout_s: float = LISTEN_TIMEOUT_S, *, where: Callable[[dict[str, Any]], bool] | None = None
    ) -> dict[str, Any]:
        """Wait for the first event of that name, and for which `where` holds; one that came before counts."""

        def find() -> dict[str, Any] | None:
            # Asked before looking: what the process wrote before it ended is not missed.
            has_ended = not self.is_running and (self._reader is None or not self._reader.is_alive())
            for event in self.events:
                if event["event"] == name and (where is None or where(event)):
                    return event
            if has_ended:
                self._raise_exited(f"event {name}")
            return None

        found = wait_until(find, timeout_s=timeout_s, what=lambda: f"event {name} among {self.events}")
        return found or {}

    def stderr_text(self) -> str:
        """Its standard error so far, and after `close` all that there was."""
        if not self._stderr_file.exists():
            return self._last_stderr
        return self._stderr_file.read_text(errors="replace")

    def stdout_text(self) -> str:
        """Its standard output so far."""
        if self.stdio:
            return "".join(f"{line}\n" for line in self.stdout_lines)
        return self._stdout_file.read_text(errors="replace")

    def log_text(self) -> str:
        """All its log files, oldest first."""
        logs = [path for path in (self.data_dir / "logs").glob("**/*") if path.is_file()]
        logs.sort(key=lambda path: path.stat().st_mtime_ns)
        return "".join(path.read_text(errors="replace") for path in logs)

    # Where it is, and whether it is ready

    def wait_for_listening(self, timeout_s: float = LISTEN_TIMEOUT_S) -> Self:
        """Wait until it has told its address: by the `listening` event, or in `sidecar.json`.

        Raises:
            SidecarExitedError: it ended instead.
            TimeoutError: it did neither.
        """
        if self._announced is not None:
            return self
        if self.stdio:
            event = self.wait_for_event("listening", timeout_s)
            self._announced = {"url": f"http://{event['host']}:{event['port']}", "token": self._given_token}
            return self
        self._announced = wait_until(
            self._read_announcement, timeout_s=timeout_s, what=lambda: f"sidecar.json:\n{self.stderr_text()}"
        )
        return self

    @property
    def url(self) -> str:
        """Its address, `http://127.0.0.1:PORT`; waits for it if need be."""
        return str(self._announcement["url"]).rstrip("/")

    @property
    def port(self) -> int:
        """Its port; waits for it if need be."""
        return httpx.URL(self.url).port or 80

    @property
    def token(self) -> str:
        """Its launch token; waits for `sidecar.json` if need be."""
        return self._given_token if self.stdio else str(self._announcement["token"])

    def health(self) -> tuple[int, dict[str, Any]]:
        """Ask `/health`; return HTTP status and body."""
        answer = self.request("GET", "/health", token="")
        return answer.status_code, answer.json()

    def status(self) -> dict[str, Any]:
        """Return the status document."""
        answer = self.request("GET", "/api/v1/status")
        assert answer.status_code == 200, answer.text
        document: dict[str, Any] = answer.json()
        return document

    def status_at_once(self) -> dict[str, Any]:
        """Return the status as the stream tells it, which waits for nothing: not for the secrets half."""
        headers = {"Authorization": f"Bearer {self.token}"}
        with self.client.stream("GET", "/api/v1/status/events", headers=headers) as stream:
            told = next(line for line in stream.iter_lines() if line.startswith("data: "))
        document: dict[str, Any] = json.loads(told.removeprefix("data: "))
        return document

    def wait_healthy(self, timeout_s: float = READY_TIMEOUT_S) -> Self:
        """Wait until `/health` answers 200.

        Raises:
            SidecarExitedError: it ended instead.
            TimeoutError: it still lives, and is not ready; the message tells its last answer.
        """
        last: tuple[int, dict[str, Any]] = (0, {})

        def is_healthy() -> bool:
            nonlocal last
            last = self._while_alive(self.health)
            return last[0] == 200

        wait_until(is_healthy, timeout_s=timeout_s, what=lambda: f"a healthy sidecar; last answer: {last}")
        return self

    def wait_settled(self, timeout_s: float = READY_TIMEOUT_S) -> Self:
        """Wait until it is ready, its vault is open, and it has written down what it keeps of that vault.

        All this goes on behind the first answers. Who compares files, memory or descriptors with what they were before
        something begins here.
        """
        self.wait_healthy(timeout_s)
        self.request("GET", "/api/v1/vault")  # which is asked for, and so not put off on a busy computer
        self.wait_for(lambda document: document["vault"]["state"] == "unlocked", timeout_s)
        vault = self.request("GET", "/api/v1/vault").json()["vault_id"]
        wait_until(lambda: self._has_noted(vault), timeout_s=timeout_s, what="the vault to be noted in the files")
        return self

    def _has_noted(self, vault: str) -> bool:
        """Tell whether the last that is written about a vault is there: its active key, and whose vault it is."""
        try:
            pins, heads = (json.loads((self.config_dir / name).read_bytes()) for name in ("vault.pins", "audit.head"))
        except FileNotFoundError:
            return False
        return vault in pins and vault in heads.get("databases", {}).values()

    def wait_for(
        self, predicate: Callable[[dict[str, Any]], object], timeout_s: float = READY_TIMEOUT_S
    ) -> dict[str, Any]:
        """Wait until the status document satisfies a predicate; return that document."""
        last: dict[str, Any] = {}

        def is_satisfied() -> bool:
            nonlocal last
            last = self._while_alive(self.status)
            return bool(predicate(last))

        wait_until(is_satisfied, timeout_s=timeout_s, what=lambda: f"a status; last one: {json.dumps(last, indent=1)}")
        return last

    def wait_for_state(self, state: str, timeout_s: float = READY_TIMEOUT_S) -> dict[str, Any]:
        """Wait until it is `ready`, `failed`, `reconnecting`, ...; return the status document."""
        return self.wait_for(lambda document: document["state"] == state, timeout_s)

    def wait_for_problem(self, code: str, timeout_s: float = READY_TIMEOUT_S) -> dict[str, Any]:
        """Wait until it reports a problem of that code; return the problem."""
        document = self.wait_for(lambda document: (document["problem"] or {}).get("code") == code, timeout_s)
        problem: dict[str, Any] = document["problem"]
        return problem

    # Talking to it

    @property
    def client(self) -> httpx.Client:
        """An HTTP client for it that reads no proxy settings; without a token."""
        if self._client is None:
            self._client = httpx.Client(
                base_url=self.url,
                trust_env=False,
                # There is no TLS here; reading the system's authorities would only take time.
                verify=False,
                timeout=REQUEST_TIMEOUT_S * windows.PATIENCE,
                limits=httpx.Limits(keepalive_expiry=KEEP_ALIVE_S),
            )
        return self._client

    def request(
        self,
        method: str,
        path: str,
        *,
        json: object = None,
        content: bytes | Iterable[bytes] | None = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        token: str | None = None,
        timeout_s: float = REQUEST_TIMEOUT_S,
    ) -> httpx.Response:
        """Send a request and return the answer, whatever its status.

        Args:
            method: GET, POST, ...
            path: from the root, such as `/api/v1/members`.
            json: body, sent as JSON unless None.
            content: body as it stands.
            params: query parameters.
            headers: more headers; `Authorization` here wins.
            token: bearer token; the launch token unless given, none if empty.
            timeout_s: seconds for each of connecting, sending and waiting for bytes.
        """
        bearer = self.token if token is None else token
        authorization = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        return self.client.request(
            method,
            path,
            json=json,
            content=content,
            params=params,
            headers={**authorization, **(headers or {})},
            timeout=timeout_s * windows.PATIENCE,
        )

    def save_connection(self, fields: Mapping[str, object]) -> None:
        """Save the settings of a connection, which takes effect in the background."""
        answer = self.request("POST", "/api/v1/settings/save-connection", json=dict(fields))
        assert answer.status_code == 200, answer.text

    def test_connection(self, fields: Mapping[str, object]) -> httpx.Response:
        """Test the settings of a connection; return the answer."""
        return self.request("POST", "/api/v1/settings/test-connection", json=dict(fields))

    # Inner workings

    @property
    def _stdin(self) -> IO[bytes]:
        if self.process.stdin is None:
            raise RuntimeError("a sidecar started by hand has no pipe on stdin")
        return self.process.stdin

    @property
    def _stderr_file(self) -> Path:
        return self.directory / "stderr.txt"

    @property
    def _stdout_file(self) -> Path:
        return self.directory / "stdout.txt"

    @property
    def _announcement(self) -> dict[str, Any]:
        self.wait_for_listening()
        return self._announced or {}

    def _proper_handshake(self, encryption_key: str | None) -> bytes:
        line: dict[str, object] = {"protocol": 1, "token": self._given_token}
        if encryption_key is not None:
            line["encryption_key"] = encryption_key
        return json.dumps(line).encode() + b"\n"

    def _run_file(self) -> bytes:
        try:
            return (self.config_dir / "sidecar.json").read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return b""

    def _read_announcement(self) -> dict[str, Any] | None:
        is_running = self.is_running
        content = self._run_file()
        announcement: dict[str, Any] = json.loads(content or b"{}")
        # Another sidecar's, or one killed earlier, may have left its own.
        if announcement.get("pid") == self.pid or (windows.IS_WINDOWS and announcement and content != self._stale):
            return announcement
        if not is_running:
            self._raise_exited("sidecar.json")
        return None

    def _while_alive(self, ask: Callable[[], Any]) -> Any:
        """Ask over HTTP; a process that has ended is reported as that rather than as a failed connection."""
        try:
            return ask()
        except httpx.TransportError:
            # The connection may break a moment before the process has ended.
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(1)
            if not self.is_running:
                self._raise_exited("an answer")
            raise

    def _raise_exited(self, awaited: str) -> None:
        status = self.process.returncode
        text = f"the sidecar ended with status {status} while {awaited} was awaited:\n{self.stderr_text()}"
        raise SidecarExitedError(text)

    def _forget_process(self) -> None:
        """Release what belongs to the process that has ended: pipes, reader, connections, address."""
        if self._process is not None:
            for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
                if pipe is not None:
                    with contextlib.suppress(BrokenPipeError):
                        pipe.close()
        if self._client is not None:
            self._client.close()
        self._process = self._reader = self._client = self._announced = None


def _put_embedded_database(data_dir: Path) -> None:
    """Make the directories as the sidecar does, owner-only, and the database's file in them."""
    data_dir.parent.mkdir(mode=0o700)
    data_dir.mkdir(mode=0o700)
    file = data_dir / "taskflow.db"
    file.touch(mode=0o600)
    file.write_bytes(migrated.sqlite_file())


def clean_environment(directory: Path) -> dict[str, str]:
    """Make an environment that knows nothing of the tests' own, with home and temporary files below `directory`."""
    places = {"HOME": directory / "home"}
    if not windows.IS_WINDOWS:  # where Wine keeps its server, which has to be one for all programs
        places["TMPDIR"] = directory / "tmp"
    for place in places.values():
        place.mkdir(mode=0o700, exist_ok=True)
    inherited = {name: os.environ[name] for name in INHERITED_VARIABLES if name in os.environ}
    return {
        **inherited,
        **{name: str(place) for name, place in places.items()},
        **windows.VARIABLES,
        "PYTHONPATH": str(CHECKOUT / "backend"),
    }


def run_command(
    *args: str,
    config_dir: Path,
    env: Mapping[str, str] | None = None,
    stdin: str = "",
    timeout_s: float = 60,
    program: Sequence[str] = COMMAND,
) -> subprocess.CompletedProcess[str]:
    """Run another command of the product, such as `status` or `key rotate`, to its end.

    Args:
        args: the arguments.
        config_dir: `TASKFLOW_CONFIG_DIR`.
        env: more variables.
        stdin: what to type.
        timeout_s: seconds it may take.
        program: the sidecar itself, if it is not the package `app` run by this interpreter.
    """
    with tempfile.TemporaryDirectory(prefix="taskflow-command-") as directory:
        environment = clean_environment(Path(directory))
        environment |= {"TASKFLOW_CONFIG_DIR": str(config_dir), **(env or {})}
        command = [*program, *args]
        if warm.can_start(command, env or {}):
            return warm.run(command, env=environment, cwd=Path(directory), text=stdin, timeout_s=timeout_s)

        def run() -> subprocess.CompletedProcess[str]:
            return subprocess.run(
                command,
                input=stdin,
                capture_output=True,
                text=True,
                timeout=timeout_s * windows.PATIENCE,
                env=environment,
                cwd=directory,
            )

        finished = run()
        return run() if windows.never_began(finished.returncode, finished.stdout + finished.stderr) else finished


def stop_all(sidecars: Iterable[Sidecar]) -> None:
    """Stop sidecars side by side and remove what they left; those that have ended already are only cleaned up."""
    sidecars = list(sidecars)
    running = [sidecar for sidecar in sidecars if sidecar.is_running]
    for sidecar in running:
        sidecar.ask_to_stop()
    try:
        for sidecar in running:
            sidecar.wait_for_exit()
    finally:
        for sidecar in sidecars:
            sidecar.close()


def _collect(stream: IO[bytes], lines: list[str]) -> None:
    """Read lines until the end of the stream, which is the end of the process."""
    for line in stream:
        lines.append(line.decode(errors="replace").rstrip("\n"))  # noqa: PERF401 - the list is read meanwhile


def _parse_event(line: str) -> dict[str, Any]:
    try:
        event = json.loads(line)
    except ValueError:
        event = None
    assert isinstance(event, dict), f"no event: {line!r}"
    assert isinstance(event.get("event"), str), f"no event: {line!r}"
    return event
