"""Whose key serves a call through the gateway, and what stands in the way."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from tests.support.ai_providers import AIProviders
from tests.support.databases import Backend, SqliteDatabase
from tests.support.gateways import (
    JWT_SECRET,
    GatewayBackend,
    environment,
    gateway_on_postgresql,
    gateway_on_sqlite,
    token_for,
)
from tests.support.sidecar import Sidecar
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shared(request: pytest.FixtureRequest) -> Iterator[GatewayBackend]:
    """A sidecar that these tests share, once on each database."""
    if request.param == "sqlite":
        with gateway_on_sqlite() as backend:
            yield backend
    else:
        with gateway_on_postgresql(request.getfixturevalue("postgres")) as backend:
            yield backend


@pytest.fixture
def gateway(shared: GatewayBackend) -> GatewayBackend:
    """The shared sidecar with empty tables."""
    shared.clear()
    return shared


def refused(answer: httpx.Response, status: int, code: str) -> str:
    """Check that an answer is a refusal in our own words; return the sentence."""
    assert (answer.status_code, answer.headers.get("Taskflow-Error-Code")) == (status, code), answer.text
    body: dict[str, str] = answer.json()
    assert list(body) == ["error"]
    return body["error"]


# Which key


@pytest.mark.parametrize("provider", ["openai", "anthropic", "google", "deepseek"])
@pytest.mark.parametrize("kind", ["system", "user", "tenant", "server"])
@pytest.mark.in_turn
def test_owners_key_is_put_in(gateway: GatewayBackend, kind: str, provider: str) -> None:
    """Every kind of owner, every provider; the caller's own token goes nowhere."""
    owner = "default" if kind == "system" else "alpha"
    if kind == "server":
        gateway.add_server(owner, provider)
    key = gateway.new_key(kind, owner, provider)

    answer = gateway.call(kind, owner, provider)

    assert answer.status_code == 200, answer.text
    (request,) = gateway.providers[provider].requests
    assert request.api_key == key
    assert gateway.sidecar.token.encode() not in request.everything()
    assert gateway.providers.connections() >= 1


@pytest.mark.parametrize(
    ("kind", "place"),
    [
        ("system", "in the system's AI keys"),
        ("user", "in the user's API keys"),
        ("tenant", "as the tenant's key"),
        ("server", "in the settings of the chat server"),
    ],
)
def test_missing_key_is_402_and_the_sentence_tells_where_to_enter_it(
    gateway: GatewayBackend, kind: str, place: str
) -> None:
    """Nobody has a key; nothing goes out."""
    owner = "default" if kind == "system" else "nobody"

    sentence = refused(gateway.call(kind, owner, "anthropic"), 402, "key-missing")

    assert sentence == f"No Anthropic key is stored. Enter one {place}."
    assert gateway.providers.requests() == []


def test_user_falls_back_to_the_initial_key(gateway: GatewayBackend) -> None:
    """The user's own key comes first as soon as there is one, and again not when it is gone."""
    initial = gateway.new_key("system", "default", "openai", name="initial:openai")
    gateway.new_key("system", "default", "openai")

    assert gateway.call("user", "ann", "openai").status_code == 200
    own = gateway.new_key("user", "ann", "openai")
    assert gateway.call("user", "ann", "openai").status_code == 200
    assert gateway.call("user", "ben", "openai").status_code == 200
    gateway.store("user", "ann", "openai", None)
    assert gateway.call("user", "ann", "openai").status_code == 200

    assert gateway.keys_sent(gateway.providers.openai) == [initial, own, initial, initial]


def test_users_key_that_is_refused_is_not_passed_over(gateway: GatewayBackend) -> None:
    """Its owner would never learn of it."""
    gateway.new_key("system", "default", "openai", name="initial:openai")
    gateway.new_key("user", "ann", "openai", "invalid")

    sentence = refused(gateway.call("user", "ann", "openai"), 402, "key-rejected")

    assert sentence == "OpenAI has rejected the key. Enter a new one in the user's API keys."


def test_refused_initial_key_is_repaired_elsewhere(gateway: GatewayBackend) -> None:
    """A user cannot do anything about it but enter a key."""
    gateway.new_key("system", "default", "openai", "invalid", name="initial:openai")

    sentence = refused(gateway.call("user", "ann", "openai"), 402, "key-rejected")

    assert "in the initial keys of the users" in sentence


