"""Real desktops on one PostgreSQL: they come in with codes, use and rotate together, and are removed."""

from __future__ import annotations

import contextlib
import json
import threading
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from tests.support import processes
from tests.support.pooler import Pooler
from tests.support.sidecar import Sidecar, run_command
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import httpx

    from tests.conftest import SidecarFactory
    from tests.support.databases import Database
    from tests.support.postgres import PostgresServer

SECRET = "sk-live-0123456789abcdef"
KEYS = "/api/v1/settings/ai-keys"
DEVICES = "/api/v1/vault/devices"
UNLOCKED_WITHIN_S = 2.0
RECOVERY_CODE = "ABCD-EFGH-IJKL-MNOP-QRST-UVWX-YZ23-4567"


@pytest.fixture
def team(sidecar_factory: SidecarFactory, database: Database, tmp_path: Path) -> Any:
    """Return what starts the desktop of a name on the common database; each has a key file of its own."""

    def start(name: str, fields: dict[str, Any] | None = None, **options: Any) -> Sidecar:
        directory = tmp_path / name
        is_new = not (directory / "db_credentials.enc").exists()
        env = {"TASKFLOW_EMBEDDED": "0", "TASKFLOW_LOG_LEVEL": "debug"}
        sidecar = sidecar_factory(config_dir=directory, env=env, **options)
        if is_new:
            sidecar.save_connection(fields or database.fields())
        sidecar.wait_healthy()
        return sidecar

    return start


def ok(answer: httpx.Response, status: int = 200) -> Any:
    """Expect an answer, and return what it holds."""
    assert answer.status_code == status, answer.text
    return answer.json() if answer.content else None


def refused(answer: httpx.Response, status: int, code: str) -> str:
    """Expect an error of a code, and return its sentence."""
    assert (answer.status_code, answer.headers["Taskflow-Error-Code"]) == (status, code), answer.text
    return str(answer.json()["error"])


def access(one: Sidecar) -> tuple[str, str]:
    """Return the vault's state, and whether the desktop is in."""
    vault = one.status()["vault"]
    return vault["state"], vault["access"]


def own_id(one: Sidecar) -> str:
    """Return the id of a desktop that is in or asks."""
    (found,) = [item["device_id"] for item in items(one) if item["is_this"]]
    return str(found)


def items(one: Sidecar) -> list[dict[str, Any]]:
    """Return the desktops as one of them lists them."""
    found: list[dict[str, Any]] = ok(one.request("GET", DEVICES))["items"]
    return found


def store(one: Sidecar, secret: str = SECRET) -> None:
    """Set the team's key."""
    ok(one.request("PUT", KEYS, json={"openai": secret}))


def join(newcomer: Sidecar, approver: Sidecar, label: str = "newcomer") -> float:
    """Let a desktop in; return how many seconds it took from the approval on."""
    asked = ok(newcomer.request("POST", DEVICES, json={"label": label}), 201)
    device = ok(approver.request("POST", f"{DEVICES}/{asked['device_id']}/approve", json={"code": asked["code"]}))
    began = time.monotonic()
    assert (device["label"], device["state"]) == (label, "member")
    wait_until(lambda: access(newcomer) == ("unlocked", "member"), timeout_s=20, what="the newcomer to be in")
    return time.monotonic() - began


def rotate(one: Sidecar) -> None:
    """Replace the vault key, and wait for the end."""
    ok(one.request("POST", "/api/v1/vault/rotate"), 202)
    rotated(one)


def rotated(one: Sidecar) -> None:
    """Wait for the end of a rotation."""
    wait_until(
        lambda: ok(one.request("GET", "/api/v1/vault/rotation"))["state"] == "done", timeout_s=30, what="the rotation"
    )


def reads(one: Sidecar) -> bool:
    """Tell whether a desktop can open what the team has stored, and write."""
    verified = run_command("vault", "verify", config_dir=one.config_dir)
    return verified.returncode == 0


def reads_over_http(one: Sidecar) -> bool:
    """Tell whether a desktop finds every secret readable, and can store one."""
    is_fine = ok(one.request("GET", "/api/v1/vault/verify"))["ok"]
    return bool(is_fine) and one.request("PUT", KEYS, json={"google": "AIza-of-the-team-0000"}).status_code == 200


