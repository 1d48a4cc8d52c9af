"""Whoever can write the database, without any key: what they write is found, and nothing is sent for it.

Each test plays one attack against a real sidecar, on both databases, by SQL alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from app.core.security import KEY_FILE
from app.services.vault.ledger import VaultRolledBackError
from app.services.vault.recovery import new_recovery_code
from app.services.vault.rows import SecretName
from app.services.vault.unlocking import KeyWrongError, unlock
from tests.conftest import BACKENDS
from tests.support.cameras import Gatekeeper, HttpCamera
from tests.support.owners import error_of, inside_of, ok
from tests.support.sidecar import run_command
from tests.support.vaults import desktop, store_of
from tests.support.waiting import wait_until
from tests.support.webhooks import WebhookReceiver

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx

    from tests.support.ai_providers import AIProviders
    from tests.support.databases import Backend

KEY: Final = "sk-attacked-0123456789abcdef"
UNREADABLE: Final = (409, "secret-unreadable")
ROLLED_BACK: Final = (423, "vault-rolled-back")
STATE: Final = ("secrets", "vault_owners", "vault_keys", "vault_wraps", "vault_manifest", "vaults", "tenants")


class Attacked:
    """A sidecar, and somebody who writes into its database."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.sidecar = backend.sidecar

    def ask(self, method: str, path: str, body: object = None) -> httpx.Response:
        """Send a request below `/api/v1`."""
        return self.sidecar.request(method, f"/api/v1/{path}", json=body)

    def code(self, method: str, path: str, body: object = None) -> tuple[int, str]:
        """Status and code of an error."""
        return error_of(self.ask(method, path, body))[:2]

    def store(self, kind: str, owner: str, secret: str = KEY, name: str = "openai") -> None:
        """Store a secret."""
        operation = {"op": "set", "owner_kind": kind, "owner_id": owner, "name": name, "secret": secret}
        ok(self.ask("POST", "vault/bulk", {"operations": [operation]}))

    def call(self, kind: str, owner: str) -> httpx.Response:
        """Use an OpenAI key."""
        body = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "hello"}]}
        return self.sidecar.request("POST", f"/ai-gateway/{kind}/{owner}/openai/v1/chat/completions", json=body)

    def sql(self, *statements: str) -> None:
        """What the attacker runs."""
        for statement in statements:
            self.backend.database.execute(statement)

    def keep(self, *tables: str) -> None:
        """Take a copy of tables, as a backup would."""
        for table in tables:
            self.sql(f"DROP TABLE IF EXISTS kept_{table}", f"CREATE TABLE kept_{table} AS SELECT * FROM {table}")

    def put_back(self, *tables: str, where: str = "1 = 1") -> None:
        """Put rows of such a copy back in the place of those there are."""
        for table in reversed(tables):
            self.sql(f"DELETE FROM {table} WHERE {where}")
        for table in tables:
            self.sql(f"INSERT INTO {table} SELECT * FROM kept_{table} WHERE {where}")

    def vault(self) -> dict[str, Any]:
        """The vault's document."""
        found: dict[str, Any] = ok(self.ask("GET", "vault"))
        return found

    def findings(self) -> set[tuple[str, str | None]]:
        """What `vault verify` tells: kinds and owners."""
        found = ok(self.ask("GET", "vault/verify"))
        assert found["ok"] is (not found["findings"])
        return {(finding["kind"], finding["owner_id"]) for finding in found["findings"]}

    def rotate(self) -> None:
        """Rotate the vault key, to the end."""
        ok(self.ask("POST", "vault/rotate"), 202)
        self.rotated()

    def rotated(self) -> None:
        """Wait for the end of a rotation."""
        wait_until(
            lambda: ok(self.ask("GET", "vault/rotation"))["state"] == "done", timeout_s=30, what="the rotation to end"
        )


@pytest.fixture(params=BACKENDS)
def attacked(request: pytest.FixtureRequest, shared_providers: AIProviders) -> Iterator[Attacked]:
    """A sidecar of the test's own: what is done to its vault cannot be undone."""
    shared_providers.openai.behave(KEY, "valid")
    with BACKENDS[request.param](request, shared_providers.environment()) as backend:
        yield Attacked(backend)


