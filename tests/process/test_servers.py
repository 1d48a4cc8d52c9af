"""Chat servers: settings that are replaced, keys that go with their provider, reading, revealing, shredding."""

from __future__ import annotations

import json
import secrets
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from app.services.vault.rows import SecretName
from tests.support.canaries import NASTY_PASSWORDS
from tests.support.owners import (
    LOOKS_ENCRYPTED,
    actions,
    allow_audit,
    ciphertexts,
    count_owner_rows,
    error_of,
    inside_of,
    ok,
    refuse_audit,
    shown,
    swap,
)

if TYPE_CHECKING:
    import httpx

    from tests.support.databases import Backend
    from tests.support.sidecar import Sidecar

KEY = "sk-server-0123456789abcdef"
OTHER_KEY = "sk-server-9876543210fedcba"
DEFAULTS = {
    "provider": "openai",
    "dm_roll_visibility": "public",
    "player_roll_mode": "manual_digital",
    "character_sheet_mode": "digital_sheet",
}
NASTY_KEYS = [text for text in NASTY_PASSWORDS.values() if not text.startswith("****")]
FUTURE = "2099-01-01T00:00:00.000000Z"


def put(sidecar: Sidecar, server_id: str = "guild-1", **body: Any) -> httpx.Response:
    """Replace a server's settings."""
    return sidecar.request("PUT", f"/api/v1/servers/{server_id}/config", json=body)


def get(sidecar: Sidecar, server_id: str = "guild-1") -> httpx.Response:
    """Read a server's settings."""
    return sidecar.request("GET", f"/api/v1/servers/{server_id}/config")


def reveal(sidecar: Sidecar, server_id: str = "guild-1") -> httpx.Response:
    """Reveal a server's key."""
    return sidecar.request("POST", f"/api/v1/servers/{server_id}/api-key/reveal")


def delete(sidecar: Sidecar, server_id: str = "guild-1") -> httpx.Response:
    """Delete a server."""
    return sidecar.request("DELETE", f"/api/v1/servers/{server_id}/config")


def test_a_server_lives(any_backend: Backend) -> None:
    """Written, read masked, used, replaced, deleted, written again, restarted, and used again."""
    sidecar = any_backend.sidecar

    written = ok(put(sidecar, api_key=KEY))
    assert written == {"server_id": "guild-1", **DEFAULTS, "api_key": shown("…cdef")}
    assert ok(get(sidecar)) == written
    assert ok(sidecar.request("GET", "/api/v1/servers")) == [written]
    assert ok(reveal(sidecar)) == {"api_key": KEY}

    replaced = ok(put(sidecar, api_key=OTHER_KEY, dm_roll_visibility="hidden", player_roll_mode="auto_hidden"))
    assert replaced["api_key"] == shown("…dcba")
    assert (replaced["dm_roll_visibility"], replaced["player_roll_mode"]) == ("hidden", "auto_hidden")
    assert ok(reveal(sidecar)) == {"api_key": OTHER_KEY}

    assert delete(sidecar).status_code == 204
    for answer in (get(sidecar), reveal(sidecar), delete(sidecar)):
        assert error_of(answer) == (404, "not-found", "Server not found")
    assert ok(sidecar.request("GET", "/api/v1/servers")) == []
    assert error_of(put(sidecar)) == (400, "validation", "api_key: Field required")
    assert count_owner_rows(any_backend, "server", "guild-1") == 0

    ok(put(sidecar, api_key=KEY))
    sidecar.stop()
    sidecar.start().wait_healthy()
    assert ok(get(sidecar)) == written
    assert ok(reveal(sidecar)) == {"api_key": KEY}


def test_modes_that_are_absent_take_their_defaults(any_backend: Backend) -> None:
    """PUT replaces; only key and provider stay."""
    sidecar = any_backend.sidecar
    modes = {
        "dm_roll_visibility": "hidden",
        "player_roll_mode": "manual_physical_raw",
        "character_sheet_mode": "physical_sheet",
    }
    assert ok(put(sidecar, api_key=KEY, provider="google", **modes)) == {
        "server_id": "guild-1",
        "provider": "google",
        **modes,
        "api_key": shown("…cdef"),
    }

    assert ok(put(sidecar, player_roll_mode="auto_visible")) == {
        "server_id": "guild-1",
        **DEFAULTS,
        "provider": "google",
        "player_roll_mode": "auto_visible",
        "api_key": shown("…cdef"),
    }
    assert ok(reveal(sidecar)) == {"api_key": KEY}


