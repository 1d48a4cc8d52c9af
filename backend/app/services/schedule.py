"""When a stored key is checked with its provider next."""

from __future__ import annotations

import datetime as dt
import random
from typing import Final

from app.db.base import utc_now

JITTER: Final = 0.1
"""So much of an interval it may be shorter or longer: the keys of a team are not to be checked all at once."""


def next_check(interval_hours: float) -> dt.datetime:
    """Return when a key that was checked now is due again."""
    return utc_now() + dt.timedelta(hours=interval_hours * random.uniform(1 - JITTER, 1 + JITTER))  # noqa: S311
