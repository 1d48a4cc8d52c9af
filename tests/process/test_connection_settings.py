"""From the first saved connection to the last deleted one, on real empty databases and without a restart."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import re
import stat
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from psycopg2 import sql

from app.sidecar.startup import REPAIR_POLL_S
from tests.support import windows
from tests.support.canaries import CANARIES, NASTY_PASSWORDS, find_canary
from tests.support.databases import Database, fresh_database
from tests.support.network import FakeServer, TcpProxy, black_hole, error_response, free_port, has_ipv6, never_replies
from tests.support.postgres import PostgresServer
from tests.support.sidecar import Sidecar
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx

    from tests.conftest import SidecarFactory
    from tests.support.certificates import Certificates

SAVE, TEST, SAVED, RETRY = (
    f"/api/v1/settings/{name}" for name in ("save-connection", "test-connection", "connection", "retry")
)
KEY, CREDENTIALS = "fernet.key", "db_credentials.enc"
NOT_EMBEDDED = {"TASKFLOW_EMBEDDED": "0"}
STARTING = "The sidecar is starting."
LOST = "Database connection lost. Please retry."
CANARY = CANARIES["url-syntax"]
RESTARTED = ("url-syntax", "outer-spaces", "umlaut-and-space", "percent")
"""Passwords that are read again by a new process, not only by a new run of the pipeline, which costs time."""


@pytest.fixture(scope="module")
def sidecar() -> Iterator[Sidecar]:
    """A sidecar into which one connection after the other is saved; it may be restarted."""
    with Sidecar(env=NOT_EMBEDDED) as sidecar:
        sidecar.wait_for_state("setup_required")
        yield sidecar


@contextlib.contextmanager
def named_database(server: PostgresServer, name: str, password: str) -> Iterator[Database]:
    """Provide an empty database and its owner, both of that name."""
    server.create_role(name, password)
    server.create_database(name, owner=name)
    try:
        yield Database(server=server, name=name, username=name, password=password)
    finally:
        server.drop_database(name)
        server.drop_role(name)


def assert_error(answer: httpx.Response, status: int, code: str, sentence: str) -> None:
    """The answer is that error and nothing else."""
    assert (answer.status_code, answer.json()) == (status, {"error": sentence})
    assert answer.headers["Taskflow-Error-Code"] == code


def assert_away(sidecar: Sidecar, code: str, sentence: str) -> None:
    """Every data call, reading or writing, is told the same, and when to come again if that may help by itself."""
    calls: list[tuple[str, str, dict[str, str] | None]] = [
        ("GET", "/api/v1/members", None),
        ("POST", "/api/v1/members", {"name": "Ada", "email": "ada@example.com"}),
        ("GET", "/api/v1/members/00000000-0000-0000-0000-000000000000", None),
    ]
    for method, path, body in calls:
        answer = sidecar.request(method, path, json=body)
        assert_error(answer, 503, code, sentence)
        met = sidecar.status()["problem"]
        assert ("Retry-After" in answer.headers) is (met is None or met["retryable"])


def save(sidecar: Sidecar, body: dict[str, Any]) -> None:
    """Test a connection, save it, and see it become ready."""
    tested = sidecar.request("POST", TEST, json=body)
    assert (tested.status_code, tested.json()) == (200, {"status": "ok"})
    saved = sidecar.request("POST", SAVE, json=body)
    assert (saved.status_code, saved.json()) == (200, {"status": "saved"})
    sidecar.wait_healthy()


def connection_files(sidecar: Sidecar) -> dict[str, bytes]:
    """Return the files of the connection, and not those that are written behind: of a vault that was left just now."""
    files = [path for path in sidecar.config_dir.iterdir() if path.name.startswith(("fernet.key", "db_credentials"))]
    return {path.name: path.read_bytes() for path in files}


def restart(sidecar: Sidecar) -> None:
    """Stop and start it in the same directories; it becomes ready by itself."""
    assert sidecar.stop() == 0
    sidecar.start()
    sidecar.wait_healthy()


# The journey


def test_first_connection(empty_database: Database, sidecar_factory: SidecarFactory) -> None:
    """Saved over HTTP on an empty database: 503 becomes 200, the schema is at head, and a restart finds it again."""
    database = empty_database
    sidecar = sidecar_factory(env=NOT_EMBEDDED)
    sidecar.wait_for_state("setup_required")
    assert sidecar.health() == (503, {"status": "unhealthy", "error": "No database is configured."})
    assert database.tables() == []
    pid, instance = sidecar.pid, sidecar.status()["instance"]

    save(sidecar, {**database.fields()})

    assert sidecar.health() == (200, {"status": "healthy"})
    status = sidecar.status()
    assert (sidecar.pid, status["instance"]) == (pid, instance)
    assert (status["state"], status["mode"], status["problem"]) == ("ready", "postgresql", None)
    assert {stage["state"] for stage in status["stages"]} == {"done"}
    described = status["database"]
    assert described["head"] == described["revision"]
    assert database.query("SELECT version_num FROM alembic_version") == [(described["head"],)]
    assert "members" in database.tables()
    shown = {name: described[name] for name in ("dialect", "host", "port", "database", "username", "tls")}
    assert shown == {
        "dialect": "postgresql",
        "host": "127.0.0.1",
        "port": database.server.port,
        "database": database.name,
        "username": database.username,
        "tls": False,
    }
    assert described["server_version"].startswith(str(database.server.version))
    names = database.query(
        "SELECT DISTINCT application_name FROM pg_stat_activity WHERE datname = %s", (database.name,)
    )
    assert (f"taskflow-sidecar/{status['version']}",) in names
    created = sidecar.request("POST", "/api/v1/members", json={"name": "Ada", "email": "ada@example.com"})
    assert created.status_code == 201

    restart(sidecar)

    assert sidecar.status()["instance"] != instance
    assert [member["name"] for member in sidecar.request("GET", "/api/v1/members").json()] == ["Ada"]


def test_embedded_database_returns_after_delete(database: Database, sidecar_factory: SidecarFactory) -> None:
    """Embedded, connected, embedded again, without a restart; each keeps its own data."""
    sidecar = sidecar_factory()
    sidecar.wait_healthy()
    assert sidecar.status()["mode"] == "embedded"
    assert sidecar.request("POST", "/api/v1/members", json={"name": "Here", "email": "here@x.org"}).status_code == 201
    key = (sidecar.config_dir / KEY).read_bytes()

    save(sidecar, {**database.fields()})
    assert sidecar.request("GET", "/api/v1/members").json() == []
    assert sidecar.request("POST", "/api/v1/members", json={"name": "There", "email": "there@x.org"}).status_code == 201
    deleted = sidecar.request("DELETE", SAVED)

    assert (deleted.status_code, deleted.content) == (204, b"")
    sidecar.wait_for(lambda document: document["state"] == "ready" and document["mode"] == "embedded")
    assert [member["name"] for member in sidecar.request("GET", "/api/v1/members").json()] == ["Here"]
    assert database.query("SELECT name FROM members") == [("There",)]
    assert not (sidecar.config_dir / CREDENTIALS).exists()
    assert (sidecar.config_dir / KEY).read_bytes() == key  # other things hang on it
    wait_until(lambda: database.sessions() == 0, timeout_s=10, what="the sessions to end")
    assert_error(sidecar.request("DELETE", SAVED), 404, "not-found", "No connection is saved")
    assert sidecar.health()[0] == 200


# What survives being tested, saved and read again


@pytest.fixture(scope="module")
def account(postgres: PostgresServer) -> Iterator[Database]:
    """A database whose owner's password each test changes."""
    with fresh_database(postgres, with_tables=True) as database:
        yield database


