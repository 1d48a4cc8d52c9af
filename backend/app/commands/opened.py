"""The vault of the configured database, for a command."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.core.config import Config
    from app.services.vault.standalone import Standalone


@contextlib.contextmanager
def opened_vault(config: Config) -> Iterator[Standalone]:
    """Connect, and attach the vault; raises ProblemError if the database cannot be reached, or is not at head."""
    from app.services.ai_keys.watch import watch_keys
    from app.services.vault.standalone import standalone

    with standalone(config, watch_keys(config)) as services:
        yield services
