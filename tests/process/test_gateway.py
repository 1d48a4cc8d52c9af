"""What passes through the gateway, both ways, and what does not."""

from __future__ import annotations

import contextlib
import gzip
import json
import socket
import threading
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Self

import httpx
import psutil  # type: ignore[import-untyped]
import pytest

from tests.support.ai_answers import COMMON, REFUSALS, Canned
from tests.support.ai_providers import ECHO_HEADER, AIProviders, Gate, digest
from tests.support.canaries import find_canary
from tests.support.databases import Backend, SqliteDatabase
from tests.support.gateways import ROOT, GatewayBackend, environment, gateway_on_sqlite
from tests.support.network import LoopbackServer
from tests.support.raw_http import RawConnection, exchange, request_bytes
from tests.support.sidecar import Sidecar
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

MIB = 1 << 20
SYSTEM = ("system", "default", "openai")


@pytest.fixture(scope="module")
def shared() -> Iterator[GatewayBackend]:
    """A sidecar that these tests share; what they are about does not depend on the database."""
    with gateway_on_sqlite(args=("--log-level", "debug")) as backend:
        yield backend


@pytest.fixture
def gateway(shared: GatewayBackend) -> GatewayBackend:
    """The shared sidecar with empty tables and a genuine key for the system."""
    shared.clear()
    return shared


@pytest.fixture
def key(gateway: GatewayBackend) -> str:
    """The system's genuine key."""
    return gateway.new_key(*SYSTEM)


def raw(gateway: GatewayBackend, target: str, method: str = "GET", **headers: str) -> bytes:
    """Write a call with the system's OpenAI key by hand."""
    head = {"Host": f"127.0.0.1:{gateway.sidecar.port}", "Authorization": f"Bearer {gateway.sidecar.token}"}
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return request_bytes(f"{ROOT}/system/default/openai{target}", method=method, headers={**head, **given})


# What goes out


@pytest.mark.parametrize(
    "target",
    [
        "/v1/models",
        "/v1/models?limit=5&after=a%2Fb&x=%7E~",
        "/v1//models",
        "/v1/files/a%2Fb%20c",
        "/v1/models/ft:gpt-4o:acme::id",
        "/v1/models?q=a+b&q=c&empty=&flag",
        "/v1/m%C3%BCll?%C3%BC",
        "/v1/a...b/.hidden",
        "/v1beta/models?pageToken=t&keyword=x",
    ],
)
def test_path_and_query_go_out_byte_for_byte(gateway: GatewayBackend, key: str, target: str) -> None:
    """Nothing is decoded, collapsed or put in order on the way."""
    exchange(gateway.sidecar.port, raw(gateway, target))

    (request,) = gateway.providers.openai.requests
    assert request.target == target
    assert request.header("host") == f"127.0.0.1:{gateway.providers.openai.port}"


@pytest.mark.parametrize(
    "target",
    [
        "/../x",
        "/v1/../../admin",
        "/v1/..",
        "/v1/./models",
        "/v1/%2e%2e/x",
        "/v1/%2E./x",
        "/v1/%252e%252e/x",
        "/v1/..%2fx",
        "/v1/..%5cx",
        "/v1\\..\\x",
        "/v1/%5c%2e%2e",
        "/v1/..;/x",
        "/v1/a%00b",
        "/v1/a%0d%0aX:1",
    ],
)
def test_paths_that_lead_elsewhere_are_refused(gateway: GatewayBackend, key: str, target: str) -> None:
    """However they are encoded."""
    answer = exchange(gateway.sidecar.port, raw(gateway, target))

    assert answer.status == 400
    assert answer["Taskflow-Error-Code"] == "validation"
    assert answer.json()["error"].startswith("path: ")
    assert gateway.providers.requests() == []


def test_credentials_in_the_query_stay_here(gateway: GatewayBackend, key: str) -> None:
    """Some SDKs put what they take for a key there; others are called likewise."""
    token = gateway.sidecar.token
    target = f"/v1/models?a=1&key={token}&Api_Key=x&access%5Ftoken=y&b={token}&pageToken=z"

    exchange(gateway.sidecar.port, raw(gateway, target))

    (request,) = gateway.providers.openai.requests
    assert request.target == "/v1/models?a=1&pageToken=z"


def test_token_in_the_path_is_refused(gateway: GatewayBackend, key: str) -> None:
    """It cannot be taken out without changing the call."""
    answer = exchange(gateway.sidecar.port, raw(gateway, f"/v1/{gateway.sidecar.token}/models"))

    assert answer.status == 400
    assert gateway.sidecar.token.encode() not in answer.body
    assert gateway.providers.requests() == []


