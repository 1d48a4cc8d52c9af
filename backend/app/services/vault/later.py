"""`vault.later`: what was deleted, or allowed to tenants, while the vault was locked here.

Nothing can be signed then, so the manifest goes on telling that it is alive. As soon as this desktop has the vault's
key, the manifest learns it: what was put back in the meantime stays dead.

A file that is lost or damaged is no obstacle: `vault verify` tells what the manifest has not learnt.
"""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from app.core.files import read_private, remove, write_atomically
from app.core.logging import get_logger

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from app.services.vault.manifest import Entry, Item

LATER_FILE: Final = "vault.later"

log = get_logger(__name__)


class Change(NamedTuple):
    """Something that the manifest has to learn."""

    item: Item
    before: Entry | None
    """What was true of it, as far as its row told."""
    after: Entry | None
    """What is; None if it is gone."""

    def after_all(self, entry: Entry | None, *, is_so: bool) -> Entry | None:
        """Return what becomes of the manifest's entry.

        Args:
            entry: as it is.
            is_so: whether the rows are as this change left them. If they are not, somebody has changed them since: what
                is gone stays gone all the same, if the manifest knows nothing newer.
        """
        is_newest = entry is not None and self.before is not None and entry[: len(self.before)] == self.before
        return self.after if is_so or (self.after is None and is_newest) else entry


class Later:
    """The file of one config directory; safe to use from several threads."""

    def __init__(self, directory: Path) -> None:
        self._file = directory / LATER_FILE
        self._lock = threading.Lock()
        self._known: dict[str, list[Change]] | None = None
        """By vault; None until the file was read."""

    def of(self, vault_id: str) -> list[Change]:
        """Return what the manifest of a vault has to learn, in order."""
        with self._lock:
            return list(self._all().get(vault_id, ()))

    def add(self, vault_id: str, changes: Iterable[Change]) -> None:
        """Keep changes that are committed; what cannot be written is kept in memory."""
        with self._lock:
            self._all().setdefault(vault_id, []).extend(changes)
            self._write()

    def drop(self, vault_id: str, learnt: Iterable[Change]) -> None:
        """Forget what the manifest has learnt."""
        with self._lock:
            known, done = self._all(), list(learnt)
            known[vault_id] = [change for change in known.get(vault_id, ()) if change not in done]
            self._write()

    def _all(self) -> dict[str, list[Change]]:
        if self._known is None:
            self._known = _stored(self._file)
        return self._known

    def _write(self) -> None:
        content = {vault_id: changes for vault_id, changes in self._all().items() if changes}
        try:
            if content:
                write_atomically(self._file, json.dumps(content).encode())
            else:
                remove(self._file)
        except OSError as exc:
            log.error("what the vault has to learn could not be kept", extra={"cause": exc.strerror})  # noqa: TRY400


def _stored(file: Path) -> dict[str, list[Change]]:
    try:
        content = json.loads(read_private(file))
        return {str(vault_id): [_change(*values) for values in changes] for vault_id, changes in content.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):
        log.warning("what the vault has to learn cannot be read")
        return {}


def _change(item: Any, before: Any, after: Any) -> Change:
    if not all(isinstance(part, str) for part in item) or not all(
        isinstance(one, list | None) for one in (before, after)
    ):
        raise TypeError("not a change")
    return Change(tuple(item), before, after)
