"""`vault.pins`: the vault keys that this desktop has followed, by vault, so that an older one is known when it is met.

A file that is lost or damaged is never an obstacle: what is trusted next is pinned anew.
"""

from __future__ import annotations

import json
import re
import threading
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeGuard

from app.core.files import read_private, write_atomically
from app.core.logging import get_logger

if TYPE_CHECKING:
    from pathlib import Path

PINS_FILE: Final = "vault.pins"
_KEPT: Final = 1000
"""Keys that are remembered of a vault; one a week lasts for twenty years."""
_KID: Final = re.compile(r"[0-9a-f]{8}")

log = get_logger(__name__)


class Pin(NamedTuple):
    """How far this desktop has followed the keys of one vault."""

    kid: str
    """The newest one."""
    number: int
    """How many keys came before it."""
    passed: tuple[str, ...]
    """Those that came before, as far as this desktop has met them."""


class Pins:
    """The pins of one config directory; safe to use from several threads."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._lock = threading.Lock()
        self._known: dict[str, Pin] | None = None

    def of(self, vault_id: str) -> Pin | None:
        """Return how far the keys of a vault were followed; None if they never were."""
        with self._lock:
            return self._all().get(vault_id)

    def follow(self, vault_id: str, kid: str, number: int) -> None:
        """Remember that a key has taken the place of the last one; what cannot be written is kept in memory."""
        with self._lock:
            known = self._all()
            old = known.get(vault_id)
            if old is not None and (old.kid, old.number) == (kid, number):
                return
            passed = () if old is None else tuple(one for one in (*old.passed, old.kid) if one != kid)
            known[vault_id] = Pin(kid, number, passed[-_KEPT:])
            content = {vault: pin._asdict() for vault, pin in known.items()}
            try:
                write_atomically(self._directory / PINS_FILE, json.dumps(content).encode("ascii"))
            except OSError as exc:
                log.error("the vault's key could not be pinned", extra={"cause": exc.strerror})  # noqa: TRY400

    def _all(self) -> dict[str, Pin]:
        if self._known is None:
            self._known = _stored(self._directory / PINS_FILE)
        return self._known


def _stored(file: Path) -> dict[str, Pin]:
    try:
        content = json.loads(read_private(file))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError):
        log.warning("the pins of the vault's keys cannot be read")
        return {}
    if not isinstance(content, dict):
        return {}
    found = {vault_id: _pin(value) for vault_id, value in content.items()}
    return {vault_id: pin for vault_id, pin in found.items() if pin is not None}


def _pin(value: Any) -> Pin | None:
    if not isinstance(value, dict):
        return None
    kid, number, passed = value.get("kid"), value.get("number"), value.get("passed")
    if not _is_kid(kid) or not isinstance(number, int) or not isinstance(passed, list):
        return None
    return Pin(kid, number, tuple(one for one in passed if _is_kid(one)))


def _is_kid(value: Any) -> TypeGuard[str]:
    return isinstance(value, str) and _KID.fullmatch(value) is not None
