"""What the scripts of this folder share: Python environments made from a lock file, and running programs in them.

Standard library only. An older Python must be able to parse this module, because the check below speaks to it.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - whoever starts an older Python gets a sentence, not a traceback
    sys.exit("TaskFlow needs Python 3.11 or newer, and this is Python " + sys.version.split()[0] + ".")

import hashlib
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).absolute().parent.parent
"""The checkout."""
PACKAGES = ROOT / "backend"
"""The folder that holds the package `app`."""


class SetupError(Exception):
    """Something a person has to mend before a script can do its work; the text is one sentence for them."""


def say(line: str) -> None:
    """Tell the person at the terminal what happens; stderr, so that a command's stdout stays its own."""
    print(line, file=sys.stderr, flush=True)


def run_script(main: Callable[[list[str]], int]) -> None:
    """Run `main` with the command line's arguments and exit with its status, or with one sentence."""
    try:
        sys.exit(main(sys.argv[1:]))
    except SetupError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(130)


def run_in_foreground(command: Sequence[str], *, folder: Path | None = None, path_prefix: Path | None = None) -> int:
    """Run a program on this terminal and return its exit status.

    The terminal sends Ctrl+C to the program as well, so this waits for it to end in its own way.

    Args:
        command: the program and its arguments.
        folder: its working directory, if not this process's own.
        path_prefix: a folder searched for programs before all others.

    Raises:
        KeyboardInterrupt: Ctrl+C was pressed, and the program did not end with status 0.
    """
    environ = dict(os.environ)
    if path_prefix:
        environ["PATH"] = f"{path_prefix}{os.pathsep}{environ.get('PATH', os.defpath)}"
    interrupted = False
    with subprocess.Popen(command, cwd=folder, env=environ) as process:
        while process.returncode is None:
            try:
                process.wait()
            except KeyboardInterrupt:
                interrupted = True
    if interrupted and process.returncode:
        raise KeyboardInterrupt
    return process.returncode


def become(command: list[str]) -> NoReturn:
    """Let a program take this process's place; on Windows, which cannot do that, run it and exit with its status."""
    if sys.platform == "win32":
        sys.exit(run_in_foreground(command))
    os.execv(command[0], command)  # noqa: S606 - no shell is wanted


def digest(*parts: bytes | str) -> bytes:
    """Return a stamp: equal as long as all parts are."""
    return hashlib.sha256(repr(parts).encode()).hexdigest().encode()


def has_stamp(stamp_file: Path, stamp: bytes) -> bool:
    """Tell whether `stamp_file` was written for `stamp`."""
    try:
        return stamp_file.read_bytes() == stamp
    except OSError:
        return False


if sys.platform == "win32":
    import msvcrt

    def _try_lock(descriptor: int) -> bool:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except PermissionError:
            return False
        return True