def test_callers_token_and_the_connections_own_headers_stay_here(gateway: GatewayBackend, key: str) -> None:
    """Wherever the token stands; what is meant for the provider goes on."""
    token = gateway.sidecar.token
    sent = {
        "x-api-key": token,
        "x-goog-api-key": "something",
        "Cookie": f"session={token}",
        "X-Custom": f"my {token}",
        "Connection": "keep-alive, X-Hop",
        "X-Hop": "1",
        "Keep-Alive": "timeout=5",
        "TE": "trailers",
        "Proxy-Authorization": "Basic Zm9vOmJhcg==",
        "Origin": "http://localhost:3000",
        "Referer": "http://localhost:3000/page",
        "Sec-Fetch-Mode": "cors",
        "X-Forwarded-For": "10.0.0.1",
        "Taskflow-Challenge": "00ff",
        "Accept-Encoding": "gzip, br",
        "OpenAI-Organization": "org-1",
        "OpenAI-Project": "proj-1",
        "X-Stainless-Lang": "python",
        "User-Agent": "a-client/1",
    }

    assert exchange(gateway.sidecar.port, raw(gateway, "/v1/models", **sent)).status == 200

    (request,) = gateway.providers.openai.requests
    assert token.encode() not in request.everything()
    assert dict(request.headers) == {
        "host": f"127.0.0.1:{gateway.providers.openai.port}",
        "authorization": f"Bearer {key}",
        "accept-encoding": "identity",
        "openai-organization": "org-1",
        "openai-project": "proj-1",
        "x-stainless-lang": "python",
        "user-agent": "a-client/1",
    }


@pytest.mark.parametrize(("sent", "expected"), [(None, "2023-06-01"), ("2099-01-01", "2099-01-01")])
def test_version_of_anthropics_api_is_the_callers(gateway: GatewayBackend, sent: str | None, expected: str) -> None:
    """Put in only where the caller has none."""
    key = gateway.new_key("system", "default", "anthropic")
    headers = {"anthropic-beta": "tools-1"} | ({"anthropic-version": sent} if sent else {})

    gateway.call("system", "default", "anthropic", headers=headers)

    (request,) = gateway.providers.anthropic.requests
    assert [value for name, value in request.headers if name == "anthropic-version"] == [expected]
    assert [value for name, value in request.headers if name == "x-api-key"] == [key]
    assert request.header("anthropic-beta") == "tools-1"
    assert request.header("authorization") is None


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "QUERY"])
def test_any_method_passes(gateway: GatewayBackend, key: str, method: str) -> None:
    """With its body, if it has one."""
    body = b"" if method in ("GET", "HEAD") else b"some bytes \x00\xff"

    answer = gateway.call(*SYSTEM, "v1/echo", method=method, content=body or None)

    (request,) = gateway.providers.openai.requests
    assert (request.method, request.body) == (method, body)
    assert answer.status_code == 200
    assert answer.content == (b"" if method == "HEAD" else body)


def test_head_keeps_the_length(gateway: GatewayBackend) -> None:
    """Which is that of the answer to GET."""
    gateway.new_key(*SYSTEM, Canned(200, b"x" * 1234))

    answer = gateway.call(*SYSTEM, method="HEAD")

    assert (answer.headers["Content-Length"], answer.content) == ("1234", b"")


def test_body_without_its_length_goes_out_as_such(gateway: GatewayBackend, key: str) -> None:
    """In chunks."""
    answer = gateway.call(*SYSTEM, "v1/echo", method="POST", content=iter([b"one ", b"two ", b"three"]))

    assert answer.content == b"one two three"
    (request,) = gateway.providers.openai.requests
    assert request.header("transfer-encoding") == "chunked"
    assert request.header("content-length") is None


def test_websockets_are_refused_clearly(gateway: GatewayBackend, key: str) -> None:
    """Rather than left hanging."""
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}

    answer = exchange(gateway.sidecar.port, raw(gateway, "/v1/realtime", Sec_WebSocket_Key="eA==", **upgrade))

    assert (answer.status, answer["Taskflow-Error-Code"]) == (501, "not-supported")
    assert gateway.providers.requests() == []


# Large bodies


