"""A steady stream of requests to a sidecar, every answer kept with its time."""

from __future__ import annotations

import contextlib
import http.client
import json
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from tests.support.sidecar import Sidecar

ANSWER_TIMEOUT_S = 30.0
NO_ANSWER = 0
"""Status of a request whose connection broke."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One request and what came of it; times are those of `time.monotonic`."""

    sent_at: float
    answered_at: float
    status: int
    headers: dict[str, str]
    """By name in lower case."""
    body: bytes

    @property
    def elapsed_s(self) -> float:
        """Seconds from sending to the answer's end."""
        return self.answered_at - self.sent_at

    @property
    def error(self) -> str | None:
        """The sentence of an error answer."""
        try:
            content = json.loads(self.body)
        except ValueError:
            return None
        return content.get("error") if isinstance(content, dict) else None


def ask(
    connection: http.client.HTTPConnection, sidecar: Sidecar, method: str, path: str, body: object = None
) -> Answer:
    """Send one request over a connection; one that breaks is an answer with status 0."""
    headers = {"Authorization": f"Bearer {sidecar.token}"}
    content = None
    if body is not None:
        content = json.dumps(body).encode()
        headers["Content-Type"] = "application/json"
    sent_at = time.monotonic()
    try:
        connection.request(method, path, body=content, headers=headers)
        response = connection.getresponse()
        received = response.read()
    except (OSError, http.client.HTTPException) as exc:
        connection.close()
        return Answer(sent_at, time.monotonic(), NO_ANSWER, {}, repr(exc).encode())
    answered = {name.lower(): value for name, value in response.getheaders()}
    return Answer(sent_at, time.monotonic(), response.status, answered, received)


def ask_once(sidecar: Sidecar, method: str, path: str, body: object = None) -> Answer:
    """Send one request over a connection of its own."""
    with contextlib.closing(_connect(sidecar)) as connection:
        return ask(connection, sidecar, method, path, body)


def ask_at_once(sidecar: Sidecar, method: str, path: str, body: object = None, *, times: int) -> list[Answer]:
    """Send the same request over many connections at the same time; return all answers."""
    pending = [Pending(sidecar, method, path, body) for _ in range(times)]
    return [request.answer() for request in pending]


class Pending:
    """A request under way in a thread of its own."""

    def __init__(self, sidecar: Sidecar, method: str, path: str, body: object = None) -> None:
        self._answers: list[Answer] = []
        self._thread = threading.Thread(
            target=lambda: self._answers.append(ask_once(sidecar, method, path, body)), daemon=True
        )
        self._thread.start()

    @property
    def is_answered(self) -> bool:
        """Whether the answer is there."""
        return bool(self._answers)

    def answer(self, timeout_s: float = ANSWER_TIMEOUT_S) -> Answer:
        """Wait for the answer."""
        self._thread.join(timeout_s)
        return wait_until(lambda: self._answers, timeout_s=0, what="an answer")[0]


class Stream:
    """Clients that repeat one request until the `with` block ends.

    Args:
        sidecar: whom to ask; it must be listening.
        method: GET, POST, ...
        path: from the root.
        body: makes the body of each request, if it has one.
        clients: how many ask side by side, each over a connection of its own.
        interval_s: pause of each client between an answer and its next request.
    """

    def __init__(
        self,
        sidecar: Sidecar,
        method: str,
        path: str,
        body: Callable[[], object] | None = None,
        *,
        clients: int = 1,
        interval_s: float = 0.01,
    ) -> None:
        self._sidecar = sidecar
        self._request = (method, path, body)
        self._interval_s = interval_s
        self._is_over = threading.Event()
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(clients)]
        self.answers: list[Answer] = []
        """In the order in which they came."""

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._is_over.set()
        for thread in self._threads:
            thread.join(ANSWER_TIMEOUT_S)

    def wait_for(self, status: int, *, since: float, timeout_s: float = 20.0) -> Answer:
        """Wait for the first answer of that status among those sent at `since` or later."""

        def find() -> Answer | None:
            return next((answer for answer in self.after(since) if answer.status == status), None)

        answer: Any = wait_until(
            find, timeout_s=timeout_s, interval_s=0.005, what=lambda: f"{status} among {self.answers[-1:]}"
        )
        assert isinstance(answer, Answer)
        return answer

    def after(self, moment: float) -> list[Answer]:
        """The answers to what was sent at `moment` or later."""
        return [answer for answer in tuple(self.answers) if answer.sent_at >= moment]

    def statuses(self) -> set[int]:
        """Every status that occurred."""
        return {answer.status for answer in self.answers}

    def _run(self) -> None:
        method, path, body = self._request
        with contextlib.closing(_connect(self._sidecar)) as connection:
            while not self._is_over.wait(self._interval_s):
                content = None if body is None else body()
                self.answers.append(ask(connection, self._sidecar, method, path, content))


def _connect(sidecar: Sidecar) -> http.client.HTTPConnection:
    return http.client.HTTPConnection("127.0.0.1", sidecar.port, timeout=ANSWER_TIMEOUT_S)
