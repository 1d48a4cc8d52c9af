"""What the scripts share about the Electron bridge: Node.js, its packages, and the interface that lies in it."""

import os
import shutil
import subprocess

from _environment import PACKAGES, ROOT, Environment, SetupError, digest, has_stamp, run_in_foreground, say

BRIDGE = ROOT / "electron-bridge"
UI = PACKAGES / "app" / "web" / "ui"
"""Where the interface is built, and served from."""
OLDEST_NODE = 20
"""Major version of Node.js that the bridge is developed with; what it builds runs on older ones."""
FETCH_S = 300
"""What fetching Electron may take."""
_SOURCES = ("renderer/src", "src")
_SETTINGS = ("package-lock.json", "renderer/index.html", "renderer/vite.config.ts", "scripts/ui.mjs", "tsconfig.json")


def has_bridge() -> bool:
    """Tell whether this checkout has an Electron bridge."""
    return (BRIDGE / "package.json").exists()


def find_npm() -> tuple[str, str]:
    """Find npm and a Node.js that is new enough.

    Returns:
        The path of npm, and Node's version such as `v20.11.0`.

    Raises:
        SetupError: Node or npm is missing or too old.
    """
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        raise SetupError(f"Node.js {OLDEST_NODE} or newer, with npm, is needed and was not found on the PATH.")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout.strip()
    major = version.removeprefix("v").partition(".")[0]
    if not major.isdecimal() or int(major) < OLDEST_NODE:
        raise SetupError(f"Node.js {OLDEST_NODE} or newer is needed, and {node} is {version or 'of no known version'}.")
    return npm, version


def install_packages(environment: Environment, npm: str, node_version: str) -> None:
    """Install the bridge's packages unless they are there and up to date.

    Raises:
        SetupError: npm failed.
    """
    stamp = digest((BRIDGE / "package.json").read_bytes(), (BRIDGE / "package-lock.json").read_bytes(), node_version)
    with environment.exclusive():
        _run_npm_ci(npm, stamp)


def _run_npm_ci(npm: str, stamp: bytes) -> None:
    stamp_file = BRIDGE / "node_modules" / ".taskflow-stamp"
    if has_stamp(stamp_file, stamp):
        return
    say("Installing the Electron bridge's packages (npm ci) ...")
    status = run_in_foreground([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], folder=BRIDGE)
    if status:
        raise SetupError(f"npm ci failed with status {status}; the reason stands above.")
    # npm ci starts by removing the folder, and with it the stamp of an earlier run.
    stamp_file.parent.mkdir(exist_ok=True)
    stamp_file.write_bytes(stamp)


def offer_electron() -> None:
    """Fetch Electron's program, which npm leaves out, unless it is there or the variable of Electron names another one.

    Where that cannot be done, say in one sentence what is missing and how to get it.
    """
    package, node = BRIDGE / "node_modules" / "electron", shutil.which("node")
    if os.environ.get("ELECTRON_OVERRIDE_DIST_PATH") or not node or not (package / "install.js").exists():
        return
    where = package / "path.txt"
    if where.exists() and (package / "dist" / where.read_text(encoding="utf-8").strip()).exists():
        return
    say("Fetching Electron ...")
    try:
        fetched = subprocess.run(
            [node, "install.js"],
            cwd=package,
            stdin=subprocess.DEVNULL,
            timeout=FETCH_S,
            capture_output=True,
            check=False,
        ).returncode
    except subprocess.TimeoutExpired:
        fetched = 1
    if fetched:
        say(
            "Electron could not be fetched, so what is tested with it is left out: run node install.js in"
            f" {package.relative_to(ROOT)} where the network lets it, or name a folder that has it in"
            " ELECTRON_OVERRIDE_DIST_PATH."
        )


def build_ui(environment: Environment) -> None:
    """Build the interface unless it is there and made from the present sources.

    Raises:
        SetupError: it cannot be built, and what is there, if anything, is out of date.
    """
    # Beside npm's packages: the folder itself holds what is shipped, and nothing else.
    stamp, stamp_file = _ui_stamp(), BRIDGE / "node_modules" / ".taskflow-ui-stamp"
    if (UI / "index.html").exists() and has_stamp(stamp_file, stamp):
        return
    npm, node_version = find_npm()
    install_packages(environment, npm, node_version)
    say("Building the interface (npm run ui) ...")
    # stdout belongs to the command that follows
    finished = subprocess.run(
        [npm, "run", "--silent", "ui"], cwd=BRIDGE, capture_output=True, text=True, errors="replace", check=False
    )
    if finished.returncode:
        say(finished.stdout + finished.stderr)
        raise SetupError(f"npm run ui failed with status {finished.returncode}; the reason stands above.")
    stamp_file.write_bytes(stamp)


def offer_ui(environment: Environment) -> None:
    """Build the interface if need be; where that cannot be done, say why and go on without."""
    try:
        build_ui(environment)
    except (SetupError, OSError) as error:
        say(f"The interface is not built anew: {error}")


def _ui_stamp() -> bytes:
    folders = (BRIDGE / folder for folder in _SOURCES)
    files = sorted(file for folder in folders for file in folder.rglob("*") if file.is_file())
    files += [BRIDGE / name for name in _SETTINGS if (BRIDGE / name).exists()]
    return digest(*(part for file in files for part in (file.relative_to(BRIDGE).as_posix(), file.read_bytes())))
