"""Keys that are lent: the platform's to a tenant on trial, an initial one to a user. Inference, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.ai_answers import Reply
from tests.support.gateways import GatewayBackend, gateway_on_postgresql, gateway_on_sqlite

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

pytestmark = pytest.mark.in_turn

CHAT = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
BODIES: dict[str, Any] = {"anthropic": {**CHAT, "max_tokens": 5}, "google": {"contents": [{"parts": [{"text": "Hi"}]}]}}
PASSES = {
    "openai": ["POST v1/chat/completions", "POST v1/responses", "POST v1/embeddings", "GET v1/models"],
    "deepseek": ["POST chat/completions", "POST v1/chat/completions", "GET models"],
    "anthropic": ["POST v1/messages", "GET v1/models"],
    "google": [
        "POST v1beta/models/gemini-2.5-pro:generateContent",
        "POST v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse",
        "GET v1beta/models?pageSize=5",
    ],
}
REFUSED = {
    "openai": [
        *("GET v1/files", "DELETE v1/files/file-1", "POST v1/files", "GET v1/files/file-1/content", "POST v1/batches"),
        *(
            "GET v1/responses/resp_1",
            "DELETE v1/responses/resp_1",
            "GET v1/chat/completions",
            "POST v1/fine_tuning/jobs",
        ),
        *("DELETE v1/models/ft:gpt-4o:acme::1", "GET v1/organization/usage", "POST v1/conversations", "HEAD v1/models"),
        *("POST v1/responses/", "POST /v1/responses", "POST v1//responses", "POST v1/responses%2Fresp_1%2Fcancel"),
        *(
            "POST V1/responses",
            "POST v1/Responses",
            "POST v1%2Fresponses",
            "POST v1/responses;x=1",
            "POST v1/%72esponses",
        ),
        *("GET v1/models/a/b", "POST v1/responses?x=1", "GET v1/models?%6cimit=1"),
        *("BREW v1/responses", "PUT v1/responses", "GET v1/models?limit=1&limit=a"),
    ],
    "deepseek": ["GET user/balance", "POST models", "DELETE chat/completions"],
    "anthropic": ["GET v1/files", "POST v1/messages/batches", "GET v1/messages/batches", "DELETE v1/files/file_1"],
    "google": [
        *("GET v1beta/files", "DELETE v1beta/files/x", "GET v1beta/cachedContents", "POST v1beta/cachedContents"),
        *("POST v1beta/tunedModels/x:generateContent", "POST v1beta/models/x:batchGenerateContent"),
        *("POST v1beta/models/x:generateContent:cancel", "POST v1beta/models/x/y:generateContent"),
        *("POST v1beta/models/x:generateContent?alt=media", "POST v1beta/models/x:generateContent?$fields=a"),
        *("POST upload/v1beta/files", "GET v1beta/corpora", "POST v1beta/models/x%3AgenerateContent"),
    ],
}
STATEFUL: dict[str, list[dict[str, Any]]] = {
    "openai v1/responses": [
        *(
            {"previous_response_id": "resp_1"},
            {"conversation": "conv_1"},
            {"background": True},
            {"prompt": {"id": "p"}},
        ),
        *({"tools": [{"type": "file_search", "vector_store_ids": ["vs_1"]}]}, {"tools": {"type": "function"}}),
        *({"tools": [{"type": "code_interpreter", "container": "auto"}]}, {"tools": [{"type": "mcp"}]}),
        *(
            {"input": [{"content": [{"type": "input_file", "file_id": "file-1"}]}]},
            {"input": [{"type": "item_reference"}]},
        ),
    ],
    "openai v1/chat/completions": [{"messages": [{"content": [{"type": "file", "file": {"file_id": "file-1"}}]}]}],
    "anthropic v1/messages": [
        *({"container": "c"}, {"mcp_servers": [{}]}, {"tools": [{"type": "code_execution_20250522"}]}),
        {"messages": [{"content": [{"type": "document", "source": {"type": "file", "file_id": "file_1"}}]}]},
    ],
    "google v1beta/models/x:generateContent": [
        *(
            {"cachedContent": "cachedContents/x"},
            {"cached_content": "cachedContents/x"},
            {"tools": [{"codeExecution": {}}]},
        ),
        {"contents": [{"parts": [{"file_data": {"file_uri": "files/x"}}]}]},
    ],
}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shared(request: pytest.FixtureRequest) -> Iterator[GatewayBackend]:
    """A sidecar that these tests share, once on each database."""
    if request.param == "sqlite":
        with gateway_on_sqlite() as backend:
            yield backend
    else:
        with gateway_on_postgresql(request.getfixturevalue("postgres")) as backend:
            yield backend


@pytest.fixture
def gateway(shared: GatewayBackend) -> GatewayBackend:
    """The shared sidecar with an initial key for each provider, and a tenant on trial."""
    shared.clear()
    for provider in PASSES:
        shared.new_key("system", "default", provider, name=f"initial:{provider}")
    shared.new_key("system", "default", "openai")
    shared.add_tenant("acme", "trial", 1000)
    return shared


def lenders(provider: str) -> list[tuple[str, str]]:
    """Owners whose key is somebody else's."""
    return [("user", "ann"), *([("tenant", "acme")] if provider == "openai" else [])]


