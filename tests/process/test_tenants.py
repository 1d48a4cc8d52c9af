"""Tenants: their life, who may do what, and OpenAI keys that are checked before they take the place of another."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from app.core.exceptions import NotFoundError
from app.core.validation import UNSET
from app.schemas.keys import KeyWrite
from app.services.ai_keys.checks import KeyChecks
from app.services.owners.tenants import Tenants
from app.services.vault.rows import SecretExpiredError, SecretName, SecretUnreadableError
from tests.support.ai_providers import AIProviders
from tests.support.owners import (
    LOOKS_ENCRYPTED,
    actions,
    allow_audit,
    ciphertexts,
    count_owner_rows,
    error_of,
    held_back,
    inside_of,
    ok,
    refuse_audit,
    swap,
)
from tests.support.sidecar import Sidecar
from tests.support.tokens import JWT_SECRET, token_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from tests.support.ai_providers import FakeProvider
    from tests.support.databases import Backend
    from tests.support.vaults import Desktop

PATH = "/api/v1/tenants"
ACME = {"id": "acme", "name": "Acme", "tier": "pro"}
NO_KEY = {"has_key": False, "hint": None, "status": None, "last_validated_at": None}
FUTURE = "2099-01-01T00:00:00.000000Z"


@pytest.fixture
def sidecar(ai_backend: Backend) -> Sidecar:
    """The shared sidecar, without tenants."""
    return ai_backend.sidecar


@pytest.fixture
def acme(sidecar: Sidecar) -> str:
    """A tenant; returns a token of it, of a user that nobody knew before."""
    create(sidecar)
    return token_for(tenant_id="acme")


@pytest.fixture
def openai(shared_providers: AIProviders) -> FakeProvider:
    """OpenAI."""
    return shared_providers.openai


def create(sidecar: Sidecar, tenant_id: str = "acme", **more: Any) -> dict[str, Any]:
    """Add a tenant."""
    tenant: dict[str, Any] = ok(sidecar.request("POST", PATH, json={**ACME, "id": tenant_id, **more}), 201)
    return tenant


def store(
    sidecar: Sidecar, api_key: object, *, token: str | None = None, tenant_id: str = "acme", **more: Any
) -> httpx.Response:
    """Store a tenant's key."""
    body = {"api_key": api_key, **more}
    return sidecar.request("POST", f"{PATH}/{tenant_id}/openai-key", json=body, token=token)


def status(sidecar: Sidecar, tenant_id: str = "acme") -> dict[str, Any]:
    """What is known of a tenant's key."""
    told: dict[str, Any] = ok(sidecar.request("GET", f"{PATH}/{tenant_id}/openai-key/status"))
    return told


def use(backend: Backend, tenant_id: str = "acme") -> str | None:
    """Open a tenant's key as whoever uses it does."""
    with inside_of(backend) as inside:
        return inside.use(SecretName("tenant", tenant_id, "openai"))


# --- tenants ---------------------------------------------------------------------------------------------------------


def test_a_tenant_lives(sidecar: Sidecar) -> None:
    """Added, read, listed, changed, deleted, added again."""
    tenant = {**ACME, "trial_limit": 100, "trial_tokens": 200_000}
    assert ok(sidecar.request("GET", PATH)) == []

    assert create(sidecar) == tenant
    assert ok(sidecar.request("GET", f"{PATH}/acme")) == tenant
    assert error_of(sidecar.request("POST", PATH, json={**ACME, "name": "Other"})) == (
        409,
        "conflict",
        "Tenant with this id already exists",
    )
    create(sidecar, "Acme", tier="trial")
    create(sidecar, "1", tier="enterprise")
    assert [found["id"] for found in ok(sidecar.request("GET", PATH))] == ["1", "Acme", "acme"]

    changed = {**tenant, "name": "Acme & Sons", "tier": "trial", "trial_limit": 3}
    assert ok(sidecar.request("PATCH", f"{PATH}/acme", json={"name": " Acme & Sons ", "tier": "trial"})) == {
        **changed,
        "trial_limit": 100,
        "trial_tokens": 200_000,
    }
    assert ok(sidecar.request("PATCH", f"{PATH}/acme", json={"trial_limit": 3, "id": "other"})) == changed
    assert ok(sidecar.request("PATCH", f"{PATH}/acme", json={})) == changed

    assert sidecar.request("DELETE", f"{PATH}/acme").status_code == 204
    for method, body in (("GET", None), ("PATCH", {}), ("DELETE", None)):
        answer = sidecar.request(method, f"{PATH}/acme", json=body)
        assert error_of(answer) == (404, "not-found", "Tenant not found")
    assert create(sidecar) == tenant