def test_a_team_lives_with_its_vault(team: Any) -> None:
    """A makes it, B and C come in; all use, replace and rotate; B is away for two keys; C is removed."""
    a = team("a")
    store(a)
    b, c = team("b"), team("c")
    assert access(b) == ("locked", "none")
    refused(b.request("PUT", KEYS, json={"openai": "sk-x-of-no-team"}), 423, "vault-locked")

    join(b, a, "b")
    join(c, b, "c")
    store(b, "sk-live-replaced-by-b")
    rotate(c)
    assert all(reads(one) for one in (a, b, c))
    assert [(item["label"], item["state"]) for item in items(a)][1:] == [("b", "member"), ("c", "member")]

    b.stop()
    rotate(a)
    rotate(c)
    store(c, "sk-live-replaced-while-b-was-away")
    b = team("b")
    assert access(b) == ("unlocked", "member")
    assert reads(b)

    id_b, id_c = own_id(b), own_id(c)
    ok(a.request("POST", "/api/v1/vault/recovery", json={"recovery_code": RECOVERY_CODE}))
    removal = ok(a.request("DELETE", f"{DEVICES}/{id_c}"), 202)
    assert removal["secrets"] == 1
    assert removal["recovery_code_void"] is True
    assert ok(a.request("GET", "/api/v1/vault"))["has_recovery_code"] is False
    assert removal["rotation"]["to_kid"]
    refused(c.request("PUT", KEYS, json={"openai": "sk-live-after-all"}), 423, "vault-locked")
    assert ok(c.request("GET", "/api/v1/vault"))["state"] == "locked"
    rotated(a)
    assert reads(a)
    assert reads(b)
    assert not reads(c)
    assert id_c not in {item["device_id"] for item in items(b)}

    ok(b.request("DELETE", f"{DEVICES}/{own_id(a)}"), 202)
    rotated(b)
    assert not reads(a)
    refused(b.request("DELETE", f"{DEVICES}/{id_b}"), 409, "last-member")
    actions = [entry["reason"] for entry in ok(b.request("GET", "/api/v1/audit"))["entries"] if entry["reason"]]
    assert f"device {id_c} removed" in actions
    assert f"device {id_c} let in by device {id_b}" in actions


def test_codes_and_requests(team: Any) -> None:
    """A slip is told from tampering, five wrong codes void, either side may be started anew, requests are apart."""
    a, b, c = team("a"), team("b"), team("c")
    asked = ok(b.request("POST", DEVICES, json={}), 201)
    other = ok(c.request("POST", DEVICES, json={"label": "c"}), 201)
    path = f"{DEVICES}/{asked['device_id']}/approve"
    plain = asked["code"].replace("-", "")
    slip = ("A" if plain[0] != "A" else "B") + plain[1:]

    assert [item["state"] for item in items(a)] == ["requested", "requested", "member"]
    assert "mistyped" in refused(a.request("POST", path, json={"code": slip}), 400, "code-wrong")
    assert "database" in refused(a.request("POST", path, json={"code": other["code"]}), 400, "code-wrong")
    refused(a.request("POST", f"{DEVICES}/0123456789abcdef/approve", json={"code": slip}), 404, "not-found")
    refused(b.request("POST", path, json={"code": asked["code"]}), 423, "vault-locked")
    refused(a.request("POST", DEVICES, json={}), 409, "conflict")
    refused(a.request("GET", f"{DEVICES}/request"), 404, "not-found")

    for one in (a, b):
        one.stop()
    a, b = team("a"), team("b")
    assert ok(b.request("GET", f"{DEVICES}/request")) == asked
    assert access(b) == ("locked", "requested")
    ok(a.request("POST", path, json={"code": asked["code"].lower()}))
    refused(a.request("POST", path, json={"code": asked["code"]}), 409, "not-requested")
    wait_until(lambda: access(b) == ("unlocked", "member"), timeout_s=20, what="the newcomer to be in")

    path = f"{DEVICES}/{other['device_id']}/approve"
    for _ in range(5):
        refused(b.request("POST", path, json={"code": slip}), 400, "code-wrong")
    refused(a.request("POST", path, json={"code": other["code"]}), 404, "not-found")
    wait_until(lambda: access(c) == ("locked", "none"), timeout_s=20, what="the void request to be noticed")
    again = ok(c.request("POST", DEVICES, json={"label": "c"}), 201)
    assert ok(a.request("DELETE", f"{DEVICES}/{again['device_id']}"), 204) is None
    again = ok(c.request("POST", DEVICES, json={"label": "c"}), 201)
    assert c.request("DELETE", f"{DEVICES}/request").status_code == 204
    refused(a.request("POST", path, json={"code": again["code"]}), 404, "not-found")


def at_once(*calls: Callable[[], httpx.Response]) -> list[int]:
    """Make calls at the same moment; return their statuses, sorted."""
    barrier = threading.Barrier(len(calls))

    def make(call: Callable[[], httpx.Response]) -> int:
        barrier.wait()
        return call().status_code

    with ThreadPoolExecutor(len(calls)) as pool:
        return sorted(pool.map(make, calls))


