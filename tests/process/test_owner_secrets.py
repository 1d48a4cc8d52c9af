"""Secrets of all owners show nowhere: answers, logs, files, the database; nor when a provider repeats them."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

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

    def gateway(self, provider: FakeProvider, behaviour: str) -> None:
        """A key at work, whose provider repeats it in all that it answers."""
        provider.behave(self.canary.strip(), behaviour)
        self.ask("PUT", "/api/v1/settings/ai-keys", {provider.name: self.canary})
        path = f"/ai-gateway/system/default/{provider.name}"
        self.ask("GET", f"{path}/v1/models")
        self.ask("POST", f"{path}/v1/chat/completions", {"model": "m", "messages": [], "stream": True})
        self.ask("GET", f"{path}/v1/models", None, token_for("somebody"))
        self.ask("GET", "/api/v1/usage")
        self.ask("PUT", "/api/v1/settings/ai-keys", {provider.name: None})

    def tests_of_keys(self, provider: FakeProvider) -> None:
        """A key that is only tested."""
        self.ask("POST", "/api/v1/ai/test-key", {"provider": provider.name, "api_key": self.canary})
        self.ask("POST", "/api/v1/ai/test-key", {"provider": self.canary, "api_key": self.canary})

    def cameras(self) -> None:
        """A camera's password, in its field and in the URL."""
        url = f"http://user:{quote(self.canary, safe='')}@127.0.0.1:9/live"
        body = {"name": "Gate", "stream_url": "rtsp://127.0.0.1:9/live", "username": "u", "password": self.canary}
        for wrong in (
            {"active": self.canary},
            {"stream_url": f"ftp://u:{self.canary}@h/"},
            {"username": [self.canary]},
        ):
            self.ask("POST", "/api/v1/cameras", {**body, **wrong})
        self.ask("POST", "/api/v1/cameras/test", body)
        self.ask("POST", "/api/v1/cameras/test", {"stream_url": url})
        for given in (body, {"name": "Yard", "stream_url": url}):
            camera = ok(self.ask("POST", "/api/v1/cameras", given), 201)["id"]
            self.ask("POST", f"/api/v1/cameras/{camera}/test")
            self.ask("PATCH", f"/api/v1/cameras/{camera}", {"password": self.canary, "name": ""})
            self.ask("GET", "/api/v1/cameras")
            self.ask("DELETE", f"/api/v1/cameras/{camera}")

    def alert_rules(self) -> None:
        """The values of a webhook's headers."""
        webhook: dict[str, Any] = {"url": "http://127.0.0.1:9/hook", "allow_private": True}
        for headers in (
            {"X-Token": self.canary},
            {"X-Token": [self.canary]},
            {"Authorization": f"Bearer {self.canary}"},
        ):
            rule = {"name": "Fire", "enabled": True, "actions": {"webhook": {**webhook, "headers": headers}}}
            answer = self.ask("POST", "/api/v1/alert-rules", rule)
            if answer.status_code == 201:
                path = f"/api/v1/alert-rules/{answer.json()['id']}"
                self.ask("POST", f"{path}/trigger", {"event": {"kind": "fire"}})
                self.ask("GET", path)
                self.ask("DELETE", path)

    def vault(self) -> None:
        """Writes of many secrets at once, and what is told of all of them."""
        which = {"owner_kind": "tenant", "owner_id": "bulk", "name": "openai"}
        for operation in (
            {"op": "set", "secret": self.canary},
            {"op": self.canary},
            {"op": "set", "secret": [self.canary]},
        ):
            self.ask("POST", "/api/v1/vault/bulk", {"operations": [{**which, **operation}]})
        self.ask("POST", "/api/v1/vault/unlock", {"encryption_key": self.canary})
        self.ask("POST", "/api/v1/vault/unlock", {"recovery_code": self.canary})
        ok(self.ask("POST", "/api/v1/vault/rotate"), 202)
        self.ask("GET", "/api/v1/vault")
        self.ask("POST", "/api/v1/vault/bulk", {"operations": [{**which, "op": "delete"}]})


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
                for step in (0, 1 + number % 5, 1 + (number + 2) % 5):  # in turn: every provider gets to each of them
                    behaviour = BEHAVIOURS[step]
                    provider = providers.all()[(number + step) % 4]
                    known = behaviour if behaviour == "valid" or behaviour in _names(provider) else "server_error"
                    tour.users(provider, known)
                    tour.tenants(providers.openai, behaviour)
                    tour.gateway(provider, known)
                tour.tests_of_keys(providers.openai)
                tour.cameras()
                tour.alert_rules()
                tour.vault()
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

    assert {"200", "201", "202", "204", "400", "401", "402", "403", "404", "503"} <= statuses
    assert sum(found["heard"] for found in rounds.values()) >= 4
    assert "app.services" in next(iter(rounds.values()))["output"]
