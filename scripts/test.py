"""Run all tests of a checkout: `python3 scripts/test.py [--install-only | --windows | --long] [PYTEST ARGUMENT...]`.

The first run makes the environment `.venv-test` beside this folder and installs `tests/requirements.lock` there; later
runs find it, as they do the packages of the Electron bridge, which npm installs. Then pytest runs, files side by side,
with the arguments given (paths count from the checkout; `-n0` runs one test after the other), then the tests of the
bridge, then those marked `quiet`, one after the other, and last those of the interface. With `--windows` the sidecar of
the tests is a Windows program instead, see `_windows.py`; with `--long` only those run that take minutes or ask the
network. The exit status is 0 only if all passed.
"""

import argparse
import os

from _bridge import BRIDGE, find_npm, has_bridge, install_packages, offer_electron
from _environment import ROOT, Environment, SetupError, run_in_foreground, run_script, say
from _windows import prepare, run_tests

NO_TESTS = 5
"""Exit status of pytest when the arguments leave none to run."""
MOST_WORKERS = 8
"""Each has PostgreSQL servers of its own."""


def main(arguments: list[str]) -> int:
    """Install what the tests need, run them, and say how each part went."""
    parser = argparse.ArgumentParser(description="Run all tests.", allow_abbrev=False)
    parser.add_argument("--install-only", action="store_true", help="install what the tests need, and stop there")
    parser.add_argument("--long", action="store_true", help="run what takes minutes or asks the network, and only that")
    parser.add_argument("--windows", action="store_true", help="test the sidecar as a Windows program")
    options, pytest_arguments = parser.parse_known_args(arguments)
    environment = Environment(ROOT / ".venv-test", ROOT / "tests" / "requirements.lock")
    environment.ensure()
    if options.windows:
        run = prepare()
        return 0 if options.install_only else report(run_tests(run, environment.python, pytest_arguments, workers()))
    npm = install_bridge(environment) if has_bridge() else None
    if options.install_only:
        return 0 if npm or not has_bridge() else 1

    if options.long:
        passed = {"Long Python tests": run_pytest(environment, ["-m", "long", *pytest_arguments]) == 0}
        passed["Long Electron bridge tests"] = npm is not None and run_npm(environment, npm, "test:long")
    elif npm is None:
        ends = [run_side_by_side(environment, pytest_arguments), run_quiet(environment, pytest_arguments)]
        passed = {"Python tests": have_passed(ends)}
        passed |= {"Electron bridge tests": False} if has_bridge() else {}
    else:
        passed = run_both(environment, npm, pytest_arguments)
    return report(passed)


def run_both(environment: Environment, npm: str, pytest_arguments: list[str]) -> dict[str, bool]:
    """Run the tests of both parts; say of each whether all passed."""
    is_built = run_npm(environment, npm, "build")
    offer_electron()
    ends = [run_side_by_side(environment, pytest_arguments)]
    bridge = [is_built, run_npm(environment, npm, "test:apps")]
    ends.append(run_quiet(environment, pytest_arguments))
    bridge.append(run_npm(environment, npm, "test:ui"))
    return {"Python tests": have_passed(ends), "Electron bridge tests": all(bridge)}


def have_passed(ends: list[int]) -> bool:
    """Say whether pytest found tests, and all passed."""
    return all(end in (0, NO_TESTS) for end in ends) and 0 in ends


def run_npm(environment: Environment, npm: str, script: str) -> bool:
    """Run a script of the bridge, with `python` on its path able to run the sidecar; say whether it passed."""
    say(f"Electron bridge: npm run {script} ...")
    return run_in_foreground([npm, "run", script], folder=BRIDGE, path_prefix=environment.programs) == 0


def report(passed: dict[str, bool]) -> int:
    """Say how each part went; return the exit status."""
    for part, has_passed in passed.items():
        say(f"{part}: {'passed' if has_passed else 'FAILED'}")
    return 0 if all(passed.values()) else 1


def run_side_by_side(environment: Environment, arguments: list[str]) -> int:
    """Run the Python tests but for those that want the computer for themselves; return the exit status."""
    side_by_side = ["-n", str(workers()), "--dist", "loadfile", "--no-loadscope-reorder", "-m", "not quiet"]
    return run_pytest(environment, [*side_by_side, *arguments])


def run_quiet(environment: Environment, arguments: list[str]) -> int:
    """Run those, one after the other; return the exit status."""
    return run_pytest(environment, ["-m", "quiet", *(arguments or quiet_files())])


def run_pytest(environment: Environment, arguments: list[str]) -> int:
    """Run pytest; return its exit status."""
    return run_in_foreground([str(environment.python), "-m", "pytest", *arguments], folder=ROOT)


def quiet_files() -> list[str]:
    """Return the files with tests marked `quiet`: looking for them in all others takes pytest seconds."""
    files = (ROOT / "tests").rglob("test_*.py")
    return sorted(str(file.relative_to(ROOT)) for file in files if "mark.quiet" in file.read_text(encoding="utf-8"))


def workers() -> int:
    """Return how many files are tested at once: two for each core, as many tests wait."""
    return min(2 * (os.cpu_count() or 1), MOST_WORKERS)


def install_bridge(environment: Environment) -> str | None:
    """Install the bridge's packages unless they are there and up to date.

    Returns:
        The path of npm; None if the packages cannot be installed, and the person has been told why.
    """
    try:
        npm, node_version = find_npm()
        install_packages(environment, npm, node_version)
    except (SetupError, OSError) as error:
        say(f"The Electron bridge cannot be tested: {error}")
        return None
    return npm


if __name__ == "__main__":
    run_script(main)
