"""Paths of requests."""

from __future__ import annotations


def is_below(path: str, root: str) -> bool:
    """Tell whether a canonical path is `root`, or lies below it."""
    return path == root or path.startswith(f"{root}/")