def with_password(database: Database, password: str) -> dict[str, Any]:
    """Change the owner's password; return the settings with it."""
    database.execute(
        sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(database.username), sql.Literal(password))
    )
    return {**database.fields(), "password": password}


@pytest.mark.parametrize("name", NASTY_PASSWORDS)
def test_password_survives(sidecar: Sidecar, account: Database, name: str) -> None:
    """Exactly as typed: tested, saved, and still right when it is read again, in another process too."""
    save(sidecar, with_password(account, NASTY_PASSWORDS[name]))
    assert sidecar.request("POST", RETRY).status_code == 202
    sidecar.wait_healthy()
    if name in RESTARTED:
        restart(sidecar)

    assert sidecar.status()["database"]["username"] == account.username
    assert sidecar.request("DELETE", SAVED).status_code == 204


@pytest.mark.parametrize(
    "name",
    ['the "team"\'s größe 数 🔑', "100%s back\\slash a=b host=evil {x}$HOME`id`", "x" * 63],
    ids=["quotes-and-unicode", "syntax", "longest"],
)
def test_names_survive(sidecar: Sidecar, postgres: PostgresServer, name: str) -> None:
    """Of databases and users, with quotes, blanks and what programs take for syntax."""
    with named_database(postgres, name, "secret") as database:
        save(sidecar, {**database.fields()})

        saved = sidecar.request("GET", SAVED).json()
        assert (saved["database"], saved["username"]) == (name, name)
        assert database.sessions() > 0
        assert sidecar.request("DELETE", SAVED).status_code == 204


