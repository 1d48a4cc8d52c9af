"""Write the lock files again after a change of `pyproject.toml`: `python3 scripts/lock.py [--upgrade]`.

`backend/requirements.lock` holds what the sidecar needs to run, `tests/requirements.lock` that and the group `dev`,
in the same versions. Both are hashed, hold for every platform, and name neither a package index nor a folder of this
machine. Pinned versions stay unless `pyproject.toml` excludes them; `--upgrade` takes the newest. Needs uv, on the
PATH or beside the interpreter that runs this script.
"""

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

from _environment import ROOT, SetupError, run_script, say

RUN_TIME = "backend/requirements.lock"
DEVELOPMENT = "tests/requirements.lock"


def main(arguments: list[str]) -> int:
    """Compile both lock files."""
    parser = argparse.ArgumentParser(description="Write the lock files again.", allow_abbrev=False)
    parser.add_argument("--upgrade", action="store_true", help="take the newest versions")
    upgrade = ["--upgrade"] if parser.parse_args(arguments).upgrade else []
    compile_lock(RUN_TIME, *upgrade)
    compile_lock(DEVELOPMENT, "--group=dev", f"--constraint={RUN_TIME}", *upgrade)
    return 0


def compile_lock(lock_file: str, *options: str) -> None:
    """Write one lock file.

    Raises:
        SetupError: there is no uv, or it failed.
    """
    uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or shutil.which("uv")
    if not uv:
        raise SetupError("uv is needed and was not found on the PATH; one way to get it is: python3 -m pip install uv")
    say(f"Compiling {lock_file} ...")
    import tomllib  # new in Python 3.11, so not before this version is checked

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    oldest_python = project["requires-python"].removeprefix(">=")
    # Relative names, from the checkout: uv writes them into the file.
    command = [uv, "pip", "compile", "pyproject.toml", f"--output-file={lock_file}", *options]
    command += ["--universal", f"--python-version={oldest_python}", "--generate-hashes", "--only-binary=:all:"]
    command += ["--no-emit-index-url", "--no-emit-find-links", "--quiet"]
    command += ["--custom-compile-command=python3 scripts/lock.py"]
    if subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, check=False).returncode:
        raise SetupError(f"uv could not compile {lock_file}; the reason stands above.")


if __name__ == "__main__":
    run_script(main)
