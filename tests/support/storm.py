"""A storm: several sidecars work on one database while faults come and go, and a model knows what must be there.

Each worker keeps to rows of its own, so what it was answered is all there is to know: what was acknowledged has to be
found at the end, once; what was refused must not be; and what was answered by a lost connection may be there, at most
once, unless it bore an `Idempotency-Key`: then it is sent again until it is answered, and must be there once. What is
done, and which faults come, follows from the seed.
"""

from __future__ import annotations

import base64
import collections
import contextlib
import functools
import itertools
import random
import secrets
import statistics
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import httpx

from tests.support import faults
from tests.support.sidecar import Sidecar, SidecarExitedError
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from tests.support.databases import Database

AMBIGUOUS: Final = ("connection-lost", "busy", "connection-timeout")
"""Codes of 503 after which a write may have happened all the same: the answer to a commit did not come."""
HEAL_S: Final = 60.0
PROBE_S: Final = 0.02
REQUEST_S: Final = 30.0
UNANSWERED: Final = 0


@dataclass
class Desktop:
    """A sidecar and its way to the server."""

    sidecar: Sidecar
    proxy: faults.FaultyProxy
    directory: Any = None
    """A small disk of its own under the config directory, if there is one."""


@dataclass
class Tally:
    """What one fault did."""

    times: int = 0
    operations: int = 0
    acknowledged: int = 0
    disagreements: list[float] = field(default_factory=list)
    """Of each time: the longest span in which health and data calls of a sidecar told different stories."""
    recoveries: list[float] = field(default_factory=list)
    """Of each time: from the fault's end until every sidecar was healthy and answered."""


@dataclass
class Probe:
    """What one look at a sidecar showed."""

    began: float
    ended: float
    is_healthy: bool
    answers: bool


@contextlib.contextmanager
def stormy(database: Database, home: Path, *, desktops: int = 3, has_disks: bool = False) -> Iterator[list[Desktop]]:
    """Run sidecars that share a vault, each with a network of its own in front of the database's server.

    Args:
        database: with the product's tables.
        home: where their directories are.
        desktops: how many.
        has_disks: put each config directory on a file system of its own, which may be filled.
    """
    key = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
    with contextlib.ExitStack() as stack:
        made = []
        for number in range(desktops):
            directory = home / f"desktop-{number}"
            if has_disks:
                stack.enter_context(faults.small_disk(directory, "4m"))
            proxy = stack.enter_context(faults.FaultyProxy(database.server.port, seed=number))
            env = {"TASKFLOW_EMBEDDED": "0", "ENCRYPTION_KEY": key}
            sidecar = stack.enter_context(Sidecar(config_dir=directory, env=env))
            sidecar.save_connection({**database.fields(), "port": proxy.port})
            made.append(Desktop(sidecar, proxy, directory if has_disks else None))
        for desktop in made:
            desktop.sidecar.wait_healthy()
            desktop.sidecar.wait_for(lambda document: document["vault"]["state"] == "unlocked")
        yield made


