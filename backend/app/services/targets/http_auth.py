"""Answers to the challenges of HTTP and RTSP servers: Basic (RFC 7617) and Digest (RFC 7616, and 2617 before it)."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

_TOKEN: Final = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+"  # noqa: S105 - grammar
_CHALLENGE: Final = re.compile(
    rf"""
        (?P<name>{_TOKEN})\s*=\s*(?:"(?P<quoted>(?:[^"\\]|\\.)*)(?:"|\\?\Z)|(?P<plain>[^\s,"]+))
        | (?P<scheme>{_TOKEN})(?:[ ]+[A-Za-z0-9._~+/-]+=*(?=\s*(?:,|\Z)))?
    """,
    re.VERBOSE | re.DOTALL,
)
"""One parameter, or one scheme with its token; what a quotation mark opens goes on to the end if nothing closes it."""
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
_ALGORITHMS: Final = {"sha-256": "sha256", "sha-512-256": "sha512_256", "md5": "md5"}
"""Strongest first, by what hashlib calls them; SHA-512/256 is rarer and not everywhere, hence second."""
_SESSION: Final = "-sess"


@dataclass(frozen=True, slots=True)
class Credentials:
    """A user name and a password."""

    username: str = field(repr=False)
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Challenge:
    """One way in which a server lets itself be convinced."""

    scheme: str
    """In lower case."""
    parameters: Mapping[str, str]
    """By name in lower case."""

    @property
    def algorithm(self) -> str:
        """What Digest hashes with, in lower case, without `-sess`."""
        return self.parameters.get("algorithm", "MD5").lower().removesuffix(_SESSION)

    @property
    def is_stale(self) -> bool:
        """Whether only the nonce was too old."""
        return self.parameters.get("stale", "").lower() == "true"


def parse_challenges(values: Iterable[str]) -> list[Challenge]:
    """Read the values of `WWW-Authenticate` headers; each may hold several challenges."""
    challenges: list[Challenge] = []
    for value in values:
        parameters: dict[str, str] | None = None
        for match in _CHALLENGE.finditer(value):
            if match["scheme"] is not None:
                parameters = {}
                challenges.append(Challenge(match["scheme"].lower(), parameters))
            elif parameters is not None:
                text = match["plain"] if match["quoted"] is None else _ESCAPED.sub(r"\1", match["quoted"])
                parameters.setdefault(match["name"].lower(), text)
    return challenges


def answer_to(
    challenges: Iterable[Challenge],
    credentials: Credentials,
    method: str,
    uri: str,
    make_cnonce: Callable[[], str] = lambda: secrets.token_hex(16),
) -> str | None:
    """Return the value of `Authorization` for the strongest challenge that is understood; None if none is.

    Args:
        challenges: of one answer.
        credentials: to be proven.
        method: of the request.
        uri: as the request line names it.
        make_cnonce: returns the client's nonce.
    """
    challenges = list(challenges)
    digests = [challenge for challenge in challenges if _is_usable_digest(challenge)]
    if digests:
        strongest = min(digests, key=lambda challenge: list(_ALGORITHMS).index(challenge.algorithm))
        return _digest(strongest, credentials, method, uri, make_cnonce())
    # a colon ends the user name there
    if any(challenge.scheme == "basic" for challenge in challenges) and ":" not in credentials.username:
        pair = f"{credentials.username}:{credentials.password}"
        return "Basic " + base64.b64encode(pair.encode()).decode("ascii")
    return None


def _is_usable_digest(challenge: Challenge) -> bool:
    name = _ALGORITHMS.get(challenge.algorithm)
    known = {"realm", "nonce"} <= set(challenge.parameters) and name in hashlib.algorithms_available
    return challenge.scheme == "digest" and known and (_qop(challenge) is not None or not _offered_qops(challenge))


def _offered_qops(challenge: Challenge) -> list[str]:
    return [qop.strip().lower() for qop in challenge.parameters.get("qop", "").split(",") if qop.strip()]


def _qop(challenge: Challenge) -> str | None:
    """Return the quality of protection to use; None if the server offers none that is known."""
    return next((qop for qop in ("auth", "auth-int") if qop in _offered_qops(challenge)), None)


def _digest(challenge: Challenge, credentials: Credentials, method: str, uri: str, cnonce: str) -> str:
    given = challenge.parameters

    def hashed(*parts: str) -> str:
        return hashlib.new(
            _ALGORITHMS[challenge.algorithm], ":".join(parts).encode(), usedforsecurity=False
        ).hexdigest()

    realm, nonce, qop, count = given["realm"], given["nonce"], _qop(challenge), "00000001"
    secret = hashed(credentials.username, realm, credentials.password)
    if given.get("algorithm", "").lower().endswith(_SESSION):
        secret = hashed(secret, nonce, cnonce)
    request = hashed(method, uri, hashed("")) if qop == "auth-int" else hashed(method, uri)
    protection = [] if qop is None else [count, cnonce, qop]
    response = hashed(secret, nonce, *protection, request)
    is_hashed = given.get("userhash", "").lower() == "true"
    username = hashed(credentials.username, realm) if is_hashed else credentials.username
    fields = [f"username={_quoted(username)}", f"realm={_quoted(realm)}", f"nonce={_quoted(nonce)}"]
    fields += [f"uri={_quoted(uri)}", f"response={_quoted(response)}"]
    fields += [f"algorithm={given['algorithm']}"] if "algorithm" in given else []
    fields += [f"opaque={_quoted(given['opaque'])}"] if "opaque" in given else []
    fields += [f"qop={qop}", f"nc={count}", f"cnonce={_quoted(cnonce)}"] if qop is not None else []
    fields += ["userhash=true"] if is_hashed else []
    return "Digest " + ", ".join(fields)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
