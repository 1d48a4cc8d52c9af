"""Devices and what is said about them: frozen keys and codes, and that nothing can be moved, swapped or made up."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.services.vault.devices import (
    NotForUsError,
    PublicKey,
    PublicKeyInvalidError,
    decoded,
    device_of,
    encoded,
    expanded_pair,
)
from app.services.vault.join_codes import JoinCode
from app.services.vault.membership import (
    Entry,
    GrantBrokenError,
    WrapBrokenError,
    acceptance_code,
    is_accepted,
    is_request_of,
    is_succession,
    make_grant,
    make_wrap,
    open_grant,
    request_check,
    succession_code,
)
from app.services.vault.sealing import VaultKey
from tests.support.properties import PROPERTY

if TYPE_CHECKING:
    from collections.abc import Callable

VAULT = "6f1c1c7e-6b0f-4a39-9d0e-2f6f1d0c9b11"
OTHER_VAULT = "00000000-0000-4000-8000-000000000000"
ROOT_A, ROOT_B, ROOT_E = bytes(range(32)), bytes(range(1, 33)), bytes(range(2, 34))
A, B, ATTACKER = device_of(ROOT_A, VAULT), device_of(ROOT_B, VAULT), device_of(ROOT_E, VAULT)
KEY = VaultKey(VAULT, "0a1b2c3d", bytes(range(64, 96)))
NEXT = VaultKey(VAULT, "4e5f6071", bytes(range(96, 128)))
PLANTED = VaultKey(VAULT, KEY.kid, bytes(range(128, 160)))
CODE = JoinCode(bytes.fromhex("9dcef4ca7ae8a4dc2b0d"))
OTHER_CODE = JoinCode(bytes.fromhex("9dcef4ca7ae8a4dc2b0e"))
ENTRY = Entry(B.id, B.public, "anna@desk-3", A.id)

# Sealed once, with the code as it is; they must open for ever.
FROZEN_GRANT = (
    "dQWqg4CR7u2MbLO6-08Bvh9gHeNCUhJD0UyCUMbc-6n5BHul0PcDoMH2ox3GLxgcNrWf2H09W32vaiS15GsVFuU3YXVD0e-"
    "aCAtX1kLUwgfXFf8le_gQJ8SDwoKlqNfJlSeXk9HxM_9MWuOuFL5_YWJkUI1yvEwFXpJ1E22284qCB-"
    "qHASKeK7lhw_b8FELXT_KzqRYQ1gZAF2oOWdBlbU5E34m57HYyZFdh5XJHq1vtKJwA2dAaEtR4Hrh6tVgij8YJh8FK-EGzJ13vB5Z7Ifopu6On"
    "wKaOB1enMvUHm6gn92I3x8CjYRLivrF8h1kQ2CQc0wSVhIPXnCl_anZ8k3uH5e8iUFBvAmsuFDCh85e5oGs1jVWGhasKI64_OdNKAUiuldmKGV"
    "yYim3IYGfHBpc_K54U_7JpJDHJGElAo1Sp8TEJgYUkR6ZHdv5QgfflvGhzM1aCfDeio-"
    "EzFeYkFi4qbQuhUydivjmHm3908ZiTM_Er3VJOMhCofqSVwrR4PmcykMtVg6kU7j2-iZpPDcEBbZua5if5kjGkrVjzcg7jDLbt--"
    "W2985Ly86-xv0VCsHRePzOpgYVLaR6POP5gDZWB8OtkrqxaDLocCpX9PO5IV8zLw564imvLKUjJ1bQFUW-"
    "HXEopS4PqCqji7UF9Md0Wpk9DYxiMoG-O0AazpLQMXauTO01WwH3Lh7Uqmxe5YNPKg-aMkA8oEy7sBt7ZR8C-"
    "saQ00D2Q4CbTA9LYUx3NQl5ihDIcTfOIWyArKtQWPYoUDFAb-"
    "0Fi4W_k_zvz3vdHYaQmGyccXH06ErPyH63H6JY9s4On9HcuMm5sBCv2i9dAns5VuGWSQqsOaPFPIXZP_c62TL9LMKdC8fqTCq9HxHU8WVTwWNR"
    "zqvVKVrIoxwqfounkHMPF36NtJhADKykypyI1Wgp6bF0GQXezZVGTDZrQV-"
    "1IBsUzG3uUKU5JjSGLjG3hlDLwr5ixb_YOFNe7gaIpdHPo6guszdacfIEXVgJmdkmQ9Pf1sm0Fgtl-"
    "78JhKVrHjJjFo573r7Qa8XvQtTJQJPeY8uuVmpsZXVds6PXg2zRN_P9GnhZFPb11GM9PPJrIaL1zQ3tsAgy14jI1gP_AfaPMrbUw4YEJkx4fgs"
    "ZJjPXPH7A5YWEg83Hh9Ii1imAAzn5pJiv5UneptNUeV49boOYdWgUVuqV5H8lO0E87ST5ypvluoeT-"
    "VCOx50_JMUH8lygDvMQw5xUgXv9iH49OY50l1zWqou7xuf9xknPH4inZqLGsKUg-Ls8Q1_LZGBKSDoUEXRpP_CvDAQ_KciKELmycqMzilaILhr"
    "LDzz2pHc5QutYFQz4EupIQ9ZRGGoFu0Ai1AuIbRwGxUoo8ztw6K1tgjwEes6042lmzjS7m8gAaElZgNj1VXxkQAaCkmJTluAnDctf3pGGfAjW-"
    "ZrEOkmT_MW0ZZ_Ez8784Pn2x7xjr40bIacqfiqCh1FMMvMt0I8aS43gT71VEObqgZCleIi5qaF_kO1ZMMt3-"
    "zT_AjqJVH5nxUsZd05rcjDOhzZnFLFrrjOdPW8k4rSCLqhU11MUMI5hjt_WpDK2FYcaK1bBZ6UUYyUNyp2w8RibeX61SWJoR6k5gGgtCuDDChT"
    "4D9wWwtPsJsa7H-5_KsWUwo7lJSfyJlCkaf8HQZNC-vOY2k3qf3u-AGqhXjMt1AfeLQ89gB0Y4w=="
)
FROZEN_WRAP = (
    "VDq0joog8HyECrcbOQsoloideUUm0BKIvVEuhNT1v2bvx_KdkKpkwwdyZ34GHgy3KpwYSl_lxUizi-"
    "R0zcNKCHqxod0lqTdXy96nrSbLz0NeMVoixNojLr_4uMP8H7fViAGwsNKrec7L3o7VlgEd-"
    "0cXqxq7j9KjRDqruUFeScxRBBkQ32sB7wdfkE8a5CYsUvs_HnEX2XyI_ilslgQroY8xims2x2Omi6fR3ZYH4uKG_Botj1465TAr_VzGmvKHu7f"
    "XegKnNTh-tbHSITfzrRhNzxDx7CbC0xmJ1AfpriCok7M_ZMic0OUomcDUyq5J0iBOT_JulFUmx2304lbj8FhQezyvevOlCVQzvlir59SFaffFS"
    "rF3_m0IABiup97A1rv-97eBnSZ0B0-"
    "ypa109MiNhpS7No3lYDgcJIPV9cKnKJACW7wplaKvou5LW_kcxhoprRABrUmeAoCnNLLljrzd9mBSp5oJWHLnf3uQydwvC-UM11L1AXbMyOfWz"
    "SfMypSU_vBwUOYDcMEc4qE4FilQpebyoo8a3G84dHQWqlALnqCCtrT5CxD5csg1JI4LAzsVMvO0WK6KZy6uayWCjKbqY9ZEtitVYVxwbD2tvHS"
    "VUYXigPnOV1UQIqM4A9Hglp_3VntdcnXNXS3HfC6Cq_R372PRDfNWmYgZSm3pifFVGd63p1zPdRvPRf0203eXO8AOtRJnkMyJFUlfZRUocnGfC"
    "Ee0vkpIivNBNz9hxjAfLTShmNiv8_FLTZakZx-O-iiQt_tppN8_mrl0q_MyFfOjvECEKuYWnZ-KEbeH41HBpLs9ThgQDL8C1L_5uj93yeVKeNT"
    "gglMVPxDyLNViQccJKyqbFSMc1EwQc2fPmxZiV2eAKiFfWuUeB6LF_beF8-aDkypOCz8Xi4qcoveyBmUnzJaq_zd2j9hjAjioA5p0TLMzbk9r-"
    "MfyNECmxvCVRIu0_dcfNWgE4cQSNjVYZ9rJwL89cmyhUjQWroAnQm-AweEiWKDf3MSkqDdgXH5oRlpxu0-"
    "E_PQ9fhotlKM5Ht8N1tC3mSB9efnQ_7HUrxhHfTrJoRNbhkUzODxlVitGJKt21I2kuuhVFrA3-UkMV3tf5yvZ7KNglylEM5LOSidH1Up_-4-"
    "oiKgthBg2U5wTOA5AX8krxkQWg0ExPFJD-_Xn5Iu86SKj1MddhiLSfR1hjNPTSRvWHZZ-"
    "7CO5B1T_mkXsHjYCRoWdKV7csg9HGRQpgXAJS_NqVKQsHXOta3uD8WPAX8p11qKAwzrklmauDCqi14RhQnA5rKKKhzR2eMSWh4YanvF1CzzXDp"
    "4XsH_lX8jfnRwBN3IBw8lQyCyECj6GGY6FRq3hBmZHpLaW9cLvr5LZAlg7ZbZ7m8iMqhuaLHiIrJaz5C_yeDK6ZHhUchVCd_r_AIPVBNmScPGD"
    "kzzD0YvDPGgWaTopXjZUNg2CFHzRIVLpzhoBInF6SSaIkQbZwnoSrtLFKKpgsnDsOhYxggPYFAJcj4l8avGIVddptEeJLxS5OEPSPZ5qBCasjT"
    "7d1QpM0t4MD5q9KaGBLg=="
)
FROZEN_SIGNATURE = "V8xe6khtLutTtfr2VnobA0KcKhGUHisNf_gDZFWsvsd6Rq9Z1zu6lyL-Ng0aWX5lAp4TqwV2CahUf_SW34qjDw=="


# --- devices ---------------------------------------------------------------------------------------------------------


def test_encryption_keys_are_those_of_x_wing() -> None:
    """The published vector of draft-connolly-cfrg-xwing-kem, appendix C: seed and public key."""
    kem, curve = expanded_pair(bytes.fromhex("7f9c2ba4e88f827d616045507605853ed73b8093f6efbc88eb1a6eacfa66ef26"))

    public = kem.public_key().public_bytes_raw() + curve.public_key().public_bytes_raw()

    assert public.hex().startswith("e2236b35a8c24b39b10aa1323a96a919a2ced88400633a7b07131713fc14b2b5")
    assert public.hex().endswith("06eff389b27dce59844570216223593d4ba32d9abac8cd049040ef6534")
    assert hashlib.sha256(public).hexdigest() == "2e816deebcd76c5c80d0cd2d174478871658e8e2ff42bc9d4a6e486372e856bb"


def test_frozen_root_key_makes_its_device() -> None:
    """A desktop stays who it is, whatever version it runs."""
    assert A.id == "df07851dbc667b0f"
    assert (
        hashlib.sha256(A.public.raw).hexdigest() == "5b4ffcd75f00e8374b9339a03061cc72e9fe000cf2a143e42ce50a51d9fab5ea"
    )
    assert A.public.raw[-32:].hex() == "996eeba28cbf0a8eae49410777ecaae4e815d818959e23efc9df49b4ef04566a"


def test_devices_are_bound_to_their_vault_and_root_key() -> None:
    """The same computer is another device elsewhere; nothing shown of it holds a key."""
    assert len({A.id, B.id, device_of(ROOT_A, OTHER_VAULT).id}) == 3
    assert repr(A).count("[") == 0
    assert "0x" not in repr(A)


def test_public_key_is_read_as_it_was_written() -> None:
    """There is one form of it."""
    assert PublicKey.parse(B.public.text()) == B.public


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(None, id="nothing"),
        pytest.param(7, id="a number"),
        pytest.param("", id="empty"),
        pytest.param(B.public.text()[:-4], id="cut"),
        pytest.param("=" + B.public.text(), id="not canonical"),
        pytest.param(encoded(b"\xff" * 1248), id="numbers beyond the field of ML-KEM"),
        pytest.param(encoded(bytes(1248)) + "é", id="not ASCII"),
    ],
)
def test_what_is_no_public_key_is_refused(text: object) -> None:
    """A column may hold whatever somebody wrote into it."""
    with pytest.raises(PublicKeyInvalidError):
        PublicKey.parse(text)


@PROPERTY
@given(plaintext=st.binary(max_size=100), info=st.binary(max_size=50))
def test_only_the_device_reads_what_was_sealed_for_it(plaintext: bytes, info: bytes) -> None:
    """And only where it belongs."""
    sealed = B.public.seal(plaintext, info)

    assert B.open(sealed, info) == plaintext
    for device, place in ((A, info), (B, info + b"x")):
        with pytest.raises(NotForUsError):
            device.open(sealed, place)


@PROPERTY
@given(junk=st.binary(max_size=1300))
def test_junk_opens_nothing(junk: bytes) -> None:
    """Nothing but the one error."""
    with pytest.raises(NotForUsError):
        B.open(junk, b"")
    assert not B.public.verifies(junk, b"message")


# --- requests and grants ---------------------------------------------------------------------------------------------


def test_frozen_request_check() -> None:
    """Both desktops compute the same."""
    assert (
        request_check(CODE, VAULT, B.id, B.public, "anna@desk-3")
        == "b8cf707ca6909d170442863042a4797eb0eddf23c3ab28ba897e75ce81095556"
    )


@pytest.mark.parametrize(
    "row",
    [
        pytest.param((VAULT, B.id, ATTACKER.public, "anna@desk-3"), id="public key swapped"),
        pytest.param((VAULT, ATTACKER.id, ATTACKER.public, "anna@desk-3"), id="device swapped"),
        pytest.param((VAULT, B.id, B.public, "boss@desk-1"), id="label swapped"),
        pytest.param((OTHER_VAULT, B.id, B.public, "anna@desk-3"), id="another vault"),
    ],
)
def test_request_that_was_changed_is_not_the_one_of_the_code(row: tuple[str, str, PublicKey, str]) -> None:
    """The code was read out for one row, and proves that one only."""
    check = request_check(CODE, VAULT, B.id, B.public, "anna@desk-3")

    assert is_request_of(CODE, VAULT, B.id, B.public, "anna@desk-3", check=check)
    assert not is_request_of(CODE, *row, check=check)
    assert not is_request_of(OTHER_CODE, VAULT, B.id, B.public, "anna@desk-3", check=check)
    assert not is_request_of(CODE, VAULT, B.id, B.public, "anna@desk-3", check=None)


def test_grants_open() -> None:
    """One made now, and one made long ago."""
    for grant in (make_grant(CODE, KEY, B.public), FROZEN_GRANT):
        opened = open_grant(CODE, B, KEY.kid, grant)
        assert (opened.kid, opened.key) == (KEY.kid, KEY.key)


@pytest.mark.parametrize(
    "grant",
    [
        pytest.param(lambda: make_grant(OTHER_CODE, PLANTED, B.public), id="made without the code"),
        pytest.param(lambda: make_grant(CODE, KEY, ATTACKER.public), id="for another device"),
        pytest.param(lambda: make_grant(CODE, NEXT, B.public), id="for another key"),
        pytest.param(lambda: make_grant(CODE, replace(KEY, vault_id=OTHER_VAULT), B.public), id="from another vault"),
        pytest.param(lambda: make_grant(CODE, KEY, B.public)[:-8], id="cut"),
        pytest.param(lambda: "", id="empty"),
        pytest.param(lambda: None, id="nothing"),
    ],
)
def test_grant_of_somebody_else_opens_nothing(grant: Callable[[], object]) -> None:
    """Whoever plants a vault key needs the code; whoever reads one needs the device."""
    with pytest.raises(GrantBrokenError):
        open_grant(CODE, B, KEY.kid, grant())


# --- directory -------------------------------------------------------------------------------------------------------


def test_frozen_directory_code() -> None:
    """Every member computes the same."""
    assert ENTRY.code(KEY) == "6ea0d9496a2f1a6426f1a51c8a0ceb0f8fde5baa12e625591f3d24e3b0b040c1"
    assert ENTRY.is_vouched_for(KEY, ENTRY.code(KEY))


@pytest.mark.parametrize(
    "entry",
    [
        pytest.param(ENTRY._replace(public=ATTACKER.public), id="public key swapped"),
        pytest.param(ENTRY._replace(device_id=ATTACKER.id, public=ATTACKER.public), id="device swapped"),
        pytest.param(ENTRY._replace(label="boss@desk-1"), id="label swapped"),
        pytest.param(ENTRY._replace(approved_by=B.id), id="approver swapped"),
        pytest.param(ENTRY._replace(label="anna@desk-3" + A.id, approved_by=""), id="boundary moved"),
    ],
)
def test_entry_that_was_changed_is_not_vouched_for(entry: Entry) -> None:
    """Nor is an entry of an earlier key, or of another vault."""
    assert not entry.is_vouched_for(KEY, ENTRY.code(KEY))
    assert not ENTRY.is_vouched_for(NEXT, ENTRY.code(KEY))
    assert not ENTRY.is_vouched_for(replace(KEY, vault_id=OTHER_VAULT), ENTRY.code(KEY))


def test_device_id_must_be_the_public_keys_own() -> None:
    """Even a member that makes codes cannot give a key another one's name."""
    entry = ENTRY._replace(device_id=A.id)

    assert not entry.is_vouched_for(KEY, entry.code(KEY))


