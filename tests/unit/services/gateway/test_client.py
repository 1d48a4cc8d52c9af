"""The gateway's own HTTP client: connections that are kept, requests that are never sent twice, TLS, proxies."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import threading
from typing import TYPE_CHECKING, Any, Self

import pytest

from app.services.gateway import client as gateway_client
from app.services.gateway.answer import ProviderAwayError
from app.services.gateway.client import GatewayClient
from app.services.gateway.connection import MAX_HEAD_BYTES, ConnectionBrokenError, Patience, Request
from app.services.gateway.proxies import route_to
from app.services.providers.outbound import tls_context
from tests.support.certificates import CertificateAuthority
from tests.support.network import LoopbackServer
from tests.support.windows import PATIENCE as TIMES

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
    from pathlib import Path

    Talk = Callable[[GatewayClient], Coroutine[Any, Any, Any]]

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
GET = Request("GET", b"/v1/models", [])
PATIENCE = Patience(connect_s=5, send_s=5, silence_s=5)
VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


class Provider:
    """A server that has for each connection a list of answers; after the last one it closes."""

    def __init__(self, *connections: list[bytes], tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[bytes] = []
        self.is_left = threading.Event()
        """A client has closed a connection on which nothing was left to answer."""
        self._connections = iter(connections)
        self._tls = tls
        self._server = LoopbackServer(self._serve)

    def __enter__(self) -> Self:
        self._server.listen()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.close()

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._server.port

    @property
    def origin(self) -> str:
        """Where it is reached without TLS."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def connections(self) -> int:
        """How many were made."""
        return self._server.accepted

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), self._secured(connection) as secured:
            for answer in next(self._connections):
                request = _request_from(secured)
                if not request:
                    self.is_left.set()
                    return
                self.requests.append(request)
                secured.sendall(answer)

    @contextlib.contextmanager
    def _secured(self, connection: socket.socket) -> Iterator[socket.socket]:
        if self._tls is None:
            yield connection
        else:
            with self._tls.wrap_socket(connection, server_side=True) as secured:
                yield secured


def _request_from(connection: socket.socket) -> bytes:
    """One request, with the body that it announces."""
    data = b""
    while b"\r\n\r\n" not in data or len(data) < data.index(b"\r\n\r\n") + 4 + _length(data):
        piece = connection.recv(65536)
        if not piece:
            return b""
        data += piece
    return data


