"""The sidecar as a Windows program, run from here: the Windows Python under Wine that `scripts/test.py --windows` made.

What Wine 8 cannot show, and what stands in for it:

=============================================== =======================================================================
access control lists (Wine keeps modes instead) `unit/core/test_windows_acl.py`, all of it, by injection
mandatory byte locks on files                   `unit/core/test_files.py`: `test_read_is_tried_again_...` and
                                                `test_rename_is_tried_again_...`, by injection
CTRL_BREAK from another process                 `unit/sidecar/test_stop.py` (the handler; POSIX signals in the process
                                                suite)
TLS: libpq looks for its files by a function    `unit/db/test_connect.py` and `process/test_connection_settings.py` on
that Wine lacks (NtFlushBuffersFileEx)          Linux: the driver is the same, and nothing in it is about Windows
a console window                                `windows/test_program.py`: a console program; the bridge's
                                                `test/unit/process.test.ts`: started with `windowsHide`
260 characters without the registry switch      `windows/test_program.py`: the manifest says longPathAware
UTF-8 as the code page of narrow strings        `windows/test_program.py`: the manifest says so
whether CancelIoEx ends a wait in `select`      `unit/sidecar/test_startup.py`: `test_silent_server_...` in the Windows
as it does in Wine                              Python
how soon something happens                      the same tests on Linux: `PATIENCE` times the limit is asserted here
rights to a folder that Linux has made          `unit/core/test_trust.py` on Linux, `unit/core/test_windows_acl.py`
the status of a process that ends itself        `process/test_process_contract.py` on Linux; see `exit_status`
antivirus scanners                              `windows/test_holds.py`: another process holds the file, really
code signing, SmartScreen, installers           none
=============================================== =======================================================================

What was once wrong on Windows, and the test that would tell:

=============================================== =======================================================================
letters beyond ASCII in a password              `test_holds.py::test_password_beyond_ascii_is_used_and_not_shown`
drives, shares and devices that are no folder   `test_life.py::test_place_that_is_no_directory_ends_the_start`
files that somebody else holds                  `test_holds.py::test_short_hold_is_waited_for`,
                                                `test_long_hold_is_no_damage` (which leaves nothing behind, too)
a key saved by Notepad                          `test_holds.py::test_key_saved_by_notepad_is_read`
rights of others                                `test_life.py::test_folder_that_others_may_write_is_refused`
content that was deleted                        `test_life.py::test_deleted_content_is_overwritten`
a shell started at each start, to ask it        `unit/core/test_shell.py`, in the Windows Python
what Windows this is
=============================================== =======================================================================
"""

from __future__ import annotations

import fnmatch
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import IO

    import pytest

RUN: Final = tuple(shlex.split(os.environ.get("WINDOWS_TEST_PYTHON", "")))
"""What runs the Windows Python that has the sidecar's packages; empty where the tests are not about Windows."""
IS_WINDOWS: Final = bool(RUN)
"""Whether the sidecars of these tests are Windows programs."""
PATIENCE: Final = 4 if IS_WINDOWS or sys.platform == "win32" else 1
"""How many times as long a wait may take: Wine takes its time on a busy machine."""


VARIABLES: Final = {"WINEDEBUG": "-all,err+all"} if IS_WINDOWS else {}
"""What is added to the environment of the sidecars: Wine says why it fails."""
_LINE_OF_WINE: Final = re.compile(r"[0-9a-f]{4}:err:|wine: ")

_STOPPED: Final = '"message": "stopped"'
"""What the sidecar logs last."""
_SIGNALS: Final = "signals of Linux, which a Windows program never gets"
_PROCESS: Final = "looks at the process, its sockets or its memory as Linux shows them"
_MODES: Final = "modes, owners, links and pipes as Linux has them"
_TLS: Final = "libpq looks for its files by a function that Wine 8 lacks (NtFlushBuffersFileEx): no TLS"
NOT_HERE: Final = {
    "test_process_contract.py::test_only_loopback_is_listened_on": _PROCESS,
    "test_process_contract.py::test_killed_parent_takes_the_sidecar_along": _SIGNALS,
    "test_process_contract.py::test_signal_ends_the_process_with_0*": _SIGNALS,
    "test_process_contract.py::test_running_requests_finish_within_the_grace_period*SIGTERM*": _SIGNALS,
    "test_process_contract.py::test_pipes_that_nobody_reads_stop_nothing*": _MODES,
    "test_process_contract.py::test_sidecar_by_hand_serves_without_a_terminal": _SIGNALS,
    "test_process_contract.py::test_sidecar_by_hand_tells_where_it_is": _MODES,
    "test_process_contract.py::test_secrets_of_the_handshake_are_nowhere": _PROCESS,
    "test_process_contract.py::test_token_of_a_sidecar_by_hand_is_in_its_file_only": _PROCESS,
    "test_process_contract.py::test_requests_that_outlast_the_grace_period_are_ended": _SIGNALS,
    "test_process_contract.py::test_jumping_clocks_do_not_disturb": _SIGNALS,
    "test_connection_settings.py::test_tls_modes[[]prefer*": _TLS,
    "test_connection_settings.py::test_tls_modes[[]require*": _TLS,
    "test_connection_settings.py::test_tls_modes[[]verify*": _TLS,
    "test_connection_settings.py::test_mode_gives_way_to_what_the_server_wants": _TLS,
    "test_connection_failures.py::test_no_entry_in_pg_hba[[]allow*": _TLS,
    "test_connection_failures.py::test_no_entry_in_pg_hba[[]prefer*": _TLS,
    "test_connection_failures.py::test_tls_required*": _TLS,
    "test_connection_failures.py::test_pooler_requires_tls": _TLS,
    "test_connection_failures.py::test_certificate_unverified*": _TLS,
    "test_connection_failures.py::test_system_roots_do_not_know_the_issuer": _TLS,
    "test_connection_failures.py::test_client_certificate*": _TLS,
    "test_connection_failures.py::test_no_common_cipher": _TLS,
    "test_connection_failures.py::test_something_else_answers[[]prefer-ssh*": _TLS,
}
"""Process tests that cannot be about a Windows sidecar under Wine, by patterns of their names, and why."""


