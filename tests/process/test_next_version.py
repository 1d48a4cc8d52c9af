"""This version and the next one, in turn on the same data, their programs swapped as an updater does."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import app
from app.db.migrations import HEAD
from tests.support.sidecar import Sidecar

if TYPE_CHECKING:
    from collections.abc import Iterator

NEXT = f"{int(HEAD) + 1:04}"
MIGRATION = f'''
import sqlalchemy as sa
from alembic import op

revision = "{NEXT}"
down_revision = "{HEAD}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what only the next version knows."""
    op.create_table("notes", sa.Column("id", sa.Text(), primary_key=True))
'''
KEY = "sk-server-0123456789abcdef"
SERVER = "/api/v1/servers/guild/config"


class Installed:
    """A program in its folder, and an updater that puts another version there."""

    def __init__(self, place: Path) -> None:
        self.folder = place / "program"
        self._others = {"next": place / "next", "this": place / "this"}
        shutil.copytree(Path(app.__file__).parent, self.folder / "app", ignore=shutil.ignore_patterns("ui"))
        shutil.copytree(self.folder, self._others["next"])
        changed = self._others["next"] / "app" / "db" / "migrations.py"
        code = changed.read_text(encoding="utf-8")
        changed.write_text(code.replace(f'HEAD: Final = "{HEAD}"', f'HEAD: Final = "{NEXT}"'), encoding="utf-8")
        (changed.parent / "alembic" / "versions" / f"{NEXT}_notes.py").write_text(MIGRATION, encoding="utf-8")
        self._present = "this"

    def swap(self) -> None:
        """Take the folder away, whoever runs in it, and put the other version in its place."""
        other = "next" if self._present == "this" else "this"
        self.folder.rename(self._others[self._present])
        self._others[other].rename(self.folder)
        self._present = other


@pytest.fixture(params=["sqlite", "postgresql"])
def sidecar(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Installed, Sidecar]]:
    """A sidecar of this version, installed in a folder, on each kind of database."""
    installed = Installed(tmp_path)
    env = {"PYTHONPATH": str(installed.folder)}
    with contextlib.ExitStack() as stack:
        if request.param == "postgresql":
            env["TASKFLOW_DATABASE_URL"] = request.getfixturevalue("database").url
        yield installed, stack.enter_context(Sidecar(stdio=True, env=env))


def test_next_version_and_back(sidecar: tuple[Installed, Sidecar]) -> None:
    """Swapped while it runs, it ends as asked; the next one goes on; the older one says so, and changes nothing."""
    installed, process = sidecar
    process.wait_healthy()
    add(process, "Ada")
    assert process.request("PUT", SERVER, json={"api_key": KEY}).status_code == 200

    installed.swap()
    assert revision_after_restart(process) == NEXT
    add(process, "Grace")
    assert contents(process) == (["Ada", "Grace"], KEY)

    installed.swap()
    process.close_stdin()
    assert process.wait_for_exit() == 0
    found = process.start().wait_for_problem("schema-newer")
    assert (found["retryable"], found["who"]) == (False, "you")
    assert process.health()[0] == 503

    installed.swap()
    assert revision_after_restart(process) == NEXT
    assert contents(process) == (["Ada", "Grace"], KEY)


def revision_after_restart(process: Sidecar) -> Any:
    """End it as the end of its parent does, start what is in its folder now, and return the schema's revision."""
    process.close_stdin()
    assert process.wait_for_exit() == 0
    return process.start().wait_healthy().status()["database"]["revision"]


def add(process: Sidecar, name: str) -> None:
    """Add a member."""
    answer = process.request("POST", "/api/v1/members", json={"name": name, "email": f"{name}@team.example"})
    assert answer.status_code == 201, answer.text


def contents(process: Sidecar) -> tuple[list[str], str]:
    """The members' names, and the secret that was stored at first."""
    members = process.request("GET", "/api/v1/members").json()
    revealed = process.request("POST", "/api/v1/servers/guild/api-key/reveal").json()
    return [member["name"] for member in members], revealed["api_key"]
