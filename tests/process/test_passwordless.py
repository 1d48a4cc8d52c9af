"""Logins without a password, on real parts: Kerberos, client certificates, peer over a socket, the person's .pgpass.

Each is saved, restarted, rotated, and worded when it fails.
"""

from __future__ import annotations

import getpass
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.certificates import CertificateAuthority
from tests.support.kerberos import Kdc
from tests.support.postgres import PostgresServer
from tests.support.real_parts import system_postgres
from tests.support.sidecar import Sidecar
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx

    from tests.support.certificates import Certificates

RETRY = "/api/v1/settings/retry"
SAVE = "/api/v1/settings/save-connection"


@dataclass(frozen=True, slots=True)
class Ground:
    """Debian's PostgreSQL with TLS and a keytab, a KDC, and the sidecar of a person who is known to both."""

    server: PostgresServer
    kdc: Kdc
    sidecar: Sidecar
    directory: Path
    name: str
    """Of the role, of its database, and of the person."""

    def fields(self, **changes: Any) -> dict[str, Any]:
        """Settings without a password."""
        fields = {"host": "localhost", "port": self.server.port, "database": self.name, "username": self.name}
        return {**fields, **changes}

    def save_and_restart(self, fields: dict[str, Any]) -> None:
        """Save; it works; it works after a restart too."""
        answer = self.sidecar.request("POST", f"{SAVE}?test=true", json=fields)
        assert answer.json() == {"status": "saved"}
        self.sidecar.wait_for(lambda document: (document["database"] or {}).get("host") == fields["host"])
        self.sidecar.wait_healthy()
        shown = self.sidecar.request("GET", "/api/v1/settings/connection").json()
        assert (shown["has_password"], shown["auth"]) == (False, fields["auth"])
        self.sidecar.stop()
        self.sidecar.start()
        self.sidecar.wait_healthy()
        assert self.sidecar.request("GET", "/api/v1/members").status_code == 200

    def retry(self) -> None:
        """Begin anew."""
        assert self.sidecar.request("POST", RETRY).status_code == 202


