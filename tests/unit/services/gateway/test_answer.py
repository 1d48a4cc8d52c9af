"""What of a provider's answer the caller may see."""

from __future__ import annotations

import gzip
import zlib

import pytest

from app.services.gateway.answer import (
    INFLATED_BYTES,
    AnswerBrokenError,
    Inflater,
    ProviderAwayError,
    has_error_object,
    through_gateway,
)
from app.services.gateway.call import CREDENTIALS
from app.services.providers import PROVIDERS

BASE = "https://api.example/base"
PREFIX = "/ai-gateway/user/ann/openai"


def inflated(inflater: Inflater, piece: bytes) -> list[bytes]:
    """All that comes out of a piece."""
    pieces: list[bytes] = []
    rest: bytes | None = piece
    while rest is not None:
        out, rest = inflater.next(rest)
        pieces.append(out)
    return pieces


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", "deflate"])
@pytest.mark.parametrize("cut", [1, 7, 10**6])
def test_compressed_answer_comes_out_in_small_pieces(encoding: str, cut: int) -> None:
    """A few bytes may stand for megabytes."""
    text = b"a" * 1_000_000 + b"the end"
    body = zlib.compress(text) if encoding == "deflate" else gzip.compress(text)
    inflater = Inflater(encoding, "OpenAI")

    pieces = [piece for start in range(0, len(body), cut) for piece in inflated(inflater, body[start : start + cut])]

    assert b"".join(pieces) == text
    assert max(map(len, pieces)) <= INFLATED_BYTES


def test_what_is_not_compressed_as_it_says_breaks_off() -> None:
    """Rather than passing garbage on."""
    with pytest.raises(AnswerBrokenError):
        inflated(Inflater("gzip", "OpenAI"), b"plain text")


@pytest.mark.parametrize("cut", [7, 4096, 10**6])
def test_bomb_breaks_off(cut: int) -> None:
    """Long before all of it came out."""
    inflater, body = Inflater("gzip", "OpenAI"), gzip.compress(bytes(50 << 20))
    pieces: list[bytes] = []

    with pytest.raises(AnswerBrokenError):  # noqa: PT012 - somewhere in it
        for start in range(0, len(body), cut):
            pieces += inflated(inflater, body[start : start + cut])

    assert sum(map(len, pieces)) < 10 << 20


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "made-up"])
def test_unknown_encoding_is_an_outage(encoding: str) -> None:
    """What cannot be read may hold the key."""
    with pytest.raises(ProviderAwayError):
        Inflater(encoding, "OpenAI")


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("/base/v1/b?c=d", f"{PREFIX}/v1/b?c=d"),
        ("b", f"{PREFIX}/v1/b"),
        ("https://api.example/base/v1/b", f"{PREFIX}/v1/b"),
        ("/elsewhere", None),
        ("/basement/v1", None),
        ("http://api.example/base/v1/b", None),
        ("https://api.example:444/base/v1/b", None),
        ("https://api.example@evil.example/base/v1", None),
        ("javascript:alert(1)", None),
        ("http://[", None),
    ],
)
def test_redirects_stay_with_the_provider(location: str, expected: str | None) -> None:
    """Or lead nowhere: whoever follows shows a token."""
    place = through_gateway(location, "/v1/a?x=1", BASE, PREFIX)

    assert place == (None if expected is None else expected.encode())


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"error": {"message": "x"}}', True),
        (b'{"type": "error", "error": {}}', True),
        (b'{"error": "x"}', False),
        (b'{"message": "x"}', False),
        (b"<html>", False),
        (b"", False),
        (b"[" * 100_000, False),
    ],
)
def test_answers_of_providers_have_a_form(body: bytes, expected: bool) -> None:
    """Which others, who stand in between, do not have."""
    assert has_error_object(body) is expected


@pytest.mark.parametrize("name", PROVIDERS)
def test_header_that_carries_a_key_is_never_the_callers(name: str) -> None:
    """The caller's own would win otherwise."""
    carrying = {
        header.lower().encode() for header, value in PROVIDERS[name].headers("THE-KEY").items() if "KEY" in value
    }

    assert carrying
    assert carrying <= CREDENTIALS
