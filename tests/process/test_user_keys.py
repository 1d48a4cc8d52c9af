"""Users' own keys of AI providers: checked, stored, kept apart, deleted; and the initial ones."""

from __future__ import annotations

import secrets
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from app.services.providers import INITIAL, PROVIDERS
from app.services.vault.rows import SecretName
from tests.support.network import free_port
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
    import httpx

    from tests.conftest import SidecarFactory
    from tests.support.ai_providers import AIProviders
    from tests.support.databases import Backend

PATH = "/api/api-keys"
NO_KEY = {
    "has_api_key": False,
    "hint": None,
    "status": None,
    "is_valid": None,
    "last_validated": None,
    "created_at": None,
    "expires_at": None,
}
FUTURE = "2099-01-01T00:00:00.000000Z"


class User:
    """A user of a sidecar, with a token."""

    def __init__(self, sidecar: Sidecar, user_id: str | None = None) -> None:
        self.sidecar = sidecar
        self.id = user_id or f"user-{uuid.uuid4()}"
        self.token = token_for(self.id)

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Send a request as this user."""
        return self.sidecar.request(method, PATH + path, token=self.token, **options)

    def set(self, provider: str, api_key: object, **more: Any) -> httpx.Response:
        """Set a key."""
        return self.ask("POST", "/set", json={"provider": provider, "api_key": api_key, **more})

    def validate(self, provider: str) -> httpx.Response:
        """Check the stored key."""
        return self.ask("POST", f"/validate/{provider}")

    def status(self, provider: str = "openai") -> dict[str, Any]:
        """What is known of the key for one provider."""
        providers = ok(self.ask("GET", "/status"))["providers"]
        assert set(providers) == set(PROVIDERS)
        status: dict[str, Any] = providers[provider]
        assert status.pop("provider") == provider
        return status

    def use(self, backend: Backend, provider: str = "openai") -> str | None:
        """Open the key as whoever uses it does."""
        with inside_of(backend) as inside:
            return inside.use(SecretName("user", self.id, provider))


@pytest.fixture
def user(ai_backend: Backend) -> User:
    """A user that nobody knew before."""
    return User(ai_backend.sidecar)


def outcome(answer: httpx.Response, provider: str | None = "openai") -> tuple[bool, bool | None]:
    """`success` and `is_valid` of an answer about a provider."""
    body = ok(answer)
    assert set(body) == {"success", "message", "provider", "is_valid"}
    assert body["provider"] == provider
    assert body["message"]
    return body["success"], body["is_valid"]


# --- a key's life ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.in_turn
def test_a_key_lives(ai_backend: Backend, shared_providers: AIProviders, user: User, provider: str) -> None:
    """Set, told of, used, replaced, deleted, set again, restarted, and used again."""
    fake = shared_providers[provider]
    first, second = fake.new_key(), fake.new_key()
    assert user.status(provider) == NO_KEY

    assert outcome(user.set(provider, f"  {first}\n", expires_at=FUTURE), provider) == (True, True)
    told = user.status(provider)
    assert (told["has_api_key"], told["is_valid"], told["status"]) == (True, True, "valid")
    assert (told["hint"], told["expires_at"]) == (f"…{first[-4:]}", FUTURE)
    assert told["created_at"] <= told["last_validated"]
    assert user.use(ai_backend, provider) == first
    assert outcome(user.validate(provider), provider) == (True, True)
    assert [request.method for request in fake.received(first)] == ["GET", "GET"]

    assert outcome(user.set(provider, second), provider) == (True, True)
    assert user.use(ai_backend, provider) == second
    assert user.status(provider)["created_at"] == told["created_at"]

    assert outcome(user.ask("DELETE", f"/{provider}"), provider) == (True, None)
    assert user.status(provider) == NO_KEY
    for answer in (user.ask("DELETE", f"/{provider}"), user.validate(provider)):
        assert error_of(answer) == (404, "not-found", "There is no key for this provider")

    assert outcome(user.set(provider, first), provider) == (True, True)
    ai_backend.sidecar.stop()
    ai_backend.sidecar.start().wait_healthy()
    assert user.status(provider)["is_valid"] is True
    assert outcome(user.validate(provider), provider) == (True, True)
    assert len(fake.received(first)) == 4


def test_no_answer_shows_the_key(shared_providers: AIProviders, user: User) -> None:
    """Nor more of its end than the hint of four characters."""
    key = shared_providers.openai.new_key()
    answers = [user.set("openai", key), user.ask("GET", "/status"), user.validate("openai")]
    answers += [user.set("openai", shared_providers.openai.random_key()), user.ask("DELETE", "/openai")]

    assert all(key[-5:] not in answer.text for answer in answers)


@pytest.mark.rules
@pytest.mark.parametrize(
    ("behaviour", "is_valid"),
    [
        ("invalid", False),
        ("address_not_allowed", False),
        ("country", False),
        ("missing_scopes", True),
        ("no_quota", True),
        ("rate_limited", True),
        ("html_403", None),
        ("server_error", None),
        ("drop", None),
    ],
)
def test_what_the_provider_says_decides(
    ai_backend: Backend, shared_providers: AIProviders, user: User, behaviour: str, is_valid: bool | None
) -> None:
    """Refused: not stored. Genuine, or nothing said: stored, if there is nothing better."""
    key = shared_providers.openai.new_key(behaviour)

    assert outcome(user.set("openai", key)) == (is_valid is not False, is_valid)

    if is_valid is False:
        assert user.status() == NO_KEY
        assert user.use(ai_backend) is None
    else:
        told = user.status()
        assert (told["has_api_key"], told["is_valid"]) == (True, is_valid)
        assert (told["last_validated"] is None) is (is_valid is None)
        assert user.use(ai_backend) == key


@pytest.mark.parametrize("behaviour", ["invalid", "html_403", "server_error", "drop"])
@pytest.mark.in_turn
def test_a_working_key_is_never_lost(
    ai_backend: Backend, shared_providers: AIProviders, user: User, behaviour: str
) -> None:
    """Neither to one that is refused nor to one that could not be checked."""
    working = shared_providers.openai.new_key()
    ok(user.set("openai", working))
    before, at_rest = user.status(), ciphertexts(ai_backend)

    success, is_valid = outcome(user.set("openai", shared_providers.openai.new_key(behaviour)))

    assert (success, is_valid) == (False, False if behaviour == "invalid" else None)
    assert user.status() == before
    assert ciphertexts(ai_backend) == at_rest
    assert user.use(ai_backend) == working


def test_an_unchecked_key_gives_way_to_another(ai_backend: Backend, shared_providers: AIProviders, user: User) -> None:
    """Nobody knows that it works: a typing error can be corrected while the provider is away."""
    first, second = (shared_providers.openai.new_key("server_error") for _ in range(2))
    assert outcome(user.set("openai", first)) == (True, None)

    assert outcome(user.set("openai", second)) == (True, None)
    assert user.use(ai_backend) == second


def test_a_key_that_is_refused_later_is_told_of(shared_providers: AIProviders, user: User) -> None:
    """By the next validation, which also finds it works again; what says nothing changes nothing."""
    fake = shared_providers.openai
    key = fake.new_key()
    ok(user.set("openai", key))
    first = user.status()

    for behaviour, is_valid in (("server_error", None), ("drop", None), ("rate_limited", True)):
        fake.behave(key, behaviour)
        assert outcome(user.validate("openai")) == (True, is_valid)
        assert user.status() == first
    fake.behave(key, "invalid")
    assert outcome(user.validate("openai")) == (False, False)
    refused = user.status()
    assert refused["is_valid"] is False
    assert refused["last_validated"] > first["last_validated"]
    fake.behave(key, "valid")
    assert outcome(user.validate("openai")) == (True, True)
    assert user.status()["is_valid"] is True


def test_a_key_refused_later_can_be_replaced_unchecked(
    ai_backend: Backend, shared_providers: AIProviders, user: User
) -> None:
    """It does not work, so there is nothing to lose."""
    old, new = shared_providers.openai.new_key("valid", "invalid"), shared_providers.openai.new_key("server_error")
    ok(user.set("openai", old))
    ok(user.validate("openai"))

    assert outcome(user.set("openai", new)) == (True, None)
    assert user.use(ai_backend) == new


@pytest.mark.in_turn
def test_a_verdict_that_comes_late_is_dropped(shared_providers: AIProviders, user: User) -> None:
    """It was about the key that has been replaced meanwhile, not about the present one."""
    fake = shared_providers.openai
    old, new = fake.new_key("valid", "invalid"), fake.new_key()
    ok(user.set("openai", old))
    with held_back(fake, old) as held, ThreadPoolExecutor(1) as pool:
        validating = pool.submit(user.validate, "openai")
        held.wait_for_request()
        ok(user.set("openai", new))
        before = user.status()
        held.let_go()

        assert outcome(validating.result()) == (False, False)
    assert user.status() == before
    assert before["is_valid"] is True


def test_setup_closed_during_the_check_stores_nothing(
    ai_backend: Backend, shared_providers: AIProviders, user: User
) -> None:
    """The first user's key came before the provider's answer about an initial one."""
    key = shared_providers.openai.new_key()
    with held_back(shared_providers.openai, key) as held, ThreadPoolExecutor(1) as pool:
        setting = pool.submit(initial, user.sidecar, "openai", key)
        held.wait_for_request()
        ok(user.set("google", shared_providers.google.new_key()))
        held.let_go()

        assert error_of(setting.result())[:2] == (409, "setup-closed")
    assert list(ciphertexts(ai_backend)) == [("user", user.id, "google")]


def test_a_mask_keeps_the_key(ai_backend: Backend, shared_providers: AIProviders, user: User) -> None:
    """Without a question to the provider; of nothing it is refused."""
    key = shared_providers.openai.new_key()
    assert error_of(user.set("openai", "****"))[2].startswith("api_key: Input should be the key itself")
    ok(user.set("openai", key))
    before, connections = ciphertexts(ai_backend), shared_providers.connections()

    for mask in ("****", f"****{key[-4:]}", f"…{key[-4:]}"):
        assert outcome(user.set("openai", mask)) == (True, True)

    assert shared_providers.connections() == connections
    assert ciphertexts(ai_backend) == before
    assert user.use(ai_backend) == key


def test_an_expiry_may_come_along(ai_backend: Backend, shared_providers: AIProviders, user: User) -> None:
    """With the key, or with a mask."""
    which = SecretName("user", user.id, "openai")
    ok(user.set("openai", shared_providers.openai.new_key(), expires_at=FUTURE))
    with inside_of(ai_backend) as inside:
        first = inside.vault.info(which)
        ok(user.set("openai", "****", expires_at=None))
        second = inside.vault.info(which)

    assert first is not None
    assert second is not None
    assert (first.expires_at, second.expires_at) == (FUTURE, None)


@pytest.mark.rules
@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({}, "provider: Field required"),
        ({"provider": "CASSOWARY"}, "provider: Input should be 'openai', 'anthropic', 'google' or 'deepseek'"),
        ({"provider": "OpenAI"}, "provider: Input should be 'openai', 'anthropic', 'google' or 'deepseek'"),
        ({"provider": "openai"}, "api_key: Field required"),
        ({"provider": "openai", "api_key": None}, "api_key: field cannot be null"),
        ({"provider": "openai", "api_key": 1234567890}, "api_key: Input should be a valid string"),
        ({"provider": "openai", "api_key": ""}, "api_key: String should have at least 10 characters"),
        ({"provider": "openai", "api_key": "CASSOWARY"}, "api_key: String should have at least 10 characters"),
        ({"provider": "openai", "api_key": f" {'x' * 9} "}, "api_key: String should have at least 10 characters"),
        ({"provider": "openai", "api_key": "x" * 513}, "api_key: String should have at most 512 characters"),
        ({"provider": "openai", "api_key": "x" * 10 + "\x00"}, "api_key: Input should not contain NUL characters"),
        (
            {"provider": "openai", "api_key": "x" * 10, "expires_at": "2020-01-01T00:00:00Z"},
            "expires_at: Input should be in the future",
        ),
    ],
)
def test_a_broken_rule_is_named(shared_providers: AIProviders, user: User, body: dict[str, Any], sentence: str) -> None:
    """The first in the order of the schema, without the value; no provider hears of it, and no limit counts it."""
    connections = shared_providers.connections()

    answers = [user.ask("POST", "/set", json=body) for _ in range(12)]
    answers.append(user.sidecar.request("POST", f"{PATH}/set-initial", json=body))

    assert {error_of(answer) for answer in answers} == {(400, "validation", sentence)}
    assert shared_providers.connections() == connections


@pytest.mark.parametrize("length", [10, 512])
@pytest.mark.in_turn
def test_the_shortest_and_the_longest_key(
    ai_backend: Backend, shared_providers: AIProviders, user: User, length: int
) -> None:
    """Counted after trimming."""
    key = secrets.token_hex(256)[:length]
    shared_providers.openai.behave(key, "valid")

    assert outcome(user.set("openai", f" \n{key}\t ")) == (True, True)
    assert user.use(ai_backend) == key


def test_an_unknown_provider_in_the_path(user: User) -> None:
    """400, as everything else that breaks a rule."""
    for answer in (user.validate("CASSOWARY"), user.ask("DELETE", "/CASSOWARY")):
        assert error_of(answer)[:2] == (400, "validation")
        assert "CASSOWARY" not in answer.text


@pytest.mark.in_turn
def test_what_looks_encrypted_is_encrypted(ai_backend: Backend, shared_providers: AIProviders, user: User) -> None:
    """It is text like any other."""
    shared_providers.openai.behave(LOOKS_ENCRYPTED, "valid")

    assert outcome(user.set("openai", LOOKS_ENCRYPTED)) == (True, True)

    assert ciphertexts(ai_backend)["user", user.id, "openai"].startswith("vf2.")
    assert user.use(ai_backend) == LOOKS_ENCRYPTED


def test_deleting_everything_shreds(ai_backend: Backend, shared_providers: AIProviders, user: User) -> None:
    """All providers at once, the salt as well; of nothing it is no error."""
    for provider in PROVIDERS:
        ok(user.set(provider, shared_providers[provider].new_key()))

    assert outcome(user.ask("DELETE", "/"), None) == (True, None)

    assert [user.status(provider) for provider in PROVIDERS] == [NO_KEY] * 4
    assert count_owner_rows(ai_backend, "user", user.id) == 0
    assert outcome(user.ask("DELETE", ""), None) == (True, None)


def test_everything_is_audited(ai_backend: Backend, shared_providers: AIProviders, user: User) -> None:
    """With the user as the actor; deleting is refused without the audit log."""
    key = shared_providers.openai.new_key()
    for _ in range(2):
        ok(user.set("openai", key))
    ok(user.validate("openai"))
    ok(user.ask("DELETE", "/openai"))
    ok(user.set("google", shared_providers.google.new_key()))
    refuse_audit(ai_backend)
    try:
        refused = [
            user.ask("DELETE", "/google"),
            user.ask("DELETE", "/"),
            user.set("google", shared_providers.google.new_key()),
        ]
    finally:
        allow_audit(ai_backend)
    ok(user.ask("DELETE", "/"))

    assert [error_of(answer)[:2] for answer in refused] == [(503, "audit-unavailable")] * 3
    actor = f"user:{user.id}"
    told = [
        line
        for line in actions(ai_backend.sidecar, owner_kind="user", owner_id=user.id)
        if not line.startswith("use ")  # written in a minute of their own
    ]
    assert told == [
        f"set {actor} openai ok",
        f"replace {actor} openai ok",
        f"validate {actor} openai ok",
        f"delete {actor} openai ok",
        f"set {actor} google ok",
        f"delete {actor} None ok",
    ]


# --- isolation -------------------------------------------------------------------------------------------------------


def test_users_do_not_see_each_other(ai_backend: Backend, shared_providers: AIProviders) -> None:
    """Neither those whose ids begin alike nor those whose ids and keys meet: lengths are part of what is sealed."""
    ids = ["1", "10", "100", "1 ", "openai"]
    users = [User(ai_backend.sidecar, user_id) for user_id in ids if user_id == user_id.strip()]
    keys = {user.id: (shared_providers.openai.random_key() + user.id + "x" * 512)[:512] for user in users}
    for user in users:
        shared_providers.openai.behave(keys[user.id], "valid")
        assert outcome(user.set("openai", keys[user.id])) == (True, True)

    assert {user.id: user.use(ai_backend) for user in users} == keys

    ok(users[0].ask("DELETE", "/"))
    assert users[0].status() == NO_KEY
    assert error_of(users[0].validate("openai"))[0] == 404
    for user in users[1:]:
        assert outcome(user.validate("openai")) == (True, True)
        assert len(shared_providers.openai.received(keys[user.id])) == 2


def test_equal_keys_differ_at_rest_and_cannot_be_exchanged(ai_backend: Backend, shared_providers: AIProviders) -> None:
    """Rows swapped in the database open for nobody, and no provider hears of them."""
    first, second = User(ai_backend.sidecar, "1"), User(ai_backend.sidecar, "10")
    key = shared_providers.openai.new_key()
    for user in (first, second):
        ok(user.set("openai", key))
    assert len(set(ciphertexts(ai_backend).values())) == 2

    swap(ai_backend, ("user", "1", "openai"), ("user", "10", "openai"))

    heard = len(shared_providers.openai.received(key))
    for user in (first, second):
        assert error_of(user.validate("openai"))[:2] == (409, "secret-unreadable")
        assert user.status()["has_api_key"] is True
        assert outcome(user.ask("DELETE", "/openai")) == (True, None)
    assert len(shared_providers.openai.received(key)) == heard


def test_first_keys_at_once(ai_backend: Backend, shared_providers: AIProviders, user: User) -> None:
    """A double click: each is answered, and one of them is stored."""
    keys = [shared_providers.openai.new_key() for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda key: user.set("openai", key), keys))

    assert {outcome(answer) for answer in answers} == {(True, True)}
    assert user.use(ai_backend) in keys


# --- who may -------------------------------------------------------------------------------------------------------


CALLS = [
    ("POST", "/set"),
    ("POST", "/validate/openai"),
    ("GET", "/status"),
    ("DELETE", "/openai"),
    ("DELETE", "/"),
    ("DELETE", ""),
]


@pytest.mark.rules
@pytest.mark.parametrize(
    "token",
    [
        pytest.param("", id="none"),
        pytest.param("a.b.c", id="malformed"),
        pytest.param("launch", id="launch token"),
        pytest.param(token_for("1", exp=1), id="expired"),
        pytest.param(token_for("1", exp=None), id="endless"),
        pytest.param(token_for("1", secret="x" * 40), id="of somebody else"),
        pytest.param(token_for("1", algorithm="HS512"), id="another algorithm"),
        pytest.param(token_for("1", type="refresh"), id="refresh by type"),
        pytest.param(token_for("1", token_type="refresh"), id="refresh by token_type"),
        pytest.param(token_for("1", token_use="refresh"), id="refresh by token_use"),
        pytest.param(token_for("1")[:-2], id="cut off"),
    ],
)
def test_a_users_token_is_needed(ai_backend: Backend, token: str) -> None:
    """401 for everything else, whatever the body is."""
    token = ai_backend.sidecar.token if token == "launch" else token
    for method, path in CALLS:
        answer = ai_backend.sidecar.request(method, PATH + path, token=token, json={} if path == "/set" else None)
        assert error_of(answer)[:2] == (401, "unauthorized"), (method, path)


def test_a_users_token_opens_nothing_else(user: User) -> None:
    """Neither the initial keys nor the rest of the API."""
    for method, path in (
        ("POST", "/api/api-keys/set-initial"),
        ("GET", "/api/api-keys/status-initial"),
        ("GET", "/api/v1/settings/ai-keys"),
        ("GET", "/api/v1/servers"),
        ("GET", "/api/v1/audit"),
        ("POST", "/api/v1/auth/token"),
    ):
        assert user.sidecar.request(method, path, token=user.token).status_code == 401, path


# --- initial keys ----------------------------------------------------------------------------------------------------


def initial(sidecar: Sidecar, provider: str, api_key: str) -> httpx.Response:
    """Set an initial key."""
    return sidecar.request("POST", f"{PATH}/set-initial", json={"provider": provider, "api_key": api_key})


def initial_status(sidecar: Sidecar) -> dict[str, Any]:
    """What is known of the initial keys."""
    status: dict[str, Any] = ok(sidecar.request("GET", f"{PATH}/status-initial"))
    return status


def test_initial_keys_are_set_until_a_user_has_one(
    ai_backend: Backend, shared_providers: AIProviders, user: User
) -> None:
    """Checked like a user's; closed by the first user's key, of whatever provider; open again when all are gone."""
    sidecar, key = ai_backend.sidecar, shared_providers.openai.new_key()
    assert initial_status(sidecar)["open"] is True

    assert outcome(initial(sidecar, "openai", key)) == (True, True)
    told = initial_status(sidecar)
    assert (told["open"], told["providers"]["openai"]["has_api_key"]) == (True, True)
    assert told["providers"]["openai"]["is_valid"] is True
    assert told["providers"]["google"] == {"provider": "google", **NO_KEY}
    assert list(ciphertexts(ai_backend)) == [("system", "default", f"{INITIAL}openai")]
    assert outcome(initial(sidecar, "openai", shared_providers.openai.random_key())) == (False, False)
    assert user.status() == NO_KEY

    ok(user.set("google", shared_providers.google.new_key()))

    connections = shared_providers.connections()
    assert error_of(initial(sidecar, "openai", shared_providers.openai.new_key()))[:2] == (409, "setup-closed")
    assert shared_providers.connections() == connections
    assert initial_status(sidecar)["open"] is False
    assert initial_status(sidecar)["providers"]["openai"]["has_api_key"] is True
    ok(user.ask("DELETE", "/"))
    assert initial_status(sidecar)["open"] is True


@pytest.mark.in_turn
def test_initial_keys_survive_a_restart(ai_backend: Backend, shared_providers: AIProviders) -> None:
    """And open for whoever falls back to them."""
    key = shared_providers.anthropic.new_key("server_error")
    assert outcome(initial(ai_backend.sidecar, "anthropic", key), "anthropic") == (True, None)
    ai_backend.sidecar.stop()
    ai_backend.sidecar.start().wait_healthy()

    with inside_of(ai_backend) as inside:
        assert inside.use(SecretName("system", "default", f"{INITIAL}anthropic")) == key


# --- limits and places -----------------------------------------------------------------------------------------------


def test_ten_checks_a_minute(shared_providers: AIProviders, user: User) -> None:
    """Of both kinds; the eleventh is refused without a byte to the provider. Another user is not concerned."""
    key = shared_providers.openai.new_key()
    for _ in range(5):
        ok(user.set("openai", key))
        ok(user.validate("openai"))
    connections = shared_providers.connections()

    for answer in (user.set("openai", key), user.validate("openai"), user.set("openai", key)):
        assert error_of(answer)[:2] == (429, "too-many-requests")
        assert 1 <= int(answer.headers["Retry-After"]) <= 60

    assert shared_providers.connections() == connections
    assert user.status()["has_api_key"] is True
    assert outcome(User(user.sidecar).set("openai", key)) == (True, True)


@pytest.mark.in_turn
def test_a_hanging_provider_holds_nobody_up(shared_providers: AIProviders, user: User) -> None:
    """While a check waits, everything else is answered, also for the same user."""
    fake = shared_providers.openai
    hanging = fake.new_key("hang")
    others = [User(user.sidecar) for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        waiting = [pool.submit(other.set, "openai", hanging) for other in others]
        fake.wait_for_request(len(fake.requests) + 1)

        assert user.sidecar.request("GET", "/api/v1/members", timeout_s=3).status_code == 200
        assert outcome(user.set("google", shared_providers.google.new_key()), "google") == (True, True)
        assert not any(call.done() for call in waiting)

        assert {outcome(call.result()) for call in waiting} == {(True, None)}


def test_a_stored_key_is_not_sent_to_another_host(shared_providers: AIProviders) -> None:
    """A changed base URL asks for the key again."""
    key = shared_providers.openai.new_key()
    env = {**shared_providers.environment(), "JWT_SECRET_KEY": JWT_SECRET}
    with Sidecar(env=env) as sidecar:
        user = User(sidecar.wait_healthy())
        ok(user.set("openai", key))
        sidecar.stop()
        heard = len(shared_providers.deepseek.requests)
        moved = {**env, "OPENAI_BASE_URL": shared_providers.deepseek.url}
        with Sidecar(env=moved, config_dir=sidecar.config_dir) as other:
            user = User(other.wait_healthy(), user.id)

            assert error_of(user.validate("openai"))[:2] == (409, "key-for-another-host")
            assert len(shared_providers.deepseek.requests) == heard
            shared_providers.deepseek.behave(key, "valid")
            ok(user.set("openai", key))
            assert outcome(user.validate("openai")) == (True, True)


def test_without_a_secret_nobody_is_a_user(sidecar_factory: SidecarFactory) -> None:
    """Not even with a token that another secret made."""
    sidecar = sidecar_factory(env={"OPENAI_BASE_URL": f"http://127.0.0.1:{free_port()}"}).wait_healthy()

    assert User(sidecar).ask("GET", "/status").status_code == 401
    assert outcome(initial(sidecar, "openai", "sk-0123456789")) == (True, None)


def test_keys_need_the_secret_they_were_stored_with(shared_providers: AIProviders) -> None:
    """`API_KEY_ENCRYPTION_SECRET` is part of users' keys: without it they are locked, with it they open."""
    key = shared_providers.openai.new_key()
    env = {**shared_providers.environment(), "JWT_SECRET_KEY": JWT_SECRET}
    with Sidecar(env={**env, "API_KEY_ENCRYPTION_SECRET": "s" * 40}) as sidecar:
        user = User(sidecar.wait_healthy())
        ok(user.set("openai", key))
        sidecar.stop()
        with Sidecar(env=env, config_dir=sidecar.config_dir) as other:
            locked = User(other.wait_healthy(), user.id)
            assert error_of(locked.validate("openai"))[:2] == (423, "vault-locked")
            assert locked.status()["has_api_key"] is True
        sidecar.start().wait_healthy()
        assert outcome(user.validate("openai")) == (True, True)
