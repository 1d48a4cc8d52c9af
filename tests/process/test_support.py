"""The tests' own machinery does what it claims; without that, no other test means anything."""

from __future__ import annotations

import base64
import json
import os
import shutil
import signal
import socket
import sqlite3
import ssl
import struct
import subprocess
import sys
import textwrap
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus

import httpx
import psycopg2
import pytest

from tests.support import processes, real_parts
from tests.support.accounts import ServerAccount
from tests.support.canaries import CANARIES, NASTY_PASSWORDS, find_canary, scan_files, scan_process
from tests.support.databases import SqliteDatabase
from tests.support.network import (
    FakeServer,
    LoopbackServer,
    TcpProxy,
    black_hole,
    error_response,
    free_port,
    has_ipv6,
    never_replies,
    web_server,
)
from tests.support.pooler import Pooler
from tests.support.postgres import ConnectionFields, PostgresServer
from tests.support.sidecar import CHECKOUT, Sidecar, SidecarExitedError, run_command, stop_all
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.certificates import Certificates
    from tests.support.databases import Backend, Database

pytest_plugins = ("pytester",)


@pytest.fixture
def database(empty_database: Database) -> Database:
    """What is tested here finds a database empty."""
    return empty_database


def connect(fields: ConnectionFields, **options: str) -> Any:
    """Open a psycopg2 connection as the typed settings say."""
    return psycopg2.connect(
        host=fields["host"],
        port=fields["port"],
        dbname=fields["database"],
        user=fields["username"],
        password=fields["password"],
        **{"connect_timeout": "10", **options},
    )


def refusal(fields: ConnectionFields, **options: str) -> str:
    """Return the words with which a connection fails."""
    with pytest.raises(psycopg2.OperationalError) as caught:
        connect(fields, **options)
    return str(caught.value)


# Waiting and missing parts


def test_wait_returns_the_first_true_value() -> None:
    """The value comes back, so that the caller need not ask twice."""
    answers = iter([0, None, "", "found", "later"])

    assert wait_until(lambda: next(answers), timeout_s=30, what="an answer") == "found"


def test_wait_gives_up_at_its_deadline_and_says_on_what() -> None:
    """A condition that never comes ends in a TimeoutError that names it."""
    with pytest.raises(TimeoutError, match=r"in vain for the moon"):
        wait_until(lambda: False, timeout_s=0.05, what="the moon")


