"""Who may do what with a file or folder, whichever system tells it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rights:
    """Who can do what with a file or folder, as far as it matters here."""

    is_ours: bool
    """It belongs to this user or to the administrator."""
    others_write: bool
    others_read: bool
