"""A client of the live events: what arrived, when, and under which id."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from tests.support.network import LOOPBACK
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from tests.support.sidecar import Sidecar

PATH = "/api/v1/events"
RESYNC = {"resource": "*", "change": "resync"}


@dataclass(frozen=True, slots=True)
class Arrival:
    """One event as it arrived."""

    data: dict[str, Any]
    id: str
    at: float = field(default_factory=time.monotonic)


class EventStream:
    """An open stream of a sidecar; entering the block returns when it has answered.

    Args:
        sidecar: whose stream.
        last_event_id: the header of that name.
        path: of the stream.
    """

    def __init__(self, sidecar: Sidecar, *, last_event_id: str | None = None, path: str = PATH) -> None:
        self._connection = http.client.HTTPConnection(LOOPBACK, sidecar.port, timeout=60)
        headers = {"Authorization": f"Bearer {sidecar.token}"}
        if last_event_id is not None:
            headers["Last-Event-ID"] = last_event_id
        self._connection.request("GET", path, headers=headers)
        self._response = self._connection.getresponse()
        assert self._response.status == 200, self._response.read()
        assert self._response.headers.get_content_type() == "text/event-stream"
        self._socket = self._connection.sock
        self.arrivals: list[Arrival] = []
        self.comments: list[str] = []
        self.last_event_id = ""
        self.has_ended = False
        self._reader = threading.Thread(target=self._follow, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Leave."""
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
        self._reader.join(5)
        self._response.close()
        self._connection.close()

    @property
    def events(self) -> list[dict[str, Any]]:
        """What was told so far."""
        return [arrival.data for arrival in tuple(self.arrivals)]

    def wait_for(self, *expected: dict[str, Any], timeout_s: float = 10) -> Arrival:
        """Wait until all of these were told, in whatever order; return the last of them that arrived."""

        def found() -> list[Arrival] | None:
            arrived = [arrival for arrival in tuple(self.arrivals) if arrival.data in expected]
            return arrived if all(any(a.data == event for a in arrived) for event in expected) else None

        return wait_until(found, timeout_s=timeout_s, what=lambda: f"{expected} among {self.events}")[-1]  # type: ignore[index]

    def wait(self, condition: Callable[[], object], what: str, timeout_s: float = 10) -> None:
        """Wait until something holds; tell what was heard if it never does."""
        wait_until(condition, timeout_s=timeout_s, what=lambda: f"{what}; heard {self.events}, {self.comments}")

    def _follow(self) -> None:
        block: list[str] = []
        with contextlib.suppress(OSError, http.client.HTTPException, ValueError):
            while line := self._response.readline():
                text = line.decode().rstrip("\n")
                if text:
                    block.append(text)
                    continue
                self._take(block)
                block = []
        self.has_ended = True

    def _take(self, block: list[str]) -> None:
        """Read one block as a browser does."""
        data = []
        for line in block:
            name, _, value = line.partition(": ")
            if not name:
                self.comments.append(value)
            elif name == "id":
                self.last_event_id = value
            elif name == "data":
                data.append(value)
        if data:
            self.arrivals.append(Arrival(json.loads("\n".join(data)), self.last_event_id))


def told(resource: str, identifier: str, change: str) -> dict[str, str]:
    """The data of an event."""
    return {"resource": resource, "id": identifier, "change": change}
