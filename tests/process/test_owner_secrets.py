"""Keys of all owners show nowhere: not in answers, logs, files or the database, also when a provider repeats them."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

import pytest

from app.core.config import PROVIDER_NAMES
from tests.support.ai_providers import AIProviders
from tests.support.canaries import CANARIES, find_canary, scan_files, scan_process
from tests.support.owners import ok
from tests.support.sidecar import Sidecar
from tests.support.tokens import JWT_SECRET, token_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from tests.support.ai_providers import FakeProvider

BEHAVIOURS = ("valid", "invalid", "no_quota", "server_error", "html_403", "drop")
PASSWORDS = {
    **CANARIES,
    **{f"key of {name}": f"sk-QUOLL{secrets.token_hex(12)}BILBY" for name in ("a program", "another")},
}


class Round:
    """All calls with one canary, and what they answered."""

    def __init__(self, sidecar: Sidecar, canary: str) -> None:
        self.sidecar = sidecar
        self.canary = canary
        self.said: list[str] = []

    def ask(self, method: str, path: str, body: object = None, token: str | None = None) -> httpx.Response:
        """Send a request and keep the answer."""
        answer = self.sidecar.request(method, path, json=body, token=token)
        assert answer.status_code != 500, (method, path)
        self.said.append(f"{method} {path} {answer.status_code} {answer.headers} {answer.text}")
        return answer

    def servers(self) -> None:
        """Everything about a chat server but revealing its key, which is there to be shown."""
        path = "/api/v1/servers/guild/config"
        for body in (
            {"api_key": self.canary},
            {"api_key": self.canary, "provider": self.canary},
            {"api_key": [self.canary]},
            {"api_key": {"set": self.canary}},
            {"api_key": self.canary, "expires_at": self.canary},
        ):
            self.ask("PUT", path, body)
        self.ask("GET", path)
        self.ask("GET", "/api/v1/servers")
        self.ask("DELETE", path)

    def system(self) -> None:
        """The system's keys."""
        path = "/api/v1/settings/ai-keys"
        ok(self.ask("PUT", path, dict.fromkeys(PROVIDER_NAMES, self.canary)))
        self.ask("PUT", path, {"openai": {"api_key": self.canary, "expires_at": self.canary}})
        self.ask("PUT", path, {"openai": {"set": self.canary}})
        self.ask("GET", path)
        self.ask("PUT", path, dict.fromkeys(PROVIDER_NAMES))

    def users(self, provider: FakeProvider, behaviour: str) -> None:
        """A user's key, and an initial one, which its provider greets in some way."""
        name, token = provider.name, token_for()
        provider.behave(self.canary.strip(), behaviour)
        body = {"provider": name, "api_key": self.canary}
        if behaviour == "valid":
            self.ask("POST", "/api/api-keys/set-initial", body)
        self.ask("POST", "/api/api-keys/set", body, token)
        self.ask("POST", "/api/api-keys/set", {**body, "expires_at": self.canary}, token)
        self.ask("POST", f"/api/api-keys/validate/{name}", None, token)
        self.ask("GET", "/api/api-keys/status", None, token)
        self.ask("GET", "/api/api-keys/status-initial")
        self.ask("DELETE", "/api/api-keys/", None, token)
        self.ask("POST", "/api/api-keys/set", body, self.canary.encode().hex())

    def tenants(self, provider: FakeProvider, behaviour: str) -> None:
        """A tenant's key."""
        key = self.canary if self.canary.startswith("sk-") else f"sk-{self.canary}"
        provider.behave(key.strip(), behaviour)
        tenant = {"id": "acme", "name": "Acme", "tier": "pro"}
        ok(self.ask("POST", "/api/v1/tenants", tenant), 201)
        token = token_for(tenant_id="acme")
        self.ask("POST", "/api/v1/tenants/acme/openai-key", {"api_key": key}, token)
        self.ask("POST", "/api/v1/tenants/acme/openai-key", {"api_key": self.canary}, token)
        self.ask("GET", "/api/v1/tenants/acme/openai-key/status", None, token)
        self.ask("DELETE", "/api/v1/tenants/acme")


@pytest.fixture(scope="module")
def rounds() -> Iterator[dict[str, Any]]:
    """Drive every canary through every owner's calls, at level debug, with providers that repeat what they got."""
    said: dict[str, Any] = {}
    with AIProviders() as providers:
        for provider in providers.all():
            provider.echo = True
        env = {**providers.environment(), "JWT_SECRET_KEY": JWT_SECRET}
        with Sidecar(args=("--log-level", "debug"), env=env) as sidecar:
            sidecar.wait_healthy()
            for number, (name, canary) in enumerate(PASSWORDS.items()):
                tour = Round(sidecar, canary)
                tour.servers()
                tour.system()
                for step, behaviour in enumerate(BEHAVIOURS):
                    provider = providers.all()[(number + step) % 4]
                    known = behaviour if behaviour == "valid" or behaviour in _names(provider) else "server_error"
                    tour.users(provider, known)
                    tour.tenants(providers.openai, behaviour)
                ok(tour.ask("GET", "/api/v1/audit"))
                said[name] = {"answers": tour.said, "process": scan_process(sidecar.pid, canary)}
            heard = [request.everything() for request in providers.requests()]
            sidecar.stop()
            for name, canary in PASSWORDS.items():
                said[name] |= {
                    "output": sidecar.stderr_text() + sidecar.stdout_text() + sidecar.log_text(),
                    "files": scan_files(sidecar.directory, canary),
                    "heard": any(canary.strip().encode() in request for request in heard),
                }
            yield said


def _names(provider: FakeProvider) -> list[str]:
    """Which of the behaviours a provider knows."""
    known = []
    for behaviour in BEHAVIOURS[1:]:
        try:
            provider.canned(behaviour)
        except KeyError:
            continue
        known.append(behaviour)
    return known


@pytest.mark.parametrize("name", PASSWORDS)
def test_no_key_shows_anywhere(rounds: dict[str, Any], name: str) -> None:
    """In whatever form it might leak."""
    canary, found = PASSWORDS[name], rounds[name]

    assert [said[:100] for said in found["answers"] if find_canary(said, canary)] == []
    assert find_canary(found["output"], canary) == []
    assert found["files"] == {}
    assert found["process"] == {}


def test_the_keys_went_everywhere(rounds: dict[str, Any]) -> None:
    """Silence means something only if there was something to tell."""
    statuses = {said.split(" ")[2] for found in rounds.values() for said in found["answers"]}

    assert {"200", "201", "204", "400", "401", "402", "404", "503"} <= statuses
    assert sum(found["heard"] for found in rounds.values()) >= 4
    assert "app.services" in next(iter(rounds.values()))["output"]
