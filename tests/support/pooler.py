"""A real PgBouncer between the sidecar and a PostgreSQL."""

from __future__ import annotations

import contextlib
import secrets
import signal
import subprocess
from typing import TYPE_CHECKING, Any, Self

import psycopg2

from tests.support.accounts import ServerAccount
from tests.support.network import LOOPBACK, free_port
from tests.support.real_parts import require_binary
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

    from tests.support.certificates import KeyPair
    from tests.support.postgres import ConnectionFields, PostgresServer

ADMINISTRATOR = "pooler-administrator"
TIMEOUT_S = 20.0


class Pooler:
    """A PgBouncer on 127.0.0.1, in front of one cluster, for every database of it.

    By itself PgBouncer refuses start-up parameters it does not know, `options` among them, which is how
    `statement_timeout` and the like are often set.

    Args:
        server: the running cluster behind it.
        users: the passwords of the roles that may come through, by name.
        pool_mode: ``transaction``, ``session`` or ``statement``.
        ignore_startup_parameters: those it accepts and ignores rather than refuses.
        tls: the certificate to present; with one, TLS is required.
        max_client_conn: more clients than that are turned away.
        default_pool_size: connections to the server for each database and user; further clients wait.
    """

    def __init__(
        self,
        server: PostgresServer,
        users: Mapping[str, str],
        *,
        pool_mode: str = "transaction",
        ignore_startup_parameters: Sequence[str] = (),
        tls: KeyPair | None = None,
        max_client_conn: int = 100,
        default_pool_size: int = 20,
    ) -> None:
        self.port = free_port()
        self._programs = require_binary("pgbouncer", package="pgbouncer")
        self._server = server
        self._administrator_password = secrets.token_hex(16)
        self._users = {**users, ADMINISTRATOR: self._administrator_password}
        self._tls = tls
        self._settings = {
            "listen_addr": LOOPBACK,
            "listen_port": str(self.port),
            "unix_socket_dir": "",
            "auth_type": "scram-sha-256",
            "admin_users": ADMINISTRATOR,
            "pool_mode": pool_mode,
            "max_client_conn": str(max_client_conn),
            "default_pool_size": str(default_pool_size),
            "ignore_startup_parameters": ", ".join(ignore_startup_parameters),
            # At once, rather than after 15 s, when the server is back.
            "server_login_retry": "0.2",
        }
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

    def start(self) -> None:
        """Start it, and wait until it answers; the second time on the same port.

        Raises:
            RuntimeError: it gave up; the message ends with its log.
            TimeoutError: it does not answer.
        """
        if self._directory is None:
            self._directory = self._cleanup.enter_context(self._account.directory("taskflow-pooler-"))
        configuration = self._write_configuration(self._directory)
        with (self._directory / "pooler.log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._programs, configuration],
                stdout=log,
                stderr=log,
                cwd=self._directory,
                **self._account.process_options(),
            )
        wait_until(self._is_ready, timeout_s=TIMEOUT_S, what=lambda: f"PgBouncer to start:\n{self.log_text()}")

    def stop(self) -> None:
        """Stop it, whoever is connected."""
        if self._process is None:
            return
        # PgBouncer takes SIGTERM for "at once" and SIGINT for "when the transactions have ended".
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(TIMEOUT_S)
            raise TimeoutError(f"PgBouncer did not stop:\n{self.log_text()}") from None
        finally:
            self._process = None

    def close(self) -> None:
        """Stop it and remove its files."""
        try:
            self.stop()
        finally:
            self._directory = None
            self._cleanup.close()

    def log_text(self) -> str:
        """Its log so far."""
        log = self._directory / "pooler.log" if self._directory is not None else None
        return log.read_text(errors="replace") if log is not None and log.exists() else ""

    def dsn_fields(self, *, database: str, username: str, password: str | None = None) -> ConnectionFields:
        """Settings with which a database is reached through it; with the user's password unless another is given."""
        return {
            "host": LOOPBACK,
            "port": self.port,
            "database": database,
            "username": username,
            "password": self._users[username] if password is None else password,
        }

    def show(self, what: str) -> list[tuple[Any, ...]]:
        """Ask the administrator's console, as in ``show("POOLS")`` or ``show("CLIENTS")``."""
        connection = psycopg2.connect(
            host=LOOPBACK,
            port=self.port,
            user=ADMINISTRATOR,
            password=self._administrator_password,
            dbname="pgbouncer",
            connect_timeout=5,
        )
        with contextlib.closing(connection):
            # The console knows no transactions.
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(f"SHOW {what}")
                rows: list[tuple[Any, ...]] = cursor.fetchall()
                return rows

    def _write_configuration(self, directory: Path) -> Path:
        quoted = ((_quote(name), _quote(password)) for name, password in self._users.items())
        users_file = self._account.write(directory / "users.txt", "".join(f"{pair[0]} {pair[1]}\n" for pair in quoted))
        settings = {**self._settings, "auth_file": str(users_file)}
        if self._tls is not None:
            settings |= {
                "client_tls_sslmode": "require",
                "client_tls_cert_file": str(self._account.write(directory / "pooler.crt", self._tls.certificate_pem)),
                "client_tls_key_file": str(self._account.write(directory / "pooler.key", self._tls.key_pem)),
            }
        lines = [
            "[databases]",
            f"* = host={LOOPBACK} port={self._server.port}",
            "[pgbouncer]",
            *(f"{name} = {value}" for name, value in settings.items()),
        ]
        return self._account.write(directory / "pooler.ini", "".join(f"{line}\n" for line in lines))

    def _is_ready(self) -> bool:
        if self._process is not None and self._process.poll() is not None:
            raise RuntimeError(f"PgBouncer gave up with exit status {self._process.returncode}:\n{self.log_text()}")
        try:
            return bool(self.show("VERSION"))
        except psycopg2.OperationalError:
            return False


def _quote(text: str) -> str:
    """Quote as PgBouncer's file of users wants it: inner quotes doubled, nothing else is special."""
    return '"' + text.replace('"', '""') + '"'