def test_largest_body_passes_and_comes_back(gateway: GatewayBackend, key: str) -> None:
    """64 MiB to the byte."""
    body = bytes(range(256)) * (64 * MIB // 256)

    answer = gateway.call(*SYSTEM, "v1/echo", method="POST", content=body)

    assert answer.status_code == 200
    assert digest(answer.content) == digest(body)


@pytest.mark.parametrize("is_announced", [True, False])
def test_larger_body_is_413(gateway: GatewayBackend, key: str, is_announced: bool) -> None:
    """Also where its length only shows as it comes; nothing complete reaches the provider."""
    body = b"x" * MIB
    pieces = (body for _ in range(65))
    content: Any = body * 65 if is_announced else pieces

    answer = gateway.call(*SYSTEM, "v1/echo", method="POST", content=content)

    assert (answer.status_code, answer.headers["Taskflow-Error-Code"]) == (413, "body-too-large")
    assert answer.json() == {"error": "The request body is larger than 64 MiB"}
    assert gateway.providers.requests() == []
    assert gateway.call(*SYSTEM).status_code == 200


def test_refusal_reaches_a_client_that_is_still_sending(gateway: GatewayBackend) -> None:
    """There is no key; the body is megabytes long."""
    answer = gateway.call(*SYSTEM, "v1/echo", method="POST", content=b"x" * 8 * MIB)

    assert (answer.status_code, answer.headers["Taskflow-Error-Code"]) == (402, "key-missing")


def rss_of(sidecar: Sidecar) -> int:
    """Bytes of memory that the sidecar uses."""
    return int(psutil.Process(sidecar.pid).memory_info().rss)


class Watermark:
    """The most memory that a sidecar uses while the block runs."""

    def __init__(self, sidecar: Sidecar) -> None:
        self._sidecar = sidecar
        self._before = self.highest = rss_of(sidecar)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    @property
    def growth(self) -> int:
        """Bytes more than before."""
        return self.highest - self._before

    def _watch(self) -> None:
        while not self._stop.wait(0.02):
            self.highest = max(self.highest, rss_of(self._sidecar))


def test_slow_client_is_waited_for_without_taking_memory(gateway: GatewayBackend, key: str) -> None:
    """60 MiB come from a provider that is faster than the client."""
    gateway.call(*SYSTEM)
    gateway.providers.openai.padding_bytes = 60 * MIB
    with Watermark(gateway.sidecar) as mark, RawConnection(gateway.sidecar.port, 60) as connection:
        connection.send(raw(gateway, "/v1/models"))
        gateway.providers.openai.wait_for_request(2)
        time.sleep(1.0)  # long enough for all of it, if anything took it
        answer = connection.receive()

    assert len(answer.body) > 60 * MIB
    assert mark.growth < 24 * MIB


def test_slow_provider_is_waited_for_without_taking_memory(gateway: GatewayBackend) -> None:
    """60 MiB go to a provider that reads nothing for a while."""
    may_read = threading.Event()
    received = 0

    def serve(connection: socket.socket) -> None:
        nonlocal received
        may_read.wait(30)
        data = b""
        while not data.endswith(b"\r\n0\r\n\r\n"):
            piece = connection.recv(1 << 18)
            if not piece:
                return
            received += len(piece)
            data = (data + piece)[-16:]
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    with LoopbackServer(serve) as slow, Sidecar(env={"OPENAI_BASE_URL": f"http://127.0.0.1:{slow.port}"}) as sidecar:
        lone = GatewayBackend(Backend("sqlite", sidecar, SqliteDatabase(sidecar.data_dir)), gateway.providers)
        lone.store(*SYSTEM, "sk-some-key-0123456789")
        with Watermark(sidecar) as mark:
            timer = threading.Timer(1.5, may_read.set)
            timer.start()
            pieces = (b"x" * MIB for _ in range(60))
            answer = lone.call(*SYSTEM, "v1/files", method="POST", content=pieces)
            timer.join()

    assert answer.text == "ok"
    assert received > 60 * MIB
    assert mark.growth < 24 * MIB


# Streams


def events_of(answer: httpx.Response) -> Iterator[str]:
    """The data of each event, as it comes."""
    return (line.removeprefix("data: ") for line in answer.iter_lines() if line.startswith("data: "))


def chat(*, stream: bool = True, **more: Any) -> dict[str, Any]:
    """Body of a chat."""
    return {"model": "gpt-5", "messages": [{"role": "user", "content": "Hi"}], "stream": stream, **more}


def test_tokens_arrive_as_they_are_sent(gateway: GatewayBackend, key: str) -> None:
    """Each one before the provider may send the next."""
    gate = gateway.providers.openai.gate = Gate()
    url = f"{gateway.base_url(*SYSTEM)}/v1/chat/completions"
    headers = {"Authorization": f"Bearer {gateway.sidecar.token}"}
    with httpx.Client(trust_env=False) as client, client.stream("POST", url, json=chat(), headers=headers) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        events = events_of(answer)
        words = []
        for _ in range(5):
            gate.let()
            words.append(json.loads(next(events))["choices"][0]["delta"].get("content"))
        gate.open()
        assert list(events)[-1] == "[DONE]"

    assert words == ["", "Hel", "lo", " there", "!"]


def test_key_that_a_stream_echoes_is_taken_out_without_delay(gateway: GatewayBackend, key: str) -> None:
    """In every piece that the network may make of it."""
    openai = gateway.providers.openai
    openai.echo = True
    for length in (1, 2, 3, 7, 16, len(key) - 1):
        openai.piece_bytes = length
        answer = gateway.call(*SYSTEM, "v1/chat/completions", method="POST", json=chat())
        assert answer.text.startswith(f": echo {'*' * len(key)}\n\n")
        assert answer.text.endswith("data: [DONE]\n\n")
        assert find_canary(answer.text + str(answer.headers), key) == []


def test_caller_that_hangs_up_ends_the_call_to_the_provider(gateway: GatewayBackend, key: str) -> None:
    """At once, in the middle of a stream."""
    gate = gateway.providers.openai.gate = Gate()
    body = json.dumps(chat()).encode()
    with RawConnection(gateway.sidecar.port) as connection:
        head = raw(gateway, "/v1/chat/completions", "POST", Content_Length=str(len(body)))
        connection.send(head + body)
        gate.let(2)
        request = gateway.providers.openai.wait_for_request()
    assert request.is_given_up.wait(5.0)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_caller_that_hangs_up_while_the_provider_thinks_ends_the_call(gateway: GatewayBackend, method: str) -> None:
    """Before there is any answer."""
    gateway.new_key(*SYSTEM, "hang")
    with RawConnection(gateway.sidecar.port) as connection:
        connection.send(raw(gateway, "/v1/models", method, Content_Length="2") + b"{}")
        request = gateway.providers.openai.wait_for_request()
        assert not request.is_given_up.wait(0.3)
    assert request.is_given_up.wait(5.0)


def test_caller_that_hangs_up_in_its_own_body_ends_the_call(gateway: GatewayBackend, key: str) -> None:
    """The provider never sees a complete request."""
    before = gateway.providers.openai.connections
    with RawConnection(gateway.sidecar.port) as connection:
        connection.send(raw(gateway, "/v1/echo", "POST", Content_Length="1000") + b"half")
        wait_until(lambda: gateway.providers.openai.connections > before, timeout_s=30, what="a connection")
    assert gateway.call(*SYSTEM).status_code == 200
    assert all(len(request.body) < 1000 for request in gateway.providers.openai.requests)


def test_answer_that_breaks_off_is_not_passed_for_whole(gateway: GatewayBackend) -> None:
    """The caller's connection breaks off too."""
    gateway.new_key(*SYSTEM, "cut")

    with pytest.raises(httpx.RemoteProtocolError):
        gateway.call(*SYSTEM)

    assert gateway.sidecar.health()[0] == 200


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        pytest.param(
            b"HTTP/1.1 413 Too Large\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}", 413, id="early"
        ),
        pytest.param(
            b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\n{}", 200, id="until-the-end-of-the-connection"
        ),
        pytest.param(
            b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", 200, id="hints"
        ),
    ],
)
def test_answers_of_unusual_servers_are_understood(gateway: GatewayBackend, head: bytes, expected: int) -> None:
    """One that answers before it has read the whole request, an old one, one that gives hints."""

    def serve(connection: socket.socket) -> None:
        while b"\r\n\r\n" not in connection.recv(65536):
            pass
        connection.sendall(head)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65536):
            pass

    with (
        LoopbackServer(serve) as server,
        Sidecar(env={"OPENAI_BASE_URL": f"http://127.0.0.1:{server.port}"}) as sidecar,
    ):
        sidecar.wait_healthy()
        lone = GatewayBackend(Backend("sqlite", sidecar, SqliteDatabase(sidecar.data_dir)), gateway.providers)
        lone.store(*SYSTEM, "sk-some-key-0123456789")
        answer = lone.call(*SYSTEM, "v1/files", method="POST", content=b"x" * 4 * MIB)

    assert (answer.status_code, answer.text) == (expected, "{}")


