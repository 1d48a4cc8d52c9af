"""The gateway: calls to an AI provider through it, beside the same calls made directly."""

import http.client
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from tests.support.ai_answers import Reply
from tests.support.ai_providers import AIProviders, FakeProvider

from _measure import Bench, Row, compared, in_turn, seconds_for
from _servers import TOKEN, Server, bare_proxy, sidecar

CALLS = 200
CALLERS = 8
EVENTS = 2000
BODY_MIB = 32
OVERHEAD_S = 0.0025
"""What a call through the gateway may take beyond the call itself."""
PREFIX = "/ai-gateway/system/default/openai"
CHAT = {"model": "gpt-5", "messages": [{"role": "user", "content": "Hi"}]}


def measure(bench: Bench) -> Iterator[Row]:
    """Yield the rows of short calls, streams and large bodies, on each database."""
    for database in ("sqlite", "postgresql"):
        url = bench.new_database("gateway") if database == "postgresql" else None
        with (
            AIProviders() as providers,
            sidecar(bench.home / f"gateway-{database}", url, providers.environment()) as running,
        ):
            running.milestones()
            key = providers.openai.new_key()
            operation = {"op": "set", "owner_kind": "system", "owner_id": "default", "name": "openai", "secret": key}
            running.request("POST", "/api/v1/vault/bulk", {"operations": [operation]})
            through, direct = Way(running.port, PREFIX, TOKEN), Way(providers.openai.port, "", key)
            at_first = running.memory_mib()
            yield from measure_ways(bench.rounds, database, through, direct, providers.openai)
            with bare_proxy(providers.openai.url, key) as proxy:
                yield from measure_beside_proxy(bench.rounds, database, running, proxy)
            peak = running.peak_memory_mib()
        yield Row(f"{database}: gateway, memory", "MiB", peak, "before it", at_first, peak / at_first, "at most 1.5")


class Way:
    """A way to the provider, over one connection that is kept."""

    def __init__(self, port: int, prefix: str, token: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._prefix = prefix
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def call(self, path: str, body: bytes) -> int:
        """Make one call; return the length of the answer."""
        self._connection.request("POST", self._prefix + path, body, self._headers)
        answer = self._connection.getresponse()
        text = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{path} answered {answer.status}")
        return len(text)


def measure_ways(rounds: int, database: str, through: Way, direct: Way, provider: FakeProvider) -> Iterator[Row]:
    """Yield a row for each kind of call, made both ways in turn."""
    chat, stream = (json.dumps({**CHAT, "stream": is_stream}).encode() for is_stream in (False, True))
    provider.reply = Reply()
    taken = in_turn(rounds, partial(per_call, through, chat), partial(per_call, direct, chat))
    yield compared(f"{database}: gateway, a call", "ms", taken[0], "direct call", taken[1], "-", 1000)
    difference = [ours - floor for ours, floor in zip(*taken, strict=True)]
    may_take = [OVERHEAD_S] * rounds
    yield compared(f"{database}: gateway, overhead", "ms", difference, "what it may be", may_take, "at most 1", 1000)
    provider.reply = Reply(pieces=("word ",) * EVENTS)
    taken = in_turn(rounds, partial(events_a_second, through, stream), partial(events_a_second, direct, stream))
    yield compared(f"{database}: gateway, a stream", "events/s", taken[0], "direct call", taken[1], "at least 0.7")
    body = b"x" * (BODY_MIB << 20)
    taken = in_turn(rounds, partial(mib_a_second, through, body), partial(mib_a_second, direct, body))
    yield compared(f"{database}: gateway, there and back", "MiB/s", taken[0], "direct call", taken[1], "-")


def measure_beside_proxy(rounds: int, database: str, running: Server, proxy: Server) -> Iterator[Row]:
    """Yield rows beside a proxy on the same framework that does nothing else.

    How many short calls a second pass; and what one takes of a processor, which other programs change least.
    """
    chat = json.dumps(CHAT).encode()
    floor = "bare httpx proxy"
    through = [Way(running.port, PREFIX, TOKEN) for _ in range(CALLERS)]
    bare = [Way(proxy.port, "", "none") for _ in range(CALLERS)]
    for callers in (1, CALLERS):
        ways = partial(calls_a_second, through[:callers], chat), partial(calls_a_second, bare[:callers], chat)
        taken = in_turn(rounds, *ways)
        name = f"{database}: gateway, {callers} at once"
        yield compared(name, "calls/s", taken[0], floor, taken[1], "at least 0.5")
    taken = in_turn(rounds, partial(cpu_per_call, running, through, chat), partial(cpu_per_call, proxy, bare, chat))
    yield compared(f"{database}: gateway, CPU a call", "ms", taken[0], floor, taken[1], "at most 2", 1000)


def calls_a_second(ways: list[Way], body: bytes) -> float:
    """Return how many short calls pass in a second, each way being asked by a thread of its own."""
    each = CALLS // len(ways)

    def ask(way: Way) -> None:
        for _ in range(each):
            way.call("/v1/chat/completions", body)

    with ThreadPoolExecutor(len(ways)) as pool:
        return each * len(ways) / seconds_for(lambda: list(pool.map(ask, ways)))


def cpu_per_call(server: Server, ways: list[Way], body: bytes) -> float:
    """Return the processor seconds that a short call takes in a server."""
    before = server.cpu_s()
    calls_a_second(ways, body)
    return (server.cpu_s() - before) / CALLS


def per_call(way: Way, body: bytes) -> float:
    """Return the seconds that a short call takes."""
    return seconds_for(lambda: [way.call("/v1/chat/completions", body) for _ in range(CALLS)]) / CALLS


def events_a_second(way: Way, body: bytes) -> float:
    """Return how many events of a stream arrive in a second."""
    return EVENTS / seconds_for(lambda: way.call("/v1/chat/completions", body))


def mib_a_second(way: Way, body: bytes) -> float:
    """Return how fast a large body goes to the provider and comes back."""
    return 2 * BODY_MIB / seconds_for(lambda: way.call("/v1/echo", body))