@pytest.fixture(scope="module", params=BACKENDS)
def healed(request: pytest.FixtureRequest, shared_providers: AIProviders) -> Iterator[Attacked]:
    """One that several tests share: each heals what it has done."""
    shared_providers.openai.behave(KEY, "valid")
    with BACKENDS[request.param](request, shared_providers.environment()) as backend:
        yield Attacked(backend)


# --- the destination -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("column", ["stream_url", "username"])
def test_a_cameras_password_is_not_sent_elsewhere(healed: Attacked, column: str) -> None:
    """Neither to another host, nor for another user: it does not open, and the camera is never asked."""
    with HttpCamera(Gatekeeper("admin", "p4ssword")).running() as evil:
        body = {"name": column, "stream_url": "http://127.0.0.1:1/s", "username": "admin", "password": "p4ssword"}
        camera = ok(healed.ask("POST", "cameras", body), 201)["id"]
        value = evil.url() if column == "stream_url" else "root"
        healed.sql(f"UPDATE cameras SET {column} = '{value}' WHERE id = '{camera}'")

        assert healed.code("POST", f"cameras/{camera}/test") == UNREADABLE
        assert ok(healed.ask("GET", f"cameras/{camera}"))["status"] == "unreadable"
        assert ("unreadable", camera) in healed.findings()
        assert ok(healed.ask("PUT", f"cameras/{camera}", body))["status"] == "unknown"
        assert ok(healed.ask("POST", f"cameras/{camera}/test"))["ok"] is False
        ok(healed.ask("DELETE", f"cameras/{camera}"), 204)


@pytest.mark.parametrize("column", ["webhook_url", "allow_private"])
def test_a_webhooks_headers_are_not_sent_elsewhere(healed: Attacked, column: str) -> None:
    """Neither to another host, nor into the network that the rule does not allow."""
    with WebhookReceiver().running() as evil:
        webhook = {"url": "https://hooks.example.com/x", "headers": {"X-Key": "header value"}, "allow_private": False}
        rule = ok(healed.ask("POST", "alert-rules", {"name": "R", "actions": {"webhook": webhook}}), 201)["id"]
        value = f"'{evil.url()}'" if column == "webhook_url" else "true"
        healed.sql(f"UPDATE alert_rules SET {column} = {value} WHERE id = '{rule}'")

        assert healed.code("POST", f"alert-rules/{rule}/trigger", {"event": {}}) == UNREADABLE
        assert evil.received == []
        assert ("unreadable", rule) in healed.findings()
        ok(healed.ask("DELETE", f"alert-rules/{rule}"), 204)


def test_a_providers_key_is_not_sent_elsewhere(healed: Attacked) -> None:
    """It is sealed to the host it was entered for."""
    healed.store("system", "default")
    assert healed.call("system", "default").status_code == 200
    healed.sql("UPDATE secrets SET pinned_host = 'http://127.0.0.1:1' WHERE owner_kind = 'system'")

    assert error_of(healed.call("system", "default"))[:2] == UNREADABLE
    healed.store("system", "default")
    assert healed.call("system", "default").status_code == 200


# --- freshness -------------------------------------------------------------------------------------------------------


def test_an_older_version_of_a_row_stays_dead(healed: Attacked) -> None:
    """The whole old row, put back as it was: the replaced key is not used; the row can be replaced again."""
    healed.store("tenant", "replaced", "sk-old-0123456789abcdef")
    healed.keep("secrets")
    healed.store("tenant", "replaced")
    assert healed.call("tenant", "replaced").status_code == 200
    healed.put_back("secrets", where="owner_id = 'replaced'")

    assert error_of(healed.call("tenant", "replaced"))[:2] == UNREADABLE
    assert ("restored", "replaced") in healed.findings()
    healed.store("tenant", "replaced")
    assert healed.call("tenant", "replaced").status_code == 200


@pytest.mark.parametrize("how", ["deleted", "shredded"])
def test_what_was_deleted_stays_dead(healed: Attacked, how: str) -> None:
    """A deleted row, or a shredded tenant with its salt, put back."""
    owner = f"tenant-{how}"
    ok(healed.ask("POST", "tenants", {"id": owner, "name": "n", "tier": "pro"}), 201)
    healed.store("tenant", owner)
    healed.keep("secrets", "vault_owners", "tenants")
    if how == "deleted":
        ok(healed.ask("DELETE", f"tenants/{owner}/openai-key"), 204)
        healed.put_back("secrets", where=f"owner_id = '{owner}'")
    else:
        ok(healed.ask("DELETE", f"tenants/{owner}"), 204)
        healed.put_back("vault_owners", "secrets", where=f"owner_id = '{owner}'")
        healed.put_back("tenants", where=f"id = '{owner}'")

    assert ok(healed.ask("GET", f"tenants/{owner}/openai-key/status"))["status"] == "unreadable"
    assert error_of(healed.call("tenant", owner))[:2] == UNREADABLE
    assert ("restored", owner) in healed.findings()
    ok(healed.ask("DELETE", f"tenants/{owner}"), 204)


