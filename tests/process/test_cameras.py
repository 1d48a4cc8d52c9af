"""Cameras: their passwords are in the vault and nowhere else, and a test really connects, on both databases."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from tests.support.cameras import Gatekeeper, HttpCamera
from tests.support.canaries import CANARIES, find_canary, scan_files
from tests.support.network import LOOPBACK, FakeServer, LoopbackServer, free_port, never_replies
from tests.support.rtsp import RtspCamera, gstreamer_camera
from tests.support.sidecar import Sidecar
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx

    from tests.support.certificates import Certificates
    from tests.support.databases import Backend

PATH = "/api/v1/cameras"
UNKNOWN_ID = "00000000-0000-4000-8000-000000000000"
SECRET = "pässword: 4711"
FAR = "2100-01-01T00:00:00.000000Z"
SLOWEST_TEST_S = 10.0


class Cameras:
    """The resource, as a client of one sidecar sees it."""

    def __init__(self, sidecar: Sidecar) -> None:
        self.sidecar = sidecar

    def create(self, stream_url: str = "rtsp://192.0.2.1/s", *, name: str = "Door", **more: object) -> dict[str, Any]:
        """Add a camera, which has to succeed."""
        answer = self.post({"name": name, "stream_url": stream_url, **more})
        assert answer.status_code == 201, answer.text
        camera: dict[str, Any] = answer.json()
        return camera

    def post(self, body: object) -> httpx.Response:
        """Try to add one."""
        return self.sidecar.request("POST", PATH, json=body)

    def get(self, identifier: object) -> dict[str, Any]:
        """Read one."""
        answer = self.sidecar.request("GET", f"{PATH}/{identifier}")
        assert answer.status_code == 200, answer.text
        camera: dict[str, Any] = answer.json()
        return camera

    def put(self, identifier: object, body: object, headers: dict[str, str] | None = None) -> httpx.Response:
        """Try to replace one."""
        return self.sidecar.request("PUT", f"{PATH}/{identifier}", json=body, headers=headers)

    def patch(self, identifier: object, body: object) -> httpx.Response:
        """Try to change one."""
        return self.sidecar.request("PATCH", f"{PATH}/{identifier}", json=body)

    def changed(self, identifier: object, **body: object) -> dict[str, Any]:
        """Change one, which has to succeed."""
        answer = self.patch(identifier, body)
        assert answer.status_code == 200, answer.text
        camera: dict[str, Any] = answer.json()
        return camera

    def delete(self, identifier: object) -> httpx.Response:
        """Try to delete one."""
        return self.sidecar.request("DELETE", f"{PATH}/{identifier}")

    def all(self) -> list[dict[str, Any]]:
        """The list."""
        answer = self.sidecar.request("GET", PATH)
        assert answer.status_code == 200, answer.text
        cameras: list[dict[str, Any]] = answer.json()
        return cameras

    def test(self, identifier: object) -> dict[str, Any]:
        """Connect with the stored password."""
        answer = self.sidecar.request("POST", f"{PATH}/{identifier}/test")
        assert answer.status_code == 200, answer.text
        outcome: dict[str, Any] = answer.json()
        return outcome

    def probe(self, stream_url: str, **more: object) -> dict[str, Any]:
        """Connect before saving."""
        answer = self.sidecar.request("POST", f"{PATH}/test", json={"stream_url": stream_url, **more})
        assert answer.status_code == 200, answer.text
        outcome: dict[str, Any] = answer.json()
        return outcome


@pytest.fixture
def cameras(any_backend: Backend) -> Cameras:
    """The resource on each database, without any camera."""
    return Cameras(any_backend.sidecar)


@pytest.fixture(scope="module")
def embedded() -> Iterator[Cameras]:
    """The resource on the embedded database, for tests that store nothing."""
    with Sidecar() as sidecar:
        yield Cameras(sidecar.wait_healthy())


def guarded(*schemes: str, **options: Any) -> Gatekeeper:
    """A gatekeeper that lets `admin` in."""
    return Gatekeeper("admin", SECRET, schemes=schemes or ("Digest",), **options)


def assert_is_error(answer: httpx.Response, status: int, code: str, beginning: str = "") -> None:
    """The one shape of errors."""
    assert (answer.status_code, answer.headers["Taskflow-Error-Code"]) == (status, code), answer.text
    assert list(answer.json()) == ["error"]
    assert answer.json()["error"].startswith(beginning)


# Writing and reading


def test_camera_is_read_with_its_password_masked(cameras: Cameras) -> None:
    """Every field, and the mask wherever there is a password."""
    created = cameras.create(username="admin", password=SECRET)

    assert created.pop("id")
    assert created == {
        "name": "Door",
        "stream_url": "rtsp://192.0.2.1/s",
        "username": "admin",
        "password": "****",
        "active": True,
        "status": "unknown",
        "expires_at": None,
    }
    assert [camera["password"] for camera in cameras.all()] == ["****"]
    bare = cameras.create(name="Bare", active=False)
    assert (bare["username"], bare["password"], bare["active"], bare["status"]) == (None, None, False, None)


def test_sound_bodies_are_needed(cameras: Cameras) -> None:
    """The first broken rule is named, and nothing that was sent."""
    sound = {"name": "Door", "stream_url": "rtsp://cam/s"}
    assert_is_error(cameras.post({}), 400, "validation", "name: Field required")
    assert_is_error(cameras.post({"name": "x"}), 400, "validation", "stream_url: Field required")
    for url in ("", "cam", "ftp://cam", "rtsp://", "rtsp://a:hidden/7@cam/s", 7):
        answer = cameras.post({**sound, "stream_url": url})
        assert_is_error(answer, 400, "validation", "stream_url: ")
        assert "hidden" not in answer.text
    for field, value in {
        "username": "a\nb",
        "password": 7,
        "active": "yes",
        "expires_at": "2001-01-01T00:00:00Z",
    }.items():
        assert_is_error(cameras.post({**sound, field: value}), 400, "validation", f"{field}: ")
    assert_is_error(cameras.post({**sound, "password": "****"}), 400, "validation", "password: ")
    assert_is_error(cameras.post({**sound, "expires_at": FAR}), 400, "validation", "expires_at: ")
    assert cameras.all() == []


def test_name_is_unique(cameras: Cameras) -> None:
    """In writes of every kind."""
    first, second = cameras.create(), cameras.create(name="Yard", password=SECRET)
    taken = "A camera with this name already exists"

    assert_is_error(cameras.post({"name": " Door ", "stream_url": "rtsp://x"}), 409, "conflict", taken)
    assert_is_error(cameras.patch(second["id"], {"name": "Door", "password": "other"}), 409, "conflict", taken)
    assert_is_error(cameras.put(second["id"], {**second, "name": "Door"}), 409, "conflict", taken)
    assert cameras.changed(first["id"], name="Door")["name"] == "Door"


def test_unknown_camera(cameras: Cameras) -> None:
    """Is 404 everywhere, after the body was found sound."""
    body = {"name": "x", "stream_url": "rtsp://x", "password": SECRET}
    requests = [cameras.put(UNKNOWN_ID, body), cameras.patch(UNKNOWN_ID, body), cameras.delete(UNKNOWN_ID)]
    requests.append(cameras.sidecar.request("POST", f"{PATH}/{UNKNOWN_ID}/test"))
    requests.append(cameras.sidecar.request("GET", f"{PATH}/{UNKNOWN_ID}"))

    for answer in requests:
        assert_is_error(answer, 404, "not-found", "Camera not found")
    assert_is_error(cameras.patch(UNKNOWN_ID, {"name": ""}), 400, "validation", "name: ")
    assert_is_error(cameras.delete("7"), 400, "validation", "path.id: ")


@pytest.mark.parametrize(
    ("typed", "shown", "username"),
    [
        ("rtsp://admin:p%C3%A4ssword%3A%204711@192.0.2.1/s", "rtsp://192.0.2.1/s", "admin"),
        ("http://admin:p%C3%A4ssword%3A%204711@[2001:db8::1]:81/a?b=c", "http://[2001:db8::1]:81/a?b=c", "admin"),
        ("http://192.0.2.1/s?pwd=p%C3%A4ssword%3A%204711", "http://192.0.2.1/s?pwd=****", None),
    ],
)
def test_credentials_in_the_url_are_moved_to_the_vault(
    any_backend: Backend, typed: str, shown: str, username: str | None
) -> None:
    """From before the host and from the query; the database holds no trace of them in clear."""
    created = Cameras(any_backend.sidecar).create(typed)

    assert (created["stream_url"], created["username"], created["password"]) == (shown, username, "****")
    assert "4711" not in str(any_backend.database.query("SELECT * FROM cameras"))
    assert [row[0] for row in any_backend.database.query("SELECT name FROM secrets")] == ["password"]


def test_credentials_beside_the_url(cameras: Cameras) -> None:
    """Those that say the same are fine, a mask or null beside a real one gives way, a contradiction is refused."""
    url = "rtsp://admin:one@192.0.2.1/s"
    created = cameras.create(url, username="admin", password="one")

    assert cameras.put(created["id"], {**created, "stream_url": url}).json() == created
    assert cameras.put(created["id"], {"name": "Door", "stream_url": url, "password": None}).json() == created
    for contradiction in ({"username": "root"}, {"password": "two"}):
        assert_is_error(
            cameras.patch(created["id"], {"stream_url": url, **contradiction}), 400, "validation", "stream_url: "
        )


def test_mask_keeps_null_removes_and_absence_depends(cameras: Cameras) -> None:
    """PATCH leaves alone what is absent, PUT replaces everything; what was read may be sent back."""
    with HttpCamera(guarded()).running() as camera:
        created = cameras.create(camera.url(), username="admin", password=SECRET)
        identifier = created["id"]

        assert cameras.put(identifier, created).json() == created
        assert cameras.changed(identifier, password="****", name="Gate")["password"] == "****"
        assert cameras.changed(identifier, active=False)["password"] == "****"
        assert cameras.changed(identifier, stream_url=camera.url("/stream?x=1"))["password"] == "****"
        assert cameras.test(identifier)["ok"] is True
    assert cameras.changed(identifier, password=None)["password"] is None
    assert_is_error(cameras.patch(identifier, {"password": "****"}), 400, "validation", "password: ")
    assert cameras.changed(identifier, password="new")["password"] == "****"
    assert cameras.changed(identifier, password="")["password"] is None
    cameras.changed(identifier, password="new", username="root")
    replaced = cameras.put(identifier, {"name": "Gate", "stream_url": "rtsp://192.0.2.1/s"}).json()
    assert (replaced["username"], replaced["password"], replaced["active"]) == (None, None, True)


@pytest.mark.parametrize("moved", ["rtsp://192.0.2.2/s", "rtsp://192.0.2.1:555/s", "http://192.0.2.1:554/s"])
@pytest.mark.parametrize("sent", [{}, {"password": "****"}])
def test_camera_that_moves_loses_its_password(any_backend: Backend, moved: str, sent: dict[str, str]) -> None:
    """Another scheme, host or port: the stored password is gone, masked or not, unless a new one comes along."""
    cameras = Cameras(any_backend.sidecar)
    created = cameras.create(username="admin", password=SECRET)

    same = cameras.changed(created["id"], stream_url="rtsp://192.0.2.1:554/other", **sent)
    assert same["password"] == "****"
    gone = cameras.changed(created["id"], stream_url=moved, **sent)

    assert (gone["password"], gone["username"], gone["status"]) == (None, "admin", None)
    assert any_backend.database.query("SELECT name FROM secrets") == []
    assert cameras.changed(created["id"], stream_url="rtsp://a:b@192.0.2.9/")["password"] == "****"
    assert cameras.put(created["id"], {**created, "password": "new"}).json()["password"] == "****"


def test_expiry(cameras: Cameras) -> None:
    """Comes with the password or alone, is shown, and an expired password is not used."""
    identifier = cameras.create(password=SECRET, expires_at=FAR)["id"]

    assert cameras.get(identifier)["expires_at"] == FAR
    assert cameras.changed(identifier, password="****")["expires_at"] == FAR
    assert cameras.changed(identifier, expires_at=None)["expires_at"] is None
    soon = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 2))
    cameras.changed(identifier, expires_at=soon)
    wait_until(lambda: cameras.get(identifier)["status"] == "expired", timeout_s=10, what="the expiry")
    answer = cameras.sidecar.request("POST", f"{PATH}/{identifier}/test")
    assert_is_error(answer, 409, "secret-expired")
    assert cameras.changed(identifier, password="new")["status"] == "unknown"


def test_changes_meanwhile_are_noticed_by_who_asks(cameras: Cameras) -> None:
    """If-Match with an ETag of an older version is 412."""
    created = cameras.create()
    etag = cameras.sidecar.request("GET", f"{PATH}/{created['id']}").headers["ETag"]
    cameras.changed(created["id"], name="Gate")

    assert_is_error(cameras.put(created["id"], created, {"If-Match": etag}), 412, "precondition-failed")


def test_deletion_shreds(any_backend: Backend) -> None:
    """No secret, no salt."""
    cameras = Cameras(any_backend.sidecar)
    created = cameras.create(password=SECRET)

    assert cameras.delete(created["id"]).status_code == 204
    assert cameras.all() == []
    for table in ("secrets", "vault_owners"):
        assert any_backend.database.query(f"SELECT * FROM {table}") == []


# At rest


def test_swapped_rows_do_not_open(any_backend: Backend) -> None:
    """Equal passwords differ at rest; another camera's ciphertext is reported, never sent, and can be replaced."""
    cameras = Cameras(any_backend.sidecar)
    with HttpCamera(guarded("Basic")).running() as camera:
        first = cameras.create(camera.url(), username="admin", password=SECRET)["id"]
        second = cameras.create(camera.url(), name="Yard", username="admin", password=SECRET)["id"]
        rows = dict(any_backend.database.query("SELECT owner_id, ciphertext FROM secrets"))
        assert len(set(rows.values())) == 2

        any_backend.database.execute(
            f"UPDATE secrets SET ciphertext = (SELECT ciphertext FROM secrets s WHERE s.owner_id = '{second}')"
            f" WHERE owner_id = '{first}'"
        )
        answer = cameras.sidecar.request("POST", f"{PATH}/{first}/test")

        assert_is_error(answer, 409, "secret-unreadable")
        assert camera.gatekeeper.seen == []
        assert {entry["name"]: entry["status"] for entry in cameras.all()} == {"Door": "unreadable", "Yard": "unknown"}
        assert cameras.test(second)["ok"] is True
        assert cameras.changed(first, password=SECRET)["status"] == "unknown"
        assert cameras.test(first)["ok"] is True


