"""Build what an Electron app ships: `scripts/build.py [--npm] [--windows] [--output FOLDER]`.

PyInstaller makes a folder `taskflow-sidecar` that needs no Python: the executable, and `lib/` beside it. One folder and
not one file, because a single file unpacks itself at every start: slow, suspicious to antivirus, and a process between
the desktop app and the sidecar. It runs on the kind of system that it was built on. The tests' environment is used.
The interface is in it, if Node.js is there to build that.

Beside the executable lie the licences of all that is in the folder, the list of it (`notices.py`), and the digest of
every file. With `--npm` the folder is packed as the npm package of this kind of system too (`_npm_package.py`).

With `--windows` it is built for Windows, by a Windows Python under Wine (`_windows.py`), into `windows/` below
the output. What was built from the same sources before, in the same folder, is left as it is. The same sources, Python
and packages give the same files anywhere; `--compare ONE OTHER` tells what differs between two builds, folders or
packages. `--plan SYSTEM` tells what would be made on another kind of system, such as `darwin-arm64`, and makes nothing.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from _bridge import has_bridge, offer_ui
from _compare import differences
from _environment import PACKAGES, ROOT, Environment, SetupError, digest, has_stamp, run_script, say
from _npm_package import SYSTEMS, archive_of, pack, system_name, write_digests
from _plan import Plan
from _windows import prepare
from _windows_program import NAME, write_resources

LEFT_OUT = (
    "IPython",
    "_pydecimal",
    "_pytest",
    "anyio._backends._trio",
    "faker",
    "hypothesis",
    "markdown_it",
    "mypy",
    "polyfactory",
    "pydantic",
    "pydoc_data",
    "pygments",
    "pytest",
    "rich.markdown",
    "setuptools",
    "sqlalchemy.dialects.mssql",
    "sqlalchemy.dialects.mysql",
    "sqlalchemy.dialects.oracle",
    "sqlalchemy.ext.asyncio",
    "tkinter",
    "tzdata",
)
"""What packages would use if it were there, and the sidecar does not need."""


_SETTINGS = {
    # What depends on neither the clock nor chance is the same in the next build.
    "PYTHONHASHSEED": "0",
    "SOURCE_DATE_EPOCH": "946684800",
    # Unpacking every module at every start takes a tenth of the time to the first data; npm's and installers' archives
    # are packed as a whole, and better.
    "PYINSTALLER_ZLIB_COMPRESSION_LEVEL": "0",
}
"""Variables of PyInstaller's."""


def main(arguments: list[str]) -> int:
    """Make the environment if need be, then the folder."""
    parser = argparse.ArgumentParser(description="Build what an Electron app ships.", allow_abbrev=False)
    parser.add_argument("--output", type=Path, default=ROOT / "dist", help="where the folder is made (default: dist)")
    parser.add_argument("--npm", action="store_true", help="pack the folder as an npm package too")
    parser.add_argument("--windows", action="store_true", help="build for Windows, with a Windows Python under Wine")
    parser.add_argument("--no-ui", action="store_true", help="take the interface as it is, and do not build it")
    parser.add_argument("--compare", type=Path, nargs=2, metavar="BUILD", help="compare two builds, and build nothing")
    parser.add_argument("--plan", choices=SYSTEMS, metavar="SYSTEM", help="tell what is made there, and build nothing")
    options = parser.parse_args(arguments)
    if options.compare:
        return compare(*options.compare)
    if options.plan:
        plan = Plan(options.plan, _version(), _pyinstaller(["python"], options.plan))
        print(json.dumps(plan.document(), indent=2))
        return 0
    output: Path = options.output.absolute()
    environment = Environment(ROOT / ".venv-test", ROOT / "tests" / "requirements.lock")
    environment.ensure()
    if has_bridge() and not options.no_ui:
        offer_ui(environment)
    with environment.exclusive():  # of two builds at once, the second finds what the first has made
        return _make(options, environment, output)


def _make(options: argparse.Namespace, environment: Environment, output: Path) -> int:
    """Build and pack what is not there, or out of date."""
    python, system = [str(environment.python)], system_name()
    if options.windows:
        python, system, output = prepare(is_to_build=True), "win32-x64", output / "windows"
    stamp, stamp_file = _stamp(environment, system), output / f".{NAME}.stamp"
    folder = output / NAME
    is_current = has_stamp(stamp_file, stamp) and folder.exists()
    if not is_current:
        stamp_file.unlink(missing_ok=True)
        folder = build(python, system, output)
        stamp_file.write_bytes(stamp)
    size_mib = sum(file.stat().st_size for file in folder.rglob("*")) / (1 << 20)
    say(f"{folder} is ready: {size_mib:.0f} MiB.")
    if options.npm:
        package = archive_of(output, system, _version())
        if not (is_current and package.exists()):
            pack(folder, package, system, _version())
        say(f"{package} is ready: {package.stat().st_size / (1 << 20):.0f} MiB.")
    return 0


def compare(first: Path, second: Path) -> int:
    """Print what differs between two builds; return 1 if anything does."""
    lines = differences(first, second)
    print(*(lines or ["They are the same."]), sep="\n")
    return 1 if lines else 0


