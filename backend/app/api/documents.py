"""Answers whose JSON the database has written already."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from litestar import Response
from litestar.datastructures import ResponseHeader
from litestar.response import Stream

from app.api.conditional import etag_of
from app.api.streams import in_pieces, streamed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import Protocol

    class _Place(Protocol):
        def to_cursor(self) -> str:
            """Return it as the text that clients hand back."""


_JSON = "application/json"
LINK: Final = ResponseHeader(
    name="Link", value="", description='`<...>; rel="next"` where there is a next page', documentation_only=True
)


def one(document: str, status: int = 200) -> Response[Any]:
    """Answer a single object, with its version."""
    return Response(document.encode(), status_code=status, headers={"ETag": etag_of(document)}, media_type=_JSON)


def many(documents: Iterable[str], headers: dict[str, str] | None = None) -> Response[Any]:
    """Answer an array."""
    return Response(f"[{','.join(documents)}]".encode(), headers=headers or {}, media_type=_JSON)


def many_streamed(documents: Callable[[], Iterator[str]]) -> Any:
    """Answer an array that is too long to be held in memory."""
    answer: Any = Stream(streamed(lambda: in_pieces(_array(documents()))), media_type=_JSON)
    return answer


def _array(documents: Iterator[str]) -> Iterator[str]:
    comma = "["
    for document in documents:
        yield comma
        yield document
        comma = ","
    yield "]" if comma == "," else "[]"


def next_link(path: str, sent: Mapping[str, str | list[str] | None], end: _Place | None) -> dict[str, str]:
    """Return the header that points to the next page of the same list; none after the last one.

    Args:
        path: of the list.
        sent: its parameters, as they came.
        end: where this page ends.
    """
    if end is None:
        return {}
    given = {name: value for name, value in sent.items() if value is not None}
    query = urlencode({**given, "cursor": end.to_cursor()}, doseq=True)
    return {"Link": f'<{path}?{query}>; rel="next"'}
