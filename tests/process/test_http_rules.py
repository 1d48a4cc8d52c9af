"""The rules that every request meets: Host, Origin, launch token, one shape of errors, limits, and a quick server."""

from __future__ import annotations

import hashlib
import hmac
import json
import statistics
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.support import windows
from tests.support.properties import PROCESS_PROPERTY
from tests.support.raw_http import RawAnswer, RawConnection, exchange, request_bytes
from tests.support.sidecar import Sidecar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.databases import Backend

ALLOWED_BY_VARIABLE = "app://taskflow, https://desk.example/, HTTP://Intranet:8080"
MEBIBYTE = 1 << 20
MEMBER = {"name": "Ada", "email": "ada@example.com"}
UNKNOWN_ID = "00000000-0000-4000-8000-000000000000"
FUZZ = settings(PROCESS_PROPERTY, max_examples=120)


@pytest.fixture(scope="module")
def sidecar() -> Iterator[Sidecar]:
    """One that allows a few more origins, on the embedded database."""
    with Sidecar(env={"TASKFLOW_ALLOWED_ORIGINS": ALLOWED_BY_VARIABLE}) as running:
        yield running.wait_healthy()


@pytest.fixture
def members(sidecar: Sidecar) -> Iterator[Callable[..., httpx.Response]]:
    """Create a member from the bytes of a body; whatever the test creates is deleted at its end."""

    def create(content: bytes, **headers: str) -> httpx.Response:
        return sidecar.request("POST", "/api/v1/members", content=content, headers=headers)

    yield create
    for member in sidecar.request("GET", "/api/v1/members").json():
        sidecar.request("DELETE", f"/api/v1/members/{member['id']}")


def raw(answer: httpx.Response) -> RawAnswer:
    """See a client's answer as one that came over a bare socket."""
    return RawAnswer(answer.status_code, tuple(answer.headers.items()), answer.content)


def assert_is_error(answer: RawAnswer | httpx.Response, status: int, code: str, sentence: str | None = None) -> None:
    """The one shape of every error: exactly ``{"error": ...}``, one line, the code in a header, never cached."""
    seen = raw(answer) if isinstance(answer, httpx.Response) else answer
    assert seen.status == status, seen
    document = seen.json()
    assert set(document) == {"error"}
    assert isinstance(document["error"], str)
    assert document["error"]
    assert "\n" not in document["error"]
    assert seen["Content-Type"] == "application/json"
    assert seen["Taskflow-Error-Code"] == code
    assert seen["Cache-Control"] == "no-store"
    if sentence is not None:
        assert document["error"] == sentence


def head(sidecar: Sidecar, **more: str) -> dict[str, str]:
    """The headers of a permitted request; underscores stand for hyphens, and an empty value removes a header."""
    headers = {"Host": f"127.0.0.1:{sidecar.port}", "Authorization": f"Bearer {sidecar.token}"}
    headers |= {name.replace("_", "-"): value for name, value in more.items()}
    return {name: value for name, value in headers.items() if value}


# The launch token


WRONG_AUTHORIZATIONS = [
    pytest.param(lambda _: None, id="none"),
    pytest.param(lambda _: "", id="empty"),
    pytest.param(lambda _: "Bearer", id="scheme-only"),
    pytest.param(lambda _: "Bearer ", id="scheme-and-blank"),
    pytest.param(lambda token: token, id="token-only"),
    pytest.param(lambda token: f"Basic {token}", id="another-scheme"),
    pytest.param(lambda token: f"Bearer{token}", id="no-blank"),
    pytest.param(lambda token: f"Bearer {token[:-1]}", id="truncated"),
    pytest.param(lambda token: f"Bearer {token}0", id="extended"),
    pytest.param(lambda token: f"Bearer {token[:-1]}{'0' if token[-1] != '0' else '1'}", id="last-digit"),
    pytest.param(lambda token: f"Bearer {token.upper()}", id="upper-case"),
    pytest.param(lambda token: f'Bearer "{token}"', id="quoted"),
    pytest.param(lambda token: f"Bearer {token}, Bearer {token}", id="twice"),
    pytest.param(lambda token: f"Bearer {token[:-1]}\xff", id="not-ascii"),
    pytest.param(lambda _: f"Bearer {'0' * 20_000}", id="long"),
]


@pytest.mark.parametrize("wrong", WRONG_AUTHORIZATIONS)
@pytest.mark.parametrize("path", ["/api/v1/status", "/api/v1/members", "/api", "/api/v1/nothing"])
def test_without_the_token_nothing_under_api_answers(
    sidecar: Sidecar, path: str, wrong: Callable[[str], str | None]
) -> None:
    """Whatever is wrong with the token, and whether or not there is such a route: 401."""
    authorization = wrong(sidecar.token)
    headers = {"Host": f"127.0.0.1:{sidecar.port}"}
    if authorization is not None:
        headers["Authorization"] = authorization

    answer = exchange(sidecar.port, request_bytes(path, headers=headers))

    assert_is_error(answer, 401, "unauthorized", "The launch token is missing or wrong")
    assert answer["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "NONSENSE"])
def test_every_method_needs_the_token(sidecar: Sidecar, method: str) -> None:
    """No method is exempt."""
    assert_is_error(sidecar.request(method, "/api/v1/members", token=""), 401, "unauthorized")


def test_two_authorization_headers_are_no_token(sidecar: Sidecar) -> None:
    """A header that comes twice is not taken by halves, even if one of the two is right."""
    twice = f"Host: 127.0.0.1:{sidecar.port}\r\n" + f"Authorization: Bearer {sidecar.token}\r\n" * 2

    answer = exchange(sidecar.port, f"GET /api/v1/status HTTP/1.1\r\n{twice}\r\n".encode())

    assert_is_error(answer, 401, "unauthorized")


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "Bearer  "])
def test_scheme_is_read_in_any_case(sidecar: Sidecar, scheme: str) -> None:
    """RFC 9110: the scheme's case does not matter."""
    answer = sidecar.request("GET", "/api/v1/status", headers={"Authorization": f"{scheme} {sidecar.token}"})

    assert answer.status_code == 200