@pytest.fixture(scope="module")
def ground(certificates: Certificates, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """All of it, for the module; each test leaves the server as it was."""
    name = f"person_{secrets.token_hex(3)}"
    with Kdc() as kdc, PostgresServer(system_postgres(), environment=kdc.environment) as server:
        keytab = server.keep("service.keytab", kdc.service_key)
        server.configure(krb_server_keyfile=f"'{keytab}'")
        server.enable_tls(certificates.good, client_authority_pem=certificates.authority.certificate_pem)
        server.create_role(name, "a password")
        server.create_database(name, owner=name)
        kdc.add_person(name)
        kdc.add_person("somebody")
        environment = {"TASKFLOW_EMBEDDED": "0", **kdc.environment}
        with Sidecar(env=environment) as sidecar:
            sidecar.wait_for_state("setup_required")
            yield Ground(server, kdc, sidecar, tmp_path_factory.mktemp("client"), name)


def assert_told(answer: httpx.Response, code: str, *phrases: str) -> None:
    """The test tells the reason in words."""
    assert (answer.status_code, answer.headers["Taskflow-Error-Code"]) == (400, code), answer.text
    for phrase in phrases:
        assert phrase in answer.json()["error"]


# Kerberos


@pytest.mark.parametrize("encryption", [{}, {"gssencmode": "require"}, {"sslmode": "require"}], ids=repr)
def test_kerberos(ground: Ground, encryption: dict[str, str]) -> None:
    """A ticket is enough, encrypted by Kerberos or by TLS; a new ticket counts from the next login on."""
    lines = [f"host{kind} all {ground.name} all gss include_realm=0" for kind in ("gssenc", "ssl")]
    with ground.server.hba(*lines):
        ground.kdc.log_in(ground.name)
        ground.save_and_restart(ground.fields(auth="kerberos", **encryption))

        ground.kdc.log_out()
        ground.retry()
        problem = ground.sidecar.wait_for_problem("permission-denied")
        ground.kdc.log_in(ground.name)
        ground.retry()
        ground.sidecar.wait_healthy()

    assert problem["next_retry_in_s"] > 15
    if encryption != {"gssencmode": "require"}:
        assert "no Kerberos ticket" in problem["message"]


def test_kerberos_that_fails_is_worded(ground: Ground) -> None:
    """No ticket, an expired one, an unknown service, somebody else's principal, a server that wants another way."""
    fields = ground.fields(auth="kerberos")
    with ground.server.hba(f"host all {ground.name} all gss include_realm=0"):
        ground.kdc.log_out()
        assert_told(ground.sidecar.test_connection(fields), "permission-denied", "no Kerberos ticket", "kinit")
        ground.kdc.log_in(ground.name, lifetime="1s")
        wait_until(
            lambda: "expired" in ground.sidecar.test_connection(fields).text, timeout_s=20, what="the ticket to expire"
        )
        assert_told(ground.sidecar.test_connection(fields), "permission-denied", "ticket has expired", "kinit")
        ground.kdc.log_in(ground.name)
        unknown = ground.sidecar.test_connection({**fields, "krbsrvname": "other"})
        assert_told(unknown, "permission-denied", "does not know the database server by that name", "krbsrvname")
        ground.kdc.log_in("somebody")
        mapped = ground.sidecar.test_connection(fields)
        assert_told(mapped, "permission-denied", "does not let this Kerberos principal in")
    for method in ("scram-sha-256", "password", "trust"):
        with ground.server.hba(f"host all {ground.name} all {method}"):
            code = "auth-downgraded" if method == "password" else "permission-denied"
            # without Kerberos' own encryption, which would have told both who they are
            assert_told(ground.sidecar.test_connection({**fields, "gssencmode": "disable"}), code)


# Certificates


def test_client_certificate(ground: Ground, certificates: Certificates) -> None:
    """It is enough, over TLS; one that replaces it counts from the next login on."""
    certificate, key = certificates.authority.issue_client(ground.name).write(ground.directory, "client")
    fields = ground.fields(auth="certificate", sslcert=str(certificate), sslkey=str(key))
    with ground.server.hba(f"hostssl all {ground.name} all cert"):
        ground.save_and_restart(fields)
        assert ground.sidecar.status()["database"]["tls"] is True

        CertificateAuthority("Stranger").issue_client(ground.name).write(ground.directory, "client")
        ground.retry()
        ground.sidecar.wait_for_problem("tls-required")
        certificates.authority.issue_client(ground.name).write(ground.directory, "client")
        ground.retry()
        ground.sidecar.wait_healthy()

        key.chmod(0o644)
        assert_told(ground.sidecar.test_connection(fields), "tls-unverified", "only you can read the key")
        key.chmod(0o600)
        other = certificates.authority.issue_client("somebody").write(ground.directory, "other")
        refused = ground.sidecar.test_connection({**fields, "sslcert": str(other[0]), "sslkey": str(other[1])})
        assert_told(refused, "permission-denied", "was issued for another database user")
    with ground.server.hba(f"hostssl all {ground.name} all scram-sha-256"):
        assert_told(ground.sidecar.test_connection(fields), "permission-denied", "log in by certificate")


# The operating system's word, and the person's own file


def test_peer_over_a_socket(ground: Ground) -> None:
    """The directory of the socket stands for the host; the account's own name is let in, another one is not."""
    account, database = getpass.getuser(), f"{ground.name}_local"
    ground.server.create_role(account, "unused")
    ground.server.create_database(database, owner=account)
    local = ground.fields(host=str(ground.server.socket_directory), auth="none", username=account, database=database)
    with ground.server.hba("local all all peer"):
        ground.save_and_restart(local)
        other = ground.sidecar.test_connection({**local, "username": ground.name})
        assert_told(other, "permission-denied", "under its own name only")


def test_password_file_of_the_person(ground: Ground) -> None:
    """A DSN without a password leaves it to the file; what changes there counts, and is named when it is wrong."""
    file = ground.sidecar.directory / "home" / ".pgpass"
    dsn = f"postgresql://{ground.name}@127.0.0.1:{ground.server.port}/{ground.name}"

    def write(password: str) -> None:
        file.touch(mode=0o600)
        file.write_text(f"127.0.0.1:{ground.server.port}:*:{ground.name}:{password}\n")

    file.unlink(missing_ok=True)
    assert_told(ground.sidecar.test_connection({"dsn": dsn}), "password-rejected", "none is given", ".pgpass")
    write("a password")
    ground.save_and_restart({**ground.fields(host="127.0.0.1"), "auth": "none"})
    ground.server.execute(f"ALTER ROLE {ground.name} PASSWORD 'another'")
    try:
        ground.retry()
        problem = ground.sidecar.wait_for_problem("password-rejected")
        write("another")
        ground.retry()
        ground.sidecar.wait_healthy()
    finally:
        ground.server.execute(f"ALTER ROLE {ground.name} PASSWORD 'a password'")
        file.unlink()
    assert ".pgpass" in problem["message"]


def test_url_without_a_password(ground: Ground) -> None:
    """`TASKFLOW_DATABASE_URL` may leave the login to the server, which trusts whoever comes from here."""
    url = f"postgresql://{ground.name}@127.0.0.1:{ground.server.port}/{ground.name}"
    with ground.server.hba(f"host all {ground.name} all trust"), Sidecar(env={"TASKFLOW_DATABASE_URL": url}) as sidecar:
        sidecar.wait_healthy()
        assert sidecar.status()["database"]["username"] == ground.name
