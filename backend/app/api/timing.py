"""What a trial of a connection found, as the header `Server-Timing`, which needs no room in the answer's body."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from app.db.trial import Trial

_UNSPEAKABLE: Final = re.compile(r"[^ !#-\[\]-~]")
"""What a quoted text of a header does not take as it is; the server is free in what it calls itself."""
_LONGEST: Final = 80


def server_timing(trial: Trial) -> str:
    """Return the phases with their durations, and what the server is."""
    phases = trial.phases
    durations = {
        "lookup": phases.lookup_ms,
        "reach": phases.reach_ms,
        "login": phases.login_ms,
        "query": phases.query_ms,
    }
    descriptions = {"server": trial.server_version, "encryption": trial.encryption}
    metrics = [f"{name};dur={ms:.1f}" for name, ms in durations.items() if ms is not None]
    metrics += [f'{name};desc="{_speakable(text)}"' for name, text in descriptions.items() if text is not None]
    return ", ".join(metrics)


def _speakable(text: str) -> str:
    return _UNSPEAKABLE.sub("?", text)[:_LONGEST]
