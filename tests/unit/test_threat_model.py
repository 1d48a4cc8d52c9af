"""The README's threat model: each promise names the tests that hold it, and these are there."""

from __future__ import annotations

import re
from typing import Final

from tests.support.sidecar import CHECKOUT

COLUMNS: Final = 5
HELD_BY: Final = 3


def test_every_promise_is_held_by_a_test() -> None:
    """By name; a file that was renamed, or a row without a test, shows here."""
    section = (CHECKOUT / "README.md").read_text("utf-8").partition("## Threat model")[2].partition("\n## ")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line[:1] == "|"]
    there = {path.name for path in (CHECKOUT / "tests").rglob("test_*.py")}

    assert len(rows) > COLUMNS
    assert {len(row) for row in rows} == {COLUMNS}
    for row in rows[2:]:
        named = set(re.findall(r"`(test_\w+\.py)`", row[HELD_BY]))
        assert named, row[0]
        assert named <= there, row[0]
