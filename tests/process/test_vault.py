"""The vault of real sidecars: over HTTP and on the command line, shared, locked, unlocked, given up, tampered with."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from app.core.fernet_keys import encode_key, fingerprint
from app.core.security import KEY_FILE
from app.db.configured import DATABASE_FILE
from app.models.vault import ROOT, secrets, vault_wraps
from app.services.vault.check import Tally, verify
from app.services.vault.keys import VaultLockedError
from app.services.vault.recovery import new_recovery_code
from app.services.vault.rows import SecretName, SecretUnreadableError
from tests.support.canaries import CANARIES, find_canary
from tests.support.in_process import InProcess, on_postgresql
from tests.support.sidecar import COMMAND, Sidecar, clean_environment, run_command
from tests.support.vaults import Desktop, change, desktop, read, rows_of, store_of
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx

    from tests.conftest import SidecarFactory
    from tests.support.databases import Backend, Database

KEY_A = bytes(range(32))
KEY_B = bytes(range(32, 64))
ACME = {"owner_kind": "tenant", "owner_id": "acme", "name": "openai"}
OPENAI = SecretName(**ACME)
LONG = "sk-live-0123456789abcdef"
API_SECRET = "an api key encryption secret of 40 chars"


def post(sidecar: Sidecar, path: str, body: object = None) -> httpx.Response:
    """Send a POST below the vault's path."""
    return sidecar.request("POST", f"/api/v1/vault{path}", json=body)


def bulk(sidecar: Sidecar, *operations: dict[str, Any]) -> httpx.Response:
    """Send writes; each is about the tenant's key unless it says otherwise."""
    return post(sidecar, "/bulk", {"operations": [{**ACME, **operation} for operation in operations]})


def put(sidecar: Sidecar, secret: str = LONG, **more: Any) -> None:
    """Store a secret."""
    answer = bulk(sidecar, {"op": "set", "secret": secret, **more})
    assert answer.status_code == 200, answer.text


def document(sidecar: Sidecar) -> dict[str, Any]:
    """The vault's document."""
    answer = sidecar.request("GET", "/api/v1/vault")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def code_of(answer: httpx.Response) -> tuple[int, str]:
    """Status and machine code of an error."""
    return answer.status_code, answer.headers["Taskflow-Error-Code"]


def rotate(sidecar: Sidecar) -> dict[str, Any]:
    """Rotate the vault key and wait for the end; return the rotation's document."""
    assert post(sidecar, "/rotate").status_code == 202
    wait_until(lambda: document(sidecar)["rotation"]["state"] == "done", timeout_s=30, what="the rotation to end")
    finished: dict[str, Any] = document(sidecar)["rotation"]
    return finished


@pytest.fixture
def store(any_backend: Backend) -> Iterator[InProcess]:
    """The database of the shared sidecar."""
    with store_of(any_backend) as opened:
        yield opened


@pytest.fixture
def inside(any_backend: Backend, store: InProcess) -> Desktop:
    """The vault of the shared sidecar, seen with its own key."""
    return desktop(store, any_backend.sidecar.config_dir)


# --- one sidecar -----------------------------------------------------------------------------------------------------


def test_a_vault_is_made_at_the_first_start(any_backend: Backend) -> None:
    """It is unlocked by the desktop's own key; status and document agree, and nothing in them is secret."""
    found, status = document(any_backend.sidecar), any_backend.sidecar.status()["vault"]
    keys = (any_backend.sidecar.config_dir / KEY_FILE).read_text()

    assert (found["state"], found["secrets"], found["unreadable"]) == ("unlocked", 0, 0)
    assert (found["needs_fingerprint"], found["has_recovery_code"], found["rotation"]) == (None, False, None)
    assert status == {
        "state": "unlocked",
        "key_fingerprint": found["key_fingerprint"],
        "needs_fingerprint": None,
        "access": "member",
    }
    assert keys not in json.dumps([found, status])


