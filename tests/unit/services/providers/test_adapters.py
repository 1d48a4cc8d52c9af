"""What each answer of each provider says about a key: over real HTTP, from the request to the verdict."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from app.core.config import Config
from app.services.ai_keys.checks import KeyChecks
from app.services.providers import PROVIDERS, base_url, origin_of, provider_of
from app.services.providers.base import REFUSED, USABLE, Verdict
from app.services.vault.rows import SecretName
from tests.support.ai_answers import COMMON, REFUSALS, Canned
from tests.support.ai_providers import AIProviders

if TYPE_CHECKING:
    from collections.abc import Iterator

NAMES = tuple(PROVIDERS)

CELLS: dict[str, dict[str, str]] = {
    "openai": {
        "invalid": "invalid",
        "revoked": "invalid",
        "expired": "invalid",
        "missing_scopes": "limited_scope",
        "address_not_allowed": "blocked",
        "country": "blocked",
        "no_quota": "no_quota",
        "credit_exhausted": "no_quota",
        "spend_limit": "no_quota",
        "rate_limited": "rate_limited",
        "no_key": "unknown",
    },
    "anthropic": {
        "invalid": "invalid",
        "revoked": "invalid",
        "expired": "invalid",
        "permission": "limited_scope",
        "no_quota": "no_quota",
        "credit_too_low": "no_quota",
        "spend_limit": "no_quota",
        "rate_limited": "rate_limited",
        "overloaded": "provider_error",
        "no_key": "invalid",
    },
    "google": {
        "invalid": "invalid",
        "revoked": "invalid",
        "expired": "expired",
        "leaked": "blocked",
        "permission": "limited_scope",
        "failed_precondition": "blocked",
        "bad_argument": "unknown",
        "resource_exhausted": "rate_limited",
        "unavailable": "provider_error",
        "no_key": "unknown",
    },
    "deepseek": {
        "invalid": "invalid",
        "revoked": "invalid",
        "expired": "invalid",
        "invalid_as_openai": "invalid",
        "no_quota": "no_quota",
        "rate_limited": "rate_limited",
        "no_key": "invalid",
    },
}
"""The verdict on each answer that only one provider gives."""

EVERYWHERE: dict[str, str] = {
    "html_200": "unknown",
    "html_400": "unknown",
    "html_401": "unknown",
    "html_402": "unknown",
    "html_403": "unknown",
    "html_404": "unknown",
    "html_429": "unknown",
    "html_500": "provider_error",
    "html_502": "provider_error",
    "html_503": "provider_error",
    "server_error": "provider_error",
    "bad_gateway": "provider_error",
    "unavailable": "provider_error",
    "gateway_timeout": "provider_error",
    "not_found": "unknown",
    "garbage": "unknown",
    "garbage_401": "unknown",
    "json_401": "unknown",
    "json_403": "unknown",
    "other_json": "unknown",
    "list_200": "unknown",
    "deeply_nested": "unknown",
    "empty_200": "unknown",
    "redirect": "unknown",
    "proxy_authentication": "unreachable",
    "drop": "unreachable",
    "cut": "unreachable",
}
"""The verdict on what any provider, or something in between, may answer; hanging and dripping are tested apart."""

SLOW = ("hang", "drip", "drip_headers")


@pytest.fixture(scope="module")
def providers() -> Iterator[AIProviders]:
    """The four, on their ports."""
    with AIProviders() as running:
        yield running


def checks_with(providers: AIProviders) -> KeyChecks:
    """The product's checks, with the test server in the providers' place."""
    return KeyChecks(config(provider_urls=providers.urls()))


def config(**options: Any) -> Config:
    """A configuration; no file is touched."""
    return Config(config_dir=Path("unused"), data_dir=Path("unused"), **options)


@pytest.fixture(scope="module")
def checks(providers: AIProviders) -> KeyChecks:
    """Checks against the test server."""
    return checks_with(providers)


def verdict_on(checks: KeyChecks, name: str, key: str) -> Verdict:
    """Ask about a key, without a limit."""
    return checks.begin(name, key).verdict()


def test_the_tables_leave_no_answer_out() -> None:
    """Every answer that the test server knows has a verdict here."""
    assert {name: set(answers) for name, answers in REFUSALS.items()} == {
        name: set(verdicts) for name, verdicts in CELLS.items()
    }
    assert set(COMMON) == set(EVERYWHERE) | set(SLOW)


@pytest.mark.parametrize(
    ("name", "behaviour", "status"),
    [
        pytest.param(name, behaviour, status, id=f"{name}-{behaviour}")
        for name in NAMES
        for behaviour, status in {**EVERYWHERE, **CELLS[name]}.items()
    ],
)
def test_each_answer_means_its_verdict(
    providers: AIProviders, checks: KeyChecks, name: str, behaviour: str, status: str
) -> None:
    """The verdict, and nothing of the provider's text in it, even where that repeats the key."""
    provider = providers[name]
    for echoes in (False, True):
        provider.echo = echoes
        key = provider.new_key(behaviour)

        found = verdict_on(checks, name, key)

        assert found.status == status
        assert key not in repr(found) + found.message
        assert len(provider.received(key)) == 1
        assert len(found.evidence) < 40
    provider.echo = False