# Hosts


@pytest.mark.skipif(not has_ipv6(), reason="this computer has no IPv6")
def test_ipv6(sidecar: Sidecar, database: Database) -> None:
    """By address, with and without the brackets of a URL, in a list, and by name."""
    for host in ("::1", "[::1]", "::1,127.0.0.1", "localhost"):
        save(sidecar, {**database.fields(host=host)})

        if host != "localhost":
            sessions = database.query(
                "SELECT DISTINCT host(client_addr) FROM pg_stat_activity"
                " WHERE datname = %s AND starts_with(application_name, 'taskflow-sidecar')",
                (database.name,),
            )
            assert sessions == [("::1",)]
        assert sidecar.request("GET", SAVED).json()["host"] == host
        assert sidecar.request("DELETE", SAVED).status_code == 204
        wait_until(lambda: database.sessions() == 0, timeout_s=10, what="the sessions to end")


def test_first_host_of_a_list_is_dead(sidecar: Sidecar, database: Database) -> None:
    """Refused, unknown or silent: the next host serves, and the list survives a restart."""
    live = database.server.port
    with black_hole() as (_, hole), ThreadPoolExecutor() as threads:
        lists: list[tuple[str, int | str]] = [
            ("127.0.0.1,127.0.0.1", f"{hole},{live}"),
            ("127.0.0.1, 127.0.0.1", f"{free_port()}, {live}"),
            ("no-such-host.invalid,127.0.0.1", live),
            ("no-such-host.invalid,127.0.0.1", str(live)),
        ]
        bodies = [{**database.fields(), "host": host, "port": port} for host, port in lists]
        for tested in threads.map(sidecar.test_connection, bodies):
            assert tested.status_code == 200, tested.text
    host, port = "127.0.0.1,127.0.0.1", f"{free_port()},{live}"

    save(sidecar, {**database.fields(), "host": host, "port": port})
    restart(sidecar)

    saved = sidecar.request("GET", SAVED).json()
    assert (saved["host"], saved["port"]) == (host, port)
    assert sidecar.status()["database"]["port"] == port
    assert sidecar.request("DELETE", SAVED).status_code == 204


