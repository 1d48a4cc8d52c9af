"""Alert rules: the values of their headers are in the vault, and webhooks really arrive, on both databases."""

from __future__ import annotations

import base64
import contextlib
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.canaries import CANARIES, find_canary, scan_files
from tests.support.network import LOOPBACK, LoopbackServer, free_port, never_replies
from tests.support.sidecar import Sidecar
from tests.support.waiting import wait_until
from tests.support.webhooks import WebhookReceiver

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator
    from pathlib import Path

    import httpx

    from tests.support.databases import Backend

PATH = "/api/v1/alert-rules"
UNKNOWN_ID = "00000000-0000-4000-8000-000000000000"
URL = "https://hooks.example.com/door"
LONG = "Bearer 0123456789abcdef"
SHORT = "s3cret"
FAR = "2100-01-01T00:00:00.000000Z"


class Rules:
    """The resource, as a client of one sidecar sees it."""

    def __init__(self, sidecar: Sidecar) -> None:
        self.sidecar = sidecar

    def create(self, url: str = URL, headers: dict[str, str] | None = None, **webhook: object) -> dict[str, Any]:
        """Add a rule, which has to succeed."""
        answer = self.post(url, headers, **webhook)
        assert answer.status_code == 201, answer.text
        rule: dict[str, Any] = answer.json()
        return rule

    def post(self, url: object = URL, headers: object = None, **webhook: object) -> httpx.Response:
        """Try to add one."""
        body = {"name": "Door", "actions": {"webhook": {"url": url, "headers": headers or {}, **webhook}}}
        return self.sidecar.request("POST", PATH, json=body)

    def allowed(self, receiver: WebhookReceiver, headers: dict[str, str] | None = None, path: str = "/hook") -> str:
        """Add one that may call this computer; return its id."""
        return str(self.create(receiver.url(path), headers, allow_private=True)["id"])

    def get(self, identifier: str) -> dict[str, Any]:
        """Read one."""
        answer = self.sidecar.request("GET", f"{PATH}/{identifier}")
        assert answer.status_code == 200, answer.text
        rule: dict[str, Any] = answer.json()
        return rule

    def put(self, identifier: str, body: object, headers: dict[str, str] | None = None) -> httpx.Response:
        """Try to replace one."""
        return self.sidecar.request("PUT", f"{PATH}/{identifier}", json=body, headers=headers)

    def patch(self, identifier: str, body: object) -> httpx.Response:
        """Try to change one."""
        return self.sidecar.request("PATCH", f"{PATH}/{identifier}", json=body)

    def rehooked(self, identifier: str, **webhook: object) -> dict[str, Any]:
        """Change a webhook, which has to succeed; return it."""
        answer = self.patch(identifier, {"actions": {"webhook": webhook}})
        assert answer.status_code == 200, answer.text
        changed: dict[str, Any] = answer.json()["actions"]["webhook"]
        return changed

    def try_to_trigger(self, identifier: str, event: object = "ring") -> httpx.Response:
        """Send the webhook, or not."""
        return self.sidecar.request("POST", f"{PATH}/{identifier}/trigger", json={"event": event})

    def trigger(self, identifier: str, event: object = "ring") -> dict[str, Any]:
        """Send the webhook."""
        answer = self.try_to_trigger(identifier, event)
        assert answer.status_code == 200, answer.text
        delivery: dict[str, Any] = answer.json()
        return delivery


@pytest.fixture
def rules(any_backend: Backend) -> Rules:
    """The resource on each database, without any rule."""
    return Rules(any_backend.sidecar)


@pytest.fixture(scope="module")
def embedded() -> Iterator[Rules]:
    """The resource on the embedded database, where proxies are set that nobody may ask."""
    with LoopbackServer(lambda connection: connection.close()) as proxy:
        address = f"http://{LOOPBACK}:{proxy.port}"
        names = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")
        with Sidecar(env=dict.fromkeys(names, address)) as sidecar:
            yield Rules(sidecar.wait_healthy())
        assert proxy.accepted == 0