@pytest.mark.rules
@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"id": None}, "id: field cannot be null"),
        ({"id": ""}, "id: String should be 1 to 64 letters, digits, hyphens or underscores"),
        ({"id": "a b"}, "id: String should be 1 to 64 letters, digits, hyphens or underscores"),
        ({"id": "é"}, "id: String should be 1 to 64 letters, digits, hyphens or underscores"),
        ({"id": "a\n"}, "id: String should be 1 to 64 letters, digits, hyphens or underscores"),
        ({"id": "a" * 65}, "id: String should be 1 to 64 letters, digits, hyphens or underscores"),
        ({"id": 1}, "id: Input should be a valid string"),
        ({"name": " "}, "name: field cannot be blank"),
        ({"name": "a" * 101}, "name: String should have at most 100 characters"),
        ({"name": "a\x00"}, "name: Input should not contain NUL characters"),
        ({"tier": "gold"}, "tier: Input should be 'trial', 'pro' or 'enterprise'"),
        ({"tier": "Trial"}, "tier: Input should be 'trial', 'pro' or 'enterprise'"),
        ({"name": "", "tier": ""}, "name: field cannot be blank"),
    ],
)
def test_a_broken_rule_is_named(sidecar: Sidecar, body: dict[str, Any], sentence: str) -> None:
    """The first in the order of the schema; what is missing is required, but for changes."""
    assert error_of(sidecar.request("POST", PATH, json={**ACME, **body})) == (400, "validation", sentence)
    field = next(name for name in ACME if name in body)
    missing = {name: value for name, value in ACME.items() if name != field}
    assert error_of(sidecar.request("POST", PATH, json=missing))[2] == f"{field}: Field required"
    if "id" not in body:
        assert error_of(sidecar.request("PATCH", f"{PATH}/nobody", json=body)) == (400, "validation", sentence)
    assert ok(sidecar.request("GET", PATH)) == []


@pytest.mark.parametrize(
    ("limit", "sentence"),
    [
        (-1, "trial_limit: Input should be greater than or equal to 0"),
        (10**6 + 1, "trial_limit: Input should be less than or equal to 1000000"),
        (1.5, "trial_limit: Input should be a valid integer"),
        (True, "trial_limit: Input should be a valid integer"),
        (None, "trial_limit: field cannot be null"),
    ],
)
@pytest.mark.in_turn
def test_limits_are_whole_numbers(sidecar: Sidecar, acme: str, limit: object, sentence: str) -> None:
    """From none at all to a million."""
    assert error_of(sidecar.request("PATCH", f"{PATH}/acme", json={"trial_limit": limit}))[2] == sentence
    for sound in (0, 10**6):
        assert ok(sidecar.request("PATCH", f"{PATH}/acme", json={"trial_limit": sound}))["trial_limit"] == sound


