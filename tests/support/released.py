"""Databases as released versions left them: SQL text of each revision, in `tests/process/released`.

A new revision is added when a version with it is released, from a checkout of that version, whose own sidecar fills
them: `python -m tests.support.released` writes the files of its newest revision. They are never made anew.
"""

from __future__ import annotations

import contextlib
import json
import re
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tests.support.databases import Database, SqliteDatabase, fresh_database
from tests.support.postgres import PostgresServer
from tests.support.real_parts import bundled_postgres
from tests.support.sidecar import Sidecar, run_command

if TYPE_CHECKING:
    from collections.abc import Iterator

DIRECTORY: Final = Path(__file__).parents[1] / "process" / "released"
KEY: Final = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
"""`ENCRYPTION_KEY` of all of them: bytes 0 to 31."""
MEMBERS: Final = (
    {"name": "Ada Lovelace", "email": "ada@example.com", "active": True},
    {"name": "Ægir Þórsson", "email": "Aegir@Example.com", "active": True},
    {"name": "zoë o'brien; --", "email": "zoe@example.com", "active": False},
)
SECRETS: Final = {"openai": "sk-released-0123456789abcdef-OPENAI", "anthropic": "sk-ant-released-0123456789-ANTH"}
TASKS: Final = (
    {"title": "Replace the pump", "description": "Größe 40\n  'quoted'", "status": "In Progress", "priority": "High"},
    {
        "title": "Wait for parts",
        "status": "Blocked",
        "priority": "Low",
        "blocking_reason": "Carrier",
        "gear_id": "0042",
    },
    {"title": "Done with it", "status": "Done", "priority": "Medium"},
)
SUB_TASKS: Final = ("Drain", "Fit", "Test")
OWNERS: Final = (
    "INSERT INTO tenants (id, name, tier, trial_limit, created_at, updated_at)"
    " VALUES ('acme', 'Acme ''n'' Söhne', 'trial', 100, '2026-11-20T12:00:00.123456Z', '2026-11-20T12:00:00.123456Z')"
)
TENANT: Final = {"id": "acme", "name": "Acme 'n' Söhne", "tier": "trial", "trial_limit": 100}
"""The same, since revision 0008 through the product: the manifest has to know what a tenant may do."""
CAMERA: Final = {
    "name": "Door",
    "stream_url": "http://127.0.0.1:1/stream",
    "username": "admin",
    "password": "door-password-0123456789",
    "expires_at": "2099-01-31T00:00:00Z",
}
HEADER: Final = "header-0123456789abcdef"
WEBHOOK: Final = {
    "url": "https://hooks.example.com/x",
    "headers": {"X-Token": HEADER},
    "allow_private": True,
}
BY_OWNER: Final = {
    ("server", "guild"): "sk-server-0123456789abcdef",
    ("tenant", "acme"): "sk-tenant-0123456789abcdef",
    ("user", "ann"): "sk-user-0123456789abcdef",
}
"""Keys for OpenAI, since revision 0007."""
UPDATES: Final = ("Drained today.", "Fitted; 'torqued' — 180 bar")


# Making


def main() -> None:
    """Write the files of the newest revision of this checkout."""
    DIRECTORY.mkdir(exist_ok=True)
    with PostgresServer() as server, fresh_database(server) as database:
        for name, env in (("sqlite", {}), ("postgresql", {"TASKFLOW_DATABASE_URL": database.url})):
            with Sidecar(env={**env, "ENCRYPTION_KEY": KEY}, with_tables=False) as sidecar:
                revision = _fill(sidecar.wait_healthy(), env)
                contents = SqliteDatabase(sidecar.data_dir) if name == "sqlite" else database
                if "0003" <= revision < "0008":
                    contents.execute(OWNERS)  # which had tables then, and nobody yet who fills them
                sidecar.stop()
                text = _dump_sqlite(sidecar) if name == "sqlite" else _dump_postgresql(server, database)
            (DIRECTORY / f"{revision}.{name}.sql").write_text(text, encoding="utf-8")
            sys.stdout.write(f"{revision} {name}: {len(text)} characters\n")


