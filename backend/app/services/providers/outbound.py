"""One request to a provider, bounded in every way: it ends in time, reads only so much, and goes where it was sent.

httpx bounds each wait for bytes, not the whole: a server that drips would hold a request for ever, and so may a name
that does not resolve. The request therefore runs in a thread of its own, which is cut off when its time is over.
"""

from __future__ import annotations

import contextlib
import functools
import ipaddress
import os
import socket
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping

DEADLINE_S: Final = 8.5
"""Below the ten seconds within which a check has to end, on a busy computer too."""
MAX_BODY_BYTES: Final = 2 << 20
"""Lists of models are long where an account has many of its own."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; the body is cut at `MAX_BODY_BYTES`."""

    status: int
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """Nothing came back; `reason` is one word of ours."""

    reason: str


class Exchange:
    """A GET that is under way as soon as this exists."""

    def __init__(self, url: str, headers: Mapping[str, str], *, deadline_s: float = DEADLINE_S) -> None:
        self._url = url
        self._headers = headers
        self._deadline_s = deadline_s
        self._began = time.monotonic()
        self._is_given_up = False
        self._stream: Any = None
        """The connection, once there is one."""
        self._outcome: Answer | NoAnswer = NoAnswer("time-out")
        self._thread = threading.Thread(target=self._run, name="provider", daemon=True)
        self._thread.start()

    def result(self) -> Answer | NoAnswer:
        """Wait for what comes back, until the deadline at the latest."""
        self._thread.join(max(0.0, self._began + self._deadline_s - time.monotonic()))
        if self._thread.is_alive():
            self._give_up()
            return NoAnswer("time-out")
        return self._outcome

    def _give_up(self) -> None:
        """Let the thread end soon; one that is still looking a name up ends when it has it."""
        self._is_given_up = True
        if self._stream is not None:
            with contextlib.suppress(OSError):
                self._stream.get_extra_info("socket").shutdown(socket.SHUT_RDWR)

    def _run(self) -> None:
        import httpx

        try:
            self._outcome = self._exchange()
        except httpx.TimeoutException:
            self._outcome = NoAnswer("time-out")
        except httpx.ProxyError:
            self._outcome = NoAnswer("proxy")
        except httpx.NetworkError as exc:
            self._outcome = NoAnswer("tls" if _is_about_tls(exc) else "no-connection")
        except Exception:  # noqa: BLE001 - broken answers, unusable proxies; their errors hold the request, key and all
            self._outcome = NoAnswer("no-answer")

    def _exchange(self) -> Answer:
        import httpx

        options: dict[str, Any] = {"trust_env": not is_loopback(self._url), "verify": tls_context()}
        headers = {**self._headers, "Accept": "application/json", "Accept-Encoding": "identity"}
        with (
            httpx.Client(**options, follow_redirects=False, timeout=self._deadline_s) as client,
            client.stream("GET", self._url, headers=headers, extensions={"trace": self._trace}) as response,
        ):
            body = b""
            for piece in response.iter_raw():
                body += piece
                if len(body) >= MAX_BODY_BYTES:
                    break
            return Answer(response.status_code, body[:MAX_BODY_BYTES])

    def _trace(self, event: str, details: Mapping[str, Any]) -> None:
        """Take hold of the connection; httpcore calls this at each step."""
        if event in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
            self._stream = details["return_value"]
        if self._is_given_up:
            raise TimeoutError


def is_loopback(url: str) -> bool:
    """Tell whether an address is this computer's own, where proxies have no business."""
    host = (urlsplit(url).hostname or "").rstrip(".")
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


@functools.cache
def tls_context() -> ssl.SSLContext:
    """Return what certificates are checked with: well-known authorities, and those of the operating system.

    Companies that look into TLS have their own authority installed there, or named in `SSL_CERT_FILE` or
    `SSL_CERT_DIR`, which take the place of the well-known ones.
    """
    import ssl

    import certifi

    file, folder = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    if not file:
        file = None if folder else certifi.where()
    context = ssl.create_default_context(cafile=file, capath=None if file else folder)
    context.load_default_certs()
    context.set_alpn_protocols(["http/1.1"])
    return context


def _is_about_tls(exc: BaseException) -> bool:
    import ssl

    cause: BaseException | None = exc
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return True
        cause = cause.__cause__ or cause.__context__
    return False