@pytest.fixture
def receiver() -> Iterator[WebhookReceiver]:
    """Somebody who waits for webhooks."""
    with WebhookReceiver().running() as running:
        yield running


def assert_is_error(answer: httpx.Response, status: int, code: str, beginning: str = "") -> None:
    """The one shape of errors."""
    assert (answer.status_code, answer.headers["Taskflow-Error-Code"]) == (status, code), answer.text
    assert list(answer.json()) == ["error"]
    assert answer.json()["error"].startswith(beginning)


# Writing and reading


def test_rule_is_read_with_its_headers_masked(rules: Rules) -> None:
    """Of long values the last four characters are shown."""
    created = rules.create(headers={"Authorization": LONG, "X-Token": SHORT})

    webhook = {
        "url": URL,
        "headers": {"Authorization": "****cdef", "X-Token": "****"},
        "allow_private": False,
        "status": "unknown",
        "expires_at": None,
    }
    assert created == {"id": created["id"], "name": "Door", "enabled": True, "actions": {"webhook": webhook}}
    assert rules.get(created["id"]) == created
    assert rules.sidecar.request("GET", PATH).json() == [created]
    assert rules.put(created["id"], created).json() == created


def test_sound_bodies_are_needed(rules: Rules) -> None:
    """The first broken rule is named with its path, and nothing that was sent."""
    for body, beginning in (
        ({}, "name: Field required"),
        ({"name": "x"}, "actions: Field required"),
        ({"name": "x", "actions": 7}, "actions: Input should be an object"),
        ({"name": "x", "actions": {}}, "actions.webhook: Field required"),
        ({"name": "x", "actions": {"webhook": {}}}, "actions.webhook.url: Field required"),
        ({"name": "x", "actions": {"webhook": {"url": URL}}, "enabled": 1}, "enabled: "),
    ):
        assert_is_error(rules.sidecar.request("POST", PATH, json=body), 400, "validation", beginning)
    for url in ("", "hooks.example.com", "ftp://hooks.example.com", "https://a:hidden/x@h/", 7):
        answer = rules.post(url)
        assert_is_error(answer, 400, "validation", "actions.webhook.url: ")
        assert "hidden" not in answer.text
    for headers in (
        7,
        {"": "hidden"},
        {"X Y": "hidden"},
        {"X:": "hidden"},
        {"X\r\nY": "hidden"},
        {"\u00e4": "hidden"},
        {"Host": "hidden"},
        {"content-length": "5"},
        {"Transfer-Encoding": "chunked"},
        {"Connection": "close"},
        {"X-A": "1", "x-a": "2"},
        {"X": "hidden\r\nY: 1"},
        {"X": "hidden\x00"},
        {"X": ""},
        {"X": 7},
        {"X": "x" * 8193},
        {"X": "****"},
        {f"X-{number}": "1" for number in range(51)},
    ):
        answer = rules.post(headers=headers)
        assert_is_error(answer, 400, "validation", "actions.webhook.headers: ")
        assert "hidden" not in answer.text
    assert rules.sidecar.request("GET", PATH).json() == []


def test_unknown_rule(rules: Rules) -> None:
    """Is 404 everywhere, after the body was found sound."""
    body = {"name": "x", "actions": {"webhook": {"url": URL}}}
    requests = [rules.put(UNKNOWN_ID, body), rules.patch(UNKNOWN_ID, body), rules.try_to_trigger(UNKNOWN_ID)]
    requests += [rules.sidecar.request(method, f"{PATH}/{UNKNOWN_ID}") for method in ("GET", "DELETE")]

    for answer in requests:
        assert_is_error(answer, 404, "not-found", "Alert rule not found")
    assert_is_error(rules.patch(UNKNOWN_ID, {"name": ""}), 400, "validation", "name: ")
    assert_is_error(
        rules.sidecar.request("POST", f"{PATH}/{UNKNOWN_ID}/trigger", json={}), 400, "validation", "event: "
    )