def test_missing_part_skips_on_a_desk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody without the Debian package can still run the rest."""
    monkeypatch.delenv("CI", raising=False)

    with pytest.raises(pytest.skip.Exception, match=r"apt-get install -y no-such-package"):
        real_parts.require_binary("no-such-program", package="no-such-package")


def test_missing_part_fails_under_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    """Under CI nothing is skipped for want of a program."""
    monkeypatch.setenv("CI", "true")

    with pytest.raises(pytest.fail.Exception, match=r"apt-get install -y no-such-package"):
        real_parts.require_binary("no-such-program", package="no-such-package")


# PostgreSQL


@pytest.fixture(params=["bundled", "system"])
def cluster(request: pytest.FixtureRequest) -> Iterator[PostgresServer]:
    """A cluster for one test, of either version."""
    programs = real_parts.bundled_postgres() if request.param == "bundled" else real_parts.system_postgres()
    with PostgresServer(programs, max_connections=10) as server:
        yield server


def test_cluster_asks_for_the_password_on_every_address(cluster: PostgresServer) -> None:
    """The right password is let in and a wrong one is not, by IPv4 and by IPv6."""
    cluster.create_role("lead", "right")
    cluster.create_database("team", owner="lead")

    for host in ["127.0.0.1", "localhost"] + (["::1"] if has_ipv6() else []):
        fields = cluster.dsn_fields(database="team", username="lead", password="right", host=host)
        with closing(connect(fields)) as connection, connection.cursor() as cursor:
            cursor.execute("CREATE TABLE owned (id int)")
            cursor.execute("SELECT current_user, current_database()")
            assert cursor.fetchone() == ("lead", "team")
        assert "password authentication failed" in refusal({**fields, "password": "wrong"})


@pytest.mark.parametrize("password", NASTY_PASSWORDS.values(), ids=NASTY_PASSWORDS)
def test_cluster_takes_names_and_passwords_as_they_are(postgres: PostgresServer, password: str) -> None:
    """Quotes, percent signs and backslashes in names and passwords reach the server unharmed."""
    name = f'"o\'lead" %s {{}} \\ {threading.get_ident()}'
    postgres.create_role(name, password)
    postgres.create_database(name, owner=name)
    try:
        with closing(connect(postgres.dsn_fields(database=name, username=name, password=password))) as connection:
            assert connection.info.dbname == name
            assert connection.info.user == name
    finally:
        postgres.drop_database(name)
        postgres.drop_role(name)


def test_cluster_comes_back_with_its_data_after_a_crash(cluster: PostgresServer) -> None:
    """Killed with all its children it is refused at once, and returns on the same port with what was committed."""
    cluster.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    children = [process.pid for process in processes.descendants(cluster.pid)]
    fields = cluster.dsn_fields()

    cluster.kill9()

    assert not cluster.is_running
    assert not any(processes.is_alive(child) for child in children)
    assert "Connection refused" in refusal(fields)
    cluster.start()
    assert cluster.query("SELECT answer FROM kept") == [(42,)]
    assert "not properly shut down" in cluster.log_text()
    with closing(connect(fields)):
        pass


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_stop_disconnects_everybody(cluster: PostgresServer, mode: Any) -> None:
    """Neither way of stopping waits for a session."""
    with closing(connect(cluster.dsn_fields())):
        cluster.stop(mode)

    assert not cluster.is_running


def test_smart_stop_refuses_newcomers_while_a_session_remains(cluster: PostgresServer) -> None:
    """A cluster that is shutting down says so."""
    fields = cluster.dsn_fields()
    with closing(connect(fields)):
        cluster.begin_stop("smart")

        wait_until(lambda: "shutting down" in refusal(fields), timeout_s=10, what="the refusal")

    cluster.stop("smart")


def test_changed_hba_governs_the_next_connection(cluster: PostgresServer) -> None:
    """Lines for one block count as soon as it begins and no longer when it has ended."""
    fields = cluster.dsn_fields()

    with cluster.hba("host all all all reject"):
        assert "pg_hba.conf rejects connection" in refusal(fields)
        assert cluster.query("SELECT 1") == [(1,)]

    with closing(connect(fields)):
        pass


def test_malformed_hba_line_is_reported(cluster: PostgresServer) -> None:
    """PostgreSQL would quietly keep the old lines."""
    with pytest.raises(ValueError, match=r"malformed"):
        cluster.set_hba(["host nonsense"])


def test_superuser_gets_in_when_the_cluster_is_full(cluster: PostgresServer) -> None:
    """Seven ordinary sessions of ten fill it; the tests still see them."""
    cluster.create_role("lead", "secret")
    fields = cluster.dsn_fields(username="lead", password="secret")
    connections = [connect(fields, application_name="taskflow-sidecar/1") for _ in range(7)]
    try:
        assert "remaining connection slots" in refusal(fields)
        assert cluster.sessions() == 7
        assert cluster.sessions(database="template1") == 0
        assert cluster.terminate_sessions() == 7
        assert cluster.sessions() == 0
    finally:
        for connection in connections:
            connection.close()


def test_role_options_are_obeyed(cluster: PostgresServer) -> None:
    """A role without LOGIN is turned away; an ordinary one may not create databases."""
    cluster.create_role("group", "secret", login=False)
    cluster.create_role("lead", "secret")
    cluster.create_role("admin", "secret", createdb=True)

    assert "not permitted to log in" in refusal(cluster.dsn_fields(username="group", password="secret"))
    rights = "SELECT rolname, rolcreatedb, rolsuper FROM pg_roles WHERE rolname IN ('lead', 'admin') ORDER BY 1"
    assert cluster.query(rights) == [("admin", True, False), ("lead", False, False)]


def test_start_that_fails_shows_the_servers_log() -> None:
    """What the server said is in the error, and nothing is left behind."""
    server = PostgresServer(settings={"shared_buffers": "nonsense"})

    with pytest.raises(RuntimeError, match=r"shared_buffers"):
        server.__enter__()

    assert not server.is_running


def test_closed_cluster_leaves_nothing() -> None:
    """No process and no file outlives the block, even of a cluster that was killed."""
    with PostgresServer() as server:
        directory, pid = server.query("SHOW data_directory")[0][0], server.pid
        server.kill9()

    assert not processes.is_alive(pid)
    assert not Path(directory).exists()


def test_programs_in_a_private_home_are_copied(tmp_path: Path) -> None:
    """As root, an installation that the server's account cannot enter still serves."""
    account = ServerAccount.choose()
    if account.name is None:
        pytest.skip("only root runs servers under another account")
    home = tmp_path / "private"
    home.mkdir(mode=0o700)
    package = real_parts.bundled_postgres().parents[1]
    libraries = package.with_name(f"{package.name}.libs")
    shutil.copytree(package / "pginstall18", home / package.name / "pginstall18")
    shutil.copytree(libraries, home / libraries.name)

    with PostgresServer(home / package.name / "pginstall18" / "bin") as server:
        assert server.version == 18


