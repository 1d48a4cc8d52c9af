"""Strict key parsing, canonical tokens, fingerprints, rings."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from typing import TYPE_CHECKING

import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st

from app.core.fernet_keys import KeyRing, encode_key, fingerprint, is_canonical_token, parse_key, parse_key_list

if TYPE_CHECKING:
    pass

SPEC_KEY = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4="
SPEC_TOKEN = b"gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA=="
"""The published vector of the Fernet specification, `generate.json`: "hello", at 1985-10-26T01:20:00-07:00."""
KEY = encode_key(bytes(range(32)))


def test_published_token_opens() -> None:
    """The specification's own token is read."""
    assert KeyRing((parse_key(SPEC_KEY),)).decrypt(SPEC_TOKEN) == b"hello"
    assert is_canonical_token(SPEC_TOKEN)


def test_ring_encrypts_under_its_first_key_and_opens_under_all() -> None:
    """What was written under a retired key is read; what is written is opened by any Fernet tool with the first."""
    first, retired = bytes(range(32)), bytes(range(32, 64))
    ring = KeyRing((first, retired))

    token = ring.encrypt(b"new", at=1_000_000_000)

    assert Fernet(encode_key(first)).decrypt(token) == b"new"
    assert Fernet(encode_key(first)).extract_timestamp(token) == 1_000_000_000
    assert ring.decrypt(Fernet(encode_key(retired)).encrypt(b"old")) == b"old"
    with pytest.raises(ValueError, match="no key at hand"):
        ring.decrypt(Fernet(Fernet.generate_key()).encrypt(b"foreign"))


@given(st.binary(min_size=32, max_size=32).filter(lambda raw: len(set(raw)) > 1))
def test_key_survives_a_round_trip(raw: bytes) -> None:
    """Every key but a constant one is written and read again."""
    assert parse_key(encode_key(raw)) == raw
    assert len(encode_key(raw)) == 44


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param(KEY[:-1], id="without-padding"),
        pytest.param(KEY[:-4], id="short"),
        pytest.param(KEY + KEY, id="twice"),
        pytest.param(KEY + "\n", id="newline"),
        pytest.param(" " + KEY, id="blank-before"),
        pytest.param(KEY[:20] + "!" + KEY[20:], id="junk-inside"),
        pytest.param(KEY[:20] + "\n" + KEY[20:], id="newline-inside"),
        pytest.param("+/" + KEY[2:-1] + "=", id="standard-alphabet"),
        pytest.param(KEY[:-2] + "9=", id="stray-bits"),
        pytest.param("\ufeff" + KEY, id="byte-order-mark"),
        pytest.param("ключ" * 11, id="not-ascii"),
        pytest.param("\udcff" + KEY, id="half-a-surrogate-pair"),
        pytest.param(encode_key(b"\x00" * 32), id="zeros"),
        pytest.param(encode_key(b"k" * 32), id="one-byte-repeated"),
        pytest.param(base64.urlsafe_b64encode(bytes(range(31))).decode(), id="31-bytes"),
        pytest.param(base64.urlsafe_b64encode(bytes(range(33))).decode(), id="33-bytes"),
        pytest.param("a" * 32, id="a-password"),
    ],
)
def test_anything_but_a_canonical_key_is_refused(text: str) -> None:
    """No key is guessed, padded or derived; and the error does not quote what was given."""
    with pytest.raises(ValueError, match=r"^(not|all)") as caught:
        parse_key(text)

    assert not text or text not in str(caught.value)
    assert caught.value.__context__ is None


def test_list_of_keys_ignores_blanks_around_commas() -> None:
    """The first encrypts; blanks do not matter, anything else does."""
    other = encode_key(bytes(range(1, 33)))

    assert parse_key_list(f" {KEY} , {other}") == (bytes(range(32)), bytes(range(1, 33)))
    for text in (f"{KEY},", f",{KEY}", f"{KEY},,{other}", f"{KEY};{other}", f"{KEY} {other}"):
        with pytest.raises(ValueError, match=r"^not"):
            parse_key_list(text)


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda _: b"", id="empty"),
        pytest.param(lambda token: token[:-1], id="cut-padding"),
        pytest.param(lambda token: token + b"\n", id="newline"),
        pytest.param(lambda token: token[:9] + b"\n" + token[9:], id="newline-inside"),
        pytest.param(lambda token: token[:9] + b"!" + token[9:], id="junk-inside"),
        pytest.param(lambda token: token.replace(b"_", b"/"), id="standard-alphabet"),
        pytest.param(lambda token: token + b"\xff", id="not-ascii"),
        pytest.param(lambda token: b"A" + token[1:], id="another-version"),
        pytest.param(lambda _: b"hello", id="a-word"),
    ],
)
def test_damaged_token_is_not_canonical(damage: object) -> None:
    """Fernet's own decoder would pass over some of these."""
    assert callable(damage)
    token = damage(SPEC_TOKEN)

    assert not is_canonical_token(token)
    with pytest.raises(ValueError, match="not a Fernet token"):
        KeyRing((parse_key(SPEC_KEY),)).decrypt(token)


def test_fingerprint_names_a_key_without_telling_it() -> None:
    """Sixteen hex digits of HMAC-SHA256 over a fixed text."""
    raw = bytes(range(32))

    assert fingerprint(raw) == hmac.new(raw, b"kcv/v1", hashlib.sha256).hexdigest()[:16]
    assert re.fullmatch("[0-9a-f]{16}", fingerprint(raw))
    assert fingerprint(raw) != fingerprint(raw[::-1])