def test_masks_keep_and_what_is_missing_is_removed(rules: Rules, receiver: WebhookReceiver) -> None:
    """PATCH without headers leaves them alone; headers that are sent are all there are, whatever their case."""
    identifier = rules.allowed(receiver, {"Authorization": LONG, "X-Token": SHORT, "X-Old": "old"})

    assert rules.patch(identifier, {"name": "Gate"}).status_code == 200
    assert len(rules.rehooked(identifier, url=receiver.url("/other"))["headers"]) == 3
    changed = rules.rehooked(identifier, headers={"authorization": "****cdef", "X-Token": "****", "X-New": "new"})
    assert changed["headers"] == {"authorization": "****cdef", "X-Token": "****", "X-New": "****"}
    assert_is_error(
        rules.patch(identifier, {"actions": {"webhook": {"headers": {"X-Old": "****"}}}}), 400, "validation"
    )
    assert rules.trigger(identifier)["delivered"] is True

    sent = receiver.received[0].headers
    assert (sent["authorization"], sent["x-token"], sent["x-new"]) == (LONG, SHORT, "new")
    assert "x-old" not in sent
    assert rules.rehooked(identifier, headers={"X-Token": None})["headers"] == {}
    replaced = rules.put(identifier, {"name": "Gate", "actions": {"webhook": {"url": URL}}}).json()
    assert (replaced["enabled"], replaced["actions"]["webhook"]["allow_private"]) == (True, False)


def test_removed_headers_leave_nothing(any_backend: Backend) -> None:
    """Nor do deleted rules."""
    rules = Rules(any_backend.sidecar)
    identifier = rules.create(headers={"Authorization": LONG, "X-Token": SHORT})["id"]

    rules.rehooked(identifier, headers={"X-Token": "****"})
    assert any_backend.database.query("SELECT owner_kind, name FROM secrets") == [("alert_rule", "header:x-token")]
    assert rules.sidecar.request("DELETE", f"{PATH}/{identifier}").status_code == 204
    for table in ("secrets", "vault_owners", "alert_rules"):
        assert any_backend.database.query(f"SELECT * FROM {table}") == []


@pytest.mark.parametrize(
    "moved", ["https://evil.example.com/door", "https://hooks.example.com:8443/door", "http://hooks.example.com/door"]
)
@pytest.mark.parametrize("sent", [None, {"Authorization": "****cdef", "X-New": "new"}])
def test_webhook_that_moves_loses_its_values(any_backend: Backend, moved: str, sent: dict[str, str] | None) -> None:
    """Another scheme, host or port: only what is entered again stays."""
    rules = Rules(any_backend.sidecar)
    identifier = rules.create(headers={"Authorization": LONG, "X-Token": SHORT})["id"]

    assert len(rules.rehooked(identifier, url="https://HOOKS.example.com:443/other")["headers"]) == 2
    changed = rules.rehooked(identifier, url=moved, **({} if sent is None else {"headers": sent}))

    assert changed["headers"] == ({} if sent is None else {"X-New": "****"})
    names = [name for (name,) in any_backend.database.query("SELECT name FROM secrets")]
    assert names == ([] if sent is None else ["header:x-new"])


def test_credentials_in_the_url_become_a_header(rules: Rules, receiver: WebhookReceiver) -> None:
    """As a client would send them; beside an Authorization of its own they are refused."""
    url = receiver.url().replace("//", "//bot:p%40ss@")
    created = rules.create(url, {"X-Token": SHORT}, allow_private=True)

    assert created["actions"]["webhook"]["url"] == receiver.url()
    assert set(created["actions"]["webhook"]["headers"]) == {"X-Token", "Authorization"}
    rules.trigger(created["id"])
    expected = "Basic " + base64.b64encode(b"bot:p@ss").decode()
    assert receiver.received[0].headers["authorization"] == expected
    assert_is_error(rules.post(url, {"authorization": LONG}), 400, "validation", "actions.webhook.url: ")
    assert rules.put(created["id"], created).json() == created


