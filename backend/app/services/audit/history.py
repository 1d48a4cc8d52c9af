"""A server's history that has gone back: told in the audit log, to every desktop, until a person accepts it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from app.core.exceptions import ConflictError, ValidationError
from app.core.logging import get_logger
from app.services.audit.gaps import ACCEPT_GAP, HISTORY_LOST, range_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.db.history import ServerHistory
    from app.db.session import Database
    from app.schemas.audit import AuditGap
    from app.services.audit.chain import Entry
    from app.services.audit.log import Audit

_LOOK_BACK: Final = 50
_SYSTEM: Final = "system"
_REASON: Final = re.compile(r"found (\S{20}) on timeline ([0-9]+)")

log = get_logger(__name__)


def tell_history(audit: Audit, database: Database) -> None:
    """Write that this desktop has found the server's history gone back, or learn it from the one that has.

    A desktop that was off, or new, meanwhile learns it from the log; and all learn there that it was accepted.

    Raises:
        AuditUnavailableError: it cannot be written now.
        DatabaseAwayError: the database cannot be used now.
    """
    history = database.history
    if history is None or audit.vault_id is None:
        return
    if history.is_new:
        history.compared(is_lost=audit.has_lost_own())
    entries = audit.about_gaps(_LOOK_BACK)
    lost = next((entry for entry in entries if entry.action == HISTORY_LOST), None)
    accepted = next((entry for entry in entries if entry.action == ACCEPT_GAP), None)
    is_open = lost is not None and (accepted is None or accepted.seq < lost.seq)
    lost_at = history.lost_at
    if lost_at is not None and not history.is_noted:
        is_old = lost is not None and not is_open and _timeline_of(lost) == history.timeline
        if is_old and not audit.has_lost_own():  # the others have told it, and a person has accepted it
            history.settle()
        else:
            _note(audit, history, lost_at)
    elif lost_at is None and lost is not None and is_open:
        found = _REASON.fullmatch(lost.reason or "")
        if found is not None:
            history.note(found[1])
    elif lost_at is not None and not is_open and accepted is not None:
        log.info("what the server has lost is accepted")
        history.settle()


def _timeline_of(lost: Entry) -> int | None:
    found = _REASON.fullmatch(lost.reason or "")
    return None if found is None else int(found[2])


def _note(audit: Audit, history: ServerHistory, lost_at: str) -> None:
    """Write it into this desktop's own chain, where it also shows at once what is missing of that."""
    audit.record(action=HISTORY_LOST, actor=_SYSTEM, reason=f"found {lost_at} on timeline {history.timeline}")
    history.note(lost_at)


def accept_gaps(audit: Audit, *, confirm: str, actor: str) -> Sequence[AuditGap]:
    """State that the entries which are not there are lost, by an entry for each gap; return these.

    Raises:
        ValidationError: `confirm` is not the vault's id.
        ConflictError: no entry is missing, and nothing else is open.
        AuditUnavailableError: it cannot be written now.
    """
    if confirm.strip().lower() != audit.vault_id:
        raise ValidationError("confirm: Input should be the id of the vault")
    gaps = [gap for gap in audit.verify().gaps if not gap.accepted]
    told: list[Entry] = audit.about_gaps(1)
    is_open = bool(told) and told[0].action == HISTORY_LOST
    if not gaps and not is_open:
        raise ConflictError("There is no gap to accept")
    with audit.writing() as connection:
        for gap in gaps:
            reason = range_text(gap.first, gap.last)
            audit.append(connection, action=ACCEPT_GAP, actor=actor, name=gap.writer, reason=reason)
        if not gaps:
            audit.append(connection, action=ACCEPT_GAP, actor=actor, reason="nothing of the log is missing")
    return gaps
