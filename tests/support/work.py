"""The team's work as a client of one sidecar sees it: members, tasks, sub-tasks, daily updates."""

from __future__ import annotations

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import httpx

    from tests.support.databases import Backend
    from tests.support.sidecar import Sidecar

UNKNOWN_ID = "00000000-0000-4000-8000-000000000000"
CHANGED_MEANWHILE = "It was changed by somebody else in the meantime"


class Work:
    """Calls to one sidecar; those named after a deed have to succeed and return what was answered."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.sidecar: Sidecar = backend.sidecar
        self._numbers = itertools.count()

    def call(self, method: str, path: str, body: object = None, if_match: str | None = None) -> httpx.Response:
        """Try something; `path` begins behind the version."""
        given: dict[str, Any] = {} if body is None else {"json": body}
        headers = {} if if_match is None else {"If-Match": if_match}
        return self.sidecar.request(method, f"/api/v1{path}", headers=headers, **given)

    def done(self, method: str, path: str, body: object = None) -> Any:
        """Do something that has to succeed."""
        answer = self.call(method, path, body)
        assert answer.status_code in (200, 201, 204), answer.text
        return answer.json() if answer.content else None

    def add_member(self, name: str = "Ada") -> dict[str, Any]:
        """Add a member with an email of their own."""
        member: dict[str, Any] = self.done("POST", "/members", {"name": name, "email": f"{next(self._numbers)}@b.co"})
        return member

    def add_task(self, **fields: object) -> dict[str, Any]:
        """Add a task."""
        body = {"title": "Build", "status": "To Do", "priority": "Medium"} | fields
        task: dict[str, Any] = self.done("POST", "/tasks", body)
        return task

    def add_sub_task(self, task: dict[str, Any], title: str = "Step") -> dict[str, Any]:
        """Add a sub-task."""
        sub_task: dict[str, Any] = self.done("POST", f"/tasks/{task['id']}/subtasks", {"title": title})
        return sub_task

    def add_update(self, task: dict[str, Any], author: dict[str, Any], content: str = "Done.") -> dict[str, Any]:
        """Add a daily update."""
        body = {"author_id": author["id"], "content": content}
        update: dict[str, Any] = self.done("POST", f"/tasks/{task['id']}/updates", body)
        return update

    def task(self, task: dict[str, Any]) -> dict[str, Any]:
        """Read a task as it is now."""
        found: dict[str, Any] = self.done("GET", f"/tasks/{task['id']}")
        return found

    def tasks(self, query: str = "") -> list[dict[str, Any]]:
        """List tasks."""
        found: list[dict[str, Any]] = self.done("GET", f"/tasks{query}")
        return found


def assert_is_error(answer: httpx.Response, status: int, sentence: str, code: str) -> None:
    """The one shape of errors."""
    assert (answer.status_code, answer.json()) == (status, {"error": sentence})
    assert answer.headers["Taskflow-Error-Code"] == code


def race(actions: Sequence[Callable[[], httpx.Response]]) -> list[httpx.Response]:
    """Run actions at the same moment."""
    start = threading.Barrier(len(actions))

    def run(action: Callable[[], httpx.Response]) -> httpx.Response:
        start.wait(10)
        return action()

    with ThreadPoolExecutor(len(actions)) as pool:
        return list(pool.map(run, actions))
