"""A real MIT KDC, made, run and removed by the tests, with tickets that come and go."""

from __future__ import annotations

import subprocess
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Self

from tests.support.network import LOOPBACK, free_port
from tests.support.real_parts import require_binary
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from types import TracebackType

REALM = "TEAM.EXAMPLE"
SERVICE = f"postgres/localhost@{REALM}"


class Kdc:
    """A realm with one person and the service of a database on localhost."""

    def __init__(self) -> None:
        self._daemon = require_binary("krb5kdc", package="krb5-kdc")
        self._admin = require_binary("kadmin.local", package="krb5-admin-server")
        self._kinit = require_binary("kinit", package="krb5-user")
        self._cleanup = ExitStack()
        self._process: subprocess.Popen[bytes] | None = None
        self.directory = Path()

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._close()

    @property
    def environment(self) -> dict[str, str]:
        """What programs of the realm need, and where the person's tickets are."""
        return {
            "KRB5_CONFIG": str(self.directory / "krb5.conf"),
            "KRB5_KDC_PROFILE": str(self.directory / "kdc.conf"),
            "KRB5CCNAME": f"FILE:{self.directory / 'tickets'}",
        }

    @property
    def service_key(self) -> bytes:
        """The keytab of the database server."""
        return (self.directory / "service.keytab").read_bytes()

    def log_in(self, principal: str, *, lifetime: str = "1h") -> None:
        """Get the person a ticket."""
        self._run(self._kinit, "-l", lifetime, "-k", "-t", str(self.directory / "person.keytab"), principal)

    def log_out(self) -> None:
        """Take the tickets away."""
        (self.directory / "tickets").unlink(missing_ok=True)

    def add_person(self, principal: str) -> None:
        """Make somebody known."""
        self._run(self._admin, "-q", f"addprinc -randkey {principal}")
        self._run(self._admin, "-q", f"ktadd -k {self.directory / 'person.keytab'} {principal}")

    def _start(self) -> None:
        self.directory = Path(self._cleanup.enter_context(tempfile.TemporaryDirectory(prefix="taskflow-kdc-")))
        self.directory.chmod(0o711)  # the server, another account, reads the settings of the realm
        port = free_port()
        (self.directory / "krb5.conf").write_text(
            f"[libdefaults]\n default_realm = {REALM}\n dns_lookup_realm = false\n dns_lookup_kdc = false\n"
            " rdns = false\n dns_canonicalize_hostname = false\n clockskew = 1\n"
            f"[realms]\n {REALM} = {{\n  kdc = {LOOPBACK}:{port}\n }}\n"
            f"[domain_realm]\n localhost = {REALM}\n"
        )
        (self.directory / "krb5.conf").chmod(0o644)
        (self.directory / "kdc.conf").write_text(
            f"[realms]\n {REALM} = {{\n  database_name = {self.directory / 'principals'}\n"
            f"  key_stash_file = {self.directory / 'stash'}\n  acl_file = {self.directory / 'acl'}\n"
            f"  kdc_listen = {LOOPBACK}:{port}\n  kdc_tcp_listen = {LOOPBACK}:{port}\n }}\n"
            f"[logging]\n kdc = FILE:{self.directory / 'kdc.log'}\n"
        )
        utility = require_binary("kdb5_util", package="krb5-kdc")
        self._run(utility, "create", "-s", "-r", REALM, "-P", "a master password of the tests")
        self._run(self._admin, "-q", f"addprinc -randkey {SERVICE}")
        self._run(self._admin, "-q", f"ktadd -k {self.directory / 'service.keytab'} {SERVICE}")
        self._process = subprocess.Popen(
            [self._daemon, "-n"],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        log = self.directory / "kdc.log"
        wait_until(
            lambda: log.exists() and "commencing operation" in log.read_text(), timeout_s=20, what="the KDC to start"
        )

    def _run(self, program: Path, *args: str) -> None:
        done = subprocess.run([program, *args], env=self.environment, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr

    def _close(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
        self._cleanup.close()