def test_stopping_does_not_wait_for_a_stream_without_end() -> None:
    """The grace period is over after five seconds."""
    with gateway_on_sqlite() as lone:
        lone.new_key(*SYSTEM)
        lone.providers.openai.gate = Gate()
        body = json.dumps(chat()).encode()
        with RawConnection(lone.sidecar.port) as connection:
            connection.send(raw(lone, "/v1/chat/completions", "POST", Content_Length=str(len(body))) + body)
            request = lone.providers.openai.wait_for_request()
            started = time.monotonic()
            assert lone.sidecar.stop() == 0
            assert time.monotonic() - started < 9
            assert request.is_given_up.wait(5.0)


# What comes back


def test_headers_of_the_answer_are_the_providers_less_what_is_not_for_the_caller(gateway: GatewayBackend) -> None:
    """No cookies, no rules for other connections, none that contradict ours."""
    headers = {
        "Set-Cookie": "a=b",
        "Alt-Svc": 'h3=":443"',
        "Strict-Transport-Security": "max-age=1",
        "Access-Control-Allow-Origin": "*",
        "Taskflow-Error-Code": "made-up",
        "Clear-Site-Data": '"storage"',
        "Keep-Alive": "timeout=5",
        "OpenAI-Processing-Ms": "12",
        "X-RateLimit-Remaining-Requests": "9",
    }
    gateway.new_key(*SYSTEM, Canned(200, b"{}", headers=headers))

    answer = gateway.call(*SYSTEM, headers={"Origin": "http://localhost:3000"})

    assert answer.headers["openai-processing-ms"] == "12"
    assert answer.headers["x-ratelimit-remaining-requests"] == "9"
    assert answer.headers["access-control-allow-origin"] == "http://localhost:3000"
    assert answer.headers.get_list("date", split_commas=False) == [answer.headers["date"]]
    absent = {
        "set-cookie",
        "alt-svc",
        "strict-transport-security",
        "taskflow-error-code",
        "clear-site-data",
        "keep-alive",
    }
    assert not absent & set(answer.headers)


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("/v1/other?x=1", f"{ROOT}/system/default/openai/v1/other?x=1"),
        ("other", f"{ROOT}/system/default/openai/v1/other"),
        ("{origin}/v1/other", f"{ROOT}/system/default/openai/v1/other"),
        ("https://evil.example/v1/other", None),
        ("//evil.example/v1", None),
        ("/v1/other?key={key}", None),
    ],
)
def test_redirects_are_not_followed_and_lead_nowhere_else(
    gateway: GatewayBackend, location: str, expected: str | None
) -> None:
    """A client that follows one shows its token to nobody but us."""
    openai = gateway.providers.openai
    key = gateway.new_key(*SYSTEM)
    place = location.format(origin=openai.url, key=key)
    openai.behave(key, Canned(307, b"", headers={"Location": place}))

    answer = gateway.call(*SYSTEM)

    assert answer.status_code == 307
    assert answer.headers.get("location") == expected
    assert len(gateway.providers.requests()) == 1


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_answer_that_is_compressed_without_being_asked_is_read(gateway: GatewayBackend, encoding: str) -> None:
    """The key in it would be hidden otherwise."""
    key = gateway.new_key(*SYSTEM)
    text = json.dumps({"model": "gpt-5", "echo": key, "padding": "x" * 300_000}).encode()
    body = gzip.compress(text) if encoding == "gzip" else zlib.compress(text)
    gateway.providers.openai.behave(key, Canned(200, body, headers={"Content-Encoding": encoding}))

    answer = gateway.call(*SYSTEM)

    assert answer.json()["echo"] == "*" * len(key)
    assert len(answer.json()["padding"]) == 300_000
    assert "content-encoding" not in answer.headers


