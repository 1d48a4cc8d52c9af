"""Upgrades of what released versions left behind: nothing is lost, all works afterwards, on both databases."""

from __future__ import annotations

import contextlib
import os
import signal
from typing import TYPE_CHECKING, Any

import pytest

from app.commands.opened import opened_vault
from app.core.config import PROVIDER_NAMES, Config
from app.core.security import load_or_create_keys
from app.db.migrations import HEAD
from app.schemas.vault import VaultVerification
from app.services.migrations import upgrade
from app.services.vault.check import Tally, look
from app.services.vault.rows import SecretName
from tests.support import children
from tests.support.databases import SqliteDatabase
from tests.support.events import EventStream, told
from tests.support.released import (
    BY_OWNER,
    CAMERA,
    HEADER,
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
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.databases import Contents

OLD = [f"{revision}-{kind}" for revision in revisions() for kind in ("sqlite", "postgresql")]
NEVER_SHOWN = {"alembic_version"}
SEALED_ANEW = {
    "secrets": ("ciphertext", "kid"),
    "vaults": ("epoch",),
    "vault_manifest": (),
    "vault_keys": (),
    "vault_wraps": (),
    "vault_rotations": (),
}
"""What an upgrade changes by sealing all secrets anew: these columns, or all of them."""

NO_PROVIDERS = {f"{name.upper()}_BASE_URL": "http://127.0.0.1:9" for name in PROVIDER_NAMES}
"""The keys are pinned to the providers' own addresses: none of them is looked up to check what is long due."""

KILLED = -signal.SIGKILL
MIN_COMMITS, MAX_COMMITS = 7, 20
"""Schema, manifest, staged, active, a batch, drained, done; and what desktops note about themselves."""


class Upgraded:
    """A database of a released version, and the sidecar that starts on it."""

    def __init__(self, revision: str, sidecar: Sidecar, contents: Contents, env: dict[str, str]) -> None:
        self.revision = revision
        self.sidecar = sidecar
        self.contents = contents
        self.env = env
        self.before = self.rows()
        """All rows by table, as the old version left them."""

    def rows(self, columns: dict[str, list[str]] | None = None) -> dict[str, tuple[list[str], list[tuple[Any, ...]]]]:
        """Columns and rows of each table; only the given columns of the given tables, if any are."""
        found = {}
        for table in columns or self.contents.tables():
            names = columns[table] if columns else self._columns(table)
            quoted = ", ".join(f'"{name}"' for name in names)
            found[table] = (names, sorted(self.contents.query(f'SELECT {quoted} FROM "{table}"'), key=repr))
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

    def before_of(self, table: str, names: list[str]) -> list[str]:
        """Rows as the old version left them, only those columns."""
        all_names, rows = self.before[table]
        places = [all_names.index(name) for name in names]
        return [repr(tuple(row[place] for place in places)) for row in rows]

    def config(self) -> Config:
        """The configuration of the sidecar."""
        return Config.from_environ({**os.environ, **self.env, "TASKFLOW_CONFIG_DIR": str(self.sidecar.config_dir)})

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
    env = {"ENCRYPTION_KEY": KEY, **NO_PROVIDERS}
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
    columns = {
        table: [name for name in names if name not in SEALED_ANEW.get(table, ())]
        for table, (names, _) in upgraded.before.items()
        if table not in NEVER_SHOWN and SEALED_ANEW.get(table) != ()
    }

    after = upgraded.rows(columns)

    assert upgraded.sidecar.status()["database"]["revision"] == HEAD
    for table, names in columns.items():
        before = upgraded.before_of(table, names)
        assert set(before) <= set(map(repr, after[table][1])), table


def test_secrets_are_sealed_anew(upgraded: Upgraded) -> None:
    """By itself: bound to their destinations, under a new key; the old one is gone."""
    query = "SELECT count(*) FROM {}"
    wait_until(
        lambda: upgraded.contents.query(query.format("secrets WHERE ciphertext NOT LIKE 'vf2.%'")) == [(0,)],
        timeout_s=60,
        what="the secrets to be sealed anew",
    )
    wait_until(
        lambda: upgraded.contents.query(query.format("vault_keys WHERE format <> 'vf2'")) == [(0,)],
        timeout_s=60,
        what="the old key to be gone",
    )


def test_every_owner_has_its_secret(upgraded: Upgraded) -> None:
    """What cameras, alert rules, chat servers, tenants and users had opens for them, and for nobody else."""
    if upgraded.revision < "0007":
        return
    revealed = upgraded.sidecar.request("POST", "/api/v1/servers/guild/api-key/reveal").json()

    assert revealed == {"api_key": BY_OWNER["server", "guild"]}
    camera, rule = upgraded.get("cameras")[0], upgraded.get("alert-rules")[0]["actions"]["webhook"]
    assert (camera["status"], camera["expires_at"]) == ("unknown", "2099-01-31T00:00:00.000000Z")
    assert (rule["status"], rule["headers"]) == ("unknown", {"X-Token": "****cdef"})
    with opened_vault(upgraded.config()) as services:
        infos = services.vault.infos()
        opened = {
            (info.owner_kind, info.owner_id): services.vault.use(
                SecretName(info.owner_kind, info.owner_id, info.name), actor="test"
            )
            for info in infos
            if info.owner_kind != "system"
        }
    values = {("camera", camera["id"]): CAMERA["password"]}
    values |= {(kind, owner): value for kind, owner, value in rules_of(upgraded)}
    assert opened == {**BY_OWNER, **values}


def rules_of(upgraded: Upgraded) -> list[tuple[str, str, str]]:
    """Owners and values of the headers of alert rules."""
    return [("alert_rule", rule["id"], HEADER) for rule in upgraded.get("alert-rules")]


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
    count = 0 if upgraded.revision < "0002" else len(SECRETS) + (5 if upgraded.revision >= "0007" else 0)
    with opened_vault(upgraded.config()) as services:
        assert services.vault.verified() == VaultVerification(ok=True, checked=count, findings=[])
        assert services.audit.verify().ok
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


@pytest.mark.parametrize(
    "upgraded", [name for name in OLD if name.startswith((revisions()[0], "0007", revisions()[-1]))], indirect=True
)
def test_second_start_finds_nothing_to_do(upgraded: Upgraded) -> None:
    """And the same data: what had no vault at the first start, what had one without a manifest, what had both."""
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

        assert old.contents.query("SELECT version_num FROM alembic_version") == [(HEAD,)]
        columns = {table: names for table, (names, _) in old.before.items() if table not in NEVER_SHOWN}
        assert old.rows(columns) == {table: old.before[table] for table in columns}


def go_on(config: Config, kill_at: int = 0) -> int:
    """Upgrade a database in a forked child, as far as it comes: schema, manifest, all secrets sealed anew.

    Returns:
        The child's exit status.
    """

    def work() -> None:
        children.kill_at_commit(kill_at)
        upgrade(config)
        with opened_vault(config) as services:
            if services.rotations.is_due():
                services.rotations.start(actor="system")
            services.rotations.work()

    return children.wait(children.start(work))


@pytest.mark.parametrize("name", ["0007-sqlite", "0007-postgresql"])
def test_upgrade_killed_at_every_commit_goes_on(name: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """Schema, manifest, new key, secrets sealed anew: killed before and after each commit, nothing is ever lost."""
    with restored(name, tmp_path, request) as old:
        config = old.config()
        config.config_dir.mkdir(mode=0o700, exist_ok=True)
        load_or_create_keys(config.config_dir)
        count, kills = len(old.before["secrets"][1]), 0
        while (before := go_on(config, kill_at=1)) == KILLED:
            after = go_on(config, kill_at=2)
            found = look(config)
            kills += 2

            assert after == KILLED
            assert found is None or found.tallies["secrets.ciphertext"] == Tally(opened=count), kills
            assert kills <= 2 * MAX_COMMITS

        assert (before, kills >= 2 * MIN_COMMITS) == (0, True), kills
        with opened_vault(config) as services:
            assert services.vault.verified() == VaultVerification(ok=True, checked=count, findings=[])
            assert services.audit.verify().ok
            assert not services.rotations.is_due()
            for (kind, owner), secret in BY_OWNER.items():
                assert services.vault.use(SecretName(kind, owner, "openai"), actor="test") == secret
        assert old.contents.query("SELECT count(*) FROM secrets WHERE ciphertext NOT LIKE 'vf2.%'") == [(0,)]