@pytest.mark.parametrize("name", NAMES)
def test_a_random_key_is_refused_and_a_genuine_one_is_not(providers: AIProviders, checks: KeyChecks, name: str) -> None:
    """The request that is sent is one that only a genuine key gets answered."""
    random_key, genuine = providers[name].random_key(), providers[name].new_key()

    assert verdict_on(checks, name, random_key).valid is False
    assert verdict_on(checks, name, genuine) == Verdict("valid", "listed")
    assert verdict_on(checks, name, genuine[:-1]).valid is False


REQUESTS = {
    "openai": ("/v1/models", {"authorization": "Bearer {}"}),
    "anthropic": ("/v1/models?limit=1", {"x-api-key": "{}", "anthropic-version": "2023-06-01"}),
    "google": ("/v1beta/models?pageSize=1", {"x-goog-api-key": "{}"}),
    "deepseek": ("/v1/models", {"authorization": "Bearer {}"}),
}


@pytest.mark.parametrize("name", NAMES)
def test_a_check_is_one_get_that_spends_nothing(providers: AIProviders, checks: KeyChecks, name: str) -> None:
    """Method, target, the key's header and no other trace of the key."""
    key = providers[name].new_key()

    verdict_on(checks, name, key)

    (request,) = providers[name].received(key)
    target, headers = REQUESTS[name]
    assert (request.method, request.target, request.body) == ("GET", target, b"")
    assert {header: request.header(header) for header in headers} == {
        header: value.format(key) for header, value in headers.items()
    }
    assert request.everything().count(key.encode()) == 1


@pytest.mark.parametrize("name", NAMES)
def test_a_redirect_is_not_followed(providers: AIProviders, checks: KeyChecks, name: str) -> None:
    """Neither with the key nor without it, and whichever status says so."""
    for status in (301, 302, 303, 307, 308):
        key = providers[name].new_key(Canned(status, headers={"Location": f"{providers.openai.url}/redirected"}))

        assert verdict_on(checks, name, key) == Verdict("unknown", f"http-{status}")

    assert [request for request in providers.requests() if request.path == "/redirected"] == []