class Worker(threading.Thread):
    """Does one thing after the other through changing sidecars, and remembers what must be there."""

    def __init__(self, storm: Storm, number: int) -> None:
        super().__init__(name=f"worker-{number}", daemon=True)
        self.storm = storm
        self.number = number
        self.random = random.Random(f"{storm.seed}-{number}")
        self.names = itertools.count()
        self.tasks: dict[str, str] = {}
        """Titles by id: acknowledged, and not touched by anything doubtful."""
        self.doubtful: dict[str, set[str | None]] = {}
        """What may be there by id; None for nothing."""
        self.deleted: set[str] = set()
        self.refused: dict[str, str] = {}
        """Titles that must not be there, and how that was told."""
        self.perhaps: set[str] = set()
        """Titles that may be there once."""
        self.unanswered: list[tuple[Desktop, str, dict[str, str], str]] = []
        """What is to be sent again: through whom, the key, the body and the title."""
        self.secrets: dict[str, str] = {}
        self.doubtful_secrets: set[str] = set()
        self.faults: list[str] = []
        """What the sidecars should never have answered."""

    def run(self) -> None:
        """Work until the storm is over."""
        moves: list[Callable[[Desktop], None]] = [
            *(self.create, self.create, self.change, self.remove, self.read, self.seal)
        ]
        while not self.storm.is_over.is_set():
            desktop = self.random.choice(self.storm.desktops)
            self.random.choice(moves)(desktop)

    def call(self, desktop: Desktop, method: str, path: str, **given: Any) -> httpx.Response | None:
        """Send a request; None if it was not answered."""
        began = time.monotonic()
        answer = None
        with contextlib.suppress(httpx.HTTPError, RuntimeError, SidecarExitedError, TimeoutError):
            answer = desktop.sidecar.request(method, f"/api/v1/{path}", timeout_s=REQUEST_S, **given)
        self.storm.count(began, answer)
        if answer is not None and answer.status_code >= 500 and answer.status_code != 503:
            self.faults.append(f"{method} {path}: {answer.status_code} {answer.text}")
        if answer is not None and answer.status_code == 503 and self.storm.rests_s:
            time.sleep(self.storm.rests_s)  # as a client would, rather than counting refusals
        return answer

    def title(self) -> str:
        """Return a title that nobody else uses."""
        return f"w{self.number}-{next(self.names)}"

    def create(self, desktop: Desktop) -> None:
        """Add a task, in half of the cases so that it can be sent again."""
        title, has_key = self.title(), self.random.random() < 0.5
        body = {"title": title, "status": "To Do", "priority": "Low"}
        headers = {"Idempotency-Key": f"{self.storm.seed}-{title}"} if has_key else {}
        answer = self.call(desktop, "POST", "tasks", json=body, headers=headers)
        if answer is not None and answer.status_code == 201:
            self.tasks[answer.json()["id"]] = title
        elif not _is_ambiguous(answer):
            self.refused[title] = self.storm.told(answer)
        elif has_key:
            self.unanswered.append((desktop, headers["Idempotency-Key"], body, title))
        else:
            self.perhaps.add(title)

    def change(self, desktop: Desktop) -> None:
        """Give a task another title."""
        if not self.tasks:
            return
        identifier, title = self.random.choice(list(self.tasks)), self.title()
        answer = self.call(desktop, "PATCH", f"tasks/{identifier}", json={"title": title})
        if answer is not None and answer.status_code == 200:
            self.tasks[identifier] = title
        elif _is_ambiguous(answer):
            self.doubtful[identifier] = {self.tasks.pop(identifier), title}
        else:
            self._expect_refusal(answer, "PATCH")
            self.refused[title] = self.storm.told(answer)

    def remove(self, desktop: Desktop) -> None:
        """Delete a task."""
        if len(self.tasks) < 3:
            return
        identifier = self.random.choice(list(self.tasks))
        answer = self.call(desktop, "DELETE", f"tasks/{identifier}")
        if answer is not None and answer.status_code == 204:
            del self.tasks[identifier]
            self.deleted.add(identifier)
        elif _is_ambiguous(answer):
            self.doubtful[identifier] = {self.tasks.pop(identifier), None}
        else:
            self._expect_refusal(answer, "DELETE")

    def read(self, desktop: Desktop) -> None:
        """Read a task of which everything is known."""
        if not self.tasks:
            return
        identifier = self.random.choice(list(self.tasks))
        answer = self.call(desktop, "GET", f"tasks/{identifier}")
        if answer is not None and answer.status_code == 200 and answer.json()["title"] != self.tasks[identifier]:
            self.faults.append(f"{identifier}: {answer.json()['title']} in the place of {self.tasks[identifier]}")
        elif answer is not None and answer.status_code == 404:
            self.faults.append(f"{identifier}: {self.tasks[identifier]} is lost")

    def seal(self, desktop: Desktop) -> None:
        """Store or replace a secret, or read one."""
        name = f"w{self.number}-{self.random.randrange(4)}"
        if name in self.doubtful_secrets:
            return
        key = f"sk-of-{self.title()}-{self.random.getrandbits(64):016x}"
        answer = self.call(desktop, "PUT", f"servers/{name}/config", json={**CHAT_SERVER, "api_key": key})
        if answer is not None and answer.status_code == 200:
            self.secrets[name] = key
        elif _is_ambiguous(answer):
            self.secrets.pop(name, None)
            self.doubtful_secrets.add(name)
        else:
            self._expect_refusal(answer, "PUT")

    def _expect_refusal(self, answer: httpx.Response | None, what: str) -> None:
        if answer is not None and answer.status_code != 503 and answer.status_code < 500:
            self.faults.append(f"{what}: {answer.status_code} {answer.text}")

    def settle(self) -> None:
        """Send again what was not answered, until it is."""
        for desktop, key, body, title in self.unanswered:
            answer: httpx.Response | None = None
            deadline = time.monotonic() + HEAL_S
            while _is_ambiguous(answer) and time.monotonic() < deadline:
                headers = {"Idempotency-Key": key}
                answer = self.call(desktop, "POST", "tasks", json=body, headers=headers)
            if answer is None or answer.status_code != 201:
                self.faults.append(f"{title}: not taken again: {answer and answer.text}")
            else:
                self.tasks[answer.json()["id"]] = title
        self.unanswered.clear()

    def judge(
        self, found: dict[str, str], times: collections.Counter[str], reveal: Callable[[str], str | None]
    ) -> None:
        """Compare what is there with what must be."""
        for identifier, title in self.tasks.items():
            if found.get(identifier) != title:
                self.faults.append(f"LOST: {title} is acknowledged, found is {found.get(identifier)}")
            elif times[title] != 1:
                self.faults.append(f"DOUBLED: {title} is there {times[title]} times")
        for identifier in self.deleted & found.keys():
            self.faults.append(f"BACK: {found[identifier]} was deleted")
        for title in self.refused.keys() & times.keys():
            self.faults.append(f"REFUSED: {title} is there; it was told {self.refused[title]}")
        self.faults += [f"DOUBLED: {title} is there {times[title]} times" for title in self.perhaps if times[title] > 1]
        for identifier, candidates in self.doubtful.items():
            if found.get(identifier) not in candidates:
                self.faults.append(f"WRONG: {found.get(identifier)} is none of {candidates}")
        for name, key in self.secrets.items():
            if (found_key := reveal(name)) != key:
                self.faults.append(f"LOST: the secret of {name}: {key} was acknowledged, found is {found_key}")