@pytest.mark.parametrize("path", ["/health", "/health/live", "/schema", "/schema/openapi.json", "/"])
def test_health_document_and_page_need_no_token(sidecar: Sidecar, path: str) -> None:
    """They hold no secret."""
    assert sidecar.request("GET", path, token="").status_code == 200


def test_token_is_checked_before_the_route(sidecar: Sidecar) -> None:
    """Who has no token learns nothing about which routes there are."""
    assert_is_error(sidecar.request("GET", "/api/v1/health", token=""), 401, "unauthorized")
    assert_is_error(sidecar.request("GET", "/api/v1/health"), 404, "not-found", "Not found")
    assert_is_error(sidecar.request("PUT", "/api/v1/members", token=""), 401, "unauthorized")


SPELLINGS = [
    "api/v1/status",
    "//api/v1/status",
    "/api//v1///status",
    "/api/v1/status/",
    "/api/v1/status//",
    "/%61pi/v1/status",
    "/%61%70%69/v1/status",
    "/api%2fv1%2fstatus",
    "%2fapi/v1/status",
    "%2f%2fapi/v1/status",
    "/API/v1/status",
    "/Api/V1/Status",
    "/api/../api/v1/status",
    "/health/../api/v1/status",
    "/health/%2e%2e/api/v1/status",
    "/./api/v1/status",
    "./api/v1/status",
    "/api/v1/./status",
    "/\\api/v1/status",
    "/api\\v1\\status",
    "/api;x=y/v1/status",
    "/api/v1/status;x",
    "/api/v1/status?x=/health",
    "/health?/api/v1/status",
    "/%00/api/v1/status",
    "/api/v1/status%00",
    "/api/v1/status%20",
    "/%20api/v1/status",
    "/%ef%bc%8fapi/v1/status",
    "*",
]


@pytest.mark.parametrize("target", SPELLINGS)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_no_spelling_of_a_path_gets_around_the_token(sidecar: Sidecar, target: str, method: str) -> None:
    """What the rules look at is what the router looks up."""
    request = request_bytes(target, method=method, headers=head(sidecar, Authorization=""))

    answer = exchange(sidecar.port, request, head_only=method == "HEAD")

    if target.startswith("/health?") and method != "POST":
        assert answer.status == 200
    else:
        assert answer.status in (401, 404, 405)


PIECES = (
    "/ // api API %61pi ap%69 v1 %76%31 status members health .. . %2e%2e %2f %2F \\ %5c ; %00 %20 %09 %c0%af * "
    "http: api/ v1/ /api/v1/"
)


@FUZZ
@example(["api/", "v1/", "status"])
@given(
    st.lists(
        st.sampled_from(PIECES.split()),
        min_size=1,
        max_size=9,
    )
)
def test_no_path_at_all_gets_around_the_token(sidecar: Sidecar, pieces: list[str]) -> None:
    """Shuffled pieces of paths: without the token only health, document and page answer, with it nothing fails."""
    target = "".join(pieces)

    without = exchange(sidecar.port, request_bytes(target, headers=head(sidecar, Authorization="")))
    with_token = exchange(sidecar.port, request_bytes(target, headers=head(sidecar)))

    if without.status == 200:
        assert without.body.startswith((b'{"status":"healthy"}', b"<!DOCTYPE html>", b"<!doctype html>"))
    else:
        assert without.status in (401, 404, 421)
    assert with_token.status in (200, 404, 400, 421)
    if with_token.status == 200 and without.status != 200:
        assert without.status == 401


# Host


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "LOCALHOST", "LocalHost", "[::1]"])
@pytest.mark.parametrize("path", ["/health", "/api/v1/status"])
def test_names_of_this_server_are_accepted(sidecar: Sidecar, name: str, path: str) -> None:
    """The three names, in any case, with the port."""
    answer = exchange(sidecar.port, request_bytes(path, headers=head(sidecar, Host=f"{name}:{sidecar.port}")))

    assert answer.status == 200


FOREIGN_HOSTS = [
    "127.0.0.1",
    "localhost",
    "[::1]",
    "127.0.0.1:1",
    "localhost:80",
    "127.0.0.1:{port}0",
    "127.0.0.1:0{port}",
    "127.0.0.1:{port}:{port}",
    "evil.example",
    "evil.example:{port}",
    "localhost.evil.example:{port}",
    "127.0.0.1.evil.example:{port}",
    "127-0-0-1.rebind.example:{port}",
    "localhost.:{port}",
    "0.0.0.0:{port}",
    "127.1:{port}",
    "2130706433:{port}",
    "0x7f.0.0.1:{port}",
    "127.0.0.2:{port}",
    "[::]:{port}",
    "[0:0:0:0:0:0:0:1]:{port}",
    "[::ffff:127.0.0.1]:{port}",
    "::1:{port}",
    "user@127.0.0.1:{port}",
    "127.0.0.1:{port}@evil.example",
    "127.0.0.1:{port}, evil.example",
    "127.0.0.1:{port}/",
    "http://127.0.0.1:{port}",
    "taskflow",
    "\xe9vil:{port}",
    ":{port}",
    ".",
]


