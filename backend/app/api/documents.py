"""Answers whose JSON the database has written already."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from litestar import Response

from app.api.conditional import etag_of

if TYPE_CHECKING:
    from collections.abc import Iterable

_JSON = "application/json"


def one(document: str, status: int = 200) -> Response[Any]:
    """Answer a single object, with its version."""
    return Response(document.encode(), status_code=status, headers={"ETag": etag_of(document)}, media_type=_JSON)


def many(documents: Iterable[str], headers: dict[str, str] | None = None) -> Response[Any]:
    """Answer an array."""
    return Response(f"[{','.join(documents)}]".encode(), headers=headers or {}, media_type=_JSON)
