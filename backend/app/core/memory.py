"""Memory that holds secrets: no other process of the same user looks into it, and no core file keeps it."""

from __future__ import annotations

import contextlib
import sys
from typing import Final

_PR_SET_DUMPABLE: Final = 4
"""https://man7.org/linux/man-pages/man2/PR_SET_DUMPABLE.2const.html"""


def keep_private() -> None:
    """Forbid core files and, on Linux, debuggers and readers of ``/proc/PID`` other than root's; for good.

    Windows protects a process from other users by itself, not from programs of the same one.
    """
    if sys.platform == "win32":
        return
    import resource

    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