def test_bomb_of_a_provider_breaks_off_and_holds_up_nobody(gateway: GatewayBackend) -> None:
    """A gigabyte out of a megabyte; the process neither stands still nor grows."""
    body, zeros = b"", bytes(1 << 20)
    packer = zlib.compressobj(wbits=31)
    body = b"".join(packer.compress(zeros) for _ in range(1024)) + packer.flush()
    gateway.new_key(*SYSTEM, Canned(200, body, headers={"Content-Encoding": "gzip"}))
    slowest, received = 0.0, 0
    with ThreadPoolExecutor(1) as pool:
        calling = pool.submit(received_bytes, gateway)
        while not calling.done():
            asked = time.monotonic()
            assert gateway.sidecar.health()[0] == 200
            slowest = max(slowest, time.monotonic() - asked)
        received = calling.result()

    assert received < 200 << 20
    assert slowest < 1


def received_bytes(gateway: GatewayBackend) -> int:
    """Make a call whose answer breaks off; return how much of it came."""
    size = 0
    url = gateway.base_url(*SYSTEM) + "/v1/models"
    headers = {"Authorization": f"Bearer {gateway.sidecar.token}"}
    with (
        contextlib.suppress(httpx.RemoteProtocolError),
        httpx.stream("GET", url, headers=headers, timeout=60, trust_env=False) as answer,
    ):
        for piece in answer.iter_raw():
            size += len(piece)
        pytest.fail("the answer came to an end")
    return size