def _length(data: bytes) -> int:
    lengths = [line for line in data.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    return int(lengths[0].split(b":")[1]) if lengths else 0


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine's own proxies are not asked."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def run(talk: Talk, patience: Patience = PATIENCE) -> Any:
    """Talk in an event loop of its own."""

    async def talked() -> Any:
        client = GatewayClient(patience)
        try:
            return await talk(client)
        finally:
            await client.close()

    return asyncio.run(talked())


async def whole(client: GatewayClient, origin: str, request: Request = GET) -> bytes:
    """Send a request and return the body of the answer."""
    answer = await client.send(origin, request)
    try:
        body = b""
        while piece := await answer.read():
            body += piece
        return body
    finally:
        answer.close()


async def until_closed(client: GatewayClient) -> None:
    """Wait until a provider has closed a connection that is kept; one that it closed at once was not kept."""
    async with asyncio.timeout(5 * TIMES):
        while client._idle and all(kept.is_open for kept in client._idle):  # noqa: ASYNC110 - they tell nobody that they close
            await asyncio.sleep(0)


async def body_of(*pieces: bytes) -> AsyncIterator[bytes]:
    """Yield a body."""
    for piece in pieces:
        yield piece


def post(*pieces: bytes) -> Request:
    """A request with a body."""
    headers = [(b"content-length", str(sum(map(len, pieces))).encode())]
    return Request("POST", b"/v1/chat", headers, body_of(*pieces))


# Connections


def test_connection_is_kept_for_the_next_call() -> None:
    """With a body or without one."""
    with Provider([OK, OK, OK]) as provider:

        async def talk(client: GatewayClient) -> list[bytes]:
            return [await whole(client, provider.origin, request) for request in (GET, post(b"ab", b"c"), GET)]

        assert run(talk) == [b"ok"] * 3
        assert provider.connections == 1
        host = f"host: 127.0.0.1:{provider.port}\r\n".encode()
        assert provider.requests == [
            b"GET /v1/models HTTP/1.1\r\n" + host + b"\r\n",
            b"POST /v1/chat HTTP/1.1\r\n" + host + b"content-length: 3\r\n\r\nabc",
            b"GET /v1/models HTTP/1.1\r\n" + host + b"\r\n",
        ]


def test_calls_at_once_have_a_connection_each() -> None:
    """None waits for another."""
    with Provider([OK], [OK], [OK]) as provider:

        async def talk(client: GatewayClient) -> None:
            answers = [await client.send(provider.origin, GET) for _ in range(3)]
            for answer in answers:
                answer.close()

        run(talk)
        assert provider.connections == 3


def test_request_with_a_body_is_never_sent_twice() -> None:
    """The kept connection ends without an answer: whether the provider has acted on the request, nobody knows."""
    with Provider([OK, b""], [OK]) as provider:

        async def talk(client: GatewayClient) -> None:
            await whole(client, provider.origin)
            with pytest.raises(ConnectionBrokenError):
                await whole(client, provider.origin, post(b"x"))

        run(talk)
        assert [request.split()[0] for request in provider.requests] == [b"GET", b"POST"]


def test_request_that_changes_nothing_goes_out_again_on_a_new_connection() -> None:
    """But only if the old one had served before: a provider that hangs up at once is away."""
    with Provider([OK, b""], [OK], [b""]) as provider:

        async def talk(client: GatewayClient) -> list[bytes]:
            return [await whole(client, provider.origin), await whole(client, provider.origin)]

        assert run(talk) == [b"ok", b"ok"]
        assert len(provider.requests) == 3
        with pytest.raises(ConnectionBrokenError):
            run(lambda client: whole(client, provider.origin))


def test_body_that_comes_late_finds_an_open_connection() -> None:
    """The kept one was closed while its caller was still thinking."""
    with Provider([OK], [OK]) as provider:

        async def late(client: GatewayClient) -> AsyncIterator[bytes]:
            await until_closed(client)
            yield b"x"

        async def talk(client: GatewayClient) -> bytes:
            await whole(client, provider.origin)
            request = Request("POST", b"/", [(b"content-length", b"1")], late(client))
            return await whole(client, provider.origin, request)

        assert run(talk) == b"ok"
        assert provider.connections == 2


def test_connection_is_not_kept_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorter than servers keep it, so that it is not closed while the next request is on its way."""
    monkeypatch.setattr(gateway_client, "IDLE_CONNECTION_S", 0.01)
    with Provider([OK, OK]) as provider:

        async def talk(client: GatewayClient) -> bool:
            await whole(client, provider.origin)
            return await asyncio.to_thread(provider.is_left.wait, 5)

        assert run(talk)


FORGED = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged"


def test_answer_that_nobody_has_asked_for_is_taken_for_none() -> None:
    """Otherwise the next caller would get it: behind another one, or between two calls."""
    may_speak = threading.Event()

    def speak(connection: socket.socket) -> None:
        _request_from(connection)
        connection.sendall(OK)
        may_speak.wait(5)
        connection.sendall(FORGED)
        connection.recv(1)

    with Provider([OK + FORGED, OK], [OK]) as provider, LoopbackServer(speak) as other:

        async def talk(client: GatewayClient) -> list[bytes]:
            answers = [await whole(client, provider.origin), await whole(client, provider.origin)]
            await whole(client, f"http://127.0.0.1:{other.port}")
            may_speak.set()
            await until_closed(client)
            return answers

        assert run(talk) == [b"ok", b"ok"]
        assert provider.connections == 2


def test_answer_that_is_not_read_to_its_end_ends_its_connection() -> None:
    """The rest would be the beginning of the next answer."""
    with Provider([b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart", OK], [OK]) as provider:

        async def talk(client: GatewayClient) -> bytes:
            answer = await client.send(provider.origin, GET)
            assert await answer.read() == b"part"
            answer.close()
            return await whole(client, provider.origin)

        assert run(talk) == b"ok"
        assert provider.connections == 2


# Answers


def test_pieces_that_come_together_are_passed_on_together() -> None:
    """A thousand events are not a thousand turns of the loop."""
    chunks = b"".join(b"6\r\nevent\n\r\n" for _ in range(1000))
    with Provider([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n"]) as provider:

        async def talk(client: GatewayClient) -> tuple[bytes, int]:
            answer = await client.send(provider.origin, GET)
            pieces = []
            while piece := await answer.read():
                pieces.append(piece)
            return b"".join(pieces), len(pieces)

        body, count = run(talk)
        assert body == b"event\n" * 1000
        assert count < 100


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"SSH-2.0-OpenSSH_9.6\r\n\r\n", id="no-http"),
        pytest.param(b"HTTP/1.1 200 OK\r\nX: " + b"x" * MAX_HEAD_BYTES, id="head-without-end"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", id="two-lengths"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Le", id="cut-in-the-head"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart", id="cut-in-the-body"),
        pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", id="no-chunk"),
    ],
)
def test_what_is_no_whole_answer_breaks_off(answer: bytes) -> None:
    """And says nothing of what came."""
    with Provider([answer]) as provider:
        with pytest.raises(ConnectionBrokenError) as caught:
            run(lambda client: whole(client, provider.origin))

        assert str(caught.value) in ("protocol", "closed")


def test_refusal_that_comes_early_is_the_answer() -> None:
    """The rest of the body would be for nothing."""
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 1
            yield b"x" * 65536

    def refuse(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno")
        connection.recv(1)
        while connection.recv(1 << 20):
            pass

    with LoopbackServer(refuse) as server:
        request = Request("POST", b"/", [(b"transfer-encoding", b"chunked")], endless())

        assert run(lambda client: whole(client, f"http://127.0.0.1:{server.port}", request)) == b"no"


# TLS and proxies


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[CertificateAuthority]:
    """An authority that the environment names."""
    made = CertificateAuthority()
    monkeypatch.setenv("SSL_CERT_FILE", str(made.write(tmp_path / "authority.crt")))
    tls_context.cache_clear()
    yield made
    tls_context.cache_clear()


def server_context(authority: CertificateAuthority, folder: Path, host: str) -> ssl.SSLContext:
    """What a server for that host shows."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.issue_server((host,)).write(folder, host))
    context.set_alpn_protocols(["h2", "http/1.1"])
    return context


def test_certificate_has_to_be_genuine(authority: CertificateAuthority, tmp_path: Path) -> None:
    """And for that host, and from somebody who is trusted."""
    ours, stranger = server_context(authority, tmp_path, "127.0.0.1"), CertificateAuthority("Stranger")
    with Provider([OK, OK], tls=ours) as provider:
        assert run(lambda client: whole(client, f"https://127.0.0.1:{provider.port}")) == b"ok"
    others = (server_context(authority, tmp_path, "localhost"), server_context(stranger, tmp_path, "127.0.0.1"))
    for context in others:
        with Provider([OK], tls=context) as provider:
            with pytest.raises(ssl.SSLCertVerificationError):
                run(lambda client, port=provider.port: whole(client, f"https://127.0.0.1:{port}"))  # type: ignore[misc]
            assert provider.requests == []


class Tunnel:
    """A proxy that connects to one server, whichever it is asked for."""

    def __init__(self, port: int, tls: ssl.SSLContext | None) -> None:
        self.asked: list[bytes] = []
        self._port = port
        self._tls = tls
        self.server = LoopbackServer(self._serve)

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            if self._tls is not None:
                connection = stack.enter_context(self._tls.wrap_socket(connection, server_side=True))
            self.asked.append(_request_from(connection))
            there = stack.enter_context(socket.create_connection(("127.0.0.1", self._port)))
            connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=_pump, args=(there, connection))
            back.start()
            _pump(connection, there)
            there.shutdown(socket.SHUT_RDWR)
            back.join()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_tunnel_through_a_proxy_is_kept_and_hides_the_call(
    scheme: str, authority: CertificateAuthority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The proxy gets its own credentials, the provider does not."""
    of_provider = server_context(authority, tmp_path, "provider.example")
    of_proxy = server_context(authority, tmp_path, "127.0.0.1") if scheme == "https" else None
    with Provider([OK, OK], tls=of_provider) as provider:
        tunnel = Tunnel(provider.port, of_proxy)
        with tunnel.server:
            monkeypatch.setenv("HTTPS_PROXY", f"{scheme}://ann:p%40ss@127.0.0.1:{tunnel.server.port}")

            async def talk(client: GatewayClient) -> list[bytes]:
                return [await whole(client, "https://provider.example") for _ in range(2)]

            assert run(talk) == [b"ok", b"ok"]
            (asked,) = tunnel.asked
            assert asked.split(b"\r\n")[:3] == [
                b"CONNECT provider.example:443 HTTP/1.1",
                b"host: provider.example:443",
                b"proxy-authorization: Basic YW5uOnBAc3M=",
            ]
            assert provider.requests == [b"GET /v1/models HTTP/1.1\r\nhost: provider.example\r\n\r\n"] * 2


def test_proxy_without_a_tunnel_is_told_the_whole_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no TLS."""
    with Provider([OK]) as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"ann:secret@127.0.0.1:{proxy.port}")
        assert run(lambda client: whole(client, "http://provider.example:8080")) == b"ok"

    (request,) = proxy.requests
    assert request.split(b"\r\n")[:3] == [
        b"GET http://provider.example:8080/v1/models HTTP/1.1",
        b"host: provider.example:8080",
        b"proxy-authorization: Basic YW5uOnNlY3JldA==",
    ]


