"""The signals that ask for a stop, by injection where the system has none of them."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any

import pytest

from app.sidecar import process
from app.sidecar.process import ASKED_GRACE_S, Stop

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGBREAK"])
def test_signal_asks_for_a_stop(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """SIGBREAK is what Windows makes of CTRL_BREAK; Wine delivers none from another process."""
    handlers: dict[Any, Callable[..., None]] = {}
    asked: list[float] = []
    monkeypatch.setattr(signal, "SIGBREAK", 21, raising=False)
    monkeypatch.setattr(signal, "signal", handlers.__setitem__)
    monkeypatch.setattr(process, "exit_at_the_latest", lambda *_: None)
    stop = Stop()
    stop.connect(asked.append)

    with stop.on_signals():
        handlers[getattr(signal, name)](getattr(signal, name), None)

    assert asked == [ASKED_GRACE_S]