def _fill(sidecar: Sidecar, env: dict[str, str]) -> str:
    """Use whatever this version has; return its revision."""
    members = [_post(sidecar, "members", {**member, "active": True}) for member in MEMBERS]
    revision = str(sidecar.status()["database"]["revision"])
    if revision >= "0002":
        file = sidecar.directory / "keys.json"
        file.write_text(json.dumps(SECRETS))
        done = run_command(
            *("vault", "import-json", str(file)), config_dir=sidecar.config_dir, env={**env, "ENCRYPTION_KEY": KEY}
        )
        assert done.returncode == 0, done.stderr
    if revision >= "0004":
        for task in TASKS:
            task_id = _post(sidecar, "tasks", {**task, "assignee_id": members[0]})
            for title in SUB_TASKS:
                _post(sidecar, f"tasks/{task_id}/subtasks", {"title": title})
            for content in UPDATES:
                _post(sidecar, f"tasks/{task_id}/updates", {"author_id": members[2], "content": content})
    if revision >= "0008":
        _post(sidecar, "tenants", TENANT)
    if revision >= "0007":
        _fill_owners(sidecar)
    for member_id, member in zip(members, MEMBERS, strict=True):
        sidecar.request("PATCH", f"/api/v1/members/{member_id}", json={"active": member["active"]})
    return revision


def _fill_owners(sidecar: Sidecar) -> None:
    """Let every kind of owner have a secret."""
    _post(sidecar, "cameras", CAMERA)
    _post(sidecar, "alert-rules", {"name": "Rule", "actions": {"webhook": WEBHOOK}})
    path = "/api/v1/servers/guild/config"
    assert sidecar.request("PUT", path, json={"api_key": BY_OWNER["server", "guild"]}).status_code == 200
    operations = [
        {"op": "set", "owner_kind": kind, "owner_id": owner, "name": "openai", "secret": secret}
        for (kind, owner), secret in BY_OWNER.items()
        if kind != "server"
    ]
    assert sidecar.request("POST", "/api/v1/vault/bulk", json={"operations": operations}).status_code == 200


def _post(sidecar: Sidecar, path: str, body: Any) -> str:
    answer = sidecar.request("POST", f"/api/v1/{path}", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def _dump_sqlite(sidecar: Sidecar) -> str:
    with contextlib.closing(sqlite3.connect(SqliteDatabase(sidecar.data_dir).file)) as connection:
        kinds = {row[1]: row[2] for row in connection.execute("PRAGMA table_list")}
        made = (
            "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY type = 'trigger', type = 'index', rowid"
        )
        lines = ["BEGIN;"]
        for name, sql in connection.execute(made):
            if kinds.get(name) != "shadow":  # made by the virtual table it belongs to
                lines.append(f"{sql};")
            if kinds.get(name) == "table":
                lines += _rows(connection, name)
            if "fts5(" in sql:
                lines.append(f"INSERT INTO {name} ({name}) VALUES ('rebuild');")
        return "\n".join([*lines, "COMMIT;", ""])


def _rows(connection: sqlite3.Connection, table: str) -> list[str]:
    columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
    quoted = ", ".join(f'quote("{column}")' for column in columns)
    return [
        f"INSERT INTO {table} VALUES ({', '.join(row)});" for row in connection.execute(f"SELECT {quoted} FROM {table}")
    ]


def _dump_postgresql(server: PostgresServer, database: Database) -> str:
    dumped = subprocess.run(
        [
            *(bundled_postgres() / "pg_dump", "--inserts", "--no-owner", "--no-privileges", "--no-comments"),
            *("--host", "127.0.0.1", "--port", str(server.port), "--username", database.username, database.name),
        ],
        env={"PGPASSWORD": database.password},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    # what only psql understands, what only new servers know, and what only people read
    left_out = re.compile(r"^(\\.*|--.*|SET transaction_timeout.*|)\n", re.MULTILINE)
    return left_out.sub("", dumped)


# Restoring


def revisions() -> list[str]:
    """All that there are files of, oldest first."""
    return sorted({path.name.split(".")[0] for path in DIRECTORY.glob("*.sql")})


def restore_sqlite(revision: str, file: Path) -> None:
    """Make the embedded database of that revision."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.closing(sqlite3.connect(file)) as connection:
        connection.executescript((DIRECTORY / f"{revision}.sqlite.sql").read_text(encoding="utf-8"))


@contextlib.contextmanager
def restored_postgresql(revision: str, server: PostgresServer) -> Iterator[Database]:
    """Provide a PostgreSQL database of that revision; its tables belong to the role that upgrades them."""
    with fresh_database(server) as database:
        database.execute(
            f"SET ROLE {database.username};\n" + (DIRECTORY / f"{revision}.postgresql.sql").read_text(encoding="utf-8")
        )
        yield database


if __name__ == "__main__":
    main()