@pytest.mark.parametrize("sent", ["****", "****cdef", "…cdef", "as read"])
@pytest.mark.in_turn
def test_what_was_shown_keeps_the_key(any_backend: Backend, sent: str) -> None:
    """A mask, the hint, the whole document as it was read: none of them becomes the key."""
    sidecar = any_backend.sidecar
    before = ok(put(sidecar, api_key=KEY, expires_at=FUTURE))
    at_rest = ciphertexts(any_backend)

    body = before if sent == "as read" else {"api_key": sent}

    assert ok(put(sidecar, **body)) == before
    assert ok(reveal(sidecar)) == {"api_key": KEY}
    assert ciphertexts(any_backend) == at_rest


@pytest.mark.parametrize("sent", ["****", "****cdef", "…cdef"])
@pytest.mark.in_turn
def test_a_mask_of_nothing_is_refused(any_backend: Backend, sent: str) -> None:
    """And nothing of the server is stored."""
    answer = put(any_backend.sidecar, api_key=sent)

    assert error_of(answer)[:2] == (400, "validation")
    assert answer.json()["error"].startswith("api_key: Input should be the key itself")
    assert get(any_backend.sidecar).status_code == 404
    assert error_of(put(any_backend.sidecar, api_key={"set": False}))[2] == "api_key: Field required"


@pytest.mark.rules
@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({}, "api_key: Field required"),
        ({"api_key": ""}, "api_key: field cannot be blank"),
        ({"api_key": " \t "}, "api_key: field cannot be blank"),
        ({"api_key": None}, "api_key: field cannot be null"),
        ({"api_key": 5}, "api_key: Input should be a valid string"),
        ({"api_key": {"hint": "CASSOWARY"}}, "api_key: Input should be a key, or the object as it was read"),
        ({"api_key": "x" * 8193}, "api_key: String should have at most 8192 characters"),
        ({"api_key": "a\x00b"}, "api_key: Input should not contain NUL characters"),
        ({"provider": "CASSOWARY"}, "provider: Input should be 'openai', 'anthropic', 'google' or 'deepseek'"),
        ({"provider": None}, "provider: field cannot be null"),
        ({"dm_roll_visibility": "CASSOWARY"}, "dm_roll_visibility: Input should be 'public' or 'hidden'"),
        (
            {"player_roll_mode": "CASSOWARY"},
            (
                "player_roll_mode: Input should be 'manual_physical_total', 'manual_physical_raw', 'manual_digital', "
                "'auto_visible' or 'auto_hidden'"
            ),
        ),
        ({"character_sheet_mode": 1}, "character_sheet_mode: Input should be 'digital_sheet' or 'physical_sheet'"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "expires_at: Input should be in the future"),
        ({"expires_at": "tomorrow"}, "expires_at: Input should be a date and time with its offset from UTC"),
        ({"provider": 1, "api_key": ""}, "api_key: field cannot be blank"),
    ],
)
def test_a_broken_rule_is_named(any_backend: Backend, body: dict[str, Any], sentence: str) -> None:
    """The first in the order of the schema, without the value; nothing is stored, nor is what is stored touched."""
    sidecar = any_backend.sidecar
    is_sound = {"api_key": KEY} if body and "api_key" not in body else {}

    assert error_of(put(sidecar, **is_sound, **body)) == (400, "validation", sentence)
    assert get(sidecar).status_code == 404

    before = ok(put(sidecar, api_key=KEY))
    if body:
        assert error_of(put(sidecar, **body)) == (400, "validation", sentence)
    assert ok(get(sidecar)) == before


@pytest.mark.parametrize("server_id", ["a", "A-1_z", "0" * 64, "123456789012345678", "-", "_"])
@pytest.mark.in_turn
def test_sound_ids(any_backend: Backend, server_id: str) -> None:
    """Each is a server of its own, in the letters it was given."""
    sidecar = any_backend.sidecar
    ok(put(sidecar, server_id, api_key=KEY))
    ok(put(sidecar, server_id.swapcase() + "x", api_key=OTHER_KEY) if len(server_id) < 64 else get(sidecar, server_id))

    assert ok(get(sidecar, server_id))["server_id"] == server_id
    assert ok(reveal(sidecar, server_id)) == {"api_key": KEY}


@pytest.mark.rules
@pytest.mark.parametrize(
    "server_id", ["0" * 65, "a%20b", "a.b", "a%2Eb", "%C3%A9", "%D9%A0", "a%0A", "a:b", "%00", "a;b", "a%25"]
)
@pytest.mark.parametrize("call", [put, get, delete, reveal])
def test_unsound_ids(any_backend: Backend, server_id: str, call: Any) -> None:
    """400 from every call, before anything else is looked at."""
    answer = call(any_backend.sidecar, server_id)

    sentence = "path.server_id: String should be 1 to 64 letters, digits, hyphens or underscores"
    assert error_of(answer)[:2] == (400, "validation")
    assert answer.json()["error"] in (sentence, "path.server_id: Input should not contain NUL characters")


