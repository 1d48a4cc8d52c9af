"""Who may talk to the sidecar, and the outermost layer that asks it."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import hmac
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from litestar.utils import normalize_path

from app.core.caller import CALLER, LAUNCHER, Caller
from app.core.exceptions import ForbiddenError, MisdirectedError, UnauthorizedError
from app.core.readiness import STARTING_SENTENCE, Readiness
from app.sidecar import gate as access
from app.sidecar.gate import MAX_CHALLENGE_CHARS, AccessRules, Gate, split_target
from tests.support.properties import PROPERTY
from tests.support.tokens import JWT_SECRET, token_for

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

PORT = 51234
HOST = f"127.0.0.1:{PORT}"
TOKEN = "0123456789abcdef" * 4


def rules(
    *,
    token: str | None = TOKEN,
    port: int = PORT,
    origins: tuple[str, ...] = (),
    jwt_secret: str | None = JWT_SECRET,
) -> AccessRules:
    """The rules of a sidecar on `PORT`."""
    return AccessRules(port=port, token=token, allowed_origins=origins, jwt_secret=jwt_secret)


def caller(path: str, *credentials: str | None, rules_: AccessRules | None = None) -> Caller:
    """Ask with a bearer token, and with what the SDKs of providers send in headers of their own."""
    bearer, *api_keys = credentials or (None,)
    authorization = None if bearer is None else f"Bearer {bearer}"
    return (rules_ or rules()).check(path, HOST, None, authorization, api_keys)


# The rules


def test_permitted_request_passes() -> None:
    """Host, no origin, token."""
    rules().check("/api/v1/status", HOST, None, f"Bearer {TOKEN}")


@pytest.mark.parametrize("path", ["/api", "/api/v1/status", "/api/"])
def test_paths_under_api_need_the_token(path: str) -> None:
    """All of them, and nothing else."""
    with pytest.raises(UnauthorizedError):
        rules().check(path, HOST, None, None)


@pytest.mark.parametrize("path", ["/", "/health", "/schema", "/apis", "/apiary/v1", "/v1/api"])
def test_other_paths_do_not(path: str) -> None:
    """A name that merely begins like it is another one."""
    rules().check(path, HOST, None, None)


@pytest.mark.parametrize(
    ("host", "origin", "error"),
    [
        pytest.param("evil.example", "http://evil.example", MisdirectedError, id="host-first"),
        pytest.param(None, "http://evil.example", MisdirectedError, id="no-host"),
        pytest.param(HOST, "http://evil.example", ForbiddenError, id="origin-second"),
        pytest.param(HOST, "http://localhost", UnauthorizedError, id="token-last"),
    ],
)
def test_rules_are_asked_in_this_order(host: str | None, origin: str, error: type[Exception]) -> None:
    """Whoever breaks several rules is told the outermost."""
    with pytest.raises(error):
        rules().check("/api/v1/status", host, origin, "Bearer wrong")


# Whose token opens what

ANN = Caller("ann", None)
ACME = Caller("ann", "acme")
OF_USERS = ["/api/api-keys", "/api/api-keys/set", "/api/api-keys/validate/openai", "/api/api-keys/status"]
OF_LAUNCHER = [
    *("/api", "/api/v1/status", "/api/v1/auth/token", "/api/v1/servers/1/config", "/api/v1/settings/ai-keys"),
    *("/api/api-keys/set-initial", "/api/api-keys/status-initial", "/api/v1/tenantsx", "/api/api-keysx"),
    *("/api/v1/ai-gateway", "/api/API-KEYS"),
]
OF_BOTH = ["/api/v1/tenants", "/api/v1/tenants/acme", "/api/v1/tenants/acme/openai-key", "/ai-gateway/user/ann/openai"]
FORGED = [
    pytest.param(token_for("ann", exp=1), id="expired"),
    pytest.param(token_for("ann", exp=None), id="endless"),
    pytest.param(token_for("ann", secret=JWT_SECRET[::-1]), id="another secret"),
    pytest.param(token_for("ann", algorithm="HS512"), id="another algorithm"),
    pytest.param(token_for("ann", type="refresh"), id="refresh"),
    pytest.param(token_for("ann").rpartition(".")[0] + ".", id="unsigned"),
    pytest.param("x" * 100_000, id="huge"),
    pytest.param("", id="empty"),
    pytest.param("a.b.c", id="malformed"),
]


@pytest.mark.parametrize("path", OF_USERS)
def test_users_paths_take_users_tokens(path: str) -> None:
    """And nobody else's: the launch token does not say whose keys are meant."""
    assert caller(path, token_for("ann")) == ANN
    assert caller(path, token_for("ann", tenant_id="acme")) == ACME
    for credential in (TOKEN, None):
        with pytest.raises(UnauthorizedError):
            caller(path, credential)


