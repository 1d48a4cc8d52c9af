"""Where the time until the first data goes: what is loaded, by package, and what is done."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from _measure import Bench, Row, compared
from _servers import database_with_members, sidecar

PARTS: Mapping[str, tuple[str, ...]] = {
    "the program itself": ("app",),
    "Litestar": ("litestar", "multidict", "httpx", "anyio", "sniffio", "yaml", "rich", "rich_click", "polyfactory"),
    "msgspec": ("msgspec",),
    "SQLAlchemy": ("sqlalchemy", "greenlet"),
    "driver": ("psycopg2", "sqlite3", "_sqlite3"),
    "uvicorn": ("uvicorn", "h11", "httptools"),
    "cryptography": ("cryptography", "_cffi_backend"),
    "click, tenacity, platformdirs": ("click", "tenacity", "platformdirs"),
}
"""Packages by who brings them; what is in none of them is the standard library's."""
STANDARD = "standard library"
_LINE = re.compile(r"import time:\s+(\d+) \|\s+\d+ \|\s*(\S+)")


def measure(bench: Bench) -> Iterator[Row]:
    """Yield a row for each part, beside the whole time until the first data of the same runs."""
    url = database_with_members(bench, "phases", 50)
    for database, database_url in (("sqlite", None), ("postgresql", url)):
        taken: dict[str, list[float]] = {}
        for round_number in range(bench.rounds + 1):
            said = bench.home / f"phases-{database}-{round_number}"
            with said.open("wb") as stderr:
                directory = bench.home / f"phases-{database}"
                with sidecar(directory, database_url, options=("-X", "importtime"), stderr=stderr) as running:
                    milestones = running.milestones()
                    imported = imports(said)
            if round_number:  # the first round warms the disk
                whole = {
                    "whole": milestones["data"],
                    "the rest, less what two threads load at once": milestones["data"] - sum(imported.values()),
                }
                for name, seconds in {**imported, **whole}.items():
                    taken.setdefault(name, []).append(seconds)
        whole_s = taken.pop("whole")
        for name, spans in sorted(taken.items(), key=lambda each: -sum(each[1])):
            yield compared(f"{database}: {name}", "ms", spans, "until first data", whole_s, "-", 1000)


def imports(said: Path) -> dict[str, float]:
    """Return the seconds that a process has told to have spent on loading modules, by part."""
    parts = {package: name for name, packages in PARTS.items() for package in packages}
    found: dict[str, float] = {}
    for microseconds, module in _LINE.findall(said.read_text(encoding="utf-8")):
        part = parts.get(module.partition(".")[0], STANDARD)
        found[part] = found.get(part, 0.0) + int(microseconds) / 1e6
    return found