def test_writable_host_is_found(sidecar: Sidecar, database: Database, postgres_tls: PostgresServer) -> None:
    """The first host only reads; with `target_session_attrs` the second one is taken."""
    postgres_tls.create_role(database.username, database.password)
    postgres_tls.create_database(database.name, owner=database.username)
    postgres_tls.execute(f"ALTER ROLE {database.username} SET default_transaction_read_only = on")
    several = {"host": "127.0.0.1,127.0.0.1", "port": f"{postgres_tls.port},{database.server.port}"}
    try:
        save(sidecar, {**database.fields(), **several, "target_session_attrs": "read-write"})

        assert "members" in database.tables()
        assert sidecar.request("GET", SAVED).json()["target_session_attrs"] == "read-write"
        assert sidecar.request("DELETE", SAVED).status_code == 204
    finally:
        postgres_tls.drop_database(database.name)
        postgres_tls.drop_role(database.username)


# DSNs


def test_dsn_in_every_form(sidecar: Sidecar, account: Database) -> None:
    """As libpq knows it and as other programs write it, with every nasty password in it."""
    user, name, port = account.username, account.name, account.server.port
    for password in NASTY_PASSWORDS.values():
        with_password(account, password)
        encoded = quote(password, safe="")
        quoted = password.replace("\\", "\\\\").replace("'", "\\'")
        for dsn in (
            f"postgresql://{user}:{encoded}@127.0.0.1:{port}/{name}",
            f" postgres://{user}:{encoded}@localhost:{port}/{name}?sslmode=prefer\n",
            f"postgresql+psycopg2://{user}:{encoded}@127.0.0.1:{port}/{name}",
            f"host=127.0.0.1 port={port} dbname={name} user={user} password='{quoted}' connect_timeout=3",
        ):
            answer = sidecar.request("POST", TEST, json={"dsn": dsn})
            assert answer.status_code == 200, answer.text


def test_saved_dsn_becomes_fields(sidecar: Sidecar, postgres: PostgresServer) -> None:
    """What was pasted is shown as its parts, and stays right after a restart."""
    name, password = 'the "team" größe', NASTY_PASSWORDS["url-syntax"]
    with named_database(postgres, name, password):
        user = f"{quote(name)}:{quote(password, safe='')}"
        dsn = f"postgresql+psycopg2://{user}@127.0.0.1:{postgres.port}/{quote(name)}?sslmode=allow"

        save(sidecar, {"dsn": dsn})
        restart(sidecar)

        saved = sidecar.request("GET", SAVED).json()
        assert saved.pop("saved_at")
        assert saved == {
            "host": "127.0.0.1",
            "port": postgres.port,
            "database": name,
            "username": name,
            "sslmode": "allow",
            "has_password": True,
        }
        assert sidecar.request("DELETE", SAVED).status_code == 204


def test_libpq_variables_do_not_interfere(database: Database, sidecar_factory: SidecarFactory) -> None:
    """What a developer has in the environment for psql is not what the team lead typed."""
    variables = {
        "PGHOSTADDR": "127.0.0.9",
        "PGSERVICE": "nowhere",
        "PGSSLMODE": "verify-full",
        "PGSSLNEGOTIATION": "direct",
        "PGREQUIREAUTH": "none",
        "PGOPTIONS": "-c default_transaction_read_only=on",
        "PGTARGETSESSIONATTRS": "standby",
    }

    save(sidecar_factory(env=variables), {**database.fields()})

    assert "members" in database.tables()


# TLS


@pytest.fixture(scope="module")
def tls_account(postgres_tls: PostgresServer) -> Iterator[Database]:
    """A database on the server with TLS."""
    with fresh_database(postgres_tls, with_tables=True) as database:
        yield database