CHAT_SERVER: Final = {
    "provider": "openai",
    "dm_roll_visibility": "public",
    "player_roll_mode": "auto_visible",
    "character_sheet_mode": "digital_sheet",
}


def _is_ambiguous(answer: httpx.Response | None) -> bool:
    if answer is None:
        return True
    return answer.status_code == 503 and answer.headers.get("Taskflow-Error-Code") in AMBIGUOUS


class Storm:
    """The sidecars, the workers, the faults, and what came of it."""

    def __init__(
        self, seed: int, desktops: Sequence[Desktop], database: Database, *, workers: int = 4, rests_s: float = 0.0
    ) -> None:
        self.seed = seed
        self.desktops = list(desktops)
        self.database = database
        self.random = random.Random(seed)
        self.is_over = threading.Event()
        self.rests_s = rests_s
        self.tallies: dict[str, Tally] = {}
        self.operations = self.faulted = self.acknowledged = 0
        self.happened: list[str] = []
        self._present: str | None = None
        self._counting = threading.Lock()
        self._fault_ended = 0.0
        self.workers = [Worker(self, number) for number in range(workers)]
        self._probes: list[list[Probe]] = [[] for _ in desktops]

    def count(self, began: float, answer: httpx.Response | None) -> None:
        """Count an operation, and whether a fault was there while it lasted."""
        with self._counting:
            self.operations += 1
            is_done = answer is not None and answer.status_code < 400
            self.acknowledged += is_done
            fault = self._present or (self.happened[-1] if began < self._fault_ended else None)
            if fault is not None:
                self.faulted += 1
                self.tallies[fault].operations += 1
                self.tallies[fault].acknowledged += is_done

    def told(self, answer: httpx.Response | None) -> str:
        """Return what an answer says and what fault there was, for the report of what should not be."""
        said = "nothing" if answer is None else f"{answer.status_code} {answer.headers.get('Taskflow-Error-Code')}"
        return f"{said} in {self._present} after {self.happened[-2:]}: {answer and answer.text}"

    def kinds(self) -> dict[str, Callable[[], contextlib.AbstractContextManager[None]]]:
        """Return all faults by name; each acts on everybody, or on a desktop that is chosen."""
        database, server = self.database, self.database.server

        def for_one(make: Callable[[Desktop], contextlib.AbstractContextManager[None]]) -> Any:
            return lambda: make(self.random.choice(self.desktops))

        def for_all(make: Callable[[Desktop], contextlib.AbstractContextManager[None]]) -> Any:
            @contextlib.contextmanager
            def together() -> Any:
                with contextlib.ExitStack() as stack:
                    for desktop in self.desktops:
                        stack.enter_context(make(desktop))
                    yield

            return together

        kinds: dict[str, Callable[[], contextlib.AbstractContextManager[None]]] = {
            "network slow": for_all(lambda each: each.proxy.mood("delay")),
            "network loses packets": for_all(lambda each: each.proxy.mood("loss")),
            "network narrow": for_all(lambda each: each.proxy.mood("throttle")),
            "reset in mid-answer": for_all(lambda each: each.proxy.mood("reset-in-answer")),
            "half a message": for_all(lambda each: each.proxy.mood("half-message")),
            "half-open": for_all(lambda each: each.proxy.half_open()),
            "held up": for_one(lambda each: each.proxy.held_up()),
            "refused": for_all(lambda each: each.proxy.refusing()),
            "one desktop cut off": for_one(lambda each: each.proxy.refusing()),
            "server killed": lambda: faults.dead_server(server),
            "server asleep": lambda: faults.server_asleep(server),
            "server read-only": lambda: faults.read_only(server),
            "sessions ended": self._sessions_ended,
            "no logins": lambda: faults.no_logins(database),
            "table locked": lambda: faults.locked_table(database),
            "sidecar killed": for_one(self._sidecar_killed),
            "sidecar asleep": for_one(lambda each: faults.asleep(each.sidecar.pid)),
            "no descriptors": for_one(lambda each: faults.without_descriptors(each.sidecar)),
        }
        if all(desktop.directory is not None for desktop in self.desktops):
            kinds["disk full"] = for_all(lambda each: faults.full_disk(each.directory))
            kinds["disk read-only"] = for_all(lambda each: faults.read_only_disk(each.directory))
        return kinds

    @contextlib.contextmanager
    def _sessions_ended(self) -> Any:
        self.database.server.terminate_sessions(database=self.database.name)
        yield
        self.database.server.terminate_sessions(database=self.database.name)

    @contextlib.contextmanager
    def _sidecar_killed(self, desktop: Desktop) -> Any:
        desktop.sidecar.process.kill()
        yield
        desktop.sidecar.wait_for_exit()
        desktop.sidecar.start()
        desktop.sidecar.wait_for_listening()

    # The course of it

    def blow(
        self,
        *,
        rounds: int | None = None,
        faulted: int = 0,
        longest_s: float = 1.5,
        only: Sequence[str] = (),
        without: Sequence[str] = (),
    ) -> None:
        """Let each fault come and go, so many times or until so many operations have met one; then heal and settle."""
        kinds = self.kinds()
        names = [name for name in kinds if (not only or name in only) and name not in without]
        probers = [
            threading.Thread(target=self._probe, args=(number,), daemon=True) for number in range(len(self.desktops))
        ]
        for thread in (*self.workers, *probers):
            thread.start()
        queue: list[str] = []
        while self.faulted < faulted or queue or (rounds or 0) > 0:
            if not queue:
                rounds = None if rounds is None else rounds - 1
                queue = self.random.sample(names, len(names))
            self._strike(queue.pop(), kinds, self.random.uniform(0.2, longest_s))
        self.is_over.set()
        for thread in (*self.workers, *probers):
            thread.join(HEAL_S)
        self._heal()
        for worker in self.workers:
            worker.settle()

    def _strike(
        self,
        name: str,
        kinds: dict[str, Callable[[], contextlib.AbstractContextManager[None]]],
        lasting_s: float,
    ) -> None:
        tally = self.tallies.setdefault(name, Tally())
        tally.times += 1
        self.happened.append(name)
        began = time.monotonic()
        with kinds[name]():
            self._present = name
            self.is_over.wait(lasting_s)
        ended = self._fault_ended = time.monotonic()
        self._present = None
        healed = self._heal(since=ended)
        tally.recoveries.append(healed - ended)
        tally.disagreements.append(max(self._disagreement(number, began) for number in range(len(self.desktops))))

    def _heal(self, since: float | None = None) -> float:
        """Wait until each sidecar is healthy and answers; return when the last one did."""
        since = time.monotonic() if since is None else since

        def recovered(number: int) -> float | None:
            probes = [probe for probe in self._probes[number] if probe.began >= since]
            return next((probe.ended for probe in probes if probe.is_healthy and probe.answers), None)

        if self.is_over.is_set():
            for desktop in self.desktops:
                desktop.sidecar.wait_healthy(HEAL_S)
            return time.monotonic()

        def what() -> str:
            probes = [(each[-1:], time.monotonic()) for each in self._probes]
            words = [desktop.sidecar.stderr_text()[-2000:] for desktop in self.desktops]
            return f"recovery after {self.happened[-3:]} (seed {self.seed}): {probes}\n" + "\n\n".join(words)

        ends = [
            wait_until(functools.partial(recovered, number), timeout_s=HEAL_S, what=what)
            for number in range(len(self.desktops))
        ]
        return max(end for end in ends if end is not None)

    def _probe(self, number: int) -> None:
        desktop = self.desktops[number]
        client = httpx.Client(trust_env=False, verify=False, timeout=REQUEST_S)
        with client:
            while not self.is_over.is_set():
                began = time.monotonic()
                with contextlib.suppress(httpx.HTTPError, RuntimeError, SidecarExitedError, TimeoutError):
                    sidecar = desktop.sidecar
                    data = client.get(
                        f"{sidecar.url}/api/v1/members", headers={"Authorization": f"Bearer {sidecar.token}"}
                    )
                    health = client.get(f"{sidecar.url}/health")
                    is_healthy, answers = health.status_code == 200, data.status_code == 200
                    self._probes[number].append(Probe(began, time.monotonic(), is_healthy, answers))
                time.sleep(PROBE_S)

    def _disagreement(self, number: int, since: float) -> float:
        """Return the longest time in which health and data calls did not tell the same: up to where they did again.

        A data call that waits is compared with what health says when it has been answered.
        """
        longest = 0.0
        differ_since: float | None = None
        for probe in [probe for probe in self._probes[number] if probe.began >= since]:
            if differ_since is not None:
                longest = max(longest, probe.ended - differ_since)
            if probe.is_healthy == probe.answers:
                differ_since = None
            elif differ_since is None:
                differ_since = probe.ended
        return longest

    # What came of it

    def judge(self) -> list[str]:
        """Look through every sidecar for what must be there; return what is wrong."""
        for desktop in self.desktops:
            sidecar = desktop.sidecar
            tasks = sidecar.request("GET", "/api/v1/tasks").json()
            found = {task["id"]: task["title"] for task in tasks}
            times = collections.Counter(found.values())

            def reveal(name: str, sidecar: Sidecar = sidecar) -> str | None:
                answer = sidecar.request("POST", f"/api/v1/servers/{name}/api-key/reveal")
                key: str | None = answer.json().get("api_key")
                return key if answer.status_code == 200 else answer.text

            for worker in self.workers:
                worker.judge(found, times, reveal)
            verdict = sidecar.request("GET", "/api/v1/audit/verify").json()
            if verdict.get("problems") != []:
                self.workers[0].faults.append(f"AUDIT: {verdict}")
        return [fault for worker in self.workers for fault in worker.faults]

    def table(self) -> str:
        """Return a table of the faults: how often, what was done meanwhile, disagreement and recovery."""
        head = f"{'fault':<24}{'times':>6}{'calls':>8}{'done':>8}{'disagree max':>14}{'recovery median':>17}{'max':>8}"
        lines = [head]
        for name, tally in sorted(self.tallies.items()):
            lines.append(
                f"{name:<24}{tally.times:>6}{tally.operations:>8}{tally.acknowledged:>8}"
                f"{max(tally.disagreements):>12.2f} s{statistics.median(tally.recoveries):>15.2f} s"
                f"{max(tally.recoveries):>6.2f} s"
            )
        recoveries = [each for tally in self.tallies.values() for each in tally.recoveries]
        disagreements = [each for tally in self.tallies.values() for each in tally.disagreements]
        doubtful = sum(len(worker.perhaps) + len(worker.doubtful) for worker in self.workers)
        lines.append(
            f"all: {len(recoveries)} faults, {self.operations} operations, {self.faulted} of them under a fault,"
            f" {self.acknowledged} acknowledged, {doubtful} left in doubt; recovery median"
            f" {statistics.median(recoveries):.2f} s, disagreement at most {max(disagreements):.2f} s; seed {self.seed}"
        )
        return "\n".join(lines)
