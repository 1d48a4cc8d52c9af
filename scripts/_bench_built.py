"""The folder that an app ships, beside the same code on an installed Python: what building costs at each start."""

import subprocess
import sys
from collections.abc import Iterator

from _environment import ROOT
from _measure import Bench, Row, compared
from _servers import sidecar


def measure(bench: Bench) -> Iterator[Row]:
    """Yield the rows of the embedded database; build the folder before, unless it is up to date."""
    command = [sys.executable, str(ROOT / "scripts" / "build.py"), "--no-ui"]
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=sys.stderr, check=True)
    programs = {"built": ROOT / "dist" / "taskflow-sidecar" / "taskflow-sidecar", "installed": None}
    taken: dict[str, list[float]] = {}
    for round_number in range(bench.rounds + 1):
        found: dict[str, float] = {}
        for name, program in programs.items():
            with sidecar(bench.home / f"built-{name}", None, program=program) as running:
                found |= {f"{name} {milestone}": value for milestone, value in running.milestones().items()}
        if round_number:  # the first round warms the disk
            for name, value in found.items():
                taken.setdefault(name, []).append(value)
    for milestone, what in (("first", "first answer"), ("ready", "ready"), ("data", "first data")):
        built, installed = taken[f"built {milestone}"], taken[f"installed {milestone}"]
        yield compared(f"built folder: {what}", "ms", built, "installed", installed, "at most 1.1", 1000)
