"""Who may talk to the sidecar: Host, Origin, launch token, users' and tenants' tokens, and the server's own proof.

`Gate` is the outermost ASGI layer. It checks every request before a route is looked up, adds CORS headers to every
answer, errors included, and answers `/health` from the first moment, while the application behind it still loads.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import json
import re
import threading
from typing import TYPE_CHECKING, Any, Final

from app.core.caller import CALLER, GATEWAY, LAUNCHER, Caller, unauthorized
from app.core.exceptions import (
    INTERNAL,
    STATUS_SENTENCES,
    ForbiddenError,
    MisdirectedError,
    RequestError,
    UnauthorizedError,
    error_headers,
)
from app.core.jwt import JwtError, read_token
from app.core.logging import get_logger
from app.core.paths import is_below
from app.core.readiness import health_answer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, MutableMapping

    from app.core.readiness import Readiness

    Scope = MutableMapping[str, Any]
    Message = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]
    ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]

WORK_PATHS: Final = (
    "/health",
    "/assets",
    "/connection",
    "/api/v1/status",
    "/api/v1/shutdown",
    "/api/v1/settings",
    "/api/v1/members",
    "/api/v1/tasks",
    "/api/v1/updates",
    "/api/v1/events",
    "/api/v1/export",
    "/api/v1/import",
)
"""What the work half serves, with everything below, and the page at `/`."""
_NO_DATA: Final = (
    *("/health", "/assets", "/connection", "/schema"),
    *("/api/v1/status", "/api/v1/shutdown", "/api/v1/settings"),
)
"""What needs no database."""
SECRETS_WITHIN: Final = ("/api/v1/settings/ai-keys",)
"""What lies below one of those and is the secrets half's all the same."""
HOSTS: Final = ("127.0.0.1", "localhost", "[::1]")
_LOOPBACK_ORIGIN: Final = re.compile(r"http://(localhost|127\.0\.0\.1|\[::1\])(:[0-9]{1,5})?")
_EXPOSED: Final = "Taskflow-Error-Code, Taskflow-Proof, Retry-After, ETag, Link, Location"
_ABSOLUTE_FORM: Final = re.compile(r"https?://([^/]*)(.*)", re.IGNORECASE | re.DOTALL)
_ALWAYS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"vary", b"Origin"),
)
"""Headers of every answer: no other site may take it for a script, an image or a style sheet."""
MAX_CHALLENGE_CHARS: Final = 512
MAX_REFUSED_BYTES: Final = 64 << 20
REFUSED_BODY_S: Final = 2.0

PROVEN: Final = "taskflow.proven"
"""Where the server may put what it wants to be called with when a connection has shown a token: the `Caller`."""
_USERS: Final = "/api/api-keys"
_TENANTS: Final = "/api/v1/tenants"
_INITIAL: Final = (f"{_USERS}/set-initial", f"{_USERS}/status-initial")

log = get_logger(__name__)


