"""How long to wait before the database is tried again: soon, now and then, or hardly ever.

What passes by itself is tried again soon. What an administrator repairs is tried again now and then, so that it heals
without a hand. A rejected password is tried hardly ever: accounts get locked.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from app.core.problems import Problem

FIRST_BACKOFF_S: Final = 0.1
EARLY_BACKOFF_S: Final = 0.8
"""Longest wait between attempts during the first `EARLY_S` of an outage, and all the time for a promotion."""
EARLY_S: Final = 30.0
FULL_BACKOFF_S: Final = 3.0
"""Longest wait for a connection of a server that has none left: whoever waits longest should not come last."""
LATE_BACKOFF_S: Final = 5.0
REPAIR_S: Final = 30.0
PASSWORD_S: Final = (300.0, 900.0, 3600.0)

_BY_A_PROMOTION: Final = "read-only"
_UNKNOWN: Final = "connection-refused-unknown"
"""Perhaps a wrong password in a language we do not know."""
_BY_AN_ADMINISTRATOR: Final = frozenset(
    {"permission-denied", "database-missing", "tls-required", "tls-unavailable", "tls-unverified", "auth-downgraded"}
    | {"parameter-refused", "not-postgresql", "connection-failed", "schema-newer"}
    | {"internal"}  # a fault of this program that one moment has brought about need not last
)
_BY_THE_SYSTEM: Final = "storage-unwritable"
"""A full disk gets room again, and a process that has too many files open closes some."""


def backoff_s(attempt: int, outage_s: float, problem: Problem | None = None) -> float:
    """Return the seconds to wait: 0.1 doubling to 0.8 early in an outage, then to 5; jittered downwards.

    Args:
        attempt: the one that failed, counted from 1.
        outage_s: how long the outage has lasted.
        problem: what the attempt met.
    """
    code = None if problem is None else problem.code
    if code == _UNKNOWN:
        return _jittered(LATE_BACKOFF_S if outage_s < 2 * EARLY_S else REPAIR_S)
    longest_s = EARLY_BACKOFF_S if outage_s < EARLY_S or code == _BY_A_PROMOTION else LATE_BACKOFF_S
    if code == "too-many-connections":
        longest_s = min(longest_s, FULL_BACKOFF_S)
    return _jittered(min(longest_s, FIRST_BACKOFF_S * 2.0 ** min(attempt - 1, 16)))


def refused_s(problem: Problem, refusals: int) -> float | None:
    """Return the seconds until what counts as permanent is tried again by itself; None for never.

    Args:
        problem: why it was refused.
        refusals: how often in a row, this time included.
    """
    if problem.code == "password-rejected":
        return _jittered(PASSWORD_S[min(refusals, len(PASSWORD_S)) - 1])
    if problem.code == _BY_THE_SYSTEM:
        return _jittered(LATE_BACKOFF_S)
    return _jittered(REPAIR_S) if problem.code in _BY_AN_ADMINISTRATOR else None


def _jittered(longest_s: float) -> float:
    return longest_s * random.uniform(0.7, 1.0)  # noqa: S311 - jitter is no secret