def test_writes_are_all_or_nothing(any_backend: Backend, inside: Desktop) -> None:
    """Results in order; one bad operation undoes those before it, whatever it is."""
    sidecar = any_backend.sidecar
    first = bulk(sidecar, {"op": "set", "secret": LONG}, {"op": "set", "name": "google", "secret": "second"})
    second = bulk(
        sidecar,
        {"op": "delete", "name": "google"},
        {"op": "delete", "name": "none"},
        {"op": "set", "secret": "****cdef"},
    )

    assert first.status_code == second.status_code == 200
    assert [result["result"] for result in first.json()["results"]] == ["set", "set"]
    assert second.json()["results"] == [
        {"op": "delete", **ACME, "name": "google", "result": "deleted"},
        {"op": "delete", **ACME, "name": "none", "result": "absent"},
        {"op": "set", **ACME, "result": "kept"},
    ]
    failed = bulk(
        sidecar, {"op": "set", "secret": "lost"}, {"op": "delete"}, {"op": "set", "name": "new", "secret": "****"}
    )
    assert code_of(failed) == (400, "validation")
    assert failed.json()["error"].startswith("operations.2.secret: ")
    assert [info.name for info in inside.vault.infos()] == ["openai"]
    assert inside.use(OPENAI) == LONG


@pytest.mark.rules
@pytest.mark.parametrize(
    ("operation", "sentence"),
    [
        ({"op": "put"}, "operations.1.op: Input should be 'set' or 'delete'"),
        ({"op": None}, "operations.1.op: Field required"),
        ({"owner_kind": "nobody"}, "operations.1.owner_kind: Input should be 'server', "),
        ({"owner_id": "  "}, "operations.1.owner_id: field cannot be blank"),
        ({"owner_id": "x" * 65}, "operations.1.owner_id: String should have at most 64 characters"),
        ({"name": 5}, "operations.1.name: Input should be a valid string"),
        ({"secret": None}, "operations.1.secret: Field required"),
        ({"secret": ""}, "operations.1.secret: field cannot be blank"),
        ({"secret": "x" * 8193}, "operations.1.secret: String should have at most 8192 characters"),
        ({"secret": "a\x00b"}, "operations.1.secret: Input should not contain NUL characters"),
        ({"expires_at": "tomorrow"}, "operations.1.expires_at: Input should be a date and time with its offset"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "operations.1.expires_at: Input should be in the future"),
        ({"expires_at": "2099-01-01T00:00:00"}, "operations.1.expires_at: Input should be a date and time with its"),
    ],
)
def test_a_broken_rule_names_operation_and_field(
    any_backend: Backend, inside: Desktop, operation: dict[str, Any], sentence: str
) -> None:
    """The first one, in one sentence, without the value; nothing is written."""
    answer = bulk(
        any_backend.sidecar,
        {"op": "set", "secret": "first"},
        {"op": "set", "secret": "canary-CASSOWARY", **operation},
    )

    assert code_of(answer) == (400, "validation")
    assert answer.json()["error"].startswith(sentence)
    assert "CASSOWARY" not in answer.text
    assert inside.vault.infos() == []


@pytest.mark.parametrize(
    ("operations", "sentence"),
    [
        (None, "operations: field cannot be null"),
        ({}, "operations: Input should be a valid list"),
        ([], "operations: List should have 1 to 1000 items"),
        ([{**ACME, "op": "delete"}] * 1001, "operations: List should have 1 to 1000 items"),
        (["set"], "operations.0: Input should be an object"),
    ],
)
def test_a_list_of_operations_is_asked_for(any_backend: Backend, operations: object, sentence: str) -> None:
    """And says which part of it is wrong."""
    answer = post(any_backend.sidecar, "/bulk", {"operations": operations})

    assert (code_of(answer), answer.json()["error"]) == ((400, "validation"), sentence)


