"""The comparison of two measured runs: what moved, and what only differs by noise."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest

MODULE = Path(__file__).parents[2] / "scripts" / "_measure.py"


@pytest.fixture(scope="module")
def measure() -> Any:
    """The module behind `scripts/bench.py`."""
    spec = importlib.util.spec_from_file_location("measured_by_tests", MODULE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look there
    spec.loader.exec_module(module)
    return module


def row(measure: Any, ratios: list[float]) -> Any:
    """Return the line of rounds with these ratios."""
    return measure.compared("ready", "ms", ratios, "imports", [1.0] * len(ratios), "1.3")


@pytest.mark.parametrize(
    ("saved", "now", "verdict", "risen"),
    [
        pytest.param([1.0, 1.01, 0.99], [1.5, 1.51, 1.49], "risen", 1, id="much more"),
        pytest.param([1.5, 1.51, 1.49], [1.0, 1.01, 0.99], "fallen", 0, id="much less"),
        pytest.param([1.0, 1.0, 1.0], [1.02, 1.02, 1.02], "noise", 0, id="too little"),
        pytest.param([0.8, 1.0, 1.3], [0.9, 1.2, 1.5], "noise", 0, id="rounds differ as much"),
    ],
)
def test_a_movement_is_told_from_noise(
    measure: Any, capsys: pytest.CaptureFixture[str], saved: list[float], now: list[float], verdict: str, risen: int
) -> None:
    """By how much the rounds of both runs differ among themselves."""
    assert measure.print_comparison([row(measure, now)], [row(measure, saved)]) == risen
    assert capsys.readouterr().out.rstrip().endswith(verdict)


def test_what_is_in_one_run_only_is_named(measure: Any, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """And a saved run is read back as it was printed."""
    measure.print_json([row(measure, [1.0, 1.1, 1.2])])
    file = tmp_path / "saved.json"
    file.write_text(capsys.readouterr().out)

    saved = measure.saved_rows(file)
    measure.print_comparison([], saved)

    assert saved == [row(measure, [1.0, 1.1, 1.2])]
    assert "not measured now" in capsys.readouterr().out