def call(gateway: GatewayBackend, owner: tuple[str, str], provider: str, call: str, **more: Any) -> httpx.Response:
    """Make a call that is written as method and path."""
    method, path = call.split(" ", 1)
    if method == "POST" and not more:
        more = {"json": BODIES.get(provider, CHAT)}
    return gateway.call(*owner, provider, path, method=method, **more)


def code_of(answer: httpx.Response) -> tuple[int, str | None]:
    """Status and code."""
    return answer.status_code, answer.headers.get("Taskflow-Error-Code")


@pytest.mark.parametrize("provider", PASSES)
def test_lent_key_only_does_inference(gateway: GatewayBackend, provider: str) -> None:
    """By a list of what passes; the rest, and other spellings of what passes, never reaches the provider."""
    for owner in lenders(provider):
        wrong = {what: code_of(call(gateway, owner, provider, what)) for what in REFUSED[provider]}
        assert {what: code for what, code in wrong.items() if code != (403, "not-with-a-lent-key")} == {}
        assert gateway.providers[provider].requests == []
        passed = [call(gateway, owner, provider, what).status_code for what in PASSES[provider]]
        assert passed == [200] * len(passed)
        gateway.providers[provider].requests.clear()
    own = gateway.new_key("user", "ann", provider)
    assert call(gateway, ("user", "ann"), provider, "GET v1/files").status_code == 404
    assert gateway.providers[provider].requests[-1].api_key == own


@pytest.mark.parametrize("place", STATEFUL)
def test_lent_key_reaches_nothing_that_the_account_keeps(gateway: GatewayBackend, place: str) -> None:
    """However the body names it; a schema of the caller's own may use the same names."""
    provider, path = place.split(" ")
    for more in STATEFUL[place]:
        answer = call(gateway, ("user", "ann"), provider, f"POST {path}", json={**BODIES.get(provider, CHAT), **more})
        assert code_of(answer) == (403, "not-with-a-lent-key"), more
    assert gateway.providers[provider].requests == []
    schema = {"type": "object", "properties": {"file_id": {"type": "string"}}}
    if provider == "openai":
        tool = {"type": "function", "function": {"name": "f", "parameters": schema}}
        answer = call(gateway, ("user", "ann"), provider, f"POST {path}", json={**CHAT, "tools": [tool]})
        assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("path", ["v1/chat/completions", "v1/responses"])
