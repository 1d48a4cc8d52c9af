"""The sidecar as a Windows program, run from here: the Windows Python under Wine that `scripts/test.py --windows` made.

What Wine 8 cannot show, and the unit tests by injection that stand in for it:

=============================================== =======================================================================
access control lists (Wine keeps modes instead) `unit/core/test_windows_acl.py`, all of it
mandatory byte locks on files                   `unit/core/test_files.py`: `test_read_is_tried_again_...` and
                                                `test_rename_is_tried_again_...`
CTRL_BREAK from another process                 `unit/sidecar/test_stop.py` (the handler; POSIX signals in the process
                                                suite)
260 characters without the registry switch      none: the built program's manifest says longPathAware
antivirus scanners                              `windows/test_holds.py`: another process holds the file, really
=============================================== =======================================================================
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any, Final, Self

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import IO

RUN: Final = tuple(shlex.split(os.environ.get("WINDOWS_TEST_PYTHON", "")))
"""What runs the Windows Python that has the sidecar's packages; empty where the tests are not about Windows."""
IS_WINDOWS: Final = bool(RUN)
"""Whether the sidecars of these tests are Windows programs."""
PATIENCE: Final = 4 if IS_WINDOWS or sys.platform == "win32" else 1
"""How many times as long a wait may take: Wine takes its time on a busy machine."""


def windows_path(path: Path) -> str:
    """Return how a Windows program calls a file: Linux's root is drive Z."""
    return "Z:" + str(path).replace("/", "\\")


class NotHeldError(OSError):
    """The file could not be opened: it is away in this moment, or somebody else has it."""


class Holder:
    """Another Windows program that has a file open, as a scanner or a backup has, and lets nobody else at it."""

    _SCRIPT = (
        "import ctypes, sys, time\n"
        "open_ = ctypes.WinDLL('kernel32', use_last_error=True).CreateFileW\n"
        "open_.restype = ctypes.c_void_p\n"
        "path, shared, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])\n"
        "handle = open_(path, 0x80000000, shared, None, 3, 0, None)\n"
        "print('held' if handle != ctypes.c_void_p(-1).value else ctypes.get_last_error(), flush=True)\n"
        "time.sleep(seconds) if seconds else sys.stdin.read()\n"
    )

    def __init__(self, path: Path, *, shared: int = 0, seconds: float = 0.0) -> None:
        """Make a holder.

        Args:
            path: the file.
            shared: what others may do meanwhile: 0 nothing, 1 read.
            seconds: for how long; 0 until the block ends.
        """
        self._arguments = [windows_path(path), str(shared), str(seconds)]
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [*RUN, "-c", self._SCRIPT, *self._arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd="/tmp"
        )
        assert self._process.stdout is not None
        said = self._process.stdout.readline().strip()
        if said != b"held":
            self._process.communicate(b"")
            raise NotHeldError(said)
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.communicate(b"")


def keep_reading(stream: IO[bytes], file: Path) -> threading.Thread:
    """Copy what a program writes into a file: Wine knows nothing of files as standard streams."""

    def copy() -> None:
        with file.open("ab", buffering=0) as target:
            for line in stream:
                target.write(line.replace(b"\r\n", b"\n"))

    thread = threading.Thread(target=copy, daemon=True)
    thread.start()
    return thread


def run_python(script: str, *arguments: str, cwd: Path, env: dict[str, Any] | None = None) -> str:
    """Run a script in the Windows Python; return what it printed."""
    command: Sequence[str] = [*RUN, "-c", script, *arguments]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=cwd, env=env)
    assert finished.returncode == 0, finished.stderr
    return finished.stdout