def build(python: list[str], system: str, output: Path) -> Path:
    """Build into a folder of `output`; an older build is replaced when the new one is complete.

    Args:
        python: runs the interpreter that the folder is built with.
        system: what it is built for, as Node names it.
        output: where.

    Raises:
        SetupError: PyInstaller failed.
    """
    say("Building (about half a minute) ...")
    output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=output, prefix=".build-") as scratch:
        made = Path(scratch) / "made"
        resources = write_resources(Path(scratch), _version()) if system.startswith("win32") else []
        finished = subprocess.run(
            [
                *_pyinstaller(python, system),
                *resources,
                f"--distpath={made}",
                f"--workpath={scratch}/work",
                f"--specpath={scratch}",
            ],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, **_SETTINGS},
            text=True,
            errors="replace",
            check=False,
        )
        if finished.returncode:
            print(finished.stdout, file=sys.stderr)
            raise SetupError("PyInstaller failed; the reason stands above.")
        # Wine lacks this part of Windows, and is given another one of that name, which is for nobody else.
        (made / NAME / "lib" / "bcryptprimitives.dll").unlink(missing_ok=True)
        notices = [*python, "-I", str(Path(__file__).with_name("notices.py"))]
        subprocess.run(
            [*notices, f"{scratch}/work", str(made / NAME), _version()], stdin=subprocess.DEVNULL, check=True
        )
        _replace_links(made / NAME)
        if system.startswith("darwin"):
            _flatten_frameworks(made / NAME)
        _sort_library(made / NAME / "lib" / "base_library.zip")
        if system.startswith("linux"):
            _strip(made / NAME)
        write_digests(made / NAME)
        folder = output / NAME
        if folder.exists():
            folder.rename(Path(scratch) / "old")
        shutil.move(made / NAME, folder)
    return folder


def _replace_links(folder: Path) -> None:
    """Leave no symbolic link: npm drops them, and other packagers and updaters stumble over them."""
    for path, target in [(path, path.resolve()) for path in sorted(folder.rglob("*")) if path.is_symlink()]:
        path.unlink()
        # What a wheel brings in `NAME.libs` is found there by what needs it, and a folder of a macOS framework by its
        # own name; the link is a second way to the same.
        if target.is_file() and target.parent.suffix != ".libs":
            shutil.copy2(target, path)


def _flatten_frameworks(folder: Path) -> None:
    """Leave of a macOS framework the library that is loaded, which lies beside it.

    Without links, a framework is not one any more, and `codesign` refuses to sign such a folder.
    """
    for framework in sorted((folder / "lib").glob("*.framework")):
        if (framework.parent / framework.stem).is_file():
            shutil.rmtree(framework)


def _sort_library(library: Path) -> None:
    """Put what Python needs first in an order of its own: PyInstaller's is by chance, the contents are not."""
    with zipfile.ZipFile(library) as archive:
        modules = sorted((entry.filename, archive.read(entry)) for entry in archive.infolist())
    with zipfile.ZipFile(library, "w") as archive:
        for name, contents in modules:
            archive.writestr(zipfile.ZipInfo(name), contents)


def _strip(folder: Path) -> None:
    """Take debugging symbols away, which are a third of the folder; without `strip` they stay."""
    strip = shutil.which("strip")
    if strip is None:
        say("strip was not found (binutils): the folder stays larger than it need be.")
        return
    # Wheels' own libraries were rewritten after they were linked, and strip takes such files apart.
    libraries = [file for file in folder.rglob("*.so*") if file.parent.suffix != ".libs"]
    subprocess.run([strip, "--strip-unneeded", *map(str, libraries)], stdin=subprocess.DEVNULL, check=True)


def _stamp(environment: Environment, system: str) -> bytes:
    """Return what tells whether a build is of the present sources."""
    sources = sorted(
        file for file in (PACKAGES / "app").rglob("*") if file.is_file() and "__pycache__" not in file.parts
    )
    sources += sorted(Path(__file__).parent.glob("*.py"))
    parts = (part for file in sources for part in (file.relative_to(ROOT).as_posix(), file.read_bytes()))
    return digest(sys.version, system, environment.requirements.read_bytes(), *parts)


def _version() -> str:
    text = (PACKAGES / "app" / "__init__.py").read_text(encoding="utf-8")
    return text.partition('__version__ = "')[2].partition('"')[0]


def _pyinstaller(python: list[str], system: str) -> list[str]:
    app = PACKAGES / "app"
    separator = ";" if system.startswith("win32") else ":"
    migrations = [
        f"--add-data={file}{separator}{file.relative_to(PACKAGES).parent.as_posix()}"
        for file in sorted((app / "db" / "alembic").rglob("*.py"))
    ]
    return [
        *python,
        *("-I", "-m", "PyInstaller", str(app / "__main__.py")),
        *("--onedir", f"--name={NAME}", "--contents-directory=lib", "--noconfirm", "--clean", "--log-level=WARN"),
        "--optimize=1",
        *("--collect-submodules=app", "--collect-data=app", *migrations),
        *(f"--exclude-module={module}" for module in LEFT_OUT),
    ]


if __name__ == "__main__":
    run_script(main)