class AccessRules:
    """The rules themselves, without any HTTP machinery."""

    def __init__(
        self,
        *,
        port: int,
        token: str | None,
        allowed_origins: tuple[str, ...],
        jwt_secret: str | None = None,
        jwt_audience: str | None = None,
        jwt_issuer: str | None = None,
    ) -> None:
        """`token` None switches the token rule off (``--no-auth``); without `jwt_secret` no user's token is genuine."""
        self._hosts = frozenset(f"{host}:{port}" for host in HOSTS) | (frozenset(HOSTS) if port == 80 else frozenset())
        self._token = token
        self._allowed_origins = frozenset(allowed_origins)
        self._jwt_secret = jwt_secret
        self._demands = {"audience": jwt_audience, "issuer": jwt_issuer}

    def check(
        self,
        path: str,
        host: str | None,
        origin: str | None,
        authorization: str | None,
        api_keys: Iterable[str | None] = (),
    ) -> Caller:
        """Let a request pass, and tell who asks.

        Args:
            path: canonical.
            host: of the `Host` header.
            origin: of the `Origin` header.
            authorization: of the `Authorization` header.
            api_keys: of the headers in which the SDKs of providers send what they take for a key; the gateway's
                callers show their token there.

        Raises:
            MisdirectedError: `Host` names another server (DNS rebinding ends here).
            ForbiddenError: a page of a foreign origin asks.
            UnauthorizedError: the token that the path needs is missing or wrong.
        """
        if host is None or host.lower() not in self._hosts:
            raise MisdirectedError("The Host header does not name this server")
        if origin is not None and not self.is_allowed_origin(origin):
            raise ForbiddenError("This origin is not allowed", code="origin-forbidden")
        if is_below(path, GATEWAY):
            return self._launcher_or_user([_bearer(authorization), *api_keys])
        if is_below(path, _TENANTS):
            return self._launcher_or_user([_bearer(authorization)])
        if is_below(path, _USERS) and path not in _INITIAL:
            return self._user([_bearer(authorization)])
        if is_below(path, "/api") and not self.is_launch_token(authorization):
            raise unauthorized("The launch token is missing or wrong")
        return LAUNCHER

    def _launcher_or_user(self, credentials: Iterable[str | None]) -> Caller:
        given = [credential for credential in credentials if credential]
        if any(self._is_token(credential) for credential in given):
            return LAUNCHER
        try:
            return self._user(given)
        except UnauthorizedError:
            if self._token is None:
                return LAUNCHER
            raise

    def _user(self, credentials: Iterable[str | None]) -> Caller:
        """Return whose token it is; the first genuine one counts."""
        if self._jwt_secret is not None:
            for credential in filter(None, credentials):
                with contextlib.suppress(JwtError):
                    return Caller(*read_token(credential, self._jwt_secret, **self._demands))
        raise unauthorized("The token is missing, malformed or expired")

    def is_allowed_origin(self, origin: str) -> bool:
        """Tell whether a page of `origin` may call."""
        return _LOOPBACK_ORIGIN.fullmatch(origin) is not None or origin.lower() in self._allowed_origins

    def is_launch_token(self, authorization: str | None) -> bool:
        """Compare the bearer token in constant time; true when no token is asked for."""
        return self._token is None or self._is_token(_bearer(authorization) or "")

    def _is_token(self, given: str) -> bool:
        return self._token is not None and hmac.compare_digest(given.encode("utf-8", "replace"), self._token.encode())

    def proof(self, challenge: str) -> str | None:
        """Return hex HMAC-SHA256 of the challenge under the token, both as ASCII text; None without a token.

        A client that knows the token tells by it a sidecar from a stranger on the same port, before showing the token.
        """
        is_hex = re.fullmatch(rf"[0-9A-Fa-f]{{1,{MAX_CHALLENGE_CHARS}}}", challenge) is not None
        if self._token is None or not is_hex:
            return None
        return hmac.new(self._token.encode("ascii"), challenge.encode("ascii"), hashlib.sha256).hexdigest()


def _needs_token(path: str) -> bool:
    return is_below(path, "/api") or is_below(path, GATEWAY)


def _bearer(authorization: str | None) -> str | None:
    scheme, _, given = (authorization or "").partition(" ")
    return given.strip() if scheme.lower() == "bearer" else None


def split_target(target: str) -> tuple[str | None, str]:
    """Return the authority that a request's target names, if it has the absolute form, and its canonical path.

    The router forgives a missing first slash, doubled ones and one at the end. What is checked must be what is routed,
    so the path is put here into the form in which the router looks it up.
    """
    absolute = _ABSOLUTE_FORM.fullmatch(target)
    authority, path = absolute.groups() if absolute else (None, target)
    return authority, "/" + "/".join(part for part in path.split("/") if part)


class _Door:
    """One half of the paths, and the application behind it once that has loaded."""

    def __init__(self) -> None:
        self.application: ASGIApp | None = None
        self.decided = asyncio.Event()
        """The application has loaded, or never will because the process stops."""

    def open(self, application: ASGIApp) -> None:
        """Pass requests on to `application`, unless there is one already."""
        if self.application is None:
            self.application = application
            self.decided.set()


def _needs_data(path: str) -> bool:
    """Tell whether a canonical path needs the database, so that a call waits for one that was just chosen."""
    is_without = path == "/" or any(is_below(path, root) for root in _NO_DATA)
    return not is_without or any(is_below(path, root) for root in SECRETS_WITHIN)


def is_work(path: str) -> bool:
    """Tell whether the work half serves a canonical path; the secrets half serves all others, unknown ones included."""
    is_within = any(is_below(path, root) for root in WORK_PATHS)
    return path == "/" or (is_within and not any(is_below(path, root) for root in SECRETS_WITHIN))


