"""Several applications as one: which of them serves a path, and when it is built."""

from __future__ import annotations

import asyncio
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

from app.api.areas import OTHERS, Areas

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Application = Callable[[Any, Any, Any], Awaitable[None]]


class Built:
    """What was built, in order, and what served."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.served: list[tuple[str, str]] = []

    def maker(self, name: str) -> Callable[[], Application]:
        """Return what builds the application of that name once."""

        @cache
        def make() -> Application:
            self.names.append(name)

            async def serve(scope: Any, _receive: Any, _send: Any) -> None:
                self.served.append((name, scope["path"]))

            return serve

        return make


def call(areas: Areas[Any], *paths: str) -> None:
    """Send a request to each path."""
    nothing: Any = None

    async def ask() -> None:
        for path in paths:
            await areas({"path": path}, nothing, nothing)

    asyncio.run(ask())


def test_the_longest_root_serves_and_each_is_built_once_when_called() -> None:
    """A root is a whole part of a path; what is below none goes to the others."""
    built = Built()
    tasks = built.maker("tasks")
    areas = Areas(
        {
            OTHERS: built.maker("others"),
            "/tasks": tasks,
            "/counts": tasks,
            "/tasks/special": built.maker("special"),
            "/never": built.maker("never"),
        }
    )
    assert built.names == []

    call(areas, "/tasks", "/tasks/7/updates", "/tasks/special", "/tasks/specials", "/counts", "/tasksome", "/")

    assert [name for name, _ in built.served] == ["tasks", "tasks", "special", "tasks", "tasks", "others", "others"]
    assert built.names == ["tasks", "special", "others"]
    assert len(areas.all()) == 4
    assert built.names == ["tasks", "special", "others", "never"]


def test_one_that_could_not_be_built_is_tried_again() -> None:
    """As when a file that it takes could not be opened for a moment."""
    tries: list[int] = []
    built = Built()

    @cache
    def make() -> Application:
        tries.append(1)
        if len(tries) == 1:
            raise OSError("too many open files")
        return built.maker("others")()

    areas = Areas({OTHERS: make})

    with pytest.raises(OSError, match="too many"):
        call(areas, "/")
    call(areas, "/", "/")

    assert len(tries) == 2
    assert [name for name, _ in built.served] == ["others", "others"]