def test_users_with_ids_that_begin_alike_have_keys_of_their_own(gateway: GatewayBackend) -> None:
    """`1`, `10` and `100`."""
    keys = {user: gateway.new_key("user", user, "openai") for user in ("1", "10", "100")}

    for user in keys:
        assert gateway.call("user", user, "openai", token=token_for(user)).status_code == 200

    assert gateway.keys_sent(gateway.providers.openai) == list(keys.values())


@pytest.mark.parametrize("user", ["a@b.example", "auth0|5", "Ö l", "a/b", "50%", "x;y"])
@pytest.mark.in_turn
def test_user_ids_of_any_form_are_reached(gateway: GatewayBackend, user: str) -> None:
    """Percent-encoded in the path, as anything is."""
    answer = gateway.call("user", quote(user, safe=""), "openai", token=token_for(user))

    refused(answer, 402, "key-missing")


def test_server_serves_only_the_provider_that_its_settings_name(gateway: GatewayBackend) -> None:
    """Also where a key of another provider lies about."""
    gateway.add_server("guild", "anthropic")
    gateway.new_key("server", "guild", "openai")
    key = gateway.new_key("server", "guild", "anthropic")

    refused(gateway.call("server", "guild", "openai"), 402, "key-missing")
    assert gateway.call("server", "guild", "anthropic").status_code == 200

    assert gateway.providers.openai.requests == []
    assert gateway.keys_sent(gateway.providers.anthropic) == [key]


def test_keys_entered_through_their_owners_own_calls_are_used(gateway: GatewayBackend) -> None:
    """From the first call to the last, for every kind of owner; and another one as soon as it is entered."""
    openai = gateway.providers.openai
    keys = {name: openai.new_key() for name in ("system", "initial", "user", "tenant", "server", "replaced")}
    sidecar = gateway.sidecar

    def enter(method: str, path: str, body: dict[str, Any], token: str | None = None) -> None:
        answer = sidecar.request(method, path, json=body, token=token)
        assert answer.is_success, answer.text

    enter("PUT", "/api/v1/settings/ai-keys", {"openai": keys["system"]})
    enter("POST", "/api/api-keys/set-initial", {"provider": "openai", "api_key": keys["initial"]})
    assert gateway.call("user", "ann", "openai").status_code == 200
    enter("POST", "/api/api-keys/set", {"provider": "openai", "api_key": keys["user"]}, token_for("ann"))
    gateway.add_tenant("acme", "trial")
    assert gateway.call("tenant", "acme", "openai").status_code == 200
    enter("POST", "/api/v1/tenants/acme/openai-key", {"api_key": keys["tenant"]})
    enter("PUT", "/api/v1/servers/guild/config", {"api_key": keys["server"]})
    for kind, owner in (("user", "ann"), ("tenant", "acme"), ("server", "guild"), ("system", "default")):
        assert gateway.call(kind, owner, "openai", "v1/models?asked").status_code == 200
    enter("PUT", "/api/v1/servers/guild/config", {"api_key": keys["replaced"]})
    assert gateway.call("server", "guild", "openai", "v1/models?asked").status_code == 200

    used = [request.api_key for request in openai.requests if request.target == "/v1/models?asked"]
    assert used == [keys[name] for name in ("user", "tenant", "server", "system", "replaced")]
    assert {keys["initial"], keys["system"]} <= set(gateway.keys_sent(openai))
    assert gateway.trial_calls() == [("acme", 1)]


# Tenants


def test_tenant_on_trial_falls_back_to_the_platforms_key(gateway: GatewayBackend) -> None:
    """Its own key comes first, and is not counted."""
    platform = gateway.new_key("system", "default", "openai")
    gateway.add_tenant("acme", "trial", limit=5)

    assert gateway.call("tenant", "acme", "openai", token=token_for("ann", "acme")).status_code == 200
    own = gateway.new_key("tenant", "acme", "openai")
    assert gateway.call("tenant", "acme", "openai").status_code == 200

    assert gateway.keys_sent(gateway.providers.openai) == [platform, own]
    assert gateway.trial_calls() == [("acme", 1)]


@pytest.mark.parametrize("tier", ["pro", "enterprise"])
def test_other_tiers_never_fall_back(gateway: GatewayBackend, tier: str) -> None:
    """Nor does a tenant that is not known."""
    gateway.new_key("system", "default", "openai")
    gateway.add_tenant("acme", tier)

    refused(gateway.call("tenant", "acme", "openai"), 402, "key-missing")
    refused(gateway.call("tenant", "unknown", "openai"), 402, "key-missing")

    assert gateway.providers.requests() == []