@pytest.mark.parametrize(
    ("origin", "variables", "expected"),
    [
        ("https://api.example", {"HTTPS_PROXY": "http://proxy.example:3128"}, ("proxy.example", 3128)),
        ("https://api.example", {"https_proxy": "proxy.example"}, ("proxy.example", 80)),
        ("https://api.example", {"ALL_PROXY": "https://proxy.example"}, ("proxy.example", 443)),
        ("https://api.example", {"HTTP_PROXY": "http://proxy.example:3128"}, None),
        ("http://api.example", {"HTTP_PROXY": "http://[::1]:3128"}, ("::1", 3128)),
        ("https://api.example", {"ALL_PROXY": "http://p.example", "NO_PROXY": "api.example"}, None),
        ("https://api.example", {"ALL_PROXY": "http://p.example", "NO_PROXY": "x.example, .example"}, None),
        ("https://api.example", {"ALL_PROXY": "http://p.example", "NO_PROXY": "x.example,*"}, None),
        ("https://api.example:8443", {"ALL_PROXY": "http://p.example", "NO_PROXY": "api.example:8443"}, None),
        ("https://10.0.0.7", {"ALL_PROXY": "http://p.example", "NO_PROXY": "10.0.0.7"}, None),
        ("https://[fd00::7]", {"ALL_PROXY": "http://p.example", "NO_PROXY": "fd00::7"}, None),
        ("https://api.example", {"ALL_PROXY": "http://p.example", "NO_PROXY": "pi.example"}, ("p.example", 80)),
        ("http://127.0.0.1:1", {"ALL_PROXY": "http://p.example"}, None),
        ("http://[::1]:1", {"ALL_PROXY": "http://p.example"}, None),
        ("https://localhost", {"ALL_PROXY": "http://p.example"}, None),
    ],
)
def test_proxy_is_the_one_that_the_environment_names(
    origin: str, variables: dict[str, str], expected: tuple[str, int] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the forms that other programs understand; this computer itself never needs one."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    proxy = route_to(origin).proxy

    assert (None if proxy is None else (proxy.host, proxy.port)) == expected


@pytest.mark.parametrize("url", ["socks5://p.example", "http://p.example:port", "http://", "http://[::1"])
def test_proxy_that_cannot_be_used_is_named_without_its_credentials(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider that needs it is away; the others are not."""
    monkeypatch.setenv("HTTPS_PROXY", url.replace("://", "://ann:PANGOLIN@"))

    with pytest.raises(ProviderAwayError) as caught:
        route_to("https://api.example")

    assert "proxy" in caught.value.message
    assert "PANGOLIN" not in caught.value.message
    assert route_to("http://api.example").proxy is None
