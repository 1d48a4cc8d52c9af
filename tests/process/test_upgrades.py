"""Upgrades of what released versions left behind: nothing is lost, all works afterwards, on both databases."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Any

import pytest

from app.core.config import Config
from app.db.migrations import HEAD
from app.services.vault.rows import SecretName
from app.services.vault.standalone import standalone
from tests.support.databases import SqliteDatabase
from tests.support.events import EventStream, told
from tests.support.released import (
    KEY,
    MEMBERS,
    SECRETS,
    SUB_TASKS,
    TASKS,
    UPDATES,
    restore_sqlite,
    restored_postgresql,
    revisions,
)
from tests.support.sidecar import Sidecar, run_command

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.databases import Contents

OLD = [f"{revision}-{kind}" for revision in revisions() for kind in ("sqlite", "postgresql")]
NEVER_SHOWN = {"alembic_version"}


class Upgraded:
    """A database of a released version, and the sidecar that starts on it."""

    def __init__(self, revision: str, sidecar: Sidecar, contents: Contents, env: dict[str, str]) -> None:
        self.revision = revision
        self.sidecar = sidecar
        self.contents = contents
        self.env = env
        self.before = self.rows()
        """All rows by table, as the old version left them."""

    def rows(self, columns: dict[str, list[str]] | None = None) -> dict[str, tuple[list[str], list[str]]]:
        """Columns and rows of each table; only the given columns of the given tables, if any are."""
        found = {}
        for table in columns or self.contents.tables():
            names = columns[table] if columns else self._columns(table)
            quoted = ", ".join(f'"{name}"' for name in names)
            found[table] = (names, sorted(map(repr, self.contents.query(f'SELECT {quoted} FROM "{table}"'))))
        return found

    def _columns(self, table: str) -> list[str]:
        if isinstance(self.contents, SqliteDatabase):
            return [row[1] for row in self.contents.query(f"PRAGMA table_info({table})")]
        return [
            row[0]
            for row in self.contents.query(
                f"SELECT column_name FROM information_schema.columns WHERE table_name = '{table}' ORDER BY 1"
            )
        ]

    def get(self, path: str) -> Any:
        """Read something through the API."""
        answer = self.sidecar.request("GET", f"/api/v1/{path}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def command(self, *words: str) -> Any:
        """Run another command on the same database."""
        return run_command(*words, config_dir=self.sidecar.config_dir, env=self.env)


@contextlib.contextmanager
def restored(name: str, directory: Path, request: pytest.FixtureRequest) -> Iterator[Upgraded]:
    """Provide a database of a released revision; its sidecar has not started yet."""
    revision, kind = name.split("-")
    env = {"ENCRYPTION_KEY": KEY}
    config_dir = directory / "config"
    with contextlib.ExitStack() as stack:
        contents: Contents
        if kind == "sqlite":
            restore_sqlite(revision, config_dir / "data" / "taskflow.db")
            contents = SqliteDatabase(config_dir / "data")
        else:
            database = stack.enter_context(restored_postgresql(revision, request.getfixturevalue("postgres")))
            env["TASKFLOW_DATABASE_URL"] = database.url
            contents = database
        sidecar = Sidecar(config_dir=config_dir, env=env)
        stack.callback(sidecar.close)
        yield Upgraded(revision, sidecar, contents, env)


@pytest.fixture(scope="module", params=OLD)
def upgraded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Upgraded]:
    """A database of each released revision on which a sidecar of today runs; each test leaves it as it was."""
    with restored(request.param, tmp_path_factory.mktemp("old"), request) as old:
        old.sidecar.start()
        old.sidecar.wait_healthy()
        yield old


def test_every_released_revision_is_kept() -> None:
    """The file of the newest one is made when it is released; until then one may be missing."""
    assert revisions() == [f"{number:04}" for number in range(1, len(revisions()) + 1)]
    assert int(HEAD) - int(revisions()[-1]) <= 1


def test_no_row_is_lost_or_changed(upgraded: Upgraded) -> None:
    """Column by column, what was there is there; `sidecar status` tells the new revision."""
    columns = {table: names for table, (names, _) in upgraded.before.items() if table not in NEVER_SHOWN}

    after = upgraded.rows(columns)

    assert upgraded.sidecar.status()["database"]["revision"] == HEAD
    for table in columns:
        assert set(upgraded.before[table][1]) <= set(after[table][1]), table


def test_members_are_as_they_were(upgraded: Upgraded) -> None:
    """In order, with their ids, and they can be worked with."""
    members = upgraded.get("members")

    assert [{name: member[name] for name in MEMBERS[0]} for member in members] == sorted(
        MEMBERS, key=lambda member: str(member["name"]).casefold()
    )
    with EventStream(upgraded.sidecar) as stream:
        path = f"/api/v1/members/{members[0]['id']}"
        assert upgraded.sidecar.request("PATCH", path, json={"name": "Ada King"}).status_code == 200
        stream.wait_for(told("member", members[0]["id"], "updated"))
        assert upgraded.sidecar.request("PATCH", path, json={"name": MEMBERS[0]["name"]}).status_code == 200
    body = {"title": "New", "status": "To Do", "priority": "Low", "assignee_id": members[2]["id"]}
    created = upgraded.sidecar.request("POST", "/api/v1/tasks", json=body)
    assert (created.status_code, created.json()["assignee_name"]) == (201, members[2]["name"])
    assert upgraded.sidecar.request("DELETE", f"/api/v1/tasks/{created.json()['id']}").status_code == 204
    taken = {"name": "Copy", "email": "AEGIR@example.COM"}
    assert upgraded.sidecar.request("POST", "/api/v1/members", json=taken).status_code == 409


def test_secrets_still_open(upgraded: Upgraded) -> None:
    """With the key they were stored under; the audit log is intact. What is older than the vault gets one."""
    assert upgraded.get("status")["vault"]["state"] == "unlocked"
    verified = upgraded.command("vault", "verify")
    audited = upgraded.command("audit", "verify")

    assert verified.returncode == audited.returncode == 0, verified.stdout + audited.stdout
    assert verified.stdout == f"{0 if upgraded.revision < '0002' else len(SECRETS)} secrets open, 0 do not.\n"
    config = Config.from_environ(
        {**os.environ, **upgraded.env, "TASKFLOW_CONFIG_DIR": str(upgraded.sidecar.config_dir)}
    )
    with standalone(config) as services:
        found = {name: services.vault.use(SecretName("system", "default", name), actor="test") for name in SECRETS}
    assert found == (SECRETS if upgraded.revision >= "0002" else dict.fromkeys(SECRETS))


def test_work_is_as_it_was(upgraded: Upgraded) -> None:
    """Tasks with all that belongs to them, found by search, and changeable."""
    tasks = upgraded.get("tasks?sort=created")
    if upgraded.revision < "0004":
        assert tasks == []
        return

    assert [task["title"] for task in tasks] == [task["title"] for task in reversed(TASKS)]
    for listed, made in zip(reversed(tasks), TASKS, strict=True):
        task = upgraded.get(f"tasks/{listed['id']}")
        assert {name: task[name] for name in made} == made
        assert task["assignee_name"] == MEMBERS[0]["name"]
        assert [step["title"] for step in task["sub_tasks"]] == list(SUB_TASKS)
        assert [update["content"] for update in task["daily_updates"]] == list(reversed(UPDATES))
        assert {update["author_name"] for update in task["daily_updates"]} == {MEMBERS[2]["name"]}
        assert task["latest_update"]["content"] == UPDATES[-1]
        assert (task["blocked_since"] is None) is (task["status"] != "Blocked")
        if upgraded.revision < "0006" and task["status"] == "Blocked":
            assert task["blocked_since"] == task["updated_at"]
    counts = upgraded.get("tasks/counts")
    assert (counts["total"], counts["unassigned"], counts["status"]["Blocked"]) == (len(TASKS), 0, 1)
    assert [member["open_tasks"] for member in upgraded.get("members")] == [2, 0, 0]
    assert len(upgraded.get("updates")) == len(TASKS) * len(UPDATES)
    assert [task["title"] for task in upgraded.get("tasks?search=GRÖSSE")] == [TASKS[0]["title"]]
    path = f"/api/v1/tasks/{tasks[0]['id']}"
    assert upgraded.sidecar.request("PATCH", path, json={"title": "Umbenannt"}).status_code == 200
    assert [task["id"] for task in upgraded.get("tasks?search=benannt")] == [tasks[0]["id"]]
    assert upgraded.get("tasks?search=done%20with") == []


def test_second_start_finds_nothing_to_do(upgraded: Upgraded) -> None:
    """And the same data."""
    columns = {
        table: names for table, (names, _) in upgraded.rows().items() if table not in ("audit_entries", "changes")
    }
    first = upgraded.rows(columns)
    upgraded.sidecar.stop()
    upgraded.sidecar.start()
    upgraded.sidecar.wait_healthy()

    assert upgraded.rows(columns) == first


@pytest.mark.parametrize("name", [name for name in OLD if not name.startswith(HEAD)])
def test_upgrade_by_hand_leads_to_the_same(name: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """`migrations upgrade` beside a stopped sidecar; on PostgreSQL also the SQL that an administrator runs."""
    with restored(name, tmp_path, request) as old:
        if isinstance(old.contents, SqliteDatabase):
            upgraded = old.command("migrations", "upgrade")
            assert upgraded.stdout == f"The schema is at {HEAD}.\n", upgraded.stderr
        else:
            printed = old.command("migrations", "sql")
            assert printed.returncode == 0, printed.stderr
            old.contents.execute(printed.stdout)

        assert old.command("migrations", "current").stdout == f"current: {HEAD}\nhead: {HEAD}\n"
        columns = {table: names for table, (names, _) in old.before.items() if table not in NEVER_SHOWN}
        assert old.rows(columns) == {table: old.before[table] for table in columns}
