"""Every way in which a connection fails, provoked on real servers: one right sentence, and no secret in it."""

from __future__ import annotations

import contextlib
import hashlib
import http.server
import re
import secrets
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg2
import pytest

from tests.support import windows
from tests.support.accounts import ServerAccount
from tests.support.canaries import CANARIES, find_canary
from tests.support.certificates import CertificateAuthority
from tests.support.databases import fresh_database
from tests.support.network import (
    FakeServer,
    LoopbackServer,
    TcpProxy,
    black_hole,
    error_response,
    free_port,
    never_replies,
    web_server,
)
from tests.support.pooler import Pooler
from tests.support.postgres import PostgresServer
from tests.support.sidecar import Sidecar
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpx

    from tests.support.certificates import Certificates
    from tests.support.postgres import ConnectionFields

TEST_LIMIT_S = 15.0
"""What a test may take, whatever the network does."""
PASSWORD = CANARIES["single-quote"]
UNKNOWN = "connection-refused-unknown"
DRIVER_WORDS = r"://|www\.|psycopg|sqlalchemy|[a-z]Error\b|Traceback|FATAL|connection to server at|libpq"


@dataclass(frozen=True, slots=True)
class Ground:
    """Two servers with the same role and database on each, one of them with TLS, and what goes with them."""

    plain: PostgresServer
    tls: PostgresServer
    certificates: Certificates
    directory: Path
    name: str
    """Of the role and of the database."""

    def fields(self, server: PostgresServer | None = None, **changes: Any) -> dict[str, Any]:
        """The right settings, with changes."""
        server = server or self.plain
        right = server.dsn_fields(database=self.name, username=self.name, password=PASSWORD)
        return {**right, **changes}

    def tls_fields(self, **changes: Any) -> dict[str, Any]:
        """The right settings for the server with TLS, with changes."""
        return self.fields(self.tls, **changes)

    def verified(self, **changes: Any) -> dict[str, Any]:
        """The same, with full verification."""
        return self.tls_fields(sslmode="verify-full", sslrootcert=str(self.certificates.root_file), **changes)

    def with_client_certificate(self, authority: CertificateAuthority, name: str) -> dict[str, Any]:
        """The same without verification, and with a client's certificate."""
        certificate, key = authority.issue_client(name).write(self.directory, secrets.token_hex(4))
        return self.tls_fields(sslmode="require", sslcert=str(certificate), sslkey=str(key))

    @contextlib.contextmanager
    def altered(self, change: str, undo: str, server: PostgresServer | None = None) -> Iterator[None]:
        """Run a statement, and another one at the end; `{name}` stands for the role and the database."""
        server = server or self.plain
        server.execute(change.format(name=self.name))
        try:
            yield
        finally:
            server.execute(undo.format(name=self.name))


@pytest.fixture(scope="module")
def ground(
    postgres: PostgresServer,
    postgres_tls: PostgresServer,
    certificates: Certificates,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Ground]:
    """Both servers, with a role and a database of their own for this module."""
    name = f"failing_{secrets.token_hex(4)}"
    servers = (postgres, postgres_tls)
    for server in servers:
        server.create_role(name, PASSWORD)
        server.create_database(name)
    yield Ground(postgres, postgres_tls, certificates, tmp_path_factory.mktemp("client"), name)
    for server in servers:
        server.drop_database(name)
        server.drop_role(name)


@pytest.fixture(scope="module")
def cluster() -> Iterator[PostgresServer]:
    """A small server that may be filled, stopped and held up; each test leaves it running."""
    with PostgresServer(max_connections=8) as server:
        server.create_role("lead", PASSWORD)
        yield server


@pytest.fixture(scope="module")
def sidecar() -> Iterator[Sidecar]:
    """A sidecar that has no database and logs everything."""
    with Sidecar(env={"TASKFLOW_EMBEDDED": "0"}, args=["--log-level", "debug"]) as sidecar:
        sidecar.wait_for_state("setup_required")
        yield sidecar


def footprint(sidecar: Sidecar) -> dict[str, str]:
    """Every file of the sidecar and its home with a hash of its content; logs and captured output are left out."""
    captured = {sidecar.directory / "stderr.txt", sidecar.directory / "stdout.txt"}
    return {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "directory"
        for place in (sidecar.directory, sidecar.config_dir)
        for path in place.rglob("*")
        if path not in captured and path.parent.name != "logs"
    }


def assert_told(answer: httpx.Response, code: str, *phrases: str, password: str = PASSWORD) -> None:
    """The answer is one line that names cause and remedy, and nothing else."""
    assert answer.status_code == 400, answer.text
    assert answer.json().keys() == {"error"}
    sentence: str = answer.json()["error"]
    assert answer.headers["Taskflow-Error-Code"] == code, sentence
    assert re.fullmatch(r"Connection failed: [A-Z].*\. [A-Z].*\.", sentence)
    assert sentence.isprintable()
    for phrase in phrases:
        assert phrase in sentence
    assert not re.search(DRIVER_WORDS, sentence)
    assert find_canary(f"{answer.text} {answer.headers}", password) == []