def test_a_list_marks_what_was_restored_before_anybody_uses_it(healed: Attacked) -> None:
    """A camera's older password: shown as unreadable, and replaced."""
    body = {"name": "Restored", "stream_url": "http://127.0.0.1:1/s", "username": "admin", "password": "first"}
    camera = ok(healed.ask("POST", "cameras", body), 201)["id"]
    healed.keep("secrets")
    assert ok(healed.ask("PUT", f"cameras/{camera}", {**body, "password": "second"}))["status"] == "unknown"
    healed.put_back("secrets", where=f"owner_id = '{camera}'")

    assert {one["id"]: one["status"] for one in ok(healed.ask("GET", "cameras"))}[camera] == "unreadable"
    assert ok(healed.ask("GET", f"cameras/{camera}"))["status"] == "unreadable"
    assert ok(healed.ask("PUT", f"cameras/{camera}", body))["status"] == "unknown"
    assert ok(healed.ask("GET", f"cameras/{camera}"))["status"] == "unknown"
    ok(healed.ask("DELETE", f"cameras/{camera}"), 204)


@pytest.mark.in_turn
def test_an_older_state_of_everything_is_refused(attacked: Attacked) -> None:
    """A backup that was put back: lists work, use and writes answer 423, until a person accepts it."""
    attacked.store("system", "default", "sk-old-0123456789abcdef")
    attacked.keep(*STATE)
    attacked.store("system", "default")
    assert attacked.call("system", "default").status_code == 200
    attacked.put_back("tenants", "vaults", "vault_keys", "vault_wraps", "vault_owners", "secrets", "vault_manifest")

    assert error_of(attacked.call("system", "default"))[:2] == ROLLED_BACK
    assert attacked.vault()["state"] == "rolled-back"
    assert ok(attacked.ask("GET", "settings/ai-keys"))["openai"]["set"] is True
    assert attacked.code("PUT", "settings/ai-keys", {"google": KEY}) == ROLLED_BACK
    assert ("rolled-back", None) in attacked.findings()
    restarted = attacked.sidecar
    restarted.stop()
    restarted.start().wait_healthy()
    assert attacked.vault()["state"] == "rolled-back"

    vault_id = attacked.vault()["vault_id"]
    assert attacked.code("POST", "vault/accept", {"confirm": "no"}) == (400, "validation")
    assert ok(attacked.ask("POST", "vault/accept", {"confirm": vault_id}))["state"] == "unlocked"
    assert attacked.findings() == set()
    attacked.store("system", "default")
    assert attacked.call("system", "default").status_code == 200


@pytest.mark.parametrize(
    "damage", ["DELETE FROM vault_manifest", "UPDATE vault_manifest SET content = '{}' WHERE path = 'root'"]
)
@pytest.mark.in_turn
def test_a_manifest_that_is_gone_is_not_made_anew(attacked: Attacked, damage: str) -> None:
    """Only a person lets the rows be believed."""
    attacked.store("system", "default")
    assert attacked.call("system", "default").status_code == 200
    attacked.sql(damage)

    assert error_of(attacked.call("system", "default"))[:2] == ROLLED_BACK
    assert attacked.code("PUT", "settings/ai-keys", {"google": KEY}) == ROLLED_BACK
    vault_id = attacked.vault()["vault_id"]
    assert ok(attacked.ask("POST", "vault/accept", {"confirm": vault_id}))["state"] == "unlocked"
    assert attacked.call("system", "default").status_code == 200


# --- keys ------------------------------------------------------------------------------------------------------------


