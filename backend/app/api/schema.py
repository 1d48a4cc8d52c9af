"""The OpenAPI document over HTTP."""

from __future__ import annotations

import functools

import anyio.to_thread
import msgspec
from litestar import Response, get


@get(["/schema", "/schema/openapi.json"], include_in_schema=False)
async def openapi_document() -> Response[bytes]:
    """Serve the document; it is made when it is first asked for, not on the way to ready."""
    return Response(await anyio.to_thread.run_sync(_document), media_type="application/vnd.oai.openapi+json")


@functools.cache
def _document() -> bytes:
    from app.services.openapi import document

    return msgspec.json.encode(document())