OTHER_WORDS = [
    ("openai", 403, {"message": "Missing scopes: model.read", "type": "invalid_request_error"}, "limited_scope"),
    ("openai", 403, {"message": "No access to this model.", "type": "invalid_request_error"}, "limited_scope"),
    ("openai", 403, {"message": "Something new", "type": "something_new"}, "unknown"),
    ("openai", 401, {"message": "Your IP address is not allowed.", "code": None}, "blocked"),
    ("openai", 401, {"message": "Your account is deactivated.", "code": "account_deactivated"}, "blocked"),
    ("openai", 401, {"message": "Something else", "code": None}, "unknown"),
    ("openai", 401, {"message": ["no text"], "code": 401}, "unknown"),
    ("openai", 429, {"message": "Not active", "type": "billing_not_active", "code": "billing_not_active"}, "no_quota"),
    ("openai", 429, {"type": "insufficient_quota", "code": "organization_spend_limit_exceeded"}, "no_quota"),
    ("openai", 500, {"type": "insufficient_quota", "code": "invalid_api_key"}, "provider_error"),
    ("anthropic", 401, {"type": "something_else", "message": "..."}, "unknown"),
    ("anthropic", 403, {"type": "forbidden", "message": "Request not allowed"}, "blocked"),
    ("anthropic", 400, {"type": "invalid_request_error", "message": "max_tokens: Field required"}, "unknown"),
    ("anthropic", 400, {"type": "invalid_request_error", "message": "This organization has been disabled."}, "blocked"),
    (
        "anthropic",
        400,
        {"type": "invalid_request_error", "message": "...", "details": {"error_code": "organization_on_hold"}},
        "blocked",
    ),
    (
        "anthropic",
        429,
        {"type": "rate_limit_error", "details": {"error_code": "contract_spend_limit_reached"}},
        "no_quota",
    ),
    ("anthropic", 429, {"type": "enforced_spend_limit_reached"}, "no_quota"),
    ("anthropic", 429, {"type": "rate_limit_error", "details": {"error_code": "ramp_limit_exceeded"}}, "rate_limited"),
    ("anthropic", 500, {"type": "api_error", "message": "credit balance"}, "provider_error"),
    ("google", 400, {"status": "INVALID_ARGUMENT", "message": "API key not valid."}, "unknown"),
    ("google", 403, {"status": "PERMISSION_DENIED", "details": [{"reason": "CONSUMER_SUSPENDED"}]}, "blocked"),
    ("google", 403, {"status": "PERMISSION_DENIED", "details": [{"reason": "API_KEY_IP_ADDRESS_BLOCKED"}]}, "blocked"),
    ("google", 403, {"status": "PERMISSION_DENIED", "details": ["no object"]}, "limited_scope"),
    ("google", 401, {"status": "UNAUTHENTICATED", "details": [{"reason": "API_KEY_INVALID"}]}, "invalid"),
    ("google", 401, {"status": "UNAUTHENTICATED", "message": "..."}, "unknown"),
    ("deepseek", 401, {"message": "Missing scopes: x", "type": "invalid_request_error"}, "limited_scope"),
    ("deepseek", 429, {"type": "insufficient_quota"}, "no_quota"),
]


@pytest.mark.parametrize(("name", "http_status", "error", "status"), OTHER_WORDS)
def test_other_forms_of_the_same_answers(name: str, http_status: int, error: dict[str, Any], status: str) -> None:
    """Older and newer wordings; what is not specific says nothing."""
    body = json.dumps({"type": "error", "error": error}).encode()

    assert PROVIDERS[name].verdict(http_status, body).status == status


def test_an_error_of_a_stream_that_is_a_list_is_read() -> None:
    """Google's streams answer with a list, errors included."""
    body = b"[" + REFUSALS["google"]["invalid"].body + b"]"

    assert PROVIDERS["google"].verdict(400, body).status == "invalid"


def test_validity_follows_from_the_status() -> None:
    """Genuine, refused, or not known; each with a sentence of its own."""
    statuses = [*USABLE, *REFUSED, "unreachable", "provider_error", "unknown"]
    verdicts = [Verdict(status, "evidence") for status in statuses]  # type: ignore[arg-type]

    assert [verdict.valid for verdict in verdicts] == [True] * 4 + [False] * 3 + [None] * 3
    assert len({verdict.message for verdict in verdicts}) == len(statuses)


# --- whose key a secret is, and where it goes ------------------------------------------------------------------------


def test_secrets_that_are_keys_of_providers_are_known_by_owner_and_name() -> None:
    """The initial keys belong to the system; other owners and other names have nothing to do with providers."""
    assert provider_of(SecretName("tenant", "acme", "openai")) is PROVIDERS["openai"]
    assert provider_of(SecretName("system", "default", "initial:google")) is PROVIDERS["google"]
    assert provider_of(SecretName("tenant", "acme", "initial:google")) is None
    assert provider_of(SecretName("camera", "1", "openai")) is None
    assert provider_of(SecretName("user", "1", "password")) is None


def test_the_base_url_of_the_environment_wins_and_paths_are_kept() -> None:
    """A relay below a path is reached there; keys are pinned to its origin."""
    relayed = config(provider_urls={"openai": "https://relay.example:8443/openai"})
    provider = PROVIDERS["openai"]

    assert base_url(provider, relayed) == "https://relay.example:8443/openai"
    assert origin_of(provider, relayed) == "https://relay.example:8443"
    assert base_url(provider, config()) == origin_of(provider, config()) == "https://api.openai.com"
