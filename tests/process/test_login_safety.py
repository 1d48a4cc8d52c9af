"""Who gets to see the database's password: nobody who does not know it already, whatever takes the server's place."""

from __future__ import annotations

import json
import re
import secrets
import threading
from typing import TYPE_CHECKING, Any, get_args

import pytest
from cryptography.fernet import Fernet

from tests.support.canaries import CANARIES, find_canary
from tests.support.certificates import CertificateAuthority
from tests.support.databases import fresh_database
from tests.support.postgres import PostgresServer
from tests.support.real_parts import system_postgres
from tests.support.rogue import Request, Rogue
from tests.support.sidecar import Sidecar, run_command
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from tests.conftest import SidecarFactory
    from tests.support.certificates import Certificates
    from tests.support.databases import Database

SAVE = "/api/v1/settings/save-connection"
PASSWORD = "/api/v1/settings/password"
RETRY = "/api/v1/settings/retry"
REQUESTS: tuple[Request, ...] = get_args(Request)
CANARY = CANARIES["single-quote"]


@pytest.fixture(scope="module")
def server(certificates: Certificates) -> Iterator[PostgresServer]:
    """Debian's PostgreSQL with TLS, whose place others take; each test leaves it running and as it was."""
    with PostgresServer(system_postgres()) as server:
        server.enable_tls(certificates.good, client_authority_pem=certificates.authority.certificate_pem)
        yield server


@pytest.fixture
def database(server: PostgresServer) -> Iterator[Database]:
    """An empty database there."""
    with fresh_database(server, with_tables=True) as fresh:
        yield fresh


@pytest.fixture(scope="module")
def tester() -> Iterator[Sidecar]:
    """A sidecar that tests connections and has none."""
    with Sidecar(env={"TASKFLOW_EMBEDDED": "0"}, args=["--log-level", "debug"]) as sidecar:
        sidecar.wait_for_state("setup_required")
        yield sidecar


def assert_refused(answer: httpx.Response, *phrases: str) -> None:
    """The test was refused because the login would have been too weak."""
    assert (answer.status_code, answer.headers["Taskflow-Error-Code"]) == (400, "auth-downgraded"), answer.text
    for phrase in phrases:
        assert phrase in answer.json()["error"]


def kept_login(sidecar: Sidecar) -> Any:
    """What is kept of the last login beside the saved connection."""
    key = (sidecar.config_dir / "fernet.key").read_bytes()
    return json.loads(Fernet(key).decrypt((sidecar.config_dir / "db_credentials.enc").read_bytes())).get("login")


@pytest.mark.parametrize("request_", REQUESTS)
def test_who_takes_the_place_of_the_server_is_not_told_the_password(
    server: PostgresServer, database: Database, sidecar_factory: SidecarFactory, request_: Request
) -> None:
    """The automatic reconnect meets a stranger, also after a restart: nothing is sent, and the lead is told."""
    sidecar = sidecar_factory()
    sidecar.save_connection({**database.fields(), "sslmode": "disable"})
    sidecar.wait_healthy()
    saved_at = sidecar.request("GET", "/api/v1/settings/connection").json()["saved_at"]
    server.stop()
    try:
        with Rogue(request_, port=server.port) as rogue:
            wait_until(lambda: rogue.logins > 0, timeout_s=10, what="the automatic reconnect")
            threading.Event().wait(0.5)
            assert rogue.told == []
            problem = sidecar.wait_for_problem("auth-downgraded")
            assert sidecar.status()["state"] == "failed"
            sidecar.stop()
            sidecar.start()
            again = sidecar.wait_for_problem("auth-downgraded")
    finally:
        server.start()

    assert rogue.logins >= 2
    assert rogue.told == []
    for met in (problem, again):
        assert (met["retryable"], met["who"]) == (False, "database administrator")
        assert 15 < met["next_retry_in_s"] <= 30
        assert "not sent" in met["message"] or "nothing was sent" in met["message"]
        assert "before" in met["message"]
    assert sidecar.request("POST", RETRY).status_code == 202
    sidecar.wait_healthy()
    assert kept_login(sidecar) == {"scram": True, "channel_binding": False}
    assert sidecar.request("GET", "/api/v1/settings/connection").json()["saved_at"] == saved_at


