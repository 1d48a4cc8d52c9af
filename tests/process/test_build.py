"""The folder that an Electron app ships works without the checkout, its environment, or any Python."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support import processes
from tests.support.sidecar import CHECKOUT, Sidecar, run_command

if TYPE_CHECKING:
    from tests.support.databases import Database

LEFT_OUT = {
    *("colorama", "faker", "litestar-htmx", "markdown-it-py", "mdurl", "polyfactory", "pycparser", "pygments"),
    *("rich-click", "tzdata"),
}
"""Locked for the sake of another system, of building, or of packages that could use them."""
NOWHERE = {"PYTHONPATH": "", "PATH": "/nonexistent"}
"""No Python, no package and no program of the machine can help."""


@pytest.fixture
def database(empty_database: Database) -> Database:
    """What is tested here finds a database empty."""
    return empty_database


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> tuple[str]:
    """The executable, built and packed as the README says, out of the package and in a place with a name to quote."""
    # In the default place, where the tests of the bridge find it.
    command = [sys.executable, str(CHECKOUT / "scripts" / "build.py"), "--npm", "--no-ui"]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=590)
    assert finished.returncode == 0, finished.stderr
    assert not list((CHECKOUT / "dist").glob(".build-*")), "something was left behind"
    place = tmp_path_factory.mktemp("installed") / "Über TaskFlow"
    place.mkdir()
    subprocess.run(["tar", "-xzf", str(archive()), "-C", str(place)], check=True)
    return (str(place / "package" / "taskflow-sidecar" / "taskflow-sidecar"),)


def archive() -> Path:
    """Return the npm package that the build made."""
    [packed] = (CHECKOUT / "dist").glob("taskflow-sidecar-*.tgz")
    return packed


def test_serves_on_the_embedded_database(program: tuple[str]) -> None:
    """It migrates an empty database, keeps what it is given, and is one process that dies with its parent."""
    with Sidecar(program=program, env=NOWHERE, stdio=True, with_tables=False) as sidecar:
        sidecar.wait_healthy()
        created = sidecar.request("POST", "/api/v1/members", json={"name": "Ada", "email": "ada@team.example"})
        vault = sidecar.request("GET", "/api/v1/vault").json()
        document = sidecar.request("GET", "/schema").json()
        page = sidecar.request("GET", "/")
        relatives = processes.descendants(sidecar.pid)
        sidecar.close_stdin()
        assert sidecar.wait_for_exit() == 0

        sidecar.start().wait_healthy()
        members = sidecar.request("GET", "/api/v1/members").json()

    assert created.status_code == 201
    assert vault["state"] == "unlocked"
    assert document["openapi"].startswith("3.")
    assert "<html" in page.text
    assert relatives == []
    assert members == [{**created.json(), "open_tasks": 0, "last_update_at": None}]


def test_serves_on_postgresql(program: tuple[str], database: Database) -> None:
    """The database driver and its libraries are in the folder."""
    with Sidecar(program=program, env={**NOWHERE, "TASKFLOW_EMBEDDED": "0"}) as sidecar:
        sidecar.save_connection(database.fields())
        sidecar.wait_healthy()
        answer = sidecar.request("POST", "/api/v1/members", json={"name": "Ada", "email": "ada@team.example"})

    assert answer.status_code == 201


def test_commands(program: tuple[str], tmp_path: Path) -> None:
    """The command line is in it too."""
    with Sidecar(program=program, env=NOWHERE, config_dir=tmp_path) as sidecar:
        sidecar.wait_healthy()
        status = run_command("status", config_dir=tmp_path, env=NOWHERE, program=program)
    outcomes = {
        words: run_command(*words.split(), config_dir=tmp_path, env=NOWHERE, program=program)
        for words in ("--version", "doctor", "vault verify", "audit verify", "migrations sql", "openapi")
    }

    assert status.returncode == 0, status.stderr
    assert {words: outcome.returncode for words, outcome in outcomes.items()} == dict.fromkeys(outcomes, 0)
    assert json.loads(outcomes["openapi"].stdout)["openapi"].startswith("3.")
    assert "CREATE TABLE members" in outcomes["migrations sql"].stdout


def test_nothing_of_the_tests_is_shipped(program: tuple[str]) -> None:
    """What the environment holds for tests would only make the folder larger."""
    lib = Path(program[0]).parent / "lib"
    shipped = {entry.name.split("-")[0].split(".")[0].lower() for entry in lib.iterdir()}

    assert (
        shipped & {"pytest", "_pytest", "hypothesis", "pydantic", "pydantic_core", "faker", "mypy", "openai"} == set()
    )
    assert not list(lib.rglob("without-ui.html.*"))
    assert (lib / "app" / "web" / "without-ui.html").exists()


def test_the_package_is_one_for_this_system(program: tuple[str]) -> None:
    """It is installed only here, by no script, is small enough, holds no link, and names the digest of every file."""
    package = Path(program[0]).parent.parent
    manifest = json.loads((package / "package.json").read_text(encoding="utf-8"))
    bridge = json.loads((CHECKOUT / "electron-bridge" / "package.json").read_text(encoding="utf-8"))
    with tarfile.open(archive()) as packed:
        entries = packed.getmembers()
    sums = (package / "taskflow-sidecar" / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    digests = {name: value for value, _, name in (line.partition("  ") for line in sums)}

    assert manifest["name"] == f"@taskflow/sidecar-{manifest['os'][0]}-{manifest['cpu'][0]}"
    assert manifest["version"] == bridge["version"]
    assert {"scripts", "dependencies"} & manifest.keys() == set()
    assert all(entry.isfile() for entry in entries)
    assert archive().stat().st_size < 35_000_000
    assert sum(entry.size for entry in entries) < 90_000_000
    files = {
        file.relative_to(package / "taskflow-sidecar").as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in (package / "taskflow-sidecar").rglob("*")
        if file.is_file() and file.name != "SHA256SUMS"
    }
    assert digests == files


def test_tells_what_it_is_made_of(program: tuple[str]) -> None:
    """Every distribution it depends on and every shared library stand in the list, with their licences."""
    folder = Path(program[0]).parent
    listed = json.loads((folder / "sbom.cdx.json").read_text(encoding="utf-8"))["components"]
    notices = (folder / "THIRD_PARTY_NOTICES.txt").read_text(encoding="utf-8")

    libraries = {file.name for file in folder.rglob("*") if ".so" in file.name or file.suffix in {".dll", ".pyd"}}
    described = {entry["value"] for component in listed for entry in component["properties"]}
    purls = {component["purl"].split("@")[0].removeprefix("pkg:pypi/") for component in listed}
    locked = re.findall(
        r"^([\w.-]+)==", (CHECKOUT / "backend" / "requirements.lock").read_text(encoding="utf-8"), re.MULTILINE
    )
    required = {name.lower() for name in locked} - LEFT_OUT

    assert libraries - described == set()
    assert {"python", "pyinstaller"} | required <= {purl.removeprefix("pkg:generic/") for purl in purls}
    assert [each["name"] for each in listed if f"{each['name']} {each['version']} (" not in notices] == []
    assert all(component["licenses"][0]["license"]["name"] for component in listed)
    for text in ("GNU Lesser General Public License", "PYTHON SOFTWARE FOUNDATION LICENSE"):
        assert text in notices


def compare(one: Path, other: Path) -> tuple[int, list[str]]:
    """Return the exit status of `build.py --compare`, and its lines."""
    command = [sys.executable, str(CHECKOUT / "scripts" / "build.py"), "--compare", str(one), str(other)]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    assert finished.stderr == ""
    return finished.returncode, finished.stdout.splitlines()


def test_two_builds_are_compared_file_by_file(tmp_path: Path) -> None:
    """What one lacks, what differs and what may be run by it are told; the same file in both is not."""
    one, other = tmp_path / "one", tmp_path / "other"
    for folder, own in ((one, "1"), (other, "2")):
        (folder / "lib").mkdir(parents=True)
        for name, text in (("same", ""), (f"only-{own}", ""), ("lib/library", own), ("program", "")):
            (folder / name).write_text(text)
    (one / "program").chmod(0o755)

    assert compare(one, one) == (0, ["They are the same."])
    told = ["differs: lib/library", f"only in {one}: only-1", f"only in {other}: only-2", "differs: program"]
    assert compare(one, other) == (1, told)


@pytest.mark.long
def test_a_second_build_is_the_same(program: tuple[str], tmp_path: Path) -> None:
    """Whoever has the sources can find out whether a package was made of them."""
    again = tmp_path / "another place"
    command = [sys.executable, str(CHECKOUT / "scripts" / "build.py"), "--npm", "--no-ui", f"--output={again}"]
    subprocess.run(command, check=True, capture_output=True)
    [archive_again] = again.glob("*.tgz")

    assert compare(CHECKOUT / "dist" / "taskflow-sidecar", again / "taskflow-sidecar") == (0, ["They are the same."])
    assert archive_again.read_bytes() == archive().read_bytes()
