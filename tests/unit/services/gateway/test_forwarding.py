"""Patience with providers: how long each wait may last; and when a call is charged."""

from __future__ import annotations

import asyncio
import dataclasses
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from app.core.exceptions import RequestError
from app.services.ai_keys.watch import watch_keys
from app.services.gateway import forwarding
from app.services.gateway.answer import AnswerBrokenError
from app.services.gateway.call import Call
from app.services.gateway.connection import Patience
from app.services.gateway.forwarding import Gateway
from app.services.gateway.key_choice import KeyChoice, KeyOwner
from app.services.gateway.mask import Mask
from app.services.gateway.tokens import Follower, Used
from app.services.gateway.usage import Usage
from app.services.vault.rows import SecretName
from app.services.vault.vault import Vault
from tests.support.ai_answers import Canned
from tests.support.ai_providers import AIProviders, Gate
from tests.support.network import LoopbackServer, black_hole
from tests.support.vaults import desktop

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from app.core.config import Config
    from tests.support.in_process import InProcess
    from tests.support.vaults import Desktop

OWNER = KeyOwner("system", "default", "openai")
PATIENCE = Patience(connect_s=0.4, send_s=0.4, silence_s=0.4, error_s=0.4)


@pytest.fixture
def store(sqlite_store: InProcess) -> InProcess:
    """An empty database."""
    return sqlite_store


@pytest.fixture
def ours(store: InProcess, tmp_path: Path) -> Desktop:
    """A desktop with a vault."""
    return desktop(store, tmp_path / "ours")


@pytest.fixture
def providers() -> Iterator[AIProviders]:
    """The test servers."""
    with AIProviders() as started:
        yield started


def gateway_to(ours: Desktop, urls: dict[str, str], secret: str) -> tuple[Gateway, list[Any]]:
    """A gateway with little patience, and the doubts that it has."""
    config: Config = dataclasses.replace(ours.config, provider_urls=urls)
    vault = Vault(config, ours.store.database, ours.audit, watch_keys(config))
    vault.attachment.attach()
    with vault.writing() as connection:
        vault.put(connection, SecretName("system", "default", "openai"), secret, actor="test")
    doubts: list[Any] = []
    usage = Usage(ours.store.database)
    choice = KeyChoice(config, ours.store.database, vault, usage)
    return Gateway(config, choice, usage, doubt=lambda *doubt: doubts.append(doubt), patience=PATIENCE), doubts


async def nothing() -> AsyncIterator[bytes]:
    """No body."""
    pieces: tuple[bytes, ...] = ()
    for piece in pieces:
        yield piece


async def endless() -> AsyncIterator[bytes]:
    """A body without an end."""
    while True:
        yield b"x" * 65536


def called(gateway: Gateway, *, method: str = "GET", body: AsyncIterator[bytes] | None = None) -> bytes:
    """Make a call and return the body of the answer."""
    headers = [(b"transfer-encoding", b"chunked")] if body is not None else []
    call = Call(method, OWNER, "/ai-gateway/system/default/openai", b"/v1/models", b"", headers)

    async def run() -> bytes:
        try:
            async with gateway.answering(call, body or nothing(), actor="test") as answer:
                return b"".join([piece async for piece in answer.body])
        finally:
            await gateway.close()

    return asyncio.run(run())


def refused(gateway: Gateway, **more: Any) -> RequestError:
    """Make a call that has to be refused soon."""
    started = time.monotonic()
    with pytest.raises(RequestError) as caught:
        called(gateway, **more)
    assert time.monotonic() - started < 5
    return caught.value


def test_genuine_call_passes(ours: Desktop, providers: AIProviders) -> None:
    """The control: patience is no hindrance."""
    gateway, doubts = gateway_to(ours, providers.urls(), providers.openai.new_key())

    assert b"gpt-5" in called(gateway)
    assert doubts == []


def test_provider_that_does_not_answer_is_given_up(ours: Desktop, providers: AIProviders) -> None:
    """Silence is an outage."""
    gateway, doubts = gateway_to(ours, providers.urls(), providers.openai.new_key("hang"))

    error = refused(gateway)

    assert (error.status, error.code) == (503, "provider-unreachable")
    assert error.headers["Retry-After"]
    assert doubts == []