def test_a_thousand_writes_at_once(any_backend: Backend, inside: Desktop) -> None:
    """The most that one request may hold, in one transaction."""
    answer = bulk(any_backend.sidecar, *({"op": "set", "name": str(n), "secret": f"secret {n}"} for n in range(1000)))

    assert answer.status_code == 200, answer.text
    assert verify(inside.vault.attachment, inside.store.database) == (Tally(opened=1000), [])
    assert inside.use(SecretName("tenant", "acme", "999")) == "secret 999"


def test_expiry_of_a_write_is_kept(any_backend: Backend, inside: Desktop) -> None:
    """In UTC; a mask that comes with another one changes only that."""
    put(any_backend.sidecar, expires_at="2099-01-01T02:00:00+02:00")
    first = inside.vault.info(OPENAI)
    put(any_backend.sidecar, "****cdef", expires_at="2100-01-01T00:00:00Z")
    second = inside.vault.info(OPENAI)

    assert first is not None
    assert second is not None
    assert (first.expires_at, second.expires_at) == ("2099-01-01T00:00:00.000000Z", "2100-01-01T00:00:00.000000Z")
    assert inside.use(OPENAI) == LONG


def test_tampering_by_sql_never_breaks_the_vault(any_backend: Backend, inside: Desktop, store: InProcess) -> None:
    """Swapped, flipped, truncated: the document works throughout, `vault verify` lists them, each can be replaced."""
    sidecar = any_backend.sidecar
    names = ("swapped-1", "swapped-2", "flipped", "truncated", "older", "sound")
    put(sidecar, "older", name="older")
    older = next(iter(rows_of(store).values()))["ciphertext"]
    for name in names:
        put(sidecar, f"secret of {name}", name=name)
    by_name = {row["name"]: row for row in rows_of(store).values()}
    damaged = {
        "swapped-1": by_name["swapped-2"]["ciphertext"],
        "swapped-2": by_name["swapped-1"]["ciphertext"],
        "flipped": by_name["flipped"]["ciphertext"][:-9] + "A" + by_name["flipped"]["ciphertext"][-8:],
        "truncated": by_name["truncated"]["ciphertext"][:100],
        "older": older,
    }
    for name, ciphertext in damaged.items():
        change(store, sa.update(secrets).where(secrets.c.name == name).values(ciphertext=ciphertext))
        assert document(sidecar)["secrets"] == len(names)

    verified = run_command("vault", "verify", config_dir=sidecar.config_dir)

    assert verified.returncode == 1
    assert verified.stdout.startswith("1 secrets open, 5 do not.\n")
    assert all(f"tenant acme: {name}" in verified.stdout for name in damaged)
    assert document(sidecar)["unreadable"] == len(damaged)
    for name in damaged:
        with pytest.raises(SecretUnreadableError):
            inside.use(SecretName("tenant", "acme", name))
        put(sidecar, f"again {name}", name=name)
        assert inside.use(SecretName("tenant", "acme", name)) == f"again {name}"
    assert document(sidecar)["unreadable"] == 0
    verified = run_command("vault", "verify", "--json", config_dir=sidecar.config_dir)
    # earlier tests' rows were cleared behind the sidecar's back
    assert {finding["kind"] for finding in json.loads(verified.stdout)["findings"]} <= {"missing"}
    assert bulk(sidecar, *({"op": "delete", "name": name} for name in names)).status_code == 200