def test_the_fingerprints_key_is_repaired_before_anything_is_sealed(attacked: Attacked) -> None:
    """Junk in its place, and desktops told to read the keys anew: no fingerprint is made without a key."""
    attacked.store("tenant", "before", "same secret of two owners")
    attacked.sql("UPDATE vault_keys SET fingerprint_key = 'junk'", "UPDATE vaults SET epoch = epoch + 1")
    attacked.store("tenant", "after", "same secret of two owners")
    attacked.store("tenant", "before", "same secret of two owners")

    query = "SELECT fingerprint FROM secrets ORDER BY owner_id"
    fingerprints = [row[0] for row in attacked.backend.database.query(query)]
    attacked.vault()
    assert len(set(fingerprints)) == 2
    assert attacked.backend.database.query("SELECT count(*) FROM vault_keys WHERE fingerprint_key = 'junk'") == [(0,)]
    assert attacked.findings() == set()


def test_a_retired_key_does_not_come_back(attacked: Attacked) -> None:
    """Put back with its wraps and set active: nothing is sealed under it."""
    attacked.store("system", "default")
    attacked.keep("vault_keys", "vault_wraps")
    before = attacked.vault()["kid"]
    attacked.rotate()
    attacked.sql(
        "UPDATE vault_keys SET state = 'retired'",
        "INSERT INTO vault_keys SELECT * FROM kept_vault_keys",
        "INSERT INTO vault_wraps SELECT * FROM kept_vault_wraps",
        "UPDATE vaults SET epoch = epoch + 1",
    )

    assert attacked.code("PUT", "settings/ai-keys", {"google": KEY}) == ROLLED_BACK
    assert attacked.backend.database.query(f"SELECT count(*) FROM secrets WHERE kid = '{before}'") == [(0,)]
    assert {kind for kind, _ in attacked.findings()} == {"rolled-back", "key", "wrap"}
    ok(attacked.ask("POST", "vault/accept", {"confirm": attacked.vault()["vault_id"]}))
    attacked.store("system", "default")
    assert attacked.backend.database.query(f"SELECT count(*) FROM secrets WHERE kid = '{before}'") == [(0,)]


@pytest.mark.parametrize("state", ["retired", "active"])
@pytest.mark.in_turn
def test_a_replaced_recovery_code_opens_nothing(attacked: Attacked, state: str) -> None:
    """Its wrap put back, beside the present key or with the old one: not opened, told, and never renewed."""
    old, new = new_recovery_code(), new_recovery_code()
    attacked.store("system", "default")
    ok(attacked.ask("POST", "vault/recovery", {"recovery_code": old}))
    attacked.keep("vault_keys", "vault_wraps")
    ok(attacked.ask("POST", "vault/recovery", {"recovery_code": new}))
    attacked.rotated()
    columns = "kid, state, fingerprint_key, format, created_at"
    of_old = "fingerprint IN (SELECT fingerprint FROM kept_vault_wraps WHERE kind = 'recovery')"
    attacked.sql(
        f"UPDATE vault_keys SET state = '{'staged' if state == 'active' else 'active'}'",
        f"UPDATE kept_vault_keys SET state = '{state}'",
        f"INSERT INTO vault_keys ({columns}) SELECT {columns} FROM kept_vault_keys",
        f"INSERT INTO vault_wraps SELECT * FROM kept_vault_wraps WHERE {of_old}",
        "UPDATE vaults SET epoch = epoch + 1",
    )

    stranger = attacked.sidecar.directory / "stranger"
    stranger.mkdir(mode=0o700)
    with store_of(attacked.backend) as store:
        theirs = desktop(store, stranger)
        theirs.vault.attachment.attach()
        refused = VaultRolledBackError if state == "active" else KeyWrongError
        with pytest.raises(refused):
            unlock(theirs.vault.attachment, theirs.audit, encryption_key=None, recovery_code=old, actor="test")
        assert theirs.vault.attachment.state != "unlocked"
    assert {"wrap", "key"} <= {kind for kind, _ in attacked.findings()}
    if state == "active":
        assert attacked.code("PUT", "settings/ai-keys", {"google": KEY}) == ROLLED_BACK
        ok(attacked.ask("POST", "vault/accept", {"confirm": attacked.vault()["vault_id"]}))
    attacked.rotate()
    assert attacked.backend.database.query(f"SELECT count(*) FROM vault_wraps WHERE {of_old}") == [(0,)]
    assert attacked.findings() == set()