def test_answer_in_an_unknown_encoding_is_not_passed_on(gateway: GatewayBackend) -> None:
    """What cannot be read may hold the key."""
    gateway.new_key(*SYSTEM, Canned(200, b"???", headers={"Content-Encoding": "br"}))

    answer = gateway.call(*SYSTEM)

    assert (answer.status_code, answer.headers["Taskflow-Error-Code"]) == (503, "provider-error")


# What a provider's refusal means

INVALID = (402, "key-rejected")
CELLS: dict[tuple[str, str], tuple[int, str | None]] = {
    ("openai", "invalid"): INVALID,
    ("openai", "revoked"): INVALID,
    ("openai", "expired"): INVALID,
    ("openai", "no_key"): INVALID,
    ("openai", "missing_scopes"): (403, "key-limited"),
    ("openai", "address_not_allowed"): INVALID,
    ("openai", "country"): INVALID,
    ("openai", "no_quota"): (402, "no-quota"),
    ("openai", "credit_exhausted"): (402, "no-quota"),
    ("openai", "spend_limit"): (402, "no-quota"),
    ("openai", "rate_limited"): (429, None),
    ("anthropic", "invalid"): INVALID,
    ("anthropic", "revoked"): INVALID,
    ("anthropic", "expired"): INVALID,
    ("anthropic", "no_key"): INVALID,
    ("anthropic", "permission"): (403, "key-limited"),
    ("anthropic", "no_quota"): (402, "no-quota"),
    ("anthropic", "credit_too_low"): (402, "no-quota"),
    ("anthropic", "spend_limit"): (402, "no-quota"),
    ("anthropic", "rate_limited"): (429, None),
    ("anthropic", "overloaded"): (503, "provider-error"),
    ("google", "invalid"): INVALID,
    ("google", "revoked"): INVALID,
    ("google", "expired"): (402, "key-expired"),
    ("google", "leaked"): INVALID,
    ("google", "permission"): (403, "key-limited"),
    ("google", "failed_precondition"): INVALID,
    ("google", "bad_argument"): (400, None),
    ("google", "resource_exhausted"): (429, None),
    ("google", "unavailable"): (503, "provider-error"),
    ("google", "no_key"): (403, None),
    ("deepseek", "invalid"): INVALID,
    ("deepseek", "revoked"): INVALID,
    ("deepseek", "expired"): INVALID,
    ("deepseek", "invalid_as_openai"): INVALID,
    ("deepseek", "no_key"): INVALID,
    ("deepseek", "no_quota"): (402, "no-quota"),
    ("deepseek", "rate_limited"): (429, None),
}
ANYBODYS: dict[str, tuple[int, str | None]] = {
    "html_200": (200, None),
    "html_400": (400, None),
    "html_401": (503, "provider-unreachable"),
    "html_403": (403, None),
    "html_404": (404, None),
    "html_429": (429, None),
    "html_500": (503, "provider-error"),
    "html_502": (503, "provider-error"),
    "html_503": (503, "provider-error"),
    "server_error": (503, "provider-error"),
    "bad_gateway": (503, "provider-error"),
    "unavailable": (503, "provider-error"),
    "gateway_timeout": (503, "provider-error"),
    "not_found": (404, None),
    "garbage": (200, None),
    "garbage_401": (503, "provider-unreachable"),
    "json_401": (503, "provider-unreachable"),
    "json_403": (403, None),
    "proxy_authentication": (503, "provider-unreachable"),
    "drop": (503, "provider-unreachable"),
}