def test_two_at_once(team: Any, database: Database) -> None:
    """Two ask, two approve both, two remove one, all at the same moment: each thing happens once."""
    a, b, c, d = (team(name) for name in "abcd")
    store(a)
    join(b, a)

    def asking(one: Sidecar) -> Callable[[], httpx.Response]:
        return lambda: one.request("POST", DEVICES, json={})

    assert at_once(asking(c), asking(d)) == [201, 201]
    codes = [ok(one.request("GET", f"{DEVICES}/request")) for one in (c, d)]

    def approving(approver: Sidecar, asked: dict[str, str]) -> Callable[[], httpx.Response]:
        path = f"{DEVICES}/{asked['device_id']}/approve"
        return lambda: approver.request("POST", path, json={"code": asked["code"]})

    assert at_once(*(approving(one, asked) for one in (a, b) for asked in codes)) == [200, 200, 409, 409]
    are_in = [("unlocked", "member")] * 2
    wait_until(lambda: [access(one) for one in (c, d)] == are_in, timeout_s=20, what="both to be in")
    assert [item["state"] for item in items(a)] == ["member"] * 4
    assert all(reads_over_http(one) for one in (a, b, c, d))

    gone = own_id(d)
    path = f"{DEVICES}/{gone}"
    assert at_once(lambda: a.request("DELETE", path), lambda: b.request("DELETE", path)) == [202, 404]
    rotated(a)
    assert all(reads_over_http(one) for one in (a, b, c))
    assert d.request("PUT", KEYS, json={"openai": "sk-after-all"}).status_code == 423


@pytest.mark.quiet
@pytest.mark.parametrize("is_pooled", [pytest.param(False, id="direct"), pytest.param(True, id="pgbouncer")])
def test_newcomer_is_in_two_seconds_after_the_approval(
    team: Any, database: Database, postgres: PostgresServer, is_pooled: bool
) -> None:
    """Without a restart."""
    with contextlib.ExitStack() as stack:
        fields: dict[str, Any] = dict(database.fields())
        if is_pooled:
            pooler = stack.enter_context(Pooler(postgres, {database.username: database.password}))
            fields["port"] = pooler.port
        a, b = team("a", fields), team("b", fields)
        store(a)

        assert join(b, a) <= UNLOCKED_WITHIN_S
        store(b)


def test_killed_desktops_come_back(team: Any) -> None:
    """Killed after the approval, and in a removal's rotation: nobody is lost, nobody is in who should not be."""
    a, b, c = team("a"), team("b"), team("c")
    store(a)
    join(c, a)
    asked = ok(b.request("POST", DEVICES, json={}), 201)
    b.kill()
    ok(a.request("POST", f"{DEVICES}/{asked['device_id']}/approve", json={"code": asked["code"]}))
    b = team("b")
    wait_until(lambda: access(b) == ("unlocked", "member"), timeout_s=20, what="the newcomer to be in")

    ok(a.request("DELETE", f"{DEVICES}/{own_id(c)}"), 202)
    a.kill()
    a = team("a")
    rotated(a)
    assert reads(a)
    assert reads(b)
    assert access(c)[0] == "locked" or ok(c.request("GET", "/api/v1/vault"))["state"] == "locked"


def test_command_line(team: Any) -> None:
    """Codes are typed at a prompt; the running desktop notices, and the doctor tells who is in and who asks."""
    a, b = team("a"), team("b")
    store(a)
    asked = run_command("vault", "ask", "--label", "anna", config_dir=b.config_dir)
    assert asked.returncode == 0, asked.stderr
    code = asked.stdout.splitlines()[0].removeprefix("Code: ")
    listed = json.loads(run_command("vault", "devices", "--json", config_dir=a.config_dir).stdout)["items"]
    device_id = listed[0]["device_id"]
    assert [item["state"] for item in listed] == ["requested", "member"]
    doctor = run_command("doctor", config_dir=a.config_dir)
    assert f"anna ({device_id})" in doctor.stdout

    approved = run_command("vault", "approve", device_id, config_dir=a.config_dir, stdin=f"{code}\n")

    assert approved.returncode == 0, approved.stderr
    assert "anna is in." in approved.stdout
    wait_until(lambda: access(b) == ("unlocked", "member"), timeout_s=25, what="the running desktop to notice")
    wrong = run_command("vault", "approve", device_id, config_dir=a.config_dir, stdin=f"{code}\n")
    assert wrong.returncode != 0
    for is_running in (True, False):
        if not is_running:
            b.stop()
        rotated_key = run_command("key", "rotate", config_dir=b.config_dir)
        assert rotated_key.returncode == 0, rotated_key.stderr
    b = team("b")
    assert reads(b)
    device_id, before = own_id(b), device_id
    assert [(item["label"], item["device_id"]) for item in items(a)][1:] == [("anna", device_id)]
    assert device_id != before
    removed = run_command("vault", "remove", device_id, config_dir=a.config_dir)
    assert removed.returncode == 0, removed.stderr
    assert "1 secrets" in removed.stdout
    assert not reads(b)
    assert reads(a)


