"""Whoever can write the database puts junk into any column: every call goes on, what is damaged is marked.

One cell is one column of one table with one kind of junk in it. After each, the calls that meet the table are walked:
none fails, the other rows are as they were, and what was damaged can be replaced and deleted.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from typing import TYPE_CHECKING, Any, Final, cast

import psycopg2
import pytest
from sqlalchemy.dialects import postgresql

from app.db.base import metadata
from app.services.vault.manifest import DEPTH, ROOT, TOP, place_of
from tests.support.databases import SqliteDatabase
from tests.support.owners import ok
from tests.support.sidecar import run_command
from tests.support.tokens import token_for
from tests.support.waiting import wait_until
from tests.support.webhooks import WebhookReceiver

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpx
    import sqlalchemy as sa

    from tests.support.ai_providers import AIProviders
    from tests.support.databases import Backend, Database

TABLES: Final = (
    "secrets",
    "cameras",
    "alert_rules",
    "chat_servers",
    "tenants",
    "trial_calls",
    "ai_usage",
    "vault_owners",
    "vault_rotations",
    "vault_keys",
    "vault_wraps",
    "vaults",
    "vault_manifest",
    "vault_devices",
    "vault_device_wraps",
    "vault_successions",
    "vault_join_requests",
    "audit_entries",
)
TEAM: Final = ("vault_devices", "vault_device_wraps", "vault_successions", "vault_join_requests")
CODE: Final = "AAAA-AAAA-AAAA-AAAA-A"
TRIAL: Final = {"tier": "trial", "trial_limit": 1000}
OWNED: Final = ("secrets", "vault_owners", "cameras", "alert_rules", "chat_servers", "tenants")
MAY_LOCK: Final = ("vault_keys", "vault_wraps", "vaults", "vault_manifest", *TEAM)
"""Without these nothing opens: calls that need a secret answer 423 then, or 409."""
USER: Final = "user-of-poison"
KEY: Final = "sk-poisoned-0123456789abcdef"
ASKING: Final = "0123456789abcdef"
"""A device that asks to come in."""
GUARD: Final = "sk-untouched-0123456789abcdef"

SQLITE_JUNK: Final = {
    "word": "'oops'",
    "bytes": "x'ff00fe'",
    "not unicode": "CAST(x'ff41' AS TEXT)",
    "number": "9223372036854775807",
    "infinite": "9e999",
    "empty": "''",
    "late": "'294275-01-01 00:00:00+00'",
}
SQLITE_WORDS: Final = {
    "late": {"TEXT", "UUID", "INTEGER", "BIGINT", "BOOLEAN"},
    "infinite": {"TEXT", "UUID"},
}
"""Junk that is a word like any other in columns of these kinds."""
_POSTGRESQL: Final[Any] = postgresql.dialect()  # type: ignore[no-untyped-call]
POSTGRESQL_JUNK: Final[dict[str, dict[str, str | None]]] = {
    "TEXT": {"word": "'oops'", "empty": "''", "token": "'vf1.00000000.gAAAAA'", "signs": r"E'\x01\x1f | ; ] { \\'"},
    "INTEGER": {"highest": "2147483647", "lowest": "-2147483648", "zero": "0"},
    "BIGINT": {"highest": "9223372036854775807", "lowest": "-9223372036854775808"},
    "TIMESTAMP": {
        "late": "'294275-01-01'",
        "infinite": "'infinity'",
        "never": "'-infinity'",
        "early": "'4712-01-01 BC'",
        "first": "'0001-01-01 00:00:00+14'",
    },
    "UUID": {"other": "'ffffffff-ffff-ffff-ffff-ffffffffffff'"},
    "BOOLEAN": {"other": None},
}


class Victim:
    """A sidecar with one of everything, and somebody who writes into its database."""

    def __init__(self, backend: Backend, hook: WebhookReceiver, connection: Any) -> None:
        self.backend = backend
        self.sidecar = backend.sidecar
        self.hook = hook
        self._connection = connection
        self.camera = self._make("cameras", {"name": "A", "stream_url": "http://127.0.0.1:1/a", "password": "p4ssword"})
        other = {"name": "B", "stream_url": "http://127.0.0.1:1/b", "password": "p4ssword"}
        self.other_camera = self._make("cameras", other)
        webhook = {"url": hook.url(), "headers": {"X-Key": "header value"}, "allow_private": True}
        self.rule = self._make("alert-rules", {"name": "R", "actions": {"webhook": webhook}})
        self.other_rule = self._make("alert-rules", {"name": "S", "actions": {"webhook": webhook}})
        for server in ("first", "second"):
            ok(self.put(f"servers/{server}/config", {"api_key": KEY}))
        for tenant in ("acme", "other"):
            ok(self.post("tenants", {"id": tenant, "name": tenant, "tier": "trial"}), 201)
        self.bulk({"op": "set", "owner_kind": "user", "owner_id": USER, "name": "openai", "secret": KEY})
        self.bulk({"op": "set", "owner_kind": "tenant", "owner_id": "acme", "name": "anthropic", "secret": KEY})
        ok(self.put("settings/ai-keys", {"openai": KEY, "anthropic": GUARD}))
        ok(self.post("vault/rotate"), 202)
        wait_until(
            lambda: self.get("vault/rotation").json()["state"] == "done", timeout_s=30, what="the rotation to end"
        )
        ok(self.call("tenant", "acme", "openai"))

    def _make(self, path: str, body: object) -> str:
        return str(ok(self.post(path, body), 201)["id"])

    def get(self, path: str, **more: Any) -> httpx.Response:
        """Read."""
        return self.sidecar.request("GET", f"/api/v1/{path}", **more)

    def post(self, path: str, body: object = None) -> httpx.Response:
        """Add, or act."""
        return self.sidecar.request("POST", f"/api/v1/{path}", json=body)

    def put(self, path: str, body: object) -> httpx.Response:
        """Replace."""
        return self.sidecar.request("PUT", f"/api/v1/{path}", json=body)

    def delete(self, path: str) -> httpx.Response:
        """Delete."""
        return self.sidecar.request("DELETE", f"/api/v1/{path}")

    def bulk(self, *operations: dict[str, Any]) -> None:
        """Write secrets, which has to succeed."""
        ok(self.post("vault/bulk", {"operations": operations}))

    def call(self, kind: str, owner: str, provider: str) -> httpx.Response:
        """Use a key through the gateway."""
        if provider == "anthropic":
            return self.sidecar.request("GET", f"/ai-gateway/{kind}/{owner}/anthropic/v1/models")
        body = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "hello"}]}
        return self.sidecar.request("POST", f"/ai-gateway/{kind}/{owner}/{provider}/v1/chat/completions", json=body)

    def calls(self) -> dict[str, Callable[[], httpx.Response]]:
        """Every call that may meet a table of ours, by a name for the report."""
        as_user = token_for(USER)
        return {
            "vault": lambda: self.get("vault"),
            "vault verify": lambda: self.get("vault/verify"),
            "rotation": lambda: self.get("vault/rotation"),
            "devices": lambda: self.get("vault/devices"),
            "device asks": lambda: self.post("vault/devices"),
            "device is approved": lambda: self.post(f"vault/devices/{ASKING}/approve", {"code": CODE}),
            "audit": lambda: self.get("audit?limit=500"),
            "audit verify": lambda: self.get("audit/verify"),
            "status": lambda: self.get("status"),
            "cameras": lambda: self.get("cameras"),
            "camera": lambda: self.get(f"cameras/{self.camera}"),
            "camera test": lambda: self.post(f"cameras/{self.camera}/test"),
            "rules": lambda: self.get("alert-rules"),
            "rule": lambda: self.get(f"alert-rules/{self.rule}"),
            "trigger": lambda: self.post(f"alert-rules/{self.rule}/trigger", {"event": {}}),
            "servers": lambda: self.get("servers"),
            "server": lambda: self.get("servers/first/config"),
            "reveal": lambda: self.post("servers/first/api-key/reveal"),
            "tenants": lambda: self.get("tenants"),
            "tenant": lambda: self.get("tenants/acme"),
            "tenant key": lambda: self.get("tenants/acme/openai-key/status"),
            "system keys": lambda: self.get("settings/ai-keys"),
            "user keys": lambda: self.sidecar.request("GET", "/api/api-keys/status", token=as_user),
            "initial keys": lambda: self.sidecar.request("GET", "/api/api-keys/status-initial"),
            "usage": lambda: self.get("usage"),
            "call of the system": lambda: self.call("system", "default", "openai"),
            "call of a user": lambda: self.call("user", USER, "openai"),
            "call of a tenant": lambda: self.call("tenant", "acme", "openai"),
            "call of a server": lambda: self.call("server", "first", "openai"),
        }

    def repair(self, table: str, *, is_addressed: bool) -> None:
        """Replace what was damaged, use it, and delete it; what cannot be found by its name any more is made anew."""
        fresh = "sk-replaced-0123456789abcdef"
        if table in ("secrets", "vault_owners", "chat_servers"):
            body = {"api_key": fresh, "provider": "openai"}
            assert ok(self.put("servers/first/config", body))["api_key"]["status"] == "unknown"
            assert ok(self.post("servers/first/api-key/reveal")) == {"api_key": fresh}
            ok(self.delete("servers/first/config"), 204)
        elif table == "cameras" and is_addressed:
            url = f"cameras/{self.camera}"
            body = {"name": "C", "stream_url": "http://127.0.0.1:1/c", "password": fresh}
            assert ok(self.put(url, body))["status"] == "unknown"
            assert ok(self.post(f"{url}/test"))["ok"] is False
            ok(self.delete(url), 204)
        elif table == "alert_rules" and is_addressed:
            url = f"alert-rules/{self.rule}"
            webhook = {"url": self.hook.url(), "headers": {"X-Key": fresh}, "allow_private": True}
            rule = {"name": "T", "enabled": True, "actions": {"webhook": webhook}}
            assert ok(self.put(url, rule))["actions"]["webhook"]["status"] == "unknown"
            assert ok(self.post(f"{url}/trigger", {"event": {}}))["delivered"] is True
            ok(self.delete(url), 204)
        elif table == "tenants" and is_addressed:
            change = {"name": "n", "tier": "pro", "trial_limit": 5, "trial_tokens": 6}
            changed = self.sidecar.request("PATCH", "/api/v1/tenants/acme", json=change)
            assert ok(changed) == {"id": "acme", **change}
            ok(self.delete("tenants/acme"), 204)

    def revive(self, table: str) -> None:
        """Store anew what the last cell has deleted: rows that were merely put back are dead, whatever is in them."""
        if table in ("secrets", "vault_owners", "chat_servers"):
            ok(self.put("servers/first/config", {"api_key": KEY}))
        elif table == "cameras":
            body = {"name": "A", "stream_url": "http://127.0.0.1:1/a", "password": "p4ssword"}
            assert ok(self.put(f"cameras/{self.camera}", body))["status"] == "unknown"
        elif table == "alert_rules":
            webhook = {"url": self.hook.url(), "headers": {"X-Key": "header value"}, "allow_private": True}
            ok(self.put(f"alert-rules/{self.rule}", {"name": "R", "actions": {"webhook": webhook}}))
        elif table in ("tenants", "trial_calls"):
            ok(self.sidecar.request("PATCH", "/api/v1/tenants/acme", json=TRIAL))

    def ask(self) -> None:
        """Let a device ask to come in, if it does not; calls that say a wrong code have voided its request."""
        self.execute(
            "INSERT INTO vault_join_requests"
            " (device_id, public_key, label, proof, requested_at, expires_at, wrong_codes, grant_kid)"
            f" VALUES ('{ASKING}', 'none', 'desk', 'none', '2026-11-01', '2099-11-01', 0, '0123abcd')"
            " ON CONFLICT DO NOTHING"
        )

    def assert_others_are_as_they_were(self) -> None:
        """One row that is damaged breaks no other."""
        cameras = {camera["id"]: camera for camera in ok(self.get("cameras"))}
        assert (cameras[self.other_camera]["password"], cameras[self.other_camera]["status"]) == ("****", "unknown")
        rules = {rule["id"]: rule["actions"]["webhook"] for rule in ok(self.get("alert-rules"))}
        assert (len(rules[self.other_rule]["headers"]), rules[self.other_rule]["status"]) == (1, "unknown")
        assert "second" in [server["server_id"] for server in ok(self.get("servers"))]
        assert ok(self.post("servers/second/api-key/reveal")) == {"api_key": KEY}
        assert self.call("system", "default", "anthropic").status_code == 200

    # --- the database ------------------------------------------------------------------------------------------------

    def execute(self, statement: str, parameters: Any = ()) -> int:
        """Run a statement; return how many rows it changed, 0 if the database itself refuses."""
        cursor = self._connection.cursor()
        try:
            cursor.execute(statement, parameters)
        except (sqlite3.Error, psycopg2.Error):
            return 0
        return int(cursor.rowcount)

    def rows(self, table: str) -> tuple[list[str], list[tuple[Any, ...]]]:
        """Columns and rows of a table, read so that they can be written back."""
        cursor = self._connection.cursor()
        cursor.execute(f'SELECT * FROM "{table}"')
        return [column[0] for column in cursor.description], cursor.fetchall()

    @contextlib.contextmanager
    def restored(self, table: str) -> Iterator[None]:
        """Put a table that is going to be damaged, and those of the owners, back at the end of the block, at once."""
        kept = {name: self.rows(name) for name in dict.fromkeys((*OWNED, table)) if name != "audit_entries"}
        try:
            yield
        finally:
            self._put_back(kept)

    @contextlib.contextmanager
    def restored_node(self, path: str) -> Iterator[None]:
        """Put one row of the manifest back at the end of the block; the others may have grown meanwhile."""
        sign = "?" if self.backend.name == "sqlite" else "%s"
        cursor = self._connection.cursor()
        cursor.execute(f"SELECT content FROM vault_manifest WHERE path = {sign}", (path,))
        (content,) = cursor.fetchone()
        try:
            yield
        finally:
            cursor.execute("BEGIN")
            cursor.execute(STRAYS[self.backend.name])
            cursor.execute(f"DELETE FROM vault_manifest WHERE path = {sign}", (path,))
            cursor.execute(f"INSERT INTO vault_manifest (path, content) VALUES ({sign}, {sign})", (path, content))
            cursor.execute("COMMIT")

    def _put_back(self, kept: dict[str, tuple[list[str], list[tuple[Any, ...]]]]) -> None:
        sign = "?" if self.backend.name == "sqlite" else "%s"
        cursor = self._connection.cursor()
        cursor.execute("BEGIN")
        for name in kept:
            cursor.execute(f'DELETE FROM "{name}"')
        for name, (columns, rows) in kept.items():
            values = ", ".join([sign] * len(columns))
            cursor.executemany(f'INSERT INTO "{name}" VALUES ({values})', rows)
        cursor.execute("COMMIT")

    def junk_for(self, column: sa.Column[Any]) -> dict[str, str]:
        """What is put into a column, as SQL by its name."""
        kind = column.type.compile(dialect=_POSTGRESQL).split()[0]
        if self.backend.name == "sqlite":
            return {name: junk for name, junk in SQLITE_JUNK.items() if kind not in SQLITE_WORDS.get(name, ())}
        return {name: junk or f"NOT {column.name}" for name, junk in POSTGRESQL_JUNK[kind].items()}


@pytest.fixture(scope="module")
def victim(
    shared_ai_backend: Backend, shared_providers: AIProviders, request: pytest.FixtureRequest
) -> Iterator[Victim]:
    """One of everything, on each database."""
    shared_ai_backend.sidecar.wait_healthy()
    shared_ai_backend.clear()
    for key in (KEY, GUARD):
        shared_providers.openai.behave(key, "valid")
        shared_providers.anthropic.behave(key, "valid")
    with contextlib.ExitStack() as stack:
        if isinstance(shared_ai_backend.database, SqliteDatabase):
            connection: Any = sqlite3.connect(shared_ai_backend.database.file, timeout=10, isolation_level=None)
            stack.callback(connection.close)
        else:
            server = request.getfixturevalue("postgres")
            name = cast("Database", shared_ai_backend.database).name
            connection = stack.enter_context(server.connect(name))
            with connection.cursor() as cursor:
                cursor.execute("SET session_replication_role = replica")
        yield Victim(shared_ai_backend, stack.enter_context(WebhookReceiver().running()), connection)


NODE: Final = place_of(("secret", "server", "first", "openai"))[:DEPTH]
STRAYS: Final = {
    "sqlite": (
        "DELETE FROM vault_manifest WHERE path NOT IN ('root', 'mac')"
        " AND (typeof(path) <> 'text' OR length(path) > 3 OR path GLOB '*[^0-9a-f]*')"
    ),
    "postgresql": "DELETE FROM vault_manifest WHERE path !~ '^([0-9a-f]{0,3}|root|mac)$'",
}
"""Rows of the manifest whose path is none."""
MEETS: Final = {
    "secrets": ("server", "reveal", "call of a server"),
    "vault_owners": ("server", "reveal", "call of a server"),
    "chat_servers": ("server", "reveal", "call of a server"),
    "cameras": ("camera",),
    "alert_rules": ("rule", "trigger"),
    "tenants": ("tenant", "call of a tenant"),
    "trial_calls": ("call of a tenant",),
    "ai_usage": ("usage", "call of the system"),
    "audit_entries": ("audit", "reveal"),
    "vault_rotations": ("vault", "rotation"),
    "vault_keys": ("vault", "reveal", "system keys"),
    "vault_wraps": ("vault", "reveal", "system keys"),
    "vaults": ("vault", "reveal", "system keys"),
    "vault_manifest": ("vault", "reveal", "system keys", "call of a server", "tenant"),
    **dict.fromkeys(TEAM, ("device", "reveal")),
}
"""Calls that meet a table, by how their names begin; the others once early, and then seldom: they read all there is."""
WHERE: Final = {
    "secrets": "owner_kind = 'server' AND owner_id = 'first'",
    "vault_owners": "owner_kind = 'server' AND owner_id = 'first'",
    "cameras": "id = '{camera}'",
    "alert_rules": "id = '{rule}'",
    "chat_servers": "server_id = 'first'",
    "tenants": "id = 'acme'",
    "audit_entries": "seq = (SELECT min(seq) FROM audit_entries)",
    "vault_manifest": "path = '{node}'",
}
"""Which row is damaged; all of them in the other tables."""
MARKED: Final = {
    "expires_at",
    "row_version",
    "ciphertext",
    "created_at",
    "updated_at",
    "last_validated_at",
    "id",
}
"""Columns of `secrets` whose junk shows in lists."""


@pytest.mark.parametrize("table", TABLES)
def test_junk_in_a_column_stops_nothing(victim: Victim, table: str, record_property: Callable[..., None]) -> None:
    """Whatever lies in whichever column: no call fails, others' rows are untouched, replace and delete work."""
    cells = 0
    for column in metadata.tables[table].columns:
        for name, junk in victim.junk_for(column).items():
            victim.revive(table)
            if table == "trial_calls":
                ok(victim.call("tenant", "acme", "openai"))
            victim.ask()
            node = (ROOT, NODE, TOP)[cells % 3]
            condition = WHERE.get(table, "1 = 1").format(camera=victim.camera, rule=victim.rule, node=node)
            with victim.restored_node(node) if table == "vault_manifest" else victim.restored(table):
                changed = victim.execute(f'UPDATE "{table}" SET {column.name} = {junk} WHERE {condition}')
                if not changed:  # the database itself refuses such a value there
                    continue
                cells += 1
                first = 15 if table in TEAM else 6
                meets_all = cells == first or cells % (2 * first) == 0
                for called, call in victim.calls().items():
                    if not meets_all and not called.startswith(MEETS[table]):
                        continue
                    answer = call()
                    assert answer.status_code < 500, (column.name, name, called, answer.text)
                if table in MAY_LOCK:
                    continue
                if cells % 2:
                    victim.assert_others_are_as_they_were()
                if table == "secrets" and column.name in MARKED:
                    shown = [row for row in ok(victim.get("servers")) if row["server_id"] == "first"]
                    assert shown[0]["api_key"]["status"] == "unreadable", (column.name, name)
                victim.repair(table, is_addressed=not column.primary_key)
    record_property("cells", cells)
    assert cells > 0
    assert ok(victim.get("vault"))["state"] == "unlocked"


def test_commands_find_junk_and_do_not_fail(victim: Victim) -> None:
    """`doctor`, `vault verify` and a rotation with junk in many rows at once: they tell, and end as they should."""
    with victim.restored("vault_rotations"):
        for column, junk in {"expires_at": "'infinity'", "row_version": "2147483647"}.items():
            victim.execute(f"UPDATE secrets SET {column} = {junk} WHERE owner_kind IN ('server', 'camera')")
        victim.execute("UPDATE vault_owners SET salt = 'oops' WHERE owner_kind = 'user'")
        verified = run_command("vault", "verify", "--json", config_dir=victim.sidecar.config_dir)
        examined = run_command("doctor", "--json", config_dir=victim.sidecar.config_dir)

        assert verified.returncode == 1, verified.stderr
        assert examined.returncode == 1, examined.stderr
        assert json.loads(verified.stdout)
        rotated = run_command("vault", "rotate", "--json", config_dir=victim.sidecar.config_dir)
        assert rotated.returncode == 0, rotated.stderr
        assert json.loads(rotated.stdout)["quarantined"] > 0
    # the rotation was undone with everything else
    assert ok(victim.get("vault"))["state"] == "unlocked"