@pytest.mark.parametrize("request_", ["clear text", "md5"])
@pytest.mark.parametrize("sslmode", ["disable", "prefer", "require"])
def test_stranger_is_not_told_a_password_at_the_first_meeting(
    tester: Sidecar, certificates: Certificates, request_: Request, sslmode: str
) -> None:
    """Below full verification anybody may have answered, with a certificate of his own making."""
    fields = {"host": "127.0.0.1", "database": "d", "username": "u", "password": CANARY, "sslmode": sslmode}
    with Rogue(request_, certificate=certificates.unknown_issuer if sslmode != "disable" else None) as rogue:
        answer = tester.test_connection({**fields, "port": rogue.port})

    assert rogue.logins > 0
    assert rogue.told == []
    assert_refused(answer, "MD5 hash" if request_ == "md5" else "clear text", "not sent")
    assert find_canary(answer.text + tester.stderr_text() + tester.log_text(), CANARY) == []


@pytest.mark.parametrize("method", ["password", "md5"])
def test_verified_server_may_ask_for_the_password(
    tester: Sidecar, server: PostgresServer, database: Database, certificates: Certificates, method: str
) -> None:
    """Managed databases do; nobody else holds a certificate for that name."""
    with server.connect("postgres") as connection, connection.cursor() as cursor:
        cursor.execute("SET password_encryption = 'md5'")
        cursor.execute(f"ALTER ROLE {database.username} PASSWORD '{database.password}'")
        connection.commit()
    with server.hba(f"hostssl all {database.username} all {method}"):
        verified = {"host": "localhost", "sslmode": "verify-full", "sslrootcert": str(certificates.root_file)}
        tested = tester.test_connection({**database.fields(), **verified})
        assert tested.status_code == 200
        assert re.fullmatch(
            r"(lookup|reach|login|query);dur=[\d.]+(, (reach|login|query);dur=[\d.]+)*"
            r', server;desc="\d[^"]*", encryption;desc="TLSv1\.[23]"',
            tested.headers["Server-Timing"],
        )
        for sslmode in ("require", "verify-ca"):
            unsure = {"sslmode": sslmode, "sslrootcert": str(certificates.root_file)}
            assert_refused(tester.test_connection({**database.fields(), **unsure}), "verify-full")


def test_login_is_bound_to_its_tls_connection_and_stays_so(
    server: PostgresServer, database: Database, sidecar_factory: SidecarFactory
) -> None:
    """Once the server has offered channel binding, one that speaks without TLS, or does not bind, is a stranger."""
    sidecar = sidecar_factory()
    sidecar.save_connection({**database.fields()})
    sidecar.wait_healthy()
    assert sidecar.status()["database"]["tls"] is True
    wait_until(lambda: kept_login(sidecar), timeout_s=30, what="the login to be kept")
    assert kept_login(sidecar) == {"scram": True, "channel_binding": True}

    server.configure(ssl="off")
    try:
        assert sidecar.request("POST", RETRY).status_code == 202
        sidecar.wait_for_problem("auth-downgraded")
        # as saved, but for the name of the database: what was shown goes on to be demanded
        assert_refused(sidecar.test_connection({**database.fields(), "password": None}))
        # entered anew, the lead has looked into it
        sidecar.save_connection(database.fields())
        sidecar.wait_healthy()
    finally:
        server.configure(ssl="on")
    wait_until(
        lambda: kept_login(sidecar) == {"scram": True, "channel_binding": False}, timeout_s=5, what="the new login"
    )


def test_verified_server_that_asks_for_less_than_before_is_refused(
    server: PostgresServer, database: Database, certificates: Certificates, sidecar_factory: SidecarFactory
) -> None:
    """A login is never weaker than the last one that succeeded."""
    sidecar = sidecar_factory()
    verified = {"host": "localhost", "sslmode": "verify-full", "sslrootcert": str(certificates.root_file)}
    sidecar.save_connection({**database.fields(), **verified})
    sidecar.wait_healthy()
    with server.hba(f"hostssl all {database.username} all password"):
        assert sidecar.request("POST", RETRY).status_code == 202
        sidecar.wait_for_problem("auth-downgraded")
    assert sidecar.request("POST", RETRY).status_code == 202
    sidecar.wait_healthy()


