"""Commands of a team's vault that a person takes part in."""

from __future__ import annotations

import contextlib
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from click.testing import CliRunner

from app.commands import devices

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pytest


def test_no_session_waits_for_the_code(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The database is left while somebody listens and types, for however long."""
    happened: list[str] = []

    def approve(device_id: str, code: str, *, actor: str) -> Any:
        happened.append(f"approved {device_id} with {code} by {actor}")
        return SimpleNamespace(label="anna")

    @contextlib.contextmanager
    def opened(_: object) -> Iterator[Any]:
        happened.append("opened")
        yield SimpleNamespace(team=SimpleNamespace(asking=lambda _: SimpleNamespace(label="anna"), approve=approve))
        happened.append("closed")

    def prompt(*_: object, **__: object) -> str:
        happened.append("typed")
        return "the code"

    monkeypatch.setattr(devices, "opened_vault", opened)
    monkeypatch.setattr("click.prompt", prompt)

    result = CliRunner().invoke(devices.approve, ["--config-dir", str(tmp_path), "0123ABCD"])

    assert result.exception is None, result.output
    approved = "approved 0123abcd with the code by cli"
    assert happened == ["opened", "closed", "typed", "opened", approved, "closed"]
    assert "anna is in." in result.output
