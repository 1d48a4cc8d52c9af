"""Run all tests of a checkout: `python3 scripts/test.py [--install-only | --windows] [PYTEST ARGUMENT...]`.

The first run makes the environment `.venv-test` beside this folder and installs `tests/requirements.lock` there; later
runs find it. Then pytest runs, files side by side, with the arguments given (paths count from the checkout; `-n0` runs
one test after the other), then the tests marked `quiet` one after the other, and after them those of the Electron
bridge, whose packages npm installs when they have changed. With `--windows` the sidecar of the tests is a Windows
program instead, see `_windows.py`. The exit status is 0 only if all passed.
"""

import argparse
import os

from _bridge import BRIDGE, find_npm, has_bridge, install_packages, offer_ui
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
    parser.add_argument("--windows", action="store_true", help="test the sidecar as a Windows program")
    options, pytest_arguments = parser.parse_known_args(arguments)
    environment = Environment(ROOT / ".venv-test", ROOT / "tests" / "requirements.lock")
    environment.ensure()
    if options.windows:
        run = prepare()
        return 0 if options.install_only else report(run_tests(run, environment.python, pytest_arguments))
    npm = install_bridge(environment) if has_bridge() else None
    if options.install_only:
        return 0 if npm or not has_bridge() else 1

    if npm is None:
        passed = {"Python tests": run_pytest(environment, pytest_arguments)}
        passed |= {"Electron bridge tests": False} if has_bridge() else {}
    else:
        offer_ui(environment)
        passed = {"Python tests": run_pytest(environment, pytest_arguments)}
        passed["Electron bridge tests"] = run_npm_test(environment, npm)
    return report(passed)


def run_npm_test(environment: Environment, npm: str) -> bool:
    """Run the bridge's tests, with `python` on their path able to run the sidecar; say whether all passed."""
    say("Testing the Electron bridge (npm test) ...")
    return run_in_foreground([npm, "test"], folder=BRIDGE, path_prefix=environment.programs) == 0


def report(passed: dict[str, bool]) -> int:
    """Say how each part went; return the exit status."""
    for part, has_passed in passed.items():
        say(f"{part}: {'passed' if has_passed else 'FAILED'}")
    return 0 if all(passed.values()) else 1


def run_pytest(environment: Environment, arguments: list[str]) -> bool:
    """Run the Python tests, last those that want the computer for themselves; say whether all passed."""
    pytest = [str(environment.python), "-m", "pytest"]
    side_by_side = ["-n", str(workers()), "--dist", "loadfile", "--no-loadscope-reorder", "-m", "not quiet"]
    ends = [
        run_in_foreground([*pytest, *side_by_side, *arguments], folder=ROOT),
        run_in_foreground([*pytest, "-m", "quiet", *(arguments or quiet_files())], folder=ROOT),
    ]
    return all(end in (0, NO_TESTS) for end in ends) and 0 in ends


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
