"""Ciphertexts of the vault: published vectors, frozen vectors of our own, and every way of moving or damaging one."""

from __future__ import annotations

import base64
import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.fernet import Fernet, InvalidToken
from hypothesis import assume, given
from hypothesis import strategies as st

from app.core.derivation import hkdf, lp
from app.core.fernet_keys import fingerprint, is_canonical_base64, is_canonical_token
from app.services.vault import sealing
from app.services.vault.sealing import (
    BLOCK_BYTES,
    Binding,
    FormatUnknownError,
    Owner,
    SealBrokenError,
    VaultKey,
    fingerprint_of,
    forget_derived_keys,
    hint_of,
    kid_of,
    new_vault_key,
    prefix_of,
    unwrap,
    wrap,
)
from tests.support.properties import PROPERTY

if TYPE_CHECKING:
    from collections.abc import Callable

VAULT = "6f1c1c7e-6b0f-4a39-9d0e-2f6f1d0c9b11"
KID = "0a1b2c3d"
ROOT_KEY = bytes(range(32))
KEY = VaultKey(VAULT, KID, bytes(range(32, 64)))
SALT = bytes(range(64, 96))
FINGERPRINT_KEY = bytes(range(96, 128))
SECRET_ID = "1d3f5a7c-0000-4000-8000-00000000002a"
FROZEN_AT = int(dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC).timestamp())
FROZEN_IV = bytes(range(16))

TEXT = st.text(st.characters(exclude_categories=["Cs"]))


def binding(
    kind: str = "tenant",
    owner_id: str = "acme",
    name: str = "openai",
    *,
    version: int = 1,
    expires_at: str = "",
    additional: bytes = b"",
) -> Binding:
    """Where one of the frozen ciphertexts belongs, and in other tests any one."""
    return Binding(Owner(kind, owner_id, SALT, additional), SECRET_ID, name, version, expires_at)


PLACE = binding()


# --- published vectors -----------------------------------------------------------------------------------------------

SPEC_KEY = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4="
SPEC_TOKEN = "gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA=="
SPEC_DAMAGE = {
    "incorrect mac": (
        "gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAl1-szkFVzXTuGb4hR8AKtwcaX1YdykQUFBQUFBQUFBQQ=="
    ),
    "too short": "gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPA==",
    "invalid base64": (
        "%%%%%%%%%%%%%AECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAl1-szkFVzXTuGb4hR8AKtwcaX1YdykRtfsH-p1YsUD2Q=="
    ),
    "payload size not multiple of block size": (
        "gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPOm73QeoCk9uGib28Xe5vz6oxq5nmxbx_v7mrfyudzUm"
    ),
    "payload padding error": (
        "gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0ODz4LEpdELGQAad7aNEHbf-JkLPIpuiYRLQ3RtXatOYREu2FWke6CnJNYIbkuKNqOhw=="
    ),
    "incorrect IV": (
        "gAAAAAAdwJ6xBQECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAkLhFLHpGtDBRLRTZeUfWgHSv49TF2AUEZ1TIvcZjK1zQ=="
    ),
}
"""github.com/fernet/spec: generate.json, verify.json, and of invalid.json what is invalid at any age."""


def test_tokens_are_those_of_the_fernet_specification() -> None:
    """The library beneath writes and reads the published token; time and IV are its seams."""
    fernet = Fernet(SPEC_KEY)
    at = int(dt.datetime.fromisoformat("1985-10-26T01:20:00-07:00").timestamp())

    assert fernet._encrypt_from_parts(b"hello", at, bytes(range(16))).decode() == SPEC_TOKEN
    assert sealing._decrypted(fernet, SPEC_TOKEN) == b"hello"


@pytest.mark.parametrize("token", SPEC_DAMAGE.values(), ids=SPEC_DAMAGE.keys())
def test_tokens_that_the_specification_calls_invalid_are_refused(token: str) -> None:
    """Each gives the one error of a seal that is broken."""
    with pytest.raises(SealBrokenError):
        sealing._decrypted(Fernet(SPEC_KEY), token)


# --- our own, frozen: later versions must open today's rows ----------------------------------------------------------

