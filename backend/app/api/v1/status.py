"""HTTP for the status document, its live stream, and the asked stop."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import msgspec
from litestar import Controller, Response, get, post
from litestar.response import Stream

from app.api.openapi import errors
from app.schemas.common import StatusBody
from app.schemas.status import StatusDocument
from app.services.status import StatusService

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

KEEP_ALIVE_S = 15.0


class StatusController(Controller):
    """What the sidecar does, and why."""

    tags = ["status"]

    @get("/status", responses=errors(), summary="Status")
    async def status(self, status: StatusService) -> Response[StatusDocument]:
        """Everything there is to tell."""
        await status.settled()
        return Response(msgspec.convert(status.document(), StatusDocument), headers={"Cache-Control": "no-store"})

    @get("/status/events", responses=errors(), media_type="text/event-stream", summary="Status, live")
    async def events(self, status: StatusService) -> Stream:
        """The status document at once and at each change, as server-sent events."""
        return Stream(_documents(status), media_type="text/event-stream", headers={"Cache-Control": "no-store"})

    @post("/shutdown", status_code=202, responses=errors(), summary="Stop")
    async def shutdown(self, status: StatusService) -> StatusBody:
        """Stop gracefully: running requests get five seconds."""
        asyncio.get_running_loop().call_soon(status.stop)
        return StatusBody("stopping")


async def _documents(status: StatusService) -> AsyncIterator[bytes]:
    """Yield an event for the present document and for each later one; a comment line while nothing changes."""
    changed = asyncio.Event()
    loop = asyncio.get_running_loop()
    with status.listening(lambda: loop.call_soon_threadsafe(changed.set)):
        changed.set()
        while not status.is_stopping:
            try:
                await asyncio.wait_for(changed.wait(), KEEP_ALIVE_S)
            except TimeoutError:
                yield b": keep-alive\n\n"
                continue
            changed.clear()
            yield _event(status.document())


def _event(document: dict[str, Any]) -> bytes:
    return b"data: " + msgspec.json.encode(document) + b"\n\n"