@pytest.mark.parametrize("host", FOREIGN_HOSTS)
@pytest.mark.parametrize("path", ["/health", "/api/v1/status", "/", "/nothing"])
def test_other_hosts_are_misdirected(sidecar: Sidecar, path: str, host: str) -> None:
    """DNS rebinding ends here: a foreign name, a missing or a wrong port is 421 everywhere, even with the token."""
    headers = head(sidecar, Host=host.format(port=sidecar.port))

    answer = exchange(sidecar.port, request_bytes(path, headers=headers))

    # what cannot be a host at all is refused earlier still
    if answer.status == 400:
        assert_is_error(answer, 400, "bad-request")
    else:
        assert_is_error(answer, 421, "misdirected", "The Host header does not name this server")


def test_host_is_judged_before_origin_and_token(sidecar: Sidecar) -> None:
    """Who came to the wrong place is told only that."""
    headers = {"Host": "evil.example", "Origin": "http://evil.example"}

    assert_is_error(exchange(sidecar.port, request_bytes("/api/v1/status", headers=headers)), 421, "misdirected")


def test_request_without_host(sidecar: Sidecar) -> None:
    """HTTP/1.0 may leave it out and is misdirected; HTTP/1.1 must not, and is malformed; two are as bad as none."""
    port = sidecar.port
    two = f"GET /health HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()

    assert_is_error(exchange(port, b"GET /health HTTP/1.0\r\n\r\n"), 421, "misdirected")
    assert_is_error(exchange(port, b"GET /health HTTP/1.1\r\nHost:\r\n\r\n"), 421, "misdirected")
    assert_is_error(exchange(port, b"GET /health HTTP/1.1\r\n\r\n"), 400, "bad-request")
    assert_is_error(exchange(port, two), 400, "bad-request")


def test_http_1_0_is_served(sidecar: Sidecar) -> None:
    """An old client that names its host gets its answer."""
    answer = exchange(sidecar.port, f"GET /health HTTP/1.0\r\nHost: 127.0.0.1:{sidecar.port}\r\n\r\n".encode())

    assert (answer.status, answer.json()) == (200, {"status": "healthy"})


def test_target_in_absolute_form(sidecar: Sidecar) -> None:
    """RFC 9112 has servers accept it; its host counts, must agree with Host, and its path needs the token too."""
    here = f"127.0.0.1:{sidecar.port}"

    def ask(target: str, **headers: str) -> RawAnswer:
        return exchange(sidecar.port, request_bytes(target, headers=head(sidecar, **headers)))

    assert ask(f"http://{here}/health").json() == {"status": "healthy"}
    assert ask(f"HTTP://{here}/api/v1/status").json()["state"] == "ready"
    assert_is_error(ask(f"http://{here}/api/v1/status", Authorization=""), 401, "unauthorized")
    assert_is_error(ask("http://evil.example/health"), 421, "misdirected")
    assert_is_error(ask(f"http://{here}@evil.example/health"), 421, "misdirected")
    assert_is_error(ask("http:///health"), 421, "misdirected")
    assert_is_error(ask(f"http://{here}/health", Host="evil.example"), 421, "misdirected")
    assert_is_error(ask("http://evil.example/health", Host="evil.example"), 421, "misdirected")


# Origin and CORS


FOREIGN_ORIGINS = [
    "null",
    "",
    "https://evil.example",
    "http://evil.example",
    "https://localhost",
    "https://127.0.0.1",
    "http://localhost.evil.example",
    "http://localhost@evil.example",
    "http://127.0.0.1.evil.example",
    "http://127.0.0.10",
    "http://127.1",
    "https://[::1]",
    "http://[::2]",
    "http://localhost:",
    "http://localhost:123456",
    "http://localhost:80:80",
    "http://localhost/",
    "http://localhost\t",
    "localhost",
    "file://",
    "app://other",
    "app://taskflow.evil",
    "chrome-extension://abcdefghijklmnop",
    "https://desk.example:444",
    "https://sub.desk.example",
    "http://localhost, http://evil.example",
    "http://localhost http://evil.example",
]
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


@pytest.mark.parametrize("origin", FOREIGN_ORIGINS)
def test_foreign_origins_are_refused_on_every_method(sidecar: Sidecar, origin: str) -> None:
    """403 even for GET and OPTIONS and with the token, and no CORS header that would let the page read the answer."""
    foreign = origin.rstrip("\t") == origin
    for method in METHODS:
        for path in ("/health", "/api/v1/members", "/nothing"):
            request = request_bytes(path, method=method, headers=head(sidecar) | {"Origin": origin})
            answer = exchange(sidecar.port, request, head_only=method == "HEAD")
            if not foreign:  # blanks around a value are no part of it
                assert answer.status != 403
                continue
            assert answer.status == 403
            assert "Access-Control-Allow-Origin" not in answer
            assert answer["Taskflow-Error-Code"] == "origin-forbidden"
            if method != "HEAD":
                assert_is_error(answer, 403, "origin-forbidden", "This origin is not allowed")


def test_origin_is_judged_before_the_token(sidecar: Sidecar) -> None:
    """A foreign page learns nothing about tokens."""
    answer = sidecar.request("GET", "/api/v1/status", token="", headers={"Origin": "https://evil.example"})

    assert_is_error(answer, 403, "origin-forbidden")


def test_two_origins_are_refused(sidecar: Sidecar) -> None:
    """An allowed one does not carry another one through."""
    headers = f"Host: 127.0.0.1:{sidecar.port}\r\nOrigin: http://localhost\r\nOrigin: http://evil.example\r\n"

    assert_is_error(exchange(sidecar.port, f"GET /health HTTP/1.1\r\n{headers}\r\n".encode()), 403, "origin-forbidden")


ALLOWED_ORIGINS = [
    "http://localhost",
    "http://localhost:5173",
    "http://127.0.0.1",
    "http://127.0.0.1:65535",
    "http://[::1]",
    "http://[::1]:5173",
    "app://taskflow",
    "https://desk.example",
    "http://intranet:8080",
]


