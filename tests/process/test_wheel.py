"""What `uv tool install`, pipx and pip get: a wheel with the interface inside."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import venv
import zipfile
from typing import TYPE_CHECKING

import pytest

from tests.support.sidecar import CHECKOUT, Sidecar, run_command

if TYPE_CHECKING:
    from pathlib import Path

RUN = """
import sys
sys.path.insert(0, {folder!r})
import app.__main__
assert app.__file__.startswith({folder!r}), app.__file__
app.__main__.main()
"""
"""The sidecar out of an unpacked wheel, on the packages that are here."""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build it from the checkout, with the interface that was built there."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    finished = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    [built] = folder.glob("*.whl")
    return built


def expect_interface(sidecar: Sidecar) -> None:
    """The page is served, and every file that it names."""
    page = sidecar.request("GET", "/")
    assets = re.findall(r'(?:src|href)="\.?/?(assets/[^"]+)"', page.text)

    assert page.status_code == 200
    assert assets
    assert [sidecar.request("GET", f"/{asset}").status_code for asset in assets] == [200] * len(assets)


def test_the_wheel_serves_the_interface(wheel: Path, tmp_path: Path) -> None:
    """Interface and licence are in the wheel, and nothing has to be built where it is installed."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
        names = archive.namelist()

    with Sidecar(program=(sys.executable, "-c", RUN.format(folder=str(tmp_path)))) as sidecar:
        sidecar.wait_healthy()
        expect_interface(sidecar)

    assert [name for name in names if name.endswith("licenses/LICENSE")]
    assert [name for name in names if not name.startswith(("app/", "taskflow_sidecar-"))] == []


@pytest.mark.long
@pytest.mark.parametrize("tool", ["pip", "uv"])
def test_installs_into_an_empty_home(wheel: Path, tmp_path: Path, tool: str) -> None:
    """`uv tool install` and pip put a command there that starts, with the packages that the wheel asks for."""
    home, environment = tmp_path / "home", tmp_path / "environment"
    home.mkdir()
    venv.create(environment, with_pip=True)
    programs = environment / ("Scripts" if sys.platform == "win32" else "bin")
    wanted = {"pip": str(wheel), "uv": "uv"}[tool]
    subprocess.run([str(programs / "python"), "-m", "pip", "install", "--quiet", wanted], check=True)
    if tool == "uv":
        homes = {"HOME": str(home), "UV_CACHE_DIR": str(tmp_path / "cache"), "UV_PYTHON": sys.executable}
        installed = [str(programs / "uv"), "tool", "install", "--quiet", str(wheel)]
        subprocess.run(installed, env={**homes, **_network(), "PATH": ""}, check=True)
        programs = home / ".local" / "bin"
    program = (str(programs / "taskflow-sidecar"),)

    version = run_command("--version", config_dir=tmp_path / "config", program=program)
    with Sidecar(program=program, config_dir=tmp_path / "config") as sidecar:
        sidecar.wait_healthy()
        expect_interface(sidecar)

    assert version.returncode == 0


def _network() -> dict[str, str]:
    """Return the variables that say how this computer reaches the package index."""
    return {name: value for name, value in os.environ.items() if re.search("PROXY|CERT|INDEX", name, re.IGNORECASE)}