def test_trial_is_for_one_provider(gateway: GatewayBackend) -> None:
    """The platform's other keys are nobody's fall-back."""
    gateway.new_key("system", "default", "anthropic")
    gateway.add_tenant("acme", "trial")

    refused(gateway.call("tenant", "acme", "anthropic"), 402, "key-missing")


def test_platform_without_a_key_has_a_code_of_its_own(gateway: GatewayBackend) -> None:
    """And costs none of the day's calls."""
    gateway.add_tenant("acme", "trial")

    sentence = refused(gateway.call("tenant", "acme", "openai"), 402, "platform-key-missing")

    assert "system's AI keys" in sentence
    assert gateway.trial_calls() == []


def test_trial_ends_at_its_limit_also_for_calls_at_the_same_moment(gateway: GatewayBackend) -> None:
    """Twenty at once: five pass."""
    gateway.new_key("system", "default", "openai")
    gateway.add_tenant("acme", "trial", limit=5)
    gateway.add_tenant("other", "trial", limit=1)
    gateway.add_tenant("none", "trial", limit=0)

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: gateway.call("tenant", "acme", "openai"), range(20)))

    assert sorted(answer.status_code for answer in answers) == [200] * 5 + [402] * 15
    sentence = refused(gateway.call("tenant", "acme", "openai"), 402, "trial-exhausted")
    assert "as the tenant's key" in sentence
    assert len(gateway.providers.openai.requests) == 5
    assert gateway.trial_calls() == [("acme", 5)]
    refused(gateway.call("tenant", "none", "openai"), 402, "trial-exhausted")
    assert gateway.call("tenant", "other", "openai").status_code == 200


def test_yesterdays_calls_do_not_count(gateway: GatewayBackend) -> None:
    """The limit is for a day, in UTC."""
    gateway.new_key("system", "default", "openai")
    gateway.add_tenant("acme", "trial", limit=1)
    yesterday = (dt.datetime.now(dt.UTC) - dt.timedelta(days=1)).date()
    gateway.backend.database.execute(
        f"INSERT INTO trial_calls (tenant_id, day, calls) VALUES ('acme', '{yesterday}', 1)"
    )

    assert gateway.call("tenant", "acme", "openai").status_code == 200
    refused(gateway.call("tenant", "acme", "openai"), 402, "trial-exhausted")


# Who may


@pytest.mark.parametrize(
    ("kind", "owner"),
    [("user", "ben"), ("tenant", "other"), ("system", "default"), ("server", "guild"), ("user", "acme")],
)
def test_users_reach_only_what_is_theirs(gateway: GatewayBackend, kind: str, owner: str) -> None:
    """403 whether there is a key or not, and nothing goes out."""
    gateway.new_key(kind, owner, "openai")

    refused(gateway.call(kind, owner, "openai", token=token_for("ann", "acme")), 403, "forbidden")

    assert gateway.providers.requests() == []


@pytest.mark.parametrize("header", ["Authorization", "x-api-key", "x-goog-api-key"])
@pytest.mark.in_turn
def test_token_is_taken_where_the_sdks_put_their_key(gateway: GatewayBackend, header: str) -> None:
    """And it stays here."""
    key = gateway.new_key("user", "ann", "google")
    token = token_for("ann")
    value = f"Bearer {token}" if header == "Authorization" else token

    answer = gateway.call("user", "ann", "google", token="", headers={header: value})

    assert answer.status_code == 200, answer.text
    (request,) = gateway.providers.google.requests
    assert request.api_key == key
    assert token.encode() not in request.everything()


@pytest.mark.parametrize(
    "token",
    [
        pytest.param("", id="none"),
        pytest.param("x" * 64, id="wrong"),
        pytest.param(token_for("ann", exp=1), id="expired"),
        pytest.param(token_for("ann", type="refresh"), id="refresh"),
    ],
)
@pytest.mark.in_turn
def test_whoever_shows_no_token_is_401(gateway: GatewayBackend, token: str) -> None:
    """Before anything else is looked at."""
    refused(gateway.call("user", "ann", "openai", token=token), 401, "unauthorized")