@pytest.mark.parametrize("origin", ALLOWED_ORIGINS)
def test_allowed_origins_may_read(sidecar: Sidecar, origin: str) -> None:
    """Pages of this computer and those named by the variable get the CORS headers, and may read our headers."""
    answer = sidecar.request("GET", "/api/v1/status", headers={"Origin": origin})

    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == origin
    exposed = {name.strip().lower() for name in answer.headers["Access-Control-Expose-Headers"].split(",")}
    assert {"taskflow-error-code", "taskflow-proof", "retry-after", "etag"} <= exposed
    assert "Access-Control-Allow-Credentials" not in answer.headers


def test_answers_differ_by_origin_and_say_so(sidecar: Sidecar) -> None:
    """Without an Origin there are no CORS headers, but caches are told either way."""
    answer = sidecar.request("GET", "/health")

    assert "Access-Control-Allow-Origin" not in answer.headers
    assert "Origin" in answer.headers["Vary"]


ERRORS: dict[str, tuple[int, Callable[[Sidecar, dict[str, str]], httpx.Response]]] = {
    "validation": (400, lambda s, h: s.request("POST", "/api/v1/members", json={}, headers=h)),
    "unauthorized": (401, lambda s, h: s.request("GET", "/api/v1/members", token="", headers=h)),
    "not-found": (404, lambda s, h: s.request("GET", f"/api/v1/members/{UNKNOWN_ID}", headers=h)),
    "no-route": (404, lambda s, h: s.request("GET", "/nothing", headers=h)),
    "method": (405, lambda s, h: s.request("PUT", "/api/v1/members", headers=h)),
    "body": (413, lambda s, h: s.request("POST", "/api/v1/members", content=b" " * (MEBIBYTE + 1), headers=h)),
}


@pytest.mark.parametrize("name", ERRORS)
def test_allowed_pages_may_read_errors_too(sidecar: Sidecar, name: str) -> None:
    """A page that cannot read the error shows its user "network error"."""
    status, provoke = ERRORS[name]

    answer = provoke(sidecar, {"Origin": "app://taskflow"})

    assert answer.status_code == status
    assert answer.headers["Access-Control-Allow-Origin"] == "app://taskflow"


def preflight(sidecar: Sidecar, path: str, origin: str, **headers: str) -> RawAnswer:
    """Ask as a browser does before a call with a token; it sends none yet."""
    asked = {"Origin": origin, "Access-Control-Request-Method": "PATCH"}
    asked["Access-Control-Request-Headers"] = "authorization,content-type,if-match"
    request = request_bytes(path, method="OPTIONS", headers=head(sidecar, Authorization="") | asked | headers)
    return exchange(sidecar.port, request)


@pytest.mark.parametrize("path", ["/api/v1/members", "/health", "/api/v1/nothing"])
def test_preflight_of_an_allowed_page_passes_without_token(sidecar: Sidecar, path: str) -> None:
    """It allows the methods and the headers that the page needs."""
    answer = preflight(sidecar, path, "app://taskflow")

    assert answer.status == 204
    assert answer["Access-Control-Allow-Origin"] == "app://taskflow"
    assert set(METHODS) <= set(answer["Access-Control-Allow-Methods"].split(", "))
    assert answer["Access-Control-Allow-Headers"] == "authorization,content-type,if-match"
    assert int(answer["Access-Control-Max-Age"]) > 0
    assert "Access-Control-Allow-Private-Network" not in answer


def test_preflight_into_the_private_network(sidecar: Sidecar) -> None:
    """Chromium asks for it when the page came from a public address."""
    asked = {"Access-Control-Request-Private-Network": "true"}

    assert (
        preflight(sidecar, "/health", "https://desk.example", **asked)["Access-Control-Allow-Private-Network"] == "true"
    )


def test_preflight_is_judged_like_any_request(sidecar: Sidecar) -> None:
    """Foreign pages and foreign hosts get no further."""
    assert_is_error(preflight(sidecar, "/health", "http://evil.example"), 403, "origin-forbidden")
    assert_is_error(preflight(sidecar, "/health", "null"), 403, "origin-forbidden")
    assert_is_error(preflight(sidecar, "/health", "http://localhost", Host="evil.example"), 421, "misdirected")


def test_options_that_is_no_preflight_names_the_methods(sidecar: Sidecar) -> None:
    """With the token it is answered for the resource it names."""
    answer = sidecar.request("OPTIONS", "/api/v1/members")

    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["Allow"] == "GET, HEAD, OPTIONS, POST"
    assert_is_error(sidecar.request("OPTIONS", "/api/v1/nothing"), 404, "not-found")


def test_other_sites_may_not_embed_an_answer(sidecar: Sidecar) -> None:
    """As script, image or style sheet it is of no use to them."""
    for path in ("/health", "/", "/schema", "/nothing"):
        answer = sidecar.request("GET", path)

        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"


# One shape of errors


def test_unknown_routes(sidecar: Sidecar) -> None:
    """404 wherever there is nothing, the framework's own corners included."""
    for path in (
        "/nothing",
        "/api",
        "/api/v1",
        "/api/v2/members",
        "/schema/nothing",
        "/schema/openapi.yaml",
        "/health/x",
    ):
        assert_is_error(sidecar.request("GET", path), 404, "not-found", "Not found")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/api/v1/members", "GET, HEAD, OPTIONS, POST"),
        ("POST", f"/api/v1/members/{UNKNOWN_ID}", "DELETE, GET, HEAD, OPTIONS, PATCH"),
        ("GET", "/api/v1/settings/test-connection", "OPTIONS, POST"),
        ("HEAD", "/api/v1/settings/test-connection", "OPTIONS, POST"),
        ("DELETE", "/health", "GET, HEAD, OPTIONS"),
        ("TRACE", "/health", "GET, HEAD, OPTIONS"),
        ("NONSENSE", "/health", "GET, HEAD, OPTIONS"),
        ("POST", "/", "GET, HEAD, OPTIONS"),
    ],
)
def test_wrong_method_names_the_right_ones(sidecar: Sidecar, method: str, path: str, allowed: str) -> None:
    """405 with Allow."""
    answer = sidecar.request(method, path)

    assert answer.headers["Allow"] == allowed
    if method == "HEAD":
        assert (answer.status_code, answer.content) == (405, b"")
    else:
        assert_is_error(answer, 405, "method-not-allowed", "Method not allowed")