def test_fresh_database_belongs_to_an_ordinary_role(database: Database) -> None:
    """Its owner can create tables in `public` and has no other power."""
    with closing(connect(database.fields())) as connection, connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE public.members (id int PRIMARY KEY)")
        cursor.execute("CREATE TABLE public.tasks (member int REFERENCES members DEFAULT 1)")
        cursor.execute("INSERT INTO members VALUES (1); INSERT INTO tasks DEFAULT VALUES")
        cursor.execute("SELECT rolsuper, rolcreatedb, rolcreaterole FROM pg_roles WHERE rolname = current_user")
        assert cursor.fetchone() == (False, False, False)

    assert database.tables() == ["members", "tasks"]
    database.empty(["members"])
    assert database.query("SELECT count(*) FROM members") == [(0,)]
    assert database.query("SELECT count(*) FROM tasks") == [(1,)]
    with closing(psycopg2.connect(database.url)) as connection:
        assert connection.info.dbname == database.name


def test_embedded_database_is_found_and_emptied(tmp_path: Path) -> None:
    """The one SQLite file among others is the database; rows go whatever refers to them."""
    (tmp_path / "notes.txt").write_text("SQLite")
    contents = SqliteDatabase(tmp_path)
    with closing(sqlite3.connect(tmp_path / "some.db")) as connection, connection:
        connection.execute("CREATE TABLE member (id PRIMARY KEY)")
        connection.execute("CREATE TABLE task (member REFERENCES member)")
    contents.execute("INSERT INTO member VALUES (1)")
    contents.execute("INSERT INTO task VALUES (1)")

    contents.empty(["member"])

    assert contents.tables() == ["member", "task"]
    assert contents.query("SELECT count(*) FROM member") == [(0,)]
    assert contents.query("SELECT count(*) FROM task") == [(1,)]


# TLS


def test_server_presents_the_good_certificate(postgres_tls: PostgresServer, certificates: Certificates) -> None:
    """With the root at hand, full verification succeeds by name and by address."""
    for host in ("localhost", "127.0.0.1"):
        fields = postgres_tls.dsn_fields(host=host)
        with closing(connect(fields, sslmode="verify-full", sslrootcert=str(certificates.root_file))) as connection:
            assert connection.info.ssl_in_use


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        pytest.param("expired", "certificate verify failed", id="expired"),
        pytest.param("unknown_issuer", "certificate verify failed", id="unknown-issuer"),
        pytest.param("wrong_host", "does not match host name", id="wrong-host"),
    ],
)
def test_bad_certificates_are_bad_for_their_own_reason(
    postgres_tls: PostgresServer, certificates: Certificates, kind: str, expected: str
) -> None:
    """Each bad certificate is refused as the kind it is, and the cluster then serves the good one again."""
    fields = postgres_tls.dsn_fields(host="localhost")
    options = {"sslmode": "verify-full", "sslrootcert": str(certificates.root_file)}

    with postgres_tls.tls(getattr(certificates, kind)):
        assert expected in refusal(fields, **options)

    with closing(connect(fields, **options)):
        pass


def test_expired_certificate_is_good_in_every_other_respect(certificates: Certificates, tmp_path: Path) -> None:
    """OpenSSL names expiry, not the issuer or the name, as the reason."""
    assert _verification_error(certificates.expired.write(tmp_path, "expired"), certificates.root_file) == (
        "certificate has expired"
    )


def _verification_error(server_files: tuple[Path, Path], root_file: Path) -> str:
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    serving.load_cert_chain(*server_files)
    trusting = ssl.create_default_context(cafile=str(root_file))
    client_in, client_out, server_in, server_out = (ssl.MemoryBIO() for _ in range(4))
    server = serving.wrap_bio(server_in, server_out, server_side=True)
    client = trusting.wrap_bio(client_in, client_out, server_hostname="localhost")
    for _ in range(4):
        for side in (client, server):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                pass
            except ssl.SSLCertVerificationError as exc:
                return exc.verify_message
            client_in.write(server_out.read())
            server_in.write(client_out.read())
    return "none"