# --- wraps -----------------------------------------------------------------------------------------------------------


def test_wraps_open() -> None:
    """One made now, and one made long ago."""
    made = make_wrap(A, NEXT, KEY.kid, B.id, B.public)
    frozen = replace(made, sealed=FROZEN_WRAP, signature=FROZEN_SIGNATURE)

    for wrap in (made, frozen):
        assert wrap.open(B, A.public).key == NEXT.key


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda wrap: replace(wrap, kid=KEY.kid), id="for another key"),
        pytest.param(lambda wrap: replace(wrap, previous_kid="00000000"), id="after another key"),
        pytest.param(lambda wrap: replace(wrap, device_id=A.id), id="for another device"),
        pytest.param(lambda wrap: replace(wrap, granted_by=ATTACKER.id), id="by another device"),
        pytest.param(lambda wrap: replace(wrap, signature=encoded(bytes(64))), id="no signature"),
        pytest.param(lambda wrap: replace(wrap, signature=""), id="empty signature"),
        pytest.param(
            lambda wrap: replace(wrap, sealed=make_wrap(ATTACKER, PLANTED, KEY.kid, B.id, B.public).sealed),
            id="another key sealed",
        ),
        pytest.param(
            lambda _: replace(make_wrap(ATTACKER, NEXT, KEY.kid, B.id, B.public), granted_by=A.id),
            id="signed by somebody else",
        ),
        pytest.param(lambda _: make_wrap(A, NEXT, KEY.kid, A.id, A.public), id="of another member"),
    ],
)
def test_wrap_that_was_changed_or_planted_opens_nothing(change: Callable[[object], object]) -> None:
    """HPKE tells nothing of who sealed; the signature does."""
    changed = change(make_wrap(A, NEXT, KEY.kid, B.id, B.public))

    with pytest.raises(WrapBrokenError):
        changed.open(B, A.public)  # type: ignore[attr-defined]


