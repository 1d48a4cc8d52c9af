"""The end of the process that waits for nothing."""

from __future__ import annotations

import os
import sys
from typing import NoReturn


def end_process(status: int) -> NoReturn:
    """End this process with an exit status, at once.

    Threads that wait in libpq for a silent server cannot be interrupted, and the end must not wait for them. On Windows
    even `os._exit` lets every library clean up after the threads were ended, for which one of them may want a lock that
    such a thread held: the process would stay for ever.
    """
    if sys.platform == "win32":
        import ctypes

        ctypes.WinDLL("kernel32").TerminateProcess(ctypes.c_void_p(-1), status)  # this process
    os._exit(status)