def test_expiry(rules: Rules) -> None:
    """Comes with values, or for all that are stored; an expired one is not sent."""
    identifier = rules.create(headers={"X-Token": SHORT}, expires_at=FAR)["id"]

    assert rules.get(identifier)["actions"]["webhook"]["expires_at"] == FAR
    assert rules.rehooked(identifier, headers={"X-Token": "****"})["expires_at"] == FAR
    assert rules.rehooked(identifier, expires_at=None)["expires_at"] is None
    soon = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 2))
    rules.rehooked(identifier, expires_at=soon)
    wait_until(
        lambda: rules.get(identifier)["actions"]["webhook"]["status"] == "expired", timeout_s=10, what="the expiry"
    )
    assert_is_error(rules.try_to_trigger(identifier), 409, "secret-expired")


def test_changes_meanwhile_are_noticed_by_who_asks(rules: Rules) -> None:
    """If-Match with an ETag of an older version is 412."""
    created = rules.create()
    etag = rules.sidecar.request("GET", f"{PATH}/{created['id']}").headers["ETag"]
    rules.patch(created["id"], {"name": "Gate"})

    assert_is_error(rules.put(created["id"], created, {"If-Match": etag}), 412, "precondition-failed")


# At rest


def test_swapped_rows_do_not_open(any_backend: Backend, receiver: WebhookReceiver) -> None:
    """Equal values differ at rest; another rule's ciphertext is reported, never sent, and can be replaced."""
    rules = Rules(any_backend.sidecar)
    first, second = rules.allowed(receiver, {"X-Token": SHORT}), rules.allowed(receiver, {"X-Token": SHORT})
    rows = dict(any_backend.database.query("SELECT owner_id, ciphertext FROM secrets"))
    assert len(set(rows.values())) == 2
    any_backend.database.execute(
        f"UPDATE secrets SET ciphertext = (SELECT ciphertext FROM secrets s WHERE s.owner_id = '{second}')"
        f" WHERE owner_id = '{first}'"
    )

    assert_is_error(rules.try_to_trigger(first), 409, "secret-unreadable")

    assert receiver.received == []
    assert rules.get(first)["actions"]["webhook"]["status"] == "unreadable"
    assert rules.trigger(second)["delivered"] is True
    rules.rehooked(first, headers={"X-Token": "again"})
    assert rules.trigger(first)["delivered"] is True


def test_value_is_used_exactly_as_typed(rules: Rules, receiver: WebhookReceiver) -> None:
    """Also one that looks encrypted, and one that is no ASCII."""
    identifier = rules.allowed(receiver, {"X-A": "encrypted:gAAAAABtyped", "X-B": "zwei W\u00f6rter \U0001f511"})

    assert rules.trigger(identifier)["delivered"] is True

    sent = receiver.received[0].headers
    assert sent["x-a"] == "encrypted:gAAAAABtyped"
    assert sent["x-b"].encode("latin-1").decode() == "zwei W\u00f6rter \U0001f511"


def test_values_work_after_a_restart_and_nothing_is_logged(tmp_path: Path, receiver: WebhookReceiver) -> None:
    """At log level debug, with targets that take and that refuse, with canaries in every field."""
    said: list[str] = []
    with Sidecar(args=("--log-level", "debug"), config_dir=tmp_path / "config") as sidecar:
        rules = Rules(sidecar.wait_healthy())
        ids = {}
        for name, canary in CANARIES.items():
            ids[name] = rules.allowed(receiver, {"X-Canary": canary})
            gone = rules.create(f"http://{LOOPBACK}:{free_port()}/", {"X-Canary": canary}, allow_private=True)["id"]
            said += [str(rules.trigger(gone)), str(rules.get(gone)["name"])]
            said += [rules.post(canary, {canary: canary}).text, rules.post(headers={"Host": canary}).text]
        sidecar.stop()
        sidecar.start()
        sidecar.wait_healthy()
        for name, canary in CANARIES.items():
            said.append(str(rules.trigger(ids[name])))
            assert receiver.received[-1].headers["x-canary"].encode("latin-1").decode() == canary.strip()
        said += [sidecar.stderr_text(), sidecar.log_text()]
        for canary in CANARIES.values():
            assert find_canary("\n".join(said), canary) == []
            assert scan_files(tmp_path, canary) == {}