@pytest.mark.rules
@pytest.mark.parametrize(
    "path",
    [
        "/ai-gatewayx/system/default/openai/v1/models",
        "/ai-gateway-2/system/default/openai/v1/models",
        "/ai-gateway%2Fsystem/default/openai/v1/models",
    ],
)
@pytest.mark.parametrize("with_token", [True, False])
def test_paths_that_merely_begin_like_the_gateway_are_not_the_gateway(
    gateway: GatewayBackend, path: str, with_token: bool
) -> None:
    """They are checked by other rules, which ask for no token."""
    gateway.new_key("system", "default", "openai")

    answer = gateway.sidecar.request("GET", path, token=None if with_token else "")

    assert answer.status_code in (401, 404)
    assert gateway.providers.requests() == []


@pytest.mark.rules
@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/system",
        "/system/default/openai",
        "/system/other/openai/v1/models",
        "/camera/default/openai/v1/models",
        "/system/default/mistral/v1/models",
        "/user/a%00b/openai/v1/models",
        "/user/%FF/openai/v1/models",
        f"/user/{'x' * 256}/openai/v1/models",
    ],
)
def test_unknown_owners_and_providers_are_404(gateway: GatewayBackend, path: str) -> None:
    """In the same envelope as everything."""
    refused(gateway.sidecar.request("GET", f"/ai-gateway{path}"), 404, "not-found")


# What a stored key is known for


@pytest.mark.parametrize(
    ("status", "code"), [("invalid", "key-rejected"), ("blocked", "key-rejected"), ("expired", "key-expired")]
)
def test_key_that_is_known_to_be_refused_is_not_sent(gateway: GatewayBackend, status: str, code: str) -> None:
    """Not a byte goes out, until another one is entered."""
    gateway.new_key("user", "ann", "openai")
    gateway.backend.database.execute(f"UPDATE secrets SET status = '{status}'")
    before = gateway.providers.connections()

    sentence = refused(gateway.call("user", "ann", "openai"), 402, code)

    assert sentence.endswith("Enter a new one in the user's API keys.")
    assert gateway.providers.connections() == before
    gateway.new_key("user", "ann", "openai")
    assert gateway.call("user", "ann", "openai").status_code == 200


@pytest.mark.parametrize("status", ["unknown", "no_quota", "rate_limited", "limited_scope", "unreachable"])
@pytest.mark.in_turn
def test_key_of_which_less_is_known_is_tried(gateway: GatewayBackend, status: str) -> None:
    """Credit may have been bought meanwhile."""
    gateway.new_key("user", "ann", "openai")
    gateway.backend.database.execute(f"UPDATE secrets SET status = '{status}'")

    assert gateway.call("user", "ann", "openai").status_code == 200


def test_expired_key_is_not_sent(gateway: GatewayBackend) -> None:
    """When its owner said it would expire."""
    key = gateway.providers.openai.new_key()
    soon = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=1.5)
    gateway.store("user", "ann", "openai", key, expires_at=soon.isoformat())

    wait_for_refusal(gateway)

    sentence = refused(gateway.call("user", "ann", "openai"), 402, "key-expired")
    assert "in the user's API keys" in sentence


def wait_for_refusal(gateway: GatewayBackend) -> None:
    """Wait until the key is not sent any more."""
    wait_until(lambda: gateway.call("user", "ann", "openai").status_code != 200, timeout_s=10, what="an expired key")


@pytest.mark.parametrize("key", ["sk-ключ-ключ-ключ", "sk-with\r\nX-Injected: 1", "sk-\x7f-tail-0123456"])
def test_key_that_no_header_can_hold_is_not_sent(gateway: GatewayBackend, key: str) -> None:
    """It would end the header, or begin another one."""
    gateway.store("system", "default", "openai", key)

    sentence = refused(gateway.call("system", "default", "openai"), 402, "key-rejected")

    assert key not in sentence
    assert gateway.providers.requests() == []


# Rows in the wrong place


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(("user", "ann", "openai"), ("user", "ben", "openai"), id="users"),
        pytest.param(("tenant", "acme", "openai"), ("system", "default", "openai"), id="tenant-and-platform"),
        pytest.param(("user", "ann", "openai"), ("user", "ann", "deepseek"), id="providers"),
    ],
)
@pytest.mark.parametrize("what", ["ciphertexts", "owners"])
def test_rows_swapped_by_sql_send_nobody_elses_key(
    gateway: GatewayBackend, one: tuple[str, str, str], other: tuple[str, str, str], what: str
) -> None:
    """Whether the ciphertexts change places or the names on the rows do."""
    gateway.new_key(*one)
    gateway.new_key(*other)
    columns = "ciphertext, kid, row_version" if what == "ciphertexts" else "owner_kind, owner_id, name"
    swap(gateway, columns, one, other)

    for place in (one, other):
        refused(gateway.call(*place), 409, "secret-unreadable")

    assert gateway.providers.requests() == []
    own = gateway.new_key(*one)
    assert gateway.call(*one).status_code == 200
    assert gateway.keys_sent(gateway.providers[one[2]]) == [own]