FROZEN: dict[str, tuple[Binding, str, str]] = {
    "tenant": (
        PLACE,
        "sk-live-0123456789abcdef",
        (
            "vf1.0a1b2c3d.gAAAAABrADZAAAECAwQFBgcICQoLDA0ODxw17qD5pj3mntO0u2jZAJh6ZoJ0SJ5RVIAwDgVLeg9ls9Xmu-jtFqvRv6u_ZY3h"
            "KNe8fgOdy1bG_kHjjGN5Zix6IM4fhfk7chvAp-Oohi8aS2ajA90TPRssR6Qe2WWnRGGiPDWKPp3KfAOcHUrowNnRGG2iLMN7-Q9jf-8eRzzk"
            "VHlchmpSq5PU1N9t9tSIi107rBspzGANLzFjnCn9iZL_qB63VqWLMkskksrYPHqe"
        ),
    ),
    "expiring, not ASCII, with outer blanks": (
        binding("camera", "door-3", "password", version=7, expires_at="2027-01-31T00:00:00.000000Z"),
        " pässwörd 🔑 ",
        (
            "vf1.0a1b2c3d.gAAAAABrADZAAAECAwQFBgcICQoLDA0ODwgRcCk7BRhSHkusUEvNurFBWaOeB04wgqCwDvAU1ieglZCc8MDa6vJMvRE7NTB7"
            "yrtnNpJyv4yHtqROWjAiZJjVQLbFGebhfkhEZ-7oOQmkuk1PQ71KiqAI5B-X1wvFLCUjF7DmHiZqXJgG3MVkcfgx8QOYGehhLSTghFGZV_-m"
            "wR5vYfi0_eQdmxQqB5Tou5LS_i9AKcqjK9bDm-lQ-uDGq9ODSZ0gLWSdgfXD8TYb"
        ),
    ),
    "empty": (
        binding("system", "default", "initial:openai", version=2),
        "",
        (
            "vf1.0a1b2c3d.gAAAAABrADZAAAECAwQFBgcICQoLDA0ODwlaDbxsVh4B0NQ4HKWbe7ZXl1javpRBuyRbl2Wl8_t3kujt7RyncD9MnVBpi9rU"
            "1jN3Y33sV1YXt-BQMMyLhF6ViXetUYNVqKXldWsy5-n-rBl8OLz0GnirrwbHpG8sotZqT6GmsU2G7ehzlinpLUU="
        ),
    ),
    "looks sealed": (
        binding("server", "guild-1", version=3),
        "encrypted:gAAAAABlooks-sealed-? ",
        (
            "vf1.0a1b2c3d.gAAAAABrADZAAAECAwQFBgcICQoLDA0ODwFQKz89KMHyKIyWnGvBpQrF-PiBQmKptJUr7pj-hMegOzcNCmNRCJoBCu7AMQ7J"
            "wBdEL8rf3mFnIKKPLG72G7_EK-RW8SQdtvAFVo51T2FJaDjNbXSdvcIQbnSSEPh2xgi0YM2xniUWYffA3Fh3x6liPzdQnmqDF2pcu3lYXDOM"
            "PVpB62W6-6m-buBYHHe7LA2LY7hosQnS4CQIlWPd8HndAvuIVGk8_7220ztHVcfG"
        ),
    ),
    "user, with additional input": (
        binding("user", "u-1", "google", additional=b"additional secret of at least 32 characters"),
        "AQ.user-key-0123456789",
        (
            "vf1.0a1b2c3d.gAAAAABrADZAAAECAwQFBgcICQoLDA0OD4qz6MvjYzfPdnnI1KGUlS33ZKyZGM_e4gXIPl-0VAEuNJAPvs0l1cxxX2DvWwPV"
            "LYb49lllNbvW9joOa1V8eJYynbfAeW05c7f8X0hk1tAumiS8yvKf8w1FHsRGWAcWunlj-KQe4yW4Z2UNpqwGC5i66mwDBMV43aKzhCe0h2s1"
            "HTUPNJ0p7vTRTbLvOYbi__vCPpoXO-TDMFg8NxgosjcIo7RiSD8_bFK4OIaPEIaA"
        ),
    ),
}
"""By name: place, secret, ciphertext. Made by a program of its own, from the description alone."""
FROZEN_BOUND: dict[str, tuple[Binding, str, str]] = {
    "tenant": (
        FROZEN["tenant"][0]._replace(destination="provider|https://api.openai.com"),
        FROZEN["tenant"][1],
        (
            "vf2.0a1b2c3d.gAAAAABrADZAAAECAwQFBgcICQoLDA0OD7Gz84RsMlwTr5yRNuSbWTPtc5l7uNw06WxtwmbFcC1MZGWZJsIONTURZLz-5Yl"
            "FtKndLeoaCr2ZwcZJsxaUswQMoxl26NIMVuk6NxJkS_JfQgeKegmhekmSPqc9jXoJ1jD-mN0D9K8foseEoKrH5xsgNSbvQm3MvOebfZSAnMG"
            "W7MxekIgDzyxKFzTDzzKlo7xhKzwXoNyGmGxovL1WmMFJb3x3AldpZtipI1RtRnyh"
        ),
    ),
    "expiring, not ASCII, with outer blanks": (
        FROZEN["expiring, not ASCII, with outer blanks"][0]._replace(destination="camera|rtsp|10.0.0.7|554|admin"),
        FROZEN["expiring, not ASCII, with outer blanks"][1],
        (
            "vf2.0a1b2c3d.gAAAAABrADZAAAECAwQFBgcICQoLDA0OD9V85ZnAXAmBfZAwO3fUnWOmzxlNxb23CPF2nphOAQDvB0M9GTBQFeA6z0NgaO9"
            "3wZ07-cB7raiVwxxwq3BAHfOJ4nESYDKNVZqVSAq6pKCrQy3ae9lMTMm6uUc6vSMq0WQJU0zKNH0SmHFkiLxb17rrWcXRL_eqgknxz4iF0OV"
            "yffw-mDJZSNFzjqPEJsG44_MxxGbYsnVfAiPP0ZhelfMBSWi2XWilAc22SSeCG2yg"
        ),
    ),
    "empty": (
        FROZEN["empty"][0]._replace(destination=""),
        FROZEN["empty"][1],
        (
            "vf2.0a1b2c3d.gAAAAABrADZAAAECAwQFBgcICQoLDA0OD3j5Fsci4DYLMLx57vvmlOrKggvgz7AEEU3jVtCEUBHC8622UQTUurFyYsWkBjy"
            "v-4pgVpjekKZq67otNYWm36Rq-q1VypR_WF1T9SgDqlhd2K_xHRQGwwp8_0Pp1WngPhLxwe5FsDfoko_j9DbqOI4="
        ),
    ),
}
"""The same of the present format, each bound to a destination."""
FROZEN_WRAP = (
    "gAAAAABrADZAAAECAwQFBgcICQoLDA0ODw4LO88V7Xru9Jh5HkFBUcI2EnWq6gr2VpKkLZe_1MN6yej8d_jeXdyQKZOJlwNrx5ghpOy82UCCLs14"
    "o7POlo9Arzp6E9SiMDAiCJVsFa-T"
)
FROZEN_FINGERPRINT_KEY = (
    "vf1.0a1b2c3d.gAAAAABrADZAAAECAwQFBgcICQoLDA0ODzV6qsw-4wT7z6Qi_FjZVIn5Ljr7FhDQEGlLt-tdYzLnkxKRLKooTUsAfVg26K9zdLoG"
    "1TE2RcaGiO1Y9Jg0VblFQCeeCgBNdAg7g23Iwf6k"
)
FROZEN_ESCROW = (
    "vf1.0a1b2c3d.gAAAAABrADZAAAECAwQFBgcICQoLDA0OD0xFk8iSM8dgA9wCG9BfCk4lYJP7tgcfX1PCG11tKXLXcfMnFbVA8p8csORDk-gbrWJD"
    "-hTyr3-8XtfgrtPoe52mAMV_X2fBp72c6Mw0Dcy1"
)
RECOVERY_ROOT = bytes.fromhex("1ab1e26fb7f7313b9beac107d2744603f830e26c6e669bba4db920eb04493c46")