def test_locked_vault(tmp_path: Path, receiver: WebhookReceiver) -> None:
    """Lists, changes and deletions work; what needs the key is 423."""
    config: dict[str, Any] = {"config_dir": tmp_path / "config"}
    with Sidecar(**config, env={"ENCRYPTION_KEY": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="}) as sidecar:
        identifier = Rules(sidecar.wait_healthy()).allowed(receiver, {"X-Token": SHORT})
    (tmp_path / "config" / "fernet.key").write_text("Hx4dHBsaGRgXFhUUExIREA8ODQwLCgkIBwYFBAMCAQA=")
    with Sidecar(**config) as sidecar:
        rules = Rules(sidecar.wait_healthy())
        assert rules.put(identifier, rules.get(identifier)).status_code == 200
        assert_is_error(rules.patch(identifier, {"actions": {"webhook": {"headers": {"X": "y"}}}}), 423, "vault-locked")
        assert_is_error(rules.try_to_trigger(identifier), 423, "vault-locked")
        assert rules.trigger(rules.allowed(receiver))["delivered"] is True
        assert rules.sidecar.request("DELETE", f"{PATH}/{identifier}").status_code == 204


# Sending


def test_webhook_arrives_with_its_headers(rules: Rules, receiver: WebhookReceiver) -> None:
    """As JSON, with the event as it was given, who sent it, and a key by which the receiver knows it again."""
    identifier = rules.allowed(receiver, {"Authorization": LONG, "User-Agent": "door"}, path="/a%20b?c=d")
    event = {"kind": "ring", "who": ["\u00e4", None, 1.5, True], "nested": {"deep": {}}}

    assert rules.trigger(identifier, event) == {"delivered": True, "status_code": 200, "attempts": 1}
    assert rules.trigger(identifier, 7)["delivered"] is True

    first, second = receiver.received
    assert (first.path, first.headers["authorization"], first.headers["user-agent"]) == ("/a%20b?c=d", LONG, "door")
    assert (first.headers["content-type"], first.headers["host"]) == ("application/json", f"{LOOPBACK}:{receiver.port}")
    assert first.json()["event"] == event
    assert first.json()["rule"] == {"id": identifier, "name": "Door"}
    assert second.json()["event"] == 7
    assert first.headers["idempotency-key"] != second.headers["idempotency-key"]


@pytest.mark.parametrize("event", [None, "missing", [[[]]] * 3])
def test_event_is_any_json_but_null(rules: Rules, receiver: WebhookReceiver, event: object) -> None:
    """And not nested endlessly."""
    identifier = rules.allowed(receiver)
    deep: object = 1
    for _ in range(150):
        deep = [deep]

    assert rules.try_to_trigger(identifier, event).status_code == (400 if event is None else 200)
    assert_is_error(rules.try_to_trigger(identifier, deep), 400, "validation", "event: ")


@pytest.mark.parametrize(
    ("statuses", "delivery"),
    [
        ([503, 500, 204], {"delivered": True, "status_code": 204, "attempts": 3}),
        ([0, 201], {"delivered": True, "status_code": 201, "attempts": 2}),
        ([500, 502, 503, 200], {"delivered": False, "status_code": 503, "attempts": 3}),
        ([503, 0, 0, 200], {"delivered": False, "status_code": None, "attempts": 3}),
        ([400, 200], {"delivered": False, "status_code": 400, "attempts": 1}),
        ([429, 200], {"delivered": False, "status_code": 429, "attempts": 1}),
    ],
)
def test_faults_of_the_server_are_tried_again(
    embedded: Rules, receiver: WebhookReceiver, statuses: list[int], delivery: dict[str, Any]
) -> None:
    """And lost connections, up to three times, each with the same key; refusals are final."""
    receiver.statuses = list(statuses)

    assert embedded.trigger(embedded.allowed(receiver, {"X-Token": SHORT})) == delivery
    assert len(receiver.received) == delivery["attempts"]
    assert len({request.headers["idempotency-key"] for request in receiver.received}) == 1
    assert {request.headers["x-token"] for request in receiver.received} == {SHORT}


def test_refused_connections_are_tried_again(embedded: Rules) -> None:
    """And hosts that do not exist."""
    failed = {"delivered": False, "status_code": None, "attempts": 3}
    for url in (f"http://{LOOPBACK}:{free_port()}/", f"https://{LOOPBACK}:{free_port()}/", "http://hook.invalid/"):
        assert embedded.trigger(embedded.create(url, {"X-Token": SHORT}, allow_private=True)["id"]) == failed


def test_redirect_is_not_followed(embedded: Rules, receiver: WebhookReceiver) -> None:
    """The headers go nowhere else."""
    with WebhookReceiver().running() as other:
        receiver.status, receiver.location = 307, other.url()
        delivery = embedded.trigger(embedded.allowed(receiver, {"X-Token": SHORT}))

        assert delivery == {"delivered": False, "status_code": 307, "attempts": 1}
        assert other.received == []


def test_disabled_rule_sends_nothing(embedded: Rules, receiver: WebhookReceiver) -> None:
    """It says so."""
    identifier = embedded.allowed(receiver)
    embedded.patch(identifier, {"enabled": False})

    assert_is_error(embedded.try_to_trigger(identifier), 409, "rule-disabled")
    embedded.patch(identifier, {"enabled": True})
    assert embedded.trigger(identifier)["delivered"] is True
    assert len(receiver.received) == 1


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "127.1", "0x7f.1", "2130706433", "0.0.0.0", "[::1]", "[::ffff:127.0.0.1]"]
)
def test_private_address_is_refused_when_it_is_saved(embedded: Rules, receiver: WebhookReceiver, host: str) -> None:
    """However it is written; also later, when the permission is taken away."""
    url = receiver.url(host=host)

    assert_is_error(embedded.post(url), 400, "target-private", "actions.webhook.url: ")
    identifier = embedded.create(url, allow_private=True)["id"]
    taken = embedded.patch(identifier, {"actions": {"webhook": {"allow_private": False}}})
    assert_is_error(taken, 400, "target-private")
    for private in ("10.0.0.1", "192.168.1.1", "169.254.169.254", "[fd00::1]", "100.64.0.1"):
        assert_is_error(embedded.post(f"http://{private}/"), 400, "target-private")
    assert receiver.received == []


