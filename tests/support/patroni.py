"""A real team's PostgreSQL on one machine: etcd, Patroni with three servers, HAProxy and PgBouncer, all Debian's.

The processes outlive whoever starts them: what they are is kept in the cluster's directory, so that another process can
switch over, kill the leader, or end them.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import signal
import stat
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import httpx
import psutil  # type: ignore[import-untyped]
import psycopg2

from tests.support.accounts import ServerAccount
from tests.support.network import LOOPBACK, free_port
from tests.support.real_parts import require_binary, system_postgres
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

NODES: Final = ("one", "two", "three")
STATE_FILE: Final = "team.json"
DATABASE: Final = "taskflow"
OWNER: Final = "taskflow"
START_S: Final = 90.0
STOP_S: Final = 20.0
PACKAGES: Final = {"etcd": "etcd-server", "patroni": "patroni", "haproxy": "haproxy", "pgbouncer": "pgbouncer"}
"""Debian's package of each program."""


def _require_own(directory: Path) -> None:
    """Refuse a directory in which somebody else could name the processes to end, or read the password.

    Raises:
        RuntimeError: it is another user's, or others may write to it.
    """
    if not os.path.lexists(directory):
        return
    found = directory.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o022:
        raise RuntimeError(f"{directory} is not this user's own; give another one with --directory.")