@pytest.mark.parametrize(("place", "secret", "ciphertext"), FROZEN.values(), ids=FROZEN.keys())
def test_frozen_ciphertexts_open(place: Binding, secret: str, ciphertext: str) -> None:
    """Rows that were written once stay readable for ever."""
    assert KEY.open(place, ciphertext) == secret


@pytest.mark.parametrize(("place", "secret", "ciphertext"), FROZEN_BOUND.values(), ids=FROZEN_BOUND.keys())
def test_sealing_makes_the_frozen_ciphertexts(
    place: Binding, secret: str, ciphertext: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With clock and IV held still, sealing writes the very same bytes: nothing else is random, nothing is left out."""
    monkeypatch.setattr(Fernet, "encrypt", lambda fernet, data: fernet._encrypt_from_parts(data, FROZEN_AT, FROZEN_IV))

    assert KEY.seal(place, secret) == ciphertext
    assert KEY.open(place, ciphertext) == secret


@pytest.mark.parametrize("destination", ["camera|rtsp|10.0.0.8|554|admin", "", None])
def test_a_secret_opens_for_its_destination_only(destination: str | None) -> None:
    """Another host, port, scheme or user name is another destination; none at all opens nothing."""
    place = binding("camera", "door-3", "password")._replace(destination="camera|rtsp|10.0.0.7|554|admin")
    ciphertext = KEY.seal(place, "secret")
    elsewhere = place._replace(destination=destination)

    assert KEY.is_genuine(place, ciphertext)
    assert not KEY.is_genuine(elsewhere, ciphertext)
    with pytest.raises(SealBrokenError):
        KEY.open(elsewhere, ciphertext)


def test_what_an_earlier_version_sealed_becomes_bound() -> None:
    """Sealing it anew keeps the frame, and binds it to where it may go."""
    place, secret, ciphertext = FROZEN["tenant"]
    bound = place._replace(destination="provider|https://api.openai.com")
    new = new_vault_key(VAULT)

    resealed = KEY.reseal(bound, ciphertext, new, bound.owner)

    assert resealed.startswith(prefix_of(new.kid))
    assert new.open(bound, resealed) == secret
    with pytest.raises(SealBrokenError):
        new.open(place, resealed)


def test_frozen_keys_of_the_vaults_own_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrap, the key of the fingerprints, the recovery key in escrow: read, and written the same."""
    opened = unwrap(ROOT_KEY, VAULT, KID, FROZEN_WRAP)

    assert (opened.vault_id, opened.kid, opened.key) == (VAULT, KID, KEY.key)
    assert KEY.open_internal("fingerprint", FROZEN_FINGERPRINT_KEY) == FINGERPRINT_KEY
    assert KEY.open_internal("escrow", FROZEN_ESCROW) == RECOVERY_ROOT

    monkeypatch.setattr(Fernet, "encrypt", lambda fernet, data: fernet._encrypt_from_parts(data, FROZEN_AT, FROZEN_IV))
    assert wrap(ROOT_KEY, KEY) == FROZEN_WRAP
    assert KEY.seal_internal("fingerprint", FINGERPRINT_KEY) == FROZEN_FINGERPRINT_KEY
    assert KEY.seal_internal("escrow", RECOVERY_ROOT) == FROZEN_ESCROW


def test_frozen_fingerprints() -> None:
    """Of a secret for its owner, and of a root key for people."""
    assert fingerprint_of(FINGERPRINT_KEY, "tenant", "acme", "sk-live-0123456789abcdef") == "3c70d978d9d68949"
    assert fingerprint(ROOT_KEY) == "4aa98805443fde09"


# --- round trips -----------------------------------------------------------------------------------------------------


@given(secret=TEXT, owner_id=TEXT, name=TEXT, version=st.integers(1, 2**31 - 1), additional=st.binary(max_size=40))
@PROPERTY
def test_what_is_sealed_opens(secret: str, owner_id: str, name: str, version: int, additional: bytes) -> None:
    """Any text for any place comes back exactly, and its length shows in steps of 64 bytes only."""
    place = binding("user", owner_id, name, version=version, additional=additional)

    ciphertext = KEY.seal(place, secret)

    assert KEY.open(place, ciphertext) == secret
    frame_bytes = len(base64.urlsafe_b64decode(ciphertext.removeprefix(prefix_of(KID)))) - 57 - 16
    assert frame_bytes % BLOCK_BYTES == 0


LOOKS_SEALED = [
    FROZEN["tenant"][2],
    FROZEN_WRAP,
    "encrypted:" + FROZEN_WRAP,
    "vf1.",
    "vf1.0a1b2c3d.",
    "****cdef",
    "\x00",
    "\x80",
    "trailing zeros\x00\x00\x00",
    "mark\x80\x00",
    "\x80" * 64,
]


@pytest.mark.parametrize("secret", LOOKS_SEALED)
def test_text_that_looks_sealed_is_sealed_all_the_same(secret: str) -> None:
    """What a person typed is never taken for a ciphertext, a mask or padding."""
    ciphertext = KEY.seal(PLACE, secret)

    assert secret not in ciphertext or secret in prefix_of(KID)
    assert KEY.open(PLACE, ciphertext) == secret


def test_the_same_secret_never_looks_the_same() -> None:
    """Equal secrets cannot be told by their ciphertexts."""
    assert len({KEY.seal(PLACE, "same") for _ in range(50)}) == 50


def test_derived_keys_can_be_let_go() -> None:
    """After that they are derived anew, and the same."""
    ciphertext = KEY.seal(PLACE, "secret")

    forget_derived_keys()

    assert sealing._fernet_of_row.cache_info().currsize == 0
    assert KEY.open(PLACE, ciphertext) == "secret"


# --- moved -----------------------------------------------------------------------------------------------------------

ELSEWHERE: dict[str, Callable[[Binding], Binding]] = {
    "row": lambda at: at._replace(secret_id="1d3f5a7c-0000-4000-8000-00000000002b"),
    "name": lambda at: at._replace(name="google"),
    "owner id": lambda at: at._replace(owner=at.owner._replace(id="acme2")),
    "owner kind": lambda at: at._replace(owner=at.owner._replace(kind="server")),
    "salt": lambda at: at._replace(owner=at.owner._replace(salt=bytes(32))),
    "no salt": lambda at: at._replace(owner=at.owner._replace(salt=b"")),
    "additional input": lambda at: at._replace(owner=at.owner._replace(additional=b"x" * 32)),
    "later version": lambda at: at._replace(row_version=2),
    "expiry": lambda at: at._replace(expires_at="2027-01-31T00:00:00.000000Z"),
    "shifted boundary": lambda at: at._replace(owner=at.owner._replace(kind="tenanta", id="cme")),
}


@pytest.mark.parametrize("move", ELSEWHERE.values(), ids=ELSEWHERE.keys())
def test_a_ciphertext_opens_only_where_it_belongs(move: Callable[[Binding], Binding]) -> None:
    """Copied elsewhere, or beside another version of its row, it is broken; never a value."""
    ciphertext = KEY.seal(PLACE, "secret")

    with pytest.raises(SealBrokenError):
        KEY.open(move(PLACE), ciphertext)


@pytest.mark.parametrize("elsewhere", ELSEWHERE.keys())
def test_signatures_tell_where_a_ciphertext_belongs(elsewhere: str) -> None:
    """Without decrypting; only a version or an expiry, which the frame repeats, takes opening it."""
    ciphertext = KEY.seal(PLACE, "secret")

    assert KEY.is_genuine(PLACE, ciphertext)
    in_frame = elsewhere in ("later version", "expiry")
    assert KEY.is_genuine(ELSEWHERE[elsewhere](PLACE), ciphertext) == in_frame


@pytest.mark.parametrize("damage", [lambda text: text[:-1], lambda text: text + "\n", lambda text: text[:20] + "é"])
def test_damaged_ciphertexts_are_not_genuine(damage: Callable[[str], str]) -> None:
    """Nor are those of another key."""
    assert not KEY.is_genuine(PLACE, damage(KEY.seal(PLACE, "secret")))
    assert not KEY.is_genuine(PLACE, new_vault_key(VAULT).seal(PLACE, "secret"))
    with pytest.raises(FormatUnknownError):
        KEY.is_genuine(PLACE, "plaintext")


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(VaultKey("00000000-0000-4000-8000-000000000000", KID, KEY.key), id="vault"),
        pytest.param(VaultKey(VAULT, "ffffffff", KEY.key), id="key id"),
        pytest.param(VaultKey(VAULT, KID, bytes(32)), id="key"),
    ],
)
def test_a_ciphertext_opens_only_under_its_key(other: VaultKey) -> None:
    """Another vault, key id or key will not do, even with the prefix put right."""
    ciphertext = KEY.seal(PLACE, "secret")

    with pytest.raises(SealBrokenError):
        other.open(PLACE, ciphertext.replace(prefix_of(KID), prefix_of(other.kid)))