def test_name_that_leads_to_this_computer_is_refused_when_it_is_called(
    any_backend: Backend, receiver: WebhookReceiver
) -> None:
    """The address is checked that is connected to, whatever the name looks like."""
    rules = Rules(any_backend.sidecar)
    identifier = rules.allowed(receiver, {})  # no secret, which would not open for another rule
    # as if it had been a name that then led elsewhere
    any_backend.database.execute("UPDATE alert_rules SET allow_private = false")

    assert_is_error(rules.try_to_trigger(identifier), 409, "target-private")
    assert receiver.received == []


def test_hanging_target_ends_in_time_and_holds_up_nobody(embedded: Rules) -> None:
    """One that is silent and one that drips: three attempts, fifteen seconds at most, and others go on."""

    def drip(connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            connection.sendall(b"HTTP/1.1 200 OK\r\n")
            while True:
                connection.sendall(b"X")
                time.sleep(0.2)

    deliveries: list[dict[str, Any]] = []

    def trigger(identifier: str) -> None:
        deliveries.append(embedded.trigger(identifier))

    with never_replies() as silent, LoopbackServer(drip) as dripping:
        ids = [
            embedded.create(f"http://{LOOPBACK}:{server.port}/", allow_private=True)["id"]
            for server in (silent, dripping)
        ]
        threads = [threading.Thread(target=trigger, args=(identifier,)) for identifier in ids]
        started = time.monotonic()
        for thread in threads:
            thread.start()
        assert embedded.sidecar.request("GET", "/api/v1/members").status_code == 200
        assert time.monotonic() - started < 5
        for thread in threads:
            thread.join()
        assert time.monotonic() - started < 17

    assert deliveries == [{"delivered": False, "status_code": None, "attempts": 3}] * 2