def test_a_list_page_marks_damage_before_anybody_uses_it(any_backend: Backend, store: InProcess) -> None:
    """Swapped, flipped, truncated, plaintext: the page of chat servers works throughout, and each is saved anew."""
    sidecar = any_backend.sidecar
    ids = ("flipped", "plain", "sound", "swapped-1", "swapped-2", "truncated")

    def save(server_id: str) -> None:
        answer = sidecar.request("PUT", f"/api/v1/servers/{server_id}/config", json={"api_key": LONG})
        assert answer.status_code == 200, answer.text

    def statuses() -> dict[str, str]:
        page = sidecar.request("GET", "/api/v1/servers")
        assert page.status_code == 200, page.text
        return {server["server_id"]: server["api_key"]["status"] for server in page.json()}

    for server_id in ids:
        save(server_id)
    at_rest = {row["owner_id"]: row["ciphertext"] for row in rows_of(store).values()}
    damaged = {
        "flipped": at_rest["flipped"][:-9] + ("A" if at_rest["flipped"][-9] != "A" else "B") + at_rest["flipped"][-8:],
        "plain": LONG,
        "swapped-1": at_rest["swapped-2"],
        "swapped-2": at_rest["swapped-1"],
        "truncated": at_rest["truncated"][:100],
    }
    for server_id, ciphertext in damaged.items():
        change(store, sa.update(secrets).where(secrets.c.owner_id == server_id).values(ciphertext=ciphertext))
        assert statuses()[server_id] == "unreadable"

    assert [server_id for server_id, status in statuses().items() if status == "unreadable"] == sorted(damaged)
    for server_id in damaged:
        refused = sidecar.request("POST", f"/api/v1/servers/{server_id}/api-key/reveal")
        expected = "secret-format-unknown" if server_id == "plain" else "secret-unreadable"
        assert (refused.status_code, refused.headers["Taskflow-Error-Code"]) == (409, expected)
        save(server_id)
        revealed = sidecar.request("POST", f"/api/v1/servers/{server_id}/api-key/reveal")
        assert revealed.json() == {"api_key": LONG}
    assert set(statuses().values()) == {"unknown"}


def test_rotation_over_http(any_backend: Backend, inside: Desktop) -> None:
    """Accepted at once, seen to its end, and everything opens under the new key."""
    sidecar = any_backend.sidecar
    stored = inside.fill(450)
    before = document(sidecar)

    begun = post(sidecar, "/rotate")
    finished = rotate(sidecar)

    assert (begun.status_code, begun.json()["from_kid"]) == (202, before["kid"])
    assert document(sidecar)["kid"] == finished["to_kid"] != before["kid"]
    assert finished["quarantined"] == 0
    assert sidecar.request("GET", "/api/v1/vault/rotation").json() == document(sidecar)["rotation"]
    assert verify(inside.vault.attachment, inside.store.database)[0] == Tally(opened=450)
    assert all(inside.use(which) == secret for which, secret in list(stored.items())[::90])


@pytest.mark.rules
@pytest.mark.parametrize(
    ("path", "body", "sentence"),
    [
        ("/unlock", {}, "encryption_key: Field required"),
        ("/unlock", {"encryption_key": 5}, "encryption_key: Input should be a valid string"),
        ("/unlock", {"encryption_key": "CASSOWARY"}, "encryption_key: Input should be a Fernet key"),
        ("/unlock", {"recovery_code": "CASSOWARY"}, "recovery_code: Input should be a recovery code"),
        ("/recovery", {}, "recovery_code: Field required"),
        ("/recovery", {"recovery_code": "CASSOWARY"}, "recovery_code: Input should be a recovery code"),
        ("/reset", {}, "confirm: Field required"),
        ("/reset", {"confirm": "CASSOWARY"}, "confirm: Input should be the id of the vault"),
    ],
)
def test_ways_out_of_locked_check_what_they_are_given(
    any_backend: Backend, path: str, body: dict[str, Any], sentence: str
) -> None:
    """In one sentence, without the value."""
    answer = post(any_backend.sidecar, path, body)

    assert (code_of(answer), answer.json()["error"]) == ((400, "validation"), sentence)


