"""The system's keys of AI providers: set, kept, removed, all or nothing."""

from __future__ import annotations

import secrets
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from app.core.config import PROVIDER_NAMES
from app.models.vault import secrets as secrets_table
from app.schemas.ai_keys import SystemKeys, SystemKeysBody
from app.services.providers import INITIAL, PROVIDERS
from app.services.vault.rows import SecretName
from tests.support.owners import (
    LOOKS_ENCRYPTED,
    UNSET_KEY,
    actions,
    allow_audit,
    ciphertexts,
    error_of,
    inside_of,
    ok,
    refuse_audit,
    shown,
    swap,
)
from tests.support.vaults import change, store_of

if TYPE_CHECKING:
    import httpx

    from tests.support.databases import Backend
    from tests.support.sidecar import Sidecar

PATH = "/api/v1/settings/ai-keys"
FUTURE = "2099-01-01T00:00:00.000000Z"
KEYS = {
    "openai": "sk-proj-0123456789abcdef",
    "anthropic": "sk-ant-0123456789abcdef",
    "google": "AQ.Ab8-0123456789abcdef",
    "deepseek": "sk-0123456789abcdef",
}


def put(sidecar: Sidecar, **body: Any) -> httpx.Response:
    """Write the system's keys."""
    return sidecar.request("PUT", PATH, json=body)


def get(sidecar: Sidecar) -> Any:
    """Read them."""
    return ok(sidecar.request("GET", PATH))


def use(backend: Backend, provider: str) -> str | None:
    """Open a key as whoever uses it does."""
    with inside_of(backend) as inside:
        return inside.use(SecretName("system", "default", provider))


def test_every_provider_has_a_field() -> None:
    """A new adapter is forgotten neither in the body nor in the answer."""
    assert SystemKeys.__struct_fields__ == SystemKeysBody.__struct_fields__ == tuple(PROVIDERS) == tuple(PROVIDER_NAMES)


def test_the_systems_keys_live(any_backend: Backend) -> None:
    """Written, read masked, used, replaced, removed, restarted, and used again."""
    sidecar = any_backend.sidecar
    assert get(sidecar) == dict.fromkeys(KEYS, UNSET_KEY)

    written = ok(put(sidecar, **KEYS))
    assert written == get(sidecar) == {name: shown(f"…{key[-4:]}") for name, key in KEYS.items()}
    assert {name: use(any_backend, name) for name in KEYS} == KEYS

    ok(put(sidecar, openai="sk-proj-replaced-replaced", deepseek=None))
    assert get(sidecar)["deepseek"] == UNSET_KEY
    assert use(any_backend, "openai") == "sk-proj-replaced-replaced"
    assert use(any_backend, "deepseek") is None
    assert use(any_backend, "google") == KEYS["google"]

    sidecar.stop()
    sidecar.start().wait_healthy()
    assert get(sidecar) == {**written, "openai": shown("…aced"), "deepseek": UNSET_KEY}
    assert use(any_backend, "anthropic") == KEYS["anthropic"]
    ok(put(sidecar, deepseek=KEYS["deepseek"]))
    assert use(any_backend, "deepseek") == KEYS["deepseek"]


def test_what_was_shown_keeps_the_key(any_backend: Backend) -> None:
    """A mask, the hint, the object as it was read; and what is absent, like fields that nobody knows."""
    sidecar = any_backend.sidecar
    before = ok(put(sidecar, **KEYS))
    at_rest = ciphertexts(any_backend)

    assert ok(put(sidecar, **before)) == before
    assert ok(put(sidecar, openai="****", anthropic="****cdef", google="…cdef", deepseek={"set": True})) == before
    assert ok(put(sidecar, mistral="key", openai={"set": False})) == before
    assert ok(put(sidecar)) == before
    assert ciphertexts(any_backend) == at_rest


def test_reading_back_what_is_unset_changes_nothing(any_backend: Backend) -> None:
    """Removing what is not there is no error either."""
    sidecar = any_backend.sidecar

    assert ok(put(sidecar, **get(sidecar))) == dict.fromkeys(KEYS, UNSET_KEY)
    assert ok(put(sidecar, openai=None)) == dict.fromkeys(KEYS, UNSET_KEY)


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"deepseek": ""}, "deepseek: field cannot be blank"),
        ({"deepseek": "  "}, "deepseek: field cannot be blank"),
        ({"deepseek": 5}, "deepseek: Input should be a valid string"),
        ({"deepseek": ["CASSOWARY"]}, "deepseek: Input should be a valid string"),
        ({"deepseek": {}}, "deepseek: Input should be a key, or the object as it was read"),
        ({"deepseek": {"set": "CASSOWARY"}}, "deepseek: Input should be a key, or the object as it was read"),
        ({"deepseek": "x" * 8193}, "deepseek: String should have at most 8192 characters"),
        ({"deepseek": "a\x00"}, "deepseek: Input should not contain NUL characters"),
        ({"deepseek": {"api_key": None}}, "deepseek.api_key: field cannot be null"),
        ({"deepseek": {"api_key": " "}}, "deepseek.api_key: field cannot be blank"),
        (
            {"deepseek": {"api_key": "CASSOWARY", "expires_at": "2020-01-01T00:00:00Z"}},
            "deepseek.expires_at: Input should be in the future",
        ),
        (
            {"deepseek": "****"},
            "deepseek: Input should be the key itself, as nothing is stored that a mask could keep",
        ),
        (
            {"deepseek": {"api_key": "****", "expires_at": FUTURE}},
            "deepseek: Input should be the key itself, as nothing is stored that a mask could keep",
        ),
        ({"deepseek": "", "google": 5}, "google: Input should be a valid string"),
    ],
)
@pytest.mark.in_turn
def test_all_or_nothing(any_backend: Backend, body: dict[str, Any], sentence: str) -> None:
    """One key that cannot be stored undoes the others, removals included."""
    sidecar = any_backend.sidecar
    ok(put(sidecar, anthropic=KEYS["anthropic"]))
    before = ciphertexts(any_backend)

    answer = put(sidecar, openai=KEYS["openai"], anthropic=None, **body)

    assert error_of(answer) == (400, "validation", sentence)
    assert ciphertexts(any_backend) == before