@pytest.mark.parametrize("password", ["encrypted:gAAAAABthis-is-what-I-typed", " lead and trail ", "100%", "vf2.x"])
def test_password_is_used_exactly_as_typed(any_backend: Backend, password: str) -> None:
    """Also one that looks encrypted."""
    cameras = Cameras(any_backend.sidecar)
    with HttpCamera(Gatekeeper("admin", password)).running() as camera:
        identifier = cameras.create(camera.url(), username="admin", password=password)["id"]

        assert cameras.test(identifier)["ok"] is True
    assert password.strip() not in str(any_backend.database.query("SELECT * FROM secrets"))


def test_password_works_after_a_restart_and_nothing_is_logged(tmp_path: Path) -> None:
    """At log level debug, in tests that succeed and that fail, with canaries in every field."""
    said: list[str] = []
    with contextlib.ExitStack() as stack:
        options: dict[str, Any] = {"args": ("--log-level", "debug"), "config_dir": tmp_path / "config"}
        sidecar = stack.enter_context(Sidecar(**options))
        cameras = Cameras(sidecar.wait_healthy())
        ids = []
        for name, canary in CANARIES.items():
            camera = stack.enter_context(HttpCamera(Gatekeeper("admin", canary, schemes=("Digest", "Basic"))).running())
            ids.append(cameras.create(camera.url(), name=name, username="admin", password=canary)["id"])
            said += [str(cameras.test(ids[-1])), str(cameras.probe(camera.url(), username="x", password=canary))]
            said += [str(cameras.probe(f"http://127.0.0.1:9/?pwd={quote(canary, safe='')}"))]
            said.append(cameras.post({"name": name, "stream_url": canary, "password": canary}).text)
        sidecar.stop()
        sidecar.start()
        sidecar.wait_healthy()
        said += [str(outcome := cameras.test(identifier)) for identifier in ids]
        assert outcome["ok"] is True
        said += [str(cameras.all()), sidecar.stderr_text(), sidecar.log_text()]
        for canary in CANARIES.values():
            assert find_canary("\n".join(said), canary) == []
            assert scan_files(tmp_path, canary) == {}