@pytest.mark.parametrize("tenant_id", ["a" * 65, "a%20b", "a.b", "%C3%A9", "a%0A"])
@pytest.mark.in_turn
def test_unsound_ids_in_the_path(sidecar: Sidecar, tenant_id: str) -> None:
    """400 from every call, before anything else is looked at."""
    calls = [(method, "") for method in ("GET", "PATCH", "DELETE")]
    calls += [("POST", "/openai-key"), ("GET", "/openai-key/status"), ("DELETE", "/openai-key")]
    for method, rest in calls:
        answer = sidecar.request(method, f"{PATH}/{tenant_id}{rest}", json={} if method in ("PATCH", "POST") else None)
        sentence = "path.id: String should be 1 to 64 letters, digits, hyphens or underscores"
        assert error_of(answer) == (400, "validation", sentence), (method, rest)


def test_first_tenants_at_once(sidecar: Sidecar) -> None:
    """One of them is created, the others are told."""
    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda _: sidecar.request("POST", PATH, json=ACME).status_code, range(8)))

    assert sorted(statuses) == [201, *[409] * 7]


# --- the OpenAI key --------------------------------------------------------------------------------------------------


def test_a_key_lives(ai_backend: Backend, sidecar: Sidecar, acme: str, openai: FakeProvider) -> None:
    """Stored, told of, used, replaced, deleted, stored again, restarted, and used again."""
    first, second = openai.new_key(), openai.new_key()
    assert status(sidecar) == NO_KEY

    assert ok(store(sidecar, f" {first}\n", token=acme)) == {"status": "stored", "hint": f"…{first[-4:]}"}
    told = status(sidecar)
    assert told.pop("last_validated_at") is not None
    assert told == {"has_key": True, "hint": f"…{first[-4:]}", "status": "valid"}
    assert use(ai_backend) == first
    assert len(openai.received(first)) == 1

    assert ok(store(sidecar, second, token=acme))["hint"] == f"…{second[-4:]}"
    assert use(ai_backend) == second

    assert sidecar.request("DELETE", f"{PATH}/acme/openai-key").status_code == 204
    assert status(sidecar) == NO_KEY
    assert error_of(sidecar.request("DELETE", f"{PATH}/acme/openai-key"))[:2] == (404, "not-found")
    assert use(ai_backend) is None

    ok(store(sidecar, first, token=acme))
    sidecar.stop()
    sidecar.start().wait_healthy()
    assert status(sidecar)["status"] == "valid"
    assert use(ai_backend) == first


@pytest.mark.rules
@pytest.mark.parametrize("had", ["nothing", "a key"])
@pytest.mark.parametrize(
    ("behaviour", "expected"),
    [
        ("invalid", (402, "key-rejected")),
        ("revoked", (402, "key-rejected")),
        ("address_not_allowed", (402, "key-rejected")),
        ("country", (402, "key-rejected")),
        ("no_quota", (402, "no-quota")),
        ("credit_exhausted", (402, "no-quota")),
        ("spend_limit", (402, "no-quota")),
        ("server_error", (503, "provider-unreachable")),
        ("unavailable", (503, "provider-unreachable")),
        ("html_200", (503, "provider-unreachable")),
        ("html_401", (503, "provider-unreachable")),
        ("html_403", (503, "provider-unreachable")),
        ("garbage", (503, "provider-unreachable")),
        ("redirect", (503, "provider-unreachable")),
        ("drop", (503, "provider-unreachable")),
    ],
)
def test_a_refused_key_leaves_the_old_one(
    ai_backend: Backend,
    sidecar: Sidecar,
    acme: str,
    openai: FakeProvider,
    behaviour: str,
    expected: tuple[int, str],
    had: str,
) -> None:
    """Working, untouched to the last byte, with what was known of it; where there was none, none is stored."""
    old = openai.new_key() if had == "a key" else None
    if old is not None:
        ok(store(sidecar, old, token=acme))
    before, at_rest = status(sidecar), ciphertexts(ai_backend)
    key = openai.new_key(behaviour)

    answer = store(sidecar, key, token=acme)

    assert error_of(answer)[:2] == expected
    assert ("Retry-After" in answer.headers) is (expected[0] == 503)
    assert key[-8:] not in answer.text
    assert status(sidecar) == before
    assert ciphertexts(ai_backend) == at_rest
    assert use(ai_backend) == old