MALFORMED = {
    "not-http": b"HELLO\r\n\r\n",
    "tls": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "http-0.9": b"GET /health\r\n\r\n",
    "unknown-protocol": b"GET /health HTTQ/1.1\r\nHost: {host}\r\n\r\n",
    "target-not-ascii": b"GET /h\xc3\xa9alth HTTP/1.1\r\nHost: {host}\r\n\r\n",
    "blank-in-target": b"GET /hea lth HTTP/1.1\r\nHost: {host}\r\n\r\n",
    "nul-in-header": b"GET /health HTTP/1.1\r\nHost: {host}\r\nX: a\x00b\r\n\r\n",
    "header-without-colon": b"GET /health HTTP/1.1\r\nHost: {host}\r\nNonsense\r\n\r\n",
    "two-lengths": b"POST /health HTTP/1.1\r\nHost: {host}\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "length-no-number": b"POST /health HTTP/1.1\r\nHost: {host}\r\nContent-Length: one\r\n\r\n",
    "length-negative": b"POST /health HTTP/1.1\r\nHost: {host}\r\nContent-Length: -1\r\n\r\n",
    "unknown-transfer-coding": b"POST /health HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: zip\r\n\r\n",
    "endless-header": b"GET /health HTTP/1.1\r\nHost: {host}\r\nX: " + b"x" * 300_000,
}


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_no_http_request_is_told_so(sidecar: Sidecar, name: str) -> None:
    """Even a client that cannot speak HTTP gets the one error shape, and the connection is closed."""
    with RawConnection(sidecar.port) as connection:
        connection.send(MALFORMED[name].replace(b"{host}", f"127.0.0.1:{sidecar.port}".encode()))
        answer = connection.receive()

        assert_is_error(answer, 400, "bad-request", "The request is malformed")
        assert connection.is_closed_by_server()
    assert sidecar.health()[0] == 200


@pytest.mark.parametrize("chunk", [b"zz\r\n", b"-1\r\n", b"5\r\nhello, too long\r\n", b"FFFFFFFFFFFFFFFFFFFFFFFF\r\n"])
def test_broken_chunks_end_the_connection(sidecar: Sidecar, chunk: bytes) -> None:
    """In a body that is being read they are malformed; after a refusal nobody reads them, and nothing falls over."""
    before = sidecar.stderr_text().count("Traceback")
    for authorization, status in ((f"Bearer {sidecar.token}", 400), ("", 401)):
        with RawConnection(sidecar.port) as connection:
            headers = head(sidecar, Authorization=authorization) | {"Transfer-Encoding": "chunked"}
            connection.send(request_bytes("/api/v1/members", method="POST", headers=headers))
            if status == 401:
                assert_is_error(connection.receive(), 401, "unauthorized")
            connection.send(chunk)
            if status == 400:
                assert_is_error(connection.receive(), 400, "bad-request")
            assert connection.is_closed_by_server()

    assert sidecar.health()[0] == 200
    assert sidecar.stderr_text().count("Traceback") == before


def test_failure_inside_is_told_to_the_log_only(shared_backend: Backend) -> None:
    """A table that vanished: 500 with three words and CORS headers for the page, the reason in the log."""
    sidecar = shared_backend.sidecar
    shared_backend.database.execute("ALTER TABLE members RENAME TO vanished")
    try:
        listing = sidecar.request("GET", "/api/v1/members", headers={"Origin": "http://localhost:5173"})
        creation = sidecar.request("POST", "/api/v1/members", json=MEMBER)
    finally:
        shared_backend.database.execute("ALTER TABLE vanished RENAME TO members")

    assert_is_error(listing, 500, "internal", "Internal server error")
    assert_is_error(creation, 500, "internal", "Internal server error")
    assert listing.headers["Access-Control-Allow-Origin"] == "http://localhost:5173"
    assert "members" in sidecar.stderr_text()
    assert MEMBER["email"] not in sidecar.stderr_text()
    assert sidecar.request("GET", "/api/v1/members").status_code == 200


# HEAD


@pytest.mark.parametrize(
    "path", ["/health", "/health/live", "/", "/schema", "/api/v1/status", "/api/v1/members", "/api/v1/nothing"]
)
def test_head_is_get_without_the_body(sidecar: Sidecar, path: str) -> None:
    """The same status and headers, no body, and the connection serves the next request."""
    with RawConnection(sidecar.port) as connection:
        connection.send(request_bytes(path, method="HEAD", headers=head(sidecar)))
        bare = connection.receive(head_only=True)
        connection.send(request_bytes(path, headers=head(sidecar)))
        full = connection.receive()

    assert bare.status == full.status
    varying = ("date",)
    if path != "/api/v1/status":  # its figures change as one looks
        assert len(full.body) == int(bare["Content-Length"])
        assert [pair for pair in bare.headers if pair[0] not in varying] == [
            pair for pair in full.headers if pair[0] not in varying
        ]