def test_settings_may_only_harden(tester: Sidecar, server: PostgresServer, database: Database) -> None:
    """A demand in the settings or in the DSN is kept; one that would weaken the login is refused or has no effect."""
    with server.hba(f"host all {database.username} all trust"):
        assert tester.test_connection({**database.fields()}).status_code == 200
        hardened = tester.test_connection({**database.fields(), "require_auth": "scram-sha-256"})
        bound = tester.test_connection({"dsn": f"{database.url}?channel_binding=require"})
    assert (hardened.status_code, bound.status_code) == (400, 400)
    with server.hba(f"host all {database.username} all password"):
        assert_refused(tester.test_connection({**database.fields(), "require_auth": "password,scram-sha-256"}))
    weak = tester.test_connection({**database.fields(), "require_auth": "md5"})
    assert weak.json()["error"].startswith("require_auth: ")


# The saved password, lent


def test_saved_password_goes_nowhere_else(
    database: Database, sidecar_factory: SidecarFactory, certificates: Certificates
) -> None:
    """Null means the saved one, for the same server, user and protection only; nobody else hears a word."""
    sidecar = sidecar_factory()
    missing = sidecar.test_connection({**database.fields(), "password": None})
    assert (missing.status_code, missing.json()) == (400, {"error": "password: Field required"})
    sidecar.save_connection(database.fields())
    sidecar.wait_healthy()
    with Rogue("clear text") as rogue:
        changes: tuple[dict[str, Any], ...] = (
            {"host": "localhost", "port": rogue.port},
            {"port": rogue.port},
            {"username": "another"},
            {"sslmode": "disable"},
            {"sslrootcert": str(certificates.root_file)},
            {"hostaddr": "127.0.0.1"},
        )
        for change in changes:
            for path in (SAVE, "/api/v1/settings/test-connection"):
                answer = sidecar.request("POST", path, json={**database.fields(), "password": None, **change})
                assert (answer.status_code, answer.json()) == (400, {"error": "password: Field required"}), change
        assert rogue.accepted == 0


def test_name_of_the_database_is_changed_without_the_password(
    server: PostgresServer, database: Database, sidecar_factory: SidecarFactory
) -> None:
    """By a lead who has it not at hand, in fields or in a DSN."""
    sidecar = sidecar_factory()
    sidecar.save_connection(database.fields())
    sidecar.wait_healthy()
    other = f"{database.name}_other"
    server.create_database(other, owner=database.username)
    try:
        fields = {**database.fields(), "database": other, "password": None}
        assert sidecar.test_connection(fields).json() == {"status": "ok"}
        sidecar.save_connection(fields)
        # met by a pipeline that was just started, the call waits for it
        members = sidecar.request("GET", "/api/v1/members")
        assert (members.status_code, sidecar.status()["database"]["database"]) == (200, other)
        assert sidecar.request("GET", "/api/v1/settings/connection").json()["has_password"] is True
        sidecar.save_connection(database.fields())
        sidecar.wait_healthy()
    finally:
        server.drop_database(other)


def test_save_may_test_first(database: Database, sidecar_factory: SidecarFactory) -> None:
    """What does not work is not saved; the answer is that of the test."""
    sidecar = sidecar_factory()
    sidecar.wait_healthy()
    wrong = {**database.fields(), "password": CANARY}
    refused = sidecar.request("POST", f"{SAVE}?test=true", json=wrong)
    assert (refused.status_code, refused.headers["Taskflow-Error-Code"]) == (400, "password-rejected")
    assert refused.json()["error"].startswith("Connection failed: ")
    assert sidecar.request("GET", "/api/v1/settings/connection").status_code == 404
    odd = sidecar.request("POST", f"{SAVE}?test=perhaps", json=wrong)
    assert odd.json() == {"error": "query.test: Input should be 'true' or 'false'"}

    dsn = f"{database.url}?pgbouncer=true&connection_limit=1"
    answer = sidecar.request("POST", f"{SAVE}?test=true", json={"dsn": dsn})

    assert answer.json() == {"status": "saved", "ignored": ["pgbouncer", "connection_limit"]}
    sidecar.wait_healthy()
    assert sidecar.status()["mode"] == "postgresql"


