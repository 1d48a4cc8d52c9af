"""The built program: what is in its package, the contract of its process, and a first day with it, without Python."""

from __future__ import annotations

import hashlib
import json
import socket
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.support.ai_providers import AIProviders
from tests.support.databases import fresh_database
from tests.support.network import LOOPBACK, free_port
from tests.support.sidecar import CHECKOUT, Sidecar, run_command
from tests.support.windows import RUN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.postgres import PostgresServer

MOST_PACKED, MOST_UNPACKED = 30_000_000, 65_000_000
"""Bytes, with the interface; modules that lie unpacked start sooner."""
CONSOLE_PROGRAM = 3
"""IMAGE_SUBSYSTEM_WINDOWS_CUI."""


@pytest.fixture(scope="module")
def archive() -> Path:
    """The npm package, built as the README says."""
    command = [sys.executable, str(CHECKOUT / "scripts" / "build.py"), "--windows", "--npm", "--no-ui"]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=1000)
    assert finished.returncode == 0, finished.stderr
    [packed] = (CHECKOUT / "dist" / "windows").glob("taskflow-sidecar-win32-x64-*.tgz")
    return packed


@pytest.fixture(scope="module")
def folder(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package as it is installed, in a folder with a name to quote that nobody may write to."""
    place = tmp_path_factory.mktemp("installed") / "Über TaskFlow"
    place.mkdir()
    subprocess.run(["tar", "-xzf", str(archive), "-C", str(place)], check=True)
    found = place / "package" / "taskflow-sidecar"
    for path in (found, *found.rglob("*")):
        path.chmod(path.stat().st_mode & ~0o222)
    return found


@pytest.fixture(scope="module")
def program(folder: Path) -> Iterator[tuple[str, str]]:
    """The executable; after all tests the folder is as it was."""
    before = digests_of(folder)
    yield RUN[0], str(folder / "taskflow-sidecar.exe")
    assert digests_of(folder) == before


def digests_of(folder: Path) -> dict[str, str]:
    """The digest of every file but the list of them."""
    return {
        file.relative_to(folder).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in folder.rglob("*")
        if file.is_file() and file.name != "SHA256SUMS"
    }


def test_package_is_small_and_for_windows(archive: Path, folder: Path) -> None:
    """Its manifest, its size, the digest of every file, no program of Wine's, and what Windows reads in the program."""
    manifest = json.loads((folder.parent / "package.json").read_text(encoding="utf-8"))
    sums = (folder / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    program = (folder / "taskflow-sidecar.exe").read_bytes()

    assert (manifest["name"], manifest["os"], manifest["cpu"]) == ("@taskflow/sidecar-win32-x64", ["win32"], ["x64"])
    assert archive.stat().st_size < MOST_PACKED
    assert sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) < MOST_UNPACKED
    assert {name: value for value, _, name in (line.partition("  ") for line in sums)} == digests_of(folder)
    assert not list(folder.rglob("bcryptprimitives.dll"))
    for setting in (b"longPathAware", b"<activeCodePage", b'level="asInvoker"'):
        assert setting in program
    for text in ("ProductName", "TaskFlow sidecar", "taskflow-sidecar.exe"):
        assert text.encode("utf-16-le") in program


def test_program_is_a_console_program(folder: Path) -> None:
    """Not one with windows of its own: whoever starts it says whether there is a console's, and the bridge says no.

    https://learn.microsoft.com/windows/win32/debug/pe-format: the subsystem is 68 bytes into the optional header.
    """
    program = (folder / "taskflow-sidecar.exe").read_bytes()
    header = int.from_bytes(program[0x3C:0x40], "little")

    assert program[header : header + 4] == b"PE\0\0"
    assert int.from_bytes(program[header + 24 + 68 : header + 24 + 70], "little") == CONSOLE_PROGRAM


@pytest.mark.parametrize("how", ["usage", "port", "handshake", "key", "directory", "version"])
def test_contract_of_exit_statuses(program: tuple[str, str], tmp_path: Path, how: str) -> None:
    """As with any sidecar: the status, one sentence, and the event of who was promised events."""
    (tmp_path / "file").touch()
    with socket.create_server((LOOPBACK, 0)) as taken:
        cases: dict[str, tuple[dict[str, Any], int, str | None]] = {
            "usage": ({"args": ["--no-such-flag"]}, 2, None),
            "port": ({"port": taken.getsockname()[1]}, 3, "port-in-use"),
            "handshake": ({"handshake": b"[]\n"}, 5, "handshake-invalid"),
            "key": ({"encryption_key": "hunter2hunter2"}, 6, "encryption-key-invalid"),
            "directory": ({"config_dir": tmp_path / "file"}, 7, "config-directory-unusable"),
            "version": ({"handshake": b'{"protocol":2,"token":"' + b"a" * 32 + b'"}\n'}, 5, "handshake-invalid"),
        }
        options, status, code = cases[how]
        with Sidecar(stdio=True, program=program, **options) as sidecar:
            assert sidecar.wait_for_exit() == status
            assert sidecar.events == ([{"event": "exit", "code": code}] if code else [])
            assert "Traceback" not in sidecar.stderr_text()
            assert sidecar.stderr_text().strip()


def test_first_day(program: tuple[str, str], postgres: PostgresServer, tmp_path: Path) -> None:
    """Settings saved, a restart, keys, a call through the gateway, a rotation, made-up work, a bundle for support."""
    config = tmp_path / "Einstellungen für Zoë"
    bundle = tmp_path / "bundle.zip"
    with fresh_database(postgres) as database, AIProviders() as providers:
        env = {**providers.environment(), "TASKFLOW_EMBEDDED": "0"}
        key = providers.openai.new_key()
        with Sidecar(program=program, config_dir=config, env=env, stdio=True) as sidecar:
            sidecar.wait_for_state("setup_required")
            sidecar.save_connection(database.fields())
            sidecar.wait_healthy()
            stored = sidecar.request("PUT", "/api/v1/settings/ai-keys", json={"openai": key})
            assert stored.status_code == 200, stored.text
            sidecar.close_stdin()
            assert sidecar.wait_for_exit() == 0

            sidecar.start().wait_healthy()
            asked = called(sidecar)
            second = run_command("serve", "--port", str(free_port()), config_dir=config, program=program)
            rotated = sidecar.request("POST", "/api/v1/settings/rotate-key")
            asked_again = called(sidecar)
            made_up = run_command("demo", config_dir=config, env=env, program=program)
            members = sidecar.request("GET", "/api/v1/members").json()
            verified = run_command("vault", "verify", config_dir=config, env=env, program=program)
            doctor = run_command("doctor", "--bundle", str(bundle), config_dir=config, env=env, program=program)
            page = sidecar.request("GET", "/")
            sidecar.stop()

        assert (asked.status_code, asked_again.status_code, rotated.status_code) == (200, 200, 200)
        assert [request.api_key for request in providers.openai.requests][-2:] == [key, key]
        assert second.returncode == 4, second.stderr
        assert made_up.returncode == 0, made_up.stderr
        assert len(members) > 3
        assert verified.stdout == "1 secrets open, 0 do not.\n", verified.stderr
        assert "Support archive written" in doctor.stderr, doctor.stderr
        assert "<html" in page.text
        with zipfile.ZipFile(bundle) as zipped:
            content = b"".join(zipped.read(name) for name in zipped.namelist())
        assert content
        assert key.encode() not in content
        assert database.password.encode() not in content


def called(sidecar: Sidecar) -> httpx.Response:
    """What the provider answers through the gateway."""
    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello"}]}
    return sidecar.request("POST", "/ai-gateway/system/default/openai/v1/chat/completions", json=body)


def test_port_is_announced_on_loopback_only(program: tuple[str, str]) -> None:
    """A child without a window, of a launcher that reads its events; it ends with its standard input."""
    with Sidecar(program=program, stdio=True) as sidecar:
        assert sidecar.wait_for_event("listening")["host"] == LOOPBACK
        sidecar.wait_healthy()
        sidecar.close_stdin()
        assert sidecar.wait_for_exit() == 0
        assert sidecar.events[-1] == {"event": "exit", "code": "stopped"}