def test_head_of_a_stream_ends(sidecar: Sidecar) -> None:
    """The stream that GET would keep open is not begun."""
    with RawConnection(sidecar.port) as connection:
        connection.send(request_bytes("/api/v1/status/events", method="HEAD", headers=head(sidecar)))
        answer = connection.receive(head_only=True)
        connection.send(request_bytes("/health", headers=head(sidecar)))

        assert (answer.status, answer["Content-Type"]) == (200, "text/event-stream; charset=utf-8")
        assert connection.receive().json() == {"status": "healthy"}


# Bodies


def padded(size: int, email: str) -> bytes:
    """A member's JSON, filled up with blanks."""
    return json.dumps(MEMBER | {"email": email}).encode().ljust(size)


def in_chunks(body: bytes, size: int) -> Iterator[bytes]:
    """The pieces of a body."""
    return (body[start : start + size] for start in range(0, len(body), size))


def test_body_of_one_mebibyte_passes_and_one_byte_more_does_not(
    sidecar: Sidecar, members: Callable[..., httpx.Response]
) -> None:
    """The limit is met to the byte, whether the length is announced or found out."""
    too_large = "The request body is larger than 1 MiB"

    def chunked(body: bytes) -> httpx.Response:
        return sidecar.client.post(
            "/api/v1/members",
            content=in_chunks(body, 60_000),
            headers={"Authorization": f"Bearer {sidecar.token}"},
        )

    assert members(padded(MEBIBYTE, "a@example.com")).status_code == 201
    assert chunked(padded(MEBIBYTE, "b@example.com")).status_code == 201
    assert_is_error(members(padded(MEBIBYTE + 1, "c@example.com")), 413, "body-too-large", too_large)
    assert_is_error(chunked(padded(MEBIBYTE + 1, "d@example.com")), 413, "body-too-large", too_large)


@pytest.mark.parametrize("size", [MEBIBYTE + 1, 16 * MEBIBYTE])
def test_client_that_sends_first_and_listens_later_hears_of_the_limit(sidecar: Sidecar, size: int) -> None:
    """`Connection: close` and a body already on its way: the refusal is not lost in a reset."""
    request = urllib.request.Request(f"{sidecar.url}/api/v1/members", data=b" " * size, method="POST")
    request.add_header("Authorization", f"Bearer {sidecar.token}")

    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=20)

    with refused.value as answer:
        assert answer.code == 413
        assert json.loads(answer.read()) == {"error": "The request body is larger than 1 MiB"}


def test_client_that_asks_first_need_not_send(sidecar: Sidecar) -> None:
    """`Expect: 100-continue`: too large is said before the body, and a good one is asked for."""
    with RawConnection(sidecar.port) as connection:
        headers = head(sidecar, Expect="100-continue", Content_Length=str(MEBIBYTE + 1))
        connection.send(request_bytes("/api/v1/members", method="POST", headers=headers))
        assert_is_error(connection.receive(), 413, "body-too-large")
    with RawConnection(sidecar.port) as connection:
        headers = head(sidecar, Expect="100-continue", Content_Length="2")
        connection.send(request_bytes("/api/v1/members", method="POST", headers=headers))
        assert connection.receive().status == 100
        connection.send(b"{}")
        assert_is_error(connection.receive(), 400, "validation", "name: Field required")