# --- this desktop's own marks ----------------------------------------------------------------------------------------


def test_marks_are_of_one_desktop_and_one_key() -> None:
    """Nobody can make a desktop's mark on a key that it has not seen."""
    mark = acceptance_code(ROOT_B, KEY)

    assert mark == "ca344f1d58304b8c72e28925566b3fc52e6e81f2764e74561a0bc443bac37e1b"
    assert is_accepted(ROOT_B, KEY, mark)
    assert not any(is_accepted(root, key, mark) for root, key in ((ROOT_A, KEY), (ROOT_B, NEXT), (ROOT_B, PLANTED)))


def test_place_in_the_succession_is_vouched_for() -> None:
    """By the key itself."""
    code = succession_code(NEXT, KEY.kid, 7)

    assert code == "2b856aee3326771e67b2ec29d5c3647e450293b2e092535e7a3722fbdd3ab477"
    assert is_succession(NEXT, KEY.kid, 7, code)
    assert not is_succession(NEXT, KEY.kid, 8, code)
    assert not is_succession(NEXT, "00000000", 7, code)
    assert not is_succession(KEY, KEY.kid, 7, code)


@PROPERTY
@given(raw=st.binary(max_size=50))
def test_text_form_is_read_as_it_was_written(raw: bytes) -> None:
    """Bytes in, bytes out."""
    assert decoded(encoded(raw)) == raw