def test_locked_vault(tmp_path: Path) -> None:
    """Lists, changes and deletions work; what needs the key is 423."""
    config: dict[str, Any] = {"config_dir": tmp_path / "config"}
    with Sidecar(**config, env={"ENCRYPTION_KEY": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="}) as sidecar:
        identifier = Cameras(sidecar.wait_healthy()).create(username="a", password=SECRET)["id"]
    (tmp_path / "config" / "fernet.key").write_text("Hx4dHBsaGRgXFhUUExIREA8ODQwLCgkIBwYFBAMCAQA=")
    with Sidecar(**config) as sidecar:
        cameras = Cameras(sidecar.wait_healthy())
        assert cameras.get(identifier)["password"] == "****"
        assert cameras.changed(identifier, name="Gate", password="****")["name"] == "Gate"
        assert_is_error(cameras.patch(identifier, {"password": "new"}), 423, "vault-locked")
        assert_is_error(sidecar.request("POST", f"{PATH}/{identifier}/test"), 423, "vault-locked")
        assert cameras.create(name="Bare")["password"] is None
        assert cameras.delete(identifier).status_code == 204


# Connecting


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"schemes": ("Basic",)}, id="basic"),
        pytest.param({}, id="digest"),
        pytest.param({"algorithm": None, "qop": None}, id="digest-rfc-2069"),
        pytest.param({"algorithm": "SHA-256"}, id="digest-sha-256"),
        pytest.param({"algorithm": "MD5-sess"}, id="digest-session"),
        pytest.param({"qop": "auth,auth-int"}, id="digest-two-qualities"),
        pytest.param({"stale_answers": 1}, id="digest-stale-once"),
        pytest.param({"schemes": ("Basic", "Digest"), "is_one_header": True}, id="both-in-one-header"),
    ],
)
@pytest.mark.parametrize("protocol", ["http", "rtsp"])
def test_password_is_proven_only_when_asked_for(embedded: Cameras, protocol: str, options: dict[str, Any]) -> None:
    """By Basic and by Digest of every kind; the first request never holds credentials, and Digest wins over Basic."""
    gatekeeper = Gatekeeper("admin", SECRET, **options)
    with (HttpCamera if protocol == "http" else RtspCamera)(gatekeeper).running() as camera:
        identifier = embedded.create(camera.url(), name=f"{protocol} {options}", username="admin", password=SECRET)[
            "id"
        ]

        assert embedded.test(identifier)["ok"] is True
        assert gatekeeper.seen[0] is None
        assert gatekeeper.accepted == [options.get("schemes", ("Digest",))[-1]]
        assert embedded.probe(camera.url(), username="admin", password=SECRET)["ok"] is True
        refused = embedded.probe(camera.url(), username="admin", password="wrong")
        assert refused == {"ok": False, "message": "The camera refused the user name or the password."}
        missing = embedded.probe(camera.url())
        assert missing == {"ok": False, "message": "The camera asks for a user name and a password."}