def check_failure(
    sidecar: Sidecar, fields: dict[str, Any], code: str, *phrases: str, password: str = PASSWORD
) -> httpx.Response:
    """Test a connection that has to fail: told rightly, in time, and without a trace."""
    before, started = footprint(sidecar), time.monotonic()

    answer = sidecar.test_connection(fields)

    assert time.monotonic() - started < TEST_LIMIT_S
    assert_told(answer, code, *phrases, password=password)
    assert footprint(sidecar) == before
    assert find_canary(sidecar.stderr_text() + sidecar.log_text(), password) == []
    return answer


# The network


def test_refused(sidecar: Sidecar, ground: Ground) -> None:
    """Nothing listens there."""
    sockets = () if windows.IS_WINDOWS else ("/nonexistent",)  # which Wine does not have
    for host in ("127.0.0.1", "localhost", *sockets):
        fields = ground.fields(host=host, port=free_port())
        check_failure(sidecar, fields, "connection-refused", "refused the connection", "Check host and port")


def test_host_not_found(sidecar: Sidecar, ground: Ground) -> None:
    """No name server knows it."""
    for host in ("no-such-host.invalid", "two words", "http://127.0.0.1", "127.0.0.1:5432", "x" * 250):
        check_failure(
            sidecar, ground.fields(host=host), "host-unresolved", "host name could not be", "Check the", "network"
        )


def test_silence_ends_in_time_and_only_four_wait(sidecar: Sidecar, ground: Ground) -> None:
    """Whatever stays silent, the verdict comes within 15 s; a fifth test is told to wait, and nothing else waits.

    One address swallows every packet, one server accepts and says nothing, one waits for a line of HTTP, and one, a
    pooler whose only server connection is taken, falls silent after the log-in.
    """
    timed_out = ("connection-timeout", "did not answer in time", "firewall")
    no_postgres = ("not-postgresql", "not a PostgreSQL server", "web server")

    def take_a_place(port: int, told: tuple[str, ...]) -> float:
        """Test as soon as one of the four places is free; return the seconds it took then."""
        while True:
            started = time.monotonic()
            answer = sidecar.test_connection(ground.fields(port=port))
            if answer.status_code != 429:
                assert_told(answer, *told)
                return time.monotonic() - started

    with contextlib.ExitStack() as stack:
        _, hole = stack.enter_context(black_hole())
        silent = stack.enter_context(never_replies())
        web_port = stack.enter_context(silent_web_server())
        pooler = stack.enter_context(Pooler(ground.plain, {ground.name: PASSWORD}, default_pool_size=1))
        occupant = stack.enter_context(contextlib.closing(connect(ground.fields(port=pooler.port))))
        occupant.cursor().execute("SELECT 1")
        before = footprint(sidecar)
        threads = stack.enter_context(ThreadPoolExecutor(4))
        running = [
            threads.submit(take_a_place, port, told)
            for port, told in (
                (hole, timed_out),
                (silent.port, timed_out),
                (web_port, no_postgres),
                (pooler.port, timed_out),
            )
        ]

        wait_until(
            lambda: sidecar.test_connection(ground.fields()).status_code == 429, timeout_s=4, what="four tests to run"
        )
        fifth = sidecar.test_connection(ground.fields())
        assert fifth.json() == {"error": "Too many connection tests are running. Please wait."}
        assert fifth.headers["Taskflow-Error-Code"] == "too-many-requests"
        assert int(fifth.headers["Retry-After"]) > 0
        assert sidecar.test_connection({**ground.fields(), "port": 0}).status_code == 400  # no test, no limit
        started = time.monotonic()
        assert sidecar.health()[0] == 503
        assert sidecar.request("GET", "/api/v1/settings/connection").status_code == 404
        assert time.monotonic() - started < 5  # the tests wait three times as long

        assert all(test.result() < TEST_LIMIT_S for test in running)
    assert sidecar.test_connection(ground.fields()).status_code == 200
    assert footprint(sidecar) == before


# Who may come in


@pytest.mark.parametrize("wrong", CANARIES.values(), ids=CANARIES)
def test_password_rejected(sidecar: Sidecar, ground: Ground, wrong: str) -> None:
    """The sentence does not tell which of the two is wrong, and shows neither."""
    fields = ground.tls_fields(username="stranger") if wrong == PASSWORD else ground.tls_fields(password=wrong)
    rejections = ground.tls.log_text().count("password authentication failed")

    check_failure(
        sidecar,
        fields,
        "password-rejected",
        "rejected the user name or the password",
        "Enter the right",
        password=wrong,
    )

    assert ground.tls.log_text().count("password authentication failed") == rejections + 1


def test_unknown_database(sidecar: Sidecar, ground: Ground) -> None:
    """However it is called."""
    for name in ("nowhere", 'a "quoted" name', "timeout expired", "größe"):
        check_failure(
            sidecar, ground.fields(database=name), "database-missing", "does not exist", "Check the database name"
        )


