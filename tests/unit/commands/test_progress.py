"""Long work shows how far it is: a bar for people at a terminal, lines for everything else."""

from __future__ import annotations

import io

import pytest

from app.commands import progress as module
from app.commands.progress import progress


class Terminal(io.StringIO):
    """A terminal of 100 columns."""

    def isatty(self) -> bool:
        """Say so."""
        return True


def test_lines_tell_the_end_and_what_takes_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Quick work is one line; long work says something every few seconds."""
    output = io.StringIO()
    now = 100.0
    monkeypatch.setattr("sys.stderr", output)
    monkeypatch.setattr("time.monotonic", lambda: now)

    with progress() as report:
        for done in range(0, 101, 10):
            report("a.b[k=x]", done, 100)
            now += module.LINE_EVERY_S / 2
        report("quick", 3, 3)

    assert output.getvalue().splitlines() == [
        *(f"a.b[k=x]: {done} of 100" for done in (20, 40, 60, 80, 100)),
        "quick: 3 of 3",
    ]


def test_bar_shows_labels_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """Brackets in a label are no markup, and a whole that was guessed too small is corrected."""
    output = Terminal()
    monkeypatch.setattr("sys.stderr", output)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")

    with progress() as report:
        report("a.b[k=x]", 5, 10)
        report("a.b[k=x]", 12, 10)

    assert "\x1b[" in output.getvalue()
    assert "a.b[k=x]" in output.getvalue()
    assert "12/12" in output.getvalue()


def test_nobody_to_tell(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A process without standard error works on, and keeps its standard output clean."""
    monkeypatch.setattr("sys.stderr", None)

    with progress() as report:
        report("work", 1, 1)

    assert capsys.readouterr().out == ""