def test_every_cell_of_the_providers_answers_is_tried() -> None:
    """None of the test server's is forgotten."""
    cells = {(provider, name) for provider, refusals in REFUSALS.items() for name in refusals}
    # those in which nothing is refused, and those without an end, are tried by tests of their own
    tried_elsewhere = {"other_json", "list_200", "deeply_nested", "empty_200", "redirect", "html_402"}
    endless = {"hang", "drip", "drip_headers", "cut"}

    assert cells == set(CELLS)
    assert set(COMMON) - tried_elsewhere - endless == set(ANYBODYS)


@pytest.mark.parametrize(
    ("provider", "name", "status", "code"),
    [(*cell, *expected) for cell, expected in CELLS.items()]
    + [("openai", name, *expected) for name, expected in ANYBODYS.items()],
)
def test_answers_of_providers_mean_what_they_mean(
    gateway: GatewayBackend, provider: str, name: str, status: int, code: str | None
) -> None:
    """Refusals of the key in our words; the caller's own mistakes, and throttling, as the provider says it.

    With a provider that repeats the key in all it says, none of which comes back.
    """
    fake = gateway.providers[provider]
    key = gateway.new_key("system", "default", provider, name)
    fake.echo = True
    canned = fake.canned(name)

    answer = gateway.call("system", "default", provider)

    assert (answer.status_code, answer.headers.get("Taskflow-Error-Code")) == (status, code), answer.text
    assert find_canary(f"{answer.headers}\n{answer.text}", key) == []
    if code is None:
        assert answer.headers[ECHO_HEADER] == "*" * len(key)
        assert answer.headers["content-type"] == canned.content_type
        assert answer.headers.get("retry-after") == dict(canned.headers).get("retry-after")
        assert "*" * len(key) in answer.text
    else:
        assert list(answer.json()) == ["error"]
        assert ("Retry-After" in answer.headers) is (status == 503)


@pytest.mark.parametrize(("sent", "told"), [("17", "17"), ("99999", "5"), ("-1", "5"), ("soon", "5"), ("9999", "3600")])
def test_provider_that_is_at_fault_may_say_when_to_come_back(gateway: GatewayBackend, sent: str, told: str) -> None:
    """As far as it makes sense."""
    gateway.new_key(*SYSTEM, Canned(503, b"{}", headers={"Retry-After": sent}))

    assert gateway.call(*SYSTEM).headers["Retry-After"] == told


def test_long_error_comes_back_whole(gateway: GatewayBackend) -> None:
    """Longer than what is read of it."""
    body = json.dumps({"error": {"message": "x" * MIB, "type": "invalid_request_error", "code": "model_not_found"}})
    gateway.new_key(*SYSTEM, Canned(404, body.encode()))

    answer = gateway.call(*SYSTEM)

    assert (answer.status_code, answer.text) == (404, body)


def test_first_refusal_leaves_the_status_alone(gateway: GatewayBackend) -> None:
    """A check has to confirm it; until then the key is tried again."""
    gateway.new_key(*SYSTEM, "invalid", "valid")

    assert gateway.call(*SYSTEM).status_code == 402
    assert gateway.call(*SYSTEM).status_code == 200


def test_refusal_that_a_check_confirms_keeps_the_key_from_going_out_again() -> None:
    """The use is the first refusal, the check that it causes the second."""
    with AIProviders() as providers:
        variables = {**environment(providers), "TASKFLOW_REVALIDATE_CONFIRM_MINUTES": "0.01"}
        with Sidecar(env=variables) as sidecar:
            sidecar.wait_healthy()
            lone = GatewayBackend(Backend("sqlite", sidecar, SqliteDatabase(sidecar.data_dir)), providers)
            lone.new_key(*SYSTEM, "invalid")
            assert lone.call(*SYSTEM).headers["Taskflow-Error-Code"] == "key-rejected"
            wait_until(
                lambda: lone.backend.database.query("SELECT status FROM secrets") == [("invalid",)],
                timeout_s=20,
                what="the check's verdict",
            )
            asked = len(providers.requests())
            answer = lone.call(*SYSTEM)
            assert (answer.status_code, answer.headers["Taskflow-Error-Code"]) == (402, "key-rejected")
            assert len(providers.requests()) == asked