def test_client_certificate_opens_the_door(
    postgres_tls: PostgresServer, certificates: Certificates, tmp_path: Path
) -> None:
    """A server that demands a client's certificate accepts one for the role's name and refuses to go without."""
    certificate, key = certificates.authority.issue_client("postgres").write(tmp_path, "client")
    fields = postgres_tls.dsn_fields()

    with postgres_tls.hba("hostssl all all all cert"):
        connect(fields, sslmode="require", sslcert=str(certificate), sslkey=str(key)).close()
        assert "requires a valid client certificate" in refusal(fields, sslmode="require")


def test_server_that_demands_tls_refuses_without(postgres_tls: PostgresServer) -> None:
    """TLS is demanded by a line of pg_hba.conf."""
    with postgres_tls.hba("hostnossl all all all reject"):
        assert "no encryption" in refusal(postgres_tls.dsn_fields(), sslmode="disable")
        connect(postgres_tls.dsn_fields(), sslmode="require").close()


def test_server_without_tls_says_so(postgres: PostgresServer) -> None:
    """The bundled build has no TLS."""
    assert not postgres.answers_tls()
    assert "does not support SSL" in refusal(postgres.dsn_fields(), sslmode="require")


# The pooler


def test_pooler_passes_transactions_on(database: Database) -> None:
    """Two clients with one server connection both work, each with its password."""
    with Pooler(database.server, {database.username: database.password}, default_pool_size=1) as pooler:
        fields = pooler.dsn_fields(database=database.name, username=database.username)
        with closing(connect(fields)) as first, closing(connect(fields)) as second:
            for connection in (first, second):
                with connection, connection.cursor() as cursor:
                    cursor.execute("SELECT current_database()")
                    assert cursor.fetchone() == (database.name,)
            assert database.server.sessions("", database=database.name) == 1
        assert "authentication failed" in refusal({**fields, "password": "wrong"})


def test_pooler_refuses_startup_parameters_by_default(database: Database) -> None:
    """`options` is refused unless told otherwise, and then it is ignored."""
    users = {database.username: database.password}
    options = "-c statement_timeout=1234"
    with Pooler(database.server, users) as pooler:
        fields = pooler.dsn_fields(database=database.name, username=database.username)
        assert "unsupported startup parameter" in refusal(fields, options=options)
    with Pooler(database.server, users, ignore_startup_parameters=["options"]) as pooler:
        fields = pooler.dsn_fields(database=database.name, username=database.username)
        with closing(connect(fields, options=options)) as connection, connection.cursor() as cursor:
            cursor.execute("SHOW statement_timeout")
            assert cursor.fetchone() == ("0",)


def test_pooler_with_tls_requires_it(database: Database, certificates: Certificates) -> None:
    """A plain client is refused, a verifying one is served."""
    users = {database.username: database.password}
    with Pooler(database.server, users, tls=certificates.good) as pooler:
        fields = pooler.dsn_fields(database=database.name, username=database.username)
        assert "SSL required" in refusal(fields, sslmode="disable")
        connect(fields, sslmode="verify-full", sslrootcert=str(certificates.root_file)).close()


def test_full_pooler_turns_clients_away(database: Database) -> None:
    """Beyond `max_client_conn` a client is refused with words."""
    with Pooler(database.server, {database.username: database.password}, max_client_conn=1) as pooler:
        fields = pooler.dsn_fields(database=database.name, username=database.username)
        with closing(connect(fields)):
            assert "no more connections allowed" in refusal(fields)


# PgBouncer's file of users has one line for each.
@pytest.mark.parametrize("name", [name for name, password in NASTY_PASSWORDS.items() if "\n" not in password])
def test_pooler_knows_nasty_passwords(postgres: PostgresServer, name: str) -> None:
    """Its file of users is quoted rightly."""
    role, password = 'le"ad', NASTY_PASSWORDS[name]
    postgres.create_role(role, password)
    try:
        with Pooler(postgres, {role: password}) as pooler:
            connect(pooler.dsn_fields(database="postgres", username=role)).close()
    finally:
        postgres.drop_role(role)


# Networks


def echo(connection: socket.socket) -> None:
    """Send back whatever comes."""
    while data := connection.recv(1024):
        connection.sendall(data)


def dial(port: int, timeout_s: float = 5) -> socket.socket:
    """Connect to a port on 127.0.0.1."""
    return socket.create_connection(("127.0.0.1", port), timeout=timeout_s)


def hears_nothing(connection: socket.socket, for_s: float = 0.2) -> bool:
    """Whether nothing arrives for a while, not even an end."""
    connection.settimeout(for_s)
    try:
        connection.recv(1)
    except TimeoutError:
        return True
    finally:
        connection.settimeout(5)
    return False