@pytest.mark.parametrize("method", ["basic", "digest"])
def test_real_rtsp_camera(embedded: Cameras, method: str) -> None:
    """GStreamer's server: the right password, a wrong one, none, and a wrong path."""
    with gstreamer_camera("admin", "pass:word 4711", method) as port:
        url = f"rtsp://{LOOPBACK}:{port}/stream"
        created = embedded.create(f"rtsp://admin:pass%3Aword%204711@{LOOPBACK}:{port}/stream", name=f"gst {method}")

        assert created["stream_url"] == url
        accepted = "The camera answered and accepted user name and password."
        assert embedded.test(created["id"]) == {"ok": True, "message": accepted}
        wrong = embedded.probe(url, username="admin", password="wrong")
        assert wrong == {"ok": False, "message": "The camera refused the user name or the password."}
        assert "asks for" in embedded.probe(url)["message"]
        elsewhere = embedded.probe(f"{url}/none", username="admin", password="pass:word 4711")
        assert elsewhere["message"].startswith("The camera has no stream at that path")


def test_camera_that_closes_after_its_refusal(embedded: Cameras) -> None:
    """Is connected to once more, to answer it; a refusal with a body is read past."""
    closing = RtspCamera(guarded(), closes_after_refusal=True, refusal_body=b"<html>401</html>")
    staying = RtspCamera(guarded(), refusal_body=b"<html>401</html>")
    with closing.running(), staying.running():
        for camera, connections in ((closing, [1, 2]), (staying, [1, 1])):
            assert embedded.probe(camera.url(), username="admin", password=SECRET)["ok"] is True
            assert [request.connection for request in camera.requests] == connections
            assert {request.method for request in camera.requests} == {"DESCRIBE"}


