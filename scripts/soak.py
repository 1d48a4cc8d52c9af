"""Trials that last: `python3 scripts/soak.py faults [--operations N] [--seed S] [--only FAULT]`.

``faults`` lets several sidecars work on one database while networks, server, disks and processes fail in turn, until so
many operations have met a fault; then it looks for everything that was acknowledged or refused, and prints a table of
the faults. The seed that it prints, given again, does the same. ``failover`` starts a Patroni cluster (see `team.py`),
lets sidecars write, and switches over and kills the leader in turn. ``pooler`` puts many sidecars behind PgBouncer in
transaction mode with few sessions of the server, and lets all of them call at once. ``large`` puts the data of years
beside a hundredth of it: start-up, lists, verification of the log, rotation, memory. ``day`` lets some sidecars work
for minutes that stand for a day, and prints how what they hold grows.
"""

import argparse
import tempfile
import time
from pathlib import Path

from _environment import run_script, say
from _tests_environment import enter_tests_environment, naming_missing_parts


def main(arguments: list[str]) -> int:
    """Run a trial from the tests' environment; the exit status is 0 if nothing was found wrong."""
    parser = argparse.ArgumentParser(description="Trials that last.")
    trials = parser.add_subparsers(dest="trial", required=True)
    faults = trials.add_parser("faults", help="work while everything fails in turn")
    faults.add_argument("--operations", type=int, default=10_000, help="so many are to meet a fault (default 10000)")
    faults.add_argument("--seed", type=int, default=1, help="what is done, and which faults come (default 1)")
    faults.add_argument("--desktops", type=int, default=3, help="sidecars (default 3)")
    faults.add_argument("--workers", type=int, default=6, help="clients (default 6)")
    faults.add_argument("--no-disks", action="store_true", help="leave disks alone; else the right to mount is needed")
    faults.add_argument("--only", action="append", default=[], help="this fault only; repeatable")
    failover = trials.add_parser("failover", help="write while the leader changes")
    failover.add_argument("--changes", type=int, default=6, help="half are switchovers, half kills (default 6)")
    failover.add_argument("--desktops", type=int, default=5, help="sidecars (default 5)")
    failover.add_argument("--through", choices=("servers", "haproxy", "pgbouncer"), default="servers")
    pooler = trials.add_parser("pooler", help="many sidecars over few sessions of the server")
    pooler.add_argument("--desktops", type=int, default=100, help="sidecars (default 100)")
    pooler.add_argument("--sessions", type=int, default=20, help="of the server (default 20)")
    pooler.add_argument("--pause", type=float, default=1.0, help="seconds between two calls of a client (default 1)")
    pooler.add_argument("--calls", type=int, default=20, help="of each sidecar (default 20)")
    large = trials.add_parser("large", help="much data beside a hundredth of it")
    large.add_argument("--tasks", type=int, default=200_000, help="the rest is in proportion (default 200000)")
    day = trials.add_parser("day", help="a team's day in minutes")
    day.add_argument("--minutes", type=float, default=15.0, help="how long it takes (default 15)")
    day.add_argument("--desktops", type=int, default=10, help="sidecars (default 10)")
    day.add_argument("--pause", type=float, default=0.2, help="seconds between two calls of a desktop (default 0.2)")
    options = parser.parse_args(arguments)
    enter_tests_environment(__file__, arguments)
    trial = {
        "faults": run_faults,
        "failover": run_failovers,
        "pooler": run_pooler,
        "large": run_large,
        "day": run_day,
    }[options.trial]
    with naming_missing_parts():
        return trial(options)


def run_faults(options: argparse.Namespace) -> int:
    """Let a storm blow."""
    from tests.support.databases import fresh_database
    from tests.support.postgres import PostgresServer
    from tests.support.storm import Storm, stormy

    with (
        PostgresServer() as server,
        fresh_database(server, with_tables=True) as database,
        tempfile.TemporaryDirectory(prefix="taskflow-storm-") as home,
        stormy(database, Path(home), desktops=options.desktops, has_disks=not options.no_disks) as desktops,
    ):
        storm = Storm(options.seed, desktops, database, workers=options.workers)
        storm.blow(faulted=options.operations, only=options.only)
        wrong = storm.judge()
    say(storm.table())
    for fault in wrong[:50]:
        say(fault)
    say(f"{len(wrong)} found wrong.")
    return 1 if wrong else 0


