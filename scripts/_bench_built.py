"""The folder that an app ships, beside the same code on an installed Python: what building costs at each start."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from _environment import ROOT
from _measure import Bench, Row, compared, in_turn
from _servers import sidecar


def measure(bench: Bench) -> Iterator[Row]:
    """Yield the rows of the embedded database; build the folder before, unless it is up to date."""
    command = [sys.executable, str(ROOT / "scripts" / "build.py"), "--no-ui"]
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=sys.stderr, check=True)

    def milestones(name: str, program: Path | None) -> dict[str, float]:
        with sidecar(bench.home / name, None, program=program) as running:
            return running.milestones()

    program = ROOT / "dist" / "taskflow-sidecar" / "taskflow-sidecar"
    built, installed = in_turn(
        bench.rounds, lambda: milestones("built", program), lambda: milestones("installed", None)
    )
    for milestone, what in (("first", "first answer"), ("ready", "ready"), ("data", "first data")):
        subject, floor = ([taken[milestone] for taken in each] for each in (built, installed))
        yield compared(f"built folder: {what}", "ms", subject, "installed", floor, "at most 1.1", 1000)