def has_ended(connection: socket.socket) -> bool:
    """Whether the other side ended the connection; the system resets it over bytes that were never read there."""
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


@pytest.fixture
def proxy() -> Iterator[TcpProxy]:
    """A proxy in front of an echo."""
    with LoopbackServer(echo) as server, TcpProxy(server.port) as proxy:
        yield proxy


def test_free_port_is_not_one_for_outgoing_connections() -> None:
    """No other program's connection can take it while its server is away."""
    with socket.create_server(("127.0.0.1", 0)) as ephemeral:
        assert free_port() < ephemeral.getsockname()[1]


def test_proxy_passes_and_counts(proxy: TcpProxy) -> None:
    """Bytes travel both ways, an end as well, and connections are counted."""
    for expected in (1, 2):
        with dial(proxy.port) as connection:
            connection.sendall(b"hello")
            assert connection.recv(5) == b"hello"
            connection.shutdown(socket.SHUT_WR)
            assert connection.recv(1) == b""
        assert proxy.accepted == expected


def test_black_hole_withholds_and_heals(proxy: TcpProxy) -> None:
    """Old and new connections stand and are silent; what was sent arrives when the network is back."""
    with dial(proxy.port) as old:
        old.sendall(b"a")
        assert old.recv(1) == b"a"

        proxy.black_hole()
        with dial(proxy.port) as new:
            for connection in (old, new):
                connection.sendall(b"b")
                assert hears_nothing(connection)

            proxy.pass_through()
            assert (old.recv(1), new.recv(1)) == (b"b", b"b")


def test_refusing_proxy_keeps_old_connections_and_returns_on_its_port(proxy: TcpProxy) -> None:
    """Refusal is for newcomers."""
    with dial(proxy.port) as old:
        proxy.refuse()

        with pytest.raises(ConnectionRefusedError):
            dial(proxy.port)
        old.sendall(b"a")
        assert old.recv(1) == b"a"
        proxy.pass_through()
        dial(proxy.port).close()


@pytest.mark.parametrize("is_black_hole", [False, True])
def test_cut_ends_connections(proxy: TcpProxy, is_black_hole: bool) -> None:
    """Cut connections end at once, those in a black hole too; new ones pass."""
    with dial(proxy.port) as old:
        wait_until(lambda: proxy.accepted == 1, timeout_s=30, what="the connection")
        if is_black_hole:
            proxy.black_hole()
            old.sendall(b"lost")

        assert proxy.cut() == 1

        assert has_ended(old)
    proxy.pass_through()
    with dial(proxy.port) as new:
        new.sendall(b"a")
        assert new.recv(1) == b"a"


def test_reset_is_a_reset(proxy: TcpProxy) -> None:
    """A reset connection fails rather than ends."""
    with dial(proxy.port) as connection:
        connection.sendall(b"a")
        assert connection.recv(1) == b"a"

        proxy.cut(reset=True)

        with pytest.raises(ConnectionResetError):
            connection.recv(1)


def test_cut_does_not_wait_for_a_peer_that_reads_nothing(proxy: TcpProxy) -> None:
    """A connection stuffed to the brim is cut all the same."""
    with dial(proxy.port) as connection:
        connection.setblocking(False)
        sent_nothing_since = time.monotonic()
        while time.monotonic() - sent_nothing_since < 0.3:
            try:
                connection.send(b"x" * 65536)
                sent_nothing_since = time.monotonic()
            except BlockingIOError:
                continue

        assert proxy.cut() == 1


def test_proxied_postgres_survives_and_is_lost(postgres: PostgresServer) -> None:
    """The proxy carries PostgreSQL; a cut is a lost connection there."""
    with TcpProxy(postgres.port) as proxy:
        fields: ConnectionFields = {**postgres.dsn_fields(), "port": proxy.port}
        with closing(connect(fields, application_name="proxied")) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            proxy.down()
            with pytest.raises(psycopg2.OperationalError):
                cursor.execute("SELECT 1")
        assert "Connection refused" in refusal(fields)
        wait_until(lambda: postgres.sessions("proxied") == 0, timeout_s=30, what="the session to end")


def test_black_hole_does_not_even_shake_hands() -> None:
    """Connecting to it times out."""
    with black_hole() as (host, port), pytest.raises(TimeoutError):
        socket.create_connection((host, port), timeout=0.3)


def test_silent_server_accepts_and_is_silent() -> None:
    """Connecting to it succeeds, and then nothing comes."""
    with never_replies() as server, dial(server.port) as connection:
        connection.sendall(b"anybody there?")
        assert hears_nothing(connection)
        assert server.accepted == 1


