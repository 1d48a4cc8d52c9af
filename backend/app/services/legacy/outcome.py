"""How far long work has come."""

from __future__ import annotations

from collections.abc import Callable

Report = Callable[[str, int, int], object]
"""Told by long work what it does, how much of it is done, and of how much; the whole may grow while it goes on."""