def test_key_goes_with_its_provider(any_backend: Backend) -> None:
    """Another provider needs a key of its own, and the old provider's is deleted then."""
    sidecar = any_backend.sidecar
    ok(put(sidecar, api_key=KEY))

    for body in ({}, {"api_key": "****cdef"}, {"expires_at": FUTURE}):
        status, _, sentence = error_of(put(sidecar, provider="anthropic", dm_roll_visibility="hidden", **body))
        assert (status, sentence.split(":")[0]) == (400, "api_key")
    assert ok(get(sidecar)) == {"server_id": "guild-1", **DEFAULTS, "api_key": shown("…cdef")}

    assert ok(put(sidecar, provider="anthropic", api_key=OTHER_KEY))["provider"] == "anthropic"
    assert ok(reveal(sidecar)) == {"api_key": OTHER_KEY}
    assert list(ciphertexts(any_backend)) == [("server", "guild-1", "anthropic")]
    assert error_of(put(sidecar, provider="openai"))[2] == "api_key: Field required"


def test_a_provider_with_a_stored_key_needs_none(any_backend: Backend) -> None:
    """However it came there; the other one stays for the way back."""
    sidecar = any_backend.sidecar
    ok(put(sidecar, api_key=KEY))
    operation = {"op": "set", "owner_kind": "server", "owner_id": "guild-1", "name": "google", "secret": OTHER_KEY}
    ok(sidecar.request("POST", "/api/v1/vault/bulk", json={"operations": [operation]}))

    ok(put(sidecar, provider="google"))
    assert ok(reveal(sidecar)) == {"api_key": OTHER_KEY}
    ok(put(sidecar, provider="openai"))
    assert ok(reveal(sidecar)) == {"api_key": KEY}


@pytest.mark.parametrize("key", [*NASTY_KEYS, LOOKS_ENCRYPTED, "sk-" + "x" * 8000])
@pytest.mark.in_turn
def test_any_text_is_sealed_and_comes_back(any_backend: Backend, key: str) -> None:
    """But for blanks around it and masks; what looks encrypted is text like any other."""
    sidecar = any_backend.sidecar

    ok(put(sidecar, api_key=key))

    assert ok(reveal(sidecar)) == {"api_key": key.strip()}
    (at_rest,) = ciphertexts(any_backend).values()
    assert at_rest.startswith("vf2.")
    assert key.strip() not in at_rest


def test_equal_keys_of_two_servers_differ_at_rest(any_backend: Backend) -> None:
    """In all that lies in the database, and neither opens in the other's place."""
    sidecar = any_backend.sidecar
    ok(put(sidecar, "guild-1", api_key=KEY))
    ok(put(sidecar, "guild-2", api_key=KEY))
    first, second = ("server", "guild-1", "openai"), ("server", "guild-2", "openai")
    with inside_of(any_backend) as inside:
        fingerprints = {info.fingerprint for info in inside.vault.infos("server")}

    assert len(set(ciphertexts(any_backend).values())) == len(fingerprints) == 2

    swap(any_backend, first, second)

    for server_id in ("guild-1", "guild-2"):
        status, code, sentence = error_of(reveal(sidecar, server_id))
        assert (status, code) == (409, "secret-unreadable")
        assert "moved or tampered with" in sentence
        assert ok(get(sidecar, server_id))["api_key"]["status"] == "unreadable"
        ok(put(sidecar, server_id, api_key=OTHER_KEY))
        assert ok(reveal(sidecar, server_id)) == {"api_key": OTHER_KEY}
    assert [server["api_key"]["status"] for server in ok(sidecar.request("GET", "/api/v1/servers"))] == ["unknown"] * 2


def test_a_deleted_servers_backup_does_not_open(any_backend: Backend) -> None:
    """Shredded: the row brought back without its owner's salt is dead, also under a new server of that name."""
    sidecar = any_backend.sidecar
    ok(put(sidecar, api_key=KEY))
    backup = ciphertexts(any_backend)["server", "guild-1", "openai"]
    assert delete(sidecar).status_code == 204
    ok(put(sidecar, api_key=OTHER_KEY))

    any_backend.database.execute(f"UPDATE secrets SET ciphertext = '{backup}'")

    assert error_of(reveal(sidecar))[:2] == (409, "secret-unreadable")


def test_reveal_is_audited_and_kept_nowhere(any_backend: Backend) -> None:
    """With the actor; no cache may keep the answer."""
    sidecar = any_backend.sidecar
    server_id = f"guild-{secrets.token_hex(4)}"
    ok(put(sidecar, server_id, api_key=KEY))

    answer = reveal(sidecar, server_id)

    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    ok(put(sidecar, server_id, api_key=OTHER_KEY))
    ok(put(sidecar, server_id, api_key="****", expires_at=FUTURE))
    assert delete(sidecar, server_id).status_code == 204
    told = actions(sidecar, owner_kind="server", owner_id=server_id)
    assert told == [
        "set launch-token openai ok",
        "reveal launch-token openai ok",
        "replace launch-token openai ok",
        "expire launch-token openai ok",
        "delete launch-token None ok",
    ]
    assert KEY not in json.dumps(told)


