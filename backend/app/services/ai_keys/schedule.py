"""When a stored key is checked with its provider next, and what a verdict changes about it.

A key is called refused only after two refusals some minutes apart: providers refuse fresh keys for minutes, and have
bad minutes. That goes for every stored key, whether it was ever valid or not. What says little about a key, such as a
time-out or throttling, never replaces what is known about it.
"""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from app.db.base import utc_now
from app.services.providers.base import REFUSED, validity_of

if TYPE_CHECKING:
    from app.core.config import Config
    from app.services.providers import Verdict

JITTER: Final = 0.1
"""So much of an interval it may be shorter or longer: the keys of a team are not to be checked all at once."""
SHORTEST_RETRY: Final = dt.timedelta(minutes=1)
"""A provider that is away is not asked again sooner, unless checks are more frequent anyway."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known about a stored key."""

    status: str
    refused_at: dt.datetime | None
    """When its provider refused it first, if that awaits confirmation."""
    last_validated_at: dt.datetime | None

    @property
    def pending_since(self) -> dt.datetime | None:
        """When the refusal came that awaits confirmation; a check that was asked for since then has settled it."""
        if self.refused_at is None or (self.last_validated_at is not None and self.last_validated_at > self.refused_at):
            return None
        return self.refused_at


@dataclass(frozen=True, slots=True)
class Change:
    """What a verdict changes: columns of the key's row, and what the audit log is told, if anything was said."""

    values: dict[str, Any]
    told: str | None


def next_check(interval_hours: float, now: dt.datetime | None = None) -> dt.datetime:
    """Return when a key that was checked now is due again."""
    return (now or utc_now()) + _jittered(dt.timedelta(hours=interval_hours))


def latest_check(config: Config, now: dt.datetime) -> dt.datetime:
    """Return a time after which no key is due that was checked now."""
    interval = dt.timedelta(hours=config.revalidate_hours) * (1 + JITTER)
    return now + max(interval, dt.timedelta(minutes=config.revalidate_confirm_minutes))


def change_after(known: Known, verdict: Verdict, config: Config, now: dt.datetime) -> Change:
    """Return what a verdict on a stored key changes.

    Args:
        known: about the key when it was sent.
        verdict: of its provider.
        config: has the intervals.
        now: when the verdict came.
    """
    interval = dt.timedelta(hours=config.revalidate_hours)
    confirm = dt.timedelta(minutes=config.revalidate_confirm_minutes)
    pending = known.pending_since
    if verdict.status == "rate_limited" or verdict.valid is None:
        retry_at = now + _jittered(min(interval, max(confirm, SHORTEST_RETRY)))
        values: dict[str, Any] = {"next_check_at": retry_at}
        if validity_of(known.status) is None:
            values |= {"status": verdict.status, "status_evidence": verdict.evidence}
        return Change(values, None)
    if verdict.status in REFUSED and known.status not in REFUSED and (pending is None or now < pending + confirm):
        first = pending or now
        return Change({"refused_at": first, "next_check_at": first + confirm}, f"{verdict.status}, to be confirmed")
    return Change(
        {
            "status": verdict.status,
            "status_evidence": verdict.evidence,
            "last_validated_at": now,
            "refused_at": None,
            "next_check_at": now + _jittered(interval),
        },
        verdict.status,
    )


def _jittered(interval: dt.timedelta) -> dt.timedelta:
    return interval * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311