def swap(gateway: GatewayBackend, columns: str, one: tuple[str, str, str], other: tuple[str, str, str]) -> None:
    """Exchange columns of two rows."""
    database: Any = gateway.backend.database
    select = f"SELECT id, {columns} FROM secrets WHERE owner_kind = '{{}}' AND owner_id = '{{}}' AND name = '{{}}'"
    ((first, *of_first),) = database.query(select.format(*one))
    ((second, *of_second),) = database.query(select.format(*other))
    names = columns.split(", ")

    def give(row: object, values: list[Any]) -> None:
        changes = ", ".join(f"{name} = '{value}'" for name, value in zip(names, values, strict=True))
        database.execute(f"UPDATE secrets SET {changes} WHERE id = '{row}'")

    give(first, ["parked" if isinstance(value, str) else -1 for value in of_first])
    give(second, of_first)
    give(first, of_second)


def test_moved_pin_does_not_help(gateway: GatewayBackend) -> None:
    """A key that was entered for one host is not sent to another because somebody edits the row's other columns."""
    gateway.new_key("user", "ann", "openai")
    gateway.backend.database.execute("UPDATE secrets SET pinned_host = 'https://evil.example'")

    refused(gateway.call("user", "ann", "openai"), 409, "secret-unreadable")

    assert gateway.providers.requests() == []


# Sidecars of their own


def test_changed_base_url_never_gets_the_old_key(tmp_path: Path) -> None:
    """Until it is entered again; a path added to the same host is no other host."""
    with AIProviders() as first, AIProviders() as second:
        key = first.openai.new_key()
        second.openai.behave(key, "valid")
        with Sidecar(config_dir=tmp_path, env=environment(first)) as sidecar:
            before = GatewayBackend(Backend("sqlite", sidecar, SqliteDatabase(sidecar.data_dir)), first)
            sidecar.wait_healthy()
            before.store("system", "default", "openai", key)
            assert before.call("system", "default", "openai").status_code == 200
        with Sidecar(config_dir=tmp_path, env=environment(second)) as sidecar:
            after = GatewayBackend(Backend("sqlite", sidecar, SqliteDatabase(sidecar.data_dir)), second)
            sidecar.wait_healthy()
            sentence = refused(after.call("system", "default", "openai"), 402, "key-rejected")
            assert "entered for another address of OpenAI" in sentence
            assert second.connections() == 0
            after.store("system", "default", "openai", key)
            assert after.call("system", "default", "openai").status_code == 200


def test_locked_vault_is_423(tmp_path: Path) -> None:
    """The key is stored, and its vault key is not at hand."""
    with AIProviders() as providers:
        with Sidecar(config_dir=tmp_path, env=environment(providers)) as sidecar:
            gateway = GatewayBackend(Backend("sqlite", sidecar, SqliteDatabase(sidecar.data_dir)), providers)
            sidecar.wait_healthy()
            gateway.new_key("system", "default", "openai")
        (tmp_path / "fernet.key").unlink()
        with Sidecar(config_dir=tmp_path, env=environment(providers)) as sidecar:
            gateway = GatewayBackend(Backend("sqlite", sidecar, SqliteDatabase(sidecar.data_dir)), providers)
            sidecar.wait_healthy()
            refused(gateway.call("system", "default", "openai"), 423, "vault-locked")
        assert providers.requests() == []


def test_database_that_is_away_is_503(tmp_path: Path) -> None:
    """As everywhere; nothing is said of coming again where somebody has to do something first."""
    variables = {"TASKFLOW_EMBEDDED": "0", "JWT_SECRET_KEY": JWT_SECRET}
    with Sidecar(config_dir=tmp_path, env=variables) as sidecar:
        sidecar.wait_for_state("setup_required")
        answer = sidecar.request("GET", "/ai-gateway/system/default/openai/v1/models")
    assert answer.status_code == 503
    assert "Retry-After" not in answer.headers