def test_recovery_code_can_be_set_over_http_and_a_new_one_rotates_the_key(any_backend: Backend) -> None:
    """The caller has made it and a person has typed it; no answer repeats it, and an older one ends."""
    sidecar = any_backend.sidecar
    codes = [new_recovery_code(), new_recovery_code()]

    first, kid = post(sidecar, "/recovery", {"recovery_code": codes[0].lower()}), document(sidecar)["kid"]
    second = post(sidecar, "/recovery", {"recovery_code": codes[1]})
    wait_until(lambda: document(sidecar)["rotation"]["state"] == "done", timeout_s=30, what="the rotation to end")

    assert (first.status_code, first.json()["has_recovery_code"]) == (200, True)
    assert second.status_code == 200
    assert document(sidecar)["kid"] != kid
    assert not [code for code in codes if code in first.text + second.text]


def test_an_unlocked_vault_cannot_be_reset(any_backend: Backend) -> None:
    """Whoever confirms it."""
    answer = post(any_backend.sidecar, "/reset", {"confirm": document(any_backend.sidecar)["vault_id"]})

    assert code_of(answer) == (409, "conflict")


@pytest.mark.in_turn
def test_secrets_show_nowhere(any_backend: Backend, inside: Desktop, tmp_path: Path) -> None:
    """Not in answers, logs, the database, exports or the support archive; only opening brings them back."""
    sidecar = any_backend.sidecar
    answers = [bulk(sidecar, *({"op": "set", "secret": canary, "name": name} for name, canary in CANARIES.items()))]
    rotate(sidecar)
    answers += [sidecar.request("GET", path) for path in ("/api/v1/vault", "/api/v1/audit", "/api/v1/status")]
    bundle = tmp_path / "bundle.zip"
    printed = [
        run_command(*arguments, config_dir=sidecar.config_dir)
        for arguments in (
            ("audit", "export"),
            ("vault", "status", "--json"),
            ("vault", "verify", "--json"),
            ("doctor", "--bundle", str(bundle)),
        )
    ]

    texts = [answer.text for answer in answers] + [done.stdout + done.stderr for done in printed]
    texts += [sidecar.stderr_text(), sidecar.log_text(), bundle.read_bytes().decode("latin-1")]
    hints = [canary[-4:] for canary in CANARIES.values()]
    rows = [{**row, "hint": None} for row in rows_of(inside.store).values()]
    assert {row["hint"] for row in rows_of(inside.store).values()} <= {*hints, None}
    for name, canary in CANARIES.items():
        assert [found for text in (*texts, repr(rows)) for found in find_canary(text, canary)] == []
        assert inside.use(SecretName("tenant", "acme", name)) == canary


# --- several sidecars, one database ----------------------------------------------------------------------------------


