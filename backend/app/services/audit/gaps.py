"""Entries that are not there: why, if the log tells, and whether a person has stated that they are lost.

A server's failover, or an older backup, takes entries away as an intruder would. The desktop that finds the history
gone back writes so (`HISTORY_LOST`), which names the cause of a gap beside it, and a person who knows closes a gap by
an entry (`ACCEPT_GAP`) that names chain and numbers. Both count only if they are genuine: whoever can merely write to
the database can close nothing, and one entry more that vanishes is a gap again.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Final

from app.models.audit import audit_entries
from app.services.audit.chain import Entry, Gap, is_genuine
from app.services.audit.reading import select_entries

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from app.db.session import Database
    from app.schemas.audit import Cause

HISTORY_LOST: Final = "history-lost"
ACCEPT_GAP: Final = "accept-gap"
_NEAR: Final = dt.timedelta(minutes=10)
"""A chain that goes on, and the entry that tells why it was interrupted, are not farther apart."""
_MAX_TOLD: Final = 10_000
_RANGE: Final = re.compile(r"entries ([0-9]{1,18}) to ([0-9]{1,18})")


def range_text(first: int, last: int) -> str:
    """Return the reason of an entry that closes a gap."""
    return f"entries {first} to {last}"


def told(database: Database, key_of: Callable[[str], bytes | None], limit: int = _MAX_TOLD) -> list[Entry]:
    """Return the genuine entries that tell of gaps, newest first."""
    table = audit_entries.c
    found: list[Entry] = []
    with database.read() as connection:
        for action in (HISTORY_LOST, ACCEPT_GAP):  # one after the other: an index gives each in this order
            query = select_entries(connection.dialect.name).where(table.action == action)
            found += map(Entry._make, connection.execute(query.order_by(table.seq.desc()).limit(limit)))
    genuine = (entry for entry in found if (key := key_of(entry.writer)) is not None and is_genuine(key, entry))
    return sorted(genuine, key=lambda entry: -entry.seq)


class Explanations:
    """What the log tells of gaps."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._lost_at = [entry.time for entry in entries if entry.action == HISTORY_LOST]
        self._accepted: dict[str | None, list[tuple[int, int]]] = {}
        for entry in entries:
            found = _RANGE.fullmatch(entry.reason or "") if entry.action == ACCEPT_GAP else None
            if found is not None:
                self._accepted.setdefault(entry.name, []).append((int(found[1]), int(found[2])))

    def is_accepted(self, writer: str, gap: Gap) -> bool:
        """Tell whether a member has stated that all of these entries are lost."""
        return any(first <= gap.first and gap.last <= last for first, last in self._accepted.get(writer, ()))

    def cause(self, gap: Gap) -> Cause | None:
        """Return why they are missing, if the log tells."""
        if gap.before is None:
            return "history-lost" if self._lost_at else None
        at = _instant(gap.before)
        near = at is not None and any(
            abs(at - lost) <= _NEAR for text in self._lost_at if (lost := _instant(text)) is not None
        )
        return "history-lost" if near else None


def _instant(text: str) -> dt.datetime | None:
    try:
        return dt.datetime.fromisoformat(text)
    except ValueError:
        return None
