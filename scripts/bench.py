"""Measure the sidecar beside floors taken in the same run: `python3 scripts/bench.py [--rounds N] [--only NAME] ...`.

Every figure stands beside the same figure of something that does no work of ours: a bare interpreter, the bare imports
of the given packages, a bare Litestar application, plain drivers, plain Fernet. A machine is noisy, so subject and
floor alternate, medians are shown, and the ratio to the floor is what counts. Nothing here passes or fails.

`--json > FILE` saves a run; `--compare FILE` prints each ratio beside the saved one, and tells a movement from noise by
how much the rounds of both differ among themselves.
"""

import argparse
import importlib
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from _environment import ROOT, Environment, become, run_script
from _measure import Bench, Row, print_comparison, print_json, print_table, saved_rows
from _servers import MEASURED

GROUPS = ("start", "built", "phases", "load", "crowd", "vault", "trust", "team", "gateway", "work")
"""Each is a module `_bench_NAME` with a generator `measure`."""


def main(arguments: list[str]) -> int:
    """Run the measurements from the tests' environment, which has a PostgreSQL, on the environment people run."""
    parser = argparse.ArgumentParser(description="Measure the sidecar beside floors taken in the same run.")
    parser.add_argument("--rounds", type=int, default=9, help="rounds of every measurement (default 9)")
    parser.add_argument("--rows", type=int, default=20_000, help="secrets that a rotation moves (default 20000)")
    parser.add_argument("--only", action="append", choices=GROUPS, help="measure only these rows; repeatable")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--compare", type=Path, metavar="FILE", help="compare with a run that --json printed")
    options = parser.parse_args(arguments)
    environment = Environment(ROOT / ".venv-test", ROOT / "tests" / "requirements.lock")
    if Path(sys.prefix) != ROOT / ".venv-test":
        environment.ensure()
        MEASURED.ensure()
        become([str(environment.python), str(Path(__file__).absolute()), *arguments])
    rows = measured(options.rounds, options.rows, options.only or GROUPS)
    if options.compare is not None:
        print_comparison(rows, saved_rows(options.compare))
    elif options.json:
        print_json(rows)
    else:
        print_table(rows, options.rounds)
    return 0


def measured(rounds: int, secrets: int, groups: Sequence[str]) -> Iterator[Row]:
    """Yield the rows of some groups."""
    sys.path.insert(0, str(ROOT))
    from tests.support.postgres import PostgresServer

    with PostgresServer() as server, tempfile.TemporaryDirectory(prefix="taskflow-bench-") as home:
        bench = Bench(rounds, secrets, Path(home), server)
        for group in groups:
            yield from importlib.import_module(f"_bench_{group}").measure(bench)


if __name__ == "__main__":
    run_script(main)