@pytest.mark.parametrize(
    ("change", "undo"),
    [
        pytest.param("ALTER ROLE {name} NOLOGIN", "ALTER ROLE {name} LOGIN", id="role-may-not-log-in"),
        pytest.param(
            "REVOKE CONNECT ON DATABASE {name} FROM PUBLIC",
            "GRANT CONNECT ON DATABASE {name} TO PUBLIC",
            id="role-may-not-connect",
        ),
        pytest.param(
            "ALTER DATABASE {name} ALLOW_CONNECTIONS false",
            "ALTER DATABASE {name} ALLOW_CONNECTIONS true",
            id="nobody-may-connect",
        ),
    ],
)
def test_permission_denied(sidecar: Sidecar, ground: Ground, change: str, undo: str) -> None:
    """The password is right, the right is missing."""
    with ground.altered(change, undo):
        check_failure(sidecar, ground.fields(), "permission-denied", "is not allowed to connect", "Ask the database")


@pytest.mark.parametrize("sslmode", ["disable", "allow", "prefer"])
def test_no_entry_in_pg_hba(sidecar: Sidecar, ground: Ground, sslmode: str) -> None:
    """Neither with TLS nor without it; nobody is sent after TLS on a server that has none."""
    told = ("permission-denied", "does not let this user", "pg_hba.conf")
    with ground.plain.hba(f"host all {ground.name} all reject"):
        check_failure(sidecar, ground.fields(sslmode=sslmode), *told)
    before = ("host all postgres all scram-sha-256",)
    for server in (ground.plain, ground.tls) if sslmode != "disable" else (ground.plain,):
        server.set_hba(before)
        try:
            check_failure(sidecar, ground.fields(server, sslmode=sslmode), *told)
        finally:
            server.set_hba()


def test_another_way_of_logging_in(sidecar: Sidecar, ground: Ground) -> None:
    """A server that asks the operating system rather than for a password."""
    with ground.plain.hba(f"host all {ground.name} all ident"):
        check_failure(sidecar, ground.fields(), "permission-denied", "another way of logging in", "Ask the database")


# TLS


@pytest.mark.parametrize("line", ["hostnossl all all all reject", None], ids=["rejected", "no-entry"])
def test_tls_required(sidecar: Sidecar, ground: Ground, line: str | None) -> None:
    """Without TLS nobody comes in; every other mode does."""
    ground.tls.set_hba([line, "host all all all scram-sha-256"] if line else ["hostssl all all all scram-sha-256"])
    try:
        check_failure(
            sidecar,
            ground.tls_fields(sslmode="disable"),
            "tls-required",
            "encrypted connections only",
            "Set the TLS mode",
        )
        for sslmode in ("allow", "prefer", "require"):
            assert sidecar.test_connection(ground.tls_fields(sslmode=sslmode)).status_code == 200
    finally:
        ground.tls.set_hba()


def test_pooler_requires_tls(sidecar: Sidecar, ground: Ground) -> None:
    """Its words for it are others."""
    with Pooler(ground.plain, {ground.name: PASSWORD}, tls=ground.certificates.good) as pooler:
        fields = ground.fields(port=pooler.port)

        check_failure(sidecar, {**fields, "sslmode": "disable"}, "tls-required", "encrypted", "Set the TLS mode")
        assert sidecar.test_connection(fields).status_code == 200


@pytest.mark.parametrize("sslmode", ["require", "verify-ca", "verify-full"])
def test_tls_unavailable(sidecar: Sidecar, ground: Ground, sslmode: str) -> None:
    """Demanded of a server that has none."""
    check_failure(
        sidecar, ground.fields(sslmode=sslmode), "tls-unavailable", "does not offer TLS", "Set the TLS mode to prefer"
    )


def test_channel_binding_unavailable(sidecar: Sidecar, ground: Ground) -> None:
    """It needs TLS, which this server has not."""
    check_failure(sidecar, ground.fields(channel_binding="require"), "tls-unavailable", "channel binding")


@pytest.mark.parametrize(
    ("kind", "host", "phrases"),
    [
        pytest.param("unknown_issuer", "localhost", ("its issuer is unknown here", "root certificate"), id="issuer"),
        pytest.param("expired", "localhost", ("it has expired", "a valid certificate"), id="expired"),
        pytest.param("wrong_host", "localhost", ("issued for another name", "Use the host name"), id="name"),
        pytest.param("wrong_host", "127.0.0.1", ("issued for another name", "Use the host name"), id="address"),
    ],
)
def test_certificate_unverified(
    sidecar: Sidecar, ground: Ground, kind: str, host: str, phrases: tuple[str, ...]
) -> None:
    """Of an unknown issuer, expired, or for another name; who does not ask for verification is let in."""
    with ground.tls.tls(getattr(ground.certificates, kind)):
        check_failure(sidecar, ground.verified(host=host), "tls-unverified", *phrases)
        assert sidecar.test_connection(ground.tls_fields(host=host)).status_code == 200


def test_root_certificate_unusable(sidecar: Sidecar, ground: Ground, tmp_path: Path) -> None:
    """Not given, not there, or no certificate at all; and the sentence shows no path."""
    garbage = tmp_path / "garbage.crt"
    garbage.write_text("no certificate")
    told = ("tls-unverified", "root certificate", "was not found or cannot be read", "Give the path")
    for root in (None, str(tmp_path / "missing.crt"), str(garbage), str(tmp_path)):
        answer = check_failure(sidecar, {**ground.verified(), "sslrootcert": root}, *told)
        assert str(tmp_path) not in answer.text


