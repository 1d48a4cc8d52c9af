"""What the doctor shows of the logs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.core.config import Config
from app.core.logging import LOG_DIRECTORY, LOG_FILE
from app.services.doctor import log_lines

if TYPE_CHECKING:
    from pathlib import Path


def test_no_line_is_shown_that_was_cut(tmp_path: Path) -> None:
    """A half of it might be what redaction no longer knows."""
    logs = tmp_path / "data" / LOG_DIRECTORY
    logs.mkdir(parents=True)
    (logs / LOG_FILE).write_text("a" * 70_000 + "\nthe last\n")
    (logs / LOG_FILE).chmod(0o600)

    assert log_lines(Config(config_dir=tmp_path, data_dir=tmp_path / "data")) == ["the last"]
