"""Start-up and memory: from spawn to the first answer, to ready and to the first data, on both databases."""

import subprocess
import time
from collections.abc import Iterator

from _measure import Bench, Row, compared
from _servers import (
    GIVEN_PACKAGES,
    MEASURED,
    bare_stack,
    clean_environment,
    database_with_members,
    resident_mib,
    sidecar,
)


def measure(bench: Bench) -> Iterator[Row]:
    """Yield the rows of both databases."""
    url = database_with_members(bench, "start", 50)
    taken: dict[str, list[float]] = {}
    for round_number in range(bench.rounds + 1):
        found = {"interpreter": until_done("pass")[0]}
        found["imports"], found["imports memory"] = until_done(f"import {GIVEN_PACKAGES}")
        with bare_stack(url) as bare:
            found["bare first"] = bare.first_answer_s
            bare.get("/members")
            found["bare memory"] = bare.memory_mib()
        for database, database_url in (("sqlite", None), ("postgresql", url)):
            with sidecar(bench.home / f"start-{database}", database_url) as running:
                found |= {f"{database} {name}": value for name, value in running.milestones().items()}
                found[f"{database} memory"] = running.memory_mib()
                running.get("/api/v1/vault")
                found[f"{database} whole memory"] = running.memory_mib()
        if round_number:  # the first round warms the disk
            for name, value in found.items():
                taken.setdefault(name, []).append(value)

    def row(name: str, subject: str, floor: str, floor_name: str, aim: str, unit: str = "ms") -> Row:
        factor = 1000.0 if unit == "ms" else 1.0
        return compared(name, unit, taken[subject], floor_name, taken[floor], aim, factor)

    yield row("bare imports", "imports", "interpreter", "bare interpreter", "-")
    for database in ("sqlite", "postgresql"):
        aim = "well before ready"
        yield row(f"{database}: first answer", f"{database} first", "bare first", "bare framework's", aim)
        yield row(f"{database}: ready", f"{database} ready", "imports", "bare imports", "at most 1.0")
        yield row(f"{database}: first data", f"{database} data", "imports", "bare imports", "at most 0.95")
        for name, subject, floor, floor_name, aim in (
            ("memory after first data", "memory", "imports memory", "bare imports", "at most 1.0"),
            ("memory, secrets loaded", "whole memory", "imports memory", "bare imports", "at most 1.2"),
            ("memory, secrets loaded", "whole memory", "bare memory", "bare stack", "at most 1.15"),
        ):
            yield row(f"{database}: {name}", f"{database} {subject}", floor, floor_name, aim, "MiB")


def until_done(program: str) -> tuple[float, float]:
    """Return the seconds that a Python program takes from spawn to its end, and the MiB that it then holds.

    Taking it down again does not count.
    """
    started = time.perf_counter()
    process = subprocess.Popen(
        [str(MEASURED.python), "-I", "-c", f"{program}; print(flush=True); input()"],
        env=clean_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with process:
        assert process.stdout is not None  # noqa: S101 - asked for as a pipe
        process.stdout.readline()
        seconds = time.perf_counter() - started
        memory = resident_mib(process.pid)
        process.kill()
        return seconds, memory
