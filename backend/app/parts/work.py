"""The work half: the services that a team's work needs, and nothing else."""

from __future__ import annotations

from concurrent.futures import Future
from typing import TYPE_CHECKING, Protocol

import msgspec

from app.core.installation import installation
from app.services.connection import ConnectionService
from app.services.idempotency import KeptAnswers
from app.services.status import StatusService, VaultPart
from app.services.support import Support
from app.services.work.events import Events
from app.services.work.members import Members
from app.services.work.subtasks import SubTasks
from app.services.work.tasks import Tasks
from app.services.work.transfer import Transfer
from app.services.work.updates import DailyUpdates

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.core.config import Config
    from app.core.fernet_keys import KeyRing
    from app.core.readiness import Readiness
    from app.db.session import Database
    from app.services.connection import Pipeline


class OtherHalf(VaultPart, Protocol):
    """What the work half asks of the secrets half, once that has loaded."""

    def adopt(self, ring: KeyRing) -> bool:
        """Re-encrypt what hangs on `fernet.key` in the vault; False if it could not."""


class WorkParts(msgspec.Struct, frozen=True):
    """The services of the work half."""

    readiness: Readiness
    status: StatusService
    support: Support
    connection: ConnectionService
    members: Members
    tasks: Tasks
    sub_tasks: SubTasks
    daily_updates: DailyUpdates
    events: Events
    transfer: Transfer
    answers: KeptAnswers
    other_half: Future[OtherHalf]
    """Cancelled if the process stops before it has loaded."""

    def begin_stop(self) -> None:
        """End live streams and whatever waits for the other half; call it in the event loop."""
        self.other_half.cancel()
        self.status.stopping()
        self.events.stop()

    def close(self) -> None:
        """Wait for the threads, when the database is closed."""
        self.events.join()


class _OtherHalf(Future[OtherHalf]):
    """Tells as soon as somebody waits for it, so that it is put off no longer."""

    def __init__(self, want: Callable[[], object]) -> None:
        super().__init__()
        self._want = want

    def result(self, timeout: float | None = None) -> OtherHalf:
        self._want()
        return super().result(timeout)

    def add_done_callback(self, fn: Callable[[Future[OtherHalf]], object]) -> None:
        self._want()
        super().add_done_callback(fn)


def assemble(
    config: Config,
    readiness: Readiness,
    database: Database,
    pipeline: Pipeline,
    *,
    instance: str,
    stop: Callable[[], None],
    want_rest: Callable[[], object],
) -> WorkParts:
    """Make the services around the running parts of the process; nothing is read or written yet.

    Args:
        config: of this process.
        readiness: of its database.
        database: that the services work on.
        pipeline: what connects it.
        instance: of the process, random.
        stop: ends the process.
        want_rest: called when a service begins to wait for the other half.
    """
    other_half = _OtherHalf(want_rest)
    events = Events(database, readiness)
    return WorkParts(
        readiness=readiness,
        status=StatusService(config, readiness, other_half, instance, stop),
        support=Support(config),
        connection=ConnectionService(config.config_dir, pipeline, adopt=lambda ring: other_half.result().adopt(ring)),
        members=Members(database),
        tasks=Tasks(database),
        sub_tasks=SubTasks(database),
        daily_updates=DailyUpdates(database),
        events=events,
        transfer=Transfer(database, events),
        answers=KeptAnswers(database, installation(config.config_dir)),
        other_half=other_half,
    )