def test_purposes_are_kept_apart() -> None:
    """What is sealed under the vault key itself opens for its purpose only, and is no secret of a row."""
    sealed = KEY.seal_internal("escrow", b"key")

    for reading in (lambda: KEY.open_internal("fingerprint", sealed), lambda: KEY.open(PLACE, sealed)):
        with pytest.raises(SealBrokenError):
            reading()


# --- damaged ---------------------------------------------------------------------------------------------------------


def test_every_flipped_byte_is_noticed() -> None:
    """At each place of the text: an unknown format in the prefix, a broken seal everywhere else."""
    ciphertext = KEY.seal(PLACE, "secret")
    start = len(prefix_of(KID))

    for at, character in enumerate(ciphertext):
        for other in {chr(ord(character) ^ 1), chr(ord(character) ^ 32), "-", "!", "\n", "é"} - {character}:
            damaged = ciphertext[:at] + other + ciphertext[at + 1 :]
            with pytest.raises((SealBrokenError, FormatUnknownError) if at < start else SealBrokenError):
                KEY.open(PLACE, damaged)


def test_every_truncation_is_noticed() -> None:
    """Whatever is cut off, in front or behind, or put between."""
    ciphertext = KEY.seal(PLACE, "secret")

    for length in range(len(ciphertext)):
        with pytest.raises((SealBrokenError, FormatUnknownError)):
            KEY.open(PLACE, ciphertext[:length])
        with pytest.raises((SealBrokenError, FormatUnknownError)):
            KEY.open(PLACE, ciphertext[length + 1 :])
        with pytest.raises((SealBrokenError, FormatUnknownError)):
            KEY.open(PLACE, f"{ciphertext[:length]} {ciphertext[length:]}")


