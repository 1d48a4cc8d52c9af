"""`taskflow-sidecar vault import-json` as people run it, on both databases, beside a running and a stopped sidecar."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.support.canaries import find_canary, scan_files
from tests.support.sidecar import run_command

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from tests.conftest import SidecarFactory
    from tests.support.databases import Backend

KEYS = {"openai": "sk-proj-TAPIR5521-WOMBAT88", "google": "AQ.NARWHAL7-DUGONG8-KIWI99", "deepseek": "sk-short"}
STORED = "SELECT owner_kind, owner_id, name FROM secrets ORDER BY name"


def import_file(file: Path, config_dir: Path) -> subprocess.CompletedProcess[str]:
    """Run the command; whatever it prints holds no key."""
    result = run_command("vault", "import-json", str(file), config_dir=config_dir)
    for key in KEYS.values():
        assert find_canary(result.stdout + result.stderr, key) == []
    return result


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    """A global key file of another application."""
    file = tmp_path / "api_keys.json"
    file.write_text(json.dumps(KEYS))
    return file


def test_keys_are_taken_over_beside_a_running_sidecar(any_backend: Backend, key_file: Path) -> None:
    """They are the system's own, in the vault, under their providers' names; a second time replaces them."""
    for _ in range(2):
        result = import_file(key_file, any_backend.sidecar.config_dir)

        assert result.returncode == 0, result.stderr
        assert result.stdout.splitlines() == [
            "openai: set, ****AT88",
            "google: set, ****WI99",
            "deepseek: set, ****",
            "The file still holds the keys in plaintext: delete it.",
        ]
        assert any_backend.database.query(STORED) == [
            ("system", "default", name) for name in ("deepseek", "google", "openai")
        ]
    assert json.loads(key_file.read_text()) == KEYS


def test_no_key_is_left_in_plaintext(sidecar_factory: SidecarFactory, key_file: Path) -> None:
    """Beside a stopped sidecar as well: neither database nor logs hold one."""
    sidecar = sidecar_factory().wait_healthy()
    sidecar.stop()

    result = import_file(key_file, sidecar.config_dir)

    assert result.returncode == 0, result.stderr
    for key in KEYS.values():
        assert scan_files(sidecar.config_dir, key) == {}


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ('{"openai": "sk-proj-TAPIR5521-WOMBAT88", "opnai": "sk-2"}', "Entry 2 of the file names no known provider"),
        ('{"openai": "sk-proj-TAPIR5521-WOMBAT88", "google": 7}', "The key for google is no text."),
        ('{"openai": "sk-proj-TAPIR5521-WOMBAT88"', "The file is not a JSON object"),
    ],
)
def test_one_wrong_entry_imports_nothing(any_backend: Backend, tmp_path: Path, content: str, sentence: str) -> None:
    """A usage error of one sentence; the sound entries are not stored either."""
    file = tmp_path / "keys.json"
    file.write_text(content)

    result = import_file(file, any_backend.sidecar.config_dir)

    assert result.returncode == 2
    assert result.stderr.startswith(f"taskflow-sidecar: {sentence}")
    assert result.stderr.count("\n") == 1
    assert any_backend.database.query(STORED) == []
