"""HTTP for live events: what any desktop changes in the team's work."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Annotated

import msgspec
from litestar import Controller, get
from litestar.params import HeaderParameter
from litestar.response import Stream

from app.api.openapi import errors
from app.services.work.change_log import EVERYTHING
from app.services.work.events import Events, Subscription

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from app.services.work.change_log import Event

KEEP_ALIVE_S = 15.0

LastEventId = Annotated[
    str | None,
    HeaderParameter(
        name="Last-Event-ID",
        description="`id` of the last event that arrived; what was missed since comes first",
        schema_extra={"type": "string", "one_of": None},
    ),
]


class EventsController(Controller):
    """What changes, live."""

    tags = ["events"]

    @get(
        "/events",
        sync_to_thread=True,
        responses=errors(400, 503),
        media_type="text/event-stream",
        response_description="Server-sent events, without end",
        summary="Changes, live",
    )
    def events(self, events: Events, last_event_id: LastEventId = None) -> Stream:
        """Every change that any desktop makes to the team's work, as server-sent events.

        The data of an event is `{"resource", "id", "change"}`: resource is `member`, `task`, `sub_task` or
        `daily_update`, change is `created`, `updated` or `deleted`; `vault_device` tells that a desktop has asked to
        come into the vault, is in, or is out. From the moment the stream has answered nothing is missed, also while the
        database is away. `{"resource": "*", "change": "resync"}` stands for a gap that cannot be filled: read
        everything anew. `{"resource": "import", "id", "change": "progress", "done", "of"}` tells how many lines an
        import of this sidecar has taken. An event may be told twice. Comment lines keep the connection alive.
        """
        subscription = events.subscribe(last_event_id)
        return Stream(
            _lines(events, subscription), media_type="text/event-stream", headers={"Cache-Control": "no-store"}
        )


async def _lines(events: Events, subscription: Subscription) -> AsyncIterator[bytes]:
    """Yield events as they arrive; a comment at once, and while nothing does."""
    with contextlib.ExitStack() as leaving:
        leaving.callback(events.unsubscribe, subscription)
        yield b": listening\n" + (f"id: {subscription.position}\n".encode() if subscription.position else b"") + b"\n"
        while not subscription.has_ended:
            arrived = await subscription.take(KEEP_ALIVE_S)
            yield b"".join(_told(event) for event in arrived) or b": keep-alive\n\n"


def _told(event: Event) -> bytes:
    data: dict[str, object] = {"resource": event.resource, "id": event.id, "change": event.change}
    if event.resource == EVERYTHING:
        del data["id"]
    if event.progress is not None:
        data |= {"done": event.progress[0], "of": event.progress[1]}
    return f"id: {event.position}\n".encode() + b"data: " + msgspec.json.encode(data) + b"\n\n"