def test_sidecars_share_a_vault_and_a_third_is_locked(database: Database, sidecar_factory: SidecarFactory) -> None:
    """The story of three desktops: two with the same ENCRYPTION_KEY, one without, which is let in later."""
    shared = {"TASKFLOW_DATABASE_URL": database.url, "ENCRYPTION_KEY": encode_key(KEY_A)}
    first, second = (sidecar_factory(env=shared) for _ in range(2))
    first.wait_healthy()  # whoever is first makes the vault, for its own key
    second.wait_healthy()
    third = sidecar_factory(env={"TASKFLOW_DATABASE_URL": database.url}).wait_healthy()
    with on_postgresql(database.fields()) as store:
        inside = desktop(store, first.config_dir, encryption_keys=(KEY_A,))
        outside = desktop(store, third.config_dir)
        needs = fingerprint(KEY_A)

        # both read and write, also right after the other has rotated
        put(first, "by the first", name="one")
        put(second, "by the second", name="two")
        for rotating, other in ((first, second), (second, first)):
            rotate(rotating)
            put(other, f"after {rotating.port}", name="three")
            assert inside.use(SecretName("tenant", "acme", "three")) == f"after {rotating.port}"
            assert document(other)["kid"] == document(rotating)["kid"]
        assert inside.use(SecretName("tenant", "acme", "one")) == "by the first"
        assert inside.use(SecretName("tenant", "acme", "two")) == "by the second"

        # the third is healthy and locked; it deletes, and the audit log works
        locked = document(third)
        assert third.health()[0] == 200
        assert (locked["state"], locked["needs_fingerprint"], locked["secrets"]) == ("locked", needs, 3)
        assert third.status()["vault"]["state"] == "locked"
        assert third.status()["vault"]["needs_fingerprint"] == needs
        assert [info.name for info in outside.vault.infos()] == ["one", "three", "two"]
        assert bulk(third, {"op": "delete", "name": "three"}).json()["results"][0]["result"] == "deleted"
        # the others wrote with a key that is not at hand here
        assert third.request("GET", "/api/v1/audit/verify").json()["problems"] == []
        wraps = read(store, sa.select(vault_wraps))
        for refused in (bulk(third, {"op": "set", "secret": "new"}), post(third, "/rotate")):
            assert code_of(refused) == (423, "vault-locked")
            assert needs in refused.json()["error"]
        mixed = bulk(third, {"op": "delete", "name": "one"}, {"op": "set", "secret": "new"})
        assert mixed.status_code == 423
        with pytest.raises(VaultLockedError, match=needs):
            outside.use(SecretName("tenant", "acme", "one"))
        assert read(store, sa.select(vault_wraps)) == wraps
        assert document(first)["secrets"] == 2
        found = run_command("doctor", config_dir=third.config_dir, env={"TASKFLOW_DATABASE_URL": database.url})
        assert found.returncode == 1
        assert f"WRONG  vault: The vault is locked: it needs the key {needs}." in found.stdout

        # unlocked by key, nobody restarts
        wrong = post(third, "/unlock", {"encryption_key": encode_key(KEY_B)})
        assert code_of(wrong) == (400, "key-wrong")
        unlocked = post(third, "/unlock", {"encryption_key": f" {encode_key(KEY_A)}\n"})
        assert (unlocked.status_code, unlocked.json()["state"]) == (200, "unlocked")
        assert third.status()["vault"]["state"] == "unlocked"
        put(third, "by the third", name="four")
        assert inside.use(SecretName("tenant", "acme", "four")) == "by the third"
        assert desktop(store, third.config_dir).use(SecretName("tenant", "acme", "one")) == "by the first"
        actions = [entry["action"] for entry in first.request("GET", "/api/v1/audit").json()["entries"]]
        assert {"unlock", "share", "refused", "rotate", "set", "delete"} <= set(actions)
        assert KEY_A.hex() not in third.log_text()
        assert encode_key(KEY_A) not in third.log_text() + third.stderr_text()


