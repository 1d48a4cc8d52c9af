"""Placeholder while the audit service is being written."""

from __future__ import annotations

from typing import Any


class Audit:
    def __init__(self, database: Any, config_dir: Any) -> None:
        pass

    def attach(self, vault_id: str, root_keys: Any) -> None:
        pass

    def append(self, connection: Any, **fields: Any) -> None:
        pass

    def note_use(self, *args: Any, **fields: Any) -> None:
        pass

    def flush(self) -> None:
        pass