@given(text=TEXT)
@PROPERTY
def test_other_text_is_never_opened(text: str) -> None:
    """No text is taken for a ciphertext, with or without the prefix of one."""
    for candidate in (text, prefix_of(KID) + text):
        with pytest.raises((SealBrokenError, FormatUnknownError)):
            KEY.open(PLACE, candidate)


@pytest.mark.parametrize("text", ["", "vf1", "vf3.0a1b2c3d.gAAA", "vf1.0a1b2c3.gAAA", "VF1.0a1b2c3d.gAAA", FROZEN_WRAP])
def test_unknown_formats_are_told_apart(text: str) -> None:
    """What may come from a later version, or is no ciphertext at all, is not called tampered with."""
    with pytest.raises(FormatUnknownError):
        kid_of(text)


FRAMES: dict[str, Callable[[bytes], bytes]] = {
    "another version of the frame": lambda header: b"\x02" + header[1:] + b"secret\x80",
    "no padding": lambda header: header + b"secret",
    "only zeros": lambda _: bytes(64),
    "header only": lambda header: header,
    "nothing": lambda _: b"",
    "mark inside the header": lambda header: header[:-1] + b"\x80",
}


@pytest.mark.parametrize("frame", FRAMES.values(), ids=FRAMES.keys())
def test_a_genuine_token_with_another_frame_does_not_open(frame: Callable[[bytes], bytes]) -> None:
    """The key alone is not enough: the frame inside must be this row's."""
    fernet = sealing._fernet_of_row(KEY, PLACE.owner, PLACE.secret_id, PLACE.name)
    token = fernet.encrypt(frame(PLACE.header())).decode()

    with pytest.raises(SealBrokenError):
        KEY.open(PLACE, prefix_of(KID) + token)


