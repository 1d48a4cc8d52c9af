"""Running servers that refuse to run as root."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

SERVER_ACCOUNTS = ("postgres", "nobody")
"""Tried in this order when the tests run as root."""


@dataclass(frozen=True, slots=True)
class ServerAccount:
    """The system account that servers run under: another one for root, the tests' own for everybody else."""

    name: str | None
    """None for the tests' own account."""
    uid: int
    gid: int

    @classmethod
    def choose(cls) -> ServerAccount:
        """Choose the account.

        Raises:
            LookupError: the tests run as root and the system has no account to run servers under.
        """
        if not hasattr(os, "geteuid") or os.geteuid() != 0:
            return cls(name=None, uid=-1, gid=-1)
        import pwd

        for name in SERVER_ACCOUNTS:
            try:
                entry = pwd.getpwnam(name)
            except KeyError:
                continue
            return cls(name=name, uid=entry.pw_uid, gid=entry.pw_gid)
        raise LookupError(f"PostgreSQL does not run as root, and none of these accounts exists: {SERVER_ACCOUNTS}")

    def process_options(self) -> dict[str, Any]:
        """Arguments for `subprocess` that start a program under this account, in a session of its own.

        Its own session, so that Ctrl-C in a terminal reaches the tests, and the tests stop the server.
        """
        options: dict[str, Any] = {"stdin": subprocess.DEVNULL, "start_new_session": True, "env": server_environment()}
        if self.name is not None:
            options |= {"user": self.uid, "group": self.gid, "extra_groups": []}
        return options

    def give(self, path: Path) -> Path:
        """Make the account own a file or directory; return it."""
        if self.name is not None:
            os.chown(path, self.uid, self.gid)
        return path

    def write(self, path: Path, content: str | bytes, *, mode: int = 0o600) -> Path:
        """Write a file that the account owns; return its path."""
        path.touch(mode=mode)
        path.chmod(mode)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return self.give(path)

    @contextmanager
    def directory(self, prefix: str) -> Iterator[Path]:
        """Provide a temporary directory that the account owns and nobody else enters.

        Its path is short, as Unix sockets need it, and not below pytest's own, which root keeps to itself.
        """
        with tempfile.TemporaryDirectory(prefix=prefix) as name:
            yield self.give(Path(name))

    def reachable(self, programs: Path, spare: Path) -> Path:
        """Return a directory of programs that the account can run.

        That is `programs` itself unless it lies in somebody's private home; then the installation is copied below
        `spare`, together with the libraries that a wheel keeps beside its package and finds by relative paths.
        """
        try:
            subprocess.run(
                [programs / "postgres", "--version"],
                check=True,
                capture_output=True,
                cwd=spare,
                **self.process_options(),
            )
        except PermissionError:
            installation, package = programs.parent, programs.parents[1]
            libraries = package.with_name(f"{package.name}.libs")
            if libraries.is_dir():
                shutil.copytree(libraries, spare / libraries.name)
            copy = shutil.copytree(installation, spare / package.name / installation.name, symlinks=True)
            return copy / programs.name
        return programs


def server_environment() -> dict[str, str]:
    """A server's whole environment: nothing of the tests' own settings for PostgreSQL, messages in English."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}