def reason_to_skip(item: pytest.Item) -> str | None:
    """Return why a test has nothing to say where the sidecars are Windows programs."""
    name = item.nodeid.rpartition("/")[2]
    return next((reason for pattern, reason in NOT_HERE.items() if fnmatch.fnmatchcase(name, pattern)), None)


def exit_status(status: int, told: str) -> int:
    """Return the status with which a sidecar of these tests has ended.

    Once in some hundred ends Wine is hit by a SIGSEGV of its own, while it ends the threads of a program that ends
    itself (`app.core.ending`). No Windows program can get a signal; an access violation of one is a status, here too.

    Args:
        status: of the process that runs the program.
        told: all that the program has logged; it ends with 0 after it has said that it has stopped.
    """
    is_of_wine = IS_WINDOWS and status == -signal.SIGSEGV and _STOPPED in told
    return 0 if is_of_wine else status


def is_ended_but_for_wine(pid: int, told: str) -> bool:
    """Say whether a process that stays is Wine's own rest of a program that has ended itself.

    As often as by a signal, Wine ends a thread that holds a lock of libc's, for which its last one then waits for ever.

    Args:
        pid: of the process that runs the program.
        told: all that the program has logged.
    """
    return IS_WINDOWS and _STOPPED in told and len(list(Path(f"/proc/{pid}/task").iterdir())) == 1


def never_began(status: int, told: str) -> bool:
    """Say whether Wine has ended before it came to the program, as it does once in some thousand starts.

    A start that it cannot finish, since the computer is busy, ends with the lowest byte of a status of Windows: 1 of
    STATUS_UNSUCCESSFUL. A sidecar, and Python itself, does not end so without a word.

    Args:
        status: of the process that runs the program.
        told: all that came from it, on both streams; Wine's own errors are lines such as `0024:err:module:...`.
    """
    words = [line for line in told.splitlines() if line.strip() and not _LINE_OF_WINE.match(line)]
    return IS_WINDOWS and status == 1 and not words


def windows_path(path: Path) -> str:
    """Return how a Windows program calls a file: Linux's root is drive Z."""
    return "Z:" + str(path).replace("/", "\\")


def make_directory(path: Path) -> Path:
    """Make a directory that only its owner may use, as a program of the sidecar's system does.

    Of one that Linux made, Wine makes one that everybody may write to as soon as a list is set.
    """
    if IS_WINDOWS:
        run_python("import os, sys; os.mkdir(sys.argv[1])", windows_path(path), cwd=path.parent)
    else:
        path.mkdir(mode=0o700)
    return path


class NotHeldError(OSError):
    """The file could not be opened: it is away in this moment, or somebody else has it."""


class Holder:
    """Another Windows program that has a file open, as a scanner or a backup has, and lets nobody else at it."""

    _SCRIPT = (
        "import ctypes, sys, time\n"
        "system = ctypes.WinDLL('kernel32', use_last_error=True)\n"
        "open_ = system.CreateFileW\n"
        "open_.restype = ctypes.c_void_p\n"
        "path, shared, seconds, tries = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])\n"
        "failed = ctypes.c_void_p(-1).value\n"
        "handle = open_(path, 0x80000000, shared, None, 3, 0, None)\n"
        "while handle == failed and (tries := tries - 1) > 0:\n"
        "    time.sleep(0.02)\n"
        "    handle = open_(path, 0x80000000, shared, None, 3, 0, None)\n"
        "print('held' if handle != failed else ctypes.get_last_error(), flush=True)\n"
        "time.sleep(seconds) if seconds else sys.stdin.read()\n"
        # Taking an interpreter down takes its time, and may hang under Wine; the file is let go of before.
        "system.CloseHandle(ctypes.c_void_p(handle))\n"
        "system.TerminateProcess(ctypes.c_void_p(-1), 0)\n"
    )

    def __init__(self, path: Path, *, shared: int = 0, seconds: float = 0.0, tries: int = 500) -> None:
        """Make a holder.

        Args:
            path: the file.
            shared: what others may do meanwhile: 0 nothing, 1 read.
            seconds: for how long; 0 until the block ends.
            tries: how often, as the sidecar may have it open in this moment.
        """
        self._arguments = [windows_path(path), str(shared), str(seconds), str(tries)]
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