def test_provider_that_refuses_connections_is_503(gateway: GatewayBackend) -> None:
    """Nobody listens there any more."""
    with AIProviders() as providers:
        variables = environment(providers)
    with Sidecar(env=variables) as sidecar:
        sidecar.wait_healthy()
        lone = GatewayBackend(Backend("sqlite", sidecar, SqliteDatabase(sidecar.data_dir)), gateway.providers)
        lone.store(*SYSTEM, "sk-some-key-0123456789")
        answer = lone.call(*SYSTEM)

    assert (answer.status_code, answer.headers["Taskflow-Error-Code"]) == (503, "provider-unreachable")
    assert answer.json() == {"error": "OpenAI could not be reached. Please retry."}


def test_proxies_are_for_other_computers_only(gateway: GatewayBackend) -> None:
    """A provider on loopback is asked directly; another one through the proxy that the environment names."""
    asked: list[bytes] = []

    def proxy(connection: socket.socket) -> None:
        asked.append(connection.recv(65536).split(b"\r\n")[0])
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")

    with LoopbackServer(proxy) as server:
        variables = {
            **environment(gateway.providers),
            "ANTHROPIC_BASE_URL": "http://api.example.invalid/base",
            "HTTP_PROXY": f"http://127.0.0.1:{server.port}",
            "ALL_PROXY": f"http://127.0.0.1:{server.port}",
        }
        with Sidecar(env=variables) as sidecar:
            sidecar.wait_healthy()
            lone = GatewayBackend(Backend("sqlite", sidecar, SqliteDatabase(sidecar.data_dir)), gateway.providers)
            lone.new_key(*SYSTEM)
            lone.store("system", "default", "anthropic", "sk-ant-some-key-0123456789")
            assert lone.call(*SYSTEM).status_code == 200
            assert asked == []
            assert lone.call("system", "default", "anthropic", "v1/a%2Fb?x=1").status_code == 200

    assert asked == [b"GET http://api.example.invalid/base/v1/a%2Fb?x=1 HTTP/1.1"]


def test_proxy_is_asked_for_a_tunnel_to_where_there_is_tls(gateway: GatewayBackend) -> None:
    """It learns the host, and nothing of the call."""
    asked: list[bytes] = []

    def proxy(connection: socket.socket) -> None:
        asked.append(connection.recv(65536))
        connection.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")

    with LoopbackServer(proxy) as server:
        variables = {**environment(gateway.providers), "HTTPS_PROXY": f"http://127.0.0.1:{server.port}"}
        variables["OPENAI_BASE_URL"] = "https://api.example.invalid"
        with Sidecar(env=variables) as sidecar:
            sidecar.wait_healthy()
            lone = GatewayBackend(Backend("sqlite", sidecar, SqliteDatabase(sidecar.data_dir)), gateway.providers)
            key = lone.new_key(*SYSTEM)
            answer = lone.call(*SYSTEM)

    assert (answer.status_code, answer.headers["Taskflow-Error-Code"]) == (503, "provider-unreachable")
    assert asked[0].startswith(b"CONNECT api.example.invalid:443 HTTP/1.1\r\n")
    assert key.encode() not in asked[0]


def test_hanging_provider_holds_up_nobody_else(gateway: GatewayBackend) -> None:
    """Forty calls hang; others, to providers and to us, go on."""
    gateway.new_key("user", "ann", "openai", "hang")
    gateway.new_key(*SYSTEM)
    connections = [RawConnection(gateway.sidecar.port) for _ in range(40)]
    try:
        for connection in connections:
            connection.send(raw(gateway, "/v1/models").replace(b"/system/default/", b"/user/ann/"))
        gateway.providers.openai.wait_for_request(40)
        started = time.monotonic()
        assert gateway.call(*SYSTEM).status_code == 200
        assert gateway.sidecar.request("GET", "/api/v1/members").status_code == 200
        assert time.monotonic() - started < 3
    finally:
        for connection in connections:
            connection.__exit__(None, None, None)


def test_logs_tell_no_secret(gateway: GatewayBackend) -> None:
    """At debug level, after successes, refusals, faults and breaks, with a provider that repeats the key."""
    keys = []
    gateway.providers.openai.echo = True
    for name in ("valid", "invalid", "server_error", "html_401", "drop", "rate_limited", "cut"):
        keys.append(gateway.new_key(*SYSTEM, name))
        try:
            gateway.call(*SYSTEM, headers={"Cookie": "session=PANGOLIN-COOKIE"})
        except httpx.RemoteProtocolError:
            assert name == "cut"

    said = gateway.sidecar.stderr_text() + gateway.sidecar.log_text()

    assert "provider refused" in said
    for secret in (*keys, gateway.sidecar.token, "PANGOLIN-COOKIE"):
        assert find_canary(said, secret) == []