def test_rtsp_over_tls(certificates: Certificates, tmp_path: Path) -> None:
    """With an authority that the computer knows; without it no password is sent."""
    certificate, key = certificates.good.write(tmp_path, "camera")
    authority = certificates.authority.write(tmp_path / "authority.pem")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    with RtspCamera(guarded("Basic"), tls=tls).running() as camera:
        with Sidecar(env={"SSL_CERT_FILE": str(authority)}) as trusting:
            outcome = Cameras(trusting.wait_healthy()).probe(camera.url(), username="admin", password=SECRET)
            assert outcome["ok"] is True
        seen = len(camera.gatekeeper.seen)
        with Sidecar() as wary:
            outcome = Cameras(wary.wait_healthy()).probe(camera.url(), username="admin", password=SECRET)
            assert (outcome["ok"], "certificate" in outcome["message"]) == (False, True)
        assert len(camera.gatekeeper.seen) == seen


def test_stored_password_is_never_used_before_saving(embedded: Cameras) -> None:
    """Whatever form the mask has; the camera sees no credentials at all."""
    with HttpCamera(guarded("Basic", "Digest")).running() as camera:
        created = embedded.create(camera.url(), name="never", username="admin", password=SECRET)
        for password in ("****", "****4711", None):
            outcome = embedded.probe(camera.url(), username="nobody", password=password, id=created["id"])
            assert outcome["ok"] is False
        assert not [seen for seen in camera.gatekeeper.seen if seen and SECRET.encode().hex() in seen]
        assert camera.gatekeeper.accepted == []


