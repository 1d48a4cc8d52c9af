"""ETag and If-Match: lost updates are refused where a client asks for it."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Annotated

import msgspec
from litestar.params import HeaderParameter

from app.core.exceptions import PreconditionFailedError

if TYPE_CHECKING:
    from collections.abc import Callable

IfMatch = Annotated[
    str | None,
    HeaderParameter(
        name="If-Match",
        description="ETag of the version that is meant; another one is left alone",
        schema_extra={"type": "string", "one_of": None},
    ),
]


def etag_of(body: msgspec.Struct | str) -> str:
    """Return a strong ETag: a hash of the very bytes of the answer, which may be given as its JSON."""
    content = body.encode() if isinstance(body, str) else msgspec.json.encode(body)
    return f'"{hashlib.sha256(content).hexdigest()[:32]}"'


def if_match(header: str | None) -> Callable[[msgspec.Struct], None]:
    """Return a check that refuses (412) when the present body's ETag is not among those of the header."""

    def check(present: msgspec.Struct) -> None:
        if header is not None:
            _compare(header, present)

    return check


def if_match_document(header: str | None) -> Callable[[Callable[[], str]], None]:
    """Return the same check for an answer that is JSON already; it is read only where a client asks."""

    def check(read: Callable[[], str]) -> None:
        if header is not None:
            _compare(header, read())

    return check


def _compare(header: str, present: msgspec.Struct | str) -> None:
    if header.strip() != "*" and etag_of(present) not in [tag.strip() for tag in header.split(",")]:
        raise PreconditionFailedError("It was changed by somebody else in the meantime")