def test_nothing_is_stored_and_nothing_is_overridden(gateway: GatewayBackend, path: str) -> None:
    """What goes out is what was understood: no second `store`, no other project, no method of the caller's."""
    body = b'{"store": false, "model": "m", "messages": [], "n": 12345678901234567890, "store": true}'
    headers = {"X-HTTP-Method-Override": "DELETE", "OpenAI-Project": "p", "OpenAI-Beta": "b", "Idempotency-Key": "i"}

    answer = call(gateway, ("tenant", "acme"), "openai", f"POST {path}", content=body, headers=headers)

    assert answer.status_code == 200, answer.text
    (request,) = gateway.providers.openai.requests
    assert request.json() == {"store": False, "model": "m", "messages": [], "n": 12345678901234567890}
    assert request.body.count(b"store") == 1
    assert {name: request.header(name) for name in headers if request.header(name)} == {}


@pytest.mark.parametrize(
    ("content", "headers", "code"),
    [
        (b"{", {}, (400, "validation")),
        (b"[]", {}, (400, "validation")),
        (b'{"a": NaN}', {}, (400, "validation")),
        (b"[" * 100_000, {}, (400, "validation")),
        (b"--x\r\n", {"Content-Type": "multipart/form-data; boundary=x"}, (400, "validation")),
        (b"\x1f\x8b", {"Content-Encoding": "gzip"}, (403, "not-with-a-lent-key")),
        (b" " * (8 << 20) + b"{}", {}, (413, "body-too-large")),
    ],
)
def test_what_is_not_understood_is_not_sent(
    gateway: GatewayBackend, content: bytes, headers: dict[str, str], code: tuple[int, str]
) -> None:
    """Whether the length is announced or not."""
    for body in (content, iter((content,))):
        answer = call(gateway, ("user", "ann"), "openai", "POST v1/responses", content=body, headers=headers)
        assert code_of(answer) == code
    assert gateway.providers.openai.requests == []


def test_trial_ends_when_its_tokens_are_used_up(gateway: GatewayBackend) -> None:
    """Also those of streams that do not tell, and of calls that were broken off; the next day begins anew."""
    tenant = "/api/v1/tenants/acme"
    assert gateway.sidecar.request("GET", tenant).json()["trial_tokens"] == 200_000
    assert gateway.sidecar.request("PATCH", tenant, json={"trial_tokens": -1}).status_code == 400
    gateway.providers.openai.reply = Reply(input_tokens=60, output_tokens=50)

    def chats(limit: int, body: dict[str, Any]) -> tuple[int, str | None]:
        assert gateway.sidecar.request("PATCH", tenant, json={"trial_tokens": limit}).status_code == 200
        return code_of(call(gateway, ("tenant", "acme"), "openai", "POST v1/chat/completions", json=body))

    assert chats(0, CHAT) == (402, "trial-exhausted")
    assert chats(1, CHAT) == (200, None)
    assert chats(110, CHAT) == (402, "trial-exhausted")
    assert chats(111, {**CHAT, "stream": True}) == (200, None)
    assert chats(111, CHAT) == (402, "trial-exhausted")
    gateway.usage()
    tokens = gateway.backend.database.query("SELECT tokens FROM trial_calls")[0][0]
    assert tokens > 110
    gateway.backend.database.execute("UPDATE trial_calls SET day = '2026-01-01'")
    assert chats(111, CHAT) == (200, None)


def test_tokens_of_a_trial_survive_an_asked_stop() -> None:
    """They are written behind, and not lost."""
    with gateway_on_sqlite() as gateway:
        gateway.new_key("system", "default", "openai")
        gateway.add_tenant("acme", "trial")
        assert call(gateway, ("tenant", "acme"), "openai", "POST v1/chat/completions").status_code == 200
        gateway.sidecar.stop()
        ((tokens,),) = gateway.backend.database.query("SELECT tokens FROM trial_calls")
        assert tokens > 0


def test_range_is_not_forwarded(gateway: GatewayBackend) -> None:
    """A part of an answer could be a part of a key."""
    gateway.new_key("user", "ann", "openai")
    headers = {"Range": "bytes=5-", "If-Range": '"x"', "X-HTTP-Method": "DELETE", "X-Method-Override": "DELETE"}

    assert call(gateway, ("user", "ann"), "openai", "GET v1/models", headers=headers).status_code == 200

    request = gateway.providers.openai.requests[-1]
    assert {name: request.header(name) for name in headers if request.header(name)} == {}