def test_system_roots_do_not_know_the_issuer(sidecar: Sidecar, ground: Ground) -> None:
    """`system` stands for the authorities that the computer trusts."""
    check_failure(sidecar, {**ground.verified(), "sslrootcert": "system"}, "tls-unverified", "its issuer is unknown")


def test_client_certificate(sidecar: Sidecar, ground: Ground) -> None:
    """Missing, for somebody else, of an issuer that the server does not know; the right one opens."""
    authority = ground.certificates.authority
    with ground.tls.hba(f"hostssl all {ground.name} all cert"):
        check_failure(
            sidecar, ground.tls_fields(sslmode="require"), "tls-required", "asks for a client certificate", "Give the"
        )
        somebody_else = ground.with_client_certificate(authority, "somebody-else")
        check_failure(sidecar, somebody_else, "permission-denied", "for another database user", "Give the client")
        stranger = ground.with_client_certificate(CertificateAuthority("Stranger"), ground.name)
        check_failure(sidecar, stranger, "tls-required", "did not accept", "Give the client certificate")
        right = ground.with_client_certificate(authority, ground.name)
        assert sidecar.test_connection(right).status_code == 200


def test_client_certificate_unusable(sidecar: Sidecar, ground: Ground, tmp_path: Path) -> None:
    """Files that do not exist, do not belong together, are open to others, or are locked by a passphrase."""
    right = ground.with_client_certificate(ground.certificates.authority, ground.name)
    other = ground.with_client_certificate(ground.certificates.authority, ground.name)
    open_key, locked_key = tmp_path / "open.key", tmp_path / "locked.key"
    open_key.write_bytes(Path(right["sslkey"]).read_bytes())
    open_key.chmod(0o644)
    locked_key.touch(mode=0o600)
    locked_key.write_bytes(with_passphrase(Path(right["sslkey"]).read_bytes()))
    told = ("tls-unverified", "client certificate or its private key", "Check the paths")
    for key in (str(tmp_path / "missing"), other["sslkey"], str(open_key), str(locked_key)):
        check_failure(sidecar, {**right, "sslkey": key}, *told)
    check_failure(sidecar, {**right, "sslcert": str(open_key)}, *told)
    assert "pass phrase" not in sidecar.stderr_text()  # nobody is asked on the terminal


def test_no_common_cipher(sidecar: Sidecar, ground: Ground) -> None:
    """Both can TLS, but not the same."""
    ground.tls.configure(ssl_max_protocol_version="'TLSv1.2'", ssl_ciphers="'AES128-SHA256'")
    try:
        check_failure(
            sidecar,
            ground.tls_fields(sslmode="require"),
            "connection-failed",
            "could not agree on how to encrypt",
            "Ask",
        )
    finally:
        ground.tls.configure(ssl_max_protocol_version="''", ssl_ciphers="'HIGH:MEDIUM:+3DES:!aNULL'")


# A server that cannot


def test_too_many_clients(sidecar: Sidecar, ground: Ground, cluster: PostgresServer) -> None:
    """A full server, and a role and a database with a limit."""
    told = ("too-many-connections", "no connection left", "Close other clients")
    fields = cluster.dsn_fields(username="lead", password=PASSWORD)
    superuser = cluster.dsn_fields()
    with contextlib.ExitStack() as stack:
        for _ in range(5):
            stack.enter_context(contextlib.closing(connect(fields)))
        check_failure(sidecar, {**fields}, *told)
        for _ in range(3):
            stack.enter_context(contextlib.closing(connect(superuser)))
        check_failure(sidecar, {**fields}, *told)
    for change in ("ROLE {name}", "DATABASE {name}"):
        with ground.altered(f"ALTER {change} CONNECTION LIMIT 0", f"ALTER {change} CONNECTION LIMIT -1"):
            check_failure(sidecar, ground.fields(), *told)


def test_server_shutting_down(sidecar: Sidecar, cluster: PostgresServer) -> None:
    """It waits for a session to end and lets nobody else in."""
    fields = cluster.dsn_fields(username="lead", password=PASSWORD)
    with contextlib.closing(connect(fields)):
        cluster.begin_stop("smart")
        wait_until(lambda: "shutting down" in refusal(fields), timeout_s=10, what="the server to refuse")

        check_failure(sidecar, {**fields}, "server-starting", "is starting up or shutting down", "Wait a moment")
    cluster.restart("smart")


def test_server_starting_is_waited_for(sidecar: Sidecar, cluster: PostgresServer, tmp_path: Path) -> None:
    """A server that still recovers says so; once it has recovered, the sidecar that waited for it becomes ready."""
    with fresh_database(cluster, with_tables=True) as database, Sidecar() as waiting:
        with held_in_recovery(cluster) as release:
            check_failure(
                sidecar, {**database.fields()}, "server-starting", "is starting up or shutting down", "Wait a moment"
            )
            waiting.save_connection(database.fields())
            assert_pending(waiting, "server-starting")
            release()
        waiting.wait_healthy()