@pytest.mark.parametrize(
    ("behaviour", "verdict"), [("missing_scopes", "limited_scope"), ("rate_limited", "rate_limited")]
)
@pytest.mark.in_turn
def test_a_genuine_key_is_stored(
    ai_backend: Backend, sidecar: Sidecar, acme: str, openai: FakeProvider, behaviour: str, verdict: str
) -> None:
    """Though it lacks a right, or is throttled at the moment."""
    key = openai.new_key(behaviour)

    assert ok(store(sidecar, key, token=acme))["status"] == "stored"
    assert status(sidecar)["status"] == verdict
    assert use(ai_backend) == key


def test_openai_that_is_away_leaves_the_old_key() -> None:
    """Nobody listens at its address; and one that does not answer is given up after ten seconds."""
    with AIProviders() as providers, Sidecar(env={**providers.environment(), "JWT_SECRET_KEY": JWT_SECRET}) as sidecar:
        create(sidecar.wait_healthy())
        key = providers.openai.new_key("valid")
        ok(store(sidecar, key))
        before = status(sidecar)

        assert error_of(store(sidecar, providers.openai.new_key("hang")))[:2] == (503, "provider-unreachable")
        providers.openai.close()
        assert error_of(store(sidecar, providers.openai.new_key()))[:2] == (503, "provider-unreachable")

        assert status(sidecar) == before


@pytest.mark.rules
@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({}, "api_key: Field required"),
        ({"api_key": None}, "api_key: field cannot be null"),
        ({"api_key": ""}, "api_key: field cannot be blank"),
        ({"api_key": "CASSOWARY"}, "api_key: String should start with sk-"),
        ({"api_key": "SK-CASSOWARY"}, "api_key: String should start with sk-"),
        ({"api_key": " sk- "}, "api_key: String should start with sk- and go on"),
        ({"api_key": "encrypted:sk-CASSOWARY"}, "api_key: String should start with sk-"),
        ({"api_key": {"set": True}}, "api_key: Input should be a valid string"),
        ({"api_key": "sk-" + "x" * 8190}, "api_key: String should have at most 8192 characters"),
        ({"api_key": "sk-\x00"}, "api_key: Input should not contain NUL characters"),
        ({"api_key": "sk-C", "expires_at": "2020-01-01T00:00:00Z"}, "expires_at: Input should be in the future"),
    ],
)
def test_an_unsound_key_is_not_sent(
    sidecar: Sidecar, acme: str, openai: FakeProvider, body: dict[str, Any], sentence: str
) -> None:
    """400, also for a tenant that nobody knows; neither OpenAI nor the limit hears of it."""
    connections = openai.connections
    for tenant_id, token in [("acme", acme)] * 11 + [("nobody", sidecar.token)]:
        answer = sidecar.request("POST", f"{PATH}/{tenant_id}/openai-key", json=body, token=token)
        assert error_of(answer) == (400, "validation", sentence)

    assert openai.connections == connections
    assert status(sidecar) == NO_KEY


def test_an_unknown_tenants_key_is_not_sent(sidecar: Sidecar, openai: FakeProvider) -> None:
    """404 from every call."""
    connections = openai.connections
    calls = [("POST", "", {"api_key": openai.new_key()}), ("GET", "/status", None), ("DELETE", "", None)]
    for method, rest, body in calls:
        for token in (sidecar.token, token_for(tenant_id="nobody")):
            answer = sidecar.request(method, f"{PATH}/nobody/openai-key{rest}", json=body, token=token)
            assert error_of(answer) == (404, "not-found", "Tenant not found")

    assert openai.connections == connections


