"""What the database holds is printed, and commands nothing."""

from __future__ import annotations

import re
from pathlib import Path

from app.commands.printable import printable


def test_terminal_is_not_steered() -> None:
    """Escapes, line ends, overwriting and turning the direction of writing; letters of any language stay."""
    assert printable("Ada\x1b[2J\x1b]0;x\x07\r\n\x9b1m\u202eZoë 日本") == "Ada?[2J?]0;x????1m?Zoë 日本"


def test_only_one_place_decides_it() -> None:
    """A second rule would be another one some day."""
    commands = Path(__file__).parents[3] / "backend" / "app" / "commands"
    assert [file.name for file in commands.glob("*.py") if "isprintable" in file.read_text()] == ["printable.py"]


def test_labels_and_findings_pass_it() -> None:
    """Each print of what another desktop wrote goes through it."""
    commands = Path(__file__).parents[3] / "backend" / "app" / "commands"
    shown = re.compile(r"click\.echo\((?!.*printable).*\b(?:label|message)\b")
    for name in ("devices.py", "vault.py", "audit.py"):
        assert not shown.search((commands / name).read_text()), name