@pytest.mark.parametrize("path", OF_LAUNCHER)
def test_a_users_token_in_the_place_of_the_launch_token(path: str) -> None:
    """Is none, on every path that is not the users'."""
    assert caller(path, TOKEN) == LAUNCHER
    for credential in (token_for("ann"), token_for("ann", tenant_id="acme"), None):
        with pytest.raises(UnauthorizedError):
            caller(path, credential)


@pytest.mark.parametrize("path", OF_BOTH)
def test_paths_that_take_both(path: str) -> None:
    """And tell who asked."""
    assert caller(path, TOKEN) == LAUNCHER
    assert caller(path, token_for("ann", tenant_id="acme")) == ACME
    with pytest.raises(UnauthorizedError):
        caller(path, None)


@pytest.mark.parametrize("path", ["/api/api-keys/status", "/api/v1/tenants/acme", "/ai-gateway/user/ann/openai"])
@pytest.mark.parametrize("forged", FORGED)
def test_what_is_no_users_token(path: str, forged: str) -> None:
    """401, in words that do not quote it."""
    with pytest.raises(UnauthorizedError) as refused:
        caller(path, forged)

    assert refused.value.message == "The token is missing, malformed or expired"
    assert refused.value.headers == {"WWW-Authenticate": "Bearer"}


@pytest.mark.parametrize("scheme", ["Basic", "JWT", "Token", ""])
def test_users_tokens_are_bearer_tokens(scheme: str) -> None:
    """In any case of the word, and no other scheme."""
    token = token_for("ann")
    with pytest.raises(UnauthorizedError):
        rules().check("/api/api-keys/status", HOST, None, f"{scheme} {token}")
    assert rules().check("/api/api-keys/status", HOST, None, f"bEARER  {token} ") == ANN


def test_only_the_gateway_looks_into_the_providers_headers() -> None:
    """There an SDK sends its token; elsewhere the header counts for nothing."""
    for credentials in ((None, token_for("ann"), None), (None, None, token_for("ann")), ("junk", token_for("ann"))):
        assert caller("/ai-gateway/user/ann/openai/v1", *credentials) == ANN
        with pytest.raises(UnauthorizedError):
            caller("/api/api-keys/status", *credentials)
        with pytest.raises(UnauthorizedError):
            caller("/api/v1/tenants/acme", *credentials)
    assert caller("/ai-gateway/system/default/openai", None, TOKEN) == LAUNCHER
    assert caller("/ai-gateway/system/default/openai", token_for("ann"), TOKEN) == LAUNCHER


def test_without_a_secret_no_users_token_is_genuine() -> None:
    """Not even one that was signed with an empty secret."""
    for token in (token_for("ann"), signed_with_nothing("ann")):
        with pytest.raises(UnauthorizedError):
            caller("/api/api-keys/status", token, rules_=rules(jwt_secret=None))
    assert caller("/api/v1/tenants", TOKEN, rules_=rules(jwt_secret=None)) == LAUNCHER


def signed_with_nothing(user_id: str) -> str:
    """Make a token by hand that an empty secret signs; the library refuses to."""
    text = ".".join(
        base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")
        for part in ({"alg": "HS256"}, {"sub": user_id, "exp": 10**10})
    )
    signature = hmac.new(b"", text.encode(), hashlib.sha256).digest()
    return f"{text}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