NO_JSON = "body: Input should be valid JSON"
NO_OBJECT = "body: Input should be an object"
NOT_UNICODE = "name: Input should be valid Unicode text"
BODIES = {
    "empty": (b"", "body: Field required"),
    "blank": (b" \n", NO_JSON),
    "null": (b"null", NO_OBJECT),
    "array": (b"[]", NO_OBJECT),
    "string": (b'"name"', NO_OBJECT),
    "number": (b"1", NO_OBJECT),
    "truncated": (b'{"name":', NO_JSON),
    "two-documents": (b"{} {}", NO_JSON),
    "trailing-comma": (b'{"name": "Ada",}', NO_JSON),
    "single-quotes": (b"{'name': 'Ada'}", NO_JSON),
    "comment": (b"{} // nothing", NO_JSON),
    "nan": (b'{"name": NaN}', NO_JSON),
    "infinity": (b'{"x": -Infinity}', NO_JSON),
    "byte-order-mark": (b'\xef\xbb\xbf{"name": "Ada"}', NO_JSON),
    "utf-16": ('{"name": "Ada"}'.encode("utf-16"), NO_JSON),
    "utf-16-le": ('{"name": "Ada"}'.encode("utf-16-le"), NO_JSON),
    "utf-32": ('{"name": "Ada"}'.encode("utf-32"), NO_JSON),
    "latin-1": ('{"name": "Adé"}'.encode("latin-1"), NO_JSON),
    "surrogate-in-utf-8": (b'{"name": "\xed\xa0\x80"}', NO_JSON),
    "overlong-utf-8": (b'{"name": "\xc0\xaf"}', NO_JSON),
    "raw-control-character": (b'{"name": "A\nda"}', NO_JSON),
    "raw-nul": (b'{"name": "A\x00da"}', NO_JSON),
    "nul-after": (b"{}\x00", NO_JSON),
    "form": (b"name=Ada&email=ada%40example.com", NO_JSON),
    "nested-too-deep": (b'{"name": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", NO_JSON),
    "nested-objects": (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, NO_JSON),
    "nested-open": (b"[" * MEBIBYTE, NO_JSON),
    "no-fields": (b"{}", "name: Field required"),
    "field-null": (b'{"name": null}', "name: field cannot be null"),
    "field-number": (b'{"name": 1}', "name: Input should be a valid string"),
    "field-array": (b'{"name": ["Ada"]}', "name: Input should be a valid string"),
    "nul": (b'{"name": "A\\u0000da"}', "name: Input should not contain NUL characters"),
    "half-surrogate": (b'{"name": "\\ud800"}', NOT_UNICODE),
    "swapped-surrogates": (b'{"name": "\\udc00\\ud800"}', NOT_UNICODE),
    "huge-integer": (b'{"name": ' + b"9" * 4000 + b"}", "name: Input should be a valid string"),
    "wrong-case": (b'{"Name": "Ada"}', "name: Field required"),
}


@pytest.mark.parametrize("name", BODIES)
def test_bodies_that_cannot_be_used(sidecar: Sidecar, members: Callable[..., httpx.Response], name: str) -> None:
    """400 with the one sentence that fits; the sidecar takes no harm."""
    body, sentence = BODIES[name]

    assert_is_error(members(body), 400, "validation", sentence)
    assert sidecar.health()[0] == 200


ODDITIES = {
    "unknown-fields": b'{"name": "Ada", "email": "ada@example.com", "id": 1, "role": {"admin": true}}',
    "unknown-huge-integer": b'{"name": "Ada", "email": "ada@example.com", "x": ' + b"9" * 1000 + b"}",
    "unknown-huge-exponent": b'{"name": "Ada", "email": "ada@example.com", "x": 1e999}',
    "unknown-half-surrogate": b'{"name": "Ada", "email": "ada@example.com", "x": "\\ud800", "\\udfff": 1}',
    "unknown-nul": b'{"name": "Ada", "email": "ada@example.com", "x": "\\u0000"}',
    "unknown-nested": b'{"name": "Ada", "email": "ada@example.com", "x": ' + b"[" * 400 + b"]" * 400 + b"}",
    "last-of-two-keys": b'{"name": "Eve", "name": "Ada", "email": "ada@example.com"}',
    "escaped-key": b'{"n\\u0061me": "Ada", "email": "ada@example.com"}',
    "blanks-everywhere": b' \r\n\t{ "name" : "Ada" ,\n"email":"ada@example.com"}\n',
}


@pytest.mark.parametrize("name", ODDITIES)
def test_odd_but_sound_bodies_are_understood(members: Callable[..., httpx.Response], name: str) -> None:
    """Fields nobody asked for are ignored, whatever they hold; of a key given twice the last one counts."""
    answer = members(ODDITIES[name])

    assert answer.status_code == 201, answer.text
    assert (answer.json()["name"], answer.json()["email"]) == ("Ada", "ada@example.com")


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "application/json; charset=utf-8", "text/plain", "application/octet-stream", "nonsense", ""],
)
def test_body_is_json_whatever_it_is_called(members: Callable[..., httpx.Response], content_type: str) -> None:
    """The content type decides nothing: what a body is shows when it is read."""
    answer = members(json.dumps(MEMBER).encode(), **{"Content-Type": content_type})

    assert answer.status_code == 201


@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
def test_forms_are_not_understood(members: Callable[..., httpx.Response], content_type: str) -> None:
    """What a plain HTML form can send is no JSON, and its parser is never started."""
    form = b'--x\r\nContent-Disposition: form-data; name="name"\r\n\r\nAda\r\n--x--\r\n'

    assert_is_error(members(form, **{"Content-Type": content_type}), 400, "validation", NO_JSON)


def test_first_error_in_schema_order_is_the_one_told(members: Callable[..., httpx.Response]) -> None:
    """The order of the fields in the body does not matter."""
    wrong: dict[str, Any] = {"active": 1, "email": 1, "name": 1}

    for name, sentence in (
        ("name", "name: Input should be a valid string"),
        ("email", "email: Input should be a valid string"),
        ("active", "active: Input should be a valid boolean"),
    ):
        assert_is_error(members(json.dumps(wrong).encode()), 400, "validation", sentence)
        wrong[name] = MEMBER.get(name, True)


SENTENCES = {
    *(f"{field}: Field required" for field in ("name", "email")),
    *(f"{field}: field cannot be null" for field in ("name", "email", "active")),
    *(f"{field}: field cannot be blank" for field in ("name", "email")),
    *(f"{field}: Input should be a valid string" for field in ("name", "email")),
    *(f"{field}: Input should not contain NUL characters" for field in ("name", "email")),
    *(f"{field}: Input should be valid Unicode text" for field in ("name", "email")),
    "name: String should have at most 100 characters",
    "email: String should have at most 320 characters",
    "email: Input should be a plain email address",
    "active: Input should be a valid boolean",
}
JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=400),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@FUZZ
@example({"name": "x" * 101})
@example({"name": "Ada", "email": "\ud800"})
@given(
    st.fixed_dictionaries(
        {}, optional={"name": JSON_VALUES | st.just("Ada"), "email": JSON_VALUES, "active": JSON_VALUES}
    )
)
def test_no_sentence_holds_what_was_sent(sidecar: Sidecar, body: dict[str, Any]) -> None:
    """Whatever is sent, the answer is one of a closed set of sentences."""
    answer = sidecar.request("PATCH", f"/api/v1/members/{UNKNOWN_ID}", json=None, content=json.dumps(body).encode())
    creation = sidecar.request("POST", "/api/v1/members", content=json.dumps(body).encode())

    if answer.status_code == 400:
        assert answer.json()["error"] in SENTENCES
    else:
        assert_is_error(answer, 404, "not-found", "Member not found")
    if creation.status_code == 201:
        sidecar.request("DELETE", f"/api/v1/members/{creation.json()['id']}")
    else:
        assert creation.json()["error"] in SENTENCES