def test_a_mask_keeps_the_key(ai_backend: Backend, sidecar: Sidecar, acme: str, openai: FakeProvider) -> None:
    """Without a question to OpenAI, with another expiry if one comes along; of nothing it is refused."""
    key = openai.new_key()
    assert error_of(store(sidecar, "****", token=acme))[2].startswith("api_key: Input should be the key itself")
    ok(store(sidecar, key, token=acme))
    at_rest, connections = ciphertexts(ai_backend), openai.connections

    for mask in ("****", f"****{key[-4:]}", f"…{key[-4:]}"):
        assert ok(store(sidecar, mask, token=acme)) == {"status": "stored", "hint": f"…{key[-4:]}"}
    assert ciphertexts(ai_backend) == at_rest
    ok(store(sidecar, "****", token=acme, expires_at=FUTURE))

    assert openai.connections == connections
    assert status(sidecar)["status"] == "valid"
    assert use(ai_backend) == key
    with inside_of(ai_backend) as inside:
        info = inside.vault.info(SecretName("tenant", "acme", "openai"))
    assert info is not None
    assert info.expires_at == FUTURE


def test_stores_count_against_the_limit(sidecar: Sidecar, acme: str, openai: FakeProvider) -> None:
    """Refused ones as well; the eleventh is not sent, and leaves what is stored."""
    key = openai.new_key()
    ok(store(sidecar, key, token=acme))
    for _ in range(9):
        assert store(sidecar, openai.random_key(), token=acme).status_code == 402
    connections = openai.connections

    answer = store(sidecar, openai.new_key(), token=acme)

    assert error_of(answer)[:2] == (429, "too-many-requests")
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    assert openai.connections == connections
    assert status(sidecar)["hint"] == f"…{key[-4:]}"


# --- who may ---------------------------------------------------------------------------------------------------------


def test_a_tenants_token_is_for_its_own_path(
    ai_backend: Backend, sidecar: Sidecar, acme: str, openai: FakeProvider
) -> None:
    """It reads the tenant and manages its key; another tenant's is 403, whether that exists or not."""
    create(sidecar, "other")
    key = openai.new_key()
    ok(store(sidecar, key, token=acme))
    foreign = [token_for(tenant_id=name) for name in ("other", "Acme", "acm", "acme2")] + [token_for("acme")]
    calls = [
        ("GET", "", None),
        ("POST", "/openai-key", {"api_key": openai.new_key()}),
        ("POST", "/openai-key", {}),
        ("GET", "/openai-key/status", None),
        ("DELETE", "/openai-key", None),
    ]
    connections = openai.connections
    for token in foreign:
        for method, rest, body in calls:
            answer = sidecar.request(method, f"{PATH}/acme{rest}", json=body, token=token)
            assert error_of(answer)[:2] == (403, "forbidden"), (method, rest)
    for tenant_id in ("other", "nobody"):
        assert sidecar.request("GET", f"{PATH}/{tenant_id}", token=acme).status_code == 403

    assert openai.connections == connections
    assert use(ai_backend) == key
    assert ok(sidecar.request("GET", f"{PATH}/acme", token=acme))["tier"] == "pro"
    assert ok(sidecar.request("GET", f"{PATH}/acme/openai-key/status", token=acme))["has_key"] is True
    assert sidecar.request("DELETE", f"{PATH}/acme/openai-key", token=acme).status_code == 204


@pytest.mark.rules
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "", None),
        ("POST", "", {**ACME, "id": "mine"}),
        ("POST", "", {}),
        ("PATCH", "/acme", {"tier": "enterprise"}),
        ("PATCH", "/acme", {"trial_limit": 1000}),
        ("PATCH", "/acme", {"tier": 5}),
        ("DELETE", "/acme", None),
    ],
)
def test_tenants_do_not_manage_themselves(
    sidecar: Sidecar, acme: str, method: str, path: str, body: dict[str, Any] | None
) -> None:
    """403, also when it is the tenant's own token, and whatever the body is."""
    answer = sidecar.request(method, PATH + path, json=body, token=acme)

    assert error_of(answer)[:2] == (403, "forbidden")
    assert ok(sidecar.request("GET", PATH)) == [{**ACME, "trial_limit": 100, "trial_tokens": 200_000}]


