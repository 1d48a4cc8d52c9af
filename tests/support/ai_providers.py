"""One test server that plays the AI providers: real HTTP, each provider on a port of its own.

    with AIProviders() as providers:
        key = providers.openai.new_key("invalid", "valid")  # refused once, then genuine
        Sidecar(env=providers.environment())

A key that nobody made is refused, as the real providers do. What a key made by `new_key` gets is a name out of
`tests.support.ai_answers`, or an answer of the test's own; a genuine key gets lists of models and chats.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import secrets
import select
import socket
import sys
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qs, urlsplit

from tests.support.ai_answers import (
    COMMON,
    JSON,
    MODELS,
    REFUSALS,
    Canned,
    Reply,
    anthropic_message,
    anthropic_message_events,
    google_content,
    google_content_events,
    openai_chat,
    openai_chat_events,
    openai_embeddings,
    openai_response,
    openai_response_events,
)
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import TracebackType

LOOPBACK = "127.0.0.1"
VALID = "valid"
DRIP_INTERVAL_S = 0.2
LOOK_INTERVAL_S = 0.02
ECHO_HEADER = "X-Echo"
_KEY_PREFIXES = {"openai": "sk-proj-", "anthropic": "sk-ant-api03-", "google": "AQ.Ab8", "deepseek": "sk-"}
_EVENTS = "text/event-stream; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Received:
    """One request as it came."""

    method: str
    target: str
    """Path and query, as they were sent."""
    headers: tuple[tuple[str, str], ...]
    """In order, names in lower case."""
    body: bytes = field(repr=False)
    api_key: str | None
    """What was shown where this provider looks for its key."""
    is_given_up: threading.Event = field(default_factory=threading.Event, repr=False)
    """Set when the client hung up before it had the whole answer."""

    @property
    def path(self) -> str:
        """The path without the query."""
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, list[str]]:
        """Values of the query by name."""
        return parse_qs(urlsplit(self.target).query)

    def header(self, name: str) -> str | None:
        """The first header of that name."""
        return next((value for given, value in self.headers if given == name.lower()), None)

    def json(self) -> Any:
        """The body, which is JSON."""
        return json.loads(self.body)

    def everything(self) -> bytes:
        """All that was sent, for searching."""
        head = "\n".join([f"{self.method} {self.target}", *(f"{name}: {value}" for name, value in self.headers)])
        return head.encode("latin-1") + b"\n\n" + self.body


class Gate:
    """Lets events of a stream pass one by one: a test sees each arrive before the next one is sent."""

    def __init__(self) -> None:
        self._permits = threading.Semaphore(0)
        self._is_open = threading.Event()

    def let(self, count: int = 1) -> None:
        """Let so many more events pass."""
        self._permits.release(count)

    def open(self) -> None:
        """Let everything pass from now on."""
        self._is_open.set()

    def try_to_pass(self, timeout_s: float) -> bool:
        """Wait for a permit."""
        return self._is_open.is_set() or self._permits.acquire(timeout=timeout_s)


class FakeProvider:
    """One provider. What tests change takes effect with the next request."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.reply = Reply()
        """What the model says, and what it costs."""
        self.gate: Gate | None = None
        """If there is one, each event of a stream needs a permit."""
        self.hold: Gate | None = None
        """If there is one, each answer needs a permit before it begins."""
        self.echo = False
        """Whether every answer repeats the key: in a header, and in a JSON document or text of its own."""
        self.padding_bytes = 0
        """How much longer JSON documents are made."""
        self.piece_bytes: int | None = None
        """If given, bodies are sent in pieces of that length, which may cut through a key."""
        self.requests: list[Received] = []
        """Every request so far, whether it was answered or not."""
        self.connections = 0
        """Connections accepted so far: not even an empty one counts as silence."""
        self.is_closing = threading.Event()
        self._scripts: dict[str, list[str | Canned]] = {}
        self._lock = threading.Lock()
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def close(self) -> None:
        """Refuse connections from now on; requests that hang are dropped."""
        if self.is_closing.is_set():
            return
        self.is_closing.set()
        for gate in (self.gate, self.hold):
            if gate is not None:
                gate.open()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def port(self) -> int:
        """Its port on 127.0.0.1."""
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        """Its origin."""
        return f"http://{LOOPBACK}:{self.port}"

    def random_key(self) -> str:
        """A key that looks right and that nobody made."""
        return _KEY_PREFIXES[self.name] + secrets.token_hex(24)

    def new_key(self, *behaviours: str | Canned) -> str:
        """Make a key; see `behave`."""
        key = self.random_key()
        self.behave(key, *(behaviours or (VALID,)))
        return key

    def behave(self, key: str, *behaviours: str | Canned) -> None:
        """Say what a key gets from now on, request by request; the last one stays."""
        for behaviour in behaviours:
            if isinstance(behaviour, str) and behaviour != VALID:
                self.canned(behaviour)
        with self._lock:
            self._scripts[key] = list(behaviours)

    def forget(self, key: str) -> None:
        """Refuse a key from now on as one that nobody made."""
        with self._lock:
            self._scripts.pop(key, None)

    def canned(self, name: str) -> Canned:
        """Return an answer by its name, this provider's own or one of all.

        Raises:
            KeyError: there is none.
        """
        return REFUSALS[self.name].get(name) or COMMON[name]

    def answer_for(self, key: str | None) -> Canned | None:
        """Take what a key gets now; None for what a genuine key gets."""
        if key is None:
            return self.canned("no_key")
        with self._lock:
            script = self._scripts.get(key, ["invalid"])
            behaviour = script.pop(0) if len(script) > 1 else script[0]
        if behaviour == VALID:
            return None
        return self.canned(behaviour) if isinstance(behaviour, str) else behaviour

    def received(self, key: str) -> list[Received]:
        """The requests that showed a key."""
        return [request for request in tuple(self.requests) if request.api_key == key]

    def wait_for_request(self, count: int = 1, timeout_s: float = 10.0) -> Received:
        """Wait until so many requests have come; return the last of them."""
        wait_until(
            lambda: len(self.requests) >= count,
            timeout_s=timeout_s,
            what=lambda: f"{count} requests to {self.name}, of which {len(self.requests)} came",
        )
        return self.requests[count - 1]