# A password that is stored nowhere


def test_password_in_memory_is_used_from_the_next_login_on(
    server: PostgresServer, database: Database, sidecar_factory: SidecarFactory
) -> None:
    """A token that expires is replaced without a save, at once where a login was refused; live connections go on."""
    sidecar = sidecar_factory(args=["--log-level", "debug"])
    nobody = sidecar.request("POST", PASSWORD, json={"password": CANARY})
    assert (nobody.status_code, nobody.json()) == (404, {"error": "No connection is saved"})
    sidecar.save_connection(database.fields())
    sidecar.wait_healthy()
    token = secrets.token_hex(900)
    server.execute(f"ALTER ROLE {database.username} PASSWORD '{token}'")
    assert sidecar.request("GET", "/api/v1/members").status_code == 200  # what is open goes on
    server.terminate_sessions()
    sidecar.wait_for_problem("password-rejected")

    taken = sidecar.request("POST", PASSWORD, json={"password": token})

    assert (taken.status_code, taken.json()) == (200, {"status": "taken"})
    sidecar.wait_healthy(timeout_s=5)
    key = (sidecar.config_dir / "fernet.key").read_bytes()
    stored = Fernet(key).decrypt((sidecar.config_dir / "db_credentials.enc").read_bytes())
    assert json.loads(stored)["password"] == database.password
    assert token not in stored.decode()
    assert find_canary(sidecar.stderr_text() + sidecar.log_text(), token) == []
    sidecar.stop()
    sidecar.start()
    sidecar.wait_for_problem("password-rejected")
    assert sidecar.request("POST", PASSWORD, json={"password": token}).status_code == 200
    sidecar.wait_healthy(timeout_s=5)
    blank = sidecar.request("POST", PASSWORD, json={"password": ""})
    assert blank.json() == {"error": "password: field cannot be blank"}


# What a person who repairs it is told


def test_details_help_and_hold_nothing_of_the_password(server: PostgresServer, database: Database) -> None:
    """Host, port, user, database, step and time; whatever shares four characters with the password is left out."""
    with Sidecar() as sidecar:
        sidecar.wait_healthy()
        sidecar.save_connection({**database.fields(), "database": "nowhere", "password": database.password})
        met = sidecar.wait_for_problem("database-missing")
        assert met["details"]["at"] >= met["since"]
        assert {name: value for name, value in met["details"].items() if name != "at"} == {
            "host": "127.0.0.1",
            "port": server.port,
            "username": database.username,
            "database": "nowhere",
            "sqlstate": None,
            "step": "connect",
        }
        told = run_command("doctor", "--details", config_dir=sidecar.config_dir)
        found = json.loads(run_command("doctor", "--json", config_dir=sidecar.config_dir).stdout)
        facts = next(check for check in found if check["name"] == "database")["details"]
        assert (facts["host"], facts["database"], facts["username"]) == ("127.0.0.1", "nowhere", database.username)
        assert f"username: {database.username}\n" in told.stdout
        assert database.password not in told.stdout
        for password in ("xxnowhe", f"{database.username[:4].upper()}!", str(server.port)):
            sidecar.save_connection({**database.fields(), "database": "nowhere", "password": password})
            document = sidecar.wait_for_problem("password-rejected")
            for value in document["details"].values():
                text = str(value).casefold()
                assert password.casefold() not in text
                assert not any(password[at : at + 4].casefold() in text for at in range(len(password) - 3))


def test_certificate_of_another_authority_is_no_way_in(tester: Sidecar, database: Database, tmp_path: Any) -> None:
    """Verification does not fall back to anything."""
    root = CertificateAuthority("Other").write(tmp_path / "other.crt")
    answer = tester.test_connection({**database.fields(), "sslmode": "verify-full", "sslrootcert": str(root)})
    assert answer.headers["Taskflow-Error-Code"] == "tls-unverified"