class Gate:
    """The outermost ASGI application."""

    def __init__(self, rules: AccessRules, readiness: Readiness) -> None:
        self._rules = rules
        self._readiness = readiness
        self._work = _Door()
        self._rest = _Door()
        self._is_stopping = False
        self.go_on = threading.Event()
        """Whoever loads the secrets half should: data was served, or `rest_wanted`."""
        self.rest_wanted = threading.Event()
        """Somebody waits for the secrets half, or all is over."""

    def open(self, application: Any, *, only_work: bool = False) -> None:
        """Pass requests on to the ASGI `application` from now on; call it in the event loop.

        Args:
            application: serves the paths of the work half, unless one does already, and all others.
            only_work: the others wait for another application.
        """
        if self._is_stopping:
            return
        self._work.open(application)
        if not only_work:
            self._rest.open(application)

    def stop(self) -> None:
        """Let nothing wait any more for an application that has not loaded yet; call it in the event loop."""
        self._is_stopping = True
        self._want_rest()
        self._work.decided.set()
        self._rest.decided.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check one request and pass it on."""
        if scope["type"] != "http":
            return
        authority, path = split_target(scope["path"])
        headers = _single_headers(scope)
        answer = _Answer(receive, send, self._headers(path, headers), may_read_on=b"expect" not in headers)
        try:
            caller = self._check(scope["method"], path, authority, headers)
        except RequestError as exc:
            await answer.error(exc.status, exc.message, exc.code, exc.headers)
            return
        if _is_preflight(scope["method"], headers):
            await answer.whole(204, None, _preflight_headers(headers))
            return
        if PROVEN in scope and _needs_token(path):
            scope[PROVEN](caller)
        scope = {**scope, "path": path, CALLER: caller}
        if is_below(path, GATEWAY):
            pass  # whatever the method is, it is the provider's
        elif scope["method"] == "HEAD":
            scope["method"], answer.has_no_body = "GET", True
        elif scope["method"] == "OPTIONS":
            # the framework's own answer leaves methods out; its refusal of a method nobody knows names them all
            scope["method"], answer.names_methods = "?", True
        await self._pass_on(scope, answer)

    def _check(self, method: str, path: str, authority: str | None, headers: dict[bytes, str]) -> Caller:
        """Apply the rules; a preflight, which cannot carry a token, is checked for Host and Origin only."""
        host = headers.get(b"host")
        if authority is not None and authority != host:
            host = None  # two names for the server: which of them would count is anybody's guess
        checked = "/" if _is_preflight(method, headers) else path
        api_keys = (headers.get(b"x-api-key"), headers.get(b"x-goog-api-key"))
        return self._rules.check(checked, host, headers.get(b"origin"), headers.get(b"authorization"), api_keys)

    async def _pass_on(self, scope: Scope, answer: _Answer) -> None:
        door = self._work if is_work(scope["path"]) else self._rest
        if door is self._rest and not self.rest_wanted.is_set():
            self._want_rest()
        if door.application is None and scope["method"] == "GET" and scope["path"] in ("/health", "/health/live"):
            await self._answer_early(scope["path"], answer)
            return
        try:
            await door.decided.wait()
            if not self._readiness.is_ready and _needs_data(scope["path"]):
                await self._readiness.settled()
            if door.application is None:
                await self._answer_stopping(answer)
            else:
                await door.application(scope, answer.receive, answer.send)
            if not self.go_on.is_set() and _needs_data(scope["path"]):
                self.go_on.set()
        except asyncio.CancelledError:  # the grace period of a stop is over; answered, there is nothing to log
            if answer.has_begun:
                raise
            await self._answer_stopping(answer)
        except Exception:  # the outermost edge of every request
            log.exception("request failed")
            await answer.error(500, INTERNAL, "internal")

    def _want_rest(self) -> None:
        self.rest_wanted.set()
        self.go_on.set()

    async def _answer_stopping(self, answer: _Answer) -> None:
        await answer.error(503, "The sidecar is stopping.", "stopping", {"Retry-After": "5"})

    async def _answer_early(self, path: str, answer: _Answer) -> None:
        """Answer health questions while the application still loads."""
        status, body = (200, {"status": "alive"}) if path.endswith("live") else health_answer(self._readiness)
        await answer.whole(status, body, {"Cache-Control": "no-store"})

    def _headers(self, path: str, headers: dict[bytes, str]) -> list[tuple[bytes, bytes]]:
        """Return what the answer carries, whoever makes it: fixed headers, CORS, the proof."""
        extra = [*_ALWAYS]
        origin = headers.get(b"origin")
        if origin is not None and self._rules.is_allowed_origin(origin):
            extra.append((b"access-control-allow-origin", origin.encode("latin-1")))
            extra.append((b"access-control-expose-headers", _EXPOSED.encode()))
        challenge = headers.get(b"taskflow-challenge")
        if challenge is not None and path == "/health":
            proof = self._rules.proof(challenge)
            if proof is not None:
                extra.append((b"taskflow-proof", proof.encode()))
        return extra


class _Answer:
    """The answer to one request: adds headers, leaves out a body that nobody asked for, knows whether it has begun."""

    def __init__(self, receive: Receive, send: Send, extra: list[tuple[bytes, bytes]], *, may_read_on: bool) -> None:
        """`may_read_on`: the client sends its body without waiting to be asked for it."""
        self.has_no_body = False
        """For HEAD."""
        self.names_methods = False
        """For OPTIONS."""
        self._receive = receive
        self._send = send
        self._extra = extra
        self._may_read_on = may_read_on
        self.has_begun = False
        self._body_ended = False

    async def receive(self) -> Message:
        """Hand the application the next piece of the request."""
        message = await self._receive()
        self._body_ended = not message.get("more_body", False)
        return message

    async def send(self, message: Message) -> None:
        """Pass on one message of the application."""
        if message["type"] == "http.response.start":
            self.has_begun = True
            status, headers = message["status"], message.get("headers", ())
            if status == 413 and self._may_read_on:
                await self._read_refused_body()
            if status == 405 and self.names_methods:
                status, headers = 204, [(name, value) for name, value in headers if name.lower() == b"allow"]
                self.has_no_body = True
            await self._send({**message, "status": status, "headers": [*headers, *self._extra]})
            if self.has_no_body:  # complete, also where GET would stream without end
                await self._send({"type": "http.response.body", "body": b""})
        elif not self.has_no_body:
            await self._send(message)

    async def whole(self, status: int, body: dict[str, str] | None, headers: dict[str, str]) -> None:
        """Send an answer of our own."""
        content = b"" if body is None else _json(body)
        fields = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
        if body is not None:
            fields += [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
        await self.send({"type": "http.response.start", "status": status, "headers": fields})
        await self.send({"type": "http.response.body", "body": content})

    async def error(self, status: int, sentence: str, code: str, headers: dict[str, str] | None = None) -> None:
        """Send an error, unless an answer has begun already."""
        if not self.has_begun:
            await self.whole(status, {"error": sentence}, error_headers(code, headers))

    async def _read_refused_body(self) -> None:
        """Read on for a while: to close a connection over unread bytes destroys the answer on its way."""
        left = MAX_REFUSED_BYTES
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(REFUSED_BODY_S):
                while left > 0 and not self._body_ended:
                    left -= len((await self.receive()).get("body", b""))


def _single_headers(scope: Scope) -> dict[bytes, str]:
    """Return the headers by name; of one that is repeated the values are joined, so that no check can be split."""
    headers: dict[bytes, str] = {}
    for name, value in scope["headers"]:
        text = value.decode("latin-1")
        headers[name] = f"{headers[name]}, {text}" if name in headers else text
    return headers


def _is_preflight(method: str, headers: dict[bytes, str]) -> bool:
    return method == "OPTIONS" and b"access-control-request-method" in headers


def _preflight_headers(headers: dict[bytes, str]) -> dict[str, str]:
    answer = {
        "Access-Control-Allow-Methods": "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS",
        "Access-Control-Allow-Headers": headers.get(b"access-control-request-headers", "Authorization, Content-Type"),
        "Access-Control-Max-Age": "600",
    }
    if headers.get(b"access-control-request-private-network") == "true":
        answer["Access-Control-Allow-Private-Network"] = "true"
    return answer


def error_body(status: int) -> bytes:
    """Return the body of an answer to what never became a request."""
    return _json({"error": STATUS_SENTENCES[status]})


def _json(body: dict[str, str]) -> bytes:
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
