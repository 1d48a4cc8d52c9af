"""AI providers and tests of their keys, over HTTP on a real sidecar: verdicts, limits, and what hangs."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.ai_answers import COMMON, REFUSALS
from tests.support.ai_providers import AIProviders, Gate
from tests.support.canaries import find_canary, scan_files
from tests.support.sidecar import CHECKOUT, Sidecar, clean_environment
from tests.support.tokens import JWT_SECRET, token_for
from tests.support.traffic import Pending, Stream, ask_once

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx

    from tests.conftest import SidecarFactory

TEST_KEY = "/api/v1/ai/test-key"
NAMES = ("openai", "anthropic", "google", "deepseek")
SENTENCES = {
    "valid": "The key works.",
    "invalid": "The provider does not know this key.",
}


@pytest.fixture
def providers() -> Iterator[AIProviders]:
    """The four, on their ports."""
    with AIProviders() as running:
        yield running


@pytest.fixture
def sidecar(sidecar_factory: SidecarFactory, providers: AIProviders) -> Sidecar:
    """A ready one, on the embedded database, with the limits of a new process."""
    spawned: Sidecar = sidecar_factory(env=providers.environment(), args=("--log-level", "debug"))
    return spawned.wait_healthy()


def test_key(sidecar: Sidecar, provider: Any, api_key: Any, **more: Any) -> httpx.Response:
    """Ask what a provider says about a key."""
    return sidecar.request("POST", TEST_KEY, json={"provider": provider, "api_key": api_key}, **more)


test_key.__test__ = False  # type: ignore[attr-defined]


# --- verdicts --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_a_genuine_key_works_and_a_random_one_does_not(sidecar: Sidecar, providers: AIProviders, name: str) -> None:
    """The answer tells it in a word, in a sentence and as a claim."""
    genuine, random_key = providers[name].new_key(), providers[name].random_key()

    answers = {key: test_key(sidecar, name, key) for key in (genuine, random_key)}

    for key, valid, status in ((genuine, True, "valid"), (random_key, False, "invalid")):
        assert answers[key].status_code == 200
        assert answers[key].json() == {
            "valid": valid,
            "status": status,
            "message": SENTENCES[status],
            "provider": name,
        }


@pytest.mark.parametrize(
    ("name", "behaviour", "valid", "status"),
    [
        ("openai", "missing_scopes", True, "limited_scope"),
        ("openai", "no_quota", True, "no_quota"),
        ("openai", "rate_limited", True, "rate_limited"),
        ("openai", "address_not_allowed", False, "blocked"),
        ("google", "expired", False, "expired"),
        ("anthropic", "overloaded", None, "provider_error"),
        ("deepseek", "html_401", None, "unknown"),
        ("anthropic", "drop", None, "unreachable"),
    ],
)
def test_what_is_genuine_what_is_not_and_what_is_not_known(
    shared: tuple[Sidecar, AIProviders], name: str, behaviour: str, valid: bool | None, status: str
) -> None:
    """Each status comes with its claim; trouble never says that a key is invalid."""
    sidecar, providers = shared

    answer = test_key(sidecar, name, providers[name].new_key(behaviour))

    assert answer.status_code == 200
    assert (answer.json()["valid"], answer.json()["status"]) == (valid, status)


@pytest.fixture(scope="module")
def shared() -> Iterator[tuple[Sidecar, AIProviders]]:
    """One sidecar for the few requests that several tests make; together they stay below the limit."""
    with AIProviders() as providers, Sidecar(env=providers.environment()) as sidecar:
        sidecar.wait_healthy()
        yield sidecar, providers


def test_blanks_around_a_key_are_dropped(sidecar: Sidecar, providers: AIProviders) -> None:
    """People paste line ends along."""
    key = providers.openai.new_key()

    assert test_key(sidecar, "openai", f"  {key}\r\n").json()["status"] == "valid"
    assert providers.openai.requests[0].api_key == key


def test_a_key_that_no_header_can_hold_is_invalid_and_not_sent(sidecar: Sidecar, providers: AIProviders) -> None:
    """Whatever stands in the middle of it."""
    for key in ("sk-line\nbreak-0123", "sk-ключ-0123456789", "two words 0123456789"):
        answer = test_key(sidecar, "openai", key)
        assert (answer.status_code, answer.json()["status"]) == (200, "invalid")

    assert providers.connections() == 0


def test_nothing_is_stored_and_nothing_tells_the_key(sidecar: Sidecar, providers: AIProviders) -> None:
    """No secret, no audit entry; no trace in files or logs at debug level, though the provider repeats the key."""
    keys = []
    for provider in providers.all():
        provider.echo = True
        keys += [provider.new_key("invalid"), provider.random_key()]
        for key in keys[-2:]:
            answer = test_key(sidecar, provider.name, key)
            assert find_canary(answer.content + repr(answer.headers).encode(), key) == []

    assert sidecar.request("GET", "/api/v1/vault").json()["secrets"] == 0
    assert sidecar.request("GET", "/api/v1/audit").json()["entries"] == []
    assert sidecar.stop() == 0
    for key in keys:
        assert scan_files(sidecar.config_dir, key) == {}
        assert find_canary(sidecar.stderr_text() + sidecar.stdout_text(), key) == []


def test_a_key_can_be_tested_while_there_is_no_database(
    sidecar_factory: SidecarFactory, providers: AIProviders
) -> None:
    """Nothing is stored, so nothing is needed."""
    sidecar = sidecar_factory(env={**providers.environment(), "TASKFLOW_EMBEDDED": "0"})
    sidecar.wait_for_state("setup_required")

    assert test_key(sidecar, "google", providers.google.new_key()).json()["status"] == "valid"


# --- limits ----------------------------------------------------------------------------------------------------------


def test_the_eleventh_test_in_a_minute_is_refused_without_an_outbound_byte(
    sidecar: Sidecar, providers: AIProviders
) -> None:
    """Whatever the first ten came to; requests that validation refuses do not count."""
    for body in (
        {},
        {"provider": "openai"},
        {"provider": "nobody", "api_key": "x"},
        {"provider": "openai", "api_key": " "},
    ):
        assert sidecar.request("POST", TEST_KEY, json=body).status_code == 400
    for number in range(10):
        name = NAMES[number % 4]
        assert test_key(sidecar, name, providers[name].random_key()).status_code == 200
    before = providers.connections()

    refused = test_key(sidecar, "openai", providers.openai.new_key())

    assert refused.status_code == 429
    assert refused.headers["Taskflow-Error-Code"] == "too-many-requests"
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert set(refused.json()) == {"error"}
    assert (providers.connections(), before) == (10, 10)
    assert sidecar.request("POST", TEST_KEY, json={"provider": "openai"}).status_code == 400


def test_everything_that_asks_a_provider_counts_against_one_limit_of_its_caller(
    sidecar_factory: SidecarFactory, providers: AIProviders
) -> None:
    """Tests, tenants' stores, users' sets and validations; a write that is refused so changes nothing."""
    sidecar = sidecar_factory(env={**providers.environment(), "JWT_SECRET_KEY": JWT_SECRET}).wait_healthy()
    tenant = "/api/v1/tenants/acme/openai-key"
    user: dict[str, Any] = {"token": token_for("1", tenant_id="acme")}
    key, refused = providers.openai.new_key(), providers.openai.random_key()
    created = sidecar.request("POST", "/api/v1/tenants", json={"id": "acme", "name": "Acme", "tier": "pro"})
    assert created.status_code == 201, created.text

    def store(api_key: str, **options: Any) -> int:
        return sidecar.request("POST", tenant, json={"api_key": api_key}, **options).status_code

    by_launcher = [store(key), *(store(refused) for _ in range(4))]
    by_launcher += [test_key(sidecar, "openai", key).status_code for _ in range(5)]
    by_user = [store(refused, **user) for _ in range(4)]
    body = {"provider": "openai", "api_key": key}
    by_user += [sidecar.request("POST", "/api/api-keys/set", json=body, **user).status_code for _ in range(3)]
    by_user += [sidecar.request("POST", "/api/api-keys/validate/openai", **user).status_code for _ in range(3)]
    before = providers.connections()

    assert by_launcher == [200] + [402] * 4 + [200] * 5
    assert by_user == [402] * 4 + [200] * 6
    assert (store(key), test_key(sidecar, "openai", key).status_code) == (429, 429)
    assert store(key, **user) == 429
    assert sidecar.request("POST", "/api/api-keys/set", json=body, **user).status_code == 429
    assert sidecar.request("POST", "/api/api-keys/validate/openai", **user).status_code == 429
    assert store("no such form", **user) == 400
    assert providers.connections() == before
    status = sidecar.request("GET", f"{tenant}/status").json()
    assert (status["hint"][-4:], status["status"]) == (key[-4:], "valid")


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({}, "provider: Field required"),
        ({"api_key": "sk-1234567890"}, "provider: Field required"),
        (
            {"provider": "OpenAI", "api_key": "sk-1234567890"},
            "provider: Input should be 'openai', 'anthropic', 'google' or 'deepseek'",
        ),
        ({"provider": "openai"}, "api_key: Field required"),
        ({"provider": "openai", "api_key": None}, "api_key: field cannot be null"),
        ({"provider": "openai", "api_key": "  "}, "api_key: field cannot be blank"),
        ({"provider": "openai", "api_key": 7}, "api_key: Input should be a valid string"),
        ({"provider": "openai", "api_key": "x" * 513}, "api_key: String should have at most 512 characters"),
        ({"provider": "openai", "api_key": "sk\0"}, "api_key: Input should not contain NUL characters"),
    ],
)
def test_the_first_broken_rule_is_told(
    shared: tuple[Sidecar, AIProviders], body: dict[str, Any], sentence: str
) -> None:
    """In the order of the schema, and without what was sent."""
    sidecar, _ = shared

    answer = sidecar.request("POST", TEST_KEY, json=body)

    assert (answer.status_code, answer.json()) == (400, {"error": sentence})


def test_the_launch_token_is_needed(shared: tuple[Sidecar, AIProviders]) -> None:
    """Nobody else tests keys, or learns where providers are."""
    sidecar, providers = shared
    before = providers.connections()

    assert test_key(sidecar, "openai", "sk-1234567890", token="wrong").status_code == 401
    assert sidecar.request("GET", "/api/v1/providers", token="").status_code == 401
    assert providers.connections() == before


# --- what hangs ------------------------------------------------------------------------------------------------------


def test_a_hanging_provider_holds_up_nothing_else(sidecar: Sidecar, providers: AIProviders) -> None:
    """Neither health nor data calls, nor tests with the other providers."""
    gate = providers.openai.hold = Gate()
    body = {"provider": "openai", "api_key": providers.openai.new_key()}
    hanging = [Pending(sidecar, "POST", TEST_KEY, body) for _ in range(8)]
    providers.openai.wait_for_request(len(hanging))

    with Stream(sidecar, "GET", "/health") as health, Stream(sidecar, "GET", "/api/v1/members", clients=4) as members:
        other = ask_once(sidecar, "POST", TEST_KEY, {"provider": "google", "api_key": providers.google.new_key()})
        members.wait_for(200, since=other.answered_at)
        health.wait_for(200, since=other.answered_at)

    assert other.status == 200
    assert health.statuses() == members.statuses() == {200}
    assert not any(request.is_answered for request in hanging)
    gate.open()
    assert [request.answer().status for request in hanging] == [200] * len(hanging)


@pytest.mark.parametrize("manner", ["hang", "drip", "drip_headers"])
def test_a_test_ends_within_ten_seconds(shared_slow: dict[str, tuple[float, dict[str, Any]]], manner: str) -> None:
    """Though bytes keep dripping; the verdict says nothing about the key."""
    elapsed_s, verdict = shared_slow[manner]

    assert 5 < elapsed_s < 10
    assert (verdict["valid"], verdict["status"]) == (None, "unreachable")


@pytest.fixture(scope="module")
def shared_slow() -> Iterator[dict[str, tuple[float, dict[str, Any]]]]:
    """Tests with providers that never end, side by side: how long each took, and what it came to."""
    manners = ("hang", "drip", "drip_headers")
    with AIProviders() as providers, Sidecar(env=providers.environment()) as sidecar:
        sidecar.wait_healthy()
        pending = {
            manner: Pending(
                sidecar, "POST", TEST_KEY, {"provider": "openai", "api_key": providers.openai.new_key(manner)}
            )
            for manner in manners
        }
        answers = {manner: request.answer() for manner, request in pending.items()}
        yield {manner: (answer.elapsed_s, json.loads(answer.body)) for manner, answer in answers.items()}


def test_a_stop_is_not_held_up(sidecar: Sidecar, providers: AIProviders) -> None:
    """A check under way gets the grace period of every request, and no more."""
    pending = Pending(sidecar, "POST", TEST_KEY, {"provider": "openai", "api_key": providers.openai.new_key("hang")})
    providers.openai.wait_for_request()
    began = time.monotonic()

    assert sidecar.stop() == 0

    assert time.monotonic() - began < 7
    assert pending.answer().status == 503


# --- providers -------------------------------------------------------------------------------------------------------


def test_providers_are_listed_with_where_they_are(
    shared: tuple[Sidecar, AIProviders], sidecar_factory: SidecarFactory
) -> None:
    """From the environment, or else their own."""
    sidecar, providers = shared
    elsewhere = sidecar_factory(env={"OPENAI_BASE_URL": "https://relay.example/openai/v1/"}).wait_healthy()

    listed = sidecar.request("GET", "/api/v1/providers").json()["items"]
    by_default = elsewhere.request("GET", "/api/v1/providers").json()["items"]

    assert [(item["name"], item["base_url"]) for item in listed] == list(providers.urls().items())
    assert [item["label"] for item in listed] == ["OpenAI", "Anthropic", "Google", "DeepSeek"]
    assert all(item["keys_url"].startswith("https://") for item in listed)
    assert {item["name"]: item["base_url"] for item in by_default} == {
        "openai": "https://relay.example/openai",
        "anthropic": "https://api.anthropic.com",
        "google": "https://generativelanguage.googleapis.com",
        "deepseek": "https://api.deepseek.com",
    }


def test_the_way_to_ready_does_not_load_what_only_checks_need(tmp_path: Path) -> None:
    """HTTP and TLS come with the first check, or with the first call through the gateway."""
    names = ("httpx", "httpcore", "certifi", "urllib.request")
    program = f"import sys, app.main, app.parts.secrets; print([name for name in {names} if name in sys.modules])"

    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=clean_environment(tmp_path), cwd=CHECKOUT
    )

    assert (run.stdout.strip(), run.stderr) == ("[]", "")


def test_the_test_server_knows_what_is_asked_of_it() -> None:
    """A misspelled behaviour would otherwise show as a strange verdict."""
    assert all(set(answers).isdisjoint({"hang", "drip"}) for answers in REFUSALS.values())
    assert {"hang", "drip", "drip_headers"} <= set(COMMON)
