"""Desktops as members of a vault: the key pairs that each derives from its local root key.

Nothing is kept on disk for it. The encryption pair is that of HPKE (RFC 9180) with the hybrid of ML-KEM-768 and X25519,
whose private key is a seed of 32 bytes (X-Wing, draft-connolly-cfrg-xwing-kem): wraps lie in a database, and in its
backups, for years, so they are made to outlast a quantum computer. The signing pair is Ed25519: a forged signature is
of use only while its vault key is taken over, which happens now.
"""

from __future__ import annotations

import base64
import functools
import hashlib
from dataclasses import dataclass, field
from typing import Final, Self

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, MLKEM768X25519PrivateKey, MLKEM768X25519PublicKey, Suite

from app.core.derivation import hkdf, lp
from app.core.fernet_keys import is_canonical_base64

_SUITE: Final = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
_KEM_SEED_BYTES: Final = 64
_EXPANDED_BYTES: Final = 96
_KEM_PUBLIC_BYTES: Final = 1184
_ENCRYPTION_BYTES: Final = _KEM_PUBLIC_BYTES + 32
_PUBLIC_BYTES: Final = _ENCRYPTION_BYTES + 32
_KEPT: Final = 8


class NotForUsError(ValueError):
    """What was sealed does not open with this device's key, or in this place."""


class PublicKeyInvalidError(ValueError):
    """The text is no public key of a device."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """The public halves of a device's two pairs, which always travel together."""

    raw: bytes = field(repr=False)

    @classmethod
    def parse(cls, text: object) -> Self:
        """Read what `text` wrote; strict, as there must be one form of it that codes are made over.

        Raises:
            PublicKeyInvalidError: it is nothing of the kind.
        """
        raw = decoded(text)
        if len(raw) != _PUBLIC_BYTES:
            raise PublicKeyInvalidError("not a public key")
        key = cls(raw)
        try:
            key._encryption_key()  # ML-KEM's own check of its input (FIPS 203, 7.2)
            key._signing_key()
        except ValueError:
            raise PublicKeyInvalidError("not a public key") from None
        return key

    def text(self) -> str:
        """Return its form in the database."""
        return encoded(self.raw)

    def device_id(self, vault_id: str) -> str:
        """Return the 16 hex digits that name the device in one vault."""
        return hashlib.sha256(lp(vault_id, self.raw)).hexdigest()[:16]

    def seal(self, plaintext: bytes, info: bytes) -> bytes:
        """Encrypt so that only the device can read it, and only with the same `info`."""
        return _SUITE.encrypt(plaintext, self._encryption_key(), info)

    def verifies(self, signature: bytes, message: bytes) -> bool:
        """Tell whether the device signed a message."""
        try:
            self._signing_key().verify(signature, message)
        except InvalidSignature:
            return False
        return True

    def _encryption_key(self) -> MLKEM768X25519PublicKey:
        return MLKEM768X25519PublicKey(
            MLKEM768PublicKey.from_public_bytes(self.raw[:_KEM_PUBLIC_BYTES]),
            X25519PublicKey.from_public_bytes(self.raw[_KEM_PUBLIC_BYTES:_ENCRYPTION_BYTES]),
        )

    def _signing_key(self) -> Ed25519PublicKey:
        return Ed25519PublicKey.from_public_bytes(self.raw[_ENCRYPTION_BYTES:])


@dataclass(frozen=True, slots=True, eq=False)
class Device:
    """This desktop, as the holder of a local root key, in one vault."""

    vault_id: str
    id: str
    public: PublicKey
    _decryption: MLKEM768X25519PrivateKey = field(repr=False)
    _signing: Ed25519PrivateKey = field(repr=False)

    def open(self, sealed: bytes, info: bytes) -> bytes:
        """Decrypt what was sealed for this device.

        Raises:
            NotForUsError: it was not, or with another `info`, or it is damaged.
        """
        try:
            return _SUITE.decrypt(sealed, self._decryption, info)
        except (InvalidTag, ValueError):
            raise NotForUsError("does not open") from None

    def sign(self, message: bytes) -> bytes:
        """Return this device's signature."""
        return self._signing.sign(message)


@functools.lru_cache(maxsize=_KEPT)
def device_of(root: bytes, vault_id: str) -> Device:
    """Return the device that a local root key makes of whoever holds it."""
    kem, curve = expanded_pair(hkdf(root, vault_id, "device"))
    signing = Ed25519PrivateKey.from_private_bytes(hkdf(root, vault_id, "sign"))
    halves = (kem.public_key(), curve.public_key(), signing.public_key())
    public = PublicKey(b"".join(half.public_bytes_raw() for half in halves))
    return Device(vault_id, public.device_id(vault_id), public, MLKEM768X25519PrivateKey(kem, curve), signing)


def expanded_pair(seed: bytes) -> tuple[MLKEM768PrivateKey, X25519PrivateKey]:
    """Return the two private keys that X-Wing expands a seed of 32 bytes to."""
    expanded = hashlib.shake_256(seed).digest(_EXPANDED_BYTES)
    kem = MLKEM768PrivateKey.from_seed_bytes(expanded[:_KEM_SEED_BYTES])
    return kem, X25519PrivateKey.from_private_bytes(expanded[_KEM_SEED_BYTES:])


def encoded(raw: bytes) -> str:
    """Return bytes as the database's columns hold them: URL-safe base64."""
    return base64.urlsafe_b64encode(raw).decode("ascii")


def decoded(text: object) -> bytes:
    """Return the bytes that `encoded` wrote; none for anything else, as a column may hold whatever somebody wrote."""
    if not isinstance(text, str) or not text.isascii() or not is_canonical_base64(text.encode("ascii")):
        return b""
    return base64.urlsafe_b64decode(text)