def test_web_server_is_one() -> None:
    """It serves HTTP, and answers PostgreSQL's first packet with an HTTP error."""
    with web_server() as port:
        with httpx.Client(trust_env=False) as client:
            assert client.get(f"http://127.0.0.1:{port}/").text == "<h1>It works!</h1>"
        with dial(port) as connection:
            connection.sendall(struct.pack("!ii", 8, 80877103))
            assert connection.recv(12) == b"HTTP/1.1 400"


def test_fake_server_speaks_any_language() -> None:
    """An error in the server's own language reaches libpq as PostgreSQL sends it."""
    reply = error_response("la autentificación falló", sqlstate="28P01", localized_severity="FATAL")
    fields: ConnectionFields = {"host": "127.0.0.1", "port": 1, "database": "d", "username": "u", "password": "p"}
    with FakeServer(reply) as server:
        words = refusal({**fields, "port": server.port})

    assert "FATAL:  la autentificación falló" in words
    assert len(server.received) == 1
    assert b"user\0u\0" in server.received[0]


def test_fake_server_answers_in_another_encoding() -> None:
    """Before authentication a server answers in its own encoding, over which psycopg2 stumbles in its own ways."""
    reply = error_response("échec de l'authentification", sqlstate="28P01", encoding="latin-1")
    stumbles = (UnicodeDecodeError, psycopg2.OperationalError)
    with FakeServer(reply) as server, pytest.raises(stumbles) as caught:
        psycopg2.connect(host="127.0.0.1", port=server.port, user="u", password="p", dbname="d")
    assert "chec de l'authentification" not in str(caught.value)


def test_fake_server_greets_as_something_else() -> None:
    """Bytes that no PostgreSQL sends arrive at once."""
    greeting = b"SSH-2.0-OpenSSH_9.2\r\n"
    with FakeServer(greeting, is_postgres=False) as server:
        with dial(server.port) as connection:
            assert connection.recv(1024) == greeting
            connection.sendall(b"hello")
        wait_until(lambda: server.received == [b"hello"], timeout_s=30, what="the client's words")


# Canaries


LEAKS: dict[str, Callable[[str], str | bytes]] = {
    "raw": lambda secret: f"password={secret} host=x",
    "utf-8": lambda secret: f"password={secret} host=x".encode(),
    "url": lambda secret: f"postgresql://u:{quote_plus(secret)}@h/d",
    "json": lambda secret: json.dumps({"password": secret}),
    "json-in-json": lambda secret: json.dumps(json.dumps({"password": secret})),
    "repr": lambda secret: repr({"password": secret}),
    "basic-auth": lambda secret: base64.b64encode(f"user:{secret}".encode()),
    "url-safe-base64": lambda secret: base64.urlsafe_b64encode(f"u:{secret}".encode()).rstrip(b"="),
    "hex": lambda secret: secret.encode().hex().upper(),
    "trimmed": lambda secret: f"[{secret.strip()}]",
    "reversed": lambda secret: secret[::-1],
    "utf-16": lambda secret: f"x{secret}".encode("utf-16"),
    "escaped": lambda secret: secret.encode("unicode_escape"),
    "half": lambda secret: f'invalid port number: "{secret.strip()[: len(secret) * 2 // 3]}"',
}


@pytest.mark.parametrize("leak", LEAKS.values(), ids=LEAKS)
@pytest.mark.parametrize("canary", CANARIES.values(), ids=CANARIES)
def test_leaked_canary_is_found(leak: Callable[[str], str | bytes], canary: str) -> None:
    """Whatever form a secret leaks in, it is found."""
    assert find_canary(leak(canary), canary)


def test_innocent_text_holds_no_canary() -> None:
    """Ordinary logs, code and other canaries raise no alarm."""
    haystack = Path(__file__).read_text(encoding="utf-8")
    for name, canary in CANARIES.items():
        assert find_canary(haystack, canary) == []
        assert not any(find_canary(other, canary) for key, other in CANARIES.items() if key != name)


def test_short_canary_is_refused() -> None:
    """Four characters occur by chance."""
    with pytest.raises(ValueError, match=r"at least 8"):
        find_canary("100% done", "100%")


def test_files_are_scanned_by_content_and_name(tmp_path: Path) -> None:
    """A secret in a file, however deep, or in its name is reported with its place."""
    canary = CANARIES["percent"]
    (tmp_path / "clean.txt").write_text("nothing")
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    (deep / "dump.bin").write_bytes(b"\xff\0" + canary.encode())
    (deep / f"{canary}.log").write_text("")

    assert [path.name for path in scan_files(tmp_path, canary)] == [f"{canary}.log", "dump.bin"]


