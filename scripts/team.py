"""A team's PostgreSQL on this machine, to try: `python3 scripts/team.py up|status|failover|switchover|down`.

``up`` starts three servers under Patroni with etcd, HAProxy and PgBouncer (Debian's packages ``patroni etcd-server
haproxy pgbouncer postgresql``) and prints the settings to type; ``failover`` kills the leader's server, ``switchover``
lets another one lead in good order, ``down`` ends and removes everything. The team's database waits for a standby
before it acknowledges, so neither loses anything; ``up --asynchronous`` does not.
"""

import argparse
import json
import time
from pathlib import Path

from _environment import run_script, say
from _tests_environment import enter_tests_environment, naming_missing_parts

DIRECTORY = Path("/tmp/taskflow-team")  # noqa: S108 - Unix sockets need a short path; a directory that others could change is refused


def main(arguments: list[str]) -> int:
    """Do what is asked, from the tests' environment."""
    parser = argparse.ArgumentParser(description="A team's PostgreSQL on this machine, to try.")
    parser.add_argument("action", choices=("up", "status", "failover", "switchover", "down"))
    parser.add_argument("--directory", type=Path, default=DIRECTORY, help=f"where it is kept (default {DIRECTORY})")
    parser.add_argument("--asynchronous", action="store_true", help="acknowledge before a standby has it")
    options = parser.parse_args(arguments)
    enter_tests_environment(__file__, arguments)
    from tests.support.patroni import PatroniCluster

    cluster = PatroniCluster(options.directory, synchronous=not options.asynchronous)
    if options.action == "up":
        began = time.monotonic()
        try:
            with naming_missing_parts():
                cluster.up()
        except BaseException:
            cluster.down()
            raise
        say(f"Up after {time.monotonic() - began:.0f} s. Settings, by the servers, HAProxy or PgBouncer:")
        for through in ("servers", "haproxy", "pgbouncer"):
            say(f"{through}: {json.dumps(cluster.fields(through))}")
        return 0
    if not cluster.is_up:
        say("There is none; 'up' starts one.")
        return 1
    if options.action == "down":
        cluster.down()
    elif options.action == "failover":
        say(f"Killed the server of {cluster.kill_leader()}.")
    elif options.action == "switchover":
        say(f"{cluster.switch_over()} leads no longer.")
    else:
        for member in cluster.members():
            say(f"{member['name']}: {member['role']}, {member['state']}, timeline {member.get('timeline')}")
    return 0


if __name__ == "__main__":
    run_script(main)