@pytest.mark.parametrize(
    ("sslmode", "is_encrypted"),
    [
        ("disable", False),
        ("allow", False),
        ("prefer", True),
        ("require", True),
        ("verify-ca", True),
        ("verify-full", True),
    ],
)
def test_tls_modes(
    sidecar: Sidecar, tls_account: Database, certificates: Certificates, sslmode: str, is_encrypted: bool
) -> None:
    """Each does what libpq's documentation says, and the status tells which it came to."""
    root = {"sslrootcert": str(certificates.root_file)} if sslmode.startswith("verify") else {}

    save(sidecar, {**tls_account.fields(), "sslmode": sslmode, **root})

    assert sidecar.status()["database"]["tls"] is is_encrypted
    sessions = tls_account.query(
        "SELECT DISTINCT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)"
        " WHERE datname = %s AND starts_with(application_name, 'taskflow-sidecar')",
        (tls_account.name,),
    )
    assert sessions == [(is_encrypted,)]
    saved = sidecar.request("GET", SAVED).json()
    assert {"sslmode": sslmode, **root}.items() <= saved.items()
    assert sidecar.request("DELETE", SAVED).status_code == 204
    wait_until(lambda: tls_account.sessions() == 0, timeout_s=10, what="the sessions to end")


def test_mode_gives_way_to_what_the_server_wants(sidecar: Sidecar, tls_account: Database) -> None:
    """`prefer` goes without TLS where the server insists, `allow` with it."""
    for line, sslmode, is_encrypted in (
        (f"hostssl {tls_account.name} all all reject", "prefer", False),
        (f"hostnossl {tls_account.name} all all reject", "allow", True),
    ):
        with tls_account.server.hba(line):
            save(sidecar, {**tls_account.fields(), "sslmode": sslmode})

            assert sidecar.status()["database"]["tls"] is is_encrypted
            assert sidecar.request("DELETE", SAVED).status_code == 204


# Reading, deleting, trying again


def test_saved_connection_is_shown_without_its_password(database: Database, sidecar: Sidecar) -> None:
    """What was typed, trimmed, and when; and nobody keeps a copy of the answer."""
    assert_error(sidecar.request("GET", SAVED), 404, "not-found", "No connection is saved")
    before = dt.datetime.now(dt.UTC).replace(microsecond=0)

    sidecar.save_connection({**database.fields(), "host": " 127.0.0.1 ", "port": str(database.server.port)})
    answer = sidecar.request("GET", SAVED)

    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    shown = answer.json()
    saved_at = shown.pop("saved_at")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", saved_at)
    assert before <= dt.datetime.fromisoformat(saved_at) <= dt.datetime.now(dt.UTC)
    assert shown == {
        "host": "127.0.0.1",
        "port": database.server.port,
        "database": database.name,
        "username": database.username,
        "sslmode": "prefer",
        "has_password": True,
    }
    for file in (KEY, CREDENTIALS):
        mode = stat.S_IMODE((sidecar.config_dir / file).stat().st_mode)
        assert mode == 0o600 or windows.IS_WINDOWS  # where modes are what Wine makes of lists
    assert sidecar.request("DELETE", SAVED).status_code == 204


@pytest.mark.parametrize(
    ("file", "content", "code", "sentence"),
    [
        (CREDENTIALS, b"damaged", "credentials-unreadable", "The saved database settings cannot be decrypted"),
        (KEY, b"damaged", "key-invalid", "The key file fernet.key is damaged."),
        (KEY, None, "key-missing", "The key file fernet.key is missing"),
    ],
    ids=["credentials-damaged", "key-damaged", "key-missing"],
)
def test_unreadable_files_are_told_and_replaced_by_a_save(
    database: Database, sidecar: Sidecar, file: str, content: bytes | None, code: str, sentence: str
) -> None:
    """409 until somebody saves anew; then the old files stand aside, byte for byte, and the new ones serve."""
    key, credentials = sidecar.config_dir / KEY, sidecar.config_dir / CREDENTIALS
    sidecar.save_connection({**database.fields(), "host": "before"})
    if content is None:
        key.unlink()
    else:
        (sidecar.config_dir / file).write_bytes(content)
    lost = {path.name: path.read_bytes() for path in (key, credentials) if path.exists()}
    assert sidecar.request("POST", RETRY).status_code == 202
    problem = sidecar.wait_for_problem(code)

    refused = sidecar.request("GET", SAVED)

    assert refused.status_code == 409
    assert refused.headers["Taskflow-Error-Code"] == code
    assert refused.json() == {"error": problem["message"]}
    assert problem["message"].startswith(sentence)
    assert str(sidecar.config_dir) not in refused.text
    assert_away(sidecar, code, problem["message"])
    # nothing is overwritten, and no key is made beside credentials that it could not open
    assert {path.name: path.read_bytes() for path in (key, credentials) if path.exists()} == lost

    save(sidecar, {**database.fields()})

    aside = list(sidecar.config_dir.glob("*.unreadable-*"))
    unreadable = lost if file == KEY else {CREDENTIALS: lost[CREDENTIALS]}
    assert {path.name.split(".unreadable-")[0]: path.read_bytes() for path in aside} == unreadable
    assert sidecar.request("GET", SAVED).json()["host"] == "127.0.0.1"
    assert sidecar.request("DELETE", SAVED).status_code == 204
    for path in aside:
        path.unlink()


