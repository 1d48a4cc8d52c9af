"""Build what an Electron app ships: `python3 scripts/build.py [--output FOLDER]`.

PyInstaller makes a folder `taskflow-sidecar` that needs no Python: the executable, and `lib/` beside it. One folder and
not one file, because a single file unpacks itself at every start: slow, suspicious to antivirus, and a process between
the desktop app and the sidecar. It runs on the kind of system that it was built on. The tests' environment is used.
Beside the executable lie the licences of all that is in the folder, and the list of it (`notices.py`).
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from _environment import PACKAGES, ROOT, Environment, SetupError, run_script, say

NAME = "taskflow-sidecar"
LEFT_OUT = (
    "IPython",
    "_pytest",
    "faker",
    "hypothesis",
    "mypy",
    "polyfactory",
    "pydantic",
    "pygments",
    "pytest",
    "setuptools",
    "tkinter",
)
"""What packages would use if it were there, and the sidecar does not need."""


def main(arguments: list[str]) -> int:
    """Make the environment if need be, then the folder."""
    parser = argparse.ArgumentParser(description="Build what an Electron app ships.", allow_abbrev=False)
    parser.add_argument("--output", type=Path, default=ROOT / "dist", help="where the folder is made (default: dist)")
    output: Path = parser.parse_args(arguments).output
    environment = Environment(ROOT / ".venv-test", ROOT / "tests" / "requirements.lock")
    environment.ensure()
    folder = build(environment, output.absolute())
    size_mib = sum(file.stat().st_size for file in folder.rglob("*") if not file.is_symlink()) / (1 << 20)
    say(f"{folder} is ready: {size_mib:.0f} MiB.")
    return 0


def build(environment: Environment, output: Path) -> Path:
    """Build into a folder of `output`; an older build is replaced when the new one is complete.

    Raises:
        SetupError: PyInstaller failed.
    """
    say("Building (about half a minute) ...")
    output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=output, prefix=".build-") as scratch:
        made = Path(scratch) / "made"
        finished = subprocess.run(
            [*_pyinstaller(environment), f"--distpath={made}", f"--workpath={scratch}/work", f"--specpath={scratch}"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )
        if finished.returncode:
            print(finished.stdout, file=sys.stderr)
            raise SetupError("PyInstaller failed; the reason stands above.")
        notices = [str(environment.python), "-I", str(Path(__file__).with_name("notices.py"))]
        subprocess.run(
            [*notices, f"{scratch}/work", str(made / NAME), _version()], stdin=subprocess.DEVNULL, check=True
        )
        folder = output / NAME
        if folder.exists():
            folder.rename(Path(scratch) / "old")
        shutil.move(made / NAME, folder)
    return folder


def _version() -> str:
    text = (PACKAGES / "app" / "__init__.py").read_text(encoding="utf-8")
    return text.partition('__version__ = "')[2].partition('"')[0]


def _pyinstaller(environment: Environment) -> list[str]:
    app = PACKAGES / "app"
    separator = ";" if sys.platform == "win32" else ":"
    migrations = [
        f"--add-data={file}{separator}{file.relative_to(PACKAGES).parent.as_posix()}"
        for file in sorted((app / "db" / "alembic").rglob("*.py"))
    ]
    return [
        str(environment.python),
        *("-I", "-m", "PyInstaller", str(app / "__main__.py")),
        *("--onedir", f"--name={NAME}", "--contents-directory=lib", "--noconfirm", "--clean", "--log-level=WARN"),
        *("--collect-submodules=app", "--collect-data=app", *migrations),
        *(f"--exclude-module={module}" for module in LEFT_OUT),
    ]


if __name__ == "__main__":
    run_script(main)
