"""Checks of keys: bounded in number and time, sent nowhere but to the provider, and never loud about the key."""

from __future__ import annotations

import gc
import socket
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import httpx
import pytest

from app.core.caller import LAUNCHER, Caller
from app.core.config import Config
from app.core.exceptions import TooManyRequestsError
from app.services.ai_keys.checks import CHECKS_A_MINUTE, MAX_THREADS, KeyChecks
from app.services.providers import PROVIDERS, Verdict
from app.services.providers.outbound import MAX_BODY_BYTES, Answer, Exchange, NoAnswer, is_loopback
from tests.support.ai_answers import Canned
from tests.support.ai_providers import AIProviders, Gate
from tests.support.network import LoopbackServer, free_port
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

SHORT_S = 0.6
"""Deadline of those who meet a server that never ends."""
BUSY_S = 3.0
"""How much later things may happen on a busy computer."""


@pytest.fixture
def providers() -> Iterator[AIProviders]:
    """The four, on their ports."""
    with AIProviders() as running:
        yield running


def checks_at(urls: dict[str, str], **options: Any) -> KeyChecks:
    """Checks with providers at those addresses."""
    return KeyChecks(Config(config_dir=Path("unused"), data_dir=Path("unused"), provider_urls=urls), **options)


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """What time it is."""
        return self.now


# --- how often -------------------------------------------------------------------------------------------------------


def test_the_eleventh_check_is_refused_before_anything_is_sent(providers: AIProviders) -> None:
    """Whatever the provider, the key and the verdict; with the time to wait."""
    clock = Clock()
    checks = checks_at(providers.urls(), clock=clock)
    for number in range(CHECKS_A_MINUTE):
        provider = providers.all()[number % 4]
        checks.check(provider.name, provider.random_key(), caller=LAUNCHER)
    clock.now = 17.5
    before = providers.connections()

    with pytest.raises(TooManyRequestsError) as refused:
        checks.check("openai", providers.openai.new_key(), caller=LAUNCHER)

    assert refused.value.headers == {"Retry-After": "43"}
    assert (providers.connections(), len(providers.requests())) == (before, CHECKS_A_MINUTE)
    clock.now = 60.0
    assert checks.check("openai", providers.openai.new_key(), caller=LAUNCHER).valid


def test_callers_have_limits_of_their_own_and_checks_on_our_own_behalf_have_none(providers: AIProviders) -> None:
    """The launch token, each user, whatever their tenant; re-validation counts against nobody."""
    checks = checks_at(providers.urls(), clock=Clock())
    key = providers.openai.new_key()
    callers = [LAUNCHER, Caller("1"), Caller("10"), Caller("launch-token")]

    for caller in callers:
        for _ in range(CHECKS_A_MINUTE):
            checks.check("openai", key, caller=caller)
    for caller in [*callers, Caller("1", "acme")]:
        with pytest.raises(TooManyRequestsError):
            checks.check("openai", key, caller=caller)
    assert checks.begin("openai", key).verdict().valid

    assert len(providers.openai.requests) == len(callers) * CHECKS_A_MINUTE + 1