# --- policy ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("change", ["tier = 'trial'", "trial_limit = 1000000", "trial_tokens = 2147483647"])
def test_a_tenants_policy_is_not_what_the_row_says(healed: Attacked, change: str) -> None:
    """Whose key is used, and how often, is nothing that an attacker decides; setting it again repairs it."""
    tier = "pro" if change.startswith("tier") else "trial"
    healed.store("system", "default")
    ok(healed.ask("POST", "tenants", {"id": "edited", "name": "n", "tier": tier}), 201)
    healed.sql(f"UPDATE tenants SET {change} WHERE id = 'edited'")

    assert error_of(healed.call("tenant", "edited"))[:2] == UNREADABLE
    assert ("policy", "edited") in healed.findings()
    ok(healed.ask("PATCH", "tenants/edited", {"tier": "trial", "trial_limit": 5, "trial_tokens": 5000}))
    assert healed.call("tenant", "edited").status_code == 200
    ok(healed.ask("DELETE", "tenants/edited"), 204)


@pytest.mark.in_turn
def test_a_refused_key_stays_refused(attacked: Attacked) -> None:
    """Its verdict is the manifest's."""
    ok(attacked.ask("POST", "tenants", {"id": "acme", "name": "n", "tier": "pro"}), 201)
    attacked.store("tenant", "acme")
    which = SecretName("tenant", "acme", "openai")
    with inside_of(attacked.backend) as inside:
        inside.vault.attachment.attach()
        assert inside.vault.set_status(which, 1, "invalid", evidence=None, validated=True, actor="test")
    attacked.sql("UPDATE secrets SET status = 'valid'")

    assert error_of(attacked.call("tenant", "acme"))[:2] == (402, "key-rejected")


# --- the audit log ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["tail", "chain", "invented", "everything"])
@pytest.mark.in_turn
def test_the_audit_log_of_another_desktop_is_watched_too(attacked: Attacked, what: str) -> None:
    """Its tail or its whole chain deleted, a writer invented, the vault exchanged: found, and not ended with 0."""
    attacked.store("system", "default")
    assert ok(attacked.ask("GET", "audit/verify"))["ok"] is True
    other = attacked.sidecar.directory / "other"
    other.mkdir(mode=0o700)
    _another_desktop_writes(attacked, other)
    assert ok(attacked.ask("GET", "audit/verify"))["ok"] is True
    own = ok(attacked.ask("GET", "audit/verify"))["head"]["writer"]
    columns = "writer, writer_seq, time, actor, device, action, outcome, count, prev, mac"
    invented = (
        f"INSERT INTO audit_entries ({columns}) SELECT 'invented-0123456789abcdef', 1, time, actor, device, action,"
        " outcome, count, prev, mac FROM audit_entries WHERE writer_seq = 1 LIMIT 1"
    )
    attacked.sql(
        *{
            "tail": [f"DELETE FROM audit_entries WHERE writer <> '{own}' AND writer_seq = 2"],
            "chain": [f"DELETE FROM audit_entries WHERE writer <> '{own}'"],
            "invented": [invented],
            "everything": [
                "DELETE FROM audit_entries",
                "DELETE FROM vault_wraps",
                "DELETE FROM vault_keys",
                "DELETE FROM vault_manifest",
                "DELETE FROM secrets",
                "UPDATE vaults SET vault_id = '11111111-1111-4111-8111-111111111111', epoch = epoch + 1",
            ],
        }[what]
    )

    verdict = ok(attacked.ask("GET", "audit/verify"))
    done = run_command("audit", "verify", config_dir=attacked.sidecar.config_dir)

    kinds = {problem["kind"] for problem in verdict["problems"]}
    assert kinds & {"truncated", "unknown-writer", "vault-replaced"}, verdict
    assert ("unknown-writer" in kinds) is (what == "invented")
    assert (verdict["ok"], done.returncode) == (False, 1), done.stdout


def _another_desktop_writes(attacked: Attacked, directory: Path) -> None:
    """Let a desktop with the same key, and a chain of its own, write two entries."""
    (directory / KEY_FILE).write_bytes((attacked.sidecar.config_dir / KEY_FILE).read_bytes())
    (directory / KEY_FILE).chmod(0o600)
    with store_of(attacked.backend) as store:
        theirs = desktop(store, directory)
        for number in range(2):
            theirs.set(SecretName("tenant", f"theirs-{number}", "openai"), KEY)