@pytest.mark.parametrize("token", ["", "nonsense", token_for("1", tenant_id="acme", exp=1)])
@pytest.mark.in_turn
def test_without_a_token_there_is_nothing(sidecar: Sidecar, acme: str, token: str) -> None:
    """401 everywhere, also for expired tokens of the tenant itself."""
    for method, path in (("GET", ""), ("POST", ""), ("GET", "/acme"), ("GET", "/acme/openai-key/status")):
        assert error_of(sidecar.request(method, PATH + path, token=token))[:2] == (401, "unauthorized")


def test_everything_is_audited(ai_backend: Backend, sidecar: Sidecar, openai: FakeProvider) -> None:
    """With whoever did it; deleting is refused without the audit log."""
    tenant_id = f"t-{uuid.uuid4()}"
    create(sidecar, tenant_id)
    token = token_for("ann", tenant_id=tenant_id)
    keys = [openai.new_key() for _ in range(2)]
    for key in keys:
        ok(store(sidecar, key, tenant_id=tenant_id, token=token))
    assert store(sidecar, openai.random_key(), tenant_id=tenant_id, token=token).status_code == 402
    refuse_audit(ai_backend)
    try:
        refused = [
            sidecar.request("DELETE", f"{PATH}/{tenant_id}"),
            sidecar.request("DELETE", f"{PATH}/{tenant_id}/openai-key"),
            store(sidecar, openai.new_key(), tenant_id=tenant_id, token=token),
        ]
    finally:
        allow_audit(ai_backend)
    assert [error_of(answer)[:2] for answer in refused] == [(503, "audit-unavailable")] * 3
    assert use(ai_backend, tenant_id) == keys[1]
    assert sidecar.request("DELETE", f"{PATH}/{tenant_id}/openai-key", token=token).status_code == 204
    assert sidecar.request("DELETE", f"{PATH}/{tenant_id}").status_code == 204

    told = [line for line in actions(sidecar, owner_kind="tenant", owner_id=tenant_id) if not line.startswith("use ")]
    assert told == [
        "set user:ann openai ok",
        "replace user:ann openai ok",
        "delete user:ann openai ok",
        "delete launch-token None ok",
    ]


# --- at rest ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def services(ai_backend: Backend) -> Iterator[tuple[Tenants, Desktop]]:
    """The tenants' service on the database of the shared sidecar."""
    with inside_of(ai_backend) as inside:
        yield Tenants(inside.store.database, inside.vault, KeyChecks(inside.config)), inside


def test_encrypt_and_decrypt(ai_backend: Backend, sidecar: Sidecar, services: tuple[Tenants, Desktop]) -> None:
    """Whatever the key is: also one that looks encrypted, and equal ones of two tenants."""
    tenants, _ = services
    texts = {"1": LOOKS_ENCRYPTED, "10": LOOKS_ENCRYPTED, "100": "sk-" + "x" * 8000, "acme": "sk-ключ 🔑"}
    for tenant_id, text in texts.items():
        create(sidecar, tenant_id)
        tenants.encrypt_openai_key(text, tenant_id)

    assert {tenant_id: tenants.decrypt_openai_key(tenant_id) for tenant_id in texts} == texts
    at_rest = ciphertexts(ai_backend)
    assert len(set(at_rest.values())) == len(texts)
    assert all(ciphertext.startswith("vf2.") for ciphertext in at_rest.values())
    assert status(sidecar, "1")["status"] == "unknown"
    with pytest.raises(NotFoundError):
        tenants.encrypt_openai_key("sk-key", "nobody")
    assert tenants.decrypt_openai_key("nobody") is None