def test_no_auth_leaves_out_the_launch_token_only() -> None:
    """Who shows a genuine user's token is that user; whose keys are meant, only such a token tells."""
    open_ = rules(token=None)

    for path in (*OF_LAUNCHER, *OF_BOTH):
        assert caller(path, None, rules_=open_) == LAUNCHER
    for path in OF_BOTH:
        assert caller(path, "nonsense", rules_=open_) == LAUNCHER
        assert caller(path, token_for("ann"), rules_=open_) == ANN
    for path in OF_USERS:
        assert caller(path, token_for("ann"), rules_=open_) == ANN
        for credential in (None, "nonsense", TOKEN):
            with pytest.raises(UnauthorizedError):
                caller(path, credential, rules_=open_)


@pytest.mark.parametrize(
    ("target", "owner"),
    [
        ("//api//api-keys//status", "user"),
        ("api/api-keys/status/", "user"),
        ("/api/api-keys/set-initial/", "launcher"),
        ("/api//api-keys/set-initial", "launcher"),
        ("/api/api-keys/set-initial/x", "user"),
        ("/api/v1//tenants/", "both"),
    ],
)
def test_paths_are_told_apart_in_the_form_in_which_they_are_routed(target: str, owner: str) -> None:
    """No doubled slash leads around a rule."""
    _, path = split_target(target)
    opened = set()
    for name, credential in (("user", token_for("ann")), ("launcher", TOKEN)):
        with contextlib.suppress(UnauthorizedError):
            caller(path, credential)
            opened.add(name)

    assert opened == ({"user", "launcher"} if owner == "both" else {owner})


def test_callers_have_names_for_the_log() -> None:
    """Under which limits count as well: no user can be called as the launcher is."""
    assert LAUNCHER.name == "launch-token"
    assert ACME.name == "user:ann"
    assert Caller("launch-token").name == "user:launch-token"
    assert (LAUNCHER.is_launcher, ACME.is_launcher) == (True, False)


def test_callers_and_what_belongs_to_whom() -> None:
    """The launcher may do everything; a user what is the user's own, and the tenant's that the token names."""
    for kind, owner_id in (("user", "ann"), ("tenant", "acme"), ("system", "default"), ("server", "1")):
        LAUNCHER.require_owner(kind, owner_id)
    ACME.require_owner("user", "ann")
    ACME.require_owner("tenant", "acme")
    for who, kind, owner_id in (
        (ACME, "user", "bob"),
        (ACME, "user", "acme"),
        (ACME, "tenant", "ann"),
        (ACME, "tenant", "Acme"),
        (ACME, "tenant", ""),
        (ANN, "tenant", "ann"),
        (ANN, "tenant", "None"),
        (ACME, "system", "default"),
        (ACME, "system", "ann"),
        (ACME, "server", "acme"),
        (ACME, "camera", "ann"),
    ):
        needed = "another user or tenant" if kind in ("user", "tenant") else "needs the launch token"
        with pytest.raises(ForbiddenError, match=needed):
            who.require_owner(kind, owner_id)


def test_callers_and_what_only_one_kind_may() -> None:
    """403 for users, 401 for whoever is none."""
    LAUNCHER.require_launcher()
    assert ANN.require_user() == "ann"
    with pytest.raises(ForbiddenError):
        ANN.require_launcher()
    with pytest.raises(UnauthorizedError):
        LAUNCHER.require_user()


def test_port_80_may_be_left_out() -> None:
    """Browsers leave the default port out of Host."""
    rules(port=80).check("/health", "localhost", None, None)
    rules(port=80).check("/health", "localhost:80", None, None)


