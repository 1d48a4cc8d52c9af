"""A call to a provider as its caller made it, and what of it goes out: never the caller's own token."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, unquote_plus

from app.core.exceptions import ValidationError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from app.services.gateway.key_choice import KeyOwner
    from app.services.providers import Provider

    Headers = list[tuple[bytes, bytes]]

HOP_BY_HOP: Final = frozenset(
    {
        b"connection",
        b"http2-settings",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authentication-info",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
"""Headers of one connection only (RFC 9110, section 7.6.1), and their older relatives."""
CREDENTIALS: Final = frozenset(
    {
        b"api-key",
        b"authorization",
        b"cookie",
        b"x-access-token",
        b"x-api-key",
        b"x-auth-token",
        b"x-goog-api-key",
    }
)
"""Headers in which callers show who they are: to us, not to the provider."""
_OURS: Final = frozenset(
    {
        b"accept-encoding",  # the answer has to be read here
        b"expect",
        b"forwarded",
        b"host",
        b"if-range",
        b"range",  # of an answer that is read here, a part is not enough: it could cut a key in two
        b"origin",  # providers refuse browsers; a page that may call us is no business of theirs
        b"referer",
        b"via",
        b"x-real-ip",
    }
)
_OUR_PREFIXES: Final = (b"taskflow-", b"sec-", b"x-forwarded-", b"access-control-")
_OVERRIDES: Final = frozenset({b"x-http-method", b"x-http-method-override", b"x-method-override"})
"""Headers by which some servers take a request for another one than was checked here."""
_REWRITES: Final = frozenset({b"x-original-url", b"x-rewrite-url", b"x-original-uri"})
_BODY_EXPECTED: Final = ("POST", "PUT", "PATCH")
"""Methods of which a server may insist on being told that there is no body."""
_SECRET_PARAMETERS: Final = frozenset(
    {"access_token", "api-key", "api_key", "apikey", "auth_token", "key", "oauth_token", "token"}
)
"""Parameters of an address in which some SDKs send what they take for a key."""
_SHORTEST_TOKEN: Final = 8
_PLAIN_TARGET: Final = re.compile(rb"[!-~]*")
_MAX_DECODINGS: Final = 5


@dataclass(frozen=True, slots=True)
class Call:
    """One call, checked."""

    method: str
    owner: KeyOwner
    prefix: str
    """What stands before the provider's path in the address, as it was sent."""
    path: bytes
    """The provider's path as it was sent, byte for byte."""
    query: bytes
    headers: Headers = field(repr=False)
    """As they were sent, names in lower case."""

    @property
    def is_chunked(self) -> bool:
        """Whether the body comes without its length."""
        return any(name == b"transfer-encoding" for name, _ in self.headers)

    @property
    def content_length(self) -> int | None:
        """Bytes of the body as announced; None if it comes without its length, or there is none."""
        if self.is_chunked:
            return None
        return next((int(value) for name, value in self.headers if name == b"content-length"), None)

    @property
    def has_body(self) -> bool:
        """Whether a body comes with it, be it empty."""
        return self.is_chunked or self.content_length is not None

    def outgoing_target(self) -> bytes:
        """Return path and query without the parameters that carry a credential.

        Raises:
            ValidationError: the path leads elsewhere than it seems to, or holds the caller's token.
        """
        _check_path(self.path)
        tokens = self._tokens()
        kept = [part for part in self.query.split(b"&") if not _is_credential(part, tokens)]
        if _holds(unquote(self.path.decode("ascii")).encode(), tokens):
            raise ValidationError("path: The token should be in a header")
        query = b"&".join(kept)
        return self.path + b"?" + query if query else self.path

    def outgoing_headers(self, provider: Provider, api_key: str) -> Headers:
        """Return the headers for the provider, its key among them."""
        tokens = self._tokens()
        left_out = HOP_BY_HOP | CREDENTIALS | _OURS | _OVERRIDES | _REWRITES | named_by_connection(self.headers)
        if self.is_chunked:
            left_out |= {b"content-length"}
        headers = [
            (name, value)
            for name, value in self.headers
            if name not in left_out and not name.startswith(_OUR_PREFIXES) and not _holds(value, tokens)
        ]
        sent = {name for name, _ in headers}
        for name, value in provider.headers(api_key).items():
            # what is no credential, such as the version of the API, is the caller's to choose
            if name.lower().encode() not in sent:
                headers.append((name.encode("ascii"), value.encode("ascii")))
        if self.is_chunked:
            headers.append((b"transfer-encoding", b"chunked"))
        elif not self.has_body and self.method in _BODY_EXPECTED:
            headers.append((b"content-length", b"0"))
        return [*headers, (b"accept-encoding", b"identity")]

    def _tokens(self) -> list[bytes]:
        """Return whatever the caller showed as a credential."""
        shown = (value.split(b" ", 1)[-1].strip() for name, value in self.headers if name in CREDENTIALS)
        return [token for token in shown if len(token) >= _SHORTEST_TOKEN]


def named_by_connection(headers: Headers) -> frozenset[bytes]:
    """Return the headers that a `Connection` header makes hop-by-hop."""
    listed = (value.lower().split(b",") for name, value in headers if name == b"connection")
    return frozenset(name.strip() for names in listed for name in names)


def _holds(value: bytes, tokens: Iterable[bytes]) -> bool:
    return any(token in value for token in tokens)


def _is_credential(part: bytes, tokens: list[bytes]) -> bool:
    name, _, value = part.decode("latin-1").partition("=")
    return unquote_plus(name).lower() in _SECRET_PARAMETERS or _holds(unquote_plus(value).encode(), tokens)


def _check_path(path: bytes) -> None:
    """Refuse what a server might take for another path than the one that was checked here."""
    text = path.decode("latin-1")
    is_plain = _PLAIN_TARGET.fullmatch(path) is not None and b"#" not in path
    for _ in range(_MAX_DECODINGS):
        segments = text.split("/")
        if not is_plain or "\\" in text or any(segment.split(";")[0] in (".", "..") for segment in segments):
            raise ValidationError("path: Input should be a plain path without dot segments")
        decoded = unquote(text, errors="replace")
        if decoded == text:
            return
        text, is_plain = decoded, decoded.isprintable()
    raise ValidationError("path: Input should be a plain path without dot segments")
