"""Uses of secrets, collapsed: at most one audit entry per secret and minute, with a count."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any, Final

MINUTE_S: Final = 60
MAX_ACTORS: Final = 3


@dataclass(frozen=True, slots=True)
class Used:
    """Which secret was used."""

    vault_id: str
    secret_id: str
    owner_kind: str
    owner_id: str
    name: str
    fingerprint: str | None


@dataclass(slots=True)
class Tally:
    """What is known about one secret's uses."""

    used: Used
    minute: int
    """Minute of the last entry, since 1970."""
    pending: int = 0
    """Uses that no entry tells yet."""
    actors: list[str] = field(default_factory=list)
    """Who made them."""

    def document(self) -> dict[str, Any]:
        """Return JSON values from which `tally_of` makes the same again."""
        used = {name: getattr(self.used, name) for name in Used.__slots__}
        return {"used": used, "minute": self.minute, "pending": self.pending, "actors": self.actors}


@dataclass(frozen=True, slots=True)
class DueUses:
    """Uses that one entry is to tell."""

    used: Used
    count: int
    actors: tuple[str, ...]
    at: float
    """When the entry became due, in seconds since 1970."""

    @property
    def actor(self) -> str:
        """Who used the secret; of many only the first few."""
        shown = ", ".join(self.actors[:MAX_ACTORS])
        return f"{shown} and others" if len(self.actors) > MAX_ACTORS else shown


def tally_of(document: Any) -> Tally | None:
    """Return what `Tally.document` described; None if it describes none."""
    try:
        used = Used(**document["used"])
        return Tally(used, int(document["minute"]), int(document["pending"]), [str(who) for who in document["actors"]])
    except (TypeError, KeyError, ValueError):
        return None


class UseCounts:
    """Counts uses and tells which entries are to be written; writes none itself. Times are seconds since 1970."""

    def __init__(self) -> None:
        self._tallies: dict[tuple[str, str], Tally] = {}
        self._lock = threading.Lock()

    def restore(self, documents: list[Any]) -> None:
        """Take over what an earlier process counted and did not write."""
        with self._lock:
            for tally in filter(None, map(tally_of, documents)):
                self._tallies.setdefault((tally.used.vault_id, tally.used.secret_id), tally)

    def note(self, used: Used, actor: str, now: float) -> DueUses | None:
        """Count one use; return what is to be written soon, None if this minute has its entry already."""
        minute = int(now // MINUTE_S)
        with self._lock:
            tally = self._tallies.setdefault((used.vault_id, used.secret_id), Tally(used, minute - 1))
            tally.used = used
            tally.pending += 1
            if actor not in tally.actors and len(tally.actors) <= MAX_ACTORS:
                tally.actors.append(actor)
            return _due(tally, now)

    def due(self, vault_id: str, now: float) -> list[DueUses]:
        """Return what earlier minutes left to be written."""
        with self._lock:
            tallies = [tally for tally in self._tallies.values() if tally.used.vault_id == vault_id and tally.pending]
            return [due for due in (_due(tally, now) for tally in tallies) if due is not None]

    def give_back(self, due: DueUses) -> None:
        """Count uses again whose entry could not be written."""
        with self._lock:
            tally = self._tallies.setdefault((due.used.vault_id, due.used.secret_id), Tally(due.used, 0))
            tally.pending += due.count
            tally.actors = list(dict.fromkeys((*due.actors, *tally.actors)))[: MAX_ACTORS + 1]

    def left(self, now: float) -> list[dict[str, Any]]:
        """Return what the next process has to know, and forget secrets that have not been used for a minute."""
        minute = int(now // MINUTE_S)
        with self._lock:
            for key, tally in list(self._tallies.items()):
                if not tally.pending and tally.minute != minute:
                    del self._tallies[key]
            return [tally.document() for tally in self._tallies.values()]


def _due(tally: Tally, now: float) -> DueUses | None:
    """Take the pending uses, unless this minute has its entry already."""
    minute = int(now // MINUTE_S)
    if minute <= tally.minute <= minute + 1:  # a thread may come late; a clock that is set back must not stop it all
        return None
    due = DueUses(tally.used, tally.pending, tuple(tally.actors), now)
    tally.minute, tally.pending, tally.actors = minute, 0, []
    return due