def test_tokens_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison is the standard library's, of the whole token, also when the scheme is wrong already."""
    compared: list[tuple[bytes, bytes]] = []

    def compare(a: bytes, b: bytes) -> bool:
        compared.append((a, b))
        return hmac.compare_digest(a, b)

    monkeypatch.setattr(access, "hmac", _Hmac(compare))
    given_values = [f"Bearer {TOKEN}", "Bearer nonsense", f"Basic {TOKEN}", "", None]

    verdicts = [rules().is_launch_token(value) for value in given_values]

    assert verdicts == [True, False, False, False, False]
    assert [b for _, b in compared] == [TOKEN.encode()] * len(given_values)


@dataclass(frozen=True)
class _Hmac:
    """The module `hmac`, with a comparison that is watched."""

    compare_digest: Callable[[bytes, bytes], bool]


@PROPERTY
@given(st.text(max_size=100))
@example("\ud800")
@example("Bearer \xff")
def test_no_other_text_is_the_token(text: str) -> None:
    """Nor does any text make the comparison fail."""
    assert not rules().is_launch_token(text)
    assert not rules().is_launch_token(f"Bearer {text}")


def test_without_authentication_everything_is_the_token() -> None:
    """`--no-auth`."""
    assert rules(token=None).is_launch_token(None)


@pytest.mark.parametrize("origin", ["http://localhost", "http://localhost:1", "http://127.0.0.1:65535"])
def test_pages_of_this_computer_are_allowed(origin: str) -> None:
    """On whatever port a development server runs."""
    assert rules().is_allowed_origin(origin)


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "",
        "http://localhost\n",
        "https://localhost",
        "http://localhost.",
        "http://localhost:",
        "xhttp://localhost",
    ],
)
def test_what_only_looks_like_it_is_not(origin: str) -> None:
    """The whole origin has to fit."""
    assert not rules().is_allowed_origin(origin)


def test_named_origins_are_allowed_in_any_case() -> None:
    """They are configured in lower case."""
    named = rules(origins=("app://taskflow", "https://desk.example"))

    assert named.is_allowed_origin("app://taskflow")
    assert named.is_allowed_origin("APP://TaskFlow")
    assert not named.is_allowed_origin("app://taskflow.evil")


def test_null_cannot_be_allowed_by_accident() -> None:
    """No configured origin equals it."""
    assert not rules(origins=("app://null",)).is_allowed_origin("null")


@PROPERTY
@given(st.text("0123456789abcdefABCDEF", min_size=1, max_size=MAX_CHALLENGE_CHARS))
def test_proof_is_the_hmac_of_the_texts(challenge: str) -> None:
    """Key and message are the texts as they stand, not the bytes they might encode."""
    expected = hmac.new(TOKEN.encode(), challenge.encode(), hashlib.sha256).hexdigest()

    assert rules().proof(challenge) == expected


@pytest.mark.parametrize("challenge", ["", "g", "0x0", "00\n", " 00", "\u0660\u0660", "0" * (MAX_CHALLENGE_CHARS + 1)])
def test_no_proof_for_what_is_no_challenge(challenge: str) -> None:
    """Hexadecimal digits of ASCII only, and not endlessly many."""
    assert rules().proof(challenge) is None


def test_no_proof_without_a_token() -> None:
    """There is nothing to prove."""
    assert rules(token=None).proof("00") is None


# The path that is checked is the path that is routed


@PROPERTY
@given(st.text(st.sampled_from("/ab.%2f\\:*? \x00é"), max_size=30))
@example("api/v1/status")
@example("//api")
@example("")
def test_path_is_put_into_the_form_that_the_router_uses(path: str) -> None:
    """Where the two disagree, a request could be checked as one path and served as another."""
    _, canonical = split_target(path)

    assert canonical == normalize_path(path)
    assert split_target(canonical) == (None, canonical)


@pytest.mark.parametrize(
    ("target", "authority", "path"),
    [
        ("http://127.0.0.1:1/health", "127.0.0.1:1", "/health"),
        ("HTTPS://Host/api//v1/", "Host", "/api/v1"),
        ("http://host", "host", "/"),
        ("http:///health", "", "/health"),
        ("http://a@b/c", "a@b", "/c"),
        ("/http://host/health", None, "/http:/host/health"),
    ],
)
def test_absolute_form_is_taken_apart(target: str, authority: str | None, path: str) -> None:
    """The authority comes out as it was written."""
    assert split_target(target) == (authority, path)


