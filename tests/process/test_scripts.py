"""The scripts of a checkout, run on a small one: real environments by venv and pip, a stand-in for the product.

The stand-in's lock file asks for one tiny wheel, so that nothing is downloaded.
"""

from __future__ import annotations

import ast
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tomllib
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.network import LOOPBACK, free_port
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterable

REPOSITORY = Path(__file__).parents[2]
SCRIPTS = ("run.py", "test.py", "lock.py")
RUN_TIME_LOCK = REPOSITORY / "backend" / "requirements.lock"
TESTS_LOCK = REPOSITORY / "tests" / "requirements.lock"
TIMEOUT_S = 120.0

PRODUCT = """
import json, os, sys, standin
print(json.dumps({"arguments": sys.argv[1:], "prefix": sys.prefix, "folder": os.getcwd(), "pid": os.getpid()}))
"""
PYTEST = """
import os, signal, sys, time
try:
    print("pytest was given", sys.argv[1:], flush=True)
    if "wait" in sys.argv:
        signal.pause()
except KeyboardInterrupt:
    time.sleep(0.5)  # subprocess.run kills an interrupted child after half of that
    print("pytest cleaned up", flush=True)
    sys.exit(2)
print("=== 1 passed in 0.01s ===", flush=True)
sys.exit("fail" in sys.argv)
"""
NODE_TOOL = """#!{python}
import os, pathlib, sys
name, arguments = pathlib.Path(sys.argv[0]).name, sys.argv[1:]
if arguments == ["--version"]:
    print({node_version!r})
else:
    print(name, *arguments, "in", pathlib.Path.cwd().name, flush=True)
    if arguments[-1] == "ui":
        page = pathlib.Path("../backend/app/web/ui/index.html")
        page.parent.mkdir(parents=True, exist_ok=True)
        page.touch()
    sys.exit(arguments[-1] == {failing!r})
"""


