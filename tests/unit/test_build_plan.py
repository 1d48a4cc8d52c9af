"""What is built on systems that are not here: its names, its package, its layout, what is signed of it."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

CHECKOUT = Path(__file__).parents[2]
BUILD = CHECKOUT / "scripts" / "build.py"
BRIDGE = CHECKOUT / "electron-bridge"


def plan(system: str) -> Any:
    """Return what `build.py --plan` prints."""
    command = [sys.executable, str(BUILD), "--plan", system]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


@pytest.mark.parametrize("processor", ["arm64", "x64"])
def test_on_macos(processor: str) -> None:
    """The package is for that processor alone, and all that its system loads is signed, without an exception."""
    planned = plan(f"darwin-{processor}")
    program = planned["command"]
    version = json.loads((BRIDGE / "package.json").read_text(encoding="utf-8"))["version"]

    assert planned["package"] == f"taskflow-sidecar-darwin-{processor}-{version}.tgz"
    assert (
        planned["package.json"].items()
        >= {
            "name": f"@taskflow/sidecar-darwin-{processor}",
            "version": version,
            "os": ["darwin"],
            "cpu": [processor],
        }.items()
    )
    assert "libc" not in planned["package.json"]
    assert {"--onedir", "--name=taskflow-sidecar", "--contents-directory=lib"} <= set(program)
    assert "backend/app/__main__.py" in program
    assert [word for word in program if word.startswith("--add-data")]
    assert all("/" not in word or ":" in word or word.startswith("backend/") for word in program), "nothing of here"
    assert planned["then"] == [
        "write licences and list",
        "replace links by files",
        "leave of Python.framework its library",
        "write digests",
    ]
    assert planned["signing"] == {
        "files": ["taskflow-sidecar", "lib/**/*.so", "lib/**/*.dylib", "lib/**/Python"],
        "hardened_runtime": True,
        "entitlements": {},
    }
    assert set(planned["layout"]) >= {"package.json", "LICENSE", "taskflow-sidecar/taskflow-sidecar"}
    assert {f"taskflow-sidecar/{name}" for name in planned["signing"]["files"]} <= set(planned["layout"])


def test_the_bridge_finds_and_the_template_packages_what_is_planned() -> None:
    """Names on both sides are the same, and the template signs and notarises."""
    listed = re.search(r"SYSTEMS = \[(.*)\]", (BRIDGE / "scripts" / "sidecars.mjs").read_text(encoding="utf-8"))
    refused = subprocess.run([sys.executable, str(BUILD), "--plan", "x"], capture_output=True, text=True, check=False)
    recipe = (BRIDGE / "create" / "template" / "electron-builder.yml").read_text(encoding="utf-8")

    assert listed is not None
    systems = set(re.findall(r"'([\w-]+)'", listed.group(1)))
    assert systems == set(re.findall(r"\b\w+-(?:x64|arm64)\b", refused.stderr))
    named = re.findall(r"from: node_modules/@taskflow/sidecar-(\w+)-\$\{arch\}/taskflow-sidecar", recipe)
    assert sorted(named) == sorted({system.split("-")[0] for system in systems})
    assert plan("win32-x64")["signing"]["files"] == ["taskflow-sidecar.exe", "lib/**/*.dll", "lib/**/*.pyd"]
    assert "signExts: [.exe, .dll, .pyd]" in recipe
    assert "hardenedRuntime: true" in recipe
    assert "notarize: true" in recipe
    assert "entitlements" not in recipe
    assert plan("linux-x64")["signing"] is None


@pytest.mark.skipif(sys.platform == "win32", reason="makes links, as only macOS has them in frameworks")
def test_of_a_framework_its_library_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is loaded is a file beside it; what is no copy of a library stays, as does every other folder."""
    monkeypatch.syspath_prepend(str(BUILD.parent))
    spec = importlib.util.spec_from_file_location("built_by_tests", BUILD)
    assert spec is not None
    assert spec.loader is not None
    build = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(build)
    lib = tmp_path / "lib"
    version = lib / "Python.framework" / "Versions" / "3.11"
    (version / "Resources").mkdir(parents=True)
    (version / "Python").write_text("library")
    (version.parent / "Current").symlink_to("3.11")
    (lib / "Python.framework" / "Python").symlink_to("Versions/Current/Python")
    (lib / "Python").symlink_to("Python.framework/Python")
    (lib / "Other.framework").mkdir()

    build._replace_links(tmp_path)
    build._flatten_frameworks(tmp_path)

    assert sorted(path.relative_to(lib).as_posix() for path in lib.rglob("*")) == ["Other.framework", "Python"]
    assert (lib / "Python").read_text() == "library"
