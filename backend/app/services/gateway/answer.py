"""A provider's answer as its caller may see it: without the key, and refusals in our own words."""

from __future__ import annotations

import json
import zlib
from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin, urlsplit

from app.core.exceptions import RequestError
from app.services.gateway.call import HOP_BY_HOP, named_by_connection
from app.services.gateway.key_choice import KeyUnavailableError

if TYPE_CHECKING:
    from app.services.gateway.call import Headers
    from app.services.gateway.key_choice import ChosenKey
    from app.services.gateway.mask import Mask
    from app.services.providers import Verdict

RETRY_AFTER_S: Final = 5
MAX_RETRY_AFTER_S: Final = 3600
INFLATED_BYTES: Final = 64 * 1024
"""How much is decompressed at once."""
INFLATED_RATIO: Final = 100
INFLATED_FREELY: Final = 1 << 20
"""An answer grows by that factor beyond so many bytes at most; text is compressed to a tenth, bombs to a thousandth."""
_LEFT_OUT: Final = HOP_BY_HOP | {
    b"alt-svc",  # it would lead past us
    b"clear-site-data",
    b"cross-origin-resource-policy",  # ours stands on every answer
    b"date",
    b"location",
    b"nel",
    b"refresh",
    b"report-to",
    b"reporting-endpoints",
    b"server",
    b"set-cookie",
    b"set-cookie2",
    b"strict-transport-security",
    b"x-content-type-options",
}
_LEFT_OUT_PREFIXES: Final = (b"access-control-", b"taskflow-")
"""Which pages may read an answer, and our own codes, are not for a provider to say."""
_INFLATED: Final = ("gzip", "x-gzip", "deflate")


class ProviderAwayError(RequestError):
    """The provider cannot be reached, or has a fault."""

    status = 503

    def __init__(self, code: str, message: str, retry_after: str | None = None) -> None:
        super().__init__(message, code=code, headers={"Retry-After": retry_after or str(RETRY_AFTER_S)})


class KeyLimitedError(RequestError):
    """The key is genuine, but lacks a right."""

    status = 403
    code = "key-limited"


class AnswerBrokenError(Exception):
    """An answer that has begun cannot be completed."""


def visible_headers(headers: Headers, mask: Mask, *, location: bytes | None, keeps_length: bool) -> Headers:
    """Return the headers of an answer that the caller gets.

    Args:
        headers: as the provider sent them.
        mask: takes the key out.
        location: where a redirect leads, through the gateway; None leaves it out.
        keeps_length: the body is passed on as long as it was announced.
    """
    left_out = _LEFT_OUT | named_by_connection(headers)
    if not keeps_length:
        left_out |= {b"content-length", b"content-encoding", b"content-md5", b"etag", b"digest"}
    visible = [
        (name, mask.whole(value))
        for name, value in headers
        if name not in left_out and not name.startswith(_LEFT_OUT_PREFIXES)
    ]
    return visible if location is None else [*visible, (b"location", location)]


def through_gateway(location: str, target: str, base_url: str, prefix: str) -> bytes | None:
    """Return where a redirect leads; None where it leads away from the provider, and the caller's token with it.

    Args:
        location: of the answer.
        target: path and query that were asked for.
        base_url: where the provider is.
        prefix: what stands before the provider's path in the gateway's addresses.
    """
    try:
        place = urlsplit(urljoin(base_url + target, location))
    except ValueError:
        return None
    base = urlsplit(base_url)
    if (place.scheme, place.netloc) != (base.scheme, base.netloc) or not place.path.startswith(f"{base.path}/"):
        return None
    path = place.path.removeprefix(base.path) + (f"?{place.query}" if place.query else "")
    return f"{prefix}{path}".encode("ascii", "ignore")


def refusal(verdict: Verdict, status: int, key: ChosenKey, name: str, *, is_providers: bool) -> RequestError | None:
    """Return what a provider's error answer means to the caller; None if it is passed on as it is.

    Args:
        verdict: the adapter's.
        status: of the answer.
        key: that was sent.
        name: of the provider, as people write it.
        is_providers: the answer has the form of this or any provider, rather than of somebody on the way.
    """
    if verdict.status == "expired":
        return KeyUnavailableError("key-expired", f"{name} says that the key has expired. Enter a new one {key.place}.")
    if verdict.status == "no_quota":
        return KeyUnavailableError(
            "no-quota",
            f"The {name} account has no credit or quota left. Top it up, or enter another key {key.place}.",
        )
    if verdict.status == "limited_scope":
        return KeyLimitedError(f"The {name} key lacks a right that this call needs. Extend it, or enter another one.")
    if verdict.status in ("invalid", "blocked") or (status == 401 and is_providers):
        return KeyUnavailableError("key-rejected", f"{name} has rejected the key. Enter a new one {key.place}.")
    if status in (401, 407):  # somebody on the way, who knows nothing of the key
        return ProviderAwayError("provider-unreachable", f"Something between here and {name} wants a login.")
    return None


def has_error_object(body: bytes) -> bool:
    """Tell whether an error answer has the form that all providers share."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return False
    return isinstance(document, dict) and isinstance(document.get("error"), dict)


def is_authentication(error: RequestError) -> bool:
    """Tell whether a refusal says something about the key that a check should confirm."""
    return error.code in ("key-rejected", "key-expired")


def outage(name: str, retry_after: str | None) -> ProviderAwayError:
    """Return the answer to a fault of the provider, which may say itself when to come back."""
    is_sound = retry_after is not None and retry_after.isascii() and retry_after.isdigit() and len(retry_after) <= 4
    wait = str(min(int(retry_after), MAX_RETRY_AFTER_S)) if is_sound and retry_after is not None else None
    return ProviderAwayError("provider-error", f"{name} has a fault at the moment. Please retry.", wait)


class Inflater:
    """Decompresses an answer that is compressed although nobody asked for that."""

    def __init__(self, encoding: str, name: str) -> None:
        """Raises ProviderAwayError where the encoding is unknown: what cannot be read cannot be passed on."""
        if encoding not in _INFLATED:
            raise ProviderAwayError("provider-error", f"{name} has answered in an encoding that was not asked for.")
        self._inflate = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
        self._left = INFLATED_FREELY

    def next(self, piece: bytes) -> tuple[bytes, bytes | None]:
        """Decompress a little; takes its time, so not in the event loop.

        Returns:
            What came out, and with what to go on; None if nothing more comes of it.

        Raises:
            AnswerBrokenError: it is not compressed as it says, or grows out of all proportion.
        """
        self._left += INFLATED_RATIO * len(piece)
        try:
            inflated = self._inflate.decompress(piece, INFLATED_BYTES)
        except zlib.error:
            raise AnswerBrokenError from None
        rest = self._inflate.unconsumed_tail
        self._left -= len(inflated) + INFLATED_RATIO * len(rest)
        if self._left < 0:
            raise AnswerBrokenError
        goes_on = not self._inflate.eof and (rest or len(inflated) == INFLATED_BYTES)
        return inflated, rest if goes_on else None
