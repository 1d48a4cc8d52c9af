"""Key derivation: published vectors, boundaries that cannot be shifted, and the forms that stored data depends on."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.derivation import Expander, hkdf, hkdf_over, lp
from tests.support.properties import PROPERTY

PARTS = st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.binary(max_size=8), max_size=5)


@pytest.mark.parametrize(
    ("key", "salt", "info", "output"),
    [
        pytest.param(
            "0b" * 22,
            "000102030405060708090a0b0c",
            "f0f1f2f3f4f5f6f7f8f9",
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
            id="A.1",
        ),
        pytest.param(
            bytes(range(0x50)).hex(),
            bytes(range(0x60, 0xB0)).hex(),
            bytes(range(0xB0, 0x100)).hex(),
            "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09"
            "da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87",
            id="A.2",
        ),
        pytest.param(
            "0b" * 22,
            "",
            "",
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
            id="A.3",
        ),
    ],
)
def test_hkdf_is_that_of_rfc_5869(key: str, salt: str, info: str, output: str) -> None:
    """The test cases of appendix A with SHA-256; longer outputs begin with the 32 bytes that we take."""
    derived = hkdf_over(bytes.fromhex(key), bytes.fromhex(salt), bytes.fromhex(info))
    expander = Expander(bytes.fromhex(key), bytes.fromhex(salt))

    assert derived == bytes.fromhex(output)[:32]
    assert [expander.expand(bytes.fromhex(info)) for _ in range(2)] == [derived, derived]


@given(key=st.binary(max_size=80), salt=st.binary(max_size=80), info=PARTS)
@PROPERTY
def test_hkdf_is_extract_and_one_block_of_expand(key: bytes, salt: bytes, info: list[str | bytes]) -> None:
    """Written out with the standard library, for any input."""
    pseudorandom_key = hmac.digest(salt, key, hashlib.sha256)
    expected = hmac.digest(pseudorandom_key, lp(*info) + b"\x01", hashlib.sha256)

    assert hkdf(key, salt, *info) == expected
    assert Expander(key, salt).expand(lp(*info)) == expected


@pytest.mark.parametrize(
    ("parts", "encoded"),
    [
        pytest.param((), "", id="nothing"),
        pytest.param(("",), "00000000", id="empty"),
        pytest.param(("wrap", "0a1b2c3d"), "0000000477726170000000083061316232633364", id="text"),
        pytest.param(("ü€", b"\x00\xff"), "00000005c3bce282ac0000000200ff", id="utf-8 and bytes"),
        pytest.param(("a" * 256,), "00000100" + "61" * 256, id="length is big-endian"),
    ],
)
def test_parts_are_encoded_as_ever(parts: tuple[str | bytes, ...], encoded: str) -> None:
    """Stored ciphertexts and MACs depend on these very bytes."""
    assert lp(*parts).hex() == encoded


@given(first=PARTS, second=PARTS)
@PROPERTY
def test_different_parts_never_meet(first: list[str | bytes], second: list[str | bytes]) -> None:
    """No other way of cutting gives the same bytes; text and its UTF-8 count as the same."""
    as_bytes = [[part.encode() if isinstance(part, str) else part for part in parts] for parts in (first, second)]

    assert (lp(*first) == lp(*second)) == (as_bytes[0] == as_bytes[1])


@pytest.mark.parametrize(
    ("info", "derived"),
    [
        (("audit",), "1d41a3c2ffcd2b6e19a6d26eef8d9edd953dd6c78174dfb3dd36aa30858027ec"),
        (("wrap", "0a1b2c3d"), "7e09c4744451e371fa6dffd3c9206971ad5f81d1fb1db0279d4b1327b123cca6"),
    ],
)
def test_derived_keys_are_as_ever(info: tuple[str, ...], derived: str) -> None:
    """Keys of stored data, frozen: a change here would lock people out of it."""
    key = hkdf(bytes(range(32)), "6f1c1c7e-6b0f-4a39-9d0e-2f6f1d0c9b11", *info)

    assert key.hex() == derived
