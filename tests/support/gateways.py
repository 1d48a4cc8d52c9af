"""Sidecars whose providers are test servers, with shortcuts for what the gateway's tests need."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import jwt

from tests.support.ai_providers import AIProviders
from tests.support.databases import Backend, SqliteDatabase, fresh_database
from tests.support.sidecar import Sidecar

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import httpx

    from tests.support.ai_providers import FakeProvider
    from tests.support.postgres import PostgresServer

JWT_SECRET = "the tests' secret for tokens of users and tenants"
ROOT = "/ai-gateway"
MODELS = {
    "openai": "v1/models",
    "deepseek": "v1/models",
    "anthropic": "v1/models",
    "google": "v1beta/models",
}
"""By provider, a path that any genuine key may ask for."""


@dataclass(frozen=True, slots=True)
class GatewayBackend:
    """A ready sidecar, its database, and its providers."""

    backend: Backend
    providers: AIProviders
    earlier_keys: set[str] = field(default_factory=set)
    """Of earlier tests: a check of one may still be under way."""

    @property
    def sidecar(self) -> Sidecar:
        """The sidecar."""
        return self.backend.sidecar

    def clear(self) -> None:
        """Empty the tables, and forget what the providers were asked and told."""
        self.usage()  # what an earlier test used is written before it is emptied out
        self.backend.clear()
        for provider in self.providers.all():
            self.earlier_keys.update(request.api_key for request in provider.requests if request.api_key)
            provider.requests.clear()
            provider.echo, provider.gate, provider.piece_bytes, provider.padding_bytes = False, None, None, 0

    def store(self, kind: str, owner: str, name: str, secret: str | None, **more: Any) -> None:
        """Store a key, or delete it."""
        operation = {"op": "delete" if secret is None else "set", "owner_kind": kind, "owner_id": owner, "name": name}
        body = {"operations": [{**operation, "secret": secret, **more}]}
        answer = self.sidecar.request("POST", "/api/v1/vault/bulk", json=body)
        assert answer.status_code == 200, answer.text

    def new_key(self, kind: str, owner: str, provider: str, *behaviours: Any, name: str | None = None) -> str:
        """Make a key, as `FakeProvider.new_key` does, and store it."""
        key = self.providers[provider].new_key(*behaviours)
        self.store(kind, owner, name or provider, key)
        return key

    def add_tenant(self, tenant: str, tier: str, limit: int = 100) -> None:
        """Add a tenant."""
        body = {"id": tenant, "name": "A tenant", "tier": tier}
        answer = self.sidecar.request("POST", "/api/v1/tenants", json=body)
        assert answer.status_code == 201, answer.text
        answer = self.sidecar.request("PATCH", f"/api/v1/tenants/{tenant}", json={"trial_limit": limit})
        assert answer.status_code == 200, answer.text

    def add_server(self, server: str, provider: str) -> None:
        """Add the settings of a chat server behind the sidecar's back."""
        now = "2026-01-01T00:00:00.000000Z"
        settings = "'public', 'manual_digital', 'digital_sheet'"
        self.backend.database.execute(
            "INSERT INTO chat_servers (server_id, provider, dm_roll_visibility, player_roll_mode, character_sheet_mode,"
            f" created_at, updated_at) VALUES ('{server}', '{provider}', {settings}, '{now}', '{now}')"
        )

    def trial_calls(self) -> list[tuple[Any, ...]]:
        """What tenants on trial were counted."""
        return self.backend.database.query("SELECT tenant_id, calls FROM trial_calls")

    def base_url(self, kind: str, owner: str, provider: str) -> str:
        """Where a provider is reached with an owner's key."""
        return f"{self.sidecar.url}{ROOT}/{kind}/{owner}/{provider}"

    def call(
        self,
        kind: str,
        owner: str,
        provider: str,
        path: str | None = None,
        *,
        method: str = "GET",
        json: object = None,
        content: Any = None,
        headers: Mapping[str, str] | None = None,
        token: str | None = None,
    ) -> httpx.Response:
        """Make a call; by default the one that any genuine key may make."""
        target = f"{ROOT}/{kind}/{owner}/{provider}/{MODELS[provider] if path is None else path}"
        return self.sidecar.request(method, target, json=json, content=content, headers=headers, token=token)

    def usage(self, **filters: str) -> list[dict[str, Any]]:
        """What was used."""
        answer = self.sidecar.request("GET", "/api/v1/usage", params=filters)
        assert answer.status_code == 200, answer.text
        items: list[dict[str, Any]] = answer.json()["items"]
        return items

    def keys_sent(self, provider: FakeProvider) -> list[str | None]:
        """The keys that a provider was shown, in order."""
        return [request.api_key for request in provider.requests if request.api_key not in self.earlier_keys]


LIFETIME_S = 86_400
"""Parameters of tests are made when they are collected, long before some of them are used."""


def token_for(user: str, tenant: str | None = None, **more: Any) -> str:
    """Return a user's token, as an embedding application issues it."""
    claims: dict[str, Any] = {"sub": user, "exp": int(time.time()) + LIFETIME_S, **more}
    if tenant is not None:
        claims["tenant_id"] = tenant
    return jwt.encode(claims, JWT_SECRET, algorithm="HS256")


def environment(providers: AIProviders) -> dict[str, str]:
    """Variables of a sidecar that takes the test servers for the real ones."""
    return {**providers.environment(), "JWT_SECRET_KEY": JWT_SECRET}


@contextlib.contextmanager
def gateway_on_sqlite(**options: Any) -> Iterator[GatewayBackend]:
    """Provide one on the embedded database."""
    with AIProviders() as providers, Sidecar(env=environment(providers), **options) as sidecar:
        sidecar.wait_healthy()
        yield GatewayBackend(Backend("sqlite", sidecar, SqliteDatabase(sidecar.data_dir)), providers)


@contextlib.contextmanager
def gateway_on_postgresql(server: PostgresServer) -> Iterator[GatewayBackend]:
    """Provide one on PostgreSQL."""
    with AIProviders() as providers, fresh_database(server, with_tables=True) as database:
        variables = {**environment(providers), "TASKFLOW_EMBEDDED": "0"}
        with Sidecar(env=variables) as sidecar:
            sidecar.save_connection(database.fields())
            sidecar.wait_healthy()
            yield GatewayBackend(Backend("postgresql", sidecar, database), providers)
