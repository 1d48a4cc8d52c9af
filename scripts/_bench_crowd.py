"""Many at once: desktops that start together, and writers on a server whose commits take long."""

import http.client
import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import psycopg2
from cryptography.fernet import Fernet
from tests.support.network import DistantProxy
from tests.support.postgres import DEFAULT_HBA, PostgresServer
from tests.support.standby import MAY_FOLLOW, Standby
from tests.support.waiting import wait_until

from _bench_load import in_threads
from _bench_start import until_done
from _measure import Bench, Row, compared, in_turn, seconds_for
from _servers import GIVEN_PACKAGES, TOKEN, database_with_members, sidecar

DESKTOPS = 40
WRITERS = 15
WRITES = 20
"""Of each writer, in a round."""
LONGEST_S = 300.0
"""Then one has failed, and the others wait in vain."""
COMMIT_MS = 100
"""So long that writers wait for it, and not for this computer's processors."""
TASK = json.dumps({"title": "A task", "status": "To Do", "priority": "Low"})
PLAIN = "INSERT INTO plain (title) VALUES ('A task')"


def measure(bench: Bench) -> Iterator[Row]:
    """Yield the rows of both."""
    yield measure_starts(bench)
    yield measure_writers(bench)


def measure_starts(bench: Bench) -> Row:
    """Start desktops of one team together, and wait for the last one's first data."""
    url = database_with_members(bench, "crowd", 50)
    variables = {"ENCRYPTION_KEY": Fernet.generate_key().decode()}
    subject, floor = in_turn(
        max(1, bench.rounds // 3), lambda: last_data_s(bench.home / "crowd", url, variables), last_import_s
    )
    name = f"{DESKTOPS} started at once: last first data"
    return compared(name, "ms", subject, "bare imports at once", floor, "at most 1.3", factor=1000)


def last_data_s(home: Path, url: str, variables: dict[str, str]) -> float:
    """Return the seconds from its spawn to the first data of whoever has waited longest; none is stopped before."""
    are_all_there = threading.Barrier(DESKTOPS, timeout=LONGEST_S)

    def start(number: int) -> float:
        with sidecar(home / str(number), url, variables) as running:
            taken_s = running.milestones()["data"]
            are_all_there.wait()
            return taken_s

    with ThreadPoolExecutor(DESKTOPS) as pool:
        return max(pool.map(start, range(DESKTOPS)))


def last_import_s() -> float:
    """Return the same of processes that do nothing but import the given packages."""
    with ThreadPoolExecutor(DESKTOPS) as pool:
        return max(pool.map(lambda _: until_done(f"import {GIVEN_PACKAGES}")[0], range(DESKTOPS)))


def measure_writers(bench: Bench) -> Row:
    """Add tasks over several connections, which every desktop is told of; the floor tells nobody.

    Each commit waits for a standby that is far away, as where a failover must lose nothing.
    """
    with PostgresServer() as primary:
        primary.set_hba((MAY_FOLLOW, *DEFAULT_HBA))
        with Standby(primary) as standby, DistantProxy(primary.port, one_way_s=COMMIT_MS / 2000) as way:
            return _measured_writers(replace(bench, server=primary), lambda: _wait_for(standby, primary, way.port))


def _wait_for(standby: Standby, primary: PostgresServer, port: int) -> None:
    """Let each commit of the primary wait for a standby behind a port."""
    standby.follow(port)
    primary.configure(synchronous_standby_names="standby")
    is_waited_for = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync' AND state = 'streaming'"
    wait_until(lambda: primary.query(is_waited_for)[0][0] == 1, timeout_s=30, what="the standby")


def _measured_writers(bench: Bench, make_commits_slow: Callable[[], None]) -> Row:
    url = database_with_members(bench, "writers", 1)
    with psycopg2.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE plain (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), title text)")
    with sidecar(bench.home / "writers", url) as running:
        running.milestones()
        running.get("/api/v1/vault")
        make_commits_slow()
        subject, floor = in_turn(
            bench.rounds,
            lambda: WRITERS * WRITES / seconds_for(lambda: in_threads(WRITERS, lambda: add_tasks(running.port))),
            lambda: WRITERS * WRITES / seconds_for(lambda: in_threads(WRITERS, lambda: add_plain(url))),
        )
    return compared(
        f"{WRITERS} writers, commits of {COMMIT_MS} ms", "tasks/s", subject, "plain inserts", floor, "at least 0.7"
    )


def add_tasks(port: int) -> None:
    """Add tasks over one connection."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    for _ in range(WRITES):
        connection.request("POST", "/api/v1/tasks", TASK, headers)
        answer = connection.getresponse()
        text = answer.read()
        if answer.status != 201:
            raise RuntimeError(f"POST answered {answer.status}: {text[:200]!r}")
    connection.close()


def add_plain(url: str) -> None:
    """Insert rows over one session, each in a transaction of its own."""
    connection = psycopg2.connect(url)
    connection.autocommit = True
    with connection.cursor() as cursor:
        for _ in range(WRITES):
            cursor.execute(PLAIN)
    connection.close()