# The gate


@dataclass
class Exchange:
    """One request to a gate, and what came back."""

    method: str = "GET"
    path: str = "/health"
    headers: dict[str, str] = field(default_factory=dict)
    messages: list[dict[str, Any]] = field(default_factory=list)

    def scope(self) -> dict[str, Any]:
        """The request as a server hands it over."""
        headers = {"host": HOST} | self.headers
        pairs = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
        return {"type": "http", "method": self.method, "path": self.path, "headers": pairs, "state": {}}

    async def receive(self) -> dict[str, Any]:
        """Give an empty body."""
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(self, message: Any) -> None:
        """Keep what is sent."""
        self.messages.append(message)

    async def through(self, gate: Gate) -> None:
        """Send the request through a gate."""
        await gate(self.scope(), self.receive, self.send)

    @property
    def status(self) -> int:
        """The status of the one answer."""
        (start,) = [message for message in self.messages if message["type"] == "http.response.start"]
        status: int = start["status"]
        return status

    @property
    def answer_headers(self) -> dict[str, str]:
        """The headers of the answer."""
        return {name.decode(): value.decode() for name, value in self.messages[0]["headers"]}

    @property
    def body(self) -> bytes:
        """The body; the answer has to be complete."""
        bodies = [message for message in self.messages if message["type"] == "http.response.body"]
        assert [message.get("more_body", False) for message in bodies] == [True] * (len(bodies) - 1) + [False]
        return b"".join(message["body"] for message in bodies)


def in_loop(test: Callable[[Gate], Coroutine[Any, Any, None]], readiness: Readiness | None = None) -> None:
    """Run a test with a gate in an event loop of its own."""

    async def run() -> None:
        await asyncio.wait_for(test(Gate(rules(), readiness or Readiness())), 5)

    asyncio.run(run())


async def answer_ok(scope: Any, _receive: Any, send: Any) -> None:
    """An application that repeats what it was asked."""
    content = f"{scope['method']} {scope['path']}".encode()
    length = (b"content-length", str(len(content)).encode())
    await send({"type": "http.response.start", "status": 200, "headers": [length]})
    await send({"type": "http.response.body", "body": content})


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_health_is_answered_before_the_application_is_loaded(method: str) -> None:
    """From the first moment, from the flag."""

    async def test(gate: Gate) -> None:
        ready, live = Exchange(method), Exchange(method, "/health/live/")
        await ready.through(gate)
        await live.through(gate)

        assert (ready.status, live.status) == (503, 200)
        if method == "GET":
            assert json.loads(ready.body) == {"status": "unhealthy", "error": STARTING_SENTENCE}
            assert json.loads(live.body) == {"status": "alive"}
        else:
            assert (ready.body, live.body) == (b"", b"")

    in_loop(test)


def test_other_requests_wait_until_it_is_loaded() -> None:
    """A client that is quick gets its answer a moment later, not an error."""

    async def test(gate: Gate) -> None:
        exchange = Exchange(path="/schema")
        task = asyncio.create_task(exchange.through(gate))
        await asyncio.sleep(0)
        assert not exchange.messages
        gate.open(answer_ok)
        await task

        assert (exchange.status, exchange.body) == (200, b"GET /schema")

    in_loop(test)


@pytest.mark.parametrize(
    ("path", "goes_on", "is_wanted"),
    [
        ("/health", False, False),
        ("/api/v1/status", False, False),
        ("/api/v1/members", True, False),
        ("/api/v1/vault", True, True),
    ],
)
def test_the_rest_is_loaded_when_data_was_served_or_somebody_waits_for_it(
    path: str, *, goes_on: bool, is_wanted: bool
) -> None:
    """Until then it would only take time from the first data; where many start at once, from that of the others."""

    async def test(gate: Gate) -> None:
        gate.open(answer_ok, only_work=True)
        asked = Exchange(path=path, headers={"authorization": f"Bearer {TOKEN}"})
        task = asyncio.create_task(asked.through(gate))
        await asyncio.sleep(0)
        assert (gate.go_on.is_set(), gate.rest_wanted.is_set()) == (goes_on, is_wanted)
        gate.stop()
        await task
        assert gate.go_on.is_set()
        assert gate.rest_wanted.is_set()

    readiness = Readiness()
    readiness.begin_run().ready({})
    in_loop(test, readiness)