def test_an_expiry_may_come_along(any_backend: Backend) -> None:
    """In an object with the key, or with a mask to change it alone."""
    sidecar = any_backend.sidecar

    written = ok(put(sidecar, openai={"api_key": KEYS["openai"], "expires_at": "2099-01-01T01:00:00+01:00"}))
    assert written["openai"] == shown("…cdef", expires_at=FUTURE)
    assert ok(put(sidecar, **written)) == written
    assert ok(put(sidecar, openai={"api_key": "****", "expires_at": None}))["openai"] == shown("…cdef")
    assert ok(put(sidecar, openai={"api_key": "…cdef", "expires_at": FUTURE}))["openai"]["expires_at"] == FUTURE
    assert ok(put(sidecar, openai={"api_key": "****"}))["openai"]["expires_at"] == FUTURE
    assert use(any_backend, "openai") == KEYS["openai"]
    assert ok(put(sidecar, openai=KEYS["openai"]))["openai"]["expires_at"] is None


@pytest.mark.parametrize("key", [LOOKS_ENCRYPTED, "k", "zwei Wörter 🔑", "vf1.0123abcd.gAAAAABn"])
@pytest.mark.in_turn
def test_any_text_is_sealed(any_backend: Backend, key: str) -> None:
    """What looks encrypted is text like any other; blanks around it go."""
    ok(put(any_backend.sidecar, openai=f"  {key}\n"))

    assert use(any_backend, "openai") == key
    (at_rest,) = ciphertexts(any_backend).values()
    assert at_rest.startswith("vf2.")
    assert at_rest != key


def test_equal_keys_differ_at_rest_and_cannot_be_exchanged(any_backend: Backend) -> None:
    """Of two providers, and of the system and a server; one that does not open breaks no list and can be replaced."""
    sidecar = any_backend.sidecar
    key = KEYS["openai"]
    ok(put(sidecar, openai=key, anthropic=key))
    ok(sidecar.request("PUT", "/api/v1/servers/default/config", json={"api_key": key}))
    assert len(set(ciphertexts(any_backend).values())) == 3

    swap(any_backend, ("system", "default", "openai"), ("server", "default", "openai"))

    assert error_of(sidecar.request("POST", "/api/v1/servers/default/api-key/reveal"))[1] == "secret-unreadable"
    with store_of(any_backend) as store:
        change(store, secrets_table.update().values(ciphertext="nonsense", status="unreadable"))
    assert {name: get(sidecar)[name]["status"] for name in ("openai", "anthropic")} == {
        "openai": "unreadable",
        "anthropic": "unreadable",
    }
    ok(put(sidecar, openai=key, anthropic=None))
    assert use(any_backend, "openai") == key


def test_initial_keys_are_none_of_the_systems(any_backend: Backend) -> None:
    """They lie beside each other and neither shows in the other's place."""
    sidecar = any_backend.sidecar
    initial = {
        "op": "set",
        "owner_kind": "system",
        "owner_id": "default",
        "name": f"{INITIAL}openai",
        "secret": "x" * 9,
    }
    ok(sidecar.request("POST", "/api/v1/vault/bulk", json={"operations": [initial]}))

    assert get(sidecar)["openai"] == UNSET_KEY
    ok(put(sidecar, openai=KEYS["openai"]))
    ok(put(sidecar, openai=None))
    assert list(ciphertexts(any_backend)) == [("system", "default", f"{INITIAL}openai")]


def test_each_write_is_audited_and_refused_without_audit(any_backend: Backend) -> None:
    """Set, replaced, deleted; kept ones are nothing to tell of."""
    sidecar = any_backend.sidecar
    before = len(actions(sidecar, owner_kind="system", owner_id="default"))
    ok(put(sidecar, openai=KEYS["openai"]))
    ok(put(sidecar, openai=KEYS["deepseek"], google=KEYS["google"]))
    ok(put(sidecar, openai="****"))
    ok(put(sidecar, openai=None, google=None))

    assert actions(sidecar, owner_kind="system", owner_id="default")[before:] == [
        "set launch-token openai ok",
        "replace launch-token openai ok",
        "set launch-token google ok",
        "delete launch-token openai ok",
        "delete launch-token google ok",
    ]
    refuse_audit(any_backend)
    try:
        assert error_of(put(sidecar, openai=KEYS["openai"]))[:2] == (503, "audit-unavailable")
    finally:
        allow_audit(any_backend)
    assert get(sidecar)["openai"] == UNSET_KEY


def test_writes_at_once_are_each_whole(any_backend: Backend) -> None:
    """Documents written side by side, in whatever order they name and remove keys, end as one of them."""
    sidecar = any_backend.sidecar
    documents: list[dict[str, str | None]] = []
    for number in range(16):
        names = [*KEYS][:: 1 if number % 2 else -1]
        keys = {name: f"{name}-{secrets.token_hex(8)}" for name in names}
        documents.append({**keys, names[number % 4]: None, names[(number + 1) % 4]: None})
    with ThreadPoolExecutor(8) as pool:
        statuses = {answer.status_code for answer in pool.map(lambda body: put(sidecar, **body), documents)}

    assert statuses == {200}
    assert {name: use(any_backend, name) for name in KEYS} in documents
