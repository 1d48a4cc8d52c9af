"""Unmodified SDKs of the providers at work through the gateway, for every kind of owner, and what they used."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.support.ai_answers import Reply
from tests.support.ai_providers import Gate
from tests.support.gateways import GatewayBackend, gateway_on_postgresql, gateway_on_sqlite, token_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import anthropic
    import openai

    Prepare = Callable[[GatewayBackend], str]

pytestmark = pytest.mark.in_turn

REPLY = Reply(pieces=("One", " two", " three"), input_tokens=123, output_tokens=45)
MESSAGES: Any = [{"role": "user", "content": "Count."}]


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
    """The shared sidecar with empty tables; the models say `REPLY`."""
    shared.clear()
    for provider in shared.providers.all():
        provider.reply = REPLY
    return shared


def openai_client(
    gateway: GatewayBackend, kind: str, owner: str, token: str, provider: str = "openai"
) -> openai.OpenAI:
    """The SDK as its documentation sets it up, but for the address and what it takes for a key.

    The SDKs are imported where they are used: it takes seconds, and every worker reads this module.
    """
    import openai

    return openai.OpenAI(base_url=f"{gateway.base_url(kind, owner, provider)}/v1", api_key=token, max_retries=0)


def anthropic_client(gateway: GatewayBackend, kind: str, owner: str, token: str) -> anthropic.Anthropic:
    """The same of Anthropic."""
    import anthropic

    return anthropic.Anthropic(base_url=gateway.base_url(kind, owner, "anthropic"), api_key=token, max_retries=0)


# Who has which key: each returns the one that has to serve


def _system(gateway: GatewayBackend) -> str:
    return gateway.new_key("system", "default", "openai")


def _own(gateway: GatewayBackend) -> str:
    gateway.new_key("system", "default", "openai", name="initial:openai")
    return gateway.new_key("user", "ann", "openai")


def _initial(gateway: GatewayBackend) -> str:
    return gateway.new_key("system", "default", "openai", name="initial:openai")


def _tenants(gateway: GatewayBackend) -> str:
    gateway.new_key("system", "default", "openai")
    gateway.add_tenant("acme", "trial")
    return gateway.new_key("tenant", "acme", "openai")


def _platforms(gateway: GatewayBackend) -> str:
    gateway.add_tenant("acme", "trial")
    return gateway.new_key("system", "default", "openai")


def _servers(gateway: GatewayBackend) -> str:
    gateway.add_server("guild", "openai")
    return gateway.new_key("server", "guild", "openai")


OWNERS = [
    pytest.param("system", "default", None, _system, id="system"),
    pytest.param("user", "ann", token_for("ann"), _own, id="user-own-key"),
    pytest.param("user", "ann", token_for("ann"), _initial, id="user-falls-back"),
    pytest.param("tenant", "acme", token_for("ben", "acme"), _tenants, id="tenant-own-key"),
    pytest.param("tenant", "acme", token_for("ben", "acme"), _platforms, id="tenant-on-trial"),
    pytest.param("server", "guild", None, _servers, id="server"),
]


def used(gateway: GatewayBackend, kind: str, owner: str, provider: str, model: str, requests: int) -> None:
    """Check that exactly that was counted: so many calls, each of which cost what the test server said."""
    (item,) = gateway.usage()
    assert (item["owner_kind"], item["owner_id"], item["provider"], item["model"]) == (kind, owner, provider, model)
    assert item["requests"] == requests
    assert item["input_tokens"] == requests * REPLY.input_tokens
    assert item["output_tokens"] == requests * REPLY.output_tokens


# OpenAI


@pytest.mark.parametrize(("kind", "owner", "token", "prepare"), OWNERS)
def test_openai_sdk_chats_for_every_owner(
    gateway: GatewayBackend, kind: str, owner: str, token: str | None, prepare: Prepare
) -> None:
    """At once and in a stream; both are counted as the provider told."""
    key = prepare(gateway)
    shown = token or gateway.sidecar.token
    with openai_client(gateway, kind, owner, shown) as client:
        whole = client.chat.completions.create(model="gpt-5", messages=MESSAGES)
        stream = client.chat.completions.create(
            model="gpt-5", messages=MESSAGES, stream=True, stream_options={"include_usage": True}
        )
        pieces = [chunk.choices[0].delta.content for chunk in stream if chunk.choices]

    assert whole.choices[0].message.content == REPLY.text
    assert "".join(piece or "" for piece in pieces) == REPLY.text
    assert gateway.keys_sent(gateway.providers.openai) == [key, key]
    assert all(shown.encode() not in request.everything() for request in gateway.providers.requests())
    used(gateway, kind, owner, "openai", "gpt-5", 2)


@pytest.mark.parametrize("stream", [False, True])
def test_openai_sdk_responses(gateway: GatewayBackend, stream: bool) -> None:
    """The newer API, whose stream tells the usage in its last event."""
    gateway.new_key("system", "default", "openai")
    with openai_client(gateway, "system", "default", gateway.sidecar.token) as client:
        if stream:
            events = list(client.responses.create(model="gpt-5", input="Count.", stream=True))
            text = "".join(event.delta for event in events if event.type == "response.output_text.delta")
        else:
            text = client.responses.create(model="gpt-5", input="Count.").output_text

    assert text == REPLY.text
    used(gateway, "system", "default", "openai", "gpt-5", 1)


def test_openai_sdk_lists_models_and_embeds(gateway: GatewayBackend) -> None:
    """Calls without tokens, and without a model, are counted as calls."""
    gateway.new_key("system", "default", "openai")
    with openai_client(gateway, "system", "default", gateway.sidecar.token) as client:
        assert [model.id for model in client.models.list()] == ["gpt-5"]
        assert client.embeddings.create(model="text-embedding-3-small", input="x").usage.prompt_tokens == 123

    counted = {item["model"]: (item["requests"], item["input_tokens"]) for item in gateway.usage()}
    assert counted == {"": (1, 0), "text-embedding-3-small": (1, 123)}


def test_stream_that_tells_no_usage_is_counted_as_a_call(gateway: GatewayBackend) -> None:
    """What the caller asks for is not rewritten."""
    gateway.new_key("system", "default", "openai")
    with openai_client(gateway, "system", "default", gateway.sidecar.token) as client:
        list(client.chat.completions.create(model="gpt-5", messages=MESSAGES, stream=True))

    (item,) = gateway.usage()
    assert (item["model"], item["requests"], item["input_tokens"]) == ("gpt-5", 1, 0)


def test_openai_sdk_sees_each_token_as_it_is_sent(gateway: GatewayBackend) -> None:
    """The provider sends the next event only when the one before has arrived."""
    gateway.new_key("system", "default", "openai")
    gate = gateway.providers.openai.gate = Gate()
    with openai_client(gateway, "system", "default", gateway.sidecar.token) as client:
        gate.let()
        stream = client.chat.completions.create(model="gpt-5", messages=MESSAGES, stream=True)
        chunks = iter(stream)
        assert next(chunks).choices[0].delta.role == "assistant"
        for piece in REPLY.pieces:
            gate.let()
            assert next(chunks).choices[0].delta.content == piece
        gate.open()
        assert [chunk.choices[0].finish_reason for chunk in chunks] == ["stop"]


def test_openai_sdk_that_leaves_a_stream_ends_it(gateway: GatewayBackend) -> None:
    """The provider stops at once, and what was told so far is counted."""
    gateway.new_key("system", "default", "openai")
    gate = gateway.providers.openai.gate = Gate()
    with openai_client(gateway, "system", "default", gateway.sidecar.token) as client:
        gate.let(2)
        with client.chat.completions.create(model="gpt-5", messages=MESSAGES, stream=True) as stream:
            next(iter(stream))
        (request,) = gateway.providers.openai.requests
        assert request.is_given_up.wait(5.0)

    (item,) = gateway.usage()
    assert (item["model"], item["requests"]) == ("gpt-5", 1)


@pytest.mark.parametrize(
    ("behaviour", "error", "code"),
    [
        ("invalid", "APIStatusError", "key-rejected"),
        ("no_quota", "APIStatusError", "no-quota"),
        ("missing_scopes", "PermissionDeniedError", "key-limited"),
        ("rate_limited", "RateLimitError", None),
        ("server_error", "InternalServerError", "provider-error"),
        ("not_found", "NotFoundError", None),
    ],
)
def test_openai_sdk_raises_what_its_users_expect(
    gateway: GatewayBackend, behaviour: str, error: str, code: str | None
) -> None:
    """With our code beside it where the sentence is ours."""
    import openai

    gateway.new_key("system", "default", "openai", behaviour)
    with (
        openai_client(gateway, "system", "default", gateway.sidecar.token) as client,
        pytest.raises(getattr(openai, error)) as caught,
    ):
        client.chat.completions.create(model="gpt-5", messages=MESSAGES)

    assert caught.value.response.headers.get("Taskflow-Error-Code") == code
    assert gateway.usage() == []


def test_openai_sdk_is_the_way_to_deepseek_too(gateway: GatewayBackend) -> None:
    """Which speaks the same language."""
    key = gateway.new_key("user", "ann", "deepseek")
    with openai_client(gateway, "user", "ann", token_for("ann"), "deepseek") as client:
        answer = client.chat.completions.create(model="deepseek-chat", messages=MESSAGES)

    assert answer.choices[0].message.content == REPLY.text
    assert gateway.keys_sent(gateway.providers.deepseek) == [key]
    used(gateway, "user", "ann", "deepseek", "deepseek-chat", 1)


def test_asynchronous_openai_sdk_streams_side_by_side(gateway: GatewayBackend) -> None:
    """Twenty conversations at once, each counted once."""
    import openai

    gateway.new_key("system", "default", "openai")
    base_url, token = f"{gateway.base_url('system', 'default', 'openai')}/v1", gateway.sidecar.token

    async def converse() -> list[str]:
        async with openai.AsyncOpenAI(base_url=base_url, api_key=token, max_retries=0) as client:
            return await asyncio.gather(*(said(client) for _ in range(20)))

    async def said(client: openai.AsyncOpenAI) -> str:
        stream = await client.chat.completions.create(
            model="gpt-5", messages=MESSAGES, stream=True, stream_options={"include_usage": True}
        )
        return "".join([chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices])

    assert asyncio.run(converse()) == [REPLY.text] * 20
    used(gateway, "system", "default", "openai", "gpt-5", 20)


# Anthropic


@pytest.mark.parametrize(
    ("kind", "owner", "token", "name"),
    [
        ("system", "default", None, "anthropic"),
        ("user", "ann", token_for("ann"), "anthropic"),
        ("user", "ann", token_for("ann"), "initial:anthropic"),
        ("tenant", "acme", token_for("ben", "acme"), "anthropic"),
        ("server", "guild", None, "anthropic"),
    ],
)
def test_anthropic_sdk_converses_for_every_owner(
    gateway: GatewayBackend, kind: str, owner: str, token: str | None, name: str
) -> None:
    """At once and in a stream, whose first event tells the input and whose last the output."""
    is_initial = name.startswith("initial:")
    holder = ("system", "default") if is_initial else (kind, owner)
    gateway.add_server("guild", "anthropic")
    key = gateway.new_key(*holder, "anthropic", name=name)
    with anthropic_client(gateway, kind, owner, token or gateway.sidecar.token) as client:
        whole: Any = client.messages.create(model="claude-opus-4-1", max_tokens=99, messages=MESSAGES)
        with client.messages.stream(model="claude-opus-4-1", max_tokens=99, messages=MESSAGES) as stream:
            streamed = "".join(stream.text_stream)

    assert whole.content[0].text == streamed == REPLY.text
    sent = {name: value for name, value in gateway.providers.anthropic.requests[0].headers if "key" in name}
    assert sent == {"x-api-key": key}
    used(gateway, kind, owner, "anthropic", "claude-opus-4-1", 2)


def test_asynchronous_anthropic_sdk_sees_each_token_as_it_is_sent(gateway: GatewayBackend) -> None:
    """The provider waits for the caller before it sends on."""
    import anthropic

    gateway.new_key("system", "default", "anthropic")
    gate = gateway.providers.anthropic.gate = Gate()
    base_url, token = gateway.base_url("system", "default", "anthropic"), gateway.sidecar.token

    async def converse() -> list[str]:
        async with anthropic.AsyncAnthropic(base_url=base_url, api_key=token, max_retries=0) as client:
            gate.let(4)  # start of the message, start of the text, a ping, the first piece
            stream = await client.messages.create(
                model="claude-opus-4-1", max_tokens=99, messages=MESSAGES, stream=True
            )
            pieces = []
            async for event in stream:
                if event.type == "content_block_delta" and event.delta.type == "text_delta":
                    pieces.append(event.delta.text)
                    gate.let()
                    if len(pieces) == len(REPLY.pieces):
                        gate.open()
            return pieces

    assert asyncio.run(asyncio.wait_for(converse(), 20)) == list(REPLY.pieces)
    used(gateway, "system", "default", "anthropic", "claude-opus-4-1", 1)


# Google, whose SDK is not at hand: its protocol as documented


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("v1beta/models/gemini-2.5-pro:generateContent", {}),
        ("v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse", {}),
        ("v1beta/models/gemini-2.5-pro:streamGenerateContent", {}),
    ],
)
def test_gemini_is_counted_in_each_of_its_forms(gateway: GatewayBackend, path: str, body: dict[str, Any]) -> None:
    """A document, an event stream, and an array that arrives in pieces."""
    key = gateway.new_key("system", "default", "google")
    url = f"{gateway.base_url('system', 'default', 'google')}/{path}"

    answer = httpx.post(url, json=body, headers={"x-goog-api-key": gateway.sidecar.token}, trust_env=False)

    assert answer.status_code == 200, answer.text
    assert gateway.keys_sent(gateway.providers.google) == [key]
    used(gateway, "system", "default", "google", "gemini-2.5-pro", 1)