def test_address_that_swallows_packets_is_given_up(ours: Desktop) -> None:
    """Not even a connection is made."""
    with black_hole() as (host, port):
        gateway, _ = gateway_to(ours, {"openai": f"http://{host}:{port}"}, "sk-some-key-0123456789")
        assert refused(gateway).code == "provider-unreachable"


def test_provider_that_takes_no_bytes_is_given_up(ours: Desktop) -> None:
    """In the middle of a body without an end."""

    def stare(connection: Any) -> None:
        connection.recv(1)
        time.sleep(2)

    with LoopbackServer(stare) as server:
        gateway, _ = gateway_to(ours, {"openai": f"http://127.0.0.1:{server.port}"}, "sk-some-key-0123456789")
        assert refused(gateway, method="POST", body=endless()).code == "provider-unreachable"


def test_stream_that_falls_silent_breaks_off(ours: Desktop, providers: AIProviders) -> None:
    """It cannot be completed; what has come has come."""
    gate = providers.openai.gate = Gate()
    gate.let()
    key = providers.openai.new_key()
    gateway, _ = gateway_to(ours, providers.urls(), key)
    call = Call(
        "POST",
        OWNER,
        "/ai-gateway/system/default/openai",
        b"/v1/chat/completions",
        b"",
        [(b"transfer-encoding", b"chunked"), (b"content-type", b"application/json")],
    )

    async def body() -> AsyncIterator[bytes]:
        yield b'{"model": "gpt-5", "stream": true}'

    async def run() -> bytes:
        async with gateway.answering(call, body(), actor="test") as answer:
            first = await anext(answer.body)
            with pytest.raises(AnswerBrokenError):
                await anext(answer.body)
        await gateway.close()
        return first

    assert b"chat.completion.chunk" in asyncio.run(run())


def test_error_that_never_ends_is_given_up(ours: Desktop, providers: AIProviders) -> None:
    """It would have to be read to know what it means."""
    gateway, _ = gateway_to(ours, providers.urls(), providers.openai.new_key(Canned(500, b"{}", manner="cut")))

    assert refused(gateway).code == "provider-unreachable"


def test_refusal_raises_a_doubt_about_that_version_of_the_key(ours: Desktop, providers: AIProviders) -> None:
    """And about nothing else."""
    gateway, doubts = gateway_to(ours, providers.urls(), providers.openai.new_key("invalid"))

    assert refused(gateway).code == "key-rejected"
    assert doubts == [(SecretName("system", "default", "openai"), 1)]


@pytest.mark.parametrize("is_told_of_its_length", [True, False])
@pytest.mark.parametrize("kind", ["application/json", "text/event-stream"])
def test_call_is_charged_before_its_end_is_seen(kind: str, *, is_told_of_its_length: bool) -> None:
    """Whoever has the whole answer makes the next call, which must know what this one has cost."""
    answer = b'{"usage": {"prompt_tokens": 60, "completion_tokens": 50}}'
    content = answer if kind == "application/json" else b"data: " + answer + b"\n\ndata: [DONE]\n\n"
    charged: list[int] = []
    keys: Any = SimpleNamespace(spend=lambda _owner, tokens, **_day: charged.append(tokens))

    async def body() -> AsyncIterator[bytes]:
        yield content

    async def read() -> list[int]:
        used, raw, sniffed = Used(), cast("Any", body()), forwarding._Sniffed(body())
        bill = forwarding._Bill(keys, KeyOwner("tenant", "acme", "openai"), used, sniffed)
        length = len(content) if is_told_of_its_length else None
        passed = forwarding._passed_on(raw, Mask("sk-some-key-0123456789"), Follower(kind, used), bill, length)
        seen = [sum(charged) async for _piece in passed]
        return [*seen, sum(charged)]

    *seen, at_the_end = asyncio.run(read())
    assert at_the_end == 110
    # a document of unknown length ends for its caller when nothing more comes
    assert seen[-1] == 110 or (kind == "application/json" and not is_told_of_its_length)