class PatroniCluster:
    """The cluster of a directory, started or found.

    Args:
        directory: where everything is kept.
        synchronous: let each commit wait for a standby, so that a failover loses nothing.
    """

    def __init__(self, directory: Path, *, synchronous: bool = True) -> None:
        _require_own(directory)
        self.directory = directory
        self._account = ServerAccount.choose()
        self._synchronous = synchronous
        self._file = directory / STATE_FILE
        self._state: dict[str, Any] = json.loads(self._file.read_bytes()) if self._file.exists() else {}

    @property
    def is_up(self) -> bool:
        """Whether it was started, and not ended."""
        return bool(self._state)

    @property
    def password(self) -> str:
        """Of the database's owner."""
        return str(self._state["password"])

    @property
    def ports(self) -> dict[str, int]:
        """Of each server, of ``haproxy`` (the leader) and of ``pgbouncer`` (in transaction mode, the leader too)."""
        ports: dict[str, int] = self._state["ports"]
        return ports

    def fields(self, through: str = "servers") -> dict[str, Any]:
        """Return the settings that a team lead types.

        Args:
            through: ``servers``, all of them, whichever leads; ``haproxy``; ``pgbouncer``.
        """
        common = {"database": DATABASE, "username": OWNER, "password": self.password}
        if through != "servers":
            return {**common, "host": LOOPBACK, "port": self.ports[through]}
        several = {"host": ",".join([LOOPBACK] * len(NODES)), "port": ",".join(str(self.ports[name]) for name in NODES)}
        return {**common, **several, "target_session_attrs": "read-write"}

    # Life and death

    def up(self) -> None:
        """Start everything, and make the team's database.

        Raises:
            RuntimeError: it is up already.
        """
        if self.is_up:
            raise RuntimeError(f"a cluster is up in {self.directory}")
        programs = {name: require_binary(name, package=package) for name, package in PACKAGES.items()}
        names = (*NODES, *(f"{name}-api" for name in NODES), "etcd", "etcd-peer", "haproxy", "pgbouncer")
        self._state = {
            "ports": {name: free_port() for name in names},
            "pids": {},
            **{name: secrets.token_hex(16) for name in ("password", "superuser", "replication")},
        }
        self.directory.mkdir(mode=0o755, parents=True, exist_ok=True)
        self._account.give(self.directory)
        self._start_etcd(programs["etcd"])
        for name in NODES:
            self._start_node(name)
            if name == NODES[0]:  # it makes the cluster, the others copy it
                self.wait_for_leader()
        self.wait_steady()
        self._make_database()
        self._start_haproxy(programs["haproxy"])
        self._start_pooler(programs["pgbouncer"])

    def down(self) -> None:
        """End everything and remove it."""
        pids: dict[str, int] = self._state.get("pids", {})
        victims: list[psutil.Process] = []
        for pid in reversed(pids.values()):
            with contextlib.suppress(psutil.NoSuchProcess):
                process = psutil.Process(pid)
                victims += [process, *process.children(recursive=True)]
        victims += self._servers()
        for process in victims:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(victims, timeout=STOP_S)
        self._state = {}
        shutil.rmtree(self.directory, ignore_errors=True)

    def _servers(self) -> list[psutil.Process]:
        """Return PostgreSQL's own processes, which outlive a Patroni that was killed."""
        found = []
        for name in NODES:
            pid = self.postmaster(name)
            if pid is not None:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process = psutil.Process(pid)
                    found += [process, *process.children(recursive=True)]
        return found

    def postmaster(self, name: str) -> int | None:
        """Return the process id of a server."""
        with contextlib.suppress(OSError, ValueError, IndexError):
            pid = int((self.directory / name / "data" / "postmaster.pid").read_text().splitlines()[0])
            os.kill(pid, 0)
            return pid
        return None

    # What it is like, and what becomes of it

    def members(self) -> list[dict[str, Any]]:
        """Return what Patroni tells of its members."""
        for name in NODES:
            with contextlib.suppress(httpx.HTTPError, ValueError):
                found: list[dict[str, Any]] = httpx.get(self._api(name, "cluster"), timeout=2).json()["members"]
                return found
        return []

    def leader(self) -> str | None:
        """Return who leads; None while nobody does."""
        for name in NODES:
            with contextlib.suppress(httpx.HTTPError):
                if httpx.get(self._api(name, "primary"), timeout=2).status_code == 200:
                    return name
        return None

    def wait_for_leader(self) -> str:
        """Return who leads, once somebody does."""
        what = f"a leader; the logs are in {self.directory}"
        return str(wait_until(self.leader, timeout_s=START_S, what=what, interval_s=0.1))

    def wait_steady(self) -> None:
        """Wait until it can bear the loss of its leader."""
        what = f"the standbys; the logs are in {self.directory}"
        wait_until(self.is_steady, timeout_s=START_S, what=what, interval_s=0.2)

    def is_steady(self) -> bool:
        """Tell whether there is a leader, and every other server follows it, one of them synchronously if so wanted."""
        members = self.members()
        roles = [member["role"] for member in members if member["state"] in ("running", "streaming")]
        timelines = {member.get("timeline") for member in members}
        wanted = not self._synchronous or "sync_standby" in roles
        return "leader" in roles and len(roles) == len(NODES) and len(timelines) == 1 and wanted

    def switch_over(self) -> str:
        """Let another server lead; return who led."""
        led = self.wait_for_leader()
        answer = httpx.post(self._api(led, "switchover"), json={"leader": led}, timeout=START_S)
        if answer.status_code != 200:
            raise RuntimeError(f"no switchover: {answer.text}")
        return led

    def kill_leader(self) -> str:
        """Kill the leader's server with all its processes; return who led. Its Patroni finds that out."""
        led = self.wait_for_leader()
        pid = self.postmaster(led)
        if pid is not None:
            server = psutil.Process(pid)
            server.suspend()  # which forks no more, so the list of children is complete
            victims = [server, *server.children(recursive=True)]
            for process in victims:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.send_signal(signal.SIGKILL)
        return led

    @contextlib.contextmanager
    def connect(self, name: str, dbname: str = DATABASE) -> Iterator[Any]:
        """Provide a superuser's connection to one of the servers, or through ``haproxy``."""
        connection = psycopg2.connect(
            host=LOOPBACK,
            port=self.ports[name],
            user="postgres",
            password=self._state["superuser"],
            dbname=dbname,
            connect_timeout=2,
        )
        with contextlib.closing(connection):
            connection.autocommit = True
            yield connection

    # Inner workings

    def _api(self, name: str, path: str) -> str:
        return f"http://{LOOPBACK}:{self.ports[f'{name}-api']}/{path}"

    def _spawn(self, name: str, command: Sequence[str | Path]) -> None:
        with (self.directory / f"{name}.log").open("ab") as log:
            options = self._account.process_options()
            process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.directory, **options)
        self._state["pids"][name] = process.pid
        self._file.touch(mode=0o600)
        self._file.write_text(json.dumps(self._state))

    def _start_etcd(self, program: Path) -> None:
        client, peer = (f"http://{LOOPBACK}:{self.ports[name]}" for name in ("etcd", "etcd-peer"))
        data = self.directory / "etcd"
        data.mkdir(mode=0o700)
        self._account.give(data)
        flags = {
            "data-dir": str(data),
            "listen-client-urls": client,
            "advertise-client-urls": client,
            "listen-peer-urls": peer,
            "initial-advertise-peer-urls": peer,
            "initial-cluster": f"default={peer}",
        }
        self._spawn("etcd", [program, "--unsafe-no-fsync", *(f"--{name}={value}" for name, value in flags.items())])

    def _start_node(self, name: str) -> None:
        home = self.directory / name
        home.mkdir(mode=0o700)
        self._account.give(home)
        access = ("host all all 127.0.0.1/32 scram-sha-256", "host replication replicator 127.0.0.1/32 scram-sha-256")
        settings = {
            "scope": "taskflow",
            "name": name,
            "restapi": {"listen": f"{LOOPBACK}:{self.ports[f'{name}-api']}"},
            "etcd3": {"host": f"{LOOPBACK}:{self.ports['etcd']}"},
            "bootstrap": {
                "dcs": {
                    "ttl": 20,
                    "loop_wait": 1,
                    "retry_timeout": 3,
                    "master_start_timeout": 0,  # a leader that dies is not waited for
                    "synchronous_mode": self._synchronous,
                    "postgresql": {
                        "use_pg_rewind": True,
                        "parameters": {"max_connections": 100, "wal_log_hints": "on", "shared_buffers": "32MB"},
                    },
                },
                "initdb": [{"encoding": "UTF8"}, {"locale": "C"}, "data-checksums"],
            },
            "postgresql": {
                "listen": f"{LOOPBACK}:{self.ports[name]}",
                "connect_address": f"{LOOPBACK}:{self.ports[name]}",
                "data_dir": str(home / "data"),
                "bin_dir": str(system_postgres()),
                "pgpass": str(home / "pgpass"),
                "pg_hba": list(access),
                "parameters": {"unix_socket_directories": str(home), "fsync": "off"},
                "authentication": {
                    "superuser": {"username": "postgres", "password": self._state["superuser"]},
                    "replication": {"username": "replicator", "password": self._state["replication"]},
                    "rewind": {"username": "postgres", "password": self._state["superuser"]},
                },
            },
        }
        # JSON is YAML
        file = self._account.write(home / "patroni.yml", json.dumps(settings, indent=2))
        self._spawn(name, [require_binary("patroni", package="patroni"), file])

    def _make_database(self) -> None:
        led = self.wait_for_leader()
        with self.connect(led, "postgres") as connection, connection.cursor() as cursor:
            cursor.execute(f"CREATE ROLE {OWNER} LOGIN PASSWORD '{self.password}'")
            cursor.execute(f"CREATE DATABASE {DATABASE} OWNER {OWNER}")
            cursor.execute(f"SELECT rolpassword FROM pg_authid WHERE rolname = '{OWNER}'")
            self._state["verifier"] = cursor.fetchone()[0]

    def _start_haproxy(self, program: Path) -> None:
        lines = [
            *("defaults", "  mode tcp", "  timeout connect 2s", "  timeout client 1h", "  timeout server 1h"),
            *("listen leader", f"  bind {LOOPBACK}:{self.ports['haproxy']}", "  option httpchk GET /primary"),
            "  default-server inter 300ms fall 1 rise 1 on-marked-down shutdown-sessions",
            *(
                f"  server {name} {LOOPBACK}:{self.ports[name]} check port {self.ports[f'{name}-api']}"
                for name in NODES
            ),
        ]
        file = self._account.write(self.directory / "haproxy.cfg", "".join(f"{line}\n" for line in lines))
        self._spawn("haproxy", [program, "-f", file])

    def _start_pooler(self, program: Path) -> None:
        users = self._account.write(self.directory / "users.txt", f'"{OWNER}" "{self.password}"\n')
        settings = {
            "listen_addr": LOOPBACK,
            "listen_port": self.ports["pgbouncer"],
            "unix_socket_dir": "",
            "auth_type": "scram-sha-256",
            "auth_file": users,
            "pool_mode": "transaction",
            "default_pool_size": 20,
            "max_client_conn": 500,
            "server_login_retry": "0.5",
        }
        lines = [
            *("[databases]", f"{DATABASE} = host={LOOPBACK} port={self.ports['haproxy']}", "[pgbouncer]"),
            *(f"{name} = {value}" for name, value in settings.items()),
        ]
        file = self._account.write(self.directory / "pooler.ini", "".join(f"{line}\n" for line in lines))
        self._spawn("pgbouncer", [program, file])
