"""A real standby: a copy of a running cluster that follows its log, falls behind on demand, and is promoted."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from tests.support.network import LOOPBACK
from tests.support.postgres import DEFAULT_HBA, START_TIMEOUT_S, SUPERUSER, PostgresServer
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

MAY_FOLLOW = f"host replication {SUPERUSER} {LOOPBACK}/32 scram-sha-256"
"""What a primary's `pg_hba.conf` needs."""


class Standby(PostgresServer):
    """A cluster that is copied from a running primary when it is started first.

    Args:
        primary: needs the line `MAY_FOLLOW`.
    """

    def __init__(self, primary: PostgresServer) -> None:
        way = f"host={LOOPBACK} port={primary.port} user={SUPERUSER} password={primary.superuser_password}"
        super().__init__(settings={"primary_conninfo": f"'{way} application_name=standby'"})
        self._way = way
        self.superuser_password = primary.superuser_password
        self._hba = (MAY_FOLLOW, *DEFAULT_HBA)

    def _initialise(self) -> Path:
        directory = self._cleanup.enter_context(self._account.directory("taskflow-standby-"))
        self._programs = self._account.reachable(self._programs, directory)
        made = subprocess.run(
            [self._programs / "pg_basebackup", "-D", directory / "data", "-d", self._way, "-c", "fast", "--no-sync"],
            capture_output=True,
            text=True,
            timeout=START_TIMEOUT_S,
            cwd=directory,
            **self._account.process_options(),
        )
        if made.returncode != 0:
            raise RuntimeError(f"the copy failed:\n{made.stderr}")
        self._account.write(directory / "data" / "standby.signal", "")
        return directory

    def wait_caught_up(self, primary: PostgresServer) -> None:
        """Wait until all that the primary has written is here."""
        end = primary.query("SELECT pg_current_wal_flush_lsn()")[0][0]
        has_come = "SELECT pg_last_wal_replay_lsn() >= %s"
        wait_until(lambda: self.query(has_come, (end,))[0][0], timeout_s=START_TIMEOUT_S, what="the standby")

    def follow(self, port: int) -> None:
        """Receive the log from another port from now on, such as a proxy's before the same primary."""
        self.configure(primary_conninfo=f"'{self._way} port={port} application_name=standby'")

    def fall_behind(self) -> None:
        """Receive nothing any more."""
        self.configure(primary_conninfo="''")
        receiving = "SELECT count(*) FROM pg_stat_wal_receiver"
        wait_until(lambda: self.query(receiving)[0][0] == 0, timeout_s=10, what="the end of receiving")

    def promote(self) -> None:
        """Become a primary, and wait for it."""
        assert self.query("SELECT pg_promote()")[0][0]