def test_exchanged_rows_open_for_nobody(
    ai_backend: Backend, sidecar: Sidecar, services: tuple[Tenants, Desktop]
) -> None:
    """Told by the status, replaced by the next key."""
    tenants, _ = services
    for tenant_id in ("1", "10"):
        create(sidecar, tenant_id)
        tenants.encrypt_openai_key(f"sk-of-{tenant_id}-0123456789", tenant_id)

    swap(ai_backend, ("tenant", "1", "openai"), ("tenant", "10", "openai"))

    for tenant_id in ("1", "10"):
        with pytest.raises(SecretUnreadableError):
            tenants.decrypt_openai_key(tenant_id)
        assert status(sidecar, tenant_id)["status"] == "unreadable"
        tenants.encrypt_openai_key("sk-again", tenant_id)
        assert tenants.decrypt_openai_key(tenant_id) == "sk-again"


def test_an_expired_key_is_not_used(sidecar: Sidecar, acme: str, services: tuple[Tenants, Desktop]) -> None:
    """Its status says so."""
    tenants, inside = services
    tenants._write("acme", KeyWrite("sk-key", UNSET), actor="test", verdict=None)
    with inside.vault.writing() as connection:
        past = inside.audit._clock().replace(year=2020)
        inside.vault.expire(connection, SecretName("tenant", "acme", "openai"), past, actor="test")

    assert status(sidecar)["status"] == "expired"
    with pytest.raises(SecretExpiredError):
        tenants.decrypt_openai_key("acme")


def test_a_deleted_tenant_leaves_no_key(ai_backend: Backend, sidecar: Sidecar, acme: str, openai: FakeProvider) -> None:
    """Shredded: nothing of it is left, and a tenant of the same id begins anew."""
    ok(store(sidecar, openai.new_key(), token=acme))
    backup = ciphertexts(ai_backend)["tenant", "acme", "openai"]

    assert sidecar.request("DELETE", f"{PATH}/acme").status_code == 204

    assert count_owner_rows(ai_backend, "tenant", "acme") == 0
    create(sidecar)
    assert status(sidecar) == NO_KEY
    ok(store(sidecar, openai.new_key(), token=acme))
    ai_backend.database.execute(f"UPDATE secrets SET ciphertext = '{backup}'")
    with pytest.raises(SecretUnreadableError):
        use(ai_backend)


def test_a_tenant_deleted_during_the_check_leaves_no_key(
    ai_backend: Backend, sidecar: Sidecar, acme: str, openai: FakeProvider
) -> None:
    """What OpenAI says then comes too late, though it says that the key is good."""
    key = openai.new_key()
    with held_back(openai, key) as held, ThreadPoolExecutor(1) as pool:
        storing = pool.submit(store, sidecar, key, token=acme)
        held.wait_for_request()
        assert sidecar.request("DELETE", f"{PATH}/acme").status_code == 204
        held.let_go()

        assert error_of(storing.result()) == (404, "not-found", "Tenant not found")
    assert ciphertexts(ai_backend) == {}
    assert count_owner_rows(ai_backend, "tenant", "acme") == 0


def test_stores_and_deletions_at_once_leave_no_key_without_its_tenant(
    ai_backend: Backend, sidecar: Sidecar, services: tuple[Tenants, Desktop]
) -> None:
    """However they fall together."""
    tenants, _ = services
    for _ in range(5):
        create(sidecar)

        def act(number: int) -> str:
            if number == 3:
                return str(sidecar.request("DELETE", f"{PATH}/acme").status_code)
            try:
                tenants.encrypt_openai_key(f"sk-{number}", "acme")
            except NotFoundError:
                return "404"
            return "stored"

        with ThreadPoolExecutor(6) as pool:
            outcomes = list(pool.map(act, range(6)))

        assert set(outcomes) <= {"204", "404", "stored"}
        assert ciphertexts(ai_backend) == {}