def test_a_wrap_opens_with_its_root_key_only() -> None:
    """Not with another one, for another vault or key id, or damaged."""
    wrapped = wrap(ROOT_KEY, KEY)

    for root, vault, kid, text in (
        (bytes(32), VAULT, KID, wrapped),
        (ROOT_KEY, "00000000-0000-4000-8000-000000000000", KID, wrapped),
        (ROOT_KEY, VAULT, "ffffffff", wrapped),
        (ROOT_KEY, VAULT, KID, wrapped[:-2] + "AA"),
        (ROOT_KEY, VAULT, KID, wrapped + "\n"),
        (ROOT_KEY, VAULT, KID, "é" + wrapped),
        (ROOT_KEY, VAULT, KID, ""),
    ):
        with pytest.raises(SealBrokenError):
            unwrap(root, vault, kid, text)


@given(
    data=st.binary(max_size=80), noise=st.text(st.sampled_from("AZaz09+/=-_ \n"), max_size=3), at=st.integers(0, 110)
)
@PROPERTY
def test_canonical_base64_is_what_encoding_gives(data: bytes, noise: str, at: int) -> None:
    """The quick test says the same as decoding and encoding again."""
    encoded = base64.urlsafe_b64encode(data)
    changed = encoded[:at] + noise.encode() + encoded[at:]

    try:
        expected = base64.urlsafe_b64encode(base64.urlsafe_b64decode(changed)) == changed
    except ValueError:
        expected = False

    assert is_canonical_base64(encoded)
    assert is_canonical_base64(changed) == expected


