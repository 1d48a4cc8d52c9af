"""A receiver of webhooks that keeps what it gets, and fails as often as it is told to."""

from __future__ import annotations

import contextlib
import http.server
import json
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.support.network import LOOPBACK, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Received:
    """One request."""

    path: str
    headers: dict[str, str]
    """By name in lower case."""
    body: bytes

    def json(self) -> Any:
        """What was sent."""
        return json.loads(self.body)


@dataclass(slots=True)
class WebhookReceiver:
    """Keeps every request; answers with `statuses`, one after the other, and then with `status`."""

    port: int = field(default_factory=free_port)
    status: int = 200
    statuses: list[int] = field(default_factory=list)
    """A 0 closes the connection without an answer."""
    location: str | None = None
    """Where its redirects point."""
    received: list[Received] = field(default_factory=list)

    @contextlib.contextmanager
    def running(self) -> Iterator[WebhookReceiver]:
        """Serve."""
        server = http.server.ThreadingHTTPServer((LOOPBACK, self.port), _handler_of(self))
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()
            thread.join()

    def url(self, path: str = "/hook", host: str = LOOPBACK) -> str:
        """Its address."""
        return f"http://{host}:{self.port}{path}"


def _handler_of(receiver: WebhookReceiver) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            receiver.received.append(Received(self.path, headers, body))
            status = receiver.statuses.pop(0) if receiver.statuses else receiver.status
            if not status:
                return
            self.send_response(status)
            if receiver.location is not None:
                self.send_header("Location", receiver.location)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    return Handler
