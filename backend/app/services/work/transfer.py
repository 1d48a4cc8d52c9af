"""Moving the team's work: out of a database as an export, and into another one."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING, Final

from app.services.work.exporting import export_lines
from app.services.work.importing import import_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from app.db.session import Database
    from app.schemas.transfer import Imported
    from app.services.work.events import Events

TELL_EVERY_S: Final = 0.25


class Transfer:
    """Exports and imports of one sidecar."""

    def __init__(self, database: Database, events: Events) -> None:
        self._database = database
        self._events = events

    def require_database(self) -> None:
        """Raise DatabaseAwayError if nothing can be read now: once the answer has begun it is too late to say so."""
        with self._database.snapshot():
            pass

    def export(self) -> Iterator[str]:
        """Yield the lines of an export; see `export_lines`."""
        return export_lines(self._database)

    def take(self, chunks: Iterable[bytes], *, merge: bool) -> Imported:
        """Import, and tell the progress by events; see `import_lines`."""
        identifier, told_at = str(uuid.uuid4()), 0.0

        def report(done: int, of: int) -> None:
            nonlocal told_at
            if done >= of or time.monotonic() - told_at >= TELL_EVERY_S:
                told_at = time.monotonic()
                self._events.tell_progress("import", identifier, done, of)

        return import_lines(self._database, chunks, merge=merge, report=report)
