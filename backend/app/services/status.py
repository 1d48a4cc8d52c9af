"""What the sidecar tells about itself, and how it is asked to stop."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Final

from app import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from app.core.config import Config
    from app.core.readiness import Readiness
    from app.services.vault.vault import Vault

PROTOCOL: Final = 1


class StatusService:
    """The status document and those who listen to it."""

    def __init__(
        self, config: Config, readiness: Readiness, vault: Vault, instance: str, stop: Callable[[], None]
    ) -> None:
        self._readiness = readiness
        self._vault = vault
        self._fixed = {
            "version": __version__,
            "protocol": PROTOCOL,
            "instance": instance,
            "config_dir": str(config.config_dir),
        }
        self.stop = stop
        """Asks the process to stop gracefully; call it in the event loop."""
        self.is_stopping = False
        self._listeners: set[Callable[[], object]] = set()

    def document(self) -> dict[str, Any]:
        """Return the status document."""
        document = self._readiness.document()
        vault = {"key_fingerprint": document.pop("key_fingerprint"), **self._vault.brief()}
        return {**document, **self._fixed, "vault": vault}

    @contextlib.contextmanager
    def listening(self, listener: Callable[[], object]) -> Iterator[None]:
        """Call `listener` after each change, and when the process stops."""
        self._listeners.add(listener)
        try:
            with self._readiness.listening(listener):
                yield
        finally:
            self._listeners.discard(listener)

    def stopping(self) -> None:
        """End live streams, which would otherwise hold the stop up; call it in the event loop."""
        self.is_stopping = True
        for listener in tuple(self._listeners):
            listener()