def run_failovers(options: argparse.Namespace) -> int:
    """Change the leader of a cluster under load."""
    from tests.support.failovers import FailoverTrial
    from tests.support.patroni import PatroniCluster

    with tempfile.TemporaryDirectory(prefix="taskflow-failover-") as home:
        Path(home).chmod(0o755)
        cluster = PatroniCluster(Path(home) / "cluster")
        try:
            cluster.up()
            trial = FailoverTrial(cluster, Path(home), sidecars=options.desktops, through=options.through)
            try:
                with trial.under_load():
                    for number in range(options.changes):
                        if number % 2 == 0:
                            trial.change("switchover", cluster.switch_over)
                        else:
                            trial.change("kill -9", cluster.kill_leader)
                lost = trial.lost()
                say(trial.table())
            finally:
                trial.close()
        finally:
            cluster.down()
    return 1 if lost else 0


def run_pooler(options: argparse.Namespace) -> int:
    """Let many sidecars share few sessions."""
    from tests.support.crowd import Sampler, calls_at_once, crowd, memory_mb, shown
    from tests.support.databases import fresh_database
    from tests.support.pooler import Pooler
    from tests.support.postgres import PostgresServer

    with (
        PostgresServer() as server,
        fresh_database(server, with_tables=True) as database,
        Pooler(
            server,
            {database.username: database.password},
            default_pool_size=options.sessions,
            max_client_conn=50 * options.desktops,
        ) as pooler,
        tempfile.TemporaryDirectory(prefix="taskflow-pooler-") as home,
    ):
        url = database.url.replace(f":{server.port}/", f":{pooler.port}/")

        def sessions() -> float:
            rows = server.query("SELECT count(*) FROM pg_stat_activity WHERE usename = %s", (database.username,))
            return float(rows[0][0])

        began = time.monotonic()
        with crowd(Path(home), url, options.desktops, at_once=8) as sidecars:
            say(f"{options.desktops} sidecars are ready after {time.monotonic() - began:.0f} s.")
            with Sampler(sessions) as sampler:
                figures = calls_at_once(sidecars, options.calls, pause_s=options.pause)
            time.sleep(35)
            clients = [row for row in pooler.show("CLIENTS") if row[2] == database.name]
            say(shown(figures))
            say(f"At most {sampler.highest:.0f} sessions of the server; 35 s later {len(clients)} clients.")
            say(f"Median memory of a sidecar: {memory_mb(sidecars):.0f} MB.")
    return 1 if figures["refused"] or sampler.highest > options.sessions else 0


def run_large(options: argparse.Namespace) -> int:
    """Measure a large database beside a small one."""
    from tests.support.databases import fresh_database
    from tests.support.large import Size, fill, measured
    from tests.support.postgres import PostgresServer

    sizes = {"small": Size.of(options.tasks // 100), "large": Size.of(options.tasks)}
    found: dict[str, dict[str, float]] = {}
    settings = {"shared_buffers": "512MB", "maintenance_work_mem": "256MB", "max_wal_size": "4GB"}
    with PostgresServer(settings=settings) as server, tempfile.TemporaryDirectory(prefix="taskflow-large-") as home:
        for name, size in sizes.items():
            with fresh_database(server, with_tables=True) as database:
                began = time.monotonic()
                fill(database, Path(home) / name, size)
                say(f"{name}: {size}, filled in {time.monotonic() - began:.0f} s")
                found[name] = measured(database, Path(home) / name, size)
    say(f"{'what':<34}{'small':>10}{'large':>10}{'ratio':>8}")
    for what, small in found["small"].items():
        say(f"{what:<34}{small:>10.2f}{found['large'][what]:>10.2f}{found['large'][what] / small:>8.2f}")
    return 0


def run_day(options: argparse.Namespace) -> int:
    """Let a team work, and look at what grows."""
    from tests.support.databases import fresh_database
    from tests.support.postgres import PostgresServer
    from tests.support.team_day import TeamDay

    with (
        PostgresServer() as server,
        fresh_database(server, with_tables=True) as database,
        tempfile.TemporaryDirectory(prefix="taskflow-day-") as home,
    ):
        day = TeamDay(database, Path(home), desktops=options.desktops, minutes=options.minutes, pause_s=options.pause)
        day.live()
    say(day.table())
    for refused in day.refused[:20]:
        say(refused)
    return 1 if day.refused else 0


if __name__ == "__main__":
    run_script(main)
