"""What every measurement of `bench.py` shares: medians beside a floor, and their table."""

import json
import math
import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from tests.support.postgres import PostgresServer

_NORMAL = 1.4826 * 1.2533
"""From a median deviation to a standard deviation, and from the mean's error to the median's, of a normal spread."""
_SIGMAS = 3.0
_LEAST = 0.03
"""Less than this, of a ratio, is no movement, however little the rounds differ."""
_PASSWORD = "bench-password"  # noqa: S105 - of a cluster that lives as long as the measurement


@dataclass(frozen=True)
class Bench:
    """What a group of measurements works with."""

    rounds: int
    secrets: int
    """How many a rotation moves."""
    home: Path
    """An empty directory."""
    server: "PostgresServer"

    def new_database(self, name: str) -> str:
        """Make an empty database with an owner of the same name; return its URL."""
        self.server.create_role(name, _PASSWORD)
        self.server.create_database(name, owner=name)
        return f"postgresql://{name}:{_PASSWORD}@127.0.0.1:{self.server.port}/{name}"


@dataclass(frozen=True)
class Row:
    """One line of the table: medians of subject and floor, and the median of their ratios round by round."""

    name: str
    unit: str
    subject: float
    floor_name: str
    floor: float
    ratio: float
    aim: str
    spread: float = 0.0
    """Standard error of the ratio, by the median of the rounds' deviations from it."""


Taken = TypeVar("Taken")
"""One figure, or several that are measured together."""

Group = Callable[[Bench], Iterator[Row]]
"""Measurements that belong together, made one after the other."""


def compared(
    name: str, unit: str, subject: Sequence[float], floor_name: str, floor: Sequence[float], aim: str, factor: float = 1
) -> Row:
    """Return the line for what was taken in the same rounds.

    Args:
        name: what was measured.
        unit: of the figures shown.
        subject: a figure of ours for each round.
        floor_name: what the floor is.
        floor: its figure for each round.
        aim: what the ratio should be.
        factor: turns the figures into `unit`.
    """
    ratios = [a / b for a, b in zip(subject, floor, strict=True)]
    medians = statistics.median(subject) * factor, statistics.median(floor) * factor
    ratio = statistics.median(ratios)
    deviation = statistics.median(abs(each - ratio) for each in ratios)
    spread = _NORMAL * deviation / math.sqrt(len(ratios))
    return Row(name, unit, medians[0], floor_name, medians[1], ratio, aim, spread)


def in_turn(rounds: int, subject: Callable[[], Taken], floor: Callable[[], Taken]) -> tuple[list[Taken], list[Taken]]:
    """Measure subject and floor in turn; a first round, which warms everything up, does not count."""
    taken = [(subject(), floor()) for _ in range(rounds + 1)][1:]
    return [a for a, _ in taken], [b for _, b in taken]


def seconds_for(action: Callable[[], object]) -> float:
    """Return how long an action takes."""
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def print_table(rows: Iterable[Row], rounds: int) -> None:
    """Print medians and ratios, each line as soon as it is known."""
    print(f"medians of {rounds} rounds; ratio = sidecar / floor, median of the rounds' ratios\n")
    print(f"{'what':40} {'sidecar':>9} {'floor':>9}  {'of':22} {'ratio':>6}  aim", flush=True)
    for row in rows:
        name = f"{row.name}, {row.unit}"
        figures = f"{_figure(row.subject)} {_figure(row.floor)}  {row.floor_name:22} {row.ratio:6.2f}"
        print(f"{name:40} {figures}  {row.aim}", flush=True)


def print_comparison(rows: Iterable[Row], saved: Sequence[Row]) -> int:
    """Print each ratio beside that of a saved run, and whether the difference is more than noise; return how many rose.

    Ratios are compared, as the floor was measured on the same machine in the same moment; figures of two runs would
    compare machines.
    """
    before = {row.name: row for row in saved}
    risen = 0
    print(f"{'what':40} {'saved':>8} {'now':>8} {'change':>8} {'noise':>8}  verdict", flush=True)
    for row in rows:
        old = before.pop(row.name, None)
        if old is None:
            print(f"{row.name:40} {'':>8} {row.ratio:8.3f} {'':>8} {'':>8}  new", flush=True)
            continue
        noise = max(_SIGMAS * math.hypot(row.spread, old.spread), _LEAST * old.ratio)
        change = row.ratio - old.ratio
        verdict = "noise" if abs(change) <= noise else "risen" if change > 0 else "fallen"
        risen += verdict == "risen"
        print(f"{row.name:40} {old.ratio:8.3f} {row.ratio:8.3f} {change:+8.3f} {noise:8.3f}  {verdict}", flush=True)
    for name in before:
        print(f"{name:40} not measured now")
    return risen


def saved_rows(file: Path) -> list[Row]:
    """Return the rows that `print_json` printed."""
    return [Row(**row) for row in json.loads(file.read_text())]


def _figure(value: float) -> str:
    return f"{value:9.0f}" if value >= 10 else f"{value:9.1f}"


def print_json(rows: Iterable[Row]) -> None:
    """Print all lines as JSON."""
    print(json.dumps([asdict(row) for row in rows], indent=2))
