"""Owners while the vault is locked: everything that needs no key works, the rest names the key that is needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from app.core.security import KEY_FILE
from tests.conftest import BACKENDS
from tests.support.owners import error_of, ok
from tests.support.sidecar import Sidecar, stop_all
from tests.support.tokens import JWT_SECRET, token_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from tests.support.ai_providers import AIProviders
    from tests.support.databases import Backend

pytestmark = pytest.mark.in_turn

USER, TENANT = token_for("ann"), token_for("ann", tenant_id="acme")
SERVER, SYSTEM = "/api/v1/servers/guild/config", "/api/v1/settings/ai-keys"


class Locked:
    """A sidecar whose vault another one has filled, which had another key."""

    def __init__(self, backend: Backend, providers: AIProviders, sidecar: Sidecar) -> None:
        self.providers = providers
        self.sidecar = backend.sidecar
        self.key = providers.openai.new_key()
        ok(self.ask("PUT", SERVER, {"api_key": self.key}))
        ok(self.ask("PUT", SYSTEM, {"openai": self.key, "google": self.key}))
        ok(self.ask("POST", "/api/v1/tenants", {"id": "acme", "name": "Acme", "tier": "pro"}), 201)
        ok(self.ask("POST", "/api/v1/tenants/acme/openai-key", {"api_key": self.key}))
        ok(self.ask("POST", "/api/api-keys/set", {"provider": "openai", "api_key": self.key}, USER))
        self.fingerprint = ok(self.ask("GET", "/api/v1/vault"))["key_fingerprint"]
        self.needed_key = (backend.sidecar.config_dir / KEY_FILE).read_text()
        backend.sidecar.stop()
        self.sidecar = sidecar.start().wait_healthy()
        assert ok(self.ask("GET", "/api/v1/vault"))["state"] == "locked"

    def ask(self, method: str, path: str, body: Any = None, token: str | None = None) -> httpx.Response:
        """Send a request."""
        return self.sidecar.request(method, path, json=body, token=token)

    def unlock(self) -> None:
        """Give the key."""
        ok(self.ask("POST", "/api/v1/vault/unlock", {"encryption_key": self.needed_key}))


@pytest.fixture(params=BACKENDS)
def locked(shared_providers: AIProviders, request: pytest.FixtureRequest) -> Iterator[Locked]:
    """On either database."""
    env = {**shared_providers.environment(), "JWT_SECRET_KEY": JWT_SECRET}
    with BACKENDS[request.param](request, env) as backend:
        url = f"sqlite:///{backend.database.file}" if backend.name == "sqlite" else backend.database.url  # type: ignore[attr-defined]
        other = Sidecar(env={**env, "TASKFLOW_DATABASE_URL": url})
        try:
            yield Locked(backend, shared_providers, other)
        finally:
            stop_all([other])


def test_what_needs_no_key_works(locked: Locked) -> None:
    """Reading, keeping, deleting, and all settings beside the keys."""
    server = ok(locked.ask("GET", SERVER))
    assert server["api_key"]["set"] is True
    assert ok(locked.ask("PUT", SERVER, {**server, "dm_roll_visibility": "hidden"}))["dm_roll_visibility"] == "hidden"
    system = ok(locked.ask("GET", SYSTEM))
    assert (system["openai"]["set"], system["openai"]["hint"]) == (True, f"…{locked.key[-4:]}")
    assert ok(locked.ask("PUT", SYSTEM, {**system, "google": None}))["google"]["set"] is False
    assert ok(locked.ask("GET", "/api/v1/tenants/acme/openai-key/status", token=TENANT))["has_key"] is True
    assert ok(locked.ask("POST", "/api/v1/tenants/acme/openai-key", {"api_key": "****"}))["status"] == "stored"
    assert ok(locked.ask("PATCH", "/api/v1/tenants/acme", {"tier": "trial"}))["tier"] == "trial"
    assert ok(locked.ask("GET", "/api/api-keys/status", token=USER))["providers"]["openai"]["has_api_key"] is True

    assert ok(locked.ask("DELETE", "/api/api-keys/openai", token=USER))["success"] is True
    assert ok(locked.ask("DELETE", "/api/api-keys", token=USER))["success"] is True
    assert locked.ask("DELETE", "/api/v1/tenants/acme/openai-key").status_code == 204
    assert locked.ask("DELETE", "/api/v1/tenants/acme").status_code == 204
    assert locked.ask("DELETE", SERVER).status_code == 204
    ok(locked.ask("POST", "/api/v1/tenants", {"id": "made", "name": "Made", "tier": "trial"}), 201)

    locked.unlock()
    assert ok(locked.ask("GET", "/api/v1/vault/verify")) == {"ok": True, "checked": 1, "findings": []}


def test_what_needs_a_key_names_it(locked: Locked) -> None:
    """423, before any provider hears of it; afterwards everything is as it was, and opens once the key is given."""
    before = [ok(locked.ask("GET", path)) for path in (SERVER, SYSTEM)]
    connections = locked.providers.connections()
    new = locked.providers.openai.new_key()
    calls = [
        ("PUT", SERVER, {"api_key": new}, None),
        ("PUT", "/api/v1/servers/another/config", {"api_key": new}, None),
        ("PUT", SERVER, {"expires_at": "2099-01-01T00:00:00Z"}, None),
        ("POST", "/api/v1/servers/guild/api-key/reveal", None, None),
        ("PUT", SYSTEM, {"google": None, "openai": new}, None),
        ("PUT", SYSTEM, {"openai": {"api_key": "****", "expires_at": None}}, None),
        ("POST", "/api/v1/tenants/acme/openai-key", {"api_key": new}, TENANT),
        ("POST", "/api/api-keys/set", {"provider": "openai", "api_key": new}, USER),
        ("POST", "/api/api-keys/validate/openai", None, USER),
    ]
    for method, path, body, token in calls:
        status, code, sentence = error_of(locked.ask(method, path, body, token))
        assert (status, code) == (423, "vault-locked"), path
        assert locked.fingerprint in sentence

    assert locked.providers.connections() == connections
    assert [ok(locked.ask("GET", path)) for path in (SERVER, SYSTEM)] == before
    locked.unlock()
    assert ok(locked.ask("POST", "/api/v1/servers/guild/api-key/reveal")) == {"api_key": locked.key}
    assert ok(locked.ask("POST", "/api/api-keys/validate/openai", token=USER))["is_valid"] is True
    for method, path, body, token in calls:
        assert locked.ask(method, path, body, token).is_success, path
