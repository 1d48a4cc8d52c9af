"""ETag and If-Match: lost updates are refused where a client asks for it."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import msgspec

from app.core.exceptions import PreconditionFailedError

if TYPE_CHECKING:
    from collections.abc import Callable


def etag_of(body: msgspec.Struct) -> str:
    """Return a strong ETag: a hash of the very bytes of the answer."""
    return f'"{hashlib.sha256(msgspec.json.encode(body)).hexdigest()[:32]}"'


def if_match(header: str | None) -> Callable[[msgspec.Struct], None]:
    """Return a check that refuses (412) when the present body's ETag is not among those of the header."""

    def check(present: msgspec.Struct) -> None:
        if header is None or header.strip() == "*":
            return
        if etag_of(present) not in [tag.strip() for tag in header.split(",")]:
            raise PreconditionFailedError("It was changed by somebody else in the meantime")

    return check
