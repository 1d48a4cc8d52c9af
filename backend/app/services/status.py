"""What the sidecar tells about itself, and how it is asked to stop."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, Final, Protocol

from app import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future

    from app.core.config import Config
    from app.core.readiness import Readiness

PROTOCOL: Final = 1
LOOK_S: Final = 2.0
"""How long a status waits at most for what the vault of a ready database is found to be."""


class VaultPart(Protocol):
    """What tells of the vault, once that has loaded."""

    def brief(self) -> dict[str, Any]:
        """Return `state`, `needs_fingerprint` and `access`."""

    @property
    def is_due(self) -> bool:
        """Whether the vault of the present database was not looked at yet; the end of a look is announced."""


class StatusService:
    """The status document and those who listen to it."""

    def __init__(
        self,
        config: Config,
        readiness: Readiness,
        vault: Future[Any],
        instance: str,
        stop: Callable[[], None],
    ) -> None:
        """Make the service; `vault` becomes a `VaultPart` when that has loaded; cancelled if it never will."""
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

    async def settled(self) -> None:
        """Wait until the vault can tell its state, or never will; for a look at it two seconds at most."""
        if not self._vault.done():
            await asyncio.wait([asyncio.wrap_future(self._vault)])
        changed = asyncio.Event()
        loop = asyncio.get_running_loop()
        with contextlib.suppress(TimeoutError), self.listening(lambda: loop.call_soon_threadsafe(changed.set)):
            async with asyncio.timeout(LOOK_S):
                while self._is_due():
                    await changed.wait()
                    changed.clear()

    def _is_due(self) -> bool:
        is_loaded = self._vault.done() and not self._vault.cancelled()
        return is_loaded and not self.is_stopping and self._readiness.is_ready and self._vault.result().is_due

    def document(self) -> dict[str, Any]:
        """Return the status document; as long as the vault has not loaded, it is `unavailable`."""
        document = self._readiness.document()
        vault = {"key_fingerprint": document.pop("key_fingerprint"), **self._brief()}
        return {**document, **self._fixed, "vault": vault}

    def _brief(self) -> dict[str, Any]:
        if not self._vault.done() or self._vault.cancelled():
            return {"state": "unavailable", "needs_fingerprint": None, "access": "none"}
        part: VaultPart = self._vault.result()
        return part.brief()

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