def test_the_rest_is_wanted_by_a_call_that_comes_after_data_were_served() -> None:
    """Who calls for the vault after the members does not wait until all other desktops have theirs."""

    async def test(gate: Gate) -> None:
        gate.open(answer_ok, only_work=True)
        headers = {"authorization": f"Bearer {TOKEN}"}
        await Exchange(path="/api/v1/members", headers=headers).through(gate)
        assert (gate.go_on.is_set(), gate.rest_wanted.is_set()) == (True, False)
        task = asyncio.create_task(Exchange(path="/api/v1/vault", headers=headers).through(gate))
        await asyncio.sleep(0)
        assert gate.rest_wanted.is_set()
        gate.stop()
        await task

    readiness = Readiness()
    readiness.begin_run().ready({})
    in_loop(test, readiness)


def test_health_question_at_the_moment_of_loading_gets_one_answer() -> None:
    """A client that reads slowly must not get two answers in one."""

    async def test(gate: Gate) -> None:
        exchange = Exchange()
        keep = exchange.send

        async def open_meanwhile(message: Any) -> None:
            await keep(message)
            gate.open(answer_ok)

        await gate(exchange.scope(), exchange.receive, open_meanwhile)

        assert exchange.status == 503

    in_loop(test)


def test_refusal_does_not_wait_for_the_application() -> None:
    """The rules need nothing but the request."""

    async def test(gate: Gate) -> None:
        exchange = Exchange(path="/api/v1/status")
        await exchange.through(gate)

        assert exchange.status == 401
        assert exchange.answer_headers["taskflow-error-code"] == "unauthorized"

    in_loop(test)


def test_head_is_asked_as_get_and_has_no_body() -> None:
    """The length that GET would have stays in the headers."""

    async def test(gate: Gate) -> None:
        gate.open(answer_ok)
        exchange = Exchange("HEAD", "/health/")
        await exchange.through(gate)

        assert (exchange.status, exchange.body) == (200, b"")
        assert exchange.answer_headers["content-length"] == str(len("GET /health"))

    in_loop(test)


def test_server_keeps_its_own_view_of_the_request() -> None:
    """The server's scope says HEAD to the end: by it the server knows that no body follows."""

    async def test(gate: Gate) -> None:
        gate.open(answer_ok)
        exchange = Exchange("HEAD")
        scope = exchange.scope()
        await gate(scope, exchange.receive, exchange.send)

        assert scope["method"] == "HEAD"

    in_loop(test)


def test_failure_of_the_application_is_answered() -> None:
    """Nothing falls through to the server, which would answer in plain text."""

    async def fail(_scope: Any, _receive: Any, _send: Any) -> None:
        raise RuntimeError("a secret")

    async def test(gate: Gate) -> None:
        gate.open(fail)
        exchange = Exchange()
        await exchange.through(gate)

        assert exchange.status == 500
        assert json.loads(exchange.body) == {"error": "Internal server error"}
        assert exchange.answer_headers["taskflow-error-code"] == "internal"

    in_loop(test)