else:
    import fcntl

    def _try_lock(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def _explain_venv(output: str) -> str:
    if "ensurepip" in output or "No module named venv" in output:
        return (
            "This Python cannot make environments: install its venv (on Debian and Ubuntu, apt install python3-venv)."
        )
    return f"Python's venv failed; its last line: {_last_line(output)}"


def _explain_pip(output: str) -> str:
    # pip retries, warns, and at last reports the package as missing: only the warnings tell of the network.
    cause = (
        "The packages cannot be downloaded; check the network connection and the proxy settings, then run this again."
        if "WARNING: Retrying" in output
        else "The packages cannot be installed."
    )
    return f"{cause} pip's last line: {_last_line(output, 'ERROR: ')}"


def _last_line(output: str, start: str = "") -> str:
    """Return the last line that starts so, else the last one."""
    lines = [line.strip() for line in output.splitlines() if line.strip()] or ["(nothing)"]
    return next((line for line in reversed(lines) if line.startswith(start)), lines[-1])


@dataclass(frozen=True)
class Environment:
    """A virtual environment in the checkout that holds exactly what a lock file lists, and can import `app`.

    It is made in one go under a lock which the operating system releases when its holder dies. The stamp is written
    last: an environment without the right stamp, for whatever reason, is made anew.
    """

    folder: Path
    requirements: Path
    """The lock file: a hashed requirements file, complete for every platform."""

    @property
    def programs(self) -> Path:
        """The folder of the environment's programs."""
        return self.folder / ("Scripts" if sys.platform == "win32" else "bin")

    @property
    def python(self) -> Path:
        """The environment's interpreter."""
        return self.programs / ("python.exe" if sys.platform == "win32" else "python")

    @property
    def _lock_file(self) -> Path:
        """Held while the environment is made; being there, it also tells our folder from anybody else's."""
        return self.folder / "taskflow-environment.lock"

    @property
    def _stamp_file(self) -> Path:
        return self.folder / "taskflow-environment.stamp"

    def ensure(self) -> None:
        """Make the environment, unless it is there and up to date.

        Raises:
            SetupError: it cannot be made; the sentence tells what to do.
        """
        try:
            stamp = digest(self.requirements.read_bytes(), Path(__file__).read_bytes(), sys.version)
            if self._is_current(stamp):
                return
            with self.exclusive() as descriptor:
                # Another process may have made it while this one waited.
                if not self._is_current(stamp):
                    self._make(stamp, descriptor)
        except OSError as error:
            raise SetupError(
                f"The environment {self.folder} cannot be made ({error}): it needs a folder that you may write to,"
                " and no program still running from it."
            ) from error

    @contextmanager
    def exclusive(self) -> Iterator[int]:
        """Hold the environment's lock, and give its file descriptor; wait while another process holds it.

        Raises:
            SetupError: the folder exists and is somebody else's.
        """
        self.folder.mkdir(exist_ok=True)
        # In this order: whoever makes the environment makes the lock file first.
        if any(self.folder.iterdir()) and not self._lock_file.exists():
            raise SetupError(
                f"{self.folder} was not made by this script, so it is left alone: move or remove it first."
            )
        with self._lock_file.open("ab") as lock:
            if not _try_lock(lock.fileno()):
                say(f"Waiting for another process that is working on {self.folder.name} ...")
                while not _try_lock(lock.fileno()):
                    time.sleep(0.2)
            yield lock.fileno()

    def _is_current(self, stamp: bytes) -> bool:
        # The interpreter is a link to one that may have been removed since.
        return has_stamp(self._stamp_file, stamp) and self.python.exists()

    def _make(self, stamp: bytes, descriptor: int) -> None:
        # The stamp goes first: whatever happens from here on, the rest is not taken for whole.
        self._stamp_file.unlink(missing_ok=True)
        self._clear()
        say(f"Making the Python environment {self.folder.name} ...")
        (self.folder / ".gitignore").write_text("*\n", encoding="ascii")
        self._run(_explain_venv, [sys.executable, "-I", "-m", "venv", str(self.folder)], descriptor)
        count = sum("==" in line for line in self.requirements.read_text(encoding="utf-8").splitlines())
        name = self.requirements.relative_to(ROOT).as_posix()
        say(f"Installing {count} packages of {name} (about half a minute with a good connection) ...")
        # Isolated from PYTHON* variables; wheels only, because nothing here should need a compiler.
        install = [str(self.python), "-I", "-m", "pip", "install", "--require-hashes", "--only-binary=:all:"]
        quietly = ["--quiet", "--progress-bar=off", "--no-input", "--no-user", "--disable-pip-version-check"]
        self._run(_explain_pip, [*install, *quietly, f"--requirement={self.requirements}"], descriptor)
        self._make_app_importable()
        self._stamp_file.write_bytes(stamp)

    def _clear(self) -> None:
        for entry in self.folder.iterdir():
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            elif entry != self._lock_file:
                entry.unlink()

    def _run(self, explain: Callable[[str], str], command: list[str], descriptor: int) -> None:
        finished = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            # The child holds the lock too: should this process be killed, the next one waits for the child's end.
            pass_fds=() if sys.platform == "win32" else (descriptor,),
            check=False,
        )
        if finished.returncode:
            raise SetupError(explain(finished.stdout))

    def _make_app_importable(self) -> None:
        """Put `backend` on the environment's module search path.

        The line is relative to its own folder, which keeps it ASCII wherever the checkout is: Python reads such files
        in the locale's encoding.
        """
        import sysconfig  # only wanted here, and not free

        base = str(self.folder)
        site_packages = Path(sysconfig.get_path("purelib", "venv", {"base": base, "platbase": base}))
        line = os.path.relpath(PACKAGES, site_packages)
        (site_packages / "taskflow-app.pth").write_text(line + "\n", encoding="ascii")