@contextlib.contextmanager
def typing_recovery(sidecar: Sidecar, env: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """Run `vault recovery` for a sidecar's directory, ready to be typed at."""
    environment = clean_environment(sidecar.directory) | {"TASKFLOW_CONFIG_DIR": str(sidecar.config_dir)} | env
    command = subprocess.Popen(
        [*COMMAND, "vault", "recovery"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )
    with command:
        yield command


def make_recovery_code(sidecar: Sidecar, env: dict[str, str], *, retype: str | None = None) -> tuple[str, int]:
    """Print a recovery code and type it, or something else; return it, and the exit status."""
    with typing_recovery(sidecar, env) as command:
        assert command.stdout is not None
        code = command.stdout.readline().removeprefix("Recovery code: ").strip()
        command.communicate(f"{code.lower() if retype is None else retype}\n")
    return code, command.returncode


def test_recovery_code_and_reset_let_the_owner_in(database: Database, sidecar_factory: SidecarFactory) -> None:
    """Every key is lost: the printed code opens the vault on a new desktop; without it, what is lost is given up."""
    url = {"TASKFLOW_DATABASE_URL": database.url}
    first = sidecar_factory(env=url).wait_healthy()
    put(first)
    assert make_recovery_code(first, url, retype="ABCD")[1] == 1
    assert not document(first)["has_recovery_code"]
    code, status = make_recovery_code(first, url)
    assert status == 0
    rotate(first)
    assert document(first)["has_recovery_code"]
    first.stop()

    second = sidecar_factory(env=url).wait_healthy()
    assert code_of(
        post(second, "/unlock", {"recovery_code": code.replace(code[0], "A" if code[0] != "A" else "B")})
    ) == (
        400,
        "key-wrong",
    )
    assert post(second, "/unlock", {"recovery_code": code}).json()["state"] == "unlocked"
    with on_postgresql(database.fields()) as store:
        assert desktop(store, second.config_dir).use(OPENAI) == LONG
        second.stop()

        third = sidecar_factory(env=url).wait_healthy()
        locked = document(third)
        assert code_of(post(third, "/reset", {"confirm": "yes"})) == (400, "validation")
        done = post(third, "/reset", {"confirm": locked["vault_id"]})
        assert (done.status_code, done.json()["state"], done.json()["unreadable"]) == (200, "unlocked", 1)
        assert code_of(post(third, "/reset", {"confirm": locked["vault_id"]})) == (409, "conflict")
        inside = desktop(store, third.config_dir)
        with pytest.raises(SecretUnreadableError):
            inside.use(OPENAI)
        put(third, "entered again")
        assert inside.use(OPENAI) == "entered again"
        assert document(third)["unreadable"] == 0


def test_keys_come_from_the_environment_the_handshake_and_the_file(
    database: Database, sidecar_factory: SidecarFactory
) -> None:
    """Wraps made under `fernet.key` still open when ENCRYPTION_KEY comes; lists open all, the handshake's key wins."""
    url = {"TASKFLOW_DATABASE_URL": database.url}
    sidecar = sidecar_factory(env=url).wait_healthy()
    put(sidecar)
    file_key = document(sidecar)["key_fingerprint"]
    sidecar.stop()

    later = sidecar_factory(
        config_dir=sidecar.config_dir, env=url | {"ENCRYPTION_KEY": f" {encode_key(KEY_A)} , "[:-3]}
    )
    later.wait_healthy()
    assert (document(later)["state"], document(later)["key_fingerprint"]) == ("unlocked", fingerprint(KEY_A))
    assert later.status()["vault"]["key_fingerprint"] == fingerprint(KEY_A) != file_key
    both = sidecar_factory(env=url | {"ENCRYPTION_KEY": f"{encode_key(KEY_B)},{encode_key(KEY_A)}"}).wait_healthy()
    assert document(both)["state"] == "unlocked"
    given = sidecar_factory(
        stdio=True, encryption_key=encode_key(KEY_B), env=url | {"ENCRYPTION_KEY": encode_key(bytes(range(9, 41)))}
    )
    given.wait_healthy()
    assert (document(given)["state"], document(given)["key_fingerprint"]) == ("unlocked", fingerprint(KEY_B))
    put(given, "by the last")
    with on_postgresql(database.fields()) as store:
        assert desktop(store, later.config_dir).use(OPENAI) == "by the last"
        assert {row.fingerprint for row in read(store, sa.select(vault_wraps))} == {
            file_key,
            fingerprint(KEY_A),
            fingerprint(KEY_B),
        }


def test_users_secrets_outlive_a_desktop_without_their_secret(
    database: Database, sidecar_factory: SidecarFactory
) -> None:
    """Its rotation leaves them where they are, and every tool says which variable is missing."""
    shared = {"TASKFLOW_DATABASE_URL": database.url, "ENCRYPTION_KEY": encode_key(KEY_A)}
    full = shared | {"API_KEY_ENCRYPTION_SECRET": API_SECRET}
    has, lacks = sidecar_factory(env=full).wait_healthy(), sidecar_factory(env=shared).wait_healthy()
    put(has, owner_kind="user", owner_id="u-1")
    put(has, "tenant's")

    assert rotate(lacks)["quarantined"] == 1

    for arguments, says in (
        (("vault", "verify"), "1 were stored with another API_KEY_ENCRYPTION_SECRET"),
        (("doctor",), "WRONG  vault: 1 secrets of users were stored with another API_KEY_ENCRYPTION_SECRET."),
    ):
        found = run_command(*arguments, config_dir=lacks.config_dir, env=shared)
        assert (found.returncode, says in found.stdout) == (1, True), found.stdout
    verified = run_command("vault", "verify", "--json", config_dir=has.config_dir, env=full)
    assert json.loads(verified.stdout) == {"ok": True, "checked": 2, "findings": []}
    assert document(has)["unreadable"] == 0
    assert rotate(has)["quarantined"] == 0
    healthy = run_command("doctor", "--json", config_dir=has.config_dir, env=full)
    check = next(check for check in json.loads(healthy.stdout) if check["name"] == "vault")
    assert check == {
        "name": "vault",
        "ok": True,
        "message": "It is unlocked, and its 5 sealed values open.",
        "remedy": "",
    }
    assert API_SECRET not in verified.stdout + healthy.stdout + has.log_text()


# --- the command line ------------------------------------------------------------------------------------------------


@pytest.mark.in_turn
def test_status_on_the_command_line(any_backend: Backend) -> None:
    """It says what HTTP says, beside the running sidecar."""
    put(any_backend.sidecar)

    told = run_command("vault", "status", config_dir=any_backend.sidecar.config_dir)
    as_json = run_command("vault", "status", "--json", config_dir=any_backend.sidecar.config_dir)

    found = document(any_backend.sidecar)
    assert json.loads(as_json.stdout) == found
    assert told.stdout.splitlines() == [
        f"state: unlocked, key {found['key_fingerprint']}",
        "secrets: 1, unreadable: 0",
        f"recovery code: {'made' if found['has_recovery_code'] else 'none'}",
    ]


@pytest.mark.parametrize("command", ["status", "rotate", "verify", "recovery"])
def test_commands_before_the_first_start(command: str, tmp_path: Path) -> None:
    """One sentence, a remedy, and nothing is made."""
    found = run_command("vault", command, config_dir=tmp_path / "config")

    assert found.returncode == 1
    assert "The database has no tables yet. Start the sidecar once" in found.stderr
    assert not (tmp_path / "config").exists()


@pytest.mark.parametrize(
    ("revision", "sentence"), [("0001", "an earlier version"), ("9999", "newer than this program")]
)
@pytest.mark.parametrize("command", [("vault", "status"), ("audit", "verify")])
def test_commands_beside_another_version(
    command: tuple[str, str], revision: str, sentence: str, tmp_path: Path
) -> None:
    """They say which way round it is, and leave the database alone."""
    file = tmp_path / "data" / DATABASE_FILE
    file.parent.mkdir()
    with contextlib.closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
        connection.execute("INSERT INTO alembic_version VALUES (?)", (revision,))

    found = run_command(*command, config_dir=tmp_path)

    assert found.returncode == 1
    assert sentence in found.stderr
    with contextlib.closing(sqlite3.connect(file)) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [(revision,)]


@pytest.mark.in_turn
def test_key_rotate_and_the_vault(any_backend: Backend, inside: Desktop) -> None:
    """Through the running sidecar: vault and connection go on under the new key, and the old one is gone."""
    sidecar = any_backend.sidecar
    put(sidecar)
    before = document(sidecar)["key_fingerprint"]

    rotated = run_command("key", "rotate", config_dir=sidecar.config_dir)

    assert rotated.returncode == 0, rotated.stderr
    assert "stays" not in rotated.stdout
    found = document(sidecar)
    assert (found["state"], found["key_fingerprint"] != before) == ("unlocked", True)
    fingerprints = {
        row.fingerprint for row in read(inside.store, sa.select(vault_wraps).where(vault_wraps.c.kind == ROOT))
    }
    assert fingerprints == {found["key_fingerprint"]}
    assert len((sidecar.config_dir / KEY_FILE).read_bytes()) == 44
    assert desktop(inside.store, sidecar.config_dir).use(OPENAI) == LONG