def test_codes_are_found_nowhere(team: Any, database: Database, tmp_path: Path) -> None:
    """Not in arguments, logs, the database, files, or the support archive."""
    a, b = team("a"), team("b")
    store(a)
    asked = ok(b.request("POST", DEVICES, json={}), 201)
    slip = asked["code"][:-1] + ("A" if asked["code"][-1] != "A" else "B")
    path = f"{DEVICES}/{asked['device_id']}/approve"
    refused(a.request("POST", path, json={"code": slip}), 400, "code-wrong")
    while_asking = dump(database)
    ok(a.request("POST", path, json={"code": asked["code"]}))
    wait_until(lambda: access(b) == ("unlocked", "member"), timeout_s=20, what="the newcomer to be in")
    bundles = []
    for one in (a, b):
        bundle = tmp_path / f"{one.config_dir.name}.zip"
        run_command("doctor", "--bundle", str(bundle), config_dir=one.config_dir)
        with zipfile.ZipFile(bundle) as archive:
            bundles += [archive.read(name).decode("utf-8", "replace") for name in archive.namelist()]

    places = [while_asking, dump(database), *bundles]
    for one in (a, b):
        places += [one.log_text(), one.stderr_text(), one.stdout_text(), json.dumps(processes.arguments(one.pid))]
        places += [file.read_bytes().decode("utf-8", "replace") for file in one.config_dir.rglob("*") if file.is_file()]
    plain = asked["code"].replace("-", "")
    assert [place for place in places if asked["code"] in place or plain in place or slip in place] == []
    assert not (b.config_dir / "join.request").exists()


def dump(database: Database) -> str:
    """Return all that a database holds."""
    rows = [database.query(f'SELECT * FROM "{table}"') for table in database.tables()]
    return repr(rows)


def test_changed_database_lets_nobody_in(team: Any, database: Database) -> None:
    """A swapped label, an invented member, and a state from before a removal: told, and nothing is shared."""
    a, b, c = team("a"), team("b"), team("c")
    store(a)
    join(c, a)
    asked = ok(b.request("POST", DEVICES, json={"label": "b"}), 201)
    database.execute("UPDATE vault_join_requests SET label = 'boss'")
    path = f"{DEVICES}/{asked['device_id']}/approve"
    sentence = refused(a.request("POST", path, json={"code": asked["code"]}), 400, "code-wrong")
    assert "changed" in sentence
    database.execute(
        "INSERT INTO vault_devices (device_id, public_key, label, approved_by, approved_at)"
        " SELECT '0123456789abcdef', public_key, 'boss', approved_by, now() FROM vault_devices LIMIT 1"
    )
    assert [item["state"] for item in items(a) if item["label"] == "boss"] == ["requested", "untrusted"]
    id_c = own_id(c)
    database.execute("CREATE TABLE kept_d AS SELECT * FROM vault_devices")
    database.execute("CREATE TABLE kept_w AS SELECT * FROM vault_device_wraps")
    ok(a.request("DELETE", f"{DEVICES}/{id_c}"), 202)
    rotated(a)
    database.execute(f"INSERT INTO vault_devices SELECT * FROM kept_d WHERE device_id = '{id_c}'")
    database.execute(f"INSERT INTO vault_device_wraps SELECT * FROM kept_w WHERE device_id = '{id_c}'")
    database.execute("DROP TABLE kept_d; DROP TABLE kept_w")

    assert {item["state"] for item in items(a) if item["device_id"] == id_c} == {"untrusted"}
    rotate(a)
    assert ok(c.request("GET", "/api/v1/vault"))["state"] == "locked"
    verified = run_command("vault", "verify", config_dir=a.config_dir)
    assert verified.returncode == 1
    assert all(f"No member vouches for the desktop {one}" in verified.stdout for one in ("boss", "newcomer"))
    doctor = run_command("doctor", config_dir=a.config_dir)
    assert "No member vouches for" in doctor.stdout
    for device_id in ("0123456789abcdef", id_c):
        ok(a.request("DELETE", f"{DEVICES}/{device_id}"), 204)
    assert reads(a)