def test_unreadable_credentials_can_be_deleted(sidecar_factory: SidecarFactory, tmp_path: Path) -> None:
    """Then the embedded database serves: the only way out for somebody without the password."""
    sidecar = sidecar_factory(config_dir=tmp_path)
    sidecar.wait_healthy()
    (tmp_path / CREDENTIALS).write_bytes(b"damaged")
    assert sidecar.request("POST", RETRY).status_code == 202
    sidecar.wait_for_problem("credentials-unreadable")
    assert sidecar.status()["state"] == "failed"

    assert sidecar.request("DELETE", SAVED).status_code == 204

    sidecar.wait_healthy()
    assert sidecar.status()["mode"] == "embedded"


def test_save_that_cannot_be_written_changes_nothing(
    database: Database, sidecar_factory: SidecarFactory, tmp_path: Path
) -> None:
    """500 without a path; the sidecar goes on with what it has."""
    sidecar = sidecar_factory(data_dir=tmp_path / "data")  # which stays where it is
    sidecar.wait_healthy()
    aside = sidecar.config_dir.rename(sidecar.config_dir.with_name("aside"))
    sidecar.config_dir.touch()  # no directory: nobody can write into it, whatever rights he has

    answer = sidecar.request("POST", SAVE, json={**database.fields(), "password": CANARY})

    assert_error(answer, 500, "storage-unwritable", "Failed to save connection settings")
    assert sidecar.health()[0] == 200
    assert find_canary(sidecar.stderr_text(), CANARY) == []
    deleted = sidecar.request("DELETE", SAVED)
    if windows.IS_WINDOWS:  # which does not tell a missing file from one below something that is no folder
        assert deleted.status_code == 404
    else:
        assert_error(deleted, 500, "storage-unwritable", "Failed to delete connection settings")
    sidecar.config_dir.unlink()
    aside.rename(sidecar.config_dir)
    save(sidecar, {**database.fields()})


def test_retry_runs_the_pipeline_now(postgres: PostgresServer, sidecar: Sidecar) -> None:
    """After the cause has been repaired, also where nothing is tried again by itself."""
    with fresh_database(postgres, with_tables=True) as database:
        name = f"{database.name}_later"
        sidecar.save_connection({**database.fields(), "database": name})
        sidecar.wait_for_problem("database-missing")
        postgres.create_database(name, owner=database.username)
        try:
            answer = sidecar.request("POST", RETRY)

            assert answer.status_code == 202
            sidecar.wait_healthy()
            assert sidecar.status()["database"]["database"] == name
        finally:
            assert sidecar.request("DELETE", SAVED).status_code == 204
            postgres.drop_database(name)


def test_retry_without_need_does_no_harm(database: Database, sidecar: Sidecar) -> None:
    """A ready sidecar is ready again in a moment."""
    save(sidecar, {**database.fields()})

    for _ in range(5):
        assert sidecar.request("POST", RETRY).status_code == 202

    sidecar.wait_healthy()
    assert sidecar.request("GET", "/api/v1/members").status_code == 200
    assert sidecar.request("DELETE", SAVED).status_code == 204