@pytest.mark.quiet
def test_a_refusal_does_not_wait_for_a_thread(providers: AIProviders) -> None:
    """With every thread busy at a provider that hangs, the limit is told at once, and the others get their turn."""
    gate = providers.openai.hold = Gate()
    checks = checks_at(providers.urls())
    key = providers.openai.new_key()
    verdicts: list[Verdict] = []

    async def check(caller: Caller) -> None:
        verdicts.append(await checks.check_in_thread("openai", key, caller=caller))

    async def crowd() -> None:
        async with anyio.create_task_group() as tasks:
            for number in range(MAX_THREADS):
                tasks.start_soon(check, Caller(str(number // CHECKS_A_MINUTE)))
            await anyio.to_thread.run_sync(lambda: providers.openai.wait_for_request(MAX_THREADS))
            tasks.start_soon(check, Caller("late"))
            began = time.monotonic()
            with pytest.raises(TooManyRequestsError):
                await checks.check_in_thread("openai", key, caller=Caller("0"))
            assert time.monotonic() - began < 0.5
            assert len(providers.openai.requests) == MAX_THREADS
            gate.open()

    anyio.run(crowd)

    assert [verdict.valid for verdict in verdicts] == [True] * (MAX_THREADS + 1)


# --- how long --------------------------------------------------------------------------------------------------------


@pytest.mark.quiet
@pytest.mark.parametrize("manner", ["hang", "drip", "drip_headers"])
def test_a_provider_that_never_ends_is_cut_off(providers: AIProviders, manner: str) -> None:
    """At the deadline, though bytes keep coming; the connection is closed and the thread ends."""
    provider = providers.openai
    headers = PROVIDERS["openai"].headers(provider.new_key(manner))
    began = time.monotonic()

    outcome = Exchange(f"{provider.url}/v1/models", headers, deadline_s=SHORT_S).result()

    assert outcome == NoAnswer("time-out")
    assert SHORT_S <= time.monotonic() - began < SHORT_S + BUSY_S
    assert provider.wait_for_request().is_given_up.wait(5)
    wait_until(lambda: not _running("provider"), timeout_s=30, what="the thread to end")


@pytest.mark.quiet
def test_a_peer_that_accepts_and_says_nothing_is_cut_off_too() -> None:
    """Not even a TLS greeting comes back."""
    with LoopbackServer(_drain) as silent:
        began = time.monotonic()
        outcome = Exchange(f"https://127.0.0.1:{silent.port}/", {}, deadline_s=SHORT_S).result()

        assert outcome == NoAnswer("time-out")
        assert time.monotonic() - began < SHORT_S + BUSY_S


def _drain(connection: socket.socket) -> None:
    while connection.recv(1024):
        pass


def _running(name: str) -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == name]


def test_a_body_is_read_so_far_and_no_further(providers: AIProviders) -> None:
    """A list of models may be long, but not endless; what came is judged."""
    long = b'{"data": [' + b'{"id": "m"},' * 50_000 + b'{"id": "n"}]}'
    endless = Canned(401, b'{"error": ' + b" " * (4 * MAX_BODY_BYTES))
    openai = providers.openai
    checks = checks_at(providers.urls())

    assert checks.begin("openai", openai.new_key(Canned(200, long))).verdict() == Verdict("valid", "listed")
    assert checks.begin("openai", openai.new_key(endless)).verdict() == Verdict("unknown", "http-401")
    outcome = Exchange(f"{openai.url}/", PROVIDERS["openai"].headers(openai.new_key(endless))).result()
    assert isinstance(outcome, Answer)
    assert len(outcome.body) == MAX_BODY_BYTES
    assert openai.requests[-1].is_given_up.wait(5)


# --- where to --------------------------------------------------------------------------------------------------------


def test_whoever_cannot_be_reached_says_nothing_about_the_key(providers: AIProviders) -> None:
    """No such port, no such name, no TLS: each is unreachable, with a word for it."""
    key = providers.openai.new_key()
    places = {
        f"http://127.0.0.1:{free_port()}": "no-connection",
        "http://no-such-host.invalid": "no-connection",
        f"https://127.0.0.1:{providers.openai.port}": "tls",
    }

    for place, evidence in places.items():
        assert checks_at({"openai": place}).begin("openai", key).verdict() == Verdict("unreachable", evidence), place


def test_proxies_have_no_business_with_loopback(providers: AIProviders, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy of the system is asked for other hosts, and for this computer never."""
    key = providers.openai.new_key()
    for variable in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(variable, providers.google.url)
    for variable in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(variable, raising=False)
    port = providers.openai.port

    for host in ("127.0.0.1", "localhost"):
        verdict = checks_at({"openai": f"http://{host}:{port}"}).begin("openai", key).verdict()
        assert verdict.valid
    assert providers.google.requests == []
    checks_at({"openai": "http://provider.example"}).begin("openai", key).verdict()
    (proxied,) = providers.google.requests
    assert proxied.target == "http://provider.example/v1/models"


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:9", "nonsense://x", "http://127.0.0.1:9"])
def test_a_proxy_that_cannot_be_used_is_trouble_on_the_way(proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It neither ends the process nor says anything about the key."""
    monkeypatch.setenv("ALL_PROXY", proxy)

    verdict = checks_at({"openai": "http://provider.example"}).begin("openai", "sk-0123456789").verdict()

    assert verdict.status == "unreachable"


def test_a_relay_below_a_path_is_asked_there(providers: AIProviders) -> None:
    """The base URL's path stays in front of the provider's own."""
    checks = checks_at({"google": f"{providers.google.url}/relay"})

    checks.begin("google", providers.google.new_key()).verdict()

    assert providers.google.requests[0].target == "/relay/v1beta/models?pageSize=1"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1:8080", True),
        ("http://127.9.9.9", True),
        ("https://LOCALHOST/x", True),
        ("http://localhost.:1", True),
        ("http://api.localhost", True),
        ("http://[::1]:8080", True),
        ("http://[::ffff:127.0.0.1]", True),
        ("https://api.openai.com", False),
        ("http://10.0.0.1", False),
        ("http://127.0.0.1.example", False),
        ("http://notlocalhost", False),
    ],
)
def test_loopback_is_known_by_name_and_number(url: str, *, expected: bool) -> None:
    """Whichever way it is written."""
    assert is_loopback(url) is expected


# --- what for --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "key", ["sk-line\nbreak", "sk-\r\nX-Injected: 1", "clé-secrète-12", "sk two words", "\x7fkey", ""]
)
def test_a_key_that_no_header_can_hold_is_not_sent(providers: AIProviders, key: str) -> None:
    """No provider can have issued it; nothing is raised that could repeat it."""
    checks = checks_at(providers.urls())

    for name in PROVIDERS:
        assert checks.check(name, key, caller=Caller(name)) == Verdict("invalid", "characters")
    assert providers.connections() == 0


def test_no_object_tells_the_key(providers: AIProviders) -> None:
    """Neither the representation of what takes part, nor an error that is kept: httpx's hold the whole request."""
    key = providers.openai.new_key("drop")
    check = checks_at(providers.urls()).begin("openai", key)

    verdict = check.verdict()

    assert verdict.status == "unreachable"
    assert key not in repr([check, check._exchange, verdict])
    gc.collect()
    assert not [found for found in gc.get_objects() if isinstance(found, httpx.HTTPError)]