class AIProviders:
    """All four; a context manager."""

    def __init__(self) -> None:
        self.openai = FakeProvider("openai")
        self.anthropic = FakeProvider("anthropic")
        self.google = FakeProvider("google")
        self.deepseek = FakeProvider("deepseek")

    def __enter__(self) -> Self:
        for provider in self.all():
            provider.start()
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for provider in self.all():
            provider.close()

    def all(self) -> tuple[FakeProvider, ...]:
        """Each of them."""
        return (self.openai, self.anthropic, self.google, self.deepseek)

    def __getitem__(self, name: str) -> FakeProvider:
        return {provider.name: provider for provider in self.all()}[name]

    def environment(self) -> dict[str, str]:
        """Variables that make a sidecar take these for the real ones."""
        return {f"{provider.name.upper()}_BASE_URL": provider.url for provider in self.all()}

    def urls(self) -> dict[str, str]:
        """The same as `Config.provider_urls`."""
        return {provider.name: provider.url for provider in self.all()}

    def requests(self) -> list[Received]:
        """Every request to any of them."""
        return [request for provider in self.all() for request in tuple(provider.requests)]

    def connections(self) -> int:
        """Connections to any of them."""
        return sum(provider.connections for provider in self.all())


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, provider: FakeProvider) -> None:
        self.provider = provider
        super().__init__((LOOPBACK, 0), _Handler)

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.provider.connections += 1
        return connection, address

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Tell what is wrong with the test server itself; clients that hang up are part of the tests."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def __getattr__(self, name: str) -> Any:
        """Serve every method alike."""
        if name.startswith("do_"):
            return self._serve
        raise AttributeError(name)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the base class's
        """Say nothing."""

    @property
    def provider(self) -> FakeProvider:
        """Whom this connection is with."""
        return self.server.provider

    def _serve(self) -> None:
        received = Received(
            method=self.command,
            target=self.path,
            headers=tuple((name.lower(), value) for name, value in self.headers.items()),
            body=self._read_body(),
            api_key=self._api_key(),
        )
        self.provider.requests.append(received)
        try:
            self._wait_at(self.provider.hold, received)
            canned = self.provider.answer_for(received.api_key)
            if canned is None:
                self._serve_genuine(received)
            else:
                self._send_canned(canned, received)
        except OSError:
            received.is_given_up.set()
            self.close_connection = True

    def _api_key(self) -> str | None:
        if self.provider.name == "anthropic" and "x-api-key" in self.headers:
            return self.headers["x-api-key"]  # the SDK of late sends a bearer token instead
        if self.provider.name == "google":
            return self.headers.get("x-goog-api-key")
        scheme, _, key = self.headers.get("authorization", "").partition(" ")
        return key if scheme == "Bearer" and key else None

    def _read_body(self) -> bytes:
        if self.headers.get("transfer-encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("content-length", "0")))
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    # What a genuine key gets

    def _serve_genuine(self, received: Received) -> None:
        if received.path.endswith("/echo"):
            self._send(200, received.header("content-type") or "application/octet-stream", received.body)
        elif received.method == "GET" and received.path in ("/v1/models", "/v1beta/models", "/models"):
            self._send_json(MODELS[self.provider.name])
        elif received.method == "POST" and (chat := _CHATS.get((self.provider.name, _operation(received.path)))):
            chat(self, received)
        else:
            self._send_canned(COMMON["not_found"], received)

    def answer_chat_completions(self, received: Received) -> None:
        """Answer OpenAI's and DeepSeek's chats."""
        asked, reply = received.json(), self.provider.reply
        model = asked.get("model", "gpt")
        if asked.get("stream"):
            with_usage = bool((asked.get("stream_options") or {}).get("include_usage"))
            self._send_stream(received, openai_chat_events(reply, model, with_usage=with_usage))
        else:
            self._send_json(openai_chat(reply, model))

    def answer_responses(self, received: Received) -> None:
        """Answer OpenAI's responses."""
        asked, reply = received.json(), self.provider.reply
        model = asked.get("model", "gpt")
        if asked.get("stream"):
            self._send_stream(received, openai_response_events(reply, model))
        else:
            self._send_json(openai_response(reply, model))

    def answer_embeddings(self, received: Received) -> None:
        """Answer OpenAI's embeddings."""
        self._send_json(openai_embeddings(self.provider.reply, received.json().get("model", "embedding")))

    def answer_messages(self, received: Received) -> None:
        """Answer Anthropic's messages."""
        asked, reply = received.json(), self.provider.reply
        model = asked.get("model", "claude")
        if asked.get("stream"):
            self._send_stream(received, anthropic_message_events(reply, model))
        else:
            self._send_json(anthropic_message(reply, model))

    def answer_generate_content(self, received: Received) -> None:
        """Answer Google's models, all at once."""
        self._send_json(google_content(self.provider.reply, _google_model(received.path)))

    def answer_stream_generate_content(self, received: Received) -> None:
        """Answer Google's models in a stream."""
        as_events = received.query.get("alt") == ["sse"]
        pieces = google_content_events(self.provider.reply, _google_model(received.path), as_events=as_events)
        self._send_stream(received, pieces, _EVENTS if as_events else JSON)

    # How it is sent

    def _send_json(self, document: dict[str, Any]) -> None:
        padding = {"padding": "x" * self.provider.padding_bytes} if self.provider.padding_bytes else {}
        echo = {"echo": self._api_key()} if self.provider.echo else {}
        self._send(200, JSON, json.dumps({**document, **echo, **padding}).encode())

    def _send(self, status: int, content_type: str, body: bytes, headers: dict[str, str] | None = None) -> None:
        pieces = self.provider.piece_bytes
        self._send_head(status, {"Content-Type": content_type, "Content-Length": str(len(body)), **(headers or {})})
        if self.command == "HEAD":
            return
        for start in range(0, len(body), pieces or max(1, len(body))):
            self.wfile.write(body[start : start + pieces] if pieces else body)
            self.wfile.flush()

    def _send_head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        if self.provider.echo:
            headers[ECHO_HEADER] = self._api_key() or ""
        headers["x-request-id"] = "req_1"
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def _send_stream(self, received: Received, pieces: Iterable[bytes], content_type: str = _EVENTS) -> None:
        """Send an event stream, a chunk each; a gate holds each one back."""
        self._send_head(200, {"Content-Type": content_type, "Transfer-Encoding": "chunked"})
        for piece in self._echoing(pieces):
            self._wait_at(self.provider.gate, received)
            for part in _cut(piece, self.provider.piece_bytes):
                self.wfile.write(f"{len(part):x}\r\n".encode() + part + b"\r\n")
                self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")

    def _echoing(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        if self.provider.echo:
            yield f": echo {self._api_key()}\n\n".encode()
        yield from pieces

    def _wait_at(self, gate: Gate | None, received: Received) -> None:
        while gate is not None and not gate.try_to_pass(LOOK_INTERVAL_S):
            self._leave_if_given_up(received)

    def _leave_if_given_up(self, received: Received) -> None:
        if self._is_hung_up() or self.provider.is_closing.is_set():
            received.is_given_up.set()
            raise ConnectionAbortedError

    def _is_hung_up(self) -> bool:
        readable, _, _ = select.select([self.connection], [], [], 0)
        return bool(readable) and self.connection.recv(1, socket.MSG_PEEK) == b""

    def _send_canned(self, canned: Canned, received: Received) -> None:
        body = canned.body
        if self.provider.echo and received.api_key is not None:
            body = _with_key(canned, received.api_key)
        if canned.manner == "answer":
            self._send(canned.status, canned.content_type, body, dict(canned.headers))
            return
        self.close_connection = True
        if canned.manner == "cut":
            length = str(len(body) + 100)
            self._send_head(canned.status, {"Content-Type": canned.content_type, "Content-Length": length})
            self.wfile.write(body)
        elif canned.manner == "drop":
            with contextlib.suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)
        else:
            self._stall(canned, received)

    def _stall(self, canned: Canned, received: Received) -> None:
        """Answer without an end, until the client hangs up or the server is closed."""
        if canned.manner == "drip":
            self._send_head(200, {"Content-Type": JSON, "Transfer-Encoding": "chunked"})
        elif canned.manner == "drip-headers":
            self.wfile.write(b"HTTP/1.1 200 OK\r\n")
        number = 0
        while True:
            self._leave_if_given_up(received)
            if canned.manner == "drip":
                self.wfile.write(b"1\r\n \r\n")
            elif canned.manner == "drip-headers":
                self.wfile.write(f"x-drip-{number}: 1\r\n".encode())
            number += 1
            time.sleep(DRIP_INTERVAL_S if canned.manner != "hang" else LOOK_INTERVAL_S)


_CHATS = {
    ("openai", "chat/completions"): _Handler.answer_chat_completions,
    ("openai", "responses"): _Handler.answer_responses,
    ("openai", "embeddings"): _Handler.answer_embeddings,
    ("deepseek", "chat/completions"): _Handler.answer_chat_completions,
    ("anthropic", "messages"): _Handler.answer_messages,
    ("google", "generateContent"): _Handler.answer_generate_content,
    ("google", "streamGenerateContent"): _Handler.answer_stream_generate_content,
}


def _operation(path: str) -> str:
    """Return what a path asks for, without the version or the model's name."""
    if path.startswith("/v1beta/models/"):
        return path.rpartition(":")[2]
    return path.removeprefix("/v1").strip("/")


def _google_model(path: str) -> str:
    return path.removeprefix("/v1beta/models/").partition(":")[0]


def _cut(piece: bytes, length: int | None) -> Iterator[bytes]:
    step = length or len(piece)
    for start in range(0, len(piece), step):
        yield piece[start : start + step]


def _with_key(canned: Canned, key: str) -> bytes:
    """Put the key into the body, where a JSON error has its message, and beside it."""
    try:
        document = json.loads(canned.body)
        document["error"]["message"] += f" Your key is {key}."
        document["echo"] = key
    except (ValueError, TypeError, KeyError, RecursionError):
        return canned.body + f"<!-- {key} -->".encode()
    return json.dumps(document).encode()


def digest(body: bytes) -> str:
    """Return the SHA-256 of a body, to compare large ones by."""
    return hashlib.sha256(body).hexdigest()