def write_wheel(folder: Path, name: str, main: str) -> str:
    """Write the wheel of a package `name` 1.0, which `python -m` runs as `main`.

    Returns:
        The line of a lock file that asks for it.
    """
    metadata = f"{name}-1.0.dist-info"
    wheel = folder / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(f"{name}/__init__.py", "")
        archive.writestr(f"{name}/__main__.py", main)
        archive.writestr(f"{metadata}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(f"{metadata}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{metadata}/RECORD", "")
    return f"{name}==1.0 --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n"


@dataclass
class Checkout:
    """A small checkout with the real scripts."""

    root: Path
    environ: dict[str, str] = field(default_factory=dict)

    @classmethod
    def make(cls, parent: Path) -> Checkout:
        """Lay one out in a folder whose name needs care."""
        root = parent / "Prüfling 100% neu"
        wheels = parent / "wheels"
        for folder in (wheels, root / "backend" / "app", root / "tests"):
            folder.mkdir(parents=True)
        shutil.copytree(REPOSITORY / "scripts", root / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
        (root / "backend" / "app" / "__init__.py").touch()
        (root / "backend" / "app" / "__main__.py").write_text(PRODUCT)
        (root / "backend" / "requirements.lock").write_text(write_wheel(wheels, "standin", ""))
        (root / "tests" / "requirements.lock").write_text(write_wheel(wheels, "pytest", PYTEST))
        environ = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "PYTHON"))}
        environ |= {"PIP_CONFIG_FILE": os.devnull, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels)}
        return cls(root, environ)

    @property
    def environment(self) -> Path:
        """Where `run.py` makes its environment."""
        return self.root / ".venv"

    def add_bridge(self, programs: Path, *, node_version: str = "v20.11.0", failing: str = "") -> None:
        """Add an Electron bridge, and stand-ins for Node and npm as the only programs on the path."""
        bridge = self.root / "electron-bridge"
        bridge.mkdir()
        (bridge / "package.json").write_text("{}")
        (bridge / "package-lock.json").write_text("{}")
        programs.mkdir()
        source = NODE_TOOL.format(python=sys.executable, node_version=node_version, failing=failing)
        for name in ("node", "npm"):
            (programs / name).write_text(source)
            (programs / name).chmod(0o755)
        self.environ["PATH"] = str(programs)

    def start(self, script: str, *arguments: str, folder: Path | None = None) -> subprocess.Popen[str]:
        """Start a script in a session of its own, as a terminal would."""
        return subprocess.Popen(
            [sys.executable, self.root / "scripts" / script, *arguments],
            cwd=folder or self.root,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            start_new_session=True,
        )

    def run(self, script: str, *arguments: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run a script to its end."""
        process = self.start(script, *arguments, folder=folder)
        stdout, stderr = process.communicate(timeout=TIMEOUT_S)
        return subprocess.CompletedProcess(script, process.returncode, stdout, stderr)


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """A fresh checkout."""
    return Checkout.make(tmp_path)


@dataclass
class Template:
    """A checkout that has both environments; to be left as it is."""

    checkout: Checkout
    first_run: subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """Make both environments once, by their scripts."""
    checkout = Checkout.make(tmp_path_factory.mktemp("template"))
    first_run = checkout.run("run.py", "--port", "0")
    assert checkout.run("test.py", "--install-only").returncode == 0
    return Template(checkout, first_run)


@pytest.fixture
def installed(template: Template, tmp_path: Path) -> Checkout:
    """A checkout that has both environments, moved since they were made."""
    root = tmp_path / "moved"
    shutil.copytree(template.checkout.root, root, symlinks=True)
    return Checkout(root, dict(template.checkout.environ))


def told_product(finished: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """Return what the stand-in for the product says it was given."""
    assert finished.returncode == 0, finished.stderr
    answer: dict[str, Any] = json.loads(finished.stdout)
    return answer


def assert_one_sentence(finished: subprocess.CompletedProcess[str], *parts: str) -> None:
    """The script failed, and its last line on stderr holds the parts; no traceback."""
    last = finished.stderr.splitlines()[-1]
    assert finished.returncode == 1, finished.stderr
    assert "Traceback" not in finished.stderr
    assert all(part in last for part in parts), last


def test_first_run_makes_the_environment_and_says_so(template: Template) -> None:
    """A line for each step, then the sidecar with --open and the arguments, in the environment."""
    first = template.first_run

    assert told_product(first)["arguments"] == ["serve", "--open", "--port", "0"]
    assert told_product(first)["prefix"] == str(template.checkout.environment)
    assert [line.split()[0] for line in first.stderr.splitlines()] == ["Making", "Installing", "Starting"]


def test_later_runs_start_at_once_from_any_folder(installed: Checkout, tmp_path: Path) -> None:
    """Nothing is made again; neither a folder `app` at hand nor PYTHONPATH gets in the way."""
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "__main__.py").write_text("raise SystemExit('the wrong app')")
    hostile = Checkout(installed.root, {**installed.environ, "PYTHONPATH": str(tmp_path), "PIP_FIND_LINKS": ""})

    later = hostile.run("run.py", folder=tmp_path)

    assert told_product(later)["folder"] == str(tmp_path)
    assert [line.split()[0] for line in later.stderr.splitlines()] == ["Starting"]


def test_a_command_of_the_sidecar_takes_the_place_of_serve(installed: Checkout) -> None:
    """`run.py status --json` runs just that, and stdout is the command's own."""
    assert told_product(installed.run("run.py", "status", "--json"))["arguments"] == ["status", "--json"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot replace a process")
def test_the_sidecar_takes_the_place_of_the_script(installed: Checkout) -> None:
    """Signals meant for the sidecar reach it, as it has the very process that was started."""
    process = installed.start("run.py")
    stdout, _ = process.communicate(timeout=TIMEOUT_S)

    assert json.loads(stdout)["pid"] == process.pid


def test_killed_installation_is_waited_for_and_made_anew(checkout: Checkout) -> None:
    """A child of the dead script still works on the environment: the next run neither disturbs nor trusts it."""
    killed = checkout.start("run.py")
    wait_until((checkout.environment / "pyvenv.cfg").exists, timeout_s=TIMEOUT_S, what="venv to begin")
    killed.kill()
    killed.communicate()

    next_run = checkout.run("run.py")

    assert told_product(next_run)
    assert "Waiting" in next_run.stderr
    assert "Making" in next_run.stderr


def test_two_runs_at_once_make_one_environment(installed: Checkout) -> None:
    """The interpreter that the environment links to was removed: one run makes it anew, the other waits and uses it."""
    for link in (installed.environment / "bin").glob("python*"):
        link.unlink()
    left_over = installed.environment / "left-over"
    left_over.touch()

    both = [installed.start("run.py") for _ in range(2)]
    outputs = [process.communicate(timeout=TIMEOUT_S) for process in both]

    assert [process.returncode for process in both] == [0, 0], outputs
    assert sum("Making" in stderr for _, stderr in outputs) == 1
    assert sum("Waiting" in stderr for _, stderr in outputs) == 1
    assert not left_over.exists()


def test_environment_of_somebody_else_is_left_alone(checkout: Checkout) -> None:
    """A `.venv` that the script did not make is neither used nor emptied."""
    checkout.environment.mkdir()
    (checkout.environment / "precious").touch()

    assert_one_sentence(checkout.run("run.py"), str(checkout.environment), "not made by this script")
    assert [entry.name for entry in checkout.environment.iterdir()] == ["precious"]


def test_unwritable_environment_is_one_sentence(checkout: Checkout) -> None:
    """The operating system's reason, and what is needed."""
    checkout.environment.touch()

    assert_one_sentence(checkout.run("run.py"), str(checkout.environment), "File exists", "may write to")


def test_first_run_without_network_is_one_sentence(checkout: Checkout) -> None:
    """The person is pointed to the network rather than to a package that pip calls missing."""
    del checkout.environ["PIP_NO_INDEX"], checkout.environ["PIP_FIND_LINKS"]
    closed = f"http://{LOOPBACK}:{free_port()}/simple"
    checkout.environ |= {"PIP_INDEX_URL": closed, "PIP_RETRIES": "1", "NO_PROXY": "*"}

    assert_one_sentence(checkout.run("run.py"), "check the network connection", "pip's last line: ERROR: No matching")


def test_changed_lock_file_is_installed_and_another_hash_refused(installed: Checkout) -> None:
    """The environment made from the earlier file is not used, nor is a package that the new one does not vouch for."""
    lock = installed.root / "backend" / "requirements.lock"
    lock.write_text(re.sub("sha256:.*", f"sha256:{'0' * 64}", lock.read_text()))

    assert_one_sentence(installed.run("run.py"), "DO NOT MATCH THE HASHES")


@pytest.mark.parametrize("script", SCRIPTS)
def test_older_python_is_one_sentence(script: str) -> None:
    """The script is in a grammar that older ones parse, and tells them what is needed."""
    pretend = (
        "import runpy, sys; sys.version_info, sys.version = (3, 7, 16), '3.7.16 (default)';"
        "path = sys.argv.pop(1); sys.path[0] = path.rpartition('/')[0]; runpy.run_path(path, run_name='__main__')"
    )
    path = REPOSITORY / "scripts" / script

    finished = subprocess.run([sys.executable, "-c", pretend, path.as_posix()], capture_output=True, encoding="utf-8")

    oldest = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]["requires-python"]
    assert_one_sentence(finished, f"needs Python {oldest.removeprefix('>=')} or newer", "this is Python 3.7.16.")
    for file in (path, path.with_name("_environment.py"), path.with_name("_bridge.py")):
        ast.parse(file.read_text(encoding="utf-8"), feature_version=(3, 7))


def test_run_builds_the_interface_when_it_is_out_of_date(installed: Checkout, tmp_path: Path) -> None:
    """Once, and again after a change of its sources; the sidecar's stdout stays its own."""
    installed.add_bridge(tmp_path / "programs")
    sources = installed.root / "electron-bridge" / "renderer" / "src"
    sources.mkdir(parents=True)
    (sources / "main.tsx").write_text("1")
    told = "Building the interface"

    first = installed.run("run.py")
    second = installed.run("run.py")
    (sources / "main.tsx").write_text("2")
    third = installed.run("run.py")
    command = installed.run("run.py", "status")

    assert [told in run.stderr for run in (first, second, third, command)] == [True, False, True, False]
    assert told_product(second)["arguments"] == ["serve", "--open"]


def test_without_node_everything_but_the_interface_runs(installed: Checkout, tmp_path: Path) -> None:
    """It is one sentence, and the sidecar starts."""
    installed.add_bridge(tmp_path / "programs", node_version="v18.20.0")

    finished = installed.run("run.py")

    assert "The interface is not built anew: Node.js 20 or newer is needed" in finished.stderr
    assert told_product(finished)["arguments"] == ["serve", "--open"]


def test_tests_of_both_parts_run_even_if_the_first_fails(installed: Checkout, tmp_path: Path) -> None:
    """Arguments go to pytest, after ours, and so win; npm installs once; the status tells that something failed."""
    installed.add_bridge(tmp_path / "programs")

    passing = installed.run("test.py", "-k", "some or other")
    failing = installed.run("test.py", "fail")

    assert passing.returncode == 0, passing.stderr
    given = r"pytest was given \['-n', '[2-8]', .+, '-k', 'some or other'\]"
    assert re.search(rf"^{given}\n=== 1 passed in 0.01s ===$", passing.stdout, re.MULTILINE)
    assert "npm ci --ignore-scripts --no-audit --no-fund in electron-bridge" in passing.stdout
    assert failing.returncode == 1
    assert "npm ci" not in failing.stdout
    told = re.findall("npm run (.+) in electron-bridge|(1 passed)", failing.stdout)
    assert ["".join(each) for each in told] == ["build", "1 passed", "test:apps", "1 passed", "test:ui"]
    assert failing.stderr.splitlines()[-2:] == ["Python tests: FAILED", "Electron bridge tests: passed"]


def test_electron_is_fetched_before_it_is_tested_with(installed: Checkout, tmp_path: Path) -> None:
    """No script of a package is run by npm. Where fetching fails, one sentence says what to do, and the tests run."""
    installed.add_bridge(tmp_path / "programs", failing="install.js")
    installed.environ.pop("ELECTRON_OVERRIDE_DIST_PATH", None)
    electron = installed.root / "electron-bridge" / "node_modules" / "electron"
    electron.mkdir(parents=True)
    (electron / "install.js").touch()

    without = installed.run("test.py")
    (electron / "path.txt").write_text("electron")
    (electron / "dist").mkdir()
    (electron / "dist" / "electron").touch()
    there = installed.run("test.py")

    assert "Fetching Electron" in without.stderr
    assert "could not be fetched" in without.stderr
    assert "ELECTRON_OVERRIDE_DIST_PATH" in without.stderr
    assert (without.returncode, there.returncode) == (0, 0)
    assert "Fetching Electron" not in there.stderr


@pytest.mark.parametrize("failing", ["build", "test:apps", "test:ui"])
def test_failing_bridge_test_fails_the_run(installed: Checkout, tmp_path: Path, failing: str) -> None:
    """The second part counts as much as the first, each piece of it."""
    installed.add_bridge(tmp_path / "programs", failing=failing)

    finished = installed.run("test.py")

    assert finished.returncode == 1
    assert finished.stderr.splitlines()[-2:] == ["Python tests: passed", "Electron bridge tests: FAILED"]


def test_old_or_missing_node_fails_after_the_python_tests(installed: Checkout, tmp_path: Path) -> None:
    """Tests that cannot run are a failure with its reason, never a silent skip."""
    installed.add_bridge(tmp_path / "programs", node_version="v18.20.4")

    old = installed.run("test.py")
    shutil.rmtree(tmp_path / "programs")
    missing = installed.run("test.py", "--install-only")

    assert old.returncode == missing.returncode == 1
    assert "Node.js 20 or newer is needed" in old.stderr
    assert "v18.20.4" in old.stderr
    assert "1 passed" in old.stdout
    assert "was not found on the PATH" in missing.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no process groups to signal")
def test_interrupted_tests_may_clean_up(installed: Checkout) -> None:
    """Ctrl+C reaches pytest, whose fixtures may take their time."""
    process = installed.start("test.py", "wait")
    assert process.stdout
    assert "pytest was given" in process.stdout.readline()

    os.killpg(process.pid, signal.SIGINT)
    stdout, stderr = process.communicate(timeout=TIMEOUT_S)

    assert process.returncode == 130
    assert stdout == "pytest cleaned up\n"
    assert "Traceback" not in stderr


def pinned(lock: Path) -> dict[str, str]:
    """Return the versions that a lock file pins, by canonical name."""
    pins = re.findall(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)", lock.read_text(encoding="utf-8"), re.MULTILINE)
    return {canonicalize_name(name): version for name, version in pins}


def assert_pinned(requirements: Iterable[str], lock: Path) -> None:
    """Each requirement is in the lock file, in a version that it allows."""
    pins = pinned(lock)
    for requirement in map(Requirement, requirements):
        assert requirement.specifier.contains(pins[canonicalize_name(requirement.name)]), requirement


def test_lock_files_follow_pyproject() -> None:
    """What pyproject.toml asks for is pinned; what the tests run with is what the product runs with."""
    declared = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))

    assert_pinned(declared["project"]["dependencies"], RUN_TIME_LOCK)
    assert_pinned(declared["dependency-groups"]["dev"], TESTS_LOCK)
    assert pinned(RUN_TIME_LOCK).items() <= pinned(TESTS_LOCK).items()
    assert "pytest" not in pinned(RUN_TIME_LOCK)


@pytest.mark.parametrize("lock", [RUN_TIME_LOCK, TESTS_LOCK], ids=["run-time", "tests"])
def test_lock_files_are_hashed_and_name_no_place(lock: Path) -> None:
    """They hold on every machine: no package index, no folder, a hash for each package."""
    text = lock.read_text(encoding="utf-8")

    assert not re.search(r"://|^-|index|find-links|(^|\s)/", text, re.MULTILINE)
    assert len(re.findall(r"==.* \\\n    --hash=sha256:[0-9a-f]{64}", text)) == len(pinned(lock))