def test_password_in_the_query_is_put_back(embedded: Cameras) -> None:
    """For cameras that take it nowhere else."""
    with HttpCamera(Gatekeeper("", "", schemes=())).running() as camera:
        created = embedded.create(camera.url("/stream?user=admin&pwd=p%26q"), name="query")

        assert embedded.test(created["id"])["ok"] is True
        assert camera.paths == ["/stream?user=admin&pwd=p%26q"]
        assert created["stream_url"].endswith("/stream?user=admin&pwd=****")


def test_every_outcome_has_its_sentence(embedded: Cameras) -> None:
    """One for each way in which it can go wrong; none holds anything of the address."""
    banner = FakeServer(b"SSH-2.0-OpenSSH_9.2\r\n", is_postgres=False)
    hangs_up = LoopbackServer(lambda connection: connection.close())
    statuses = {"/403": 403, "/410": 410, "/503": 503, "/302": 302}
    with HttpCamera(guarded("Negotiate")).running() as odd, banner, hangs_up:
        with HttpCamera(Gatekeeper("", "", schemes=()), statuses=statuses).running() as camera:
            login = {"username": "admin", "password": SECRET}
            expected = {
                camera.url(): "did not ask for a password",
                camera.url("/none"): "no stream at that path",
                camera.url("/403"): "does not allow",
                camera.url("/410"): "no stream at that path",
                camera.url("/503"): "the error 503",
                camera.url("/302"): "another address",
                camera.url().replace("http", "rtsp"): "not a camera",
                camera.url().replace("http", "https"): "does not speak TLS",
                odd.url(): "other than Basic and Digest",
                f"http://{LOOPBACK}:{free_port()}/": "refused",
                f"rtsp://{LOOPBACK}:{free_port()}/": "refused",
                "http://camera.invalid/": "not found",
                "rtsp://camera.invalid/": "not found",
                f"http://{LOOPBACK}:{banner.port}/": "was closed",
                f"rtsp://{LOOPBACK}:{banner.port}/": "not a camera",
                f"rtsps://{LOOPBACK}:{banner.port}/": "does not speak TLS",
                f"rtsp://{LOOPBACK}:{hangs_up.port}/": "was closed",
                f"http://{LOOPBACK}:{hangs_up.port}/": "was closed",
            }
            found = {url: embedded.probe(url, **login) for url in expected}
        assert {url: expected[url] for url in expected if expected[url] not in found[url]["message"]} == {}, found
        assert [url for url, outcome in found.items() if outcome["ok"]] == [camera.url()]
        assert not [outcome for outcome in found.values() if LOOPBACK in outcome["message"]]
        assert camera.paths.count("/stream") == 1, "a redirect was followed"