def test_failure_in_the_middle_of_an_answer_adds_nothing_to_it() -> None:
    """It has begun; the server closes the connection."""

    async def fail_late(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise RuntimeError

    async def test(gate: Gate) -> None:
        gate.open(fail_late)
        exchange = Exchange()
        await exchange.through(gate)

        assert [message["type"] for message in exchange.messages] == ["http.response.start"]

    in_loop(test)


def test_request_cut_off_by_a_stop_is_told_why() -> None:
    """When the grace period is over: 503, which ends it; a begun answer is broken off."""

    async def hang(_scope: Any, _receive: Any, _send: Any) -> None:
        await asyncio.Event().wait()

    async def test(gate: Gate) -> None:
        gate.open(hang)
        exchange = Exchange()
        task = asyncio.create_task(exchange.through(gate))
        await asyncio.sleep(0)
        task.cancel()
        await task

        assert exchange.status == 503
        assert json.loads(exchange.body) == {"error": "The sidecar is stopping."}
        assert exchange.answer_headers["retry-after"] == "5"

    async def hang_late(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await asyncio.Event().wait()

    async def test_begun(gate: Gate) -> None:
        gate.open(hang_late)
        exchange = Exchange()
        task = asyncio.create_task(exchange.through(gate))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

        assert exchange.status == 200

    in_loop(test)
    in_loop(test_begun)


def test_refused_body_is_read_on_before_the_answer() -> None:
    """All of it, in whatever pieces, unless the client waits to be asked for it."""
    pieces = [b"x" * 10] * 5

    async def refuse(_scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "http.response.start", "status": 413, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})

    async def count_reads(gate: Gate, headers: dict[str, str]) -> int:
        left = list(pieces)

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": left.pop(), "more_body": bool(left)}

        exchange = Exchange("POST", headers=headers)
        await gate(exchange.scope(), receive, exchange.send)
        assert exchange.status == 413
        return len(pieces) - len(left)

    async def test(gate: Gate) -> None:
        gate.open(refuse)
        assert await count_reads(gate, {}) == len(pieces)
        assert await count_reads(gate, {"expect": "100-continue"}) == 1

    in_loop(test)


def test_endless_refused_body_is_given_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a client that sends for ever nor one that stops sending keeps the answer back for long."""
    monkeypatch.setattr(access, "REFUSED_BODY_S", 0.05)
    monkeypatch.setattr(access, "MAX_REFUSED_BYTES", 1000)

    async def refuse(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 413, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})

    async def torrent() -> dict[str, Any]:
        return {"type": "http.request", "body": b"x" * 100, "more_body": True}

    async def silence() -> dict[str, Any]:
        await asyncio.Event().wait()
        raise AssertionError

    async def test(gate: Gate) -> None:
        gate.open(refuse)
        for receive in (torrent, silence):
            exchange = Exchange("POST")
            await gate(exchange.scope(), receive, exchange.send)

            assert (exchange.status, exchange.body) == (413, b"{}")

    in_loop(test)


def test_the_application_learns_who_asks() -> None:
    """In the request's scope, where nothing that a client sends can put it; the server's own scope stays as it was."""
    callers: list[Caller] = []

    async def note(scope: Any, receive: Any, send: Any) -> None:
        callers.append(scope[CALLER])
        await answer_ok(scope, receive, send)

    async def test(gate: Gate) -> None:
        gate.open(note)
        for path, token in (("/api/v1/status", TOKEN), ("/api/api-keys/status", token_for("ann")), ("/", "nonsense")):
            await Exchange(path=path, headers={"authorization": f"Bearer {token}"}).through(gate)

    in_loop(test)
    assert callers == [LAUNCHER, ANN, LAUNCHER]


def test_two_authorization_headers_are_no_token() -> None:
    """Joined, as HTTP has it: which of them would count is anybody's guess."""

    async def test(gate: Gate) -> None:
        gate.open(answer_ok)
        exchange = Exchange(path="/api/api-keys/status")
        scope = exchange.scope()
        scope["headers"] += [(b"authorization", f"Bearer {token_for(name)}".encode()) for name in ("ann", "bob")]
        await gate(scope, exchange.receive, exchange.send)

        assert exchange.status == 401

    in_loop(test)


def test_other_protocols_are_not_answered() -> None:
    """Neither WebSocket nor lifespan."""

    async def test(gate: Gate) -> None:
        gate.open(answer_ok)
        exchange = Exchange()
        await gate(exchange.scope() | {"type": "websocket"}, exchange.receive, exchange.send)

        assert not exchange.messages

    in_loop(test)
