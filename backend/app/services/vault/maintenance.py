"""What the vault needs done beside requests: attach to a ready database, resume rotations, flush the audit log."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final

from app.core.exceptions import RequestError
from app.core.logging import get_logger
from app.services.audit.history import tell_history
from app.services.vault.keys_at_hand import SYSTEM

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.core.readiness import Readiness
    from app.db.session import Database
    from app.services.audit.log import Audit
    from app.services.vault.rotation import Rotations
    from app.services.vault.team import Team
    from app.services.vault.vault import Vault

INTERVAL_S: Final = 15.0
GATHER_S: Final = 0.2
"""How long uses of secrets are gathered before the audit log tells them: many at once cost one transaction."""
WAITING_S: Final = 1.0
"""How often to look whether somebody has let this desktop in, while it asks."""
NOTICE_S: Final = 2.0
"""How often to look whether somebody has accepted what the server has lost, while that is told."""

log = get_logger(__name__)


class Maintenance:
    """One thread that looks whenever readiness changes, and every fifteen seconds; one that writes uses of secrets."""

    def __init__(
        self, readiness: Readiness, database: Database, vault: Vault, rotations: Rotations, team: Team, audit: Audit
    ) -> None:
        self._readiness = readiness
        self._database = database
        self._vault = vault
        self._rotations = rotations
        self._team = team
        self._audit = audit
        self._wake = threading.Event()
        self._used = threading.Event()
        self._stopped = threading.Event()
        self._told: tuple[object, ...] = ()
        """What was announced last; requests change it as well, behind this thread's back."""
        self._looked_at: int | None = None
        """The generation of the database at the last look, whatever came of that."""
        audit.on_due = self._used.set
        team.on_request = self._wake.set
        vault.attachment.on_change = self._wake.set

    def start(self) -> None:
        """Begin."""
        threading.Thread(target=self._live, name="maintenance", daemon=True).start()
        threading.Thread(target=self._write_uses, name="audit", daemon=True).start()

    def stop(self) -> None:
        """Write what is pending and end."""
        self._stopped.set()
        self._rotations.stopped.set()
        self._quietly(self._audit.flush)  # without a database, what it cannot write is kept for the next process
        self._wake.set()
        self._used.set()

    @property
    def is_due(self) -> bool:
        """Whether the vault of the present database was not looked at yet."""
        return self._looked_at != self._database.generation

    def _live(self) -> None:
        with self._readiness.listening(self._wake.set):
            while not self._stopped.is_set():
                if self._readiness.is_ready:
                    self._look()
                self._wait()

    def _wait(self) -> None:
        """Wait for the next look; while the vault is locked, a request may be made beside this process too."""
        history = self._database.history
        is_told = history is not None and history.lost_at is not None
        until = time.monotonic() + (NOTICE_S if is_told else INTERVAL_S)
        while (left := until - time.monotonic()) > 0:
            is_locked = self._vault.attachment.state == "locked"
            if self._wake.wait(min(left, WAITING_S) if is_locked else left):
                self._wake.clear()
                return
            if is_locked and self._team.is_waiting:
                return

    def _look(self) -> None:
        generation = self._database.generation
        try:
            try:
                self._team.look()
                self._vault.attachment.attach()  # anew each time: other desktops change keys too
                self._team.finish_leaving()
            finally:
                self._looked_at = generation
                self._announce()
            self._team.note_seen()
            if self._rotations.is_due():
                self._rotations.start(actor=SYSTEM)
            if self._rotations.is_waiting():
                self._rotations.work_in_background()
            tell_history(self._audit, self._database)
            self._audit.flush()
        except RequestError as exc:
            log.warning("maintenance interrupted", extra={"code": exc.code})
        except Exception:  # the outermost edge of the thread: it must live as long as the process
            log.exception("maintenance failed")

    def _announce(self) -> None:
        brief = (self._looked_at, *self._vault.brief().values(), self._team.access)
        if brief != self._told:
            self._told = brief
            self._readiness.announce()

    def _write_uses(self) -> None:
        while not self._stopped.is_set():
            self._used.wait()
            self._used.clear()
            self._stopped.wait(GATHER_S)
            self._quietly(self._audit.write_uses)

    def _quietly(self, write: Callable[[], object]) -> None:
        try:
            write()
        except Exception:  # the outermost edge of a thread, or of the process, which is stopping
            log.exception("audit log not written")