def test_reveal_and_delete_need_the_audit_log(any_backend: Backend) -> None:
    """Refused when the entry cannot be written; everything else stays as it was."""
    sidecar = any_backend.sidecar
    before = ok(put(sidecar, api_key=KEY))
    refuse_audit(any_backend)
    try:
        answers = [reveal(sidecar), delete(sidecar), put(sidecar, api_key=OTHER_KEY)]
    finally:
        allow_audit(any_backend)

    assert [error_of(answer)[:2] for answer in answers] == [(503, "audit-unavailable")] * 3
    assert all(KEY not in answer.text for answer in answers)
    assert ok(get(sidecar)) == before
    assert ok(reveal(sidecar)) == {"api_key": KEY}


def test_expiry_comes_with_the_key_and_goes_with_it(any_backend: Backend) -> None:
    """A kept key keeps it, null takes it away, a new key has its own."""
    sidecar = any_backend.sidecar

    assert ok(put(sidecar, api_key=KEY, expires_at="2099-01-01T02:00:00+02:00"))["api_key"]["expires_at"] == FUTURE
    assert ok(put(sidecar))["api_key"]["expires_at"] == FUTURE
    assert ok(put(sidecar, expires_at=None))["api_key"]["expires_at"] is None
    assert ok(put(sidecar, api_key="****", expires_at=FUTURE))["api_key"]["expires_at"] == FUTURE
    assert ok(reveal(sidecar)) == {"api_key": KEY}
    assert ok(put(sidecar, api_key=OTHER_KEY))["api_key"]["expires_at"] is None


def test_an_expired_key_is_not_revealed(any_backend: Backend) -> None:
    """Its time being over is told; a new key ends it."""
    sidecar = any_backend.sidecar
    ok(put(sidecar, api_key=KEY))
    with inside_of(any_backend) as inside:
        which = SecretName("server", "guild-1", "openai")
        past = inside.audit._clock().replace(year=2020)
        with inside.vault.writing() as connection:
            inside.vault.expire(connection, which, past, actor="test")

    assert ok(get(sidecar))["api_key"]["status"] == "expired"
    assert error_of(reveal(sidecar))[:2] == (409, "secret-expired")
    ok(put(sidecar, api_key=KEY))
    assert ok(reveal(sidecar)) == {"api_key": KEY}


def test_servers_are_listed_by_id(any_backend: Backend) -> None:
    """In the same order on both databases."""
    ids = ["b", "B", "a-1", "a_1", "10", "9", "Z"]
    for server_id in ids:
        ok(put(any_backend.sidecar, server_id, api_key=KEY))

    listed = ok(any_backend.sidecar.request("GET", "/api/v1/servers"))

    assert [server["server_id"] for server in listed] == sorted(ids)


def test_first_writes_at_once_leave_one_key(any_backend: Backend) -> None:
    """Whichever came last; each answer is a success."""
    sidecar = any_backend.sidecar
    providers = ["openai", "anthropic", "google", "deepseek"] * 3

    def write(provider: str) -> int:
        return put(sidecar, provider=provider, api_key=f"{KEY}-{provider}").status_code

    with ThreadPoolExecutor(len(providers)) as pool:
        statuses = list(pool.map(write, providers))

    assert statuses == [200] * len(providers)
    provider = ok(get(sidecar))["provider"]
    assert ok(reveal(sidecar)) == {"api_key": f"{KEY}-{provider}"}
    assert list(ciphertexts(any_backend)) == [("server", "guild-1", provider)]


def test_writes_and_deletions_at_once_leave_no_key_without_its_server(any_backend: Backend) -> None:
    """Each ends in one of the two."""
    sidecar = any_backend.sidecar

    def act(number: int) -> int:
        return (put(sidecar, api_key=f"{KEY}{number}") if number % 2 else delete(sidecar)).status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = set(pool.map(act, range(40)))

    assert statuses <= {200, 204, 404}
    assert len(ciphertexts(any_backend)) == (get(sidecar).status_code == 200)


def test_only_the_launch_token_will_do(any_backend: Backend) -> None:
    """For every call."""
    for method, path in (
        ("GET", "/api/v1/servers"),
        ("PUT", "/api/v1/servers/guild-1/config"),
        ("GET", "/api/v1/servers/guild-1/config"),
        ("DELETE", "/api/v1/servers/guild-1/config"),
        ("POST", "/api/v1/servers/guild-1/api-key/reveal"),
    ):
        assert any_backend.sidecar.request(method, path, token="wrong").status_code == 401