def test_last_of_several_saves_counts(postgres: PostgresServer, sidecar: Sidecar) -> None:
    """A connection that is being tried is given up for a better one at once."""
    with fresh_database(postgres, with_tables=True) as database, never_replies() as silent:
        sidecar.save_connection({**database.fields(), "port": silent.port})
        wait_until(lambda: silent.accepted > 0, timeout_s=10, what="the attempt")

        sidecar.save_connection(database.fields())

        sidecar.wait_healthy(timeout_s=4)  # sooner than the silent server's time is up
        assert sidecar.status()["database"]["port"] == postgres.port
        assert sidecar.request("DELETE", SAVED).status_code == 204


# Which database


def test_database_url_of_the_environment(database: Database, sidecar_factory: SidecarFactory) -> None:
    """It serves while nothing is saved; what is saved wins, and without it the URL serves again."""
    with fresh_database(database.server, with_tables=True) as other:
        sidecar = sidecar_factory(env={"TASKFLOW_DATABASE_URL": database.url})
        sidecar.wait_healthy()
        assert sidecar.status()["database"]["database"] == database.name
        assert_error(sidecar.request("GET", SAVED), 404, "not-found", "No connection is saved")

        save(sidecar, {**other.fields()})
        assert sidecar.status()["database"]["database"] == other.name

        assert sidecar.request("DELETE", SAVED).status_code == 204
        sidecar.wait_healthy()
        assert sidecar.status()["database"]["database"] == database.name


def test_wrong_database_url_is_told(sidecar_factory: SidecarFactory) -> None:
    """It never falls through to the embedded database, and its password is not shown."""
    sidecar = sidecar_factory(env={"TASKFLOW_DATABASE_URL": f"postgresql://lead:{quote(CANARY, safe='')}@h"})

    problem = sidecar.wait_for_problem("credentials-incomplete")

    assert "TASKFLOW_DATABASE_URL" in problem["message"]
    status = sidecar.status()
    assert status["state"] == "failed"
    time.sleep(2 * REPAIR_POLL_S)
    assert "files changed" not in sidecar.stderr_text(), "it took the key that it made itself for a repair"
    assert_away(sidecar, "credentials-incomplete", problem["message"])
    assert find_canary(json.dumps(status) + sidecar.stderr_text() + sidecar.log_text(), CANARY) == []


# What data calls are told


def test_data_calls_while_starting(database: Database, sidecar_factory: SidecarFactory) -> None:
    """Nothing is known yet."""
    with never_replies() as silent:
        url = database.url.replace(f":{database.server.port}/", f":{silent.port}/")
        sidecar = sidecar_factory(env={"TASKFLOW_DATABASE_URL": url})
        wait_until(lambda: silent.accepted > 0, timeout_s=10, what="the attempt")

        assert sidecar.status_at_once()["state"] == "starting"  # before the attempt has failed
        assert sidecar.health() == (503, {"status": "unhealthy", "error": STARTING})
        assert_away(sidecar, "starting", STARTING)


def test_data_calls_without_a_database(sidecar: Sidecar) -> None:
    """Nothing is configured, and nothing serves in its place."""
    sidecar.wait_for_state("setup_required")

    assert_away(sidecar, "database-not-configured", "No database is configured.")
    assert sidecar.status()["database"] is None


def test_data_calls_while_a_new_connection_is_not_made(database: Database, sidecar: Sidecar) -> None:
    """They hear what is wrong with it: a permanent problem, or one that may pass."""
    reply = error_response('password authentication failed for user "lead"', sqlstate="28P01")
    with FakeServer(reply) as server:
        sidecar.save_connection({**database.fields(), "port": server.port})
        problem = sidecar.wait_for_problem("password-rejected")
        assert sidecar.status()["state"] == "failed"
        assert_away(sidecar, "password-rejected", problem["message"])

    sidecar.save_connection({**database.fields(), "port": free_port()})
    problem = sidecar.wait_for_problem("connection-refused")
    assert sidecar.status()["state"] == "reconnecting"
    assert_away(sidecar, "connection-refused", problem["message"])
    assert sidecar.request("DELETE", SAVED).status_code == 204