def test_hanging_camera_ends_in_time_and_holds_up_nobody(embedded: Cameras) -> None:
    """One that is silent, one that drips, one whose headers never end: each within ten seconds, all others at once."""

    def drip(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        while True:
            connection.sendall(b"X")
            time.sleep(0.2)

    def flood(connection: socket.socket) -> None:
        connection.sendall(b"RTSP/1.0 401 Unauthorized\r\n")
        while True:
            connection.sendall(b"X-More: " + b"x" * 1000 + b"\r\n")

    outcomes: dict[str, tuple[float, dict[str, Any]]] = {}

    def probe(url: str) -> None:
        started = time.monotonic()
        outcome = Cameras(embedded.sidecar).sidecar.request("POST", f"{PATH}/test", json={"stream_url": url})
        outcomes[url] = (time.monotonic() - started, outcome.json())

    with never_replies() as silent, LoopbackServer(drip) as dripping, LoopbackServer(flood) as flooding:
        hanging = [f"http://{LOOPBACK}:{silent.port}/", f"rtsp://{LOOPBACK}:{silent.port}/"]
        hanging += [f"http://{LOOPBACK}:{dripping.port}/", f"rtsps://{LOOPBACK}:{silent.port}/"]
        urls = [*hanging, f"rtsp://{LOOPBACK}:{flooding.port}/", f"http://{LOOPBACK}:{flooding.port}/"]
        threads = [threading.Thread(target=probe, args=(url,)) for url in urls]
        for thread in threads:
            thread.start()
        started = time.monotonic()
        assert embedded.sidecar.request("GET", "/api/v1/members").status_code == 200
        assert embedded.probe(f"http://{LOOPBACK}:{free_port()}/")["ok"] is False
        assert time.monotonic() - started < 5
        for thread in threads:
            thread.join()

    for url in urls:
        elapsed, outcome = outcomes[url]
        assert elapsed < SLOWEST_TEST_S, url
        assert outcome["ok"] is False
        assert ("in time" in outcome["message"]) is (url in hanging), (url, outcome)


def test_many_tests_at_once_are_refused(embedded: Cameras) -> None:
    """With 429 and when to come again, while those that run go on."""
    outcomes: list[dict[str, Any]] = []
    with never_replies() as silent:
        url = f"rtsp://{LOOPBACK}:{silent.port}/"
        threads = [threading.Thread(target=lambda: outcomes.append(embedded.probe(url))) for _ in range(16)]
        for thread in threads:
            thread.start()
        wait_until(lambda: silent.accepted == len(threads), timeout_s=30, what="sixteen tests")
        answer = embedded.sidecar.request("POST", f"{PATH}/test", json={"stream_url": url})
        assert_is_error(answer, 429, "too-many-requests")
        assert answer.headers["Retry-After"]
        silent.drop_connections()
        for thread in threads:
            thread.join()

    assert [outcome["ok"] for outcome in outcomes] == [False] * len(threads)


def test_every_operation_is_audited(cameras: Cameras) -> None:
    """Who did what with which password, and never the password."""
    with HttpCamera(guarded()).running() as camera:
        identifier = cameras.create(camera.url(), username="admin", password=SECRET)["id"]
        cameras.test(identifier)
    cameras.changed(identifier, password="other")
    cameras.changed(identifier, stream_url="rtsp://192.0.2.2/s")
    cameras.delete(identifier)

    answer = cameras.sidecar.request("GET", "/api/v1/audit", params={"owner_kind": "camera", "owner_id": identifier})
    entries = answer.json()["entries"]
    assert [entry["action"] for entry in entries] == ["delete", "delete", "replace", "use", "set"]
    assert {entry["actor"] for entry in entries} == {"launch-token"}
    assert SECRET not in answer.text