# Poolers


@pytest.mark.parametrize("pool_mode", ["session", "transaction"])
def test_pooler_simply_works(sidecar: Sidecar, ground: Ground, pool_mode: str) -> None:
    """It refuses session time-outs as start-up parameters; the next try goes without. Its own refusals are told."""
    users = {ground.name: PASSWORD}
    with Pooler(ground.plain, users, pool_mode=pool_mode, max_client_conn=2) as pooler:
        fields = ground.fields(port=pooler.port)

        assert sidecar.test_connection(fields).status_code == 200
        wrong = CANARIES["percent"]
        check_failure(sidecar, {**fields, "password": wrong}, "password-rejected", "rejected the", password=wrong)
        check_failure(sidecar, {**fields, "database": "nowhere"}, "database-missing", "does not exist")
        check_failure(sidecar, {**fields, "sslmode": "require"}, "tls-unavailable", "does not offer TLS")
        with contextlib.closing(connect(fields)), contextlib.closing(connect(fields)):
            check_failure(sidecar, fields, "too-many-connections", "no connection left")


def test_pooler_refuses_a_start_up_parameter(sidecar: Sidecar, ground: Ground) -> None:
    """One that people typed themselves, or one that no connection can go without."""
    told = ("parameter-refused", "refused a start-up parameter", "ignore_startup_parameters")
    with Pooler(ground.plain, {ground.name: PASSWORD}) as pooler:
        fields = ground.fields(port=pooler.port, options="-c search_path=team")
        check_failure(sidecar, fields, *told)
    reply = error_response("unsupported startup parameter: application_name", sqlstate="08P01")
    with FakeServer(reply) as server:
        check_failure(sidecar, ground.fields(port=server.port), *told)
        assert len(server.received) == 2  # with session time-outs, and without


def test_pooler_without_its_server(sidecar: Sidecar, ground: Ground) -> None:
    """It knows that its server is gone."""
    reply = error_response("server login has been failing, try again later (server_login_retry)", sqlstate="08P01")
    with FakeServer(reply) as server:
        check_failure(
            sidecar, ground.fields(port=server.port), "server-starting", "pooler answers, but does not reach", "Wait"
        )


# No PostgreSQL


@pytest.mark.parametrize("sslmode", ["disable", "prefer", "require"])
def test_web_server_that_answers(sidecar: Sidecar, ground: Ground, sslmode: str) -> None:
    """With an error page, at once."""
    with web_server() as port:
        fields = ground.fields(port=port, sslmode=sslmode)
        check_failure(sidecar, fields, "not-postgresql", "not a PostgreSQL server", "Check host and port")


MYSQL = b"\x4a\x00\x00\x00\x0a8.0.36\x00\x0b\x00\x00\x00abcdefgh\x00\xff\xff\xff\x02\x00\xff\xdf\x15" + b"\x00" * 10