def test_arguments_and_environment_are_scanned() -> None:
    """What a process was given is visible to others."""
    canary = CANARIES["double-quote"]
    with subprocess.Popen(
        [sys.executable, "-c", "input()", canary], stdin=subprocess.PIPE, env={"SECRET": canary}
    ) as process:
        try:
            found = wait_until(lambda: scan_process(process.pid, canary), timeout_s=30, what="the program to be there")
        finally:
            process.kill()

    assert set(found) == {"argv", "environment"}


# The spawner, with small programs in the sidecar's place


@pytest.fixture
def impostor(tmp_path: Path) -> Callable[[str], list[str]]:
    """Make a program that runs in the sidecar's place."""

    def make(code: str) -> list[str]:
        script = tmp_path / "impostor.py"
        script.write_text(textwrap.dedent(code))
        return [sys.executable, str(script)]

    return make


def test_early_end_is_reported_with_status_and_words(impostor: Callable[[str], list[str]]) -> None:
    """A process that ends before it listens fails the wait at once, in both ways of running it."""
    wrapper = impostor("import sys; sys.exit('no such luck')")
    for stdio in (False, True):
        with Sidecar(stdio=stdio, wrapper=wrapper) as sidecar:
            with pytest.raises(SidecarExitedError, match=r"(?s)status 1.*no such luck"):
                sidecar.wait_for_listening()
            assert sidecar.wait_for_exit() == 1


def test_handshake_is_written_and_events_are_kept(impostor: Callable[[str], list[str]]) -> None:
    """The handshake is the first line; events before, after and at the end are all there."""
    wrapper = impostor("""
        import json, sys
        handshake = json.loads(sys.stdin.readline())
        print(json.dumps({"event": "listening", "host": "127.0.0.1", "port": 1, "told": handshake}), flush=True)
        sys.stdin.read()
        print(json.dumps({"event": "exit", "code": "stopped"}), flush=True)
    """)
    with Sidecar(stdio=True, wrapper=wrapper, token="t" * 32, encryption_key="k") as sidecar:
        assert sidecar.url == "http://127.0.0.1:1"
        assert sidecar.events[0]["told"] == {"protocol": 1, "token": "t" * 32, "encryption_key": "k"}

        sidecar.close_stdin()

        assert sidecar.wait_for_event("exit")["code"] == "stopped"
        assert sidecar.wait_for_exit() == 0


def test_anything_but_events_on_stdout_fails(impostor: Callable[[str], list[str]]) -> None:
    """A stray print is found."""
    with Sidecar(stdio=True, wrapper=impostor("print('Hello')")) as sidecar:
        with pytest.raises(AssertionError, match=r"no event: 'Hello'"):
            sidecar.wait_for_event("listening")
        sidecar.wait_for_exit()


def test_sidecar_that_does_not_stop_is_killed_and_reported(impostor: Callable[[str], list[str]]) -> None:
    """A stop that fails is an error, and still leaves no process."""
    wrapper = impostor("""
        import signal, sys
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print('{"event": "deaf"}', flush=True)
        signal.pause()
    """)
    with Sidecar(stdio=True, wrapper=wrapper) as sidecar:
        sidecar.wait_for_event("deaf")

        with pytest.raises(TimeoutError, match=r"did not end"):
            sidecar.stop(timeout_s=0.2)

        assert sidecar.process.returncode == -signal.SIGKILL