@pytest.mark.parametrize("last", ["A", "Q", "g", "w"])
def test_unused_bits_must_be_zero(last: str) -> None:
    """Of the characters that decode to the same byte only one is canonical."""
    canonical = f"8{last}==".encode()
    data = base64.urlsafe_b64decode(canonical)
    variants = [f"8{other}==".encode() for other in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"]

    same = [variant for variant in variants if base64.urlsafe_b64decode(variant) == data]

    assert [variant for variant in same if is_canonical_base64(variant)] == [canonical]
    assert len(same) == 16


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        (SPEC_TOKEN.encode(), True),
        (b"", False),
        (b"gAAA", True),
        (b"AAAA", False),
        (SPEC_TOKEN.encode() + b"\n", False),
    ],
)
def test_canonical_tokens_begin_with_fernets_version(token: bytes, expected: bool) -> None:
    """An empty text and other base64 are no tokens."""
    assert is_canonical_token(token) is expected


# --- keys, fingerprints, hints ---------------------------------------------------------------------------------------


def test_new_keys_differ_in_everything() -> None:
    """Key and key id are random."""
    keys = [new_vault_key(VAULT) for _ in range(20)]

    assert len({key.key for key in keys}) == len({key.kid for key in keys}) == 20
    assert all(len(key.key) == 32 and kid_of(prefix_of(key.kid)) == key.kid for key in keys)


@given(secret=TEXT, other=TEXT)
@PROPERTY
def test_fingerprints_tell_an_owners_secrets_apart(secret: str, other: str) -> None:
    """Same secret, same fingerprint; another secret or another owner, another one."""
    assume(secret != other)

    of_secret = fingerprint_of(FINGERPRINT_KEY, "tenant", "acme", secret)

    assert of_secret == fingerprint_of(FINGERPRINT_KEY, "tenant", "acme", secret)
    assert of_secret != fingerprint_of(FINGERPRINT_KEY, "tenant", "acme", other)
    assert of_secret != fingerprint_of(FINGERPRINT_KEY, "tenant", "other", secret)
    assert of_secret != fingerprint_of(bytes(32), "tenant", "acme", secret)


@pytest.mark.parametrize(("length", "shown"), [(0, None), (15, None), (16, "cdef"), (40, "cdef")])
def test_hints_are_four_characters_of_long_secrets(length: int, shown: str | None) -> None:
    """A short one would be given away by half."""
    assert hint_of(("0" * 40 + "cdef")[-length:] if length else "") == shown


@pytest.mark.parametrize(
    "shown",
    [
        pytest.param(KEY, id="vault key"),
        pytest.param(PLACE.owner, id="owner"),
        pytest.param(binding(additional=b"additional-secret"), id="binding"),
    ],
)
def test_no_key_shows_in_a_repr(shown: Any) -> None:
    """Neither raw nor in hex or base64."""
    text = repr(shown)

    for hidden in (KEY.key, SALT, b"additional-secret"):
        assert repr(hidden)[2:-1] not in text
        assert hidden.hex() not in text
        assert base64.b64encode(hidden).decode() not in text


def test_errors_keep_nothing_of_what_they_failed_on() -> None:
    """Neither in their text nor in the errors they came from."""
    ciphertext = KEY.seal(PLACE, "plaintext-canary")

    with pytest.raises(SealBrokenError) as caught:
        KEY.open(ELSEWHERE["later version"](PLACE), ciphertext)

    error: BaseException | None = caught.value
    while error is not None:
        assert "canary" not in repr(error) + repr(vars(error))
        error = error.__context__


def test_the_binding_is_what_it_says() -> None:
    """The row's key and frame, written out."""
    owner_key = hkdf(KEY.key, SALT, "owner", VAULT, KID, "tenant", "acme")
    row_key = hkdf(owner_key, VAULT, "row", SECRET_ID, "openai", "")
    token = KEY.seal(PLACE, "secret").removeprefix(prefix_of(KID))

    frame = Fernet(base64.urlsafe_b64encode(row_key)).decrypt(token)

    assert frame.rstrip(b"\x00") == b"\x01" + lp(SECRET_ID, "1", "") + b"secret\x80"
    with pytest.raises(InvalidToken):
        Fernet(base64.urlsafe_b64encode(owner_key)).decrypt(token)