@pytest.mark.parametrize(
    "greeting",
    [
        pytest.param(b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n", id="ssh"),
        pytest.param(b"220 mail.example ESMTP\r\n", id="mail"),
        pytest.param(MYSQL, id="mysql"),
        pytest.param(b"-ERR unknown command\r\n", id="redis"),
        pytest.param(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n", id="http"),
    ],
)
@pytest.mark.parametrize("sslmode", ["disable", "prefer"])
def test_something_else_answers(sidecar: Sidecar, ground: Ground, greeting: bytes, sslmode: str) -> None:
    """The right host, the wrong port."""
    with FakeServer(greeting, is_postgres=False) as server:
        fields = ground.fields(port=server.port, sslmode=sslmode)
        check_failure(sidecar, fields, "not-postgresql", "not a PostgreSQL server", "Check host and port")


def test_server_that_hangs_up(sidecar: Sidecar, ground: Ground) -> None:
    """A proxy without a server behind it; it may come back, so this is not the end of all attempts."""
    with LoopbackServer(lambda _: None) as server:
        fields = ground.fields(port=server.port)
        check_failure(sidecar, fields, "connection-lost", "closed the connection", "Check host and port")


# Words nobody knows


FOREIGN = ("sunucu şifreyi kabul etmedi", "ÖLÜMCÜL (FATAL)", "utf-8")
LOCALISED = {
    "german": ("Passwort-Authentifizierung für Benutzer »lead« fehlgeschlagen", "FATAL", "utf-8"),
    "german-of-windows": ("Passwort-Authentifizierung für Benutzer »lead« fehlgeschlagen", "FATAL", "cp1252"),
    "french": ("l'authentification par mot de passe a échoué pour l'utilisateur « lead »", "FATAL", "utf-8"),
    "japanese": ('ユーザー"lead"のパスワード認証に失敗しました', "FATAL", "utf-8"),
    "russian": ('пользователь "lead" не прошёл проверку подлинности', "ВАЖНО", "utf-8"),
}


@pytest.mark.parametrize(("words", "severity", "encoding"), LOCALISED.values(), ids=LOCALISED)
def test_localised_refusal(sidecar: Sidecar, ground: Ground, words: str, severity: str, encoding: str) -> None:
    """The words with which PostgreSQL rejects a password are known in its languages."""
    reply = error_response(words, sqlstate="28P01", localized_severity=severity, encoding=encoding)
    with FakeServer(reply) as server:
        fields = ground.fields(port=server.port)
        check_failure(sidecar, fields, "password-rejected", "rejected the user name or the password", "Enter the right")


def test_foreign_refusal(sidecar: Sidecar, ground: Ground) -> None:
    """What nobody here understands is passed on in the server's own words."""
    words, severity, encoding = FOREIGN
    reply = error_response(words, sqlstate="28P01", localized_severity=severity, encoding=encoding)
    with FakeServer(reply) as server:
        fields = ground.fields(port=server.port)
        check_failure(sidecar, fields, UNKNOWN, "refused the connection: ", words, "It is tried again")


def test_words_of_a_server_are_cleaned(sidecar: Sidecar, ground: Ground) -> None:
    """One line, no link, no control character, and nothing at all if the password is in it."""
    for words in (
        "quota exceeded\nsee https://billing.example/?account=1",
        "quota exceeded\x1b[31m https://billing.example/",
        f"quota exceeded\nfor {PASSWORD}",
    ):
        with FakeServer(error_response(words, sqlstate="XX000")) as server:
            check_failure(sidecar, ground.fields(port=server.port), UNKNOWN, "quota exceeded")
    for words in (f"quota of {PASSWORD} exceeded", f"quota of {PASSWORD.upper()} exceeded"):
        with FakeServer(error_response(words, sqlstate="XX000")) as server:
            fields = ground.fields(port=server.port)
            answer = check_failure(sidecar, fields, UNKNOWN, "refused the connection")
            assert "quota" not in answer.text


# Lists of hosts


def test_refusal_counts_whatever_other_hosts_did(sidecar: Sidecar, ground: Ground) -> None:
    """A dead first host does not hide what the second one said."""
    wrong, dead = CANARIES["backslash"], free_port()
    for host, port in (
        ("127.0.0.1,127.0.0.1", f"{dead},{ground.plain.port}"),
        ("no-such-host.invalid,127.0.0.1", f"{ground.plain.port}"),
    ):
        fields = ground.fields(host=host, port=port, password=wrong)
        check_failure(sidecar, fields, "password-rejected", "rejected the user name", password=wrong)


def test_no_host_of_the_demanded_kind(sidecar: Sidecar, ground: Ground) -> None:
    """There is no standby among them."""
    fields = ground.fields(target_session_attrs="standby")

    check_failure(sidecar, fields, UNKNOWN, "None of the hosts is a server of the demanded kind", "Check the")


# Nothing is written


def test_test_without_a_key_makes_none(ground: Ground, tmp_path: Path) -> None:
    """A sidecar that has no key has none after a test, successful or not; saved files do not matter to it."""
    (tmp_path / "db_credentials.enc").write_bytes(b"its key is lost")
    with Sidecar(config_dir=tmp_path) as sidecar:
        sidecar.wait_for_problem("key-missing")
        before = footprint(sidecar)

        assert sidecar.test_connection(ground.fields()).status_code == 200
        check_failure(sidecar, ground.fields(port=free_port()), "connection-refused")

        assert footprint(sidecar) == before
        assert not (tmp_path / "fernet.key").exists()


def test_successful_test_leaves_no_trace(sidecar: Sidecar, ground: Ground) -> None:
    """No file, no session on the server, no password in a log."""
    before = footprint(sidecar)

    answer = sidecar.test_connection(ground.fields())

    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert footprint(sidecar) == before
    assert find_canary(sidecar.stderr_text() + sidecar.log_text(), PASSWORD) == []
    wait_until(lambda: ground.plain.sessions(database=ground.name) == 0, timeout_s=30, what="the session to end")


# The same through the pipeline


@pytest.fixture(scope="module")
def saver() -> Iterator[Sidecar]:
    """A sidecar into which one connection after the other is saved."""
    with Sidecar(args=["--log-level", "debug"]) as sidecar:
        sidecar.wait_healthy()
        yield sidecar


def assert_final(sidecar: Sidecar, code: str) -> dict[str, Any]:
    """The sidecar has given up for now with a problem, and tells it everywhere alike; return the problem."""
    document = sidecar.wait_for(lambda document: (document["problem"] or {}).get("code") == code)
    problem: dict[str, Any] = document["problem"]
    assert document["state"] == "failed"
    assert not problem["retryable"]
    # long enough for an account not to be locked, or for a person to have repaired it
    assert problem["next_retry_in_s"] > (200 if code == "password-rejected" else 15)
    assert sidecar.health() == (503, {"status": "unhealthy", "error": problem["message"]})
    assert {stage["name"]: stage["state"] for stage in document["stages"]}["connect"] == "failed"
    return problem


def assert_pending(sidecar: Sidecar, code: str) -> dict[str, Any]:
    """The sidecar has met a problem and tries again; return the problem."""
    document = sidecar.wait_for(lambda document: (document["problem"] or {}).get("code") == code)
    problem: dict[str, Any] = document["problem"]
    assert document["state"] == "reconnecting"
    assert problem["retryable"]
    assert problem["next_retry_in_s"] is not None
    assert sidecar.health() == (503, {"status": "unhealthy", "error": problem["message"]})
    return problem


@pytest.mark.parametrize(
    "choose",
    [
        pytest.param(lambda ground: (ground.plain, {}), id="without-tls"),
        pytest.param(lambda ground: (ground.tls, {}), id="tls-preferred"),
        pytest.param(lambda ground: (ground.tls, {"sslmode": "allow"}), id="tls-allowed"),
        pytest.param(
            lambda ground: (ground.plain, {"host": "no-such-host.invalid,127.0.0.1"}), id="first-host-unknown"
        ),
        pytest.param(
            lambda ground: (ground.plain, {"host": "::1,127.0.0.1", "port": f"{free_port()},{ground.plain.port}"}),
            id="first-host-dead",
        ),
    ],
)
def test_wrong_password_is_tried_once(
    saver: Sidecar, ground: Ground, choose: Callable[[Ground], tuple[PostgresServer, dict[str, Any]]]
) -> None:
    """The server counts: accounts get locked after a few failures."""
    server, changes = choose(ground)
    role = f"counted_{secrets.token_hex(4)}"
    complaint = f'password authentication failed for user "{role}"'
    wrong = CANARIES["unicode"]

    saver.save_connection(ground.fields(server, username=role, password=wrong, **changes))

    problem = assert_final(saver, "password-rejected")
    assert problem["who"] == "you"
    assert find_canary(str(saver.status()), wrong) == []
    pause(0.5)  # the second attempt at a passing problem comes after 0.1 s, the third 0.2 s later
    assert server.log_text().count(complaint) == 1
    assert saver.request("POST", "/api/v1/settings/retry").status_code == 202
    wait_until(lambda: server.log_text().count(complaint) == 2, timeout_s=10, what="the attempt that was asked for")
    assert_final(saver, "password-rejected")
    assert find_canary(saver.stderr_text() + saver.log_text(), wrong) == []


def test_localised_refusal_is_tried_once(saver: Sidecar, ground: Ground) -> None:
    """It may well be a wrong password, also when another address does not answer at all."""
    for words, severity, encoding in LOCALISED.values():
        reply = error_response(words, sqlstate="28P01", localized_severity=severity, encoding=encoding)
        with FakeServer(reply) as server:
            dead = f"{free_port()},{server.port}"
            saver.save_connection(ground.fields(host="127.0.0.1,127.0.0.1", port=dead))

            assert_final(saver, "password-rejected")
            pause(0.3)
            assert len(server.received) == 1


def test_foreign_refusal_is_tried_again_after_a_while(saver: Sidecar, ground: Ground) -> None:
    """It may pass, or be a wrong password in a language we do not know."""
    words, severity, encoding = FOREIGN
    reply = error_response(words, sqlstate="28P01", localized_severity=severity, encoding=encoding)
    with FakeServer(reply) as server:
        saver.save_connection(ground.fields(port=server.port))

        assert assert_pending(saver, UNKNOWN)["next_retry_in_s"] > 2
        pause(0.5)  # a passing trouble would have been tried twice more
        assert len(server.received) == 1


@pytest.mark.parametrize(
    ("code", "who", "changes"),
    [
        ("database-missing", "you", {"database": "nowhere"}),
        ("tls-unavailable", "you", {"sslmode": "require"}),
        ("permission-denied", "database administrator", {"database": "template0"}),
    ],
)
def test_permanent_problems_end_the_attempts(
    saver: Sidecar, ground: Ground, code: str, who: str, changes: dict[str, Any]
) -> None:
    """The pipeline tells what the test tells, and connects once."""
    with TcpProxy(ground.plain.port) as proxy:
        fields = ground.fields(port=proxy.port, **changes)
        sentence = saver.test_connection(fields).json()["error"]
        saver.save_connection({**fields, "sslmode": fields.get("sslmode", "disable")})

        problem = assert_final(saver, code)

        assert problem["who"] == who
        assert sentence == f"Connection failed: {problem['message']} {problem['remedy']}"
        accepted = proxy.accepted
        pause(0.5)
        assert proxy.accepted == accepted


def test_other_servers_end_the_attempts(saver: Sidecar, ground: Ground) -> None:
    """A web server will not turn into PostgreSQL, nor a bad certificate into a good one."""
    with web_server() as port:
        saver.save_connection(ground.fields(port=port))
        assert_final(saver, "not-postgresql")
    with ground.tls.tls(ground.certificates.expired):
        saver.save_connection(ground.verified())
        assert_final(saver, "tls-unverified")


def test_passing_problems_heal_by_themselves(saver: Sidecar, cluster: PostgresServer) -> None:
    """Refused, full, hung up: each shows as it is, is tried again, and ends in `ready` when the cause is gone."""
    with fresh_database(cluster, with_tables=True) as database, TcpProxy(cluster.port) as proxy:
        fields = {**database.fields(), "port": proxy.port}
        proxy.refuse()
        saver.save_connection(fields)
        assert assert_pending(saver, "connection-refused")["who"] == "database administrator"
        proxy.pass_through()
        saver.wait_healthy()

        with database_limit(database.name, cluster, 0):
            saver.save_connection(fields)
            assert_pending(saver, "too-many-connections")
        saver.wait_healthy()
    with fresh_database(cluster, with_tables=True) as database, LoopbackServer(lambda _: None) as server:
        saver.save_connection({**database.fields(), "port": server.port})
        assert_pending(saver, "connection-lost")
        server.close()
        with TcpProxy(cluster.port, port=server.port):
            saver.wait_healthy()


def test_pooler_carries_the_whole_product(saver: Sidecar, postgres: PostgresServer) -> None:
    """Migrated, ready and usable, with transactions that end in time although the session has no time-outs."""
    with (
        fresh_database(postgres) as database,
        Pooler(postgres, {database.username: database.password}) as pooler,
    ):
        saver.save_connection(pooler.dsn_fields(database=database.name, username=database.username))
        saver.wait_healthy()

        answer = saver.request("POST", "/api/v1/members", json={"name": "Ada", "email": "ada@example.com"})

        assert answer.status_code == 201
        assert database.query("SELECT name FROM members") == [("Ada",)]
        # let go of the server before it goes
        assert saver.request("DELETE", "/api/v1/settings/connection").status_code == 204
        saver.wait_healthy()


def test_server_of_another_system_works(saver: Sidecar, postgres: PostgresServer) -> None:
    """PostgreSQL on Windows refuses to watch for dead clients; that is no reason not to use it."""
    with fresh_database(postgres, with_tables=True) as database, FussyProxy(postgres.port) as proxy:
        fields = {**database.fields(), "port": proxy.port}

        assert saver.test_connection(fields).status_code == 200
        saver.save_connection(fields)
        saver.wait_healthy()

        assert proxy.changed > 0
        assert saver.request("DELETE", "/api/v1/settings/connection").status_code == 204
        saver.wait_healthy()


# Helpers


class FussyProxy(TcpProxy):
    """Spoils the value of `client_connection_check_interval`, so that the server refuses it."""

    changed = 0

    def _pump(self, source: socket.socket, sink: socket.socket, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while chunk := source.recv(65536):
                self.changed += chunk.count(b"'2s'")
                sink.sendall(chunk.replace(b"'2s'", b"'?s'"))
        for side in (source, sink):
            with contextlib.suppress(OSError):
                side.shutdown(socket.SHUT_RDWR)


def connect(fields: ConnectionFields | dict[str, Any]) -> Any:
    """Open a session of somebody else."""
    return psycopg2.connect(
        host=fields["host"],
        port=fields["port"],
        dbname=fields["database"],
        user=fields["username"],
        password=fields["password"],
        connect_timeout=10,
    )


def refusal(fields: ConnectionFields) -> str:
    """Return libpq's words; nothing if the connection is made."""
    try:
        connect(fields).close()
    except psycopg2.OperationalError as exc:
        return str(exc)
    return ""


def pause(seconds: float) -> None:
    """Let time pass in which something must not happen."""
    time.sleep(seconds)


@contextlib.contextmanager
def database_limit(name: str, server: PostgresServer, limit: int) -> Iterator[None]:
    """Limit the sessions in a database, those of superusers excepted."""
    server.execute(f"ALTER DATABASE {name} CONNECTION LIMIT {limit:d}")
    try:
        yield
    finally:
        server.execute(f"ALTER DATABASE {name} CONNECTION LIMIT -1")


@contextlib.contextmanager
def held_in_recovery(server: PostgresServer) -> Iterator[Callable[[], object]]:
    """Restart a server so that it waits for an archive while it starts; what is yielded ends the wait.

    It asks the archive for the next piece of its log, and until the answer comes it is `starting up`.
    """
    data = Path(server.query("SHOW data_directory")[0][0])
    gate = data / "the-archive-answers"
    server.stop()
    archive = f"'until [ -e {gate} ]; do sleep 0.05; done; false'"
    # nobody is let in to read before it has recovered
    server.configure(restore_command=archive, hot_standby="off")
    ServerAccount.choose().write(data / "recovery.signal", "")
    server.start(wait=False)
    fields = server.dsn_fields()
    wait_until(lambda: "starting up" in refusal(fields), timeout_s=20, what="the server to recover")
    try:
        yield gate.touch
    finally:
        gate.touch()
        server.wait_ready()
        server.configure(restore_command="''", hot_standby="on")
        gate.unlink()


@contextlib.contextmanager
def silent_web_server() -> Iterator[int]:
    """Run Python's own web server, which waits for the end of a line before it says anything."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        yield int(server.server_address[1])
        server.shutdown()
        thread.join()


def with_passphrase(key_pem: bytes) -> bytes:
    """Lock a private key."""
    from cryptography.hazmat.primitives import serialization

    key = serialization.load_pem_private_key(key_pem, password=None)
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.BestAvailableEncryption(b"passphrase"),
    )