def test_path_is_checked_before_the_body_and_both_before_existence(sidecar: Sidecar) -> None:
    """First `path.<name>`, then the body, then whether there is such a thing."""

    def patch(identifier: str, body: bytes) -> httpx.Response:
        return sidecar.request("PATCH", f"/api/v1/members/{identifier}", content=body)

    not_a_uuid = "path.id: Input should be a valid UUID"
    assert_is_error(patch("ada", b"nonsense"), 400, "validation", not_a_uuid)
    assert_is_error(patch("ada", b" " * (MEBIBYTE + 1)), 400, "validation", not_a_uuid)
    assert_is_error(patch(UNKNOWN_ID, b"nonsense"), 400, "validation", NO_JSON)
    assert_is_error(patch(UNKNOWN_ID, b'{"name": ""}'), 400, "validation", "name: field cannot be blank")
    assert_is_error(patch(UNKNOWN_ID, b"{}"), 404, "not-found", "Member not found")


# Many clients at once


@pytest.mark.quiet
def test_answers_are_not_held_back(sidecar: Sidecar) -> None:
    """Without TCP_NODELAY a kept-alive connection waits 40 ms for each answer."""
    durations_s = []
    with RawConnection(sidecar.port) as connection:
        for path in ["/health", "/api/v1/members"] * 15:
            began = time.perf_counter()
            connection.send(request_bytes(path, headers=head(sidecar)))
            connection.receive()
            durations_s.append(time.perf_counter() - began)

    assert statistics.median(durations_s) < 0.02 * windows.PATIENCE


def test_pipelined_requests_are_answered_in_order(sidecar: Sidecar) -> None:
    """Sent all at once, refusals among them, with and without a body."""
    requests = [
        request_bytes("/health", headers=head(sidecar)),
        request_bytes("/api/v1/status", headers=head(sidecar, Authorization="")),
        request_bytes("/api/v1/members", method="POST", headers=head(sidecar), body=b"{}"),
        request_bytes("/nothing", headers=head(sidecar)),
        request_bytes("/health/live", headers=head(sidecar)),
    ]

    with RawConnection(sidecar.port) as connection:
        connection.send(b"".join(requests))
        answers = [connection.receive() for _ in requests]

    assert [answer.status for answer in answers] == [200, 401, 400, 404, 200]
    assert answers[-1].json() == {"status": "alive"}


def test_clients_that_dawdle_hold_nobody_up(sidecar: Sidecar) -> None:
    """Hundreds of half requests: the next client is answered at once, and that they vanish in the end is no error."""
    before = sidecar.stderr_text().count("Traceback")
    half_head = f"GET /health HTTP/1.1\r\nHost: 127.0.0.1:{sidecar.port}\r\nX-Slow: ".encode()
    half_body = request_bytes("/api/v1/members", method="POST", headers=head(sidecar, Content_Length="1000")) + b'{"na'
    connections = [RawConnection(sidecar.port) for _ in range(200)]
    try:
        for number, connection in enumerate(connections):
            connection.send(half_head if number % 2 else half_body)
        began = time.perf_counter()
        answers = [sidecar.request("GET", path).status_code for path in ("/health", "/api/v1/members") * 5]
        duration_s = time.perf_counter() - began
        connections[1].send(b"x\r\n\r\n")
        finished = connections[1].receive()
    finally:
        for connection in connections:
            connection.__exit__(None, None, None)

    assert answers == [200] * 10
    assert duration_s < 10  # the others are given up after 30 s
    assert finished.status == 200
    assert sidecar.health()[0] == 200
    assert sidecar.stderr_text().count("Traceback") == before


# The server's own proof


def proof_of(sidecar: Sidecar, challenge: str, path: str = "/health", method: str = "GET") -> str | None:
    """Send a challenge, without the token."""
    headers = head(sidecar, Authorization="") | {"Taskflow-Challenge": challenge}
    answer = exchange(sidecar.port, request_bytes(path, method=method, headers=headers), head_only=method == "HEAD")
    return dict(answer.headers).get("taskflow-proof")


@pytest.mark.parametrize("challenge", ["0", "00ff", "DEADBEEF", "a" * 512])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_server_proves_that_it_knows_the_token(sidecar: Sidecar, challenge: str, method: str) -> None:
    """HMAC-SHA256 under the token's text of the challenge's text, as it was sent."""
    expected = hmac.new(sidecar.token.encode(), challenge.encode(), hashlib.sha256).hexdigest()

    assert proof_of(sidecar, challenge, method=method) == expected


@pytest.mark.parametrize("challenge", ["", "xyz", "0x00", "00 ff", "a" * 513, "\xe9"])
def test_what_is_no_challenge_gets_no_proof(sidecar: Sidecar, challenge: str) -> None:
    """Only hexadecimal digits, at most 512."""
    assert proof_of(sidecar, challenge) is None


@pytest.mark.parametrize("path", ["/health/live", "/api/v1/status", "/"])
def test_proof_is_given_at_health_only(sidecar: Sidecar, path: str) -> None:
    """Nowhere else does a client look for it."""
    assert proof_of(sidecar, "00ff", path) is None


# --no-auth


def test_without_authentication_the_other_rules_stay() -> None:
    """Development mode drops the token and says so loudly; Host and Origin are judged as ever."""
    with Sidecar(args=["--no-auth"]) as sidecar:
        sidecar.wait_healthy()
        headers = {"Host": f"127.0.0.1:{sidecar.port}"}

        assert exchange(sidecar.port, request_bytes("/api/v1/status", headers=headers)).status == 200
        foreign = headers | {"Origin": "http://evil.example"}
        assert_is_error(exchange(sidecar.port, request_bytes("/health", headers=foreign)), 403, "origin-forbidden")
        rebound = {"Host": f"evil.example:{sidecar.port}"}
        assert_is_error(exchange(sidecar.port, request_bytes("/health", headers=rebound)), 421, "misdirected")
        assert proof_of(sidecar, "00ff") is None
        assert "without authentication" in sidecar.stderr_text()
