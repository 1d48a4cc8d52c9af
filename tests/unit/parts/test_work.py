"""The work half: who waits for the other one does not wait for longer than that takes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from app.core.config import Config
from app.core.readiness import Readiness
from app.db.session import Database
from app.parts.work import assemble
from app.sidecar.startup import Startup

if TYPE_CHECKING:
    from pathlib import Path

    from app.parts.work import WorkParts

SOON_S = 0.05


@pytest.fixture
def asked() -> list[str]:
    """One entry for each time that the other half was asked for."""
    return []


@pytest.fixture
def work(tmp_path: Path, asked: list[str]) -> WorkParts:
    """The work half of a process whose other half is put off."""
    config, readiness = Config(config_dir=tmp_path, data_dir=tmp_path), Readiness()
    database = Database(readiness)
    startup = Startup(config, readiness, database)
    return assemble(
        config,
        readiness,
        database,
        startup,
        instance="",
        stop=lambda: None,
        want_rest=lambda: asked.append("rest"),
    )


def test_status_that_waits_for_the_vault_asks_for_the_other_half(work: WorkParts, asked: list[str]) -> None:
    """The document alone, as streams tell it, waits for nothing."""
    assert work.status.document()["vault"]["state"] == "unavailable"
    assert asked == []

    with pytest.raises(TimeoutError):
        asyncio.run(asyncio.wait_for(work.status.settled(), SOON_S))

    assert asked


def test_who_takes_the_other_half_asks_for_it(work: WorkParts, asked: list[str]) -> None:
    """As the replacement of `fernet.key` does, for what hangs on it in the vault."""
    with pytest.raises(TimeoutError):
        work.other_half.result(SOON_S)

    assert asked