def test_data_calls_after_a_loss(database: Database, sidecar: Sidecar) -> None:
    """A database that was there has been lost: the call may be repeated."""
    with TcpProxy(database.server.port) as proxy:
        save(sidecar, {**database.fields(), "port": proxy.port})
        proxy.down()
        sidecar.wait_for_state("reconnecting")

        assert_away(sidecar, "connection-lost", LOST)

        proxy.pass_through()
        sidecar.wait_healthy()
        assert sidecar.request("GET", "/api/v1/members").status_code == 200
        assert sidecar.request("DELETE", SAVED).status_code == 204


# Bodies


@pytest.mark.parametrize("path", [SAVE, TEST])
@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        pytest.param(b"", "body: Field required", id="nothing"),
        pytest.param(b"{", "body: Input should be valid JSON", id="cut-off"),
        pytest.param(b"\xff\xfe{}", "body: Input should be valid JSON", id="no-utf-8"),
        pytest.param(b"[]", "body: Input should be an object", id="list"),
        pytest.param(b"{}", "host: Field required", id="empty"),
        pytest.param(b'{"host": ""}', "host: field cannot be blank", id="blank-host"),
        pytest.param(b'{"host": "h"}', "port: Field required", id="host-only"),
        pytest.param(
            b'{"host": "h", "port": 65536}', "port: Input should be less than or equal to 65535", id="port-too-big"
        ),
        pytest.param(b'{"host": "h", "port": 1e3}', "port: Input should be a valid integer", id="port-float"),
        pytest.param(b'{"host": "h", "port": 1}', "database: Field required", id="no-database"),
        pytest.param(
            b'{"host": "h", "port": 1, "database": "d", "username": "u", "password": ""}',
            "password: field cannot be blank",
            id="empty-password",
        ),
        pytest.param(
            b'{"host": "h", "port": 1, "database": "d", "username": "u", "password": "a\\u0000"}',
            "password: Input should not contain NUL characters",
            id="nul",
        ),
        pytest.param(
            b'{"dsn": "postgresql://u:p@h/d?sslmode=x"}', "sslmode: Input should be 'disable', 'allow',", id="dsn"
        ),
        pytest.param(b'{"dsn": "nonsense"}', "dsn: Input should be a postgresql:// URI or a libpq", id="no-dsn"),
    ],
)
def test_wrong_body_is_refused(sidecar: Sidecar, path: str, content: bytes, sentence: str) -> None:
    """One sentence for the first broken rule, and nothing happens."""
    before = connection_files(sidecar)

    answer = sidecar.request("POST", path, content=content, headers={"Content-Type": "application/json"})

    assert answer.status_code == 400
    assert answer.json().keys() == {"error"}
    assert answer.json()["error"].startswith(sentence)
    assert answer.headers["Taskflow-Error-Code"] == "validation"
    assert connection_files(sidecar) == before


@pytest.mark.parametrize("path", [SAVE, TEST])
def test_wrong_values_are_not_echoed(sidecar: Sidecar, path: str) -> None:
    """A password in the wrong field, too long, or in a broken DSN."""
    fields: dict[str, Any] = {"host": "h", "port": 1, "database": "d", "username": "u", "password": "p"}
    for canary in CANARIES.values():
        for body in (
            {**fields, "password": canary * 600},
            {**fields, "port": canary},
            {**fields, "sslmode": canary},
            {**fields, "host": f"u:{canary[:200]}@h"},
            {"dsn": f"postgresql://u:{canary}%zz@h/d"},
            {"dsn": f"password={canary} {canary}"},
        ):
            answer = sidecar.request("POST", path, json=body)
            assert answer.status_code == 400
            assert find_canary(f"{answer.text} {answer.headers}", canary) == []
