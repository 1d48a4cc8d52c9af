"""HTTP for moving the team's work: `GET /export` and `POST /import`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any, Final

import anyio.from_thread
from litestar import Controller, Request, get, post
from litestar.openapi.spec import OpenAPIMediaType, OpenAPIType, Operation, RequestBody, Schema
from litestar.response import Stream

from app.api.openapi import errors
from app.api.query import checked_query, query_parameter
from app.api.streams import in_pieces, streamed
from app.api.threads import in_waiting_thread
from app.core.exceptions import ValidationError
from app.core.validation import one_of
from app.schemas.transfer import Imported
from app.services.work.transfer import Transfer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

LINES: Final = "application/x-ndjson"
STALL_S: Final = 30.0
"""How long an upload may bring nothing: what it has locked is needed by others."""
_RULES: Final = {"merge": one_of("skip")}
Merge = Annotated[
    str | None,
    query_parameter(
        "`skip`: add what is not there by its id, also to a database that is not empty", **_RULES["merge"].schema
    ),
]


class _TakesLines(Operation):
    """Describes a body that the framework does not read."""

    def __post_init__(self) -> None:
        text = OpenAPIMediaType(schema=Schema(type=OpenAPIType.STRING))
        self.request_body = RequestBody(description="An export", content={LINES: text}, required=True)


class TransferController(Controller):
    """The team's work in one file."""

    tags = ["transfer"]

    @get(
        "/export",
        sync_to_thread=True,
        responses=errors(503),
        media_type=LINES,
        response_description="A header line, then a line for each member, task, sub-task and daily update",
        summary="Export the team's work",
    )
    def export(self, transfer: Transfer) -> Stream:
        """As JSON lines, as one moment saw it; the header names version and revision, and how many lines follow."""
        transfer.require_database()
        return Stream(
            streamed(lambda: in_pieces(transfer.export())),
            media_type=LINES,
            headers={"Cache-Control": "no-store", "Content-Disposition": 'attachment; filename="taskflow.jsonl"'},
        )

    @post(
        "/import",
        status_code=200,
        request_max_body_size=None,
        operation_class=_TakesLines,
        responses=errors(409, 413, 503),
        summary="Import the team's work",
    )
    async def import_work(self, request: Request[Any, Any, Any], transfer: Transfer, merge: Merge = None) -> Imported:
        """Take an export into an empty database, or add to one what it lacks: all of it, or nothing.

        The body may be of any size and is read as it comes. `/events` tells the progress.
        """
        checked = checked_query(_RULES, {"merge": merge})
        chunks = _in_thread(request.stream())
        return await in_waiting_thread(lambda: transfer.take(chunks, merge="merge" in checked))


def _in_thread(body: AsyncIterator[bytes]) -> Iterator[bytes]:
    """Yield, in a thread, what arrives in the event loop."""

    async def take() -> bytes | None:
        async with asyncio.timeout(STALL_S):
            return await anext(body, None)

    while True:
        try:
            chunk = anyio.from_thread.run(take)
        except TimeoutError:
            raise ValidationError("body: The upload has stalled") from None
        if chunk is None:
            return
        yield chunk