def test_sidecar_inherits_nothing_it_should_not(
    impostor: Callable[[str], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Settings, proxies and Python's own variables of the tests stay with the tests."""
    for name in ("TASKFLOW_PORT", "HTTP_PROXY", "https_proxy", "PYTHONHOME", "PGPASSWORD", "ENCRYPTION_KEY"):
        monkeypatch.setenv(name, "inherited")
    wrapper = impostor("import json, os; print(json.dumps({'event': 'environment', **os.environ}))")

    with Sidecar(stdio=True, wrapper=wrapper, env={"TASKFLOW_LOG_LEVEL": "debug"}) as sidecar:
        environment = sidecar.wait_for_event("environment")
        sidecar.wait_for_exit()

        assert "inherited" not in environment.values()
        assert environment["TASKFLOW_LOG_LEVEL"] == "debug"
        assert environment["HOME"].startswith(str(sidecar.directory))


def test_stderr_of_a_sidecar_is_in_the_report_of_a_failure(pytester: pytest.Pytester) -> None:
    """Whoever reads a failure sees what the process said."""
    pytester.makeconftest("from tests.conftest import *")
    pytester.makepyfile("""
        import sys
        def test_fails(sidecar_factory):
            code = "import sys; print('words of the sidecar', file=sys.stderr)"
            sidecar = sidecar_factory(wrapper=[sys.executable, "-c", code])
            sidecar.wait_for_listening()
    """)

    result = pytester.runpytest()

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*stderr of sidecar 1*", "words of the sidecar"])


# The spawner, with the product


def test_sidecar_by_hand_becomes_healthy_and_stops() -> None:
    """Port, token and process id come from its file; a terminated one ends with 0."""
    with Sidecar() as sidecar:
        sidecar.wait_healthy()

        assert sidecar.health() == (200, {"status": "healthy"})
        assert sidecar.status()["state"] == "ready"
        assert sidecar.request("GET", "/api/v1/status", token="").status_code == 401
        assert sidecar.log_text()
        assert sidecar.stop() == 0


def test_sidecars_stand_side_by_side() -> None:
    """Several start at once, each with its own directories, and stop at once."""
    sidecars = [Sidecar().start() for _ in range(3)]
    try:
        assert len({sidecar.wait_healthy().port for sidecar in sidecars}) == 3
    finally:
        stop_all(sidecars)

    assert not any(sidecar.is_running for sidecar in sidecars)


def test_restarted_sidecar_keeps_its_directories(database: Database) -> None:
    """A saved connection is there again in the next process."""
    with Sidecar() as sidecar:
        sidecar.save_connection(database.fields())
        sidecar.wait_for(lambda document: document["state"] == "ready" and document["mode"] == "postgresql")
        sidecar.stop()

        sidecar.start()

        assert sidecar.wait_for_state("ready")["mode"] == "postgresql"
        assert database.sessions() > 0
        assert sidecar.stop() == 0
    assert database.sessions() == 0


def test_sidecar_of_a_launcher_becomes_healthy_and_ends_with_its_parent() -> None:
    """Address and states come as events; the end of stdin is the end of the process."""
    with Sidecar(stdio=True) as sidecar:
        sidecar.wait_healthy()
        sidecar.wait_for_event("state", where=lambda event: event["state"] == "ready")
        assert sidecar.request("GET", "/api/v1/status").status_code == 200

        sidecar.close_stdin()

        assert sidecar.wait_for_exit() == 0
        assert sidecar.events[0]["pid"] == sidecar.pid
        assert sidecar.events[-1] == {"event": "exit", "code": "stopped"}


@pytest.mark.parametrize("attempt", ["first", "second"])
def test_shared_backend_is_empty_for_each_test(any_backend: Backend, attempt: str) -> None:
    """What one test creates, the next one does not meet."""
    member = {"name": "Ada", "email": "ada@example.com"}

    answer = any_backend.sidecar.request("POST", "/api/v1/members", json=member)

    assert answer.status_code == 201, answer.text
    assert any_backend.database.query("SELECT email FROM members") == [("ada@example.com",)]
    dialect = any_backend.sidecar.status()["database"]["dialect"]
    assert dialect == any_backend.name


def test_commands_run_to_their_end() -> None:
    """Another command of the product works on a sidecar's config directory, and is waited for."""
    with Sidecar() as sidecar:
        sidecar.wait_healthy()

        answer = run_command("status", "--json", config_dir=sidecar.config_dir)

    assert answer.returncode == 0, answer.stderr
    assert json.loads(answer.stdout)["state"] == "ready"


def test_terminated_run_leaves_no_sidecar(pytester: pytest.Pytester) -> None:
    """Whoever ends a test run by SIGTERM finds no process left over."""
    pytester.makeconftest("from tests.conftest import *")
    pytester.makepyfile("""
        import signal
        from pathlib import Path
        def test_waits(sidecar_factory):
            Path("pid.part").write_text(str(sidecar_factory().wait_healthy().pid))
            Path("pid.part").rename("pid")
            signal.pause()
    """)
    pid_file = pytester.path / "pid"
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider"]
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
    with subprocess.Popen(command, cwd=pytester.path, env=environment, stdout=subprocess.DEVNULL) as run:
        try:
            wait_until(pid_file.exists, timeout_s=60, what="the inner test")
            pid = int(pid_file.read_text())
            assert processes.is_alive(pid)
        finally:
            run.terminate()

        assert run.wait(60) == 128 + signal.SIGTERM

    assert not processes.is_alive(pid)
